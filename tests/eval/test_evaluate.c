/* Metrics of whole tasks, against sums over the scores of their requests made by hand. */
#include "folders.h"

#include <math.h>
#include <unistd.h>

#include "eval/evaluate.h"

static char folder[1200], data_path[] = "/tmp/espalier-evaluate-data-XXXXXX",
                          task_path[] = "/tmp/espalier-evaluate-task-XXXXXX";
static struct tokenizer *tokenizer;
static struct model *model;
static struct runner *runner;
static const char *const nowhere[] = {NULL};
static const struct search search = {nowhere, nowhere};

static struct eval_result evaluate(const char *rest, const char *data,
                                   const struct evalset_options *options) {
  struct error err;
  struct task *t;
  struct evalset *e;
  struct eval_result r;
  struct group one = group_single();
  char task[2048];
  (void)snprintf(task, sizeof task, "data: %s\n%s", data_path, rest);
  assert_ok(file_write(data_path, data, strlen(data), &err));
  assert_ok(file_write(task_path, task, strlen(task), &err));
  assert_ok(task_open(&t, task_path, &search, &err));
  assert_ok(evalset_create(&e, t, tokenizer, model, options, &err));
  assert_ok(evalset_evaluate(e, runner, model, &one, NULL, NULL, &r, &err));
  evalset_free(e);
  task_close(t);
  return r;
}

static const struct metric *metric_of(const struct eval_result *r, const char *name) {
  for (size_t i = 0; i < r->metric_count; i++) {
    if (strcmp(r->metrics[i].name, name) == 0) {
      return &r->metrics[i];
    }
  }
  fail_msg("no metric %s", name);
  return NULL;
}

static struct score score(const char *context, const char *continuation) {
  struct error err;
  struct requests r = {0};
  struct score s;
  struct group one = group_single();
  assert_ok(requests_add_text(&r, tokenizer, model, context, continuation, false, &err));
  assert_ok(requests_score(&r, runner, model, &one, NULL, NULL, &s, &err));
  requests_free(&r);
  return s;
}

static void assert_close(double got, double want) {
  if (!(fabs(got - want) <= 1e-5 * fmax(1, fabs(want)))) {
    fail_msg("%.9g, wanted %.9g", got, want);
  }
}

/* Without a tokenizer's BOS, a text's log-likelihood is that of a continuation of nothing. */
static void rolling_texts_are_divided_by_their_words_and_bytes(void **state) {
  (void)state;
  static const char task[] = "kind: language_modeling\n"
                             "type: rolling\n"
                             "text: \"{{text}}\"\n"
                             "counted: \"{{raw}}\"\n"
                             "metrics: [word_perplexity, byte_perplexity, bits_per_byte]\n";
  static const char data[] =
      "{\"text\": \"Once upon a time\", \"raw\": \" Once upon a time \"}\n"
      "{\"text\": \"The cat sat on the mat.\", \"raw\": \"Th\\u00e9 cat\"}\n";
  double nats = -score("", "Once upon a time").loglikelihood;
  nats -= score("", "The cat sat on the mat.").loglikelihood;
  struct evalset_options options = {0};
  struct eval_result r = evaluate(task, data, &options);
  assert_int_equal(r.items, 2);
  assert_int_equal(r.choices, 1);
  assert_int_equal(r.gold[0], -1);
  assert_close(-(double)r.loglikelihoods[0] - (double)r.loglikelihoods[1], nats);
  assert_close(metric_of(&r, "word_perplexity")->value, exp(nats / (6 + 2)));
  assert_close(metric_of(&r, "byte_perplexity")->value, exp(nats / (18 + 8)));
  assert_close(metric_of(&r, "bits_per_byte")->value, nats / (18 + 8) / log(2));
  assert_true(isnan(metric_of(&r, "word_perplexity")->stderr_));
  eval_result_free(&r);
  options.length = 3; /* short windows see less: another sum, over as many tokens */
  r = evaluate(task, data, &options);
  assert_true(-(double)r.loglikelihoods[0] - (double)r.loglikelihoods[1] != nats);
  assert_true(isfinite(metric_of(&r, "word_perplexity")->value));
  eval_result_free(&r);
}

enum { DOCS = 6, CHOICES = 3 };

static void choices_have_the_harness_s_metrics(void **state) {
  (void)state;
  static const char task[] =
      "kind: sentiment\n"
      "type: multiple_choice\n"
      "context: \"{{text}}\"\n"
      "choices: [\"the cat\", dog, \"\xc3\xa9t\xc3\xa9\"]\n"
      "label: label\n"
      "metrics: [acc, acc_norm, acc_bytes, acc_mutual_info, exact_match, brier_score]\n";
  static const char *const choices[CHOICES] = {" the cat", " dog", " \xc3\xa9t\xc3\xa9"};
  static const double points[CHOICES] = {7, 3, 3}, bytes[CHOICES] = {7, 3, 5};
  static const char *const texts[DOCS] = {"I saw",   "In the summer",    "She walked her",
                                          "A small", "Once upon a time", "He ran after"};
  char data[1024];
  int n = 0;
  double acc = 0, norm = 0, by_bytes = 0, mutual = 0, brier = 0, greedy = 0;
  for (int i = 0; i < DOCS; i++) {
    int gold = i % CHOICES, best[4] = {0};
    double values[4][CHOICES], total = 0;
    n += snprintf(data + n, sizeof data - (size_t)n, "{\"text\": \"%s\", \"label\": %d}\n",
                  texts[i], gold);
    for (int j = 0; j < CHOICES; j++) {
      struct score s = score(texts[i], choices[j]);
      values[0][j] = s.loglikelihood;
      values[1][j] = s.loglikelihood / points[j];
      values[2][j] = s.loglikelihood / bytes[j];
      values[3][j] = s.loglikelihood - score("", choices[j]).loglikelihood;
      greedy += j == gold && s.greedy;
      total += exp(s.loglikelihood);
      for (int k = 0; k < 4; k++) {
        best[k] = values[k][j] > values[k][best[k]] ? j : best[k];
      }
    }
    acc += best[0] == gold;
    norm += best[1] == gold;
    by_bytes += best[2] == gold;
    mutual += best[3] == gold;
    for (int j = 0; j < CHOICES; j++) {
      brier += pow(exp(values[0][j]) / total - (j == gold), 2);
    }
  }
  struct evalset_options options = {0};
  struct eval_result r = evaluate(task, data, &options);
  assert_int_equal(r.items, DOCS);
  assert_int_equal(r.choices, CHOICES); /* the requests without context are no choices */
  assert_close(metric_of(&r, "acc")->value, acc / DOCS);
  assert_close(metric_of(&r, "acc_norm")->value, norm / DOCS);
  assert_close(metric_of(&r, "acc_bytes")->value, by_bytes / DOCS);
  assert_close(metric_of(&r, "acc_mutual_info")->value, mutual / DOCS);
  assert_close(metric_of(&r, "exact_match")->value, greedy / DOCS);
  assert_close(metric_of(&r, "brier_score")->value, brier / DOCS);
  assert_true(isnan(metric_of(&r, "brier_score")->stderr_));
  eval_result_free(&r);
}

int main(void) {
  struct error err;
  if (!folders_model("nano-llama", folder, sizeof folder)) {
    return support_skip("eval.evaluate", "no nano-llama folder");
  }
  int files[] = {mkstemp(data_path), mkstemp(task_path)};
  if (files[0] < 0 || files[1] < 0 || tokenizer_open(&tokenizer, folder, &err) != STATUS_OK ||
      model_open(&model, folder, &err) != STATUS_OK ||
      runner_open(&runner, model, NULL, (size_t)1 << 30, &err) != STATUS_OK) {
    return 1;
  }
  (void)close(files[0]);
  (void)close(files[1]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rolling_texts_are_divided_by_their_words_and_bytes),
      cmocka_unit_test(choices_have_the_harness_s_metrics),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  (void)unlink(data_path);
  (void)unlink(task_path);
  runner_close(runner);
  model_close(model);
  tokenizer_close(tokenizer);
  return failed;
}
