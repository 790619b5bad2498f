#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/sensitivity.h"
#include "eval/variance.h"

enum {
  METHOD = COLUMN_METHOD,
  SETS,
  N,
  SD_SET,
  SD_DRAW,
  SD_RESIDUAL,
  SD_ITEMS,
  SHARE,
  P,
  HOLM,
  VAR_SET,
  VAR_DRAW,
  VAR_RESIDUAL,
  VAR_ITEMS,
  WHY,
  COLUMNS
};
static const struct sheet_column columns[COLUMNS] = {
    DESIGN_COLUMNS,
    [METHOD] = {"method", SHEET_TEXT, SHEET_ALWAYS},
    [SETS] = {"sets", SHEET_COUNT, SHEET_ALWAYS},
    [N] = {"n", SHEET_COUNT, SHEET_ALWAYS},
    [SD_SET] = {"sd_set", SHEET_SCORE, SHEET_ALWAYS},
    [SD_DRAW] = {"sd_draw", SHEET_SCORE, SHEET_ALWAYS},
    [SD_RESIDUAL] = {"sd_residual", SHEET_SCORE, SHEET_FILLED},
    [SD_ITEMS] = {"sd_items", SHEET_SCORE, SHEET_ALWAYS},
    [SHARE] = {"share_set", SHEET_SHARE, SHEET_ALWAYS},
    [P] = {"p", SHEET_P, SHEET_ALWAYS},
    [HOLM] = {"p_holm", SHEET_P, SHEET_ALWAYS},
    [VAR_SET] = {"var_set", SHEET_SHARE, SHEET_DATA},
    [VAR_DRAW] = {"var_draw", SHEET_SHARE, SHEET_DATA},
    [VAR_RESIDUAL] = {"var_residual", SHEET_SHARE, SHEET_DATA},
    [VAR_ITEMS] = {"var_items", SHEET_SHARE, SHEET_DATA},
    [WHY] = {"why", SHEET_TEXT, SHEET_FILLED},
};

/* The results of a group on one data set, by calibration set and draw. */
struct sample {
  double *values;    /* [count] */
  int *sets, *draws; /* [count] */
  size_t count, planned;
  double items; /* mean squared standard error over the items; NaN without any */
  bool infinite;
};

static void sample_free(struct sample *s) {
  free(s->values);
  free(s->sets);
  free(s->draws);
}

static status sample_take(struct sample *s, const struct design *d, size_t set,
                          const struct design_group *g, struct error *err) {
  *s = (struct sample){.items = 0};
  size_t errors = 0;
  TRY(mem_alloc(&s->values, g->count, sizeof *s->values, err));
  TRY(mem_alloc(&s->sets, g->count, sizeof *s->sets, err));
  TRY(mem_alloc(&s->draws, g->count, sizeof *s->draws, err));
  for (size_t i = 0; i < g->count; i++) {
    size_t at = design_at(d, set, g->at[i]);
    s->planned += d->states[at] != DESIGN_NONE;
    if (isnan(d->values[at])) {
      continue;
    }
    s->values[s->count] = d->values[at];
    s->sets[s->count] = d->set_of[g->at[i]];
    s->draws[s->count++] = d->file->variants[g->at[i]].draw;
    s->infinite |= isinf(d->values[at]);
    if (!isnan(d->errors[at])) {
      s->items += d->errors[at] * d->errors[at];
      errors++;
    }
  }
  s->items = errors ? s->items / (double)errors : NAN;
  return STATUS_OK;
}

static const char *why(const struct sample *s, const struct variance_components *c) {
  if (s->count == 0) {
    return "no results";
  }
  if (s->infinite) {
    return "infinite values have no variance";
  }
  if (s->count == 1) {
    return "one draw";
  }
  if (c->groups == 1) {
    return isnan(c->subgroup) ? "one draw" : "one calibration set";
  }
  return isnan(c->subgroup) ? "one draw per set: set and draw cannot be told apart" : NULL;
}

/* A variance and its root; an estimate below 0 is shown as 0 with a mark. */
static void put(struct sheet_cell *row, int variance, int deviation, double value) {
  row[variance].number = value;
  row[deviation].number = value < 0 ? 0 : sqrt(value);
  row[deviation].mark = value < 0;
}

static void fill(struct sheet_cell *row, const struct sample *s,
                 const struct variance_components *c) {
  put(row, VAR_SET, SD_SET, c->group);
  put(row, VAR_DRAW, SD_DRAW, c->subgroup);
  put(row, VAR_RESIDUAL, SD_RESIDUAL, c->residual);
  put(row, VAR_ITEMS, SD_ITEMS, s->items);
  double set = fmax(c->group, 0), draw = fmax(c->subgroup, 0);
  double all = set + draw + (isnan(c->residual) ? 0 : c->residual);
  row[SHARE].number = isnan(c->group) || !(all > 0) ? NAN : set / all;
}

static status add_row(const struct design *d, struct sheet *s, size_t set,
                      const struct design_group *g, const struct sample *taken, struct error *err) {
  struct sheet_cell *row;
  TRY(sheet_add(s, &row, err));
  design_label(row, &d->datasets[set], g);
  struct variance_components c =
      variance_components(taken->values, taken->sets, taken->draws, taken->count);
  row[SETS].number = (double)c.groups;
  row[N].number = (double)taken->count;
  row[N].of = (double)taken->planned;
  row[WHY].text = why(taken, &c);
  for (int i = SD_SET; i <= SD_ITEMS; i++) {
    row[i].open_ended = d->datasets[set].open_ended;
  }
  if (taken->count == 0 || taken->infinite) {
    return STATUS_OK;
  }
  fill(row, taken, &c);
  return variance_permutation(taken->values, taken->sets, taken->count, d->seed, &row[P].number,
                              err);
}

static status add_notes(const struct design *d, struct sheet *s, bool skipped, struct error *err) {
  TRY(str_addf(&s->notes, err,
               "standard deviations of variance components, value = mean + set + draw within set "
               "(nested random effects, method of moments); 0*: the estimate is below 0; share "
               "set: set / (set + draw)\n"));
  TRY(str_addf(
      &s->notes, err,
      "draw: what changes from draw to draw on the same items, flips of single items with "
      "it; items: the metric's standard error over its items, which all draws share: other "
      "items would move all draws together by about this, so it is no part of set and "
      "draw\n"));
  TRY(str_addf(
      &s->notes, err,
      "p: share of %d relabellings of the draws (seed %u) with as much between sets, itself "
      "counted in; p Holm: corrected over all rows\n",
      VARIANCE_PERMUTATIONS, d->seed));
  return skipped ? str_addf(&s->notes, err,
                            "methods without calibration have one value and are left out\n")
                 : STATUS_OK;
}

status sensitivity_components(const struct design *d, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "components",
                      .title = "Variance components: calibration set, draw, items",
                      .columns = columns,
                      .column_count = COLUMNS};
  bool skipped = false;
  for (size_t set = 0; set < d->dataset_count; set++) {
    for (size_t g = 0; g < d->group_count; g++) {
      struct sample taken;
      if (!d->groups[g].calibrated) {
        skipped = true;
        continue;
      }
      status st = sample_take(&taken, d, set, &d->groups[g], err);
      if (st == STATUS_OK && taken.planned) {
        st = add_row(d, s, set, &d->groups[g], &taken, err);
      }
      sample_free(&taken);
      TRY(st);
    }
  }
  TRY(design_holm(s, P, HOLM, err));
  return add_notes(d, s, skipped, err);
}
