#include "calib/lookup.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { LISTED = 24 }; /* so many names are still readable in one line */

status lookup_config(char **out, const struct search *search, const char *kind, const char *name,
                     struct error *err) {
  *out = NULL;
  if (!search->configs || strchr(name, '/') || name[0] == '\0') {
    return STATUS_OK;
  }
  for (const char *const *folder = search->configs; *folder; folder++) {
    char *path;
    TRY(str_format(&path, err, "%s/%s/%s.yaml", *folder, kind, name));
    if (file_exists(path) && !file_is_dir(path)) {
      *out = path;
      return STATUS_OK;
    }
    free(path);
  }
  return STATUS_OK;
}

status names_add(struct names *names, const char *name, struct error *err) {
  for (size_t i = 0; i < names->count; i++) {
    if (strcmp(names->at[i], name) == 0) {
      return STATUS_OK;
    }
  }
  TRY(mem_reserve(&names->at, &names->cap, names->count + 1, sizeof *names->at, err));
  TRY(mem_dup(&names->at[names->count], name, strlen(name), err));
  names->count++;
  return STATUS_OK;
}

void names_free(struct names *names) {
  for (size_t i = 0; i < names->count; i++) {
    free(names->at[i]);
  }
  free(names->at);
  *names = (struct names){0};
}

/* Entries of a folder in alphabetical order, so that suggestions do not depend on the disk. */
static status add_entries(struct names *names, const char *folder, bool want_yaml,
                          struct error *err) {
  struct dirent **entries = NULL;
  int count = scandir(folder, &entries, NULL, alphasort);
  status st = STATUS_OK;
  for (int i = 0; i < count; i++) {
    char *name = entries[i]->d_name;
    if (st == STATUS_OK && name[0] != '.') {
      if (!want_yaml) {
        st = names_add(names, name, err);
      } else if (str_ends(name, ".yaml")) {
        name[strlen(name) - strlen(".yaml")] = '\0';
        st = names_add(names, name, err);
      }
    }
    free(entries[i]);
  }
  free(entries);
  return st;
}

status names_add_configs(struct names *names, const struct search *search, const char *kind,
                         struct error *err) {
  for (const char *const *folder = search->configs; folder && *folder; folder++) {
    char *path;
    TRY(str_format(&path, err, "%s/%s", *folder, kind));
    status st = add_entries(names, path, true, err);
    free(path);
    TRY(st);
  }
  return STATUS_OK;
}

status names_add_folders(struct names *names, const char *const *folders, struct error *err) {
  for (; folders && *folders; folders++) {
    TRY(add_entries(names, *folders, false, err));
  }
  return STATUS_OK;
}

status names_suggest(const struct names *names, const char *word, struct str *out,
                     struct error *err) {
  TRY(str_add(out, "", 0, err));
  if (names->count == 0) {
    return STATUS_OK;
  }
  int near = str_nearest(word, (const char *const *)names->at, names->count);
  if (near >= 0) {
    return str_addf(out, err, " (did you mean '%s'?)", names->at[near]);
  }
  if (names->count > LISTED) {
    return STATUS_OK;
  }
  TRY(str_addf(out, err, " (expected one of: "));
  for (size_t i = 0; i < names->count; i++) {
    TRY(str_addf(out, err, "%s%s", i ? ", " : "", names->at[i]));
  }
  return str_addf(out, err, ")");
}
