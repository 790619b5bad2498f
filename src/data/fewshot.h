/* Few-shot examples as lm-evaluation-harness 0.4 draws them: one Random(1234) per task and run,
 * moved once per evaluated document in document order, whatever is scored where. */
#ifndef ESPALIER_DATA_FEWSHOT_H
#define ESPALIER_DATA_FEWSHOT_H

#include "base/rng.h"
#include "data/render.h"

struct fewshots {
  const struct task *task;
  const struct documents *pool; /* borrowed */
  size_t shots;
  struct rng rng;
  size_t *rows; /* [shots + 1] */
};

/* Refuses a pool with fewer rows than a draw needs. Free with fewshots_free. */
status fewshots_start(struct fewshots *out, const struct task *t, const struct documents *pool,
                      int shots, struct error *err);
void fewshots_free(struct fewshots *f);

/* Draws for the next document and appends description's successor: the examples' text. */
status fewshots_add(struct fewshots *f, const struct jsonl_line *doc, struct arena *arena,
                    struct str *out, struct error *err);

#endif
