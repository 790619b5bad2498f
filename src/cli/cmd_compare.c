#include "cli/cli.h"
#include "cli/compare.h"
#include "cli/filter.h"

enum { OPTION_DATASET = 256, OPTION_METRIC, OPTION_ITEMS, OPTION_FORMAT, OPTION_SEED };

static const struct argp_option compare_options[] = {
    {"dataset", OPTION_DATASET, "NAMES", 0, "only these data sets", 0},
    {"metric", OPTION_METRIC, "NAMES", 0,
     "for each data set the first of these that it has (default: its task's first)", 0},
    {"items", OPTION_ITEMS, "DATASET", 0,
     "list the items that flipped: index, gold choice, log-likelihoods of the choices under A and "
     "under B",
     0},
    {"format", OPTION_FORMAT, "NAME", 0, "text (default), csv or json", 0},
    {"seed", OPTION_SEED, "NUMBER", 0, "of the bootstrap (default: 0)", 0},
    {0}};

static const char compare_doc[] =
    "Two variants on the same items: per data set B - A with a bootstrap interval, the items that "
    "flipped, and McNemar's exact test. A and B are beginnings of ids, "
    "METHOD:SPARSITY:CALIBRATION:DRAW with parts left out from the end (dense, wanda:0.5:c4), or "
    "FIELD=VALUE,... (model, method, sparsity, calibration, samples, length, propagate, draw, id, "
    "parameters). "
    "Where they name several draws, draws are paired by number. With two files, A is in the first "
    "and B in the second.\vExample:\n  espalier compare results/demo.h5 dense "
    "wanda:0.5:wordnet\n";

struct compare_arguments {
  const char *words[4]; /* [count]: FILE A B, or FILE FILE A B */
  size_t count;
  const char *dataset, *metric, *items;
  int format, seed;
};

static error_t parse_argument(int key, char *value, struct argp_state *state) {
  struct cli_input *in = state->input;
  struct compare_arguments *a = in->options;
  switch (key) {
  case OPTION_DATASET:
    a->dataset = value;
    return 0;
  case OPTION_METRIC:
    a->metric = value;
    return 0;
  case OPTION_ITEMS:
    a->items = value;
    return 0;
  case OPTION_FORMAT:
    return cli_choice(in, "--format", value, compare_format_names, COMPARE_FORMATS, &a->format);
  case OPTION_SEED:
    return cli_int(in, "--seed", value, 0, INT32_MAX, &a->seed);
  case ARGP_KEY_ARG:
    if (a->count == 4) {
      return cli_refuse(in, "unexpected argument '%s' (expected FILE.h5 [FILE.h5] A B)", value);
    }
    a->words[a->count++] = value;
    return 0;
  case ARGP_KEY_END:
    return a->count >= 3 ? 0
                         : cli_refuse(in, "expected FILE.h5 [FILE.h5] A B (see espalier compare "
                                          "--help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp compare_argp = {
    compare_options, parse_argument, "FILE.h5 [FILE.h5] A B", compare_doc, NULL, NULL, NULL};

/* With --items, only what it needs is compared. */
static status run(const struct compare_arguments *a, struct compare *c, struct word_list *datasets,
                  struct word_list *metrics, struct str *to, struct error *err) {
  const char *option = a->items ? "--items" : "--dataset",
             *names = a->items ? a->items : a->dataset;
  if (a->items && a->dataset) {
    return err_set(err, STATUS_INPUT, "--items and --dataset exclude each other");
  }
  const struct compare_side *first = &c->sides[0], *second = &c->sides[1];
  TRY(filter_parse(datasets, FILTER_DATASET, option, names, first->file, first->path, err));
  TRY(filter_check(datasets, FILTER_DATASET, option, second->file, second->path, err));
  if (a->items && datasets->count > 1) {
    return err_set(err, STATUS_INPUT, "--items: one data set at a time");
  }
  TRY(filter_parse(metrics, FILTER_METRIC, "--metric", a->metric, first->file, first->path, err));
  for (int s = 0; s < 2; s++) {
    struct compare_side *side = &c->sides[s];
    TRY(select_variants(&side->selection, side->file, side->path,
                        a->words[a->count - 2 + (size_t)s], err));
  }
  TRY(compare_run(c, datasets, metrics, err));
  return a->items ? compare_print_items(c, &c->at[0], (enum compare_format)a->format, to, err)
                  : compare_print(c, (enum compare_format)a->format, to, err);
}

status cmd_compare(int argc, char **argv, struct error *err) {
  struct compare_arguments a = {0};
  TRY(cli_parse(&compare_argp, NULL, argc, argv, &a, err));
  struct results_file files[2] = {{0}};
  struct word_list datasets = {0}, metrics = {0};
  struct str text = {0};
  struct compare c = {.seed = (unsigned)a.seed};
  bool two = a.count == 4;
  status st = results_open(&files[0], a.words[0], err);
  if (st == STATUS_OK && two) {
    st = results_open(&files[1], a.words[1], err);
  }
  for (int s = 0; s < 2; s++) {
    c.sides[s].path = a.words[two ? s : 0];
    c.sides[s].file = &files[two ? s : 0];
  }
  if (st == STATUS_OK) {
    st = run(&a, &c, &datasets, &metrics, &text, err);
  }
  if (st == STATUS_OK) {
    (void)fputs(text.at, stdout);
  }
  str_free(&text);
  compare_free(&c);
  word_list_free(&datasets);
  word_list_free(&metrics);
  results_close(&files[0]);
  results_close(&files[1]);
  return st;
}
