/* Calibration sets: a source of texts or ids, and a sampler that cuts sequences from it; or other
 * sets mixed; or what the model writes itself. Some samplers pass candidates through the dense
 * model, and generating needs as many passes as tokens: ../../configs/README.md says what a draw
 * costs. */
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
/* The JSONL file; the YAML file of a set that has none of its own (mixture, generate). */
const char *calibration_data(const struct calibration *c);

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

/* Documents that the pool holds, and those of which its draws so far took tokens; of a mixture all
 * sets' together. joined: a sampler made one text of them (concatenate), and which of them its
 * windows touch is not known: they do not count as used. Zero-initialise. */
struct usage {
  size_t documents, used;
  bool joined;
};
void pool_usage(const struct pool *pool, struct usage *out);

/* prune --calibration: a JSONL file with {"text"} or {"input_ids"} per line, one sequence a line,
 * cut at length; samples 0 takes all lines. */
status calibration_read(const char *path, const struct tokenizer *t, const struct model *m,
                        int samples, int length, struct sequences *out, struct error *err);

#endif
