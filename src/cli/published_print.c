#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/published.h"

enum { COLUMNS = 9, WORD = 80 };
static const char *const heads[COLUMNS] = {"model",     "method",     "sparsity",
                                           "data set",  "metric",     "measured",
                                           "published", "difference", "made with"};

static double deviation(const struct published_match *m) {
  return m->count > 1 ? sqrt(m->squares / (double)(m->count - 1)) : NAN;
}

static void put_value(char *to, double value, double sd, const char *format) {
  char number[32], spread[32];
  (void)snprintf(number, sizeof number, format, value);
  (void)snprintf(spread, sizeof spread, format[1] == '+' ? "%.3f" : format, sd);
  (void)snprintf(to, WORD, isnan(sd) ? "%s" : "%s ± %s", number, spread);
}

/* What the measured value was made with, where that is not what the source says. */
static void put_way(char *to, const struct published_match *m) {
  const struct results_variant *v = m->variant;
  const struct published_cell *c = m->cell;
  int n = 0;
  if (v->calibration[0]) {
    n = snprintf(to, WORD, "%.20s %dx%d, ", v->calibration, v->samples, v->length);
    bool other = (c->calibration && strcmp(c->calibration, v->calibration) != 0) ||
                 (c->samples && c->samples != v->samples) || (c->length && c->length != v->length);
    if (other) {
      n += snprintf(to + n, WORD - (size_t)n, "not %.20s %ldx%ld, ",
                    c->calibration ? c->calibration : "-", c->samples, c->length);
    }
  }
  (void)snprintf(to + n, WORD - (size_t)n, "%lld items", (long long)m->items);
}

static void words_of(const struct published_match *m, char out[COLUMNS][WORD]) {
  const struct published_cell *c = m->cell;
  bool open = table_open_ended(c->metric);
  (void)snprintf(out[0], WORD, "%.60s", m->variant->model);
  (void)snprintf(out[1], WORD, "%.30s", c->method);
  (void)snprintf(out[2], WORD, "%.30s", *c->sparsity ? m->variant->sparsity : "-");
  (void)snprintf(out[3], WORD, "%.40s", c->dataset);
  if (c->window) {
    (void)snprintf(out[4], WORD, "%.30s@%ld", c->metric, c->window);
  } else {
    (void)snprintf(out[4], WORD, "%.30s", c->metric);
  }
  put_value(out[5], m->mean, deviation(m), open ? "%.2f" : "%.4f");
  put_value(out[6], c->value, c->sd, open ? "%.2f" : "%.4f");
  put_value(out[7], m->mean - c->value, NAN, open ? "%+.2f" : "%+.4f");
  put_way(out[8], m);
}

static size_t width_of(const char *text) {
  size_t n = 0;
  for (; *text; text++) {
    n += ((unsigned char)*text & 0xc0) != 0x80;
  }
  return n;
}

static status add_line(struct str *to, char words[COLUMNS][WORD], const size_t *widths,
                       struct error *err) {
  for (int i = 0; i < COLUMNS; i++) {
    int pad = i + 1 < COLUMNS ? (int)(widths[i] - width_of(words[i])) + 2 : 0;
    TRY(str_addf(to, err, "%s%*s", words[i], pad, ""));
  }
  return str_addf(to, err, "\n");
}

static status add_rows(const struct published_table *t, struct str *to, struct error *err) {
  char words[COLUMNS][WORD];
  size_t widths[COLUMNS], rule = 2 * (COLUMNS - 1);
  for (int i = 0; i < COLUMNS; i++) {
    widths[i] = strlen(heads[i]);
  }
  for (size_t r = 0; r < t->count; r++) {
    words_of(&t->matches[r], words);
    for (int i = 0; i < COLUMNS; i++) {
      size_t n = width_of(words[i]);
      widths[i] = n > widths[i] ? n : widths[i];
    }
  }
  for (int i = 0; i < COLUMNS; i++) {
    (void)snprintf(words[i], WORD, "%s", heads[i]);
    rule += widths[i];
  }
  TRY(add_line(to, words, widths, err));
  for (size_t i = 0; i < rule; i++) {
    TRY(str_addf(to, err, "-"));
  }
  TRY(str_addf(to, err, "\n"));
  for (size_t r = 0; r < t->count; r++) {
    words_of(&t->matches[r], words);
    TRY(add_line(to, words, widths, err));
  }
  return str_addf(to, err, "\n");
}

/* The value that a measured one has where the source has no such. */
static void put_lacking(char *to, const struct measured *m, const char *what) {
  const struct results_variant *v = m->variant;
  if (strcmp(what, "window") == 0 && m->window == 0) {
    (void)snprintf(to, WORD, "window (not on record: no items)");
  } else if (strcmp(what, "window") == 0) {
    (void)snprintf(to, WORD, "window %ld of %.30s", m->window, m->metric->dataset);
  } else if (strcmp(what, "sparsity") == 0) {
    (void)snprintf(to, WORD, "sparsity %.20s of %.30s", v->sparsity, v->method);
  } else {
    const char *value = strcmp(what, "model") == 0      ? v->model
                        : strcmp(what, "method") == 0   ? v->method
                        : strcmp(what, "data set") == 0 ? m->metric->dataset
                        : strcmp(what, "metric") == 0   ? m->metric->metric
                                                        : v->method;
    (void)snprintf(to, WORD, "%s %.60s", what, value);
  }
}

/* Measured values without a published one, counted by what the source lacks. */
static status add_unmatched(const struct published_table *t, struct str *to, struct error *err) {
  char(*reasons)[WORD];
  TRY(mem_alloc(&reasons, t->measured_count, sizeof *reasons, err));
  size_t left = 0;
  for (size_t i = 0; i < t->measured_count; i++) {
    if (!t->measured[i].matched) {
      put_lacking(reasons[left++], &t->measured[i], published_lacks(t->source, &t->measured[i]));
    }
  }
  status st = left ? str_addf(to, err, "measured, not published: %zu (", left) : STATUS_OK;
  const char *comma = "";
  for (size_t i = 0; st == STATUS_OK && i < left; i++) {
    size_t same = 0;
    bool first = true;
    for (size_t k = 0; k < left; k++) {
      bool equal = strcmp(reasons[i], reasons[k]) == 0;
      same += equal;
      first &= !(equal && k < i);
    }
    if (first) {
      st = str_addf(to, err, "%s%s: %zu", comma, reasons[i], same);
      comma = ", ";
    }
  }
  free(reasons);
  TRY(st);
  return left ? str_addf(to, err, ")\n") : STATUS_OK;
}

static bool is_matched(const struct published_table *t, const struct published_cell *c) {
  for (size_t i = 0; i < t->count; i++) {
    if (t->matches[i].cell == c) {
      return true;
    }
  }
  return false;
}

static bool is_at_hand(const struct published_table *t, const struct published_model *m) {
  for (size_t i = 0; i < t->measured_count; i++) {
    if (published_is_model(m, t->measured[i].variant->model)) {
      return true;
    }
  }
  return false;
}

/* Published numbers without a measured one: those of models at hand by name, the others counted. */
static status add_missing(const struct published_table *t, struct str *to, struct error *err) {
  size_t others = 0;
  const char *comma = "published, not measured: ";
  for (size_t i = 0; i < t->source->count; i++) {
    const struct published_cell *c = &t->source->cells[i];
    if (is_matched(t, c)) {
      continue;
    }
    if (!is_at_hand(t, c->model)) {
      others++;
      continue;
    }
    TRY(str_addf(to, err, "%s%s %s%s%s %s", comma, c->model->name, c->method,
                 *c->sparsity ? " " : "", c->sparsity, c->dataset));
    TRY(c->window ? str_addf(to, err, "@%ld", c->window) : STATUS_OK);
    comma = ", ";
  }
  if (others) {
    TRY(str_addf(to, err, "%s%zu of models that are not in the results",
                 comma[0] == ',' ? ", and " : comma, others));
    comma = ",";
  }
  return comma[0] == ',' ? str_addf(to, err, "\n") : STATUS_OK;
}

static status print_text(const struct published_table *t, struct str *to, struct error *err) {
  if (t->count) {
    TRY(add_rows(t, to, err));
  }
  TRY(str_addf(to, err, "%s: %s\n", t->source->name, t->source->source));
  if (t->source->caveat) {
    TRY(str_addf(to, err, "%s\n", t->source->caveat));
  }
  size_t measured = 0;
  for (size_t i = 0; i < t->source->count; i++) {
    measured += is_matched(t, &t->source->cells[i]);
  }
  TRY(str_addf(to, err,
               "%zu of %zu published numbers are measured; ± standard deviation (n - 1) "
               "over draws or as published\n",
               measured, t->source->count));
  TRY(add_missing(t, to, err));
  return add_unmatched(t, to, err);
}

static status print_csv(const struct published_table *t, struct str *to, struct error *err) {
  TRY(str_addf(to, err,
               "model,method,sparsity,dataset,metric,window,calibration,samples,length,n,"
               "items,measured,sd,published,published_sd,difference\n"));
  for (size_t i = 0; i < t->count; i++) {
    const struct published_match *m = &t->matches[i];
    const struct published_cell *c = m->cell;
    const struct results_variant *v = m->variant;
    const char *texts[] = {v->model, c->method, v->sparsity, c->dataset, c->metric};
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
      TRY(csv_field(to, k == 0, texts[k], err));
    }
    TRY(c->window ? str_addf(to, err, ",%ld", c->window) : str_addf(to, err, ","));
    TRY(csv_field(to, false, v->calibration, err));
    TRY(v->calibration[0] ? str_addf(to, err, ",%d,%d", v->samples, v->length)
                          : str_addf(to, err, ",,"));
    TRY(str_addf(to, err, ",%zu,%lld", m->count, (long long)m->items));
    const double reals[] = {m->mean, deviation(m), c->value, c->sd, m->mean - c->value};
    for (size_t k = 0; k < sizeof reals / sizeof reals[0]; k++) {
      TRY(isnan(reals[k]) ? str_addf(to, err, ",") : str_addf(to, err, ",%.9g", reals[k]));
    }
    TRY(str_addf(to, err, "\n"));
  }
  return STATUS_OK;
}

status published_print(const struct published_table *t, enum table_format format, struct str *to,
                       struct error *err) {
  if (format != TABLE_TEXT && format != TABLE_CSV) {
    return err_set(err, STATUS_INPUT, "--published prints text or csv, not %s",
                   table_format_names[format]);
  }
  return format == TABLE_CSV ? print_csv(t, to, err) : print_text(t, to, err);
}
