/* One document, one sequence, in file order, cut at the length: replays a released calibration set,
 * and leaves short documents short. */
#include <stdlib.h>

#include "calib/set.h"

static status lines_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                         struct error *err) {
  if (pool->count / (size_t)draw->draws < (size_t)draw->most) {
    return err_at(err, STATUS_INPUT, pool->set->data, 0,
                  "calibration set %s needs %d draw%s × %d samples; the file has %zu lines",
                  pool->set->name, draw->draws, draw->draws == 1 ? "" : "s", draw->most,
                  pool->count);
  }
  size_t first = (size_t)draw->draw * (size_t)draw->most;
  for (size_t i = first; i < first + (size_t)draw->samples; i++) {
    const struct ids *ids;
    TRY(pool_document(pool, i, &ids, err));
    if (ids->count == 0) {
      return err_at(err, STATUS_INPUT, pool->set->data, pool->documents[i].line,
                    "no token (expected a text or a list of ids that is not empty)");
    }
    size_t length = ids->count < (size_t)draw->length ? ids->count : (size_t)draw->length;
    pool->documents[i].used = true;
    TRY(sequences_add(out, ids->at, length, err));
  }
  return STATUS_OK;
}

const struct sampler sampler_lines = {.name = "lines", .draw = lines_draw};
