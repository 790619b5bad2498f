/* Which records of masks, and of what no input plans, the merged journal takes. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/merge_parts.h"

static int compare_parts(const void *a, const void *b) {
  const struct merge_part *x = a, *y = b;
  if (x->variant != y->variant) {
    return x->variant < y->variant ? -1 : 1;
  }
  if (x->parts != y->parts) {
    return x->parts < y->parts ? -1 : 1;
  }
  if (x->part != y->part) {
    return x->part < y->part ? -1 : 1;
  }
  return (x->input > y->input) - (x->input < y->input);
}

static int compare_digests(const void *a, const void *b) {
  const struct merge_part *x = a, *y = b;
  return strcmp(x->digest, y->digest);
}

static bool same_part(const struct merge_part *a, const struct merge_part *b) {
  return a->variant == b->variant && a->parts == b->parts && a->part == b->part;
}

static status unite(struct merge *m, struct error *err) {
  size_t kept = 0;
  for (size_t i = 0; i < m->part_count; i++) {
    struct merge_part *p = &m->parts[i], *last = kept ? &m->parts[kept - 1] : NULL;
    if (!last || !same_part(last, p)) {
      m->parts[kept++] = *p;
    } else if (last->input != p->input && strcmp(last->digest, p->digest) != 0) {
      char name[256];
      merge_name_variant(m, p->variant, name, sizeof name);
      return err_set(err, STATUS_INPUT, "%s and %s differ: %s: its masks are not the same",
                     m->inputs[last->input].path, m->inputs[p->input].path, name);
    }
  }
  m->part_count = kept;
  return STATUS_OK;
}

status merge_settle_masks(struct merge *m, struct error *err) {
  TRY(mem_alloc(&m->masks, m->variant_count, sizeof *m->masks, err));
  if (m->part_count == 0) {
    return STATUS_OK;
  }
  qsort(m->parts, m->part_count, sizeof *m->parts, compare_parts);
  TRY(unite(m, err));
  for (size_t i = 0, end; i < m->part_count; i = end) {
    const struct merge_part *first = &m->parts[i];
    for (end = i; end < m->part_count && m->parts[end].variant == first->variant &&
                  m->parts[end].parts == first->parts;) {
      end++;
    }
    m->masks[first->variant] |= end - i == (size_t)first->parts;
  }
  qsort(m->parts, m->part_count, sizeof *m->parts, compare_digests);
  return STATUS_OK;
}

static int compare_others(const void *a, const void *b) {
  return memcmp(a, b, DIGEST_TEXT);
}

void merge_settle_others(struct merge *m) {
  size_t kept = 0;
  if (m->other_count == 0) {
    return;
  }
  qsort(m->others, m->other_count, sizeof *m->others, compare_others);
  for (size_t i = 0; i < m->other_count; i++) {
    if (kept == 0 || memcmp(m->others[kept - 1], m->others[i], DIGEST_TEXT) != 0) {
      memmove(m->others[kept++], m->others[i], DIGEST_TEXT);
    }
  }
  m->other_count = kept;
}
