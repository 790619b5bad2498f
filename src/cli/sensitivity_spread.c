#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/sensitivity.h"
#include "eval/variance.h"

enum { SET = COLUMN_OWN, N, PLANNED, FAILED, MEAN, SD, MIN, MAX, DENSE, CHANGE, COLUMNS };
static const struct sheet_column columns[COLUMNS] = {
    DESIGN_COLUMNS,
    [COLUMN_METHOD] = {"method", SHEET_TEXT, SHEET_ALWAYS},
    [SET] = {"calibration", SHEET_TEXT, SHEET_ALWAYS},
    [N] = {"n", SHEET_COUNT, SHEET_ALWAYS},
    [PLANNED] = {"planned", SHEET_COUNT, SHEET_DATA},
    [FAILED] = {"failed", SHEET_COUNT, SHEET_DATA},
    [MEAN] = {"mean", SHEET_SCORE, SHEET_ALWAYS},
    [SD] = {"sd", SHEET_SCORE, SHEET_ALWAYS},
    [MIN] = {"min", SHEET_SCORE, SHEET_ALWAYS},
    [MAX] = {"max", SHEET_SCORE, SHEET_ALWAYS},
    [DENSE] = {"dense", SHEET_SCORE, SHEET_ALWAYS},
    [CHANGE] = {"difference", SHEET_CHANGE, SHEET_ALWAYS},
};

/* Variants [from, to) of a group on a data set; name says which calibration sets these are. */
static status add_row(const struct design *d, struct sheet *s, size_t set, size_t group,
                      size_t from, size_t to, const char *name, struct error *err) {
  const struct design_group *g = &d->groups[group];
  double *good;
  size_t count = 0, planned = 0, failed = 0;
  TRY(mem_alloc(&good, to - from, sizeof *good, err));
  for (size_t i = from; i < to; i++) {
    size_t at = design_at(d, set, g->at[i]);
    planned += d->states[at] != DESIGN_NONE;
    failed += d->states[at] == DESIGN_FAILED;
    if (!isnan(d->values[at])) {
      good[count++] = d->values[at];
    }
  }
  struct spread spread = variance_spread(good, count);
  free(good);
  if (planned == 0) {
    return STATUS_OK;
  }
  struct sheet_cell *row;
  TRY(sheet_add(s, &row, err));
  design_label(row, &d->datasets[set], g);
  double dense = d->dense[set * d->group_count + group];
  const double numbers[COLUMNS] = {
      [N] = (double)count,
      [PLANNED] = (double)planned,
      [FAILED] = (double)failed,
      [MEAN] = spread.mean,
      [SD] = spread.sd,
      [MIN] = spread.min,
      [MAX] = spread.max,
      [DENSE] = dense,
      [CHANGE] = d->drop ? spread.mean : spread.mean - dense,
  };
  row[SET].text = name;
  for (int i = N; i < COLUMNS; i++) {
    row[i].number = numbers[i];
    row[i].open_ended = d->datasets[set].open_ended;
  }
  row[N].of = (double)planned;
  return STATUS_OK;
}

/* A row for each calibration set, and one over all where there are several. */
static status add_group(const struct design *d, struct sheet *s, size_t set, size_t group,
                        struct error *err) {
  const struct design_group *g = &d->groups[group];
  for (size_t from = 0, to; from < g->count; from = to) {
    for (to = from + 1; to < g->count && d->set_of[g->at[to]] == d->set_of[g->at[from]];) {
      to++;
    }
    const char *name = g->calibrated ? d->sets[d->set_of[g->at[from]]] : "-";
    TRY(add_row(d, s, set, group, from, to, name, err));
    if (from > 0 && to == g->count) {
      TRY(add_row(d, s, set, group, 0, to, "all", err));
    }
  }
  return STATUS_OK;
}

status sensitivity_spread(const struct design *d, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "spread",
                      .title = d->drop ? "Spread over draws, of differences to the dense model"
                                       : "Spread over draws",
                      .columns = columns,
                      .column_count = COLUMNS};
  for (size_t set = 0; set < d->dataset_count; set++) {
    for (size_t g = 0; g < d->group_count; g++) {
      TRY(add_group(d, s, set, g, err));
    }
  }
  return str_addf(&s->notes, err,
                  "n: draws with a result (of those planned); sd: n - 1; difference: mean - dense; "
                  "all: over the draws of all sets, each draw counting once, so a set with more "
                  "draws counts more\n");
}
