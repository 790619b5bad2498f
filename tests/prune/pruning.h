/* A tiny checkpoint, calibration sequences of several lengths, and a sink that keeps all weights.
 */
#ifndef ESPALIER_TESTS_PRUNE_PRUNING_H
#define ESPALIER_TESTS_PRUNE_PRUNING_H

#include <unistd.h>

#include "make_checkpoint.h"
#include "model/forward.h"
#include "prune/prune.h"
#include "support.h"

enum { PRUNING_VOCAB = 96, PRUNING_POSITIONS = 64 };

struct pruning {
  char folder[256];
  struct model *model;
  struct sequences ids;
};

static inline void pruning_ids(struct sequences *s, int count) {
  uint32_t state = 99;
  for (int i = 0; i < count; i++) {
    int32_t ids[PRUNING_POSITIONS];
    size_t length = (size_t)(20 + i * 7 % 45);
    for (size_t t = 0; t < length; t++) {
      state = state * 1664525U + 1013904223U;
      ids[t] = (int32_t)(state >> 16) % PRUNING_VOCAB;
    }
    if (sequences_add(s, ids, length, NULL) != STATUS_OK) {
      abort();
    }
  }
}

/* type: "llama" or "opt". ffn 40 is no multiple of 16. */
static inline status pruning_open(struct pruning *p, const char *type, struct error *err) {
  *p = (struct pruning){.folder = "/tmp/espalier-prune-XXXXXX"};
  struct checkpoint_shape shape = {.type = type,
                                   .blocks = 3,
                                   .ffn = 40,
                                   .vocab = PRUNING_VOCAB,
                                   .positions = PRUNING_POSITIONS,
                                   .seed = 5};
  if (!mkdtemp(p->folder) || !make_checkpoint(p->folder, &shape)) {
    return err_set(err, STATUS_IO, "no checkpoint in %s", p->folder);
  }
  pruning_ids(&p->ids, 40); /* two batches: work for two ranks */
  return model_open(&p->model, p->folder, err);
}

static inline void pruning_close(struct pruning *p) {
  char path[512];
  const char *const files[] = {"config.json", "model.safetensors"};
  for (size_t i = 0; i < 2; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", p->folder, files[i]);
    (void)unlink(path);
  }
  (void)rmdir(p->folder);
  model_close(p->model);
  sequences_free(&p->ids);
}

/* Every linear put, end to end. */
struct kept {
  const struct model *model;
  float *weights;
  size_t count, cap; /* floats */
  int puts;
};

static inline status kept_put(void *user, int block, int linear, const float *weights,
                              struct error *err) {
  struct kept *k = user;
  int linears;
  const struct linear *l = model_linears(k->model, &linears);
  if (k->puts++ != block * linears + linear) {
    return err_set(err, STATUS_BUG, "linear %d of block %d out of order", linear, block);
  }
  size_t n = (size_t)l[linear].rows * (size_t)l[linear].cols;
  TRY(mem_reserve(&k->weights, &k->cap, k->count + n, sizeof *k->weights, err));
  memcpy(k->weights + k->count, weights, n * sizeof *weights);
  k->count += n;
  return STATUS_OK;
}

static inline void kept_free(struct kept *k) {
  free(k->weights);
  *k = (struct kept){.model = k->model};
}

static inline size_t pruning_layers(const struct model *m) {
  int linears;
  (void)model_linears(m, &linears);
  return (size_t)linears * (size_t)model_blocks(m);
}

/* Options for a method with its defaults; group must live as long. */
static inline struct prune_options pruning_options(const struct model *m,
                                                   const struct sequences *ids, const char *method,
                                                   const char *sparsity,
                                                   const struct group *group) {
  (void)m;
  struct prune_options o = {
      .method = method_find(method), .calibration = ids, .factor = FACTOR_LOCAL, .group = group};
  if (!o.method || sparsity_parse(&o.sparsity, sparsity, NULL) != STATUS_OK) {
    abort();
  }
  o.params = method_defaults(o.method);
  return o;
}

#endif
