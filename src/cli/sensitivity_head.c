#include "cli/sensitivity.h"

#include <stdio.h>
#include <string.h>

/* The only value of a field, or how many there are: what sheets leave out where it is one. */
static status add_models(const struct design *d, struct str *to, struct error *err) {
  const char *only = d->groups[0].as->model;
  const char *sparsity = d->groups[0].as->sparsity;
  bool models = false, sparsities = false, samples = false;
  const struct results_variant *calibrated = NULL;
  for (size_t i = 0; i < d->group_count; i++) {
    const struct results_variant *v = d->groups[i].as;
    models |= strcmp(v->model, only) != 0;
    sparsities |= strcmp(v->sparsity, sparsity) != 0;
    if (d->groups[i].calibrated) {
      samples |=
          calibrated && (calibrated->samples != v->samples || calibrated->length != v->length);
      calibrated = v;
    }
  }
  TRY(str_addf(to, err, "%s: %s", d->path, models ? "several models" : only));
  TRY(sparsities ? STATUS_OK : str_addf(to, err, ", sparsity %s", sparsity));
  if (samples) {
    return str_addf(to, err, "; each sample count, length and propagation for itself\n");
  }
  return calibrated
             ? str_addf(to, err, ", %d samples of %d tokens%s\n", calibrated->samples,
                        calibrated->length,
                        strcmp(calibrated->propagate, "dense") != 0 ? "" : ", propagate: dense")
             : str_addf(to, err, "\n");
}

static status add_missing(const struct design *d, struct str *to, struct error *err) {
  if (d->variants_failed + d->variants_pending + d->cells_failed + d->cells_pending) {
    TRY(str_addf(
        to, err,
        "missing: %zu of %zu variants failed and %zu are not done; %zu of %zu cells failed "
        "and %zu are not done: espalier status %s\n",
        d->variants_failed, d->variants, d->variants_pending, d->cells_failed, d->cells,
        d->cells_pending, d->path));
  }
  if (d->not_numbers) {
    TRY(str_addf(to, err, "left out: %zu results that are not a number\n", d->not_numbers));
  }
  return d->empty.count
             ? str_addf(to, err, "left out: data sets without such results: %s\n", d->empty.at)
             : STATUS_OK;
}

status sensitivity_head(const struct design *d, struct str *to, struct error *err) {
  TRY(add_models(d, to, err));
  TRY(str_addf(to, err, "data sets: "));
  for (size_t i = 0; i < d->dataset_count; i++) {
    TRY(str_addf(to, err, "%s%s %s", i ? ", " : "", d->datasets[i].name, d->datasets[i].metric));
  }
  TRY(str_addf(to, err, "\ncalibration sets: "));
  for (size_t i = 0; i < d->set_count; i++) {
    TRY(str_addf(to, err, "%s%s", i ? ", " : "", d->sets[i]));
  }
  TRY(str_addf(to, err, d->set_count ? "\n" : "none\n"));
  return add_missing(d, to, err);
}

cJSON *sensitivity_head_json(const struct design *d) {
  cJSON *root = cJSON_CreateObject();
  cJSON_AddStringToObject(root, "file", d->path);
  cJSON_AddNumberToObject(root, "seed", d->seed);
  cJSON_AddBoolToObject(root, "drop", d->drop);
  const struct {
    const char *name;
    size_t count;
  } counts[] = {{"variants", d->variants},
                {"variants_failed", d->variants_failed},
                {"variants_pending", d->variants_pending},
                {"cells", d->cells},
                {"cells_failed", d->cells_failed},
                {"cells_pending", d->cells_pending},
                {"not_numbers", d->not_numbers}};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    cJSON_AddNumberToObject(root, counts[i].name, (double)counts[i].count);
  }
  cJSON *sets = cJSON_AddArrayToObject(root, "calibrations");
  for (size_t i = 0; i < d->set_count; i++) {
    cJSON_AddItemToArray(sets, cJSON_CreateString(d->sets[i]));
  }
  cJSON_AddStringToObject(root, "datasets_without_results", d->empty.count ? d->empty.at : "");
  return root;
}
