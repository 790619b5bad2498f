/* What a merged file says beside its records: where it comes from, calibration draws, and the order
 * of distances. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/merge_parts.h"

static const char *separator(const char *name) {
  return strcmp(name, "experiment") == 0 ? "\n---\n" : strcmp(name, "command") == 0 ? "; " : ", ";
}

/* Whether text is one of the values that are joined already. */
static bool has_value(const char *joined, const char *between, const char *text) {
  size_t n = strlen(text), gap = strlen(between);
  for (const char *at = joined; at; at = strstr(at, between), at = at ? at + gap : NULL) {
    if (strncmp(at, text, n) == 0 && (!at[n] || strncmp(at + n, between, gap) == 0)) {
      return true;
    }
  }
  return false;
}

/* The inputs' values: the first start, the last resumption, of others each value once. */
static status join(const struct merge *m, const char *name, char **out, struct error *err) {
  bool first = strcmp(name, "started") == 0, last = strcmp(name, "resumed") == 0;
  const char *between = separator(name);
  struct str s = {0};
  for (size_t i = 0; i < m->input_count; i++) {
    const char *text = attributes_text(&m->inputs[i].attributes, name);
    if (!text || (s.at && has_value(s.at, between, text))) {
      continue;
    }
    if (s.at && (first || last)) {
      int order = strcmp(text, s.at);
      if (first ? order > 0 : order < 0) {
        continue;
      }
      s.count = 0;
    }
    status st = str_addf(&s, err, "%s%s", s.count ? between : "", text);
    if (st != STATUS_OK) {
      str_free(&s);
      return st;
    }
  }
  *out = s.at;
  return STATUS_OK;
}

static bool is_listed(const struct attribute *list, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(list[i].name, name) == 0) {
      return true;
    }
  }
  return false;
}

static status join_all(const struct merge *m, struct attribute *list, size_t *count,
                       struct error *err) {
  for (size_t i = 0; i < m->input_count; i++) {
    const struct attributes *a = &m->inputs[i].attributes;
    for (size_t k = 0; k < a->count; k++) {
      const char *name = a->names[k];
      if (strcmp(name, "shard") == 0 || is_listed(list, *count, name)) {
        continue;
      }
      char *text;
      TRY(join(m, name, &text, err));
      list[(*count)++] = (struct attribute){name, text};
    }
  }
  return STATUS_OK;
}

status merge_attributes(const struct merge *m, const char *command, struct attribute **out,
                        size_t *count, struct error *err) {
  size_t most = 1;
  for (size_t i = 0; i < m->input_count; i++) {
    most += m->inputs[i].attributes.count;
  }
  *count = 0;
  TRY(mem_alloc(out, most, sizeof **out, err));
  char *merged;
  TRY(mem_dup(&merged, command, strlen(command), err));
  (*out)[(*count)++] = (struct attribute){"merged", merged};
  return join_all(m, *out, count, err);
}

static bool same_draw(const struct calibration_info *a, const struct calibration_info *b) {
  return a->draw == b->draw && a->length == b->length && strcmp(a->set, b->set) == 0 &&
         strcmp(a->model, b->model) == 0;
}

static bool is_start(const struct sequences *of, const struct sequences *s) {
  return s->count <= of->count &&
         (s->count == 0 || (memcmp(s->first, of->first, (s->count + 1) * sizeof *s->first) == 0 &&
                            (s->ids.count == 0 || memcmp(s->ids.at, of->ids.at,
                                                         s->ids.count * sizeof *s->ids.at) == 0)));
}

/* A draw that starts with the other, or the other way round, is one: the longer stays. */
static void add_draw(struct calibration_info *list, size_t *count,
                     const struct calibration_info *draw) {
  for (size_t i = 0; i < *count; i++) {
    if (same_draw(&list[i], draw) && is_start(list[i].ids, draw->ids)) {
      return;
    }
    if (same_draw(&list[i], draw) && is_start(draw->ids, list[i].ids)) {
      list[i] = *draw;
      return;
    }
  }
  list[(*count)++] = *draw;
}

static size_t first_user(const struct merge *m, const struct calibration_info *d) {
  size_t v = 0;
  for (; v < m->variant_count; v++) {
    const struct results_variant *row = m->variants[v].row;
    if (row->draw == d->draw && row->length == d->length && strcmp(row->calibration, d->set) == 0 &&
        (!d->model[0] || strcmp(row->model, d->model) == 0)) {
      break;
    }
  }
  return v;
}

static int compare_users(const void *a, const void *b, void *user) {
  const struct merge *m = user;
  const struct calibration_info *c = a, *d = b;
  size_t x = first_user(m, c), y = first_user(m, d);
  int order = (x > y) - (x < y);
  return order ? order : (c->samples < d->samples) - (c->samples > d->samples);
}

status merge_draws(const struct merge *m, struct calibration_info **out, size_t *count,
                   struct error *err) {
  size_t most = 0;
  for (size_t i = 0; i < m->input_count; i++) {
    most += m->inputs[i].draws.count;
  }
  struct calibration_info *list;
  TRY(mem_alloc(&list, most, sizeof *list, err));
  *count = 0;
  for (size_t i = 0; i < m->input_count; i++) {
    for (size_t k = 0; k < m->inputs[i].draws.count; k++) {
      const struct calibration_draw *d = &m->inputs[i].draws.at[k];
      add_draw(list, count,
               &(struct calibration_info){.set = d->set,
                                          .draw = d->draw,
                                          .samples = d->samples,
                                          .length = d->length,
                                          .ids = &d->ids,
                                          .model = d->model});
    }
  }
  qsort_r(list, *count, sizeof *list, compare_users, (void *)m);
  *out = list;
  return STATUS_OK;
}

struct places {
  const struct merge *m;
  const struct calibration_info *draws;
  size_t count;
};

static size_t draw_of(const struct places *p, const struct distance_record *r) {
  size_t i = 0;
  for (; i < p->count; i++) {
    const struct calibration_info *d = &p->draws[i];
    if (d->draw == r->draw && d->length == r->length && strcmp(d->set, r->calibration) == 0 &&
        strcmp(d->model, r->model) == 0) {
      break;
    }
  }
  return i;
}

static int compare_distances(const void *a, const void *b, void *user) {
  const struct places *p = user;
  const struct distance_record *r = a, *s = b;
  size_t x = draw_of(p, r), y = draw_of(p, s), d, e;
  if (x != y) {
    return x < y ? -1 : 1;
  }
  (void)merge_find_dataset(p->m, r->dataset, &d);
  (void)merge_find_dataset(p->m, s->dataset, &e);
  if (d != e) {
    return d < e ? -1 : 1;
  }
  int kind = (int)distance_kind_named(r->kind) - (int)distance_kind_named(s->kind);
  return kind ? kind : (r->samples < s->samples) - (r->samples > s->samples);
}

void merge_sort_distances(struct merge *m, const struct calibration_info *draws, size_t count) {
  struct places p = {m, draws, count};
  if (m->distance_count) {
    qsort_r(m->distances, m->distance_count, sizeof *m->distances, compare_distances, &p);
  }
}
