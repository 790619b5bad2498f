#include "base/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static status map_file(struct mapping *m, const char *folder, const char *what, struct error *err) {
  char *path;
  TRY(path_join(&path, folder, "espalier-scratch-XXXXXX", err));
  status st = STATUS_OK;
  int fd = mkostemp(path, O_CLOEXEC);
  if (fd < 0) {
    st = err_errno(err, STATUS_IO, "%s: no scratch file", folder);
  } else {
    (void)unlink(path);
    void *at = MAP_FAILED;
    /* Allocated whole: a full disk is an error here rather than a signal at some later write. */
    errno = posix_fallocate(fd, 0, (off_t)m->bytes);
    if (errno == 0) {
      at = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (at == MAP_FAILED) {
      st = err_errno(err, STATUS_IO, "%s: %zu bytes of scratch for %s", folder, m->bytes, what);
    } else {
      m->at = at;
    }
    (void)close(fd);
  }
  free(path);
  return st;
}

static status map_memory(struct mapping *m, const char *what, struct error *err) {
  void *at = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    return err_errno(err, STATUS_MEMORY, "%zu bytes of %s", m->bytes, what);
  }
  m->at = at;
  return STATUS_OK;
}

status mapping_open(struct mapping *out, size_t bytes, const char *folder, const char *what,
                    struct error *err) {
  struct mapping m = {.bytes = bytes};
  TRY(folder ? map_file(&m, folder, what, err) : map_memory(&m, what, err));
  *out = m;
  return STATUS_OK;
}

static status map_shared(struct mapping *m, int fd, const char *what, struct error *err) {
  void *at = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) {
    return err_errno(err, STATUS_MEMORY, "%zu bytes of shared %s", m->bytes, what);
  }
  m->at = at;
  return STATUS_OK;
}

status mapping_share(struct mapping *out, struct mapping_ticket *ticket, size_t bytes,
                     const char *what, struct error *err) {
  struct mapping m = {.bytes = bytes};
  struct stat s;
  int fd = memfd_create("espalier", MFD_CLOEXEC);
  if (fd < 0) {
    return err_errno(err, STATUS_IO, "no shared memory for %s", what);
  }
  status st = STATUS_OK;
  if (ftruncate(fd, (off_t)bytes) != 0 || fstat(fd, &s) != 0) {
    st = err_errno(err, STATUS_MEMORY, "%zu bytes of shared %s", bytes, what);
  } else {
    st = map_shared(&m, fd, what, err);
  }
  if (st != STATUS_OK) {
    (void)close(fd);
    return st;
  }
  *ticket = (struct mapping_ticket){getpid(), s.st_dev, s.st_ino, bytes, fd};
  *out = m;
  return STATUS_OK;
}

/* The process's number may mean another one here, and its descriptor another file. */
static bool is_meant(const char *path, const struct mapping_ticket *t) {
  struct stat s;
  return stat(path, &s) == 0 && s.st_dev == t->device && s.st_ino == t->inode && s.st_size >= 0 &&
         (uint64_t)s.st_size == t->bytes;
}

status mapping_join(struct mapping *out, const struct mapping_ticket *ticket, const char *what,
                    struct error *err) {
  struct mapping m = {.bytes = (size_t)ticket->bytes};
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/%lld/fd/%d", (long long)ticket->process,
                 (int)ticket->file);
  if (!is_meant(path, ticket)) {
    return err_set(err, STATUS_IO, "%s: not the shared %s", path, what);
  }
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    return err_errno(err, STATUS_IO, "%s: shared %s", path, what);
  }
  status st = map_shared(&m, fd, what, err);
  (void)close(fd);
  if (st == STATUS_OK) {
    *out = m;
  }
  return st;
}

void mapping_close(struct mapping *m) {
  if (m->at) {
    (void)munmap(m->at, m->bytes);
  }
  *m = (struct mapping){0};
}

void mapping_drop(const struct mapping *m) {
  mapping_drop_behind(m, 0);
}

void mapping_drop_behind(const struct mapping *m, size_t keep) {
  size_t page = (size_t)sysconf(_SC_PAGE_SIZE), from = (keep + page - 1) / page * page;
  if (from < m->bytes) {
    (void)madvise((char *)m->at + from, m->bytes - from, MADV_DONTNEED);
  }
}
