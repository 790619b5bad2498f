/* Digests: 128-bit XXH3 (libxxhash), the identity of files, token ids and cells. */
#ifndef ESPALIER_BASE_DIGEST_H
#define ESPALIER_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { DIGEST_TEXT = 33 }; /* 32 hexadecimal digits and a NUL */

/* A digest under way: zero-initialise, feed, finish (which frees it). Every field is fed with its
 * length, so that two lists of fields are equal only when every field is. */
struct digest {
  void *state;
};

status digest_feed(struct digest *d, const void *from, size_t bytes, struct error *err);
status digest_feed_text(struct digest *d, const char *text, struct error *err);
void digest_finish(struct digest *d, char out[DIGEST_TEXT]);

/* Digest of one buffer, and of one file's bytes. */
void digest_bytes(const void *from, size_t bytes, char out[DIGEST_TEXT]);
status digest_file(const char *path, char out[DIGEST_TEXT], struct error *err);

/* 64-bit checksum of one buffer (XXH3). */
uint64_t digest_u64(const void *from, size_t bytes);

#endif
