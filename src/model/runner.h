/* A whole model, dense or pruned, that answers queries about batches. Blocks stay in memory while
 * they fit the budget, else they are streamed once per call. */
#ifndef ESPALIER_MODEL_RUNNER_H
#define ESPALIER_MODEL_RUNNER_H

#include "model/forward.h"

struct runner;

/* budget: bytes that resident blocks may take; 0 streams always. The overlay (or NULL) must not
 * change while the runner lives. */
status runner_open(struct runner **out, const struct model *m, const struct overlay *overlay,
                   size_t budget, struct error *err);
/* Of each rank of a group, by itself; resident blocks are there once on each machine, and `budget`
 * is what each of its ranks may add to them. Collective; all else is not. */
status runner_open_shared(struct runner **out, const struct model *m, const struct overlay *overlay,
                          size_t budget, const struct group *group, struct error *err);
void runner_close(struct runner *r);

/* Has `see` called after each block of each work, so that a caller in the middle of a long answer
 * can show signs of life; a status other than OK ends the answer with it. NULL: nobody. */
void runner_watch(struct runner *r, status (*see)(void *user, struct error *err), void *user);

/* Queries of one batch: [count], answers in the same order. */
struct work {
  struct batch batch;
  const struct query *queries;
  size_t count;
  struct answer *answers;
  const size_t *origin; /* [tokens]: what the caller knows the rows by, for a probe; may be NULL */
};

/* Shown what linears read, block by block: as struct tap, of every work of an answer. */
struct probe {
  void *user;
  status (*see)(void *user, int block, int input, float *x, int rows, const struct work *work,
                struct error *err);
};
/* Copied; NULL: nothing is shown. */
void runner_probe(struct runner *r, const struct probe *probe);

/* Answers every query. All works of one call share each streamed block; their residual streams are
 * in memory at once when blocks are streamed, one at a time when blocks are resident. */
status runner_answer(struct runner *r, const struct work *works, size_t count, struct error *err);

#endif
