/* A journal's bytes. The file starts with a header of 16: "espjrnl\n", version (u32), 0 (u32). Then
 * frames: payload length (u32), kind (u32), time in microseconds since 1970 (u64), payload, XXH3 of
 * all that (u64); numbers are little-endian. Kind 1 is a caller's record; kind 0 says who opened
 * the journal: pid (u64), host (text). */
#ifndef ESPALIER_STORE_FRAME_H
#define ESPALIER_STORE_FRAME_H

#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

enum { FRAME_FILE_HEAD = 16, FRAME_HEAD = 16, FRAME_SUM = 8 };
enum frame_kind { FRAME_OPENED = 0, FRAME_RECORD = 1 };

struct frame {
  enum frame_kind kind;
  double time; /* seconds since 1970 */
  const unsigned char *payload;
  size_t size; /* of the payload, bytes */
};

/* Reads an open journal from its start, frame by frame, into a buffer of its own. */
struct frame_reader {
  int fd;
  const char *path;
  off_t end; /* size of the file when it was opened */
  off_t at;  /* end of the last good frame; 0: the header itself is incomplete */
  struct str buffer;
};

/* Refuses a file that is no journal (STATUS_INPUT). One that is empty, or ends within the header,
 * is a journal without frames. */
status frame_start(struct frame_reader *r, int fd, const char *path, struct error *err);
/* *got is false behind the last good frame. The frame's payload is valid until the next call. */
status frame_next(struct frame_reader *r, struct frame *out, bool *got, struct error *err);
void frame_finish(struct frame_reader *r);

/* Appends the file's header, and one frame, to *to. */
status frame_add_file_head(struct str *to, struct error *err);
status frame_add(struct str *to, enum frame_kind kind, double time, const unsigned char *payload,
                 size_t size, struct error *err);

/* What FRAME_OPENED carries. */
status frame_add_opened(struct str *to, double time, long pid, const char *host, struct error *err);
status frame_read_opened(const struct frame *f, long *pid, char *host, size_t size,
                         struct error *err);

#endif
