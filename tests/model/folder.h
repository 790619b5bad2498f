/* Temporary folders and the files that tests put there. */
#ifndef ESPALIER_TESTS_MODEL_FOLDER_H
#define ESPALIER_TESTS_MODEL_FOLDER_H

#include <dirent.h>
#include <ftw.h>
#include <unistd.h>

#include "support.h"

enum { FOLDER_PATH = 1024 };

static inline int folder_remove_one(const char *path, const struct stat *s, int kind,
                                    struct FTW *at) {
  (void)s;
  (void)kind;
  (void)at;
  return remove(path);
}

static inline void folder_remove(const char *path) {
  (void)nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new folder's path into out; the caller removes it. */
static inline void folder_make(char out[FOLDER_PATH]) {
  const char *base = getenv("TMPDIR");
  (void)snprintf(out, FOLDER_PATH, "%s/espalier-test-XXXXXX", base && *base ? base : "/tmp");
  assert_non_null(mkdtemp(out));
}

static inline const char *folder_path(char out[FOLDER_PATH], const char *folder, const char *name) {
  (void)snprintf(out, FOLDER_PATH, "%.*s/%s", FOLDER_PATH / 2, folder, name);
  return out;
}

static inline void folder_put(const char *folder, const char *name, const void *from, size_t size) {
  char path[FOLDER_PATH];
  FILE *f = fopen(folder_path(path, folder, name), "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(from, 1, size, f), size);
  assert_int_equal(fclose(f), 0);
}

static inline void folder_text(const char *folder, const char *name, const char *text) {
  folder_put(folder, name, text, strlen(text));
}

/* A safetensors file of a header and `bytes` zeros. */
static inline void folder_tensors(const char *folder, const char *name, const char *header,
                                  size_t bytes) {
  char path[FOLDER_PATH];
  FILE *f = fopen(folder_path(path, folder, name), "wb");
  assert_non_null(f);
  uint64_t length = strlen(header);
  assert_int_equal(fwrite(&length, 1, sizeof length, f), sizeof length);
  assert_int_equal(fwrite(header, 1, length, f), length);
  for (size_t i = 0; i < bytes; i++) {
    assert_int_equal(fputc(0, f), 0);
  }
  assert_int_equal(fclose(f), 0);
}

/* The whole file, NUL-terminated; the caller frees it. */
static inline char *folder_get(const char *folder, const char *name, size_t *size) {
  char path[FOLDER_PATH];
  FILE *f = fopen(folder_path(path, folder, name), "rb");
  assert_non_null(f);
  assert_int_equal(fseek(f, 0, SEEK_END), 0);
  *size = (size_t)ftell(f);
  rewind(f);
  char *text = calloc(*size + 1, 1);
  assert_non_null(text);
  assert_int_equal(fread(text, 1, *size, f), *size);
  (void)fclose(f);
  return text;
}

/* Entries of a folder but "." and "..". */
static inline int folder_count(const char *folder) {
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  int count = -2;
  while (readdir(dir)) {
    count++;
  }
  (void)closedir(dir);
  return count;
}

#endif
