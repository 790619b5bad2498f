/* What an open model is made of: for the files of this room only. */
#ifndef ESPALIER_MODEL_PARTS_H
#define ESPALIER_MODEL_PARTS_H

#include <pthread.h>

#include "model/arch.h"
#include "model/shards.h"

enum { BLOCK_SLOTS = SLOT_COUNT - SLOT_GLOBALS };

/* A slot's tensors; NULL where the checkpoint has none. */
struct bound {
  const struct tensor *weight, *bias;
};

struct model {
  char *folder;
  char *config_text; /* config.json as read */
  size_t config_size;
  const struct family *family;
  struct arch arch;
  const char *prefix; /* of every tensor but the head, as found in the file */
  struct shards shards;
  struct bound *bound; /* [SLOT_GLOBALS + blocks · BLOCK_SLOTS] */
  struct linear linears[BLOCK_SLOTS];
  enum slot linear_slots[BLOCK_SLOTS];
  int linear_count, inputs;
  uint64_t parameters;
  pthread_mutex_t digest_lock;
  char digest[DIGEST_TEXT]; /* "" until asked for */
};

static inline struct bound *model_bound(const struct model *m, enum slot slot, int block) {
  size_t global = (size_t)slot, local = (size_t)block * BLOCK_SLOTS + (size_t)slot;
  return &m->bound[slot < SLOT_GLOBALS ? global : local];
}

/* Finds every slot's tensors and checks their shapes; decides whether the head is the embedding. */
status model_bind(struct model *m, struct error *err);

/* The slot's name in the file with ".weight" or ".bias" behind; the caller frees *out. */
status model_slot_name(const struct model *m, enum slot slot, int block, const char *kind,
                       char **out, struct error *err);

/* Length of a slot's sides by the configuration; the second is SIDE_NONE's 1 for vectors. */
uint64_t model_rows(const struct model_config *c, enum slot slot);
uint64_t model_cols(const struct model_config *c, enum slot slot);

/* config.json, in the folder; the caller frees *out. */
status model_config_path(const char *folder, char **out, struct error *err);

#endif
