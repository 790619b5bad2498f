#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/compare.h"

/* One flipped item of one pair, as it is printed. */
struct flip {
  size_t item;
  int draw, gold, direction;
  const float *rows[2]; /* [choices[side]] */
  size_t choices[2];
};

static void find_flip(struct flip *out, const struct compare *c, const struct paired_items *p,
                      size_t pair, size_t item, int direction) {
  const struct results_variant *a = &c->sides[0].file->variants[c->pairs.a[p->pair[pair]]],
                               *b = &c->sides[1].file->variants[c->pairs.b[p->pair[pair]]];
  *out = (struct flip){.item = item,
                       .draw = b->calibration[0] ? b->draw : a->draw,
                       .gold = p->sides[0].gold[item],
                       .direction = direction};
  for (int s = 0; s < 2; s++) {
    const struct results_items *r = &p->sides[s];
    out->choices[s] = (size_t)r->choices;
    out->rows[s] = r->loglikelihoods + (paired_row(p, s, pair) + item) * (size_t)r->choices;
  }
}

/* An item's choices end where its row is NaN. */
static status add_row(struct str *to, const struct flip *f, int side, const char *between,
                      const char *format, struct error *err) {
  for (size_t i = 0; i < f->choices[side] && !isnan(f->rows[side][i]); i++) {
    char number[32];
    (void)snprintf(number, sizeof number, format, (double)f->rows[side][i]);
    TRY(str_addf(to, err, "%s%s", i ? between : "", number));
  }
  return STATUS_OK;
}

static status add_flip(struct str *to, const struct flip *f, enum compare_format format, bool first,
                       struct error *err) {
  static const struct {
    const char *start, *middle, *between, *number, *end;
  } marks[COMPARE_FORMATS] = {
      [COMPARE_TEXT] = {"  A: ", "  B: ", " ", "%.3f", "\n"},
      [COMPARE_CSV] = {",", ",", " ", "%.9g", "\n"},
      [COMPARE_JSON] = {"\"a\": [", "], \"b\": [", ", ", "%.9g", "]}"},
  };
  const char *word = f->direction < 0 ? "lost" : "gained";
  switch (format) {
  case COMPARE_CSV:
    TRY(str_addf(to, err, "%zu,%d,%d,%s", f->item, f->draw, f->gold, word));
    break;
  case COMPARE_JSON:
    TRY(str_addf(to, err, "%s\n  {\"item\": %zu, \"draw\": %d, \"gold\": %d, \"flip\": \"%s\", ",
                 first ? "" : ",", f->item, f->draw, f->gold, word));
    break;
  default:
    TRY(str_addf(to, err, "%-6s  item %zu", word, f->item));
    TRY(f->draw >= 0 ? str_addf(to, err, "  draw %d", f->draw) : STATUS_OK);
    TRY(str_addf(to, err, "  gold %d", f->gold));
  }
  TRY(str_addf(to, err, "%s", marks[format].start));
  TRY(add_row(to, f, 0, marks[format].between, marks[format].number, err));
  TRY(str_addf(to, err, "%s", marks[format].middle));
  TRY(add_row(to, f, 1, marks[format].between, marks[format].number, err));
  return str_addf(to, err, "%s", marks[format].end);
}

static status print_flips(const struct compare *c, const struct paired_items *p,
                          enum compare_kind kind, enum compare_format format, struct str *to,
                          struct error *err) {
  static const char *const heads[] = {"", "item,draw,gold,flip,a,b\n", "["};
  static const char *const ends[] = {"", "", "\n]\n"};
  TRY(str_addf(to, err, "%s", heads[format]));
  bool first = true;
  for (size_t i = 0; i < p->count; i++) {
    for (size_t k = 0; k < p->pair_count; k++) {
      int direction = paired_flip(p, kind, k, i);
      if (direction) {
        struct flip f;
        find_flip(&f, c, p, k, i, direction);
        TRY(add_flip(to, &f, format, first, err));
        first = false;
      }
    }
  }
  if (first && format == COMPARE_TEXT) {
    TRY(str_addf(to, err, "no item flipped\n"));
  }
  return str_addf(to, err, "%s", ends[format]);
}

status compare_print_items(const struct compare *c, const struct comparison *of,
                           enum compare_format format, struct str *to, struct error *err) {
  const char *dataset = of->dataset;
  enum compare_kind kind;
  if (of->why || !compare_metric(of->metric, &kind)) {
    return err_set(err, STATUS_INPUT, "--items: %s: %s", dataset, of->why ? of->why : of->metric);
  }
  if (kind == COMPARE_PERPLEXITY) {
    return err_set(err, STATUS_INPUT,
                   "--items: windows of '%s' are neither right nor wrong (expected a data set with "
                   "answers)",
                   dataset);
  }
  struct paired_items p;
  char *why;
  TRY(paired_items_read(&p, c, dataset, &why, err));
  if (why) {
    status st = err_set(err, STATUS_INPUT, "--items: %s: %s", dataset, why);
    free(why);
    return st;
  }
  status st = print_flips(c, &p, kind, format, to, err);
  paired_items_free(&p);
  return st;
}
