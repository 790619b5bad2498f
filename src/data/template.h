/* Templates of task files: text with {{ expressions }}, {% if a %}..{% elif b %}..{% else %}..
 * {% endif %} and {# comments #}, as in Jinja (undefined names are errors, a trailing newline
 * stays, nothing is escaped; a dash inside a tag strips the white space beside it). Parsed once,
 * rendered per document. */
#ifndef ESPALIER_DATA_TEMPLATE_H
#define ESPALIER_DATA_TEMPLATE_H

#include "data/expr.h"

struct template;

/* The template lives in the arena; file must outlive it. Refusals name file and line. */
status template_parse(struct template **out, struct arena *arena, const char *text,
                      const char *file, long line, struct error *err);

/* As template_parse for a place that wants a value: a text without any tag is an expression
 * ("label" is the field of that name). */
status template_parse_value(struct template **out, struct arena *arena, const char *text,
                            const char *file, long line, struct error *err);

/* The text for one document, NUL-terminated, in the scope's arena. */
status template_render(const struct template *t, const struct scope *s, char **out,
                       struct error *err);

/* The value of a template that is one {{ expression }} and nothing else; any other's text. */
status template_value(const struct template *t, const struct scope *s, struct value *out,
                      struct error *err);
bool template_is_value(const struct template *t);

const struct origin *template_origin(const struct template *t);

#endif
