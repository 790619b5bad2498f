/* How texts become token pairs, and how pairs become batches. */
#include "folders.h"

#include <math.h>

#include "eval/pack.h"
#include "eval/request.h"

static char folder[1200];
static struct tokenizer *tokenizer;
static struct model *model;

static void check(const struct requests *r, size_t i, const char *const *context, int context_count,
                  const char *const *continuation, int continuation_count) {
  const struct request *q = &r->at[i];
  assert_int_equal(q->context_count, context_count);
  assert_int_equal(q->continuation_count, continuation_count);
  for (int j = 0; j < context_count; j++) {
    assert_string_equal(tokenizer_token(tokenizer, r->pool.at[q->context + (size_t)j]), context[j]);
  }
  for (int j = 0; j < continuation_count; j++) {
    assert_string_equal(tokenizer_token(tokenizer, r->pool.at[q->continuation + (size_t)j]),
                        continuation[j]);
  }
}

/* Ids of a text without the template. */
static struct ids encode(const char *text) {
  struct error err;
  struct ids ids = {0};
  assert_ok(tokenizer_encode(tokenizer, text, strlen(text), false, &ids, &err));
  return ids;
}

static void trailing_space_of_a_context_moves_to_the_continuation(void **state) {
  (void)state;
  struct error err;
  struct requests r = {0};
  assert_ok(requests_add_text(&r, tokenizer, model, "Answer:", " yes", false, &err));
  assert_ok(requests_add_text(&r, tokenizer, model, "Answer: ", "yes", false, &err));
  assert_ok(requests_add_text(&r, tokenizer, model, "Answer:\xc2\xa0\n", "yes", false, &err));
  assert_int_equal(r.at[0].context_count, r.at[1].context_count);
  assert_int_equal(r.at[0].continuation_count, r.at[1].continuation_count);
  for (int i = 0; i < r.at[0].continuation_count; i++) {
    assert_int_equal(r.pool.at[r.at[0].continuation + (size_t)i],
                     r.pool.at[r.at[1].continuation + (size_t)i]);
  }
  assert_int_equal(r.at[2].context_count, r.at[0].context_count);
  struct ids joint = encode("Answer:\xc2\xa0\nyes");
  assert_int_equal(r.at[2].context_count + r.at[2].continuation_count, joint.count);
  ids_free(&joint);
  requests_free(&r);
}

static void the_joint_encoding_is_split_by_the_length_of_the_context_s(void **state) {
  (void)state;
  struct error err;
  struct requests r = {0};
  /* "th" + "e" merges across the boundary: one token in all, so nothing is left to score */
  struct ids whole = encode("the"), context = encode("th");
  assert_int_equal(whole.count, 1);
  assert_int_equal(context.count, 1);
  assert_fails(requests_add_text(&r, tokenizer, model, "th", "e", false, &err), STATUS_INPUT,
               "adds no token");
  assert_ok(requests_add_text(&r, tokenizer, model, "th", "e cat", false, &err));
  const char *first[] = {tokenizer_token(tokenizer, whole.at[0])};
  const char *rest[] = {"\xc4\xa0"
                        "cat"};
  struct ids cat = encode("the cat");
  if (cat.count == 2) {
    check(&r, 0, first, 1, rest, 1);
  } else {
    assert_int_equal(r.at[0].context_count + r.at[0].continuation_count, cat.count);
  }
  ids_free(&whole);
  ids_free(&context);
  ids_free(&cat);
  requests_free(&r);
}

static void an_empty_context_is_the_prefix_token(void **state) {
  (void)state;
  struct error err;
  struct requests r = {0};
  const char *contexts[] = {"", " \n"};
  for (int bos = 0; bos < 2; bos++) {
    assert_ok(requests_add_text(&r, tokenizer, model, "", " yes", bos, &err));
    const struct request *q = &r.at[r.count - 1];
    assert_int_equal(q->context_count, 1);
    assert_int_equal(r.pool.at[q->context], tokenizer_bos(tokenizer));
    struct ids alone = encode(" yes");
    assert_int_equal(q->continuation_count, alone.count);
    ids_free(&alone);
  }
  assert_ok(requests_add_text(&r, tokenizer, model, contexts[1], "yes", false, &err));
  assert_int_equal(r.at[2].context_count, 1);
  struct ids spaced = encode(" \nyes");
  assert_int_equal(r.at[2].continuation_count, spaced.count);
  ids_free(&spaced);
  int32_t ids[] = {(int32_t)tokenizer_bos(tokenizer), 5};
  assert_ok(requests_add_ids(&r, model, NULL, 0, ids, 2, &err));
  assert_int_equal(r.at[3].context_count, 1); /* the continuation brought its own prefix */
  assert_int_equal(r.at[3].continuation_count, 1);
  requests_free(&r);
}

static void bos_adds_the_template_once(void **state) {
  (void)state;
  struct error err;
  struct requests r = {0};
  assert_ok(requests_add_text(&r, tokenizer, model, "Answer:", " yes", false, &err));
  assert_ok(requests_add_text(&r, tokenizer, model, "Answer:", " yes", true, &err));
  assert_int_equal(r.at[1].context_count, r.at[0].context_count + 1);
  assert_int_equal(r.at[1].continuation_count, r.at[0].continuation_count);
  assert_int_equal(r.pool.at[r.at[1].context], tokenizer_bos(tokenizer));
  requests_free(&r);
}

static void too_long_a_pair_loses_tokens_on_the_left(void **state) {
  (void)state;
  struct error err;
  struct requests r = {0};
  int positions = model_positions(model);
  int32_t *ids;
  assert_ok(mem_alloc(&ids, (size_t)positions + 10, sizeof *ids, &err));
  for (int i = 0; i < positions + 10; i++) {
    ids[i] = i % 1000;
  }
  assert_ok(requests_add_ids(&r, model, ids, positions, ids, 4, &err));
  assert_int_equal(r.at[0].context_count, positions + 1 - 4);
  assert_int_equal(r.pool.at[r.at[0].context], ids[3]);
  assert_ok(requests_add_ids(&r, model, ids, 7, ids, positions, &err));
  assert_int_equal(r.at[1].context_count, 1);
  assert_int_equal(r.pool.at[r.at[1].context], ids[6]);
  assert_fails(requests_add_ids(&r, model, ids, 7, ids, positions + 1, &err), STATUS_INPUT,
               "positions");
  free(ids);
  requests_free(&r);
}

static void what_cannot_be_scored_is_refused(void **state) {
  (void)state;
  struct error err;
  struct requests r = {0};
  int32_t one[] = {1}, beyond[] = {(int32_t)model_vocab(model)}, below[] = {-1};
  assert_fails(requests_add_text(&r, tokenizer, model, "a", "", false, &err), STATUS_INPUT,
               "empty continuation");
  assert_fails(requests_add_ids(&r, model, one, 1, one, 0, &err), STATUS_INPUT,
               "empty continuation");
  assert_fails(requests_add_ids(&r, model, one, 1, beyond, 1, &err), STATUS_INPUT, "token id");
  assert_fails(requests_add_ids(&r, model, below, 1, one, 1, &err), STATUS_INPUT, "token id -1");
  assert_fails(requests_add_text(&r, tokenizer, model, "a\xff", "b", false, &err), STATUS_INPUT,
               "UTF-8");
  assert_int_equal(r.count, 0);
  requests_free(&r);
}

/* The request of a pack, from `first` on, whose context a request reads. */
static size_t head_of(const struct requests *r, const struct packs *packs, size_t first,
                      size_t request) {
  for (; !packs->packing.apart && request > first; request--) {
    const struct request *a = &r->at[request - 1], *b = &r->at[request];
    size_t bytes = (size_t)a->context_count * sizeof *r->pool.at;
    if (a->context_count != b->context_count ||
        memcmp(r->pool.at + a->context, r->pool.at + b->context, bytes) != 0) {
      break;
    }
  }
  return request;
}

/* Every row belongs to one span, every continuation token is asked for at the row before it. */
static void check_pack(const struct requests *r, const struct packs *packs, size_t index) {
  struct error err;
  struct pack_work w;
  const struct pack *pack = &packs->at[index];
  assert_ok(pack_build(&w, r, packs, index, &err));
  assert_int_equal(w.tokens, pack->tokens);
  assert_int_equal(w.queries_count, pack->queries);
  int32_t row = 0;
  for (size_t i = 0; i < w.span_count; i++) {
    assert_int_equal(w.spans[i].first, row);
    assert_true(w.spans[i].length > 0);
    row += w.spans[i].length;
  }
  assert_int_equal(row, w.tokens);
  for (size_t i = 0; i < w.tokens; i++) {
    assert_int_equal(w.ids[i], r->pool.at[w.origin[i]]);
  }
  size_t seen[64] = {0};
  for (size_t i = 0; i < w.queries_count; i++) {
    size_t request = w.request[i], j = seen[request]++;
    const struct request *head = &r->at[head_of(r, packs, pack->first, request)];
    const struct request *q = &r->at[request];
    assert_int_equal(w.queries[i].target, r->pool.at[q->continuation + j]);
    int32_t before = j ? r->pool.at[q->continuation + j - 1]
                       : r->pool.at[q->context + (size_t)q->context_count - 1];
    assert_int_equal(w.ids[w.queries[i].row], before);
    assert_int_equal(w.origin[w.queries[i].row],
                     j ? q->continuation + j - 1 : head->context + (size_t)head->context_count - 1);
  }
  for (size_t i = pack->first; i < pack->first + pack->count; i++) {
    assert_int_equal(seen[i], r->at[i].continuation_count);
  }
  pack_work_free(&w);
}

static void packs_hold_every_request_once_and_share_contexts(void **state) {
  (void)state;
  struct error err;
  struct requests r = {0};
  int32_t ids[900];
  for (int i = 0; i < 900; i++) {
    ids[i] = 100 + i;
  }
  size_t alone = 0;
  for (int doc = 0; doc < 12; doc++) { /* the last document's choices outgrow a pack */
    int context = 5 + 40 * doc, choices = doc == 11 ? 5 : 1 + doc % 4;
    for (int choice = 0; choice < choices; choice++) {
      int continuation = doc == 11 ? 700 : 1 + 3 * choice;
      assert_ok(
          requests_add_ids(&r, model, ids + doc, context % 300, ids + choice, continuation, &err));
      alone += (size_t)(context % 300 + continuation - 1);
    }
  }
  assert_true(r.count < 64);
  struct packs packs;
  assert_ok(packs_plan(&packs, &r, packing_usual(), &err));
  assert_true(packs.count > 1);
  size_t next = 0, rows = 0;
  for (size_t i = 0; i < packs.count; i++) {
    assert_int_equal(packs.at[i].first, next);
    assert_true(packs.at[i].tokens <= packing_usual().tokens);
    next += packs.at[i].count;
    rows += packs.at[i].tokens;
    check_pack(&r, &packs, i);
  }
  assert_int_equal(next, r.count);
  assert_true(rows < alone);
  packs_free(&packs);
  assert_ok(packs_plan(&packs, &r, (struct packing){700, true}, &err));
  rows = 0;
  for (size_t i = 0; i < packs.count; i++) {
    rows += packs.at[i].tokens;
    check_pack(&r, &packs, i);
  }
  assert_int_equal(rows, alone); /* apart: every request with a context of its own */
  packs_free(&packs);
  requests_free(&r);
}

/* Windows of lm-evaluation-harness's get_rolling_token_windows and make_disjoint_window. */
static void rolling_windows_score_each_token_once_with_full_context(void **state) {
  (void)state;
  struct error err;
  struct requests r = {0};
  int32_t ids[23];
  for (int i = 0; i < 23; i++) {
    ids[i] = 100 + i;
  }
  assert_ok(requests_add_rolling(&r, tokenizer, model, ids, 23, 10, &err));
  assert_int_equal(r.count, 3);
  static const struct { int context, first, count; } want[] = {{1, 0, 10}, {1, 10, 10}, {8, 20, 3}};
  for (int i = 0; i < 3; i++) {
    const struct request *q = &r.at[i];
    assert_int_equal(q->context_count, want[i].context);
    assert_int_equal(q->continuation_count, want[i].count);
    assert_int_equal(r.pool.at[q->continuation], 100 + want[i].first);
    assert_int_equal(r.pool.at[q->context],
                     i ? 100 + want[i].first - want[i].context : tokenizer_bos(tokenizer));
  }
  assert_ok(requests_add_rolling(&r, tokenizer, model, ids, 0, 10, &err));
  assert_int_equal(r.count, 3);
  requests_free(&r);
}

/* Scores move by rounding only, whatever shares a batch. */
static void another_pack_size_moves_a_log_likelihood_by_1e_4_at_most(void **state) {
  (void)state;
  struct error err;
  struct requests r = {0};
  int32_t ids[160];
  for (int i = 0; i < 160; i++) {
    ids[i] = 5 + (i * 37) % 400;
  }
  for (int doc = 0; doc < 60; doc++) {
    for (int choice = 0; choice < 4; choice++) {
      assert_ok(requests_add_ids(&r, model, ids + doc, 10 + doc, ids + 3 * choice,
                                 1 + (doc + choice) % 12, &err));
    }
  }
  struct runner *runner;
  struct group one = group_single();
  struct score *usual, *other;
  assert_ok(mem_alloc(&usual, r.count, sizeof *usual, &err));
  assert_ok(mem_alloc(&other, r.count, sizeof *other, &err));
  assert_ok(runner_open(&runner, model, NULL, (size_t)1 << 30, &err));
  assert_ok(requests_score(&r, runner, model, &one, NULL, NULL, usual, &err));
  static const struct packing packings[] = {{64, false}, {500, false}, {8192, false}, {700, true}};
  for (size_t k = 0; k < sizeof packings / sizeof *packings; k++) {
    assert_ok(requests_score_packed(&r, packings[k], runner, &one, NULL, NULL, other, &err));
    double worst = 0;
    for (size_t i = 0; i < r.count; i++) {
      worst = fmax(worst, fabs(usual[i].loglikelihood - other[i].loglikelihood));
      assert_int_equal(usual[i].tokens, other[i].tokens);
    }
    printf("%zu rows%s: largest difference %.2g\n", packings[k].tokens,
           packings[k].apart ? ", apart" : "", worst);
    assert_true(worst <= 1e-4);
  }
  runner_close(runner);
  free(usual);
  free(other);
  requests_free(&r);
}

int main(void) {
  struct error err;
  if (!folders_model("nano-llama", folder, sizeof folder)) {
    return support_skip("eval.request", "no nano-llama folder");
  }
  if (tokenizer_open(&tokenizer, folder, &err) != STATUS_OK ||
      model_open(&model, folder, &err) != STATUS_OK) {
    printf("%s\n", err.text);
    return 1;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trailing_space_of_a_context_moves_to_the_continuation),
      cmocka_unit_test(the_joint_encoding_is_split_by_the_length_of_the_context_s),
      cmocka_unit_test(an_empty_context_is_the_prefix_token),
      cmocka_unit_test(bos_adds_the_template_once),
      cmocka_unit_test(too_long_a_pair_loses_tokens_on_the_left),
      cmocka_unit_test(what_cannot_be_scored_is_refused),
      cmocka_unit_test(packs_hold_every_request_once_and_share_contexts),
      cmocka_unit_test(rolling_windows_score_each_token_once_with_full_context),
      cmocka_unit_test(another_pack_size_moves_a_log_likelihood_by_1e_4_at_most),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  tokenizer_close(tokenizer);
  model_close(model);
  return failed;
}
