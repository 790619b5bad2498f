/* The ids of Hugging Face's library, for every tokenizer in the reference folder: all strings with
 * and without special tokens, and WikiText-2 as one text. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <pthread.h>

#include "base/file.h"
#include "base/sequences.h"
#include "jsonl.h"
#include "sha256.h"
#include "support.h"
#include "tokenizer/tokenizer.h"

static char reference[1024];

/* Calls check for every folder with a tokenizer.json and the named file; returns how many. */
static int each_tokenizer(const char *needs, void (*check)(const char *folder, const char *name)) {
  DIR *dir = opendir(reference);
  assert_non_null(dir);
  int count = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    char *folder, *json, *other;
    struct error err;
    assert_ok(path_join(&folder, reference, entry->d_name, &err));
    assert_ok(path_join(&json, folder, "tokenizer.json", &err));
    assert_ok(path_join(&other, folder, needs, &err));
    if (entry->d_name[0] != '.' && file_exists(json) && file_exists(other)) {
      check(folder, entry->d_name);
      count++;
    }
    free(folder);
    free(json);
    free(other);
  }
  (void)closedir(dir);
  return count;
}

static char *read_file(const char *folder, const char *name) {
  struct error err;
  char *path, *text = NULL;
  size_t size;
  assert_ok(path_join(&path, folder, name, &err));
  assert_ok(file_read(&text, &size, path, &err));
  free(path);
  return text;
}

static bool same(const struct ids *got, const struct ids *wanted) {
  return got->count == wanted->count &&
         (got->count == 0 || memcmp(got->at, wanted->at, got->count * sizeof *got->at) == 0);
}

/* The number of strings `first`, `first` + `step` and so on whose ids differ; prints the first few.
 */
static int compare_strings(const struct tokenizer *t, const char *folder, const char *name,
                           bool special, int first, int step) {
  const char *key = special ? "ids_special" : "ids";
  char *strings = read_file(reference, "strings.jsonl"), *list = read_file(folder, "ids.jsonl");
  char *strings_rest = strings, *list_rest = list, *line;
  struct str text = {0};
  struct ids wanted = {0}, got = {0};
  struct error err;
  int wrong = 0, count = 0;
  while ((line = jsonl_line(&strings_rest))) {
    char *ids = jsonl_line(&list_rest);
    assert_non_null(ids);
    if (count++ % step != first) {
      continue;
    }
    assert_true(jsonl_text(&text, line, "text"));
    assert_true(jsonl_ids(&wanted, ids, key));
    got.count = 0;
    assert_ok(tokenizer_encode(t, text.at, text.count, special, &got, &err));
    if (!same(&got, &wanted) && wrong++ < 5) {
      printf("%s: %s of string %d '%s': %zu ids, wanted %zu\n", name, key, count - 1, text.at,
             got.count, wanted.count);
    }
  }
  assert_true(count > 0);
  str_free(&text);
  ids_free(&wanted);
  ids_free(&got);
  free(strings);
  free(list);
  return wrong;
}

static void check_strings(const char *folder, const char *name) {
  struct tokenizer *t;
  struct error err;
  assert_ok(tokenizer_open(&t, folder, &err));
  assert_int_equal(compare_strings(t, folder, name, false, 0, 1), 0);
  assert_int_equal(compare_strings(t, folder, name, true, 0, 1), 0);
  tokenizer_close(t);
}

static void test_every_string_has_the_librarys_ids(void **state) {
  (void)state;
  assert_true(each_tokenizer("ids.jsonl", check_strings) > 0);
}

/* WikiText-2's test split as the three texts of the reference: the hub's rows joined with two
 * newlines, the original file, and its lines joined with two newlines. */
static struct {
  const char *name;
  struct str text;
} wikitext[] = {{"hf_rows_joined", {0}}, {"raw_file", {0}}, {"lines_joined", {0}}};

static void read_wikitext(const char *path) {
  struct error err;
  char *file, *rest, *line;
  size_t size;
  struct str row = {0};
  assert_ok(file_read(&file, &size, path, &err));
  rest = file;
  for (bool first = true; (line = jsonl_line(&rest)); first = false) {
    assert_true(jsonl_text(&row, line, "text"));
    const char *original = row.count ? row.at : " \n"; /* blank lines hold a space there */
    size_t length = strlen(original);
    assert_ok(str_add(&wikitext[0].text, "\n\n", first ? 0 : 2, &err));
    assert_ok(str_add(&wikitext[0].text, row.at, row.count, &err));
    assert_ok(str_add(&wikitext[1].text, original, length, &err));
    assert_ok(str_add(&wikitext[2].text, "\n\n", first ? 0 : 2, &err));
    assert_ok(str_add(&wikitext[2].text, original, length - 1, &err));
  }
  str_free(&row);
  free(file);
}

static const cJSON *totals; /* of wikitext2.json */
static int totals_checked;

static void check_wikitext_of(const struct tokenizer *t, const char *name, size_t which) {
  const cJSON *one = cJSON_GetObjectItem(cJSON_GetObjectItem(totals, "tokenizers"), name);
  const cJSON *wanted = cJSON_GetObjectItem(one, wikitext[which].name);
  if (!wanted) {
    return;
  }
  totals_checked++;
  struct ids ids = {0};
  struct error err;
  char hex[65];
  const struct str *text = &wikitext[which].text;
  assert_ok(tokenizer_encode(t, text->at, text->count, false, &ids, &err));
  assert_int_equal(ids.count, cJSON_GetObjectItem(wanted, "tokens")->valueint);
  sha256_hex(ids.at, ids.count * sizeof *ids.at, hex);
  assert_string_equal(hex, cJSON_GetObjectItem(wanted, "sha256_u32le")->valuestring);
  if (which > 0) { /* one text shows what the template adds */
    ids_free(&ids);
    return;
  }
  ids.count = 0;
  assert_ok(tokenizer_encode(t, text->at, text->count, true, &ids, &err));
  assert_int_equal(ids.count, cJSON_GetObjectItem(wanted, "tokens_special")->valueint);
  ids_free(&ids);
}

static void check_wikitext(const char *folder, const char *name) {
  struct tokenizer *t;
  struct error err;
  assert_ok(tokenizer_open(&t, folder, &err));
  for (size_t i = 0; i < sizeof wikitext / sizeof *wikitext; i++) {
    check_wikitext_of(t, name, i);
  }
  tokenizer_close(t);
}

static void test_wikitext_as_one_text_has_the_librarys_ids(void **state) {
  (void)state;
  char folder[1024], path[1100], hex[65];
  if (!support_folder("data", folder, sizeof folder)) {
    printf("SKIPPED: tokenizer.reference: no data folder\n");
    skip();
  }
  (void)snprintf(path, sizeof path, "%s/wikitext2/test.jsonl", folder);
  if (!file_exists(path)) {
    printf("SKIPPED: tokenizer.reference: no %s\n", path);
    skip();
  }
  read_wikitext(path);
  char *json = read_file(reference, "wikitext2.json");
  cJSON *root = cJSON_Parse(json);
  free(json);
  assert_non_null(root);
  totals = root;
  for (size_t i = 0; i < sizeof wikitext / sizeof *wikitext; i++) {
    const cJSON *text = cJSON_GetObjectItem(cJSON_GetObjectItem(totals, "texts"), wikitext[i].name);
    sha256_hex(wikitext[i].text.at, wikitext[i].text.count, hex);
    assert_string_equal(hex, cJSON_GetObjectItem(text, "sha256")->valuestring);
  }
  (void)each_tokenizer("ids.jsonl", check_wikitext);
  assert_true(totals_checked > 0);
  for (size_t i = 0; i < sizeof wikitext / sizeof *wikitext; i++) {
    str_free(&wikitext[i].text);
  }
  cJSON_Delete(root);
}

struct job {
  const struct tokenizer *tokenizer;
  const char *folder, *name;
  int first, wrong;
};

static void *run_job(void *arg) {
  struct job *job = arg;
  job->wrong = compare_strings(job->tokenizer, job->folder, job->name, false, job->first, 4);
  return NULL;
}

static void check_threads(const char *folder, const char *name) {
  struct tokenizer *t;
  struct error err;
  pthread_t threads[4];
  struct job jobs[4];
  assert_ok(tokenizer_open(&t, folder, &err));
  for (int i = 0; i < 4; i++) {
    jobs[i] = (struct job){t, folder, name, i, -1};
    assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
  }
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(jobs[i].wrong, 0);
  }
  tokenizer_close(t);
}

static void test_four_threads_share_a_tokenizer(void **state) {
  (void)state;
  assert_true(each_tokenizer("ids.jsonl", check_threads) > 0);
}

int main(void) {
  char folder[900];
  if (!support_folder("reference", folder, sizeof folder)) {
    return support_skip("tokenizer.reference", "no reference folder");
  }
  (void)snprintf(reference, sizeof reference, "%s/tokenizers", folder);
  if (!file_is_dir(reference)) {
    return support_skip("tokenizer.reference", "no tokenizers in the reference folder");
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_string_has_the_librarys_ids),
      cmocka_unit_test(test_four_threads_share_a_tokenizer),
      cmocka_unit_test(test_wikitext_as_one_text_has_the_librarys_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
