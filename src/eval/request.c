#include "eval/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "data/text.h"

void requests_free(struct requests *r) {
  ids_free(&r->pool);
  free(r->at);
  *r = (struct requests){0};
}

int requests_prefix(const struct tokenizer *t, const struct model *m) {
  int candidates[] = {t ? tokenizer_bos(t) : -1, model_bos(m), t ? tokenizer_eos(t) : -1,
                      model_eos(m)};
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
    if (candidates[i] >= 0) {
      return candidates[i];
    }
  }
  return -1;
}

static status check_ids(const struct model *m, const int32_t *ids, int count, struct error *err) {
  for (int i = 0; i < count; i++) {
    if (ids[i] < 0 || ids[i] >= model_vocab(m)) {
      return err_set(err, STATUS_INPUT, "token id %d (expected 0 to %d)", (int)ids[i],
                     model_vocab(m) - 1);
    }
  }
  return STATUS_OK;
}

static status add(struct requests *r, const struct tokenizer *t, const struct model *m,
                  const int32_t *context, int context_count, const int32_t *continuation,
                  int continuation_count, struct error *err) {
  int32_t prefix = (int32_t)requests_prefix(t, m);
  if (context_count == 0) {
    if (prefix < 0) {
      return err_set(err, STATUS_INPUT, "an empty context needs a BOS or EOS token; there is none");
    }
    context = &prefix;
    context_count = 1;
    /* the harness lets a continuation that begins with the prefix token bring its own */
    int repeats = continuation_count > 0 && continuation[0] == prefix;
    continuation += repeats;
    continuation_count -= repeats;
  }
  int positions = model_positions(m);
  if (continuation_count == 0) {
    return err_set(err, STATUS_INPUT, "empty continuation (expected at least one token)");
  }
  if (continuation_count > positions) {
    return err_set(err, STATUS_INPUT, "continuation of %d tokens (the model has %d positions)",
                   continuation_count, positions);
  }
  TRY(check_ids(m, context, context_count, err));
  TRY(check_ids(m, continuation, continuation_count, err));
  int most = positions + 1 - continuation_count;
  int lost = context_count > most ? context_count - most : 0;
  struct request q = {.context = r->pool.count, .context_count = context_count - lost};
  TRY(mem_reserve(&r->at, &r->cap, r->count + 1, sizeof *r->at, err));
  TRY(ids_append(&r->pool, context + lost, (size_t)q.context_count, err));
  q.continuation = r->pool.count;
  q.continuation_count = continuation_count;
  TRY(ids_append(&r->pool, continuation, (size_t)continuation_count, err));
  r->at[r->count++] = q;
  return STATUS_OK;
}

status requests_add_ids(struct requests *r, const struct model *m, const int32_t *context,
                        int context_count, const int32_t *continuation, int continuation_count,
                        struct error *err) {
  return add(r, NULL, m, context, context_count, continuation, continuation_count, err);
}

status requests_add_rolling(struct requests *r, const struct tokenizer *t, const struct model *m,
                            const int32_t *ids, size_t count, int length, struct error *err) {
  int32_t prefix = (int32_t)requests_prefix(t, m);
  size_t window = (size_t)length;
  if (prefix < 0) {
    return err_set(err, STATUS_INPUT,
                   "a text's first token needs a BOS or EOS token before it; there is none");
  }
  for (size_t done = 0; done < count;) {
    size_t fresh = count - done < window ? count - done : window;
    size_t context = window - fresh + 1;
    const int32_t *before = done ? ids + done - context : &prefix;
    TRY(add(r, t, m, before, done ? (int)context : 1, ids + done, (int)fresh, err));
    done += fresh;
  }
  return STATUS_OK;
}

/* Encodes context and continuation as one text; *split is the length of the context's encoding. */
static status encode_pair(const struct tokenizer *t, const char *context, size_t context_bytes,
                          const char *continuation, bool bos, struct ids *whole, size_t *split,
                          struct error *err) {
  struct str text = {0};
  struct ids alone = {0};
  status st;
  TRY_GOTO(st, done, str_add(&text, context, strlen(context), err));
  TRY_GOTO(st, done, str_add(&text, continuation, strlen(continuation), err));
  TRY_GOTO(st, done, tokenizer_encode(t, text.at, text.count, bos, whole, err));
  TRY_GOTO(st, done, tokenizer_encode(t, context, context_bytes, bos, &alone, err));
  *split = alone.count < whole->count ? alone.count : whole->count;
done:
  ids_free(&alone);
  str_free(&text);
  return st;
}

status requests_add_text(struct requests *r, const struct tokenizer *t, const struct model *m,
                         const char *context, const char *continuation, bool bos,
                         struct error *err) {
  if (continuation[0] == '\0') {
    return err_set(err, STATUS_INPUT, "empty continuation (expected text)");
  }
  size_t bytes = strlen(context), bad = text_invalid(context, bytes);
  if (bad < bytes) {
    return err_set(err, STATUS_INPUT, "byte %zu of the context is not UTF-8", bad + 1);
  }
  bytes -= text_space_right(context, bytes);
  struct ids whole = {0};
  size_t split = 0;
  status st;
  if (bytes > 0) {
    st = encode_pair(t, context, bytes, continuation, bos, &whole, &split, err);
  } else { /* white space of an empty context still belongs to the continuation */
    struct str text = {0};
    st = str_addf(&text, err, "%s%s", context, continuation);
    st = st == STATUS_OK ? tokenizer_encode(t, text.at, text.count, false, &whole, err) : st;
    str_free(&text);
  }
  if (st == STATUS_OK && (split < whole.count || whole.count == 0)) {
    st = add(r, t, m, whole.at, (int)split, whole.count ? whole.at + split : NULL,
             (int)(whole.count - split), err);
  } else if (st == STATUS_OK) {
    st = err_set(err, STATUS_INPUT,
                 "the continuation adds no token to its context (expected at least one)");
  }
  ids_free(&whole);
  return st;
}
