#include "eval/variance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

struct spread variance_spread(const double *values, size_t n) {
  if (n == 0) {
    return (struct spread){0, NAN, NAN, NAN, NAN};
  }
  struct spread out = {.n = n, .sd = NAN, .min = values[0], .max = values[0]};
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) {
    sum += values[i];
    out.min = fmin(out.min, values[i]);
    out.max = fmax(out.max, values[i]);
  }
  out.mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) {
    squares += (values[i] - out.mean) * (values[i] - out.mean);
  }
  if (n > 1 && isfinite(out.mean)) {
    out.sd = sqrt(squares / (double)(n - 1));
  }
  return out;
}

/* Values [from, to) have the same label, and to is n or has another. */
static size_t run_end(const int *label, size_t from, size_t n) {
  size_t to = from + 1;
  while (to < n && label[to] == label[from]) {
    to++;
  }
  return to;
}

static double mean_of(const double *values, size_t from, size_t to) {
  double sum = 0;
  for (size_t i = from; i < to; i++) {
    sum += values[i];
  }
  return sum / (double)(to - from);
}

/* Sums over one group or over all: of squares, and the sums that their expectations need. */
struct moments {
  double between, within, residual; /* squares: of groups, subgroups in groups, values in these */
  double groups, subgroups;         /* how many */
  double group_sizes;               /* sum of squared numbers of values of groups */
  double subgroup_sizes;            /* likewise of subgroups */
  double nested_sizes;              /* of a subgroup's squared number over its group's number */
};

static void add_group(struct moments *m, const double *values, const int *subgroup, size_t from,
                      size_t to, double mean) {
  double n = (double)(to - from), own = mean_of(values, from, to);
  m->groups++;
  m->group_sizes += n * n;
  m->between += n * (own - mean) * (own - mean);
  for (size_t i = from, end; i < to; i = end) {
    end = run_end(subgroup, i, to);
    double size = (double)(end - i), inner = mean_of(values, i, end);
    m->subgroups++;
    m->subgroup_sizes += size * size;
    m->nested_sizes += size * size / n;
    m->within += size * (inner - own) * (inner - own);
    for (size_t k = i; k < end; k++) {
      m->residual += (values[k] - inner) * (values[k] - inner);
    }
  }
}

struct variance_components variance_components(const double *values, const int *group,
                                               const int *subgroup, size_t n) {
  struct variance_components out = {0, 0, NAN, NAN, NAN};
  struct moments m = {0};
  double count = (double)n, mean = n ? mean_of(values, 0, n) : NAN;
  for (size_t i = 0, end; i < n; i = end) {
    end = run_end(group, i, n);
    add_group(&m, values, subgroup, i, end, mean);
  }
  out.groups = (size_t)m.groups;
  out.subgroups = (size_t)m.subgroups;
  bool replicates = count > m.subgroups, nested = m.subgroups > m.groups;
  double residual = replicates ? m.residual / (count - m.subgroups) : 0, subgroup_variance = 0;
  if (replicates) {
    out.residual = residual;
  }
  if (nested) {
    double k1 = (count - m.nested_sizes) / (m.subgroups - m.groups);
    out.subgroup = subgroup_variance = (m.within / (m.subgroups - m.groups) - residual) / k1;
  }
  if (nested && m.groups > 1) {
    double k2 = (m.nested_sizes - m.subgroup_sizes / count) / (m.groups - 1);
    double k3 = (count - m.group_sizes / count) / (m.groups - 1);
    out.group = (m.between / (m.groups - 1) - residual - k2 * subgroup_variance) / k3;
  }
  return out;
}

/* The part of the squares between groups that relabelling moves. */
static double between(const double *values, const int *group, size_t n) {
  double sum = 0;
  for (size_t i = 0, end; i < n; i = end) {
    end = run_end(group, i, n);
    double mean = mean_of(values, i, end);
    sum += (double)(end - i) * mean * mean;
  }
  return sum;
}

status variance_permutation(const double *values, const int *group, size_t n, unsigned seed,
                            double *p, struct error *err) {
  *p = NAN;
  size_t groups = 0, hits = 0;
  for (size_t i = 0; i < n; i = run_end(group, i, n)) {
    groups++;
  }
  if (groups < 2 || n <= groups) {
    return STATUS_OK;
  }
  size_t *order;
  double *mixed;
  TRY(mem_alloc(&mixed, 2 * n, sizeof *mixed, err));
  status st = mem_alloc(&order, n, sizeof *order, err);
  double *centred = mixed + n, mean = mean_of(values, 0, n);
  for (size_t i = 0; st == STATUS_OK && i < n; i++) {
    order[i] = i;
    centred[i] = values[i] - mean;
  }
  double total = 0;
  for (size_t i = 0; i < n; i++) {
    total += centred[i] * centred[i];
  }
  /* equal splits of equal values differ in the last bits only */
  double observed = between(centred, group, n) - 1e-12 * total;
  struct rng rng;
  rng_seed(&rng, seed);
  for (int r = 0; st == STATUS_OK && r < VARIANCE_PERMUTATIONS; r++) {
    rng_shuffle(&rng, n, order);
    for (size_t i = 0; i < n; i++) {
      mixed[i] = centred[order[i]];
    }
    hits += between(mixed, group, n) >= observed;
  }
  free(order);
  free(mixed);
  *p = (double)(1 + hits) / (1 + VARIANCE_PERMUTATIONS);
  return st;
}
