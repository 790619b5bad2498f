#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/attribution_tables.h"
#include "store/record_parts.h"

/* Least bytes of an encoded row: what a count is checked against. */
enum {
  WORD_BYTES = 4 + 4 + 3 * 8,
  UNIT_BYTES = 2 * 4 + 2 * 8 + 4,
  MATCH_BYTES = 2 * 4 + 3 * 8 + 1,
  APART_BYTES = 3 * 4 + 2 * 8,
  CAUSAL_BYTES = 2 * 4 + 8 * 8,
  EXAMPLE_BYTES = 3 * 4 + 4 + 4
};

static bool inside(int64_t value, size_t count) {
  return value >= 0 && (uint64_t)value < count;
}

static status check_unit(const struct attribution_base *r, int32_t block, int32_t unit, status code,
                         struct error *err) {
  if (block < 0 || block >= r->blocks || unit < 0 || unit >= r->units_per_block) {
    return err_set(err, code, "record: unit %d of block %d in a model of %d blocks of %d units",
                   (int)unit, (int)block, (int)r->blocks, (int)r->units_per_block);
  }
  return STATUS_OK;
}

static status check_match(const struct attribution_base *r, const struct attribution_match *m,
                          status code, struct error *err) {
  if (!inside(m->word, r->word_count) || !inside(m->unit, r->unit_count)) {
    return err_set(err, code, "record: a match of word %d with unit %d among %zu words, %zu units",
                   (int)m->word, (int)m->unit, r->word_count, r->unit_count);
  }
  return STATUS_OK;
}

static status check_example(const struct attribution_base *r, const struct attribution_example *e,
                            status code, struct error *err) {
  size_t n = strlen(e->text);
  bool good = inside(e->match, r->match_count) && e->tokens >= 0 && e->starts[0] >= 0 &&
              (size_t)e->starts[e->tokens] <= n;
  for (int32_t i = 0; good && i < e->tokens; i++) {
    good = e->starts[i] <= e->starts[i + 1];
  }
  if (!good) {
    return err_set(err, code, "record: an example's tokens or match are out of range");
  }
  return STATUS_OK;
}

static status check_apart(const struct attribution_base *r, const struct attribution_apart_unit *a,
                          status code, struct error *err) {
  if (a->kind != APART_ALWAYS_ON && a->kind != APART_MASSIVE) {
    return err_set(err, code, "record: a unit apart of kind %d", (int)a->kind);
  }
  return check_unit(r, a->block, a->unit, code, err);
}

status attribution_base_check(const struct attribution_base *r, status code, struct error *err) {
  for (size_t i = 0; i < r->unit_count; i++) {
    TRY(check_unit(r, r->units[i].block, r->units[i].unit, code, err));
  }
  for (size_t i = 0; i < r->match_count; i++) {
    TRY(check_match(r, &r->matches[i], code, err));
  }
  for (size_t i = 0; i < r->apart_count; i++) {
    TRY(check_apart(r, &r->apart[i], code, err));
  }
  for (size_t i = 0; i < r->example_count; i++) {
    TRY(check_example(r, &r->examples[i], code, err));
  }
  return STATUS_OK;
}

static status pack_head(struct str *s, const struct attribution_base *r, struct error *err) {
  TRY(record_pack_head(s, RECORD_ATTRIBUTION_BASE, err));
  TRY(pack_text(s, r->variant, sizeof r->variant, err));
  TRY(pack_text(s, r->dataset, sizeof r->dataset, err));
  TRY(pack_text(s, r->id, sizeof r->id, err));
  TRY(pack_u8(s, r->failed, err));
  TRY(pack_text(s, r->error, sizeof r->error, err));
  TRY(pack_text(s, r->influence, sizeof r->influence, err));
  TRY(pack_text(s, r->score, sizeof r->score, err));
  TRY(pack_u64(s, (uint64_t)r->background, err));
  TRY(pack_u32(s, (uint32_t)r->blocks, err));
  TRY(pack_u32(s, (uint32_t)r->units_per_block, err));
  TRY(pack_f64(s, r->accuracy, err));
  TRY(pack_f64(s, r->gold, err));
  return pack_f64(s, r->perplexity, err);
}

static status unpack_head(struct unpack *from, struct attribution_base *r, struct error *err) {
  uint64_t background;
  TRY(unpack_text(from, r->variant, sizeof r->variant, err));
  TRY(unpack_text(from, r->dataset, sizeof r->dataset, err));
  TRY(unpack_text(from, r->id, sizeof r->id, err));
  TRY(record_flag(from, &r->failed, err));
  TRY(unpack_text(from, r->error, sizeof r->error, err));
  TRY(unpack_text(from, r->influence, sizeof r->influence, err));
  TRY(unpack_text(from, r->score, sizeof r->score, err));
  TRY(unpack_u64(from, &background, err));
  memcpy(&r->background, &background, sizeof background);
  TRY(record_i32(from, &r->blocks, err));
  TRY(record_i32(from, &r->units_per_block, err));
  TRY(unpack_f64(from, &r->accuracy, err));
  TRY(unpack_f64(from, &r->gold, err));
  return unpack_f64(from, &r->perplexity, err);
}

static status pack_words(struct str *s, const struct attribution_base *r, struct error *err) {
  TRY(pack_u64(s, r->word_count, err));
  for (size_t i = 0; i < r->word_count; i++) {
    const struct attribution_word *w = &r->words[i];
    TRY(pack_text(s, w->text, sizeof w->text, err));
    TRY(pack_u32(s, (uint32_t)w->occurrences, err));
    TRY(pack_f64(s, w->influence, err));
    TRY(pack_f64(s, w->low, err));
    TRY(pack_f64(s, w->high, err));
  }
  return STATUS_OK;
}

static status unpack_words(struct unpack *from, struct attribution_base *r, struct error *err) {
  TRY(record_count(from, WORD_BYTES, &r->word_count, err));
  TRY(mem_alloc(&r->words, r->word_count, sizeof *r->words, err));
  for (size_t i = 0; i < r->word_count; i++) {
    struct attribution_word *w = &r->words[i];
    TRY(unpack_text(from, w->text, sizeof w->text, err));
    TRY(record_i32(from, &w->occurrences, err));
    TRY(unpack_f64(from, &w->influence, err));
    TRY(unpack_f64(from, &w->low, err));
    TRY(unpack_f64(from, &w->high, err));
  }
  return STATUS_OK;
}

static status pack_units(struct str *s, const struct attribution_base *r, struct error *err) {
  TRY(pack_u64(s, r->unit_count, err));
  for (size_t i = 0; i < r->unit_count; i++) {
    const struct attribution_unit *u = &r->units[i];
    TRY(pack_u32(s, (uint32_t)u->block, err));
    TRY(pack_u32(s, (uint32_t)u->unit, err));
    TRY(pack_f64(s, u->mean, err));
    TRY(pack_f64(s, u->spread, err));
    TRY(pack_text(s, u->lens, sizeof u->lens, err));
  }
  return STATUS_OK;
}

static status unpack_units(struct unpack *from, struct attribution_base *r, struct error *err) {
  TRY(record_count(from, UNIT_BYTES, &r->unit_count, err));
  TRY(mem_alloc(&r->units, r->unit_count, sizeof *r->units, err));
  for (size_t i = 0; i < r->unit_count; i++) {
    struct attribution_unit *u = &r->units[i];
    TRY(record_i32(from, &u->block, err));
    TRY(record_i32(from, &u->unit, err));
    TRY(unpack_f64(from, &u->mean, err));
    TRY(unpack_f64(from, &u->spread, err));
    TRY(unpack_text(from, u->lens, sizeof u->lens, err));
  }
  return STATUS_OK;
}

static status pack_matches(struct str *s, const struct attribution_base *r, struct error *err) {
  TRY(pack_u64(s, r->match_count, err));
  for (size_t i = 0; i < r->match_count; i++) {
    const struct attribution_match *m = &r->matches[i];
    TRY(pack_u32(s, (uint32_t)m->word, err));
    TRY(pack_u32(s, (uint32_t)m->unit, err));
    TRY(pack_f64(s, m->score, err));
    TRY(pack_f64(s, m->p, err));
    TRY(pack_u8(s, m->found, err));
    TRY(pack_f64(s, m->activation, err));
  }
  return STATUS_OK;
}

static status unpack_matches(struct unpack *from, struct attribution_base *r, struct error *err) {
  TRY(record_count(from, MATCH_BYTES, &r->match_count, err));
  TRY(mem_alloc(&r->matches, r->match_count, sizeof *r->matches, err));
  for (size_t i = 0; i < r->match_count; i++) {
    struct attribution_match *m = &r->matches[i];
    TRY(record_i32(from, &m->word, err));
    TRY(record_i32(from, &m->unit, err));
    TRY(unpack_f64(from, &m->score, err));
    TRY(unpack_f64(from, &m->p, err));
    TRY(record_flag(from, &m->found, err));
    TRY(unpack_f64(from, &m->activation, err));
  }
  return STATUS_OK;
}

static status pack_apart(struct str *s, const struct attribution_base *r, struct error *err) {
  TRY(pack_u64(s, r->apart_count, err));
  for (size_t i = 0; i < r->apart_count; i++) {
    const struct attribution_apart_unit *a = &r->apart[i];
    TRY(pack_u32(s, (uint32_t)a->block, err));
    TRY(pack_u32(s, (uint32_t)a->unit, err));
    TRY(pack_u32(s, (uint32_t)a->kind, err));
    TRY(pack_f64(s, a->mean, err));
    TRY(pack_f64(s, a->spread, err));
  }
  return STATUS_OK;
}

static status unpack_apart(struct unpack *from, struct attribution_base *r, struct error *err) {
  TRY(record_count(from, APART_BYTES, &r->apart_count, err));
  TRY(mem_alloc(&r->apart, r->apart_count, sizeof *r->apart, err));
  for (size_t i = 0; i < r->apart_count; i++) {
    struct attribution_apart_unit *a = &r->apart[i];
    TRY(record_i32(from, &a->block, err));
    TRY(record_i32(from, &a->unit, err));
    TRY(record_i32(from, &a->kind, err));
    TRY(unpack_f64(from, &a->mean, err));
    TRY(unpack_f64(from, &a->spread, err));
  }
  return STATUS_OK;
}

static status pack_causal(struct str *s, const struct attribution_base *r, struct error *err) {
  TRY(pack_u64(s, r->causal_count, err));
  for (size_t i = 0; i < r->causal_count; i++) {
    const struct attribution_causal *c = &r->causal[i];
    TRY(pack_u32(s, (uint32_t)c->set, err));
    TRY(pack_u32(s, (uint32_t)c->units, err));
    TRY(pack_f64(s, c->accuracy, err));
    TRY(pack_f64(s, c->gold, err));
    TRY(pack_f64(s, c->accuracy_change, err));
    TRY(pack_f64(s, c->accuracy_low, err));
    TRY(pack_f64(s, c->accuracy_high, err));
    TRY(pack_f64(s, c->gold_change, err));
    TRY(pack_f64(s, c->gold_low, err));
    TRY(pack_f64(s, c->gold_high, err));
  }
  return STATUS_OK;
}

static status unpack_causal(struct unpack *from, struct attribution_base *r, struct error *err) {
  TRY(record_count(from, CAUSAL_BYTES, &r->causal_count, err));
  TRY(mem_alloc(&r->causal, r->causal_count, sizeof *r->causal, err));
  for (size_t i = 0; i < r->causal_count; i++) {
    struct attribution_causal *c = &r->causal[i];
    TRY(record_i32(from, &c->set, err));
    TRY(record_i32(from, &c->units, err));
    TRY(unpack_f64(from, &c->accuracy, err));
    TRY(unpack_f64(from, &c->gold, err));
    TRY(unpack_f64(from, &c->accuracy_change, err));
    TRY(unpack_f64(from, &c->accuracy_low, err));
    TRY(unpack_f64(from, &c->accuracy_high, err));
    TRY(unpack_f64(from, &c->gold_change, err));
    TRY(unpack_f64(from, &c->gold_low, err));
    TRY(unpack_f64(from, &c->gold_high, err));
  }
  return STATUS_OK;
}

static status pack_examples(struct str *s, const struct attribution_base *r, struct error *err) {
  TRY(pack_u64(s, r->example_count, err));
  for (size_t i = 0; i < r->example_count; i++) {
    const struct attribution_example *e = &r->examples[i];
    size_t tokens = (size_t)e->tokens;
    TRY(pack_u32(s, (uint32_t)e->match, err));
    TRY(pack_u32(s, (uint32_t)e->item, err));
    TRY(pack_u32(s, (uint32_t)e->tokens, err));
    TRY(pack_text(s, e->text, strlen(e->text), err));
    TRY(pack_array(s, e->starts, tokens + 1, sizeof *e->starts, err));
    TRY(pack_array(s, e->activation, tokens, sizeof *e->activation, err));
  }
  return STATUS_OK;
}

static status unpack_passage(struct unpack *from, char **out, struct error *err) {
  uint32_t n;
  struct unpack ahead = *from;
  TRY(unpack_u32(&ahead, &n, err));
  TRY(unpack_fits(&ahead, n, 1, err));
  TRY(mem_alloc(out, (size_t)n + 1, 1, err));
  return unpack_text(from, *out, (size_t)n + 1, err);
}

static status unpack_example(struct unpack *from, struct attribution_example *e,
                             struct error *err) {
  TRY(record_i32(from, &e->match, err));
  TRY(record_i32(from, &e->item, err));
  uint32_t tokens;
  TRY(unpack_u32(from, &tokens, err));
  TRY(unpack_passage(from, &e->text, err));
  TRY(unpack_fits(from, tokens, sizeof *e->starts + sizeof *e->activation, err));
  if (tokens > INT32_MAX) {
    return err_set(err, STATUS_INPUT, "record: an example of %lu tokens", (unsigned long)tokens);
  }
  e->tokens = (int32_t)tokens;
  TRY(mem_alloc(&e->starts, (size_t)tokens + 1, sizeof *e->starts, err));
  TRY(unpack_array(from, e->starts, (size_t)tokens + 1, sizeof *e->starts, err));
  TRY(mem_alloc(&e->activation, tokens, sizeof *e->activation, err));
  return unpack_array(from, e->activation, tokens, sizeof *e->activation, err);
}

static status unpack_examples(struct unpack *from, struct attribution_base *r, struct error *err) {
  TRY(record_count(from, EXAMPLE_BYTES, &r->example_count, err));
  TRY(mem_alloc(&r->examples, r->example_count, sizeof *r->examples, err));
  for (size_t i = 0; i < r->example_count; i++) {
    TRY(unpack_example(from, &r->examples[i], err));
  }
  return STATUS_OK;
}

static status pack_base(struct str *s, const struct attribution_base *r, struct error *err) {
  size_t blocks = r->dead && r->blocks > 0 ? (size_t)r->blocks : 0;
  TRY(attribution_base_check(r, STATUS_BUG, err));
  TRY(pack_head(s, r, err));
  TRY(pack_words(s, r, err));
  TRY(pack_units(s, r, err));
  TRY(pack_matches(s, r, err));
  TRY(pack_apart(s, r, err));
  TRY(pack_causal(s, r, err));
  TRY(pack_examples(s, r, err));
  TRY(pack_u64(s, blocks, err));
  return pack_array(s, r->dead, blocks, sizeof *r->dead, err);
}

status record_encode_attribution_base(const struct attribution_base *r, unsigned char **out,
                                      size_t *size, struct error *err) {
  struct str s = {0};
  return record_finish(pack_base(&s, r, err), &s, out, size);
}

/* One number per block, or none at all where the attribution failed. */
static status unpack_dead(struct unpack *from, struct attribution_base *r, struct error *err) {
  size_t blocks;
  TRY(record_count(from, sizeof *r->dead, &blocks, err));
  if (blocks == 0) {
    return STATUS_OK;
  }
  if (!inside(r->blocks, blocks + 1) || (size_t)r->blocks != blocks) {
    return err_set(err, STATUS_INPUT, "record: dead units of %zu blocks in a model of %d", blocks,
                   (int)r->blocks);
  }
  TRY(mem_alloc(&r->dead, blocks, sizeof *r->dead, err));
  return unpack_array(from, r->dead, blocks, sizeof *r->dead, err);
}

static status unpack_base(struct unpack *from, struct attribution_base *r, struct error *err) {
  TRY(unpack_head(from, r, err));
  TRY(unpack_words(from, r, err));
  TRY(unpack_units(from, r, err));
  TRY(unpack_matches(from, r, err));
  TRY(unpack_apart(from, r, err));
  TRY(unpack_causal(from, r, err));
  TRY(unpack_examples(from, r, err));
  TRY(unpack_dead(from, r, err));
  TRY(attribution_base_check(r, STATUS_INPUT, err));
  return record_end(from, err);
}

status record_decode_attribution_base(struct attribution_base *out, const unsigned char *from,
                                      size_t size, struct error *err) {
  struct unpack left;
  *out = (struct attribution_base){0};
  TRY(record_open(&left, from, size, RECORD_ATTRIBUTION_BASE, err));
  status st = unpack_base(&left, out, err);
  if (st != STATUS_OK) {
    attribution_base_free(out);
  }
  return st;
}

void attribution_base_free(struct attribution_base *r) {
  for (size_t i = 0; r->examples && i < r->example_count; i++) {
    free(r->examples[i].text);
    free(r->examples[i].starts);
    free(r->examples[i].activation);
  }
  free(r->words);
  free(r->units);
  free(r->matches);
  free(r->apart);
  free(r->causal);
  free(r->examples);
  free(r->dead);
  *r = (struct attribution_base){0};
}
