#include "sched/simulate.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "sched/heap.h"
#include "sched/host.h"

enum { CRASH_LIMIT = 3 };
/* Jobs in a row that record nothing, after which nothing more is expected. */
enum { FRUITLESS = 20 };

enum phase {
  PHASE_AWAY,
  PHASE_READY,  /* about to ask for work */
  PHASE_WAIT,   /* has asked */
  PHASE_LEASED, /* a lease is on its way */
  PHASE_PASS,
  PHASE_PREPARE,
  PHASE_CELL
};

struct sim_rank {
  enum phase phase;
  bool dying;         /* its next event is its end */
  double began, ends; /* of the phase */
  double next;        /* when it does or says something next */
  double death;
  int task, cell;
  int key; /* whose pass it holds */
  int64_t instance;
};

/* A task of a job: what earlier jobs left of it. */
struct sim_task {
  size_t task;  /* of the work */
  size_t first; /* of its cells in sim.open */
  int cells;
};

struct sim {
  const struct simulate_work *work;
  const struct simulate_options *options;
  struct simulate_result *result;
  struct rng rng;
  double *stretch;      /* [task_count + key_count + 1]: what it takes / the estimate */
  int *sharers;         /* [key_count + 1] tasks of the key */
  bool *made;           /* [key_count + 1] passes */
  bool *leased;         /* [task_count] */
  bool *prepared;       /* [task_count] */
  bool *done;           /* [cell_count] recorded or given up */
  struct sim_task *job; /* [task_count] */
  size_t *open;         /* [cell_count] cells of the work */
  struct sim_rank *ranks;
  struct heap events; /* ranks by the time at which the master hears of them; item `ranks`: ticks */
  struct master *master;
  struct actions actions;
  double now, busy, beat_every;
  bool over;
};

static double normal(struct rng *r) {
  double u = 1 - rng_double(r), v = rng_double(r);
  return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

static size_t cell_of(const struct sim *s, int task, int cell) {
  return s->open[s->job[task].first + (size_t)cell];
}

static double seconds_of(const struct sim *s, enum phase phase, int task, int cell) {
  const struct simulate_work *w = s->work;
  size_t t = s->job[task].task, key = (size_t)w->tasks[t].key;
  switch (phase) {
  case PHASE_PASS:
    return w->passes[key] * s->stretch[w->task_count + key];
  case PHASE_PREPARE:
    return w->tasks[t].prepare * s->stretch[t];
  case PHASE_CELL:
    return w->cells[cell_of(s, task, cell)] * s->stretch[t];
  default:
    return 0;
  }
}

/* The rank's next event, or its end when that comes first. */
static void schedule(struct sim *s, size_t rank, double next) {
  struct sim_rank *r = &s->ranks[rank];
  r->next = next;
  r->dying = next > r->death;
  double at = r->dying ? r->death : next + s->options->latency;
  if (isfinite(at)) {
    heap_set(&s->events, rank, at);
  }
}

static void wait(struct sim *s, size_t rank) {
  s->ranks[rank].phase = PHASE_WAIT;
  schedule(s, rank, INFINITY);
}

static void take_lease(struct sim *s, const struct action *a) {
  struct sim_rank *r = &s->ranks[a->rank];
  size_t task = s->job[a->task].task;
  s->result->leases++;
  s->result->again += s->leased[task];
  s->leased[task] = true;
  if (r->phase == PHASE_WAIT) {
    r->phase = PHASE_LEASED;
    r->task = a->task;
    r->instance = a->instance;
    schedule(s, (size_t)a->rank, s->now + s->options->latency);
  }
}

static void execute(struct sim *s, const struct action *a) {
  switch (a->kind) {
  case ACTION_LEASE:
    take_lease(s, a);
    break;
  case ACTION_RECORD:
    if (a->cell != MASTER_PREPARE) {
      s->done[cell_of(s, a->task, a->cell)] = true;
      s->result->recorded++;
      s->result->useful += seconds_of(s, PHASE_CELL, a->task, a->cell);
    }
    break;
  case ACTION_FAIL:
    s->done[cell_of(s, a->task, a->cell)] = true;
    s->result->given_up++;
    break;
  case ACTION_LOST:
    s->result->ranks_lost++;
    break;
  case ACTION_FINISH:
    s->over = true;
    break;
  case ACTION_STOP:
    break;
  }
}

static status tell(struct sim *s, struct event e, struct error *err) {
  if (s->over) {
    return STATUS_OK;
  }
  e.now = s->now;
  s->actions.count = 0;
  double start = host_seconds();
  TRY(master_event(s->master, &e, &s->actions, err));
  double took = host_seconds() - start;
  s->result->events++;
  if (e.kind == EVENT_BEAT) {
    s->result->beats++;
    s->result->beat_seconds += took;
  } else {
    s->result->event_seconds += took;
  }
  for (size_t i = 0; i < s->actions.count; i++) {
    execute(s, &s->actions.at[i]);
  }
  return STATUS_OK;
}

static status tell_of(struct sim *s, size_t rank, enum event_kind kind, struct error *err) {
  const struct sim_rank *r = &s->ranks[rank];
  return tell(s,
              (struct event){.kind = kind,
                             .rank = (int)rank,
                             .task = r->task,
                             .cell = r->phase == PHASE_CELL ? r->cell : MASTER_PREPARE,
                             .instance = r->instance},
              err);
}

static bool computes(const struct sim_rank *r) {
  return r->phase >= PHASE_PASS;
}

static void next_step(struct sim *s, size_t rank, double now) {
  double beat = now + s->beat_every, ends = s->ranks[rank].ends;
  schedule(s, rank, ends < beat ? ends : beat);
}

/* The rank turns to something else, and says so. */
static status begin(struct sim *s, size_t rank, enum phase phase, int cell, struct error *err) {
  struct sim_rank *r = &s->ranks[rank];
  r->phase = phase;
  r->cell = cell;
  r->began = r->next;
  r->ends = r->next + seconds_of(s, phase, r->task, cell);
  TRY(tell_of(s, rank, EVENT_BEAT, err));
  next_step(s, rank, r->began);
  return STATUS_OK;
}

static status next_cell(struct sim *s, size_t rank, int cell, struct error *err) {
  struct sim_rank *r = &s->ranks[rank];
  for (; cell < s->job[r->task].cells; cell++) {
    if (master_cell_open(s->master, r->task, cell)) {
      return begin(s, rank, PHASE_CELL, cell, err);
    }
  }
  TRY(tell_of(s, rank, EVENT_DONE, err));
  wait(s, rank);
  return tell_of(s, rank, EVENT_READY, err);
}

/* What the rank was at is done. */
static status complete(struct sim *s, size_t rank, struct error *err) {
  struct sim_rank *r = &s->ranks[rank];
  double took = r->ends - r->began;
  size_t task = s->job[r->task].task;
  int key = s->work->tasks[task].key;
  s->busy += took;
  switch (r->phase) {
  case PHASE_PASS:
    *(s->made[key] ? &s->result->repeated : &s->result->useful) += took;
    s->made[key] = true;
    r->key = key;
    return begin(s, rank, PHASE_PREPARE, MASTER_PREPARE, err);
  case PHASE_PREPARE:
    s->result->useful += s->prepared[task] ? 0 : took;
    s->prepared[task] = true;
    TRY(tell_of(s, rank, EVENT_RESULT, err));
    return next_cell(s, rank, 0, err);
  default:
    TRY(tell_of(s, rank, EVENT_RESULT, err));
    return next_cell(s, rank, r->cell + 1, err);
  }
}

static status step(struct sim *s, size_t rank, struct error *err) {
  struct sim_rank *r = &s->ranks[rank];
  heap_remove(&s->events, rank);
  if (r->dying) {
    s->busy += computes(r) ? r->death - r->began : 0;
    r->phase = PHASE_AWAY;
    s->over = rank == 0;
    return STATUS_OK;
  }
  if (r->phase == PHASE_READY) {
    wait(s, rank);
    return tell_of(s, rank, EVENT_READY, err);
  }
  if (r->phase == PHASE_LEASED) {
    int key = s->work->tasks[s->job[r->task].task].key;
    return begin(s, rank, key && key != r->key ? PHASE_PASS : PHASE_PREPARE, MASTER_PREPARE, err);
  }
  if (r->next < r->ends) {
    TRY(tell_of(s, rank, EVENT_BEAT, err));
    next_step(s, rank, r->next);
    return STATUS_OK;
  }
  return complete(s, rank, err);
}

static status tick(struct sim *s, struct error *err) {
  double next = s->now + s->options->lease_timeout / 100, end = s->options->time_limit;
  if (end > s->now && end < next) {
    next = end;
  }
  heap_set(&s->events, (size_t)s->options->ranks, next);
  return tell(s, (struct event){.kind = EVENT_TICK}, err);
}

static void start_ranks(struct sim *s) {
  for (size_t r = 0; r < (size_t)s->options->ranks; r++) {
    double mtbf = s->options->mtbf;
    s->ranks[r] = (struct sim_rank){
        .phase = PHASE_READY, .death = mtbf > 0 ? -mtbf * log(1 - rng_double(&s->rng)) : INFINITY};
    schedule(s, r, 0);
  }
}

/* What earlier jobs left; master_task.cost as sched/tasks.c has it. */
static status make_job(struct sim *s, struct error *err) {
  const struct simulate_work *w = s->work;
  struct master_task *tasks;
  TRY(mem_alloc(&tasks, w->task_count, sizeof *tasks, err));
  size_t count = 0, cells = 0;
  for (size_t t = 0; t < w->task_count; t++) {
    const struct simulate_task *from = &w->tasks[t];
    struct master_task to = {
        .key = from->key,
        .cost = from->prepare + (from->key ? w->passes[from->key] / s->sharers[from->key] : 0)};
    s->job[count] = (struct sim_task){.task = t, .first = cells};
    for (size_t c = from->first; c < from->first + (size_t)from->cells; c++) {
      if (!s->done[c]) {
        s->open[cells++] = c;
        to.cost += w->cells[c];
        to.cells++;
      }
    }
    if (to.cells) {
      s->job[count].cells = to.cells;
      tasks[count++] = to;
    }
  }
  struct master_options options = {.ranks = s->options->ranks,
                                   .lease_timeout = s->options->lease_timeout,
                                   .crash_limit = CRASH_LIMIT,
                                   .end = s->options->time_limit,
                                   .shared = w->passes};
  status st = master_create(&s->master, &options, tasks, count, err);
  free(tasks);
  return st;
}

static status serve(struct sim *s, struct error *err) {
  start_ranks(s);
  heap_set(&s->events, (size_t)s->options->ranks, 0);
  while (!s->over) {
    size_t item = heap_top(&s->events);
    s->now = s->events.key[item];
    TRY(item < (size_t)s->options->ranks ? step(s, item, err) : tick(s, err));
  }
  for (size_t r = 0; r < (size_t)s->options->ranks; r++) {
    const struct sim_rank *rank = &s->ranks[r];
    double end = rank->death < s->now ? rank->death : s->now;
    s->busy += computes(rank) && end > rank->began ? end - rank->began : 0;
    heap_remove(&s->events, r);
  }
  s->result->makespan += s->now;
  s->result->jobs++;
  return STATUS_OK;
}

static status run_job(struct sim *s, struct error *err) {
  s->now = 0;
  s->over = false;
  TRY(make_job(s, err));
  status st = serve(s, err);
  master_free(s->master);
  s->master = NULL;
  return st;
}

static status run_jobs(struct sim *s, struct error *err) {
  const struct simulate_result *r = s->result;
  for (int fruitless = 0; r->recorded + r->given_up < r->cells;) {
    size_t before = r->recorded + r->given_up;
    TRY(run_job(s, err));
    fruitless = r->recorded + r->given_up > before ? 0 : fruitless + 1;
    if (fruitless == FRUITLESS) {
      s->result->stuck = true;
      break;
    }
  }
  return STATUS_OK;
}

static status open_sim(struct sim *s, struct error *err) {
  const struct simulate_work *w = s->work;
  size_t keys = (size_t)w->key_count + 1, ranks = (size_t)s->options->ranks;
  TRY(mem_alloc(&s->stretch, w->task_count + keys, sizeof *s->stretch, err));
  TRY(mem_alloc(&s->sharers, keys, sizeof *s->sharers, err));
  TRY(mem_alloc(&s->made, keys, sizeof *s->made, err));
  TRY(mem_alloc(&s->leased, w->task_count, sizeof *s->leased, err));
  TRY(mem_alloc(&s->prepared, w->task_count, sizeof *s->prepared, err));
  TRY(mem_alloc(&s->done, w->cell_count, sizeof *s->done, err));
  TRY(mem_alloc(&s->job, w->task_count + 1, sizeof *s->job, err));
  TRY(mem_alloc(&s->open, w->cell_count, sizeof *s->open, err));
  TRY(mem_alloc(&s->ranks, ranks, sizeof *s->ranks, err));
  TRY(heap_create(&s->events, ranks + 1, err));
  rng_seed(&s->rng, s->options->seed);
  for (size_t i = 0; i < w->task_count + keys; i++) {
    s->stretch[i] = exp(s->options->noise * normal(&s->rng));
  }
  for (size_t t = 0; t < w->task_count; t++) {
    s->sharers[w->tasks[t].key]++;
  }
  return STATUS_OK;
}

static void close_sim(struct sim *s) {
  free(s->stretch);
  free(s->sharers);
  free(s->made);
  free(s->leased);
  free(s->prepared);
  free(s->done);
  free(s->job);
  free(s->open);
  free(s->ranks);
  heap_free(&s->events);
  actions_free(&s->actions);
}

static double least_makespan(const struct sim *s) {
  const struct simulate_work *w = s->work;
  const double *stretch = s->stretch;
  double sum = 0, longest = 0;
  for (size_t t = 0; t < w->task_count; t++) {
    const struct simulate_task *task = &w->tasks[t];
    double own = task->prepare;
    for (size_t c = task->first; c < task->first + (size_t)task->cells; c++) {
      own += w->cells[c];
    }
    own *= stretch[t];
    double pass = task->key ? w->passes[task->key] * stretch[w->task_count + (size_t)task->key] : 0;
    sum += own;
    longest = fmax(longest, own + pass);
  }
  for (size_t k = 1; k <= (size_t)w->key_count; k++) {
    sum += w->passes[k] * stretch[w->task_count + k];
  }
  return fmax(longest, sum / s->options->ranks);
}

/* Ranks beat once a second (sched/follow.c); here they do so just often enough. */
static void add_up(struct sim *s) {
  struct simulate_result *r = s->result;
  double span = r->makespan > 0 ? r->makespan : 1;
  double beats = r->beats ? (double)r->beats + s->busy * (1 - 1 / s->beat_every) : 0;
  r->least = least_makespan(s);
  r->lost = fmax(0, s->busy - r->useful - r->repeated);
  r->efficiency = r->useful / (s->options->ranks * span);
  r->load = (r->event_seconds + (r->beats ? beats * r->beat_seconds / (double)r->beats : 0)) / span;
}

status simulate(struct simulate_result *out, const struct simulate_work *work,
                const struct simulate_options *options, struct error *err) {
  *out = (struct simulate_result){.cells = work->cell_count};
  struct sim s = {
      .work = work, .options = options, .result = out, .beat_every = options->lease_timeout / 8};
  status st = open_sim(&s, err);
  if (st == STATUS_OK) {
    st = run_jobs(&s, err);
  }
  if (st == STATUS_OK) {
    add_up(&s);
  }
  close_sim(&s);
  return st;
}
