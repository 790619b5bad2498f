#include "store/masks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/results_parts.h"

struct masks {
  struct h5 h;
  bool open;
  struct read_rows variants; /* their ids */
  const char **ids;          /* [count]: those with masks */
  size_t count;
};

static const struct column id_column[] = {{"id", COLUMN_TEXT}};

static status place_of(const char *variant, const char *tensor, char **out, struct error *err) {
  char *link;
  TRY(h5_link_name(tensor, &link, err));
  status st = str_format(out, err, "/masks/%s/%s", variant, link);
  free(link);
  return st;
}

static status find_variants(struct masks *m, struct error *err) {
  TRY(results_check_schema(&m->h, err));
  TRY(rows_read(&m->variants, &m->h, "/variants", id_column, 1, err));
  TRY(mem_alloc(&m->ids, m->variants.count, sizeof *m->ids, err));
  if (H5Lexists(m->h.file, "/masks", H5P_DEFAULT) <= 0) {
    return STATUS_OK;
  }
  for (size_t i = 0; i < m->variants.count; i++) {
    const char *id = read_text(&m->variants, i, 0);
    char *place;
    TRY(str_format(&place, err, "/masks/%s", id));
    if (*id && H5Lexists(m->h.file, place, H5P_DEFAULT) > 0) {
      m->ids[m->count++] = id;
    }
    free(place);
  }
  return STATUS_OK;
}

status masks_open(struct masks **out, const char *path, struct error *err) {
  struct masks *m;
  TRY(mem_alloc(&m, 1, sizeof *m, err));
  status st;
  TRY_GOTO(st, end, h5_open(&m->h, path, err));
  m->open = true;
  TRY_GOTO(st, end, results_bad_input(find_variants(m, err), err));
end:
  if (st != STATUS_OK) {
    masks_close(m);
    return st;
  }
  *out = m;
  return STATUS_OK;
}

void masks_close(struct masks *m) {
  if (!m) {
    return;
  }
  if (m->open) {
    h5_close(&m->h);
  }
  free(m->variants.at);
  free(m->ids);
  free(m);
}

size_t masks_variant_count(const struct masks *m) {
  return m->count;
}

const char *masks_variant(const struct masks *m, size_t index) {
  return m->ids[index];
}

bool masks_has(const struct masks *m, const char *variant) {
  for (size_t i = 0; i < m->count; i++) {
    if (strcmp(m->ids[i], variant) == 0) {
      return true;
    }
  }
  return false;
}

/* The number of weights in a row is an attribute: its bytes say it only up to the next eight. */
static status read_cols(const struct masks *m, hid_t set, const char *place, int *out,
                        struct error *err) {
  hid_t at = H5Aexists(set, "cols") > 0 ? H5Aopen(set, "cols", H5P_DEFAULT) : -1;
  if (at < 0) {
    return err_at(err, STATUS_INPUT, m->h.path, 0, "%s has no attribute 'cols'", place);
  }
  status st = H5Aread(at, H5T_NATIVE_INT, out) < 0 ? h5_fail(&m->h, place, err) : STATUS_OK;
  (void)H5Aclose(at);
  return st;
}

/* The shape of an open data set, checked: bytes [rows][mask_row_bytes(cols)]. */
static status read_shape(const struct masks *m, hid_t set, const char *place, int *rows, int *cols,
                         struct error *err) {
  TRY(read_cols(m, set, place, cols, err));
  hsize_t dims[2] = {0, 0};
  hid_t space = H5Dget_space(set);
  bool flat = space >= 0 && H5Sget_simple_extent_ndims(space) == 2 &&
              H5Sget_simple_extent_dims(space, dims, NULL) == 2;
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (!flat || *cols < 1 || dims[0] < 1 || dims[0] > INT32_MAX ||
      dims[1] != mask_row_bytes(*cols)) {
    return err_at(err, STATUS_INPUT, m->h.path, 0, "%s is no mask (bytes [rows][cols / 8])", place);
  }
  *rows = (int)dims[0];
  return STATUS_OK;
}

static status open_tensor(const struct masks *m, const char *variant, const char *tensor,
                          hid_t *out, int *rows, int *cols, struct error *err) {
  char *place;
  TRY(place_of(variant, tensor, &place, err));
  status st = STATUS_OK;
  hid_t set = masks_has(m, variant) && H5Lexists(m->h.file, place, H5P_DEFAULT) > 0
                  ? H5Dopen2(m->h.file, place, H5P_DEFAULT)
                  : -1;
  if (set < 0) {
    st = err_at(err, STATUS_INPUT, m->h.path, 0, "has no mask %s", place);
  } else {
    st = read_shape(m, set, place, rows, cols, err);
  }
  free(place);
  if (st != STATUS_OK && set >= 0) {
    (void)H5Dclose(set);
  }
  *out = set;
  return st;
}

struct listing {
  struct mask_tensors *to;
  size_t cap;
  struct error *err;
  status st;
};

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *info, void *user) {
  (void)group;
  (void)info;
  struct listing *l = user;
  l->st = mem_reserve(&l->to->at, &l->cap, l->to->count + 1, sizeof *l->to->at, l->err);
  if (l->st == STATUS_OK) {
    struct mask_tensor *t = &l->to->at[l->to->count];
    *t = (struct mask_tensor){0};
    l->st = mem_dup(&t->name, name, strlen(name), l->err);
  }
  l->to->count += l->st == STATUS_OK;
  return l->st == STATUS_OK ? 0 : -1;
}

/* Numbers inside names by their value: block 2 before block 10. */
static int by_block(const void *a, const void *b) {
  return strverscmp(((const struct mask_tensor *)a)->name, ((const struct mask_tensor *)b)->name);
}

static status list(const struct masks *m, const char *variant, struct mask_tensors *out,
                   struct error *err) {
  char *place;
  TRY(str_format(&place, err, "/masks/%s", variant));
  struct listing l = {.to = out, .err = err};
  herr_t code = H5Literate_by_name(m->h.file, place, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, add_name,
                                   &l, H5P_DEFAULT);
  status st = l.st != STATUS_OK ? l.st : code < 0 ? h5_fail(&m->h, place, err) : STATUS_OK;
  free(place);
  TRY(st);
  if (out->count) {
    qsort(out->at, out->count, sizeof *out->at, by_block);
  }
  for (size_t i = 0; i < out->count; i++) {
    struct mask_tensor *t = &out->at[i];
    hid_t set;
    TRY(open_tensor(m, variant, t->name, &set, &t->rows, &t->cols, err));
    (void)H5Dclose(set);
  }
  return STATUS_OK;
}

status masks_tensors(const struct masks *m, const char *variant, struct mask_tensors *out,
                     struct error *err) {
  *out = (struct mask_tensors){0};
  if (!masks_has(m, variant)) {
    return err_at(err, STATUS_INPUT, m->h.path, 0, "variant %s has no masks", variant);
  }
  status st = results_bad_input(list(m, variant, out, err), err);
  if (st != STATUS_OK) {
    mask_tensors_free(out);
  }
  return st;
}

void mask_tensors_free(struct mask_tensors *t) {
  for (size_t i = 0; i < t->count; i++) {
    free(t->at[i].name);
  }
  free(t->at);
  *t = (struct mask_tensors){0};
}

status masks_read(const struct masks *m, const char *variant, const struct mask_tensor *t,
                  unsigned char *out, struct error *err) {
  hid_t set;
  int rows, cols;
  TRY(open_tensor(m, variant, t->name, &set, &rows, &cols, err));
  status st = STATUS_OK;
  if (rows != t->rows || cols != t->cols) {
    st = err_at(err, STATUS_INPUT, m->h.path, 0,
                "/masks/%s/%s is %d x %d weights (expected %d x %d)", variant, t->name, rows, cols,
                t->rows, t->cols);
  } else if (H5Dread(set, H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0) {
    st = results_bad_input(h5_fail(&m->h, t->name, err), err);
  }
  (void)H5Dclose(set);
  return st;
}
