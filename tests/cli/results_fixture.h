/* A results file for table and status: a dense model, magnitude, and Wanda and RIA (two values of
 * a) on two calibration sets with two draws each; a task and a text. Of Wanda on sst2 one cell
 * failed and one variant is not done. */
#ifndef ESPALIER_TESTS_CLI_RESULTS_FIXTURE_H
#define ESPALIER_TESTS_CLI_RESULTS_FIXTURE_H

#include <math.h>

#include "store/results.h"

enum { TABLE_VARIANTS = 14, TABLE_DATASETS = 2 };

static const struct dataset_info table_datasets[TABLE_DATASETS] = {{"topic", "topic"},
                                                                   {"k|v_€", "language_modeling"}};

#define ONE(i, method, parameters, sparsity, set, draw)                                            \
  {                                                                                                \
    "v" #i, "nano", (method), (parameters), (sparsity), (set), (draw) < 0 ? 0 : 16,                \
        (draw) < 0 ? 0 : 128, (draw), (draw) < 0 ? "" : "pruned", (i), false                       \
  }
static const struct variant_info table_variants[TABLE_VARIANTS] = {
    ONE(0, "dense", "{}", "0", "", -1),
    ONE(1, "magnitude", "{}", "0.5", "", -1),
    ONE(2, "wanda", "{}", "0.5", "c4", 0),
    ONE(3, "wanda", "{}", "0.5", "c4", 1),
    ONE(4, "wanda", "{}", "0.5", "sst2", 0),
    ONE(5, "wanda", "{}", "0.5", "sst2", 1),
    ONE(6, "ria", "{\"a\":0.5}", "0.5", "c4", 0),
    ONE(7, "ria", "{\"a\":0.5}", "0.5", "c4", 1),
    ONE(8, "ria", "{\"a\":0.5}", "0.5", "sst2", 0),
    ONE(9, "ria", "{\"a\":0.5}", "0.5", "sst2", 1),
    ONE(10, "ria", "{\"a\":1}", "0.5", "c4", 0),
    ONE(11, "ria", "{\"a\":1}", "0.5", "c4", 1),
    ONE(12, "ria", "{\"a\":1}", "0.5", "sst2", 0),
    ONE(13, "ria", "{\"a\":1}", "0.5", "sst2", 1),
};
#undef ONE

struct table_fixture {
  struct variant_record pruned[TABLE_VARIANTS];
  struct cell_record cells[TABLE_VARIANTS][TABLE_DATASETS];
  struct metric_row metrics[TABLE_VARIANTS][TABLE_DATASETS][2];
  const struct variant_record *variant_records[TABLE_VARIANTS];
  const struct cell_record *cell_records[TABLE_VARIANTS * TABLE_DATASETS];
};

static inline struct results table_results(struct table_fixture *t) {
  static const double accuracy[TABLE_VARIANTS] = {0.782, 0.6, 0.46, 0.48, 0.23, 0,   0.5,
                                                  0.52,  0.4, 0.42, 0.51, 0.51, 0.3, 0.31};
  static const double perplexity[TABLE_VARIANTS] = {
      9.87654, 12345.6, 20.5, 21.5, 101.25, 0, 30, 30, INFINITY, 30, 1e9, 1e9, 99.95, 99.96};
  *t = (struct table_fixture){0};
  for (int v = 0; v < TABLE_VARIANTS; v++) {
    t->pruned[v] = (struct variant_record){.achieved_sparsity = v ? 0.5 : 0, .ranks = 1};
    t->variant_records[v] = v == 5 ? NULL : &t->pruned[v];
    t->metrics[v][0][0] = (struct metric_row){"acc", accuracy[v], 0.01, 200};
    t->metrics[v][0][1] = (struct metric_row){"acc_norm", accuracy[v] + 0.1, 0.01, 200};
    t->metrics[v][1][0] = (struct metric_row){"perplexity", perplexity[v], NAN, v ? 12 : 13};
    for (int d = 0; d < TABLE_DATASETS; d++) {
      t->cells[v][d] = (struct cell_record){
          .metric_count = d ? 1 : 2, .metrics = t->metrics[v][d], .seconds = 1};
      t->cell_records[v * TABLE_DATASETS + d] = v == 5 ? NULL : &t->cells[v][d];
    }
  }
  t->cells[4][1] = (struct cell_record){.failed = true, .error = "kjv.jsonl: No such file"};
  return (struct results){.variants = table_variants,
                          .variant_count = TABLE_VARIANTS,
                          .datasets = table_datasets,
                          .dataset_count = TABLE_DATASETS,
                          .variant_records = t->variant_records,
                          .cell_records = t->cell_records};
}

#endif
