/* The inputs' journals: what is taken from them, and the one that is made of them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/mask_record.h"
#include "store/merge_parts.h"

/* A journal that is being read. */
struct taking {
  struct merge *m;
  size_t input;
  /* [variants][data sets]: the cell's id as this input's file plans it, else as another does; ""
     where the file does not say, NULL where no file plans it */
  const char **planned;
};

static void drop_variant(struct variant_record *r) {
  if (r) {
    variant_record_free(r);
    free(r);
  }
}

static void drop_cell(struct cell_record *r) {
  if (r) {
    cell_record_free(r);
    free(r);
  }
}

static status find_planned(struct taking *t, struct error *err) {
  struct merge *m = t->m;
  const struct results_file *f = &m->inputs[t->input].file;
  size_t v = 0, d = 0, cells = m->variant_count * m->dataset_count;
  TRY(mem_alloc(&t->planned, cells, sizeof *t->planned, err));
  for (size_t i = 0; i < cells; i++) {
    t->planned[i] = m->wanted[i] && m->cell_ids[i][0] ? m->cell_ids[i] : NULL;
  }
  for (size_t c = 0; c < f->cell_count; c++) {
    if (merge_find_variant(m, f->cells[c].variant, &v) &&
        merge_find_dataset(m, f->cells[c].dataset, &d)) {
      t->planned[merge_at(m, v, d)] = f->cells[c].id;
    }
  }
  return STATUS_OK;
}

/* A record of no planned cell: an older experiment's, which a run may want again. */
static status take_other(struct merge *m, const unsigned char *bytes, size_t size,
                         struct error *err) {
  char digest[DIGEST_TEXT];
  digest_bytes(bytes, size, digest);
  TRY(mem_reserve(&m->others, &m->other_cap, m->other_count + 1, sizeof *m->others, err));
  memcpy(m->others[m->other_count++], digest, sizeof digest);
  return STATUS_OK;
}

/* Puts r into its slot, or frees it: a failure gives way, a good one stays. */
static status place_variant(struct merge *m, size_t variant, struct variant_record *r, size_t input,
                            struct error *err) {
  struct merge_variant *v = &m->variants[variant];
  bool good = v->record && !v->record->failed;
  status st = STATUS_OK;
  if (good && !r->failed && v->record_input != input) {
    st = merge_same_variant(m, variant, r, input, err);
  }
  bool later = v->record_input == input || !r->failed; /* the first input's failure stays */
  if (st != STATUS_OK || good || (v->record && !later)) {
    drop_variant(r);
    return st;
  }
  drop_variant(v->record);
  v->record = r;
  v->record_input = input;
  return STATUS_OK;
}

static status take_variant(const struct taking *t, const unsigned char *bytes, size_t size,
                           struct error *err) {
  struct variant_record *r;
  size_t v;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  status st = record_decode_variant(r, bytes, size, err);
  if (st != STATUS_OK || !merge_find_variant(t->m, r->id, &v)) {
    drop_variant(r);
    return st == STATUS_OK ? take_other(t->m, bytes, size, err) : st;
  }
  return place_variant(t->m, v, r, t->input, err);
}

static status place_cell(struct merge *m, size_t variant, size_t dataset, struct cell_record *r,
                         size_t input, struct error *err) {
  size_t at = merge_at(m, variant, dataset);
  struct cell_record *old = m->cells[at];
  bool same_file = old && m->cell_inputs[at] == input;
  bool good = old && !old->failed && (!same_file || strcmp(old->id, r->id) == 0);
  status st = STATUS_OK;
  if (good && !r->failed && !same_file) {
    st = merge_same_cell(m, variant, dataset, r, input, err);
    m->twice++;
    good = st != STATUS_OK || old->items >= r->items; /* one may keep items, the other not */
  }
  if (st != STATUS_OK || good || (old && !same_file && r->failed)) {
    drop_cell(r);
    return st;
  }
  drop_cell(old);
  m->cells[at] = r;
  m->cell_inputs[at] = input;
  return STATUS_OK;
}

static status take_cell(const struct taking *t, const unsigned char *bytes, size_t size,
                        struct error *err) {
  struct cell_record *r;
  size_t v, d;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  status st = record_decode_cell(r, bytes, size, err);
  const char *planned = NULL;
  if (st == STATUS_OK && merge_find_variant(t->m, r->variant, &v) &&
      merge_find_dataset(t->m, r->dataset, &d)) {
    planned = t->planned[merge_at(t->m, v, d)];
  }
  if (!planned || (planned[0] && strcmp(planned, r->id) != 0)) {
    drop_cell(r);
    return st == STATUS_OK ? take_other(t->m, bytes, size, err) : st;
  }
  return place_cell(t->m, v, d, r, t->input, err);
}

static status take_masks(const struct taking *t, const unsigned char *bytes, size_t size,
                         struct error *err) {
  struct merge *m = t->m;
  struct mask_record r;
  struct merge_part p = {.input = t->input};
  TRY(record_decode_masks(&r, bytes, size, err));
  bool known = merge_find_variant(m, r.variant, &p.variant);
  p.part = r.part;
  p.parts = r.parts;
  mask_record_free(&r);
  if (!known) {
    return take_other(m, bytes, size, err);
  }
  digest_bytes(bytes, size, p.digest);
  TRY(mem_reserve(&m->parts, &m->part_cap, m->part_count + 1, sizeof *m->parts, err));
  m->parts[m->part_count++] = p;
  return STATUS_OK;
}

/* Whether two distances stand in one row. */
static bool same_row(const struct distance_record *a, const struct distance_record *b) {
  return a->draw == b->draw && a->samples == b->samples && a->length == b->length &&
         strcmp(a->model, b->model) == 0 && strcmp(a->calibration, b->calibration) == 0 &&
         strcmp(a->dataset, b->dataset) == 0 && strcmp(a->kind, b->kind) == 0;
}

static status take_distance(const struct taking *t, const unsigned char *bytes, size_t size,
                            struct error *err) {
  struct merge *m = t->m;
  struct distance_record r;
  TRY(record_decode_distance(&r, bytes, size, err));
  for (size_t i = 0; i < m->distance_count; i++) {
    struct distance_record *old = &m->distances[i];
    const char *before = m->inputs[m->distance_inputs[i]].path;
    if (!same_row(old, &r)) {
      continue;
    }
    if (m->distance_inputs[i] == t->input) {
      *old = r;
    } else if (strcmp(old->id, r.id) == 0 && old->value != r.value) {
      return err_set(err, STATUS_INPUT,
                     "%s and %s differ: %s distance of %s draw %d from %s: %.9g "
                     "and %.9g",
                     before, m->inputs[t->input].path, r.kind, r.calibration, (int)r.draw,
                     r.dataset, old->value, r.value);
    }
    return STATUS_OK;
  }
  size_t n = m->distance_count;
  TRY(mem_reserve(&m->distances, &m->distance_cap, n + 1, sizeof *m->distances, err));
  TRY(mem_reserve(&m->distance_inputs, &m->distance_input_cap, n + 1, sizeof *m->distance_inputs,
                  err));
  m->distances[n] = r;
  m->distance_inputs[n] = t->input;
  m->distance_count++;
  return STATUS_OK;
}

static status take_attribution(const struct taking *t, const unsigned char *bytes, size_t size,
                               struct error *err) {
  bool base = record_kind(bytes, size) == RECORD_ATTRIBUTION_BASE, known;
  TRY((base ? merge_take_base : merge_take_loss)(t->m, t->input, t->planned, bytes, size, &known,
                                                 err));
  return known ? STATUS_OK : take_other(t->m, bytes, size, err);
}

static status take(void *user, const unsigned char *record, size_t size, struct error *err) {
  const struct taking *t = user;
  switch (record_kind(record, size)) {
  case RECORD_VARIANT:
    return take_variant(t, record, size, err);
  case RECORD_CELL:
    return take_cell(t, record, size, err);
  case RECORD_MASKS:
    return take_masks(t, record, size, err);
  case RECORD_DISTANCE:
    return take_distance(t, record, size, err);
  case RECORD_ATTRIBUTION_BASE:
  case RECORD_ATTRIBUTION_LOSS:
    return take_attribution(t, record, size, err);
  }
  return take_other(t->m, record, size, err); /* of a later version */
}

status merge_take_journal(struct merge *m, size_t input, struct error *err) {
  struct taking t = {.m = m, .input = input};
  status st = find_planned(&t, err);
  if (st == STATUS_OK) {
    st = journal_read(m->inputs[input].journal, take, &t, err);
  }
  free((void *)t.planned);
  return st;
}
