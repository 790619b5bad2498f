#include "store/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

status guard_length(int fd, const char *path, off_t end, struct error *err) {
  struct stat s;
  if (fstat(fd, &s) != 0) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  if (s.st_size != end) {
    return err_at(err, STATUS_IO, path, 0,
                  "was changed by somebody else while this run wrote it (is another run on the "
                  "same results file?)");
  }
  return STATUS_OK;
}

static status copy(int from, int to, const char *path, struct error *err) {
  char part[65536];
  for (off_t at = 0;;) {
    ssize_t n = pread(from, part, sizeof part, at);
    if (n == 0) {
      break;
    }
    if (n < 0 || pwrite(to, part, (size_t)n, at) != n) {
      return err_errno(err, STATUS_IO,
                       "%s: was deleted while a run wrote it, and cannot be put back", path);
    }
    at += n;
  }
  return fsync(to) == 0 ? STATUS_OK : err_errno(err, STATUS_IO, "%s", path);
}

static status put_back(int fd, const char *path, struct error *err) {
  char *dir;
  TRY(path_dir(&dir, path, err));
  status st = file_make_dirs(dir, err);
  free(dir);
  TRY_WITH(err, st, "%s: was deleted while a run wrote it, and cannot be put back", path);
  int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (to < 0) {
    return err_errno(err, STATUS_IO, "%s: was deleted while a run wrote it, and cannot be put back",
                     path);
  }
  st = copy(fd, to, path, err);
  (void)close(to);
  TRY(st);
  return err_at(err, STATUS_IO, path, 0,
                "was deleted while a run wrote it; it is there again with all that is finished "
                "(start the run again to carry on)");
}

status guard_name(int fd, const char *path, struct error *err) {
  struct stat mine, named;
  if (fstat(fd, &mine) != 0) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  if (stat(path, &named) != 0) {
    return errno == ENOENT ? put_back(fd, path, err) : err_errno(err, STATUS_IO, "%s", path);
  }
  if (mine.st_dev != named.st_dev || mine.st_ino != named.st_ino) {
    return err_at(err, STATUS_IO, path, 0,
                  "was replaced by another file while a run wrote it (what this run finished since "
                  "is lost)");
  }
  return STATUS_OK;
}
