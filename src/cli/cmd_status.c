#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/duration.h"
#include "cli/status_gather.h"

struct status_arguments {
  const char *file;
  bool check;
};

static const struct argp_option status_options[] = {
    {"check", 'c', 0, 0, "exit as its run should have: 0 complete, 1 cells failed, 75 work is left",
     0},
    {0}};

static const char status_doc[] =
    "How far a run has come: cells done, failed (and why) and left, and the time that they will "
    "take when a run is alive.\vExample:\n  espalier status results/demo.h5\n\n"
    "  In scripts, since mpirun --enable-recovery returns 0 whatever the ranks return:\n"
    "  espalier status --check results/demo.h5; [ $? -eq 75 ] && scontrol requeue $SLURM_JOB_ID\n";

static error_t parse_argument(int key, char *value, struct argp_state *state) {
  struct cli_input *in = state->input;
  struct status_arguments *a = in->options;
  switch (key) {
  case 'c':
    a->check = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "unexpected argument '%s' (one results file is enough)", value);
    }
    a->file = value;
    return 0;
  case ARGP_KEY_END:
    return a->file ? 0 : cli_refuse(in, "a results file is missing (see espalier status --help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp status_argp = {status_options, parse_argument, "FILE.h5", status_doc,
                                        NULL,           NULL,           NULL};

static void print_state(const struct run_status *s, double now) {
  const struct journal_facts *f = &s->facts;
  printf("%s: ", s->results_path);
  if (f->held) {
    char since[32];
    duration_print(now - f->opened, since, sizeof since);
    printf("running (pid %ld on host %s, for %s)\n", f->pid, f->host, since);
  } else if (s->planned && s->pending == 0) {
    printf("complete\n");
  } else {
    char when[64] = "";
    time_t last = (time_t)(f->last > f->opened ? f->last : f->opened);
    struct tm local;
    if (last > 0 && localtime_r(&last, &local)) {
      (void)strftime(when, sizeof when, " since %Y-%m-%d %H:%M", &local);
    }
    printf("stopped%s; the same espalier run carries on\n", when);
  }
  if (s->note[0]) {
    printf("  %s: counted from the journal, planned cells are not known\n", s->note);
  }
}

static void print_counts(const struct run_status *s, double now) {
  if (!s->planned) {
    printf("  cells  %zu done, %zu failed (how many are left is not known without the results "
           "file)\n",
           s->done, s->failed);
    return;
  }
  printf("  cells  %zu of %zu done, %zu failed, %zu left", s->done, s->count, s->failed,
         s->pending);
  double left = status_time_left(s, now);
  if (left >= 0 && s->pending) {
    char text[32];
    duration_print(left, text, sizeof text);
    printf(", about %s to go", text);
  }
  printf("\n");
}

/* "wanda 0.5 c4 draw 1 on sst2" */
static void print_cell(const struct run_status *s, const char *variant, const char *dataset) {
  for (size_t i = 0; i < s->results.variant_count; i++) {
    const struct results_variant *v = &s->results.variants[i];
    if (strcmp(v->id, variant) != 0) {
      continue;
    }
    printf("%s %s %s", v->model, v->method, v->sparsity);
    if (v->calibration[0]) {
      printf(" %s draw %d", v->calibration, v->draw);
    }
    printf(" on %s", dataset);
    return;
  }
  printf("variant %s on %s", variant, dataset);
}

static bool is_failed(const struct cell_status *c, const char *error) {
  return c->state == CELL_FAILED && strcmp(c->error, error) == 0;
}

/* All cells that failed for the reason of cell i, unless an earlier one has it. */
static void print_reason(const struct run_status *s, size_t i) {
  enum { SHOWN = 4 };
  const char *error = s->cells[i].error;
  size_t count = 0;
  for (size_t k = 0; k < s->count; k++) {
    if (is_failed(&s->cells[k], error)) {
      if (k < i) {
        return;
      }
      count++;
    }
  }
  printf("  failed %zu: %s\n", count, error[0] ? error : "no reason recorded");
  size_t shown = 0;
  for (size_t k = i; k < s->count && shown < SHOWN; k++) {
    if (is_failed(&s->cells[k], error)) {
      printf("    ");
      print_cell(s, s->cells[k].variant, s->cells[k].dataset);
      printf("\n");
      shown++;
    }
  }
  if (count > shown) {
    printf("    and %zu more\n", count - shown);
  }
}

static void print_attributions(const struct run_status *s) {
  for (size_t i = 0; i < s->attribution_count; i++) {
    const struct attribution_failure *a = &s->attributions[i];
    if (a->failed) {
      printf("  not attributed: %s\n    ", a->error);
      print_cell(s, a->variant, a->dataset);
      printf("\n");
    }
  }
}

/* What the run would have returned; a plan that is not known is not complete. */
static status judge(const struct run_status *s) {
  if (s->pending || !s->planned) {
    return STATUS_TIME;
  }
  return s->failed ? STATUS_PARTIAL : STATUS_OK;
}

status cmd_status(int argc, char **argv, struct error *err) {
  struct status_arguments a = {0};
  TRY(cli_parse(&status_argp, NULL, argc, argv, &a, err));
  struct run_status s;
  TRY(status_gather(&s, a.file, err));
  struct timespec t;
  (void)clock_gettime(CLOCK_REALTIME, &t);
  double now = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
  print_state(&s, now);
  print_counts(&s, now);
  for (size_t i = 0; i < s.count; i++) {
    if (s.cells[i].state == CELL_FAILED) {
      print_reason(&s, i);
    }
  }
  print_attributions(&s);
  status st = a.check ? judge(&s) : STATUS_OK;
  status_free(&s);
  return st;
}
