#include "store/mask_record.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "store/record_parts.h"

enum { TENSOR_BYTES = 4 + 4 + 4 + 1 + 8 }; /* the least that an encoded tensor takes */

static status check_bits(const struct mask_bits *t, status code, struct error *err) {
  if (t->rows < 0 || t->cols < 0) {
    return err_set(err, code, "record: a mask of %d x %d weights", (int)t->rows, (int)t->cols);
  }
  if (!t->deflated && t->size != mask_bytes(t->rows, t->cols)) {
    return err_set(err, code, "record: %zu bytes of a mask of %d x %d weights", t->size,
                   (int)t->rows, (int)t->cols);
  }
  return STATUS_OK;
}

static status check_parts(const struct mask_record *r, status code, struct error *err) {
  if (r->parts < 1 || r->parts > MASK_PARTS || r->part < 0 || r->part >= r->parts) {
    return err_set(err, code, "record: part %d of %d of a variant's masks", (int)r->part,
                   (int)r->parts);
  }
  return STATUS_OK;
}

static status pack_bits(struct str *s, const struct mask_bits *t, struct error *err) {
  TRY(check_bits(t, STATUS_BUG, err));
  TRY(pack_text(s, t->name, sizeof t->name, err));
  TRY(pack_u32(s, (uint32_t)t->rows, err));
  TRY(pack_u32(s, (uint32_t)t->cols, err));
  TRY(pack_u8(s, t->deflated, err));
  TRY(pack_u64(s, t->size, err));
  return pack_array(s, t->bytes, t->size, 1, err);
}

static status pack_masks(struct str *s, const struct mask_record *r, struct error *err) {
  TRY(check_parts(r, STATUS_BUG, err));
  TRY(record_pack_head(s, RECORD_MASKS, err));
  TRY(pack_text(s, r->variant, sizeof r->variant, err));
  TRY(pack_u32(s, (uint32_t)r->part, err));
  TRY(pack_u32(s, (uint32_t)r->parts, err));
  TRY(pack_u64(s, r->count, err));
  for (size_t i = 0; i < r->count; i++) {
    TRY(pack_bits(s, &r->tensors[i], err));
  }
  return STATUS_OK;
}

status record_encode_masks(const struct mask_record *r, unsigned char **out, size_t *size,
                           struct error *err) {
  struct str s = {0};
  return record_finish(pack_masks(&s, r, err), &s, out, size);
}

static status unpack_bits(struct unpack *from, struct mask_bits *t, struct error *err) {
  TRY(unpack_text(from, t->name, sizeof t->name, err));
  TRY(record_i32(from, &t->rows, err));
  TRY(record_i32(from, &t->cols, err));
  TRY(record_flag(from, &t->deflated, err));
  TRY(record_count(from, 1, &t->size, err));
  TRY(check_bits(t, STATUS_INPUT, err));
  t->bytes = from->at;
  from->at += t->size;
  from->left -= t->size;
  return STATUS_OK;
}

static status unpack_masks(struct unpack *from, struct mask_record *r, struct error *err) {
  TRY(unpack_text(from, r->variant, sizeof r->variant, err));
  TRY(record_i32(from, &r->part, err));
  TRY(record_i32(from, &r->parts, err));
  TRY(check_parts(r, STATUS_INPUT, err));
  TRY(record_count(from, TENSOR_BYTES, &r->count, err));
  TRY(mem_alloc(&r->tensors, r->count, sizeof *r->tensors, err));
  for (size_t i = 0; i < r->count; i++) {
    TRY(unpack_bits(from, &r->tensors[i], err));
  }
  return record_end(from, err);
}

status record_decode_masks(struct mask_record *out, const unsigned char *from, size_t size,
                           struct error *err) {
  struct unpack left;
  TRY(record_open(&left, from, size, RECORD_MASKS, err));
  struct mask_record r = {0};
  status st = unpack_masks(&left, &r, err);
  if (st != STATUS_OK) {
    mask_record_free(&r);
    return st;
  }
  *out = r;
  return STATUS_OK;
}

void mask_record_free(struct mask_record *r) {
  free(r->tensors);
  *r = (struct mask_record){0};
}

void mask_pack(const float *weights, int rows, int cols, unsigned char *out) {
  size_t stride = mask_row_bytes(cols);
  for (int r = 0; r < rows; r++) {
    const float *w = weights + (size_t)r * (size_t)cols;
    unsigned char *to = out + (size_t)r * stride;
    memset(to, 0, stride);
    for (int c = 0; c < cols; c++) {
      to[c / 8] |= (unsigned char)((unsigned)(w[c] != 0) << (c % 8));
    }
  }
}

/* Huffman codes alone: the bits of a mask are as good as independent, so that there are no repeats
 * to look for, and the codes come close to the entropy at many times the speed. */
static int deflate_into(z_stream *z, const unsigned char *bits, size_t size, unsigned char *to,
                        size_t room) {
  if (deflateInit2(z, 1, Z_DEFLATED, MAX_WBITS, 8, Z_HUFFMAN_ONLY) != Z_OK) {
    return Z_MEM_ERROR;
  }
  z->next_in = (unsigned char *)bits;
  z->avail_in = (uInt)size;
  z->next_out = to;
  z->avail_out = (uInt)room;
  int code = deflate(z, Z_FINISH);
  (void)deflateEnd(z);
  return code;
}

status mask_deflate(const unsigned char *bits, size_t size, unsigned char **out, size_t *out_size,
                    struct error *err) {
  *out = NULL;
  size_t room = size - size / 20;
  if (size > UINT32_MAX || room == 0) {
    return STATUS_OK;
  }
  unsigned char *to;
  TRY(mem_alloc_raw(&to, room, 1, err));
  z_stream z = {0};
  int code = deflate_into(&z, bits, size, to, room);
  if (code == Z_STREAM_END) {
    *out = to;
    *out_size = room - z.avail_out;
    return STATUS_OK;
  }
  free(to);
  return code == Z_MEM_ERROR ? err_set(err, STATUS_MEMORY, "out of memory") : STATUS_OK;
}
