/* Tasks: a YAML file that says how a data set becomes contexts and continuations. */
#ifndef ESPALIER_DATA_TASK_H
#define ESPALIER_DATA_TASK_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/mem.h"

enum task_type {
  TASK_MULTIPLE_CHOICE,
  TASK_PERPLEXITY, /* texts joined, cut into windows: the pruning papers' */
  TASK_LAST_WORD,
  TASK_ROLLING, /* every document whole, in windows that cover it: lm-evaluation-harness's */
};

enum task_kind {
  TASK_SENTIMENT,
  TASK_SIMILARITY,
  TASK_INFERENCE,
  TASK_QUESTION_ANSWERING,
  TASK_TOPIC,
  TASK_LANGUAGE_MODELING,
};
const char *task_kind_name(enum task_kind kind); /* "question_answering" */

struct task; /* a loaded task file; opaque */

/* Where names are looked up; NULL-terminated lists, first hit wins. Owned by the caller. */
struct search {
  const char *const *configs; /* folders that hold tasks/, calibration/, models/, methods/ */
  const char *const *data;    /* folders that hold <name>/{train,test}.jsonl (ESPALIER_DATA) */
};

/* Loads configs/tasks/NAME.yaml, or NAME as a path. */
status task_open(struct task **out, const char *name, const struct search *search,
                 struct error *err);
void task_close(struct task *t);

const char *task_name(const struct task *t);
const char *task_file(const struct task *t); /* the YAML file */
const char *task_data(const struct task *t); /* the JSONL file it evaluates, resolved */
enum task_type task_type(const struct task *t);
enum task_kind task_kind(const struct task *t);
/* Metrics to report, NULL-terminated: "acc", "acc_norm", "perplexity". */
const char *const *task_metrics(const struct task *t);
/* Identity: digest of everything in the task file that determines its requests. */
const char *task_digest(const struct task *t);

/* One rendered document. Texts are NUL-terminated UTF-8. */
struct item {
  int doc;              /* 0-based line of the data file among its documents */
  long line;            /* its line in the file */
  int choices;          /* texts: 0 */
  int gold;             /* index into the choices; -1 when none matches (scored 0) */
  char **contexts;      /* [choices]: equal pointers when all share one */
  char **continuations; /* [choices], delimiter included */
  char **answers;       /* [choices]: the bare choice, whose characters acc_norm divides by */
  char *text;           /* TASK_PERPLEXITY, TASK_ROLLING: the document's text */
  char *counted;        /* TASK_ROLLING: the text whose words and bytes count */
};

struct items {
  struct item *at;
  size_t count;
  char data_digest[DIGEST_TEXT]; /* of the data file */
  void *arena;                   /* owns the texts */
};

/* Renders documents first .. first + limit - 1 (limit 0: all) with `shots` examples before each.
 * Refusals name file and line. */
status task_render(const struct task *t, int first, int limit, int shots, struct items *out,
                   struct error *err);
void items_free(struct items *items);

/* TASK_PERPLEXITY: what joins the documents' texts into one ("\n\n"). */
const char *task_join(const struct task *t);

#endif
