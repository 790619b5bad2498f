/* Neuron semantic attribution as records: what the dense model says of a data set, and what a
 * pruned one lost of it. A unit is an intermediate unit of a block's MLP: an input of its down
 * projection. What the numbers mean: src/attribution/README.md. */
#ifndef ESPALIER_STORE_ATTRIBUTION_H
#define ESPALIER_STORE_ATTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

enum { ATTRIBUTION_WORD = 64, ATTRIBUTION_LENS = 256 };

/* An influential word. */
struct attribution_word {
  char text[ATTRIBUTION_WORD]; /* lower case, UTF-8 */
  int32_t occurrences;         /* in the data set's items */
  double influence; /* natural log units; NaN where the words came from a file without weights */
  double low, high; /* 95 % bootstrap interval over items; NaN where there is none */
};

/* A unit that some word was matched with. */
struct attribution_unit {
  int32_t block, unit;
  double mean, spread;         /* of |a| over the background */
  char lens[ATTRIBUTION_LENS]; /* nearest vocabulary words of its output vector, best first,
                                  separated by line feeds; "" where there are none */
};

/* A word and one of its units. */
struct attribution_match {
  int32_t word, unit; /* indices into words and units */
  double score;       /* (activation - mean) / (spread + epsilon), or the sum */
  double p;           /* one-sided, that the word's tokens are like the background's */
  bool found;         /* p passes the false discovery rate over all units tried for this word */
  double activation;  /* mean |a| over the word's tokens, dense */
};

/* Units left out of matching because they answer to everything. */
enum attribution_apart { APART_ALWAYS_ON, APART_MASSIVE };
struct attribution_apart_unit {
  int32_t block, unit;
  int32_t kind; /* enum attribution_apart */
  double mean, spread;
};

/* Units zeroed in the dense model. */
struct attribution_causal {
  int32_t set;           /* 0: the matched units; from 1: random ones */
  int32_t units;         /* zeroed */
  double accuracy, gold; /* of the data set; gold: mean log-likelihood of the gold answers */
  double accuracy_change, accuracy_low, accuracy_high; /* against dense; 95 % over items */
  double gold_change, gold_low, gold_high;
};

/* A passage of one item, coloured by one unit. */
struct attribution_example {
  int32_t match; /* index into matches */
  int32_t item;  /* of the data set */
  int32_t tokens;
  char *text; /* the passage, UTF-8, NUL-terminated */
  int32_t
      *starts; /* [tokens + 1]: byte offsets into text; token i is starts[i] up to starts[i + 1] */
  float *activation; /* [tokens]: a, signed, dense */
};

/* The dense model on one data set. */
struct attribution_base {
  char variant[DIGEST_TEXT]; /* the dense one */
  char dataset[64];
  char id[DIGEST_TEXT]; /* of the cell as planned (cell_record); "" goes for any plan that has the
                           variant and the data set */
  bool failed;
  char error[512];
  char influence[16]; /* how words were chosen: "leave_one_out", "log_odds", "lexicon" */
  char score[8];      /* "z" or "sum" */
  int64_t background; /* tokens */
  int32_t blocks, units_per_block;
  double accuracy, gold; /* dense, on the items; NaN without gold labels */
  double perplexity;     /* of the background */
  size_t word_count, unit_count, match_count, apart_count, causal_count, example_count;
  struct attribution_word *words;
  struct attribution_unit *units;
  struct attribution_match *matches; /* by word, best first */
  struct attribution_apart_unit *apart;
  struct attribution_causal *causal; /* empty where it was not asked for */
  struct attribution_example *examples;
  int32_t *dead; /* [blocks]: units never active over the background */
};

/* A pruned variant on one data set; indices and counts are those of the base. */
struct attribution_loss {
  char variant[DIGEST_TEXT];
  char dataset[64];
  char id[DIGEST_TEXT]; /* as in the base */
  bool failed;
  char error[512];
  double loss;           /* influence-weighted mean of word_loss */
  double accuracy, gold; /* of the pruned model on the items */
  double patched_accuracy,
      patched_gold; /* with the matched units' dense activations; NaN: not asked for */
  double restored, restored_low, restored_high; /* share of the drop in gold that patching restores;
                                                   95 % over items */
  double layer_error; /* mean over blocks of |x' - x|^2 / |x|^2 of what the next block reads,
                         on the background */
  double perplexity;  /* of the background */
  size_t word_count, match_count, block_count, example_count;
  double *word_loss;  /* [word_count]: R */
  double *activation; /* [match_count]: mean |a| over the word's tokens, pruned */
  double *block_loss; /* [block_count]: R over the block's matches; NaN where it has none */
  int32_t *dead;      /* [block_count] */
  struct attribution_trace {
    int32_t tokens;
    float *activation; /* [tokens]: of the base's example, pruned */
  } * examples;        /* [example_count] */
};

/* The caller frees *out. */
status record_encode_attribution_base(const struct attribution_base *r, unsigned char **out,
                                      size_t *size, struct error *err);
status record_encode_attribution_loss(const struct attribution_loss *r, unsigned char **out,
                                      size_t *size, struct error *err);
/* Free with the functions below, also after a failure. */
status record_decode_attribution_base(struct attribution_base *out, const unsigned char *from,
                                      size_t size, struct error *err);
status record_decode_attribution_loss(struct attribution_loss *out, const unsigned char *from,
                                      size_t size, struct error *err);
void attribution_base_free(struct attribution_base *r);
void attribution_loss_free(struct attribution_loss *r);

#endif
