/* Expressions of the task language, a subset of Jinja's: names of fields, a.b, a[0], a[1:3], texts
 * in quotes, numbers, [lists], == != < <= > >= in, and or not, + - ~ (joins texts), | filters, and
 * `x if condition else y`. Operators bind as in Jinja. Names that a document lacks are refused. */
#ifndef ESPALIER_DATA_EXPR_H
#define ESPALIER_DATA_EXPR_H

#include "data/value.h"

/* A derived field: looked up before the document's own. */
struct binding {
  const char *name;
  struct value value;
};

/* What a template is rendered against. */
struct scope {
  const char *file; /* of the document, for messages */
  long line;
  const cJSON *doc; /* an object */
  const struct binding *bindings;
  size_t binding_count;
  struct arena *arena; /* receives texts and lists */
};

/* Where a template stands: for messages. */
struct origin {
  const char *file;
  long line;
};

/* Reading position in a template's text. */
struct cursor {
  const char *start, *at;
  struct origin origin; /* of start */
  struct arena *arena;
  int depth, nodes;
};

/* "file:line: ... in 'template'" at the cursor. */
status cursor_fail(const struct cursor *c, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void cursor_skip(struct cursor *c); /* white space */

struct expr;

/* Parses the longest expression at the cursor and moves it behind. */
status expr_parse(struct expr **out, struct cursor *c, struct error *err);

/* Refusals name the document's file and line and the template's. */
status expr_eval(const struct expr *e, const struct scope *s, struct value *out, struct error *err);

/* "FILE:LINE: ..." of the document, with the template's place behind. */
status scope_fail(const struct scope *s, const struct origin *origin, struct error *err,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
