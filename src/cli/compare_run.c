#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/compare.h"

static const struct results_metric *find_metric(const struct compare *c, int side, size_t pair,
                                                const char *dataset, const char *metric) {
  const struct results_file *f = c->sides[side].file;
  const char *id = f->variants[side ? c->pairs.b[pair] : c->pairs.a[pair]].id;
  for (size_t i = 0; i < f->metric_count; i++) {
    const struct results_metric *m = &f->metrics[i];
    if (strcmp(m->variant, id) == 0 && strcmp(m->dataset, dataset) == 0 &&
        (!metric || strcmp(m->metric, metric) == 0)) {
      return m;
    }
  }
  return NULL;
}

/* Tokens of an item, which results do not hold but imply: perplexity = exp(-mean / tokens). */
static double tokens_of(const struct compare *c, const struct paired_items *p, int side,
                        const char *dataset) {
  const struct results_metric *m = find_metric(c, side, p->pair[0], dataset, "perplexity");
  const struct results_items *r = &p->sides[side];
  const float *row = r->loglikelihoods + paired_row(p, side, 0) * (size_t)r->choices;
  double sum = 0;
  for (size_t i = 0; i < p->count; i++) {
    sum += row[i * (size_t)r->choices];
  }
  return m ? round(-sum / (double)p->count / log(m->value)) : NAN;
}

/* First of the largest, as the metrics predict. */
static void predict(const struct paired_items *p, int side, size_t pair, int32_t *out) {
  const struct results_items *r = &p->sides[side];
  size_t choices = (size_t)r->choices;
  const float *rows = r->loglikelihoods + paired_row(p, side, pair) * choices;
  for (size_t i = 0; i < p->count; i++) {
    size_t best = 0;
    for (size_t k = 1; k < choices; k++) {
      best = rows[i * choices + k] > rows[i * choices + best] ? k : best;
    }
    out[i] = (int32_t)best;
  }
}

static bool needs_predictions(enum compare_kind kind) {
  return kind == COMPARE_F1 || kind == COMPARE_F1_MACRO || kind == COMPARE_MCC;
}

static status prepare(struct item_metric *m, struct error *err) {
  const struct paired_items *p = m->items;
  if (!needs_predictions(m->kind)) {
    return STATUS_OK;
  }
  TRY(mem_alloc(&m->predictions, 2 * p->pair_count * p->count, sizeof *m->predictions, err));
  TRY(mem_alloc(&m->scratch, 2 * p->count, sizeof *m->scratch, err));
  for (int side = 0; side < 2; side++) {
    for (size_t k = 0; k < p->pair_count; k++) {
      predict(p, side, k, m->predictions + ((size_t)side * p->pair_count + k) * p->count);
    }
  }
  return STATUS_OK;
}

/* Mean over draws of B's metric less A's. */
static double difference(const void *user, const struct resample *r) {
  const struct item_metric *m = user;
  double sum = 0;
  for (size_t k = 0; k < r->draw_count; k++) {
    sum += item_metric_value(m, 1, r->draws[k], r->items, r->item_count) -
           item_metric_value(m, 0, r->draws[k], r->items, r->item_count);
  }
  return sum / (double)r->draw_count;
}

static void count_flips(struct comparison *out, const struct paired_items *p,
                        enum compare_kind kind) {
  for (size_t i = 0; i < p->count; i++) {
    long net = 0;
    for (size_t k = 0; k < p->pair_count; k++) {
      int flip = paired_flip(p, kind, k, i);
      out->lost += flip < 0;
      out->gained += flip > 0;
      net += flip;
    }
    out->down += net < 0;
    out->up += net > 0;
  }
  out->p = kind == COMPARE_PERPLEXITY ? NAN : significance_mcnemar(out->down, out->up);
}

/* Means over pairs, and the spread of the pairs' differences. */
static void average(struct comparison *out, const struct item_metric *m, const size_t *all) {
  const struct paired_items *p = m->items;
  double mean = 0, squares = 0;
  for (size_t k = 0; k < p->pair_count; k++) {
    double a = item_metric_value(m, 0, k, all, p->count),
           b = item_metric_value(m, 1, k, all, p->count), from_old = b - a - mean;
    out->a += a / (double)p->pair_count;
    out->b += b / (double)p->pair_count;
    mean += from_old / (double)(k + 1);
    squares += from_old * (b - a - mean);
  }
  out->difference = out->b - out->a;
  out->spread = p->pair_count > 1 ? sqrt(squares / (double)(p->pair_count - 1)) : NAN;
}

static status test_items(struct comparison *out, struct item_metric *m, unsigned seed,
                         struct error *err) {
  const struct paired_items *p = m->items;
  size_t *all;
  TRY(prepare(m, err));
  TRY(mem_alloc(&all, p->count, sizeof *all, err));
  for (size_t i = 0; i < p->count; i++) {
    all[i] = i;
  }
  out->pairs = p->pair_count;
  out->items = (int64_t)p->count;
  average(out, m, all);
  count_flips(out, p, m->kind);
  free(all);
  return significance_bootstrap(difference, m, p->count, p->pair_count, seed, &out->range, err);
}

static status compare_items(struct comparison *out, const struct compare *c, enum compare_kind kind,
                            struct error *err) {
  struct paired_items p;
  TRY(paired_items_read(&p, c, out->dataset, &out->why, err));
  if (out->why) {
    return STATUS_OK;
  }
  struct item_metric m = {.items = &p, .kind = kind};
  status st = STATUS_OK;
  if (kind == COMPARE_PERPLEXITY) {
    m.tokens = tokens_of(c, &p, 0, out->dataset);
    double other = tokens_of(c, &p, 1, out->dataset);
    if (m.tokens != other || !(m.tokens > 0)) {
      st = str_format(&out->why, err, "windows of %g and %g tokens", m.tokens, other);
    }
  }
  if (st == STATUS_OK && !out->why) {
    st = test_items(out, &m, c->seed, err);
  }
  free(m.predictions);
  free(m.scratch);
  paired_items_free(&p);
  return st;
}

/* As in tables: the first of the wanted metrics that the data set has, else its first; NULL when no
 * pair has a result. */
static const char *metric_for(const struct compare *c, const char *dataset,
                              const struct word_list *wanted) {
  for (size_t i = 0; i < (wanted->count ? wanted->count : 1); i++) {
    const char *name = wanted->count ? wanted->at[i] : NULL;
    for (size_t k = 0; k < c->pairs.count; k++) {
      const struct results_metric *m = find_metric(c, 0, k, dataset, name);
      if (m) {
        return m->metric;
      }
    }
  }
  return NULL;
}

static status compare_dataset(struct comparison *out, const struct compare *c, const char *dataset,
                              const struct word_list *metrics, struct error *err) {
  *out = (struct comparison){.dataset = dataset,
                             .metric = metric_for(c, dataset, metrics),
                             .a = 0,
                             .spread = NAN,
                             .range = {NAN, NAN},
                             .p = NAN,
                             .holm = NAN};
  enum compare_kind kind;
  if (!out->metric) {
    return str_format(&out->why, err, metrics->count ? "has none of these metrics" : "not done");
  }
  if (!compare_metric(out->metric, &kind)) {
    return str_format(&out->why, err, "%s cannot be computed from the items kept", out->metric);
  }
  return compare_items(out, c, kind, err);
}

static bool has_dataset(const struct results_file *f, const char *name) {
  for (size_t i = 0; i < f->cell_count; i++) {
    if (strcmp(f->cells[i].dataset, name) == 0) {
      return true;
    }
  }
  return false;
}

static bool is_listed(const struct word_list *list, const char *word) {
  for (size_t i = 0; i < list->count; i++) {
    if (strcmp(list->at[i], word) == 0) {
      return true;
    }
  }
  return list->count == 0;
}

static bool is_new(const struct compare *c, const char *name) {
  for (size_t i = 0; i < c->count; i++) {
    if (strcmp(c->at[i].dataset, name) == 0) {
      return false;
    }
  }
  return true;
}

static status correct_for_many(struct compare *c, struct error *err) {
  double *p;
  TRY(mem_alloc(&p, 2 * c->count, sizeof *p, err));
  for (size_t i = 0; i < c->count; i++) {
    p[i] = c->at[i].p;
  }
  significance_holm(p, c->count, p + c->count);
  for (size_t i = 0; i < c->count; i++) {
    c->at[i].holm = p[c->count + i];
  }
  free(p);
  return STATUS_OK;
}

status compare_run(struct compare *c, const struct word_list *datasets,
                   const struct word_list *metrics, struct error *err) {
  const struct results_file *a = c->sides[0].file, *b = c->sides[1].file;
  TRY(compare_pair(&c->pairs, c->sides, err));
  size_t cap = 0;
  for (size_t i = 0; i < a->cell_count; i++) {
    const char *name = a->cells[i].dataset;
    if (is_listed(datasets, name) && is_new(c, name) && has_dataset(b, name)) {
      TRY(mem_reserve(&c->at, &cap, c->count + 1, sizeof *c->at, err));
      c->at[c->count] = (struct comparison){0};
      TRY(compare_dataset(&c->at[c->count++], c, name, metrics, err));
    }
  }
  if (c->count == 0) {
    return err_set(err, STATUS_INPUT, "%s and %s have no data set in common", c->sides[0].path,
                   c->sides[1].path);
  }
  return correct_for_many(c, err);
}

void compare_free(struct compare *c) {
  for (size_t i = 0; i < c->count; i++) {
    free(c->at[i].why);
  }
  free(c->at);
  compare_pairs_free(&c->pairs);
  selection_free(&c->sides[0].selection);
  selection_free(&c->sides[1].selection);
}
