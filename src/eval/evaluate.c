#include "eval/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "eval/evalset.h"

void eval_result_free(struct eval_result *r) {
  free(r->metrics);
  free(r->loglikelihoods);
  free(r->gold);
  free(r->correct);
  free(r->correct_norm);
  *r = (struct eval_result){0};
}

static status result_alloc(const struct evalset *e, struct eval_result *r, struct error *err) {
  r->items = (int64_t)e->items;
  r->choices = e->choices;
  size_t cells = e->items * (size_t)e->choices;
  TRY(mem_alloc(&r->loglikelihoods, cells, sizeof *r->loglikelihoods, err));
  TRY(mem_alloc(&r->gold, e->items, sizeof *r->gold, err));
  TRY(mem_alloc(&r->correct, e->items, sizeof *r->correct, err));
  TRY(mem_alloc(&r->correct_norm, e->items, sizeof *r->correct_norm, err));
  for (size_t i = 0; i < cells; i++) {
    r->loglikelihoods[i] = NAN;
  }
  return STATUS_OK;
}

/* First maximum of log-likelihood / length over an item's choices; lengths NULL: not divided. */
static int32_t best(const struct score *scores, const double *lengths, size_t count) {
  int32_t best = 0;
  double most = -INFINITY;
  for (size_t i = 0; i < count; i++) {
    double value = scores[i].loglikelihood / (lengths ? lengths[i] : 1);
    if (value > most) {
      most = value;
      best = (int32_t)i;
    }
  }
  return best;
}

static void fill_items(const struct evalset *e, const struct score *scores, int32_t *predictions,
                       struct eval_result *r) {
  enum task_type type = task_type(e->task);
  for (size_t i = 0; i < e->items; i++) {
    size_t first = e->first[i], count = e->first[i + 1] - first;
    if (type == TASK_ROLLING) {
      r->loglikelihoods[i] = (float)evalset_sum(e, scores, i);
    } else {
      for (size_t j = 0; j < count; j++) {
        r->loglikelihoods[i * (size_t)e->choices + j] = (float)scores[first + j].loglikelihood;
      }
    }
    r->gold[i] = e->gold[i];
    r->correct[i] = r->correct_norm[i] = -1;
    if (type == TASK_MULTIPLE_CHOICE) {
      predictions[i] = best(scores + first, NULL, count);
      r->correct[i] = predictions[i] == e->gold[i];
      r->correct_norm[i] = best(scores + first, e->points + first, count) == e->gold[i];
    } else if (type == TASK_LAST_WORD) {
      r->correct[i] = scores[first].greedy;
    }
  }
}

status evalset_judge(const struct evalset *e, const struct score *scores, struct eval_result *out,
                     struct error *err) {
  struct eval_result r = {0};
  int32_t *predictions = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&predictions, e->items, sizeof *predictions, err));
  TRY_GOTO(st, done, result_alloc(e, &r, err));
  fill_items(e, scores, predictions, &r);
  TRY_GOTO(st, done, evalset_aggregate(e, scores, predictions, &r, err));
done:
  free(predictions);
  if (st != STATUS_OK) {
    eval_result_free(&r);
    return st;
  }
  *out = r;
  return STATUS_OK;
}

status evalset_evaluate(const struct evalset *e, struct runner *runner, const struct model *m,
                        const struct group *group,
                        status (*progress)(void *user, double done, struct error *err),
                        void *progress_user, struct eval_result *out, struct error *err) {
  struct score *scores;
  TRY(mem_alloc(&scores, e->requests.count, sizeof *scores, err));
  status st = requests_score(&e->requests, runner, m, group, progress, progress_user, scores, err);
  st = st == STATUS_OK ? evalset_judge(e, scores, out, err) : st;
  free(scores);
  return st;
}
