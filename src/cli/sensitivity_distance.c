#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/sensitivity.h"
#include "eval/correlation.h"
#include "store/distances.h"

enum { METHOD = COLUMN_METHOD, KIND, SEQUENCES, N, DRAWS, RHO, LOW, HIGH, WHY, COLUMNS };
static const struct sheet_column columns[COLUMNS] = {
    DESIGN_COLUMNS,
    [METHOD] = {"method", SHEET_TEXT, SHEET_ALWAYS},
    [KIND] = {"distance", SHEET_TEXT, SHEET_ALWAYS},
    [SEQUENCES] = {"sequences", SHEET_COUNT, SHEET_VARIED},
    [N] = {"n", SHEET_COUNT, SHEET_ALWAYS},
    [DRAWS] = {"draws", SHEET_COUNT, SHEET_ALWAYS},
    [RHO] = {"rho", SHEET_SHARE, SHEET_ALWAYS},
    [LOW] = {"low", SHEET_SHARE, SHEET_ALWAYS},
    [HIGH] = {"high", SHEET_SHARE, SHEET_ALWAYS},
    [WHY] = {"why", SHEET_TEXT, SHEET_FILLED},
};

/* What a draw loses on a data set, beside how far it lies from it. */
struct points {
  double *distance, *loss; /* [count] */
  size_t *draw;            /* [count]: from 0 on */
  size_t count, draws;
  size_t *known; /* [variants of the group]: 1 + the draw's number */
};

static void points_free(struct points *p) {
  free(p->distance);
  free(p->loss);
  free(p->draw);
  free(p->known);
}

static status points_alloc(struct points *p, size_t variants, size_t datasets, struct error *err) {
  *p = (struct points){.count = 0};
  TRY(mem_alloc(&p->distance, variants * datasets, sizeof *p->distance, err));
  TRY(mem_alloc(&p->loss, variants * datasets, sizeof *p->loss, err));
  TRY(mem_alloc(&p->draw, variants * datasets, sizeof *p->draw, err));
  return mem_alloc(&p->known, variants, sizeof *p->known, err);
}

/* Of the kind of `like`. Nested sample counts take the first of the same draw's samples, and share
 * its row. */
static bool find_distance(const struct distances *all, const struct results_variant *v,
                          const char *dataset, const struct distance_record *like, double *out) {
  bool found = false;
  for (size_t i = 0; i < all->count; i++) {
    const struct distance_record *r = &all->at[i];
    bool same = r->draw == v->draw && r->length == v->length && r->samples >= v->samples &&
                strcmp(r->kind, like->kind) == 0 && r->sequences == like->sequences &&
                strcmp(r->dataset, dataset) == 0 && strcmp(r->calibration, v->calibration) == 0 &&
                strcmp(r->model, v->model) == 0;
    if (same && (!found || r->samples == v->samples)) {
      *out = r->value;
      found = true;
    }
  }
  return found && !isnan(*out);
}

/* How much worse than the dense model, in the metric's own units. */
static double loss_of(const struct design *d, size_t set, size_t group, size_t variant) {
  double value = design_value(d, set, variant);
  double change = d->drop ? value : value - d->dense[set * d->group_count + group];
  return d->datasets[set].lower_is_better ? change : -change;
}

static void add_points(struct points *p, const struct design *d, const struct distances *all,
                       size_t set, size_t group, const struct distance_record *kind) {
  const struct design_group *g = &d->groups[group];
  for (size_t i = 0; i < g->count; i++) {
    double distance = NAN, loss = loss_of(d, set, group, g->at[i]);
    if (isnan(loss) ||
        !find_distance(all, &d->file->variants[g->at[i]], d->datasets[set].name, kind, &distance)) {
      continue;
    }
    p->known[i] = p->known[i] ? p->known[i] : ++p->draws;
    p->distance[p->count] = distance;
    p->loss[p->count] = loss;
    p->draw[p->count++] = p->known[i] - 1;
  }
}

static const char *why(const struct points *p, double rho, const struct interval *range) {
  if (p->count == 0) {
    return "no draw with both a result and a distance";
  }
  if (p->count < 3) {
    return "fewer than 3 points";
  }
  if (isnan(rho)) {
    return "distance or loss does not vary";
  }
  return p->draws < SPEARMAN_DRAWS_LEAST ? "too few draws for an interval"
         : isnan(range->low)             ? "resamples hardly vary: no interval"
                                         : NULL;
}

static status add_row(const struct design *d, struct sheet *s, const struct points *p,
                      const struct design_dataset *set, size_t group,
                      const struct distance_record *kind, struct error *err) {
  struct sheet_cell *row;
  double rho = NAN;
  struct interval range = {NAN, NAN};
  if (p->count >= 3) {
    TRY(spearman(p->distance, p->loss, p->count, &rho, err));
    TRY(spearman_interval(p->distance, p->loss, p->draw, p->count, p->draws, d->seed, &range, err));
  }
  TRY(sheet_add(s, &row, err));
  design_label(row, set, &d->groups[group]);
  if (!set) {
    row[COLUMN_DATASET].text = "all";
  }
  TRY(sheet_word(s, kind->kind, strlen(kind->kind), &row[KIND].text, err));
  row[SEQUENCES].number = kind->sequences;
  row[N].number = (double)p->count;
  row[DRAWS].number = (double)p->draws;
  row[RHO].number = rho;
  row[LOW].number = range.low;
  row[HIGH].number = range.high;
  row[WHY].text = why(p, rho, &range);
  return STATUS_OK;
}

/* One row: of a data set, or (set == dataset_count) of all whose metric is a share. */
static status correlate(const struct design *d, struct sheet *s, const struct distances *all,
                        size_t set, size_t group, const struct distance_record *kind,
                        struct error *err) {
  struct points p;
  bool pooled = set == d->dataset_count;
  size_t used = 0;
  status st = points_alloc(&p, d->groups[group].count, d->dataset_count, err);
  for (size_t i = pooled ? 0 : set; st == STATUS_OK && i < (pooled ? set : set + 1); i++) {
    if (!pooled || !d->datasets[i].open_ended) {
      size_t before = p.count;
      add_points(&p, d, all, i, group, kind);
      used += p.count > before;
    }
  }
  if (st == STATUS_OK && (!pooled || used > 1)) {
    st = add_row(d, s, &p, pooled ? NULL : &d->datasets[set], group, kind, err);
  }
  points_free(&p);
  return st;
}

static bool is_new(const struct distances *all, size_t i) {
  for (size_t k = 0; k < i; k++) {
    if (strcmp(all->at[k].kind, all->at[i].kind) == 0 &&
        all->at[k].sequences == all->at[i].sequences) {
      return false;
    }
  }
  return true;
}

static status add_kind(const struct design *d, struct sheet *s, const struct distances *all,
                       const struct distance_record *kind, struct error *err) {
  for (size_t g = 0; g < d->group_count; g++) {
    for (size_t set = 0; d->groups[g].calibrated && set <= d->dataset_count; set++) {
      TRY(correlate(d, s, all, set, g, kind, err));
    }
  }
  return STATUS_OK;
}

static status add_kinds(const struct design *d, struct sheet *s, const struct distances *all,
                        struct error *err) {
  if (all->count == 0) {
    return str_addf(&s->notes, err,
                    "the file has no distances between calibration and evaluation data (espalier "
                    "distances adds them)\n");
  }
  for (size_t i = 0; i < all->count; i++) {
    if (is_new(all, i)) {
      TRY(add_kind(d, s, all, &all->at[i], err));
    }
  }
  return str_addf(
      &s->notes, err,
      "rho: Spearman's correlation over draws of the loss (dense - pruned, or pruned - "
      "dense where less is better) with the distance of the draw from the data set; "
      "above 0: nearer is better; all: points of all data sets whose metric is a share, "
      "so what data sets differ in counts too\n"
      "low, high: 95 %% of %d resamples (seed %u) of whole draws, not corrected for "
      "the number of rows\n",
      SPEARMAN_RESAMPLES, d->seed);
}

status sensitivity_distance(const struct design *d, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "distance",
                      .title = "Loss and distance between calibration and evaluation data",
                      .columns = columns,
                      .column_count = COLUMNS};
  struct distances all;
  TRY(distances_read(&all, d->path, err));
  status st = add_kinds(d, s, &all, err);
  distances_free(&all);
  return st;
}
