#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

status map_open(struct map *out, const char *path, struct error *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  struct stat s;
  status st = STATUS_OK;
  struct map map = {0};
  if (fstat(fd, &s) != 0) {
    st = err_errno(err, STATUS_IO, "%s", path);
  } else if (!S_ISREG(s.st_mode)) {
    st = err_at(err, STATUS_INPUT, path, 0, "not a regular file");
  } else if (s.st_size > 0) {
    void *at = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) {
      st = err_errno(err, STATUS_IO, "%s", path);
    } else {
      map = (struct map){at, (size_t)s.st_size};
    }
  }
  (void)close(fd);
  if (st == STATUS_OK) {
    *out = map;
  }
  return st;
}

void map_close(struct map *map) {
  if (map->at) {
    (void)munmap((void *)map->at, map->size);
  }
  *map = (struct map){0};
}

status file_read(char **out, size_t *size, const char *path, struct error *err) {
  bool standard = strcmp(path, "-") == 0 || strcmp(path, "<stdin>") == 0;
  FILE *f = standard ? stdin : fopen(path, "rb");
  if (!f) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  struct str s = {0};
  char part[65536];
  status st = str_add(&s, "", 0, err);
  while (st == STATUS_OK) {
    size_t n = fread(part, 1, sizeof part, f);
    if (n == 0) {
      if (ferror(f)) {
        st = err_errno(err, STATUS_IO, "%s", standard ? "<stdin>" : path);
      }
      break;
    }
    st = str_add(&s, part, n, err);
  }
  if (!standard) {
    (void)fclose(f);
  }
  if (st != STATUS_OK) {
    str_free(&s);
    return st;
  }
  *out = s.at;
  *size = s.count;
  return STATUS_OK;
}

bool file_exists(const char *path) {
  struct stat s;
  return stat(path, &s) == 0;
}

bool file_is_dir(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static status sync_path(const char *path, int flags, struct error *err) {
  int fd = open(path, flags | O_CLOEXEC);
  if (fd < 0) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  int failed = fsync(fd);
  int number = errno;
  (void)close(fd);
  errno = number;
  /* Some file systems cannot sync a folder and say EINVAL: nothing is lost that they could keep. */
  if (failed && number != EINVAL) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  return STATUS_OK;
}

status file_publish(const char *temporary, const char *path, struct error *err) {
  TRY(sync_path(temporary, O_RDONLY, err));
  if (rename(temporary, path) != 0) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  char *dir;
  TRY(path_dir(&dir, path, err));
  status st = sync_path(dir, O_RDONLY | O_DIRECTORY, err);
  free(dir);
  return st;
}

static status write_all(int fd, const char *from, size_t size, const char *path,
                        struct error *err) {
  while (size > 0) {
    ssize_t n = write(fd, from, size);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return err_errno(err, STATUS_IO, "%s", path);
    }
    from += n;
    size -= (size_t)n;
  }
  return STATUS_OK;
}

status file_write(const char *path, const void *from, size_t size, struct error *err) {
  char *temporary;
  /* one name for all tries: what a killed run leaves is overwritten by the next */
  TRY(str_format(&temporary, err, "%s.tmp", path));
  status st = STATUS_OK;
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) {
    st = err_errno(err, STATUS_IO, "%s", path);
  } else {
    st = write_all(fd, from, size, path, err);
    if (close(fd) != 0 && st == STATUS_OK) {
      st = err_errno(err, STATUS_IO, "%s", path);
    }
    if (st == STATUS_OK) {
      st = file_publish(temporary, path, err);
    }
    if (st != STATUS_OK) {
      (void)unlink(temporary);
    }
  }
  free(temporary);
  return st;
}

status file_make_dirs(const char *path, struct error *err) {
  char *copy;
  TRY(mem_dup(&copy, path, strlen(path), err));
  status st = STATUS_OK;
  for (char *p = copy + 1; st == STATUS_OK && *copy; p++) {
    if (*p == '/' || *p == '\0') {
      char kept = *p;
      *p = '\0';
      if (mkdir(copy, 0777) != 0 && !file_is_dir(copy)) {
        st = err_errno(err, STATUS_IO, "%s", copy);
      }
      *p = kept;
      if (kept == '\0') {
        break;
      }
    }
  }
  free(copy);
  return st;
}

status path_join(char **out, const char *dir, const char *name, struct error *err) {
  if (name[0] == '/' || dir[0] == '\0') {
    return mem_dup(out, name, strlen(name), err);
  }
  return str_format(out, err, "%s%s%s", dir, str_ends(dir, "/") ? "" : "/", name);
}

status path_dir(char **out, const char *path, struct error *err) {
  const char *slash = strrchr(path, '/');
  if (!slash) {
    return mem_dup(out, ".", 1, err);
  }
  return mem_dup(out, path, slash == path ? 1 : (size_t)(slash - path), err);
}

const char *path_base(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}
