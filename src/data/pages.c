#include "data/pages.h"

#include <string.h>

#include "base/mem.h"

/* The page that is being put together. */
struct page {
  struct str text;
  long line; /* its first; 0: none has begun */
};

/* Ends the page and adds it to the documents, which have room. */
static status page_end(struct page *p, struct jsonl *out, struct error *err) {
  if (p->line == 0) {
    return STATUS_OK;
  }
  cJSON *json = cJSON_CreateObject();
  if (!json || !cJSON_AddStringToObject(json, "text", p->text.at)) {
    cJSON_Delete(json);
    return err_set(err, STATUS_MEMORY, "out of memory");
  }
  out->at[out->count++] = (struct jsonl_line){json, p->line};
  p->text.count = 0;
  return STATUS_OK;
}

static status page_add(struct page *p, const struct pages *pages, const struct scope *s,
                       struct jsonl *out, struct error *err) {
  struct value starts;
  char *text;
  TRY(template_value(pages->starts, s, &starts, err));
  bool first = value_truth(&starts);
  if (first) {
    TRY(page_end(p, out, err));
    p->line = s->line;
  } else if (p->line == 0) {
    return STATUS_OK;
  }
  TRY(template_render(pages->line, s, &text, err));
  TRY(str_addf(&p->text, err, "%s%s", first ? "" : pages->join, text));
  return STATUS_OK;
}

status pages_make(struct jsonl *out, const struct pages *pages, const struct jsonl *lines,
                  struct error *err) {
  struct jsonl made = {0};
  struct page page = {0};
  struct arena *arena = NULL;
  status st;
  TRY_GOTO(st, done, arena_create(&arena, err));
  TRY_GOTO(st, done, mem_dup(&made.path, lines->path, strlen(lines->path), err));
  TRY_GOTO(st, done, mem_alloc(&made.at, lines->count, sizeof *made.at, err));
  for (size_t i = 0; i < lines->count; i++) {
    const struct jsonl_line *at = &lines->at[i];
    struct scope s = {lines->path, at->line, at->json, NULL, 0, arena};
    TRY_GOTO(st, done, page_add(&page, pages, &s, &made, err));
  }
  TRY_GOTO(st, done, page_end(&page, &made, err));
  if (made.count == 0) {
    const struct origin *origin = template_origin(pages->starts);
    st = err_at(err, STATUS_INPUT, lines->path, 0, "no line begins a document by %s:%ld",
                origin->file, origin->line);
  }
done:
  arena_free(arena);
  str_free(&page.text);
  if (st != STATUS_OK) {
    jsonl_close(&made);
    return st;
  }
  *out = made;
  return STATUS_OK;
}
