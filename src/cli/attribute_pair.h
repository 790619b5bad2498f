/* `espalier attribute` of one dense and one pruned checkpoint, without an experiment. */
#ifndef ESPALIER_CLI_ATTRIBUTE_PAIR_H
#define ESPALIER_CLI_ATTRIBUTE_PAIR_H

#include "attribution/options.h"
#include "cli/places.h"
#include "cli/session.h"
#include "linalg/precision.h"
#include "store/attribution.h"

struct attribute_pair {
  const char *model, *pruned; /* checkpoints: folders, or names as in an experiment */
  const char *dataset;        /* a task */
  const char *background;     /* a calibration set */
  int limit, shots;           /* items (0: all), few-shot examples */
  bool bos, quiet;
  enum precision precision;
  struct attribution_options options;
};

/* Both records; variants are called "dense" and "pruned". Free them with their functions, also
 * after a failure. STATUS_INPUT for checkpoints of different shapes or tokenizers. */
status attribute_pair(const struct attribute_pair *a, const struct cli_places *places,
                      const struct session *session, struct attribution_base *base,
                      struct attribution_loss *loss, struct error *err);

#endif
