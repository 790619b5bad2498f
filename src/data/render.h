/* One document through a task's templates. */
#ifndef ESPALIER_DATA_RENDER_H
#define ESPALIER_DATA_RENDER_H

#include "data/jsonl.h"
#include "data/task_parts.h"

/* A data file's documents that pass the task's `where`: its lines, or pages made of lines. */
struct documents {
  struct jsonl file;
  struct jsonl pages;    /* without pages: empty */
  struct jsonl_line *at; /* [count], borrowed from pages or file */
  size_t count;
};

/* limit: lines to read when every line is a document; 0: all. */
status documents_open(struct documents *out, const struct task *t, const char *path, size_t limit,
                      struct error *err);
void documents_close(struct documents *d);

/* What one document says, before delimiters and examples are added. */
struct rendered {
  size_t choices;
  int gold;
  char **contexts; /* [choices]; equal pointers when all share one */
  char **answers;  /* [choices] */
  char *text;      /* TASK_PERPLEXITY, TASK_ROLLING */
  char *counted;   /* TASK_ROLLING */
};

/* Texts go into the arena. */
status render_document(const struct task *t, const char *file, const struct jsonl_line *line,
                       struct arena *arena, struct rendered *out, struct error *err);

/* The task's description for a document, "" when it has none. */
status render_description(const struct task *t, const char *file, const struct jsonl_line *line,
                          struct arena *arena, char **out, struct error *err);

#endif
