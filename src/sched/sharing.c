#include "sched/sharing.h"

void sharing_free(struct sharing *s) {
  shared_pass_free(s->pass);
  s->pass = NULL;
  s->held = 0;
}

static status make(struct sharing *s, const struct plan_share *share,
                   struct shared_pass_options *options, struct error *err) {
  const struct model *m = s->plan->models[s->plan->variants[share->longest].model].model;
  if (shared_pass_bytes(m, options) > s->budget) {
    if (!s->scratch) {
      return STATUS_OK;
    }
    options->scratch = s->scratch;
  }
  struct sequences ids;
  TRY(plan_draw(s->plan, share->longest, &ids, err));
  options->calibration = &ids;
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
