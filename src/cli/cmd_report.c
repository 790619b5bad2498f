#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/filter.h"
#include "cli/report.h"

static const struct argp_option report_options[] = {
    {"output", 'o', "FILE", 0, "page to write, in a folder that exists", 0}, {0}};

static const char report_doc[] =
    "A results file as one HTML page: heat maps, spreads over draws, layers, masks, attributions, "
    "every number in sortable tables. It needs no network, and any browser shows it.\vExample:\n"
    "  espalier report results/demo.h5 -o report.html\n";

struct report_arguments {
  const char *file, *output;
};

static error_t parse_argument(int key, char *value, struct argp_state *state) {
  struct cli_input *in = state->input;
  struct report_arguments *a = in->options;
  switch (key) {
  case 'o':
    a->output = value;
    return 0;
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "unexpected argument '%s' (one results file is enough)", value);
    }
    a->file = value;
    return 0;
  case ARGP_KEY_END:
    if (!a->file) {
      return cli_refuse(in, "a results file is missing (see espalier report --help)");
    }
    return a->output ? 0 : cli_refuse(in, "--output: the page to write is missing");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp report_argp = {report_options, parse_argument, "FILE.h5", report_doc,
                                        NULL,           NULL,           NULL};

static status write_page(const struct report_arguments *a, struct report *r, struct error *err) {
  struct str page = {0};
  TRY(mem_alloc(&r->methods, r->file.variant_count, sizeof(char *), err));
  status st = table_method_labels(&r->file, r->methods, err);
  if (st == STATUS_OK) {
    st = report_page(r, &page, err);
  }
  if (st == STATUS_OK) {
    st = file_write(a->output, page.at, page.count, err);
  }
  str_free(&page);
  for (size_t i = 0; i < r->file.variant_count; i++) {
    free(r->methods[i]);
  }
  free((void *)r->methods);
  return st;
}

status cmd_report(int argc, char **argv, struct error *err) {
  struct report_arguments a = {0};
  TRY(cli_parse(&report_argp, NULL, argc, argv, &a, err));
  struct report r = {.path = a.file};
  TRY(results_open(&r.file, a.file, err));
  status st = write_page(&a, &r, err);
  results_close(&r.file);
  return st;
}
