/* A checkpoint to write from and a place to write to. */
#ifndef ESPALIER_TESTS_MODEL_WRITING_H
#define ESPALIER_TESTS_MODEL_WRITING_H

#include "folder.h"
#include "make_checkpoint.h"
#include "model/write.h"

struct place {
  char base[FOLDER_PATH], from[FOLDER_PATH], to[FOLDER_PATH];
};

static inline void place_make(struct place *p) {
  folder_make(p->base);
  folder_path(p->from, p->base, "from");
  folder_path(p->to, p->base, "to");
}

static inline struct model *open_made(const struct place *p, const struct checkpoint_shape *s) {
  assert_true(make_checkpoint(p->from, s));
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, p->from, &err));
  return m;
}

/* Every second weight of linear 3 of block 1 becomes zero. */
static inline void prune_one(const struct model *m, struct model_writer *w) {
  static float weights[32 * 32];
  struct error err = {0};
  assert_ok(model_linear_read(m, 1, 3, weights, &err));
  for (int i = 0; i < 32 * 32; i += 2) {
    weights[i] = 0;
  }
  assert_ok(model_writer_put(w, 1, 3, weights, &err));
}

#endif
