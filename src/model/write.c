#include "model/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "model/companions.h"
#include "model/layout.h"
#include "model/parts.h"
#include "model/staging.h"

enum {
  RUN = 1 << 16 /* elements converted at a time */,
  COPY = 1 << 22 /* bytes copied at a time */
};

struct out_file {
  int fd;
  char *path;
  struct layout layout;
};

struct model_writer {
  const struct model *m;
  struct staging staging;
  struct out_file *files; /* [count], as the source's shards */
  size_t count;
  bool *stored;       /* [blocks · linears]: put, or copied */
  float decoded[RUN]; /* elements under way */
  unsigned char encoded[4 * RUN];
};

/* A tensor's place in the new folder. */
struct spot {
  const struct out_file *file;
  enum dtype dtype;
  uint64_t at; /* bytes of the file */
};

static struct spot spot_of(const struct model_writer *w, const struct tensor *t) {
  const struct out_file *f = &w->files[t->file - w->m->shards.files];
  size_t i = (size_t)(t - t->file->tensors);
  uint64_t at = SAFETENSORS_LENGTH + f->layout.header.count + f->layout.begins[i];
  return (struct spot){f, f->layout.dtypes[i], at};
}

static status write_at(const struct out_file *f, uint64_t at, const void *from, size_t size,
                       struct error *err) {
  const unsigned char *p = from;
  while (size > 0) {
    ssize_t n = pwrite(f->fd, p, size, (off_t)at);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return err_errno(err, STATUS_IO, "%s", f->path);
    }
    p += n;
    at += (uint64_t)n;
    size -= (size_t)n;
  }
  return STATUS_OK;
}

/* 16-bit elements that became infinite are refused; those of a linear that became zero get the
 * smallest number of their sign, whose bits are 1 in both formats: a mask is what is not zero. */
static size_t mend(enum dtype type, const float *from, size_t count, bool linear,
                   unsigned char *to) {
  uint16_t infinite = type == DTYPE_F16 ? 0x7c00 : 0x7f80;
  for (size_t i = 0; i < count; i++) {
    uint16_t h;
    memcpy(&h, to + 2 * i, sizeof h);
    if ((h & 0x7fff) == infinite && from[i] - from[i] == 0) {
      return i;
    }
    if (linear && (h & 0x7fff) == 0 && from[i] != 0) {
      h |= 1;
      memcpy(to + 2 * i, &h, sizeof h);
    }
  }
  return count;
}

/* Encodes and writes count (at most RUN) elements from element `first` of the tensor. */
static status store_run(struct model_writer *w, const struct tensor *t, uint64_t first,
                        const float *from, size_t count, bool linear, struct error *err) {
  struct spot spot = spot_of(w, t);
  size_t size = dtype_bits(spot.dtype) / 8;
  dtype_encode(spot.dtype, from, count, w->encoded);
  size_t good = size == 2 ? mend(spot.dtype, from, count, linear, w->encoded) : count;
  if (good < count) {
    return err_at(err, STATUS_NUMERIC, t->file->path, 0, "tensor %s: %g is too large for %s",
                  t->name, (double)from[good], dtype_name(spot.dtype));
  }
  return write_at(spot.file, spot.at + first * size, w->encoded, count * size, err);
}

static status convert_tensor(struct model_writer *w, const struct tensor *t, bool linear,
                             struct error *err) {
  size_t size = dtype_bits(t->dtype) / 8;
  for (uint64_t i = 0; i < t->elements; i += RUN) {
    size_t run = t->elements - i < RUN ? (size_t)(t->elements - i) : RUN;
    dtype_decode(t->dtype, t->at + i * size, run, w->decoded);
    TRY(store_run(w, t, i, w->decoded, run, linear, err));
  }
  return STATUS_OK;
}

static status copy_tensor(struct model_writer *w, const struct tensor *t, bool linear,
                          struct error *err) {
  struct spot spot = spot_of(w, t);
  if (spot.dtype != t->dtype) {
    TRY(convert_tensor(w, t, linear, err));
  } else {
    uint64_t bytes = t->end - t->begin;
    for (uint64_t i = 0; i < bytes; i += COPY) {
      size_t run = bytes - i < COPY ? (size_t)(bytes - i) : COPY;
      TRY(write_at(spot.file, spot.at + i, t->at + i, run, err));
    }
  }
  tensor_release(t);
  return STATUS_OK;
}

static const struct tensor *linear_tensor(const struct model_writer *w, int block, int linear) {
  return model_bound(w->m, w->m->places[linear].slot, block, w->m->places[linear].part)->weight;
}

static int compare_pointers(const void *a, const void *b) {
  const struct tensor *const *x = a, *const *y = b;
  return (*x > *y) - (*x < *y);
}

/* Every tensor of every file that is no linear of a block. */
static status copy_others(struct model_writer *w, struct error *err) {
  size_t count = (size_t)w->m->arch.config.blocks * (size_t)w->m->linear_count;
  const struct tensor **linears;
  TRY(mem_alloc(&linears, count, sizeof(void *), err));
  for (size_t i = 0; i < count; i++) {
    int each = w->m->linear_count;
    linears[i] = linear_tensor(w, (int)(i / (size_t)each), (int)(i % (size_t)each));
  }
  qsort(linears, count, sizeof(void *), compare_pointers);
  status st = STATUS_OK;
  for (size_t f = 0; f < w->count && st == STATUS_OK; f++) {
    const struct safetensors *file = &w->m->shards.files[f];
    for (size_t i = 0; i < file->count && st == STATUS_OK; i++) {
      const struct tensor *t = &file->tensors[i];
      if (!bsearch(&t, linears, count, sizeof(void *), compare_pointers)) {
        st = copy_tensor(w, t, false, err);
      }
    }
  }
  free((void *)linears);
  return st;
}

static status start_file(struct model_writer *w, const struct safetensors *source,
                         enum model_dtype dtype, struct error *err) {
  struct out_file *f = &w->files[w->count];
  f->fd = -1;
  w->count++;
  TRY(path_join(&f->path, w->staging.folder, path_base(source->path), err));
  TRY(layout_make(&f->layout, source, dtype, err));
  f->fd = open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  uint64_t length = f->layout.header.count;
  if (f->fd < 0 || ftruncate(f->fd, (off_t)(sizeof length + length + f->layout.buffer)) != 0) {
    return err_errno(err, STATUS_IO, "%s", f->path);
  }
  TRY(write_at(f, 0, &length, sizeof length, err));
  return write_at(f, sizeof length, f->layout.header.at, length, err);
}

static status start(struct model_writer *w, const char *to, enum model_dtype dtype,
                    struct error *err) {
  const struct model *m = w->m;
  size_t linears = (size_t)m->arch.config.blocks * (size_t)m->linear_count;
  TRY(mem_alloc(&w->stored, linears, sizeof *w->stored, err));
  TRY(mem_alloc(&w->files, m->shards.count, sizeof *w->files, err));
  TRY(staging_open(&w->staging, to, err));
  uint64_t total = 0;
  for (size_t i = 0; i < m->shards.count; i++) {
    TRY(start_file(w, &m->shards.files[i], dtype, err));
    total += w->files[i].layout.buffer;
  }
  TRY(companions_copy(m, w->staging.folder, dtype, total, err));
  return copy_others(w, err);
}

status model_writer_open(struct model_writer **out, const struct model *m, const char *to,
                         enum model_dtype dtype, struct error *err) {
  struct model_writer *w;
  TRY(mem_alloc(&w, 1, sizeof *w, err));
  w->m = m;
  status st = start(w, to, dtype, err);
  if (st != STATUS_OK) {
    model_writer_abandon(w);
    return st;
  }
  *out = w;
  return STATUS_OK;
}

/* Elements first .. of the tensor [cols][rows] that stores weights [rows][cols]. */
static void transpose_run(const struct tensor *t, const float *weights, uint64_t first,
                          size_t count, float *to) {
  uint64_t cols = t->shape[0], rows = t->shape[1];
  for (size_t i = 0; i < count; i++) {
    uint64_t at = first + i;
    to[i] = weights[at % rows * cols + at / rows];
  }
}

status model_writer_put(struct model_writer *w, int block, int linear, const float *weights,
                        struct error *err) {
  const struct tensor *t = linear_tensor(w, block, linear);
  bool transposed = w->m->arch.transposed[w->m->places[linear].slot];
  for (uint64_t i = 0; i < t->elements; i += RUN) {
    size_t run = t->elements - i < RUN ? (size_t)(t->elements - i) : RUN;
    const float *from = weights + i;
    if (transposed) {
      transpose_run(t, weights, i, run, w->decoded);
      from = w->decoded;
    }
    size_t bad = dtype_first_nonfinite(from, run);
    if (bad < run) {
      return err_at(err, STATUS_NUMERIC, t->file->path, 0,
                    "tensor %s: not finite at element [%d, %d] after pruning", t->name,
                    (int)((i + bad) / t->shape[1]), (int)((i + bad) % t->shape[1]));
    }
    TRY(store_run(w, t, i, from, run, true, err));
  }
  w->stored[(size_t)block * (size_t)w->m->linear_count + (size_t)linear] = true;
  return STATUS_OK;
}

static status copy_rest(struct model_writer *w, struct error *err) {
  for (int block = 0; block < w->m->arch.config.blocks; block++) {
    for (int i = 0; i < w->m->linear_count; i++) {
      if (!w->stored[(size_t)block * (size_t)w->m->linear_count + (size_t)i]) {
        TRY(copy_tensor(w, linear_tensor(w, block, i), true, err));
      }
    }
  }
  return STATUS_OK;
}

static status close_files(struct model_writer *w, struct error *err) {
  for (size_t i = 0; i < w->count; i++) {
    struct out_file *f = &w->files[i];
    int fd = f->fd;
    if (fsync(fd) != 0) {
      return err_errno(err, STATUS_IO, "%s", f->path);
    }
    f->fd = -1;
    if (close(fd) != 0) {
      return err_errno(err, STATUS_IO, "%s", f->path);
    }
  }
  return STATUS_OK;
}

status model_writer_finish(struct model_writer *w, struct error *err) {
  status st = copy_rest(w, err);
  if (st == STATUS_OK) {
    st = close_files(w, err);
  }
  if (st == STATUS_OK) {
    st = staging_publish(&w->staging, err);
  }
  model_writer_abandon(w);
  return st;
}

void model_writer_abandon(struct model_writer *w) {
  if (!w) {
    return;
  }
  for (size_t i = 0; i < w->count; i++) {
    if (w->files[i].fd >= 0) {
      (void)close(w->files[i].fd);
    }
    free(w->files[i].path);
    layout_free(&w->files[i].layout);
  }
  staging_abandon(&w->staging);
  free(w->files);
  free(w->stored);
  free(w);
}
