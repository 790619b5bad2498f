#include "store/seal.h"

#include <string.h>

#include "base/digest.h"
#include "base/file.h"

static const unsigned char mark[8] = {'e', 's', 'p', 's', 'e', 'a', 'l', '1'};

void seal_make(const unsigned char *from, size_t size, unsigned char out[SEAL_BYTES]) {
  uint64_t sum = digest_u64(from, size);
  memcpy(out, mark, sizeof mark);
  for (size_t i = 0; i < 8; i++) {
    out[sizeof mark + i] = (unsigned char)(sum >> (8 * i) & 0xff);
  }
}

status seal_check(const char *path, struct error *err) {
  struct map map;
  TRY(map_open(&map, path, err));
  status st = STATUS_OK;
  if (map.size >= SEAL_BYTES) {
    size_t size = map.size - SEAL_BYTES;
    unsigned char wanted[SEAL_BYTES];
    seal_make(map.at, size, wanted);
    if (memcmp(map.at + size, mark, sizeof mark) == 0 &&
        memcmp(map.at + size, wanted, SEAL_BYTES) != 0) {
      st = err_at(err, STATUS_INPUT, path, 0, "damaged (its checksum does not match its bytes)");
    }
  }
  map_close(&map);
  return st;
}
