#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "cli/compare.h"

enum { CONDITIONS_MOST = 24 };

/* FIELD=VALUE; both point into the selector's copy. */
struct condition {
  const char *field, *value;
};
struct conditions {
  struct condition at[CONDITIONS_MOST];
  size_t count;
};

/* Numbers are equal by value ("0.50" and "0.5"), all else by its letters. */
static bool same_value(const char *a, const char *b) {
  char *a_end, *b_end;
  double x = strtod(a, &a_end), y = strtod(b, &b_end);
  if (*a && *b && !*a_end && !*b_end) {
    return x == y;
  }
  return strcmp(a, b) == 0;
}

static bool same_number(const char *text, int value) {
  char number[16];
  (void)snprintf(number, sizeof number, "%d", value);
  return same_value(text, number);
}

static bool parameter_is(const char *json, const char *name, const char *value) {
  cJSON *all = cJSON_Parse(json);
  const cJSON *p = cJSON_GetObjectItemCaseSensitive(all, name);
  char *text = p && !cJSON_IsString(p) ? cJSON_PrintUnformatted(p) : NULL;
  bool same = p && same_value(text ? text : cJSON_GetStringValue(p), value);
  cJSON_free(text);
  cJSON_Delete(all);
  return same;
}

static bool meets(const struct results_variant *v, const struct condition *c) {
  const struct {
    const char *name, *text;
  } texts[] = {{"model", v->model},
               {"method", v->method},
               {"sparsity", v->sparsity},
               {"calibration", v->calibration},
               {"propagate", v->propagate}};
  const struct {
    const char *name;
    int value;
  } numbers[] = {{"samples", v->samples}, {"length", v->length}, {"draw", v->draw}};
  if (strcmp(c->field, "id") == 0) {
    return str_starts(v->id, c->value);
  }
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    if (strcmp(c->field, texts[i].name) == 0) {
      return same_value(texts[i].text, c->value);
    }
  }
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (strcmp(c->field, numbers[i].name) == 0) {
      return v->calibration[0] && same_number(c->value, numbers[i].value);
    }
  }
  return parameter_is(v->parameters, c->field, c->value);
}

static bool is_parameter(const struct results_file *f, const char *name) {
  bool found = false;
  for (size_t i = 0; i < f->variant_count && !found; i++) {
    cJSON *all = cJSON_Parse(f->variants[i].parameters);
    found = cJSON_GetObjectItemCaseSensitive(all, name) != NULL;
    cJSON_Delete(all);
  }
  return found;
}

static status add(struct conditions *to, const char *field, const char *value, const char *selector,
                  struct error *err) {
  if (!*value) {
    return err_set(err, STATUS_INPUT, "'%s': %s has no value", selector, field);
  }
  if (to->count == CONDITIONS_MOST) {
    return err_set(err, STATUS_INPUT, "'%s': more than %d conditions", selector, CONDITIONS_MOST);
  }
  to->at[to->count++] = (struct condition){field, value};
  return STATUS_OK;
}

/* FIELD=VALUE,... */
static status parse_fields(struct conditions *to, char *copy, const struct results_file *f,
                           const char *selector, struct error *err) {
  static const char *const names[] = {"id",      "model",  "method",    "sparsity", "calibration",
                                      "samples", "length", "propagate", "draw"};
  enum { NAMES = sizeof names / sizeof names[0] };
  for (char *rest = copy; rest;) {
    char *value = strsep(&rest, ",");
    const char *field = strsep(&value, "=");
    field += strspn(field, " ");
    if (!value) {
      return err_set(err, STATUS_INPUT, "'%s': '%s' is no FIELD=VALUE", selector, field);
    }
    bool known = is_parameter(f, field);
    for (size_t i = 0; i < NAMES; i++) {
      known |= strcmp(field, names[i]) == 0;
    }
    if (!known) {
      int near = str_nearest(field, names, NAMES);
      return near >= 0 ? err_set(err, STATUS_INPUT, "'%s': unknown field '%s' (did you mean %s?)",
                                 selector, field, names[near])
                       : err_set(err, STATUS_INPUT,
                                 "'%s': unknown field '%s' (expected id, model, method, sparsity, "
                                 "calibration, samples, length, propagate, draw or a parameter)",
                                 selector, field);
    }
    TRY(add(to, field, value, selector, err));
  }
  return STATUS_OK;
}

/* Digits up to the next colon or the end. */
static bool is_digits(const char *text) {
  size_t n = strspn(text, "0123456789");
  return n && (text[n] == ':' || text[n] == '\0');
}

/* METHOD[:SPARSITY[:CALIBRATION[:DRAW]]], where a sparsity of n:m has a colon of its own. */
static status parse_parts(struct conditions *to, char *copy, const char *selector,
                          struct error *err) {
  static const char *const names[] = {"method", "sparsity", "calibration", "draw"};
  size_t part = 0;
  for (char *rest = copy; rest; part++) {
    char *value = strsep(&rest, ":");
    if (part == 1 && is_digits(value) && rest && is_digits(rest)) {
      value[strlen(value)] = ':';
      (void)strsep(&rest, ":");
    }
    if (part >= sizeof names / sizeof names[0]) {
      return err_set(err, STATUS_INPUT,
                     "'%s': too many parts (expected METHOD:SPARSITY:CALIBRATION:DRAW)", selector);
    }
    TRY(add(to, names[part], value, selector, err));
  }
  return STATUS_OK;
}

static status collect(struct selection *out, const struct results_file *f,
                      const struct conditions *all, struct error *err) {
  TRY(mem_alloc(&out->at, f->variant_count, sizeof *out->at, err));
  out->count = 0;
  for (size_t v = 0; v < f->variant_count; v++) {
    bool kept = true;
    for (size_t i = 0; kept && i < all->count; i++) {
      kept = meets(&f->variants[v], &all->at[i]);
    }
    if (kept) {
      out->at[out->count++] = v;
    }
  }
  return STATUS_OK;
}

/* What two variants differ in beside the draw; NULL: nothing. */
static const char *differ(const struct results_variant *x, const struct results_variant *y) {
  if (strcmp(x->model, y->model) != 0) {
    return "model";
  }
  if (strcmp(x->method, y->method) != 0) {
    return "method";
  }
  if (strcmp(x->sparsity, y->sparsity) != 0) {
    return "sparsity";
  }
  if (strcmp(x->parameters, y->parameters) != 0) {
    return "parameters";
  }
  if (strcmp(x->calibration, y->calibration) != 0) {
    return "calibration";
  }
  if (x->samples != y->samples) {
    return "samples";
  }
  return x->length != y->length                    ? "length"
         : strcmp(x->propagate, y->propagate) != 0 ? "propagate"
                                                   : NULL;
}

static status check_one(const struct selection *s, const struct results_file *f, const char *path,
                        const char *selector, struct error *err) {
  if (s->count == 0) {
    return err_set(err, STATUS_INPUT,
                   "'%s' names no variant of %s (expected the beginning of an id, dense, "
                   "METHOD:SPARSITY:CALIBRATION:DRAW or FIELD=VALUE,...)",
                   selector, path);
  }
  for (size_t i = 1; i < s->count; i++) {
    const char *what = differ(&f->variants[s->at[0]], &f->variants[s->at[i]]);
    if (what) {
      return err_set(err, STATUS_INPUT,
                     "'%s' names %zu variants of %s that differ in %s (expected one variant, or "
                     "the draws of one)",
                     selector, s->count, path, what);
    }
  }
  return STATUS_OK;
}

static bool names_method(const struct results_file *f, const char *word) {
  for (size_t v = 0; v < f->variant_count; v++) {
    if (strcmp(f->variants[v].method, word) == 0) {
      return true;
    }
  }
  return false;
}

status select_variants(struct selection *out, const struct results_file *f, const char *path,
                       const char *selector, struct error *err) {
  *out = (struct selection){0};
  struct conditions all = {.count = 0};
  char *copy;
  TRY(mem_dup(&copy, selector, strlen(selector), err));
  status st;
  if (strchr(selector, '=')) {
    st = parse_fields(&all, copy, f, selector, err);
  } else if (!strchr(selector, ':') && !names_method(f, selector)) {
    st = add(&all, "id", copy, "", err);
  } else {
    st = parse_parts(&all, copy, selector, err);
  }
  if (st == STATUS_OK) {
    st = collect(out, f, &all, err);
  }
  if (st == STATUS_OK) {
    st = check_one(out, f, path, selector, err);
  }
  free(copy);
  if (st != STATUS_OK) {
    selection_free(out);
  }
  return st;
}

void selection_free(struct selection *s) {
  free(s->at);
  *s = (struct selection){0};
}
