/* A small experiment's records: a dense model, Wanda at 0.5 with two draws of one set (the second
 * failed to prune), on a task and a text, of which one cell failed. */
#ifndef ESPALIER_TESTS_STORE_FIXTURE_H
#define ESPALIER_TESTS_STORE_FIXTURE_H

#include <math.h>

#include "store/results.h"

enum { FIXTURE_VARIANTS = 3, FIXTURE_DATASETS = 2 };

static struct layer_row fixture_layers[] = {
    {0, "self_attn.q_proj", 0.5, 0.03125, NAN, 0.5},
    {1, "mlp.down_proj", 0.5, 0.0625, NAN, 0.25},
};
static const struct variant_record fixture_pruned[FIXTURE_VARIANTS] = {
    {.id = "00000000000000000000000000000000", .achieved_sparsity = 0, .ranks = 1},
    {.id = "11111111111111111111111111111111",
     .achieved_sparsity = 0.5,
     .seconds = 2.5,
     .ranks = 2,
     .layer_count = 2,
     .layers = fixture_layers},
    {.id = "22222222222222222222222222222222",
     .failed = true,
     .error = "c4 – empty \xff text",
     .ranks = 2},
};
static struct metric_row fixture_task[2][2] = {
    {{"acc", 0.782, 0.01, 3}, {"acc_norm", 0.75, 0.01, 3}},
    {{"acc", 0.471, 0.02, 3}, {"acc_norm", 0.5, 0.02, 3}},
};
static struct metric_row fixture_text[1] = {{"perplexity", 12.3456, NAN, 7}};
static float fixture_lls[6] = {-1, -2, -3, -4, -5, -6}, fixture_window[1] = {-77};
static int32_t fixture_gold[3] = {0, 1, 0}, fixture_none[1] = {-1};
static int8_t fixture_correct[3] = {1, 0, 1}, fixture_norm[3] = {0, 0, 1}, fixture_na[1] = {-1};

#define FIXTURE_TASK(v)                                                                            \
  {                                                                                                \
    .dataset = "topic", .metric_count = 2, .metrics = fixture_task[v], .seconds = 1, .items = 3,   \
    .choices = 2, .loglikelihoods = fixture_lls, .gold = fixture_gold, .correct = fixture_correct, \
    .correct_norm = fixture_norm                                                                   \
  }
static const struct cell_record fixture_cells[4] = {
    FIXTURE_TASK(0),
    {.dataset = "bible/kjv",
     .metric_count = 1,
     .metrics = fixture_text,
     .seconds = 1,
     .items = 1,
     .choices = 1,
     .loglikelihoods = fixture_window,
     .gold = fixture_none,
     .correct = fixture_na,
     .correct_norm = fixture_na},
    FIXTURE_TASK(1),
    {.dataset = "bible/kjv", .failed = true, .error = "bible.jsonl: No such file", .seconds = NAN},
};
static const struct variant_info fixture_variants[FIXTURE_VARIANTS] = {
    {"00000000000000000000000000000000", "nano", "dense", "{}", "0", "", 0, 0, -1, "", 0, false},
    {"11111111111111111111111111111111", "nano", "wanda", "{}", "0.5", "c4", 16, 128, 0, "pruned",
     1, false},
    {"22222222222222222222222222222222", "nano", "wanda", "{}", "0.5", "c4", 16, 128, 1, "pruned",
     2, false},
};
static const struct dataset_info fixture_datasets[FIXTURE_DATASETS] = {
    {"topic", "topic"}, {"bible/kjv", "language_modeling"}};
static const struct attribute fixture_attributes[] = {
    {"espalier_version", "0.1.0"}, {"schema_version", "1"}, {"experiment", "seed: 0 # –\n"}};
static const struct variant_record *const fixture_variant_records[FIXTURE_VARIANTS] = {
    &fixture_pruned[0], &fixture_pruned[1], &fixture_pruned[2]};
static const struct cell_record *const fixture_cell_records[FIXTURE_VARIANTS * FIXTURE_DATASETS] = {
    &fixture_cells[0], &fixture_cells[1], &fixture_cells[2], &fixture_cells[3], NULL, NULL};

static inline struct results fixture_results(void) {
  return (struct results){
      .attributes = fixture_attributes,
      .attribute_count = 3,
      .variants = fixture_variants,
      .variant_count = FIXTURE_VARIANTS,
      .datasets = fixture_datasets,
      .dataset_count = FIXTURE_DATASETS,
      .variant_records = fixture_variant_records,
      .cell_records = fixture_cell_records,
  };
}

#endif
