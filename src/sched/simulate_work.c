#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "grid/cost.h"
#include "sched/simulate.h"
#include "sched/tasks.h"

/* In units of a cell: calibration data are about as long as a data set. */
static const double PREPARE = 0.5, PASS = 2;

void simulate_work_free(struct simulate_work *w) {
  free(w->tasks);
  free(w->cells);
  free(w->passes);
  *w = (struct simulate_work){0};
}

static status alloc_work(struct simulate_work *w, size_t tasks, size_t cells, size_t keys,
                         struct error *err) {
  *w = (struct simulate_work){.task_count = tasks, .cell_count = cells, .key_count = (int)keys};
  TRY(mem_alloc(&w->tasks, tasks, sizeof *w->tasks, err));
  TRY(mem_alloc(&w->cells, cells, sizeof *w->cells, err));
  return mem_alloc(&w->passes, keys + 1, sizeof *w->passes, err);
}

/* Operations of a variant without its part of what it shares. */
static double own_flops(const struct plan *p, const struct variant *v, int key) {
  const struct plan_share *s = key ? &p->shares[v->share] : NULL;
  return v->prune_flops - (s ? s->flops / (double)s->variants : 0);
}

static void fill_from(struct simulate_work *w, const struct plan *p, const struct tasks *tasks) {
  size_t first = 0;
  for (size_t i = 0; i < tasks->count; i++) {
    const struct work_task *from = &tasks->at[i];
    const struct variant *v = &p->variants[from->variant];
    w->tasks[i] = (struct simulate_task){.prepare = own_flops(p, v, from->key) / p->rate,
                                         .first = first,
                                         .cells = from->cells,
                                         .key = from->key};
    for (int c = 0; c < from->cells; c++) {
      size_t dataset = (size_t)from->datasets[c];
      w->cells[first++] = plan_cell(p, from->variant, dataset)->flops / p->rate;
    }
  }
  for (int k = 1; k <= tasks->key_count; k++) {
    w->passes[k] = tasks->shared[k] / p->rate;
  }
}

status simulate_work_of_plan(struct simulate_work *out, const struct plan *plan,
                             struct error *err) {
  struct tasks tasks;
  *out = (struct simulate_work){0};
  status st = tasks_make(&tasks, plan, NULL, err);
  size_t cells = 0;
  for (size_t i = 0; st == STATUS_OK && i < tasks.count; i++) {
    cells += (size_t)tasks.at[i].cells;
  }
  if (st == STATUS_OK) {
    st = alloc_work(out, tasks.count, cells, (size_t)tasks.key_count, err);
  }
  if (st == STATUS_OK) {
    fill_from(out, plan, &tasks);
  } else {
    simulate_work_free(out);
  }
  tasks_free(&tasks);
  return st;
}

/* Log-normal with the mean given. */
static double draw(struct rng *r, double spread, double mean) {
  double u = 1 - rng_double(r), v = rng_double(r);
  return mean * exp(spread * sqrt(-2 * log(u)) * cos(2 * M_PI * v) - spread * spread / 2);
}

status simulate_work_make(struct simulate_work *out, const struct simulate_shape *shape,
                          struct error *err) {
  size_t each = (size_t)shape->variant, tasks = (shape->cells + each - 1) / each;
  size_t share = shape->share > 1 ? (size_t)shape->share : 0;
  size_t keys = share ? (tasks + share - 1) / share : 0;
  status st = alloc_work(out, tasks, shape->cells, keys, err);
  if (st != STATUS_OK) {
    simulate_work_free(out);
    return st;
  }
  struct rng rng;
  rng_seed(&rng, shape->seed);
  for (size_t t = 0; t < tasks; t++) {
    size_t first = t * each, left = shape->cells - first;
    out->tasks[t] = (struct simulate_task){
        .prepare = draw(&rng, shape->spread, PREPARE * shape->seconds),
        .first = first,
        .cells = (int)(left < each ? left : each),
        .key = share ? (int)(t / share) + 1 : 0,
    };
  }
  for (size_t c = 0; c < shape->cells; c++) {
    out->cells[c] = draw(&rng, shape->spread, shape->seconds);
  }
  for (size_t k = 1; k <= keys; k++) {
    out->passes[k] = PASS * shape->seconds;
  }
  return STATUS_OK;
}
