#include "attribution/ablation.h"

#include <math.h>
#include <stdlib.h>

#include "eval/pack.h"

static const size_t none = SIZE_MAX;

/* A batch as it grows; cleared, it keeps its memory. */
struct draft {
  struct ids ids;
  struct span *spans; /* [span_count] */
  size_t span_count, span_cap;
  struct query *queries;  /* [query_count] */
  size_t *request;        /* [query_count]: who asks */
  struct answer *answers; /* [query_count] */
  size_t query_count, query_cap, request_cap, answer_cap;
  size_t base;  /* the request whose rows stand in it last, or none */
  size_t first; /* its first row */
};

struct ablation_pass {
  const struct ablations *a;
  bool shares;
  size_t rows;
  struct draft drafts[PACK_RUN];
  size_t used; /* drafts, the last one growing */
  struct runner *runner;
  double *loglikelihoods;
  size_t answered; /* requests */
  status (*progress)(void *user, double done, struct error *err);
  void *user;
};

status ablations_belong(struct ablations *a, size_t base, struct error *err) {
  size_t at = a->requests.count;
  TRY(mem_reserve(&a->base, &a->cap, at + 1, sizeof *a->base, err));
  a->base[at] = base;
  return STATUS_OK;
}

void ablations_free(struct ablations *a) {
  requests_free(&a->requests);
  free(a->base);
  *a = (struct ablations){0};
}

static void draft_clear(struct draft *d) {
  d->ids.count = d->span_count = d->query_count = 0;
  d->base = none;
}

static void draft_free(struct draft *d) {
  ids_free(&d->ids);
  free(d->spans);
  free(d->queries);
  free(d->request);
  free(d->answers);
}

/* Rows that the model reads: all but the last token, which is asked for and never read. */
static size_t rows_of(const struct request *q) {
  return (size_t)q->context_count + (size_t)q->continuation_count - 1;
}

/* Rows that a request has in common with its base. Rows that are asked stay its own. */
static size_t common(const struct requests *r, size_t base, size_t at) {
  const int32_t *x = r->pool.at + r->at[base].context, *y = r->pool.at + r->at[at].context;
  size_t most = (size_t)r->at[at].context_count - 1, n = rows_of(&r->at[base]), same = 0;
  most = n < most ? n : most;
  while (same < most && x[same] == y[same]) {
    same++;
  }
  return same;
}

static status add_span(struct draft *d, const struct requests *r, size_t at, size_t prefix,
                       struct error *err) {
  const struct request *q = &r->at[at];
  size_t count = rows_of(q) - prefix;
  TRY(mem_reserve(&d->spans, &d->span_cap, d->span_count + 1, sizeof *d->spans, err));
  d->spans[d->span_count++] = (struct span){(int32_t)d->ids.count, (int32_t)count,
                                            (int32_t)(prefix ? d->first : 0), (int32_t)prefix};
  return ids_append(&d->ids, r->pool.at + q->context + prefix, count, err);
}

/* Context and continuation stand behind each other in the pool. The request's rows end with the
 * last one added. */
static status add_queries(struct draft *d, const struct requests *r, size_t at, struct error *err) {
  const struct request *q = &r->at[at];
  size_t asked = (size_t)q->continuation_count, need = d->query_count + asked;
  TRY(mem_reserve(&d->queries, &d->query_cap, need, sizeof *d->queries, err));
  TRY(mem_reserve(&d->request, &d->request_cap, need, sizeof *d->request, err));
  TRY(mem_reserve(&d->answers, &d->answer_cap, need, sizeof *d->answers, err));
  for (size_t i = 0; i < asked; i++) {
    d->queries[d->query_count] =
        (struct query){(int32_t)(d->ids.count - asked + i), r->pool.at[q->continuation + i]};
    d->request[d->query_count++] = at;
  }
  return STATUS_OK;
}

/* The base's rows, not asked unless it is its turn. */
static status add_base(struct draft *d, const struct requests *r, size_t base, struct error *err) {
  d->base = base;
  d->first = d->ids.count;
  return add_span(d, r, base, 0, err);
}

static status add(struct draft *d, const struct ablation_pass *p, size_t at, struct error *err) {
  const struct requests *r = &p->a->requests;
  size_t base = p->a->base[at];
  if (at == base) {
    TRY(add_base(d, r, base, err));
    return add_queries(d, r, at, err);
  }
  size_t prefix = p->shares ? common(r, base, at) : 0;
  if (prefix && d->base != base) {
    TRY(add_base(d, r, base, err));
  }
  TRY(add_span(d, r, at, prefix, err));
  return add_queries(d, r, at, err);
}

/* Rows that a request would add to a draft. */
static size_t need(const struct draft *d, const struct ablation_pass *p, size_t at) {
  const struct requests *r = &p->a->requests;
  size_t base = p->a->base[at];
  size_t prefix = p->shares && at != base ? common(r, base, at) : 0;
  size_t again = prefix && d->base != base ? rows_of(&r->at[base]) : 0;
  return rows_of(&r->at[at]) - prefix + again;
}

static status tell(void *user, struct error *err) {
  const struct ablation_pass *p = user;
  return p->progress ? p->progress(p->user, (double)p->answered / (double)p->a->requests.count, err)
                     : STATUS_OK;
}

static status answer(struct ablation_pass *p, size_t behind, struct error *err) {
  struct work works[PACK_RUN];
  for (size_t i = 0; i < p->used; i++) {
    struct draft *d = &p->drafts[i];
    works[i] = (struct work){
        .batch = {d->ids.at, (int32_t)d->ids.count, d->spans, (int32_t)d->span_count},
        .queries = d->queries,
        .count = d->query_count,
        .answers = d->answers,
    };
  }
  TRY(runner_answer(p->runner, works, p->used, err));
  for (size_t i = 0; i < p->used; i++) {
    struct draft *d = &p->drafts[i];
    for (size_t k = 0; k < d->query_count; k++) {
      p->loglikelihoods[d->request[k]] += d->answers[k].logprob;
    }
    draft_clear(d);
  }
  p->used = 0;
  p->answered = behind;
  return tell(p, err);
}

static status place(struct ablation_pass *p, size_t at, struct error *err) {
  struct draft *d = p->used ? &p->drafts[p->used - 1] : NULL;
  if (!d || (d->ids.count && d->ids.count + need(d, p, at) > p->rows)) {
    TRY(p->used == PACK_RUN ? answer(p, at, err) : STATUS_OK);
    d = &p->drafts[p->used++];
  }
  return add(d, p, at, err);
}

static status run(struct ablation_pass *p, struct error *err) {
  size_t count = p->a->requests.count;
  for (size_t i = 0; i < count; i++) {
    p->loglikelihoods[i] = 0;
  }
  for (size_t i = 0; i < count; i++) {
    TRY(place(p, i, err));
  }
  TRY(p->used ? answer(p, count, err) : STATUS_OK);
  for (size_t i = 0; i < count; i++) {
    if (isnan(p->loglikelihoods[i])) {
      return err_set(err, STATUS_NUMERIC, "the log-likelihood of request %zu is not a number",
                     i + 1);
    }
  }
  return STATUS_OK;
}

status ablations_score(const struct ablations *a, size_t rows, struct runner *runner,
                       const struct model *m,
                       status (*progress)(void *user, double done, struct error *err),
                       void *progress_user, double *loglikelihoods, struct error *err) {
  struct ablation_pass p = {.a = a,
                            .shares = model_shares_contexts(m),
                            .rows = rows,
                            .runner = runner,
                            .loglikelihoods = loglikelihoods,
                            .progress = progress,
                            .user = progress_user};
  for (size_t i = 0; i < PACK_RUN; i++) {
    draft_clear(&p.drafts[i]);
  }
  runner_watch(runner, progress ? tell : NULL, &p);
  status st = run(&p, err);
  runner_watch(runner, NULL, NULL);
  for (size_t i = 0; i < PACK_RUN; i++) {
    draft_free(&p.drafts[i]);
  }
  return st;
}
