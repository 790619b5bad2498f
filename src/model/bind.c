#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/parts.h"

struct sides {
  enum side row, col;
};

static struct sides qk_norm_sides(const struct model_config *c, bool key) {
  switch (c->qk_norm) {
  case QK_NORM_OWN:
    return (struct sides){key ? SIDE_KV_COUNT : SIDE_HEAD_COUNT, SIDE_HEAD_DIM};
  case QK_NORM_WHOLE:
    return (struct sides){key ? SIDE_KV_HEADS : SIDE_HEADS, SIDE_NONE};
  case QK_NORM_NONE:
  case QK_NORM_SHARED:
  case QK_NORM_OWN_APART:
    break;
  }
  return (struct sides){SIDE_HEAD_DIM, SIDE_NONE};
}

static struct sides sides_of(const struct model_config *c, enum slot slot) {
  static const struct sides sides[SLOT_COUNT] = {
      [SLOT_EMBED] = {SIDE_VOCAB, SIDE_EMBED},
      [SLOT_EMBED_NORM] = {SIDE_HIDDEN, SIDE_NONE},
      [SLOT_POSITIONS] = {SIDE_POSITIONS, SIDE_HIDDEN},
      [SLOT_PROJECT_IN] = {SIDE_HIDDEN, SIDE_EMBED},
      [SLOT_PROJECT_OUT] = {SIDE_EMBED, SIDE_HIDDEN},
      [SLOT_FINAL_NORM] = {SIDE_HIDDEN, SIDE_NONE},
      [SLOT_HEAD] = {SIDE_VOCAB, SIDE_EMBED},
      [SLOT_ATTENTION_NORM] = {SIDE_HIDDEN, SIDE_NONE},
      [SLOT_ATTENTION_OUT_NORM] = {SIDE_HIDDEN, SIDE_NONE},
      [SLOT_MLP_NORM] = {SIDE_HIDDEN, SIDE_NONE},
      [SLOT_MLP_OUT_NORM] = {SIDE_HIDDEN, SIDE_NONE},
      [SLOT_ROUTER] = {SIDE_EXPERTS, SIDE_HIDDEN},
      [SLOT_QKV] = {SIDE_QKV, SIDE_HIDDEN},
      [SLOT_Q] = {SIDE_HEADS, SIDE_HIDDEN},
      [SLOT_K] = {SIDE_KV_HEADS, SIDE_HIDDEN},
      [SLOT_V] = {SIDE_KV_HEADS, SIDE_HIDDEN},
      [SLOT_O] = {SIDE_HIDDEN, SIDE_HEADS},
      [SLOT_GATE_UP] = {SIDE_GATE_UP, SIDE_HIDDEN},
      [SLOT_GATE] = {SIDE_FFN, SIDE_HIDDEN},
      [SLOT_UP] = {SIDE_FFN, SIDE_HIDDEN},
      [SLOT_DOWN] = {SIDE_HIDDEN, SIDE_FFN},
  };
  bool qk = slot == SLOT_Q_NORM || slot == SLOT_K_NORM;
  return qk ? qk_norm_sides(c, slot == SLOT_K_NORM) : sides[slot];
}

static uint64_t length_of(const struct model_config *c, enum side side) {
  uint64_t head_dim = (uint64_t)c->head_dim;
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
    return (uint64_t)c->heads * head_dim;
  case SIDE_KV_HEADS:
    return (uint64_t)c->kv_heads * head_dim;
  case SIDE_QKV:
    return ((uint64_t)c->heads + 2 * (uint64_t)c->kv_heads) * head_dim;
  case SIDE_HEAD_COUNT:
    return (uint64_t)c->heads;
  case SIDE_KV_COUNT:
    return (uint64_t)c->kv_heads;
  case SIDE_HEAD_DIM:
    return head_dim;
  case SIDE_EXPERTS:
    return (uint64_t)c->experts;
  case SIDE_FFN:
    return (uint64_t)c->ffn;
  case SIDE_GATE_UP:
    return 2 * (uint64_t)c->ffn;
  case SIDE_NONE:
  case SIDE_COUNT:
    break;
  }
  return 1;
}

/* The key that a side's length comes from; families without an own key take a related one. */
static const char *side_key(const struct arch_names *names, enum side side) {
  static const enum side related[SIDE_COUNT] = {
      [SIDE_EMBED] = SIDE_HIDDEN,   [SIDE_HEADS] = SIDE_HIDDEN,     [SIDE_KV_HEADS] = SIDE_HEADS,
      [SIDE_QKV] = SIDE_KV_HEADS,   [SIDE_HEAD_COUNT] = SIDE_HEADS, [SIDE_KV_COUNT] = SIDE_KV_HEADS,
      [SIDE_HEAD_DIM] = SIDE_HEADS, [SIDE_FFN] = SIDE_HIDDEN,       [SIDE_GATE_UP] = SIDE_FFN,
  };
  while (!names->sides[side] && related[side] != SIDE_NONE) {
    side = related[side];
  }
  return names->sides[side];
}

uint64_t model_rows(const struct model_config *c, enum slot slot) {
  return length_of(c, sides_of(c, slot).row);
}

uint64_t model_cols(const struct model_config *c, enum slot slot) {
  return length_of(c, sides_of(c, slot).col);
}

status model_part_name(const struct model *m, enum slot slot, int part, char **out,
                       struct error *err) {
  const char *renamed = m->arch.renamed[slot];
  const char *pattern = renamed ? renamed : m->family->names->slots[slot];
  const char *at = strstr(pattern, "{}");
  return at ? str_format(out, err, "%.*s%d%s", (int)(at - pattern), pattern, part, at + 2)
            : str_format(out, err, "%s", pattern);
}

status model_slot_name(const struct model *m, enum slot slot, int block, int part, const char *kind,
                       char **out, struct error *err) {
  const struct arch_names *names = m->family->names;
  if (slot == SLOT_HEAD) {
    return str_format(out, err, "%s.%s", m->head, kind);
  }
  if (slot < SLOT_GLOBALS) {
    return str_format(out, err, "%s%s.%s", m->prefix, names->slots[slot], kind);
  }
  char *name;
  TRY(model_part_name(m, slot, part, &name, err));
  status st = str_format(out, err, "%s%s%d.%s.%s", m->prefix, names->layer, block, name, kind);
  free(name);
  return st;
}

static status check(const struct model *m, const struct tensor *t, enum slot slot, bool bias,
                    struct error *err) {
  const struct model_config *c = &m->arch.config;
  struct sides sides = sides_of(c, slot);
  int rank = bias || sides.col == SIDE_NONE ? 1 : 2, wrong = 0;
  if (m->arch.transposed[slot] && !bias) {
    sides = (struct sides){sides.col, sides.row};
  }
  const enum side both[2] = {sides.row, sides.col};
  uint64_t wanted[2] = {length_of(c, both[0]), length_of(c, both[1])};
  while (wrong < rank && t->rank == rank && t->shape[wrong] == wanted[wrong]) {
    wrong++;
  }
  if (wrong < rank) {
    char has[TENSOR_SHAPE_TEXT], gives[TENSOR_SHAPE_TEXT];
    return err_at(err, STATUS_INPUT, t->file->path, 0,
                  "tensor %s has shape %s, config.json's %s gives %s", t->name,
                  tensor_shape_text(t->rank, t->shape, has, sizeof has),
                  side_key(m->family->names, both[wrong]),
                  tensor_shape_text(rank, wanted, gives, sizeof gives));
  }
  if (!dtype_is_weight(t->dtype)) {
    return err_at(err, STATUS_UNSUPPORTED, t->file->path, 0,
                  "tensor %s has dtype %s (expected F32, F16 or BF16)", t->name,
                  dtype_name(t->dtype));
  }
  return STATUS_OK;
}

/* One tensor that a slot is made of. */
struct wanted {
  enum slot slot;
  int block, part;
  bool bias;
};

static status name_of(const struct model *m, const struct wanted *w, char **out,
                      struct error *err) {
  return model_slot_name(m, w->slot, w->block, w->part, w->bias ? "bias" : "weight", out, err);
}

/* *out stays NULL when the tensor is absent. */
static status look_up(struct model *m, const struct wanted *w, const struct tensor **out,
                      struct error *err) {
  char *name;
  TRY(name_of(m, w, &name, err));
  *out = shards_find(&m->shards, name);
  free(name);
  return *out ? check(m, *out, w->slot, w->bias, err) : STATUS_OK;
}

static status must_find(struct model *m, const struct wanted *w, const struct tensor **out,
                        struct error *err) {
  TRY(look_up(m, w, out, err));
  if (*out) {
    m->parameters += (*out)->elements;
    return STATUS_OK;
  }
  char *name;
  TRY(name_of(m, w, &name, err));
  bool head = w->slot == SLOT_HEAD && !w->bias;
  status st = err_at(err, STATUS_INPUT, shards_path(&m->shards), 0, "tensor %s is missing%s", name,
                     head ? " (config.json's tie_word_embeddings is false)" : "");
  free(name);
  return st;
}

static status bind_slot(struct model *m, enum slot slot, int block, struct error *err) {
  for (int part = 0; part < arch_parts(&m->arch, slot); part++) {
    struct bound *b = model_bound(m, slot, block, part);
    struct wanted w = {slot, block, part, false};
    if (m->arch.weight[slot]) {
      TRY(must_find(m, &w, &b->weight, err));
    }
    w.bias = true;
    if (m->arch.bias[slot]) {
      TRY(must_find(m, &w, &b->bias, err));
    }
  }
  return STATUS_OK;
}

static bool same(const struct tensor *a, const struct tensor *b) {
  return a->dtype == b->dtype && a->end - a->begin == b->end - b->begin &&
         memcmp(a->at, b->at, a->end - a->begin) == 0;
}

static status has_head(const struct model *m, bool *out, struct error *err) {
  char *name;
  TRY(model_slot_name(m, SLOT_HEAD, 0, 0, "weight", &name, err));
  *out = shards_find(&m->shards, name) != NULL;
  free(name);
  return STATUS_OK;
}

/* The head by whichever of its names the file has; by the first where it has none. */
static status name_head(struct model *m, struct error *err) {
  const struct arch_names *names = m->family->names;
  bool found;
  m->head = names->head_otherwise ? names->head_otherwise : names->slots[SLOT_HEAD];
  TRY(has_head(m, &found, err));
  m->head = found ? m->head : names->slots[SLOT_HEAD];
  return STATUS_OK;
}

/* A tied head is usually not stored. Where it is and differs from the embedding, transformers 5
 * computes with the stored one. */
static status bind_head(struct model *m, struct error *err) {
  struct bound *head = model_bound(m, SLOT_HEAD, 0, 0);
  TRY(name_head(m, err));
  if (!m->arch.config.tied) {
    return bind_slot(m, SLOT_HEAD, 0, err);
  }
  struct wanted w = {.slot = SLOT_HEAD};
  const struct tensor *embed = model_bound(m, SLOT_EMBED, 0, 0)->weight, *stored;
  TRY(look_up(m, &w, &stored, err));
  if (stored && !same(stored, embed)) {
    m->arch.config.tied = false;
    head->weight = stored;
    m->parameters += stored->elements;
  }
  w.bias = true;
  return m->arch.bias[SLOT_HEAD] ? must_find(m, &w, &head->bias, err) : STATUS_OK;
}

static status find_prefix(struct model *m, struct error *err) {
  const struct arch_names *names = m->family->names;
  for (size_t i = 0; i < sizeof names->prefixes / sizeof *names->prefixes; i++) {
    m->prefix = names->prefixes[i];
    char *name;
    TRY(model_slot_name(m, SLOT_EMBED, 0, 0, "weight", &name, err));
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

/* Gives every slot its place in m->bound. */
static void lay_out(struct model *m) {
  for (int slot = 0; slot < SLOT_COUNT; slot++) {
    m->first[slot] = slot < SLOT_GLOBALS ? (size_t)slot : m->per_block;
    if (slot >= SLOT_GLOBALS) {
      m->per_block += (size_t)arch_parts(&m->arch, (enum slot)slot);
    }
  }
}

status model_bind(struct model *m, struct error *err) {
  int blocks = m->arch.config.blocks;
  TRY(find_prefix(m, err));
  lay_out(m);
  TRY(mem_alloc(&m->bound, SLOT_GLOBALS + (size_t)blocks * m->per_block, sizeof *m->bound, err));
  for (int slot = 0; slot < SLOT_GLOBALS; slot++) {
    if (slot != SLOT_HEAD) {
      TRY(bind_slot(m, (enum slot)slot, 0, err));
    }
  }
  for (int block = 0; block < blocks; block++) {
    for (int slot = SLOT_GLOBALS; slot < SLOT_COUNT; slot++) {
      TRY(bind_slot(m, (enum slot)slot, block, err));
    }
  }
  return bind_head(m, err);
}
