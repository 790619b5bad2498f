/* Packing requests into batches: which rows are computed, which are asked. A function of the
 * requests alone, so that results do not depend on who computes what. */
#ifndef ESPALIER_EVAL_PACK_H
#define ESPALIER_EVAL_PACK_H

#include "eval/request.h"

enum { PACK_RUN = 8 /* batches that a streaming runner's pass over the blocks serves */ };

struct packing {
  size_t tokens; /* rows of a batch, unless one request alone needs more */
  bool apart;    /* every request computes its own context: what sharing is measured against */
};
struct packing packing_usual(void); /* 2048 rows, contexts shared */

struct pack {
  size_t first, count; /* requests */
  size_t tokens;       /* rows */
  size_t queries;      /* continuation tokens asked for */
};

struct packs {
  struct packing packing;
  struct pack *at;
  size_t count, cap;
};

status packs_plan(struct packs *out, const struct requests *r, struct packing packing,
                  struct error *err);
void packs_free(struct packs *p);

/* One pack as a batch with its queries. */
struct pack_work {
  int32_t *ids;       /* [tokens] */
  struct span *spans; /* [span_count] */
  size_t span_count;
  struct query *queries;  /* [queries] */
  struct answer *answers; /* [queries] */
  size_t *request;        /* [queries]: the request that asks */
  size_t *origin;         /* [tokens]: index of the id in the requests' pool */
  size_t queries_count, tokens;
};

status pack_build(struct pack_work *out, const struct requests *r, const struct packs *packs,
                  size_t index, struct error *err);
void pack_work_free(struct pack_work *w);

/* As requests_score with another packing. */
status requests_score_packed(const struct requests *r, struct packing packing,
                             struct runner *runner, const struct group *group,
                             status (*progress)(void *user, double done, struct error *err),
                             void *progress_user, struct score *scores, struct error *err);

#endif
