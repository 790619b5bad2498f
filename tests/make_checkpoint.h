/* Small random checkpoints for tests: config.json and model.safetensors of a llama or an opt, the
 * same bytes for the same shape and seed on every machine. */
#ifndef ESPALIER_TESTS_MAKE_CHECKPOINT_H
#define ESPALIER_TESTS_MAKE_CHECKPOINT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Zeros stand for the numbers behind the fields. */
struct checkpoint_shape {
  const char *type;   /* "llama" or "opt"; NULL: "llama" */
  const char *dtype;  /* "F32", "F16" or "BF16"; NULL: "F32" */
  const char *prefix; /* of the tensors' names but the head's; NULL: the family's */
  const char *keys;   /* more of config.json, ending in a comma: "\"rope_theta\": 500,"; or NULL */
  int hidden;         /* 32 */
  int blocks;         /* 2 */
  int heads;          /* 4 */
  int kv_heads;       /* heads (llama) */
  int ffn;            /* 64 */
  int vocab;          /* 96 */
  int positions;      /* 64 */
  bool tied;          /* no lm_head */
  uint64_t seed;
};

struct checkpoint_maker {
  struct checkpoint_shape shape;
  uint64_t random, end; /* end: bytes of the buffer so far */
  char *header, *data;
  size_t header_size, data_size;
  FILE *head, *body;
};

/* Uniform in (-a, a), rounded to multiples of 2^-8 so that every dtype holds it exactly. */
static inline float checkpoint_random(struct checkpoint_maker *m, float a) {
  m->random = m->random * 6364136223846793005u + 1442695040888963407u;
  int n = (int)(m->random >> 40 & 0xffff) - 0x8000;
  return (float)((int)((float)n / 0x8000 * a * 256)) / 256;
}

static inline void checkpoint_element(struct checkpoint_maker *m, float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (strcmp(m->shape.dtype, "F32") == 0) {
    (void)fwrite(&bits, 1, 4, m->body);
    return;
  }
  uint16_t half = (uint16_t)(bits >> 16);
  if (strcmp(m->shape.dtype, "F16") == 0) {
    uint32_t body = bits & 0x7fffffffu;
    half = (uint16_t)((bits >> 16 & 0x8000u) | (body ? (body - (112u << 23)) >> 13 : 0));
  }
  (void)fwrite(&half, 1, 2, m->body);
}

/* A tensor of rows × cols (cols 0: a vector) around `center`. */
static inline void checkpoint_tensor(struct checkpoint_maker *m, const char *name, int rows,
                                     int cols, float center, float spread) {
  size_t count = (size_t)rows * (size_t)(cols ? cols : 1);
  uint64_t bytes = count * (strcmp(m->shape.dtype, "F32") == 0 ? 4 : 2);
  char shape[64];
  (void)snprintf(shape, sizeof shape, cols ? "%d,%d" : "%d", rows, cols);
  (void)fprintf(m->head,
                ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%" PRIu64 ",%" PRIu64
                "]}",
                name, m->shape.dtype, shape, m->end, m->end + bytes);
  m->end += bytes;
  for (size_t i = 0; i < count; i++) {
    checkpoint_element(m, center + checkpoint_random(m, spread));
  }
}

/* A tensor of block `block` (below 0: of none). */
static inline void checkpoint_named(struct checkpoint_maker *m, int block, const char *name,
                                    int rows, int cols, float center, float spread) {
  char full[256], part[32] = "";
  if (block >= 0) {
    (void)snprintf(part, sizeof part, "layers.%d.", block);
  }
  (void)snprintf(full, sizeof full, "%s%s%s", m->shape.prefix, part, name);
  checkpoint_tensor(m, full, rows, cols, center, spread);
}

static inline void checkpoint_biased(struct checkpoint_maker *m, int block, const char *name,
                                     int rows, int cols, float center, float spread) {
  char full[96];
  (void)snprintf(full, sizeof full, "%s.weight", name);
  checkpoint_named(m, block, full, rows, cols, center, spread);
  (void)snprintf(full, sizeof full, "%s.bias", name);
  checkpoint_named(m, block, full, rows, 0, 0, 0.25f);
}

static inline void checkpoint_llama(struct checkpoint_maker *m) {
  const struct checkpoint_shape *s = &m->shape;
  int kv = s->hidden / s->heads * s->kv_heads;
  checkpoint_named(m, -1, "embed_tokens.weight", s->vocab, s->hidden, 0, 1);
  for (int i = 0; i < s->blocks; i++) {
    checkpoint_named(m, i, "input_layernorm.weight", s->hidden, 0, 1, 0.25f);
    checkpoint_named(m, i, "self_attn.q_proj.weight", s->hidden, s->hidden, 0, 0.5f);
    checkpoint_named(m, i, "self_attn.k_proj.weight", kv, s->hidden, 0, 0.5f);
    checkpoint_named(m, i, "self_attn.v_proj.weight", kv, s->hidden, 0, 0.5f);
    checkpoint_named(m, i, "self_attn.o_proj.weight", s->hidden, s->hidden, 0, 0.5f);
    checkpoint_named(m, i, "post_attention_layernorm.weight", s->hidden, 0, 1, 0.25f);
    checkpoint_named(m, i, "mlp.gate_proj.weight", s->ffn, s->hidden, 0, 0.5f);
    checkpoint_named(m, i, "mlp.up_proj.weight", s->ffn, s->hidden, 0, 0.5f);
    checkpoint_named(m, i, "mlp.down_proj.weight", s->hidden, s->ffn, 0, 0.5f);
  }
  checkpoint_named(m, -1, "norm.weight", s->hidden, 0, 1, 0.25f);
}

static inline void checkpoint_opt(struct checkpoint_maker *m) {
  const struct checkpoint_shape *s = &m->shape;
  checkpoint_named(m, -1, "embed_tokens.weight", s->vocab, s->hidden, 0, 1);
  checkpoint_named(m, -1, "embed_positions.weight", s->positions + 2, s->hidden, 0, 0.5f);
  for (int i = 0; i < s->blocks; i++) {
    checkpoint_biased(m, i, "self_attn_layer_norm", s->hidden, 0, 1, 0.25f);
    checkpoint_biased(m, i, "self_attn.q_proj", s->hidden, s->hidden, 0, 0.5f);
    checkpoint_biased(m, i, "self_attn.k_proj", s->hidden, s->hidden, 0, 0.5f);
    checkpoint_biased(m, i, "self_attn.v_proj", s->hidden, s->hidden, 0, 0.5f);
    checkpoint_biased(m, i, "self_attn.out_proj", s->hidden, s->hidden, 0, 0.5f);
    checkpoint_biased(m, i, "final_layer_norm", s->hidden, 0, 1, 0.25f);
    checkpoint_biased(m, i, "fc1", s->ffn, s->hidden, 0, 0.5f);
    checkpoint_biased(m, i, "fc2", s->hidden, s->ffn, 0, 0.5f);
  }
  checkpoint_biased(m, -1, "final_layer_norm", s->hidden, 0, 1, 0.25f);
}

static inline bool checkpoint_config(const struct checkpoint_shape *s, const char *folder) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/config.json", folder);
  FILE *f = fopen(path, "w");
  if (!f) {
    return false;
  }
  const char *dtype = strcmp(s->dtype, "F32") == 0   ? "float32"
                      : strcmp(s->dtype, "F16") == 0 ? "float16"
                                                     : "bfloat16";
  bool opt = strcmp(s->type, "opt") == 0;
  (void)fprintf(f,
                "{\n \"model_type\": \"%s\",\n \"hidden_size\": %d,\n \"%s\": %d,\n"
                " \"num_hidden_layers\": %d,\n \"num_attention_heads\": %d,\n",
                s->type, s->hidden, opt ? "ffn_dim" : "intermediate_size", s->ffn, s->blocks,
                s->heads);
  if (!opt) {
    (void)fprintf(f, " \"num_key_value_heads\": %d,\n \"rms_norm_eps\": 1e-05,\n", s->kv_heads);
  }
  (void)fprintf(f,
                " \"vocab_size\": %d,\n \"max_position_embeddings\": %d,\n"
                " \"tie_word_embeddings\": %s,\n \"bos_token_id\": 1,\n \"eos_token_id\": 2,\n"
                " %s\n \"torch_dtype\": \"%s\"\n}\n",
                s->vocab, s->positions, s->tied ? "true" : "false", s->keys ? s->keys : "", dtype);
  return fclose(f) == 0;
}

static inline bool checkpoint_save(const struct checkpoint_maker *m, const char *folder) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
  FILE *f = fopen(path, "wb");
  if (!f) {
    return false;
  }
  uint64_t length = (m->header_size + 7) / 8 * 8;
  (void)fwrite(&length, 1, sizeof length, f);
  (void)fprintf(f, "%-*s", (int)length, m->header);
  (void)fwrite(m->data, 1, m->data_size, f);
  return fclose(f) == 0;
}

/* Writes both files into `folder`, which is made when absent. False when the file system refuses.
 */
static inline bool make_checkpoint(const char *folder, const struct checkpoint_shape *shape) {
  struct checkpoint_maker m = {.shape = *shape, .random = shape->seed + 1};
  struct checkpoint_shape *s = &m.shape;
  s->type = s->type ? s->type : "llama";
  bool opt = strcmp(s->type, "opt") == 0;
  s->dtype = s->dtype ? s->dtype : "F32";
  s->prefix = s->prefix ? s->prefix : opt ? "model.decoder." : "model.";
  s->hidden = s->hidden ? s->hidden : 32;
  s->blocks = s->blocks ? s->blocks : 2;
  s->heads = s->heads ? s->heads : 4;
  s->kv_heads = s->kv_heads ? s->kv_heads : s->heads;
  s->ffn = s->ffn ? s->ffn : 64;
  s->vocab = s->vocab ? s->vocab : 96;
  s->positions = s->positions ? s->positions : 64;
  (void)mkdir(folder, 0777);
  m.head = open_memstream(&m.header, &m.header_size);
  m.body = open_memstream(&m.data, &m.data_size);
  if (!m.head || !m.body) {
    abort();
  }
  (void)fprintf(m.head, "{\"__metadata__\":{\"format\":\"pt\"}");
  if (opt) {
    checkpoint_opt(&m);
  } else {
    checkpoint_llama(&m);
  }
  if (!s->tied) {
    checkpoint_tensor(&m, "lm_head.weight", s->vocab, s->hidden, 0, 1);
  }
  (void)fprintf(m.head, "}");
  (void)fclose(m.head);
  (void)fclose(m.body);
  bool ok = checkpoint_config(s, folder) && checkpoint_save(&m, folder);
  free(m.header);
  free(m.data);
  return ok;
}

#endif
