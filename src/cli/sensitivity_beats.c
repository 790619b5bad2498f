#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/sensitivity.h"
#include "eval/agreement.h"

enum { A = COLUMN_METHOD, B, PAIRS, WINS, TIES, LOSSES, BEATS, CHANGE, P, HOLM, WHY, COLUMNS };
static const struct sheet_column columns[COLUMNS] = {
    DESIGN_COLUMNS,
    [A] = {"A", SHEET_TEXT, SHEET_ALWAYS},
    [B] = {"B", SHEET_TEXT, SHEET_ALWAYS},
    [PAIRS] = {"n", SHEET_COUNT, SHEET_ALWAYS},
    [WINS] = {"wins", SHEET_COUNT, SHEET_ALWAYS},
    [TIES] = {"ties", SHEET_COUNT, SHEET_ALWAYS},
    [LOSSES] = {"losses", SHEET_COUNT, SHEET_ALWAYS},
    [BEATS] = {"P_A_beats_B", SHEET_SHARE, SHEET_ALWAYS},
    [CHANGE] = {"difference", SHEET_CHANGE, SHEET_ALWAYS},
    [P] = {"p", SHEET_P, SHEET_ALWAYS},
    [HOLM] = {"p_holm", SHEET_P, SHEET_ALWAYS},
    [WHY] = {"why", SHEET_TEXT, SHEET_FILLED},
};

/* Two groups on one data set. */
struct match {
  const struct design_group *a, *b;
  size_t set;
  double *values[2]; /* [count] */
  size_t count, planned;
};

/* Pairs of the draws that both have; `planned` counts those that either was to have. */
static status pair_up(struct match *m, const struct design *d, struct error *err) {
  const struct design_group *lead = m->a->calibrated ? m->a : m->b,
                            *other = lead == m->a ? m->b : m->a;
  TRY(mem_alloc(&m->values[0], lead->count, sizeof(double), err));
  TRY(mem_alloc(&m->values[1], lead->count, sizeof(double), err));
  for (size_t i = 0; i < lead->count; i++) {
    size_t mine = lead->at[i], its;
    m->planned += d->states[design_at(d, m->set, mine)] != DESIGN_NONE;
    double value = design_value(d, m->set, mine);
    if (!isnan(value) &&
        design_find(d, other, m->set, d->set_of[mine], d->file->variants[mine].draw, &its)) {
      m->values[lead != m->a][m->count] = value;
      m->values[lead == m->a][m->count++] = design_value(d, m->set, its);
    }
  }
  size_t others = 0;
  for (size_t i = 0; other->calibrated && i < other->count; i++) {
    others += d->states[design_at(d, m->set, other->at[i])] != DESIGN_NONE;
  }
  m->planned = others > m->planned ? others : m->planned;
  return STATUS_OK;
}

static status add_row(const struct design *d, struct sheet *s, const struct match *m,
                      struct error *err) {
  struct sheet_cell *row;
  const struct design_dataset *set = &d->datasets[m->set];
  TRY(sheet_add(s, &row, err));
  design_label(row, set, m->a->calibrated ? m->a : m->b);
  row[A].text = m->a->label;
  row[B].text = m->b->label;
  struct paired_wins w = paired_wins(m->values[0], m->values[1], m->count, set->lower_is_better);
  row[PAIRS].number = (double)w.pairs;
  row[PAIRS].of = (double)m->planned;
  row[WINS].number = (double)w.wins;
  row[TIES].number = (double)w.ties;
  row[LOSSES].number = (double)w.losses;
  row[CHANGE].number = w.difference;
  row[CHANGE].open_ended = set->open_ended;
  if (m->count > 1) {
    row[BEATS].number = w.beats;
    row[P].number = w.p;
  } else {
    row[WHY].text = m->count ? "one pair says nothing of draws" : "no draw that both have";
  }
  return STATUS_OK;
}

static status add_match(const struct design *d, struct sheet *s, size_t set, size_t a, size_t b,
                        struct error *err) {
  struct match m = {.a = &d->groups[a], .b = &d->groups[b], .set = set};
  status st = pair_up(&m, d, err);
  if (st == STATUS_OK && m.planned) {
    st = add_row(d, s, &m, err);
  }
  free(m.values[0]);
  free(m.values[1]);
  return st;
}

status sensitivity_beats(const struct design *d, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "beats",
                      .title = "How often a method beats another, over paired draws",
                      .columns = columns,
                      .column_count = COLUMNS};
  for (size_t set = 0; set < d->dataset_count; set++) {
    for (size_t a = 0; a < d->group_count; a++) {
      for (size_t b = a + 1; b < d->group_count; b++) {
        if (design_comparable(&d->groups[a], &d->groups[b])) {
          TRY(add_match(d, s, set, a, b, err));
        }
      }
    }
  }
  if (s->rows == 0) {
    return str_addf(&s->notes, err, "one method at each sparsity: nothing to compare\n");
  }
  TRY(design_holm(s, P, HOLM, err));
  return str_addf(
      &s->notes, err,
      "P: share of pairs that A wins, ties counting half; difference: mean of A - B; n: "
      "pairs of equal calibration set and draw (of those planned); a method without "
      "calibration stands against every draw\n"
      "p: exact two-sided sign test of wins against losses, pairs taken as independent "
      "(draws of one set share what the set does: p is then too small); p Holm: "
      "corrected over all rows\n");
}
