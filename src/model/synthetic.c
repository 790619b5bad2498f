#include "model/synthetic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/safetensors.h"
#include "model/staging.h"

enum { RUN = 1 << 15 /* elements made at a time */ };

static const float WEIGHTS_SD = 0.02F;

void synthetic_fill(struct rng *r, float sd, float *out, size_t count) {
  const float mean = 2.0F * 0xffff;
  /* four uniforms on 0 .. 65535 have a variance of 4 · 65535 · 65537 / 12 */
  const float scale = sd / 37837.2F;
  for (size_t i = 0; i < count; i++) {
    uint32_t a = rng_u32(r), b = rng_u32(r);
    uint32_t sum = (a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16);
    out[i] = ((float)sum - mean) * scale;
  }
}

/* Goes through the tensors of a checkpoint twice, in the same order: once for the header, once for
 * the bytes. */
struct maker {
  const struct synthetic_shape *shape;
  enum dtype dtype;
  struct str header; /* first time */
  uint64_t end;      /* first time: bytes of the buffer */
  FILE *file;        /* second time; NULL the first */
  const char *path;
  struct rng rng;
  float values[RUN];
  unsigned char encoded[4 * RUN];
};

static status write_bytes(const struct maker *m, const void *from, size_t size, struct error *err) {
  return fwrite(from, 1, size, m->file) == size ? STATUS_OK
                                                : err_errno(err, STATUS_IO, "%s", m->path);
}

static status describe(struct maker *m, const char *name, int rows, int cols, uint64_t bytes,
                       struct error *err) {
  char shape[TENSOR_SHAPE_TEXT];
  const uint64_t dims[] = {(uint64_t)rows, (uint64_t)cols};
  TRY(str_addf(&m->header, err,
               "%c\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%" PRIu64 ",%" PRIu64
               "]}",
               m->header.count ? ',' : '{', name, dtype_name(m->dtype),
               tensor_shape_text(cols ? 2 : 1, dims, shape, sizeof shape), m->end, m->end + bytes));
  m->end += bytes;
  return STATUS_OK;
}

/* cols 0: a norm's vector of ones. */
static status tensor(struct maker *m, const char *name, int rows, int cols, struct error *err) {
  uint64_t count = (uint64_t)rows * (uint64_t)(cols ? cols : 1), size = dtype_bits(m->dtype) / 8;
  if (!m->file) {
    return describe(m, name, rows, cols, count * size, err);
  }
  for (uint64_t i = 0; i < count; i += RUN) {
    size_t run = count - i < RUN ? (size_t)(count - i) : RUN;
    if (cols) {
      synthetic_fill(&m->rng, WEIGHTS_SD, m->values, run);
    } else {
      for (size_t j = 0; j < run; j++) {
        m->values[j] = 1;
      }
    }
    dtype_encode(m->dtype, m->values, run, m->encoded);
    TRY(write_bytes(m, m->encoded, run * size, err));
  }
  return STATUS_OK;
}

static status block_tensors(struct maker *m, int block, struct error *err) {
  const struct synthetic_shape *s = m->shape;
  int kv = s->hidden / s->heads * s->kv_heads;
  const struct {
    const char *name;
    int rows, cols;
  } parts[] = {
      {"input_layernorm", s->hidden, 0},          {"self_attn.q_proj", s->hidden, s->hidden},
      {"self_attn.k_proj", kv, s->hidden},        {"self_attn.v_proj", kv, s->hidden},
      {"self_attn.o_proj", s->hidden, s->hidden}, {"post_attention_layernorm", s->hidden, 0},
      {"mlp.gate_proj", s->ffn, s->hidden},       {"mlp.up_proj", s->ffn, s->hidden},
      {"mlp.down_proj", s->hidden, s->ffn},
  };
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    char name[96];
    (void)snprintf(name, sizeof name, "model.layers.%d.%s.weight", block, parts[i].name);
    TRY(tensor(m, name, parts[i].rows, parts[i].cols, err));
  }
  return STATUS_OK;
}

static status tensors(struct maker *m, struct error *err) {
  const struct synthetic_shape *s = m->shape;
  TRY(tensor(m, "model.embed_tokens.weight", s->vocab, s->hidden, err));
  for (int i = 0; i < s->blocks; i++) {
    TRY(block_tensors(m, i, err));
  }
  TRY(tensor(m, "model.norm.weight", s->hidden, 0, err));
  return s->tied ? STATUS_OK : tensor(m, "lm_head.weight", s->vocab, s->hidden, err);
}

static status finish_header(struct maker *m, struct error *err) {
  TRY(str_addf(&m->header, err, "}"));
  while (m->header.count % 8) {
    TRY(str_add(&m->header, " ", 1, err));
  }
  return STATUS_OK;
}

static status write_weights(struct maker *m, const char *path, struct error *err) {
  TRY(tensors(m, err));
  TRY(finish_header(m, err));
  m->path = path;
  m->file = fopen(path, "wb");
  if (!m->file) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  uint64_t length = m->header.count;
  status st = write_bytes(m, &length, sizeof length, err);
  st = st == STATUS_OK ? write_bytes(m, m->header.at, m->header.count, err) : st;
  st = st == STATUS_OK ? tensors(m, err) : st;
  if (fclose(m->file) != 0 && st == STATUS_OK) {
    st = err_errno(err, STATUS_IO, "%s", path);
  }
  return st;
}

static status write_config(const struct synthetic_shape *s, enum dtype dtype, const char *path,
                           struct error *err) {
  const char *torch_dtype = dtype == DTYPE_F32   ? "float32"
                            : dtype == DTYPE_F16 ? "float16"
                                                 : "bfloat16";
  char *text;
  TRY(str_format(&text, err,
                 "{\n  \"architectures\": [\"LlamaForCausalLM\"],\n  \"model_type\": \"llama\",\n"
                 "  \"hidden_act\": \"silu\",\n  \"hidden_size\": %d,\n"
                 "  \"intermediate_size\": %d,\n  \"num_hidden_layers\": %d,\n"
                 "  \"num_attention_heads\": %d,\n  \"num_key_value_heads\": %d,\n"
                 "  \"max_position_embeddings\": %d,\n  \"rms_norm_eps\": 1e-05,\n"
                 "  \"rope_theta\": 10000.0,\n  \"vocab_size\": %d,\n"
                 "  \"tie_word_embeddings\": %s,\n  \"bos_token_id\": 1,\n"
                 "  \"eos_token_id\": 2,\n  \"torch_dtype\": \"%s\"\n}\n",
                 s->hidden, s->ffn, s->blocks, s->heads, s->kv_heads, s->positions, s->vocab,
                 s->tied ? "true" : "false", torch_dtype));
  status st = file_write(path, text, strlen(text), err);
  free(text);
  return st;
}

static status write_both(struct maker *m, const char *folder, struct error *err) {
  char *config = NULL, *weights = NULL;
  status st;
  TRY_GOTO(st, done, path_join(&config, folder, "config.json", err));
  TRY_GOTO(st, done, path_join(&weights, folder, "model.safetensors", err));
  TRY_GOTO(st, done, write_config(m->shape, m->dtype, config, err));
  TRY_GOTO(st, done, write_weights(m, weights, err));
done:
  free(config);
  free(weights);
  return st;
}

status synthetic_write(const char *folder, const struct synthetic_shape *shape, enum dtype dtype,
                       uint64_t seed, struct error *err) {
  if (!dtype_is_weight(dtype)) {
    return err_set(err, STATUS_BUG, "weights of type %s", dtype_name(dtype));
  }
  struct maker *m;
  TRY(mem_alloc(&m, 1, sizeof *m, err));
  m->shape = shape;
  m->dtype = dtype;
  rng_seed(&m->rng, seed);
  struct staging staging;
  status st = staging_open(&staging, folder, err);
  if (st == STATUS_OK) {
    st = write_both(m, staging.folder, err);
    if (st == STATUS_OK) {
      st = staging_publish(&staging, err);
    } else {
      staging_abandon(&staging);
    }
  }
  str_free(&m->header);
  free(m);
  return st;
}
