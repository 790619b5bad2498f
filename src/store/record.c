#include "store/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/record_parts.h"

/* Least bytes of an encoded row: what a count is checked against. */
enum { LAYER_BYTES = 4 + 4 + 4 * 8, METRIC_BYTES = 4 + 3 * 8 };

static status pack_variant(struct str *s, const struct variant_record *r, struct error *err) {
  TRY(record_pack_head(s, RECORD_VARIANT, err));
  TRY(pack_text(s, r->id, sizeof r->id, err));
  TRY(pack_u8(s, r->failed, err));
  TRY(pack_text(s, r->error, sizeof r->error, err));
  TRY(pack_f64(s, r->achieved_sparsity, err));
  TRY(pack_f64(s, r->seconds, err));
  TRY(pack_u32(s, (uint32_t)r->ranks, err));
  TRY(pack_u64(s, r->layer_count, err));
  for (size_t i = 0; i < r->layer_count; i++) {
    const struct layer_row *l = &r->layers[i];
    TRY(pack_u32(s, (uint32_t)l->block, err));
    TRY(pack_text(s, l->linear, sizeof l->linear, err));
    TRY(pack_f64(s, l->sparsity, err));
    TRY(pack_f64(s, l->relative_error, err));
    TRY(pack_f64(s, l->damp, err));
    TRY(pack_f64(s, l->seconds, err));
  }
  return STATUS_OK;
}

status record_encode_variant(const struct variant_record *r, unsigned char **out, size_t *size,
                             struct error *err) {
  struct str s = {0};
  return record_finish(pack_variant(&s, r, err), &s, out, size);
}

static status unpack_layer(struct unpack *from, struct layer_row *l, struct error *err) {
  TRY(record_i32(from, &l->block, err));
  TRY(unpack_text(from, l->linear, sizeof l->linear, err));
  TRY(unpack_f64(from, &l->sparsity, err));
  TRY(unpack_f64(from, &l->relative_error, err));
  TRY(unpack_f64(from, &l->damp, err));
  return unpack_f64(from, &l->seconds, err);
}

static status unpack_variant(struct unpack *from, struct variant_record *r, struct error *err) {
  TRY(unpack_text(from, r->id, sizeof r->id, err));
  TRY(record_flag(from, &r->failed, err));
  TRY(unpack_text(from, r->error, sizeof r->error, err));
  TRY(unpack_f64(from, &r->achieved_sparsity, err));
  TRY(unpack_f64(from, &r->seconds, err));
  TRY(record_i32(from, &r->ranks, err));
  TRY(record_count(from, LAYER_BYTES, &r->layer_count, err));
  TRY(mem_alloc(&r->layers, r->layer_count, sizeof *r->layers, err));
  for (size_t i = 0; i < r->layer_count; i++) {
    TRY(unpack_layer(from, &r->layers[i], err));
  }
  return record_end(from, err);
}

status record_decode_variant(struct variant_record *out, const unsigned char *from, size_t size,
                             struct error *err) {
  struct unpack left;
  TRY(record_open(&left, from, size, RECORD_VARIANT, err));
  struct variant_record r = {0};
  status st = unpack_variant(&left, &r, err);
  if (st != STATUS_OK) {
    variant_record_free(&r);
    return st;
  }
  *out = r;
  return STATUS_OK;
}

/* Rows of the per-item arrays take this many bytes together. */
static size_t item_bytes(int32_t choices) {
  return (size_t)choices * sizeof(float) + sizeof(int32_t) + 2;
}

static status pack_items(struct str *s, const struct cell_record *r, struct error *err) {
  size_t items = (size_t)r->items;
  TRY(pack_array(s, r->loglikelihoods, items * (size_t)r->choices, sizeof(float), err));
  TRY(pack_array(s, r->gold, items, sizeof(int32_t), err));
  TRY(pack_array(s, r->correct, items, 1, err));
  return pack_array(s, r->correct_norm, items, 1, err);
}

static status pack_cell(struct str *s, const struct cell_record *r, struct error *err) {
  if (r->items < 0 || r->choices < 0 || (r->items > 0 && r->choices == 0)) {
    return err_set(err, STATUS_BUG, "a cell record of %lld items with %d choices",
                   (long long)r->items, (int)r->choices);
  }
  TRY(record_pack_head(s, RECORD_CELL, err));
  TRY(pack_text(s, r->variant, sizeof r->variant, err));
  TRY(pack_text(s, r->dataset, sizeof r->dataset, err));
  TRY(pack_text(s, r->id, sizeof r->id, err));
  TRY(pack_u8(s, r->failed, err));
  TRY(pack_text(s, r->error, sizeof r->error, err));
  TRY(pack_f64(s, r->seconds, err));
  TRY(pack_u64(s, r->metric_count, err));
  for (size_t i = 0; i < r->metric_count; i++) {
    const struct metric_row *m = &r->metrics[i];
    TRY(pack_text(s, m->name, sizeof m->name, err));
    TRY(pack_f64(s, m->value, err));
    TRY(pack_f64(s, m->stderr_, err));
    TRY(pack_u64(s, (uint64_t)m->items, err));
  }
  TRY(pack_u64(s, (uint64_t)r->items, err));
  TRY(pack_u32(s, (uint32_t)r->choices, err));
  return r->items ? pack_items(s, r, err) : STATUS_OK;
}

status record_encode_cell(const struct cell_record *r, unsigned char **out, size_t *size,
                          struct error *err) {
  struct str s = {0};
  return record_finish(pack_cell(&s, r, err), &s, out, size);
}

static status unpack_metric(struct unpack *from, struct metric_row *m, struct error *err) {
  TRY(unpack_text(from, m->name, sizeof m->name, err));
  TRY(unpack_f64(from, &m->value, err));
  TRY(unpack_f64(from, &m->stderr_, err));
  uint64_t items;
  TRY(unpack_u64(from, &items, err));
  memcpy(&m->items, &items, sizeof items);
  return STATUS_OK;
}

static status unpack_items(struct unpack *from, struct cell_record *r, struct error *err) {
  uint64_t items;
  TRY(unpack_u64(from, &items, err));
  TRY(record_i32(from, &r->choices, err));
  if (r->choices < 0 || (items > 0 && r->choices == 0)) {
    return err_set(err, STATUS_INPUT, "record: items with %d choices", (int)r->choices);
  }
  TRY(unpack_fits(from, items, item_bytes(r->choices), err));
  r->items = (int64_t)items;
  size_t n = (size_t)items, cells = n * (size_t)r->choices;
  TRY(mem_alloc_raw(&r->loglikelihoods, cells, sizeof(float), err));
  TRY(unpack_array(from, r->loglikelihoods, cells, sizeof(float), err));
  TRY(mem_alloc_raw(&r->gold, n, sizeof(int32_t), err));
  TRY(unpack_array(from, r->gold, n, sizeof(int32_t), err));
  TRY(mem_alloc_raw(&r->correct, n, 1, err));
  TRY(unpack_array(from, r->correct, n, 1, err));
  TRY(mem_alloc_raw(&r->correct_norm, n, 1, err));
  return unpack_array(from, r->correct_norm, n, 1, err);
}

static status unpack_cell(struct unpack *from, struct cell_record *r, struct error *err) {
  TRY(unpack_text(from, r->variant, sizeof r->variant, err));
  TRY(unpack_text(from, r->dataset, sizeof r->dataset, err));
  TRY(unpack_text(from, r->id, sizeof r->id, err));
  TRY(record_flag(from, &r->failed, err));
  TRY(unpack_text(from, r->error, sizeof r->error, err));
  TRY(unpack_f64(from, &r->seconds, err));
  TRY(record_count(from, METRIC_BYTES, &r->metric_count, err));
  TRY(mem_alloc(&r->metrics, r->metric_count, sizeof *r->metrics, err));
  for (size_t i = 0; i < r->metric_count; i++) {
    TRY(unpack_metric(from, &r->metrics[i], err));
  }
  TRY(unpack_items(from, r, err));
  return record_end(from, err);
}

status record_decode_cell(struct cell_record *out, const unsigned char *from, size_t size,
                          struct error *err) {
  struct unpack left;
  TRY(record_open(&left, from, size, RECORD_CELL, err));
  struct cell_record r = {0};
  status st = unpack_cell(&left, &r, err);
  if (st != STATUS_OK) {
    cell_record_free(&r);
    return st;
  }
  *out = r;
  return STATUS_OK;
}

void variant_record_free(struct variant_record *r) {
  free(r->layers);
  *r = (struct variant_record){0};
}

void cell_record_free(struct cell_record *r) {
  free(r->metrics);
  free(r->loglikelihoods);
  free(r->gold);
  free(r->correct);
  free(r->correct_norm);
  *r = (struct cell_record){0};
}
