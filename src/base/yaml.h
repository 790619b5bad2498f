/* YAML with line numbers: the files a user writes, read strictly. libyaml's events become a tree;
 * anchors, tags and a second document are refused, and so is a key that stands twice in a map. */
#ifndef ESPALIER_BASE_YAML_H
#define ESPALIER_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml {
  enum yaml_kind kind;
  long line;   /* counted from 1 */
  char *text;  /* YAML_TEXT: as written, quotes and escapes resolved */
  bool quoted; /* YAML_TEXT: in quotes or a block, so never a number, bool or null */
  size_t count;
  struct yaml *items; /* [count] list items, or map values */
  struct yaml *keys;  /* [count] map keys (YAML_TEXT) */
};

struct yaml_file {
  char *path;  /* as messages name it */
  char *bytes; /* the file as read: provenance */
  size_t size;
  struct yaml root; /* a map */
};

/* Reads a file whose root is a map. The caller closes it with yaml_close. */
status yaml_open(struct yaml_file *out, const char *path, struct error *err);
void yaml_close(struct yaml_file *file);

/* Worth STATUS_INPUT, with "file:line: ..." of a node. */
void yaml_fail_text(const struct yaml_file *file, const struct yaml *node, struct error *err,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
#define yaml_fail(file, node, err, ...)                                                            \
  ({                                                                                               \
    yaml_fail_text((file), (node), (err), __VA_ARGS__);                                            \
    STATUS_INPUT;                                                                                  \
  })

/* The value behind a key of a map, or NULL. A null value ("key:" with nothing, ~ or null) is NULL.
 */
const struct yaml *yaml_get(const struct yaml *map, const char *key);
bool yaml_is_null(const struct yaml *node);

/* Refuses a node that is not a map, and keys that are not among names [count], suggesting the
 * nearest; `what` names the map in the message ("a task file"). */
status yaml_check_keys(const struct yaml_file *file, const struct yaml *map, const char *what,
                       const char *const *names, size_t count, struct error *err);

/* A scalar of the wanted type or a refusal that says what was expected; `what` names the key. The
 * text belongs to the file. */
status yaml_text(const struct yaml_file *file, const struct yaml *node, const char *what,
                 const char **out, struct error *err);
status yaml_int(const struct yaml_file *file, const struct yaml *node, const char *what, long low,
                long high, long *out, struct error *err);
status yaml_double(const struct yaml_file *file, const struct yaml *node, const char *what,
                   double low, double high, double *out, struct error *err);
status yaml_bool(const struct yaml_file *file, const struct yaml *node, const char *what, bool *out,
                 struct error *err);

/* Index of the scalar among names [count], or a refusal that lists or suggests them. */
status yaml_choice(const struct yaml_file *file, const struct yaml *node, const char *what,
                   const char *const *names, size_t count, int *out, struct error *err);

#endif
