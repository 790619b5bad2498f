/* lm-evaluation-harness's own runs, item by item: log-likelihoods, greedy flags, token counts,
 * predictions, metrics and standard errors of every file in reference/harness, or of those named as
 * arguments. */
#include "folders.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <unistd.h>

#include "data/jsonl.h"
#include "eval/evalset.h"

static char reference[1024], data_folder[1024], configs[PATH_MAX + 16];
static char scratch[] = "/tmp/espalier-harness-XXXXXX";
static char **chosen; /* NULL-terminated; empty: all files */
static struct tokenizer *tokenizer;
static struct model *model;
static struct runner *runner;
static double worst_of_all;
static int files_checked;

static const double tolerance = 2e-3;

static const cJSON *get(const cJSON *json, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(json, key);
}

static const char *text_of(const cJSON *json, const char *key) {
  const cJSON *found = get(json, key);
  assert_true(cJSON_IsString(found));
  return found->valuestring;
}

static int int_of(const cJSON *json, const char *key) {
  const cJSON *found = get(json, key);
  assert_true(cJSON_IsNumber(found));
  return found->valueint;
}

/* The harness prints cb's mean of three one-vs-rest F1 as f1. */
static const char *our_name(const struct task *t, const char *metric) {
  for (const char *const *name = task_metrics(t); *name; name++) {
    if (strcmp(*name, metric) == 0 || (strcmp(metric, "f1") == 0 && !strcmp(*name, "f1_macro"))) {
      return *name;
    }
  }
  return NULL;
}

/* The task with at least the metrics of the run. */
static struct task *open_task(const cJSON *entry) {
  struct error err;
  struct task *t;
  const char *folders[] = {configs, NULL}, *data[] = {data_folder, NULL};
  struct search search = {folders, data};
  assert_ok(task_open(&t, text_of(entry, "task"), &search, &err));
  const cJSON *metric;
  bool all = true;
  cJSON_ArrayForEach(metric, get(entry, "metrics")) {
    all = all && our_name(t, metric->string);
  }
  if (all) {
    return t;
  }
  char path[64], text[2048];
  int n = snprintf(text, sizeof text, "include: %s\nmetrics: [", task_file(t));
  cJSON_ArrayForEach(metric, get(entry, "metrics")) {
    n += snprintf(text + n, sizeof text - (size_t)n, "%s, ", metric->string);
  }
  (void)snprintf(text + n - 2, 4, "]\n");
  (void)snprintf(path, sizeof path, "%s/task.yaml", scratch);
  assert_ok(file_write(path, text, strlen(text), &err));
  task_close(t);
  assert_ok(task_open(&t, path, &search, &err));
  (void)unlink(path);
  return t;
}

/* Sums over the requests first .. first + count - 1: one, or the windows of a text. */
static void check_request(const cJSON *line, const char *where, const struct evalset *e,
                          const struct score *scores, size_t first, size_t count) {
  double sum = 0;
  int tokens = 0;
  for (size_t i = first; i < first + count; i++) {
    sum += scores[i].loglikelihood;
    tokens += scores[i].tokens;
  }
  double want = get(line, "loglikelihood")->valuedouble, off = fabs(sum - want);
  /* torch's float32 log-softmax over 49152 tokens lies 8e-6 per token beside the exact one: nothing
   * for a choice, more than the tolerance for a page of thousands of tokens */
  double allowed = fmax(tolerance, 1e-5 * fabs(want));
  if (!(off <= allowed)) {
    fail_msg("%s: log-likelihood %.6f, wanted %.6f", where, sum, want);
  }
  if (task_type(e->task) != TASK_ROLLING) {
    worst_of_all = fmax(worst_of_all, off);
  }
  const cJSON *counts = get(line, "tokens"), *greedy = get(line, "greedy");
  assert_int_equal(tokens, cJSON_GetArrayItem(counts, 1)->valueint);
  if (task_type(e->task) == TASK_ROLLING) {
    return;
  }
  assert_int_equal(e->requests.at[first].context_count, cJSON_GetArrayItem(counts, 0)->valueint);
  if (scores[first].greedy != cJSON_IsTrue(greedy)) {
    fail_msg("%s: greedy %d", where, scores[first].greedy);
  }
}

/* Lines stand by document and choice; behind a document's choices may stand the same continuations
 * without context. */
static void check_lines(const char *path, const struct evalset *e, const struct score *scores) {
  struct error err;
  struct jsonl lines;
  assert_ok(jsonl_open(&lines, path, 0, &err));
  size_t checked = 0;
  for (size_t i = 0; i < lines.count; i++) {
    const cJSON *line = lines.at[i].json;
    size_t doc = (size_t)int_of(line, "doc"), choice = (size_t)int_of(line, "choice");
    assert_true(doc < e->items);
    size_t first = e->first[doc], count = e->first[doc + 1] - first;
    char where[1300];
    (void)snprintf(where, sizeof where, "%s:%ld", path, lines.at[i].line);
    if (task_type(e->task) == TASK_ROLLING) {
      check_request(line, where, e, scores, first, count);
      checked += count;
      continue;
    }
    assert_true(choice < (e->alone ? 2 * count : count));
    check_request(line, where, e, scores,
                  choice < count ? first + choice : e->alone + first + choice - count, 1);
    checked++;
  }
  assert_int_equal(checked, e->requests.count);
  jsonl_close(&lines);
}

/* First maximum of score / length; lengths NULL: of the sums. */
static int prediction(const struct evalset *e, const struct score *scores, const double *lengths,
                      size_t item) {
  size_t best = e->first[item];
  for (size_t i = best + 1; i < e->first[item + 1]; i++) {
    if (scores[i].loglikelihood / (lengths ? lengths[i] : 1) >
        scores[best].loglikelihood / (lengths ? lengths[best] : 1)) {
      best = i;
    }
  }
  return (int)(best - e->first[item]);
}

/* pred_norm of several contexts with one continuation divides by the options inside the contexts,
 * which no metric of such a run uses. */
static bool one_context(const struct evalset *e) {
  const struct request *a = &e->requests.at[0], *b = &e->requests.at[1];
  return a->context_count == b->context_count &&
         memcmp(e->requests.pool.at + a->context, e->requests.pool.at + b->context,
                (size_t)a->context_count * sizeof *e->requests.pool.at) == 0;
}

static void check_predictions(const cJSON *entry, const struct evalset *e,
                              const struct score *scores) {
  const cJSON *pred = get(entry, "pred"), *norm = get(entry, "pred_norm");
  for (size_t i = 0; i < e->items; i++) {
    if (pred) {
      assert_int_equal(prediction(e, scores, NULL, i), cJSON_GetArrayItem(pred, (int)i)->valueint);
    }
    if (norm && one_context(e)) {
      assert_int_equal(prediction(e, scores, e->points, i),
                       cJSON_GetArrayItem(norm, (int)i)->valueint);
    }
  }
}

static void check_items(const cJSON *list, const int8_t *got, int64_t items) {
  for (int i = 0; list && i < (int)items; i++) {
    assert_int_equal(got[i], (int)cJSON_GetArrayItem(list, i)->valuedouble);
  }
}

/* Shares are exact; what is computed from log-likelihoods follows them. */
static double slack(const char *name) {
  static const char *const soft[] = {"perplexity", "word_perplexity", "byte_perplexity",
                                     "bits_per_byte", "brier_score"};
  for (size_t i = 0; i < sizeof soft / sizeof *soft; i++) {
    if (strcmp(name, soft[i]) == 0) {
      return 2e-5;
    }
  }
  return 1e-12;
}

static void check_number(const char *file, const char *what, double got, const cJSON *want,
                         double allowed) {
  assert_non_null(want);
  if (!cJSON_IsNumber(want)) { /* "N/A" */
    assert_true(isnan(got));
    return;
  }
  double scale = fabs(want->valuedouble) > 1 ? fabs(want->valuedouble) : 1;
  if (!(fabs(got - want->valuedouble) <= allowed * scale)) {
    fail_msg("%s: %s %.10g, wanted %.10g", file, what, got, want->valuedouble);
  }
}

static void check_metrics(const char *file, const cJSON *entry, const struct evalset *e,
                          const struct eval_result *r) {
  const cJSON *metric;
  cJSON_ArrayForEach(metric, get(entry, "metrics")) {
    const char *name = our_name(e->task, metric->string);
    const struct metric *got = NULL;
    for (size_t i = 0; i < r->metric_count; i++) {
      got = strcmp(r->metrics[i].name, name) == 0 ? &r->metrics[i] : got;
    }
    assert_non_null(got);
    const cJSON *full = get(get(entry, "stderr_100000"), metric->string);
    const cJSON *error = full ? full : get(get(entry, "stderr"), metric->string);
    printf("  %s %.6g (%.4g)\n", name, got->value, got->stderr_);
    check_number(file, metric->string, got->value, metric, slack(name));
    check_number(file, "its standard error", got->stderr_, error, 10 * slack(name));
  }
}

static void check_file(const cJSON *entry) {
  struct error err;
  const char *file = text_of(entry, "file");
  char path[1200];
  struct task *task = open_task(entry);
  struct evalset *e;
  struct eval_result r;
  struct score *scores;
  const cJSON *length = get(entry, "max_length");
  struct evalset_options options = {.limit = int_of(entry, "n_docs"),
                                    .shots = int_of(entry, "shots"),
                                    .length = length ? length->valueint : 0};
  struct group one = group_single();
  assert_ok(evalset_create(&e, task, tokenizer, model, &options, &err));
  assert_int_equal(e->items, options.limit);
  assert_ok(mem_alloc(&scores, e->requests.count, sizeof *scores, &err));
  assert_ok(requests_score(&e->requests, runner, model, &one, NULL, NULL, scores, &err));
  printf("%s: %zu requests\n", file, e->requests.count);
  (void)snprintf(path, sizeof path, "%s/harness/%s", reference, file);
  check_lines(path, e, scores);
  check_predictions(entry, e, scores);
  assert_ok(evalset_judge(e, scores, &r, &err));
  check_items(get(get(entry, "per_item"), "acc"), r.correct, r.items);
  check_items(get(get(entry, "per_item"), "acc_norm"), r.correct_norm, r.items);
  check_metrics(file, entry, e, &r);
  (void)fflush(stdout);
  eval_result_free(&r);
  free(scores);
  evalset_free(e);
  task_close(task);
  files_checked++;
}

static const cJSON *find_entry(const cJSON *index, const char *file) {
  const cJSON *entry;
  cJSON_ArrayForEach(entry, get(index, "files")) {
    if (strcmp(text_of(entry, "file"), file) == 0) {
      return entry;
    }
  }
  fail_msg("%s is not in index.json", file);
  return NULL;
}

static void check_folder(const cJSON *index, const char *path) {
  DIR *dir = opendir(path);
  assert_non_null(dir);
  for (struct dirent *file; (file = readdir(dir));) { /* NOLINT(concurrency-mt-unsafe) */
    size_t n = strlen(file->d_name);
    if (n > 6 && strcmp(file->d_name + n - 6, ".jsonl") == 0) {
      check_file(find_entry(index, file->d_name));
    }
  }
  (void)closedir(dir);
}

static void every_run_of_the_harness_comes_out_alike(void **state) {
  (void)state;
  struct error err;
  char path[1200], *bytes;
  size_t size;
  (void)snprintf(path, sizeof path, "%s/harness/index.json", reference);
  assert_ok(file_read(&bytes, &size, path, &err));
  cJSON *index = cJSON_Parse(bytes);
  free(bytes);
  assert_non_null(index);
  (void)snprintf(path, sizeof path, "%s/harness", reference);
  if (*chosen) {
    for (char **file = chosen; *file; file++) {
      check_file(find_entry(index, *file));
    }
  } else {
    check_folder(index, path);
  }
  cJSON_Delete(index);
  printf("%d files, largest difference of a log-likelihood %.2g\n", files_checked, worst_of_all);
  assert_true(files_checked > 0);
}

int main(int argc, char **argv) {
  struct error err;
  (void)argc;
  chosen = argv + 1;
#ifdef __SANITIZE_ADDRESS__
  return support_skip("eval.harness", "minutes under the sanitizers");
#endif
  const char *source = getenv("ESPALIER_SOURCE");
  char folder[1200], root[PATH_MAX];
  if (!realpath(source ? source : ".", root)) {
    return 1;
  }
  (void)snprintf(configs, sizeof configs, "%s/configs", root);
  if (!support_folder("reference", reference, sizeof reference) ||
      !support_folder("data", data_folder, sizeof data_folder)) {
    return support_skip("eval.harness", "no reference or data folder");
  }
  if (!folders_model("smollm2", folder, sizeof folder)) {
    return support_skip("eval.harness", "no smollm2 folder");
  }
  if (!mkdtemp(scratch) || tokenizer_open(&tokenizer, folder, &err) != STATUS_OK ||
      model_open(&model, folder, &err) != STATUS_OK ||
      runner_open(&runner, model, NULL, (size_t)1 << 30, &err) != STATUS_OK) {
    printf("%s\n", err.text);
    return 1;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_run_of_the_harness_comes_out_alike)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  (void)rmdir(scratch);
  runner_close(runner);
  model_close(model);
  tokenizer_close(tokenizer);
  return failed;
}
