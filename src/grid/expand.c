#include "grid/expand.h"

#include "prune/stats.h"

bool method_calibrated(const struct method *m) {
  return m->needs != STATS_NONE;
}

static int coordinate(const struct point *p, enum grid_axis axis, int dataset) {
  switch (axis) {
  case AXIS_MODEL:
    return p->model;
  case AXIS_METHOD:
    return p->method;
  case AXIS_SPARSITY:
    return p->sparsity;
  case AXIS_CALIBRATION:
    return p->set;
  case AXIS_SAMPLES:
    return p->samples;
  case AXIS_LENGTH:
    return p->length;
  case AXIS_DRAW:
    return p->draw;
  case AXIS_DATASET:
    return dataset;
  case AXIS_COUNT:
    break;
  }
  return -1;
}

static bool rule_matches(const struct grid *g, const struct grid_exclude *rule,
                         const struct point *p, int dataset) {
  for (int axis = 0; axis < AXIS_COUNT; axis++) {
    size_t count = rule->axes[axis].count;
    if (count == 0) {
      continue;
    }
    int at = coordinate(p, (enum grid_axis)axis, dataset);
    size_t i = 0;
    while (i < count && rule->axes[axis].at[i] != at) {
      i++;
    }
    if (i == count) {
      return false;
    }
  }
  for (int k = 0; k < METHOD_PARAMS; k++) {
    size_t count = rule->params[k].count, i = 0;
    if (count == 0) {
      continue;
    }
    double value = g->methods[p->method].params[p->params].value[k];
    while (i < count && rule->params[k].at[i] != value) {
      i++;
    }
    if (i == count) {
      return false;
    }
  }
  return true;
}

bool point_excluded(const struct grid *g, const struct point *p, int dataset) {
  for (size_t i = 0; i < g->exclude_count; i++) {
    if (rule_matches(g, &g->excludes[i], p, dataset)) {
      return true;
    }
  }
  return false;
}

bool point_wanted(const struct grid *g, const struct point *p) {
  for (size_t d = 0; d < g->dataset_count; d++) {
    if (!point_excluded(g, p, (int)d)) {
      return true;
    }
  }
  return false;
}

struct walk {
  const struct grid *g;
  status (*see)(void *user, const struct point *p, struct error *err);
  void *user;
  struct error *err;
};

static status visit(const struct walk *w, const struct point *p) {
  return point_wanted(w->g, p) ? w->see(w->user, p, w->err) : STATUS_OK;
}

static status visit_draws(const struct walk *w, struct point p) {
  const struct grid *g = w->g;
  for (p.set = 0; p.set < (int)g->set_count; p.set++) {
    for (p.samples = 0; p.samples < (int)g->sample_count; p.samples++) {
      for (p.length = 0; p.length < (int)g->length_count; p.length++) {
        for (p.draw = 0; p.draw < g->draws; p.draw++) {
          TRY(visit(w, &p));
        }
      }
    }
  }
  return STATUS_OK;
}

static status visit_method(const struct walk *w, struct point p) {
  const struct grid_method *m = &w->g->methods[p.method];
  for (p.params = 0; p.params < (int)m->count; p.params++) {
    for (p.sparsity = 0; p.sparsity < (int)w->g->sparsity_count; p.sparsity++) {
      TRY(method_calibrated(m->method) ? visit_draws(w, p) : visit(w, &p));
    }
  }
  return STATUS_OK;
}

status grid_expand(const struct grid *g,
                   status (*see)(void *user, const struct point *p, struct error *err), void *user,
                   struct error *err) {
  const struct walk w = {g, see, user, err};
  for (int model = 0; model < (int)g->model_count; model++) {
    struct point p = {model, -1, -1, -1, -1, -1, -1, -1};
    TRY(visit(&w, &p));
    for (p.method = 0; p.method < (int)g->method_count; p.method++) {
      if (!g->methods[p.method].method->dense) {
        TRY(visit_method(&w, p));
      }
    }
  }
  return STATUS_OK;
}
