/* Requests: tokenised (context, continuation) pairs with lm-evaluation-harness's semantics, and
 * their packing into batches. */
#ifndef ESPALIER_EVAL_REQUEST_H
#define ESPALIER_EVAL_REQUEST_H

#include <stdbool.h>

#include "base/mem.h"
#include "linalg/group.h"
#include "model/runner.h"
#include "tokenizer/tokenizer.h"

/* Ids are offsets into the set's pool. The model reads context + continuation without its last
 * token and is asked for every continuation token. */
struct request {
  size_t context, continuation; /* first id in the pool */
  int context_count, continuation_count;
};

/* Zero-initialise; keeps_spans may be set before anything is added. */
struct requests {
  struct ids pool;
  struct request *at;
  size_t count, cap;
  bool keeps_spans;
  struct token_span *spans; /* [pool.count] when kept: which bytes of the context followed by the
                               continuation, both as given, the id comes from
                               (tokenizer_encode_spans); 0, 0: of neither, as the template's and all
                               of requests_add_ids and requests_add_rolling */
  size_t span_cap;
};

void requests_free(struct requests *r);

/* Adds a pair of texts: trailing white space of the context moves to the continuation, both are
 * tokenised jointly and split by the context's length; an empty context becomes the prefix token
 * (BOS, else EOS); what is longer than the model's positions loses tokens on its left. bos adds the
 * tokenizer's template. Refuses an empty continuation and one longer than the positions. */
status requests_add_text(struct requests *r, const struct tokenizer *t, const struct model *m,
                         const char *context, const char *continuation, bool bos,
                         struct error *err);
status requests_add_ids(struct requests *r, const struct model *m, const int32_t *context,
                        int context_count, const int32_t *continuation, int continuation_count,
                        struct error *err);

/* The prefix token: BOS, else EOS, as the tokenizer's files name them (t may be NULL), else as the
 * model's; -1: none. */
int requests_prefix(const struct tokenizer *t, const struct model *m);

/* A whole text as requests that score each of its tokens once (lm-evaluation-harness's rolling
 * windows): `length` tokens per window, the first fed by the prefix token, later ones by the token
 * before them; the last, shorter window reads back over scored tokens for a full context. */
status requests_add_rolling(struct requests *r, const struct tokenizer *t, const struct model *m,
                            const int32_t *ids, size_t count, int length, struct error *err);

struct score {
  double loglikelihood; /* sum over the continuation's tokens, natural log */
  int tokens;           /* of the continuation */
  bool greedy;          /* every token was the most probable one */
};

/* Scores all requests: equal contexts next to each other are computed once, sequences are packed
 * without padding by a rule that depends on the requests alone, and ranks of the group share the
 * packs. scores [count], on every rank. progress as in prune_options; may be NULL. */
status requests_score(const struct requests *r, struct runner *runner, const struct model *m,
                      const struct group *group,
                      status (*progress)(void *user, double done, struct error *err),
                      void *progress_user, struct score *scores, struct error *err);

#endif
