#include "store/h5_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* What HDF5 holds of an open file. */
struct handle {
  H5FD_t hdf5; /* first: HDF5 casts */
  struct h5_disk *disk;
};

static struct h5_disk *disk_of(const H5FD_t *file) {
  return ((const struct handle *)file)->disk;
}

static herr_t keep(struct h5_disk *d, haddr_t at, size_t size, const void *from) {
  struct h5_refused r = {.at = at, .size = size};
  if (mem_reserve(&d->refused, &d->cap, d->count + 1, sizeof *d->refused, NULL) != STATUS_OK ||
      mem_alloc_raw(&r.bytes, size, 1, NULL) != STATUS_OK) {
    return -1;
  }
  memcpy(r.bytes, from, size);
  d->refused[d->count++] = r;
  return 0;
}

static herr_t put(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                  const void *from) {
  (void)type;
  (void)transfer;
  struct h5_disk *d = disk_of(file);
  const char *bytes = from;
  while (size > 0 && !d->code && !d->detached) {
    ssize_t n = pwrite(d->fd, bytes, size, (off_t)at);
    if (n < 0 && errno != EINTR) {
      d->code = errno;
    } else if (n > 0) {
      bytes += n;
      at += (haddr_t)n;
      size -= (size_t)n;
    }
  }
  return size > 0 && !d->detached ? keep(d, at, size, bytes) : 0;
}

/* Lays over out [size], read at `at`, what the disk refused of it. */
static void lay_over(const struct h5_refused *r, haddr_t at, size_t size, unsigned char *out) {
  haddr_t first = r->at > at ? r->at : at;
  haddr_t end = r->at + r->size < at + size ? r->at + r->size : at + size;
  if (first < end) {
    memcpy(out + (first - at), r->bytes + (first - r->at), (size_t)(end - first));
  }
}

/* Bytes that were never written are 0. */
static herr_t get(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                  void *out) {
  (void)type;
  (void)transfer;
  const struct h5_disk *d = disk_of(file);
  for (size_t got = 0; got < size;) {
    ssize_t n = pread(d->fd, (char *)out + got, size - got, (off_t)(at + got));
    if (n < 0 && errno != EINTR) {
      return -1;
    }
    if (n == 0) {
      memset((char *)out + got, 0, size - got);
      break;
    }
    got += n > 0 ? (size_t)n : 0;
  }
  for (size_t i = 0; i < d->count; i++) {
    lay_over(&d->refused[i], at, size, out);
  }
  return 0;
}

/* HDF5 first asks whether the file exists, without H5F_ACC_CREAT; a new one never does. */
static H5FD_t *open_file(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)name;
  (void)most;
  struct h5_disk *const *disk = H5Pget_driver_info(access);
  struct handle *f = NULL;
  if (!(flags & H5F_ACC_CREAT) || !disk || mem_alloc(&f, 1, sizeof *f, NULL) != STATUS_OK) {
    return NULL;
  }
  f->disk = *disk;
  return &f->hdf5;
}

static herr_t close_file(H5FD_t *file) {
  free(file);
  return 0;
}

static herr_t query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t get_end(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return disk_of(file)->end;
}

static herr_t set_end(H5FD_t *file, H5FD_mem_t type, haddr_t end) {
  (void)type;
  disk_of(file)->end = end;
  return 0;
}

static const H5FD_class_t driver_class = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)(H5FD_CLASS_MAX),
#endif
    .name = "espalier",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(struct h5_disk *),
    .open = open_file,
    .close = close_file,
    .query = query,
    .get_eoa = get_end,
    .set_eoa = set_end,
    .get_eof = get_end,
    .read = get,
    .write = put,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

bool h5_disk_access(struct h5_disk *d, hid_t *driver, hid_t *access) {
  *driver = H5FDregister(&driver_class);
  *access = H5Pcreate(H5P_FILE_ACCESS);
  return *driver >= 0 && *access >= 0 && H5Pset_driver(*access, *driver, &d) >= 0;
}

void h5_disk_free(struct h5_disk *d) {
  for (size_t i = 0; i < d->count; i++) {
    free(d->refused[i].bytes);
  }
  free(d->refused);
  d->refused = NULL;
  d->count = d->cap = 0;
}
