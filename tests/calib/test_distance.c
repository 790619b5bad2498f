/* Distances between calibration and evaluation data, against definitions computed the long way. */
#include "support.h"

#include <math.h>

#include "base/rng.h"
#include "calib/distance.h"
#include "model/small_model.h"

enum { VOCAB = 40 };

static struct sequences random_sequences(uint64_t seed, size_t count, int32_t low, int32_t high) {
  struct error err = {0};
  struct sequences s = {0};
  struct rng rng;
  int32_t ids[64];
  rng_seed(&rng, seed);
  for (size_t i = 0; i < count; i++) {
    size_t length = 1 + (size_t)rng_below(&rng, 60);
    for (size_t k = 0; k < length; k++) {
      ids[k] = (int32_t)rng_int(&rng, low, high - 1);
    }
    assert_ok(sequences_add(&s, ids, length, &err));
  }
  return s;
}

static double distance_of(const struct sequences *a, const struct sequences *b) {
  struct error err = {0};
  struct ngrams x, y;
  assert_ok(ngrams_count(&x, a, VOCAB, &err));
  assert_ok(ngrams_count(&y, b, VOCAB, &err));
  double d = ngrams_distance(&x, &y);
  assert_true(d == ngrams_distance(&y, &x) || isnan(d));
  ngrams_free(&x);
  ngrams_free(&y);
  return d;
}

/* Shares of tokens (pairs false) or of pairs, in p [VOCAB * VOCAB]. */
static void shares(const struct sequences *s, bool pairs, double *p) {
  double total = 0;
  memset(p, 0, VOCAB * VOCAB * sizeof *p);
  for (size_t i = 0; i < s->count; i++) {
    const int32_t *ids = sequences_at(s, i);
    for (size_t k = pairs; k < sequences_length(s, i); k++) {
      p[pairs ? ids[k - 1] * VOCAB + ids[k] : ids[k]]++;
      total++;
    }
  }
  for (size_t i = 0; i < (size_t)VOCAB * VOCAB; i++) {
    p[i] /= total;
  }
}

static double entropy(const double *p, const double *q) {
  double h = 0;
  for (size_t i = 0; i < (size_t)VOCAB * VOCAB; i++) {
    double m = (p[i] + q[i]) / 2;
    h -= m > 0 ? m * log2(m) : 0;
  }
  return h;
}

/* H(m) - H(p) / 2 - H(q) / 2 with a table of all pairs: 1,600 pairs in 2^18 buckets may collide,
 * which moves little. */
static void ngram_distance_is_jensen_shannon_s(void **state) {
  (void)state;
  static double p[VOCAB * VOCAB], q[VOCAB * VOCAB];
  struct sequences a = random_sequences(1, 40, 0, 30), b = random_sequences(2, 25, 10, VOCAB);
  double mean = 0;
  for (int pairs = 0; pairs < 2; pairs++) {
    shares(&a, pairs, p);
    shares(&b, pairs, q);
    mean += (entropy(p, q) - entropy(p, p) / 2 - entropy(q, q) / 2) / 2;
  }
  double got = distance_of(&a, &b);
  assert_true(fabs(got - sqrt(mean)) < 0.005);
  assert_true(got > 0.3 && got < 1);
  sequences_free(&a);
  sequences_free(&b);
}

static void equal_text_is_at_zero_and_text_without_common_tokens_at_one(void **state) {
  (void)state;
  struct sequences a = random_sequences(3, 20, 0, 20), b = random_sequences(4, 20, 20, VOCAB);
  struct sequences c = random_sequences(3, 20, 0, 20), none = {0};
  assert_true(distance_of(&a, &c) == 0);
  assert_true(distance_of(&a, &b) > 0.99 && distance_of(&a, &b) <= 1);
  assert_true(isnan(distance_of(&a, &none)));
  sequences_free(&a);
  sequences_free(&b);
  sequences_free(&c);
}

/* The same tokens in another order differ in their pairs alone; a cut between two is no pair. */
static void order_counts_and_pairs_end_with_their_sequence(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences up = {0}, down = {0}, cut = {0};
  const int32_t ids[] = {1, 2, 3, 4}, turned[] = {4, 3, 2, 1};
  assert_ok(sequences_add(&up, ids, 4, &err));
  assert_ok(sequences_add(&down, turned, 4, &err));
  assert_ok(sequences_add(&cut, ids, 2, &err));
  assert_ok(sequences_add(&cut, ids + 2, 2, &err));
  assert_true(fabs(distance_of(&up, &down) - sqrt(0.5)) < 1e-12);
  struct ngrams n;
  assert_ok(ngrams_count(&n, &cut, VOCAB, &err));
  assert_true(n.token_total == 4 && n.pair_total == 2);
  ngrams_free(&n);
  assert_fails(ngrams_count(&n, &up, 4, &err), STATUS_INPUT, "token id 4");
  sequences_free(&up);
  sequences_free(&down);
  sequences_free(&cut);
}

static void hidden_distance_is_one_minus_the_cosine(void **state) {
  (void)state;
  const double a[3] = {1, 2, -1}, twice[3] = {2, 4, -2}, turned[3] = {-1, -2, 1}, b[3] = {1, 0, 1};
  const double zero[3] = {0};
  assert_true(hidden_distance(a, twice, 3) < 1e-12);
  assert_true(fabs(hidden_distance(a, turned, 3) - 2) < 1e-12);
  assert_true(fabs(hidden_distance(a, b, 3) - 1) < 1e-12);
  assert_true(isnan(hidden_distance(a, zero, 3)));
}

/* One sequence at a time through the blocks, and the mean of their means. */
static void mean_of(const struct model *m, const struct sequences *s, size_t index, double *mean) {
  struct error err = {0};
  size_t hidden = (size_t)model_hidden(m), length = sequences_length(s, index);
  struct workspace *w;
  struct block *b;
  float *x = malloc(length * hidden * sizeof *x);
  assert_non_null(x);
  assert_ok(workspace_create(&w, m, &err));
  assert_ok(block_create(&b, m, &err));
  struct span span = {.length = (int32_t)length};
  struct batch batch = {
      .ids = sequences_at(s, index), .tokens = (int32_t)length, .spans = &span, .count = 1};
  assert_ok(forward_embed(m, w, &batch, x, &err));
  for (int i = 0; i < model_blocks(m); i++) {
    assert_ok(block_load(b, i, NULL, &err));
    assert_ok(forward_block(b, w, &batch, x, NULL, &err));
  }
  for (size_t d = 0; d < hidden; d++) {
    for (size_t t = 0; t < length; t++) {
      mean[d] += x[t * hidden + d] / (double)length;
    }
  }
  free(x);
  block_free(b);
  workspace_free(w);
}

static void the_hidden_mean_is_of_sequences_spread_evenly(void **state) {
  (void)state;
  struct error err = {0};
  struct model *m = small_model(&small_shapes[0]);
  struct sequences s = random_sequences(8, 10, 0, VOCAB);
  double got[48], want[48] = {0};
  assert_int_equal(model_hidden(m), 48);
  assert_ok(hidden_mean(m, &s, 4, got, &err));
  static const size_t chosen[4] = {0, 2, 5, 7};
  for (int i = 0; i < 4; i++) {
    double mean[48] = {0};
    mean_of(m, &s, chosen[i], mean);
    for (int d = 0; d < 48; d++) {
      want[d] += mean[d] / 4;
    }
  }
  for (int d = 0; d < 48; d++) {
    assert_true(fabs(got[d] - want[d]) < 1e-5);
  }
  assert_ok(hidden_mean(m, &s, 1000, want, &err)); /* all of them */
  assert_true(hidden_distance(got, want, 48) > 0 && hidden_distance(got, want, 48) < 0.5);
  sequences_free(&s);
  model_close(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ngram_distance_is_jensen_shannon_s),
      cmocka_unit_test(equal_text_is_at_zero_and_text_without_common_tokens_at_one),
      cmocka_unit_test(order_counts_and_pairs_end_with_their_sequence),
      cmocka_unit_test(hidden_distance_is_one_minus_the_cosine),
      cmocka_unit_test(the_hidden_mean_is_of_sequences_spread_evenly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
