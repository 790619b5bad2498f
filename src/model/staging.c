#include "model/staging.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

static bool is_dots(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static status check_empty(const char *path, struct error *err) {
  DIR *dir = opendir(path);
  if (!dir) {
    return err_errno(err, errno == ENOTDIR ? STATUS_INPUT : STATUS_IO, "%s", path);
  }
  struct dirent *entry;
  do {
    entry = readdir(dir);
  } while (entry && is_dots(entry->d_name));
  status st = STATUS_OK;
  if (entry) {
    st = err_at(err, STATUS_INPUT, path, 0, "not empty (expected a new or an empty folder)");
  }
  (void)closedir(dir);
  return st;
}

/* An existing folder is named by its real path: a rename does not follow links. */
static status resolve(const char *to, char **out, struct error *err) {
  struct stat s;
  if (stat(to, &s) == 0) {
    TRY(check_empty(to, err));
    *out = realpath(to, NULL);
    return *out ? STATUS_OK : err_errno(err, STATUS_IO, "%s", to);
  }
  size_t length = strlen(to);
  while (length > 1 && to[length - 1] == '/') {
    length--;
  }
  if (length == 0) {
    return err_set(err, STATUS_INPUT, "the output folder's name is empty");
  }
  TRY(mem_dup(out, to, length, err));
  if (lstat(*out, &s) == 0) {
    return err_at(err, STATUS_INPUT, *out, 0, "a link to nowhere (expected a new folder)");
  }
  return STATUS_OK;
}

static status make_beside(const char *parent, const char *target, char **out, struct error *err) {
  enum { ATTEMPTS = 100 };
  for (int i = 0; i < ATTEMPTS; i++) {
    TRY(str_format(out, err, "%s/.%s.%ld-%d.tmp", parent, path_base(target), (long)getpid(), i));
    if (mkdir(*out, 0777) == 0) {
      return STATUS_OK;
    }
    int number = errno;
    free(*out);
    *out = NULL;
    if (number != EEXIST) {
      errno = number;
      return err_errno(err, STATUS_IO, "%s: no folder can be made here", parent);
    }
  }
  return err_at(err, STATUS_IO, parent, 0, "too many unfinished folders .%s.*.tmp",
                path_base(target));
}

status staging_open(struct staging *out, const char *to, struct error *err) {
  *out = (struct staging){0};
  char *parent = NULL;
  status st;
  TRY_GOTO(st, done, resolve(to, &out->target, err));
  TRY_GOTO(st, done, path_dir(&parent, out->target, err));
  if (!file_is_dir(parent)) {
    st = err_at(err, STATUS_INPUT, parent, 0, "no such folder (%s would be put there)",
                path_base(out->target));
    goto done;
  }
  st = make_beside(parent, out->target, &out->folder, err);
done:
  free(parent);
  if (st != STATUS_OK) {
    staging_abandon(out);
  }
  return st;
}

static void remove_files(const char *folder) {
  DIR *dir = opendir(folder);
  struct dirent *entry;
  while (dir && (entry = readdir(dir))) {
    if (!is_dots(entry->d_name)) {
      (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
  }
  if (dir) {
    (void)closedir(dir);
  }
  (void)rmdir(folder);
}

void staging_abandon(struct staging *s) {
  if (s->folder) {
    remove_files(s->folder);
  }
  free(s->folder);
  free(s->target);
  *s = (struct staging){0};
}

status staging_publish(struct staging *s, struct error *err) {
  status st = file_publish(s->folder, s->target, err);
  if (st == STATUS_OK) {
    free(s->folder);
    s->folder = NULL;
  }
  staging_abandon(s);
  return st;
}
