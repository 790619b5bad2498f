#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/attribute.h"

void attribute_view_free(struct attribute_view *v) {
  for (size_t i = 0; i < v->label_count; i++) {
    free(v->labels[i]);
  }
  free((void *)v->labels);
  free(v->bases);
  free(v->lines);
  *v = (struct attribute_view){0};
}

/* What the view is made from. */
struct source {
  const struct results_file *f;
  const struct attribution_file *a;
  const char *path;
  const struct word_list *datasets;
  const bool *keep; /* [variants] */
};

static bool wants_dataset(const struct source *s, const char *name) {
  for (size_t i = 0; i < s->datasets->count; i++) {
    if (strcmp(s->datasets->at[i], name) == 0) {
      return true;
    }
  }
  return s->datasets->count == 0;
}

static bool wants_model(const struct source *s, const char *model) {
  for (size_t i = 0; i < s->f->variant_count; i++) {
    if (s->keep[i] && strcmp(s->f->variants[i].model, model) == 0) {
      return true;
    }
  }
  return false;
}

static status find_variant(const struct source *s, const struct attribution_loss *l, size_t *at,
                           struct error *err) {
  for (*at = 0; *at < s->f->variant_count; ++*at) {
    if (strcmp(s->f->variants[*at].id, l->variant) == 0) {
      return STATUS_OK;
    }
  }
  return err_at(err, STATUS_INPUT, s->path, 0,
                "/attribution/losses names a variant '%s' that is not there", l->variant);
}

static void add_bases(struct attribute_view *v, const struct source *s) {
  for (size_t i = 0; i < s->a->base_count; i++) {
    const struct attribution_base *b = &s->a->bases[i];
    if (wants_dataset(s, b->dataset) && wants_model(s, s->a->models[i])) {
      v->bases[v->base_count++] = (struct attribute_base){b, s->a->models[i]};
    }
  }
}

/* Lines of one base, or (NULL) those without. */
static status add_lines(struct attribute_view *v, const struct source *s,
                        const struct attribution_base *base, struct error *err) {
  for (size_t i = 0; i < s->a->loss_count; i++) {
    const struct attribution_loss *l = &s->a->losses[i];
    size_t at;
    TRY(find_variant(s, l, &at, err));
    const struct results_variant *r = &s->f->variants[at];
    if (s->keep[at] && strcmp(r->method, "dense") != 0 && wants_dataset(s, l->dataset) &&
        attribution_base_of(s->a, l, r->model) == base) {
      v->lines[v->line_count++] = (struct attribute_line){l, base, r, v->labels[at]};
    }
  }
  return STATUS_OK;
}

static status fill(struct attribute_view *v, const struct source *s, struct error *err) {
  TRY(mem_alloc(&v->bases, s->a->base_count, sizeof *v->bases, err));
  TRY(mem_alloc(&v->lines, s->a->loss_count, sizeof *v->lines, err));
  TRY(mem_alloc(&v->labels, s->f->variant_count, sizeof(char *), err));
  v->label_count = s->f->variant_count;
  TRY(table_method_labels(s->f, v->labels, err));
  add_bases(v, s);
  for (size_t i = 0; i < v->base_count; i++) {
    TRY(add_lines(v, s, v->bases[i].base, err));
  }
  return add_lines(v, s, NULL, err);
}

status attribute_view_make(struct attribute_view *out, const struct results_file *f,
                           const struct attribution_file *a, const char *path,
                           const struct design_query *q, struct error *err) {
  if (a->base_count + a->loss_count == 0) {
    return err_at(
        err, STATUS_INPUT, path, 0,
        "no attributions (an experiment has them with 'attribution: {datasets: [NAME]}')");
  }
  bool *keep;
  struct attribute_view v = {.neurons = SIZE_MAX, .seed = q->seed};
  TRY(mem_alloc(&keep, f->variant_count, sizeof *keep, err));
  const struct source s = {f, a, path, &q->datasets, keep};
  status st = design_choose(f, path, q, keep, err);
  st = st == STATUS_OK ? fill(&v, &s, err) : st;
  if (st == STATUS_OK && v.base_count + v.line_count == 0) {
    st = err_at(err, STATUS_INPUT, path, 0, "no attributions of what was asked for");
  }
  free(keep);
  if (st != STATUS_OK) {
    attribute_view_free(&v);
    return st;
  }
  *out = v;
  return STATUS_OK;
}

bool attribute_same(const struct attribute_line *a, const struct attribute_line *b) {
  const struct results_variant *x = a->variant, *y = b->variant;
  return strcmp(a->loss->dataset, b->loss->dataset) == 0 && strcmp(a->label, b->label) == 0 &&
         strcmp(x->model, y->model) == 0 && strcmp(x->sparsity, y->sparsity) == 0 &&
         strcmp(x->calibration, y->calibration) == 0 && x->samples == y->samples &&
         x->length == y->length && strcmp(x->propagate, y->propagate) == 0;
}

static const char *filled(const char *text) {
  return text && *text ? text : NULL;
}

void attribute_head(struct sheet_cell *row, const struct attribute_line *l, bool draw) {
  const struct results_variant *v = l->variant;
  bool calibrated = v->calibration && *v->calibration;
  row[ATTRIBUTE_DATASET].text = l->loss->dataset;
  row[ATTRIBUTE_MODEL].text = v->model;
  row[ATTRIBUTE_SPARSITY].text = filled(v->sparsity);
  row[ATTRIBUTE_SAMPLES].number = calibrated ? v->samples : NAN;
  row[ATTRIBUTE_LENGTH].number = calibrated ? v->length : NAN;
  row[ATTRIBUTE_PROPAGATE].text = filled(v->propagate);
  row[ATTRIBUTE_METHOD].text = l->label;
  row[ATTRIBUTE_CALIBRATION].text = filled(v->calibration);
  row[ATTRIBUTE_DRAW].number = draw && calibrated ? v->draw : NAN;
}
