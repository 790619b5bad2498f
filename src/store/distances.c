#include "store/distances.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/record_parts.h"
#include "store/results_parts.h"

enum { COLUMNS = 9 };
static const struct column columns[COLUMNS] = {
    {"model", COLUMN_TEXT},      {"calibration", COLUMN_TEXT},  {"draw", COLUMN_INTEGER},
    {"samples", COLUMN_INTEGER}, {"length", COLUMN_INTEGER},    {"dataset", COLUMN_TEXT},
    {"kind", COLUMN_TEXT},       {"sequences", COLUMN_INTEGER}, {"value", COLUMN_REAL},
};

static const char *const kinds[DISTANCE_KINDS] = {"ngram", "hidden"};

const char *distance_kind_name(enum distance_kind kind) {
  return kinds[kind];
}

enum distance_kind distance_kind_named(const char *name) {
  int kind = 0;
  while (kind < DISTANCE_KINDS && strcmp(kinds[kind], name) != 0) {
    kind++;
  }
  return (enum distance_kind)kind;
}

static status pack_distance(struct str *s, const struct distance_record *r, struct error *err) {
  TRY(record_pack_head(s, RECORD_DISTANCE, err));
  TRY(pack_text(s, r->id, sizeof r->id, err));
  TRY(pack_text(s, r->model, sizeof r->model, err));
  TRY(pack_text(s, r->calibration, sizeof r->calibration, err));
  TRY(pack_u32(s, (uint32_t)r->draw, err));
  TRY(pack_u32(s, (uint32_t)r->samples, err));
  TRY(pack_u32(s, (uint32_t)r->length, err));
  TRY(pack_text(s, r->dataset, sizeof r->dataset, err));
  TRY(pack_text(s, r->kind, sizeof r->kind, err));
  TRY(pack_u32(s, (uint32_t)r->sequences, err));
  return pack_f64(s, r->value, err);
}

status record_encode_distance(const struct distance_record *r, unsigned char **out, size_t *size,
                              struct error *err) {
  struct str s = {0};
  return record_finish(pack_distance(&s, r, err), &s, out, size);
}

status record_decode_distance(struct distance_record *out, const unsigned char *from, size_t size,
                              struct error *err) {
  struct unpack left;
  struct distance_record r = {0};
  TRY(record_open(&left, from, size, RECORD_DISTANCE, err));
  TRY(unpack_text(&left, r.id, sizeof r.id, err));
  TRY(unpack_text(&left, r.model, sizeof r.model, err));
  TRY(unpack_text(&left, r.calibration, sizeof r.calibration, err));
  TRY(record_i32(&left, &r.draw, err));
  TRY(record_i32(&left, &r.samples, err));
  TRY(record_i32(&left, &r.length, err));
  TRY(unpack_text(&left, r.dataset, sizeof r.dataset, err));
  TRY(unpack_text(&left, r.kind, sizeof r.kind, err));
  TRY(record_i32(&left, &r.sequences, err));
  TRY(unpack_f64(&left, &r.value, err));
  TRY(record_end(&left, err));
  *out = r;
  return STATUS_OK;
}

status results_write_distances(const struct results *r, const struct h5 *h, struct error *err) {
  if (r->distance_count == 0) {
    return STATUS_OK;
  }
  struct rows rows = {.columns = columns, .column_count = COLUMNS};
  status st = STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < r->distance_count; i++) {
    const struct distance_record *d = &r->distances[i];
    st = rows_add(&rows,
                  (union value[]){{.text = d->model},
                                  {.text = d->calibration},
                                  {.integer = d->draw},
                                  {.integer = d->samples},
                                  {.integer = d->length},
                                  {.text = d->dataset},
                                  {.text = d->kind},
                                  {.integer = d->sequences},
                                  {.real = d->value}},
                  err);
  }
  if (st == STATUS_OK) {
    st = rows_write(&rows, h, "/distances", err);
  }
  rows_free(&rows);
  return st;
}

static void copy_text(char *to, size_t size, const char *from) {
  size_t n = strnlen(from, size - 1);
  memcpy(to, from, n);
  to[n] = '\0';
}

static status read_all(struct distances *out, const struct h5 *h, struct error *err) {
  TRY(results_check_schema(h, err));
  if (H5Lexists(h->file, "/distances", H5P_DEFAULT) <= 0) {
    return STATUS_OK;
  }
  struct read_rows r;
  TRY(rows_read(&r, h, "/distances", columns, COLUMNS, err));
  status st = mem_alloc(&out->at, r.count, sizeof *out->at, err);
  out->count = st == STATUS_OK ? r.count : 0;
  for (size_t i = 0; i < out->count; i++) {
    struct distance_record *d = &out->at[i];
    copy_text(d->model, sizeof d->model, read_text(&r, i, 0));
    copy_text(d->calibration, sizeof d->calibration, read_text(&r, i, 1));
    d->draw = (int32_t)read_integer(&r, i, 2);
    d->samples = (int32_t)read_integer(&r, i, 3);
    d->length = (int32_t)read_integer(&r, i, 4);
    copy_text(d->dataset, sizeof d->dataset, read_text(&r, i, 5));
    copy_text(d->kind, sizeof d->kind, read_text(&r, i, 6));
    d->sequences = (int32_t)read_integer(&r, i, 7);
    d->value = read_real(&r, i, 8);
  }
  free(r.at);
  return st;
}

status distances_read(struct distances *out, const char *path, struct error *err) {
  *out = (struct distances){0};
  struct h5 h;
  TRY(h5_open(&h, path, err));
  status st = results_bad_input(read_all(out, &h, err), err);
  h5_close(&h);
  if (st != STATUS_OK) {
    distances_free(out);
  }
  return st;
}

void distances_free(struct distances *d) {
  free(d->at);
  *d = (struct distances){0};
}
