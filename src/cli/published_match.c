#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "cli/published.h"
#include "prune/method.h"

/* Whether a variant has the parameters that its method has by default. */
static bool is_plain(const struct results_variant *v) {
  const struct method *m = method_find(v->method);
  if (!m) {
    return false;
  }
  struct params p = method_defaults(m);
  char *json;
  if (method_params_json(m, &p, &json, NULL) != STATUS_OK) {
    return false;
  }
  cJSON *mine = cJSON_Parse(v->parameters), *usual = cJSON_Parse(json);
  bool same = mine && usual && cJSON_Compare(mine, usual, true);
  cJSON_Delete(mine);
  cJSON_Delete(usual);
  free(json);
  return same;
}

/* Tokens of the windows of variant v: perplexity = exp(-mean log-likelihood / (tokens - 1)). */
static long window_of(const struct results_items *r, size_t v, double perplexity) {
  const float *row = r->loglikelihoods + v * (size_t)r->items * (size_t)r->choices;
  double sum = 0, tokens;
  if (!r->there[v] || r->counts[v] < 1 || r->gold[0] != -1) {
    return 0;
  }
  for (int64_t i = 0; i < r->counts[v]; i++) {
    sum += row[(size_t)i * (size_t)r->choices];
  }
  tokens = round(-sum / (double)r->counts[v] / log(perplexity)) + 1;
  return tokens >= 2 && tokens < 1e9 ? (long)tokens : 0;
}

static size_t find_variant(const struct results_file *f, const char *id) {
  size_t v = 0;
  while (v < f->variant_count && strcmp(f->variants[v].id, id) != 0) {
    v++;
  }
  return v;
}

/* Windows of all perplexities of the data set of metric i, unless an earlier one did it. */
static status find_windows(struct published_table *t, const struct results_file *f,
                           const char *path, size_t i, struct error *err) {
  const char *dataset = t->measured[i].metric->dataset;
  for (size_t k = 0; k < i; k++) {
    const struct results_metric *m = t->measured[k].metric;
    if (strcmp(m->metric, "perplexity") == 0 && strcmp(m->dataset, dataset) == 0) {
      return STATUS_OK;
    }
  }
  const char **ids;
  TRY(mem_alloc(&ids, f->variant_count, sizeof(char *), err));
  for (size_t v = 0; v < f->variant_count; v++) {
    ids[v] = f->variants[v].id;
  }
  struct results_items r;
  status st = results_items_read(&r, path, dataset, ids, f->variant_count, err);
  free((void *)ids);
  TRY(st);
  for (size_t k = i; r.items && k < t->measured_count; k++) {
    struct measured *m = &t->measured[k];
    if (strcmp(m->metric->metric, "perplexity") == 0 && strcmp(m->metric->dataset, dataset) == 0) {
      m->window = window_of(&r, (size_t)(m->variant - f->variants), m->metric->value);
    }
  }
  results_items_free(&r);
  return STATUS_OK;
}

static status measure(struct published_table *t, const struct results_file *f, const char *path,
                      struct error *err) {
  TRY(mem_alloc(&t->measured, f->metric_count, sizeof *t->measured, err));
  for (size_t i = 0; i < f->metric_count; i++) {
    size_t v = find_variant(f, f->metrics[i].variant);
    if (v == f->variant_count) {
      return err_at(err, STATUS_INPUT, path, 0,
                    "/metrics names a variant that /variants lacks (%s)", f->metrics[i].variant);
    }
    t->measured[t->measured_count++] = (struct measured){
        .variant = &f->variants[v], .metric = &f->metrics[i], .plain = is_plain(&f->variants[v])};
  }
  for (size_t i = 0; i < t->measured_count; i++) {
    if (strcmp(t->measured[i].metric->metric, "perplexity") == 0) {
      TRY(find_windows(t, f, path, i, err));
    }
  }
  return STATUS_OK;
}

static bool same_sparsity(const struct published_cell *c, const struct results_variant *v) {
  char *a, *b;
  double x = strtod(c->sparsity, &a), y = strtod(v->sparsity, &b);
  return strcmp(v->method, "dense") == 0 || strcmp(c->sparsity, v->sparsity) == 0 ||
         (*c->sparsity && !*a && !*b && x == y);
}

/* How far a measured value agrees with a published number, property by property in this order. */
static const char *const properties[] = {"model",  "method", "sparsity",          "data set",
                                         "metric", "window", "default parameters"};
enum { PROPERTIES = sizeof properties / sizeof properties[0] };

static int agreement(const struct published_cell *c, const struct measured *m) {
  const struct results_variant *v = m->variant;
  const bool same[PROPERTIES] = {published_is_model(c->model, v->model),
                                 strcmp(c->method, v->method) == 0,
                                 same_sparsity(c, v),
                                 strcmp(c->dataset, m->metric->dataset) == 0,
                                 strcmp(c->metric, m->metric->metric) == 0,
                                 c->window == m->window,
                                 m->plain};
  int n = 0;
  while (n < PROPERTIES && same[n]) {
    n++;
  }
  return n;
}

const char *published_lacks(const struct published *p, const struct measured *m) {
  int most = 0;
  for (size_t i = 0; i < p->count; i++) {
    int n = agreement(&p->cells[i], m);
    most = n > most ? n : most;
  }
  return most < PROPERTIES ? properties[most] : "nothing";
}

static bool same_way(const struct results_variant *x, const struct results_variant *y) {
  return strcmp(x->model, y->model) == 0 && strcmp(x->calibration, y->calibration) == 0 &&
         x->samples == y->samples && x->length == y->length;
}

/* Counts a measured value into the cell's match of the same model and calibration. first: where
 * the cell's matches begin. */
static status count_in(struct published_table *t, const struct published_cell *c, size_t first,
                       struct measured *m, struct error *err) {
  size_t at = first;
  while (at < t->count && !same_way(t->matches[at].variant, m->variant)) {
    at++;
  }
  if (at == t->count) {
    TRY(mem_reserve(&t->matches, &t->cap, t->count + 1, sizeof *t->matches, err));
    t->matches[t->count++] = (struct published_match){.cell = c, .variant = m->variant};
  }
  struct published_match *match = &t->matches[at];
  double from_old = m->metric->value - match->mean;
  match->mean += from_old / (double)++match->count;
  match->squares += from_old * (m->metric->value - match->mean);
  match->items = m->metric->items;
  m->matched = true;
  return STATUS_OK;
}

static status match_all(struct published_table *t, struct error *err) {
  for (size_t i = 0; i < t->source->count; i++) {
    size_t first = t->count;
    for (size_t k = 0; k < t->measured_count; k++) {
      if (agreement(&t->source->cells[i], &t->measured[k]) == PROPERTIES) {
        TRY(count_in(t, &t->source->cells[i], first, &t->measured[k], err));
      }
    }
  }
  return STATUS_OK;
}

status published_match(struct published_table *out, const struct published *source,
                       const struct results_file *f, const char *path, struct error *err) {
  *out = (struct published_table){.source = source};
  status st = measure(out, f, path, err);
  if (st == STATUS_OK) {
    st = match_all(out, err);
  }
  if (st != STATUS_OK) {
    published_table_free(out);
  }
  return st;
}

void published_table_free(struct published_table *t) {
  free(t->measured);
  free(t->matches);
  *t = (struct published_table){0};
}
