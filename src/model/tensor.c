#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/safetensors.h"

const char *tensor_shape_text(int rank, const uint64_t *shape, char *out, size_t size) {
  size_t n = 0;
  for (int i = 0; i < rank && n < size; i++) {
    n += (size_t)snprintf(out + n, size - n, "%s%" PRIu64, i ? ", " : "[", shape[i]);
  }
  if (n < size) {
    (void)snprintf(out + n, size - n, rank ? "]" : "[]");
  }
  return out;
}

static status refuse(const struct tensor *t, uint64_t element, struct error *err) {
  uint64_t index[TENSOR_RANK];
  for (int i = t->rank; i-- > 0;) {
    index[i] = element % t->shape[i];
    element /= t->shape[i];
  }
  char text[TENSOR_SHAPE_TEXT];
  return err_at(err, STATUS_NUMERIC, t->file->path, 0, "tensor %s: not finite at element %s",
                t->name, tensor_shape_text(t->rank, index, text, sizeof text));
}

enum { RUN = 4096 /* elements: decoded and checked while they are in the first cache */ };

status tensor_read(const struct tensor *t, uint64_t first, uint64_t count, float *out,
                   struct error *err) {
  size_t size = dtype_bits(t->dtype) / 8;
  for (uint64_t i = 0; i < count; i += RUN) {
    size_t run = count - i < RUN ? (size_t)(count - i) : RUN;
    dtype_decode(t->dtype, t->at + (first + i) * size, run, out + i);
    size_t bad = dtype_first_nonfinite(out + i, run);
    if (bad < run) {
      return refuse(t, first + i + bad, err);
    }
  }
  return STATUS_OK;
}

enum { WORTH_RELEASING = 1 << 20 /* bytes: below, the call costs more than the pages */ };

void tensor_release(const struct tensor *t) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t bytes = (size_t)(t->end - t->begin);
  if (bytes < WORTH_RELEASING) {
    return;
  }
  size_t skip = (page - (uintptr_t)t->at % page) % page;
  size_t whole = (bytes - skip) / page * page;
  if (whole) {
    /* Clean pages of a private read-only map: another reader faults them in again. */
    (void)madvise((void *)(t->at + skip), whole, MADV_DONTNEED);
  }
}
