/* The program: a table of subcommands, one file each. Only this room prints and exits.
 *
 * A subcommand is src/cli/cmd_<name>.c with `status cmd_<name>(int argc, char **argv, ...)`, where
 * argv[0] is its name. It parses with cli_parse, calls the rooms below and prints; a failure is
 * returned, and cli_main prints it as "espalier: TEXT" and exits with status_exit(). */
#ifndef ESPALIER_CLI_CLI_H
#define ESPALIER_CLI_CLI_H

#include <argp.h>
#include <stddef.h>

#include "base/error.h"
#include "linalg/precision.h"

struct command {
  const char *name;
  const char *about; /* one line for `espalier --help` */
  status (*run)(int argc, char **argv, struct error *err);
};

/* The table, in the order of documentation; *count rows. */
const struct command *commands_all(size_t *count);

int cli_main(int argc, char **argv);

/* What a subcommand's argp parser finds in state->input. */
struct cli_input {
  void *options; /* the subcommand's own struct */
  struct error *err;
};

/* Parses argv with argp_parse, but strictly: option names are written out, an unknown one is
 * refused with the nearest, one given twice is refused unless it stands in `repeatable` (a
 * NULL-terminated list of long names, or NULL), and every refusal is one line in *err. `--help`
 * prints argp's help and ends the program. The argp's doc ends with "\vExample:\n  ..."; positional
 * arguments arrive as ARGP_KEY_ARG, and without such a case they are refused. Long options only use
 * printable or large keys. Children are not supported. */
status cli_parse(const struct argp *argp, const char *const *repeatable, int argc, char **argv,
                 void *options, struct error *err);

/* Inside a parser: `return cli_refuse(in, "--rows: ...")` sets the line (STATUS_INPUT). */
error_t cli_refuse(const struct cli_input *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Values of options; `name` is how the message calls them ("--limit"). */
error_t cli_int(const struct cli_input *in, const char *name, const char *text, long low, long high,
                int *out);
error_t cli_choice(const struct cli_input *in, const char *name, const char *text,
                   const char *const *names, size_t count, int *out);
error_t cli_precision(const struct cli_input *in, const char *text, enum precision *out);

/* The subcommands. */
status cmd_plan(int argc, char **argv, struct error *err);
status cmd_simulate(int argc, char **argv, struct error *err);
status cmd_run(int argc, char **argv, struct error *err);
status cmd_status(int argc, char **argv, struct error *err);
status cmd_merge(int argc, char **argv, struct error *err);
status cmd_table(int argc, char **argv, struct error *err);
status cmd_report(int argc, char **argv, struct error *err);
status cmd_sensitivity(int argc, char **argv, struct error *err);
status cmd_attribute(int argc, char **argv, struct error *err);
status cmd_distances(int argc, char **argv, struct error *err);
status cmd_compare(int argc, char **argv, struct error *err);
status cmd_prune(int argc, char **argv, struct error *err);
status cmd_score(int argc, char **argv, struct error *err);
status cmd_tokenize(int argc, char **argv, struct error *err);
status cmd_requests(int argc, char **argv, struct error *err);
status cmd_calibrate(int argc, char **argv, struct error *err);
status cmd_bench(int argc, char **argv, struct error *err);

#endif
