#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sched/ledger_parts.h"

/* Raise it when a distance's definition changes. */
#define DISTANCE_IDENTITY "espalier-distance-1"

size_t ledger_draws(const struct ledger *l, const struct calibration_info **out) {
  *out = l->calibration_infos;
  return l->calibration_count;
}

size_t ledger_draw_variant(const struct ledger *l, size_t draw) {
  return l->draw_variants[draw];
}

static struct distance_record *slot(const struct ledger *l, size_t draw, size_t dataset,
                                    enum distance_kind kind) {
  return &l->distances[(draw * l->plan->dataset_count + dataset) * DISTANCE_KINDS + (size_t)kind];
}

/* The first variant of a draw's model: the id of its cell stands for model, data and task. */
static size_t first_variant(const struct plan *p, size_t variant) {
  size_t first = 0;
  while (p->variants[first].model != p->variants[variant].model) {
    first++;
  }
  return first;
}

status ledger_name_distance(const struct ledger *l, size_t draw, size_t dataset,
                            enum distance_kind kind, int sequences, struct distance_record *out,
                            struct error *err) {
  const struct calibration_info *c = &l->calibration_infos[draw];
  const struct plan *p = l->plan;
  struct distance_record r = {
      .draw = c->draw, .samples = c->samples, .length = c->length, .sequences = sequences};
  struct digest d = {0};
  size_t first = first_variant(p, l->draw_variants[draw]);
  TRY(digest_feed_text(&d, DISTANCE_IDENTITY, err));
  TRY(digest_feed_text(&d, distance_kind_name(kind), err));
  TRY(digest_feed_text(&d, plan_cell(p, first, dataset)->id, err));
  TRY(digest_feed_text(&d, l->draw_digests[draw], err));
  TRY(digest_feed(&d, &r.sequences, sizeof r.sequences, err));
  digest_finish(&d, r.id);
  (void)snprintf(r.model, sizeof r.model, "%s", c->model);
  (void)snprintf(r.calibration, sizeof r.calibration, "%s", c->set);
  (void)snprintf(r.dataset, sizeof r.dataset, "%s", p->datasets[dataset].name);
  (void)snprintf(r.kind, sizeof r.kind, "%s", distance_kind_name(kind));
  *out = r;
  return STATUS_OK;
}

const struct distance_record *ledger_distance(const struct ledger *l, size_t draw, size_t dataset,
                                              enum distance_kind kind) {
  const struct distance_record *r = slot(l, draw, dataset, kind);
  return r->id[0] ? r : NULL;
}

static bool same(const struct distance_record *a, const struct distance_record *b) {
  return strcmp(a->id, b->id) == 0 && strcmp(a->model, b->model) == 0 &&
         strcmp(a->calibration, b->calibration) == 0 && strcmp(a->dataset, b->dataset) == 0;
}

/* Where in the plan the record stands: everything that it was computed from is as it was. */
static status find_slot(const struct ledger *l, const struct distance_record *r,
                        struct distance_record **out, struct ledger_entry *entry,
                        struct error *err) {
  enum distance_kind kind = distance_kind_named(r->kind);
  *out = NULL;
  for (size_t c = 0; kind < DISTANCE_KINDS && c < l->calibration_count; c++) {
    const struct calibration_info *i = &l->calibration_infos[c];
    if (i->draw != r->draw || i->samples != r->samples || i->length != r->length) {
      continue;
    }
    for (size_t d = 0; d < l->plan->dataset_count; d++) {
      struct distance_record own;
      TRY(ledger_name_distance(l, c, d, kind, r->sequences, &own, err));
      if (same(&own, r)) {
        *out = slot(l, c, d, kind);
        *entry = (struct ledger_entry){.variant = l->draw_variants[c], .dataset = d};
        return STATUS_OK;
      }
    }
  }
  return STATUS_OK;
}

status ledger_take_distance(struct ledger *l, const unsigned char *bytes, size_t size,
                            struct ledger_entry *out, bool *known, struct error *err) {
  struct distance_record r, *to;
  TRY(record_decode_distance(&r, bytes, size, err));
  TRY(find_slot(l, &r, &to, out, err));
  *known = to != NULL;
  if (to) {
    out->fresh = strcmp(to->id, r.id) != 0;
    *to = r;
  }
  return STATUS_OK;
}

status ledger_list_distances(const struct ledger *l, struct distance_record **out, size_t *count,
                             struct error *err) {
  size_t most = l->calibration_count * l->plan->dataset_count * DISTANCE_KINDS;
  struct distance_record *list;
  TRY(mem_alloc(&list, most, sizeof *list, err));
  *count = 0;
  for (size_t i = 0; i < most; i++) {
    if (l->distances[i].id[0]) {
      list[(*count)++] = l->distances[i];
    }
  }
  *out = list;
  return STATUS_OK;
}
