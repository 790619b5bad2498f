#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/compare.h"

static const struct results_variant *variant_of(const struct compare_side *s, size_t i) {
  return &s->file->variants[s->selection.at[i]];
}

/* One that was calibrated stands against its own draw; what has no draw against all. */
static bool belong(const struct compare_side *a, size_t i, const struct compare_side *b, size_t k) {
  const struct results_variant *x = variant_of(a, i), *y = variant_of(b, k);
  bool single = a->selection.count == 1 && b->selection.count == 1;
  return single || !x->calibration[0] || !y->calibration[0] || x->draw == y->draw;
}

static bool is_used(const size_t *list, size_t count, size_t value) {
  for (size_t i = 0; i < count; i++) {
    if (list[i] == value) {
      return true;
    }
  }
  return false;
}

status compare_pair(struct compare_pairs *out, const struct compare_side sides[2],
                    struct error *err) {
  const struct selection *a = &sides[0].selection, *b = &sides[1].selection;
  *out = (struct compare_pairs){0};
  TRY(mem_alloc(&out->a, a->count * b->count, sizeof *out->a, err));
  TRY(mem_alloc(&out->b, a->count * b->count, sizeof *out->b, err));
  for (size_t i = 0; i < a->count; i++) {
    for (size_t k = 0; k < b->count; k++) {
      if (belong(&sides[0], i, &sides[1], k)) {
        out->a[out->count] = a->at[i];
        out->b[out->count++] = b->at[k];
      }
    }
  }
  if (out->count == 0) {
    return err_set(err, STATUS_INPUT,
                   "the two have no draw in common (name one draw of each to compare them anyway)");
  }
  for (size_t i = 0; i < a->count; i++) {
    out->left_out += !is_used(out->a, out->count, a->at[i]);
  }
  for (size_t k = 0; k < b->count; k++) {
    out->left_out += !is_used(out->b, out->count, b->at[k]);
  }
  return STATUS_OK;
}

void compare_pairs_free(struct compare_pairs *p) {
  free(p->a);
  free(p->b);
  *p = (struct compare_pairs){0};
}

/* Reads one side's items of a data set, a variant per pair. */
static status read_side(struct results_items *out, const struct compare *c, int side,
                        const char *dataset, struct error *err) {
  const struct compare_side *s = &c->sides[side];
  const size_t *at = side ? c->pairs.b : c->pairs.a;
  const char **ids;
  TRY(mem_alloc(&ids, c->pairs.count, sizeof(char *), err));
  for (size_t i = 0; i < c->pairs.count; i++) {
    ids[i] = s->file->variants[at[i]].id;
  }
  status st = results_items_read(out, s->path, dataset, ids, c->pairs.count, err);
  free((void *)ids);
  return st;
}

/* Both files' gold labels must agree: item i is item i. */
static bool same_gold(const struct paired_items *p) {
  return p->count == 0 ||
         memcmp(p->sides[0].gold, p->sides[1].gold, p->count * sizeof *p->sides[0].gold) == 0;
}

static status find_pairs(struct paired_items *p, size_t pairs, char **why, struct error *err) {
  TRY(mem_alloc(&p->pair, pairs, sizeof *p->pair, err));
  for (size_t i = 0; i < pairs; i++) {
    if (!p->sides[0].there[i] || !p->sides[1].there[i]) {
      continue;
    }
    int64_t n = p->sides[0].counts[i], m = p->sides[1].counts[i];
    if (n != m || (p->pair_count && (size_t)n != p->count)) {
      return str_format(why, err, "%lld and %lld items: not the same",
                        (long long)(n != m ? n : (int64_t)p->count), (long long)m);
    }
    p->count = (size_t)n;
    p->pair[p->pair_count++] = i;
  }
  if (p->pair_count == 0 || p->count == 0) {
    return str_format(why, err, "no items of both in the results");
  }
  return same_gold(p) ? STATUS_OK : str_format(why, err, "the gold labels differ: other items");
}

status paired_items_read(struct paired_items *out, const struct compare *c, const char *dataset,
                         char **why, struct error *err) {
  *out = (struct paired_items){0};
  *why = NULL;
  status st = read_side(&out->sides[0], c, 0, dataset, err);
  if (st == STATUS_OK) {
    st = read_side(&out->sides[1], c, 1, dataset, err);
  }
  if (st == STATUS_OK) {
    st = find_pairs(out, c->pairs.count, why, err);
  }
  if (st != STATUS_OK || *why) {
    paired_items_free(out);
  }
  return st;
}

void paired_items_free(struct paired_items *p) {
  results_items_free(&p->sides[0]);
  results_items_free(&p->sides[1]);
  free(p->pair);
  *p = (struct paired_items){0};
}

int paired_flip(const struct paired_items *p, enum compare_kind kind, size_t pair, size_t item) {
  int value[2];
  for (int s = 0; s < 2; s++) {
    const struct results_items *r = &p->sides[s];
    size_t at = paired_row(p, s, pair) + item;
    if (kind == COMPARE_PERPLEXITY) {
      const struct results_items *first = &p->sides[0];
      float a = first->loglikelihoods[(paired_row(p, 0, pair) + item) * (size_t)first->choices];
      float own = r->loglikelihoods[at * (size_t)r->choices];
      value[s] = s == 0 ? 0 : (own > a) - (own < a);
    } else {
      value[s] = (kind == COMPARE_CORRECT_NORM ? r->correct_norm : r->correct)[at] == 1;
    }
  }
  return value[1] - value[0];
}
