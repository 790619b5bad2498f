/* The model's own texts, as Ji et al., "Beware of Calibration Data for Pruning Large Language
 * Models" (arXiv 2410.17711) and Williams et al., "Self-calibration for Language Model Quantization
 * and Pruning" (arXiv 2410.17170) calibrate. Sequences begin with a prompt and are continued by
 * sampling, each with random numbers of its own, so that draws differ and a smaller count is a
 * prefix. A text that ends goes on behind its EOS with BOS, where the model has one. Of the
 * sequences written, those outside of the quantiles of perplexity are dropped.
 *
 * Cost: nothing is kept between tokens, so a sequence of L tokens passes L²/2 tokens through the
 * model; continue.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "calib/continue.h"
#include "calib/dense.h"
#include "calib/select.h"

static status read_band(struct generate *g, const struct yaml_file *file, const struct yaml *node,
                        struct error *err) {
  static const char *const keys[] = {"low", "high"};
  TRY(yaml_check_keys(file, node, "perplexity", keys, 2, err));
  const struct yaml *low = yaml_get(node, "low"), *high = yaml_get(node, "high");
  TRY(low ? yaml_double(file, low, "low", 0, 1, &g->low, err) : STATUS_OK);
  TRY(high ? yaml_double(file, high, "high", 0, 1, &g->high, err) : STATUS_OK);
  if (g->high - g->low < 0.01) {
    return yaml_fail(file, node, err,
                     "perplexity: low %g, high %g (expected quantiles at least 0.01 apart)", g->low,
                     g->high);
  }
  return STATUS_OK;
}

static status read_numbers(struct generate *g, const struct yaml_file *file,
                           const struct yaml *node, struct error *err) {
  const struct yaml *value = yaml_get(node, "temperature");
  TRY(value ? yaml_double(file, value, "temperature", 0.01, 100, &g->temperature, err) : STATUS_OK);
  value = yaml_get(node, "top_p");
  TRY(value ? yaml_double(file, value, "top_p", 1e-6, 1, &g->top_p, err) : STATUS_OK);
  long number = 0;
  value = yaml_get(node, "top_k");
  TRY(value ? yaml_int(file, value, "top_k", 0, INT32_MAX, &number, err) : STATUS_OK);
  g->top_k = (int)number;
  value = yaml_get(node, "perplexity");
  return value ? read_band(g, file, value, err) : STATUS_OK;
}

static status read_beginning(struct generate *g, const struct yaml_file *file,
                             const struct yaml *node, const struct search *search, int depth,
                             struct error *err) {
  const struct yaml *prompt = yaml_get(node, "prompt"), *from = yaml_get(node, "from");
  const struct yaml *tokens = yaml_get(node, "tokens");
  if (prompt && from) {
    return yaml_fail(file, from, err, "'from' beside 'prompt' (expected one of them)");
  }
  if (!from != !tokens) {
    return yaml_fail(file, from ? from : tokens, err, "%s (expected both or neither)",
                     from ? "'from' without 'tokens'" : "'tokens' without 'from'");
  }
  if (prompt) {
    const char *text;
    TRY(yaml_text(file, prompt, "prompt", &text, err));
    TRY(mem_dup(&g->prompt, text, strlen(text), err));
  }
  if (!from) {
    return STATUS_OK;
  }
  long number;
  TRY(yaml_int(file, tokens, "tokens", 1, INT32_MAX, &number, err));
  g->tokens = (int)number;
  TRY(set_named(&g->from, file, from, "from", search, depth, err));
  return g->from->source == SOURCE_MIXTURE || g->from->source == SOURCE_GENERATE
             ? yaml_fail(file, from, err,
                         "from: %s has no documents (expected a set with a source)", g->from->name)
             : STATUS_OK;
}

status generate_read(struct calibration *c, const struct yaml_file *file, const struct yaml *node,
                     const struct search *search, int depth, struct error *err) {
  static const char *const keys[] = {"temperature", "top_k",  "top_p",     "prompt",
                                     "from",        "tokens", "perplexity"};
  struct generate *g = &c->generate;
  *g = (struct generate){.temperature = 1, .top_p = 1, .high = 1};
  TRY(yaml_check_keys(file, node, "generate", keys, sizeof keys / sizeof keys[0], err));
  TRY(read_numbers(g, file, node, err));
  return read_beginning(g, file, node, search, depth, err);
}

/* How many sequences are written so that `most` are left between the quantiles. */
static size_t written(const struct generate *g, size_t most, size_t *first) {
  size_t n = most;
  for (;; n++) {
    size_t low = (size_t)ceil(g->low * (double)n - 1e-9);
    size_t high = (size_t)floor(g->high * (double)n + 1e-9);
    if (high >= low + most) {
      *first = low;
      return n;
    }
  }
}

/* One beginning for all: the prompt, else BOS, else EOS. */
static status same_beginning(const struct pool *pool, size_t count, struct sequences *out,
                             struct error *err) {
  const char *prompt = pool->set->generate.prompt;
  struct ids ids = {0};
  status st = STATUS_OK;
  if (prompt) {
    st = pool->tokenizer
             ? tokenizer_encode(pool->tokenizer, prompt, strlen(prompt), true, &ids, err)
             : err_set(err, STATUS_INPUT, "a prompt, and the model has no tokenizer");
    if (st == STATUS_OK) {
      st = ids_check(&ids, pool->vocab, pool->set->data, 0, err);
    }
  } else {
    int bos = model_bos(pool->model), eos = model_eos(pool->model);
    st = bos < 0 && eos < 0 ? STATUS_OK : ids_push(&ids, bos >= 0 ? bos : eos, err);
  }
  if (st == STATUS_OK && ids.count == 0) {
    st = err_at(err, STATUS_INPUT, pool->set->data, 0,
                "nothing to begin with: %s (expected 'prompt: TEXT' in generate)",
                prompt ? "the prompt has no token" : "the model has neither BOS nor EOS");
  }
  for (size_t i = 0; i < count && st == STATUS_OK; i++) {
    st = sequences_add(out, ids.at, ids.count, err);
  }
  ids_free(&ids);
  return st;
}

/* The first tokens of documents in shuffled order, those that are too short left out; draw d takes
 * the d-th `count` of them. */
static status own_beginnings(struct pool *pool, const struct draw *draw, size_t count,
                             struct sequences *out, struct error *err) {
  struct pool *from = pool->other;
  size_t *order, tokens = (size_t)pool->set->generate.tokens, found = 0;
  size_t skipped = (size_t)draw->draw * count, all = (size_t)draw->draws * count;
  TRY(shuffled(&order, from->count, draw->seed, err));
  status st = STATUS_OK;
  for (size_t i = 0; i < from->count && found < all && st == STATUS_OK; i++) {
    const struct ids *ids = NULL;
    st = pool_document(from, order[i], &ids, err);
    if (st != STATUS_OK || ids->count < tokens) {
      continue;
    }
    if (found >= skipped && found < skipped + count) {
      st = sequences_add(out, ids->at, tokens, err);
    }
    found++;
  }
  free(order);
  if (st == STATUS_OK && found < all) {
    st = err_at(err, STATUS_INPUT, from->set->data, 0,
                "calibration set %s needs %d draw%s × %zu beginnings of %zu tokens; %s has %zu",
                pool->set->name, draw->draws, draw->draws == 1 ? "" : "s", count, tokens,
                from->set->name, found);
  }
  return st;
}

static status begin(struct pool *pool, const struct draw *draw, size_t count, struct sequences *out,
                    struct error *err) {
  TRY(pool->other ? own_beginnings(pool, draw, count, out, err)
                  : same_beginning(pool, count, out, err));
  size_t tokens = out->ids.count / count; /* of each */
  return tokens < (size_t)draw->length
             ? STATUS_OK
             : err_at(err, STATUS_INPUT, pool->set->data, 0,
                      "sequences of %d tokens that begin with %zu (expected a shorter beginning)",
                      draw->length, tokens);
}

/* Marks in keep [s->count] the sequences from place `first` on in order of perplexity, `most` of
 * them. */
static status filter(const struct pool *pool, const struct sequences *s, size_t first, size_t most,
                     bool *keep, struct error *err) {
  double *nll = NULL;
  struct scored *scored = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&nll, s->count, sizeof *nll, err));
  TRY_GOTO(st, done, mem_alloc(&scored, s->count, sizeof *scored, err));
  if (most < s->count) {
    TRY_GOTO(st, done, dense_nll(pool->model, s, nll, err));
  }
  for (size_t i = 0; i < s->count; i++) {
    scored[i] = (struct scored){nll[i], i};
  }
  scored_ascending(scored, s->count);
  for (size_t i = first; i < first + most; i++) {
    keep[scored[i].index] = true;
  }
done:
  free(nll);
  free(scored);
  return st;
}

static status keep_some(const struct pool *pool, const struct draw *draw, const struct sequences *s,
                        size_t first, struct sequences *out, struct error *err) {
  bool *keep;
  TRY(mem_alloc(&keep, s->count, sizeof *keep, err));
  status st = filter(pool, s, first, (size_t)draw->most, keep, err);
  size_t wanted = (size_t)draw->samples;
  for (size_t i = 0; i < s->count && wanted > 0 && st == STATUS_OK; i++) {
    if (keep[i]) {
      st = sequences_add(out, sequences_at(s, i), sequences_length(s, i), err);
      wanted--;
    }
  }
  free(keep);
  return st;
}

status generate_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                     struct error *err) {
  const struct generate *g = &pool->set->generate;
  size_t first, count = written(g, (size_t)draw->most, &first);
  if (count == (size_t)draw->most) {
    count = (size_t)draw->samples; /* nothing is dropped: what is not asked for is not written */
  }
  struct continuation c = {
      .how = {g->temperature, g->top_p, g->top_k}, .model = pool->model, .draw = draw};
  struct sequences beginnings = {0}, whole = {0};
  status st;
  TRY_GOTO(st, done, begin(pool, draw, count, &beginnings, err));
  TRY_GOTO(st, done, continue_texts(&c, &beginnings, &whole, err));
  if (count == (size_t)draw->samples) {
    *out = whole;
    whole = (struct sequences){0};
  } else {
    TRY_GOTO(st, done, keep_some(pool, draw, &whole, first, out, err));
  }
done:
  sequences_free(&beginnings);
  sequences_free(&whole);
  return st;
}
