/* oneDNN's matrix product in either precision, on the calling thread: one primitive serves all
 * sizes. */
#ifndef ESPALIER_LINALG_KERNEL_H
#define ESPALIER_LINALG_KERNEL_H

#include <stdbool.h>

#include "base/error.h"
#include "linalg/precision.h"

struct kernel;

/* c = a·b, or a·bᵀ when transposed, or c + a·b when add. Refuses bfloat16 where the library has no
 * product for this processor. */
struct kernel_form {
  enum precision precision; /* of a and b; c is float32 */
  bool transposed, add;
};

status kernel_create(struct kernel **out, struct kernel_form form, struct error *err);
void kernel_free(struct kernel *r);

/* a [m][k], b [k][n] or [n][k], c [m][n], with rows lda, ldb and ldc apart. */
struct kernel_call {
  int m, n, k;
  const void *a;
  int lda;
  const void *b;
  int ldb;
  float *c;
  int ldc;
};

/* Several threads may call at once. Must be called inside an OpenMP region, or with one thread.
 * Returns 0, or oneDNN's status. */
int kernel_run(const struct kernel *r, const struct kernel_call *call);

#endif
