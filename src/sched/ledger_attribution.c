#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sched/ledger_parts.h"

static void drop_base(struct attribution_base *b) {
  if (b) {
    attribution_base_free(b);
    free(b);
  }
}

static void drop_loss(struct attribution_loss *l) {
  if (l) {
    attribution_loss_free(l);
    free(l);
  }
}

/* Records cut longer names. */
enum { DATASET_TEXT = sizeof((struct attribution_base *)0)->dataset - 1 };

/* The cell that a record names; NULL for one that is not planned so. */
static struct cell_attribution *find_slot(const struct ledger *l, size_t variant,
                                          const char *dataset, const char *id,
                                          struct ledger_entry *out) {
  for (size_t d = 0; d < l->plan->dataset_count; d++) {
    if (strncmp(l->plan->datasets[d].name, dataset, DATASET_TEXT) == 0 &&
        (!id[0] || strcmp(plan_cell(l->plan, variant, d)->id, id) == 0)) {
      *out = (struct ledger_entry){.variant = variant, .dataset = d, .attribution = true};
      return &l->attributions[variant * l->plan->dataset_count + d];
    }
  }
  return NULL;
}

/* A base may be another shard's too: losses are measured from it. */
status ledger_take_attribution_base(struct ledger *l, const unsigned char *bytes, size_t size,
                                    struct ledger_entry *out, bool *known, struct error *err) {
  struct attribution_base *r;
  size_t v;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  status st = record_decode_attribution_base(r, bytes, size, err);
  struct cell_attribution *to = NULL;
  if (st == STATUS_OK && ledger_find_planned(l, r->variant, &v) &&
      l->plan->variants[v].method->dense) {
    to = find_slot(l, v, r->dataset, r->id, out);
  }
  *known = to != NULL;
  if (to && (!to->base || to->base->failed || !r->failed)) {
    char digest[DIGEST_TEXT];
    digest_bytes(bytes, size, digest);
    out->fresh = strcmp(digest, to->base_digest) != 0;
    memcpy(to->base_digest, digest, sizeof digest);
    drop_base(to->base);
    to->base = r;
    r = NULL;
  }
  if (to) {
    out->failed = to->base->failed;
    out->error = to->base->error;
  }
  drop_base(r);
  return st;
}

status ledger_take_attribution_loss(struct ledger *l, const unsigned char *bytes, size_t size,
                                    struct ledger_entry *out, bool *known, struct error *err) {
  struct attribution_loss *r;
  size_t v;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  status st = record_decode_attribution_loss(r, bytes, size, err);
  struct cell_attribution *to = NULL;
  if (st == STATUS_OK && ledger_find_variant(l, r->variant, &v)) {
    to = find_slot(l, v, r->dataset, r->id, out);
  }
  *known = to != NULL;
  if (to && (!to->loss || to->loss->failed || !r->failed)) {
    char digest[DIGEST_TEXT];
    digest_bytes(bytes, size, digest);
    out->fresh = strcmp(digest, to->loss_digest) != 0;
    memcpy(to->loss_digest, digest, sizeof digest);
    drop_loss(to->loss);
    to->loss = r;
    r = NULL;
  }
  if (to) {
    out->failed = to->loss->failed;
    out->error = to->loss->error;
  }
  drop_loss(r);
  return st;
}

void ledger_drop_attributions(struct ledger *l) {
  for (size_t i = 0; l->attributions && i < l->plan->variant_count * l->plan->dataset_count; i++) {
    drop_base(l->attributions[i].base);
    drop_loss(l->attributions[i].loss);
  }
  free(l->attributions);
}

status ledger_list_attributions(const struct ledger *l, const struct attribution_base ***bases,
                                const struct attribution_loss ***losses, struct error *err) {
  size_t cells = l->plan->variant_count * l->plan->dataset_count;
  TRY(mem_alloc(bases, cells, sizeof(struct attribution_base *), err));
  TRY(mem_alloc(losses, cells, sizeof(struct attribution_loss *), err));
  for (size_t i = 0; i < cells; i++) {
    (*bases)[i] = l->attributions[i].base;
    (*losses)[i] = l->wanted[i] ? l->attributions[i].loss : NULL;
  }
  return STATUS_OK;
}

const struct attribution_base *ledger_base(const struct ledger *l, size_t variant, size_t dataset) {
  size_t dense = plan_dense(l->plan, l->plan->variants[variant].model);
  if (dense == l->plan->variant_count || !l->attributions) {
    return NULL;
  }
  const struct attribution_base *b = l->attributions[dense * l->plan->dataset_count + dataset].base;
  return b && !b->failed ? b : NULL;
}
