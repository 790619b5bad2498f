#include <stdlib.h>

#include "base/mem.h"
#include "store/attribution.h"
#include "store/record_parts.h"

static status pack_head(struct str *s, const struct attribution_loss *r, struct error *err) {
  TRY(record_pack_head(s, RECORD_ATTRIBUTION_LOSS, err));
  TRY(pack_text(s, r->variant, sizeof r->variant, err));
  TRY(pack_text(s, r->dataset, sizeof r->dataset, err));
  TRY(pack_text(s, r->id, sizeof r->id, err));
  TRY(pack_u8(s, r->failed, err));
  TRY(pack_text(s, r->error, sizeof r->error, err));
  TRY(pack_f64(s, r->loss, err));
  TRY(pack_f64(s, r->accuracy, err));
  TRY(pack_f64(s, r->gold, err));
  TRY(pack_f64(s, r->patched_accuracy, err));
  TRY(pack_f64(s, r->patched_gold, err));
  TRY(pack_f64(s, r->restored, err));
  TRY(pack_f64(s, r->restored_low, err));
  TRY(pack_f64(s, r->restored_high, err));
  TRY(pack_f64(s, r->layer_error, err));
  return pack_f64(s, r->perplexity, err);
}

static status unpack_head(struct unpack *from, struct attribution_loss *r, struct error *err) {
  TRY(unpack_text(from, r->variant, sizeof r->variant, err));
  TRY(unpack_text(from, r->dataset, sizeof r->dataset, err));
  TRY(unpack_text(from, r->id, sizeof r->id, err));
  TRY(record_flag(from, &r->failed, err));
  TRY(unpack_text(from, r->error, sizeof r->error, err));
  TRY(unpack_f64(from, &r->loss, err));
  TRY(unpack_f64(from, &r->accuracy, err));
  TRY(unpack_f64(from, &r->gold, err));
  TRY(unpack_f64(from, &r->patched_accuracy, err));
  TRY(unpack_f64(from, &r->patched_gold, err));
  TRY(unpack_f64(from, &r->restored, err));
  TRY(unpack_f64(from, &r->restored_low, err));
  TRY(unpack_f64(from, &r->restored_high, err));
  TRY(unpack_f64(from, &r->layer_error, err));
  return unpack_f64(from, &r->perplexity, err);
}

static status pack_traces(struct str *s, const struct attribution_loss *r, struct error *err) {
  TRY(pack_u64(s, r->example_count, err));
  for (size_t i = 0; i < r->example_count; i++) {
    const struct attribution_trace *t = &r->examples[i];
    if (t->tokens < 0) {
      return err_set(err, STATUS_BUG, "record: an example of %d tokens", (int)t->tokens);
    }
    TRY(pack_u32(s, (uint32_t)t->tokens, err));
    TRY(pack_array(s, t->activation, (size_t)t->tokens, sizeof *t->activation, err));
  }
  return STATUS_OK;
}

static status unpack_traces(struct unpack *from, struct attribution_loss *r, struct error *err) {
  TRY(record_count(from, sizeof(uint32_t), &r->example_count, err));
  TRY(mem_alloc(&r->examples, r->example_count, sizeof *r->examples, err));
  for (size_t i = 0; i < r->example_count; i++) {
    struct attribution_trace *t = &r->examples[i];
    uint32_t tokens;
    TRY(unpack_u32(from, &tokens, err));
    TRY(unpack_fits(from, tokens, sizeof *t->activation, err));
    if (tokens > INT32_MAX) {
      return err_set(err, STATUS_INPUT, "record: an example of %lu tokens", (unsigned long)tokens);
    }
    TRY(mem_alloc(&t->activation, tokens, sizeof *t->activation, err));
    TRY(unpack_array(from, t->activation, tokens, sizeof *t->activation, err));
    t->tokens = (int32_t)tokens;
  }
  return STATUS_OK;
}

static status pack_loss(struct str *s, const struct attribution_loss *r, struct error *err) {
  TRY(pack_head(s, r, err));
  TRY(pack_u64(s, r->word_count, err));
  TRY(pack_array(s, r->word_loss, r->word_count, sizeof *r->word_loss, err));
  TRY(pack_u64(s, r->match_count, err));
  TRY(pack_array(s, r->activation, r->match_count, sizeof *r->activation, err));
  TRY(pack_u64(s, r->block_count, err));
  TRY(pack_array(s, r->block_loss, r->block_count, sizeof *r->block_loss, err));
  TRY(pack_array(s, r->dead, r->block_count, sizeof *r->dead, err));
  return pack_traces(s, r, err);
}

status record_encode_attribution_loss(const struct attribution_loss *r, unsigned char **out,
                                      size_t *size, struct error *err) {
  struct str s = {0};
  return record_finish(pack_loss(&s, r, err), &s, out, size);
}

static status unpack_reals(struct unpack *from, double **out, size_t *count, struct error *err) {
  TRY(record_count(from, sizeof **out, count, err));
  TRY(mem_alloc(out, *count, sizeof **out, err));
  return unpack_array(from, *out, *count, sizeof **out, err);
}

static status unpack_loss(struct unpack *from, struct attribution_loss *r, struct error *err) {
  TRY(unpack_head(from, r, err));
  TRY(unpack_reals(from, &r->word_loss, &r->word_count, err));
  TRY(unpack_reals(from, &r->activation, &r->match_count, err));
  TRY(unpack_reals(from, &r->block_loss, &r->block_count, err));
  TRY(unpack_fits(from, r->block_count, sizeof *r->dead, err));
  TRY(mem_alloc(&r->dead, r->block_count, sizeof *r->dead, err));
  TRY(unpack_array(from, r->dead, r->block_count, sizeof *r->dead, err));
  TRY(unpack_traces(from, r, err));
  return record_end(from, err);
}

status record_decode_attribution_loss(struct attribution_loss *out, const unsigned char *from,
                                      size_t size, struct error *err) {
  struct unpack left;
  *out = (struct attribution_loss){0};
  TRY(record_open(&left, from, size, RECORD_ATTRIBUTION_LOSS, err));
  status st = unpack_loss(&left, out, err);
  if (st != STATUS_OK) {
    attribution_loss_free(out);
  }
  return st;
}

void attribution_loss_free(struct attribution_loss *r) {
  for (size_t i = 0; r->examples && i < r->example_count; i++) {
    free(r->examples[i].activation);
  }
  free(r->word_loss);
  free(r->activation);
  free(r->block_loss);
  free(r->dead);
  free(r->examples);
  *r = (struct attribution_loss){0};
}
