#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/sensitivity.h"

/* A variant's text of a field that can be asked for; `number` holds it where it is none. */
struct field {
  const char *option;
  bool of_calibration;
  const char *(*text)(const struct results_variant *v, char number[16]);
};

static const char *model_of(const struct results_variant *v, char number[16]) {
  (void)number;
  return v->model;
}
static const char *method_of(const struct results_variant *v, char number[16]) {
  (void)number;
  return v->method;
}
static const char *sparsity_of(const struct results_variant *v, char number[16]) {
  (void)number;
  return v->sparsity;
}
static const char *calibration_of(const struct results_variant *v, char number[16]) {
  (void)number;
  return v->calibration;
}
static const char *samples_of(const struct results_variant *v, char number[16]) {
  (void)snprintf(number, 16, "%d", v->samples);
  return number;
}
static const char *length_of(const struct results_variant *v, char number[16]) {
  (void)snprintf(number, 16, "%d", v->length);
  return number;
}

static const char *propagate_of(const struct results_variant *v, char number[16]) {
  (void)number;
  return v->propagate;
}

enum { FIELDS = 7 };
static const struct field fields[FIELDS] = {
    {"--model", false, model_of},       {"--method", false, method_of},
    {"--sparsity", false, sparsity_of}, {"--calibration", true, calibration_of},
    {"--samples", true, samples_of},    {"--length", true, length_of},
    {"--propagate", true, propagate_of}};

static const struct word_list *list_of(const struct design_query *q, int field) {
  const struct word_list *const lists[FIELDS] = {&q->models,       &q->methods, &q->sparsities,
                                                 &q->calibrations, &q->samples, &q->lengths,
                                                 &q->propagates};
  return lists[field];
}

/* Numbers are equal by value ("0.50" and "0.5"), all else by its letters. */
static bool same_value(const char *a, const char *b) {
  char *a_end, *b_end;
  double x = strtod(a, &a_end), y = strtod(b, &b_end);
  if (*a && *b && !*a_end && !*b_end) {
    return x == y;
  }
  return strcmp(a, b) == 0;
}

static bool is_dense(const struct results_variant *v) {
  return strcmp(v->method, "dense") == 0;
}

/* Whether the field of a pruned variant has one of the words. */
static bool meets(const struct results_variant *v, int field, const struct word_list *words) {
  char number[16];
  if (words->count == 0 || (fields[field].of_calibration && !v->calibration[0])) {
    return true;
  }
  const char *text = fields[field].text(v, number);
  for (size_t i = 0; i < words->count; i++) {
    if (same_value(text, words->at[i])) {
      return true;
    }
  }
  return false;
}

static status unknown_word(const struct results_file *f, const char *path, int field,
                           const char *word, struct error *err) {
  const char **names;
  char(*numbers)[16];
  TRY(mem_alloc(&names, f->variant_count, sizeof(char *), err));
  status st = mem_alloc(&numbers, f->variant_count, sizeof *numbers, err);
  if (st == STATUS_OK) {
    for (size_t v = 0; v < f->variant_count; v++) {
      names[v] = fields[field].text(&f->variants[v], numbers[v]);
    }
    int near = str_nearest(word, names, f->variant_count);
    const char *option = fields[field].option;
    st = near >= 0 && *names[near]
             ? err_set(err, STATUS_INPUT, "%s: '%s' is not in %s (did you mean %s?)", option, word,
                       path, names[near])
             : err_set(err, STATUS_INPUT, "%s: '%s' is not in %s", option, word, path);
    free(numbers);
  }
  free((void *)names);
  return st;
}

static status check_words(const struct results_file *f, const char *path, int field,
                          const struct word_list *words, struct error *err) {
  for (size_t i = 0; i < words->count; i++) {
    const struct word_list one = {.at = &words->at[i], .count = 1};
    bool known = false;
    for (size_t v = 0; v < f->variant_count && !known; v++) {
      const struct results_variant *r = &f->variants[v];
      known = (!fields[field].of_calibration || r->calibration[0]) && meets(r, field, &one);
    }
    if (!known) {
      return unknown_word(f, path, field, words->at[i], err);
    }
  }
  return STATUS_OK;
}

static bool wanted_model(const struct results_file *f, const bool *keep, const char *model) {
  for (size_t v = 0; v < f->variant_count; v++) {
    if (keep[v] && strcmp(f->variants[v].model, model) == 0) {
      return true;
    }
  }
  return false;
}

status design_choose(const struct results_file *f, const char *path, const struct design_query *q,
                     bool *keep, struct error *err) {
  for (int i = 0; i < FIELDS; i++) {
    TRY(check_words(f, path, i, list_of(q, i), err));
  }
  bool any = false;
  for (size_t v = 0; v < f->variant_count; v++) {
    keep[v] = !is_dense(&f->variants[v]);
    for (int i = 0; keep[v] && i < FIELDS; i++) {
      keep[v] = meets(&f->variants[v], i, list_of(q, i));
    }
    any |= keep[v];
  }
  if (!any) {
    return err_at(err, STATUS_INPUT, path, 0, "no pruned model is left to compare");
  }
  for (size_t v = 0; v < f->variant_count; v++) {
    if (is_dense(&f->variants[v])) {
      keep[v] = wanted_model(f, keep, f->variants[v].model);
    }
  }
  return STATUS_OK;
}
