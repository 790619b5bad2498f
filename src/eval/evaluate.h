/* Evaluating a model on a task: requests prepared once per (task, tokenizer), scored per variant,
 * aggregated with lm-evaluation-harness's metrics. */
#ifndef ESPALIER_EVAL_EVALUATE_H
#define ESPALIER_EVAL_EVALUATE_H

#include "base/sequences.h"
#include "data/task.h"
#include "eval/request.h"

struct evalset; /* a task's documents, tokenised for one model; immutable */

struct evalset_options {
  int limit;   /* documents; 0: all */
  int windows; /* perplexity: most windows; 0: all */
  int shots;   /* few-shot examples */
  int length;  /* tokens per window; 0: the model's positions, for perplexity at most 2048 */
  bool bos;    /* prompts and rolling texts get the tokenizer's template too; perplexity texts
                  always do, once */
  bool spans;  /* choices: requests keep where their ids come from (struct requests) */
};

/* Renders and tokenises. Choices are requests with lm-evaluation-harness's semantics; perplexity is
 * the pruning papers': texts joined, tokenised once, cut into disjoint windows, the tail dropped.
 * Rolling texts are tokenised one by one and scored to the last token (requests_add_rolling).
 * The task must outlive the set. Refusals name the data file and line. */
status evalset_create(struct evalset **out, const struct task *task, const struct tokenizer *t,
                      const struct model *m, const struct evalset_options *options,
                      struct error *err);
void evalset_free(struct evalset *e);
const char *evalset_data_digest(const struct evalset *e); /* of the data file it was made from */
/* What a model reads of each item: context and gold continuation (the first where there is no
 * gold), or a text's windows. Free *out with sequences_free, also after a failure. */
status evalset_sequences(const struct evalset *e, struct sequences *out, struct error *err);
size_t evalset_items(const struct evalset *e);
size_t evalset_tokens(const struct evalset *e);  /* tokens a pass computes */
size_t evalset_queries(const struct evalset *e); /* vocabulary projections of a pass */

enum { METRIC_NAME = 24 };

struct metric {
  char name[METRIC_NAME];
  double value;
  double stderr_; /* NaN where there is none */
  int64_t items;
};

/* Per-item results; what paired tests need. */
struct eval_result {
  struct metric *metrics; /* [metric_count] */
  size_t metric_count;
  int64_t items;         /* documents, or windows for perplexity */
  int choices;           /* most choices of an item; 1 for texts */
  float *loglikelihoods; /* [items][choices], NaN behind an item's last choice; texts: the
                            window's or document's summed log-likelihood */
  int32_t *gold;         /* [items]; -1 without one */
  int8_t *correct;       /* [items]: acc of the item; -1 where it has no meaning */
  int8_t *correct_norm;  /* [items]: acc_norm of the item; -1 likewise */
};

/* Scores every request and aggregates. Every rank of the group gets the result, which the caller
 * frees with eval_result_free. progress as in requests_score. */
status evalset_evaluate(const struct evalset *e, struct runner *runner, const struct model *m,
                        const struct group *group,
                        status (*progress)(void *user, double done, struct error *err),
                        void *progress_user, struct eval_result *out, struct error *err);
void eval_result_free(struct eval_result *r);

#endif
