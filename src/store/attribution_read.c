#include "store/attribution_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/attribution_tables.h"
#include "store/results_parts.h"

/* The group's tables, and how many rows of each are taken: every base's and loss's rows follow each
 * other in all of them. */
struct reading {
  const struct h5 *h;
  struct read_rows tables[ATTRIBUTION_TABLES];
  size_t taken[ATTRIBUTION_TABLES];
  float *traced; /* [traced_count] */
  size_t traced_count;
};

static status copy_text(char *to, size_t size, const struct reading *r, enum attribution_table t,
                        size_t row, size_t column, struct error *err) {
  const char *text = read_text(&r->tables[t], row, column);
  size_t n = strlen(text);
  if (n >= size) {
    return err_at(err, STATUS_INPUT, r->h->path, 0,
                  "%s: row %zu: a text of %zu bytes (at most %zu)", attribution_layouts[t].place,
                  row, n, size - 1);
  }
  memcpy(to, text, n + 1);
  return STATUS_OK;
}

static status bad_row(const struct reading *r, enum attribution_table t, size_t row,
                      struct error *err) {
  return err_at(err, STATUS_INPUT, r->h->path, 0, "%s: row %zu is out of order or out of range",
                attribution_layouts[t].place, row);
}

static status get_int(const struct reading *r, enum attribution_table t, size_t row, size_t column,
                      int32_t *out, struct error *err) {
  int64_t value = read_integer(&r->tables[t], row, column);
  if (value < INT32_MIN || value > INT32_MAX) {
    return bad_row(r, t, row, err);
  }
  *out = (int32_t)value;
  return STATUS_OK;
}

static double real(const struct reading *r, enum attribution_table t, size_t row, size_t column) {
  return read_real(&r->tables[t], row, column);
}

/* Takes the table's next rows of a variant and a data set; numbered: their third column counts from
 * 0. */
static status next_rows(struct reading *r, enum attribution_table t, const char *variant,
                        const char *dataset, bool numbered, size_t *first, size_t *count,
                        struct error *err) {
  const struct read_rows *rows = &r->tables[t];
  size_t at = r->taken[t];
  *first = at;
  while (at < rows->count && strcmp(read_text(rows, at, 0), variant) == 0 &&
         strcmp(read_text(rows, at, 1), dataset) == 0) {
    if (numbered && read_integer(rows, at, 2) != (int64_t)(at - *first)) {
      return bad_row(r, t, at, err);
    }
    at++;
  }
  *count = at - *first;
  r->taken[t] = at;
  return STATUS_OK;
}

static status take_words(struct reading *r, struct attribution_base *b, struct error *err) {
  const enum attribution_table t = TABLE_WORDS;
  size_t first;
  TRY(next_rows(r, t, b->variant, b->dataset, true, &first, &b->word_count, err));
  TRY(mem_alloc(&b->words, b->word_count, sizeof *b->words, err));
  for (size_t i = 0; i < b->word_count; i++) {
    struct attribution_word *w = &b->words[i];
    TRY(copy_text(w->text, sizeof w->text, r, t, first + i, 3, err));
    TRY(get_int(r, t, first + i, 4, &w->occurrences, err));
    w->influence = real(r, t, first + i, 5);
    w->low = real(r, t, first + i, 6);
    w->high = real(r, t, first + i, 7);
  }
  return STATUS_OK;
}

static status take_units(struct reading *r, struct attribution_base *b, struct error *err) {
  const enum attribution_table t = TABLE_UNITS;
  size_t first;
  TRY(next_rows(r, t, b->variant, b->dataset, true, &first, &b->unit_count, err));
  TRY(mem_alloc(&b->units, b->unit_count, sizeof *b->units, err));
  for (size_t i = 0; i < b->unit_count; i++) {
    struct attribution_unit *u = &b->units[i];
    TRY(get_int(r, t, first + i, 3, &u->block, err));
    TRY(get_int(r, t, first + i, 4, &u->unit, err));
    u->mean = real(r, t, first + i, 5);
    u->spread = real(r, t, first + i, 6);
    TRY(copy_text(u->lens, sizeof u->lens, r, t, first + i, 7, err));
  }
  return STATUS_OK;
}

static status take_matches(struct reading *r, struct attribution_base *b, struct error *err) {
  const enum attribution_table t = TABLE_MATCHES;
  size_t first;
  TRY(next_rows(r, t, b->variant, b->dataset, true, &first, &b->match_count, err));
  TRY(mem_alloc(&b->matches, b->match_count, sizeof *b->matches, err));
  for (size_t i = 0; i < b->match_count; i++) {
    struct attribution_match *m = &b->matches[i];
    TRY(get_int(r, t, first + i, 3, &m->word, err));
    TRY(get_int(r, t, first + i, 4, &m->unit, err));
    m->score = real(r, t, first + i, 5);
    m->p = real(r, t, first + i, 6);
    m->found = read_integer(&r->tables[t], first + i, 7) != 0;
    m->activation = real(r, t, first + i, 8);
  }
  return STATUS_OK;
}

static status take_apart(struct reading *r, struct attribution_base *b, struct error *err) {
  const enum attribution_table t = TABLE_APART;
  size_t first;
  TRY(next_rows(r, t, b->variant, b->dataset, false, &first, &b->apart_count, err));
  TRY(mem_alloc(&b->apart, b->apart_count, sizeof *b->apart, err));
  for (size_t i = 0; i < b->apart_count; i++) {
    struct attribution_apart_unit *a = &b->apart[i];
    TRY(get_int(r, t, first + i, 2, &a->block, err));
    TRY(get_int(r, t, first + i, 3, &a->unit, err));
    const char *kind = read_text(&r->tables[t], first + i, 4);
    a->kind =
        strcmp(kind, attribution_apart_names[APART_MASSIVE]) == 0 ? APART_MASSIVE : APART_ALWAYS_ON;
    a->mean = real(r, t, first + i, 5);
    a->spread = real(r, t, first + i, 6);
  }
  return STATUS_OK;
}

static status take_causal(struct reading *r, struct attribution_base *b, struct error *err) {
  const enum attribution_table t = TABLE_CAUSAL;
  size_t first;
  TRY(next_rows(r, t, b->variant, b->dataset, false, &first, &b->causal_count, err));
  TRY(mem_alloc(&b->causal, b->causal_count, sizeof *b->causal, err));
  for (size_t i = 0; i < b->causal_count; i++) {
    struct attribution_causal *c = &b->causal[i];
    TRY(get_int(r, t, first + i, 2, &c->set, err));
    TRY(get_int(r, t, first + i, 3, &c->units, err));
    c->accuracy = real(r, t, first + i, 4);
    c->gold = real(r, t, first + i, 5);
    c->accuracy_change = real(r, t, first + i, 6);
    c->accuracy_low = real(r, t, first + i, 7);
    c->accuracy_high = real(r, t, first + i, 8);
    c->gold_change = real(r, t, first + i, 9);
    c->gold_low = real(r, t, first + i, 10);
    c->gold_high = real(r, t, first + i, 11);
  }
  return STATUS_OK;
}

/* first and tokens of a row, inside of an array of `most`. */
static status get_range(const struct reading *r, enum attribution_table t, size_t row,
                        size_t column_first, size_t column_tokens, size_t most, size_t *first,
                        int32_t *tokens, struct error *err) {
  int64_t from = read_integer(&r->tables[t], row, column_first);
  TRY(get_int(r, t, row, column_tokens, tokens, err));
  if (from < 0 || *tokens < 0 || (uint64_t)from > most || (size_t)*tokens > most - (size_t)from) {
    return bad_row(r, t, row, err);
  }
  *first = (size_t)from;
  return STATUS_OK;
}

static status take_example(const struct reading *r, struct attribution_example *e, size_t row,
                           struct error *err) {
  const enum attribution_table t = TABLE_EXAMPLES, of = TABLE_EXAMPLE_TOKENS;
  size_t first;
  TRY(get_int(r, t, row, 3, &e->match, err));
  TRY(get_int(r, t, row, 4, &e->item, err));
  const char *text = read_text(&r->tables[t], row, 5);
  TRY(mem_dup(&e->text, text, strlen(text), err));
  TRY(get_range(r, t, row, 6, 7, r->tables[of].count, &first, &e->tokens, err));
  TRY(mem_alloc(&e->starts, (size_t)e->tokens + 1, sizeof *e->starts, err));
  TRY(mem_alloc(&e->activation, (size_t)e->tokens, sizeof *e->activation, err));
  for (int32_t i = 0; i < e->tokens; i++) {
    TRY(get_int(r, of, first + (size_t)i, 0, &e->starts[i], err));
    TRY(get_int(r, of, first + (size_t)i, 1, &e->starts[i + 1], err));
    e->activation[i] = (float)real(r, of, first + (size_t)i, 2);
  }
  return STATUS_OK;
}

static status take_examples(struct reading *r, struct attribution_base *b, struct error *err) {
  size_t first;
  TRY(next_rows(r, TABLE_EXAMPLES, b->variant, b->dataset, true, &first, &b->example_count, err));
  TRY(mem_alloc(&b->examples, b->example_count, sizeof *b->examples, err));
  for (size_t i = 0; i < b->example_count; i++) {
    TRY(take_example(r, &b->examples[i], first + i, err));
  }
  return STATUS_OK;
}

static status take_dead(struct reading *r, struct attribution_base *b, struct error *err) {
  size_t first, count;
  TRY(next_rows(r, TABLE_BLOCKS, b->variant, b->dataset, true, &first, &count, err));
  if (count == 0) {
    return STATUS_OK;
  }
  if (b->blocks < 0 || (size_t)b->blocks != count) {
    return bad_row(r, TABLE_BLOCKS, first, err);
  }
  TRY(mem_alloc(&b->dead, count, sizeof *b->dead, err));
  for (size_t i = 0; i < count; i++) {
    TRY(get_int(r, TABLE_BLOCKS, first + i, 3, &b->dead[i], err));
  }
  return STATUS_OK;
}

static status take_base(struct reading *r, struct attribution_base *b, char **model, size_t row,
                        struct error *err) {
  const enum attribution_table t = TABLE_BASES;
  TRY(copy_text(b->variant, sizeof b->variant, r, t, row, 0, err));
  TRY(copy_text(b->dataset, sizeof b->dataset, r, t, row, 1, err));
  const char *name = read_text(&r->tables[t], row, 2);
  TRY(mem_dup(model, name, strlen(name), err));
  b->failed = strcmp(read_text(&r->tables[t], row, 3), "done") != 0;
  TRY(copy_text(b->error, sizeof b->error, r, t, row, 4, err));
  TRY(copy_text(b->id, sizeof b->id, r, t, row, 5, err));
  TRY(copy_text(b->influence, sizeof b->influence, r, t, row, 6, err));
  TRY(copy_text(b->score, sizeof b->score, r, t, row, 7, err));
  b->background = read_integer(&r->tables[t], row, 8);
  TRY(get_int(r, t, row, 9, &b->blocks, err));
  TRY(get_int(r, t, row, 10, &b->units_per_block, err));
  b->accuracy = real(r, t, row, 11);
  b->gold = real(r, t, row, 12);
  b->perplexity = real(r, t, row, 13);
  TRY(take_words(r, b, err));
  TRY(take_units(r, b, err));
  TRY(take_matches(r, b, err));
  TRY(take_apart(r, b, err));
  TRY(take_causal(r, b, err));
  TRY(take_examples(r, b, err));
  TRY(take_dead(r, b, err));
  TRY_WITH(err, attribution_base_check(b, STATUS_INPUT, err), "%s: ", r->h->path);
  return STATUS_OK;
}

static status take_numbers(struct reading *r, const struct attribution_loss *l,
                           enum attribution_table t, double **out, size_t *count,
                           struct error *err) {
  size_t first;
  TRY(next_rows(r, t, l->variant, l->dataset, true, &first, count, err));
  TRY(mem_alloc(out, *count, sizeof **out, err));
  for (size_t i = 0; i < *count; i++) {
    (*out)[i] = real(r, t, first + i, 3);
  }
  return STATUS_OK;
}

static status take_blocks(struct reading *r, struct attribution_loss *l, struct error *err) {
  const enum attribution_table t = TABLE_BLOCKS;
  size_t first;
  TRY(next_rows(r, t, l->variant, l->dataset, true, &first, &l->block_count, err));
  TRY(mem_alloc(&l->dead, l->block_count, sizeof *l->dead, err));
  TRY(mem_alloc(&l->block_loss, l->block_count, sizeof *l->block_loss, err));
  for (size_t i = 0; i < l->block_count; i++) {
    TRY(get_int(r, t, first + i, 3, &l->dead[i], err));
    l->block_loss[i] = real(r, t, first + i, 4);
  }
  return STATUS_OK;
}

static status take_traces(struct reading *r, struct attribution_loss *l, struct error *err) {
  const enum attribution_table t = TABLE_TRACES;
  size_t first, from;
  TRY(next_rows(r, t, l->variant, l->dataset, true, &first, &l->example_count, err));
  TRY(mem_alloc(&l->examples, l->example_count, sizeof *l->examples, err));
  for (size_t i = 0; i < l->example_count; i++) {
    struct attribution_trace *to = &l->examples[i];
    TRY(get_range(r, t, first + i, 3, 4, r->traced_count, &from, &to->tokens, err));
    TRY(mem_alloc(&to->activation, (size_t)to->tokens, sizeof *to->activation, err));
    memcpy(to->activation, r->traced + from, (size_t)to->tokens * sizeof *to->activation);
  }
  return STATUS_OK;
}

static status take_loss(struct reading *r, struct attribution_loss *l, size_t row,
                        struct error *err) {
  const enum attribution_table t = TABLE_LOSSES;
  TRY(copy_text(l->variant, sizeof l->variant, r, t, row, 0, err));
  TRY(copy_text(l->dataset, sizeof l->dataset, r, t, row, 1, err));
  l->failed = strcmp(read_text(&r->tables[t], row, 2), "done") != 0;
  TRY(copy_text(l->error, sizeof l->error, r, t, row, 3, err));
  TRY(copy_text(l->id, sizeof l->id, r, t, row, 4, err));
  double *const reals[] = {&l->loss,         &l->accuracy,  &l->gold,         &l->patched_accuracy,
                           &l->patched_gold, &l->restored,  &l->restored_low, &l->restored_high,
                           &l->layer_error,  &l->perplexity};
  for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
    *reals[i] = real(r, t, row, 5 + i);
  }
  TRY(take_numbers(r, l, TABLE_WORD_LOSSES, &l->word_loss, &l->word_count, err));
  TRY(take_numbers(r, l, TABLE_ACTIVATIONS, &l->activation, &l->match_count, err));
  TRY(take_blocks(r, l, err));
  return take_traces(r, l, err);
}

static status read_traced(struct reading *r, struct error *err) {
  const char *place = ATTRIBUTION_TRACE_TOKENS;
  hid_t set = H5Dopen2(r->h->file, place, H5P_DEFAULT), space = -1;
  hsize_t count = 0, bytes = 0;
  status st = STATUS_OK;
  if (set < 0 || (space = H5Dget_space(set)) < 0 || H5Sget_simple_extent_ndims(space) != 1 ||
      H5Sget_simple_extent_dims(space, &count, NULL) < 0 ||
      H5Fget_filesize(r->h->file, &bytes) < 0 || count > bytes / sizeof *r->traced) {
    st = err_at(err, STATUS_INPUT, r->h->path, 0, "has no list %s", place);
  }
  if (st == STATUS_OK) {
    st = mem_alloc(&r->traced, (size_t)count, sizeof *r->traced, err);
  }
  if (st == STATUS_OK && count > 0 &&
      H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, r->traced) < 0) {
    st = h5_fail(r->h, place, err);
  }
  r->traced_count = st == STATUS_OK ? (size_t)count : 0;
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  return st;
}

static status read_tables(struct reading *r, struct error *err) {
  for (int i = 0; i < ATTRIBUTION_TABLES; i++) {
    const struct attribution_layout *l = &attribution_layouts[i];
    TRY(rows_read(&r->tables[i], r->h, l->place, l->columns, l->count, err));
  }
  return read_traced(r, err);
}

static status take_all(struct reading *r, struct attribution_file *out, struct error *err) {
  size_t bases = r->tables[TABLE_BASES].count, losses = r->tables[TABLE_LOSSES].count;
  TRY(mem_alloc(&out->bases, bases, sizeof *out->bases, err));
  TRY(mem_alloc(&out->models, bases, sizeof *out->models, err));
  out->base_count = bases;
  for (size_t i = 0; i < bases; i++) {
    TRY(take_base(r, &out->bases[i], &out->models[i], i, err));
  }
  TRY(mem_alloc(&out->losses, losses, sizeof *out->losses, err));
  out->loss_count = losses;
  for (size_t i = 0; i < losses; i++) {
    TRY(take_loss(r, &out->losses[i], i, err));
  }
  for (int t = 0; t < ATTRIBUTION_TABLES; t++) {
    bool own = t == TABLE_BASES || t == TABLE_LOSSES || t == TABLE_EXAMPLE_TOKENS;
    if (!own && r->taken[t] != r->tables[t].count) {
      return bad_row(r, (enum attribution_table)t, r->taken[t], err);
    }
  }
  return STATUS_OK;
}

static status read_group(struct attribution_file *out, const struct h5 *h, struct error *err) {
  TRY(results_check_schema(h, err));
  if (H5Lexists(h->file, ATTRIBUTION_GROUP, H5P_DEFAULT) <= 0) {
    return STATUS_OK;
  }
  struct reading r = {.h = h};
  status st = read_tables(&r, err);
  if (st == STATUS_OK) {
    st = take_all(&r, out, err);
  }
  for (int i = 0; i < ATTRIBUTION_TABLES; i++) {
    free(r.tables[i].at);
  }
  free(r.traced);
  return st;
}

status attribution_file_open(struct attribution_file *out, const char *path, struct error *err) {
  *out = (struct attribution_file){0};
  struct h5 h;
  TRY(h5_open(&h, path, err));
  status st = results_bad_input(read_group(out, &h, err), err);
  h5_close(&h);
  if (st != STATUS_OK) {
    attribution_file_close(out);
  }
  return st;
}

void attribution_file_close(struct attribution_file *a) {
  for (size_t i = 0; i < a->base_count; i++) {
    attribution_base_free(&a->bases[i]);
    free(a->models[i]);
  }
  for (size_t i = 0; i < a->loss_count; i++) {
    attribution_loss_free(&a->losses[i]);
  }
  free(a->bases);
  free(a->models);
  free(a->losses);
  *a = (struct attribution_file){0};
}

static bool fits(const struct attribution_base *b, const struct attribution_loss *l) {
  bool same = !b->failed && b->word_count == l->word_count && b->match_count == l->match_count &&
              b->example_count == l->example_count;
  for (size_t i = 0; same && i < b->example_count; i++) {
    same = b->examples[i].tokens == l->examples[i].tokens;
  }
  return same;
}

const struct attribution_base *attribution_base_of(const struct attribution_file *a,
                                                   const struct attribution_loss *l,
                                                   const char *model) {
  for (size_t i = 0; i < a->base_count; i++) {
    const struct attribution_base *b = &a->bases[i];
    if (strcmp(b->dataset, l->dataset) == 0 && strcmp(a->models[i], model) == 0) {
      return fits(b, l) ? b : NULL;
    }
  }
  return NULL;
}
