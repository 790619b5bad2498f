/* The samplers against CPython's random module, and what draws promise each other. */
#include "support.h"

#include "calib/set.h"

enum { DOCUMENTS = 40, LENGTH = 32 };

/* Document i holds 5 + 37·i mod 101 ids that count up over the whole set, so that an id tells where
 * it came from. */
static size_t document_length(size_t i) {
  return 5 + i * 37 % 101;
}

static size_t document_first(size_t i) {
  size_t first = 0;
  for (size_t k = 0; k < i; k++) {
    first += document_length(k);
  }
  return first;
}

static struct calibration set = {.name = (char *)"count", .data = (char *)"count.jsonl"};

static struct pool *make_pool(const struct sampler *sampler) {
  struct error err = {0};
  struct pool *pool;
  set.source = SOURCE_IDS;
  set.sampler = sampler;
  assert_ok(mem_alloc(&pool, 1, sizeof *pool, &err));
  pool->set = &set;
  pool->vocab = 1 << 20;
  pool->positions = 64;
  assert_ok(mem_reserve(&pool->documents, &pool->cap, DOCUMENTS, sizeof *pool->documents, &err));
  int32_t next = 0;
  for (size_t i = 0; i < DOCUMENTS; i++) {
    struct document *d = &pool->documents[pool->count++];
    *d = (struct document){.line = (long)i + 1};
    for (size_t k = 0; k < document_length(i); k++) {
      assert_ok(ids_push(&d->ids, next++, &err));
    }
  }
  for (size_t i = 0; i < DOCUMENTS && sampler->joins; i++) { /* joining texts needs a tokenizer */
    const struct ids *ids = &pool->documents[i].ids;
    assert_ok(ids_append(&pool->all, ids->at, ids->count, &err));
    pool->joined = true;
  }
  return pool;
}

static struct sequences take(struct pool *pool, uint64_t seed, int draw, int draws, int samples,
                             int most) {
  struct error err = {0};
  struct sequences out = {0};
  const struct draw d = {seed, draw, draws, samples, most, LENGTH};
  assert_ok(pool_draw(pool, &d, &out, &err));
  assert_int_equal(out.count, samples);
  return out;
}

static void assert_firsts(const struct sequences *s, const size_t *firsts) {
  for (size_t i = 0; i < s->count; i++) {
    assert_int_equal(sequences_length(s, i), LENGTH);
    for (size_t k = 0; k < LENGTH; k++) {
      assert_int_equal(sequences_at(s, i)[k], firsts[i] + k);
    }
  }
}

/* random.seed(seed), then per sample randint(0, 39) until a document is longer than 32 and
 * randint(0, length - 33), in CPython 3.11. */
static void random_window_draws_what_the_papers_loader_draws(void **state) {
  (void)state;
  static const size_t zero[8][2] = {{24, 48}, {26, 1},  {16, 32}, {31, 6},
                                    {19, 61}, {37, 28}, {13, 32}, {8, 36}};
  static const size_t answer[4][2] = {{7, 0}, {15, 7}, {8, 13}, {34, 2}};
  size_t firsts[8];
  struct pool *pool = make_pool(&sampler_random_window);
  for (int i = 0; i < 8; i++) {
    firsts[i] = document_first(zero[i][0]) + zero[i][1];
  }
  struct sequences s = take(pool, 0, 0, 1, 8, 8);
  assert_firsts(&s, firsts);
  sequences_free(&s);
  for (int i = 0; i < 4; i++) {
    firsts[i] = document_first(answer[i][0]) + answer[i][1];
  }
  s = take(pool, 42, 0, 1, 4, 8);
  assert_firsts(&s, firsts);
  sequences_free(&s);
  pool_close(pool);
}

/* random.Random(0).shuffle(list(range(windows))) in CPython 3.11. */
static void packed_shuffles_windows_as_python_shuffles(void **state) {
  (void)state;
  static const size_t order[8] = {28, 47, 65, 42, 29, 40, 36, 55};
  size_t firsts[8];
  for (int i = 0; i < 8; i++) {
    firsts[i] = order[i] * LENGTH;
  }
  struct pool *pool = make_pool(&sampler_packed);
  struct sequences s = take(pool, 0, 0, 2, 8, 8);
  assert_firsts(&s, firsts);
  sequences_free(&s);
  pool_close(pool);
}

/* random.seed(0), then randint(0, tokens - 33) per sample. */
static void concatenate_draws_what_the_papers_loader_draws(void **state) {
  (void)state;
  static const size_t firsts[8] = {1577, 1722, 165, 1060, 2094, 1990, 1658, 1242};
  struct pool *pool = make_pool(&sampler_concatenate);
  struct sequences s = take(pool, 0, 0, 1, 8, 8);
  assert_firsts(&s, firsts);
  sequences_free(&s);
  pool_close(pool);
}

static bool overlap(const struct sequences *a, const struct sequences *b) {
  for (size_t i = 0; i < a->count; i++) {
    for (size_t k = 0; k < b->count; k++) {
      int apart = sequences_at(a, i)[0] - sequences_at(b, k)[0];
      if (apart > -LENGTH && apart < LENGTH) {
        return true;
      }
    }
  }
  return false;
}

static const struct sampler *const samplers[] = {&sampler_random_window, &sampler_concatenate,
                                                 &sampler_packed};

static void draws_share_no_token(void **state) {
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    struct pool *pool = make_pool(samplers[i]);
    struct sequences s[5];
    for (int d = 0; d < 5; d++) {
      s[d] = take(pool, 3, d, 5, 4, 4);
      for (int e = 0; e < d; e++) {
        assert_false(overlap(&s[d], &s[e]));
      }
    }
    for (int d = 0; d < 5; d++) {
      sequences_free(&s[d]);
    }
    pool_close(pool);
  }
}

static void fewer_samples_are_a_prefix_of_more(void **state) {
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    struct pool *pool = make_pool(samplers[i]);
    for (int d = 0; d < 3; d++) {
      struct sequences few = take(pool, 9, d, 3, 2, 6), many = take(pool, 9, d, 3, 6, 6);
      assert_memory_equal(few.ids.at, many.ids.at, few.ids.count * sizeof *few.ids.at);
      sequences_free(&few);
      sequences_free(&many);
    }
    pool_close(pool);
  }
}

static void another_seed_draws_other_windows(void **state) {
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    struct pool *pool = make_pool(samplers[i]);
    struct sequences a = take(pool, 0, 0, 1, 8, 8), b = take(pool, 1, 0, 1, 8, 8);
    assert_memory_not_equal(a.ids.at, b.ids.at, a.ids.count * sizeof *a.ids.at);
    sequences_free(&a);
    sequences_free(&b);
    pool_close(pool);
  }
}

static void a_pool_too_small_is_refused_with_numbers(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences out = {0};
  struct pool *pool = make_pool(&sampler_packed);
  const struct draw packed = {0, 0, 10, 4, 128, LENGTH};
  assert_fails(pool_draw(pool, &packed, &out, &err), STATUS_INPUT,
               "count.jsonl: calibration set count needs 10 draws × 128 samples × 32 tokens; the "
               "file has 2194 tokens = 68 windows");
  pool_close(pool);
  pool = make_pool(&sampler_random_window);
  const struct draw random_ = {0, 9, 10, 8, 8, LENGTH};
  assert_fails(pool_draw(pool, &random_, &out, &err), STATUS_INPUT,
               "needs 10 draws × 8 samples × 32 tokens; the file has 2194 tokens");
  const struct draw lengthy = {0, 0, 1, 1, 1, 65};
  assert_fails(pool_draw(pool, &lengthy, &out, &err), STATUS_INPUT,
               "length 65 is above the model's 64 positions");
  pool_close(pool);
}

static void no_document_longer_than_the_length_is_refused(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences out = {0};
  struct pool *pool = make_pool(&sampler_random_window);
  pool->positions = 1000;
  const struct draw draw = {0, 0, 1, 1, 1, 105};
  assert_fails(pool_draw(pool, &draw, &out, &err), STATUS_INPUT, "= 0 windows");
  pool_close(pool);
}

static void lines_are_taken_in_order_and_cut(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences out = {0};
  struct pool *pool = make_pool(&sampler_lines);
  const struct draw draw = {0, 1, 2, 2, 20, LENGTH};
  assert_ok(pool_draw(pool, &draw, &out, &err));
  assert_int_equal(out.count, 2);
  for (size_t i = 0; i < 2; i++) {
    size_t length = document_length(20 + i);
    assert_int_equal(sequences_length(&out, i), length < LENGTH ? length : LENGTH);
    assert_int_equal(sequences_at(&out, i)[0], document_first(20 + i));
  }
  sequences_free(&out);
  const struct draw more = {0, 0, 2, 2, 21, LENGTH};
  assert_fails(pool_draw(pool, &more, &out, &err), STATUS_INPUT,
               "needs 2 draws × 21 samples; the file has 40 lines");
  pool_close(pool);
}

static void ids_beyond_the_vocabulary_are_refused_with_their_line(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences out = {0};
  struct pool *pool = make_pool(&sampler_lines);
  pool->vocab = 40; /* document 1 holds ids 5 to 46 */
  const struct draw draw = {0, 0, 1, 2, 2, LENGTH};
  assert_fails(pool_draw(pool, &draw, &out, &err), STATUS_INPUT,
               "count.jsonl:2: token id 40 is outside of the model's vocabulary (0 to 39)");
  pool_close(pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_window_draws_what_the_papers_loader_draws),
      cmocka_unit_test(concatenate_draws_what_the_papers_loader_draws),
      cmocka_unit_test(packed_shuffles_windows_as_python_shuffles),
      cmocka_unit_test(draws_share_no_token),
      cmocka_unit_test(fewer_samples_are_a_prefix_of_more),
      cmocka_unit_test(another_seed_draws_other_windows),
      cmocka_unit_test(a_pool_too_small_is_refused_with_numbers),
      cmocka_unit_test(no_document_longer_than_the_length_is_refused),
      cmocka_unit_test(lines_are_taken_in_order_and_cut),
      cmocka_unit_test(ids_beyond_the_vocabulary_are_refused_with_their_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
