/* A grid expanded: variants in plan order, the data sets each is evaluated on, identities, costs.
 * The same grid gives the same plan on every rank, so ranks speak of variants by index. */
#ifndef ESPALIER_GRID_PLAN_H
#define ESPALIER_GRID_PLAN_H

#include "base/sequences.h"
#include "calib/calib.h"
#include "eval/evaluate.h"
#include "grid/grid.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"

enum plan_level {
  PLAN_LIGHT, /* workers: opens everything, digests and draws nothing; ids and costs stay empty */
  PLAN_FULL,  /* rank 0: digests, ids, costs; renders every data set and draws every calibration
                 set, so that bad data is refused before any work starts */
};

struct plan_model {
  const char *name, *folder;
  struct model *model;
  struct tokenizer *tokenizer;
  char digest[DIGEST_TEXT]; /* of config.json, weights and tokenizer.json; "" when light */
};

struct plan_dataset {
  const char *name; /* task_name */
  struct task *task;
  enum task_kind kind;
  char data_digest[DIGEST_TEXT]; /* "" when light */
};

struct plan_calibration {
  const char *name; /* calibration_name */
  struct calibration *calibration;
};

/* One pruned model to make (or the dense one). */
struct variant {
  char id[DIGEST_TEXT]; /* "" when light */
  int model;            /* index into plan->models */
  const char *label;    /* the method as the grid calls it: what the results' column shows */
  const struct method *method;
  struct params params;
  char *params_json; /* canonical */
  struct sparsity sparsity;
  char sparsity_text[32]; /* "0" for dense */
  int calibration;        /* index into plan->calibrations, -1: none */
  int samples, length;    /* 0, 0 without calibration */
  int draw;               /* -1 without calibration */
  int share;              /* index into plan->shares, -1: nothing to share */
  double prune_flops; /* calibration passes, statistics, factorisation, pruning; of what is shared
                         its part */
  double eval_flops;  /* all its data sets */
  double seconds;     /* estimate from both on one process (cost.h) */
  double peak_bytes;  /* estimate of the most memory that one process needs at once */
  bool elsewhere;     /* another shard computes it (plan_shard) */
};

/* Variants whose statistics come from one pass of the dense model: of the same model, calibration
 * set, length and draw. */
struct plan_share {
  size_t variants;
  size_t longest; /* the variant that takes the most samples */
  int *samples;   /* [sample_count], rising */
  size_t sample_count;
  unsigned needs; /* STATS_* bits of all methods */
  double *damps;  /* [damp_count]: of factors */
  size_t damp_count;
  double flops; /* of the pass and the factors; 0 when light */
};

/* One (variant, data set). */
struct cell {
  char id[DIGEST_TEXT]; /* "" when light */
  bool wanted;          /* false: an exclude rule with `dataset` took it out */
  double flops;
  double attribution_flops; /* of them those beside the evaluation */
};

struct plan {
  const struct grid *grid; /* the caller's; outlives the plan */
  struct plan_model *models;
  size_t model_count;
  struct plan_dataset *datasets;
  size_t dataset_count;
  struct plan_calibration *calibrations;
  size_t calibration_count;
  struct variant *variants;
  size_t variant_count;
  struct plan_calibration background; /* of attributions; empty without any */
  struct plan_share *shares;          /* [share_count] */
  size_t share_count;
  double rate;              /* operations per second of one process, for all that is in seconds */
  struct cell *cells;       /* [variant_count][dataset_count] */
  size_t *longest;          /* [variant_count]: indices, most expensive first, ties in plan order */
  struct plan_cache *cache; /* calibration draws between plan_draw calls */
};

/* Order: models as listed; in each, dense first (added when the grid does not list it), then
 * method, parameters, sparsity, calibration set, samples, length, draw. A method without
 * calibration appears once per sparsity, the dense one once. A variant that an exclude rule takes
 * out is not in the plan; the dense one stays unless its whole model is excluded. */
status plan_create(struct plan **out, const struct grid *grid, enum plan_level level,
                   struct error *err);
void plan_free(struct plan *p);

/* Seconds are from now on those at so many floating-point operations per second. */
void plan_set_rate(struct plan *p, double rate);

/* Leaves to a plan at PLAN_FULL the variants of shard 1 .. shards, and marks the others `elsewhere`
 * with no cell wanted. Shards cost about the same, as far as the plan can tell; variants of one
 * calibration pass stay together unless that would leave shards idle; the dense models are shard
 * 1's. The same plan is split in the same way everywhere. */
status plan_shard(struct plan *p, int shard, int shards, struct error *err);

static inline struct cell *plan_cell(const struct plan *p, size_t variant, size_t dataset) {
  return &p->cells[variant * p->dataset_count + dataset];
}

/* The variant's calibration ids, zero sequences when it needs none; free with sequences_free. The
 * first call for a set makes all its draws and keeps them. One thread at a time. */
status plan_draw(struct plan *p, size_t variant, struct sequences *out, struct error *err);

/* What the pass of a share is made of, without calibration, scratch and progress. */
struct shared_pass_options plan_shared_pass(const struct plan *p, const struct plan_share *share);

/* The model's dense variant; variant_count where the plan has none. */
size_t plan_dense(const struct plan *p, int model);

/* Whether the grid asks for the data set's attribution. */
static inline bool plan_attributed(const struct plan *p, size_t dataset) {
  return p->grid->attributed && p->grid->attributed[dataset];
}

/* An attribution's neutral windows for a model: of the background set, with a seed of their own, so
 * that they are not a calibration draw's; free with sequences_free. */
status plan_background(const struct plan *p, size_t model, struct sequences *out,
                       struct error *err);

/* What sharing saves of the work before evaluation. */
struct plan_saving {
  size_t passes, variants;          /* shared, and those that have part in one */
  double alone_flops, shared_flops; /* of all calibrated variants, one by one and as they are run */
};
struct plan_saving plan_saving(const struct plan *p, enum propagate propagate);

/* What evalset_create takes for this grid. */
struct evalset_options plan_evalset_options(const struct plan *p, size_t dataset);

/* Distinct calibration draws of the plan, for /calibration in the results: the variant index that
 * uses each (with the most samples), in plan order, without those of variants that are elsewhere;
 * the caller frees *out. */
status plan_distinct_draws(const struct plan *p, size_t **out, size_t *count, struct error *err);

#endif
