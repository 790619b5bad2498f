/* Log-likelihoods and dense perplexities of every reference model that is here, against PyTorch. */
#include "folders.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <math.h>

#include "data/jsonl.h"
#include "eval/evaluate.h"

static char reference[1024], data_folder[1024], configs[1024];
static int models_seen;

#ifdef __SANITIZE_ADDRESS__
static const uint64_t parameters_most = 50000000;
#else
static const uint64_t parameters_most = UINT64_MAX;
#endif

struct subject {
  const char *name;
  struct tokenizer *tokenizer;
  struct model *model;
  struct runner *runner;
};

static double number(const cJSON *map, const char *key) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(map, key);
  assert_true(cJSON_IsNumber(item));
  return item->valuedouble;
}

static void check_scores(const struct subject *s, const char *file, bool bos) {
  struct error err;
  char path[1400];
  struct jsonl asked, want;
  struct requests r = {0};
  (void)snprintf(path, sizeof path, "%s/scores/%s/requests.jsonl", reference, s->name);
  assert_ok(jsonl_open(&asked, path, 0, &err));
  (void)snprintf(path, sizeof path, "%s/scores/%s/%s", reference, s->name, file);
  assert_ok(jsonl_open(&want, path, 0, &err));
  assert_int_equal(asked.count, want.count);
  for (size_t i = 0; i < asked.count; i++) {
    const cJSON *json = asked.at[i].json;
    assert_ok(requests_add_text(&r, s->tokenizer, s->model,
                                cJSON_GetObjectItem(json, "context")->valuestring,
                                cJSON_GetObjectItem(json, "continuation")->valuestring, bos, &err));
  }
  struct score *scores;
  assert_ok(mem_alloc(&scores, r.count, sizeof *scores, &err));
  struct group one = group_single();
  assert_ok(requests_score(&r, s->runner, s->model, &one, NULL, NULL, scores, &err));
  double worst = 0;
  for (size_t i = 0; i < r.count; i++) {
    const cJSON *json = want.at[i].json;
    double off = fabs(scores[i].loglikelihood - number(json, "loglikelihood"));
    worst = off > worst ? off : worst;
    assert_int_equal(scores[i].tokens, (int)number(json, "tokens"));
    assert_int_equal(scores[i].greedy, cJSON_IsTrue(cJSON_GetObjectItem(json, "greedy")));
  }
  printf("%s %s: %zu requests, largest difference %.2g\n", s->name, file, r.count, worst);
  assert_true(worst < 1e-3);
  free(scores);
  requests_free(&r);
  jsonl_close(&asked);
  jsonl_close(&want);
}

static void check_perplexity(const struct subject *s, const char *set, double want, int length,
                             int windows) {
  struct error err;
  struct task *task;
  struct evalset *e;
  struct eval_result result;
  const char *folders[] = {configs, NULL}, *data[] = {data_folder, NULL};
  struct search search = {folders, data};
  struct evalset_options options = {.windows = windows, .length = length};
  struct group one = group_single();
  assert_ok(task_open(&task, set, &search, &err));
  assert_ok(evalset_create(&e, task, s->tokenizer, s->model, &options, &err));
  assert_ok(evalset_evaluate(e, s->runner, s->model, &one, NULL, NULL, &result, &err));
  assert_int_equal(result.metric_count, 1);
  assert_int_equal(result.items, windows);
  double got = result.metrics[0].value;
  printf("%s %s: perplexity %.6f, wanted %.6f\n", s->name, set, got, want);
  assert_true(fabs(got - want) < 1e-3 * want);
  eval_result_free(&result);
  evalset_free(e);
  task_close(task);
}

static void check_perplexities(const struct subject *s) {
  struct error err;
  char path[1400], *bytes;
  size_t size;
  (void)snprintf(path, sizeof path, "%s/scores/%s/perplexity.json", reference, s->name);
  assert_ok(file_read(&bytes, &size, path, &err));
  cJSON *json = cJSON_Parse(bytes);
  free(bytes);
  const cJSON *set;
  cJSON_ArrayForEach(set, cJSON_GetObjectItem(json, "dense")) {
    check_perplexity(s, set->string, set->valuedouble, (int)number(json, "length"),
                     (int)number(json, "windows"));
  }
  cJSON_Delete(json);
}

static void every_reference_model_scores_alike(void **state) {
  (void)state;
  struct error err;
  char path[2048];
  (void)snprintf(path, sizeof path, "%s/scores", reference);
  DIR *dir = opendir(path);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir));) {
    struct subject s = {.name = entry->d_name};
    if (entry->d_name[0] == '.') {
      continue;
    }
    if (!folders_model(entry->d_name, path, sizeof path)) {
      printf("SKIPPED: %s: no such model folder\n", entry->d_name);
      continue;
    }
    assert_ok(model_open(&s.model, path, &err));
    if (model_parameters(s.model) > parameters_most) {
      printf("SKIPPED: %s: minutes under the sanitizers\n", entry->d_name);
      model_close(s.model);
      continue;
    }
    assert_ok(tokenizer_open(&s.tokenizer, path, &err));
    assert_ok(runner_open(&s.runner, s.model, NULL, (size_t)1 << 30, &err));
    check_scores(&s, "scores.jsonl", false);
    check_scores(&s, "scores_bos.jsonl", true);
    check_perplexities(&s);
    runner_close(s.runner);
    model_close(s.model);
    tokenizer_close(s.tokenizer);
    models_seen++;
  }
  (void)closedir(dir);
  assert_true(models_seen > 0);
}

int main(void) {
  const char *source = getenv("ESPALIER_SOURCE");
  (void)snprintf(configs, sizeof configs, "%s/configs", source ? source : ".");
  if (!support_folder("reference", reference, sizeof reference) ||
      !support_folder("data", data_folder, sizeof data_folder)) {
    return support_skip("eval.scores", "no reference or data folder");
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_reference_model_scores_alike)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
