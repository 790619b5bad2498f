/* Taps, replaced linears and overlays. */
#include <math.h>

#include "linalg/matmul.h"
#include "model/config.h"
#include "model/overlay.h"
#include "small_model.h"

enum { TOKENS = 20 };

struct seen {
  int calls, inputs[16];
  int zero, cols; /* the input to clear, or -1, and its width */
};

static status look(void *user, int input, float *x, int rows, const struct batch *batch,
                   struct error *err) {
  struct seen *s = user;
  (void)batch;
  (void)err;
  s->inputs[s->calls++] = input;
  if (input == s->zero) {
    memset(x, 0, (size_t)rows * (size_t)s->cols * sizeof *x);
  }
  return STATUS_OK;
}

static status refuse(void *user, int input, float *x, int rows, const struct batch *batch,
                     struct error *err) {
  (void)user;
  (void)x;
  (void)rows;
  (void)batch;
  return input == 2 ? err_set(err, STATUS_TIME, "the tap had enough") : STATUS_OK;
}

struct bench {
  struct model *model;
  struct workspace *workspace;
  struct block *block;
  int32_t ids[TOKENS];
  struct span span;
  struct batch batch;
  size_t size;
  float *x;
};

static void bench_open(struct bench *b, const struct checkpoint_shape *shape) {
  struct error err;
  b->model = small_model(shape);
  b->span = (struct span){.length = TOKENS};
  b->batch = (struct batch){b->ids, TOKENS, &b->span, 1};
  b->size = TOKENS * (size_t)model_hidden(b->model);
  small_ids(b->model, b->ids, TOKENS, 5);
  assert_ok(workspace_create(&b->workspace, b->model, &err));
  assert_ok(block_create(&b->block, b->model, &err));
  assert_ok(mem_alloc(&b->x, b->size, sizeof *b->x, &err));
}

/* Block 0 behind the embedding, in b->x. */
static void bench_run(struct bench *b, const struct tap *tap) {
  struct error err;
  assert_ok(forward_embed(b->model, b->workspace, &b->batch, b->x, &err));
  assert_ok(forward_block(b->block, b->workspace, &b->batch, b->x, tap, &err));
}

static void bench_close(struct bench *b) {
  free(b->x);
  block_free(b->block);
  workspace_free(b->workspace);
  model_close(b->model);
}

static void a_tap_sees_every_input_once_in_order_of_execution(void **state) {
  (void)state;
  struct error err;
  for (int s = 0; s < SMALL_SHAPES; s++) {
    struct bench b;
    struct seen seen = {.zero = -1};
    struct tap tap = {&seen, look};
    bench_open(&b, small_shapes + s);
    assert_ok(block_load(b.block, 0, NULL, &err));
    bench_run(&b, &tap);
    assert_int_equal(seen.calls, model_inputs(b.model));
    for (int i = 0; i < seen.calls; i++) {
      assert_int_equal(seen.inputs[i], i);
    }
    struct tap stop = {NULL, refuse};
    assert_fails(forward_block(b.block, b.workspace, &b.batch, b.x, &stop, &err), STATUS_TIME,
                 "had enough");
    bench_close(&b);
  }
}

/* An input of zeros does what weights of zeros do, and touches nothing but its linears. */
static void a_changed_input_changes_what_its_linears_read_and_nothing_else(void **state) {
  (void)state;
  struct error err;
  linalg_set_threads(2);
  for (int s = 0; s < SMALL_SHAPES; s++) {
    struct bench b;
    bench_open(&b, small_shapes + s);
    int count;
    const struct linear *linears = model_linears(b.model, &count);
    for (int input = 0; input < model_inputs(b.model); input++) {
      struct seen seen = {.zero = input};
      struct tap tap = {&seen, look};
      float *by_tap = NULL, *zeros = NULL;
      for (int i = 0; i < count; i++) {
        seen.cols = linears[i].input == input ? linears[i].cols : seen.cols;
      }
      assert_ok(mem_alloc(&by_tap, b.size, sizeof *by_tap, &err));
      assert_ok(block_load(b.block, 0, NULL, &err));
      bench_run(&b, NULL);
      memcpy(by_tap, b.x, b.size * sizeof *by_tap);
      bench_run(&b, &tap);
      assert_memory_not_equal(by_tap, b.x, b.size * sizeof *by_tap);
      memcpy(by_tap, b.x, b.size * sizeof *by_tap);
      for (int i = 0; i < count; i++) {
        if (linears[i].input == input) {
          size_t cells = (size_t)linears[i].rows * (size_t)linears[i].cols;
          assert_ok(mem_alloc(&zeros, cells, sizeof *zeros, &err));
          block_set_linear(b.block, i, zeros);
          free(zeros);
        }
      }
      bench_run(&b, NULL);
      for (size_t i = 0; i < b.size; i++) {
        assert_true(by_tap[i] == b.x[i]);
      }
      free(by_tap);
    }
    bench_close(&b);
  }
}

static void an_overlay_stands_in_place_of_the_checkpoint(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct overlay *o;
  bench_open(&b, small_shapes);
  int count;
  const struct linear *linears = model_linears(b.model, &count);
  assert_ok(overlay_create(&o, b.model, NULL, &err));
  size_t cells = (size_t)linears[1].rows * (size_t)linears[1].cols;
  float *w = NULL;
  assert_ok(mem_alloc(&w, cells, sizeof *w, &err));
  for (size_t i = 0; i < cells; i++) {
    w[i] = (float)(i % 7) * 0.125F - 0.375F;
  }
  assert_ok(block_load(b.block, 0, o, &err)); /* not put there yet: the checkpoint's */
  bench_run(&b, NULL);
  float *dense = NULL, *replaced = NULL;
  assert_ok(mem_alloc(&dense, b.size, sizeof *dense, &err));
  assert_ok(mem_alloc(&replaced, b.size, sizeof *replaced, &err));
  memcpy(dense, b.x, b.size * sizeof *dense);
  block_set_linear(b.block, 1, w);
  bench_run(&b, NULL);
  memcpy(replaced, b.x, b.size * sizeof *dense);
  assert_memory_not_equal(dense, replaced, b.size * sizeof *dense);
  overlay_put(o, 0, 1, w);
  assert_ok(block_load(b.block, 0, o, &err));
  bench_run(&b, NULL);
  assert_memory_equal(b.x, replaced, b.size * sizeof *dense);
  w[3] = INFINITY;
  overlay_put(o, 0, 1, w);
  assert_fails(block_load(b.block, 0, o, &err), STATUS_NUMERIC, "layers.0.self_attn.k_proj");
  free(dense);
  free(replaced);
  free(w);
  overlay_free(o);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_tap_sees_every_input_once_in_order_of_execution),
      cmocka_unit_test(a_changed_input_changes_what_its_linears_read_and_nothing_else),
      cmocka_unit_test(an_overlay_stands_in_place_of_the_checkpoint),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
