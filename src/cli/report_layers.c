#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/report.h"
#include "store/layers.h"

/* Of the whole file: a variant's list has a value for every block and linear. */
struct shape {
  const char **linears; /* [count] */
  size_t count, cap;
  size_t blocks;
};

enum { BLOCKS_MOST = 100000 };

static size_t linear_index(const struct shape *s, const char *name) {
  size_t i = 0;
  while (i < s->count && strcmp(s->linears[i], name) != 0) {
    i++;
  }
  return i;
}

static status find_shape(struct shape *s, const struct results_layers *l, const char *path,
                         struct error *err) {
  for (size_t i = 0; i < l->count; i++) {
    if (l->at[i].block < 0 || l->at[i].block >= BLOCKS_MOST) {
      return err_at(err, STATUS_INPUT, path, 0, "/layers names block %d", l->at[i].block);
    }
    if ((size_t)l->at[i].block >= s->blocks) {
      s->blocks = (size_t)l->at[i].block + 1;
    }
    if (linear_index(s, l->at[i].linear) == s->count) {
      TRY(mem_reserve(&s->linears, &s->cap, s->count + 1, sizeof(char *), err));
      s->linears[s->count++] = l->at[i].linear;
    }
  }
  return STATUS_OK;
}

/* Rows first..last of one variant, as a list [blocks][linears]; nothing when none has an error. */
static void add_variant(cJSON *variants, cJSON *errors, const struct shape *s,
                        const struct results_layer *rows, size_t count, size_t variant,
                        double *scratch) {
  size_t size = s->blocks * s->count;
  bool any = false;
  for (size_t i = 0; i < size; i++) {
    scratch[i] = NAN;
  }
  for (size_t i = 0; i < count; i++) {
    scratch[(size_t)rows[i].block * s->count + linear_index(s, rows[i].linear)] =
        rows[i].relative_error;
    any |= !isnan(rows[i].relative_error);
  }
  if (!any) {
    return;
  }
  cJSON *list = cJSON_CreateArray();
  for (size_t i = 0; i < size; i++) {
    report_number(list, scratch[i], 4);
  }
  report_integer(variants, (int64_t)variant);
  if (!cJSON_AddItemToArray(errors, list)) {
    cJSON_Delete(list);
  }
}

static status fill(const struct report *r, const struct results_layers *l, const struct shape *s,
                   cJSON *to, struct error *err) {
  cJSON *linears = report_list(to, "linears");
  for (size_t i = 0; i < s->count; i++) {
    report_text(linears, s->linears[i]);
  }
  cJSON *variants = report_list(to, "variant"), *errors = report_list(to, "relative_error");
  double *scratch;
  TRY(mem_alloc(&scratch, s->blocks * s->count, sizeof *scratch, err));
  status st = STATUS_OK;
  size_t v = 0;
  for (size_t i = 0, last; st == STATUS_OK && i < l->count; i = last) {
    last = i + 1;
    while (last < l->count && strcmp(l->at[last].variant, l->at[i].variant) == 0) {
      last++;
    }
    if (report_find(&r->file, l->at[i].variant, &v)) {
      add_variant(variants, errors, s, &l->at[i], last - i, v, scratch);
    } else {
      st = err_at(err, STATUS_INPUT, r->path, 0, "/layers names a variant '%s' that is not there",
                  l->at[i].variant);
    }
  }
  free(scratch);
  return st;
}

status report_layers(const struct report *r, cJSON **out, struct error *err) {
  struct results_layers l;
  struct shape s = {0};
  *out = NULL;
  TRY(layers_read(&l, r->path, err));
  status st = find_shape(&s, &l, r->path, err);
  cJSON *o = cJSON_CreateObject();
  if (st == STATUS_OK) {
    st = fill(r, &l, &s, o, err);
  }
  free((void *)s.linears);
  layers_free(&l);
  if (st == STATUS_OK && cJSON_GetArraySize(cJSON_GetObjectItem(o, "variant"))) {
    *out = o;
  } else {
    cJSON_Delete(o);
  }
  return st;
}
