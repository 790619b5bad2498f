#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/synthetic.h"

/* What a side may have at most: no model comes near, and no product of two overflows. */
enum { MOST = 1 << 20, BLOCKS_MOST = 4096, POSITIONS_USUAL = 2048, VOCAB_LEAST = 3 };

static const struct {
  const char *name;
  struct synthetic_shape shape;
} known[] = {
    {"llama-110m",
     {.hidden = 768,
      .blocks = 12,
      .heads = 12,
      .kv_heads = 12,
      .ffn = 2048,
      .vocab = 32000,
      .positions = POSITIONS_USUAL,
      .tied = true}},
    {"llama-1.1b", /* TinyLlama's */
     {.hidden = 2048,
      .blocks = 22,
      .heads = 32,
      .kv_heads = 4,
      .ffn = 5632,
      .vocab = 32000,
      .positions = POSITIONS_USUAL}},
};
enum { KNOWN = sizeof known / sizeof known[0] };

enum { HIDDEN, BLOCKS, HEADS, FFN, VOCAB, NEEDED, KV_HEADS = NEEDED, POSITIONS, TIED, KEYS };
static const char *const keys[KEYS] = {
    [HIDDEN] = "hidden", [BLOCKS] = "blocks",     [HEADS] = "heads",         [FFN] = "ffn",
    [VOCAB] = "vocab",   [KV_HEADS] = "kv_heads", [POSITIONS] = "positions", [TIED] = "tied",
};
static const int least[KEYS] = {1, 1, 1, 1, VOCAB_LEAST, 1, 1, 0};
static const int most[KEYS] = {MOST, BLOCKS_MOST, MOST, MOST, MOST, MOST, INT_MAX, 1};

static status unknown_key(const char *word, struct error *err) {
  int near = str_nearest(word, keys, KEYS);
  return near >= 0 ? err_set(err, STATUS_INPUT, "a shape has no '%s' (did you mean '%s'?)", word,
                             keys[near])
                   : err_set(err, STATUS_INPUT,
                             "a shape has no '%s' (expected hidden, blocks, heads, ffn, vocab, "
                             "kv_heads, positions or tied)",
                             word);
}

/* One "key=number"; the text is changed. */
static status parse_pair(char *pair, int values[KEYS], bool seen[KEYS], struct error *err) {
  char *number = strchr(pair, '='), *end;
  if (!number) {
    return err_set(err, STATUS_INPUT,
                   "'%s' is no shape (expected llama-110m, llama-1.1b, or hidden=..,blocks=..,"
                   "heads=..,ffn=..,vocab=..)",
                   pair);
  }
  *number++ = '\0';
  int key = 0;
  while (key < KEYS && strcmp(keys[key], pair) != 0) {
    key++;
  }
  if (key == KEYS) {
    return unknown_key(pair, err);
  }
  if (seen[key]) {
    return err_set(err, STATUS_INPUT, "a shape's '%s' stands twice", pair);
  }
  errno = 0;
  long value = strtol(number, &end, 10);
  if (end == number || *end || errno || value < least[key] || value > most[key]) {
    return err_set(err, STATUS_INPUT,
                   "a shape's %s is '%s' (expected a whole number from %d to %d)", pair, number,
                   least[key], most[key]);
  }
  values[key] = (int)value;
  seen[key] = true;
  return STATUS_OK;
}

static status parse_pairs(char *text, int values[KEYS], struct error *err) {
  bool seen[KEYS] = {false};
  char *rest = text, *pair;
  while ((pair = strsep(&rest, ","))) {
    TRY(parse_pair(pair, values, seen, err));
  }
  for (int i = 0; i < NEEDED; i++) {
    if (!seen[i]) {
      return err_set(err, STATUS_INPUT, "a shape needs '%s'", keys[i]);
    }
  }
  values[KV_HEADS] = seen[KV_HEADS] ? values[KV_HEADS] : values[HEADS];
  return STATUS_OK;
}

static status check(const struct synthetic_shape *s, struct error *err) {
  if (s->hidden % s->heads != 0 || s->hidden / s->heads % 2 != 0) {
    return err_set(err, STATUS_INPUT,
                   "%d heads do not divide hidden %d into parts of even width, as rotation needs",
                   s->heads, s->hidden);
  }
  if (s->heads % s->kv_heads != 0) {
    return err_set(err, STATUS_INPUT, "%d kv_heads do not divide %d heads", s->kv_heads, s->heads);
  }
  return STATUS_OK;
}

status synthetic_shape_parse(struct synthetic_shape *out, const char *text, struct error *err) {
  for (int i = 0; i < KNOWN; i++) {
    if (strcmp(known[i].name, text) == 0) {
      *out = known[i].shape;
      return STATUS_OK;
    }
  }
  char *copy;
  int values[KEYS] = {[POSITIONS] = POSITIONS_USUAL};
  TRY(mem_dup(&copy, text, strlen(text), err));
  status st = parse_pairs(copy, values, err);
  free(copy);
  TRY(st);
  struct synthetic_shape s = {.hidden = values[HIDDEN],
                              .blocks = values[BLOCKS],
                              .heads = values[HEADS],
                              .kv_heads = values[KV_HEADS],
                              .ffn = values[FFN],
                              .vocab = values[VOCAB],
                              .positions = values[POSITIONS],
                              .tied = values[TIED] != 0};
  TRY(check(&s, err));
  *out = s;
  return STATUS_OK;
}
