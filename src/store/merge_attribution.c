/* Attributions of the inputs' journals. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/merge_parts.h"

static void drop_base(struct attribution_base *r) {
  if (r) {
    attribution_base_free(r);
    free(r);
  }
}

static void drop_loss(struct attribution_loss *r) {
  if (r) {
    attribution_loss_free(r);
    free(r);
  }
}

/* Whether a record takes the place of `old`: within one file the last good one does, between files
 * a good one that of a failure. Refuses good ones that differ. */
static status choose(const struct merge *m, size_t at, struct merge_place *old, bool there,
                     bool there_failed, bool failed, size_t input, const char digest[DIGEST_TEXT],
                     bool *takes, struct error *err) {
  bool good = there && !there_failed, own = there && old->input == input;
  if (good && !failed && !own && strcmp(old->digest, digest) != 0) {
    char name[256];
    merge_name_variant(m, at / m->dataset_count, name, sizeof name);
    return err_set(err, STATUS_INPUT, "%s and %s differ: %s on %s: its attribution is not the same",
                   m->inputs[old->input].path, m->inputs[input].path, name,
                   m->datasets[at % m->dataset_count].name);
  }
  *takes = !there || (own ? !good || !failed : !good && !failed);
  if (*takes) {
    old->input = input;
    memcpy(old->digest, digest, DIGEST_TEXT);
  }
  return STATUS_OK;
}

/* Where a record belongs; false: not in the merged plan. planned: as in merge_take_base. */
static bool find_place(const struct merge *m, const char *variant, const char *dataset,
                       const char *id, const char *const *planned, bool wanted, size_t *at) {
  size_t v, d;
  if (!merge_find_variant(m, variant, &v) || !merge_find_dataset(m, dataset, &d)) {
    return false;
  }
  *at = merge_at(m, v, d);
  const char *own = planned[*at];
  return own ? !own[0] || !id[0] || strcmp(own, id) == 0 : !wanted;
}

status merge_take_base(struct merge *m, size_t input, const char *const *planned,
                       const unsigned char *bytes, size_t size, bool *known, struct error *err) {
  struct attribution_base *r;
  char digest[DIGEST_TEXT];
  size_t at;
  bool takes = false;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  digest_bytes(bytes, size, digest);
  status st = record_decode_attribution_base(r, bytes, size, err);
  *known = st == STATUS_OK && find_place(m, r->variant, r->dataset, r->id, planned, false, &at);
  if (*known) {
    const struct attribution_base *old = m->bases[at];
    st = choose(m, at, &m->base_places[at], old, old && old->failed, r->failed, input, digest,
                &takes, err);
  }
  if (takes) {
    drop_base(m->bases[at]);
    m->bases[at] = r;
    r = NULL;
  }
  drop_base(r);
  return st;
}

status merge_take_loss(struct merge *m, size_t input, const char *const *planned,
                       const unsigned char *bytes, size_t size, bool *known, struct error *err) {
  struct attribution_loss *r;
  char digest[DIGEST_TEXT];
  size_t at;
  bool takes = false;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  digest_bytes(bytes, size, digest);
  status st = record_decode_attribution_loss(r, bytes, size, err);
  *known = st == STATUS_OK && find_place(m, r->variant, r->dataset, r->id, planned, true, &at);
  if (*known) {
    const struct attribution_loss *old = m->losses[at];
    st = choose(m, at, &m->loss_places[at], old, old && old->failed, r->failed, input, digest,
                &takes, err);
  }
  if (takes) {
    drop_loss(m->losses[at]);
    m->losses[at] = r;
    r = NULL;
  }
  drop_loss(r);
  return st;
}

status merge_make_attributions(struct merge *m, struct error *err) {
  size_t cells = m->variant_count * m->dataset_count;
  TRY(mem_alloc(&m->bases, cells, sizeof(struct attribution_base *), err));
  TRY(mem_alloc(&m->losses, cells, sizeof(struct attribution_loss *), err));
  TRY(mem_alloc(&m->base_places, cells, sizeof *m->base_places, err));
  return mem_alloc(&m->loss_places, cells, sizeof *m->loss_places, err);
}

void merge_free_attributions(struct merge *m) {
  size_t cells = m->variant_count * m->dataset_count;
  for (size_t i = 0; m->bases && i < cells; i++) {
    drop_base(m->bases[i]);
  }
  for (size_t i = 0; m->losses && i < cells; i++) {
    drop_loss(m->losses[i]);
  }
  free((void *)m->bases);
  free((void *)m->losses);
  free(m->base_places);
  free(m->loss_places);
}
