#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/filter.h"
#include "cli/sensitivity.h"

enum {
  OPTION_SECTION = 256,
  OPTION_METRIC,
  OPTION_DATASET,
  OPTION_KIND,
  OPTION_METHOD,
  OPTION_MODEL,
  OPTION_SPARSITY,
  OPTION_CALIBRATION,
  OPTION_SAMPLES,
  OPTION_LENGTH,
  OPTION_PROPAGATE,
  OPTION_DROP,
  OPTION_FORMAT,
  OPTION_SEED,
  OPTION_END
};

static const struct argp_option sensitivity_options[] = {
    {"section", OPTION_SECTION, "NAMES", 0,
     "only these: spread, components, beats, ranks, overlap, distance", 0},
    {"metric", OPTION_METRIC, "NAMES", 0,
     "for each data set the first of these that it has (default: its task's first)", 0},
    {"dataset", OPTION_DATASET, "NAMES", 0, "only these data sets", 0},
    {"kind", OPTION_KIND, "NAMES", 0, "only data sets of these kinds (sentiment, topic, ...)", 0},
    {"method", OPTION_METHOD, "NAMES", 0, "only these methods", 0},
    {"model", OPTION_MODEL, "NAMES", 0, "only these models", 0},
    {"sparsity", OPTION_SPARSITY, "VALUES", 0, "only these sparsities", 0},
    {"calibration", OPTION_CALIBRATION, "NAMES", 0, "only these calibration sets", 0},
    {"samples", OPTION_SAMPLES, "NUMBERS", 0,
     "only these sample counts (default: all, each analysed for itself)", 0},
    {"length", OPTION_LENGTH, "NUMBERS", 0,
     "only these sample lengths (default: all, each for itself)", 0},
    {"propagate", OPTION_PROPAGATE, "NAME", 0,
     "only pruned, or only dense (default: both, each for itself)", 0},
    {"drop", OPTION_DROP, NULL, 0, "values are differences to the dense model", 0},
    {"format", OPTION_FORMAT, "NAME", 0, "text (default), csv (one section) or json", 0},
    {"seed", OPTION_SEED, "NUMBER", 0, "of permutations and the bootstrap (default: 0)", 0},
    {0}};

static const char sensitivity_doc[] =
    "How much the calibration set decides, from a results file: the spread of every method over "
    "calibration draws; variance components of set and draw beside the error of the items; how "
    "often one method beats another over paired draws; whether calibration sets agree on the order "
    "of methods; how far masks overlap; and whether draws nearer to a data set lose less. Models, "
    "methods, sparsities, sample counts, lengths and propagation are never averaged. n is what a "
    "number is "
    "over; what cannot be told from the results is said in words.\vExample:\n  espalier "
    "sensitivity results/demo.h5 --sparsity 0.8 --section components,beats\n";

static const struct section {
  const char *name;
  status (*fill)(const struct design *d, struct sheet *s, struct error *err);
} sections[] = {
    {"spread", sensitivity_spread},   {"components", sensitivity_components},
    {"beats", sensitivity_beats},     {"ranks", sensitivity_ranks},
    {"overlap", sensitivity_overlap}, {"distance", sensitivity_distance},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

struct sensitivity_arguments {
  const char *file;
  const char *words[OPTION_END - OPTION_SECTION]; /* by option */
  bool drop;
  int format, seed;
};

static error_t parse_argument(int key, char *value, struct argp_state *state) {
  struct cli_input *in = state->input;
  struct sensitivity_arguments *a = in->options;
  switch (key) {
  case OPTION_DROP:
    a->drop = true;
    return 0;
  case OPTION_FORMAT:
    return cli_choice(in, "--format", value, sheet_format_names, SHEET_FORMATS, &a->format);
  case OPTION_SEED:
    return cli_int(in, "--seed", value, 0, INT32_MAX, &a->seed);
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "unexpected argument '%s' (one results file is enough)", value);
    }
    a->file = value;
    return 0;
  case ARGP_KEY_END:
    return a->file ? 0
                   : cli_refuse(in, "a results file is missing (see espalier sensitivity --help)");
  default:
    if (key < OPTION_SECTION || key >= OPTION_DROP) {
      return ARGP_ERR_UNKNOWN;
    }
    a->words[key - OPTION_SECTION] = value;
    return 0;
  }
}

static const struct argp sensitivity_argp = {
    sensitivity_options, parse_argument, "FILE.h5", sensitivity_doc, NULL, NULL, NULL};

static const char *words_of(const struct sensitivity_arguments *a, int option) {
  return a->words[option - OPTION_SECTION];
}

/* wanted [SECTIONS]; all without --section. */
static status choose_sections(const struct sensitivity_arguments *a, bool *wanted, size_t *count,
                              struct error *err) {
  const char *names[SECTIONS], *text = words_of(a, OPTION_SECTION);
  struct word_list list = {0};
  for (size_t i = 0; i < SECTIONS; i++) {
    names[i] = sections[i].name;
    wanted[i] = !text;
  }
  status st = text ? word_list_add(&list, text, err) : STATUS_OK;
  for (size_t k = 0; st == STATUS_OK && k < list.count; k++) {
    size_t i = 0;
    while (i < SECTIONS && strcmp(names[i], list.at[k]) != 0) {
      i++;
    }
    int near = str_nearest(list.at[k], names, SECTIONS);
    if (i < SECTIONS) {
      wanted[i] = true;
    } else {
      st = near >= 0 ? err_set(err, STATUS_INPUT, "--section: '%s' (did you mean %s?)", list.at[k],
                               names[near])
                     : err_set(err, STATUS_INPUT,
                               "--section: '%s' (expected spread, components, beats, ranks, "
                               "overlap or distance)",
                               list.at[k]);
    }
  }
  word_list_free(&list);
  *count = 0;
  for (size_t i = 0; i < SECTIONS; i++) {
    *count += wanted[i];
  }
  return st;
}

static status check_kinds(const struct design_query *q, const struct results_file *f,
                          const char *path, struct error *err) {
  for (size_t i = 0; i < q->kinds.count; i++) {
    bool known = false;
    for (size_t k = 0; k < f->metric_count && !known; k++) {
      known = strcmp(f->metrics[k].kind, q->kinds.at[i]) == 0;
    }
    if (!known) {
      return err_set(err, STATUS_INPUT, "--kind: '%s' is not in %s", q->kinds.at[i], path);
    }
  }
  return STATUS_OK;
}

static status fill_query(struct design_query *q, const struct sensitivity_arguments *a,
                         const struct results_file *f, struct error *err) {
  const struct {
    int option;
    const char *name;
    struct word_list *list;
  } lists[] = {
      {OPTION_KIND, "--kind", &q->kinds},
      {OPTION_METHOD, "--method", &q->methods},
      {OPTION_MODEL, "--model", &q->models},
      {OPTION_SPARSITY, "--sparsity", &q->sparsities},
      {OPTION_CALIBRATION, "--calibration", &q->calibrations},
      {OPTION_SAMPLES, "--samples", &q->samples},
      {OPTION_LENGTH, "--length", &q->lengths},
      {OPTION_PROPAGATE, "--propagate", &q->propagates},
  };
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    const char *text = words_of(a, lists[i].option);
    TRY_WITH(err, text ? word_list_add(lists[i].list, text, err) : STATUS_OK, "%s", lists[i].name);
  }
  TRY(filter_parse(&q->metrics, FILTER_METRIC, "--metric", words_of(a, OPTION_METRIC), f, a->file,
                   err));
  TRY(filter_parse(&q->datasets, FILTER_DATASET, "--dataset", words_of(a, OPTION_DATASET), f,
                   a->file, err));
  return check_kinds(q, f, a->file, err);
}

static void free_query(struct design_query *q) {
  struct word_list *lists[] = {&q->metrics, &q->datasets,   &q->kinds,        &q->methods,
                               &q->models,  &q->sparsities, &q->calibrations, &q->samples,
                               &q->lengths, &q->propagates};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    word_list_free(lists[i]);
  }
}

static status print_sections(const struct sensitivity_arguments *a, const struct design *d,
                             const bool *wanted, struct str *to, struct error *err) {
  cJSON *root = a->format == SHEET_AS_JSON ? sensitivity_head_json(d) : NULL;
  status st = a->format == SHEET_AS_TEXT ? sensitivity_head(d, to, err) : STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < SECTIONS; i++) {
    struct sheet s = {0};
    if (!wanted[i]) {
      continue;
    }
    st = sections[i].fill(d, &s, err);
    if (st == STATUS_OK && a->format == SHEET_AS_TEXT) {
      st = str_addf(to, err, "\n");
      st = st == STATUS_OK ? sheet_print_text(&s, to, err) : st;
    } else if (st == STATUS_OK && a->format == SHEET_AS_CSV) {
      st = sheet_print_csv(&s, to, err);
    } else if (st == STATUS_OK) {
      cJSON_AddItemToObject(root, s.name, sheet_json(&s));
    }
    sheet_free(&s);
  }
  char *text = st == STATUS_OK && root ? cJSON_Print(root) : NULL;
  if (st == STATUS_OK && root) {
    st = text ? str_addf(to, err, "%s\n", text) : err_set(err, STATUS_MEMORY, "out of memory");
  }
  cJSON_free(text);
  cJSON_Delete(root);
  return st;
}

static status run(const struct sensitivity_arguments *a, const struct results_file *f,
                  struct design_query *q, struct str *to, struct error *err) {
  bool wanted[SECTIONS];
  size_t count;
  TRY(choose_sections(a, wanted, &count, err));
  if (a->format == SHEET_AS_CSV && count != 1) {
    return err_set(err, STATUS_INPUT, "--format csv: one section at a time (--section spread)");
  }
  TRY(fill_query(q, a, f, err));
  struct design d;
  TRY(design_make(&d, f, a->file, q, err));
  status st = print_sections(a, &d, wanted, to, err);
  design_free(&d);
  return st;
}

status cmd_sensitivity(int argc, char **argv, struct error *err) {
  struct sensitivity_arguments a = {0};
  TRY(cli_parse(&sensitivity_argp, NULL, argc, argv, &a, err));
  struct results_file f;
  TRY(results_open(&f, a.file, err));
  struct design_query q = {.seed = (unsigned)a.seed, .drop = a.drop};
  struct str text = {0};
  status st = run(&a, &f, &q, &text, err);
  if (st == STATUS_OK) {
    (void)fputs(text.at, stdout);
  }
  str_free(&text);
  free_query(&q);
  results_close(&f);
  return st;
}
