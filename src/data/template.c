#include "data/template.h"

#include <string.h>

#include "data/text.h"

enum piece_kind { PIECE_TEXT, PIECE_OUTPUT, PIECE_IF };

struct piece {
  enum piece_kind kind;
  struct piece *next;
  const char *text; /* PIECE_TEXT: [bytes] */
  size_t bytes;
  const struct expr *expr;        /* PIECE_OUTPUT, PIECE_IF */
  struct piece *then, *otherwise; /* PIECE_IF */
};

struct template {
  struct origin origin;
  struct piece *first;
};

/* How a run of pieces ended. */
enum stop { STOP_END, STOP_ELIF, STOP_ELSE, STOP_ENDIF };

static const char *const stops[] = {"the end", "elif", "else", "endif"};
enum { DEEPEST_IF = 32 };

struct parser {
  struct cursor c;
  bool strip_next; /* the last tag ended with a dash */
  int depth;
};

static status piece_add(struct parser *p, struct piece ***tail, enum piece_kind kind,
                        struct piece **out, struct error *err) {
  TRY(arena_alloc(p->c.arena, out, sizeof **out, err));
  (*out)->kind = kind;
  **tail = *out;
  *tail = &(*out)->next;
  return STATUS_OK;
}

/* The next tag's opening, or the end of the text. */
static const char *next_tag(const char *at) {
  for (; *at; at++) {
    if (at[0] == '{' && (at[1] == '{' || at[1] == '%' || at[1] == '#')) {
      break;
    }
  }
  return at;
}

static status parse_text(struct parser *p, struct piece ***tail, struct error *err) {
  const char *from = p->c.at, *to = next_tag(from);
  p->c.at = to;
  if (p->strip_next) {
    from += text_space_left(from, (size_t)(to - from));
  }
  if (*to && to[2] == '-') {
    to -= text_space_right(from, (size_t)(to - from));
  }
  p->strip_next = false;
  if (from == to) {
    return STATUS_OK;
  }
  struct piece *piece;
  TRY(piece_add(p, tail, PIECE_TEXT, &piece, err));
  piece->text = from;
  piece->bytes = (size_t)(to - from);
  return STATUS_OK;
}

static status parse_close(struct parser *p, const char *close, struct error *err) {
  cursor_skip(&p->c);
  if (*p->c.at == '-') {
    p->strip_next = true;
    p->c.at++;
  }
  if (strncmp(p->c.at, close, 2) != 0) {
    return cursor_fail(&p->c, err, "'%s' expected", close);
  }
  p->c.at += 2;
  return STATUS_OK;
}

static bool take_word(struct cursor *c, const char *word) {
  size_t n = strlen(word);
  if (strncmp(c->at, word, n) != 0 || (c->at[n] >= 'a' && c->at[n] <= 'z')) {
    return false;
  }
  c->at += n;
  return true;
}

static status parse_pieces(struct parser *p, struct piece **out, enum stop *stop,
                           struct error *err);

/* Behind "if" or "elif": the condition, its branch, and what follows up to endif. */
static status parse_if(struct parser *p, struct piece *piece, struct error *err) {
  enum stop stop;
  struct expr *condition;
  if (++p->depth > DEEPEST_IF) {
    return cursor_fail(&p->c, err, "more than %d branches or levels of if", (int)DEEPEST_IF);
  }
  TRY(expr_parse(&condition, &p->c, err));
  piece->expr = condition;
  TRY(parse_close(p, "%}", err));
  TRY(parse_pieces(p, &piece->then, &stop, err));
  if (stop == STOP_ELIF) {
    struct piece **tail = &piece->otherwise, *nested;
    TRY(piece_add(p, &tail, PIECE_IF, &nested, err));
    TRY(parse_if(p, nested, err));
    p->depth--;
    return STATUS_OK;
  }
  if (stop == STOP_ELSE) {
    TRY(parse_close(p, "%}", err));
    TRY(parse_pieces(p, &piece->otherwise, &stop, err));
  }
  if (stop != STOP_ENDIF) {
    return cursor_fail(&p->c, err, "an if that ends with %s (expected {%% endif %%})", stops[stop]);
  }
  p->depth--;
  return parse_close(p, "%}", err);
}

static status parse_statement(struct parser *p, struct piece ***tail, enum stop *stop,
                              struct error *err) {
  cursor_skip(&p->c);
  if (take_word(&p->c, "if")) {
    struct piece *piece;
    TRY(piece_add(p, tail, PIECE_IF, &piece, err));
    return parse_if(p, piece, err);
  }
  for (enum stop s = STOP_ELIF; s <= STOP_ENDIF; s++) {
    if (take_word(&p->c, stops[s])) {
      *stop = s;
      return STATUS_OK;
    }
  }
  return cursor_fail(&p->c, err, "unknown statement (expected if, elif, else or endif)");
}

static status parse_tag(struct parser *p, struct piece ***tail, enum stop *stop,
                        struct error *err) {
  char kind = p->c.at[1];
  if (kind == '#') {
    const char *end = strstr(p->c.at, "#}");
    if (!end) {
      return cursor_fail(&p->c, err, "a comment without its closing #}");
    }
    p->strip_next = end[-1] == '-';
    p->c.at = end + 2;
    return STATUS_OK;
  }
  p->c.at += p->c.at[2] == '-' ? 3 : 2;
  if (kind == '%') {
    return parse_statement(p, tail, stop, err);
  }
  struct piece *piece;
  struct expr *expr;
  TRY(piece_add(p, tail, PIECE_OUTPUT, &piece, err));
  TRY(expr_parse(&expr, &p->c, err));
  piece->expr = expr;
  return parse_close(p, "}}", err);
}

static status parse_pieces(struct parser *p, struct piece **out, enum stop *stop,
                           struct error *err) {
  struct piece **tail = out;
  *stop = STOP_END;
  while (*p->c.at && *stop == STOP_END) {
    TRY(parse_text(p, &tail, err));
    if (*p->c.at) {
      TRY(parse_tag(p, &tail, stop, err));
    }
  }
  return STATUS_OK;
}

static status start(struct parser *p, struct template **out, struct arena *arena, const char *text,
                    const char *file, long line, struct error *err) {
  char *copy;
  TRY(arena_dup(arena, &copy, text, strlen(text), err));
  *p = (struct parser){.c = {copy, copy, {file, line}, arena, 0, 0}};
  TRY(arena_alloc(arena, out, sizeof **out, err));
  (*out)->origin = p->c.origin;
  return STATUS_OK;
}

status template_parse(struct template **out, struct arena *arena, const char *text,
                      const char *file, long line, struct error *err) {
  struct parser p;
  struct template *t;
  enum stop stop;
  TRY(start(&p, &t, arena, text, file, line, err));
  TRY(parse_pieces(&p, &t->first, &stop, err));
  if (stop != STOP_END) {
    return cursor_fail(&p.c, err, "%s without an if", stops[stop]);
  }
  *out = t;
  return STATUS_OK;
}

status template_parse_value(struct template **out, struct arena *arena, const char *text,
                            const char *file, long line, struct error *err) {
  if (*next_tag(text)) {
    return template_parse(out, arena, text, file, line, err);
  }
  struct parser p;
  struct template *t;
  struct expr *expr;
  TRY(start(&p, &t, arena, text, file, line, err));
  struct piece **tail = &t->first, *piece;
  TRY(piece_add(&p, &tail, PIECE_OUTPUT, &piece, err));
  TRY(expr_parse(&expr, &p.c, err));
  piece->expr = expr;
  cursor_skip(&p.c);
  if (*p.c.at) {
    return cursor_fail(&p.c, err, "text behind the expression");
  }
  *out = t;
  return STATUS_OK;
}

static status render(const struct template *t, const struct piece *piece, const struct scope *s,
                     struct str *out, struct error *err) {
  for (; piece; piece = piece->next) {
    if (piece->kind == PIECE_TEXT) {
      TRY(str_add(out, piece->text, piece->bytes, err));
      continue;
    }
    struct value v;
    TRY(expr_eval(piece->expr, s, &v, err));
    if (piece->kind == PIECE_IF) {
      TRY(render(t, value_truth(&v) ? piece->then : piece->otherwise, s, out, err));
    } else {
      status st = value_append(&v, out, err);
      if (st != STATUS_OK) {
        return st != STATUS_INPUT ? st
                                  : scope_fail(s, &t->origin, err, "%s (expected a text)",
                                               value_kind_name(v.kind));
      }
    }
  }
  return STATUS_OK;
}

status template_render(const struct template *t, const struct scope *s, char **out,
                       struct error *err) {
  struct str text = {0};
  status st = render(t, t->first, s, &text, err);
  if (st == STATUS_OK) {
    st = arena_dup(s->arena, out, text.at, text.count, err);
  }
  str_free(&text);
  return st;
}

bool template_is_value(const struct template *t) {
  return t->first && t->first->kind == PIECE_OUTPUT && !t->first->next;
}

status template_value(const struct template *t, const struct scope *s, struct value *out,
                      struct error *err) {
  if (template_is_value(t)) {
    return expr_eval(t->first->expr, s, out, err);
  }
  char *text;
  TRY(template_render(t, s, &text, err));
  *out = value_text(text, strlen(text));
  return STATUS_OK;
}

const struct origin *template_origin(const struct template *t) {
  return &t->origin;
}
