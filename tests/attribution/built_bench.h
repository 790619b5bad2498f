/* The built model with a data set of which it gets every answer right, and neutral text. */
#ifndef ESPALIER_TESTS_ATTRIBUTION_BUILT_BENCH_H
#define ESPALIER_TESTS_ATTRIBUTION_BUILT_BENCH_H

#include "built_model.h"

#include <math.h>

#include "attribution/attribution.h"
#include "base/str.h"

enum { ITEMS = 40, WORDS = 6 /* of an item */, WINDOWS = 20, WINDOW = 32 };

/* A model, its data set and its neutral text. */
struct bench {
  char folder[FOLDER_PATH];
  struct model *model;
  struct tokenizer *tokenizer;
  struct task *task;
  struct evalset *set;
  struct sequences windows;
  struct background dense;
  struct runner *runner;
  struct attribution *attribution;
};

static const struct watcher nobody;
static const char *const nowhere[] = {NULL};
static const struct search search = {nowhere, nowhere};

static inline unsigned draw(uint64_t *state, unsigned below) {
  *state = *state * 6364136223846793005U + 1442695040888963407U;
  return (unsigned)(*state >> 33) % below;
}

/* Reviews of fillers with one deciding word each, the four in turn. */
static inline void write_data(const char *folder) {
  struct error err;
  struct str text = {0};
  uint64_t state = 1;
  for (int i = 0; i < ITEMS; i++) {
    int key = i % BUILT_KEYS;
    assert_ok(str_addf(&text, &err, "{\"label\": %d, \"text\": \"", key < 2));
    for (int k = 0; k < WORDS; k++) {
      unsigned filler = BUILT_FILLER + draw(&state, BUILT_VOCAB - BUILT_FILLER);
      const char *word = built_tokens[k == i / 4 % WORDS ? BUILT_KEY + (unsigned)key : filler];
      assert_ok(str_addf(&text, &err, "%s%s", k ? " " : "", word));
    }
    assert_ok(str_addf(&text, &err, "\"}\n"));
  }
  folder_text(folder, "data.jsonl", text.at);
  str_free(&text);
}

static inline void open_task(struct bench *b) {
  struct error err;
  char path[FOLDER_PATH], text[2 * FOLDER_PATH];
  write_data(b->folder);
  (void)snprintf(text, sizeof text,
                 "kind: sentiment\ntype: multiple_choice\ndata: %s/data.jsonl\n"
                 "context: \"Review: {{text}} It was\"\nchoices: [bad, good]\nlabel: label\n"
                 "metrics: [acc]\n",
                 b->folder);
  folder_text(b->folder, "task.yaml", text);
  assert_ok(task_open(&b->task, folder_path(path, b->folder, "task.yaml"), &search, &err));
  struct evalset_options options = {.spans = true};
  assert_ok(evalset_create(&b->set, b->task, b->tokenizer, b->model, &options, &err));
}

static inline void bench_open(struct bench *b, const struct built_shape *shape) {
  struct error err;
  *b = (struct bench){.attribution = NULL};
  built_make(b->folder, shape);
  assert_ok(model_open(&b->model, b->folder, &err));
  assert_ok(tokenizer_open(&b->tokenizer, b->folder, &err));
  open_task(b);
  uint64_t state = 2;
  for (int i = 0; i < WINDOWS; i++) {
    int32_t ids[WINDOW];
    for (int k = 0; k < WINDOW; k++) {
      ids[k] = BUILT_TEMPLATE + (int32_t)draw(&state, BUILT_VOCAB - BUILT_TEMPLATE);
    }
    assert_ok(sequences_add(&b->windows, ids, WINDOW, &err));
  }
  assert_ok(runner_open(&b->runner, b->model, NULL, SIZE_MAX, &err));
  assert_ok(background_observe(&b->dense, b->model, b->runner, &b->windows, NULL, NULL, &err));
}

static inline void bench_close(struct bench *b) {
  attribution_close(b->attribution);
  background_free(&b->dense);
  sequences_free(&b->windows);
  runner_close(b->runner);
  evalset_free(b->set);
  task_close(b->task);
  tokenizer_close(b->tokenizer);
  model_close(b->model);
  folder_remove(b->folder);
}

static inline const struct attribution_base *attribute(struct bench *b,
                                                       const struct attribution_options *o) {
  struct error err;
  const struct subject s = {.task = b->task,
                            .set = b->set,
                            .model = b->model,
                            .tokenizer = b->tokenizer,
                            .background = &b->dense};
  attribution_close(b->attribution);
  assert_ok(attribution_open(&b->attribution, &s, o, b->runner, &nobody, &err));
  return attribution_base(b->attribution);
}

static inline struct attribution_options two_units(void) {
  struct attribution_options o = attribution_defaults();
  o.neurons = 2;
  return o;
}

/* The key that a base's word is; fails for any other word. */
static inline int key_of(const char *word) {
  for (int k = 0; k < BUILT_KEYS; k++) {
    if (strcmp(word, built_tokens[BUILT_KEY + k]) == 0) {
      return k;
    }
  }
  fail_msg("'%s' decides nothing", word);
  return -1;
}

static inline void assert_near(double got, double wanted, double bound) {
  if (!(fabs(got - wanted) <= bound)) {
    fail_msg("%.9g, wanted %.9g", got, wanted);
  }
}

#endif
