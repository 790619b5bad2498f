/* The logit lens on units: which vocabulary words a unit's output vector points to (after
 * nostalgebraist, 2020; Geva et al., arXiv 2203.14680). */
#ifndef ESPALIER_ATTRIBUTION_LENS_H
#define ESPALIER_ATTRIBUTION_LENS_H

#include "attribution/units.h"
#include "store/attribution.h"
#include "tokenizer/tokenizer.h"

/* Fills lens of every unit with the `words` tokens whose logits rise most when the unit's column of
 * the down projection stands alone before the final norm and the head, against an empty stream. A
 * byte-level space or ▁ in front of a token is left out; so are tokens without letters. */
status lens_fill(const struct model *m, const struct tokenizer *t, struct attribution_unit *units,
                 size_t count, int words, struct error *err);

#endif
