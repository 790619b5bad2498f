/* Whether NSA's loss goes with the drop in accuracy, beside two plain rivals. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/attribute.h"
#include "eval/correlation.h"

enum {
  SCOPE,
  PREDICTOR,
  RHO,
  LOW,
  HIGH,
  P,
  GIVEN,
  PARTIAL,
  PARTIAL_LOW,
  PARTIAL_HIGH,
  PARTIAL_P,
  POINTS,
  DATASETS,
  DRAWS,
  COLUMNS
};
static const struct sheet_column columns[COLUMNS] = {
    [SCOPE] = {"over", SHEET_TEXT, SHEET_ALWAYS},
    [PREDICTOR] = {"predictor", SHEET_TEXT, SHEET_ALWAYS},
    [RHO] = {"rho", SHEET_SHARE, SHEET_ALWAYS},
    [LOW] = {"low", SHEET_SHARE, SHEET_ALWAYS},
    [HIGH] = {"high", SHEET_SHARE, SHEET_ALWAYS},
    [P] = {"p", SHEET_P, SHEET_ALWAYS},
    [GIVEN] = {"given", SHEET_TEXT, SHEET_ALWAYS},
    [PARTIAL] = {"partial", SHEET_SHARE, SHEET_ALWAYS},
    [PARTIAL_LOW] = {"partial_low", SHEET_SHARE, SHEET_ALWAYS},
    [PARTIAL_HIGH] = {"partial_high", SHEET_SHARE, SHEET_ALWAYS},
    [PARTIAL_P] = {"partial_p", SHEET_P, SHEET_ALWAYS},
    [POINTS] = {"points", SHEET_COUNT, SHEET_DATA},
    [DATASETS] = {"datasets", SHEET_COUNT, SHEET_DATA},
    [DRAWS] = {"draws", SHEET_COUNT, SHEET_DATA},
};

static const char *const predictor_names[LINK_PREDICTORS] = {"NSA loss", "layer output error",
                                                             "perplexity rise"};
static const char *const scope_names[LINK_SCOPES] = {"all points", "within data sets"};

/* Lines that read the same calibration draw; those without calibration are a draw each model. */
static bool same_draw(const struct results_variant *a, const struct results_variant *b) {
  return strcmp(a->model, b->model) == 0 && strcmp(a->calibration, b->calibration) == 0 &&
         a->draw == b->draw;
}

static size_t base_number(const struct attribute_view *v, const struct attribution_base *base) {
  size_t i = 0;
  while (i < v->base_count && v->bases[i].base != base) {
    i++;
  }
  return i;
}

/* Equal drops of different accuracies differ in their last bits: those go. */
static double rounded(double drop) {
  return ldexp(round(ldexp(drop, 40)), -40);
}

static struct link_point point_of(const struct attribute_line *l) {
  const struct attribution_loss *x = l->loss;
  const struct attribution_base *b = l->base;
  return (struct link_point){
      .predictor = {x->loss, x->layer_error, log(x->perplexity / b->perplexity)},
      .drop = rounded(b->accuracy - x->accuracy),
  };
}

/* points [line_count]; their number. */
static size_t fill_points(const struct attribute_view *v, struct link_point *points) {
  size_t count = 0;
  for (size_t i = 0; i < v->line_count; i++) {
    const struct attribute_line *l = &v->lines[i];
    if (!l->base || l->loss->failed) {
      continue;
    }
    points[count] = point_of(l);
    points[count].stratum = base_number(v, l->base);
    size_t k = 0; /* a draw has the number of its first line */
    while (!same_draw(v->lines[k].variant, l->variant)) {
      k++;
    }
    points[count++].draw = k;
  }
  return count;
}

static status add_row(struct sheet *s, const struct link *l, int scope, int predictor,
                      struct error *err) {
  const struct link_estimate *plain = &l->plain[scope][predictor];
  const struct link_estimate *partial = &l->partial[scope][predictor];
  struct sheet_cell *row;
  TRY(sheet_add(s, &row, err));
  row[SCOPE].text = scope_names[scope];
  row[PREDICTOR].text = predictor_names[predictor];
  row[RHO].number = plain->rho;
  row[LOW].number = plain->range.low;
  row[HIGH].number = plain->range.high;
  row[P].number = plain->p;
  row[GIVEN].text = predictor == LINK_NSA ? "both others" : "NSA loss";
  row[PARTIAL].number = partial->rho;
  row[PARTIAL_LOW].number = partial->range.low;
  row[PARTIAL_HIGH].number = partial->range.high;
  row[PARTIAL_P].number = partial->p;
  row[POINTS].number = (double)l->points;
  row[DATASETS].number = (double)l->strata;
  row[DRAWS].number = (double)l->draws;
  return STATUS_OK;
}

static status add_rows(const struct attribute_view *v, struct sheet *s, const struct link *l,
                       struct error *err) {
  for (int scope = 0; scope < LINK_SCOPES; scope++) {
    for (int k = 0; k < LINK_PREDICTORS; k++) {
      TRY(add_row(s, l, scope, k, err));
    }
  }
  TRY(attribute_link_words(v, l, &s->notes, err));
  return str_addf(
      &s->notes, err,
      "rho: Spearman's correlation with the drop in accuracy, within data sets of ranks within "
      "each; partial: the same with what is given held fixed; low, high: 95 %% over resamples of "
      "calibration draws, - with fewer than %d of them; p: two-sided, over %d permutations of the "
      "drops within data sets (seed %u)\n",
      SPEARMAN_DRAWS_LEAST, LINK_PERMUTATIONS, v->seed);
}

status attribute_link(const struct attribute_view *v, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "link",
                      .title = "Does NSA's loss go with the drop in accuracy?",
                      .columns = columns,
                      .column_count = COLUMNS};
  struct link_point *points;
  struct link l;
  TRY(mem_alloc(&points, v->line_count, sizeof *points, err));
  status st = link_measure(&l, points, fill_points(v, points), v->seed, err);
  free(points);
  TRY(st);
  if (l.points < LINK_POINTS_LEAST) {
    return str_addf(&s->notes, err,
                    "%zu point%s (pruned model and data set) with all numbers: too few to "
                    "correlate (expected at least %d)\n",
                    l.points, l.points == 1 ? "" : "s", LINK_POINTS_LEAST);
  }
  return add_rows(v, s, &l, err);
}
