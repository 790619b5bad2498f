#include "sched/sharing.h"

#include <stdint.h>

void sharing_free(struct sharing *s) {
  shared_pass_free(s->pass);
  s->pass = NULL;
  s->held = 0;
}

/* Whether every rank has a place for what a pass leaves, and memory while a group makes it. */
static status find_place(const struct sharing *s, const struct model *m,
                         struct shared_pass_options *options, bool *found, struct error *err) {
  bool large = shared_pass_bytes(m, options) > s->budget;
  bool crowded = s->group->size > 1 && shared_pass_room(m, options) > s->budget;
  int64_t without = (large && !s->scratch) || crowded;
  options->scratch = large ? s->scratch : NULL;
  TRY(group_sum_int64(s->group, &without, 1, err));
  *found = without == 0;
  return STATUS_OK;
}

static status make(struct sharing *s, const struct plan_share *share,
                   struct shared_pass_options *options, struct error *err) {
  const struct model *m = s->plan->models[s->plan->variants[share->longest].model].model;
  bool found;
  struct sequences ids = {0};
  TRY(find_place(s, m, options, &found, err));
  if (!found) {
    return STATUS_OK;
  }
  TRY(group_agree(s->group, plan_draw(s->plan, share->longest, &ids, err), err));
  options->calibration = &ids;
  options->group = s->group;
  status st = shared_pass_create(&s->pass, m, options, err);
  sequences_free(&ids);
  /* Its variants can do without it. */
  return st == STATUS_MEMORY || st == STATUS_IO ? STATUS_OK : st;
}

status sharing_take(struct sharing *s, size_t variant,
                    status (*progress)(void *user, double done, struct error *err), void *user,
                    struct shared_pass **out, struct error *err) {
  int index = s->plan->variants[variant].share;
  *out = NULL;
  if (index < 0 || s->plan->shares[index].variants < 2) {
    return STATUS_OK;
  }
  if (s->held != index + 1) {
    sharing_free(s);
    const struct plan_share *share = &s->plan->shares[index];
    struct shared_pass_options options = plan_shared_pass(s->plan, share);
    options.progress = progress;
    options.progress_user = user;
    TRY(make(s, share, &options, err));
    s->held = index + 1;
  }
  *out = s->pass;
  return STATUS_OK;
}
