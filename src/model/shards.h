/* All tensors of a checkpoint folder: model.safetensors, or the files that the weight_map of
 * model.safetensors.index.json names. */
#ifndef ESPALIER_MODEL_SHARDS_H
#define ESPALIER_MODEL_SHARDS_H

#include "model/safetensors.h"

#define SHARDS_SINGLE "model.safetensors"
#define SHARDS_INDEX "model.safetensors.index.json"

struct shards {
  struct safetensors *files; /* [count] in the order of their names */
  size_t count;
  char *index;                   /* path of the index, or NULL for a single file */
  const struct tensor **tensors; /* [tensor_count] sorted by name */
  size_t tensor_count;
};

/* Opens a folder's files; model.safetensors wins over an index beside it, as in transformers.
 * Refused: no such file, a shard that is missing, a tensor that its shard does not have, a shard's
 * name with a slash. */
status shards_open(struct shards *out, const char *folder, struct error *err);
void shards_close(struct shards *s);

const struct tensor *shards_find(const struct shards *s, const char *name);

/* The file that messages about the whole set name: the single file or the index. */
const char *shards_path(const struct shards *s);

#endif
