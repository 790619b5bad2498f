/* Changing single units amid a pass: set to zero, or to what another model had there. */
#ifndef ESPALIER_ATTRIBUTION_EDIT_H
#define ESPALIER_ATTRIBUTION_EDIT_H

#include "attribution/units.h"
#include "model/runner.h"

/* Numbers of units (block * width + unit), each once. */
struct unit_set {
  struct units units;
  size_t *at; /* [count], rising */
  size_t count;
  size_t *first; /* [blocks + 1]: those of block b are first[b] up to first[b + 1] */
};

/* Copies numbers [count], in any order, repeated or not. */
status unit_set_make(struct unit_set *out, const struct units *u, const size_t *numbers,
                     size_t count, struct error *err);
void unit_set_free(struct unit_set *s);

/* Sets the units to zero at every token. The set must outlive the probe. */
struct probe edit_zero(const struct unit_set *s);

/* What a set's units were at every row of one evaluation, in the order of its passes. */
struct tape {
  const struct unit_set *set;
  float *values;
  size_t count, cap; /* floats */
  uint64_t *calls;   /* [call_count]: what each was of */
  size_t call_count, call_cap;
  size_t at, call; /* while it is played */
};

/* Zero-initialise with the set. Records while it is the runner's probe. */
struct probe tape_record(struct tape *t);
/* Puts the recorded values back, amid the same evaluation by a runner with the same budget;
 * STATUS_BUG when it is another. */
struct probe tape_play(struct tape *t);
void tape_free(struct tape *t);

#endif
