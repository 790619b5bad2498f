/* Centrality: Erkan and Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text
 * Summarization" (JAIR 22, 2004). Windows are the sentences: vectors of token counts times
 * log(windows / windows with the token), a graph of their cosines, and the stationary distribution
 * of a walk on it that starts anew with probability 1 − damping. With a threshold, edges are the
 * pairs whose cosine is above it, all alike; with threshold 0 the cosines weigh the edges, the
 * paper's continuous LexRank. The most central come first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/select.h"

enum { PARAM_THRESHOLD = 1, PARAM_DAMPING, ROUNDS = 1000 };

static const double enough = 1e-12; /* change of all probabilities together */

/* A window's distinct tokens and their weights, all windows end to end. */
struct vectors {
  int32_t *ids;   /* [first[count]] */
  double *values; /* same; of length 1 together */
  size_t *first;  /* [count + 1] */
};

static int by_id(const void *x, const void *y) {
  const int32_t *a = x, *b = y;
  return *a < *b ? -1 : *a > *b;
}

static void vectors_free(struct vectors *v) {
  free(v->ids);
  free(v->values);
  free(v->first);
}

/* Counts per window; seen [vocab] becomes how many windows have a token. */
static void count_tokens(const struct candidates *c, struct vectors *v, double *seen) {
  for (size_t i = 0; i < c->count; i++) {
    size_t at = v->first[i];
    int32_t *ids = v->ids + at; /* sorted in place: distinct ones never outnumber those read */
    memcpy(ids, candidates_at(c, i), c->length * sizeof *ids);
    qsort(ids, c->length, sizeof *ids, by_id);
    for (size_t k = 0; k < c->length; k++) {
      if (k == 0 || ids[k] != v->ids[at - 1]) {
        v->values[at] = 0;
        seen[ids[k]] += 1;
        v->ids[at++] = ids[k];
      }
      v->values[at - 1] += 1;
    }
    v->first[i + 1] = at;
  }
}

static void weigh(struct vectors *v, size_t count, const double *seen) {
  for (size_t i = 0; i < count; i++) {
    double squares = 0;
    for (size_t k = v->first[i]; k < v->first[i + 1]; k++) {
      v->values[k] *= log((double)count / seen[v->ids[k]]);
      squares += v->values[k] * v->values[k];
    }
    for (size_t k = v->first[i]; k < v->first[i + 1] && squares > 0; k++) {
      v->values[k] /= sqrt(squares);
    }
  }
}

/* vocab: tokens are below it. */
static status vectors_make(struct vectors *v, const struct candidates *c, size_t vocab,
                           struct error *err) {
  double *seen;
  TRY(mem_alloc(&v->ids, c->count * c->length, sizeof *v->ids, err));
  TRY(mem_alloc(&v->values, c->count * c->length, sizeof *v->values, err));
  TRY(mem_alloc(&v->first, c->count + 1, sizeof *v->first, err));
  TRY(mem_alloc(&seen, vocab, sizeof *seen, err));
  count_tokens(c, v, seen);
  weigh(v, c->count, seen);
  free(seen);
  return STATUS_OK;
}

/* edges [count][count]: cosines, or whether they are above the threshold. A window is its own
 * neighbour, as in the paper, also where all its tokens weigh nothing. dense [vocab] is zero before
 * and after. */
static void connect(const struct vectors *v, size_t count, double threshold, double *dense,
                    float *edges) {
  for (size_t i = 0; i < count; i++) {
    for (size_t k = v->first[i]; k < v->first[i + 1]; k++) {
      dense[v->ids[k]] = v->values[k];
    }
    edges[i * count + i] = 1;
    for (size_t j = i + 1; j < count; j++) {
      double cosine = 0;
      for (size_t k = v->first[j]; k < v->first[j + 1]; k++) {
        cosine += v->values[k] * dense[v->ids[k]];
      }
      float edge = (float)(threshold > 0 ? cosine > threshold : cosine);
      edges[i * count + j] = edges[j * count + i] = edge;
    }
    for (size_t k = v->first[i]; k < v->first[i + 1]; k++) {
      dense[v->ids[k]] = 0;
    }
  }
}

/* Rows of edges become sums of 1; the walk's distribution into p [count], next [count] beside it.
 */
static void walk(float *edges, size_t count, double damping, double *p, double *next) {
  for (size_t i = 0; i < count; i++) {
    double degree = 0;
    for (size_t j = 0; j < count; j++) {
      degree += edges[i * count + j];
    }
    for (size_t j = 0; j < count; j++) {
      edges[i * count + j] = (float)(edges[i * count + j] / degree);
    }
    p[i] = 1 / (double)count;
  }
  double change = 1;
  for (int round = 0; round < ROUNDS && change > enough; round++) {
    for (size_t j = 0; j < count; j++) {
      next[j] = (1 - damping) / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
      for (size_t j = 0; j < count; j++) {
        next[j] += damping * p[i] * edges[i * count + j];
      }
    }
    change = 0;
    for (size_t j = 0; j < count; j++) {
      change += fabs(next[j] - p[j]);
      p[j] = next[j];
    }
  }
}

static status rank(struct pool *pool, const struct draw *draw, const struct candidates *c,
                   size_t *order, struct error *err) {
  struct vectors v = {0};
  double *dense = NULL, *p = NULL;
  float *edges = NULL;
  struct scored *scored = NULL;
  const double *params = pool->set->params;
  status st;
  TRY_GOTO(st, done, vectors_make(&v, c, (size_t)pool->vocab, err));
  TRY_GOTO(st, done, mem_alloc(&dense, (size_t)pool->vocab, sizeof *dense, err));
  TRY_GOTO(st, done, mem_alloc(&p, 2 * c->count, sizeof *p, err));
  TRY_GOTO(st, done, mem_alloc(&edges, c->count * c->count, sizeof *edges, err));
  TRY_GOTO(st, done, mem_alloc(&scored, c->count, sizeof *scored, err));
  connect(&v, c->count, params[PARAM_THRESHOLD], dense, edges);
  walk(edges, c->count, params[PARAM_DAMPING], p, p + c->count);
  for (size_t i = 0; i < c->count; i++) {
    scored[i] = (struct scored){p[i], i};
  }
  scored_descending(scored, c->count);
  for (int i = 0; i < draw->most; i++) {
    order[i] = scored[i].index;
  }
done:
  vectors_free(&v);
  free(dense);
  free(p);
  free(edges);
  free(scored);
  return st;
}

const struct sampler sampler_lexrank = {
    .name = "lexrank",
    .params = {CANDIDATES_PARAM, {"threshold", 0, 1, 0, false}, {"damping", 0, 0.999, 0.85, false}},
    .rank = rank};
