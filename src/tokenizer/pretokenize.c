#include "tokenizer/pretokenize.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/bytelevel.h"
#include "tokenizer/prestep.h"

void pre_work_free(struct pre_work *w) {
  traced_free(&w->pieces.text);
  traced_free(&w->spare.text);
  free(w->pieces.at);
  free(w->spare.at);
  free(w->spans);
  *w = (struct pre_work){0};
}

static bool starts(const char *text, size_t bytes, const char *with) {
  size_t n = strlen(with);
  return bytes >= n && memcmp(text, with, n) == 0;
}

static status metaspace(const struct pre_step *step, const struct traced *in, struct piece p,
                        struct traced *out, struct error *err) {
  const char *text = in->text.at, *sign = step->sign;
  size_t bytes = strlen(sign);
  bool prepends = step->scheme == PREPEND_ALWAYS || (step->scheme == PREPEND_FIRST && p.first);
  if (prepends && text[p.start] != ' ' && !starts(text + p.start, p.end - p.start, sign)) {
    TRY(traced_put(out, in, p.start, 0, sign, bytes, err));
  }
  for (size_t at = p.start; at < p.end;) {
    const char *space = memchr(text + at, ' ', p.end - at);
    size_t n = space ? (size_t)(space - text) - at : p.end - at;
    TRY(traced_copy(out, in, at, n, err));
    TRY(space ? traced_put(out, in, at + n, 1, sign, bytes, err) : STATUS_OK);
    at += n + (space != NULL);
  }
  return STATUS_OK;
}

static status rewrite(const struct pre_step *step, const struct traced *in, struct piece p,
                      struct traced *out, struct error *err) {
  switch (step->kind) {
  case PRE_SPACE:
    TRY(in->text.at[p.start] == ' ' ? STATUS_OK : traced_put(out, in, p.start, 0, " ", 1, err));
    return traced_copy(out, in, p.start, p.end - p.start, err);
  case PRE_BYTES:
    return bytelevel_add(out, in, p.start, p.end - p.start, err);
  case PRE_METASPACE:
    return metaspace(step, in, p, out, err);
  default:
    return err_set(err, STATUS_BUG, "pre-tokeniser %d", (int)step->kind);
  }
}

static status rewrite_all(const struct pre_step *step, struct pre_work *w, struct error *err) {
  struct pieces *in = &w->pieces, *out = &w->spare;
  TRY(traced_start(&out->text, in->text.kept, err));
  TRY(mem_reserve(&out->at, &out->cap, in->count, sizeof *out->at, err));
  for (size_t i = 0; i < in->count; i++) {
    size_t start = out->text.text.count;
    TRY(rewrite(step, &in->text, in->at[i], &out->text, err));
    out->at[out->count++] = (struct piece){start, out->text.text.count, in->at[i].first};
  }
  struct traced swap = in->text;
  in->text = out->text;
  out->text = swap;
  return STATUS_OK;
}

status pretokenizer_apply(const struct pretokenizer *p, const struct traced *text, size_t start,
                          size_t n, bool first, struct pre_work *w, struct scan *scan,
                          struct error *err) {
  w->pieces.count = 0;
  TRY(traced_start(&w->pieces.text, text->kept, err));
  if (n == 0) {
    return STATUS_OK;
  }
  TRY(traced_copy(&w->pieces.text, text, start, n, err));
  TRY(mem_reserve(&w->pieces.at, &w->pieces.cap, 1, sizeof *w->pieces.at, err));
  w->pieces.at[w->pieces.count++] = (struct piece){0, n, first};
  for (size_t i = 0; i < p->count; i++) {
    const struct pre_step *step = &p->steps[i];
    w->spare.count = 0;
    if (step->kind == PRE_SPLIT) {
      for (size_t j = 0; j < w->pieces.count; j++) {
        TRY(split_piece(w, scan, &w->pieces.at[j], &step->pattern, step->behavior, step->invert,
                        err));
      }
    } else {
      TRY(rewrite_all(step, w, err));
    }
    struct piece *at = w->pieces.at;
    size_t cap = w->pieces.cap;
    w->pieces.at = w->spare.at;
    w->pieces.cap = w->spare.cap;
    w->pieces.count = w->spare.count;
    w->spare.at = at;
    w->spare.cap = cap;
  }
  return STATUS_OK;
}
