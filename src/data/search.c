#include "data/search.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

/* *out = first folder/[room/]name[.yaml] that exists, or NULL. */
static status first_hit(char **out, const char *const *folders, const char *format,
                        const char *room, const char *name, struct error *err) {
  *out = NULL;
  for (; folders && *folders; folders++) {
    char *path;
    TRY(room ? str_format(&path, err, "%s/%s/%s%s", *folders, room, name, format)
             : str_format(&path, err, "%s/%s%s", *folders, name, format));
    if (file_exists(path) && !file_is_dir(path)) {
      *out = path;
      return STATUS_OK;
    }
    free(path);
  }
  return STATUS_OK;
}

/* Sets *best to the name in folder/room nearest to `name` when it is one to suggest. */
static void suggest(const char *folder, const char *room, const char *name, char *best,
                    size_t size) {
  char *path;
  if (str_format(&path, NULL, "%s/%s", folder, room) != STATUS_OK) {
    return;
  }
  DIR *dir = opendir(path);
  free(path);
  for (struct dirent *entry; dir && (entry = readdir(dir));) { /* NOLINT(concurrency-mt-unsafe) */
    size_t n = strlen(entry->d_name);
    if (n < 6 || n - 5 >= size || !str_ends(entry->d_name, ".yaml")) {
      continue;
    }
    char here[256];
    memcpy(here, entry->d_name, n - 5);
    here[n - 5] = '\0';
    const char *names[] = {here, best};
    if (str_nearest(name, names, *best ? 2 : 1) == 0) {
      memcpy(best, here, n - 4);
    }
  }
  if (dir) {
    (void)closedir(dir);
  }
}

status search_config(char **out, const struct search *search, const char *room, const char *what,
                     const char *name, struct error *err) {
  TRY(first_hit(out, search->configs, ".yaml", room, name, err));
  if (*out) {
    return STATUS_OK;
  }
  if (file_exists(name) && !file_is_dir(name)) {
    return str_format(out, err, "%s", name);
  }
  char best[256] = "";
  for (const char *const *folder = search->configs; folder && *folder; folder++) {
    suggest(*folder, room, name, best, sizeof best);
  }
  if (*best) {
    return err_set(err, STATUS_INPUT, "no %s '%s' (did you mean '%s'?)", what, name, best);
  }
  return err_set(err, STATUS_INPUT, "no %s '%s' (expected a name under configs/%s or a file)", what,
                 name, room);
}

status search_data(char **out, const struct search *search, const char *name, const char *beside,
                   struct error *err) {
  *out = NULL;
  if (name[0] != '/') {
    TRY(first_hit(out, search->data, "", NULL, name, err));
  }
  if (*out) {
    return STATUS_OK;
  }
  char *dir, *path;
  TRY(path_dir(&dir, beside, err));
  status st = path_join(&path, dir, name, err);
  free(dir);
  TRY(st);
  if (file_exists(path) && !file_is_dir(path)) {
    *out = path;
    return STATUS_OK;
  }
  free(path);
  return STATUS_OK;
}
