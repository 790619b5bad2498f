#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/results_parts.h"

static bool same_draw(const struct calibration_info *a, const struct calibration_info *b) {
  return strcmp(a->set, b->set) == 0 && a->draw == b->draw;
}

/* "/calibration/<set>/draw<k>"; where one set and draw occurs more than once (sizes, models), all
 * of them are "draw<k>-<samples>x<length>", numbered from the second that is still the same. */
static status name_of(const struct results *r, size_t i, char **out, struct error *err) {
  const struct calibration_info *c = &r->calibrations[i];
  bool shared = false;
  size_t before = 0;
  for (size_t j = 0; j < r->calibration_count; j++) {
    const struct calibration_info *other = &r->calibrations[j];
    if (j == i || !same_draw(c, other)) {
      continue;
    }
    shared = true;
    before += j < i && other->samples == c->samples && other->length == c->length;
  }
  char *set;
  TRY(h5_link_name(c->set, &set, err));
  struct str s = {0};
  status st = str_addf(&s, err, "/calibration/%s/draw%d", set, (int)c->draw);
  if (st == STATUS_OK && shared) {
    st = str_addf(&s, err, "-%dx%d", (int)c->samples, (int)c->length);
  }
  if (st == STATUS_OK && before) {
    st = str_addf(&s, err, "-%zu", before + 1);
  }
  free(set);
  if (st != STATUS_OK) {
    str_free(&s);
    return st;
  }
  *out = s.at;
  return STATUS_OK;
}

static bool equal_lengths(const struct sequences *s) {
  for (size_t i = 1; i < s->count; i++) {
    if (sequences_length(s, i) != sequences_length(s, 0)) {
      return false;
    }
  }
  return true;
}

/* Sequences of one length are an array [samples][length]; others a group of `ids`, end to end, and
 * `first` [samples + 1]. */
static status write_ids(const struct h5 *h, const char *place, const struct sequences *s,
                        struct error *err) {
  if (equal_lengths(s)) {
    hsize_t dims[2] = {s->count, s->count ? sequences_length(s, 0) : 0};
    return h5_array(h, place, H5T_STD_I32LE, H5T_NATIVE_INT32, 2, dims, s->ids.at, err);
  }
  TRY(h5_group(h, place, err));
  char *ids = NULL, *first = NULL;
  int64_t *cuts = NULL;
  hsize_t id_count[1] = {s->ids.count}, cut_count[1] = {s->count + 1};
  status st;
  TRY_GOTO(st, end, str_format(&ids, err, "%s/ids", place));
  TRY_GOTO(st, end, str_format(&first, err, "%s/first", place));
  TRY_GOTO(st, end, mem_alloc(&cuts, s->count + 1, sizeof *cuts, err));
  for (size_t i = 0; i <= s->count; i++) {
    cuts[i] = (int64_t)s->first[i];
  }
  TRY_GOTO(st, end, h5_array(h, ids, H5T_STD_I32LE, H5T_NATIVE_INT32, 1, id_count, s->ids.at, err));
  TRY_GOTO(st, end, h5_array(h, first, H5T_STD_I64LE, H5T_NATIVE_INT64, 1, cut_count, cuts, err));
end:
  free(cuts);
  free(first);
  free(ids);
  return st;
}

static status write_draw(const struct results *r, size_t i, const struct h5 *h, const char *place,
                         struct error *err) {
  const struct calibration_info *c = &r->calibrations[i];
  TRY(write_ids(h, place, c->ids, err));
  TRY(h5_text_attribute(h, place, "set", c->set, err));
  TRY(h5_int_attribute(h, place, "draw", c->draw, err));
  TRY(h5_int_attribute(h, place, "samples", c->samples, err));
  TRY(h5_int_attribute(h, place, "length", c->length, err));
  return c->model ? h5_text_attribute(h, place, "model", c->model, err) : STATUS_OK;
}

status results_write_calibrations(const struct results *r, const struct h5 *h, struct error *err) {
  TRY(h5_group(h, "/calibration", err));
  for (size_t i = 0; i < r->calibration_count; i++) {
    char *place;
    TRY(name_of(r, i, &place, err));
    status st = write_draw(r, i, h, place, err);
    free(place);
    TRY(st);
  }
  return STATUS_OK;
}
