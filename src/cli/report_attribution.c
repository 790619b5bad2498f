/* The blocks "attribution" (words, units, losses) and "passages" (texts with a unit's activations,
 * apart since they are long). Bases and losses have the same order in both. */
#include <math.h>

#include "cli/report.h"
#include "store/attribution_read.h"

enum { DIGITS = 5, COLOUR_DIGITS = 3 };

static cJSON *add_object(cJSON *to, const char *name) {
  return cJSON_AddObjectToObject(to, name);
}

/* A new object at the end of a list. */
static cJSON *append_object(cJSON *list) {
  cJSON *o = cJSON_CreateObject();
  (void)cJSON_AddItemToArray(list, o);
  return o;
}

static cJSON *append_list(cJSON *list) {
  cJSON *l = cJSON_CreateArray();
  (void)cJSON_AddItemToArray(list, l);
  return l;
}

static void add_number(cJSON *to, const char *name, double value) {
  cJSON *list = cJSON_CreateArray();
  report_number(list, value, DIGITS);
  cJSON_AddItemToObject(to, name, cJSON_DetachItemFromArray(list, 0));
  cJSON_Delete(list);
}

static void add_words(const struct attribution_base *b, cJSON *to) {
  cJSON *text = report_list(to, "text"), *occurrences = report_list(to, "occurrences");
  cJSON *influence = report_list(to, "influence");
  cJSON *low = report_list(to, "low"), *high = report_list(to, "high");
  for (size_t i = 0; i < b->word_count; i++) {
    const struct attribution_word *w = &b->words[i];
    report_text(text, w->text);
    report_integer(occurrences, w->occurrences);
    report_number(influence, w->influence, DIGITS);
    report_number(low, w->low, DIGITS);
    report_number(high, w->high, DIGITS);
  }
}

static void add_units(const struct attribution_base *b, cJSON *to) {
  cJSON *block = report_list(to, "block"), *unit = report_list(to, "unit");
  cJSON *mean = report_list(to, "mean"), *spread = report_list(to, "spread");
  cJSON *lens = report_list(to, "lens");
  for (size_t i = 0; i < b->unit_count; i++) {
    const struct attribution_unit *u = &b->units[i];
    report_integer(block, u->block);
    report_integer(unit, u->unit);
    report_number(mean, u->mean, DIGITS);
    report_number(spread, u->spread, DIGITS);
    report_text(lens, u->lens);
  }
}

static void add_matches(const struct attribution_base *b, cJSON *to) {
  cJSON *word = report_list(to, "word"), *unit = report_list(to, "unit");
  cJSON *score = report_list(to, "score"), *p = report_list(to, "p");
  cJSON *found = report_list(to, "found"), *activation = report_list(to, "activation");
  for (size_t i = 0; i < b->match_count; i++) {
    const struct attribution_match *m = &b->matches[i];
    report_integer(word, m->word);
    report_integer(unit, m->unit);
    report_number(score, m->score, DIGITS);
    report_number(p, m->p, 3);
    report_integer(found, m->found);
    report_number(activation, m->activation, DIGITS);
  }
}

static void add_apart(const struct attribution_base *b, cJSON *to) {
  cJSON *block = report_list(to, "block"), *unit = report_list(to, "unit");
  cJSON *kind = report_list(to, "kind");
  cJSON *mean = report_list(to, "mean"), *spread = report_list(to, "spread");
  for (size_t i = 0; i < b->apart_count; i++) {
    const struct attribution_apart_unit *a = &b->apart[i];
    report_integer(block, a->block);
    report_integer(unit, a->unit);
    report_text(kind, a->kind == APART_MASSIVE ? "massive" : "always on");
    report_number(mean, a->mean, DIGITS);
    report_number(spread, a->spread, DIGITS);
  }
}

static void add_causal(const struct attribution_base *b, cJSON *to) {
  static const char *const names[] = {"accuracy_change", "accuracy_low", "accuracy_high",
                                      "gold_change",     "gold_low",     "gold_high"};
  enum { NAMES = sizeof names / sizeof names[0] };
  cJSON *set = report_list(to, "set"), *units = report_list(to, "units"), *lists[NAMES];
  for (int k = 0; k < NAMES; k++) {
    lists[k] = report_list(to, names[k]);
  }
  for (size_t i = 0; i < b->causal_count; i++) {
    const struct attribution_causal *c = &b->causal[i];
    const double values[NAMES] = {c->accuracy_change, c->accuracy_low, c->accuracy_high,
                                  c->gold_change,     c->gold_low,     c->gold_high};
    report_integer(set, c->set);
    report_integer(units, c->units);
    for (int k = 0; k < NAMES; k++) {
      report_number(lists[k], values[k], DIGITS);
    }
  }
}

static void add_base(const struct attribution_base *b, const char *model, cJSON *to) {
  (void)cJSON_AddStringToObject(to, "model", model);
  (void)cJSON_AddStringToObject(to, "dataset", b->dataset);
  (void)cJSON_AddStringToObject(to, "error", b->failed ? b->error : "");
  (void)cJSON_AddBoolToObject(to, "failed", b->failed);
  (void)cJSON_AddStringToObject(to, "influence", b->influence);
  (void)cJSON_AddStringToObject(to, "score", b->score);
  (void)cJSON_AddNumberToObject(to, "background", (double)b->background);
  (void)cJSON_AddNumberToObject(to, "blocks", b->blocks);
  (void)cJSON_AddNumberToObject(to, "units_per_block", b->units_per_block);
  add_number(to, "accuracy", b->accuracy);
  add_number(to, "gold", b->gold);
  add_number(to, "perplexity", b->perplexity);
  add_words(b, add_object(to, "words"));
  add_units(b, add_object(to, "units"));
  add_matches(b, add_object(to, "matches"));
  add_apart(b, add_object(to, "apart"));
  add_causal(b, add_object(to, "causal"));
  cJSON *dead = report_list(to, "dead");
  for (int32_t i = 0; b->dead && i < b->blocks; i++) {
    report_integer(dead, b->dead[i]);
  }
}

static void add_reals(cJSON *list, const double *from, size_t count) {
  for (size_t i = 0; i < count; i++) {
    report_number(list, from[i], COLOUR_DIGITS);
  }
}

static void add_loss(const struct attribution_loss *l, int64_t variant, int64_t base, cJSON *to) {
  (void)cJSON_AddNumberToObject(to, "variant", (double)variant);
  (void)cJSON_AddNumberToObject(to, "base", (double)base);
  (void)cJSON_AddStringToObject(to, "dataset", l->dataset);
  (void)cJSON_AddStringToObject(to, "error", l->failed ? l->error : "");
  (void)cJSON_AddBoolToObject(to, "failed", l->failed);
  add_number(to, "loss", l->loss);
  add_number(to, "accuracy", l->accuracy);
  add_number(to, "gold", l->gold);
  add_number(to, "patched_accuracy", l->patched_accuracy);
  add_number(to, "patched_gold", l->patched_gold);
  add_number(to, "restored", l->restored);
  add_number(to, "restored_low", l->restored_low);
  add_number(to, "restored_high", l->restored_high);
  add_number(to, "layer_error", l->layer_error);
  add_number(to, "perplexity", l->perplexity);
  add_reals(report_list(to, "word_loss"), l->word_loss, l->word_count);
  add_reals(report_list(to, "activation"), l->activation, l->match_count);
  add_reals(report_list(to, "block_loss"), l->block_loss, l->block_count);
  cJSON *dead = report_list(to, "dead");
  for (size_t i = 0; i < l->block_count; i++) {
    report_integer(dead, l->dead[i]);
  }
}

static status find_variant(const struct report *r, const struct attribution_loss *l, size_t *at,
                           struct error *err) {
  if (!report_find(&r->file, l->variant, at)) {
    return err_at(err, STATUS_INPUT, r->path, 0,
                  "/attribution/losses names a variant '%s' that is not there", l->variant);
  }
  return STATUS_OK;
}

static status fill(const struct report *r, const struct attribution_file *a, cJSON *to,
                   struct error *err) {
  cJSON *bases = report_list(to, "bases"), *losses = report_list(to, "losses");
  for (size_t i = 0; i < a->base_count; i++) {
    add_base(&a->bases[i], a->models[i], append_object(bases));
  }
  size_t v = 0;
  for (size_t i = 0; i < a->loss_count; i++) {
    TRY(find_variant(r, &a->losses[i], &v, err));
    const struct attribution_base *b =
        attribution_base_of(a, &a->losses[i], r->file.variants[v].model);
    add_loss(&a->losses[i], (int64_t)v, b ? b - a->bases : -1, append_object(losses));
  }
  return STATUS_OK;
}

/* Where an offset in bytes of UTF-8 lies in the text's UTF-16, which is what the page cuts; inside
 * of a character: at its end. */
static int64_t utf16_offset(const char *text, int32_t bytes) {
  int64_t units = 0;
  for (int32_t i = 0; i < bytes; i++) {
    unsigned char c = (unsigned char)text[i];
    units += (c & 0xc0) == 0x80 ? 0 : c >= 0xf0 ? 2 : 1;
  }
  return units;
}

/* Numbers as one raw item: there are too many for an object each. */
static status add_colours(cJSON *list, const float *from, int32_t count, struct error *err) {
  struct str s = {0};
  status st = str_add(&s, "[", 1, err);
  for (int32_t i = 0; st == STATUS_OK && i < count; i++) {
    st = isfinite(from[i])
             ? str_addf(&s, err, "%s%.*g", i ? "," : "", COLOUR_DIGITS, (double)from[i])
             : str_addf(&s, err, "%snull", i ? "," : "");
  }
  if (st == STATUS_OK) {
    st = str_add(&s, "]", 1, err);
  }
  if (st == STATUS_OK && !cJSON_AddItemToArray(list, cJSON_CreateRaw(s.at))) {
    st = err_set(err, STATUS_MEMORY, "no memory for the report's data");
  }
  str_free(&s);
  return st;
}

static void add_passage(const struct attribution_example *e, cJSON *to) {
  (void)cJSON_AddNumberToObject(to, "match", e->match);
  (void)cJSON_AddNumberToObject(to, "item", e->item);
  (void)cJSON_AddStringToObject(to, "text", e->text);
  cJSON *starts = report_list(to, "starts");
  for (int32_t i = 0; i <= e->tokens; i++) {
    report_integer(starts, utf16_offset(e->text, e->starts[i]));
  }
}

static status add_base_passages(const struct attribution_base *b, cJSON *to, struct error *err) {
  cJSON *texts = report_list(to, "texts"), *dense = report_list(to, "dense");
  for (size_t i = 0; i < b->example_count; i++) {
    const struct attribution_example *e = &b->examples[i];
    add_passage(e, append_object(texts));
    TRY(add_colours(dense, e->activation, e->tokens, err));
  }
  return STATUS_OK;
}

static status add_passages(const struct attribution_file *a, cJSON *to, struct error *err) {
  cJSON *bases = report_list(to, "bases"), *losses = report_list(to, "losses");
  for (size_t i = 0; i < a->base_count; i++) {
    TRY(add_base_passages(&a->bases[i], append_object(bases), err));
  }
  for (size_t i = 0; i < a->loss_count; i++) {
    const struct attribution_loss *l = &a->losses[i];
    cJSON *list = append_list(losses);
    for (size_t k = 0; k < l->example_count; k++) {
      TRY(add_colours(list, l->examples[k].activation, l->examples[k].tokens, err));
    }
  }
  return STATUS_OK;
}

status report_attribution(const struct report *r, cJSON **out, struct error *err) {
  struct attribution_file a;
  *out = NULL;
  TRY(attribution_file_open(&a, r->path, err));
  status st = STATUS_OK;
  if (a.base_count || a.loss_count) {
    cJSON *o = cJSON_CreateObject();
    st = fill(r, &a, o, err);
    if (st == STATUS_OK) {
      *out = o;
    } else {
      cJSON_Delete(o);
    }
  }
  attribution_file_close(&a);
  return st;
}

status report_passages(const struct report *r, cJSON **out, struct error *err) {
  struct attribution_file a;
  size_t count = 0;
  *out = NULL;
  TRY(attribution_file_open(&a, r->path, err));
  for (size_t i = 0; i < a.base_count; i++) {
    count += a.bases[i].example_count;
  }
  status st = STATUS_OK;
  if (count) {
    cJSON *o = cJSON_CreateObject();
    st = add_passages(&a, o, err);
    if (st == STATUS_OK) {
      *out = o;
    } else {
      cJSON_Delete(o);
    }
  }
  attribution_file_close(&a);
  return st;
}
