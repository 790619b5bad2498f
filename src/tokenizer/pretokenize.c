#include "tokenizer/pretokenize.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/bytelevel.h"
#include "tokenizer/prestep.h"

void pre_work_free(struct pre_work *w) {
  str_free(&w->pieces.text);
  str_free(&w->spare.text);
  free(w->pieces.at);
  free(w->spare.at);
  free(w->spans);
  *w = (struct pre_work){0};
}

static bool starts(const char *text, size_t bytes, const char *with) {
  size_t n = strlen(with);
  return bytes >= n && memcmp(text, with, n) == 0;
}

static status metaspace(const struct pre_step *step, const char *text, size_t bytes, bool first,
                        struct str *out, struct error *err) {
  const char *sign = step->sign;
  bool prepends = step->scheme == PREPEND_ALWAYS || (step->scheme == PREPEND_FIRST && first);
  if (prepends && text[0] != ' ' && !starts(text, bytes, sign)) {
    TRY(str_add(out, sign, strlen(sign), err));
  }
  for (size_t at = 0; at < bytes;) {
    const char *space = memchr(text + at, ' ', bytes - at);
    size_t n = space ? (size_t)(space - text) - at : bytes - at;
    TRY(str_add(out, text + at, n, err));
    TRY(space ? str_add(out, sign, strlen(sign), err) : STATUS_OK);
    at += n + (space != NULL);
  }
  return STATUS_OK;
}

static status rewrite(const struct pre_step *step, const char *text, size_t bytes, bool first,
                      struct str *out, struct error *err) {
  switch (step->kind) {
  case PRE_SPACE:
    TRY(text[0] == ' ' ? STATUS_OK : str_add(out, " ", 1, err));
    return str_add(out, text, bytes, err);
  case PRE_BYTES:
    return bytelevel_add(out, text, bytes, err);
  case PRE_METASPACE:
    return metaspace(step, text, bytes, first, out, err);
  default:
    return err_set(err, STATUS_BUG, "pre-tokeniser %d", (int)step->kind);
  }
}

static status rewrite_all(const struct pre_step *step, struct pre_work *w, struct error *err) {
  struct pieces *in = &w->pieces, *out = &w->spare;
  out->text.count = 0;
  TRY(mem_reserve(&out->at, &out->cap, in->count, sizeof *out->at, err));
  for (size_t i = 0; i < in->count; i++) {
    struct piece p = in->at[i];
    size_t start = out->text.count;
    TRY(rewrite(step, in->text.at + p.start, p.end - p.start, p.first, &out->text, err));
    out->at[out->count++] = (struct piece){start, out->text.count, p.first};
  }
  struct str swap = in->text;
  in->text = out->text;
  out->text = swap;
  return STATUS_OK;
}

status pretokenizer_apply(const struct pretokenizer *p, const char *text, size_t bytes, bool first,
                          struct pre_work *w, struct scan *scan, struct error *err) {
  w->pieces.count = w->pieces.text.count = 0;
  if (bytes == 0) {
    return STATUS_OK;
  }
  TRY(str_add(&w->pieces.text, text, bytes, err));
  TRY(mem_reserve(&w->pieces.at, &w->pieces.cap, 1, sizeof *w->pieces.at, err));
  w->pieces.at[w->pieces.count++] = (struct piece){0, bytes, first};
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
