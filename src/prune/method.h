/* A pruning method: one file, one row of the table in methods.c. */
#ifndef ESPALIER_PRUNE_METHOD_H
#define ESPALIER_PRUNE_METHOD_H

#include <stdbool.h>
#include <stddef.h>

#include "linalg/factor.h"
#include "prune/stats.h"

/* Either a share of zeros, or the pattern n:m: in every row, n of each m consecutive inputs are set
 * to zero, as the authors' code reads the pattern (hardware vendors count the kept ones; 2:4 and
 * 4:8 are the same either way). */
struct sparsity {
  double ratio; /* 0 <= ratio < 1 when m == 0 */
  int n, m;     /* zeros and group size; 0 < n < m, or both 0 */
};

/* "0.5" or "2:4"; refuses the rest with what was expected. */
status sparsity_parse(struct sparsity *out, const char *text, struct error *err);
/* The text sparsity_parse reads back, in canonical form ("0.50" gives "0.5"). */
void sparsity_print(const struct sparsity *s, char out[32]);
double sparsity_zeros(const struct sparsity *s); /* the promised share of zeros */

enum { METHOD_PARAMS = 8 };

enum param_kind { PARAM_DOUBLE, PARAM_INT, PARAM_CHOICE };

struct param_spec {
  const char *name;
  enum param_kind kind;
  double low, high, value;    /* allowed range and default (PARAM_CHOICE: index) */
  const char *const *choices; /* PARAM_CHOICE: NULL-terminated */
};

/* Values in the order of the method's specs. */
struct params {
  double value[METHOD_PARAMS];
};

/* Where a factor comes from that a rank does not have to itself: gives rows first .. first + count
 * − 1 of it, from column `first` on, into panel [count][cols]. Collective over the task's group. */
struct factor_source {
  void *user;
  status (*rows)(void *user, int first, int count, float *panel, struct error *err);
};

/* One linear to prune, or this rank's rows of it. */
struct prune_task {
  float *weights; /* [rows][cols], pruned in place */
  int rows, cols;
  /* The ranks that prune the linear's other rows at the same time, `all_rows` together, in the
   * order of their numbers; NULL: there are none. They get the masks that one rank would. */
  const struct group *group;
  int all_rows;
  const struct stats *stats; /* of its input; NULL when the method needs none */
  const float *factor; /* [cols][cols] upper factor of H⁻¹ when the method needs it, or NULL ... */
  const struct factor_source *source; /* ... and this instead */
  struct sparsity sparsity;
  const struct params *params;
};

struct method {
  const char *name;
  int version;       /* part of a cell's identity: raise it when results change */
  unsigned needs;    /* STATS_* bits; STATS_NONE: no calibration, appears once per sparsity */
  bool needs_factor; /* of the Hessian, by factor_inverse_upper, damped by the parameter "damp" */
  bool dense;        /* changes nothing, ignores sparsity */
  const char *about; /* one line with the source, for --help and docs */
  const struct param_spec *params; /* up to METHOD_PARAMS, ended by a NULL name */
  /* Refuses parameters and sparsities that do not fit together; NULL: all do. See method_check. */
  status (*check)(const struct params *params, const struct sparsity *sparsity, struct error *err);
  status (*prune)(const struct prune_task *task, struct error *err);
};

/* The table, in the order of documentation; *count rows. */
const struct method *methods_all(size_t *count);
const struct method *method_find(const char *name); /* NULL when there is none */

struct params method_defaults(const struct method *m);
/* Whether the parameters and the sparsity fit together, to be asked before any work starts:
 * SparseGPT chooses n:m groups inside column blocks, so its blocksize must be a multiple of m. */
status method_check(const struct method *m, const struct params *params,
                    const struct sparsity *sparsity, struct error *err);

/* Prunes one linear. Refuses a pattern whose m does not divide the inputs: "172 inputs, not a
 * multiple of 8". */
status method_prune(const struct method *m, const struct prune_task *task, struct error *err);

int method_param_index(const struct method *m, const char *name); /* -1 when there is none */
/* Sets one parameter from its text, refusing what is out of range. */
status method_param_set(const struct method *m, struct params *p, const char *name,
                        const char *text, struct error *err);
/* Canonical JSON of all parameters, e.g. {"blocksize":128,"damp":0.01}; the caller frees. */
status method_params_json(const struct method *m, const struct params *p, char **out,
                          struct error *err);

#endif
