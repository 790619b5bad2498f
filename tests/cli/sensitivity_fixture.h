/* A results file for sensitivity: a dense model, magnitude, and Wanda, RIA and SparseGPT on three
 * calibration sets with three draws each; a task and a text. One variant (Wanda, sst2, draw 2) and
 * one cell (RIA, wiki, draw 1, topic) failed; one perplexity is infinite; masks of Wanda's draws on
 * c4 and of two on sst2; distances of all draws from the task and of c4's from the text. */
#ifndef ESPALIER_TESTS_CLI_SENSITIVITY_FIXTURE_H
#define ESPALIER_TESTS_CLI_SENSITIVITY_FIXTURE_H

#include "support.h"

#include <math.h>

#include "store/journal.h"
#include "store/mask_record.h"
#include "store/results.h"

enum {
  SENSITIVE_SETS = 3,
  SENSITIVE_DRAWS = 3,
  SENSITIVE_METHODS = 3,
  SENSITIVE_CALIBRATED = SENSITIVE_METHODS * SENSITIVE_SETS * SENSITIVE_DRAWS,
  SENSITIVE_VARIANTS = 2 + SENSITIVE_CALIBRATED, /* dense and magnitude first */
  SENSITIVE_DATASETS = 2,
  SENSITIVE_LINEARS = 3
};

static const char *const sensitive_sets[] = {"c4", "sst2", "wiki"};
static const char *const sensitive_methods[] = {"wanda", "ria", "sparsegpt"};
static const double sensitive_accuracy[SENSITIVE_VARIANTS] = {
    0.78, 0.48,                                           /* dense, magnitude */
    0.50, 0.52, 0.55, 0.40, 0.44, NAN,  0.61, 0.58, 0.60, /* wanda */
    0.51, 0.50, 0.57, 0.42, 0.43, 0.45, 0.59, NAN,  0.62, /* ria */
    0.45, 0.47, 0.46, 0.41, 0.44, 0.40, 0.50, 0.49, 0.53  /* sparsegpt */
};
static const double sensitive_perplexity[SENSITIVE_VARIANTS] = {
    9.5, 25,   20.5, 21.0, 20.75, 30,   31,   NAN,  18, INFINITY, 18.25, 19.0, 19.5, 19.25, 28,
    29,  28.5, 17,   17.5, 17.25, 22.0, 22.5, 21.0, 27, 26,       25.5,  22.1, 21.4, 22.0};
/* 1 = removed; of linears "0.q", "1.q", "0.up" with 8 weights each */
static const unsigned char sensitive_removed[5][SENSITIVE_LINEARS] = {{0x0f, 0xf0, 0x33},
                                                                      {0x1e, 0xf0, 0x33},
                                                                      {0x0f, 0xe1, 0x55},
                                                                      {0x3c, 0x0f, 0x33},
                                                                      {0x78, 0x0f, 0x3c}};

struct sensitive_fixture {
  struct variant_info variants[SENSITIVE_VARIANTS];
  char ids[SENSITIVE_VARIANTS][8];
  struct variant_record pruned[SENSITIVE_VARIANTS];
  struct cell_record cells[SENSITIVE_VARIANTS][SENSITIVE_DATASETS];
  struct metric_row metrics[SENSITIVE_VARIANTS][SENSITIVE_DATASETS];
  const struct variant_record *variant_records[SENSITIVE_VARIANTS];
  const struct cell_record *cell_records[SENSITIVE_VARIANTS * SENSITIVE_DATASETS];
  bool masks[SENSITIVE_VARIANTS];
  struct distance_record distances[2 * SENSITIVE_SETS * SENSITIVE_DRAWS];
  size_t distance_count;
};

static inline struct variant_info sensitive_variant(const char *id, int v) {
  int i = v - 2;
  if (i < 0) {
    return (struct variant_info){
        id, "nano", v ? "magnitude" : "dense", "{}", v ? "0.5" : "0", "", 0, 0, -1, "", v, false};
  }
  return (struct variant_info){id,       "nano", sensitive_methods[i / 9],
                               "{}",     "0.5",  sensitive_sets[i / 3 % 3],
                               16,       128,    i % 3,
                               "pruned", v,      false};
}

static inline void sensitive_cells(struct sensitive_fixture *f, int v) {
  f->metrics[v][0] = (struct metric_row){"acc", sensitive_accuracy[v], 0.01 + 0.001 * (v % 4), 200};
  f->metrics[v][1] = (struct metric_row){"perplexity", sensitive_perplexity[v], NAN, 40};
  for (int d = 0; d < SENSITIVE_DATASETS; d++) {
    f->cells[v][d] = (struct cell_record){.metric_count = 1, .metrics = &f->metrics[v][d]};
    if (isnan(f->metrics[v][d].value)) {
      f->cells[v][d] = (struct cell_record){.failed = true, .error = "not finite"};
    }
    f->cell_records[v * SENSITIVE_DATASETS + d] = &f->cells[v][d];
  }
}

static inline void sensitive_distances(struct sensitive_fixture *f) {
  for (int i = 0; i < SENSITIVE_SETS * SENSITIVE_DRAWS; i++) {
    for (int d = 0; d < (i < SENSITIVE_DRAWS ? 2 : 1); d++) {
      struct distance_record *r = &f->distances[f->distance_count++];
      *r = (struct distance_record){.draw = i % 3, .samples = 64, .length = 128, .kind = "ngram"};
      (void)snprintf(r->model, sizeof r->model, "nano");
      (void)snprintf(r->calibration, sizeof r->calibration, "%s", sensitive_sets[i / 3]);
      (void)snprintf(r->dataset, sizeof r->dataset, "%s", d ? "kjv" : "topic");
      r->value = 0.3 + 0.1 * (i * 4 % 9) + d;
    }
  }
}

static inline status sensitive_masks(struct sensitive_fixture *f, struct journal *j,
                                     struct error *err) {
  static const char *const names[] = {"model.layers.0.q.weight", "model.layers.1.q.weight",
                                      "model.layers.0.up.weight"};
  for (int v = 0; v < 5; v++) {
    unsigned char kept[SENSITIVE_LINEARS], *bytes;
    struct mask_bits tensors[SENSITIVE_LINEARS];
    struct mask_record r = {.parts = 1, .count = SENSITIVE_LINEARS, .tensors = tensors};
    size_t size;
    (void)snprintf(r.variant, sizeof r.variant, "%s", f->ids[v + 2]);
    for (int i = 0; i < SENSITIVE_LINEARS; i++) {
      kept[i] = (unsigned char)~sensitive_removed[v][i];
      tensors[i] = (struct mask_bits){.rows = 1, .cols = 8, .size = 1, .bytes = &kept[i]};
      (void)snprintf(tensors[i].name, sizeof tensors[i].name, "%s", names[i]);
    }
    f->masks[v + 2] = true;
    TRY(record_encode_masks(&r, &bytes, &size, err));
    status st = journal_append(j, bytes, size, err);
    free(bytes);
    TRY(st);
  }
  return STATUS_OK;
}

/* extras: masks and distances. */
static inline status sensitive_write(const char *path, const char *log, bool extras,
                                     struct error *err) {
  static const struct dataset_info datasets[] = {{"topic", "topic"}, {"kjv", "language_modeling"}};
  static struct sensitive_fixture f;
  f = (struct sensitive_fixture){.distance_count = 0};
  for (int v = 0; v < SENSITIVE_VARIANTS; v++) {
    (void)snprintf(f.ids[v], sizeof f.ids[v], "v%02d", v);
    f.variants[v] = sensitive_variant(f.ids[v], v);
    f.pruned[v] = (struct variant_record){.achieved_sparsity = v ? 0.5 : 0, .ranks = 1};
    f.variant_records[v] = &f.pruned[v];
    sensitive_cells(&f, v);
  }
  f.pruned[7] = (struct variant_record){.failed = true, .error = "not finite", .ranks = 1};
  struct results r = {.variants = f.variants,
                      .variant_count = SENSITIVE_VARIANTS,
                      .datasets = datasets,
                      .dataset_count = SENSITIVE_DATASETS,
                      .variant_records = f.variant_records,
                      .cell_records = f.cell_records};
  if (!extras) {
    return results_write(path, &r, err);
  }
  struct journal *j;
  TRY(journal_open(&j, log, NULL, NULL, NULL, err));
  sensitive_distances(&f);
  status st = sensitive_masks(&f, j, err);
  r.journal = j;
  r.masks = f.masks;
  r.distances = f.distances;
  r.distance_count = f.distance_count;
  st = st == STATUS_OK ? results_write(path, &r, err) : st;
  journal_close(j);
  return st;
}

#endif
