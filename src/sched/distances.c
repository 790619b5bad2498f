#include "sched/distances.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calib/distance.h"
#include "sched/provenance.h"

/* A draw or a data set as the measures see it; made when first needed. */
struct side {
  struct ngrams ngrams;
  double *mean; /* [hidden] */
};

struct measuring {
  const struct distances_options *o;
  struct grid *grid;
  struct plan *plan;
  struct ledger *ledger;
  struct provenance provenance;
  char *output, *note;
  struct side *sides; /* [models][datasets] */
  size_t computed;
};

static int sequences_of(const struct measuring *m, enum distance_kind kind) {
  return kind == DISTANCE_HIDDEN ? m->o->sequences : 0;
}

/* Before a journal is made. */
static status check_draws(const struct plan *p, struct error *err) {
  for (size_t i = 0; i < p->variant_count; i++) {
    if (p->variants[i].calibration >= 0) {
      return STATUS_OK;
    }
  }
  return err_at(err, STATUS_INPUT, p->grid->file.path, 0,
                "no method of the experiment needs calibration");
}

static status open_all(struct measuring *m, struct error *err) {
  const struct distances_options *o = m->o;
  struct run_options run = {.file = o->file,
                            .places = o->places,
                            .output = o->output,
                            .command = o->command,
                            .mpi = o->mpi,
                            .group = group_single()};
  TRY(grid_open(&m->grid, o->file, o->places, err));
  TRY(plan_create(&m->plan, m->grid, PLAN_FULL, err));
  TRY(check_draws(m->plan, err));
  TRY(run_output(m->grid, o->output, 0, 0, &m->output, err));
  TRY(ledger_open(&m->ledger, m->plan, m->output, &m->note, err));
  TRY(provenance_collect(&m->provenance, &run, m->plan, m->output, err));
  provenance_keep(&m->provenance, m->output);
  return mem_alloc(&m->sides, m->plan->model_count * m->plan->dataset_count, sizeof *m->sides, err);
}

static void close_all(struct measuring *m) {
  for (size_t i = 0; m->sides && i < m->plan->model_count * m->plan->dataset_count; i++) {
    ngrams_free(&m->sides[i].ngrams);
    free(m->sides[i].mean);
  }
  free(m->sides);
  ledger_close(m->ledger);
  provenance_free(&m->provenance);
  plan_free(m->plan);
  grid_close(m->grid);
  free(m->output);
  free(m->note);
}

static bool is_made(const struct side *s, enum distance_kind kind) {
  return kind == DISTANCE_NGRAM ? s->ngrams.tokens != NULL : s->mean != NULL;
}

/* What a measure needs of the sequences. */
static status look(const struct measuring *m, const struct model *model,
                   const struct sequences *ids, enum distance_kind kind, struct side *s,
                   struct error *err) {
  if (is_made(s, kind)) {
    return STATUS_OK;
  }
  if (kind == DISTANCE_NGRAM) {
    return ngrams_count(&s->ngrams, ids, model_vocab(model), err);
  }
  double *mean;
  TRY(mem_alloc(&mean, (size_t)model_hidden(model), sizeof *mean, err));
  status st = hidden_mean(model, ids, (size_t)m->o->sequences, mean, err);
  if (st != STATUS_OK) {
    free(mean);
    return st;
  }
  s->mean = mean;
  return STATUS_OK;
}

static status look_at_dataset(struct measuring *m, int model, size_t dataset,
                              enum distance_kind kind, struct side **out, struct error *err) {
  struct side *s = *out = &m->sides[(size_t)model * m->plan->dataset_count + dataset];
  if (is_made(s, kind)) {
    return STATUS_OK;
  }
  const struct plan_model *pm = &m->plan->models[model];
  struct evalset_options options = plan_evalset_options(m->plan, dataset);
  struct evalset *set;
  TRY(evalset_create(&set, m->plan->datasets[dataset].task, pm->tokenizer, pm->model, &options,
                     err));
  struct sequences ids;
  status st = evalset_sequences(set, &ids, err);
  if (st == STATUS_OK) {
    st = look(m, pm->model, &ids, kind, s, err);
  }
  sequences_free(&ids);
  evalset_free(set);
  return st;
}

static status keep(struct measuring *m, const struct distance_record *r, struct error *err) {
  unsigned char *bytes;
  size_t size;
  struct ledger_entry entry;
  TRY(record_encode_distance(r, &bytes, &size, err));
  status st = ledger_add(m->ledger, bytes, size, &entry, err);
  free(bytes);
  m->computed += st == STATUS_OK;
  return st;
}

/* One distance, unless the ledger has it. */
static status measure(struct measuring *m, size_t draw, const struct calibration_info *info,
                      struct side *own, size_t dataset, enum distance_kind kind,
                      struct error *err) {
  int index = m->plan->variants[ledger_draw_variant(m->ledger, draw)].model;
  const struct model *model = m->plan->models[index].model;
  struct distance_record r;
  TRY(ledger_name_distance(m->ledger, draw, dataset, kind, sequences_of(m, kind), &r, err));
  const struct distance_record *known = ledger_distance(m->ledger, draw, dataset, kind);
  if (known && strcmp(known->id, r.id) == 0) {
    return STATUS_OK;
  }
  struct side *other;
  TRY(look(m, model, info->ids, kind, own, err));
  TRY(look_at_dataset(m, index, dataset, kind, &other, err));
  r.value = kind == DISTANCE_NGRAM
                ? ngrams_distance(&own->ngrams, &other->ngrams)
                : hidden_distance(own->mean, other->mean, (size_t)model_hidden(model));
  return keep(m, &r, err);
}

static status measure_draw(struct measuring *m, size_t draw, const struct calibration_info *info,
                           struct error *err) {
  struct side own = {0};
  status st = STATUS_OK;
  for (int kind = 0; kind < DISTANCE_KINDS; kind++) {
    for (size_t d = 0; st == STATUS_OK && m->o->kinds[kind] && d < m->plan->dataset_count; d++) {
      st = *m->o->stop ? err_set(err, STATUS_TIME, "stopped")
                       : measure(m, draw, info, &own, d, (enum distance_kind)kind, err);
    }
  }
  ngrams_free(&own.ngrams);
  free(own.mean);
  return st;
}

static status measure_all(struct measuring *m, struct error *err) {
  const struct calibration_info *draws;
  size_t count = ledger_draws(m->ledger, &draws);
  for (size_t i = 0; i < count; i++) {
    if (m->o->see) {
      m->o->see(m->o->user, &draws[i], i, count);
    }
    TRY(measure_draw(m, i, &draws[i], err));
  }
  return STATUS_OK;
}

/* What was computed before a failure is in the journal; the file is written all the same. */
static status finish(struct measuring *m, status st, struct distances_outcome *out,
                     struct error *err) {
  struct error *own = st == STATUS_OK ? err : NULL;
  status written = ledger_write(m->ledger, m->provenance.at, m->provenance.count, own);
  if (written == STATUS_OK) {
    written = distances_read(&out->rows, m->output, own);
  }
  out->computed = m->computed;
  (void)snprintf(out->output, sizeof out->output, "%s", m->output);
  return st == STATUS_OK ? written : st;
}

status distances_compute(const struct distances_options *options, struct distances_outcome *out,
                         struct error *err) {
  struct measuring m = {.o = options};
  *out = (struct distances_outcome){0};
  status st = open_all(&m, err);
  if (st == STATUS_OK) {
    st = finish(&m, measure_all(&m, err), out, err);
  }
  close_all(&m);
  return st;
}
