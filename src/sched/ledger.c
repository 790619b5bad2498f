#include "sched/ledger_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

static int compare_ids(const void *a, const void *b, void *plan) {
  const struct plan *p = plan;
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  int order = strcmp(p->variants[x].id, p->variants[y].id);
  return order ? order : (x > y) - (x < y);
}

bool ledger_find_planned(const struct ledger *l, const char *id, size_t *out) {
  size_t low = 0, high = l->plan->variant_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (strcmp(l->plan->variants[l->by_id[middle]].id, id) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == l->plan->variant_count || strcmp(l->plan->variants[l->by_id[low]].id, id) != 0) {
    return false;
  }
  *out = l->by_id[low];
  return true;
}

bool ledger_find_variant(const struct ledger *l, const char *id, size_t *out) {
  return ledger_find_planned(l, id, out) && !l->plan->variants[*out].elsewhere;
}

static bool find_cell(const struct ledger *l, const struct cell_record *r, size_t *variant,
                      size_t *dataset) {
  if (!ledger_find_variant(l, r->variant, variant)) {
    return false;
  }
  for (size_t d = 0; d < l->plan->dataset_count; d++) {
    const struct cell *c = plan_cell(l->plan, *variant, d);
    if (c->wanted && strcmp(c->id, r->id) == 0) {
      *dataset = d;
      return true;
    }
  }
  return false;
}

static void drop_cell(struct cell_record *r) {
  if (r) {
    cell_record_free(r);
    free(r);
  }
}

static void drop_variant(struct variant_record *r) {
  if (r) {
    variant_record_free(r);
    free(r);
  }
}

static struct cell_record **cell_slot(const struct ledger *l, size_t variant, size_t dataset) {
  return &l->cells[variant * l->plan->dataset_count + dataset];
}

/* Takes a record in; *known is false for one that is not of the plan. A good record stays, a failed
 * one is replaced. */
static status take_variant(struct ledger *l, const unsigned char *bytes, size_t size,
                           struct ledger_entry *out, bool *known, struct error *err) {
  struct variant_record *r;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  status st = record_decode_variant(r, bytes, size, err);
  size_t v = 0;
  *known = st == STATUS_OK && ledger_find_variant(l, r->id, &v);
  struct variant_record **slot = *known ? &l->variants[v] : NULL;
  bool fresh = slot && !(*slot && !(*slot)->failed);
  if (!fresh) {
    drop_variant(r);
    r = slot ? *slot : NULL;
  } else {
    drop_variant(*slot);
    *slot = r;
  }
  if (r) {
    *out = (struct ledger_entry){.variant = v,
                                 .dataset = l->plan->dataset_count,
                                 .failed = r->failed,
                                 .fresh = fresh,
                                 .error = r->error};
  }
  return st;
}

static status take_cell(struct ledger *l, const unsigned char *bytes, size_t size,
                        struct ledger_entry *out, bool *known, struct error *err) {
  struct cell_record *r;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  status st = record_decode_cell(r, bytes, size, err);
  size_t v = 0, d = 0;
  *known = st == STATUS_OK && find_cell(l, r, &v, &d);
  struct cell_record **slot = *known ? cell_slot(l, v, d) : NULL;
  bool fresh = slot && !(*slot && !(*slot)->failed);
  if (!fresh) {
    drop_cell(r);
    r = slot ? *slot : NULL;
  } else {
    l->done += *slot == NULL;
    l->failed += (size_t)r->failed - (size_t)(*slot && (*slot)->failed);
    drop_cell(*slot);
    *slot = r;
  }
  if (r) {
    *out = (struct ledger_entry){
        .variant = v, .dataset = d, .failed = r->failed, .fresh = fresh, .error = r->error};
  }
  return st;
}

static status take(struct ledger *l, const unsigned char *bytes, size_t size,
                   struct ledger_entry *out, bool *known, struct error *err) {
  switch (record_kind(bytes, size)) {
  case RECORD_VARIANT:
    return take_variant(l, bytes, size, out, known, err);
  case RECORD_CELL:
    return take_cell(l, bytes, size, out, known, err);
  case RECORD_MASKS:
    return ledger_take_masks(l, bytes, size, out, known, err);
  case RECORD_DISTANCE:
    return ledger_take_distance(l, bytes, size, out, known, err);
  case RECORD_ATTRIBUTION_BASE:
    return ledger_take_attribution_base(l, bytes, size, out, known, err);
  case RECORD_ATTRIBUTION_LOSS:
    return ledger_take_attribution_loss(l, bytes, size, out, known, err);
  }
  *known = false; /* of a later version: kept in the journal, not shown */
  return STATUS_OK;
}

static status replay(void *user, const unsigned char *record, size_t size, struct error *err) {
  struct ledger_entry entry;
  bool known;
  return take(user, record, size, &entry, &known, err);
}

/* Whether a results file is there, and whether it can be read. */
static status check_results(const char *results, const char *journal, char **note,
                            struct error *err) {
  if (!file_exists(results)) {
    return STATUS_OK;
  }
  struct error damage = {0};
  struct results_file old = {0};
  bool good = results_read(&old, results, &damage) == STATUS_OK;
  results_close(&old);
  if (!file_exists(journal)) {
    return good ? err_at(err, STATUS_INPUT, results, 0,
                         "its journal %s is missing, so a run would replace these results (move "
                         "them away, or name another file with -o)",
                         journal)
                : err_at(err, STATUS_INPUT, results, 0,
                         "is no results file, or a damaged one without its journal %s", journal);
  }
  return good ? STATUS_OK
              : str_format(note, err, "%s is damaged: rebuilt from %s", results, journal);
}

static status open_journal(struct ledger *l, const char *path, char **note, struct error *err) {
  size_t dropped = 0;
  TRY(journal_open(&l->journal, path, replay, l, &dropped, err));
  if (dropped && !*note) {
    return str_format(note, err, "%s: the last %zu bytes were incomplete and are dropped", path,
                      dropped);
  }
  return STATUS_OK;
}

static status fill(struct ledger *l, const char *results, char **note, struct error *err) {
  size_t variants = l->plan->variant_count;
  TRY(mem_dup(&l->results, results, strlen(results), err));
  TRY(mem_alloc(&l->variants, variants, sizeof(struct variant_record *), err));
  TRY(mem_alloc(&l->cells, variants * l->plan->dataset_count, sizeof(struct cell_record *), err));
  TRY(mem_alloc(&l->parts, variants, sizeof *l->parts, err));
  TRY(mem_alloc(&l->masks, variants, sizeof *l->masks, err));
  TRY(mem_alloc(&l->attributions, variants * l->plan->dataset_count, sizeof *l->attributions, err));
  TRY(mem_alloc(&l->by_id, variants, sizeof *l->by_id, err));
  for (size_t i = 0; i < variants; i++) {
    l->by_id[i] = i;
  }
  qsort_r(l->by_id, variants, sizeof *l->by_id, compare_ids, l->plan);
  TRY(ledger_describe(l, err));
  char *path;
  TRY(journal_path(&path, results, err));
  status st = check_results(results, path, note, err);
  if (st == STATUS_OK) {
    st = open_journal(l, path, note, err);
  }
  free(path);
  return st;
}

status ledger_open(struct ledger **out, struct plan *plan, const char *results, char **note,
                   struct error *err) {
  struct ledger *l;
  TRY(mem_alloc(&l, 1, sizeof *l, err));
  l->plan = plan;
  *note = NULL;
  status st = fill(l, results, note, err);
  if (st != STATUS_OK) {
    ledger_close(l);
    free(*note);
    *note = NULL;
    return st;
  }
  *out = l;
  return STATUS_OK;
}

void ledger_close(struct ledger *l) {
  if (!l) {
    return;
  }
  journal_close(l->journal);
  for (size_t i = 0; l->variants && i < l->plan->variant_count; i++) {
    drop_variant(l->variants[i]);
  }
  for (size_t i = 0; l->cells && i < l->plan->variant_count * l->plan->dataset_count; i++) {
    drop_cell(l->cells[i]);
  }
  for (size_t i = 0; l->parts && i < l->plan->variant_count; i++) {
    free(l->parts[i].there);
  }
  ledger_drop_attributions(l);
  for (size_t i = 0; i < l->calibration_count; i++) {
    sequences_free(&l->draws[i]);
  }
  free(l->draws);
  free(l->draw_variants);
  free(l->draw_digests);
  free(l->distances);
  free(l->wanted);
  free((void *)l->cell_ids);
  free(l->calibration_infos);
  free(l->dataset_infos);
  free(l->variant_infos);
  free(l->parts);
  free(l->masks);
  free(l->by_id);
  free(l->cells);
  free(l->variants);
  free(l->results);
  free(l);
}

bool ledger_cell_done(const struct ledger *l, size_t variant, size_t dataset) {
  const struct cell_record *r = *cell_slot(l, variant, dataset);
  return r && !r->failed;
}

bool ledger_variant_done(const struct ledger *l, size_t variant) {
  bool pruned = l->variants[variant] && !l->variants[variant]->failed;
  bool stored = !l->plan->grid->store_masks || l->plan->variants[variant].method->dense;
  return pruned && (stored || l->masks[variant]);
}

status ledger_add(struct ledger *l, const unsigned char *record, size_t size,
                  struct ledger_entry *out, struct error *err) {
  bool known;
  TRY(take(l, record, size, out, &known, err));
  if (!known) {
    return err_set(err, STATUS_BUG, "a record that is not of this plan");
  }
  return out->fresh ? journal_append(l->journal, record, size, err) : STATUS_OK;
}

status ledger_fail(struct ledger *l, size_t variant, size_t dataset, const char *reason,
                   struct ledger_entry *out, struct error *err) {
  struct cell_record r = {.failed = true};
  memcpy(r.variant, l->plan->variants[variant].id, sizeof r.variant);
  memcpy(r.id, plan_cell(l->plan, variant, dataset)->id, sizeof r.id);
  (void)snprintf(r.dataset, sizeof r.dataset, "%s", l->plan->datasets[dataset].name);
  (void)snprintf(r.error, sizeof r.error, "%s", reason);
  unsigned char *bytes;
  size_t size;
  TRY(record_encode_cell(&r, &bytes, &size, err));
  status st = ledger_add(l, bytes, size, out, err);
  free(bytes);
  return st;
}

status ledger_write(struct ledger *l, const struct attribute *attributes, size_t count,
                    struct error *err) {
  TRY(journal_check(l->journal, err));
  struct distance_record *distances;
  size_t distance_count;
  TRY(ledger_list_distances(l, &distances, &distance_count, err));
  const struct attribution_base **bases = NULL;
  const struct attribution_loss **losses = NULL;
  status st = ledger_list_attributions(l, &bases, &losses, err);
  struct results r = {.attributes = attributes,
                      .attribute_count = count,
                      .variants = l->variant_infos,
                      .variant_count = l->plan->variant_count,
                      .datasets = l->dataset_infos,
                      .dataset_count = l->plan->dataset_count,
                      .calibrations = l->calibration_infos,
                      .calibration_count = l->calibration_count,
                      .wanted = l->wanted,
                      .cell_ids = l->cell_ids,
                      .journal = l->journal,
                      .masks = l->masks,
                      .distances = distances,
                      .distance_count = distance_count,
                      .attribution_bases = bases,
                      .attribution_losses = losses,
                      .variant_records = (const struct variant_record *const *)l->variants,
                      .cell_records = (const struct cell_record *const *)l->cells};
  st = st == STATUS_OK ? results_write(l->results, &r, err) : st;
  free(distances);
  free((void *)bases);
  free((void *)losses);
  return st;
}

size_t ledger_done(const struct ledger *l) {
  return l->done;
}

size_t ledger_failed(const struct ledger *l) {
  return l->failed;
}

void ledger_failures(const struct ledger *l, bool (*see)(void *user, const struct ledger_entry *e),
                     void *user) {
  for (size_t v = 0; v < l->plan->variant_count; v++) {
    for (size_t d = 0; d < l->plan->dataset_count; d++) {
      const struct cell_record *r = *cell_slot(l, v, d);
      if (r && r->failed &&
          !see(user, &(struct ledger_entry){
                         .variant = v, .dataset = d, .failed = true, .error = r->error})) {
        return;
      }
    }
  }
}
