/* HDF5 with errors as values: HDF5's own error printing is off while a file is open here, and a
 * failure becomes one line with HDF5's innermost message. */
#ifndef ESPALIER_STORE_H5_H
#define ESPALIER_STORE_H5_H

#include <hdf5.h>

#include "base/str.h"
#include "store/h5_disk.h"

struct h5 {
  hid_t file;
  const char *path;     /* as messages name it */
  struct h5_disk *disk; /* of a new file */
  char *temporary;      /* likewise: what it is called until it is published */
  hid_t driver;         /* likewise */
  H5E_auto2_t shown;    /* the caller's error printing, given back by h5_close */
  void *shown_data;
};

/* A new file: a temporary one beside path, which h5_close removes unless it was published. */
status h5_create(struct h5 *out, const char *path, struct error *err);
/* STATUS_IO when the disk has refused something: a long writer need not go on. */
status h5_check(const struct h5 *h, struct error *err);
/* Seals (seal.h), syncs and renames to path a file made by h5_create; only h5_close may follow. */
status h5_publish(const struct h5 *h, struct error *err);

/* Opens path for reading; refuses a broken seal. Takes no lock of HDF5's: results files are
 * replaced, never changed, and some cluster file systems know no locks. */
status h5_open(struct h5 *out, const char *path, struct error *err);
void h5_close(struct h5 *h);

/* STATUS_IO and "path: HDF5: message (what)", from the call that failed last in this thread. */
status h5_fail(const struct h5 *h, const char *what, struct error *err);

/* Makes a group and those above it. */
status h5_group(const struct h5 *h, const char *place, struct error *err);

/* Makes a data set of dims [rank]; fill, of memory type `memory`, stands where nothing is written
 * and may be NULL. The caller closes *out with H5Dclose. */
status h5_dataset(const struct h5 *h, const char *place, hid_t type, hid_t memory, int rank,
                  const hsize_t *dims, const void *fill, hid_t *out, struct error *err);

/* As h5_dataset, written from `from` at once and closed. */
status h5_array(const struct h5 *h, const char *place, hid_t type, hid_t memory, int rank,
                const hsize_t *dims, const void *from, struct error *err);

/* Makes a data set of bytes [rows][cols], neither 0, from a zlib stream of them: one chunk under
 * HDF5's deflate filter. */
status h5_deflated(const struct h5 *h, const char *place, hsize_t rows, hsize_t cols,
                   const void *from, size_t size, struct error *err);

/* A UTF-8 text, or a 32-bit number, as attribute of the object at place. */
status h5_text_attribute(const struct h5 *h, const char *place, const char *name, const char *text,
                         struct error *err);
status h5_int_attribute(const struct h5 *h, const char *place, const char *name, int value,
                        struct error *err);
/* An attribute of the root group; the caller frees *out. */
status h5_read_attribute(const struct h5 *h, const char *name, char **out, struct error *err);

/* UTF-8 text of a fixed width in bytes, padded with NULs (in files) or ended by one (in memory).
 * The caller closes *out with H5Tclose. */
status h5_text_type(const struct h5 *h, size_t width, H5T_str_t padding, hid_t *out,
                    struct error *err);

/* A copy of text that can be a link's name: no slash, not ".", not empty. The caller frees *out. */
status h5_link_name(const char *text, char **out, struct error *err);

#endif
