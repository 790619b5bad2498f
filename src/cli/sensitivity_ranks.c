#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/sensitivity.h"
#include "eval/agreement.h"

enum { BEST = COLUMN_METHOD, RANK, METHODS, SETS, DRAWS, W, P, HOLM, EXACT, WHY, COLUMNS };
static const struct sheet_column columns[COLUMNS] = {
    DESIGN_COLUMNS,
    [BEST] = {"best", SHEET_TEXT, SHEET_ALWAYS},
    [RANK] = {"mean_rank", SHEET_SHARE, SHEET_ALWAYS},
    [METHODS] = {"methods", SHEET_COUNT, SHEET_ALWAYS},
    [SETS] = {"sets", SHEET_COUNT, SHEET_ALWAYS},
    [DRAWS] = {"draws", SHEET_COUNT, SHEET_ALWAYS},
    [W] = {"W", SHEET_SHARE, SHEET_ALWAYS},
    [P] = {"p", SHEET_P, SHEET_ALWAYS},
    [HOLM] = {"p_holm", SHEET_P, SHEET_ALWAYS},
    [EXACT] = {"exact", SHEET_COUNT, SHEET_DATA},
    [WHY] = {"why", SHEET_TEXT, SHEET_FILLED},
};

/* Methods that are compared, and how they do with each calibration set. */
struct block {
  const struct design_group **methods; /* [count] */
  size_t count, planned;               /* planned: with those that have no results */
  double *scores;                      /* [sets][count]: means over draws that all have */
  size_t *draws;                       /* [sets]: how many; 0: the set is left out */
};

static void block_free(struct block *b) {
  free((void *)b->methods);
  free(b->scores);
  free(b->draws);
}

static status block_alloc(struct block *b, const struct design *d, struct error *err) {
  *b = (struct block){.count = 0};
  TRY(mem_alloc(&b->methods, d->group_count, sizeof(struct design_group *), err));
  TRY(mem_alloc(&b->scores, d->set_count * d->group_count, sizeof *b->scores, err));
  return mem_alloc(&b->draws, d->set_count, sizeof *b->draws, err);
}

static bool has_results(const struct design *d, size_t set, const struct design_group *g) {
  for (size_t i = 0; i < g->count; i++) {
    if (!isnan(design_value(d, set, g->at[i]))) {
      return true;
    }
  }
  return false;
}

static bool is_planned(const struct design *d, size_t set, const struct design_group *g) {
  for (size_t i = 0; i < g->count; i++) {
    if (d->states[design_at(d, set, g->at[i])] != DESIGN_NONE) {
      return true;
    }
  }
  return false;
}

/* Methods of the group `lead` and those beside it that have results on a data set. */
static void find_methods(struct block *b, const struct design *d, size_t set, size_t lead) {
  b->count = b->planned = 0;
  for (size_t i = lead; i < d->group_count; i++) {
    const struct design_group *g = &d->groups[i];
    if (!g->calibrated || !design_comparable(&d->groups[lead], g) || !is_planned(d, set, g)) {
      continue;
    }
    b->planned++;
    if (has_results(d, set, g)) {
      b->methods[b->count++] = g;
    }
  }
}

/* Adds a draw of the first method to the scores if all have it. */
static void add_draw(struct block *b, const struct design *d, size_t set, size_t variant) {
  size_t at, calibration = (size_t)d->set_of[variant];
  int draw = d->file->variants[variant].draw;
  for (size_t k = 0; k < b->count; k++) {
    if (!design_find(d, b->methods[k], set, (int)calibration, draw, &at)) {
      return;
    }
  }
  b->draws[calibration]++;
  for (size_t k = 0; k < b->count; k++) {
    (void)design_find(d, b->methods[k], set, (int)calibration, draw, &at);
    b->scores[calibration * b->count + k] += design_value(d, set, at);
  }
}

/* Equal means that were added up in another order differ in the last bits: those go. */
static double rounded(double value) {
  int exponent;
  double mantissa = frexp(value, &exponent);
  return isfinite(value) ? ldexp(round(ldexp(mantissa, 40)), exponent - 40) : value;
}

static void score(struct block *b, const struct design *d, size_t set) {
  for (size_t i = 0; i < d->set_count; i++) {
    b->draws[i] = 0;
  }
  for (size_t i = 0; i < d->set_count * b->count; i++) {
    b->scores[i] = 0;
  }
  for (size_t i = 0; b->count && i < b->methods[0]->count; i++) {
    add_draw(b, d, set, b->methods[0]->at[i]);
  }
  for (size_t i = 0; i < d->set_count; i++) {
    for (size_t k = 0; b->draws[i] && k < b->count; k++) {
      double *sum = &b->scores[i * b->count + k];
      *sum = rounded(*sum / (double)b->draws[i]);
    }
  }
}

/* Moves the sets with scores to the front of scores; their number. */
static size_t gather(struct block *b, const struct design *d, size_t *draws) {
  size_t kept = 0;
  *draws = 0;
  for (size_t i = 0; i < d->set_count; i++) {
    for (size_t k = 0; b->draws[i] && k < b->count; k++) {
      b->scores[kept * b->count + k] = b->scores[i * b->count + k];
    }
    kept += b->draws[i] > 0;
    *draws += b->draws[i];
  }
  return kept;
}

static const char *why(const struct block *b, size_t sets, const struct concordance *c) {
  if (b->count < 2) {
    return b->planned < 2 ? "one method: nothing to rank" : "fewer than two methods have results";
  }
  if (sets < 2) {
    return sets ? "one calibration set has all methods" : "no draw that all methods have";
  }
  return isnan(c->w) ? "methods are equal with every set" : NULL;
}

/* The row of a block whose scores are there; set: NULL over data sets, where scores are ranks. */
static status add_row(const struct design *d, struct sheet *s, struct block *b, size_t lead,
                      const struct design_dataset *set, struct error *err) {
  struct concordance c;
  struct sheet_cell *row;
  size_t draws, sets = gather(b, d, &draws);
  bool lower = !set || set->lower_is_better;
  TRY(concordance(b->scores, sets, b->count, lower, d->seed, &c, err));
  TRY(sheet_add(s, &row, err));
  design_label(row, set, &d->groups[lead]);
  row[BEST].text = NULL;
  row[METHODS].number = (double)b->count;
  row[METHODS].of = (double)b->planned;
  row[SETS].number = (double)sets;
  row[SETS].of = (double)d->set_count;
  row[DRAWS].number = (double)draws;
  row[WHY].text = why(b, sets, &c);
  if (b->count > 1 && sets > 0) {
    row[BEST].text = c.firsts > 1 ? "several" : b->methods[c.first]->label;
    row[RANK].number = c.mean_rank;
  }
  if (!row[WHY].text) {
    row[W].number = c.w;
    row[P].number = c.p;
    row[EXACT].number = c.exact;
  }
  if (!set) {
    row[COLUMN_DATASET].text = "all";
    row[COLUMN_METRIC].text = "mean rank";
    row[DRAWS].number = NAN;
  }
  return STATUS_OK;
}

/* Adds a data set's ranks to sums [sets][all->count]; sets that it lacks are left out of `all`. */
static status add_ranks(struct block *all, const struct block *b, const struct design *d,
                        bool lower_is_better, struct error *err) {
  size_t *order;
  int64_t *ranks;
  TRY(mem_alloc(&order, b->count, sizeof *order, err));
  status st = mem_alloc(&ranks, b->count, sizeof *ranks, err);
  for (size_t i = 0; st == STATUS_OK && i < d->set_count; i++) {
    all->draws[i] = all->draws[i] < b->draws[i] ? all->draws[i] : b->draws[i];
    rank_doubled(b->scores + i * b->count, b->count, order, ranks);
    for (size_t k = 0; k < b->count; k++) {
      int64_t rank = lower_is_better ? ranks[k] : 2 * (int64_t)b->count + 2 - ranks[k];
      all->scores[i * b->count + k] += (double)rank;
    }
  }
  free(ranks);
  free(order);
  return st;
}

/* Every data set of a block, and a row over those on which all its methods have results. */
static status add_block(const struct design *d, struct sheet *s, size_t lead, struct block *b,
                        struct block *all, struct error *err) {
  size_t used = 0;
  for (size_t i = 0; i < d->set_count; i++) {
    all->draws[i] = SIZE_MAX;
  }
  for (size_t set = 0; set < d->dataset_count; set++) {
    const struct design_dataset *of = &d->datasets[set];
    find_methods(b, d, set, lead);
    score(b, d, set);
    if (b->count == b->planned && b->count > 1) {
      TRY(add_ranks(all, b, d, of->lower_is_better, err));
      all->count = all->planned = b->count;
      for (size_t k = 0; k < b->count; k++) {
        all->methods[k] = b->methods[k];
      }
      used++;
    }
    TRY(b->planned ? add_row(d, s, b, lead, of, err) : STATUS_OK);
  }
  return used > 1 ? add_row(d, s, all, lead, NULL, err) : STATUS_OK;
}

static bool is_lead(const struct design *d, size_t group) {
  for (size_t i = 0; i < group; i++) {
    if (d->groups[i].calibrated && design_comparable(&d->groups[i], &d->groups[group])) {
      return false;
    }
  }
  return d->groups[group].calibrated;
}

status sensitivity_ranks(const struct design *d, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "ranks",
                      .title = "Do calibration sets agree on the order of methods? (Kendall's W)",
                      .columns = columns,
                      .column_count = COLUMNS};
  for (size_t g = 0; g < d->group_count; g++) {
    struct block b, all = {.count = 0};
    if (!is_lead(d, g)) {
      continue;
    }
    status st = block_alloc(&b, d, err);
    if (st == STATUS_OK) {
      st = block_alloc(&all, d, err);
    }
    if (st == STATUS_OK) {
      st = add_block(d, s, g, &b, &all, err);
    }
    block_free(&b);
    block_free(&all);
    TRY(st);
  }
  if (s->rows == 0) {
    return str_addf(&s->notes, err, "no method with calibration\n");
  }
  TRY(design_holm(s, P, HOLM, err));
  return str_addf(&s->notes, err,
                  "W: 1 when every set ranks the methods alike, near 1 / sets by chance; a set's "
                  "score of a method is its mean over the draws that all methods have there; sets "
                  "without such a draw and methods without calibration are left out; all: sets "
                  "rank methods by their mean rank over data sets\n"
                  "p: of a W as large when sets rank at random, from all orders or from %d random "
                  "ones (seed %u); p Holm: corrected over all rows\n",
                  CONCORDANCE_PERMUTATIONS, d->seed);
}
