#include "base/digest.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/file.h"

static void print(XXH128_hash_t h, char out[DIGEST_TEXT]) {
  (void)snprintf(out, DIGEST_TEXT, "%016llx%016llx", (unsigned long long)h.high64,
                 (unsigned long long)h.low64);
}

status digest_feed(struct digest *d, const void *from, size_t bytes, struct error *err) {
  if (!d->state) {
    d->state = XXH3_createState();
    if (!d->state) {
      return err_set(err, STATUS_MEMORY, "out of memory: a digest");
    }
    (void)XXH3_128bits_reset(d->state);
  }
  uint64_t length = bytes;
  (void)XXH3_128bits_update(d->state, &length, sizeof length);
  if (bytes) {
    (void)XXH3_128bits_update(d->state, from, bytes);
  }
  return STATUS_OK;
}

status digest_feed_text(struct digest *d, const char *text, struct error *err) {
  return digest_feed(d, text, strlen(text), err);
}

void digest_finish(struct digest *d, char out[DIGEST_TEXT]) {
  if (!d->state) {
    digest_bytes("", 0, out);
    return;
  }
  print(XXH3_128bits_digest(d->state), out);
  (void)XXH3_freeState(d->state);
  d->state = NULL;
}

void digest_bytes(const void *from, size_t bytes, char out[DIGEST_TEXT]) {
  print(XXH3_128bits(from, bytes), out);
}

status digest_file(const char *path, char out[DIGEST_TEXT], struct error *err) {
  struct map map;
  TRY(map_open(&map, path, err));
  digest_bytes(map.at, map.size, out);
  map_close(&map);
  return STATUS_OK;
}

uint64_t digest_u64(const void *from, size_t bytes) {
  return XXH3_64bits(from, bytes);
}
