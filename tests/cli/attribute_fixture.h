/* A results file with attributions: a dense model, Wanda and RIA on two calibration sets with three
 * draws each, two data sets with the same words, and one attribution that failed (RIA, sst2, draw
 * 1, mood). */
#ifndef ESPALIER_TESTS_CLI_ATTRIBUTE_FIXTURE_H
#define ESPALIER_TESTS_CLI_ATTRIBUTE_FIXTURE_H

#include "support.h"

#include "store/attribution_fixture.h"
#include "store/results.h"

enum { ATTRIBUTED_VARIANTS = 13, ATTRIBUTED_DATASETS = 2 };

/* By variant behind the dense one, by data set. */
static const double attributed_loss[ATTRIBUTED_VARIANTS - 1][ATTRIBUTED_DATASETS] = {
    {0.31, 0.52}, {0.33, 0.50}, {0.28, 0.57}, {0.41, 0.60}, {0.45, 0.66}, {0.38, 0.61},
    {0.30, 0.49}, {0.35, 0.55}, {0.36, 0.53}, {0.44, 0.70}, {0.40, NAN},  {0.47, 0.63}};
static const double attributed_accuracy[ATTRIBUTED_VARIANTS - 1][ATTRIBUTED_DATASETS] = {
    {0.70, 0.61}, {0.69, 0.62}, {0.71, 0.57}, {0.62, 0.55}, {0.60, 0.50}, {0.66, 0.56},
    {0.70, 0.63}, {0.68, 0.58}, {0.69, 0.60}, {0.61, 0.51}, {0.64, NAN},  {0.59, 0.54}};
static const double attributed_error[ATTRIBUTED_VARIANTS - 1] = {
    0.11, 0.12, 0.10, 0.15, 0.14, 0.16, 0.13, 0.09, 0.125, 0.17, 0.18, 0.155};
static const double attributed_perplexity[ATTRIBUTED_VARIANTS - 1] = {
    14, 14.5, 13.5, 18, 19, 17, 15, 14.25, 16, 20, 18.5, 21};

struct attributed_fixture {
  struct variant_info variants[ATTRIBUTED_VARIANTS];
  char ids[ATTRIBUTED_VARIANTS][8];
  struct variant_record pruned[ATTRIBUTED_VARIANTS];
  const struct variant_record *variant_records[ATTRIBUTED_VARIANTS];
  struct cell_record cells[ATTRIBUTED_VARIANTS * ATTRIBUTED_DATASETS];
  const struct cell_record *cell_records[ATTRIBUTED_VARIANTS * ATTRIBUTED_DATASETS];
  struct metric_row metrics[ATTRIBUTED_VARIANTS * ATTRIBUTED_DATASETS];
  struct attribution_base bases[ATTRIBUTED_DATASETS];
  struct attribution_loss losses[ATTRIBUTED_VARIANTS][ATTRIBUTED_DATASETS];
  const struct attribution_base *base_at[ATTRIBUTED_VARIANTS * ATTRIBUTED_DATASETS];
  const struct attribution_loss *loss_at[ATTRIBUTED_VARIANTS * ATTRIBUTED_DATASETS];
};

static inline void attributed_loss_fill(struct attributed_fixture *f, int v, int d,
                                        const char *dataset) {
  struct attribution_loss *l = &f->losses[v][d];
  *l = made_loss;
  l->loss = attributed_loss[v - 1][d];
  l->accuracy = attributed_accuracy[v - 1][d];
  l->layer_error = attributed_error[v - 1];
  l->perplexity = attributed_perplexity[v - 1];
  if (isnan(l->loss)) {
    *l = made_failure;
    (void)snprintf(l->error, sizeof l->error, "not finite");
  }
  memcpy(l->variant, f->ids[v], sizeof f->ids[v]);
  (void)snprintf(l->dataset, sizeof l->dataset, "%s", dataset);
  f->loss_at[v * ATTRIBUTED_DATASETS + d] = l;
}

static inline void attributed_variant(struct attributed_fixture *f, int v) {
  int i = v - 1;
  (void)snprintf(f->ids[v], sizeof f->ids[v], "v%02d", v);
  f->variants[v] =
      v ? (struct variant_info){f->ids[v], "nano", i / 6 ? "ria" : "wanda",
                                "{}",      "0.5",  i / 3 % 2 ? "sst2" : "c4",
                                16,        128,    i % 3,
                                "pruned",  v,      false}
        : (struct variant_info){f->ids[v], "nano", "dense", "{}", "0", "", 0, 0, -1, "", v, false};
  f->pruned[v] = (struct variant_record){.achieved_sparsity = v ? 0.5 : 0, .ranks = 1};
  f->variant_records[v] = &f->pruned[v];
}

/* attributions: false leaves them out. */
static inline status attributed_write(const char *path, bool attributions, struct error *err) {
  static const struct dataset_info datasets[] = {{"topic", "topic"}, {"mood", "sentiment"}};
  static struct attributed_fixture f;
  f = (struct attributed_fixture){.ids = {{0}}};
  for (int v = 0; v < ATTRIBUTED_VARIANTS; v++) {
    attributed_variant(&f, v);
    for (int d = 0; d < ATTRIBUTED_DATASETS; d++) {
      int at = v * ATTRIBUTED_DATASETS + d;
      f.metrics[at] = (struct metric_row){"acc", 0.75, 0.01, 200};
      f.cells[at] = (struct cell_record){.metric_count = 1, .metrics = &f.metrics[at]};
      f.cell_records[at] = &f.cells[at];
      if (v > 0) {
        attributed_loss_fill(&f, v, d, datasets[d].name);
        continue;
      }
      f.bases[d] = made_base;
      f.bases[d].accuracy = d ? 0.70 : 0.75;
      memcpy(f.bases[d].variant, f.ids[v], sizeof f.ids[v]);
      (void)snprintf(f.bases[d].dataset, sizeof f.bases[d].dataset, "%s", datasets[d].name);
      f.base_at[d] = &f.bases[d];
    }
  }
  struct results r = {.variants = f.variants,
                      .variant_count = ATTRIBUTED_VARIANTS,
                      .datasets = datasets,
                      .dataset_count = ATTRIBUTED_DATASETS,
                      .variant_records = f.variant_records,
                      .cell_records = f.cell_records,
                      .attribution_bases = attributions ? f.base_at : NULL,
                      .attribution_losses = attributions ? f.loss_at : NULL};
  return results_write(path, &r, err);
}

#endif
