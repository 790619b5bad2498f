#include "model/layout.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Old files store masks and frequencies beside the weights; they are computed, not trained. */
static bool is_buffer(const struct tensor *t) {
  return str_ends(t->name, "rotary_emb.inv_freq") || str_ends(t->name, "masked_bias") ||
         (t->rank == 4 && (str_ends(t->name, "attn.bias") || str_ends(t->name, "attention.bias")));
}

static enum dtype choose(const struct tensor *t, enum model_dtype dtype) {
  static const enum dtype wanted[] = {
      [MODEL_DTYPE_F32] = DTYPE_F32,
      [MODEL_DTYPE_F16] = DTYPE_F16,
      [MODEL_DTYPE_BF16] = DTYPE_BF16,
  };
  bool keep = dtype == MODEL_DTYPE_SOURCE || !dtype_is_weight(t->dtype) || is_buffer(t);
  return keep ? t->dtype : wanted[dtype];
}

static uint64_t size_at(const struct layout *l, const struct safetensors *source, size_t i) {
  const struct tensor *t = &source->tensors[i];
  return t->dtype == l->dtypes[i] ? t->end - t->begin
                                  : t->elements * (dtype_bits(l->dtypes[i]) / 8);
}

/* Places the tensors whose elements have `bits` bits (0: all), in the source's order. */
static void place(struct layout *l, const struct safetensors *source, unsigned bits) {
  for (size_t i = 0; i < source->count; i++) {
    const struct tensor *t = source->by_offset[i];
    size_t at = (size_t)(t - source->tensors);
    if (bits == 0 || dtype_bits(l->dtypes[at]) == bits) {
      l->begins[at] = l->buffer;
      l->buffer += size_at(l, source, at);
    }
  }
}

static bool edit(cJSON *item, enum dtype dtype, uint64_t begin, uint64_t end) {
  cJSON *at = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
  cJSON *name = cJSON_CreateString(dtype_name(dtype));
  cJSON *first = cJSON_GetArrayItem(at, 0), *second = cJSON_GetArrayItem(at, 1);
  if (!name || !first || !second) {
    cJSON_Delete(name);
    return false;
  }
  (void)cJSON_SetNumberValue(first, (double)begin);
  (void)cJSON_SetNumberValue(second, (double)end);
  return cJSON_ReplaceItemInObjectCaseSensitive(item, "dtype", name);
}

static status print(struct layout *l, const cJSON *root, struct error *err) {
  char *text = cJSON_PrintUnformatted(root);
  status st = text ? str_addf(&l->header, err, "%s", text)
                   : err_set(err, STATUS_MEMORY, "out of memory: a safetensors header");
  cJSON_free(text);
  while (st == STATUS_OK && l->header.count % 8) {
    st = str_add(&l->header, " ", 1, err);
  }
  return st;
}

static status write_header(struct layout *l, const struct safetensors *source, struct error *err) {
  const char *text = (const char *)source->map.at + SAFETENSORS_LENGTH;
  cJSON *root = cJSON_ParseWithLength(text, source->header), *item;
  bool ok = root != NULL;
  size_t i = 0;
  cJSON_ArrayForEach(item, root) {
    if (ok && strcmp(item->string, "__metadata__") != 0) {
      ok = edit(item, l->dtypes[i], l->begins[i], l->begins[i] + size_at(l, source, i));
      i++;
    }
  }
  status st =
      ok ? print(l, root, err) : err_set(err, STATUS_MEMORY, "out of memory: a safetensors header");
  cJSON_Delete(root);
  return st;
}

status layout_make(struct layout *out, const struct safetensors *source, enum model_dtype dtype,
                   struct error *err) {
  *out = (struct layout){0};
  TRY(mem_alloc(&out->dtypes, source->count, sizeof *out->dtypes, err));
  status st = mem_alloc(&out->begins, source->count, sizeof *out->begins, err);
  if (st == STATUS_OK) {
    for (size_t i = 0; i < source->count; i++) {
      out->dtypes[i] = choose(&source->tensors[i], dtype);
    }
    static const unsigned widths[] = {64, 32, 16, 8, 6, 4};
    if (dtype == MODEL_DTYPE_SOURCE) {
      place(out, source, 0);
    } else {
      for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        place(out, source, widths[i]);
      }
    }
    st = write_header(out, source, err);
  }
  if (st != STATUS_OK) {
    layout_free(out);
  }
  return st;
}

void layout_free(struct layout *l) {
  free(l->dtypes);
  free(l->begins);
  str_free(&l->header);
  *l = (struct layout){0};
}
