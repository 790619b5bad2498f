#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/results_parts.h"

/* One data set's per-item results: variants that kept them, and the widest shape among them.
 * Perplexity windows may differ between models: what a variant lacks stays NaN or -1. */
struct kept {
  const struct cell_record **cells; /* [count] */
  const char **variants;            /* [count]: ids */
  size_t count;
  int64_t items;
  int32_t choices;
  const struct cell_record *longest;
};

static status find_kept(struct kept *k, const struct results *r, size_t d, struct error *err) {
  TRY(mem_alloc(&k->cells, r->variant_count, sizeof(void *), err));
  TRY(mem_alloc(&k->variants, r->variant_count, sizeof(char *), err));
  for (size_t v = 0; v < r->variant_count; v++) {
    const struct cell_record *c = results_cell_record(r, v, d);
    if (!c || c->failed || c->items <= 0) {
      continue;
    }
    k->variants[k->count] = r->variants[v].id;
    k->cells[k->count++] = c;
    k->longest = c->items > k->items ? c : k->longest;
    k->items = c->items > k->items ? c->items : k->items;
    k->choices = c->choices > k->choices ? c->choices : k->choices;
  }
  return STATUS_OK;
}

/* Writes `from` [items][choices] (or [items] for rank 2) as row v of a data set. */
static status write_row(const struct h5 *h, hid_t set, hid_t memory, int rank, size_t v,
                        const struct cell_record *c, const void *from, struct error *err) {
  hsize_t start[3] = {v, 0, 0}, count[3] = {1, (hsize_t)c->items, (hsize_t)c->choices};
  hid_t there = H5Dget_space(set), here = H5Screate_simple(rank, count, NULL);
  status st = STATUS_OK;
  if (there < 0 || here < 0 ||
      H5Sselect_hyperslab(there, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
      H5Dwrite(set, memory, here, there, H5P_DEFAULT, from) < 0) {
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

static const void *likelihoods_of(const struct cell_record *c) {
  return c->loglikelihoods;
}
static const void *correct_of(const struct cell_record *c) {
  return c->correct;
}
static const void *correct_norm_of(const struct cell_record *c) {
  return c->correct_norm;
}

/* One data set [variants][items] (rank 2) or [variants][items][choices] (rank 3) of a group. */
static status write_kept(const struct kept *k, const struct h5 *h, const char *group,
                         const char *name, int rank, hid_t type, hid_t memory, const void *fill,
                         const void *(*part)(const struct cell_record *c), struct error *err) {
  char *place;
  TRY(str_format(&place, err, "%s/%s", group, name));
  hsize_t dims[3] = {k->count, (hsize_t)k->items, (hsize_t)k->choices};
  hid_t set = -1;
  status st = h5_dataset(h, place, type, memory, rank, dims, fill, &set, err);
  for (size_t v = 0; st == STATUS_OK && v < k->count; v++) {
    st = write_row(h, set, memory, rank, v, k->cells[v], part(k->cells[v]), err);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  free(place);
  return st;
}

static status write_ids(const struct kept *k, const struct h5 *h, const char *group,
                        struct error *err) {
  enum { WIDTH = DIGEST_TEXT - 1 };
  char *place, *packed = NULL;
  TRY(str_format(&place, err, "%s/variants", group));
  hid_t type = -1;
  hsize_t dims[1] = {k->count};
  status st;
  TRY_GOTO(st, end, mem_alloc(&packed, k->count, WIDTH, err));
  for (size_t v = 0; v < k->count; v++) {
    memcpy(packed + v * WIDTH, k->variants[v], strnlen(k->variants[v], WIDTH));
  }
  TRY_GOTO(st, end, h5_text_type(h, WIDTH, H5T_STR_NULLPAD, &type, err));
  TRY_GOTO(st, end, h5_array(h, place, type, type, 1, dims, packed, err));
end:
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  free(packed);
  free(place);
  return st;
}

static status write_labels(const struct kept *k, const struct h5 *h, const char *group,
                           struct error *err) {
  char *place;
  TRY(str_format(&place, err, "%s/labels", group));
  hsize_t dims[1] = {(hsize_t)k->items};
  status st = h5_array(h, place, H5T_STD_I32LE, H5T_NATIVE_INT32, 1, dims, k->longest->gold, err);
  free(place);
  return st;
}

static status write_group(const struct kept *k, const struct h5 *h, const char *group,
                          struct error *err) {
  static const float absent = NAN;
  static const int8_t unknown = -1;
  TRY(h5_group(h, group, err));
  TRY(write_labels(k, h, group, err));
  TRY(write_ids(k, h, group, err));
  TRY(write_kept(k, h, group, "loglikelihoods", 3, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, &absent,
                 likelihoods_of, err));
  TRY(write_kept(k, h, group, "correct", 2, H5T_STD_I8LE, H5T_NATIVE_INT8, &unknown, correct_of,
                 err));
  return write_kept(k, h, group, "correct_norm", 2, H5T_STD_I8LE, H5T_NATIVE_INT8, &unknown,
                    correct_norm_of, err);
}

status results_write_items(const struct results *r, const struct h5 *h, struct error *err) {
  TRY(h5_group(h, "/items", err));
  for (size_t d = 0; d < r->dataset_count; d++) {
    struct kept k = {0};
    char *link = NULL, *group = NULL;
    status st;
    TRY_GOTO(st, end, find_kept(&k, r, d, err));
    if (k.count) {
      TRY_GOTO(st, end, h5_link_name(r->datasets[d].name, &link, err));
      TRY_GOTO(st, end, str_format(&group, err, "/items/%s", link));
      TRY_GOTO(st, end, write_group(&k, h, group, err));
    }
  end:
    free(group);
    free(link);
    free(k.cells);
    free(k.variants);
    TRY(st);
  }
  return STATUS_OK;
}
