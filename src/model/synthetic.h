/* LLaMA checkpoints of any shape with random weights: what speed and memory are measured with where
 * no trained model of the size is at hand. */
#ifndef ESPALIER_MODEL_SYNTHETIC_H
#define ESPALIER_MODEL_SYNTHETIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "model/dtype.h"

struct synthetic_shape {
  int hidden;
  int blocks;
  int heads, kv_heads; /* heads divide hidden into even parts, kv_heads divide heads */
  int ffn;
  int vocab;
  int positions; /* most tokens in one sequence */
  bool tied;     /* the head is the embedding */
};

/* A name ("llama-110m", "llama-1.1b") or "hidden=768,blocks=12,heads=12,ffn=2048,vocab=32000", in
 * any order, with kv_heads (default: heads), positions (2048) and tied (0 or 1; 0) if wanted.
 * STATUS_INPUT for what is unknown, missing or does not fit together. */
status synthetic_shape_parse(struct synthetic_shape *out, const char *text, struct error *err);

/* Writes config.json and model.safetensors into `folder` (absent or empty, in a folder that
 * exists), which appears whole or not at all. Norms are 1, all other weights normal to the eye with
 * a standard deviation of 0.02 (LLaMA's at the start of training); the same bytes for the same
 * shape, dtype (F32, F16 or BF16) and seed on every machine. Memory is a constant few hundred KiB.
 */
status synthetic_write(const char *folder, const struct synthetic_shape *shape, enum dtype dtype,
                       uint64_t seed, struct error *err);

/* out [count]: sums of four uniform numbers, mean 0, standard deviation sd, at most 3.5 of them
 * away: cheap, and the same on every machine. */
void synthetic_fill(struct rng *r, float sd, float *out, size_t count);

#endif
