/* Log-likelihoods of sequences that differ from a base in a few tokens. Those of one base are
 * computed in one batch, and what they begin with alike is computed once. */
#ifndef ESPALIER_ATTRIBUTION_ABLATION_H
#define ESPALIER_ATTRIBUTION_ABLATION_H

#include "eval/request.h"

enum { ABLATION_ROWS = 2048 }; /* of a batch, unless a base and one other need more */

struct ablations {
  struct requests requests;
  size_t *base; /* [requests.count]: of a base its own index; others stand behind theirs, before
                   the next base */
  size_t cap;
};

/* Zero-initialise. The next request added to a->requests belongs to `base`. */
status ablations_belong(struct ablations *a, size_t base, struct error *err);
void ablations_free(struct ablations *a);

/* loglikelihoods [requests.count]. rows: of a batch, usually ABLATION_ROWS. progress is called at
 * least once per batch; may be NULL. */
status ablations_score(const struct ablations *a, size_t rows, struct runner *runner,
                       const struct model *m,
                       status (*progress)(void *user, double done, struct error *err),
                       void *progress_user, double *loglikelihoods, struct error *err);

#endif
