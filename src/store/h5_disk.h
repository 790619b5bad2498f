/* A new HDF5 file on disk, through a driver that never tells HDF5 of a refused write: HDF5 1.10
 * crashes at exit after one. What the disk refuses is kept in memory for HDF5 to read back, and the
 * writer learns of it here. */
#ifndef ESPALIER_STORE_H5_DISK_H
#define ESPALIER_STORE_H5_DISK_H

#include <hdf5.h>
#include <stdbool.h>

#include "base/error.h"

/* Bytes that the disk refused. */
struct h5_refused {
  haddr_t at;
  size_t size;
  unsigned char *bytes; /* [size] */
};

struct h5_disk {
  int fd;
  int code;                   /* errno of the first refusal, 0: none */
  haddr_t end;                /* behind the last byte that HDF5 has allocated */
  bool detached;              /* the file is finished: HDF5 writes no more */
  struct h5_refused *refused; /* [count], oldest first */
  size_t count, cap;
};

/* Makes a file-access property list that opens d, whose fd is open for reading and writing and
 * empty, under any name. *driver and *access are the caller's: H5FDunregister and H5Pclose, when
 * the file is closed. d stays where it is as long as HDF5 has the file. */
bool h5_disk_access(struct h5_disk *d, hid_t *driver, hid_t *access);

/* Frees what was refused; the descriptor stays the caller's. */
void h5_disk_free(struct h5_disk *d);

#endif
