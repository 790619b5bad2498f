#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/parts.h"

static const enum side sides[SLOT_COUNT][2] = {
    [SLOT_EMBED] = {SIDE_VOCAB, SIDE_EMBED},
    [SLOT_POSITIONS] = {SIDE_POSITIONS, SIDE_HIDDEN},
    [SLOT_PROJECT_IN] = {SIDE_HIDDEN, SIDE_EMBED},
    [SLOT_PROJECT_OUT] = {SIDE_EMBED, SIDE_HIDDEN},
    [SLOT_FINAL_NORM] = {SIDE_HIDDEN, SIDE_NONE},
    [SLOT_HEAD] = {SIDE_VOCAB, SIDE_EMBED},
    [SLOT_ATTENTION_NORM] = {SIDE_HIDDEN, SIDE_NONE},
    [SLOT_MLP_NORM] = {SIDE_HIDDEN, SIDE_NONE},
    [SLOT_Q] = {SIDE_HEADS, SIDE_HIDDEN},
    [SLOT_K] = {SIDE_KV_HEADS, SIDE_HIDDEN},
    [SLOT_V] = {SIDE_KV_HEADS, SIDE_HIDDEN},
    [SLOT_O] = {SIDE_HIDDEN, SIDE_HEADS},
    [SLOT_GATE] = {SIDE_FFN, SIDE_HIDDEN},
    [SLOT_UP] = {SIDE_FFN, SIDE_HIDDEN},
    [SLOT_DOWN] = {SIDE_HIDDEN, SIDE_FFN},
};

static uint64_t length_of(const struct model_config *c, enum side side) {
  switch (side) {
  case SIDE_HIDDEN:
    return (uint64_t)c->hidden;
  case SIDE_EMBED:
    return (uint64_t)c->embed_dim;
  case SIDE_VOCAB:
    return (uint64_t)c->vocab;
  case SIDE_POSITIONS:
    return (uint64_t)c->positions + (uint64_t)c->position_offset;
  case SIDE_HEADS:
    return (uint64_t)c->heads * (uint64_t)c->head_dim;
  case SIDE_KV_HEADS:
    return (uint64_t)c->kv_heads * (uint64_t)c->head_dim;
  case SIDE_FFN:
    return (uint64_t)c->ffn;
  case SIDE_NONE:
  case SIDE_COUNT:
    break;
  }
  return 1;
}

uint64_t model_rows(const struct model_config *c, enum slot slot) {
  return length_of(c, sides[slot][0]);
}

uint64_t model_cols(const struct model_config *c, enum slot slot) {
  return length_of(c, sides[slot][1]);
}

status model_slot_name(const struct model *m, enum slot slot, int block, const char *kind,
                       char **out, struct error *err) {
  const struct arch_names *names = m->family->names;
  if (slot == SLOT_HEAD) {
    return str_format(out, err, "%s.%s", names->slots[slot], kind);
  }
  if (slot < SLOT_GLOBALS) {
    return str_format(out, err, "%s%s.%s", m->prefix, names->slots[slot], kind);
  }
  return str_format(out, err, "%s%s%d.%s.%s", m->prefix, names->layer, block, names->slots[slot],
                    kind);
}

static status check(const struct model *m, const struct tensor *t, enum slot slot, bool bias,
                    struct error *err) {
  const struct model_config *c = &m->arch.config;
  uint64_t wanted[2] = {model_rows(c, slot), model_cols(c, slot)};
  int rank = bias || sides[slot][1] == SIDE_NONE ? 1 : 2, wrong = 0;
  while (wrong < rank && t->rank == rank && t->shape[wrong] == wanted[wrong]) {
    wrong++;
  }
  if (wrong < rank) {
    char has[TENSOR_SHAPE_TEXT], gives[TENSOR_SHAPE_TEXT];
    return err_at(err, STATUS_INPUT, t->file->path, 0,
                  "tensor %s has shape %s, config.json's %s gives %s", t->name,
                  tensor_shape_text(t->rank, t->shape, has, sizeof has),
                  m->family->names->sides[sides[slot][wrong]],
                  tensor_shape_text(rank, wanted, gives, sizeof gives));
  }
  if (!dtype_is_weight(t->dtype)) {
    return err_at(err, STATUS_UNSUPPORTED, t->file->path, 0,
                  "tensor %s has dtype %s (expected F32, F16 or BF16)", t->name,
                  dtype_name(t->dtype));
  }
  return STATUS_OK;
}

/* *out stays NULL when the tensor is absent. */
static status look_up(struct model *m, enum slot slot, int block, bool bias,
                      const struct tensor **out, struct error *err) {
  char *name;
  TRY(model_slot_name(m, slot, block, bias ? "bias" : "weight", &name, err));
  *out = shards_find(&m->shards, name);
  free(name);
  return *out ? check(m, *out, slot, bias, err) : STATUS_OK;
}

static status must_find(struct model *m, enum slot slot, int block, bool bias,
                        const struct tensor **out, struct error *err) {
  TRY(look_up(m, slot, block, bias, out, err));
  if (*out) {
    m->parameters += (*out)->elements;
    return STATUS_OK;
  }
  char *name;
  TRY(model_slot_name(m, slot, block, bias ? "bias" : "weight", &name, err));
  status st = err_at(err, STATUS_INPUT, shards_path(&m->shards), 0, "tensor %s is missing%s", name,
                     slot == SLOT_HEAD ? " (config.json's tie_word_embeddings is false)" : "");
  free(name);
  return st;
}

static status bind_slot(struct model *m, enum slot slot, int block, struct error *err) {
  struct bound *b = model_bound(m, slot, block);
  if (m->arch.weight[slot]) {
    TRY(must_find(m, slot, block, false, &b->weight, err));
  }
  return m->arch.bias[slot] ? must_find(m, slot, block, true, &b->bias, err) : STATUS_OK;
}

static bool same(const struct tensor *a, const struct tensor *b) {
  return a->dtype == b->dtype && a->end - a->begin == b->end - b->begin &&
         memcmp(a->at, b->at, a->end - a->begin) == 0;
}

/* A tied head is usually not stored. Where it is and differs from the embedding, transformers 5
 * computes with the stored one. */
static status bind_head(struct model *m, struct error *err) {
  struct bound *head = model_bound(m, SLOT_HEAD, 0);
  if (!m->arch.config.tied) {
    return bind_slot(m, SLOT_HEAD, 0, err);
  }
  const struct tensor *embed = model_bound(m, SLOT_EMBED, 0)->weight, *stored;
  TRY(look_up(m, SLOT_HEAD, 0, false, &stored, err));
  if (stored && !same(stored, embed)) {
    m->arch.config.tied = false;
    head->weight = stored;
    m->parameters += stored->elements;
  }
  return STATUS_OK;
}

static status find_prefix(struct model *m, struct error *err) {
  const struct arch_names *names = m->family->names;
  for (size_t i = 0; i < sizeof names->prefixes / sizeof *names->prefixes; i++) {
    m->prefix = names->prefixes[i];
    char *name;
    TRY(model_slot_name(m, SLOT_EMBED, 0, "weight", &name, err));
    bool found = shards_find(&m->shards, name) != NULL;
    free(name);
    if (found) {
      return STATUS_OK;
    }
  }
  return err_at(err, STATUS_INPUT, shards_path(&m->shards), 0,
                "tensor %s%s.weight is missing (nor is there %s%s.weight)", names->prefixes[0],
                names->slots[SLOT_EMBED], names->prefixes[1], names->slots[SLOT_EMBED]);
}

status model_bind(struct model *m, struct error *err) {
  int blocks = m->arch.config.blocks;
  TRY(find_prefix(m, err));
  TRY(mem_alloc(&m->bound, SLOT_GLOBALS + (size_t)blocks * BLOCK_SLOTS, sizeof *m->bound, err));
  for (int slot = 0; slot < SLOT_GLOBALS; slot++) {
    if (slot != SLOT_HEAD) {
      TRY(bind_slot(m, slot, 0, err));
    }
  }
  for (int block = 0; block < blocks; block++) {
    for (int slot = SLOT_GLOBALS; slot < SLOT_COUNT; slot++) {
      TRY(bind_slot(m, slot, block, err));
    }
  }
  return bind_head(m, err);
}
