#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "eval/evalset.h"
#include "eval/metrics.h"

/* What metrics are computed from. */
struct sums {
  const struct evalset *set;
  const struct score *scores;
  const int32_t *predictions;
  const struct eval_result *result;
  double *values; /* [items], scratch */
};

double evalset_sum(const struct evalset *e, const struct score *scores, size_t item) {
  double sum = 0;
  for (size_t i = e->first[item]; i < e->first[item + 1]; i++) {
    sum += scores[i].loglikelihood;
  }
  return sum;
}

static void mean_of_values(const struct sums *s, struct metric *m) {
  m->value = metric_mean(s->values, s->set->items);
  m->stderr_ = metric_mean_stderr(s->values, s->set->items);
}

static status acc(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  for (size_t i = 0; i < s->set->items; i++) {
    s->values[i] = s->result->correct[i];
  }
  mean_of_values(s, m);
  return STATUS_OK;
}

static status acc_norm(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  for (size_t i = 0; i < s->set->items; i++) {
    s->values[i] = s->result->correct_norm[i];
  }
  mean_of_values(s, m);
  return STATUS_OK;
}

static status acc_bytes(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  const struct evalset *e = s->set;
  for (size_t i = 0; i < e->items; i++) {
    size_t best = e->first[i];
    for (size_t j = best + 1; j < e->first[i + 1]; j++) {
      if (s->scores[j].loglikelihood / e->bytes[j] >
          s->scores[best].loglikelihood / e->bytes[best]) {
        best = j;
      }
    }
    s->values[i] = best == e->first[i] + (size_t)e->gold[i];
  }
  mean_of_values(s, m);
  return STATUS_OK;
}

/* The choice whose log-likelihood gains most from the context (Holtzman et al. 2021, PMI). */
static status acc_mutual_info(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  const struct evalset *e = s->set;
  const struct score *alone = s->scores + e->alone;
  for (size_t i = 0; i < e->items; i++) {
    size_t best = e->first[i];
    for (size_t j = best + 1; j < e->first[i + 1]; j++) {
      if (s->scores[j].loglikelihood - alone[j].loglikelihood >
          s->scores[best].loglikelihood - alone[best].loglikelihood) {
        best = j;
      }
    }
    s->values[i] = best == e->first[i] + (size_t)e->gold[i];
  }
  mean_of_values(s, m);
  return STATUS_OK;
}

/* Greedy decoding would write the right choice. */
static status exact_match(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  const struct evalset *e = s->set;
  for (size_t i = 0; i < e->items; i++) {
    s->values[i] = s->scores[e->first[i] + (size_t)e->gold[i]].greedy;
  }
  mean_of_values(s, m);
  return STATUS_OK;
}

/* Squared distance of softmax(log-likelihoods) to the right answer (Brier 1950). */
static double brier_of(const struct score *scores, size_t count, size_t gold) {
  double most = -INFINITY, total = 0, squares = 0;
  for (size_t i = 0; i < count; i++) {
    most = fmax(most, scores[i].loglikelihood);
  }
  for (size_t i = 0; i < count; i++) {
    total += exp(scores[i].loglikelihood - most);
  }
  for (size_t i = 0; i < count; i++) {
    double off = exp(scores[i].loglikelihood - most) / total - (i == gold);
    squares += off * off;
  }
  return squares;
}

static status brier_score(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  const struct evalset *e = s->set;
  for (size_t i = 0; i < e->items; i++) {
    size_t first = e->first[i], count = e->first[i + 1] - first;
    s->values[i] = brier_of(s->scores + first, count, (size_t)e->gold[i]);
  }
  m->value = metric_mean(s->values, e->items);
  m->stderr_ = NAN;
  return STATUS_OK;
}

static status f1(const struct sums *s, struct metric *m, struct error *err) {
  const struct evalset *e = s->set;
  m->value = metric_f1(e->gold, s->predictions, e->items);
  return metric_bootstrap_labels(BOOTSTRAP_F1, e->gold, s->predictions, e->items, e->choices,
                                 BOOTSTRAP_ITERATIONS, &m->stderr_, err);
}

static status f1_macro(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  m->value = metric_f1_macro(s->set->gold, s->predictions, s->set->items, s->set->choices);
  m->stderr_ = NAN;
  return STATUS_OK;
}

static status mcc(const struct sums *s, struct metric *m, struct error *err) {
  const struct evalset *e = s->set;
  m->value = metric_mcc(e->gold, s->predictions, e->items, e->choices);
  return metric_bootstrap_labels(BOOTSTRAP_MCC, e->gold, s->predictions, e->items, e->choices,
                                 BOOTSTRAP_ITERATIONS, &m->stderr_, err);
}

/* Windows: exp of the mean of the windows' mean cross-entropies; every window has equally many
 * targets. Last words: exp of the mean over documents. */
static status perplexity(const struct sums *s, struct metric *m, struct error *err) {
  const struct evalset *e = s->set;
  bool windows = task_type(e->task) == TASK_PERPLEXITY;
  double targets = windows ? e->length - 1 : 1;
  for (size_t i = 0; i < e->items; i++) {
    s->values[i] = s->scores[i].loglikelihood / targets;
  }
  m->value = metric_perplexity(s->values, e->items);
  m->stderr_ = NAN;
  return windows ? STATUS_OK
                 : metric_bootstrap_perplexity(s->values, e->items, BOOTSTRAP_ITERATIONS,
                                               &m->stderr_, err);
}

/* Mean negative log-likelihood, in nats per word or byte of all documents together. */
static double nats_per(const struct sums *s, const double *units) {
  double nats = 0, all = 0;
  for (size_t i = 0; i < s->set->items; i++) {
    nats -= evalset_sum(s->set, s->scores, i);
    all += units[i];
  }
  return nats / all;
}

static status word_perplexity(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  m->value = exp(nats_per(s, s->set->words));
  m->stderr_ = NAN;
  return STATUS_OK;
}

static status byte_perplexity(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  m->value = exp(nats_per(s, s->set->text_bytes));
  m->stderr_ = NAN;
  return STATUS_OK;
}

static status bits_per_byte(const struct sums *s, struct metric *m, struct error *err) {
  (void)err;
  m->value = nats_per(s, s->set->text_bytes) / M_LN2;
  m->stderr_ = NAN;
  return STATUS_OK;
}

static const struct {
  const char *name;
  status (*compute)(const struct sums *s, struct metric *m, struct error *err);
} metrics[] = {
    {"acc", acc},
    {"acc_norm", acc_norm},
    {"acc_bytes", acc_bytes},
    {"acc_mutual_info", acc_mutual_info},
    {"exact_match", exact_match},
    {"brier_score", brier_score},
    {"f1", f1},
    {"f1_macro", f1_macro},
    {"mcc", mcc},
    {"perplexity", perplexity},
    {"word_perplexity", word_perplexity},
    {"byte_perplexity", byte_perplexity},
    {"bits_per_byte", bits_per_byte},
};

static status compute(const struct sums *s, const char *name, struct metric *m, struct error *err) {
  for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
    if (strcmp(metrics[i].name, name) == 0) {
      *m = (struct metric){.items = (int64_t)s->set->items};
      memcpy(m->name, metrics[i].name, strlen(metrics[i].name) + 1);
      return metrics[i].compute(s, m, err);
    }
  }
  return err_set(err, STATUS_BUG, "metric '%s' has no formula", name);
}

status evalset_aggregate(const struct evalset *e, const struct score *scores,
                         const int32_t *predictions, struct eval_result *out, struct error *err) {
  const char *const *names = task_metrics(e->task);
  size_t count = 0;
  while (names[count]) {
    count++;
  }
  TRY(mem_alloc(&out->metrics, count, sizeof *out->metrics, err));
  struct sums s = {e, scores, predictions, out, NULL};
  TRY(mem_alloc(&s.values, e->items, sizeof *s.values, err));
  status st = STATUS_OK;
  for (size_t i = 0; i < count && st == STATUS_OK; i++) {
    st = compute(&s, names[i], &out->metrics[i], err);
    out->metric_count += st == STATUS_OK;
  }
  free(s.values);
  return st;
}
