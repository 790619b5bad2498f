/* Calibration sets: a source of texts or ids, and a sampler that cuts sequences from it. */
#ifndef ESPALIER_CALIB_CALIB_H
#define ESPALIER_CALIB_CALIB_H

#include "base/sequences.h"
#include "data/task.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"

struct calibration; /* a loaded calibration file; opaque */

/* configs/calibration/NAME.yaml, a path to such a file, or a data folder (by name or path) whose
 * train.jsonl (else test.jsonl) has a `text` field. Reads the file, not yet the data; a refusal
 * names file and line. */
status calibration_open(struct calibration **out, const char *name, const struct search *search,
                        struct error *err);
void calibration_close(struct calibration *c);
const char *calibration_name(const struct calibration *c);
const char *calibration_data(const struct calibration *c); /* the JSONL file */

struct draw {
  uint64_t seed;
  int draw, draws; /* 0-based; how many disjoint draws there are to be */
  int samples;     /* sequences of this draw */
  int most;   /* largest sample count of the grid: draws are disjoint at that size, and a smaller
                 one is a prefix of a larger one */
  int length; /* tokens per sequence */
};

/* The draw's sequences, the same whatever rank asks. A pool too small is refused with numbers. */
status calibration_draw(const struct calibration *c, const struct tokenizer *t,
                        const struct model *m, const struct draw *draw, struct sequences *out,
                        struct error *err);

/* The same in two steps, for several draws of one set: its documents are read and tokenised once. A
 * pool borrows the set and the tokenizer, and keeps what its last draws tokenised; one thread. */
struct pool;
status pool_open(struct pool **out, const struct calibration *c, const struct tokenizer *t,
                 const struct model *m, struct error *err);
status pool_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                 struct error *err);
void pool_close(struct pool *pool);

/* prune --calibration: a JSONL file with {"text"} or {"input_ids"} per line, one sequence a line,
 * cut at length; samples 0 takes all lines. */
status calibration_read(const char *path, const struct tokenizer *t, const struct model *m,
                        int samples, int length, struct sequences *out, struct error *err);

#endif
