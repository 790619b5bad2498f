/* What an evalset holds: shared by the files that make, score and aggregate it. */
#ifndef ESPALIER_EVAL_EVALSET_H
#define ESPALIER_EVAL_EVALSET_H

#include "eval/evaluate.h"

struct evalset {
  const struct task *task; /* borrowed */
  struct requests requests;
  size_t items;       /* documents, or windows */
  size_t *first;      /* [items + 1]: item i is requests first[i] up to first[i + 1] */
  int32_t *gold;      /* [items] */
  double *points;     /* [requests]: code points of the bare choice */
  double *bytes;      /* [requests]: its UTF-8 bytes */
  double *words;      /* [items], rolling: words of the text that counts */
  double *text_bytes; /* [items], rolling: its UTF-8 bytes */
  size_t alone;       /* acc_mutual_info: requests[alone + j] is continuation j without context; 0:
                         there are none */
  int choices;        /* most of an item */
  int length;         /* texts: tokens per window */
  size_t tokens, queries;
  char data_digest[DIGEST_TEXT];
};

/* Language modelling: makes the requests of a task of texts. */
status evalset_fill_texts(struct evalset *e, const struct items *items, const struct tokenizer *t,
                          const struct model *m, const struct evalset_options *options,
                          struct error *err);

/* Log-likelihood of all requests of an item. */
double evalset_sum(const struct evalset *e, const struct score *scores, size_t item);

/* Per-item results and metrics from the scores of all requests. The caller frees *out. */
status evalset_judge(const struct evalset *e, const struct score *scores, struct eval_result *out,
                     struct error *err);

/* Fills the metrics of a result whose per-item fields are there; predictions [items], by sums. */
status evalset_aggregate(const struct evalset *e, const struct score *scores,
                         const int32_t *predictions, struct eval_result *out, struct error *err);

#endif
