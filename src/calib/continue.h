/* Texts continued by the dense model, all of them a token at a time. */
#ifndef ESPALIER_CALIB_CONTINUE_H
#define ESPALIER_CALIB_CONTINUE_H

#include "calib/calib.h"
#include "calib/choose_token.h"

struct continuation {
  struct token_choice how;
  const struct model *model;
  const struct draw *draw; /* seeds the random numbers; texts become draw->length tokens long */
};

/* The beginnings, all of one length below draw->length, each continued. Keys and values are not
 * kept: every token costs a pass over what stands before it. The model's blocks stay in memory
 * where they fit in RESIDENT_BYTES; above that they are loaded anew for every token. */
enum { RESIDENT_BYTES = 1 << 30 };
status continue_texts(const struct continuation *c, const struct sequences *beginnings,
                      struct sequences *out, struct error *err);

#endif
