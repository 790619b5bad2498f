/* The reference layers: weights, activations and what the authors' code made of them, by name.
 * index.json lists cases and arrays; a pruned array's name says how to prune:
 *   magnitude_50layer  wanda_50row  ria_50row  ria_50layer  sparsegpt_50  <method>_2of4
 * so "row" and "layer" are RIA's parameter `scope` (per_outneuron=True is "row"; the repository's
 * default is "layer") and what the other two do anyway. Other names (variants, reallocation, other
 * methods, float64 yardsticks) are passed over. */
#ifndef ESPALIER_TESTS_PRUNE_LAYERS_H
#define ESPALIER_TESTS_PRUNE_LAYERS_H

#include <cjson/cJSON.h>

#include "base/file.h"
#include "prune/hessian.h"
#include "prune/method.h"
#include "support.h"

struct layers {
  char folder[1024];
  cJSON *index;
};

/* One pruned array, understood. */
struct layer_wish {
  const struct method *method;
  struct params params;
  struct sparsity sparsity;
};

static inline bool layers_file(const struct layers *l, const char *name, char **bytes,
                               size_t *size) {
  char *path;
  if (path_join(&path, l->folder, name, NULL) != STATUS_OK) {
    return false;
  }
  status st = file_read(bytes, size, path, NULL);
  free(path);
  return st == STATUS_OK;
}

/* False when the reference data is absent. */
static inline bool layers_open(struct layers *l) {
  char folder[900], *text;
  size_t size;
  if (!support_folder("reference", folder, sizeof folder)) {
    return false;
  }
  (void)snprintf(l->folder, sizeof l->folder, "%s/layers", folder);
  if (!layers_file(l, "index.json", &text, &size)) {
    return false;
  }
  l->index = cJSON_Parse(text);
  free(text);
  return l->index != NULL;
}

static inline void layers_close(struct layers *l) {
  cJSON_Delete(l->index);
}

static inline int layers_number(const cJSON *c, const char *key) {
  const cJSON *n = cJSON_GetObjectItemCaseSensitive(c, key);
  return n ? n->valueint : 0;
}

static inline const cJSON *layers_array(const cJSON *c, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(c, "arrays"), name);
}

/* A float32 array; the caller frees it. NULL when it is absent or has another size. */
static inline float *layers_read(const struct layers *l, const cJSON *c, const char *name,
                                 size_t count) {
  const cJSON *file = cJSON_GetObjectItemCaseSensitive(layers_array(c, name), "file");
  char *bytes;
  size_t size;
  if (!cJSON_IsString(file) || !layers_file(l, file->valuestring, &bytes, &size)) {
    return NULL;
  }
  if (size != count * sizeof(float)) {
    free(bytes);
    return NULL;
  }
  return (float *)(void *)bytes;
}

/* Reads an array's name; false for those that this program has no method for. */
static inline bool layers_understand(const char *name, struct layer_wish *out) {
  const char *rest = strchr(name, '_');
  char method[32], end = 0;
  if (!rest || (size_t)(rest - name) >= sizeof method) {
    return false;
  }
  (void)snprintf(method, sizeof method, "%.*s", (int)(rest - name), name);
  out->method = method_find(method);
  if (!out->method) {
    return false;
  }
  out->params = method_defaults(out->method);
  int n, m, percent;
  char scope[16] = "";
  if (sscanf(rest, "_%dof%d%c", &n, &m, &end) == 2) {
    out->sparsity = (struct sparsity){.n = n, .m = m};
    return true;
  }
  int got = sscanf(rest, "_%d%15s", &percent, scope);
  bool plain = got == 1, known = got == 2 && (!strcmp(scope, "row") || !strcmp(scope, "layer"));
  if (!plain && !known) {
    return false;
  }
  out->sparsity = (struct sparsity){.ratio = percent / 100.0};
  if (known && method_param_index(out->method, "scope") >= 0) {
    return method_param_set(out->method, &out->params, "scope", scope, NULL) == STATUS_OK;
  }
  return true;
}

/* Statistics of a case's activations, fed in samples as the reference was. */
static inline status layers_stats(const struct layers *l, const cJSON *c, struct stats *out,
                                  struct error *err) {
  int samples = layers_number(c, "samples"), tokens = layers_number(c, "tokens_per_sample");
  int cols = layers_number(c, "cols");
  size_t each = (size_t)tokens * (size_t)cols;
  float *x = layers_read(l, c, "X", (size_t)samples * each);
  if (!x) {
    return err_set(err, STATUS_INPUT, "no activations");
  }
  status st = stats_create(out, cols, STATS_SQUARES | STATS_SUMS | STATS_GRAM, err);
  for (int i = 0; st == STATUS_OK && i < samples; i++) {
    st = stats_add(out, x + (size_t)i * each, tokens, 1, err);
  }
  free(x);
  const struct group alone = group_single();
  return st == STATUS_OK ? stats_reduce(out, &alone, err) : st;
}

/* The case's weights, pruned as wished; the caller frees *out. */
static inline status layers_prune(const struct layers *l, const cJSON *c,
                                  const struct layer_wish *wish, enum factor_where where,
                                  const struct group *group, float **out, struct error *err) {
  int rows = layers_number(c, "rows"), cols = layers_number(c, "cols");
  float *w = layers_read(l, c, "W", (size_t)rows * (size_t)cols), *h = NULL;
  struct stats stats = {0};
  status st = w ? layers_stats(l, c, &stats, err) : err_set(err, STATUS_INPUT, "no weights");
  if (st == STATUS_OK && wish->method->needs_factor) {
    double damp = wish->params.value[method_param_index(wish->method, "damp")], used;
    h = malloc((size_t)cols * (size_t)cols * sizeof *h);
    hessian_fill(&stats, h);
    st = factor_inverse_upper(h, cols, damp, where, group, &used, err);
  }
  if (st == STATUS_OK) {
    struct prune_task task = {.weights = w,
                              .rows = rows,
                              .cols = cols,
                              .stats = &stats,
                              .factor = h,
                              .sparsity = wish->sparsity,
                              .params = &wish->params};
    st = method_prune(wish->method, &task, err);
  }
  free(h);
  stats_free(&stats);
  *out = w;
  return st;
}

/* Compares with the array `name`: how many weights are zero on one side only, and the largest
 * difference over the largest weight. False when the array cannot be read. */
static inline bool layers_compare(const struct layers *l, const cJSON *c, const char *name,
                                  const float *got, size_t *other_mask, double *difference) {
  size_t n = (size_t)layers_number(c, "rows") * (size_t)layers_number(c, "cols");
  float *want = layers_read(l, c, name, n);
  double largest = 0, apart = 0;
  *other_mask = 0;
  for (size_t i = 0; want && i < n; i++) {
    double w = want[i], d = w - (double)got[i];
    *other_mask += (want[i] == 0) != (got[i] == 0);
    largest = largest < (w < 0 ? -w : w) ? (w < 0 ? -w : w) : largest;
    apart = apart < (d < 0 ? -d : d) ? (d < 0 ? -d : d) : apart;
  }
  *difference = largest > 0 ? apart / largest : apart;
  free(want);
  return want != NULL;
}

#endif
