/* Files: whole reads, read-only maps, paths, and writes that appear whole or not at all. */
#ifndef ESPALIER_BASE_FILE_H
#define ESPALIER_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A file mapped read-only. An empty file has at == NULL and size 0. */
struct map {
  const unsigned char *at;
  size_t size; /* bytes */
};

status map_open(struct map *out, const char *path, struct error *err);
void map_close(struct map *map);

/* The whole file, NUL-terminated; "-" and "<stdin>" read standard input. The caller frees *out. */
status file_read(char **out, size_t *size, const char *path, struct error *err);

bool file_exists(const char *path);
bool file_is_dir(const char *path);

/* Writes size bytes to a temporary file beside path, syncs it and renames it over path: readers see
 * the old file or the new one. */
status file_write(const char *path, const void *from, size_t size, struct error *err);

/* Renames a finished temporary file onto path after syncing both it and its folder. */
status file_publish(const char *temporary, const char *path, struct error *err);

/* Makes a folder and those above it. */
status file_make_dirs(const char *path, struct error *err);

/* dir + "/" + name, or name alone when it is absolute or dir is empty. The caller frees *out. */
status path_join(char **out, const char *dir, const char *name, struct error *err);

/* The part of path before its last slash ("." when it has none). The caller frees *out. */
status path_dir(char **out, const char *path, struct error *err);

/* The part of path behind its last slash. */
const char *path_base(const char *path);

#endif
