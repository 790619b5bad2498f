/* What packing, prefixes, threads and streaming may change: nothing. */
#include <math.h>

#include "linalg/matmul.h"
#include "model/runner.h"
#include "small_model.h"

enum { TOKENS_MAX = 700 };

static void answer(const struct model *m, size_t budget, const struct work *works, size_t count) {
  struct error err;
  struct runner *r;
  assert_ok(runner_open(&r, m, NULL, budget, &err));
  assert_ok(runner_answer(r, works, count, &err));
  runner_close(r);
}

static void a_span_with_a_prefix_is_the_whole_sequence(void **state) {
  (void)state;
  linalg_set_threads(2);
  for (int s = 0; s < SMALL_SHAPES; s++) {
    struct model *m = small_model(small_shapes + s);
    int32_t ids[TOKENS_MAX], joined[TOKENS_MAX];
    small_ids(m, ids, TOKENS_MAX, 1);
    /* context of 150 tokens, continuations of 1, 5 and 90; the second uses 149 of the context */
    const struct span spans[] = {
        {0, 150, 0, 0}, {150, 1, 0, 150}, {151, 5, 0, 149}, {156, 90, 0, 150}};
    struct query queries[96], whole_queries[96];
    struct answer answers[96], whole[96];
    for (int i = 0; i < 96; i++) {
      queries[i] = (struct query){150 + i, ids[150 + i + 1]};
    }
    struct work work = {{ids, 246, spans, 4}, queries, 96, answers, NULL};
    answer(m, SIZE_MAX, &work, 1);
    for (int c = 1; c < 4; c++) {
      int before = spans[c].prefix_length, length = spans[c].length, total = before + length;
      memcpy(joined, ids, (size_t)before * sizeof *ids);
      memcpy(joined + before, ids + spans[c].first, (size_t)length * sizeof *ids);
      for (int i = 0; i < length; i++) {
        whole_queries[i] = (struct query){before + i, queries[spans[c].first - 150 + i].target};
      }
      struct span span = {.length = total};
      struct work alone = {{joined, total, &span, 1}, whole_queries, (size_t)length, whole, NULL};
      answer(m, SIZE_MAX, &alone, 1);
      for (int i = 0; i < length; i++) {
        const struct answer *got = answers + spans[c].first - 150 + i;
        assert_true(fabs(got->logprob - whole[i].logprob) <= 1e-5 * fmax(1, fabs(got->logprob)));
      }
    }
    model_close(m);
  }
}

static void a_sequence_has_the_same_bits_alone_and_packed(void **state) {
  (void)state;
  static const int lengths[] = {1, 7, 64, 65, 200, 3, 290};
  linalg_set_threads(2);
  for (int s = 0; s < SMALL_SHAPES; s++) {
    struct model *m = small_model(small_shapes + s);
    size_t hidden = (size_t)model_hidden(m);
    int32_t ids[TOKENS_MAX];
    struct span spans[7];
    int tokens = 0;
    for (int i = 0; i < 7; i++) {
      spans[i] = (struct span){tokens, lengths[i], 0, 0};
      tokens += lengths[i];
    }
    small_ids(m, ids, tokens, 2);
    struct batch packed = {ids, tokens, spans, 7};
    float *together = small_stream(m, &packed, NULL);
    for (int i = 0; i < 7; i++) {
      struct span span = {.length = lengths[i]};
      struct batch single = {ids + spans[i].first, lengths[i], &span, 1};
      float *alone = small_stream(m, &single, NULL);
      assert_memory_equal(together + (size_t)spans[i].first * hidden, alone,
                          (size_t)lengths[i] * hidden * sizeof *alone);
      free(alone);
    }
    free(together);
    model_close(m);
  }
}

/* Room for one block of two. */
static size_t first_block(const struct model *m) {
  int count;
  const struct linear *linears = model_linears(m, &count);
  size_t bytes = 0;
  for (int i = 0; i < count; i++) {
    bytes += (size_t)linears[i].rows * (size_t)linears[i].cols * sizeof(float);
  }
  return bytes + 1;
}

static void bits_do_not_depend_on_threads_or_on_streaming(void **state) {
  (void)state;
  for (int s = 0; s < SMALL_SHAPES; s++) {
    struct model *m = small_model(small_shapes + s);
    size_t budgets[] = {SIZE_MAX, 0, first_block(m)};
    int32_t ids[TOKENS_MAX];
    small_ids(m, ids, TOKENS_MAX, 3);
    const struct span spans[] = {{0, 290, 0, 0}, {290, 30, 0, 0}, {320, 3, 290, 30}};
    const struct span other = {0, 250, 0, 0};
    struct query queries[600];
    struct answer one[600], more[600];
    for (int i = 0; i < 573; i++) {
      int row = i < 323 ? i : i - 323;
      queries[i] = (struct query){row, (i * 7) % model_vocab(m)};
    }
    struct work works[] = {{{ids, 323, spans, 3}, queries, 323, one, NULL},
                           {{ids + 400, 250, &other, 1}, queries + 323, 250, one + 323, NULL}};
    linalg_set_threads(1);
    answer(m, SIZE_MAX, works, 2);
    works[0].answers = more;
    works[1].answers = more + 323;
    for (int threads = 1; threads <= 3; threads++) {
      linalg_set_threads(threads);
      for (int b = 0; b < 3; b++) {
        memset(more, 0, sizeof more);
        answer(m, budgets[b], works, 2);
        for (int i = 0; i < 573; i++) {
          assert_memory_equal(&one[i].logprob, &more[i].logprob, sizeof(double));
          assert_int_equal(one[i].greedy, more[i].greedy);
        }
      }
    }
    model_close(m);
  }
}

static void what_a_model_cannot_hold_is_refused_in_one_line(void **state) {
  (void)state;
  struct error err;
  struct model *m = small_model(small_shapes);
  struct workspace *w;
  assert_ok(workspace_create(&w, m, &err));
  int32_t ids[TOKENS_MAX] = {0};
  float *x = NULL;
  assert_ok(mem_alloc(&x, (size_t)TOKENS_MAX * (size_t)model_hidden(m), sizeof *x, &err));
  struct span span = {.length = 5};
  struct batch batch = {ids, 5, &span, 1};
  ids[3] = 5000;
  assert_fails(forward_embed(m, w, &batch, x, &err), STATUS_INPUT,
               "token id 5000 at row 3: the model's vocabulary has 600");
  ids[3] = -1;
  assert_fails(forward_embed(m, w, &batch, x, &err), STATUS_INPUT, "token id -1 at row 3");
  ids[3] = 0;
  span.length = batch.tokens = 301;
  assert_fails(forward_embed(m, w, &batch, x, &err), STATUS_INPUT,
               "a sequence of 301 tokens: the model has 300 positions");
  const struct span parts[] = {{0, 200, 0, 0}, {200, 101, 0, 200}};
  struct batch continued = {ids, 301, parts, 2};
  assert_fails(forward_embed(m, w, &continued, x, &err), STATUS_INPUT, "301 tokens");
  const struct span holes[] = {{0, 2, 0, 0}, {3, 2, 0, 0}};
  struct batch broken = {ids, 5, holes, 2};
  assert_fails(forward_embed(m, w, &broken, x, &err), STATUS_BUG, "span 1 of the batch");
  struct query query = {0, 600};
  struct answer out;
  assert_fails(forward_head(m, w, x, &query, 1, &out, &err), STATUS_INPUT, "token id 600");
  x[0] = NAN;
  query.target = 0;
  assert_fails(forward_head(m, w, x, &query, 1, &out, &err), STATUS_NUMERIC, "not finite");
  free(x);
  workspace_free(w);
  model_close(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_span_with_a_prefix_is_the_whole_sequence),
      cmocka_unit_test(a_sequence_has_the_same_bits_alone_and_packed),
      cmocka_unit_test(bits_do_not_depend_on_threads_or_on_streaming),
      cmocka_unit_test(what_a_model_cannot_hold_is_refused_in_one_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
