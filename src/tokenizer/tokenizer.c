#include "tokenizer/tokenizer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/open.h"
#include "tokenizer/unicode.h"

/* What one call works with. */
struct work {
  struct ids *out;
  struct token_spans *spans; /* NULL: not asked for */
  struct scan scan;
  struct parts raw, normals;
  struct traced text, spare;
  struct pre_work pre;
  struct bpe_work bpe;
};

static void work_free(struct work *w) {
  scan_free(&w->scan);
  free(w->raw.at);
  free(w->normals.at);
  traced_free(&w->text);
  traced_free(&w->spare);
  pre_work_free(&w->pre);
  bpe_work_free(&w->bpe);
}

static status add_token(struct work *w, int32_t id, struct token_span span, struct error *err) {
  TRY(w->spans ? token_spans_push(w->spans, span, err) : STATUS_OK);
  return ids_push(w->out, id, err);
}

/* A piece as ids; spans of the piece become spans of the text. */
static status encode_piece(const struct tokenizer *t, struct piece piece, struct work *w,
                           struct error *err) {
  const struct traced *text = &w->pre.pieces.text;
  size_t from = w->spans ? w->spans->count : 0;
  TRY(bpe_encode(&t->bpe, text->text.at + piece.start, piece.end - piece.start, &w->bpe, w->out,
                 w->spans, err));
  for (size_t i = from; w->spans && i < w->spans->count; i++) {
    struct token_span s = w->spans->at[i];
    w->spans->at[i] = traced_hull(text, piece.start + s.start, s.end - s.start);
  }
  return STATUS_OK;
}

/* Normalised text without added tokens: a part of w->text. */
static status encode_plain(const struct tokenizer *t, struct part part, bool first, struct work *w,
                           struct error *err) {
  TRY(pretokenizer_apply(&t->pretokenizer, &w->text, part.start, part.end - part.start, first,
                         &w->pre, &w->scan, err));
  for (size_t i = 0; i < w->pre.pieces.count; i++) {
    TRY(encode_piece(t, w->pre.pieces.at[i], w, err));
  }
  return STATUS_OK;
}

/* A part of the original text, without the tokens that are looked for in it. */
static status encode_raw(const struct tokenizer *t, const char *text, struct part part,
                         struct work *w, struct error *err) {
  bool first = part.start == 0;
  TRY(traced_start(&w->text, w->spans != NULL, err));
  TRY(traced_original(&w->text, text + part.start, part.end - part.start, part.start, err));
  TRY(normalizer_apply(&t->normalizer, &w->text, &w->spare, &w->scan, &first, err));
  size_t bytes = w->text.text.count;
  if (bytes > INT_MAX) {
    return err_set(err, STATUS_UNSUPPORTED, "a text of %zu bytes once normalised (at most %d)",
                   bytes, INT_MAX);
  }
  TRY(added_cut(&t->added.normals, w->text.text.at, bytes, &w->normals, err));
  for (size_t i = 0; i < w->normals.count; i++) {
    struct part p = w->normals.at[i];
    if (p.id < 0) {
      TRY(encode_plain(t, p, first && p.start == 0, w, err));
      continue;
    }
    struct token_span span = {0};
    if (w->spans) {
      span = traced_hull(&w->text, p.start, p.end - p.start);
    }
    TRY(add_token(w, p.id, span, err));
  }
  return STATUS_OK;
}

static status encode(const struct tokenizer *t, const char *text, size_t bytes, struct work *w,
                     struct error *err) {
  TRY(added_cut(&t->added.raw, text, bytes, &w->raw, err));
  for (size_t i = 0; i < w->raw.count; i++) {
    struct part p = w->raw.at[i];
    struct token_span span = {(uint32_t)p.start, (uint32_t)p.end};
    TRY(p.id >= 0 ? add_token(w, p.id, span, err) : encode_raw(t, text, p, w, err));
  }
  return STATUS_OK;
}

status tokenizer_encode_spans(const struct tokenizer *t, const char *text, size_t bytes,
                              bool special, struct ids *out, struct token_spans *spans,
                              struct error *err) {
  /* Byte-level letters double a text at most, and Oniguruma counts bytes with int. */
  if (bytes > INT_MAX / 2) {
    return err_set(err, STATUS_UNSUPPORTED, "a text of %zu bytes (at most %d)", bytes, INT_MAX / 2);
  }
  size_t good = utf8_check(text, bytes);
  if (good < bytes) {
    return err_set(err, STATUS_INPUT, "byte %zu of the text is not UTF-8", good);
  }
  struct work w = {.out = out, .spans = spans};
  size_t from = out->count, spans_from = spans ? spans->count : 0;
  status st = encode(t, text, bytes, &w, err);
  if (st == STATUS_OK && special) {
    st = template_apply(&t->template, out, from, spans, spans_from, err);
  }
  work_free(&w);
  if (st != STATUS_OK) {
    out->count = from;
    if (spans) {
      spans->count = spans_from;
    }
  }
  return st;
}

status tokenizer_encode(const struct tokenizer *t, const char *text, size_t bytes, bool special,
                        struct ids *out, struct error *err) {
  return tokenizer_encode_spans(t, text, bytes, special, out, NULL, err);
}

int tokenizer_bos(const struct tokenizer *t) {
  return t->bos;
}

int tokenizer_eos(const struct tokenizer *t) {
  return t->eos;
}

int tokenizer_size(const struct tokenizer *t) {
  return t->size;
}

const char *tokenizer_token(const struct tokenizer *t, int32_t id) {
  const char *text = vocab_text(&t->bpe.vocab, id);
  return text ? text : vocab_text(&t->added.names, id);
}

const char *tokenizer_digest(const struct tokenizer *t) {
  return t->digest;
}
