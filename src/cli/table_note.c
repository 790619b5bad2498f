#include <string.h>

#include "cli/table.h"

/* "draws", "draws and calibration sets": what a spread runs over. */
static status add_over(const struct table *t, struct str *out, struct error *err) {
  static const struct {
    enum table_field field;
    const char *plural;
  } names[] = {{FIELD_DRAW, "draws"},
               {FIELD_CALIBRATION, "calibration sets"},
               {FIELD_SPARSITY, "sparsities"},
               {FIELD_SAMPLES, "sample counts"},
               {FIELD_LENGTH, "sample lengths"},
               {FIELD_PROPAGATE, "ways to propagate"},
               {FIELD_METHOD, "methods"},
               {FIELD_MODEL, "models"}};
  const char *comma = "";
  bool even = true; /* every variant of a spread differs in its draw alone */
  for (size_t i = 1; i < sizeof names / sizeof names[0]; i++) {
    even &= !t->over[names[i].field];
  }
  TRY(str_addf(out, err, even ? "%zu " : "up to %zu variants (", t->most));
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (t->over[names[i].field]) {
      TRY(str_addf(out, err, "%s%s", comma, names[i].plural));
      comma = ", ";
    }
  }
  return even ? STATUS_OK : str_addf(out, err, ")");
}

static status add_items(const struct table_dataset *d, struct str *out, struct error *err) {
  if (d->least == d->most) {
    return str_addf(out, err, "%lld", (long long)d->most);
  }
  return str_addf(out, err, "%lld-%lld", (long long)d->least, (long long)d->most);
}

/* Data sets with the same metric as data set i, which is the first of them. */
static status add_metric(const struct table *t, size_t i, struct str *out, struct error *err) {
  const char *comma = "";
  TRY(str_addf(out, err, "%s for ", t->datasets[i].metric));
  for (size_t k = i; k < t->labels[FIELD_DATASET].count; k++) {
    const struct table_dataset *d = &t->datasets[k];
    if (d->metric && strcmp(d->metric, t->datasets[i].metric) == 0) {
      TRY(str_addf(out, err, "%s%s (", comma, d->name));
      TRY(add_items(d, out, err));
      TRY(str_addf(out, err, ")"));
      comma = ", ";
    }
  }
  return STATUS_OK;
}

static bool is_first_of_metric(const struct table *t, size_t i) {
  for (size_t k = 0; k < i; k++) {
    if (t->datasets[k].metric && strcmp(t->datasets[k].metric, t->datasets[i].metric) == 0) {
      return false;
    }
  }
  return true;
}

static bool has_single(const struct table *t) {
  for (size_t c = 0; c < t->column_count; c++) {
    if (!table_spread_at(t, 0, c)->averaged) {
      return true;
    }
  }
  return false;
}

static status add_kinds(const struct table *t, struct str *out, struct error *err) {
  const char *over = t->most == 1     ? ""
                     : !has_single(t) ? ", draws averaged before"
                                      : ", draws averaged before; a data set alone ± standard "
                                        "deviation (n - 1) over its draws";
  TRY(str_addf(
      out, err,
      "unweighted mean of a kind's data sets ± its standard error over their items%s; data "
      "sets (items): %s\n",
      over, t->members.at));
  if (t->unpaired) {
    TRY(str_addf(out, err,
                 "%zu of the differences have no items in common on record: their errors are as of "
                 "independent samples, usually too large\n",
                 t->unpaired));
  }
  return STATUS_OK;
}

/* What the numbers are, the cells that are missing left out. */
static status add_measure(const struct table *t, struct str *out, struct error *err) {
  if (t->query.drop) {
    TRY(str_addf(out, err, "differences to the dense model, whose own rows are absolute; "));
  }
  if (t->query.by_kind) {
    return add_kinds(t, out, err);
  }
  if (t->most > 1) {
    TRY(str_addf(out, err, "mean ± standard deviation (n - 1) over "));
    TRY(add_over(t, out, err));
    TRY(str_addf(out, err, "; "));
  } else {
    TRY(str_addf(out, err, "one value per cell; "));
  }
  const char *before = "metric (items): ";
  for (size_t i = 0; i < t->labels[FIELD_DATASET].count; i++) {
    if (t->datasets[i].metric && is_first_of_metric(t, i)) {
      TRY(str_addf(out, err, "%s", before));
      TRY(add_metric(t, i, out, err));
      before = ", ";
    }
  }
  return str_addf(out, err, "\n");
}

status table_note(const struct table *t, const char *path, struct str *out, struct error *err) {
  TRY(add_measure(t, out, err));
  if (t->failed || t->pending) {
    TRY(str_addf(out, err, "%zu of these cells failed and %zu are not done: espalier status %s\n",
                 t->failed, t->pending, path));
  }
  return STATUS_OK;
}
