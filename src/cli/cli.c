#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/session.h"

static const struct command commands[] = {
    {"plan", "what an experiment would run: variants, cells, shared work, memory, time", cmd_plan},
    {"simulate", "how a run would fare on many ranks: makespan, efficiency, losses", cmd_simulate},
    {"run", "run an experiment, or carry on with one that was stopped", cmd_run},
    {"status", "how far a run has come: done, failed and why", cmd_status},
    {"merge", "results files of shards or of several experiments into one", cmd_merge},
    {"table", "a table of a results file: text, CSV, Markdown or LaTeX", cmd_table},
    {"report", "a results file as one HTML page: heat maps, spreads, tables", cmd_report},
    {"sensitivity", "how much the calibration set decides: spread, components, ranks",
     cmd_sensitivity},
    {"attribute", "which words and units pruning hit, and whether that explains the drop",
     cmd_attribute},
    {"distances", "how far calibration draws lie from evaluation data", cmd_distances},
    {"compare", "two variants item by item: differences, flips, exact tests", cmd_compare},
    {"prune", "prune one model and write it as a checkpoint", cmd_prune},
    {"score", "log-likelihoods of (context, continuation) pairs", cmd_score},
    {"tokenize", "token ids of lines of text", cmd_tokenize},
    {"requests", "a task's rendered requests, a line of JSON each", cmd_requests},
    {"calibrate", "one calibration draw as token ids, with its statistics", cmd_calibrate},
    {"bench", "speed: the processor's ceiling, and Espalier's share of it", cmd_bench},
};

const struct command *commands_all(size_t *count) {
  *count = sizeof commands / sizeof commands[0];
  return commands;
}

static void print_help(void) {
  printf("Usage: espalier COMMAND [OPTION...] [FILE]\n"
         "Prunes language models on a grid and measures what every cut costs.\n\n");
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
    printf("  %-11s %s\n", commands[i].name, commands[i].about);
  }
  printf("\n  espalier COMMAND --help   what a command takes, with an example\n"
         "  espalier --version        the version\n\n"
         "Exit status: 0 done, 1 some cells failed, 2 bad usage or bad input,\n"
         "75 stopped for time with work left (the same command carries on).\n\n"
         "Example:\n  mpirun -n 2 espalier run experiments/demo.yaml\n");
}

static status unknown_command(const char *word, struct error *err) {
  const char *names[sizeof commands / sizeof commands[0]];
  size_t count = sizeof commands / sizeof commands[0];
  for (size_t i = 0; i < count; i++) {
    names[i] = commands[i].name;
  }
  const char *what = word[0] == '-' ? "option" : "command";
  int near = word[0] == '-' ? -1 : str_nearest(word, names, count);
  if (near >= 0) {
    return err_set(err, STATUS_INPUT, "unknown %s '%s' (did you mean %s?)", what, word,
                   names[near]);
  }
  return err_set(err, STATUS_INPUT, "unknown %s '%s' (see espalier --help)", what, word);
}

static status dispatch(int argc, char **argv, struct error *err) {
  if (argc < 2) {
    return err_set(err, STATUS_INPUT, "a command is missing (see espalier --help)");
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
      strcmp(argv[1], "help") == 0) {
    print_help();
    return STATUS_OK;
  }
  if (strcmp(argv[1], "--version") == 0) {
    printf("espalier %s\n", ESPALIER_VERSION);
    return STATUS_OK;
  }
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
    if (strcmp(argv[1], commands[i].name) == 0) {
      return commands[i].run(argc - 1, argv + 1, err);
    }
  }
  return unknown_command(argv[1], err);
}

int cli_main(int argc, char **argv) {
  session_calm_threads(argv);
  struct error err = {0};
  status st = dispatch(argc, argv, &err);
  if (st == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout))) {
    st = err_errno(&err, STATUS_IO, "<stdout>");
  }
  /* ranks agree on what went wrong, so that one of them says it, and before the others leave:
     mpirun ends the rest as soon as one rank returns a failure */
  if (st != STATUS_OK && err.text[0] && session_rank() == 0) {
    (void)fprintf(stderr, "espalier: %s\n", err.text);
  }
  session_end();
  return status_exit(st);
}
