#include "data/pages.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A scope over a document with the task's derived fields in it, each made from those before. */
static status scope_make(const struct task *t, const char *file, const struct jsonl_line *line,
                         struct arena *arena, struct scope *out, struct error *err) {
  struct binding *bindings;
  TRY(arena_alloc(arena, &bindings, t->field_count * sizeof *bindings, err));
  struct scope s = {file, line->line, line->json, bindings, 0, arena};
  for (size_t i = 0; i < t->field_count; i++) {
    bindings[i].name = t->fields[i].name;
    TRY(template_value(t->fields[i].template, &s, &bindings[i].value, err));
    s.binding_count++;
  }
  *out = s;
  return STATUS_OK;
}

static status keep_matching(struct documents *d, const struct task *t, const struct jsonl *all,
                            struct error *err) {
  struct arena *arena;
  TRY(arena_create(&arena, err));
  status st = STATUS_OK;
  for (size_t i = 0; i < all->count && st == STATUS_OK; i++) {
    struct value keep = value_bool(true);
    if (t->where) {
      struct scope s;
      st = scope_make(t, d->file.path, &all->at[i], arena, &s, err);
      st = st == STATUS_OK ? template_value(t->where, &s, &keep, err) : st;
    }
    if (st == STATUS_OK && value_truth(&keep)) {
      d->at[d->count++] = all->at[i];
    }
  }
  arena_free(arena);
  if (st == STATUS_OK && d->count == 0) {
    return err_at(err, STATUS_INPUT, d->file.path, 0, "no line passes 'where' of %s:%ld",
                  template_origin(t->where)->file, template_origin(t->where)->line);
  }
  return st;
}

status documents_open(struct documents *out, const struct task *t, const char *path, size_t limit,
                      struct error *err) {
  struct documents d = {0};
  bool pages = t->pages.starts;
  TRY(jsonl_open(&d.file, path, t->where || pages ? 0 : limit, err));
  const struct jsonl *all = pages ? &d.pages : &d.file;
  status st = pages ? pages_make(&d.pages, &t->pages, &d.file, err) : STATUS_OK;
  if (st == STATUS_OK) {
    st = mem_alloc(&d.at, all->count, sizeof *d.at, err);
  }
  if (st == STATUS_OK) {
    st = keep_matching(&d, t, all, err);
  }
  if (st != STATUS_OK) {
    documents_close(&d);
    return st;
  }
  *out = d;
  return STATUS_OK;
}

void documents_close(struct documents *d) {
  free(d->at);
  jsonl_close(&d->pages);
  jsonl_close(&d->file);
  *d = (struct documents){0};
}

/* A value as a text of its own. */
static status text_of(const struct template *t, const struct scope *s, const struct value *v,
                      char **out, struct error *err) {
  struct str text = {0};
  status st = value_append(v, &text, err);
  if (st == STATUS_INPUT) {
    st = scope_fail(s, template_origin(t), err, "%s (expected a text)", value_kind_name(v->kind));
  } else if (st == STATUS_OK) {
    st = arena_dup(s->arena, out, text.at, text.count, err);
  }
  str_free(&text);
  return st;
}

/* Renders a list of templates, or the list that one template's value is. */
static status render_texts(const struct texts *texts, const struct scope *s, char ***out,
                           size_t *count, struct error *err) {
  const struct template *t = texts->at[0];
  struct value list = {0};
  if (!texts->is_list) {
    TRY(template_value(t, s, &list, err));
  }
  bool from_value = !texts->is_list && list.kind == VALUE_LIST;
  *count = from_value ? list.count : texts->count;
  TRY(arena_alloc(s->arena, out, *count * sizeof **out, err));
  for (size_t i = 0; i < *count; i++) {
    if (texts->is_list) {
      TRY(template_render(texts->at[i], s, &(*out)[i], err));
    } else {
      TRY(text_of(t, s, from_value ? &list.items[i] : &list, &(*out)[i], err));
    }
  }
  return STATUS_OK;
}

static status find_gold(const struct task *t, const struct scope *s, struct rendered *r,
                        struct error *err) {
  struct value v = {0};
  long index;
  const struct origin *origin = template_origin(t->label);
  TRY(template_value(t->label, s, &v, err));
  if (value_whole(&v, 0, (long)r->choices - 1, &index)) {
    r->gold = (int)index;
    return STATUS_OK;
  }
  if (v.kind == VALUE_NUMBER) {
    return scope_fail(s, origin, err, "label %g is out of range (expected 0 to %zu)", v.number,
                      r->choices - 1);
  }
  if (v.kind != VALUE_TEXT) {
    return scope_fail(s, origin, err, "label is %s (expected a number or a choice's text)",
                      value_kind_name(v.kind));
  }
  for (size_t i = 0; i < r->choices; i++) {
    if (strlen(r->answers[i]) == v.bytes && memcmp(r->answers[i], v.text, v.bytes) == 0) {
      r->gold = (int)i;
      return STATUS_OK;
    }
  }
  return scope_fail(s, origin, err, "label '%.*s' is not among the %zu choices ('%s', ...)",
                    (int)(v.bytes < 80 ? v.bytes : 80), v.text, r->choices, r->answers[0]);
}

/* Brings contexts and answers to one length: a list of one is shared by all. */
static status pair_up(const struct task *t, const struct scope *s, struct rendered *r,
                      char **contexts, size_t context_count, char **answers, size_t answer_count,
                      struct error *err) {
  size_t n = context_count > answer_count ? context_count : answer_count;
  if ((context_count != n && context_count != 1) || (answer_count != n && answer_count != 1)) {
    return scope_fail(s, template_origin(t->context.at[0]), err,
                      "%zu contexts and %zu choices (expected equal numbers, or one of either)",
                      context_count, answer_count);
  }
  r->choices = n;
  TRY(arena_alloc(s->arena, &r->contexts, n * sizeof *r->contexts, err));
  TRY(arena_alloc(s->arena, &r->answers, n * sizeof *r->answers, err));
  for (size_t i = 0; i < n; i++) {
    r->contexts[i] = contexts[context_count == 1 ? 0 : i];
    r->answers[i] = answers[answer_count == 1 ? 0 : i];
    if (r->answers[i][0] == '\0') {
      return scope_fail(s, template_origin((t->target ? t->target : t->choices.at[0])), err,
                        "choice %zu is empty", i + 1);
    }
  }
  return STATUS_OK;
}

static status render_choices(const struct task *t, const struct scope *s, struct rendered *r,
                             struct error *err) {
  char **contexts, **answers, *target;
  size_t context_count, answer_count = 1;
  TRY(render_texts(&t->context, s, &contexts, &context_count, err));
  if (t->target) {
    TRY(template_render(t->target, s, &target, err));
    answers = &target;
  } else {
    TRY(render_texts(&t->choices, s, &answers, &answer_count, err));
  }
  if (context_count == 0 || answer_count == 0) {
    return scope_fail(s, template_origin(t->context.at[0]), err, "no %s",
                      context_count ? "choices" : "contexts");
  }
  TRY(pair_up(t, s, r, contexts, context_count, answers, answer_count, err));
  return t->label ? find_gold(t, s, r, err) : STATUS_OK;
}

status render_document(const struct task *t, const char *file, const struct jsonl_line *line,
                       struct arena *arena, struct rendered *out, struct error *err) {
  struct scope s;
  *out = (struct rendered){0};
  TRY(scope_make(t, file, line, arena, &s, err));
  if (t->text) {
    TRY(template_render(t->text, &s, &out->text, err));
    out->counted = out->text;
    return t->counted ? template_render(t->counted, &s, &out->counted, err) : STATUS_OK;
  }
  return render_choices(t, &s, out, err);
}

status render_description(const struct task *t, const char *file, const struct jsonl_line *line,
                          struct arena *arena, char **out, struct error *err) {
  struct scope s;
  if (!t->description) {
    return arena_dup(arena, out, "", 0, err);
  }
  TRY(scope_make(t, file, line, arena, &s, err));
  return template_render(t->description, &s, out, err);
}
