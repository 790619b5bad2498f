/* What the machine gives at most, to hold the program's own speed against: oneDNN's product with
 * weights packed in advance, and memory's bandwidth. Nothing else is computed with these. */
#ifndef ESPALIER_LINALG_CEILING_H
#define ESPALIER_LINALG_CEILING_H

#include <stddef.h>

#include "base/error.h"

/* Operands and result of a product; sums are float32 in each. */
enum ceiling_form {
  CEILING_FLOAT32,       /* all float32 */
  CEILING_BFLOAT16,      /* bfloat16 times bfloat16 into float32 */
  CEILING_BFLOAT16_ONLY, /* bfloat16 times bfloat16 into bfloat16 */
};

/* The library's engine, and an input and an output that all products share, as large as the largest
 * of them needs. */
struct ceiling;
status ceiling_open(struct ceiling **out, struct error *err);
void ceiling_close(struct ceiling *c);

/* y [m][n] = x [m][k] · wᵀ with random w [n][k], packed for as many threads as linalg_threads says
 * now: a product is to be run with that number. STATUS_UNSUPPORTED where the library has no such
 * product on this processor. The ceiling must outlive its products. */
struct ceiling_product;
status ceiling_product_open(struct ceiling_product **out, struct ceiling *c, enum ceiling_form form,
                            int m, int n, int k, struct error *err);
void ceiling_product_close(struct ceiling_product *p);

/* Computes it once; nothing is allocated but at the first run. */
status ceiling_product_run(struct ceiling_product *p, struct error *err);

/* McCalpin's triad, a[i] = b[i] + s·c[i], over all of linalg_threads: moves 24 bytes a number when
 * what is written is not counted twice. */
void ceiling_triad(double *a, const double *b, const double *c, double s, size_t count);

#endif
