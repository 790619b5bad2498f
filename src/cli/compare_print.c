#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "cli/compare.h"

const char *const compare_format_names[COMPARE_FORMATS] = {"text", "csv", "json"};

status compare_describe(const struct compare_side *s, struct str *to, struct error *err) {
  const struct results_file *f = s->file;
  const struct results_variant *v = &f->variants[s->selection.at[0]];
  char **labels;
  TRY(mem_alloc(&labels, f->variant_count, sizeof(char *), err));
  status st = table_method_labels(f, labels, err);
  if (st == STATUS_OK) {
    st = str_addf(to, err, "%s %s", v->model, labels[s->selection.at[0]]);
  }
  for (size_t i = 0; i < f->variant_count; i++) {
    free(labels[i]);
  }
  free((void *)labels);
  TRY(st);
  if (strcmp(v->method, "dense") != 0) {
    TRY(str_addf(to, err, " %s", v->sparsity));
  }
  if (!v->calibration[0]) {
    return STATUS_OK;
  }
  TRY(str_addf(to, err, " %s %dx%d %s", v->calibration, v->samples, v->length,
               s->selection.count > 1 ? "draws" : "draw"));
  for (size_t i = 0; i < s->selection.count; i++) {
    TRY(str_addf(to, err, " %d", f->variants[s->selection.at[i]].draw));
  }
  return STATUS_OK;
}

enum { COLUMNS = 12, WORD = 48 };
static const char *const heads[COLUMNS] = {"dataset", "metric", "items", "A",      "B", "B - A",
                                           "low",     "high",   "lost",  "gained", "p", "p Holm"};

static void put(char *to, const char *format, double value) {
  if (isnan(value)) {
    (void)snprintf(to, WORD, "-");
  } else {
    (void)snprintf(to, WORD, format, value);
  }
}

static void put_p(char *to, double p) {
  put(to, p < 0.0001 ? "%.1e" : "%.4f", p);
}

/* The words of one text line; shares with 3 decimals, perplexities with 4 digits. */
static void words_of(const struct comparison *r, char out[COLUMNS][WORD]) {
  bool open = r->metric && strcmp(r->metric, "perplexity") == 0;
  const char *value = open ? "%#.4g" : "%.3f", *change = open ? "%+#.4g" : "%+.3f";
  (void)snprintf(out[0], WORD, "%.40s", r->dataset);
  (void)snprintf(out[1], WORD, "%.40s", r->metric ? r->metric : "-");
  (void)snprintf(out[2], WORD, "%lld", (long long)r->items);
  put(out[3], value, r->a);
  put(out[4], value, r->b);
  put(out[5], change, r->difference);
  put(out[6], change, r->range.low);
  put(out[7], change, r->range.high);
  (void)snprintf(out[8], WORD, "%zu", r->lost);
  (void)snprintf(out[9], WORD, "%zu", r->gained);
  put_p(out[10], r->p);
  put_p(out[11], r->holm);
  for (int i = 2; r->why && i < COLUMNS; i++) {
    (void)snprintf(out[i], WORD, "-");
  }
}

static size_t width_of(const char *text) {
  size_t n = 0;
  for (; *text; text++) {
    n += ((unsigned char)*text & 0xc0) != 0x80;
  }
  return n;
}

static status add_line(struct str *to, const size_t *widths, char words[COLUMNS][WORD],
                       const char *why, struct error *err) {
  for (int i = 0; i < COLUMNS; i++) {
    int pad = (int)(widths[i] - width_of(words[i]));
    TRY(i < 2 ? str_addf(to, err, "%s%*s", words[i], pad, "")
              : str_addf(to, err, "%*s%s", pad, "", words[i]));
    TRY(str_addf(to, err, "%s", i + 1 < COLUMNS ? "  " : ""));
  }
  return why ? str_addf(to, err, "  %s\n", why) : str_addf(to, err, "\n");
}

static status add_rows(const struct compare *c, struct str *to, struct error *err) {
  char words[COLUMNS][WORD];
  size_t widths[COLUMNS], rule = 2 * (COLUMNS - 1);
  for (int i = 0; i < COLUMNS; i++) {
    widths[i] = strlen(heads[i]);
  }
  for (size_t r = 0; r < c->count; r++) {
    words_of(&c->at[r], words);
    for (int i = 0; i < COLUMNS; i++) {
      size_t n = width_of(words[i]);
      widths[i] = n > widths[i] ? n : widths[i];
    }
  }
  for (int i = 0; i < COLUMNS; i++) {
    (void)snprintf(words[i], WORD, "%s", heads[i]);
    rule += widths[i];
  }
  TRY(add_line(to, widths, words, NULL, err));
  for (size_t i = 0; i < rule; i++) {
    TRY(str_addf(to, err, "-"));
  }
  TRY(str_addf(to, err, "\n"));
  for (size_t r = 0; r < c->count; r++) {
    words_of(&c->at[r], words);
    TRY(add_line(to, widths, words, c->at[r].why, err));
  }
  return STATUS_OK;
}

static status add_note(const struct compare *c, struct str *to, struct error *err) {
  bool draws = c->pairs.count > 1;
  TRY(str_addf(to, err,
               "\nlow, high: 95 %% of %d resamples (seed %u) of the %s; lost, gained: items right "
               "with A alone, with B alone (perplexity: likelier with A, with B)\n",
               SIGNIFICANCE_RESAMPLES, c->seed, draws ? "items and of the draws" : "items"));
  TRY(str_addf(to, err,
               "p: McNemar's exact test, two-sided%s; p Holm: corrected over the data "
               "sets tested\n",
               draws ? ", for these very draws (low and high count their spread in), an item "
                       "counted once, on the side of most of its flips"
                     : ""));
  if (draws) {
    TRY(str_addf(to, err,
                 "%zu pairs of draws: A, B and B - A are means over them, lost and gained sums",
                 c->pairs.count));
    for (size_t i = 0; i < c->count; i++) {
      if (!c->at[i].why && c->at[i].pairs < c->pairs.count) {
        TRY(str_addf(to, err, "; %s has %zu", c->at[i].dataset, c->at[i].pairs));
      }
    }
    TRY(str_addf(to, err, "\n"));
  }
  if (c->pairs.left_out) {
    TRY(str_addf(to, err, "left out: %zu whose draw the other side has not\n", c->pairs.left_out));
  }
  return STATUS_OK;
}

static status print_text(const struct compare *c, struct str *to, struct error *err) {
  for (int s = 0; s < 2; s++) {
    TRY(str_addf(to, err, "%c: ", 'A' + s));
    TRY(compare_describe(&c->sides[s], to, err));
    if (strcmp(c->sides[0].path, c->sides[1].path) != 0) {
      TRY(str_addf(to, err, " (%s)", c->sides[s].path));
    }
    TRY(str_addf(to, err, "\n"));
  }
  TRY(str_addf(to, err, "\n"));
  TRY(add_rows(c, to, err));
  return add_note(c, to, err);
}

static status add_number(struct str *to, double value, struct error *err) {
  return isnan(value) ? str_addf(to, err, ",") : str_addf(to, err, ",%.9g", value);
}

static status print_csv(const struct compare *c, struct str *to, struct error *err) {
  TRY(str_addf(to, err,
               "dataset,metric,pairs,items,a,b,difference,sd,low,high,lost,gained,down,up,"
               "p,p_holm,untested\n"));
  for (size_t i = 0; i < c->count; i++) {
    const struct comparison *r = &c->at[i];
    bool good = !r->why;
    TRY(csv_field(to, true, r->dataset, err));
    TRY(csv_field(to, false, r->metric ? r->metric : "", err));
    TRY(str_addf(to, err, ",%zu,%lld", r->pairs, (long long)r->items));
    const double reals[] = {r->a, r->b, r->difference, r->spread, r->range.low, r->range.high};
    for (size_t k = 0; k < sizeof reals / sizeof reals[0]; k++) {
      TRY(add_number(to, good ? reals[k] : NAN, err));
    }
    TRY(str_addf(to, err, ",%zu,%zu,%zu,%zu", r->lost, r->gained, r->down, r->up));
    TRY(add_number(to, r->p, err));
    TRY(add_number(to, r->holm, err));
    TRY(csv_field(to, false, r->why ? r->why : "", err));
    TRY(str_addf(to, err, "\n"));
  }
  return STATUS_OK;
}

static void set_real(cJSON *o, const char *name, double value) {
  char text[32];
  if (isfinite(value)) {
    (void)snprintf(text, sizeof text, "%.9g", value);
    cJSON_AddRawToObject(o, name, text);
  } else {
    cJSON_AddNullToObject(o, name);
  }
}

static cJSON *json_of(const struct comparison *r) {
  cJSON *o = cJSON_CreateObject();
  cJSON_AddStringToObject(o, "dataset", r->dataset);
  if (r->metric) {
    cJSON_AddStringToObject(o, "metric", r->metric);
  }
  if (r->why) {
    cJSON_AddStringToObject(o, "untested", r->why);
    return o;
  }
  cJSON_AddNumberToObject(o, "pairs", (double)r->pairs);
  cJSON_AddNumberToObject(o, "items", (double)r->items);
  set_real(o, "a", r->a);
  set_real(o, "b", r->b);
  set_real(o, "difference", r->difference);
  set_real(o, "sd", r->spread);
  set_real(o, "low", r->range.low);
  set_real(o, "high", r->range.high);
  cJSON_AddNumberToObject(o, "lost", (double)r->lost);
  cJSON_AddNumberToObject(o, "gained", (double)r->gained);
  cJSON_AddNumberToObject(o, "down", (double)r->down);
  cJSON_AddNumberToObject(o, "up", (double)r->up);
  set_real(o, "p", r->p);
  set_real(o, "p_holm", r->holm);
  return o;
}

static status add_side(cJSON *root, const struct compare *c, int s, struct error *err) {
  struct str text = {0};
  status st = compare_describe(&c->sides[s], &text, err);
  if (st == STATUS_OK) {
    cJSON *o = cJSON_AddObjectToObject(root, s ? "b" : "a");
    cJSON_AddStringToObject(o, "file", c->sides[s].path);
    cJSON_AddStringToObject(o, "about", text.at);
    cJSON *ids = cJSON_AddArrayToObject(o, "variants");
    for (size_t i = 0; i < c->sides[s].selection.count; i++) {
      const char *id = c->sides[s].file->variants[c->sides[s].selection.at[i]].id;
      cJSON_AddItemToArray(ids, cJSON_CreateString(id));
    }
  }
  str_free(&text);
  return st;
}

static status print_json(const struct compare *c, struct str *to, struct error *err) {
  cJSON *root = cJSON_CreateObject();
  status st = add_side(root, c, 0, err);
  if (st == STATUS_OK) {
    st = add_side(root, c, 1, err);
  }
  cJSON_AddNumberToObject(root, "resamples", SIGNIFICANCE_RESAMPLES);
  cJSON_AddNumberToObject(root, "seed", c->seed);
  cJSON_AddNumberToObject(root, "left_out", (double)c->pairs.left_out);
  cJSON *all = cJSON_AddArrayToObject(root, "datasets");
  for (size_t i = 0; i < c->count; i++) {
    cJSON_AddItemToArray(all, json_of(&c->at[i]));
  }
  char *text = st == STATUS_OK ? cJSON_Print(root) : NULL;
  if (st == STATUS_OK) {
    st = text ? str_addf(to, err, "%s\n", text) : err_set(err, STATUS_MEMORY, "out of memory");
  }
  cJSON_free(text);
  cJSON_Delete(root);
  return st;
}

status compare_print(const struct compare *c, enum compare_format format, struct str *to,
                     struct error *err) {
  switch (format) {
  case COMPARE_CSV:
    return print_csv(c, to, err);
  case COMPARE_JSON:
    return print_json(c, to, err);
  default:
    return print_text(c, to, err);
  }
}
