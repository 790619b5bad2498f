/* What calibration tests share: the small LLaMA checkpoint and a folder with data files and
 * calibration sets of the test's own. */
#ifndef ESPALIER_TESTS_CALIB_SCRATCH_H
#define ESPALIER_TESTS_CALIB_SCRATCH_H

#include <unistd.h>

#include "support.h"

#include "base/file.h"
#include "calib/calib.h"
#include "linalg/matmul.h"

static char root[256], configs[300], data[300];
static const char *config_list[] = {configs, NULL}, *data_list[] = {data, NULL};
static const struct search search = {config_list, data_list};
static struct model *model;
static struct tokenizer *tokenizer;

static inline void write_file(const char *name, const char *text) {
  struct error err = {0};
  char *path, *dir;
  assert_ok(path_join(&path, root, name, &err));
  assert_ok(path_dir(&dir, path, &err));
  assert_ok(file_make_dirs(dir, &err));
  assert_ok(file_write(path, text, strlen(text), &err));
  free(dir);
  free(path);
}

/* A draw from the calibration file configs/calibration/set.yaml of the given text. */
static inline status draw_as(const char *yaml, const struct draw *draw, struct sequences *out,
                             struct error *err) {
  write_file("configs/calibration/set.yaml", yaml);
  struct calibration *c;
  TRY(calibration_open(&c, "set", &search, err));
  status st = calibration_draw(c, tokenizer, model, draw, out, err);
  calibration_close(c);
  return st;
}

static inline struct sequences drawn_as(const char *yaml, const struct draw *draw) {
  struct error err = {0};
  struct sequences out = {0};
  assert_ok(draw_as(yaml, draw, &out, &err));
  assert_int_equal(out.count, draw->samples);
  return out;
}

static inline bool same_sequence(const struct sequences *a, size_t i, const struct sequences *b,
                                 size_t k) {
  size_t length = sequences_length(a, i);
  return length == sequences_length(b, k) &&
         memcmp(sequences_at(a, i), sequences_at(b, k), length * sizeof(int32_t)) == 0;
}

static inline void assert_prefix(const struct sequences *few, const struct sequences *many) {
  assert_true(few->count <= many->count);
  for (size_t i = 0; i < few->count; i++) {
    assert_true(same_sequence(few, i, many, i));
  }
}

/* No sequence of one is in the other. */
static inline void assert_apart(const struct sequences *a, const struct sequences *b) {
  for (size_t i = 0; i < a->count; i++) {
    for (size_t k = 0; k < b->count; k++) {
      assert_false(same_sequence(a, i, b, k));
    }
  }
}

/* Sets that are refused, and what the line says. */
struct bad {
  const char *yaml, *part;
};

static inline void assert_refused(const struct bad *cases, size_t count, const struct draw *draw) {
  int failed = 0;
  for (size_t i = 0; i < count; i++) {
    struct error err = {0};
    struct sequences out = {0};
    status st = draw_as(cases[i].yaml, draw, &out, &err);
    if (st != STATUS_INPUT || !strstr(err.text, cases[i].part)) {
      print_error("case %zu: status %d '%s' lacks '%s'\n", i, (int)st, err.text, cases[i].part);
      failed++;
    }
    sequences_free(&out);
  }
  assert_int_equal(failed, 0);
}

static inline int scratch_open(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR"), *source = getenv("ESPALIER_SOURCE");
  struct error err = {0};
  char folder[600];
  (void)snprintf(root, sizeof root, "%s/espalier-calib-XXXXXX", tmp ? tmp : "/tmp");
  assert_non_null(mkdtemp(root));
  (void)snprintf(configs, sizeof configs, "%s/configs", root);
  (void)snprintf(data, sizeof data, "%s/data", root);
  (void)snprintf(folder, sizeof folder, "%s/experiments/demo/nano-llama", source ? source : ".");
  linalg_set_threads(1); /* on a busy machine barriers cost more than these small passes */
  assert_ok(model_open(&model, folder, &err));
  assert_ok(tokenizer_open(&tokenizer, folder, &err));
  return 0;
}

static inline int scratch_close(void **state) {
  (void)state;
  char command[400];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", root);
  tokenizer_close(tokenizer);
  model_close(model);
  return system(command); /* NOLINT(bugprone-command-processor,cert-env33-c) */
}

#endif
