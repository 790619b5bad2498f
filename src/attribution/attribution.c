#include "attribution/attribution.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/attribution_parts.h"
#include "attribution/lens.h"
#include "base/mem.h"
#include "linalg/group.h"

enum { MOST_APART = 200 /* units listed */ };

status attribution_evaluate(const struct attribution *a, struct runner *runner,
                            const struct probe *probe, const struct watcher *watcher,
                            struct eval_result *out, struct error *err) {
  struct group alone = group_single();
  runner_probe(runner, probe);
  status st =
      evalset_evaluate(a->s.set, runner, a->s.model, &alone, watcher->see, watcher->user, out, err);
  runner_probe(runner, NULL);
  return st;
}

status attribution_accepts(const struct task *task, struct error *err) {
  enum task_type type = task_type(task);
  if (type == TASK_PERPLEXITY || type == TASK_ROLLING) {
    return err_set(err, STATUS_INPUT,
                   "%s: a task of texts has no answers that words could decide (expected a task "
                   "with choices, or of last words)",
                   task_name(task));
  }
  return STATUS_OK;
}

/* known NULL: chooses them. */
static status find_words(struct attribution *a, const struct attribution_base *known,
                         struct runner *dense, const struct watcher *watcher, struct error *err) {
  const struct subject *s = &a->s;
  TRY(task_render(s->task, 0, s->limit, s->shots, &a->items, err));
  const struct passages p = {&a->items, s->set, s->tokenizer, s->model, s->bos};
  status st = known ? words_place(&a->words, &p, known->words, known->word_count, err)
                    : words_choose(&a->words, &p, &a->o, dense, watcher->see, watcher->user, err);
  TRY_WITH(err, st, "%s", task_name(s->task));
  TRY(witness_open(&a->witness, &a->units, &p, &a->words, err));
  TRY(mem_alloc(&a->weights, a->words.count, sizeof *a->weights, err));
  bool any = false;
  for (size_t i = 0; i < a->words.count; i++) {
    double influence = a->words.at[i].influence;
    a->weights[i] = isnan(influence) ? 1 : influence > 0 ? influence : 0;
    any = any || a->weights[i] > 0;
  }
  for (size_t i = 0; !any && i < a->words.count; i++) {
    a->weights[i] = 1;
  }
  return STATUS_OK;
}

static status collect_units(struct attribution *a, struct error *err) {
  size_t *numbers;
  TRY(mem_alloc(&numbers, a->matches.count, sizeof *numbers, err));
  for (size_t i = 0; i < a->matches.count; i++) {
    numbers[i] = (size_t)a->matches.at[i].unit;
  }
  status st = unit_set_make(&a->set, &a->units, numbers, a->matches.count, err);
  free(numbers);
  return st;
}

static status match(struct attribution *a, struct error *err) {
  TRY(mem_alloc(&a->kinds, a->units.count, sizeof *a->kinds, err));
  TRY(match_kinds(a->s.background, a->kinds, err));
  TRY(match_words(&a->matches, &a->witness, a->s.background, a->kinds, &a->o, err));
  if (a->matches.count == 0) {
    return err_set(err, STATUS_INPUT, "%s: no unit to match its words with", task_name(a->s.task));
  }
  return collect_units(a, err);
}

/* The matches of a record, whose units are indices. */
static status take_matches(struct attribution *a, const struct attribution_base *known,
                           struct error *err) {
  TRY(mem_alloc(&a->matches.at, known->match_count, sizeof *a->matches.at, err));
  for (size_t i = 0; i < known->match_count; i++) {
    const struct attribution_unit *u = &known->units[known->matches[i].unit];
    bool good = u->block >= 0 && u->block < a->units.blocks && u->unit >= 0 &&
                u->unit < a->units.width && a->witness.tokens[known->matches[i].word] > 0;
    if (!good) {
      return err_set(err, STATUS_INPUT, "%s: an attribution of another model or data set",
                     task_name(a->s.task));
    }
    a->matches.at[i] = known->matches[i];
    a->matches.at[i].unit = u->block * a->units.width + u->unit;
    a->matches.count++;
  }
  return collect_units(a, err);
}

/* Two probes of one evaluation. */
struct pair {
  struct probe first, second;
};

static status see_both(void *user, int block, int input, float *x, int rows,
                       const struct work *work, struct error *err) {
  const struct pair *p = user;
  TRY(p->first.see(p->first.user, block, input, x, rows, work, err));
  return p->second.see(p->second.user, block, input, x, rows, work, err);
}

/* The dense model once more, now that its units are known. */
static status record(struct attribution *a, struct runner *dense, const struct watcher *watcher,
                     struct error *err) {
  a->tape.set = &a->set;
  a->witness.traces = a->traces;
  a->witness.trace_count = a->base.example_count;
  witness_clear(&a->witness);
  struct probe witness = witness_probe(&a->witness);
  struct pair both = {witness, tape_record(&a->tape)};
  struct probe probe = a->o.patch ? (struct probe){&both, see_both} : witness;
  eval_result_free(&a->dense);
  return attribution_evaluate(a, dense, &probe, watcher, &a->dense, err);
}

static status list_units(struct attribution *a, struct error *err) {
  struct attribution_base *b = &a->base;
  TRY(mem_alloc(&b->units, a->set.count, sizeof *b->units, err));
  b->unit_count = a->set.count;
  for (size_t i = 0; i < a->set.count; i++) {
    size_t number = a->set.at[i], width = (size_t)a->units.width;
    b->units[i] = (struct attribution_unit){.block = (int32_t)(number / width),
                                            .unit = (int32_t)(number % width),
                                            .mean = a->s.background->mean[number],
                                            .spread = a->s.background->spread[number]};
  }
  TRY(mem_alloc(&b->matches, a->matches.count, sizeof *b->matches, err));
  b->match_count = a->matches.count;
  for (size_t i = 0; i < a->matches.count; i++) {
    size_t at = 0;
    while (a->set.at[at] != (size_t)a->matches.at[i].unit) {
      at++;
    }
    b->matches[i] = a->matches.at[i];
    b->matches[i].unit = (int32_t)at;
  }
  return STATUS_OK;
}

static status list_apart(struct attribution *a, struct error *err) {
  struct attribution_base *b = &a->base;
  const struct background *bg = a->s.background;
  TRY(mem_alloc(&b->apart, MOST_APART, sizeof *b->apart, err));
  for (int kind = UNIT_MASSIVE; kind >= UNIT_ALWAYS_ON; kind--) { /* the rarer ones first */
    for (size_t i = 0; i < a->units.count && b->apart_count < MOST_APART; i++) {
      if (a->kinds[i] == kind) {
        size_t width = (size_t)a->units.width;
        b->apart[b->apart_count++] = (struct attribution_apart_unit){
            .block = (int32_t)(i / width),
            .unit = (int32_t)(i % width),
            .kind = kind == UNIT_MASSIVE ? APART_MASSIVE : APART_ALWAYS_ON,
            .mean = bg->mean[i],
            .spread = bg->spread[i]};
      }
    }
  }
  return STATUS_OK;
}

/* What a loss is measured against. */
static status fill_base(struct attribution *a, struct error *err) {
  struct attribution_base *b = &a->base;
  b->blocks = a->units.blocks;
  b->units_per_block = a->units.width;
  TRY(mem_alloc(&b->words, a->words.count, sizeof *b->words, err));
  b->word_count = a->words.count;
  memcpy(b->words, a->words.at, a->words.count * sizeof *b->words);
  TRY(list_units(a, err));
  return examples_choose(a, err);
}

/* What else the record says. */
static status describe(struct attribution *a, struct error *err) {
  struct attribution_base *b = &a->base;
  (void)snprintf(b->influence, sizeof b->influence, "%s", influence_names[a->o.influence]);
  (void)snprintf(b->score, sizeof b->score, "%s", match_score_names[a->o.score]);
  b->background = a->s.background->tokens;
  b->perplexity = a->s.background->perplexity;
  TRY(mem_alloc(&b->dead, (size_t)a->units.blocks, sizeof *b->dead, err));
  background_dead(a->s.background, b->dead);
  TRY(list_apart(a, err));
  return lens_fill(a->s.model, a->s.tokenizer, b->units, b->unit_count, a->o.lens, err);
}

/* What the last evaluation gave to the record. */
static void conclude(struct attribution *a) {
  struct attribution_base *b = &a->base;
  b->accuracy = attribution_accuracy(&a->dense);
  b->gold = attribution_gold(&a->dense);
  for (size_t i = 0; i < b->example_count; i++) {
    memcpy(b->examples[i].activation, a->traces[i].activation,
           (size_t)b->examples[i].tokens * sizeof(float));
  }
}

static status find_out(struct attribution *a, struct runner *dense, const struct watcher *watcher,
                       struct error *err) {
  TRY(find_words(a, NULL, dense, watcher, err));
  struct probe probe = witness_probe(&a->witness);
  TRY(attribution_evaluate(a, dense, &probe, watcher, &a->dense, err));
  TRY(match(a, err));
  TRY(fill_base(a, err));
  return describe(a, err);
}

static status take_over(struct attribution *a, const struct attribution_base *known,
                        struct runner *dense, const struct watcher *watcher, struct error *err) {
  TRY(find_words(a, known, dense, watcher, err));
  TRY(take_matches(a, known, err));
  return fill_base(a, err);
}

/* known NULL: finds words and units out. */
static status open_by(struct attribution **out, const struct subject *s,
                      const struct attribution_options *o, const struct attribution_base *known,
                      struct runner *dense, const struct watcher *watcher, struct error *err) {
  struct attribution *a;
  status st;
  TRY(attribution_accepts(s->task, err));
  TRY(mem_alloc(&a, 1, sizeof *a, err));
  a->s = *s;
  a->o = *o;
  TRY_GOTO(st, failed, units_of(s->model, &a->units, err));
  TRY_GOTO(st, failed,
           known ? take_over(a, known, dense, watcher, err) : find_out(a, dense, watcher, err));
  TRY_GOTO(st, failed, record(a, dense, watcher, err));
  conclude(a);
  *out = a;
  return STATUS_OK;
failed:
  attribution_close(a);
  return st;
}

status attribution_open(struct attribution **out, const struct subject *s,
                        const struct attribution_options *o, struct runner *dense,
                        const struct watcher *watcher, struct error *err) {
  return open_by(out, s, o, NULL, dense, watcher, err);
}

status attribution_restore(struct attribution **out, const struct subject *s,
                           const struct attribution_options *o,
                           const struct attribution_base *known, struct runner *dense,
                           const struct watcher *watcher, struct error *err) {
  return open_by(out, s, o, known, dense, watcher, err);
}

void attribution_close(struct attribution *a) {
  if (!a) {
    return;
  }
  for (size_t i = 0; a->traces && i < a->base.example_count; i++) {
    free(a->traces[i].activation);
  }
  free(a->traces);
  items_free(&a->items);
  words_free(&a->words);
  witness_close(&a->witness);
  unit_set_free(&a->set);
  tape_free(&a->tape);
  eval_result_free(&a->dense);
  attribution_base_free(&a->base);
  free(a->kinds);
  free(a->matches.at);
  free(a->weights);
  free(a);
}

struct attribution_base *attribution_base(struct attribution *a) {
  return &a->base;
}
