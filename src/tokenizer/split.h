/* Cutting a text at a pattern, with what becomes of the matches. */
#ifndef ESPALIER_TOKENIZER_SPLIT_H
#define ESPALIER_TOKENIZER_SPLIT_H

#include "tokenizer/pretokenize.h"

enum split_behavior {
  SPLIT_REMOVED,              /* matches vanish */
  SPLIT_ISOLATED,             /* every match is a piece */
  SPLIT_MERGED_WITH_PREVIOUS, /* a match ends the piece before it */
  SPLIT_MERGED_WITH_NEXT,     /* a match begins the piece after it */
  SPLIT_CONTIGUOUS,           /* neighbouring matches are one piece */
  SPLIT_BEHAVIORS
};

extern const char *const split_behavior_names[SPLIT_BEHAVIORS];

/* Appends the pieces of a piece of w->pieces.text to w->spare.at. invert: what lies between the
 * pattern's matches counts as the match. */
status split_piece(struct pre_work *w, struct scan *scan, const struct piece *piece,
                   const struct pattern *pattern, enum split_behavior behavior, bool invert,
                   struct error *err);

#endif
