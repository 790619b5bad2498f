/* A llama whose answers are known: every word has a dimension of its own, units of block 1 read
 * single words, and attention of block 2 carries what they wrote to the last position.
 *
 * A review's word reaches the label in two ways. Block 2 reads the embedding of a praising word as
 * a push towards "bad" (of a blaming one towards "good"), and the word's two units in block 1
 * write a push twice as strong, or more, the other way. So these units decide every answer, and
 * without them every answer turns. All other units read one filler word each and write where
 * nothing reads. Blocks 0 and 2 have no active unit. */
#ifndef ESPALIER_TESTS_ATTRIBUTION_BUILT_MODEL_H
#define ESPALIER_TESTS_ATTRIBUTION_BUILT_MODEL_H

#include <inttypes.h>

#include "model/folder.h"

enum {
  BUILT_VOCAB = 32,
  BUILT_HIDDEN = 64,
  BUILT_UNITS = 64, /* of a block */
  BUILT_BLOCKS = 3,
  BUILT_BLOCK = 1,    /* with the units; attention is the next one's */
  BUILT_TEMPLATE = 3, /* the first token that is a word */
  BUILT_KEY = 8,      /* the first of those that decide: two that praise, two that blame */
  BUILT_KEYS = 4,
  BUILT_FILLER = 12,
  /* dimensions of the residual stream behind the words' own */
  BUILT_PRAISE = 32,
  BUILT_LABEL,
  BUILT_NOWHERE,
  BUILT_ALWAYS, /* every token's embedding has it */
};

static const char *const built_tokens[BUILT_VOCAB] = {
    "<s>",    "</s>",   "<unk>",  "Review:", "It",     "was",    "good",   "bad",
    "superb", "lovely", "awful",  "dreary",  "film",   "plot",   "scene",  "actor",
    "music",  "camera", "story",  "ending",  "cast",   "sound",  "script", "studio",
    "role",   "crowd",  "desert", "train",   "dinner", "window", "sister", "winter"};

/* [key][2]: units of BUILT_BLOCK. */
static const int built_units[BUILT_KEYS][2] = {{5, 17}, {40, 41}, {63, 8}, {22, 30}};

struct built_shape {
  int massive;   /* a unit of BUILT_BLOCK that answers to every token, a thousandfold; 0: none */
  int always_on; /* one that answers to every token, a little more than the words' units do */
};

/* A tensor to be written. */
struct built_tensor {
  char name[96];
  int rows, cols; /* cols 0: a vector */
  float *at;
};

struct built {
  struct built_tensor tensors[32];
  int count;
};

static inline float *built_add(struct built *b, const char *name, int rows, int cols) {
  struct built_tensor *t = &b->tensors[b->count++];
  (void)snprintf(t->name, sizeof t->name, "%s", name);
  t->rows = rows;
  t->cols = cols;
  t->at = calloc((size_t)rows * (size_t)(cols ? cols : 1), sizeof *t->at);
  assert_non_null(t->at);
  for (int i = 0; !cols && i < rows; i++) { /* the vectors are norms' weights */
    t->at[i] = 1;
  }
  return t->at;
}

static inline float *built_add_to(struct built *b, int block, const char *name, int rows,
                                  int cols) {
  char full[96];
  (void)snprintf(full, sizeof full, "model.layers.%d.%s.weight", block, name);
  return built_add(b, full, rows, cols);
}

/* Which key a unit reads, or -1. */
static inline int built_key_of(int unit) {
  for (int k = 0; k < BUILT_KEYS; k++) {
    if (built_units[k][0] == unit || built_units[k][1] == unit) {
      return k;
    }
  }
  return -1;
}

/* A unit that reads one dimension, as silu(x) * strength * x, and writes into another. */
struct built_unit {
  int reads, writes;
  float strength, writes_by;
};

static inline struct built_unit built_unit(const struct built_shape *s, int unit) {
  int key = built_key_of(unit);
  if (s->massive && unit == s->massive) {
    return (struct built_unit){BUILT_ALWAYS, BUILT_NOWHERE, 20, 0};
  }
  if (s->always_on && unit == s->always_on) {
    return (struct built_unit){BUILT_ALWAYS, BUILT_NOWHERE, 0.6F, 0};
  }
  if (key < 0) {
    int words = BUILT_VOCAB - BUILT_TEMPLATE - BUILT_KEYS, word = BUILT_TEMPLATE + unit % words;
    return (struct built_unit){word < BUILT_KEY ? word : word + BUILT_KEYS, BUILT_NOWHERE, 0.5F,
                               0.02F};
  }
  float strength = (built_units[key][0] == unit ? 0.35F : 0.25F) + 0.05F * (float)key;
  return (struct built_unit){BUILT_KEY + key, BUILT_PRAISE, strength, key < 2 ? 0.1F : -0.1F};
}

static inline void built_mlp(struct built *b, int block, const struct built_shape *s) {
  float *gate = built_add_to(b, block, "mlp.gate_proj", BUILT_UNITS, BUILT_HIDDEN);
  float *up = built_add_to(b, block, "mlp.up_proj", BUILT_UNITS, BUILT_HIDDEN);
  float *down = built_add_to(b, block, "mlp.down_proj", BUILT_HIDDEN, BUILT_UNITS);
  for (int i = 0; block == BUILT_BLOCK && i < BUILT_UNITS; i++) {
    struct built_unit u = built_unit(s, i);
    gate[i * BUILT_HIDDEN + u.reads] = 1;
    up[i * BUILT_HIDDEN + u.reads] = u.strength;
    down[u.writes * BUILT_UNITS + i] = u.writes_by;
  }
}

/* Queries and keys are zero: every position reads the mean of those up to it. */
static inline void built_attention(struct built *b, int block) {
  (void)built_add_to(b, block, "self_attn.q_proj", BUILT_HIDDEN, BUILT_HIDDEN);
  (void)built_add_to(b, block, "self_attn.k_proj", BUILT_HIDDEN, BUILT_HIDDEN);
  float *v = built_add_to(b, block, "self_attn.v_proj", BUILT_HIDDEN, BUILT_HIDDEN);
  float *o = built_add_to(b, block, "self_attn.o_proj", BUILT_HIDDEN, BUILT_HIDDEN);
  if (block == BUILT_BLOCK + 1) {
    v[BUILT_PRAISE] = 1;
    for (int k = 0; k < BUILT_KEYS; k++) {
      v[BUILT_KEY + k] = k < 2 ? -1 : 1;
    }
    o[BUILT_LABEL * BUILT_HIDDEN] = 4;
  }
}

static inline void built_fill(struct built *b, const struct built_shape *s) {
  float *embedding = built_add(b, "model.embed_tokens.weight", BUILT_VOCAB, BUILT_HIDDEN);
  for (int i = 0; i < BUILT_VOCAB; i++) {
    embedding[i * BUILT_HIDDEN + i] = 1;
    embedding[i * BUILT_HIDDEN + BUILT_ALWAYS] = 1;
  }
  for (int block = 0; block < BUILT_BLOCKS; block++) {
    (void)built_add_to(b, block, "input_layernorm", BUILT_HIDDEN, 0);
    built_attention(b, block);
    (void)built_add_to(b, block, "post_attention_layernorm", BUILT_HIDDEN, 0);
    built_mlp(b, block, s);
  }
  (void)built_add(b, "model.norm.weight", BUILT_HIDDEN, 0);
  float *head = built_add(b, "lm_head.weight", BUILT_VOCAB, BUILT_HIDDEN);
  head[6 * BUILT_HIDDEN + BUILT_LABEL] = 0.5F;
  head[7 * BUILT_HIDDEN + BUILT_LABEL] = -0.5F;
}

static inline void built_save(const struct built *b, const char *folder) {
  char path[FOLDER_PATH], *text;
  size_t size, end = 0;
  FILE *head = open_memstream(&text, &size);
  assert_non_null(head);
  for (int i = 0; i < b->count; i++) {
    const struct built_tensor *t = &b->tensors[i];
    size_t bytes = (size_t)t->rows * (size_t)(t->cols ? t->cols : 1) * sizeof *t->at;
    (void)fprintf(head, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%d", i ? "," : "{", t->name,
                  t->rows);
    (void)fprintf(head, t->cols ? ",%d]" : "]", t->cols);
    (void)fprintf(head, ",\"data_offsets\":[%zu,%zu]}", end, end + bytes);
    end += bytes;
  }
  (void)fprintf(head, "}");
  (void)fclose(head);
  FILE *f = fopen(folder_path(path, folder, "model.safetensors"), "wb");
  assert_non_null(f);
  uint64_t length = (size + 7) / 8 * 8;
  (void)fwrite(&length, 1, sizeof length, f);
  (void)fprintf(f, "%-*s", (int)length, text);
  for (int i = 0; i < b->count; i++) {
    const struct built_tensor *t = &b->tensors[i];
    (void)fwrite(t->at, sizeof *t->at, (size_t)t->rows * (size_t)(t->cols ? t->cols : 1), f);
  }
  assert_int_equal(fclose(f), 0);
  free(text);
}

/* Every word is a token. */
static inline void built_tokenizer(const char *folder) {
  char path[FOLDER_PATH];
  FILE *f = fopen(folder_path(path, folder, "tokenizer.json"), "w");
  assert_non_null(f);
  (void)fprintf(f, "{\"pre_tokenizer\": {\"type\": \"WhitespaceSplit\"}, \"model\": {\"type\": "
                   "\"BPE\", \"unk_token\": \"<unk>\", \"ignore_merges\": true, \"merges\": [], "
                   "\"vocab\": {");
  for (int i = 0; i < BUILT_VOCAB; i++) {
    (void)fprintf(f, "%s\"%s\": %d", i ? ", " : "", built_tokens[i], i);
  }
  (void)fprintf(f, "}}}\n");
  assert_int_equal(fclose(f), 0);
}

/* A checkpoint folder with its tokenizer; the caller removes it with folder_remove. */
static inline void built_make(char folder[FOLDER_PATH], const struct built_shape *s) {
  struct built b = {.count = 0};
  folder_make(folder);
  built_fill(&b, s);
  built_save(&b, folder);
  for (int i = 0; i < b.count; i++) {
    free(b.tensors[i].at);
  }
  built_tokenizer(folder);
  folder_text(folder, "config.json",
              "{\"model_type\": \"llama\", \"hidden_size\": 64, \"intermediate_size\": 64,\n"
              " \"num_hidden_layers\": 3, \"num_attention_heads\": 4, \"num_key_value_heads\": 4,\n"
              " \"vocab_size\": 32, \"max_position_embeddings\": 64, \"rms_norm_eps\": 1e-6,\n"
              " \"tie_word_embeddings\": false, \"bos_token_id\": 0, \"eos_token_id\": 1,\n"
              " \"torch_dtype\": \"float32\"}\n");
}

#endif
