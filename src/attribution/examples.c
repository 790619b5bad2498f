#include <stdlib.h>
#include <string.h>

#include "attribution/attribution_parts.h"
#include "base/mem.h"
#include "eval/evalset.h"

enum { EXAMPLES = 8, BEFORE = 40, AFTER = 24 /* tokens around the word */ };

/* The first use of the word that does not open its sequence; NULL: none. */
static const struct word_use *find_use(const struct attribution *a, int32_t word,
                                       const struct request **request) {
  const struct evalset *e = a->s.set;
  for (size_t i = 0; i < a->words.use_count; i++) {
    const struct word_use *use = &a->words.uses[i];
    int32_t gold = e->gold[use->item] > 0 ? e->gold[use->item] : 0;
    *request = &e->requests.at[e->first[use->item] + (size_t)gold];
    if (use->word == word && use->first > (*request)->context) {
      return use;
    }
  }
  return NULL;
}

/* Byte offsets that never fall: a template's token stands where the one before it ends. */
static void cut_text(const struct token_span *spans, int tokens, uint32_t base, uint32_t end,
                     int32_t *starts) {
  uint32_t at = base;
  for (int i = 0; i < tokens; i++) {
    at = spans[i].end > spans[i].start && spans[i].start > at ? spans[i].start : at;
    starts[i] = (int32_t)(at - base);
  }
  starts[tokens] = (int32_t)(end - base);
}

static status add_example(struct attribution *a, int32_t match, const struct word_use *use,
                          const struct request *q, struct error *err) {
  const struct evalset *e = a->s.set;
  size_t end = q->context + (size_t)q->context_count;
  size_t first = use->first > q->context + BEFORE ? use->first - BEFORE : q->context;
  size_t behind = use->first + (size_t)use->count + AFTER;
  behind = behind < end ? behind : end;
  int tokens = (int)(behind - first);
  const struct token_span *spans = e->requests.spans + first;
  const struct item *item = &a->items.at[use->item];
  const char *context = item->contexts[item->gold > 0 ? item->gold : 0];
  uint32_t from = spans[0].start, to = spans[tokens - 1].end;
  if (to <= from || to > strlen(context)) {
    return STATUS_OK; /* a passage of template tokens alone */
  }
  size_t at = a->base.example_count;
  const struct attribution_unit *unit = &a->base.units[a->base.matches[match].unit];
  struct attribution_example *x = &a->base.examples[at];
  struct trace *t = &a->traces[at];
  *x = (struct attribution_example){.match = match, .item = use->item, .tokens = tokens};
  *t = (struct trace){.first = first, .tokens = tokens, .block = unit->block, .unit = unit->unit};
  a->base.example_count++;
  TRY(mem_alloc(&x->starts, (size_t)tokens + 1, sizeof *x->starts, err));
  TRY(mem_alloc(&x->activation, (size_t)tokens, sizeof *x->activation, err));
  TRY(mem_alloc(&t->activation, (size_t)tokens, sizeof *t->activation, err));
  cut_text(spans, tokens, from, to, x->starts);
  return mem_dup(&x->text, context + from, to - from, err);
}

status examples_choose(struct attribution *a, struct error *err) {
  struct attribution_base *b = &a->base;
  TRY(mem_alloc(&b->examples, EXAMPLES, sizeof *b->examples, err));
  TRY(mem_alloc(&a->traces, EXAMPLES, sizeof *a->traces, err));
  for (size_t m = 0; m < b->match_count && b->example_count < EXAMPLES; m++) {
    if (m > 0 && b->matches[m].word == b->matches[m - 1].word) {
      continue; /* only the word's best */
    }
    const struct request *q;
    const struct word_use *use = find_use(a, b->matches[m].word, &q);
    if (use) {
      TRY(add_example(a, (int32_t)m, use, q, err));
    }
  }
  return STATUS_OK;
}
