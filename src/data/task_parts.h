/* What a task file becomes: shared by the files that read it and render it. */
#ifndef ESPALIER_DATA_TASK_PARTS_H
#define ESPALIER_DATA_TASK_PARTS_H

#include "base/yaml.h"
#include "data/task.h"
#include "data/template.h"

enum { TASK_INCLUDES = 8, TASK_METRICS = 12 };

struct field {
  const char *name;
  struct template *template;
};

/* A list of templates, or one whose value is the list. */
struct texts {
  struct template **at; /* [count] */
  size_t count;
  bool is_list; /* written as a list */
};

struct fewshot {
  bool exclude;          /* draw one more and drop the document under test */
  bool first;            /* the pool's first rows instead of a draw */
  const char *delimiter; /* behind each example */
  int shots;             /* fixed whatever is asked; -1: not fixed */
};

/* Documents made of several lines. */
struct pages {
  struct template *line;   /* what a line gives */
  struct template *starts; /* holds for the line that a document begins with; NULL: no pages */
  const char *join;        /* between lines */
};

struct task {
  struct arena *arena;
  struct yaml_file files[TASK_INCLUDES]; /* the task's own first, then what it includes */
  int file_count;
  const char *name, *data;
  const char *pool;          /* the few-shot examples' file; NULL: named but absent */
  struct origin pool_origin; /* of its name, for that refusal */
  const char *pool_name;
  enum task_type type;
  enum task_kind kind;
  const char *metrics[TASK_METRICS + 1];
  struct field *fields;
  size_t field_count;
  struct template *where, *label, *target, *text, *counted, *description; /* or NULL */
  struct texts context, choices;
  const char *delimiter, *join;
  bool shuffled; /* documents in the order of Random(0).shuffle instead of the file's */
  struct fewshot fewshot;
  struct pages pages;
  char digest[DIGEST_TEXT];
};

/* A key's value and the file that gives it; node is NULL when no file does. */
struct entry {
  const struct yaml_file *file;
  const struct yaml *node;
};
struct entry task_entry(const struct task *t, const char *key);

/* Opens a task file and what it includes; checks the keys of each. */
status task_load(struct task *t, const char *path, struct error *err);

/* Fills everything but the file names from the loaded files. */
status task_parse(struct task *t, struct error *err);

status task_identify(struct task *t, struct error *err);

#endif
