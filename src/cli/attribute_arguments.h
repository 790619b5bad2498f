/* What `espalier attribute` is told. */
#ifndef ESPALIER_CLI_ATTRIBUTE_ARGUMENTS_H
#define ESPALIER_CLI_ATTRIBUTE_ARGUMENTS_H

#include "cli/attribute_pair.h"

enum attribute_option {
  OPTION_SECTION = 256, /* texts, kept as they are */
  OPTION_DATASET,
  OPTION_MODEL,
  OPTION_METHOD,
  OPTION_SPARSITY,
  OPTION_CALIBRATION,
  OPTION_SAMPLES,
  OPTION_LENGTH,
  OPTION_PROPAGATE,
  OPTION_PRUNED,
  OPTION_BACKGROUND,
  OPTION_LEXICON,
  TEXTS_END,
  OPTION_NEURONS = TEXTS_END, /* whole numbers */
  OPTION_SEED,
  OPTION_LIMIT,
  OPTION_SHOTS,
  OPTION_WORDS,
  OPTION_LEAST,
  OPTION_CANDIDATES,
  OPTION_LEAVE_OUT,
  OPTION_WINDOWS,
  OPTION_RANDOM,
  OPTION_LENS,
  OPTION_THREADS,
  NUMBERS_END,
  OPTION_DRAWS = NUMBERS_END,
  OPTION_FORMAT,
  OPTION_BOS,
  OPTION_STOP_WORDS,
  OPTION_NO_CAUSAL,
  OPTION_NO_PATCH,
  OPTION_INFLUENCE,
  OPTION_SCORE,
  OPTION_PRECISION
};

struct attribute_arguments {
  const char *file;
  const char *texts[TEXTS_END - OPTION_SECTION];
  int numbers[NUMBERS_END - TEXTS_END]; /* -1: not given */
  const char *of_file, *of_pair;        /* the last option that only one of both takes */
  bool draws;
  int format, influence, score;
  struct attribute_pair pair; /* filled where there is no file */
};

/* Strings are argv's. */
status attribute_parse(struct attribute_arguments *out, int argc, char **argv, struct error *err);

/* NULL where it was not given. */
static inline const char *attribute_text(const struct attribute_arguments *a, int option) {
  return a->texts[option - OPTION_SECTION];
}
static inline int attribute_number(const struct attribute_arguments *a, int option, int otherwise) {
  int value = a->numbers[option - TEXTS_END];
  return value < 0 ? otherwise : value;
}

#endif
