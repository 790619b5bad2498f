#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/report.h"
#include "store/overlap.h"

/* Means over the pairs of a group, of one tensor. */
struct agreement {
  const char *tensor; /* in the masks' listing of the group's first variant */
  double sum[2];      /* of intersections over unions: different calibration sets, the same one */
  int64_t pairs[2];
};

/* Variants that differ in their calibration set and draw alone. */
struct group {
  const struct results_file *file;
  size_t *variants; /* [count], indices into the file's */
  const char **ids; /* [count] */
  size_t count;
  struct agreement *tensors; /* [tensor_count] */
  size_t tensor_count;
};

static bool alike(const struct report *r, size_t a, size_t b) {
  const struct results_variant *x = &r->file.variants[a], *y = &r->file.variants[b];
  return strcmp(x->model, y->model) == 0 && strcmp(r->methods[a], r->methods[b]) == 0 &&
         strcmp(x->sparsity, y->sparsity) == 0 && x->samples == y->samples &&
         x->length == y->length && strcmp(x->propagate, y->propagate) == 0;
}

static status see_tensor(void *user, const struct mask_tensor *t, size_t i, size_t j,
                         const struct overlap *o, struct error *err) {
  struct group *g = user;
  size_t k = 0;
  while (k < g->tensor_count && strcmp(g->tensors[k].tensor, t->name) != 0) {
    k++;
  }
  if (k == g->tensor_count) {
    return err_set(err, STATUS_INPUT, "masks of unequal tensors: '%s'", t->name);
  }
  const struct results_variant *v = g->file->variants;
  int same = strcmp(v[g->variants[i]].calibration, v[g->variants[j]].calibration) == 0;
  double iou = overlap_iou(o);
  if (!isnan(iou)) {
    g->tensors[k].sum[same] += iou;
    g->tensors[k].pairs[same]++;
  }
  return STATUS_OK;
}

static void add_pairs(const struct group *g, const struct overlap *totals, cJSON *to) {
  cJSON *variants = report_list(to, "variants"), *iou = report_list(to, "iou");
  cJSON *chance = report_list(to, "chance");
  for (size_t i = 0; i < g->count; i++) {
    report_integer(variants, (int64_t)g->variants[i]);
    for (size_t j = i + 1; j < g->count; j++) {
      report_number(iou, overlap_iou(&totals[i * g->count + j]), 4);
      report_number(chance, overlap_chance(&totals[i * g->count + j]), 3);
    }
  }
}

static void add_tensors(const struct group *g, cJSON *to) {
  static const char *const means[] = {"between", "within"};
  static const char *const counts[] = {"between_pairs", "within_pairs"};
  cJSON *names = report_list(to, "tensors");
  for (size_t k = 0; k < g->tensor_count; k++) {
    report_text(names, g->tensors[k].tensor);
  }
  for (int same = 0; same < 2; same++) {
    cJSON *mean = report_list(to, means[same]), *pairs = report_list(to, counts[same]);
    for (size_t k = 0; k < g->tensor_count; k++) {
      int64_t n = g->tensors[k].pairs[same];
      report_number(mean, n ? g->tensors[k].sum[same] / (double)n : NAN, 4);
      report_integer(pairs, n);
    }
  }
}

static status measure(struct group *g, const struct masks *m, const struct mask_tensors *t,
                      cJSON *to, struct error *err) {
  struct overlap *totals;
  TRY(mem_alloc(&g->tensors, t->count, sizeof *g->tensors, err));
  g->tensor_count = t->count;
  for (size_t k = 0; k < t->count; k++) {
    g->tensors[k].tensor = t->at[k].name;
  }
  TRY(mem_alloc(&totals, g->count * g->count, sizeof *totals, err));
  status st = overlap_pairs(m, g->ids, g->count, totals, see_tensor, g, err);
  if (st == STATUS_OK) {
    add_pairs(g, totals, to);
    add_tensors(g, to);
  }
  free(totals);
  return st;
}

static status add_group(struct group *g, const struct masks *m, cJSON *groups, struct error *err) {
  struct mask_tensors t;
  TRY(masks_tensors(m, g->ids[0], &t, err));
  cJSON *to = cJSON_CreateObject();
  status st = measure(g, m, &t, to, err);
  mask_tensors_free(&t);
  free(g->tensors);
  g->tensors = NULL;
  if (st != STATUS_OK || !cJSON_AddItemToArray(groups, to)) {
    cJSON_Delete(to);
  }
  return st;
}

/* Variant v and those behind it that are like it; marks them as seen. */
static void gather(struct group *g, const struct report *r, const struct masks *m, size_t v,
                   bool *seen) {
  g->count = 0;
  for (size_t i = v; i < r->file.variant_count; i++) {
    if (!seen[i] && alike(r, v, i) && masks_has(m, r->file.variants[i].id)) {
      seen[i] = true;
      g->ids[g->count] = r->file.variants[i].id;
      g->variants[g->count++] = i;
    }
  }
}

static status add_groups(const struct report *r, const struct masks *m, cJSON *groups,
                         struct error *err) {
  struct group g = {.file = &r->file};
  bool *seen = NULL;
  size_t count = r->file.variant_count;
  status st;
  TRY_GOTO(st, end, mem_alloc(&seen, count, sizeof *seen, err));
  TRY_GOTO(st, end, mem_alloc(&g.variants, count, sizeof *g.variants, err));
  TRY_GOTO(st, end, mem_alloc(&g.ids, count, sizeof(char *), err));
  for (size_t v = 0; st == STATUS_OK && v < count; v++) {
    if (!seen[v]) {
      gather(&g, r, m, v, seen);
      st = g.count > 1 ? add_group(&g, m, groups, err) : STATUS_OK;
    }
  }
end:
  free(seen);
  free(g.variants);
  free((void *)g.ids);
  return st;
}

status report_overlap(const struct report *r, cJSON **out, struct error *err) {
  struct masks *m;
  *out = NULL;
  TRY(masks_open(&m, r->path, err));
  cJSON *o = cJSON_CreateObject(), *groups = report_list(o, "groups");
  status st = add_groups(r, m, groups, err);
  masks_close(m);
  if (st == STATUS_OK && cJSON_GetArraySize(groups)) {
    *out = o;
  } else {
    cJSON_Delete(o);
  }
  return st;
}
