#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/results_parts.h"

enum { RANK_MOST = 3 };

/* An open data set of /items/<dataset> and its extents. */
struct part {
  hid_t set;
  hsize_t dims[RANK_MOST]; /* 1 behind its rank */
};

static void close_part(struct part *p) {
  if (p->set >= 0) {
    (void)H5Dclose(p->set);
  }
}

/* Extents are checked against the file's size before they become an allocation. */
static status open_part(struct part *p, const struct h5 *h, const char *group, const char *name,
                        int rank, struct error *err) {
  char *place;
  TRY(str_format(&place, err, "%s/%s", group, name));
  *p = (struct part){.set = H5Dopen2(h->file, place, H5P_DEFAULT), .dims = {1, 1, 1}};
  hid_t space = p->set < 0 ? -1 : H5Dget_space(p->set);
  hsize_t bytes = 0, product = 1;
  status st = STATUS_OK;
  if (space < 0 || H5Sget_simple_extent_ndims(space) != rank ||
      H5Sget_simple_extent_dims(space, p->dims, NULL) < 0 || H5Fget_filesize(h->file, &bytes) < 0) {
    st = err_at(err, STATUS_INPUT, h->path, 0, "%s is not as espalier writes it", place);
  }
  for (int i = 0; st == STATUS_OK && i < rank; i++) {
    if (p->dims[i] && product > bytes / p->dims[i]) {
      st =
          err_at(err, STATUS_INPUT, h->path, 0, "%s claims more values than the file holds", place);
    }
    product *= p->dims[i];
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  free(place);
  return st;
}

/* Row v of a data set [variants][items]([choices]). */
static status read_row(const struct h5 *h, const struct part *p, int rank, hid_t memory, size_t v,
                       void *to, struct error *err) {
  hsize_t start[RANK_MOST] = {v, 0, 0}, count[RANK_MOST] = {1, p->dims[1], p->dims[2]};
  hid_t there = H5Dget_space(p->set), here = H5Screate_simple(rank, count, NULL);
  status st = STATUS_OK;
  if (there < 0 || here < 0 ||
      H5Sselect_hyperslab(there, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
      H5Dread(p->set, memory, here, there, H5P_DEFAULT, to) < 0) {
    st = h5_fail(h, "per-item results", err);
  }
  if (here >= 0) {
    (void)H5Sclose(here);
  }
  if (there >= 0) {
    (void)H5Sclose(there);
  }
  return st;
}

/* Row of each wanted variant, SIZE_MAX where it has none. */
static status find_rows(const struct h5 *h, const char *group, const char *const *ids, size_t count,
                        size_t *rows, size_t *row_count, struct error *err) {
  enum { WIDTH = DIGEST_TEXT - 1 };
  struct part p = {.set = -1};
  char *text = NULL;
  hid_t type = -1;
  status st;
  TRY_GOTO(st, end, open_part(&p, h, group, "variants", 1, err));
  TRY_GOTO(st, end, mem_alloc(&text, p.dims[0], WIDTH, err));
  TRY_GOTO(st, end, h5_text_type(h, WIDTH, H5T_STR_NULLPAD, &type, err));
  if (p.dims[0] && H5Dread(p.set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
    st = h5_fail(h, group, err);
    goto end;
  }
  for (size_t i = 0; i < count; i++) {
    rows[i] = SIZE_MAX;
    for (size_t k = 0; k < p.dims[0] && rows[i] == SIZE_MAX; k++) {
      rows[i] = strncmp(text + k * WIDTH, ids[i], WIDTH) == 0 ? k : SIZE_MAX;
    }
  }
  *row_count = p.dims[0];
end:
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  free(text);
  close_part(&p);
  return st;
}

/* A narrower variant's rows end in items without any log-likelihood. */
static int64_t count_items(const struct results_items *r, size_t v) {
  const float *rows = r->loglikelihoods + v * (size_t)r->items * (size_t)r->choices;
  int64_t n = r->items;
  while (n > 0 && isnan(rows[(size_t)(n - 1) * (size_t)r->choices])) {
    n--;
  }
  return n;
}

static status agree(const struct h5 *h, const char *group, const struct part *p,
                    const struct results_items *r, size_t rows, struct error *err) {
  if (p->dims[0] != rows || p->dims[1] != (hsize_t)r->items) {
    return err_at(err, STATUS_INPUT, h->path, 0, "%s: its parts differ in shape", group);
  }
  return STATUS_OK;
}

static status read_correct(const struct h5 *h, const char *group, const char *name,
                           const struct results_items *r, const size_t *rows, size_t row_count,
                           int8_t *to, struct error *err) {
  struct part p = {.set = -1};
  status st = open_part(&p, h, group, name, 2, err);
  if (st == STATUS_OK) {
    st = agree(h, group, &p, r, row_count, err);
  }
  for (size_t v = 0; st == STATUS_OK && v < r->variant_count; v++) {
    if (rows[v] != SIZE_MAX) {
      st = read_row(h, &p, 2, H5T_NATIVE_INT8, rows[v], to + v * (size_t)r->items, err);
    }
  }
  close_part(&p);
  return st;
}

static status read_likelihoods(struct results_items *r, const struct h5 *h, const char *group,
                               const size_t *rows, size_t row_count, struct error *err) {
  struct part p = {.set = -1};
  status st = open_part(&p, h, group, "loglikelihoods", 3, err);
  if (st == STATUS_OK) {
    st = agree(h, group, &p, r, row_count, err);
  }
  if (st == STATUS_OK && (p.dims[2] < 1 || p.dims[2] > INT32_MAX)) {
    st = err_at(err, STATUS_INPUT, h->path, 0, "%s has items without choices", group);
  }
  size_t each = st == STATUS_OK ? (size_t)r->items * p.dims[2] : 0;
  if (st == STATUS_OK) {
    r->choices = (int)p.dims[2];
    st = mem_alloc(&r->loglikelihoods, r->variant_count * each, sizeof(float), err);
  }
  for (size_t v = 0; st == STATUS_OK && v < r->variant_count; v++) {
    if (rows[v] != SIZE_MAX) {
      st = read_row(h, &p, 3, H5T_NATIVE_FLOAT, rows[v], r->loglikelihoods + v * each, err);
      r->there[v] = st == STATUS_OK;
      r->counts[v] = st == STATUS_OK ? count_items(r, v) : 0;
    }
  }
  close_part(&p);
  return st;
}

static status read_group(struct results_items *r, const struct h5 *h, const char *group,
                         const char *const *ids, size_t *rows, struct error *err) {
  size_t row_count = 0;
  TRY(find_rows(h, group, ids, r->variant_count, rows, &row_count, err));
  struct part labels = {.set = -1};
  status st = open_part(&labels, h, group, "labels", 1, err);
  if (st == STATUS_OK) {
    r->items = (int64_t)labels.dims[0];
    st = mem_alloc(&r->gold, labels.dims[0], sizeof *r->gold, err);
  }
  if (st == STATUS_OK && r->items &&
      H5Dread(labels.set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, r->gold) < 0) {
    st = h5_fail(h, group, err);
  }
  close_part(&labels);
  TRY(st);
  TRY(read_likelihoods(r, h, group, rows, row_count, err));
  size_t all = r->variant_count * (size_t)r->items;
  TRY(mem_alloc(&r->correct, all, 1, err));
  TRY(mem_alloc(&r->correct_norm, all, 1, err));
  TRY(read_correct(h, group, "correct", r, rows, row_count, r->correct, err));
  return read_correct(h, group, "correct_norm", r, rows, row_count, r->correct_norm, err);
}

static status read_items(struct results_items *r, const struct h5 *h, const char *dataset,
                         const char *const *ids, struct error *err) {
  char *link, *group = NULL;
  size_t *rows = NULL;
  TRY(h5_link_name(dataset, &link, err));
  status st;
  TRY_GOTO(st, end, mem_alloc(&r->there, r->variant_count, sizeof *r->there, err));
  TRY_GOTO(st, end, mem_alloc(&r->counts, r->variant_count, sizeof *r->counts, err));
  TRY_GOTO(st, end, mem_alloc(&rows, r->variant_count, sizeof *rows, err));
  TRY_GOTO(st, end, str_format(&group, err, "/items/%s", link));
  if (H5Lexists(h->file, "/items", H5P_DEFAULT) > 0 && H5Lexists(h->file, group, H5P_DEFAULT) > 0) {
    TRY_GOTO(st, end, read_group(r, h, group, ids, rows, err));
  }
end:
  free(rows);
  free(group);
  free(link);
  return st;
}

status results_items_read(struct results_items *out, const char *path, const char *dataset,
                          const char *const *ids, size_t variant_count, struct error *err) {
  *out = (struct results_items){.variant_count = variant_count};
  struct h5 h;
  TRY(h5_open(&h, path, err));
  status st = results_bad_input(read_items(out, &h, dataset, ids, err), err);
  h5_close(&h);
  if (st != STATUS_OK) {
    results_items_free(out);
  }
  return st;
}

void results_items_free(struct results_items *r) {
  free(r->there);
  free(r->counts);
  free(r->gold);
  free(r->loglikelihoods);
  free(r->correct);
  free(r->correct_norm);
  *r = (struct results_items){0};
}
