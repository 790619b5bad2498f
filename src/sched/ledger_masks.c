#include "base/mem.h"
#include "sched/ledger_parts.h"
#include "sched/mask_parts.h"
#include "store/mask_record.h"

/* Whether the record is a part of masks that this plan wants, as this version cuts them. */
static bool find_part(const struct ledger *l, const struct mask_record *r, size_t *variant) {
  if (!l->plan->grid->store_masks || !ledger_find_variant(l, r->variant, variant)) {
    return false;
  }
  const struct variant *v = &l->plan->variants[*variant];
  return !v->method->dense && r->parts == mask_parts(l->plan->models[v->model].model);
}

status ledger_take_masks(struct ledger *l, const unsigned char *bytes, size_t size,
                         struct ledger_entry *out, bool *known, struct error *err) {
  struct mask_record r;
  TRY(record_decode_masks(&r, bytes, size, err));
  size_t v = 0;
  *known = find_part(l, &r, &v);
  struct parts *p = &l->parts[v];
  status st = STATUS_OK;
  if (*known && !p->there) {
    st = mem_alloc(&p->there, (size_t)r.parts, sizeof *p->there, err);
  }
  if (*known && st == STATUS_OK) {
    bool fresh = !p->there[r.part];
    p->there[r.part] = true;
    p->count += fresh;
    l->masks[v] = p->count == r.parts;
    *out = (struct ledger_entry){
        .variant = v, .dataset = l->plan->dataset_count, .masks = true, .fresh = fresh};
  }
  mask_record_free(&r);
  return st;
}
