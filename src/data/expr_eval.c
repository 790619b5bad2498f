#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/expr_tree.h"
#include "data/text.h"

status scope_fail(const struct scope *s, const struct origin *origin, struct error *err,
                  const char *format, ...) {
  char what[600];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return err_at(err, STATUS_INPUT, s->file, s->line, "%s, for %s:%ld", what, origin->file,
                origin->line);
}

/* "id, question, answer": the names a document has. */
static void list_keys(const cJSON *map, char *out, size_t size) {
  size_t n = 0;
  out[0] = '\0';
  for (const cJSON *item = map->child; item && n < size; item = item->next) {
    int wrote = snprintf(out + n, size - n, "%s%s", n ? ", " : "", item->string);
    n += wrote > 0 ? (size_t)wrote : 0;
  }
}

static status member(const struct expr *e, const struct scope *s, const cJSON *map,
                     struct value *out, struct error *err) {
  const cJSON *found = cJSON_GetObjectItemCaseSensitive(map, e->name);
  if (!found) {
    char keys[300];
    list_keys(map, keys, sizeof keys);
    return scope_fail(s, &e->origin, err, "no field '%s' (there are: %s)", e->name, keys);
  }
  return value_from_json(out, found, s->arena, err);
}

static status eval_name(const struct expr *e, const struct scope *s, struct value *out,
                        struct error *err) {
  for (size_t i = 0; i < s->binding_count; i++) {
    if (strcmp(s->bindings[i].name, e->name) == 0) {
      *out = s->bindings[i].value;
      return STATUS_OK;
    }
  }
  return member(e, s, s->doc, out, err);
}

static size_t length(const struct value *v) {
  return v->kind == VALUE_LIST ? v->count : text_points(v->text, v->bytes);
}

static struct value part(const struct value *v, size_t first, size_t last) {
  if (v->kind == VALUE_LIST) {
    return (struct value){.kind = VALUE_LIST, .items = v->items + first, .count = last - first};
  }
  size_t from = text_offset(v->text, v->bytes, first), to = text_offset(v->text, v->bytes, last);
  return value_text(v->text + from, to - from);
}

static status check_sequence(const struct expr *e, const struct scope *s, const struct value *v,
                             struct error *err) {
  if (v->kind != VALUE_LIST && v->kind != VALUE_TEXT) {
    return scope_fail(s, &e->origin, err, "%s in front of [ ] (expected a list or a text)",
                      value_kind_name(v->kind));
  }
  return STATUS_OK;
}

enum { INDEX_MOST = 1 << 30 };

static status eval_index(const struct expr *e, const struct scope *s, struct value *out,
                         struct error *err) {
  struct value v = {0}, index = {0};
  TRY(expr_eval(e->args[0], s, &v, err));
  TRY(expr_eval(e->args[1], s, &index, err));
  if (v.kind == VALUE_MAP && index.kind == VALUE_TEXT) {
    struct expr named = {.op = EXPR_MEMBER, .origin = e->origin};
    char *name;
    TRY(arena_dup(s->arena, &name, index.text, index.bytes, err));
    named.name = name;
    return member(&named, s, v.map, out, err);
  }
  TRY(check_sequence(e, s, &v, err));
  long i, n = (long)length(&v);
  if (!value_whole(&index, -INDEX_MOST, INDEX_MOST, &i)) {
    return scope_fail(s, &e->origin, err, "%s as an index (expected a whole number)",
                      value_kind_name(index.kind));
  }
  if (i < -n || i >= n) {
    return scope_fail(s, &e->origin, err, "index %ld of %ld items", i, n);
  }
  i += i < 0 ? n : 0;
  if (v.kind == VALUE_LIST) {
    *out = v.items[i];
  } else {
    *out = part(&v, (size_t)i, (size_t)i + 1);
  }
  return STATUS_OK;
}

/* A slice's bound as Python clamps it. */
static status bound(const struct expr *e, const struct expr *arg, const struct scope *s, size_t n,
                    size_t otherwise, size_t *out, struct error *err) {
  if (!arg) {
    *out = otherwise;
    return STATUS_OK;
  }
  struct value v = {0};
  long i;
  TRY(expr_eval(arg, s, &v, err));
  if (!value_whole(&v, -INDEX_MOST, INDEX_MOST, &i)) {
    return scope_fail(s, &e->origin, err, "%s as the bound of a slice (expected a whole number)",
                      value_kind_name(v.kind));
  }
  i += i < 0 ? (long)n : 0;
  *out = i < 0 ? 0 : (size_t)i > n ? n : (size_t)i;
  return STATUS_OK;
}

static status eval_slice(const struct expr *e, const struct scope *s, struct value *out,
                         struct error *err) {
  struct value v = {0};
  size_t first = 0, last = 0;
  TRY(expr_eval(e->args[0], s, &v, err));
  TRY(check_sequence(e, s, &v, err));
  size_t n = length(&v);
  TRY(bound(e, e->args[1], s, n, 0, &first, err));
  TRY(bound(e, e->args[2], s, n, n, &last, err));
  *out = part(&v, first, last < first ? first : last);
  return STATUS_OK;
}

static status eval_list(const struct expr *e, const struct scope *s, struct value *out,
                        struct error *err) {
  struct value *items;
  TRY(arena_alloc(s->arena, &items, e->count * sizeof *items, err));
  for (size_t i = 0; i < e->count; i++) {
    TRY(expr_eval(e->args[i], s, &items[i], err));
  }
  *out = (struct value){.kind = VALUE_LIST, .items = items, .count = e->count};
  return STATUS_OK;
}

static status eval_filter(const struct expr *e, const struct scope *s, struct value *out,
                          struct error *err) {
  struct value in[FILTER_ARGS + 1];
  for (size_t i = 0; i < e->count; i++) {
    TRY(expr_eval(e->args[i], s, &in[i], err));
  }
  const char *why = NULL;
  status st = e->filter->apply(in, e->count, s->arena, out, &why, err);
  if (why) {
    return scope_fail(s, &e->origin, err, "filter '%s' met %s (expected %s)", e->filter->name,
                      value_kind_name(in[0].kind), why);
  }
  return st;
}

static status joined(const struct expr *e, const struct scope *s, const struct value *a,
                     const struct value *b, struct value *out, struct error *err) {
  struct str text = {0};
  status st = value_append(a, &text, err);
  const struct value *wrong = st == STATUS_INPUT ? a : b;
  if (st == STATUS_OK) {
    st = value_append(b, &text, err);
  }
  char *copy = NULL;
  if (st == STATUS_OK) {
    st = arena_dup(s->arena, &copy, text.at, text.count, err);
  } else if (st == STATUS_INPUT) {
    st = scope_fail(s, &e->origin, err, "%s to join (expected a text or a number)",
                    value_kind_name(wrong->kind));
  }
  if (st == STATUS_OK) {
    *out = value_text(copy, text.count);
  }
  str_free(&text);
  return st;
}

static status arithmetic(const struct expr *e, const struct scope *s, const struct value *a,
                         const struct value *b, struct value *out, struct error *err) {
  if (e->op == EXPR_ADD && a->kind == VALUE_TEXT && b->kind == VALUE_TEXT) {
    return joined(e, s, a, b, out, err);
  }
  if (a->kind != VALUE_NUMBER || b->kind != VALUE_NUMBER) {
    return scope_fail(s, &e->origin, err, "%s %s %s (expected two numbers)",
                      value_kind_name(a->kind), e->op == EXPR_ADD ? "+" : "-",
                      value_kind_name(b->kind));
  }
  *out = value_number(e->op == EXPR_ADD ? a->number + b->number : a->number - b->number);
  return STATUS_OK;
}

static status ordered(const struct expr *e, const struct scope *s, const struct value *a,
                      const struct value *b, struct value *out, struct error *err) {
  if (a->kind != VALUE_NUMBER || b->kind != VALUE_NUMBER) {
    return scope_fail(s, &e->origin, err, "%s and %s cannot be ordered (expected two numbers)",
                      value_kind_name(a->kind), value_kind_name(b->kind));
  }
  double d = a->number - b->number;
  *out = value_bool(e->op == EXPR_LESS         ? d < 0
                    : e->op == EXPR_LESS_EQUAL ? d <= 0
                    : e->op == EXPR_MORE       ? d > 0
                                               : d >= 0);
  return STATUS_OK;
}

static status contains(const struct expr *e, const struct scope *s, const struct value *a,
                       const struct value *b, struct value *out, struct error *err) {
  bool found = false;
  if (b->kind == VALUE_LIST) {
    for (size_t i = 0; i < b->count && !found; i++) {
      found = value_equal(a, &b->items[i]);
    }
  } else if (b->kind == VALUE_TEXT && a->kind == VALUE_TEXT) {
    found = a->bytes == 0 || memmem(b->text, b->bytes, a->text, a->bytes) != NULL;
  } else {
    return scope_fail(s, &e->origin, err, "%s in %s (expected a list, or two texts)",
                      value_kind_name(a->kind), value_kind_name(b->kind));
  }
  *out = value_bool(found == (e->op == EXPR_IN));
  return STATUS_OK;
}

static status eval_binary(const struct expr *e, const struct scope *s, struct value *out,
                          struct error *err) {
  struct value a = {0}, b = {0};
  TRY(expr_eval(e->args[0], s, &a, err));
  TRY(expr_eval(e->args[1], s, &b, err));
  switch (e->op) {
  case EXPR_ADD:
  case EXPR_SUBTRACT:
    return arithmetic(e, s, &a, &b, out, err);
  case EXPR_JOIN:
    return joined(e, s, &a, &b, out, err);
  case EXPR_EQUAL:
  case EXPR_UNEQUAL:
    *out = value_bool(value_equal(&a, &b) == (e->op == EXPR_EQUAL));
    return STATUS_OK;
  case EXPR_IN:
  case EXPR_NOT_IN:
    return contains(e, s, &a, &b, out, err);
  default:
    return ordered(e, s, &a, &b, out, err);
  }
}

/* and, or, not and the inline if: as in Python, the branch not taken is not evaluated. */
static status eval_logic(const struct expr *e, const struct scope *s, struct value *out,
                         struct error *err) {
  struct value v = {0};
  TRY(expr_eval(e->args[e->op == EXPR_CHOOSE], s, &v, err));
  bool truth = value_truth(&v);
  if (e->op == EXPR_NOT) {
    *out = value_bool(!truth);
    return STATUS_OK;
  }
  if (e->op == EXPR_CHOOSE) {
    return expr_eval(e->args[truth ? 0 : 2], s, out, err);
  }
  if (truth == (e->op == EXPR_OR)) {
    *out = v;
    return STATUS_OK;
  }
  return expr_eval(e->args[1], s, out, err);
}

status expr_eval(const struct expr *e, const struct scope *s, struct value *out,
                 struct error *err) {
  struct value v = {0};
  switch (e->op) {
  case EXPR_CONSTANT:
    *out = e->constant;
    return STATUS_OK;
  case EXPR_NAME:
    return eval_name(e, s, out, err);
  case EXPR_MEMBER:
    TRY(expr_eval(e->args[0], s, &v, err));
    if (v.kind != VALUE_MAP) {
      return scope_fail(s, &e->origin, err, "%s in front of .%s (expected an object)",
                        value_kind_name(v.kind), e->name);
    }
    return member(e, s, v.map, out, err);
  case EXPR_INDEX:
    return eval_index(e, s, out, err);
  case EXPR_SLICE:
    return eval_slice(e, s, out, err);
  case EXPR_LIST:
    return eval_list(e, s, out, err);
  case EXPR_FILTER:
    return eval_filter(e, s, out, err);
  case EXPR_NEGATE:
    TRY(expr_eval(e->args[0], s, &v, err));
    if (v.kind != VALUE_NUMBER) {
      return scope_fail(s, &e->origin, err, "- in front of %s (expected a number)",
                        value_kind_name(v.kind));
    }
    *out = value_number(-v.number);
    return STATUS_OK;
  case EXPR_NOT:
  case EXPR_AND:
  case EXPR_OR:
  case EXPR_CHOOSE:
    return eval_logic(e, s, out, err);
  default:
    return eval_binary(e, s, out, err);
  }
}
