/* Diversity: k-means on windows by their mean hidden state at the last block of the dense model,
 * one cluster per sample of the largest count, and of each cluster the window nearest to its
 * centroid. Centroids start as in Arthur and Vassilvitskii, "k-means++: The Advantages of Careful
 * Seeding" (SODA 2007). Ordered by size of the cluster, largest first, then by distance: the first
 * samples speak for most of the candidates. One pass of the dense model over the candidates. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "calib/dense.h"
#include "calib/select.h"

enum { ROUNDS = 50 };

struct clusters {
  const float *points; /* [count][dims] */
  double *centres;     /* [k][dims] */
  size_t *owner;       /* [count]: nearest centroid */
  double *distance;    /* [count]: to it, squared */
  size_t *size;        /* [k] */
  size_t count, k, dims;
};

static double squared(const struct clusters *c, size_t point, size_t centre) {
  const float *x = c->points + point * c->dims;
  const double *m = c->centres + centre * c->dims;
  double sum = 0;
  for (size_t d = 0; d < c->dims; d++) {
    sum += (x[d] - m[d]) * (x[d] - m[d]);
  }
  return sum;
}

static void place(struct clusters *c, size_t centre, size_t point) {
  for (size_t d = 0; d < c->dims; d++) {
    c->centres[centre * c->dims + d] = c->points[point * c->dims + d];
  }
}

/* A point with probability proportional to its distance from the centroids so far. */
static size_t far_point(const struct clusters *c, struct rng *rng) {
  double total = 0;
  for (size_t i = 0; i < c->count; i++) {
    total += c->distance[i];
  }
  double aim = rng_double(rng) * total;
  size_t last = 0;
  for (size_t i = 0; i < c->count; i++) {
    if (c->distance[i] > 0) {
      last = i;
      aim -= c->distance[i];
      if (aim < 0) {
        break;
      }
    }
  }
  return last;
}

static void seed(struct clusters *c, struct rng *rng) {
  place(c, 0, (size_t)rng_below(rng, c->count));
  for (size_t i = 0; i < c->count; i++) {
    c->distance[i] = squared(c, i, 0);
  }
  for (size_t k = 1; k < c->k; k++) {
    place(c, k, far_point(c, rng));
    for (size_t i = 0; i < c->count; i++) {
      double d = squared(c, i, k);
      c->distance[i] = d < c->distance[i] ? d : c->distance[i];
    }
  }
}

/* Every point to its nearest centroid, the first of equals. Returns whether any changed. */
static bool assign(struct clusters *c) {
  int changed = 0;
#pragma omp parallel for schedule(static) reduction(| : changed)
  for (size_t i = 0; i < c->count; i++) {
    size_t best = 0;
    double least = DBL_MAX;
    for (size_t k = 0; k < c->k; k++) {
      double d = squared(c, i, k);
      if (d < least) {
        least = d;
        best = k;
      }
    }
    changed |= c->owner[i] != best;
    c->owner[i] = best;
    c->distance[i] = least;
  }
  memset(c->size, 0, c->k * sizeof *c->size);
  for (size_t i = 0; i < c->count; i++) {
    c->size[c->owner[i]]++;
  }
  return changed;
}

/* An empty cluster takes the point farthest from its centroid among clusters of more than one: k <=
 * count, so there is one. */
static void fill(struct clusters *c) {
  for (size_t k = 0; k < c->k; k++) {
    if (c->size[k] > 0) {
      continue;
    }
    size_t far = c->count;
    for (size_t i = 0; i < c->count; i++) {
      if (c->size[c->owner[i]] > 1 && (far == c->count || c->distance[i] > c->distance[far])) {
        far = i;
      }
    }
    c->size[c->owner[far]]--;
    c->owner[far] = k;
    c->size[k] = 1;
    c->distance[far] = 0;
  }
}

static void update(struct clusters *c) {
  memset(c->centres, 0, c->k * c->dims * sizeof *c->centres);
  for (size_t i = 0; i < c->count; i++) {
    for (size_t d = 0; d < c->dims; d++) {
      c->centres[c->owner[i] * c->dims + d] += c->points[i * c->dims + d];
    }
  }
  for (size_t k = 0; k < c->k; k++) {
    for (size_t d = 0; d < c->dims; d++) {
      c->centres[k * c->dims + d] /= (double)c->size[k];
    }
  }
}

static void settle(struct clusters *c, struct rng *rng) {
  seed(c, rng);
  bool moved = assign(c);
  for (int round = 0; round < ROUNDS && moved; round++) {
    fill(c);
    update(c);
    moved = assign(c);
  }
  fill(c);
  update(c);
}

/* Nearest point of each cluster, the largest cluster first. */
struct choice {
  size_t size, point;
  double distance;
};

static int by_size(const void *x, const void *y) {
  const struct choice *a = x, *b = y;
  if (a->size != b->size) {
    return a->size > b->size ? -1 : 1;
  }
  if (a->distance != b->distance) {
    return a->distance < b->distance ? -1 : 1;
  }
  return a->point < b->point ? -1 : a->point > b->point;
}

static status choose(const struct clusters *c, size_t *order, struct error *err) {
  struct choice *choices;
  TRY(mem_alloc(&choices, c->k, sizeof *choices, err));
  for (size_t i = 0; i < c->count; i++) {
    struct choice *choice = &choices[c->owner[i]];
    double d = squared(c, i, c->owner[i]);
    if (choice->size == 0 || d < choice->distance) {
      *choice = (struct choice){c->size[c->owner[i]], i, d};
    }
  }
  qsort(choices, c->k, sizeof *choices, by_size);
  for (size_t k = 0; k < c->k; k++) {
    order[k] = choices[k].point;
  }
  free(choices);
  return STATUS_OK;
}

static status cluster(struct clusters *c, const struct draw *draw, size_t *order,
                      struct error *err) {
  struct rng rng;
  draw_rng(&rng, draw, 0);
  TRY(mem_alloc(&c->centres, c->k * c->dims, sizeof *c->centres, err));
  TRY(mem_alloc(&c->owner, c->count, sizeof *c->owner, err));
  TRY(mem_alloc(&c->distance, c->count, sizeof *c->distance, err));
  TRY(mem_alloc(&c->size, c->k, sizeof *c->size, err));
  settle(c, &rng);
  return choose(c, order, err);
}

static status rank(struct pool *pool, const struct draw *draw, const struct candidates *c,
                   size_t *order, struct error *err) {
  size_t dims = (size_t)model_hidden(pool->model);
  struct sequences sequences = {0};
  float *means = NULL;
  struct clusters clusters = {.count = c->count, .k = (size_t)draw->most, .dims = dims};
  status st;
  TRY_GOTO(st, done, candidates_copy(c, &sequences, err));
  TRY_GOTO(st, done, mem_alloc(&means, c->count * dims, sizeof *means, err));
  TRY_GOTO(st, done, dense_means(pool->model, &sequences, means, err));
  clusters.points = means;
  TRY_GOTO(st, done, cluster(&clusters, draw, order, err));
done:
  sequences_free(&sequences);
  free(means);
  free(clusters.centres);
  free(clusters.owner);
  free(clusters.distance);
  free(clusters.size);
  return st;
}

const struct sampler sampler_kmeans = {
    .name = "kmeans", .params = {CANDIDATES_PARAM}, .rank = rank};
