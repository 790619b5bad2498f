/* `espalier report`: a page whose data is JSON and cannot leave its script element, whatever the
 * results say; what is no results file is refused and leaves no page. */
#include <cjson/cJSON.h>
#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/results_fixture.h"
#include "store/attribution_fixture.h"
#include "support.h"

static char folder[] = "/tmp/espalier_report_XXXXXX";
static char path[64], page[64];

#define HOSTILE "</script><script>alert(\"1\")</script><!-- \\ \t &lt;"

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(path, sizeof path, "%s/x.h5", folder);
  (void)snprintf(page, sizeof page, "%s/x.html", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  (void)unlink(page);
  return rmdir(folder);
}

/* Runs the command; the page, when there is one, in *out, which the caller frees. */
static status report(char **out, struct error *err) {
  char *argv[] = {(char *)"report", path, (char *)"-o", page};
  *out = NULL;
  (void)unlink(page);
  status st = cmd_report(4, argv, err);
  size_t size;
  struct error reading;
  if (file_exists(page)) {
    assert_int_equal(file_read(out, &size, page, &reading), STATUS_OK);
  }
  return st;
}

/* The page, which the caller frees. */
static char *good_report(void) {
  struct error err = {0};
  char *text;
  assert_ok(report(&text, &err));
  if (!text) {
    fail_msg("%s: not written", page);
    exit(1);
  }
  return text;
}

static size_t occurrences(const char *text, const char *part) {
  size_t count = 0;
  for (const char *p = text; (p = strstr(p, part)); p += strlen(part)) {
    count++;
  }
  return count;
}

/* The block of data, parsed; NULL when the page has none of that name. */
static cJSON *block(const char *text, const char *name) {
  char mark[64];
  (void)snprintf(mark, sizeof mark, "id=\"data-%s\">", name);
  const char *start = strstr(text, mark);
  if (!start) {
    return NULL;
  }
  start += strlen(mark);
  const char *end = strstr(start, "</script>");
  assert_non_null(end);
  cJSON *parsed = cJSON_ParseWithLength(start, (size_t)(end - start));
  assert_non_null(parsed);
  return parsed;
}

static const cJSON *at(const cJSON *main, const char *table, const char *column, int i) {
  const cJSON *t = cJSON_GetObjectItem(main, table);
  const cJSON *item = cJSON_GetArrayItem(column ? cJSON_GetObjectItem(t, column) : t, i);
  assert_non_null(item);
  return item;
}

static void write_fixture(struct results *r) {
  assert_int_equal(results_write(path, r, NULL), STATUS_OK);
}

static void page_holds_every_variant_cell_and_value(void **state) {
  (void)state;
  struct table_fixture t;
  struct results r = table_results(&t);
  write_fixture(&r);
  char *text = good_report();
  cJSON *main = block(text, "main");
  assert_int_equal(
      cJSON_GetArraySize(cJSON_GetObjectItem(cJSON_GetObjectItem(main, "variants"), "id")),
      TABLE_VARIANTS);
  assert_string_equal(at(main, "variants", "method", 6)->valuestring, "ria a=0.5");
  assert_string_equal(at(main, "variants", "status", 5)->valuestring, "pending");
  assert_string_equal(at(main, "cells", "status", 9)->valuestring, "failed");
  assert_string_equal(at(main, "cells", "error", 9)->valuestring, "kjv.jsonl: No such file");
  assert_string_equal(at(main, "datasets", NULL, 1)->valuestring, table_datasets[1].name);
  assert_true(at(main, "values", "value", 0)->valuedouble == 0.782);
  assert_true(cJSON_IsNull(at(main, "values", "stderr", 2)));
  const cJSON *values = cJSON_GetObjectItem(cJSON_GetObjectItem(main, "values"), "value"), *v;
  int infinite = 0;
  cJSON_ArrayForEach(v, values) {
    infinite += isinf(v->valuedouble) ? 1 : 0;
  }
  assert_int_equal(infinite, 1);
  cJSON_Delete(main);
  assert_null(block(text, "overlap")); /* no masks in the file */
  assert_null(block(text, "attribution"));
  assert_null(block(text, "passages"));
  free(text);
}

static void texts_of_the_file_cannot_end_their_script(void **state) {
  (void)state;
  struct table_fixture t;
  struct results r = table_results(&t);
  static const struct attribute attributes[] = {{"command", HOSTILE}, {"experiment_name", HOSTILE}};
  struct dataset_info datasets[TABLE_DATASETS] = {{HOSTILE, "topic"}, {"b", "topic"}};
  r.datasets = datasets;
  r.attributes = attributes;
  r.attribute_count = 2;
  (void)snprintf(t.cells[4][1].error, sizeof t.cells[4][1].error, "%s", HOSTILE);
  write_fixture(&r);
  char *text = good_report();
  assert_null(strstr(text, "alert(\"1\")"));
  assert_int_equal(occurrences(text, "<script"), 2); /* data and program */
  assert_int_equal(occurrences(text, "</script>"), 2);
  cJSON *main = block(text, "main");
  assert_string_equal(at(main, "datasets", NULL, 0)->valuestring, HOSTILE);
  assert_string_equal(at(main, "cells", "error", 9)->valuestring, HOSTILE);
  const cJSON *provenance = cJSON_GetObjectItem(main, "provenance");
  assert_string_equal(cJSON_GetObjectItem(provenance, "command")->valuestring, HOSTILE);
  cJSON_Delete(main);
  free(text);
}

static void layers_are_lists_by_block_and_linear(void **state) {
  (void)state;
  struct table_fixture t;
  struct results r = table_results(&t);
  struct layer_row rows[] = {{.block = 0, .linear = "q", .relative_error = 0.25, .damp = NAN},
                             {.block = 1, .linear = "k", .relative_error = 0.5, .damp = NAN},
                             {.block = 1, .linear = "q", .relative_error = NAN, .damp = NAN}};
  t.pruned[2].layers = rows;
  t.pruned[2].layer_count = 3;
  write_fixture(&r);
  char *text = good_report();
  cJSON *layers = block(text, "layers");
  assert_int_equal(at(layers, "variant", NULL, 0)->valueint, 2);
  char *list = cJSON_PrintUnformatted(cJSON_GetObjectItem(layers, "relative_error"));
  assert_string_equal(list, "[[0.25,null,null,0.5]]");
  cJSON_free(list);
  cJSON_Delete(layers);
  free(text);
}

static const cJSON *part(const cJSON *of, const char *list, int i, const char *name) {
  const cJSON *item = cJSON_GetObjectItem(at(of, list, NULL, i), name);
  assert_non_null(item);
  return item;
}

static void assert_list(const cJSON *list, const char *wanted) {
  char *got = cJSON_PrintUnformatted(list);
  assert_string_equal(got, wanted);
  cJSON_free(got);
}

/* The base of the dense model and losses of the third and fourth variant, of which the second does
 * not fit the base. */
static void write_attribution(void) {
  struct table_fixture t;
  struct results r = table_results(&t);
  struct attribution_base base = made_base;
  struct attribution_loss loss = made_loss, other = made_loss;
  (void)snprintf(base.variant, sizeof base.variant, "v0");
  (void)snprintf(loss.variant, sizeof loss.variant, "v2");
  (void)snprintf(other.variant, sizeof other.variant, "v3");
  other.word_count = 2;
  const struct attribution_base *bases[TABLE_VARIANTS * TABLE_DATASETS] = {&base};
  const struct attribution_loss *losses[TABLE_VARIANTS * TABLE_DATASETS] = {
      [2 * TABLE_DATASETS] = &loss, [3 * TABLE_DATASETS] = &other};
  r.attribution_bases = bases;
  r.attribution_losses = losses;
  write_fixture(&r);
}

static void attributions_are_words_units_losses_and_coloured_texts(void **state) {
  (void)state;
  write_attribution();
  char *text = good_report();
  cJSON *a = block(text, "attribution"), *p = block(text, "passages");
  assert_non_null(a);
  assert_non_null(p);
  assert_string_equal(part(a, "bases", 0, "model")->valuestring, "nano");
  const cJSON *words = part(a, "bases", 0, "words"), *matches = part(a, "bases", 0, "matches");
  assert_list(cJSON_GetObjectItem(words, "influence"), "[0.75,0.5,0.25]");
  assert_list(cJSON_GetObjectItem(words, "low"), "[0.5,null,0.125]");
  assert_list(cJSON_GetObjectItem(matches, "unit"), "[0,1,1,0]");
  assert_list(cJSON_GetObjectItem(matches, "found"), "[1,0,1,1]");
  assert_list(part(a, "bases", 0, "dead"), "[1,0]");
  assert_int_equal(part(a, "losses", 0, "variant")->valueint, 2);
  assert_int_equal(part(a, "losses", 0, "base")->valueint, 0);
  assert_int_equal(part(a, "losses", 1, "base")->valueint, -1);
  assert_list(part(a, "losses", 0, "block_loss"), "[null,0.5]");
  assert_list(part(a, "losses", 0, "activation"), "[0.5,0.25,0.125,0.625]");
  const cJSON *texts = part(p, "bases", 0, "texts");
  const cJSON *first = cJSON_GetArrayItem(texts, 0);
  assert_string_equal(cJSON_GetObjectItem(first, "text")->valuestring, made_passage);
  assert_list(cJSON_GetObjectItem(first, "starts"), "[0,2,7,13,15,25]"); /* ö and ß are one each */
  assert_list(part(p, "bases", 0, "dense"), "[[0.25,-0.5,3.5,0.125,1e-06],[-0.25]]");
  assert_list(at(p, "losses", NULL, 0), "[[0.125,-0.25,0.5,0,0],[0.5]]");
  assert_null(strstr(text, "<b>Gr"));
  cJSON_Delete(a);
  cJSON_Delete(p);
  free(text);
}

static void what_is_no_results_file_is_refused(void **state) {
  (void)state;
  assert_int_equal(file_write(path, "no HDF5", 7, NULL), STATUS_OK);
  struct error err = {0};
  char *text;
  assert_fails(report(&text, &err), STATUS_INPUT, path);
  assert_null(text);
}

static void the_page_to_write_is_needed(void **state) {
  (void)state;
  struct error err = {0};
  char *without[] = {(char *)"report", path};
  assert_fails(cmd_report(2, without, &err), STATUS_INPUT, "--output");
  char *nowhere[] = {(char *)"report", path, (char *)"-o", (char *)"/nowhere/at/all.html"};
  struct table_fixture t;
  struct results r = table_results(&t);
  write_fixture(&r);
  assert_fails(cmd_report(4, nowhere, &err), STATUS_IO, "/nowhere/at");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(page_holds_every_variant_cell_and_value),
      cmocka_unit_test(texts_of_the_file_cannot_end_their_script),
      cmocka_unit_test(layers_are_lists_by_block_and_linear),
      cmocka_unit_test(attributions_are_words_units_losses_and_coloured_texts),
      cmocka_unit_test(what_is_no_results_file_is_refused),
      cmocka_unit_test(the_page_to_write_is_needed),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
