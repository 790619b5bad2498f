#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/mask_record.h"
#include "store/results_parts.h"

struct writing {
  const struct results *r;
  const struct h5 *h;
  const char **ids; /* [id_count], sorted: variants whose masks are written */
  size_t id_count;
};

static int compare_ids(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether the group has the link: a journal may hold a tensor twice, cut into other parts by
 * another version. */
static bool is_there(const struct h5 *h, const char *variant, const char *link) {
  char group[sizeof "/masks/" + DIGEST_TEXT];
  (void)snprintf(group, sizeof group, "/masks/%s", variant);
  if (H5Lexists(h->file, group, H5P_DEFAULT) <= 0) {
    return false;
  }
  hid_t at = H5Gopen2(h->file, group, H5P_DEFAULT);
  bool there = at >= 0 && H5Lexists(at, link, H5P_DEFAULT) > 0;
  (void)H5Gclose(at);
  return there;
}

static status write_bits(const struct h5 *h, const char *place, const struct mask_bits *t,
                         struct error *err) {
  const hsize_t dims[2] = {(hsize_t)t->rows, mask_row_bytes(t->cols)};
  if (t->deflated) {
    TRY(h5_deflated(h, place, dims[0], dims[1], t->bytes, t->size, err));
  } else {
    TRY(h5_array(h, place, H5T_STD_U8LE, H5T_NATIVE_UCHAR, 2, dims, t->bytes, err));
  }
  return h5_int_attribute(h, place, "cols", t->cols, err);
}

static status write_tensor(const struct h5 *h, const char *variant, const struct mask_bits *t,
                           struct error *err) {
  char *link, *place;
  TRY(h5_link_name(t->name, &link, err));
  status st = STATUS_OK;
  if (t->rows > 0 && t->cols > 0 && !is_there(h, variant, link)) {
    st = str_format(&place, err, "/masks/%s/%s", variant, link);
    if (st == STATUS_OK) {
      st = write_bits(h, place, t, err);
      free(place);
    }
  }
  free(link);
  return st;
}

static status see(void *user, const unsigned char *record, size_t size, struct error *err) {
  const struct writing *w = user;
  if (record_kind(record, size) != RECORD_MASKS) {
    return STATUS_OK;
  }
  struct mask_record m;
  TRY(h5_check(w->h, err));
  TRY(record_decode_masks(&m, record, size, err));
  const char *id = m.variant;
  status st = STATUS_OK;
  if (bsearch(&id, w->ids, w->id_count, sizeof *w->ids, compare_ids)) {
    for (size_t i = 0; st == STATUS_OK && i < m.count; i++) {
      st = write_tensor(w->h, m.variant, &m.tensors[i], err);
    }
  }
  mask_record_free(&m);
  return st;
}

static bool has_masks(const struct results *r, size_t v) {
  const struct variant_record *d = r->variant_records[v];
  return r->masks && r->masks[v] && d && !d->failed;
}

status results_write_masks(const struct results *r, const struct h5 *h, struct error *err) {
  struct writing w = {r, h, NULL, 0};
  TRY(mem_alloc(&w.ids, r->variant_count, sizeof *w.ids, err));
  for (size_t v = 0; v < r->variant_count; v++) {
    if (has_masks(r, v)) {
      w.ids[w.id_count++] = r->variants[v].id;
    }
  }
  status st = STATUS_OK;
  if (r->journal && w.id_count) {
    qsort(w.ids, w.id_count, sizeof *w.ids, compare_ids);
    TRY_GOTO(st, end, h5_group(h, "/masks", err));
    TRY_GOTO(st, end, journal_replay(r->journal, see, &w, err));
  }
end:
  free(w.ids);
  return st;
}
