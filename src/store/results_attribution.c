#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/attribution_tables.h"
#include "store/results_parts.h"

struct gathering {
  struct rows tables[ATTRIBUTION_TABLES];
  float *traced; /* [traced_count] */
  size_t traced_count, traced_cap;
};

static status add_words(struct rows *to, const struct attribution_base *b, struct error *err) {
  for (size_t i = 0; i < b->word_count; i++) {
    const struct attribution_word *w = &b->words[i];
    TRY(rows_add(to,
                 (union value[]){{.text = b->variant},
                                 {.text = b->dataset},
                                 {.integer = (int64_t)i},
                                 {.text = w->text},
                                 {.integer = w->occurrences},
                                 {.real = w->influence},
                                 {.real = w->low},
                                 {.real = w->high}},
                 err));
  }
  return STATUS_OK;
}

static status add_units(struct rows *to, const struct attribution_base *b, struct error *err) {
  for (size_t i = 0; i < b->unit_count; i++) {
    const struct attribution_unit *u = &b->units[i];
    TRY(rows_add(to,
                 (union value[]){{.text = b->variant},
                                 {.text = b->dataset},
                                 {.integer = (int64_t)i},
                                 {.integer = u->block},
                                 {.integer = u->unit},
                                 {.real = u->mean},
                                 {.real = u->spread},
                                 {.text = u->lens}},
                 err));
  }
  return STATUS_OK;
}

static status add_matches(struct rows *to, const struct attribution_base *b, struct error *err) {
  for (size_t i = 0; i < b->match_count; i++) {
    const struct attribution_match *m = &b->matches[i];
    TRY(rows_add(to,
                 (union value[]){{.text = b->variant},
                                 {.text = b->dataset},
                                 {.integer = (int64_t)i},
                                 {.integer = m->word},
                                 {.integer = m->unit},
                                 {.real = m->score},
                                 {.real = m->p},
                                 {.integer = m->found},
                                 {.real = m->activation}},
                 err));
  }
  return STATUS_OK;
}

static status add_apart(struct rows *to, const struct attribution_base *b, struct error *err) {
  for (size_t i = 0; i < b->apart_count; i++) {
    const struct attribution_apart_unit *a = &b->apart[i];
    TRY(rows_add(to,
                 (union value[]){{.text = b->variant},
                                 {.text = b->dataset},
                                 {.integer = a->block},
                                 {.integer = a->unit},
                                 {.text = attribution_apart_names[a->kind]},
                                 {.real = a->mean},
                                 {.real = a->spread}},
                 err));
  }
  return STATUS_OK;
}

static status add_causal(struct rows *to, const struct attribution_base *b, struct error *err) {
  for (size_t i = 0; i < b->causal_count; i++) {
    const struct attribution_causal *c = &b->causal[i];
    TRY(rows_add(to,
                 (union value[]){{.text = b->variant},
                                 {.text = b->dataset},
                                 {.integer = c->set},
                                 {.integer = c->units},
                                 {.real = c->accuracy},
                                 {.real = c->gold},
                                 {.real = c->accuracy_change},
                                 {.real = c->accuracy_low},
                                 {.real = c->accuracy_high},
                                 {.real = c->gold_change},
                                 {.real = c->gold_low},
                                 {.real = c->gold_high}},
                 err));
  }
  return STATUS_OK;
}

static status add_example(struct gathering *g, const struct attribution_base *b, size_t i,
                          struct error *err) {
  const struct attribution_example *e = &b->examples[i];
  struct rows *tokens = &g->tables[TABLE_EXAMPLE_TOKENS];
  TRY(rows_add(&g->tables[TABLE_EXAMPLES],
               (union value[]){{.text = b->variant},
                               {.text = b->dataset},
                               {.integer = (int64_t)i},
                               {.integer = e->match},
                               {.integer = e->item},
                               {.text = e->text},
                               {.integer = (int64_t)tokens->count},
                               {.integer = e->tokens}},
               err));
  for (int32_t t = 0; t < e->tokens; t++) {
    TRY(rows_add(tokens,
                 (union value[]){{.integer = e->starts[t]},
                                 {.integer = e->starts[t + 1]},
                                 {.real = e->activation[t]}},
                 err));
  }
  return STATUS_OK;
}

static const char *state(bool failed) {
  return failed ? "failed" : "done";
}

static status add_base(struct gathering *g, const struct attribution_base *b, const char *model,
                       struct error *err) {
  TRY(rows_add(&g->tables[TABLE_BASES],
               (union value[]){{.text = b->variant},
                               {.text = b->dataset},
                               {.text = model},
                               {.text = state(b->failed)},
                               {.text = b->error},
                               {.text = b->id},
                               {.text = b->influence},
                               {.text = b->score},
                               {.integer = b->background},
                               {.integer = b->blocks},
                               {.integer = b->units_per_block},
                               {.real = b->accuracy},
                               {.real = b->gold},
                               {.real = b->perplexity}},
               err));
  TRY(add_words(&g->tables[TABLE_WORDS], b, err));
  TRY(add_units(&g->tables[TABLE_UNITS], b, err));
  TRY(add_matches(&g->tables[TABLE_MATCHES], b, err));
  TRY(add_apart(&g->tables[TABLE_APART], b, err));
  TRY(add_causal(&g->tables[TABLE_CAUSAL], b, err));
  for (size_t i = 0; i < b->example_count; i++) {
    TRY(add_example(g, b, i, err));
  }
  for (int32_t i = 0; b->dead && i < b->blocks; i++) {
    TRY(rows_add(&g->tables[TABLE_BLOCKS],
                 (union value[]){{.text = b->variant},
                                 {.text = b->dataset},
                                 {.integer = i},
                                 {.integer = b->dead[i]},
                                 {.real = NAN}},
                 err));
  }
  return STATUS_OK;
}

static status add_trace(struct gathering *g, const struct attribution_loss *l, size_t i,
                        struct error *err) {
  const struct attribution_trace *t = &l->examples[i];
  size_t n = g->traced_count, tokens = (size_t)t->tokens;
  TRY(rows_add(&g->tables[TABLE_TRACES],
               (union value[]){{.text = l->variant},
                               {.text = l->dataset},
                               {.integer = (int64_t)i},
                               {.integer = (int64_t)n},
                               {.integer = t->tokens}},
               err));
  TRY(mem_reserve(&g->traced, &g->traced_cap, n + tokens, sizeof *g->traced, err));
  for (size_t k = 0; k < tokens; k++) {
    g->traced[g->traced_count++] = t->activation[k];
  }
  return STATUS_OK;
}

static status add_numbers(struct rows *to, const struct attribution_loss *l, const double *from,
                          size_t count, struct error *err) {
  for (size_t i = 0; i < count; i++) {
    TRY(rows_add(
        to,
        (union value[]){
            {.text = l->variant}, {.text = l->dataset}, {.integer = (int64_t)i}, {.real = from[i]}},
        err));
  }
  return STATUS_OK;
}

static status add_loss(struct gathering *g, const struct attribution_loss *l, struct error *err) {
  TRY(rows_add(&g->tables[TABLE_LOSSES],
               (union value[]){{.text = l->variant},
                               {.text = l->dataset},
                               {.text = state(l->failed)},
                               {.text = l->error},
                               {.text = l->id},
                               {.real = l->loss},
                               {.real = l->accuracy},
                               {.real = l->gold},
                               {.real = l->patched_accuracy},
                               {.real = l->patched_gold},
                               {.real = l->restored},
                               {.real = l->restored_low},
                               {.real = l->restored_high},
                               {.real = l->layer_error},
                               {.real = l->perplexity}},
               err));
  TRY(add_numbers(&g->tables[TABLE_WORD_LOSSES], l, l->word_loss, l->word_count, err));
  TRY(add_numbers(&g->tables[TABLE_ACTIVATIONS], l, l->activation, l->match_count, err));
  for (size_t i = 0; i < l->block_count; i++) {
    TRY(rows_add(&g->tables[TABLE_BLOCKS],
                 (union value[]){{.text = l->variant},
                                 {.text = l->dataset},
                                 {.integer = (int64_t)i},
                                 {.integer = l->dead[i]},
                                 {.real = l->block_loss[i]}},
                 err));
  }
  for (size_t i = 0; i < l->example_count; i++) {
    TRY(add_trace(g, l, i, err));
  }
  return STATUS_OK;
}

static status gather(struct gathering *g, const struct results *r, struct error *err) {
  size_t cells = r->variant_count * r->dataset_count;
  for (size_t i = 0; r->attribution_bases && i < cells; i++) {
    if (r->attribution_bases[i]) {
      const char *model = r->variants[i / r->dataset_count].model;
      TRY(add_base(g, r->attribution_bases[i], model, err));
    }
  }
  for (size_t i = 0; r->attribution_losses && i < cells; i++) {
    if (r->attribution_losses[i]) {
      TRY(add_loss(g, r->attribution_losses[i], err));
    }
  }
  return STATUS_OK;
}

static status write_gathered(const struct gathering *g, const struct h5 *h, struct error *err) {
  if (g->tables[TABLE_BASES].count == 0 && g->tables[TABLE_LOSSES].count == 0) {
    return STATUS_OK;
  }
  for (int i = 0; i < ATTRIBUTION_TABLES; i++) {
    TRY(rows_write(&g->tables[i], h, attribution_layouts[i].place, err));
  }
  const hsize_t dims[1] = {g->traced_count};
  return h5_array(h, ATTRIBUTION_TRACE_TOKENS, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, dims, g->traced,
                  err);
}

status results_write_attribution(const struct results *r, const struct h5 *h, struct error *err) {
  struct gathering g = {0};
  for (int i = 0; i < ATTRIBUTION_TABLES; i++) {
    g.tables[i] = (struct rows){.columns = attribution_layouts[i].columns,
                                .column_count = attribution_layouts[i].count};
  }
  status st = gather(&g, r, err);
  if (st == STATUS_OK) {
    st = write_gathered(&g, h, err);
  }
  for (int i = 0; i < ATTRIBUTION_TABLES; i++) {
    rows_free(&g.tables[i]);
  }
  free(g.traced);
  return st;
}
