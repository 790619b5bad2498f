/* What a run leaves behind, as records: sent by a worker, written to the journal and replayed from
 * it in the same bytes (little-endian, length-prefixed). */
#ifndef ESPALIER_STORE_RECORD_H
#define ESPALIER_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

/* One linear of a variant: a row of /layers. */
struct layer_row {
  int32_t block;
  char linear[64];                                /* "self_attn.q_proj" */
  double sparsity, relative_error, damp, seconds; /* NaN where there is none */
};

/* A variant was pruned (or failed to be): a row of /variants and its rows of /layers. */
struct variant_record {
  char id[DIGEST_TEXT];
  bool failed;
  char error[512];          /* when failed */
  double achieved_sparsity; /* share of zeros among the linears of all blocks */
  double seconds;           /* pruning */
  int32_t ranks;
  size_t layer_count;
  struct layer_row *layers; /* [layer_count] */
};

struct metric_row {
  char name[24];
  double value, stderr_;
  int64_t items;
};

/* A cell was evaluated (or failed): rows of /metrics and of /items/<dataset>. */
struct cell_record {
  char variant[DIGEST_TEXT];
  char dataset[64];
  char id[DIGEST_TEXT]; /* the cell's own identity: variant, data, task, options */
  bool failed;
  char error[512];
  int32_t choices; /* of the items below */
  double seconds;  /* evaluation */
  size_t metric_count;
  struct metric_row *metrics;
  int64_t items;         /* 0 when per-item results are not kept */
  float *loglikelihoods; /* [items][choices] */
  int32_t *gold;         /* [items] */
  int8_t *correct;       /* [items] */
  int8_t *correct_norm;  /* [items] */
};

enum record_kind {
  RECORD_VARIANT = 1,
  RECORD_CELL = 2,
  RECORD_MASKS = 3,            /* mask_record.h */
  RECORD_DISTANCE = 4,         /* distances.h */
  RECORD_ATTRIBUTION_BASE = 5, /* attribution.h */
  RECORD_ATTRIBUTION_LOSS = 6
};

/* Encodes into a buffer that the caller frees. */
status record_encode_variant(const struct variant_record *r, unsigned char **out, size_t *size,
                             struct error *err);
status record_encode_cell(const struct cell_record *r, unsigned char **out, size_t *size,
                          struct error *err);

/* Kind of an encoded record; 0 when it is none. */
enum record_kind record_kind(const unsigned char *from, size_t size);
status record_decode_variant(struct variant_record *out, const unsigned char *from, size_t size,
                             struct error *err);
status record_decode_cell(struct cell_record *out, const unsigned char *from, size_t size,
                          struct error *err);
void variant_record_free(struct variant_record *r);
void cell_record_free(struct cell_record *r);

#endif
