#include "store/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "store/pack.h"

static const char magic[8] = {'e', 's', 'p', 'j', 'r', 'n', 'l', '\n'};
enum { JOURNAL_VERSION = 1 };

/* *got < n only where the file ends. */
static status read_at(const struct frame_reader *r, void *to, size_t n, off_t offset, size_t *got,
                      struct error *err) {
  *got = 0;
  while (*got < n) {
    ssize_t part = pread(r->fd, (char *)to + *got, n - *got, offset + (off_t)*got);
    if (part < 0 && errno == EINTR) {
      continue;
    }
    if (part < 0) {
      return err_errno(err, STATUS_IO, "%s", r->path);
    }
    if (part == 0) {
      break;
    }
    *got += (size_t)part;
  }
  return STATUS_OK;
}

status frame_add_file_head(struct str *to, struct error *err) {
  TRY(str_add(to, magic, sizeof magic, err));
  TRY(pack_u32(to, JOURNAL_VERSION, err));
  return pack_u32(to, 0, err);
}

static status check_file_head(const struct frame_reader *r, const char *head, size_t got,
                              struct error *err) {
  struct str wanted = {0};
  TRY(frame_add_file_head(&wanted, err));
  status st = STATUS_OK;
  size_t n = got < sizeof magic ? got : sizeof magic;
  if (memcmp(head, wanted.at, n) != 0) {
    st = err_at(err, STATUS_INPUT, r->path, 0, "not a journal (left as it is)");
  } else if (memcmp(head, wanted.at, got) != 0) {
    st = err_at(err, STATUS_INPUT, r->path, 0,
                "a journal of another version (this program reads version %d)", JOURNAL_VERSION);
  }
  str_free(&wanted);
  return st;
}

status frame_start(struct frame_reader *r, int fd, const char *path, struct error *err) {
  *r = (struct frame_reader){.fd = fd, .path = path};
  struct stat s;
  if (fstat(fd, &s) != 0) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  if (!S_ISREG(s.st_mode)) {
    return err_at(err, STATUS_INPUT, path, 0, "not a regular file");
  }
  r->end = s.st_size;
  char head[FRAME_FILE_HEAD];
  size_t got;
  TRY(read_at(r, head, sizeof head, 0, &got, err));
  TRY(check_file_head(r, head, got, err));
  r->at = got == sizeof head ? FRAME_FILE_HEAD : 0;
  return STATUS_OK;
}

static uint64_t number(const char *at, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; i++) {
    value |= (uint64_t)(unsigned char)at[i] << (8 * i);
  }
  return value;
}

status frame_next(struct frame_reader *r, struct frame *out, bool *got, struct error *err) {
  *got = false;
  char head[FRAME_HEAD];
  size_t n;
  if (r->at == 0 || r->end - r->at < FRAME_HEAD + FRAME_SUM) {
    return STATUS_OK;
  }
  TRY(read_at(r, head, sizeof head, r->at, &n, err));
  size_t size = (size_t)number(head, 4), whole = FRAME_HEAD + size + FRAME_SUM;
  /* The length is checked against the file before it becomes an allocation. */
  if (n < sizeof head || (off_t)whole > r->end - r->at) {
    return STATUS_OK;
  }
  TRY(mem_reserve(&r->buffer.at, &r->buffer.cap, whole, 1, err));
  char *at = r->buffer.at;
  TRY(read_at(r, at, whole, r->at, &n, err));
  if (n < whole || digest_u64(at, whole - FRAME_SUM) != number(at + whole - FRAME_SUM, FRAME_SUM)) {
    return STATUS_OK;
  }
  uint64_t kind = number(at + 4, 4);
  if (kind > FRAME_RECORD) {
    return STATUS_OK;
  }
  *out = (struct frame){(enum frame_kind)kind, (double)number(at + 8, 8) / 1e6,
                        (const unsigned char *)at + FRAME_HEAD, size};
  r->at += (off_t)whole;
  *got = true;
  return STATUS_OK;
}

void frame_finish(struct frame_reader *r) {
  str_free(&r->buffer);
}

status frame_add(struct str *to, enum frame_kind kind, double time, const unsigned char *payload,
                 size_t size, struct error *err) {
  if (size > UINT32_MAX) {
    return err_set(err, STATUS_UNSUPPORTED, "a record of %zu bytes (at most 4 GiB)", size);
  }
  size_t first = to->count;
  TRY(pack_u32(to, (uint32_t)size, err));
  TRY(pack_u32(to, kind, err));
  TRY(pack_u64(to, (uint64_t)(time * 1e6), err));
  TRY(str_add(to, (const char *)payload, size, err));
  return pack_u64(to, digest_u64(to->at + first, to->count - first), err);
}

status frame_add_opened(struct str *to, double time, long pid, const char *host,
                        struct error *err) {
  struct str payload = {0};
  status st = pack_u64(&payload, (uint64_t)pid, err);
  if (st == STATUS_OK) {
    st = pack_text(&payload, host, strlen(host), err);
  }
  if (st == STATUS_OK) {
    st = frame_add(to, FRAME_OPENED, time, (unsigned char *)payload.at, payload.count, err);
  }
  str_free(&payload);
  return st;
}

status frame_read_opened(const struct frame *f, long *pid, char *host, size_t size,
                         struct error *err) {
  struct unpack left = {f->payload, f->size};
  uint64_t value;
  TRY(unpack_u64(&left, &value, err));
  *pid = (long)value;
  return unpack_text(&left, host, size, err);
}
