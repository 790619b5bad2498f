#include <math.h>
#include <stdlib.h>

#include "eval/pack.h"

/* A rank's share of a scoring: every size-th pack, PACK_RUN of them per call of the runner. */
struct scoring {
  const struct requests *requests;
  struct packs packs;
  double *loglikelihoods; /* [requests], zero where another rank answers */
  int64_t *greedy;        /* [requests]: answers that were the most probable token */
};

static void add_answers(struct scoring *s, const struct pack_work *w) {
  for (size_t i = 0; i < w->queries_count; i++) {
    s->loglikelihoods[w->request[i]] += w->answers[i].logprob;
    s->greedy[w->request[i]] += w->answers[i].greedy != 0;
  }
}

/* Answers up to PACK_RUN packs from *next on, stepping by the group's size. */
static status answer_run(struct scoring *s, struct runner *runner, size_t *next, size_t step,
                         struct error *err) {
  struct pack_work parts[PACK_RUN] = {{0}};
  struct work works[PACK_RUN];
  size_t count = 0;
  status st = STATUS_OK;
  for (; count < PACK_RUN && *next < s->packs.count; count++, *next += step) {
    struct pack_work *w = &parts[count];
    TRY_GOTO(st, done, pack_build(w, s->requests, &s->packs, *next, err));
    works[count] = (struct work){
        .batch = {w->ids, (int32_t)w->tokens, w->spans, (int32_t)w->span_count},
        .queries = w->queries,
        .count = w->queries_count,
        .answers = w->answers,
        .origin = w->origin,
    };
  }
  TRY_GOTO(st, done, runner_answer(runner, works, count, err));
  for (size_t i = 0; i < count; i++) {
    add_answers(s, &parts[i]);
  }
done:
  for (size_t i = 0; i < PACK_RUN; i++) {
    pack_work_free(&parts[i]);
  }
  return st;
}

/* Progress as it stands, told again while the runner is at work. */
struct telling {
  status (*progress)(void *user, double done, struct error *err);
  void *user;
  double done;
};

static status tell(void *user, struct error *err) {
  const struct telling *t = user;
  return t->progress(t->user, t->done, err);
}

static status answer_share(struct scoring *s, struct runner *runner, const struct group *group,
                           status (*progress)(void *user, double done, struct error *err),
                           void *progress_user, struct error *err) {
  size_t step = (size_t)group->size;
  struct telling telling = {.progress = progress, .user = progress_user};
  runner_watch(runner, progress ? tell : NULL, &telling);
  status st = STATUS_OK;
  for (size_t next = (size_t)group->rank; st == STATUS_OK && next < s->packs.count;) {
    st = answer_run(s, runner, &next, step, err);
    size_t done = next < s->packs.count ? next : s->packs.count;
    telling.done = (double)done / (double)s->packs.count;
    if (st == STATUS_OK && progress) {
      st = tell(&telling, err);
    }
  }
  runner_watch(runner, NULL, NULL);
  return st;
}

static status gather(struct scoring *s, const struct group *group, struct score *scores,
                     struct error *err) {
  size_t count = s->requests->count;
  TRY(group_sum_double(group, s->loglikelihoods, count, err));
  TRY(group_sum_int64(group, s->greedy, count, err));
  for (size_t i = 0; i < count; i++) {
    int tokens = s->requests->at[i].continuation_count;
    scores[i] = (struct score){s->loglikelihoods[i], tokens, s->greedy[i] == tokens};
    if (isnan(scores[i].loglikelihood)) {
      return err_set(err, STATUS_NUMERIC, "the log-likelihood of request %zu is not a number",
                     i + 1);
    }
  }
  return STATUS_OK;
}

status requests_score_packed(const struct requests *r, struct packing packing,
                             struct runner *runner, const struct group *group,
                             status (*progress)(void *user, double done, struct error *err),
                             void *progress_user, struct score *scores, struct error *err) {
  struct scoring s = {.requests = r};
  status st;
  TRY_GOTO(st, agreed, packs_plan(&s.packs, r, packing, err));
  TRY_GOTO(st, agreed, mem_alloc(&s.loglikelihoods, r->count, sizeof *s.loglikelihoods, err));
  TRY_GOTO(st, agreed, mem_alloc(&s.greedy, r->count, sizeof *s.greedy, err));
  st = answer_share(&s, runner, group, progress, progress_user, err);
agreed:
  st = group_agree(group, st, err);
  if (st == STATUS_OK) {
    st = gather(&s, group, scores, err);
  }
  packs_free(&s.packs);
  free(s.loglikelihoods);
  free(s.greedy);
  return st;
}

status requests_score(const struct requests *r, struct runner *runner, const struct model *m,
                      const struct group *group,
                      status (*progress)(void *user, double done, struct error *err),
                      void *progress_user, struct score *scores, struct error *err) {
  struct packing packing = packing_usual();
  packing.apart = !model_shares_contexts(m);
  return requests_score_packed(r, packing, runner, group, progress, progress_user, scores, err);
}
