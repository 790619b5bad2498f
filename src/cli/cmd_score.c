#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/checkpoint.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/score_read.h"
#include "cli/session.h"
#include "sched/host.h"
#include "sched/watch.h"

enum { KEY_BOS = 256, KEY_PRECISION, KEY_THREADS };

struct score_arguments {
  const char *model, *file;
  int threads;
  enum precision precision;
  bool bos, quiet;
};

static const struct argp_option options[] = {
    {"model", 'm', "DIR", 0, "checkpoint folder", 0},
    {"bos", KEY_BOS, 0, 0, "add the template's special tokens", 0},
    {"precision", KEY_PRECISION, "TYPE", 0, "arithmetic: float32 (default) or bfloat16", 0},
    {"threads", KEY_THREADS, "N", 0, "threads of each rank (default: its share of the cores)", 0},
    {"quiet", 'q', 0, 0, "no progress", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  struct score_arguments *a = in->options;
  switch (key) {
  case 'm':
    a->model = arg;
    return 0;
  case KEY_BOS:
    a->bos = true;
    return 0;
  case KEY_PRECISION:
    return cli_precision(in, arg, &a->precision);
  case KEY_THREADS:
    return cli_int(in, "--threads", arg, 1, 4096, &a->threads);
  case 'q':
    a->quiet = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "score takes one file, '%s' is a second", arg);
    }
    a->file = arg;
    return 0;
  case ARGP_KEY_END:
    return a->model ? 0 : cli_refuse(in, "--model is missing (see espalier score --help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    "[FILE.jsonl]",
    "Log-likelihoods of (context, continuation) pairs. Reads {\"context\": ..., "
    "\"continuation\": ...} or {\"context_ids\": [...], \"continuation_ids\": [...]} per line "
    "(\"-\" or no file: standard input) and answers {\"loglikelihood\", \"tokens\", \"greedy\"} "
    "per line, in order. Under mpirun all ranks work as one group.\v"
    "Example:\n  espalier requests sst2 --limit 100 | espalier score --model nano-llama",
    NULL,
    NULL,
    NULL};

struct watched {
  struct progress progress;
  double start;
};

static status progress(void *user, double done, struct error *err) {
  (void)err;
  struct watched *w = user;
  progress_share(&w->progress, "score", done, host_seconds() - w->start);
  return STATUS_OK;
}

static status compute(const struct requests *r, const struct checkpoint *c,
                      const struct session *session, struct watched *watched, struct score *scores,
                      struct error *err) {
  struct runner *runner;
  TRY(runner_open_shared(&runner, c->model, NULL, session->memory / 2, &session->group, err));
  status st = requests_score(r, runner, c->model, &session->group, progress, watched, scores, err);
  runner_close(runner);
  return group_agree(&session->group, st, err);
}

static void print_scores(const struct score *scores, size_t count) {
  for (size_t i = 0; i < count; i++) {
    printf("{\"loglikelihood\": %.9g, \"tokens\": %d, \"greedy\": %s}\n", scores[i].loglikelihood,
           scores[i].tokens, scores[i].greedy ? "true" : "false");
  }
}

static status score_all(const struct score_arguments *a, const struct requests *r,
                        const struct checkpoint *c, const struct session *session,
                        struct error *err) {
  struct score *scores = NULL;
  struct watched watched = {.start = host_seconds()};
  status st = progress_open(&watched.progress, a->quiet || session->group.rank != 0, NULL, err);
  if (st == STATUS_OK) {
    st = mem_alloc(&scores, r->count, sizeof *scores, err);
  }
  st = group_agree(&session->group, st, err);
  if (st == STATUS_OK) {
    st = compute(r, c, session, &watched, scores, err);
  }
  progress_close(&watched.progress);
  if (scores && st == STATUS_OK && session->group.rank == 0) {
    print_scores(scores, r->count);
  }
  free(scores);
  return st;
}

static status open_all(const struct score_arguments *a, const struct session *session,
                       struct checkpoint *c, struct requests *r, struct error *err) {
  const char *path = a->file ? a->file : "-";
  if (strcmp(path, "-") == 0) {
    TRY(session_share_stdin(session, err));
  }
  struct cli_places places;
  status st = places_open(&places, err);
  if (st == STATUS_OK) {
    st = checkpoint_open(c, a->model, &places, err);
    places_close(&places);
  }
  if (st == STATUS_OK) {
    model_set_precision(c->model, a->precision);
    st = score_read(r, path, c, a->bos, err);
  }
  return group_agree(&session->group, st, err);
}

status cmd_score(int argc, char **argv, struct error *err) {
  struct score_arguments a = {0};
  TRY(cli_parse(&argp, NULL, argc, argv, &a, err));
  struct session session;
  TRY(session_open(&session, false, a.threads, err));
  struct watch *watch;
  TRY(session_watch(&session, STATUS_MPI, "the others end too", &watch, err));
  struct checkpoint c = {0};
  struct requests r = {0};
  status st = open_all(&a, &session, &c, &r, err);
  if (st == STATUS_OK) {
    st = score_all(&a, &r, &c, &session, err);
  }
  watch_close(watch);
  requests_free(&r);
  checkpoint_close(&c);
  return st;
}
