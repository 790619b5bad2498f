/* Calibration sets: a source of texts or ids, and a sampler that cuts sequences from it. */
#ifndef ESPALIER_CALIB_CALIB_H
#define ESPALIER_CALIB_CALIB_H

#include "base/sequences.h"
#include "data/task.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"

struct calibration; /* a loaded calibration file; opaque */

/* configs/calibration/NAME.yaml, a path to such a file, or a data folder whose train.jsonl (else
 * test.jsonl) has a `text` field. */
status calibration_open(struct calibration **out, const char *name, const struct search *search,
                        struct error *err);
void calibration_close(struct calibration *c);
const char *calibration_name(const struct calibration *c);
const char *calibration_data(const struct calibration *c); /* the JSONL file */

struct draw {
  uint64_t seed;
  int draw, draws; /* 0-based; how many disjoint draws there are to be */
  int samples;     /* sequences of this draw */
  int most;        /* largest sample count of the grid: draws are disjoint at that size, and a smaller
                      one is a prefix of a larger one */
  int length;      /* tokens per sequence */
};

/* The draw's sequences, the same whatever rank asks. A pool too small is refused with numbers. */
status calibration_draw(const struct calibration *c, const struct tokenizer *t,
                        const struct model *m, const struct draw *draw, struct sequences *out,
                        struct error *err);

/* prune --calibration: a JSONL file with {"text"} or {"input_ids"} per line, one sequence a line,
 * cut at length; samples 0 takes all lines. */
status calibration_read(const char *path, const struct tokenizer *t, const struct model *m,
                        int samples, int length, struct sequences *out, struct error *err);

#endif
