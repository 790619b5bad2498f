#include "eval/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "data/text.h"

void requests_free(struct requests *r) {
  ids_free(&r->pool);
  free(r->at);
  free(r->spans);
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

/* A run of ids and where they come from. */
struct run {
  const int32_t *ids;             /* [count] */
  const struct token_span *spans; /* [count], or NULL: nowhere */
  int count;
};

static struct run run_without(struct run run, int first) {
  return (struct run){first ? run.ids + first : run.ids,
                      run.spans && first ? run.spans + first : run.spans, run.count - first};
}

static status pool_add(struct requests *r, struct run run, struct error *err) {
  size_t first = r->pool.count, count = (size_t)run.count;
  TRY(ids_append(&r->pool, run.ids, count, err));
  if (!r->keeps_spans) {
    return STATUS_OK;
  }
  TRY(mem_reserve(&r->spans, &r->span_cap, r->pool.count, sizeof *r->spans, err));
  for (size_t i = 0; i < count; i++) {
    r->spans[first + i] = run.spans ? run.spans[i] : (struct token_span){0};
  }
  return STATUS_OK;
}

static status add(struct requests *r, const struct tokenizer *t, const struct model *m,
                  struct run context, struct run continuation, struct error *err) {
  int32_t prefix = (int32_t)requests_prefix(t, m);
  if (context.count == 0) {
    if (prefix < 0) {
      return err_set(err, STATUS_INPUT, "an empty context needs a BOS or EOS token; there is none");
    }
    context = (struct run){&prefix, NULL, 1};
    /* the harness lets a continuation that begins with the prefix token bring its own */
    int repeats = continuation.count > 0 && continuation.ids[0] == prefix;
    continuation = run_without(continuation, repeats);
  }
  int positions = model_positions(m);
  if (continuation.count == 0) {
    return err_set(err, STATUS_INPUT, "empty continuation (expected at least one token)");
  }
  if (continuation.count > positions) {
    return err_set(err, STATUS_INPUT, "continuation of %d tokens (the model has %d positions)",
                   continuation.count, positions);
  }
  TRY(check_ids(m, context.ids, context.count, err));
  TRY(check_ids(m, continuation.ids, continuation.count, err));
  int most = positions + 1 - continuation.count;
  context = run_without(context, context.count > most ? context.count - most : 0);
  struct request q = {.context = r->pool.count, .context_count = context.count};
  TRY(mem_reserve(&r->at, &r->cap, r->count + 1, sizeof *r->at, err));
  TRY(pool_add(r, context, err));
  q.continuation = r->pool.count;
  q.continuation_count = continuation.count;
  TRY(pool_add(r, continuation, err));
  r->at[r->count++] = q;
  return STATUS_OK;
}

status requests_add_ids(struct requests *r, const struct model *m, const int32_t *context,
                        int context_count, const int32_t *continuation, int continuation_count,
                        struct error *err) {
  return add(r, NULL, m, (struct run){context, NULL, context_count},
             (struct run){continuation, NULL, continuation_count}, err);
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
    struct run before = {done ? ids + done - context : &prefix, NULL, done ? (int)context : 1};
    TRY(add(r, t, m, before, (struct run){ids + done, NULL, (int)fresh}, err));
    done += fresh;
  }
  return STATUS_OK;
}

/* Context and continuation encoded as one text. */
struct pair {
  struct ids whole;
  struct token_spans spans; /* [whole.count] when kept */
  size_t split;             /* ids of the context encoded alone */
};

static void pair_free(struct pair *p) {
  ids_free(&p->whole);
  token_spans_free(&p->spans);
}

/* A context of no bytes but white space leaves that to the continuation, without a template. */
static status encode_pair(const struct tokenizer *t, const char *context, size_t context_bytes,
                          const char *continuation, bool bos, bool spans, struct pair *p,
                          struct error *err) {
  struct str text = {0};
  struct ids alone = {0};
  bool some = context_bytes > 0;
  status st;
  TRY_GOTO(st, done, str_add(&text, context, strlen(context), err));
  TRY_GOTO(st, done, str_add(&text, continuation, strlen(continuation), err));
  TRY_GOTO(st, done,
           tokenizer_encode_spans(t, text.at, text.count, bos && some, &p->whole,
                                  spans ? &p->spans : NULL, err));
  if (some) {
    TRY_GOTO(st, done, tokenizer_encode(t, context, context_bytes, bos, &alone, err));
  }
  p->split = alone.count < p->whole.count ? alone.count : p->whole.count;
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
  struct pair p = {0};
  status st = encode_pair(t, context, bytes, continuation, bos, r->keeps_spans, &p, err);
  if (st == STATUS_OK && (p.split < p.whole.count || p.whole.count == 0)) {
    struct run whole = {p.whole.at, p.spans.at, (int)p.whole.count};
    struct run before = {whole.ids, whole.spans, (int)p.split};
    st = add(r, t, m, before, run_without(whole, (int)p.split), err);
  } else if (st == STATUS_OK) {
    st = err_set(err, STATUS_INPUT,
                 "the continuation adds no token to its context (expected at least one)");
  }
  pair_free(&p);
  return st;
}
