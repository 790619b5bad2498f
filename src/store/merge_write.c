/* The merged journal: variants and cells in their order, then what is copied as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/mask_record.h"
#include "store/merge_parts.h"

struct writing {
  const struct merge *m;
  struct journal *to;
  size_t input;
  bool *written; /* [other_count], of others as they are sorted */
};

static status stage(struct journal *to, status encoded, unsigned char *bytes, size_t size,
                    struct error *err) {
  TRY(encoded);
  status st = journal_stage(to, bytes, size, err);
  free(bytes);
  return st;
}

static status write_attribution(const struct merge *m, size_t at, struct journal *to,
                                struct error *err) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  if (m->bases[at]) {
    status st = record_encode_attribution_base(m->bases[at], &bytes, &size, err);
    TRY(stage(to, st, bytes, size, err));
  }
  if (m->losses[at]) {
    status st = record_encode_attribution_loss(m->losses[at], &bytes, &size, err);
    TRY(stage(to, st, bytes, size, err));
  }
  return STATUS_OK;
}

/* A cell's attribution stands before the cell. */
static status write_variant(const struct merge *m, size_t v, struct journal *to,
                            struct error *err) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  if (m->variants[v].record) {
    status st = record_encode_variant(m->variants[v].record, &bytes, &size, err);
    TRY(stage(to, st, bytes, size, err));
  }
  for (size_t d = 0; d < m->dataset_count; d++) {
    const struct cell_record *c = m->cells[merge_at(m, v, d)];
    TRY(write_attribution(m, merge_at(m, v, d), to, err));
    if (c) {
      status st = record_encode_cell(c, &bytes, &size, err);
      TRY(stage(to, st, bytes, size, err));
    }
  }
  return STATUS_OK;
}

static int compare_digests(const void *a, const void *b) {
  return memcmp(a, b, DIGEST_TEXT);
}

static status copy_other(struct writing *w, const unsigned char *record, size_t size,
                         const char digest[DIGEST_TEXT], struct error *err) {
  const struct merge *m = w->m;
  const char(*at)[DIGEST_TEXT] = NULL;
  if (m->other_count > 0) {
    at = bsearch(digest, m->others, m->other_count, sizeof *m->others, compare_digests);
  }
  if (!at || w->written[at - m->others]) {
    return STATUS_OK;
  }
  w->written[at - m->others] = true;
  return journal_stage(w->to, record, size, err);
}

/* Whether a mask record is kept, and this input's to give. */
static bool gives_part(const struct writing *w, const char digest[DIGEST_TEXT]) {
  const struct merge *m = w->m;
  size_t low = 0, high = m->part_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (strcmp(m->parts[middle].digest, digest) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < m->part_count && strcmp(m->parts[low].digest, digest) == 0 &&
         m->parts[low].input == w->input;
}

static status copy(void *user, const unsigned char *record, size_t size, struct error *err) {
  struct writing *w = user;
  enum record_kind kind = record_kind(record, size);
  char digest[DIGEST_TEXT];
  digest_bytes(record, size, digest);
  size_t v;
  if (kind == RECORD_MASKS) {
    struct mask_record r;
    TRY(record_decode_masks(&r, record, size, err));
    bool known = merge_find_variant(w->m, r.variant, &v);
    mask_record_free(&r);
    if (known) {
      return gives_part(w, digest) ? journal_stage(w->to, record, size, err) : STATUS_OK;
    }
  }
  return copy_other(w, record, size, digest, err);
}

status merge_write_journal(const struct merge *m, struct journal *to, struct error *err) {
  for (size_t v = 0; v < m->variant_count; v++) {
    TRY(write_variant(m, v, to, err));
  }
  for (size_t i = 0; i < m->distance_count; i++) {
    unsigned char *bytes = NULL;
    size_t size = 0;
    status st = record_encode_distance(&m->distances[i], &bytes, &size, err);
    TRY(stage(to, st, bytes, size, err));
  }
  struct writing w = {.m = m, .to = to};
  TRY(mem_alloc(&w.written, m->other_count, sizeof *w.written, err));
  status st = STATUS_OK;
  for (; st == STATUS_OK && w.input < m->input_count; w.input++) {
    if (m->part_count || m->other_count) {
      st = journal_read(m->inputs[w.input].journal, copy, &w, err);
    }
  }
  free(w.written);
  return st == STATUS_OK ? journal_flush(to, err) : st;
}
