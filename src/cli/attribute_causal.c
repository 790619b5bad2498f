/* Whether the matched units matter: zeroed, beside random ones. */
#include <math.h>

#include "cli/attribute.h"

enum {
  DATASET,
  MODEL,
  ZEROED,
  SETS,
  UNITS,
  ACCURACY,
  CHANGE,
  LOW,
  HIGH,
  GOLD,
  GOLD_LOW,
  GOLD_HIGH,
  COLUMNS
};
static const struct sheet_column columns[COLUMNS] = {
    [DATASET] = {"dataset", SHEET_TEXT, SHEET_ALWAYS},
    [MODEL] = {"model", SHEET_TEXT, SHEET_VARIED},
    [ZEROED] = {"zeroed", SHEET_TEXT, SHEET_ALWAYS},
    [SETS] = {"sets", SHEET_COUNT, SHEET_ALWAYS},
    [UNITS] = {"units", SHEET_COUNT, SHEET_ALWAYS},
    [ACCURACY] = {"accuracy", SHEET_SCORE, SHEET_ALWAYS},
    [CHANGE] = {"change", SHEET_CHANGE, SHEET_ALWAYS},
    [LOW] = {"low", SHEET_CHANGE, SHEET_ALWAYS},
    [HIGH] = {"high", SHEET_CHANGE, SHEET_ALWAYS},
    [GOLD] = {"gold_change", SHEET_CHANGE, SHEET_ALWAYS},
    [GOLD_LOW] = {"gold_low", SHEET_CHANGE, SHEET_ALWAYS},
    [GOLD_HIGH] = {"gold_high", SHEET_CHANGE, SHEET_ALWAYS},
};

static status add_row(struct sheet *s, const struct attribute_base *of, const char *zeroed,
                      const struct attribution_causal *c, size_t sets, struct error *err) {
  struct sheet_cell *row;
  TRY(sheet_add(s, &row, err));
  row[DATASET].text = of->base->dataset;
  row[MODEL].text = of->model;
  row[ZEROED].text = zeroed;
  row[SETS].number = (double)sets;
  row[UNITS].number = c->units;
  row[ACCURACY].number = c->accuracy;
  row[CHANGE].number = c->accuracy_change;
  row[LOW].number = c->accuracy_low;
  row[HIGH].number = c->accuracy_high;
  row[GOLD].number = c->gold_change;
  row[GOLD_LOW].number = c->gold_low;
  row[GOLD_HIGH].number = c->gold_high;
  return STATUS_OK;
}

/* Means over the random sets; low and high are their lowest and highest change. */
static struct attribution_causal over_sets(const struct attribution_base *b, size_t *sets) {
  struct attribution_causal sum = {
      .accuracy_low = NAN, .accuracy_high = NAN, .gold_low = NAN, .gold_high = NAN};
  *sets = 0;
  for (size_t i = 0; i < b->causal_count; i++) {
    const struct attribution_causal *c = &b->causal[i];
    if (c->set == 0) {
      continue;
    }
    ++*sets;
    sum.units = c->units;
    sum.accuracy += c->accuracy;
    sum.accuracy_change += c->accuracy_change;
    sum.gold_change += c->gold_change;
    sum.accuracy_low = fmin(sum.accuracy_low, c->accuracy_change);
    sum.accuracy_high = fmax(sum.accuracy_high, c->accuracy_change);
    sum.gold_low = fmin(sum.gold_low, c->gold_change);
    sum.gold_high = fmax(sum.gold_high, c->gold_change);
  }
  sum.accuracy /= (double)*sets;
  sum.accuracy_change /= (double)*sets;
  sum.gold_change /= (double)*sets;
  return sum;
}

/* Random sets whose fall is at least the matched units'. */
static size_t as_bad(const struct attribution_base *b, const struct attribution_causal *matched) {
  size_t count = 0;
  for (size_t i = 0; i < b->causal_count; i++) {
    count += b->causal[i].set != 0 && b->causal[i].gold_change <= matched->gold_change;
  }
  return count;
}

static status note(struct sheet *s, const struct attribution_base *b,
                   const struct attribution_causal *m, const struct attribution_causal *random,
                   size_t sets, struct error *err) {
  if (isnan(m->gold_change) || sets == 0) {
    return STATUS_OK;
  }
  size_t bad = as_bad(b, m);
  double p = (1 + (double)bad) / (1 + (double)sets);
  bool hurts = m->gold_high < 0;
  const char *verdict =
      hurts && p <= 0.05 ? "the matched units matter, and more than random ones"
      : hurts            ? "the matched units matter, but not shown to matter more than random ones"
      : m->gold_low > 0  ? "without the matched units the answers are more likely"
                         : "not shown to matter";
  return str_addf(&s->notes, err,
                  "%s: zeroing the %d matched units changes the gold answer's log-likelihood by "
                  "%+.3f (%+.3f to %+.3f), random units of the same blocks and mean activation by "
                  "%+.3f on average; %zu of %zu random sets lose as much (p %.3f): %s\n",
                  b->dataset, (int)m->units, m->gold_change, m->gold_low, m->gold_high,
                  random->gold_change, bad, sets, p, verdict);
}

static status add_base(const struct attribute_view *v, struct sheet *s,
                       const struct attribute_base *of, struct error *err) {
  const struct attribution_base *b = of->base;
  const struct attribution_causal *matched = NULL;
  size_t sets;
  struct attribution_causal random = over_sets(b, &sets);
  for (size_t i = 0; i < b->causal_count && !matched; i++) {
    matched = b->causal[i].set == 0 ? &b->causal[i] : NULL;
  }
  if (matched) {
    TRY(add_row(s, of, "matched", matched, 1, err));
  }
  TRY(sets ? add_row(s, of, v->draws ? "random, all" : "random", &random, sets, err) : STATUS_OK);
  for (size_t i = 0; v->draws && i < b->causal_count; i++) {
    TRY(b->causal[i].set ? add_row(s, of, "random", &b->causal[i], 1, err) : STATUS_OK);
  }
  return matched ? note(s, b, matched, &random, sets, err) : STATUS_OK;
}

status attribute_causal(const struct attribute_view *v, struct sheet *s, struct error *err) {
  *s =
      (struct sheet){.name = "causal",
                     .title = "Do the matched units cause the answers? (zeroed in the dense model)",
                     .columns = columns,
                     .column_count = COLUMNS};
  for (size_t i = 0; i < v->base_count; i++) {
    TRY(add_base(v, s, &v->bases[i], err));
  }
  if (s->rows == 0) {
    return str_addf(&s->notes, err, "no causal check in these results\n");
  }
  return str_addf(&s->notes, err,
                  "change, gold change: of accuracy and of the gold answers' mean log-likelihood "
                  "against the dense model; low, high: 95 %% over items; of several sets: their "
                  "mean, lowest and highest\n");
}
