#include <string.h>

#include "cli/cli.h"
#include "cli/filter.h"
#include "cli/places.h"
#include "cli/published.h"

enum {
  OPTION_ROWS = 256,
  OPTION_COLUMNS,
  OPTION_METRIC,
  OPTION_FORMAT,
  OPTION_DATASET,
  OPTION_METHOD,
  OPTION_DROP,
  OPTION_PUBLISHED
};

static const struct argp_option table_options[] = {
    {"rows", OPTION_ROWS, "FIELDS", 0,
     "what rows are told apart by: model, method, sparsity, calibration, samples, length, "
     "propagate, draw, "
     "dataset (default: those that vary, except draw)",
     0},
    {"columns", OPTION_COLUMNS, "FIELDS", 0,
     "likewise for columns (default: dataset); kind averages the data sets of each kind", 0},
    {"drop", OPTION_DROP, NULL, 0, "differences to the dense model", 0},
    {"published", OPTION_PUBLISHED, "NAME", 0,
     "measured values beside the numbers of configs/published/NAME.yaml, or of a file", 0},
    {"metric", OPTION_METRIC, "NAMES", 0,
     "for each data set the first of these that it has (default: its task's first)", 0},
    {"format", OPTION_FORMAT, "NAME", 0, "text (default), markdown, latex or csv", 0},
    {"dataset", OPTION_DATASET, "NAMES", 0, "only these data sets", 0},
    {"method", OPTION_METHOD, "NAMES", 0, "only these methods, and the dense model", 0},
    {0}};

static const char table_doc[] =
    "A table of a results file: means and standard deviations over calibration draws, the dense "
    "model first.\vExample:\n  espalier table results/demo.h5 --rows method,sparsity --format "
    "latex\n";

struct table_arguments {
  const char *file, *rows, *columns, *metric, *dataset, *method, *published;
  int format;
  bool drop;
};

static error_t parse_argument(int key, char *value, struct argp_state *state) {
  struct cli_input *in = state->input;
  struct table_arguments *a = in->options;
  switch (key) {
  case OPTION_ROWS:
    a->rows = value;
    return 0;
  case OPTION_COLUMNS:
    a->columns = value;
    return 0;
  case OPTION_METRIC:
    a->metric = value;
    return 0;
  case OPTION_DATASET:
    a->dataset = value;
    return 0;
  case OPTION_METHOD:
    a->method = value;
    return 0;
  case OPTION_PUBLISHED:
    a->published = value;
    return 0;
  case OPTION_DROP:
    a->drop = true;
    return 0;
  case OPTION_FORMAT:
    return cli_choice(in, "--format", value, table_format_names, TABLE_FORMATS, &a->format);
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "unexpected argument '%s' (one results file is enough)", value);
    }
    a->file = value;
    return 0;
  case ARGP_KEY_END:
    return a->file ? 0 : cli_refuse(in, "a results file is missing (see espalier table --help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp table_argp = {table_options, parse_argument, "FILE.h5", table_doc,
                                       NULL,          NULL,           NULL};

/* Field names of --rows or --columns; seen refuses a field that stands twice in both together. */
static status parse_fields(const char *option, const char *text, enum table_field *fields,
                           size_t *count, bool seen[FIELD_COUNT], bool *kind, struct error *err) {
  struct word_list words = {0};
  status st = text ? word_list_add(&words, text, err) : STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < words.count; i++) {
    if (kind && strcmp(words.at[i], "kind") == 0) {
      *kind = true;
      words.at[i] = table_field_names[FIELD_DATASET];
    }
    size_t f = 0;
    while (f < FIELD_COUNT && strcmp(words.at[i], table_field_names[f]) != 0) {
      f++;
    }
    if (f == FIELD_COUNT) {
      int near = str_nearest(words.at[i], table_field_names, FIELD_COUNT);
      st = near >= 0 ? err_set(err, STATUS_INPUT, "%s: unknown field '%s' (did you mean %s?)",
                               option, words.at[i], table_field_names[near])
                     : err_set(err, STATUS_INPUT,
                               "%s: unknown field '%s' (expected model, method, sparsity, "
                               "calibration, samples, length, propagate, draw or dataset)",
                               option, words.at[i]);
    } else if (seen[f]) {
      st = err_set(err, STATUS_INPUT, "%s: '%s' is given twice", option, words.at[i]);
    } else {
      seen[f] = true;
      fields[(*count)++] = (enum table_field)f;
    }
  }
  word_list_free(&words);
  return st;
}

static status make_table(const struct table_arguments *a, const struct results_file *f,
                         struct table_query *q, struct str *to, struct error *err) {
  bool seen[FIELD_COUNT] = {false};
  q->drop = a->drop;
  TRY(parse_fields("--rows", a->rows, q->rows, &q->row_fields, seen, NULL, err));
  TRY(parse_fields("--columns", a->columns, q->columns, &q->column_fields, seen, &q->by_kind, err));
  TRY(filter_parse(&q->metrics, FILTER_METRIC, "--metric", a->metric, f, a->file, err));
  TRY(filter_parse(&q->datasets, FILTER_DATASET, "--dataset", a->dataset, f, a->file, err));
  TRY(filter_parse(&q->methods, FILTER_METHOD, "--method", a->method, f, a->file, err));
  struct table t;
  TRY(table_build(&t, f, q, a->file, err));
  status st = table_print(&t, (enum table_format)a->format, a->file, to, err);
  table_free(&t);
  return st;
}

static status print_published(const struct table_arguments *a, const struct results_file *f,
                              const struct search *search, struct str *to, struct error *err) {
  struct published source;
  struct published_table t;
  TRY(published_open(&source, a->published, search, err));
  status st = published_match(&t, &source, f, a->file, err);
  if (st == STATUS_OK) {
    st = published_print(&t, (enum table_format)a->format, to, err);
    published_table_free(&t);
  }
  published_close(&source);
  return st;
}

static status make_published(const struct table_arguments *a, const struct results_file *f,
                             struct str *to, struct error *err) {
  if (a->rows || a->columns || a->metric || a->dataset || a->method || a->drop) {
    return err_set(err, STATUS_INPUT, "--published goes with --format alone");
  }
  struct cli_places places;
  TRY(places_open(&places, err));
  status st = print_published(a, f, &places.places.search, to, err);
  places_close(&places);
  return st;
}

status cmd_table(int argc, char **argv, struct error *err) {
  struct table_arguments a = {0};
  TRY(cli_parse(&table_argp, NULL, argc, argv, &a, err));
  struct results_file f;
  TRY(results_open(&f, a.file, err));
  struct table_query q = {0};
  struct str text = {0};
  status st = a.published ? make_published(&a, &f, &text, err) : make_table(&a, &f, &q, &text, err);
  if (st == STATUS_OK) {
    (void)fputs(text.at, stdout);
  }
  str_free(&text);
  word_list_free(&q.metrics);
  word_list_free(&q.datasets);
  word_list_free(&q.methods);
  results_close(&f);
  return st;
}
