#include "model/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

struct overlay {
  int blocks, linears;
  size_t *first;    /* [linears]: floats from a block's start to the linear's weights */
  size_t per_block; /* floats */
  float *weights;   /* [blocks][per_block] */
  size_t bytes;     /* mapped */
  bool *marked;     /* [blocks][linears] */
};

enum { LINE = MEM_ALIGN / sizeof(float) };

static status map_file(struct overlay *o, const char *scratch, struct error *err) {
  char *path;
  TRY(path_join(&path, scratch, "espalier-overlay-XXXXXX", err));
  status st = STATUS_OK;
  int fd = mkostemp(path, O_CLOEXEC);
  if (fd < 0) {
    st = err_errno(err, STATUS_IO, "%s: no scratch file", scratch);
  } else {
    (void)unlink(path);
    void *at = MAP_FAILED;
    /* Allocated whole: a full disk is an error here rather than a signal at some later write. */
    errno = posix_fallocate(fd, 0, (off_t)o->bytes);
    if (errno == 0) {
      at = mmap(NULL, o->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (at == MAP_FAILED) {
      st = err_errno(err, STATUS_IO, "%s: %zu bytes of scratch", scratch, o->bytes);
    } else {
      o->weights = at;
    }
    (void)close(fd);
  }
  free(path);
  return st;
}

static status map_memory(struct overlay *o, struct error *err) {
  void *at = mmap(NULL, o->bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    return err_errno(err, STATUS_MEMORY, "%zu bytes of pruned weights", o->bytes);
  }
  o->weights = at;
  return STATUS_OK;
}

static status lay_out(struct overlay *o, const struct model *m, struct error *err) {
  const struct linear *linears = model_linears(m, &o->linears);
  o->blocks = model_blocks(m);
  TRY(mem_alloc(&o->first, (size_t)o->linears, sizeof *o->first, err));
  TRY(mem_alloc(&o->marked, (size_t)o->blocks * (size_t)o->linears, sizeof *o->marked, err));
  for (int i = 0; i < o->linears; i++) {
    size_t floats = (size_t)linears[i].rows * (size_t)linears[i].cols;
    o->first[i] = o->per_block;
    o->per_block += (floats + LINE - 1) / LINE * LINE;
  }
  o->bytes = (size_t)o->blocks * o->per_block * sizeof *o->weights;
  return STATUS_OK;
}

status overlay_create(struct overlay **out, const struct model *m, const char *scratch,
                      struct error *err) {
  struct overlay *o;
  TRY(mem_alloc(&o, 1, sizeof *o, err));
  status st = lay_out(o, m, err);
  if (st == STATUS_OK) {
    st = scratch ? map_file(o, scratch, err) : map_memory(o, err);
  }
  if (st != STATUS_OK) {
    overlay_free(o);
    return st;
  }
  *out = o;
  return STATUS_OK;
}

void overlay_free(struct overlay *o) {
  if (!o) {
    return;
  }
  if (o->weights) {
    (void)munmap(o->weights, o->bytes);
  }
  free(o->first);
  free(o->marked);
  free(o);
}

static size_t place(const struct overlay *o, int block, int linear) {
  return (size_t)block * (size_t)o->linears + (size_t)linear;
}

float *overlay_weights(struct overlay *o, int block, int linear) {
  return o->weights + (size_t)block * o->per_block + o->first[linear];
}

void overlay_mark(struct overlay *o, int block, int linear) {
  o->marked[place(o, block, linear)] = true;
}

bool overlay_has(const struct overlay *o, int block, int linear) {
  return o->marked[place(o, block, linear)];
}

void overlay_clear(struct overlay *o) {
  for (size_t i = 0; i < (size_t)o->blocks * (size_t)o->linears; i++) {
    o->marked[i] = false;
  }
  /* Gives anonymous pages back; a file's stay, to be overwritten. */
  (void)madvise(o->weights, o->bytes, MADV_DONTNEED);
}
