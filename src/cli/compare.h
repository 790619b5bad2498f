/* `espalier compare`: two variants, or two sets of draws, on the same items. */
#ifndef ESPALIER_CLI_COMPARE_H
#define ESPALIER_CLI_COMPARE_H

#include <stdint.h>

#include "base/str.h"
#include "cli/table.h"
#include "eval/significance.h"
#include "store/results.h"

/* The variants a selector names: one, or the draws of one. */
struct selection {
  size_t *at; /* [count]: indices into the file's variants, in plan order */
  size_t count;
};

/* A selector is the beginning of an id; METHOD[:SPARSITY[:CALIBRATION[:DRAW]]] (dense,
 * wanda:0.5:c4:0, wanda:2:4); or FIELD=VALUE with commas between, fields being id, model, method,
 * sparsity, calibration, samples, length, draw and the parameters of methods. Refused when what it
 * names differs in anything but the draw. path names the file in messages. */
status select_variants(struct selection *out, const struct results_file *f, const char *path,
                       const char *selector, struct error *err);
void selection_free(struct selection *s);

/* One side of a comparison. */
struct compare_side {
  const char *path;
  const struct results_file *file;
  struct selection selection;
};

/* A draw of A against the same draw of B; a model without draws stands against every draw. */
struct compare_pairs {
  size_t *a, *b; /* [count]: indices into the files' variants */
  size_t count;
  size_t left_out; /* variants of a side whose draw the other has not */
};
status compare_pair(struct compare_pairs *out, const struct compare_side sides[2],
                    struct error *err);
void compare_pairs_free(struct compare_pairs *p);

/* How items become the metric. */
enum compare_kind {
  COMPARE_CORRECT,      /* acc: share of correct items */
  COMPARE_CORRECT_NORM, /* acc_norm */
  COMPARE_F1,           /* of the items' predictions, likewise the next two */
  COMPARE_F1_MACRO,
  COMPARE_MCC,
  COMPARE_PERPLEXITY, /* of items of equally many tokens */
  COMPARE_KINDS
};

/* One data set. */
struct comparison {
  const char *dataset, *metric;
  char *why;             /* why nothing could be tested, NULL: it was; owned */
  double a, b;           /* mean over pairs of the metric */
  double difference;     /* b - a */
  double spread;         /* its standard deviation over pairs, NaN below two */
  struct interval range; /* 95 % of the difference */
  size_t pairs;          /* with results on both sides */
  int64_t items;
  size_t lost, gained; /* item and pair: right with A alone, with B alone; perplexity: likelier */
  size_t down, up;     /* items by the sign of their sum over pairs; one pair: lost, gained */
  double p, holm;      /* McNemar's exact test of down against up; NaN for perplexity */
};

struct compare {
  struct compare_side sides[2];
  struct compare_pairs pairs;
  struct comparison *at; /* [count], in the order of A's file */
  size_t count;
  unsigned seed;
};

/* Compares on the data sets that both files have; wanted and metrics as in table_query (empty:
 * all; each data set's first). c->sides and seed are set; the rest is filled. */
status compare_run(struct compare *c, const struct word_list *datasets,
                   const struct word_list *metrics, struct error *err);
void compare_free(struct compare *c);

/* The same items under two variants. Arrays of a file with more items than `count` keep its stride.
 */
struct paired_items {
  struct results_items sides[2]; /* variants: those of the pairs, in their order */
  size_t *pair;                  /* [pair_count]: pairs with items on both sides */
  size_t pair_count;
  size_t count;
};
/* Where a data set cannot be paired, *why says so (the caller frees it) and out is empty. */
status paired_items_read(struct paired_items *out, const struct compare *c, const char *dataset,
                         char **why, struct error *err);
void paired_items_free(struct paired_items *p);
static inline size_t paired_row(const struct paired_items *p, int side, size_t pair) {
  return p->pair[pair] * (size_t)p->sides[side].items;
}
/* -1, 0, 1: what an item's correctness did from A to B in a pair. */
int paired_flip(const struct paired_items *p, enum compare_kind kind, size_t pair, size_t item);

/* Whether the metric can be computed from items, and how. */
bool compare_metric(const char *metric, enum compare_kind *out);

/* The metric of one side of a pair over items (indices, repetitions allowed). tokens: per item, for
 * perplexity. scratch: [2][count], for gold labels and predictions. */
struct item_metric {
  const struct paired_items *items;
  enum compare_kind kind;
  double tokens;
  int32_t *predictions; /* [2][pair_count][count]; NULL where the kind needs none */
  int32_t *scratch;     /* [2][count]; likewise */
};
double item_metric_value(const struct item_metric *m, int side, size_t pair, const size_t *items,
                         size_t count);

enum compare_format { COMPARE_TEXT, COMPARE_CSV, COMPARE_JSON, COMPARE_FORMATS };
extern const char *const compare_format_names[COMPARE_FORMATS];

status compare_print(const struct compare *c, enum compare_format format, struct str *to,
                     struct error *err);
/* The flipped items of one of c's data sets. */
status compare_print_items(const struct compare *c, const struct comparison *of,
                           enum compare_format format, struct str *to, struct error *err);

/* "nano wanda 0.5 c4 16x128 draws 0 1", without draws when there is none. */
status compare_describe(const struct compare_side *s, struct str *to, struct error *err);

#endif
