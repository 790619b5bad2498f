/* A checksum behind a file's last byte, where HDF5 does not look: "espseal1" and the XXH3 (u64,
 * little-endian) of all before. HDF5 1.10 believes what it reads and may loop for ever over a
 * damaged file, so the seal is checked before HDF5 sees one. A program that changes the file
 * through HDF5 cuts the seal off, and such a file is read unchecked. */
#ifndef ESPALIER_STORE_SEAL_H
#define ESPALIER_STORE_SEAL_H

#include <stddef.h>

#include "base/error.h"

enum { SEAL_BYTES = 16 };

/* Writes the seal of from [size] to out. */
void seal_make(const unsigned char *from, size_t size, unsigned char out[SEAL_BYTES]);

/* STATUS_INPUT when the file has a seal that its bytes do not match, or cannot be read. */
status seal_check(const char *path, struct error *err);

#endif
