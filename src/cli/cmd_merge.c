#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "store/merge.h"

struct merge_arguments {
  const char *output;
  const char **files; /* [count] */
  size_t count, cap;
  bool quiet;
};

static const struct argp_option options[] = {
    {"output", 'o', "OUT.h5", 0, "results file to write, its journal beside it", 0},
    {"quiet", 'q', 0, 0, "do not say what was merged", 0},
    {0}};

static error_t add_file(const struct cli_input *in, struct merge_arguments *a, const char *file) {
  if (mem_reserve(&a->files, &a->cap, a->count + 1, sizeof *a->files, in->err) != STATUS_OK) {
    return ENOMEM;
  }
  a->files[a->count++] = file;
  return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  struct merge_arguments *a = in->options;
  switch (key) {
  case 'o':
    a->output = arg;
    return 0;
  case 'q':
    a->quiet = true;
    return 0;
  case ARGP_KEY_ARG:
    return add_file(in, a, arg);
  case ARGP_KEY_END:
    if (!a->output) {
      return cli_refuse(in, "-o is missing: the results file to write (see espalier merge --help)");
    }
    return a->count ? 0 : cli_refuse(in, "results files are missing (see espalier merge --help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    "FILE.h5...",
    "Makes one results file of several, and one journal of theirs: of the shards of an experiment "
    "(espalier run --shard), in the order of a run of the whole, or of different experiments, one "
    "after the other. Masks, layers, items, calibration draws and distances come along. What two "
    "files hold is kept once when it is equal, and refused when it differs; a cell that failed "
    "gives way to one that did not.\v"
    "The files stay as they are, and may be unfinished. An output that is there already is merged "
    "too, so that the same command may be repeated as shards come in. espalier run -o OUT.h5 with "
    "the whole experiment computes what the shards lack.\n\n"
    "Example:\n  espalier merge -o results/demo.h5 results/demo.shard-*-of-4.h5",
    NULL,
    NULL,
    NULL};

static status join(int argc, char **argv, char **out, struct error *err) {
  struct str s = {0};
  status st = str_addf(&s, err, "espalier");
  for (int i = 0; i < argc && st == STATUS_OK; i++) {
    st = str_addf(&s, err, " %s", argv[i]);
  }
  if (st != STATUS_OK) {
    str_free(&s);
    return st;
  }
  *out = s.at;
  return STATUS_OK;
}

static void print_outcome(const struct merge_arguments *a, const struct merge_outcome *o) {
  printf("%s: %zu variants of %zu files, %zu of %zu cells done, %zu failed", a->output, o->variants,
         o->files, o->done, o->cells, o->failed);
  if (o->twice) {
    printf(", %zu in more than one file and equal", o->twice);
  }
  printf("\n");
}

status cmd_merge(int argc, char **argv, struct error *err) {
  struct merge_arguments a = {0};
  char *command = NULL;
  struct merge_outcome outcome;
  status st;
  TRY_GOTO(st, end, cli_parse(&argp, NULL, argc, argv, &a, err));
  TRY_GOTO(st, end, join(argc, argv, &command, err));
  TRY_GOTO(st, end, merge_results(a.output, a.files, a.count, command, &outcome, err));
  if (!a.quiet) {
    print_outcome(&a, &outcome);
  }
end:
  free(command);
  free((void *)a.files);
  return st;
}
