/* An experiment file, parsed and checked: what a user wrote, before it is expanded (plan.h). Every
 * refusal is "FILE:LINE: ..." and names the nearest valid name. Keys: ../../configs/README.md. */
#ifndef ESPALIER_GRID_GRID_H
#define ESPALIER_GRID_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attribution/options.h"
#include "base/yaml.h"
#include "data/task.h"
#include "linalg/precision.h"
#include "prune/prune.h"

/* Where names are looked up. Owned by the caller, and alive as long as the grid and its plan;
 * nothing below cli/ reads the environment. */
struct places {
  struct search search;      /* configs and data folders */
  const char *const *models; /* NULL-terminated folders that hold checkpoint folders; may be NULL */
};

/* A list's entry. */
struct grid_name {
  const char *name; /* as written */
  char *path;       /* what to open: the name, or a path relative to the grid's folder made whole */
  long line;
};

struct grid_model {
  char *name;   /* of configs/models/NAME.yaml, or the folder's last part */
  char *folder; /* the checkpoint */
  long line;
};

/* One entry of `methods`, its lists of parameters expanded. */
struct grid_method {
  const char *label; /* as written: a method of the table or a preset of configs/methods */
  const struct method *method;
  struct params *params; /* [count], in the order of the axes as the method declares them */
  size_t count;
  long line;
};

struct grid_sparsity {
  struct sparsity value;
  char text[32]; /* canonical: sparsity_print */
  long line;
};

struct grid_int {
  int value;
  long line;
};

enum grid_axis {
  AXIS_MODEL,
  AXIS_METHOD,
  AXIS_SPARSITY,
  AXIS_CALIBRATION,
  AXIS_SAMPLES,
  AXIS_LENGTH,
  AXIS_DRAW,
  AXIS_DATASET,
  AXIS_COUNT
};

/* One map under `exclude`: matches what has, on every axis that it names, one of the values. */
struct grid_exclude {
  struct {
    int *at;      /* [count]: indices into the grid's lists; AXIS_DRAW: the draw itself */
    size_t count; /* 0: the rule does not name the axis */
  } axes[AXIS_COUNT];
  struct {
    double *at; /* [count]: values of a parameter of the rule's one method */
    size_t count;
  } params[METHOD_PARAMS];
  long line;
};

struct grid {
  struct yaml_file file; /* path, and the bytes as read for provenance */
  char *experiment;      /* letters, digits, - _ . ; names results/<experiment>.h5 */
  struct grid_model *models;
  size_t model_count;
  struct grid_method *methods; /* as listed; a plan adds the dense baseline when it is missing */
  size_t method_count;
  struct grid_sparsity *sparsity; /* empty only when no method needs one */
  size_t sparsity_count;
  struct grid_name *sets; /* calibration sets; empty only when no method needs one */
  size_t set_count;
  struct grid_int *samples;
  size_t sample_count;      /* default: 128 */
  struct grid_int *lengths; /* value 0 (the default): the model's positions, at most 2048 */
  size_t length_count;
  int draws;                  /* default 1 */
  enum propagate propagate;   /* default PROPAGATE_PRUNED */
  struct grid_name *datasets; /* names of tasks, or paths */
  size_t dataset_count;
  int limit;        /* items per data set; 0: all (key absent) */
  int windows;      /* windows of a perplexity data set; default limit; 0: all */
  int shots;        /* few-shot examples; default 0 */
  bool bos;         /* the tokenizer's template before each context; default false */
  int window;       /* tokens per perplexity window; 0 (the default): positions, at most 2048 */
  long window_line; /* of the key, for messages */
  uint64_t seed;    /* of the calibration draws; default 0 */
  enum precision precision; /* of every forward pass; default float32 */
  bool store_items;         /* default true */
  bool store_masks;         /* default false */
  long *attributed;         /* [dataset_count]: the line that asks for a data set's attribution, or
                               0; NULL: none does */
  struct attribution_options attribution;
  struct grid_name background; /* where an attribution's neutral text comes from */
  struct grid_exclude *excludes;
  size_t exclude_count;
  const struct places *places;
};

/* Reads and checks a file; the models' folders, tasks, calibration sets and presets that it names
 * must exist, but none is opened yet. STATUS_INPUT for what is wrong. */
status grid_open(struct grid **out, const char *path, const struct places *places,
                 struct error *err);
void grid_close(struct grid *g);

/* Finds a checkpoint as `models:` does: configs/models/NAME.yaml, a folder of a models folder, a
 * path. *name (may be NULL) gets what to call it. The caller frees both. The refusal lists what was
 * tried and carries no file. */
status grid_find_model(const char *text, const struct places *places, char **folder, char **name,
                       struct error *err);

/* Finds a method as `methods:` does: a row of the table with its defaults, or a preset of
 * configs/methods. */
status grid_find_method(const char *name, const struct places *places, const struct method **method,
                        struct params *params, struct error *err);

#endif
