#include "store/attributes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/results_parts.h"

static bool is_text(const struct h5 *h, const char *name) {
  hid_t at = H5Aopen(h->file, name, H5P_DEFAULT);
  hid_t type = at < 0 ? -1 : H5Aget_type(at);
  bool text = type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0;
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  if (at >= 0) {
    (void)H5Aclose(at);
  }
  return text;
}

/* The i-th attribute's name; the caller frees it. */
static status name_of(const struct h5 *h, size_t i, char **out, struct error *err) {
  ssize_t size = H5Aget_name_by_idx(h->file, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, NULL, 0,
                                    H5P_DEFAULT);
  if (size < 0) {
    return h5_fail(h, "attributes", err);
  }
  TRY(mem_alloc(out, (size_t)size + 1, 1, err));
  if (H5Aget_name_by_idx(h->file, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, *out,
                         (size_t)size + 1, H5P_DEFAULT) < 0) {
    free(*out);
    *out = NULL;
    return h5_fail(h, "attributes", err);
  }
  return STATUS_OK;
}

static status read_all(struct attributes *out, const struct h5 *h, struct error *err) {
  H5O_info_t info;
  if (H5Oget_info2(h->file, &info, H5O_INFO_NUM_ATTRS) < 0) {
    return h5_fail(h, "attributes", err);
  }
  size_t count = (size_t)info.num_attrs;
  TRY(mem_alloc(&out->names, count, sizeof(char *), err));
  TRY(mem_alloc(&out->texts, count, sizeof(char *), err));
  for (size_t i = 0; i < count; i++) {
    char *name = NULL;
    TRY(name_of(h, i, &name, err));
    if (!is_text(h, name)) {
      free(name);
      continue;
    }
    out->names[out->count++] = name;
    TRY(h5_read_attribute(h, name, &out->texts[out->count - 1], err));
  }
  return STATUS_OK;
}

status attributes_read(struct attributes *out, const char *path, struct error *err) {
  *out = (struct attributes){0};
  struct h5 h;
  TRY(h5_open(&h, path, err));
  status st = results_bad_input(read_all(out, &h, err), err);
  h5_close(&h);
  return st;
}

void attributes_free(struct attributes *a) {
  for (size_t i = 0; i < a->count; i++) {
    free(a->names[i]);
    free(a->texts[i]);
  }
  free((void *)a->names);
  free((void *)a->texts);
  *a = (struct attributes){0};
}

const char *attributes_text(const struct attributes *a, const char *name) {
  for (size_t i = 0; i < a->count; i++) {
    if (strcmp(a->names[i], name) == 0) {
      return a->texts[i];
    }
  }
  return NULL;
}
