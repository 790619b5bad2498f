/* What encoders and decoders of the kinds of records share. Every record starts with two bytes of
 * its mark, the version and the kind. */
#ifndef ESPALIER_STORE_RECORD_PARTS_H
#define ESPALIER_STORE_RECORD_PARTS_H

#include <stdbool.h>

#include "store/pack.h"
#include "store/record.h"

status record_pack_head(struct str *to, enum record_kind kind, struct error *err);
/* Hands the packed bytes over, or frees them when st is a failure; is worth st. */
status record_finish(status st, struct str *s, unsigned char **out, size_t *size);

/* Refuses bytes that are no record of this kind; *from is then what stands behind the head. */
status record_open(struct unpack *from, const unsigned char *at, size_t size, enum record_kind kind,
                   struct error *err);
status record_flag(struct unpack *from, bool *out, struct error *err);
/* A count of what takes at least width bytes each. */
status record_count(struct unpack *from, size_t width, size_t *out, struct error *err);
status record_i32(struct unpack *from, int32_t *out, struct error *err);
/* Refuses bytes behind the last field. */
status record_end(const struct unpack *from, struct error *err);

#endif
