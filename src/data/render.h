/* One document through a task's templates. */
#ifndef ESPALIER_DATA_RENDER_H
#define ESPALIER_DATA_RENDER_H

#include "data/jsonl.h"
#include "data/task_parts.h"

/* A data file's lines that pass the task's `where`. */
struct documents {
  struct jsonl file;
  struct jsonl_line *at; /* [count], borrowed from file */
  size_t count;
};

/* limit: lines to read when the task has no `where`; 0: all. */
status documents_open(struct documents *out, const struct task *t, const char *path, size_t limit,
                      struct error *err);
void documents_close(struct documents *d);

/* What one document says, before delimiters and examples are added. */
struct rendered {
  size_t choices;
  int gold;
  char **contexts; /* [choices]; equal pointers when all share one */
  char **answers;  /* [choices] */
  char *text;      /* TASK_PERPLEXITY */
};

/* Texts go into the arena. */
status render_document(const struct task *t, const char *file, const struct jsonl_line *line,
                       struct arena *arena, struct rendered *out, struct error *err);

/* The task's description for a document, "" when it has none. */
status render_description(const struct task *t, const char *file, const struct jsonl_line *line,
                          struct arena *arena, char **out, struct error *err);

#endif
