#include "attribution/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/influence.h"
#include "base/mem.h"
#include "eval/evalset.h"

void words_free(struct words *w) {
  free(w->at);
  free(w->uses);
  *w = (struct words){0};
}

static status check_task(const struct passages *p, struct error *err) {
  enum task_type type = task_type(p->set->task);
  if (type == TASK_PERPLEXITY || type == TASK_ROLLING) {
    return err_at(err, STATUS_INPUT, task_file(p->set->task), 0,
                  "a task of texts has no answers that words could decide (expected one with "
                  "choices or a last word)");
  }
  return STATUS_OK;
}

static status choose_eligible(struct influentials *out, const struct passages *p,
                              const struct vocabulary *v, const struct attribution_options *o,
                              struct runner *dense,
                              status (*progress)(void *user, double done, struct error *err),
                              void *progress_user, struct error *err) {
  const char *data = task_data(p->set->task);
  size_t *terms, count;
  TRY(influence_eligible(v, o, &terms, &count, err));
  status st;
  if (count == 0) {
    st = err_at(err, STATUS_INPUT, data, 0,
                "no word%s stands in at least %d places and not in every item",
                o->stop_words ? "" : " but function words", o->least_occurrences);
  } else if (o->influence == INFLUENCE_LOG_ODDS) {
    st = influence_by_log_odds(out, p, v, o, terms, count, err);
  } else {
    st =
        influence_by_leave_one_out(out, p, v, o, terms, count, dense, progress, progress_user, err);
  }
  if (st == STATUS_OK && out->count == 0) {
    st = err_at(err, STATUS_INPUT, data, 0,
                o->influence == INFLUENCE_LOG_ODDS
                    ? "no word tells the classes apart"
                    : "no word's absence lowers the gold answer's likelihood");
  }
  free(terms);
  return st;
}

static status add_uses(struct words *out, const struct vocabulary *v, const struct term *t,
                       size_t word, struct error *err) {
  TRY(mem_reserve(&out->uses, &out->use_cap, out->use_count + t->count, sizeof *out->uses, err));
  for (size_t k = t->first; k < t->first + t->count; k++) {
    const struct place *at = &v->places[k];
    out->uses[out->use_count++] = (struct word_use){(int32_t)word, at->item, at->token, at->tokens};
  }
  return STATUS_OK;
}

static status fill(struct words *out, const struct influentials *from, const struct vocabulary *v,
                   struct error *err) {
  TRY(mem_alloc(&out->at, from->count, sizeof *out->at, err));
  for (size_t i = 0; i < from->count; i++) {
    const struct term *t = &v->terms[from->at[i].term];
    struct attribution_word *w = &out->at[out->count++];
    *w = (struct attribution_word){.occurrences = (int32_t)t->count,
                                   .influence = from->at[i].value,
                                   .low = from->at[i].range.low,
                                   .high = from->at[i].range.high};
    memcpy(w->text, t->text, strlen(t->text) + 1);
    TRY(add_uses(out, v, t, i, err));
  }
  return STATUS_OK;
}

status words_choose(struct words *out, const struct passages *p,
                    const struct attribution_options *o, struct runner *dense,
                    status (*progress)(void *user, double done, struct error *err),
                    void *progress_user, struct error *err) {
  struct vocabulary v = {0};
  struct influentials chosen = {0};
  struct words words = {0};
  status st;
  TRY(check_task(p, err));
  TRY_GOTO(st, done, vocabulary_make(&v, p, err));
  if (o->influence == INFLUENCE_LEXICON) {
    TRY_GOTO(st, done, influence_by_lexicon(&chosen, p, &v, o, err));
  } else {
    TRY_GOTO(st, done, choose_eligible(&chosen, p, &v, o, dense, progress, progress_user, err));
  }
  st = fill(&words, &chosen, &v, err);
done:
  influentials_free(&chosen);
  vocabulary_free(&v);
  if (st != STATUS_OK) {
    words_free(&words);
    return st;
  }
  *out = words;
  return STATUS_OK;
}

static status place_all(struct words *out, const struct vocabulary *v,
                        const struct attribution_word *words, size_t count, struct error *err) {
  TRY(mem_alloc(&out->at, count, sizeof *out->at, err));
  for (size_t i = 0; i < count; i++) {
    size_t term = vocabulary_find(v, words[i].text);
    out->at[out->count++] = words[i];
    if (term < v->count) {
      TRY(add_uses(out, v, &v->terms[term], i, err));
    }
  }
  return STATUS_OK;
}

status words_place(struct words *out, const struct passages *p,
                   const struct attribution_word *words, size_t count, struct error *err) {
  struct vocabulary v = {0};
  struct words placed = {0};
  status st = vocabulary_make(&v, p, err);
  if (st == STATUS_OK) {
    st = place_all(&placed, &v, words, count, err);
  }
  vocabulary_free(&v);
  if (st != STATUS_OK) {
    words_free(&placed);
    return st;
  }
  *out = placed;
  return STATUS_OK;
}
