/* Inside of calib/: a calibration file as read, its documents tokenised, and the samplers' table.
 */
#ifndef ESPALIER_CALIB_SET_H
#define ESPALIER_CALIB_SET_H

#include <cjson/cJSON.h>

#include "calib/calib.h"
#include "data/template.h"

enum source_kind {
  SOURCE_FIELD,    /* one field of each line is the document's text */
  SOURCE_TEMPLATE, /* {{field}} template over each line */
  SOURCE_IDS,      /* one field of each line is a list of token ids */
  SOURCE_TASK,     /* a task's prompts */
};

struct sampler {
  const char *name;
  bool joins;       /* takes the key `join` */
  const char *join; /* its default */
  /* Appends draw->samples sequences to *out. */
  status (*draw)(struct pool *pool, const struct draw *draw, struct sequences *out,
                 struct error *err);
};

/* Names of the table into out [room]; returns how many. */
enum { SAMPLERS_MOST = 8 };
size_t samplers_names(const char *out[], size_t room);
const struct sampler *sampler_find(const char *name); /* NULL when there is none */

struct calibration {
  char *name, *data;
  enum source_kind source;
  char *text;              /* the field's name or the template */
  char *file;              /* that says so, for messages */
  struct arena *arena;     /* owns parsed */
  struct template *parsed; /* of a field or a template */
  struct task *task;       /* SOURCE_TASK */
  bool answers;            /* SOURCE_TASK: prompts with their gold answers */
  const struct sampler *sampler;
  char *join;
};

/* One document; ids come when they are first asked for. */
struct document {
  char *text; /* NULL: given as ids */
  long line;  /* of the data file */
  struct ids ids;
  bool tokenised;
};

struct pool {
  const struct calibration *set;
  const struct tokenizer *tokenizer;
  int vocab, positions; /* of the model */
  struct document *documents;
  size_t count, cap;
  struct ids all; /* what a sampler joined, kept for its next draw */
  bool joined;
};

/* Reads the set's documents. */
status documents_read(struct pool *pool, struct error *err);

/* The document's ids, tokenised with the template's special tokens. Ids beyond the vocabulary are
 * refused with file and line. */
status pool_document(struct pool *pool, size_t i, const struct ids **out, struct error *err);

/* Refuses ids outside of 0 .. vocab - 1. */
status ids_check(const struct ids *ids, int vocab, const char *path, long line, struct error *err);

/* Appends a JSON list of ids; `field` names it in refusals. */
status ids_from_json(const cJSON *list, const char *field, const char *path, long line,
                     struct ids *out, struct error *err);

/* "calibration set NAME needs ...; FILE has ..." */
status pool_too_small(const struct pool *pool, const struct draw *draw, size_t tokens,
                      size_t windows, struct error *err);

extern const struct sampler sampler_random_window, sampler_concatenate, sampler_packed,
    sampler_lines;

#endif
