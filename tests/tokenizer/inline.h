/* Small tokenizers written inside a test. JSON is written with ` for ", so that it stays readable
 * in C. */
#ifndef ESPALIER_TESTS_TOKENIZER_INLINE_H
#define ESPALIER_TESTS_TOKENIZER_INLINE_H

#include <unistd.h>

#include "base/str.h"
#include "support.h"
#include "tokenizer/tokenizer.h"

/* A copy with ` turned into "; the caller frees it. */
static inline char *inline_json(const char *text) {
  char *copy = strdup(text);
  assert_non_null(copy);
  for (char *p = copy; *p; p++) {
    *p = (char)(*p == '`' ? '"' : *p);
  }
  return copy;
}

static inline void inline_write(const char *folder, const char *name, const char *text) {
  char path[256];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
  assert_int_equal(fclose(f), 0);
}

static inline void inline_remove(const char *folder) {
  static const char *const names[] = {"tokenizer.json", "tokenizer_config.json"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    (void)unlink(path);
  }
  (void)rmdir(folder);
}

/* Opens tokenizers given as JSON (config may be NULL) from a folder that is gone afterwards. */
static inline status inline_open(struct tokenizer **out, const char *json, const char *config,
                                 struct error *err) {
  char folder[] = "/tmp/espalier-tokenizer-XXXXXX";
  assert_non_null(mkdtemp(folder));
  char *text = inline_json(json);
  inline_write(folder, "tokenizer.json", text);
  free(text);
  if (config) {
    text = inline_json(config);
    inline_write(folder, "tokenizer_config.json", text);
    free(text);
  }
  status st = tokenizer_open(out, folder, err);
  inline_remove(folder);
  return st;
}

/* The ids of a text as "1 2 3"; the caller frees them. */
static inline char *inline_ids(const struct tokenizer *t, const char *text, bool special) {
  struct ids ids = {0};
  struct str s = {0};
  struct error err;
  assert_ok(tokenizer_encode(t, text, strlen(text), special, &ids, &err));
  assert_ok(str_add(&s, "", 0, &err));
  for (size_t i = 0; i < ids.count; i++) {
    assert_ok(str_addf(&s, &err, "%s%d", i ? " " : "", ids.at[i]));
  }
  ids_free(&ids);
  return s.at;
}

#define assert_ids(tokenizer, text, special, wanted)                                               \
  do {                                                                                             \
    char *ids_ = inline_ids((tokenizer), (text), (special));                                       \
    assert_string_equal(ids_, (wanted));                                                           \
    free(ids_);                                                                                    \
  } while (0)

#endif
