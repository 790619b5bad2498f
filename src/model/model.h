/* A checkpoint folder in Hugging Face layout, opened: configuration, mapped tensors, and the list
 * of linears that pruning may touch. Immutable once open; any thread may read it. */
#ifndef ESPALIER_MODEL_MODEL_H
#define ESPALIER_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "linalg/precision.h"

struct model;

/* One linear of a block: y = x·Wᵀ. Linears with equal `input` read the very same activations, so
 * they share statistics. */
struct linear {
  const char *name; /* within the block, as in the file: "self_attn.q_proj", "fc1" */
  int rows, cols;   /* outputs, inputs */
  int input;        /* 0-based, in order of execution */
};

/* Opens and validates a folder: config.json, model.safetensors or the shards of
 * model.safetensors.index.json. Refusals name file, tensor and config key. */
status model_open(struct model **out, const char *folder, struct error *err);
void model_close(struct model *m);

/* Arithmetic of every forward pass through the model; float32 unless set, which is done before the
 * first workspace, block or runner is made of it. */
void model_set_precision(struct model *m, enum precision precision);
enum precision model_precision(const struct model *m);

const char *model_folder(const struct model *m);
const char *model_type(const struct model *m); /* "llama" */
int model_blocks(const struct model *m);
int model_hidden(const struct model *m);
int model_vocab(const struct model *m);     /* rows of the embedding */
int model_positions(const struct model *m); /* most tokens in one sequence */
int model_bos(const struct model *m);       /* config.json's bos_token_id, or -1 */
int model_eos(const struct model *m);       /* the first eos_token_id, or -1 */
uint64_t model_parameters(const struct model *m);

/* The linears of a block in order of execution; *count of them. Every block has the same list. */
const struct linear *model_linears(const struct model *m, int *count);
int model_inputs(const struct model *m); /* distinct inputs of a block */

/* The linear that reads the MLP's intermediate units; -1 where a block has several MLPs (experts).
 */
int model_down(const struct model *m);

/* The tensor's name in the file, e.g. "model.layers.3.self_attn.q_proj.weight"; the caller frees.
 */
status model_linear_name(const struct model *m, int block, int linear, char **out,
                         struct error *err);

/* One linear of the checkpoint as float32 [rows][cols]; refuses NaN and infinities. */
status model_linear_read(const struct model *m, int block, int linear, float *out,
                         struct error *err);
/* Rows first .. first + rows - 1 of it, out [rows][cols]. */
status model_linear_read_rows(const struct model *m, int block, int linear, int first, int rows,
                              float *out, struct error *err);

/* Identity: digest of config.json and of every tensor's bytes. */
status model_digest(const struct model *m, char out[DIGEST_TEXT], struct error *err);

/* Whether a context computed once serves continuations of every length: not where the rotation of
 * positions depends on the length of the whole sequence (longrope). */
bool model_shares_contexts(const struct model *m);

/* Floating-point operations of one token through all blocks, and through the head. */
double model_block_flops(const struct model *m);
double model_head_flops(const struct model *m);

#endif
