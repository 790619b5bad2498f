#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/expr_tree.h"

/* Deeper nesting than any template needs, and shallow enough for any stack. */
enum { DEEPEST = 64, MOST_NODES = 500, MOST_ARGS = 64 };

status cursor_fail(const struct cursor *c, struct error *err, const char *format, ...) {
  char what[512];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return err_at(err, STATUS_INPUT, c->origin.file, c->origin.line, "%s, near '%.24s' of '%.80s'",
                what, c->at, c->start);
}

void cursor_skip(struct cursor *c) {
  while (isspace((unsigned char)*c->at)) {
    c->at++;
  }
}

static bool is_name_start(char ch) {
  return isalpha((unsigned char)ch) || ch == '_';
}

static bool is_name(char ch) {
  return isalnum((unsigned char)ch) || ch == '_';
}

/* Takes the operator when it comes next. */
static bool take(struct cursor *c, const char *text) {
  cursor_skip(c);
  size_t n = strlen(text);
  if (strncmp(c->at, text, n) != 0 || (is_name_start(*text) && is_name(c->at[n]))) {
    return false;
  }
  c->at += n;
  return true;
}

static status expect(struct cursor *c, const char *text, struct error *err) {
  return take(c, text) ? STATUS_OK : cursor_fail(c, err, "'%s' expected", text);
}

static status node(struct expr **out, struct cursor *c, enum expr_op op, size_t count,
                   struct expr *const *args, struct error *err) {
  struct expr *e;
  if (++c->nodes > MOST_NODES) {
    return cursor_fail(c, err, "more than %d names and operators", (int)MOST_NODES);
  }
  TRY(arena_alloc(c->arena, &e, sizeof *e + count * sizeof(struct expr *), err));
  e->op = op;
  e->origin = c->origin;
  e->count = count;
  for (size_t i = 0; i < count; i++) {
    e->args[i] = args[i];
  }
  *out = e;
  return STATUS_OK;
}

static status binary(struct expr **left, struct cursor *c, enum expr_op op, struct expr *right,
                     struct error *err) {
  struct expr *args[] = {*left, right};
  return node(left, c, op, 2, args, err);
}

static status constant(struct expr **out, struct cursor *c, struct value v, struct error *err) {
  TRY(node(out, c, EXPR_CONSTANT, 0, NULL, err));
  (*out)->constant = v;
  return STATUS_OK;
}

static status name_take(struct cursor *c, const char **at, size_t *n, struct error *err) {
  cursor_skip(c);
  if (!is_name_start(*c->at)) {
    return cursor_fail(c, err, "a name expected");
  }
  *at = c->at;
  while (is_name(*c->at)) {
    c->at++;
  }
  *n = (size_t)(c->at - *at);
  return STATUS_OK;
}

static status parse_text(struct expr **out, struct cursor *c, struct error *err) {
  char quote = *c->at++;
  char *text;
  TRY(arena_dup(c->arena, &text, c->at, strlen(c->at), err));
  size_t n = 0;
  while (*c->at != quote) {
    if (!*c->at) {
      return cursor_fail(c, err, "a text without its closing %c", quote);
    }
    char ch = *c->at++;
    if (ch == '\\') {
      static const char letters[] = "nrt\\'\"", meant[] = "\n\r\t\\'\"";
      const char *found = *c->at ? strchr(letters, *c->at) : NULL;
      if (!found) {
        return cursor_fail(c, err, "an escape other than \\n \\r \\t \\\\ \\' \\\"");
      }
      ch = meant[found - letters];
      c->at++;
    }
    text[n++] = ch;
  }
  c->at++;
  return constant(out, c, value_text(text, n), err);
}

/* Items up to `close`, into args; *count so far. */
static status parse_items(struct expr **args, size_t *count, struct cursor *c, const char *close,
                          struct error *err) {
  if (take(c, close)) {
    return STATUS_OK;
  }
  do {
    if (*count == MOST_ARGS) {
      return cursor_fail(c, err, "more than %d items", (int)MOST_ARGS);
    }
    TRY(expr_parse(&args[*count], c, err));
    ++*count;
  } while (take(c, ","));
  return expect(c, close, err);
}

static status parse_primary(struct expr **out, struct cursor *c, struct error *err) {
  cursor_skip(c);
  if (*c->at == '"' || *c->at == '\'') {
    return parse_text(out, c, err);
  }
  if (isdigit((unsigned char)*c->at)) {
    char *end;
    double number = strtod(c->at, &end);
    c->at = end;
    return constant(out, c, value_number(number), err);
  }
  if (take(c, "(")) {
    TRY(expr_parse(out, c, err));
    return expect(c, ")", err);
  }
  if (take(c, "[")) {
    struct expr *args[MOST_ARGS] = {0};
    size_t count = 0;
    TRY(parse_items(args, &count, c, "]", err));
    return node(out, c, EXPR_LIST, count, args, err);
  }
  bool yes = take(c, "true") || take(c, "True");
  if (yes || take(c, "false") || take(c, "False")) {
    return constant(out, c, value_bool(yes), err);
  }
  const char *at = NULL;
  size_t n = 0;
  char *name;
  TRY(name_take(c, &at, &n, err));
  TRY(arena_dup(c->arena, &name, at, n, err));
  TRY(node(out, c, EXPR_NAME, 0, NULL, err));
  (*out)->name = name;
  return STATUS_OK;
}

/* What stands in square brackets behind *out. */
static status parse_bracket(struct expr **out, struct cursor *c, struct error *err) {
  struct expr *first = NULL, *last = NULL;
  cursor_skip(c);
  if (*c->at != ':') {
    TRY(expr_parse(&first, c, err));
  }
  if (!take(c, ":")) {
    TRY(binary(out, c, EXPR_INDEX, first, err));
    return expect(c, "]", err);
  }
  cursor_skip(c);
  if (*c->at != ']') {
    TRY(expr_parse(&last, c, err));
  }
  struct expr *args[] = {*out, first, last};
  TRY(node(out, c, EXPR_SLICE, 3, args, err));
  return expect(c, "]", err);
}

static status parse_postfix(struct expr **out, struct cursor *c, struct error *err) {
  TRY(parse_primary(out, c, err));
  for (;;) {
    if (take(c, ".")) {
      const char *at = NULL;
      size_t n = 0;
      char *name;
      TRY(name_take(c, &at, &n, err));
      TRY(arena_dup(c->arena, &name, at, n, err));
      TRY(node(out, c, EXPR_MEMBER, 1, out, err));
      (*out)->name = name;
    } else if (take(c, "[")) {
      TRY(parse_bracket(out, c, err));
    } else {
      return STATUS_OK;
    }
  }
}

static status parse_filter(struct expr **out, struct cursor *c, struct error *err) {
  const char *at = NULL, *nearest = NULL;
  size_t n = 0;
  TRY(name_take(c, &at, &n, err));
  const struct filter *filter = filter_find(at, n, &nearest);
  if (!filter) {
    return nearest ? cursor_fail(c, err, "unknown filter '%.*s' (did you mean '%s'?)", (int)n, at,
                                 nearest)
                   : cursor_fail(c, err, "unknown filter '%.*s'", (int)n, at);
  }
  struct expr *args[MOST_ARGS] = {0};
  args[0] = *out;
  size_t count = 1;
  if (take(c, "(")) {
    TRY(parse_items(args, &count, c, ")", err));
  }
  int given = (int)count - 1;
  if (given < filter->least || given > filter->most) {
    return cursor_fail(c, err, "filter '%s' takes %d to %d arguments, not %d", filter->name,
                       filter->least, filter->most, given);
  }
  TRY(node(out, c, EXPR_FILTER, count, args, err));
  (*out)->filter = filter;
  return STATUS_OK;
}

static status parse_unary(struct expr **out, struct cursor *c, struct error *err) {
  if (++c->depth > DEEPEST) {
    return cursor_fail(c, err, "nested deeper than %d", (int)DEEPEST);
  }
  if (take(c, "-")) {
    TRY(parse_unary(out, c, err));
    TRY(node(out, c, EXPR_NEGATE, 1, out, err));
  } else {
    TRY(parse_postfix(out, c, err));
    while (take(c, "|")) {
      TRY(parse_filter(out, c, err));
    }
  }
  c->depth--;
  return STATUS_OK;
}

static status parse_join(struct expr **out, struct cursor *c, struct error *err) {
  TRY(parse_unary(out, c, err));
  while (take(c, "~")) {
    struct expr *right = NULL;
    TRY(parse_unary(&right, c, err));
    TRY(binary(out, c, EXPR_JOIN, right, err));
  }
  return STATUS_OK;
}

static status parse_sum(struct expr **out, struct cursor *c, struct error *err) {
  TRY(parse_join(out, c, err));
  for (;;) {
    cursor_skip(c);
    if (strncmp(c->at, "-}}", 3) == 0 || strncmp(c->at, "-%}", 3) == 0) {
      return STATUS_OK;
    }
    bool plus = take(c, "+");
    if (!plus && !take(c, "-")) {
      return STATUS_OK;
    }
    struct expr *right = NULL;
    TRY(parse_join(&right, c, err));
    TRY(binary(out, c, plus ? EXPR_ADD : EXPR_SUBTRACT, right, err));
  }
}

static status parse_comparison(struct expr **out, struct cursor *c, struct error *err) {
  static const struct {
    const char *text;
    enum expr_op op;
  } operators[] = {
      {"==", EXPR_EQUAL}, {"!=", EXPR_UNEQUAL}, {"<=", EXPR_LESS_EQUAL}, {">=", EXPR_MORE_EQUAL},
      {"<", EXPR_LESS},   {">", EXPR_MORE},     {"in", EXPR_IN},
  };
  TRY(parse_sum(out, c, err));
  struct expr *right = NULL;
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    if (take(c, operators[i].text)) {
      TRY(parse_sum(&right, c, err));
      return binary(out, c, operators[i].op, right, err);
    }
  }
  if (take(c, "not")) {
    TRY(expect(c, "in", err));
    TRY(parse_sum(&right, c, err));
    return binary(out, c, EXPR_NOT_IN, right, err);
  }
  return STATUS_OK;
}

static status parse_not(struct expr **out, struct cursor *c, struct error *err) {
  size_t count = 0;
  while (take(c, "not")) {
    count++;
  }
  TRY(parse_comparison(out, c, err));
  for (; count; count--) {
    TRY(node(out, c, EXPR_NOT, 1, out, err));
  }
  return STATUS_OK;
}

static status parse_and(struct expr **out, struct cursor *c, struct error *err) {
  TRY(parse_not(out, c, err));
  while (take(c, "and")) {
    struct expr *right = NULL;
    TRY(parse_not(&right, c, err));
    TRY(binary(out, c, EXPR_AND, right, err));
  }
  return STATUS_OK;
}

static status parse_or(struct expr **out, struct cursor *c, struct error *err) {
  TRY(parse_and(out, c, err));
  while (take(c, "or")) {
    struct expr *right = NULL;
    TRY(parse_and(&right, c, err));
    TRY(binary(out, c, EXPR_OR, right, err));
  }
  return STATUS_OK;
}

status expr_parse(struct expr **out, struct cursor *c, struct error *err) {
  TRY(parse_or(out, c, err));
  if (take(c, "if")) {
    struct expr *args[3] = {*out};
    TRY(parse_or(&args[1], c, err));
    TRY(expect(c, "else", err));
    TRY(expr_parse(&args[2], c, err));
    TRY(node(out, c, EXPR_CHOOSE, 3, args, err));
  }
  return STATUS_OK;
}
