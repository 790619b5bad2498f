/* What an open model is made of: for the files of this room only. */
#ifndef ESPALIER_MODEL_PARTS_H
#define ESPALIER_MODEL_PARTS_H

#include <pthread.h>

#include "model/arch.h"
#include "model/shards.h"

/* A slot's tensors; NULL where the checkpoint has none. */
struct bound {
  const struct tensor *weight, *bias;
};

/* Where a linear of a block's list stands. */
struct place {
  enum slot slot;
  int part; /* the expert's number, or 0 */
};

struct model {
  char *folder;
  char *config_text; /* config.json as read */
  size_t config_size;
  const struct family *family;
  struct arch arch;
  const char *prefix; /* of every tensor but the head, as found in the file */
  const char *head;   /* the head's name */
  struct shards shards;
  size_t first[SLOT_COUNT]; /* the slot's first place among the globals', or a block's */
  size_t per_block;         /* places of a block */
  struct bound *bound;      /* [SLOT_GLOBALS + blocks · per_block] */
  struct linear *linears;   /* [linear_count], names owned */
  struct place *places;     /* [linear_count] */
  int linear_count, inputs;
  uint64_t parameters;
  enum precision precision;
  pthread_mutex_t digest_lock;
  char digest[DIGEST_TEXT]; /* "" until asked for */
};

static inline struct bound *model_bound(const struct model *m, enum slot slot, int block,
                                        int part) {
  size_t begin = slot < SLOT_GLOBALS ? 0 : SLOT_GLOBALS + (size_t)block * m->per_block;
  return &m->bound[begin + m->first[slot] + (size_t)part];
}

/* Lists a block's linears. */
status model_list_linears(struct model *m, struct error *err);

/* Finds every slot's tensors and checks their shapes; decides whether the head is the embedding. */
status model_bind(struct model *m, struct error *err);

/* The slot's name within a block, with the part's number in it; the caller frees *out. */
status model_part_name(const struct model *m, enum slot slot, int part, char **out,
                       struct error *err);

/* The slot's name in the file with ".weight" or ".bias" behind; the caller frees *out. */
status model_slot_name(const struct model *m, enum slot slot, int block, int part, const char *kind,
                       char **out, struct error *err);

/* Length of the sides of a slot's tensors by the configuration, whichever way they are stored; the
 * second is SIDE_NONE's 1 for vectors. */
uint64_t model_rows(const struct model_config *c, enum slot slot);
uint64_t model_cols(const struct model_config *c, enum slot slot);

/* config.json, in the folder; the caller frees *out. */
status model_config_path(const char *folder, char **out, struct error *err);

#endif
