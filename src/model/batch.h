/* Sequences packed end to end without padding. A span is a run of tokens of one sequence; it may
 * continue another span of the same batch (its prefix), so that a context is computed once for all
 * its continuations. */
#ifndef ESPALIER_MODEL_BATCH_H
#define ESPALIER_MODEL_BATCH_H

#include <stdint.h>

struct span {
  int32_t first, length; /* rows of the batch */
  int32_t prefix_first,
      prefix_length; /* rows that come before it in its sequence; length 0: none */
};
/* Position of a span's token i is prefix_length + i. It attends to the whole prefix and to the
 * span's tokens up to itself. A prefix span has no prefix of its own. */

struct batch {
  const int32_t *ids; /* [tokens] */
  int32_t tokens;
  const struct span *spans; /* [count], in order, covering every row once */
  int32_t count;
};

#endif
