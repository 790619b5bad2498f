#include "cli/starting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const long LOOK_EVERY = 20000000; /* nanoseconds */
static const long SECOND = 1000000000;
static const int MISSING_MOST = 3;

/* Processes whose parent is the launcher; -1 where this cannot be told. */
static int count_siblings(pid_t launcher) {
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)launcher, (long)launcher);
  FILE *f = fopen(path, "r");
  if (!f) {
    return -1;
  }
  int count = 0;
  long pid;
  while (fscanf(f, "%ld", &pid) == 1) {
    count++;
  }
  (void)fclose(f);
  return count;
}

static bool is_parent_of_ranks(pid_t launcher) {
  static const char *const names[] = {"mpirun\n", "mpiexec\n", "orterun\n", "orted\n", "prted\n"};
  char path[64], name[32] = "";
  (void)snprintf(path, sizeof path, "/proc/%ld/comm", (long)launcher);
  FILE *f = fopen(path, "r");
  if (f) {
    (void)fgets(name, sizeof name, f);
    (void)fclose(f);
  }
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(name, names[i]) == 0) {
      return true;
    }
  }
  return false;
}

static void give_up(const char *why) {
  (void)fprintf(stderr, "espalier: MPI does not start: %s\n", why);
  _exit(status_exit(STATUS_MPI));
}

/* What the looks so far found. */
struct seen {
  bool all;    /* every rank of the launcher */
  int missing; /* looks in a row that missed one: the kernel's list may, once, when any process ends
                */
};

static void look(const struct starting *s, double seconds, struct seen *seen) {
  if (getppid() != s->launcher) {
    give_up("the launcher is gone");
  }
  if (seconds > STARTING_LIMIT) {
    give_up("it has taken ten minutes");
  }
  int siblings = s->ranks > 1 ? count_siblings(s->launcher) : -1;
  if (siblings < 0) {
    return;
  }
  bool should = seen->all || (s->parents && seconds > STARTING_FORKS);
  seen->all = seen->all || siblings >= s->ranks;
  seen->missing = should && siblings < s->ranks ? seen->missing + 1 : 0;
  if (seen->missing > MISSING_MOST) {
    give_up("another rank is gone");
  }
}

static void *watch(void *user) {
  struct starting *s = user;
  struct seen seen = {.all = false};
  struct timespec at;
  (void)clock_gettime(CLOCK_MONOTONIC, &at);
  time_t start = at.tv_sec;
  (void)pthread_mutex_lock(&s->lock);
  while (!s->over) {
    look(s, (double)(at.tv_sec - start), &seen);
    at.tv_nsec += LOOK_EVERY;
    at.tv_sec += at.tv_nsec / SECOND;
    at.tv_nsec %= SECOND;
    (void)pthread_cond_timedwait(&s->changed, &s->lock, &at);
  }
  (void)pthread_mutex_unlock(&s->lock);
  return NULL;
}

status starting_open(struct starting *s, struct error *err) {
  const char *ranks = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  *s = (struct starting){.launcher = getppid(), .ranks = ranks ? atoi(ranks) : 0};
  s->parents = is_parent_of_ranks(s->launcher);
  pthread_condattr_t steady;
  (void)pthread_condattr_init(&steady);
  (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&s->changed, &steady);
  (void)pthread_condattr_destroy(&steady);
  (void)pthread_mutex_init(&s->lock, NULL);
  int failed = pthread_create(&s->thread, NULL, watch, s);
  return failed ? err_set(err, STATUS_MEMORY, "no thread for MPI's start: %s", strerror(failed))
                : STATUS_OK;
}

void starting_close(struct starting *s) {
  (void)pthread_mutex_lock(&s->lock);
  s->over = true;
  (void)pthread_cond_signal(&s->changed);
  (void)pthread_mutex_unlock(&s->lock);
  (void)pthread_join(s->thread, NULL);
  (void)pthread_cond_destroy(&s->changed);
  (void)pthread_mutex_destroy(&s->lock);
}
