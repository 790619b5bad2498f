/* Where the ids of requests come from: bytes of the context followed by the continuation. */
#include "folders.h"

#include <unistd.h>

#include "base/str.h"
#include "eval/evalset.h"

static char folder[1200];
static struct tokenizer *tokenizer;
static struct model *model;

static struct requests with_spans(void) {
  return (struct requests){.keeps_spans = true};
}

static size_t request_end(const struct request *q) {
  return q->continuation + (size_t)q->continuation_count;
}

/* The text behind the ids of a request as "Answer|:|[ yes]": brackets for the continuation, "-" for
 * no text. */
static struct str pieces(const struct requests *r, size_t request, const char *context,
                         const char *continuation) {
  const struct request *q = &r->at[request];
  struct error err;
  struct str text = {0}, out = {0};
  assert_ok(str_addf(&text, &err, "%s%s", context, continuation));
  for (size_t i = q->context; i < request_end(q); i++) {
    struct token_span s = r->spans[i];
    assert_true(s.start <= s.end && s.end <= text.count);
    const char *before = i == q->continuation ? "[" : i > q->context ? "|" : "";
    assert_ok(str_addf(&out, &err, "%s%.*s", before, (int)(s.end - s.start), text.at + s.start));
    assert_ok(str_add(&out, "-", s.start == s.end, &err));
  }
  assert_ok(str_add(&out, "]", 1, &err));
  str_free(&text);
  return out;
}

#define assert_pieces(r, request, context, continuation, wanted)                                   \
  do {                                                                                             \
    struct str pieces_ = pieces((r), (request), (context), (continuation));                        \
    assert_string_equal(pieces_.at, (wanted));                                                     \
    str_free(&pieces_);                                                                            \
  } while (0)

static void ids_of_a_pair_are_traced_to_the_texts_as_given(void **state) {
  (void)state;
  static const struct {
    const char *context, *continuation;
    bool bos;
    const char *wanted;
  } cases[] = {
      {"The cat", " good", false, "The| cat[ good]"},
      {"The cat ", "good", false, "The| cat[ good]"}, /* moved white space */
      {"The cat", " good", true, "-|The| cat[ good]"},
      {"", " cat", false, "-[ cat]"}, /* the prefix token is nobody's */
      {" ", "cat", true, "-[ cat]"},
  };
  struct requests r = with_spans();
  struct error err;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_ok(requests_add_text(&r, tokenizer, model, cases[i].context, cases[i].continuation,
                                cases[i].bos, &err));
    assert_pieces(&r, i, cases[i].context, cases[i].continuation, cases[i].wanted);
  }
  requests_free(&r);
}

static void a_prefix_that_the_continuation_brings_takes_no_span_with_it(void **state) {
  (void)state;
  struct requests r = with_spans();
  struct error err;
  const char *bos = tokenizer_token(tokenizer, tokenizer_bos(tokenizer));
  struct str continuation = {0};
  assert_ok(str_addf(&continuation, &err, "%s cat", bos));
  assert_ok(requests_add_text(&r, tokenizer, model, "", continuation.at, false, &err));
  assert_pieces(&r, 0, "", continuation.at, "-[ cat]");
  str_free(&continuation);
  requests_free(&r);
}

static void what_is_cut_on_the_left_leaves_the_other_spans_in_place(void **state) {
  (void)state;
  struct requests r = with_spans();
  struct error err;
  struct str context = {0};
  int positions = model_positions(model);
  for (int i = 0; i < 2 * positions; i++) {
    assert_ok(str_addf(&context, &err, "%s", i % 2 ? " cat" : " dog"));
  }
  assert_ok(requests_add_text(&r, tokenizer, model, context.at, " good", false, &err));
  const struct request *q = &r.at[0];
  assert_int_equal(q->context_count, positions);
  for (size_t i = 0; i < (size_t)positions; i++) {
    size_t word = (size_t)positions + i;
    assert_int_equal(r.spans[q->context + i].start, 4 * word);
    assert_int_equal(r.spans[q->context + i].end, 4 * word + 4);
  }
  assert_int_equal(r.spans[q->continuation].end, context.count + 5);
  str_free(&context);
  requests_free(&r);
}

static void ids_without_a_text_have_empty_spans_and_none_are_kept_unasked(void **state) {
  (void)state;
  struct requests r = with_spans(), plain = {0};
  struct error err;
  int32_t ids[30];
  for (int i = 0; i < 30; i++) {
    ids[i] = 100 + i;
  }
  assert_ok(requests_add_ids(&r, model, ids, 7, ids, 4, &err));
  assert_ok(requests_add_rolling(&r, tokenizer, model, ids, 30, 10, &err));
  assert_ok(requests_add_text(&r, tokenizer, model, "The cat", " good", false, &err));
  size_t last = r.count - 1;
  for (size_t i = 0; i < r.at[last].context; i++) {
    assert_int_equal(r.spans[i].start, 0);
    assert_int_equal(r.spans[i].end, 0);
  }
  assert_pieces(&r, last, "The cat", " good", "The| cat[ good]");
  assert_ok(requests_add_text(&plain, tokenizer, model, "The cat", " good", false, &err));
  assert_null(plain.spans);
  requests_free(&r);
  requests_free(&plain);
}

static struct evalset *evalset_of(const char *task, const char *data, bool spans) {
  char data_path[] = "/tmp/espalier-spans-data-XXXXXX",
       task_path[] = "/tmp/espalier-spans-task-XXXXXX";
  static const char *const nowhere[] = {NULL};
  static const struct search search = {nowhere, nowhere};
  struct evalset_options options = {.spans = spans};
  struct error err;
  struct str text = {0};
  struct task *t;
  struct evalset *e;
  (void)close(mkstemp(data_path));
  (void)close(mkstemp(task_path));
  assert_ok(str_addf(&text, &err, "data: %s\n%s", data_path, task));
  assert_ok(file_write(data_path, data, strlen(data), &err));
  assert_ok(file_write(task_path, text.at, text.count, &err));
  assert_ok(task_open(&t, task_path, &search, &err));
  assert_ok(evalset_create(&e, t, tokenizer, model, &options, &err));
  e->task = NULL; /* what follows asks for requests only */
  task_close(t);
  (void)unlink(data_path);
  (void)unlink(task_path);
  str_free(&text);
  return e;
}

static void an_evalset_s_requests_have_spans_and_the_same_ids_as_without(void **state) {
  (void)state;
  static const char task[] = "kind: sentiment\n"
                             "type: multiple_choice\n"
                             "context: \"{{text}} It was\"\n"
                             "choices: [\"bad\", \"good\"]\n"
                             "label: label\n"
                             "metrics: [acc]\n";
  static const char data[] = "{\"text\": \"The cat good.\", \"label\": 1}\n"
                             "{\"text\": \"A d\\u00f6g ran.\", \"label\": 0}\n";
  struct evalset *with = evalset_of(task, data, true), *without = evalset_of(task, data, false);
  const struct requests *a = &with->requests, *b = &without->requests;
  assert_int_equal(a->count, 4);
  assert_int_equal(a->pool.count, b->pool.count);
  assert_memory_equal(a->pool.at, b->pool.at, a->pool.count * sizeof *a->pool.at);
  assert_null(b->spans);
  assert_pieces(a, 1, "The cat good. It was", " good", "The| cat| good|.| It| was[ good]");
  static const char other[] = "A d\xc3\xb6g ran. It was";
  for (size_t i = a->at[2].context, end = 0; i < request_end(&a->at[2]); i++) {
    struct token_span s = a->spans[i];
    assert_true(s.start <= end && s.end >= end); /* a character in two tokens is twice there */
    end = s.end;
    assert_int_equal(i + 1 == request_end(&a->at[2]), end == strlen(other) + strlen(" bad"));
  }
  evalset_free(with);
  evalset_free(without);
}

int main(void) {
  struct error err;
  if (!folders_model("nano-llama", folder, sizeof folder)) {
    return support_skip("eval.spans", "no nano-llama folder");
  }
  if (tokenizer_open(&tokenizer, folder, &err) != STATUS_OK ||
      model_open(&model, folder, &err) != STATUS_OK) {
    printf("%s\n", err.text);
    return 1;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ids_of_a_pair_are_traced_to_the_texts_as_given),
      cmocka_unit_test(a_prefix_that_the_continuation_brings_takes_no_span_with_it),
      cmocka_unit_test(what_is_cut_on_the_left_leaves_the_other_spans_in_place),
      cmocka_unit_test(ids_without_a_text_have_empty_spans_and_none_are_kept_unasked),
      cmocka_unit_test(an_evalset_s_requests_have_spans_and_the_same_ids_as_without),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  model_close(model);
  tokenizer_close(tokenizer);
  return failed;
}
