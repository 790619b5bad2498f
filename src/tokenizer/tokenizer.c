#include "tokenizer/tokenizer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/open.h"
#include "tokenizer/unicode.h"

/* Buffers of one call. */
struct work {
  struct scan scan;
  struct parts raw, normals;
  struct str text, spare;
  struct pre_work pre;
  struct bpe_work bpe;
};

static void work_free(struct work *w) {
  scan_free(&w->scan);
  free(w->raw.at);
  free(w->normals.at);
  str_free(&w->text);
  str_free(&w->spare);
  pre_work_free(&w->pre);
  bpe_work_free(&w->bpe);
}

/* Normalised text without added tokens. */
static status encode_plain(const struct tokenizer *t, const char *text, size_t bytes, bool first,
                           struct work *w, struct ids *out, struct error *err) {
  TRY(pretokenizer_apply(&t->pretokenizer, text, bytes, first, &w->pre, &w->scan, err));
  const struct pieces *p = &w->pre.pieces;
  for (size_t i = 0; i < p->count; i++) {
    TRY(bpe_encode(&t->bpe, p->text.at + p->at[i].start, p->at[i].end - p->at[i].start, &w->bpe,
                   out, err));
  }
  return STATUS_OK;
}

/* Original text without the tokens that are looked for in it. */
static status encode_raw(const struct tokenizer *t, const char *text, size_t bytes, bool first,
                         struct work *w, struct ids *out, struct error *err) {
  w->text.count = 0;
  TRY(str_add(&w->text, text, bytes, err));
  TRY(normalizer_apply(&t->normalizer, &w->text, &w->spare, &w->scan, &first, err));
  if (w->text.count > INT_MAX) {
    return err_set(err, STATUS_UNSUPPORTED, "a text of %zu bytes once normalised (at most %d)",
                   w->text.count, INT_MAX);
  }
  TRY(added_cut(&t->added.normals, w->text.at, w->text.count, &w->normals, err));
  for (size_t i = 0; i < w->normals.count; i++) {
    struct part p = w->normals.at[i];
    TRY(p.id >= 0 ? ids_push(out, p.id, err)
                  : encode_plain(t, w->text.at + p.start, p.end - p.start, first && p.start == 0, w,
                                 out, err));
  }
  return STATUS_OK;
}

static status encode(const struct tokenizer *t, const char *text, size_t bytes, struct work *w,
                     struct ids *out, struct error *err) {
  TRY(added_cut(&t->added.raw, text, bytes, &w->raw, err));
  for (size_t i = 0; i < w->raw.count; i++) {
    struct part p = w->raw.at[i];
    TRY(p.id >= 0 ? ids_push(out, p.id, err)
                  : encode_raw(t, text + p.start, p.end - p.start, p.start == 0, w, out, err));
  }
  return STATUS_OK;
}

status tokenizer_encode(const struct tokenizer *t, const char *text, size_t bytes, bool special,
                        struct ids *out, struct error *err) {
  /* Byte-level letters double a text at most, and Oniguruma counts bytes with int. */
  if (bytes > INT_MAX / 2) {
    return err_set(err, STATUS_UNSUPPORTED, "a text of %zu bytes (at most %d)", bytes, INT_MAX / 2);
  }
  size_t good = utf8_check(text, bytes);
  if (good < bytes) {
    return err_set(err, STATUS_INPUT, "byte %zu of the text is not UTF-8", good);
  }
  struct work w = {0};
  size_t from = out->count;
  status st = encode(t, text, bytes, &w, out, err);
  if (st == STATUS_OK && special) {
    st = template_apply(&t->template, out, from, err);
  }
  work_free(&w);
  out->count = st == STATUS_OK ? out->count : from;
  return st;
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
