#include "store/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/seal.h"

static herr_t innermost(unsigned n, const H5E_error2_t *entry, void *user) {
  if (n == 0 && entry->desc) {
    const char **text = user;
    *text = entry->desc;
  }
  return 0;
}

status h5_fail(const struct h5 *h, const char *what, struct error *err) {
  /* The entries' texts live as long as the stack, which the next call of HDF5 clears. */
  const char *text = NULL;
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, (void *)&text);
  return err_at(err, STATUS_IO, h->path, 0, "HDF5: %s (%s)", text ? text : "no reason given", what);
}

static void silence(struct h5 *h) {
  (void)H5Eget_auto2(H5E_DEFAULT, &h->shown, &h->shown_data);
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void give_back(struct h5 *h) {
  (void)H5Eset_auto2(H5E_DEFAULT, h->shown, h->shown_data);
}

/* One name for all tries: what a killed run leaves is overwritten by the next. */
static status open_disk(struct h5 *h, struct error *err) {
  TRY(mem_alloc(&h->disk, 1, sizeof *h->disk, err));
  h->disk->fd = -1;
  TRY(str_format(&h->temporary, err, "%s.tmp", h->path));
  h->disk->fd = open(h->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  return h->disk->fd < 0 ? err_errno(err, STATUS_IO, "%s", h->path) : STATUS_OK;
}

static void close_disk(struct h5 *h) {
  if (h->driver >= 0) {
    (void)H5FDunregister(h->driver);
  }
  if (h->disk && h->disk->fd >= 0) {
    (void)close(h->disk->fd);
    if (!h->disk->detached) {
      (void)unlink(h->temporary);
    }
  }
  if (h->disk) {
    h5_disk_free(h->disk);
  }
  free(h->disk);
  free(h->temporary);
}

status h5_create(struct h5 *out, const char *path, struct error *err) {
  *out = (struct h5){.file = -1, .driver = -1, .path = path};
  silence(out);
  hid_t access = -1, make = -1;
  status st = open_disk(out, err);
  if (st == STATUS_OK) {
    make = H5Pcreate(H5P_FILE_CREATE);
    if (!h5_disk_access(out->disk, &out->driver, &access) || make < 0 ||
        H5Pset_obj_track_times(make, 0) < 0 ||
        (out->file = H5Fcreate(path, H5F_ACC_TRUNC, make, access)) < 0) {
      st = h5_fail(out, "creating the file", err);
    }
  }
  if (make >= 0) {
    (void)H5Pclose(make);
  }
  if (access >= 0) {
    (void)H5Pclose(access);
  }
  if (st != STATUS_OK) {
    close_disk(out);
    give_back(out);
  }
  return st;
}

status h5_check(const struct h5 *h, struct error *err) {
  if (!h->disk->code) {
    return STATUS_OK;
  }
  errno = h->disk->code;
  return err_errno(err, STATUS_IO, "%s", h->path);
}

/* Behind the last byte of the file, whose checksum is made from the disk. */
static status add_seal(const struct h5 *h, struct error *err) {
  size_t size = (size_t)h->disk->end;
  unsigned char seal[SEAL_BYTES];
  struct map map;
  TRY(map_open(&map, h->temporary, err));
  bool whole = map.size == size;
  if (whole) {
    seal_make(map.at, size, seal);
  }
  map_close(&map);
  if (!whole) {
    return err_at(err, STATUS_IO, h->temporary, 0, "is not of the length that was written");
  }
  if (pwrite(h->disk->fd, seal, sizeof seal, (off_t)size) != (ssize_t)sizeof seal) {
    return err_errno(err, STATUS_IO, "%s", h->path);
  }
  return STATUS_OK;
}

status h5_publish(const struct h5 *h, struct error *err) {
  if (H5Fflush(h->file, H5F_SCOPE_GLOBAL) < 0) {
    return h5_fail(h, "the file's bytes", err);
  }
  TRY(h5_check(h, err));
  if (ftruncate(h->disk->fd, (off_t)h->disk->end) != 0) {
    return err_errno(err, STATUS_IO, "%s", h->path);
  }
  TRY(add_seal(h, err));
  TRY(file_publish(h->temporary, h->path, err));
  h->disk->detached = true;
  return STATUS_OK;
}

status h5_open(struct h5 *out, const char *path, struct error *err) {
  *out = (struct h5){.file = -1, .driver = -1, .path = path};
  TRY(seal_check(path, err));
  silence(out);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  (void)H5Pset_file_locking(access, 0, 1);
  if (H5Fis_hdf5(path) == 0) {
    (void)err_at(err, STATUS_INPUT, path, 0, "not an HDF5 file");
  } else if ((out->file = H5Fopen(path, H5F_ACC_RDONLY, access)) < 0) {
    (void)h5_fail(out, "opening the file", err);
    if (err) {
      err->code = STATUS_INPUT;
    }
  }
  if (access >= 0) {
    (void)H5Pclose(access);
  }
  if (out->file < 0) {
    give_back(out);
    return STATUS_INPUT;
  }
  return STATUS_OK;
}

void h5_close(struct h5 *h) {
  (void)H5Fclose(h->file);
  close_disk(h);
  give_back(h);
}

static hid_t parents(void) {
  hid_t links = H5Pcreate(H5P_LINK_CREATE);
  if (links >= 0) {
    (void)H5Pset_create_intermediate_group(links, 1);
  }
  return links;
}

status h5_group(const struct h5 *h, const char *place, struct error *err) {
  status st = STATUS_OK;
  hid_t links = parents(), make = H5Pcreate(H5P_GROUP_CREATE), group = -1;
  if (links < 0 || make < 0 || H5Pset_obj_track_times(make, 0) < 0 ||
      (group = H5Gcreate2(h->file, place, links, make, H5P_DEFAULT)) < 0) {
    st = h5_fail(h, place, err);
  }
  if (group >= 0) {
    (void)H5Gclose(group);
  }
  if (make >= 0) {
    (void)H5Pclose(make);
  }
  if (links >= 0) {
    (void)H5Pclose(links);
  }
  return st;
}

status h5_dataset(const struct h5 *h, const char *place, hid_t type, hid_t memory, int rank,
                  const hsize_t *dims, const void *fill, hid_t *out, struct error *err) {
  status st = STATUS_OK;
  hid_t links = parents(), make = H5Pcreate(H5P_DATASET_CREATE);
  hid_t space = H5Screate_simple(rank, dims, NULL), set = -1;
  if (links < 0 || make < 0 || space < 0 || H5Pset_obj_track_times(make, 0) < 0 ||
      (fill && H5Pset_fill_value(make, memory, fill) < 0) ||
      (set = H5Dcreate2(h->file, place, type, space, links, make, H5P_DEFAULT)) < 0) {
    st = h5_fail(h, place, err);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (make >= 0) {
    (void)H5Pclose(make);
  }
  if (links >= 0) {
    (void)H5Pclose(links);
  }
  *out = set;
  return st;
}

status h5_array(const struct h5 *h, const char *place, hid_t type, hid_t memory, int rank,
                const hsize_t *dims, const void *from, struct error *err) {
  hid_t set;
  TRY(h5_dataset(h, place, type, memory, rank, dims, NULL, &set, err));
  bool empty = false;
  for (int i = 0; i < rank; i++) {
    empty |= dims[i] == 0;
  }
  status st = STATUS_OK;
  if (!empty && H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, from) < 0) {
    st = h5_fail(h, place, err);
  }
  (void)H5Dclose(set);
  return st;
}

status h5_deflated(const struct h5 *h, const char *place, hsize_t rows, hsize_t cols,
                   const void *from, size_t size, struct error *err) {
  enum { LEVEL = 1 }; /* noted in the file for who recompresses; readers do not need it */
  const hsize_t dims[2] = {rows, cols}, first[2] = {0, 0};
  status st = STATUS_OK;
  hid_t links = parents(), make = H5Pcreate(H5P_DATASET_CREATE);
  hid_t space = H5Screate_simple(2, dims, NULL), set = -1;
  if (links < 0 || make < 0 || space < 0 || H5Pset_obj_track_times(make, 0) < 0 ||
      H5Pset_chunk(make, 2, dims) < 0 || H5Pset_deflate(make, LEVEL) < 0 ||
      (set = H5Dcreate2(h->file, place, H5T_STD_U8LE, space, links, make, H5P_DEFAULT)) < 0 ||
      H5Dwrite_chunk(set, H5P_DEFAULT, 0, first, size, from) < 0) {
    st = h5_fail(h, place, err);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (make >= 0) {
    (void)H5Pclose(make);
  }
  if (links >= 0) {
    (void)H5Pclose(links);
  }
  return st;
}

status h5_text_type(const struct h5 *h, size_t width, H5T_str_t padding, hid_t *out,
                    struct error *err) {
  hid_t type = H5Tcopy(H5T_C_S1);
  if (type < 0 || H5Tset_size(type, width) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0 ||
      H5Tset_strpad(type, padding) < 0) {
    status st = h5_fail(h, "a text type", err);
    if (type >= 0) {
      (void)H5Tclose(type);
    }
    return st;
  }
  *out = type;
  return STATUS_OK;
}

static status attribute(const struct h5 *h, const char *place, const char *name, hid_t type,
                        const void *value, struct error *err) {
  status st = STATUS_OK;
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t at =
      H5Acreate_by_name(h->file, place, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (at < 0 || H5Awrite(at, type, value) < 0) {
    st = h5_fail(h, name, err);
  }
  if (at >= 0) {
    (void)H5Aclose(at);
  }
  (void)H5Sclose(space);
  return st;
}

/* Of variable length: h5py shows such an attribute as str, and the text may pass 64 KiB. */
status h5_text_attribute(const struct h5 *h, const char *place, const char *name, const char *text,
                         struct error *err) {
  hid_t type;
  TRY(h5_text_type(h, H5T_VARIABLE, H5T_STR_NULLTERM, &type, err));
  status st = attribute(h, place, name, type, (const void *)&text, err);
  (void)H5Tclose(type);
  return st;
}

status h5_int_attribute(const struct h5 *h, const char *place, const char *name, int value,
                        struct error *err) {
  return attribute(h, place, name, H5T_NATIVE_INT, &value, err);
}

status h5_read_attribute(const struct h5 *h, const char *name, char **out, struct error *err) {
  hid_t at = H5Aopen(h->file, name, H5P_DEFAULT);
  if (at < 0) {
    return err_at(err, STATUS_INPUT, h->path, 0, "has no attribute '%s'", name);
  }
  status st = STATUS_OK;
  hid_t type = H5Aget_type(at), memory = -1;
  char *text = NULL;
  if (type < 0 || H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) <= 0) {
    st = err_at(err, STATUS_INPUT, h->path, 0, "attribute '%s' is no text", name);
  } else if ((st = h5_text_type(h, H5T_VARIABLE, H5T_STR_NULLTERM, &memory, err)) == STATUS_OK &&
             H5Aread(at, memory, (void *)&text) < 0) {
    st = h5_fail(h, name, err);
  }
  if (st == STATUS_OK) {
    st = mem_dup(out, text ? text : "", text ? strlen(text) : 0, err);
  }
  (void)H5free_memory(text);
  if (memory >= 0) {
    (void)H5Tclose(memory);
  }
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  (void)H5Aclose(at);
  return st;
}

status h5_link_name(const char *text, char **out, struct error *err) {
  TRY(mem_dup(out, *text ? text : "_", *text ? strlen(text) : 1, err));
  for (char *p = *out; *p; p++) {
    *p = *p == '/' ? ':' : *p;
  }
  if (strcmp(*out, ".") == 0) {
    **out = '_';
  }
  return STATUS_OK;
}
