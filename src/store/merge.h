/* Results files into one: of an experiment's shards, which then hold what one run of the whole
 * would, row for row, or of different experiments, one after the other. */
#ifndef ESPALIER_STORE_MERGE_H
#define ESPALIER_STORE_MERGE_H

#include <stddef.h>

#include "base/error.h"

struct merge_outcome {
  size_t files, variants;
  size_t cells, done, failed; /* failed is part of done */
  size_t twice;               /* cells that more than one file has done */
};

/* Merges paths [count] and their journals into output and its journal, which are replaced whole. An
 * output that is there already is merged too, first: nothing that it holds is lost. A cell, a
 * variant's layers, masks or a distance that two files have is kept once when equal and refused
 * (STATUS_INPUT, with both files) when it differs; what failed gives way to what did not. command:
 * for the file's attributes. */
status merge_results(const char *output, const char *const *paths, size_t count,
                     const char *command, struct merge_outcome *out, struct error *err);

#endif
