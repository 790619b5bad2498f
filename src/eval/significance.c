#include "eval/significance.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

static double log_factorial(double n) {
  int sign;
  return lgamma_r(n + 1, &sign);
}

double significance_mcnemar(size_t only_a, size_t only_b) {
  double k = (double)(only_a < only_b ? only_a : only_b), n = (double)only_a + (double)only_b;
  double term =
      exp(log_factorial(n) - log_factorial(k) - log_factorial(n - k) - n * 0.69314718055994530942);
  double tail = 0;
  /* Terms of the tail shrink from its end on, at least by half behind k = n / 3. */
  for (; k >= 0 && term > tail * 1e-18; k--) {
    tail += term;
    term *= k / (n - k + 1);
  }
  return fmin(1, 2 * tail);
}

void significance_holm(const double *p, size_t n, double *out) {
  size_t tests = 0;
  for (size_t i = 0; i < n; i++) {
    tests += !isnan(p[i]);
  }
  for (size_t i = 0; i < n; i++) {
    out[i] = isnan(p[i]) ? NAN : 0;
    /* The largest (tests - rank) p of the tests up to this one; ties share their largest. */
    for (size_t k = 0; !isnan(p[i]) && k < n; k++) {
      size_t smaller = 0;
      for (size_t j = 0; p[k] <= p[i] && j < n; j++) {
        smaller += p[j] < p[k];
      }
      if (p[k] <= p[i]) {
        out[i] = fmax(out[i], (double)(tests - smaller) * p[k]);
      }
    }
    out[i] = isnan(p[i]) ? NAN : fmin(1, out[i]);
  }
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double at) {
  double place = at * (double)(n - 1);
  size_t below = (size_t)place;
  size_t above = below + 1 < n ? below + 1 : below;
  return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

struct interval interval_of(double *values, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(values[i])) {
      values[count++] = values[i];
    }
  }
  if (2 * count <= n) {
    return (struct interval){NAN, NAN};
  }
  qsort(values, count, sizeof *values, compare_doubles);
  return (struct interval){quantile(values, count, 0.025), quantile(values, count, 0.975)};
}

status significance_bootstrap(resample_statistic *statistic, const void *user, size_t item_count,
                              size_t draw_count, unsigned seed, struct interval *out,
                              struct error *err) {
  size_t *indices;
  double *values;
  TRY(mem_alloc(&indices, item_count + draw_count, sizeof *indices, err));
  status st = mem_alloc(&values, SIGNIFICANCE_RESAMPLES, sizeof *values, err);
  if (st != STATUS_OK) {
    free(indices);
    return st;
  }
  size_t *items = indices, *draws = indices + item_count;
  const struct resample r = {items, item_count, draws, draw_count};
  struct rng rng;
  rng_seed(&rng, seed);
  bool finite = true;
  for (size_t i = 0; i < SIGNIFICANCE_RESAMPLES; i++) {
    for (size_t k = 0; k < item_count; k++) {
      items[k] = (size_t)rng_below(&rng, item_count);
    }
    for (size_t k = 0; draw_count > 1 && k < draw_count; k++) {
      draws[k] = (size_t)rng_below(&rng, draw_count);
    }
    values[i] = statistic(user, &r);
    finite &= isfinite(values[i]) != 0;
  }
  *out = (struct interval){NAN, NAN};
  if (finite) {
    *out = interval_of(values, SIGNIFICANCE_RESAMPLES);
  }
  free(values);
  free(indices);
  return STATUS_OK;
}
