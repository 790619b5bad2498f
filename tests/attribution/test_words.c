/* Influential words of small data sets made here, on nano-llama: against the definitions, one
 * request at a time, and against numbers computed in Python (z-scores, and their intervals with
 * CPython's random numbers and NumPy's quantiles). */
#include "eval/folders.h"

#include <math.h>
#include <unistd.h>

#include "attribution/influence.h"
#include "attribution/vocabulary.h"
#include "attribution/words.h"
#include "base/str.h"
#include "eval/evalset.h"

static char folder[1200], data_path[] = "/tmp/espalier-words-data-XXXXXX",
                          task_path[] = "/tmp/espalier-words-task-XXXXXX",
                          list_path[] = "/tmp/espalier-words-list-XXXXXX";
static struct tokenizer *tokenizer;
static struct model *model;
static struct runner *runner;
static const char *const nowhere[] = {NULL};
static const struct search search = {nowhere, nowhere};

static const char by_class[] = "kind: sentiment\n"
                               "type: multiple_choice\n"
                               "context: \"Review: {{text}}\\nIt was\"\n"
                               "choices: [bad, good]\n"
                               "label: label\n"
                               "metrics: [acc]\n";
static const char reviews[] =
    "{\"text\": \"A fine bird, fine and old, the garden\", \"label\": 1}\n"
    "{\"text\": \"Fine weather in the old city\", \"label\": 1}\n"
    "{\"text\": \"The city is dull\", \"label\": 0}\n"
    "{\"text\": \"dull, dull and old is the bird\", \"label\": 0}\n"
    "{\"text\": \"the FINE garden\", \"label\": 1}\n"
    "{\"text\": \"A dull garden\", \"label\": 0}\n";

/* A data set ready to be looked at. */
struct bench {
  struct task *task;
  struct items items;
  struct evalset *set;
  struct passages passages;
};

static void bench_open(struct bench *b, const char *rest, const char *data) {
  struct error err;
  char task[2048];
  (void)snprintf(task, sizeof task, "data: %s\n%s", data_path, rest);
  assert_ok(file_write(data_path, data, strlen(data), &err));
  assert_ok(file_write(task_path, task, strlen(task), &err));
  assert_ok(task_open(&b->task, task_path, &search, &err));
  assert_ok(task_render(b->task, 0, 0, 0, &b->items, &err));
  struct evalset_options options = {.spans = true, .length = 16};
  assert_ok(evalset_create(&b->set, b->task, tokenizer, model, &options, &err));
  b->passages = (struct passages){&b->items, b->set, tokenizer, model, false};
}

static void bench_close(struct bench *b) {
  evalset_free(b->set);
  items_free(&b->items);
  task_close(b->task);
}

static struct attribution_options options_of(enum influence influence) {
  struct attribution_options o = attribution_defaults();
  o.influence = influence;
  o.seed = 7;
  return o;
}

static status choose(struct words *w, const struct bench *b, const struct attribution_options *o,
                     struct error *err) {
  return words_choose(w, &b->passages, o, runner, NULL, NULL, err);
}

static void assert_near(double got, double wanted, double bound) {
  if (!(fabs(got - wanted) <= bound * fmax(1, fabs(wanted)))) {
    fail_msg("%.17g, wanted %.17g", got, wanted);
  }
}

static double score(const char *context, const char *continuation) {
  struct error err;
  struct requests r = {0};
  struct score s;
  struct group one = group_single();
  assert_ok(requests_add_text(&r, tokenizer, model, context, continuation, false, &err));
  assert_ok(requests_score(&r, runner, model, &one, NULL, NULL, &s, &err));
  requests_free(&r);
  return s.loglikelihood;
}

static const struct attribution_word *find(const struct words *w, const char *text) {
  for (size_t i = 0; i < w->count; i++) {
    if (strcmp(w->at[i].text, text) == 0) {
      return &w->at[i];
    }
  }
  return NULL;
}

/* The text without its word at [first, first + bytes) and the space before it, or behind. */
static double fall(const char *text, size_t first, size_t bytes, const char *continuation) {
  char shorter[256];
  size_t from = first && text[first - 1] == ' ' ? first - 1 : first;
  size_t to = first + bytes + (from == first && text[first + bytes] == ' ');
  (void)snprintf(shorter, sizeof shorter, "%.*s%s", (int)from, text, text + to);
  return score(text, continuation) - score(shorter, continuation);
}

static void leaving_a_word_out_is_its_influence(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct words w;
  struct attribution_options o = options_of(INFLUENCE_LEAVE_ONE_OUT);
  bench_open(&b, by_class, reviews);
  assert_ok(choose(&w, &b, &o, &err));
  static const char *const names[] = {"fine", "dull", "garden", "city", "bird", "old", "weather"};
  size_t above = 0;
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    double sum = 0;
    int32_t places = 0;
    for (size_t i = 0; i < b.items.count; i++) {
      const struct item *item = &b.items.at[i];
      const char *text = item->contexts[item->gold];
      for (const char *at = text; (at = strcasestr(at, names[k])); at++, places++) {
        sum += fall(text, (size_t)(at - text), strlen(names[k]), item->continuations[item->gold]);
      }
    }
    const struct attribution_word *found = find(&w, names[k]);
    bool chosen = places >= o.least_occurrences && sum > 0;
    assert_true((found != NULL) == chosen);
    above += chosen;
    if (found) {
      assert_int_equal(found->occurrences, places);
      assert_near(found->influence, sum / places, 1e-6);
      assert_true(found->low <= found->influence && found->influence <= found->high);
    }
  }
  assert_true(above > 0 && above == w.count);
  for (size_t i = 1; i < w.count; i++) {
    assert_true(w.at[i - 1].influence >= w.at[i].influence);
  }
  words_free(&w);
  bench_close(&b);
}

static void few_occurrences_are_spread_over_the_items(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct words w;
  struct attribution_options o = options_of(INFLUENCE_LEAVE_ONE_OUT);
  o.occurrences = 2;
  o.least_occurrences = 1;
  bench_open(&b, by_class, reviews);
  assert_ok(choose(&w, &b, &o, &err));
  /* "garden" stands in items 0, 4 and 5: of three, two evenly are the first and the last */
  double sum = 0;
  static const size_t items[] = {0, 5};
  for (size_t k = 0; k < 2; k++) {
    const struct item *item = &b.items.at[items[k]];
    const char *text = item->contexts[0], *at = strstr(text, "garden");
    sum += fall(text, (size_t)(at - text), 6, item->continuations[item->gold]);
  }
  const struct attribution_word *found = find(&w, "garden");
  assert_true((found != NULL) == (sum > 0));
  if (found) {
    assert_near(found->influence, sum / 2, 1e-6);
  }
  words_free(&w);
  bench_close(&b);
}

/* By log-odds they are dull, fine, garden, old, and old alone helps this model. */
static void only_candidates_are_tried(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct words w;
  struct attribution_options o = options_of(INFLUENCE_LEAVE_ONE_OUT);
  bench_open(&b, by_class, reviews);
  o.candidates = 3;
  assert_fails(choose(&w, &b, &o, &err), STATUS_INPUT,
               "no word's absence lowers the gold answer's likelihood");
  o.candidates = 4;
  assert_ok(choose(&w, &b, &o, &err));
  assert_true(w.count == 1 && strcmp(w.at[0].text, "old") == 0);
  words_free(&w);
  bench_close(&b);
}

static void log_odds_are_those_of_python(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct words w;
  struct attribution_options o = options_of(INFLUENCE_LOG_ODDS);
  o.least_occurrences = 2;
  o.words = 3;
  bench_open(&b, by_class, reviews);
  assert_ok(choose(&w, &b, &o, &err));
  static const struct attribution_word wanted[] = {
      {"dull", 4, 1.7281200518659472, 0.5946695803509233, 1.9767431942260236},
      {"fine", 4, 1.4501891900722703, 0.5030738682409407, 1.7768743543717485},
      {"garden", 3, 0.3395717166722267, -1.02474227276052, 1.3208213692421829},
  };
  assert_int_equal(w.count, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_string_equal(w.at[i].text, wanted[i].text);
    assert_int_equal(w.at[i].occurrences, wanted[i].occurrences);
    assert_near(w.at[i].influence, wanted[i].influence, 1e-12);
    assert_near(w.at[i].low, wanted[i].low, 1e-12);
    assert_near(w.at[i].high, wanted[i].high, 1e-12);
  }
  words_free(&w);
  bench_close(&b);
}

static void words_of_the_template_and_function_words_are_not_chosen(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct words w;
  struct attribution_options o = options_of(INFLUENCE_LOG_ODDS);
  o.least_occurrences = 1;
  bench_open(&b, by_class, reviews);
  assert_ok(choose(&w, &b, &o, &err));
  assert_true(!find(&w, "the") && !find(&w, "review") && !find(&w, "it") && find(&w, "fine"));
  words_free(&w);
  o.stop_words = true;
  assert_ok(choose(&w, &b, &o, &err));
  assert_true(find(&w, "the") && !find(&w, "review") && !find(&w, "it"));
  words_free(&w);
  bench_close(&b);
}

static void uses_are_the_tokens_that_share_a_byte_with_the_word(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct words w;
  struct attribution_options o = options_of(INFLUENCE_LOG_ODDS);
  o.least_occurrences = 1;
  bench_open(&b, by_class, reviews);
  assert_ok(choose(&w, &b, &o, &err));
  const struct requests *r = &b.set->requests;
  size_t at = 0;
  for (size_t k = 0; k < w.count; k++) {
    for (int32_t n = 0; n < w.at[k].occurrences; n++, at++) {
      const struct word_use *u = &w.uses[at];
      const struct item *item = &b.items.at[u->item];
      const struct request *q = &r->at[b.set->first[u->item] + (size_t)item->gold];
      assert_int_equal(u->word, k);
      assert_true(u->count > 0 && u->first >= q->context &&
                  u->first + (size_t)u->count <= q->context + (size_t)q->context_count);
      size_t start = r->spans[u->first].start, end = r->spans[u->first + (size_t)u->count - 1].end;
      char part[128];
      (void)snprintf(part, sizeof part, "%.*s", (int)(end - start), item->contexts[0] + start);
      assert_non_null(strcasestr(part, w.at[k].text));
      assert_true(end - start <= strlen(w.at[k].text) + 2); /* a space and a comma at most */
    }
  }
  assert_int_equal(at, w.use_count);
  words_free(&w);
  bench_close(&b);
}

static void a_lexicon_s_words_come_in_its_order_or_by_its_weights(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct words w;
  struct attribution_options o = options_of(INFLUENCE_LEXICON);
  o.lexicon = list_path;
  bench_open(&b, by_class, reviews);
  assert_ok(file_write(list_path, "garden\nnowhere\nfine\nreview\n", 27, &err));
  assert_ok(choose(&w, &b, &o, &err));
  assert_int_equal(w.count, 2);
  assert_string_equal(w.at[0].text, "garden");
  assert_true(isnan(w.at[0].influence) && isnan(w.at[1].low));
  words_free(&w);
  assert_ok(file_write(list_path, "garden\t1\nfine\t2\ncity\t3\n", 23, &err));
  assert_ok(choose(&w, &b, &o, &err)); /* "city" stands in two places only */
  assert_int_equal(w.count, 2);
  assert_string_equal(w.at[0].text, "fine");
  assert_true(w.at[0].influence == 2 && w.at[1].influence == 1 && isnan(w.at[1].high));
  words_free(&w);
  assert_ok(file_write(list_path, "nowhere\nreview\n", 15, &err));
  assert_fails(choose(&w, &b, &o, &err), STATUS_INPUT, "none of its 2 words stands in");
  assert_non_null(strstr(err.text, list_path));
  assert_ok(file_write(list_path, "# none\n", 7, &err));
  assert_fails(choose(&w, &b, &o, &err), STATUS_INPUT, "no words");
  bench_close(&b);
}

static void refuses(const char *task, const char *data, enum influence influence,
                    const char *part) {
  struct error err;
  struct bench b;
  struct words w;
  struct attribution_options o = options_of(influence);
  bench_open(&b, task, data);
  for (size_t i = 0; strstr(part, "gold") && i < b.items.count; i++) {
    b.items.at[i].gold = -1;
  }
  assert_fails(choose(&w, &b, &o, &err), STATUS_INPUT, part);
  bench_close(&b);
}

static void data_sets_that_cannot_be_attributed_are_refused(void **state) {
  (void)state;
  refuses("kind: language_modeling\ntype: perplexity\ntext: \"{{text}}\"\nmetrics: [perplexity]\n",
          reviews, INFLUENCE_LOG_ODDS, "a task of texts has no answers");
  refuses(by_class, reviews, INFLUENCE_LEAVE_ONE_OUT, "no item has a gold label");
  refuses(by_class, reviews, INFLUENCE_LOG_ODDS, "no item has a gold label");
  refuses(by_class,
          "{\"text\": \"one bird\", \"label\": 1}\n{\"text\": \"old city\", \"label\": 1}\n",
          INFLUENCE_LEAVE_ONE_OUT, "no word but function words stands in at least 3 places");
  refuses(by_class,
          "{\"text\": \"bird\", \"label\": 1}\n{\"text\": \"bird bird bird\", \"label\": 1}\n",
          INFLUENCE_LOG_ODDS, "and not in every item");
  refuses(by_class,
          "{\"text\": \"bird\", \"label\": 1}\n{\"text\": \"city\", \"label\": 1}\n"
          "{\"text\": \"bird bird\", \"label\": 1}\n",
          INFLUENCE_LOG_ODDS, "log_odds needs two classes");
}

static void a_lexicon_does_without_gold_labels(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct words w;
  struct attribution_options o = options_of(INFLUENCE_LEXICON);
  o.lexicon = list_path;
  assert_ok(file_write(list_path, "garden\n", 7, &err));
  bench_open(&b, by_class, reviews);
  for (size_t i = 0; i < b.items.count; i++) {
    b.items.at[i].gold = -1;
  }
  assert_ok(choose(&w, &b, &o, &err));
  assert_true(w.count == 1 && w.use_count == 3);
  words_free(&w);
  bench_close(&b);
}

static void answers_of_their_own_make_no_classes(void **state) {
  (void)state;
  static const char task[] = "kind: question_answering\n"
                             "type: multiple_choice\n"
                             "context: \"Question: {{text}}\\nAnswer:\"\n"
                             "choices: \"{{choices}}\"\n"
                             "label: label\n"
                             "metrics: [acc]\n";
  static const char data[] =
      "{\"text\": \"Where do birds live\", \"choices\": [\"tree\", \"sea\"], \"label\": 0}\n"
      "{\"text\": \"Where do fish live\", \"choices\": [\"sky\", \"sea\"], \"label\": 1}\n"
      "{\"text\": \"What do fish eat, and do birds eat fish\", \"choices\": [\"a\", \"b\"], "
      "\"label\": 0}\n"
      "{\"text\": \"Is it live\", \"choices\": [\"a\", \"b\"], \"label\": 0}\n";
  struct error err;
  struct bench b;
  struct words w;
  int32_t class_of[4];
  bench_open(&b, task, data);
  assert_int_equal(influence_classes(&b.items, class_of), 0);
  struct attribution_options o = options_of(INFLUENCE_LEAVE_ONE_OUT);
  o.candidates = 1; /* of the most items: live, in three */
  o.least_occurrences = 2;
  status st = choose(&w, &b, &o, &err);
  if (st == STATUS_OK) {
    assert_true(w.count == 1 && strcmp(w.at[0].text, "live") == 0);
    words_free(&w);
  } else {
    assert_non_null(strstr(err.text, "no word's absence lowers"));
  }
  o.influence = INFLUENCE_LOG_ODDS;
  assert_fails(choose(&w, &b, &o, &err), STATUS_INPUT, "with the same answers in every item");
  bench_close(&b);
}

static void what_was_cut_off_on_the_left_is_no_use(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  struct str data = {0};
  assert_ok(str_addf(&data, &err, "{\"text\": \"garden "));
  for (int i = 0; i < model_positions(model); i++) {
    assert_ok(str_addf(&data, &err, "old "));
  }
  assert_ok(
      str_addf(&data, &err, "city\", \"label\": 1}\n{\"text\": \"dull garden\", \"label\": 0}\n"));
  bench_open(&b, by_class, data.at);
  struct vocabulary v = {0};
  assert_ok(vocabulary_make(&v, &b.passages, &err));
  size_t garden = vocabulary_find(&v, "garden"), city = vocabulary_find(&v, "city");
  assert_true(garden < v.count && city < v.count && vocabulary_find(&v, "gardens") == v.count);
  assert_true(v.terms[garden].documents == 2 && v.terms[garden].count == 1);
  assert_true(v.terms[city].documents == 1 && v.terms[city].count == 1);
  assert_int_equal(v.places[v.terms[garden].first].item, 1);
  vocabulary_free(&v);
  bench_close(&b);
  str_free(&data);
}

int main(void) {
  struct error err;
  if (!folders_model("nano-llama", folder, sizeof folder)) {
    return support_skip("attribution.words", "nano-llama is not here");
  }
  int files[] = {mkstemp(data_path), mkstemp(task_path), mkstemp(list_path)};
  if (files[0] < 0 || files[1] < 0 || files[2] < 0 ||
      tokenizer_open(&tokenizer, folder, &err) != STATUS_OK ||
      model_open(&model, folder, &err) != STATUS_OK ||
      runner_open(&runner, model, NULL, SIZE_MAX, &err) != STATUS_OK) {
    (void)fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(leaving_a_word_out_is_its_influence),
      cmocka_unit_test(few_occurrences_are_spread_over_the_items),
      cmocka_unit_test(only_candidates_are_tried),
      cmocka_unit_test(log_odds_are_those_of_python),
      cmocka_unit_test(words_of_the_template_and_function_words_are_not_chosen),
      cmocka_unit_test(uses_are_the_tokens_that_share_a_byte_with_the_word),
      cmocka_unit_test(a_lexicon_s_words_come_in_its_order_or_by_its_weights),
      cmocka_unit_test(data_sets_that_cannot_be_attributed_are_refused),
      cmocka_unit_test(a_lexicon_does_without_gold_labels),
      cmocka_unit_test(answers_of_their_own_make_no_classes),
      cmocka_unit_test(what_was_cut_off_on_the_left_is_no_use),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  runner_close(runner);
  model_close(model);
  tokenizer_close(tokenizer);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    (void)close(files[i]);
  }
  (void)unlink(data_path);
  (void)unlink(task_path);
  (void)unlink(list_path);
  return failed;
}
