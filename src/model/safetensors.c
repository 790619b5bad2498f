#include "model/safetensors.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static status fail(const struct tensor *t, struct error *err, const char *what) {
  return err_at(err, STATUS_INPUT, t->file->path, 0, "tensor %s: %s", t->name, what);
}

/* Offsets and dimensions are read through doubles, exact up to 2^53. */
static bool as_count(const cJSON *item, uint64_t *out) {
  if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 0x1p53) {
    return false;
  }
  *out = (uint64_t)item->valuedouble;
  return (double)*out == item->valuedouble;
}

/* The field of that name when it stands exactly once; parsers disagree on which of two counts. */
static const cJSON *field(const cJSON *item, const char *name) {
  const cJSON *each, *found = NULL;
  int times = 0;
  cJSON_ArrayForEach(each, item) {
    if (strcmp(each->string, name) == 0) {
      found = each;
      times++;
    }
  }
  return times == 1 ? found : NULL;
}

static status read_shape(const cJSON *item, struct tensor *t, struct error *err) {
  const cJSON *shape = field(item, "shape"), *n;
  if (!cJSON_IsArray(shape)) {
    return fail(t, err, "no shape (expected one list of counts)");
  }
  t->elements = 1;
  cJSON_ArrayForEach(n, shape) {
    if (t->rank == TENSOR_RANK) {
      return fail(t, err, "more than 8 dimensions");
    }
    uint64_t *dim = &t->shape[t->rank++];
    if (!as_count(n, dim)) {
      return fail(t, err, "a dimension is not a count");
    }
    if (__builtin_mul_overflow(t->elements, *dim, &t->elements)) {
      return fail(t, err, "the product of its dimensions overflows");
    }
  }
  return STATUS_OK;
}

static status read_offsets(const cJSON *item, struct tensor *t, struct error *err) {
  const cJSON *at = field(item, "data_offsets");
  if (!cJSON_IsArray(at) || cJSON_GetArraySize(at) != 2 || !as_count(at->child, &t->begin) ||
      !as_count(at->child->next, &t->end)) {
    return fail(t, err, "no data_offsets (expected one [begin, end])");
  }
  uint64_t buffer = t->file->map.size - SAFETENSORS_LENGTH - t->file->header;
  if (t->begin > t->end || t->end > buffer) {
    return err_at(err, STATUS_INPUT, t->file->path, 0,
                  "tensor %s: data_offsets [%" PRIu64 ", %" PRIu64
                  "] are out of range (the buffer has %" PRIu64 " bytes)",
                  t->name, t->begin, t->end, buffer);
  }
  uint64_t bits;
  if (__builtin_mul_overflow(t->elements, dtype_bits(t->dtype), &bits)) {
    return fail(t, err, "its size overflows");
  }
  if (bits % 8 != 0 || bits / 8 != t->end - t->begin) {
    char shape[TENSOR_SHAPE_TEXT];
    return err_at(err, STATUS_INPUT, t->file->path, 0,
                  "tensor %s: shape %s of %s takes %" PRIu64 " bytes, data_offsets give %" PRIu64,
                  t->name, tensor_shape_text(t->rank, t->shape, shape, sizeof shape),
                  dtype_name(t->dtype), bits / 8, t->end - t->begin);
  }
  t->at = t->file->map.at + SAFETENSORS_LENGTH + t->file->header + t->begin;
  return STATUS_OK;
}

static status read_tensor(const cJSON *item, struct tensor *t, struct error *err) {
  TRY(mem_dup(&t->name, item->string, strlen(item->string), err));
  if (!cJSON_IsObject(item)) {
    return fail(t, err, "not an object (expected dtype, shape and data_offsets)");
  }
  const cJSON *dtype = field(item, "dtype");
  if (!cJSON_IsString(dtype)) {
    return fail(t, err, "no dtype (expected one)");
  }
  t->dtype = dtype_named(dtype->valuestring);
  if (t->dtype == DTYPE_COUNT) {
    return err_at(err, STATUS_INPUT, t->file->path, 0, "tensor %s: unknown dtype '%s'", t->name,
                  dtype->valuestring);
  }
  TRY(read_shape(item, t, err));
  return read_offsets(item, t, err);
}

static status check_metadata(const struct safetensors *s, const cJSON *item, struct error *err) {
  const cJSON *value = NULL;
  cJSON_ArrayForEach(value, item) {
    if (!cJSON_IsString(value)) {
      break;
    }
  }
  if (!cJSON_IsObject(item) || value) {
    return err_at(err, STATUS_INPUT, s->path, 0, "__metadata__ is not a map of strings");
  }
  return STATUS_OK;
}

static int compare_names(const void *a, const void *b) {
  const struct tensor *const *x = a, *const *y = b;
  return strcmp((*x)->name, (*y)->name);
}

static int compare_offsets(const void *a, const void *b) {
  const struct tensor *const *x = a, *const *y = b;
  if ((*x)->begin != (*y)->begin) {
    return (*x)->begin < (*y)->begin ? -1 : 1;
  }
  /* Empty tensors stand before the one that begins where they do. */
  return ((*x)->end > (*y)->end) - ((*x)->end < (*y)->end);
}

static status check_cover(const struct safetensors *s, struct error *err) {
  uint64_t at = 0;
  for (size_t i = 0; i < s->count; i++) {
    const struct tensor *t = s->by_offset[i];
    if (t->begin < at) {
      return err_at(err, STATUS_INPUT, s->path, 0, "tensor %s overlaps tensor %s", t->name,
                    s->by_offset[i - 1]->name);
    }
    if (t->begin > at) {
      return err_at(err, STATUS_INPUT, s->path, 0, "a hole of %" PRIu64 " bytes before tensor %s",
                    t->begin - at, t->name);
    }
    at = t->end;
  }
  uint64_t buffer = s->map.size - SAFETENSORS_LENGTH - s->header;
  if (at != buffer) {
    return err_at(err, STATUS_INPUT, s->path, 0,
                  "%" PRIu64 " bytes behind the last tensor belong to none", buffer - at);
  }
  return STATUS_OK;
}

static status index_tensors(struct safetensors *s, struct error *err) {
  TRY(mem_alloc(&s->by_name, s->count, sizeof(void *), err));
  TRY(mem_alloc(&s->by_offset, s->count, sizeof(void *), err));
  for (size_t i = 0; i < s->count; i++) {
    s->by_name[i] = s->by_offset[i] = &s->tensors[i];
  }
  qsort(s->by_name, s->count, sizeof(void *), compare_names);
  qsort(s->by_offset, s->count, sizeof(void *), compare_offsets);
  for (size_t i = 1; i < s->count; i++) {
    if (strcmp(s->by_name[i - 1]->name, s->by_name[i]->name) == 0) {
      return fail(s->by_name[i], err, "stands twice in the header");
    }
  }
  return check_cover(s, err);
}

static status read_entries(struct safetensors *s, const cJSON *root, struct error *err) {
  TRY(mem_alloc(&s->tensors, (size_t)cJSON_GetArraySize(root), sizeof *s->tensors, err));
  const cJSON *item;
  bool metadata = false;
  cJSON_ArrayForEach(item, root) {
    if (strcmp(item->string, "__metadata__") == 0) {
      if (metadata) {
        return err_at(err, STATUS_INPUT, s->path, 0, "__metadata__ stands twice in the header");
      }
      metadata = true;
      TRY(check_metadata(s, item, err));
    } else {
      struct tensor *t = &s->tensors[s->count++];
      t->file = s;
      TRY(read_tensor(item, t, err));
    }
  }
  return index_tensors(s, err);
}

static status read_header(struct safetensors *s, struct error *err) {
  if (s->map.size < SAFETENSORS_LENGTH) {
    return err_at(err, STATUS_INPUT, s->path, 0,
                  "%zu bytes are too few for a safetensors file (the header's length takes 8)",
                  s->map.size);
  }
  memcpy(&s->header, s->map.at, sizeof s->header);
  if (s->header > s->map.size - SAFETENSORS_LENGTH) {
    return err_at(err, STATUS_INPUT, s->path, 0,
                  "a header of %" PRIu64 " bytes does not fit into a file of %zu", s->header,
                  s->map.size);
  }
  if (s->header > SAFETENSORS_LONGEST_HEADER) {
    return err_at(err, STATUS_INPUT, s->path, 0,
                  "a header of %" PRIu64 " bytes is longer than the format allows (%d)", s->header,
                  SAFETENSORS_LONGEST_HEADER);
  }
  const char *text = (const char *)s->map.at + SAFETENSORS_LENGTH;
  if (s->header == 0 || text[0] != '{') {
    return err_at(err, STATUS_INPUT, s->path, 0, "the header does not begin with '{'");
  }
  /* cJSON's strings end at a NUL, which would make two names one. */
  if (memchr(text, '\0', s->header) || memmem(text, s->header, "\\u0000", 6)) {
    return err_at(err, STATUS_INPUT, s->path, 0, "the header contains a NUL");
  }
  const char *end = NULL;
  cJSON *root = cJSON_ParseWithLengthOpts(text, s->header, &end, false);
  size_t used = root ? (size_t)(end - text) : 0;
  while (root && used < s->header && strchr(" \t\r\n", text[used])) {
    used++;
  }
  status st = root && used == s->header
                  ? read_entries(s, root, err)
                  : err_at(err, STATUS_INPUT, s->path, 0, "the header is not JSON");
  cJSON_Delete(root);
  return st;
}

status safetensors_open(struct safetensors *out, const char *path, struct error *err) {
  *out = (struct safetensors){0};
  status st;
  TRY_GOTO(st, failed, mem_dup(&out->path, path, strlen(path), err));
  TRY_GOTO(st, failed, map_open(&out->map, path, err));
  TRY_GOTO(st, failed, read_header(out, err));
  return STATUS_OK;
failed:
  safetensors_close(out);
  return st;
}

void safetensors_close(struct safetensors *s) {
  for (size_t i = 0; i < s->count; i++) {
    free(s->tensors[i].name);
  }
  free(s->tensors);
  free((void *)s->by_name);
  free((void *)s->by_offset);
  free(s->path);
  map_close(&s->map);
  *s = (struct safetensors){0};
}

const struct tensor *safetensors_find(const struct safetensors *s, const char *name) {
  size_t low = 0, high = s->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(name, s->by_name[middle]->name);
    if (order == 0) {
      return s->by_name[middle];
    }
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return NULL;
}
