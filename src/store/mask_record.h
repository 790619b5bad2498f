/* Masks on their way to the results file: a variant's tensors travel in parts of a few megabytes,
 * each a record, in the bytes that the file will hold. */
#ifndef ESPALIER_STORE_MASK_RECORD_H
#define ESPALIER_STORE_MASK_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "store/masks.h"

enum { MASK_NAME = 192, MASK_PARTS = 1 << 20 /* most parts of a variant */ };

/* One tensor. */
struct mask_bits {
  char name[MASK_NAME];
  int32_t rows, cols;
  bool deflated;              /* bytes are a zlib stream (RFC 1950) of the bits */
  size_t size;                /* bytes; mask_bytes(rows, cols) when not deflated */
  const unsigned char *bytes; /* [size] */
};

struct mask_record {
  char variant[DIGEST_TEXT];
  int32_t part, parts; /* 0-based, of parts */
  size_t count;
  struct mask_bits *tensors; /* [count] */
};

/* The caller frees *out. */
status record_encode_masks(const struct mask_record *r, unsigned char **out, size_t *size,
                           struct error *err);
/* The tensors' bytes stay in `from`. */
status record_decode_masks(struct mask_record *out, const unsigned char *from, size_t size,
                           struct error *err);
void mask_record_free(struct mask_record *r);

/* Sets the bits of weights [rows][cols] that are not zero, in out [mask_bytes(rows, cols)]. */
void mask_pack(const float *weights, int rows, int cols, unsigned char *out);

/* Deflates bits [size] where that takes off at least a twentieth: sparse and n:m masks. *out is
 * NULL when it does not, else a buffer that the caller frees. */
status mask_deflate(const unsigned char *bits, size_t size, unsigned char **out, size_t *out_size,
                    struct error *err);

#endif
