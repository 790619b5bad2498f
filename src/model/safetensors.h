/* One safetensors file, mapped and validated: a header of 8 bytes (its length, little-endian), JSON
 * that names every tensor's dtype, shape and place, then one buffer without holes.
 * Source: github.com/huggingface/safetensors, README "Format". */
#ifndef ESPALIER_MODEL_SAFETENSORS_H
#define ESPALIER_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"
#include "model/dtype.h"

enum {
  TENSOR_RANK = 8,                       /* most dimensions that are read */
  SAFETENSORS_LENGTH = 8,                /* bytes of the header's length */
  SAFETENSORS_LONGEST_HEADER = 100000000 /* bytes: the format's limit */
};

struct safetensors;

struct tensor {
  const struct safetensors *file;
  char *name;
  enum dtype dtype;
  int rank;
  uint64_t shape[TENSOR_RANK];
  uint64_t elements;
  uint64_t begin, end;     /* bytes of the buffer */
  const unsigned char *at; /* mapped, at any alignment: end - begin bytes */
};

struct safetensors {
  char *path;
  struct map map;
  uint64_t header;                 /* bytes of JSON behind the length, padding included */
  struct tensor *tensors;          /* [count] in the header's order */
  const struct tensor **by_name;   /* [count] */
  const struct tensor **by_offset; /* [count] */
  size_t count;
};

/* Maps and validates a file. Refused, with the file's and the tensor's name: a header that is
 * longer than the file, does not begin with '{' or is not JSON; a name that stands twice; an
 * unknown dtype; data_offsets that differ from shape times element size, leave the buffer or
 * overlap; holes. The struct must not move while tensors are in use. */
status safetensors_open(struct safetensors *out, const char *path, struct error *err);
void safetensors_close(struct safetensors *s);

/* The tensor of that name, or NULL. */
const struct tensor *safetensors_find(const struct safetensors *s, const char *name);

/* "[3, 4]" into out, cut at size bytes; returns out. */
enum { TENSOR_SHAPE_TEXT = 192 };
const char *tensor_shape_text(int rank, const uint64_t *shape, char *out, size_t size);

/* Elements first ... first + count - 1 (row-major) as float32; NaN and infinities are refused with
 * their index. The tensor's dtype must be a weight's. */
status tensor_read(const struct tensor *t, uint64_t first, uint64_t count, float *out,
                   struct error *err);

/* Tells the kernel that the tensor's mapped pages will not be needed soon. */
void tensor_release(const struct tensor *t);

#endif
