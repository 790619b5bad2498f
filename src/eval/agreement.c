#include "eval/agreement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/significance.h"

struct paired_wins paired_wins(const double *a, const double *b, size_t n, bool lower_is_better) {
  struct paired_wins out = {.pairs = n, .beats = NAN, .difference = NAN, .p = NAN};
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    bool a_more = a[i] > b[i], b_more = b[i] > a[i];
    out.wins += lower_is_better ? b_more : a_more;
    out.losses += lower_is_better ? a_more : b_more;
    out.ties += !a_more && !b_more;
    sum += a_more || b_more ? a[i] - b[i] : 0;
  }
  if (n) {
    out.beats = ((double)out.wins + (double)out.ties / 2) / (double)n;
    out.difference = sum / (double)n;
    out.p = significance_mcnemar(out.wins, out.losses);
  }
  return out;
}

/* Insertion: a handful of methods, or values that come nearly sorted. */
void rank_doubled(const double *values, size_t n, size_t *order, int64_t *doubled) {
  for (size_t i = 0; i < n; i++) {
    size_t k = i;
    for (; k > 0 && values[order[k - 1]] > values[i]; k--) {
      order[k] = order[k - 1];
    }
    order[k] = i;
  }
  for (size_t i = 0, end; i < n; i = end) {
    end = i + 1;
    while (end < n && values[order[end]] == values[order[i]]) {
      end++;
    }
    for (size_t k = i; k < end; k++) {
      doubled[order[k]] = (int64_t)(i + end + 1); /* ranks i + 1 ... end */
    }
  }
}

/* Judges' doubled ranks, and what is needed to mix them. */
struct panel {
  size_t judges, items;
  int64_t *ranks;   /* [judges][items] */
  int64_t *sums;    /* [judges][items]: of the first judges' ranks, as mixed */
  int64_t *scratch; /* [items] */
  size_t *order;    /* [items] */
};

static status panel_alloc(struct panel *p, struct error *err) {
  TRY(mem_alloc(&p->ranks, p->judges * p->items, sizeof *p->ranks, err));
  TRY(mem_alloc(&p->sums, p->judges * p->items, sizeof *p->sums, err));
  TRY(mem_alloc(&p->scratch, p->items, sizeof *p->scratch, err));
  return mem_alloc(&p->order, p->items, sizeof *p->order, err);
}

static void panel_free(struct panel *p) {
  free(p->ranks);
  free(p->sums);
  free(p->scratch);
  free(p->order);
}

/* Sum of squares of the items' sums; all that changes when ranks are mixed. */
static int64_t squares(const int64_t *sums, size_t items) {
  int64_t total = 0;
  for (size_t i = 0; i < items; i++) {
    total += sums[i] * sums[i];
  }
  return total;
}

static void add_ranks(const struct panel *p, size_t judge, const int64_t *ranks) {
  for (size_t i = 0; i < p->items; i++) {
    int64_t before = judge ? p->sums[(judge - 1) * p->items + i] : 0;
    p->sums[judge * p->items + i] = before + ranks[i];
  }
}

/* Sum over judges and ties of t^3 - t. */
static double tie_term(const struct panel *p) {
  double sum = 0;
  for (size_t j = 0; j < p->judges; j++) {
    const int64_t *r = p->ranks + j * p->items;
    for (size_t i = 0; i < p->items; i++) {
      double t = 0;
      for (size_t k = 0; k < p->items; k++) {
        t += r[k] == r[i];
      }
      sum += t * t - 1; /* every one of the t adds its share */
    }
  }
  return sum;
}

static double coefficient(const struct panel *p) {
  double m = (double)p->judges, n = (double)p->items;
  double doubled = (double)squares(p->sums + (p->judges - 1) * p->items, p->items);
  double s = doubled / 4 - m * m * n * (n + 1) * (n + 1) / 4;
  double most = m * m * (n * n * n - n) - m * tie_term(p);
  return most > 0 ? 12 * s / most : NAN;
}

/* Orders of all judges but one, capped. */
static double order_count(const struct panel *p) {
  double orders = 1, all = 1;
  for (size_t i = 2; i <= p->items && orders <= CONCORDANCE_EXACT; i++) {
    orders *= (double)i;
  }
  for (size_t j = 1; j < p->judges && all <= CONCORDANCE_EXACT; j++) {
    all *= orders;
  }
  return all;
}

/* The next order of index [items] in lexicographic order; false, and the first again, behind the
 * last. */
static bool next_order(size_t *index, size_t items) {
  size_t i = items - 1;
  while (i > 0 && index[i - 1] >= index[i]) {
    i--;
  }
  for (size_t a = i, b = items; a + 1 < b; a++) {
    size_t kept = index[--b];
    index[b] = index[a];
    index[a] = kept;
  }
  if (i == 0) {
    return false;
  }
  size_t k = i;
  while (index[k] <= index[i - 1]) {
    k++;
  }
  size_t kept = index[k];
  index[k] = index[i - 1];
  index[i - 1] = kept;
  return true;
}

/* Judge `judge` in the order index. */
static void mix(const struct panel *p, size_t judge, const size_t *index) {
  for (size_t i = 0; i < p->items; i++) {
    p->scratch[i] = p->ranks[judge * p->items + index[i]];
  }
  add_ranks(p, judge, p->scratch);
}

/* Steps through all orders like an odometer: the last judge turns fastest, the first stands. */
static status exact_p(const struct panel *p, int64_t observed, double *out, struct error *err) {
  size_t *index, hits = 0, count = 0, n = p->items;
  TRY(mem_alloc(&index, p->judges * n, sizeof *index, err));
  for (size_t j = 0; j < p->judges; j++) {
    for (size_t i = 0; i < n; i++) {
      index[j * n + i] = i;
    }
  }
  size_t turned = 1;
  do {
    for (size_t j = turned; j < p->judges; j++) {
      mix(p, j, index + j * n);
    }
    hits += squares(p->sums + (p->judges - 1) * n, n) >= observed;
    count++;
    turned = p->judges - 1;
    while (turned > 0 && !next_order(index + turned * n, n)) {
      turned--;
    }
  } while (turned > 0);
  free(index);
  *out = (double)hits / (double)count;
  return STATUS_OK;
}

static double sampled_p(const struct panel *p, int64_t observed, unsigned seed) {
  struct rng rng;
  rng_seed(&rng, seed);
  size_t hits = 0;
  for (size_t i = 0; i < p->items; i++) {
    p->order[i] = i;
  }
  for (int r = 0; r < CONCORDANCE_PERMUTATIONS; r++) {
    for (size_t j = 1; j < p->judges; j++) {
      rng_shuffle(&rng, p->items, p->order);
      mix(p, j, p->order);
    }
    hits += squares(p->sums + (p->judges - 1) * p->items, p->items) >= observed;
  }
  return (double)(1 + hits) / (1 + CONCORDANCE_PERMUTATIONS);
}

static void rank_all(const struct panel *p, const double *scores, bool lower_is_better) {
  int64_t mirror = 2 * (int64_t)p->items + 2;
  for (size_t j = 0; j < p->judges; j++) {
    int64_t *ranks = p->ranks + j * p->items;
    rank_doubled(scores + j * p->items, p->items, p->order, ranks);
    for (size_t i = 0; !lower_is_better && i < p->items; i++) {
      ranks[i] = mirror - ranks[i];
    }
    add_ranks(p, j, ranks);
  }
}

static status judge(const struct panel *p, unsigned seed, struct concordance *out,
                    struct error *err) {
  const int64_t *sums = p->sums + (p->judges - 1) * p->items;
  for (size_t i = 0; i < p->items; i++) {
    out->first = sums[i] < sums[out->first] ? i : out->first;
  }
  for (size_t i = 0; i < p->items; i++) {
    out->firsts += sums[i] == sums[out->first];
  }
  out->mean_rank = (double)sums[out->first] / 2 / (double)p->judges;
  out->w = p->judges > 1 && p->items > 1 ? coefficient(p) : NAN;
  if (isnan(out->w)) {
    return STATUS_OK;
  }
  int64_t observed = squares(sums, p->items);
  out->exact = order_count(p) <= CONCORDANCE_EXACT;
  if (out->exact) {
    return exact_p(p, observed, &out->p, err);
  }
  out->p = sampled_p(p, observed, seed);
  return STATUS_OK;
}

status concordance(const double *scores, size_t judges, size_t items, bool lower_is_better,
                   unsigned seed, struct concordance *out, struct error *err) {
  *out = (struct concordance){.w = NAN, .p = NAN, .mean_rank = NAN};
  if (judges == 0 || items == 0) {
    return STATUS_OK;
  }
  struct panel p = {.judges = judges, .items = items};
  status st = panel_alloc(&p, err);
  if (st == STATUS_OK) {
    rank_all(&p, scores, lower_is_better);
    st = judge(&p, seed, out, err);
  }
  panel_free(&p);
  return st;
}
