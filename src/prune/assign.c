#include "prune/assign.h"

static int costliest_left(const double *costs, int count, const int *owner) {
  int best = -1;
  for (int i = 0; i < count; i++) {
    if (owner[i] < 0 && (best < 0 || costs[i] > costs[best])) {
      best = i;
    }
  }
  return best;
}

static int least_loaded(const double *load, int ranks) {
  int best = 0;
  for (int r = 1; r < ranks; r++) {
    if (load[r] < load[best]) {
      best = r;
    }
  }
  return best;
}

void assign_tasks(const double *costs, int count, int ranks, double *load, int *owner) {
  for (int r = 0; r < ranks; r++) {
    load[r] = 0;
  }
  for (int i = 0; i < count; i++) {
    owner[i] = -1;
  }
  for (int left = count; left > 0; left--) {
    int task = costliest_left(costs, count, owner), rank = least_loaded(load, ranks);
    owner[task] = rank;
    load[rank] += costs[task];
  }
}
