/* Samplers that choose among candidate windows: each against what its paper asks for, computed here
 * in another way, and what all promise about draws. */
#include "calib/scratch.h"

#include <math.h>

#include "base/str.h"
#include "calib/dense.h"
#include "model/runner.h"

enum { LENGTH = 16, WINDOWS = 96 };

/* `windows` documents of `length` ids: id_at(document, place). */
static void write_ids(const char *name, size_t windows, size_t length,
                      int (*id_at)(size_t, size_t)) {
  struct error err = {0};
  struct str text = {0};
  for (size_t i = 0; i < windows; i++) {
    assert_ok(str_addf(&text, &err, "{\"input_ids\": ["));
    for (size_t k = 0; k < length; k++) {
      assert_ok(str_addf(&text, &err, "%s%d", k ? ", " : "", id_at(i, k)));
    }
    assert_ok(str_addf(&text, &err, "]}\n"));
  }
  write_file(name, text.at);
  str_free(&text);
}

static int any_id(size_t i, size_t k) {
  return 3 + (int)((i * 7919 + k * k * 31 + i * k * 17) % 3000);
}

/* Two kinds of windows, told apart by their ids; every eighth is of the second kind. */
static int two_kinds(size_t i, size_t k) {
  return (i % 8 == 0 ? 1000 : 100) + (int)((i * 13 + k * 5) % 40);
}

static int second_kind(size_t i, size_t k) {
  return 1000 + (int)((i * 11 + k * 3) % 40);
}

/* Four kinds in unequal numbers: 48, 24, 16 and 8 of 96. */
static size_t kind_of(size_t i) {
  return i % 2 == 0 ? 0 : i % 4 == 1 ? 1 : i % 12 == 11 ? 3 : 2;
}

static int four_kinds(size_t i, size_t k) {
  return 50 + 700 * (int)kind_of(i) + (k == LENGTH - 1 ? (int)(i % 3) : 0);
}

/* See lexrank_orders_by_centrality. */
static int crossing(size_t i, size_t k) {
  return (int)((i * i * 7 + k * (1 + i % 3) * 5 + k * k % (2 + i % 4)) % 37);
}

static const char *const choosing[] = {
    "source: any.jsonl\nids: input_ids\nsampler: dsir\ntarget: second\ncandidates: 4\n",
    "source: any.jsonl\nids: input_ids\nsampler: kmeans\ncandidates: 4\n",
    "source: any.jsonl\nids: input_ids\nsampler: lexrank\ncandidates: 4\n",
    "source: any.jsonl\nids: input_ids\nsampler: ccs\ncandidates: 4\nstrata: 5\n",
    "source: any.jsonl\nids: input_ids\nsampler: perplexity_band\ncandidates: 4\n",
};
enum { CHOOSING = sizeof choosing / sizeof choosing[0] };

static void draws_share_no_window_and_are_the_same_again(void **state) {
  (void)state;
  for (size_t i = 0; i < CHOOSING; i++) {
    struct sequences s[3];
    for (int d = 0; d < 3; d++) {
      const struct draw draw = {5, d, 3, 6, 6, LENGTH};
      s[d] = drawn_as(choosing[i], &draw);
      struct sequences again = drawn_as(choosing[i], &draw);
      assert_prefix(&again, &s[d]);
      sequences_free(&again);
      for (int e = 0; e < d; e++) {
        assert_apart(&s[d], &s[e]);
      }
      for (size_t k = 1; k < s[d].count; k++) {
        assert_false(same_sequence(&s[d], 0, &s[d], k));
      }
    }
    for (int d = 0; d < 3; d++) {
      sequences_free(&s[d]);
    }
  }
}

static void fewer_samples_are_a_prefix_of_more(void **state) {
  (void)state;
  for (size_t i = 0; i < CHOOSING; i++) {
    const struct draw two = {1, 1, 2, 2, 8, LENGTH}, eight = {1, 1, 2, 8, 8, LENGTH};
    struct sequences few = drawn_as(choosing[i], &two), many = drawn_as(choosing[i], &eight);
    assert_prefix(&few, &many);
    sequences_free(&few);
    sequences_free(&many);
  }
}

static void another_seed_chooses_other_windows(void **state) {
  (void)state;
  for (size_t i = 0; i < CHOOSING; i++) {
    const struct draw zero = {0, 0, 2, 6, 6, LENGTH}, one = {1, 0, 2, 6, 6, LENGTH};
    struct sequences a = drawn_as(choosing[i], &zero), b = drawn_as(choosing[i], &one);
    assert_memory_not_equal(a.ids.at, b.ids.at, a.ids.count * sizeof *a.ids.at);
    sequences_free(&a);
    sequences_free(&b);
  }
}

static void dsir_takes_what_looks_like_the_target(void **state) {
  (void)state;
  const struct draw draw = {0, 0, 1, 8, 8, LENGTH};
  struct sequences s = drawn_as("source: two.jsonl\nids: input_ids\nsampler: dsir\n"
                                "target: second\ncandidates: 12\n",
                                &draw);
  for (size_t i = 0; i < s.count; i++) {
    assert_true(sequences_at(&s, i)[0] >= 1000);
  }
  sequences_free(&s);
}

static void kmeans_takes_one_window_of_each_kind_the_most_frequent_first(void **state) {
  (void)state;
  const struct draw draw = {3, 0, 1, 4, 4, LENGTH};
  struct sequences s =
      drawn_as("source: four.jsonl\nids: input_ids\nsampler: kmeans\ncandidates: 24\n", &draw);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal((sequences_at(&s, i)[0] - 50) / 700, i);
  }
  sequences_free(&s);
}

/* The orders come from a separate program that follows the paper's formulas over dictionaries. */
static void lexrank_orders_by_centrality(void **state) {
  (void)state;
  static const size_t weighted[12] = {8, 1, 2, 11, 7, 3, 0, 10, 9, 5, 6, 4};
  static const size_t cut[10] = {8, 9, 11, 1, 0, 7, 10, 3, 2, 4};
  const struct draw draw = {0, 0, 1, 12, 12, 8};
  struct sequences s =
      drawn_as("source: crossing.jsonl\nids: input_ids\nsampler: lexrank\n", &draw);
  for (size_t i = 0; i < 12; i++) {
    for (size_t k = 0; k < 8; k++) {
      assert_int_equal(sequences_at(&s, i)[k], crossing(weighted[i], k));
    }
  }
  sequences_free(&s);
  s = drawn_as("source: crossing.jsonl\nids: input_ids\nsampler: lexrank\nthreshold: 0.2\n", &draw);
  for (size_t i = 0; i < 10; i++) {
    for (size_t k = 0; k < 8; k++) {
      assert_int_equal(sequences_at(&s, i)[k], crossing(cut[i], k));
    }
  }
  sequences_free(&s);
}

/* -ln p per token of each sequence, by the runner that evaluation uses. */
static void runner_nll(const struct sequences *s, double *out) {
  struct error err = {0};
  struct runner *runner;
  assert_ok(runner_open(&runner, model, NULL, 1 << 30, &err));
  for (size_t i = 0; i < s->count; i++) {
    struct query queries[LENGTH];
    struct answer answers[LENGTH];
    size_t length = sequences_length(s, i);
    const struct span span = {.length = (int32_t)length};
    for (size_t k = 0; k + 1 < length; k++) {
      queries[k] = (struct query){(int32_t)k, sequences_at(s, i)[k + 1]};
    }
    const struct work work = {.batch = {sequences_at(s, i), (int32_t)length, &span, 1},
                              .queries = queries,
                              .count = length - 1,
                              .answers = answers};
    assert_ok(runner_answer(runner, &work, 1, &err));
    out[i] = 0;
    for (size_t k = 0; k + 1 < length; k++) {
      out[i] -= answers[k].logprob;
    }
  }
  runner_close(runner);
}

static void dense_passes_agree_with_the_runner(void **state) {
  (void)state;
  struct error err = {0};
  const struct draw draw = {0, 0, 1, WINDOWS, WINDOWS, LENGTH};
  struct sequences s = drawn_as("source: any.jsonl\nids: input_ids\n", &draw);
  double nll[WINDOWS], wanted[WINDOWS];
  assert_ok(dense_nll(model, &s, nll, &err));
  runner_nll(&s, wanted);
  assert_memory_equal(nll, wanted, sizeof nll);
  sequences_free(&s);
}

/* Every window of the file and its difficulty, the easiest first. */
static struct sequences all_by_difficulty(double *sorted) {
  const struct draw draw = {0, 0, 1, WINDOWS, WINDOWS, LENGTH};
  struct sequences all = drawn_as("source: any.jsonl\nids: input_ids\n", &draw), out = {0};
  struct error err = {0};
  double nll[WINDOWS];
  bool taken[WINDOWS] = {0};
  runner_nll(&all, nll);
  for (size_t i = 0; i < WINDOWS; i++) {
    size_t best = WINDOWS;
    for (size_t k = 0; k < WINDOWS; k++) {
      best = !taken[k] && (best == WINDOWS || nll[k] < nll[best]) ? k : best;
    }
    taken[best] = true;
    sorted[i] = nll[best];
    assert_ok(sequences_add(&out, sequences_at(&all, best), LENGTH, &err));
  }
  sequences_free(&all);
  return out;
}

/* Place of a sequence in the order of difficulty. */
static size_t place_of(const struct sequences *all, const struct sequences *s, size_t i) {
  size_t place = 0;
  while (place < all->count && !same_sequence(all, place, s, i)) {
    place++;
  }
  assert_true(place < all->count);
  return place;
}

static void a_perplexity_band_is_kept_to(void **state) {
  (void)state;
  double nll[WINDOWS];
  struct sequences all = all_by_difficulty(nll);
  const struct draw draw = {2, 0, 1, 24, 24, LENGTH};
  struct sequences s = drawn_as("source: any.jsonl\nids: input_ids\nsampler: perplexity_band\n"
                                "low: 0.5\nhigh: 0.75\n",
                                &draw);
  for (size_t i = 0; i < s.count; i++) {
    size_t place = place_of(&all, &s, i);
    assert_true(place >= WINDOWS / 2 && place < WINDOWS * 3 / 4);
  }
  sequences_free(&s);
  sequences_free(&all);
}

/* The paper's allocation: strata by size, each an even part of what is left of the budget. */
static void allocate(const size_t *sizes, size_t strata, size_t budget, size_t *out) {
  bool done[8] = {0};
  for (size_t round = 0; round < strata; round++) {
    size_t least = strata;
    for (size_t k = 0; k < strata; k++) {
      least = !done[k] && (least == strata || sizes[k] < sizes[least]) ? k : least;
    }
    size_t even = budget / (strata - round);
    out[least] = sizes[least] < even ? sizes[least] : even;
    budget -= out[least];
    done[least] = true;
  }
}

static void ccs_leaves_the_hardest_and_spreads_evenly(void **state) {
  (void)state;
  enum { STRATA = 4, BUDGET = 40, LEFT = WINDOWS - 24 };
  double nll[WINDOWS];
  struct sequences all = all_by_difficulty(nll);
  size_t sizes[STRATA] = {0}, wanted[STRATA], got[STRATA] = {0}, stratum[LEFT];
  for (size_t i = 0; i < LEFT; i++) {
    double share = (nll[i] - nll[0]) / (nll[LEFT - 1] - nll[0]) * STRATA;
    stratum[i] = share < STRATA ? (size_t)share : STRATA - 1;
    sizes[stratum[i]]++;
  }
  allocate(sizes, STRATA, BUDGET, wanted);
  const struct draw draw = {2, 0, 1, BUDGET, BUDGET, LENGTH};
  struct sequences s = drawn_as("source: any.jsonl\nids: input_ids\nsampler: ccs\nbeta: 0.25\n"
                                "strata: 4\n",
                                &draw);
  for (size_t i = 0; i < s.count; i++) {
    size_t place = place_of(&all, &s, i);
    assert_true(place < LEFT);
    got[stratum[place]]++;
  }
  for (size_t k = 0; k < STRATA; k++) { /* whole numbers: the order of strata decides one window */
    assert_in_range(got[k] + 1, wanted[k], wanted[k] + 2);
  }
  sequences_free(&s);
  sequences_free(&all);
}

#define ANY "source: any.jsonl\nids: input_ids\n"

static void bad_choices_are_refused_with_their_line(void **state) {
  (void)state;
  static const struct bad cases[] = {
      {ANY "sampler: dsir\n", "set.yaml: no target (sampler dsir expects 'target: SET'"},
      {ANY "sampler: dsir\ntarget: secnd\n",
       "set.yaml:4: target: unknown calibration set 'secnd' (did you mean 'second'?)"},
      {ANY "sampler: dsir\ntarget: second\nbuckets: 2\n", "set.yaml:5: 'buckets' is 2"},
      {ANY "sampler: kmeans\ntarget: second\n", "set.yaml:4: target means nothing to the sampler"},
      {ANY "sampler: kmeans\nbeta: 0.1\n", "set.yaml:4: beta means nothing to the sampler kmeans"},
      {ANY "candidates: 4\n", "set.yaml:3: candidates means nothing to the sampler lines"},
      {ANY "sampler: ccs\nbeat: 0.1\n", "unknown key 'beat' in a calibration file (did you mean "
                                        "'beta'?)"},
      {ANY "sampler: ccs\nstrata: 1.5\n", "set.yaml:4: 'strata' is 1.5"},
      {ANY "sampler: ccs\nbeta: 1\n", "set.yaml:4: 'beta' is 1"},
      {ANY "sampler: perplexity_band\nlow: 0.8\n", "set.yaml: low: 0.8 (expected less than high: "},
      {ANY "sampler: kmean\n", "set.yaml:3: unknown sampler 'kmean' (did you mean 'kmeans'?)"},
  };
  const struct draw draw = {0, 0, 1, 2, 2, LENGTH};
  assert_refused(cases, sizeof cases / sizeof cases[0], &draw);
}

static void pools_too_small_are_refused_with_numbers(void **state) {
  (void)state;
  static const struct bad too_many[] = {
      {ANY "sampler: kmeans\n",
       "any.jsonl: calibration set set needs 2 draws × 60 samples × 16 tokens; the file has 1536 "
       "tokens = 96 windows that kmeans may take"},
  };
  const struct draw sixty = {0, 0, 2, 60, 60, LENGTH};
  assert_refused(too_many, 1, &sixty);
  static const struct bad too_few[] = {
      {ANY "sampler: perplexity_band\n", "24 of a draw's 48 candidate windows are inside of the "
                                         "band, and 40 samples are asked for"},
      {ANY "sampler: ccs\nbeta: 0.5\n", "24 of a draw's 48 candidate windows are left without the "
                                        "hardest, and 40 samples"},
  };
  const struct draw forty = {0, 0, 2, 40, 40, LENGTH};
  assert_refused(too_few, 2, &forty);
  static const struct bad short_[] = {
      {ANY "sampler: ccs\n", "sequences of 1 token have no perplexity"}};
  const struct draw one = {0, 0, 1, 2, 2, 1};
  assert_refused(short_, 1, &one);
}

static int set_up(void **state) {
  (void)scratch_open(state);
  write_ids("data/any.jsonl", WINDOWS, LENGTH, any_id);
  write_ids("data/two.jsonl", WINDOWS, LENGTH, two_kinds);
  write_ids("data/second.jsonl", 20, 2 * LENGTH, second_kind);
  write_ids("data/four.jsonl", WINDOWS, LENGTH, four_kinds);
  write_ids("data/crossing.jsonl", 12, 8, crossing);
  write_file("configs/calibration/second.yaml", "source: second.jsonl\nids: input_ids\n");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(draws_share_no_window_and_are_the_same_again),
      cmocka_unit_test(fewer_samples_are_a_prefix_of_more),
      cmocka_unit_test(another_seed_chooses_other_windows),
      cmocka_unit_test(dsir_takes_what_looks_like_the_target),
      cmocka_unit_test(kmeans_takes_one_window_of_each_kind_the_most_frequent_first),
      cmocka_unit_test(lexrank_orders_by_centrality),
      cmocka_unit_test(dense_passes_agree_with_the_runner),
      cmocka_unit_test(a_perplexity_band_is_kept_to),
      cmocka_unit_test(ccs_leaves_the_hardest_and_spreads_evenly),
      cmocka_unit_test(bad_choices_are_refused_with_their_line),
      cmocka_unit_test(pools_too_small_are_refused_with_numbers),
  };
  return cmocka_run_group_tests(tests, set_up, scratch_close);
}
