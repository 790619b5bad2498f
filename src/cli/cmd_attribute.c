#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attribute.h"
#include "cli/attribute_pair.h"
#include "cli/cli.h"
#include "cli/filter.h"

enum {
  OPTION_SECTION = 256, /* texts, kept as they are */
  OPTION_DATASET,
  OPTION_MODEL,
  OPTION_METHOD,
  OPTION_SPARSITY,
  OPTION_CALIBRATION,
  OPTION_SAMPLES,
  OPTION_LENGTH,
  OPTION_PROPAGATE,
  OPTION_PRUNED,
  OPTION_BACKGROUND,
  OPTION_LEXICON,
  TEXTS_END,
  OPTION_NEURONS = TEXTS_END, /* whole numbers */
  OPTION_SEED,
  OPTION_LIMIT,
  OPTION_SHOTS,
  OPTION_WORDS,
  OPTION_LEAST,
  OPTION_CANDIDATES,
  OPTION_LEAVE_OUT,
  OPTION_WINDOWS,
  OPTION_RANDOM,
  OPTION_LENS,
  OPTION_THREADS,
  NUMBERS_END,
  OPTION_DRAWS = NUMBERS_END,
  OPTION_FORMAT,
  OPTION_BOS,
  OPTION_STOP_WORDS,
  OPTION_NO_CAUSAL,
  OPTION_NO_PATCH,
  OPTION_INFLUENCE,
  OPTION_SCORE,
  OPTION_PRECISION
};

static const struct argp_option attribute_options[] = {
    {"section", OPTION_SECTION, "NAMES", 0,
     "only these: words, units, apart, causal, losses, layers, link (default: all but units, apart "
     "and layers)",
     0},
    {"dataset", OPTION_DATASET, "NAMES", 0, "only these data sets; of a pair: the task", 0},
    {"model", OPTION_MODEL, "NAMES", 0, "only these models; of a pair: the dense checkpoint", 0},
    {"neurons", OPTION_NEURONS, "N", 0,
     "units shown per word (default: 3 in text, else all); of a pair: matched (default 10)", 0},
    {"draws", OPTION_DRAWS, 0, 0, "a line for each draw and each random set of units", 0},
    {"format", OPTION_FORMAT, "NAME", 0, "text (default), csv (one section) or json", 0},
    {"seed", OPTION_SEED, "N", 0, "of resamples, permutations and random sets (default 0)", 0},
    {"method", OPTION_METHOD, "NAMES", 0, "file: only these methods", 0},
    {"sparsity", OPTION_SPARSITY, "VALUES", 0, "file: only these sparsities", 0},
    {"calibration", OPTION_CALIBRATION, "NAMES", 0, "file: only these calibration sets", 0},
    {"samples", OPTION_SAMPLES, "NUMBERS", 0, "file: only these sample counts", 0},
    {"length", OPTION_LENGTH, "NUMBERS", 0, "file: only these sample lengths", 0},
    {"propagate", OPTION_PROPAGATE, "NAME", 0, "file: only pruned, or only dense", 0},
    {"pruned", OPTION_PRUNED, "DIR", 0, "pair: the pruned checkpoint", 0},
    {"background", OPTION_BACKGROUND, "NAME", 0,
     "pair: the calibration set that neutral text is from (default c4)", 0},
    {"windows", OPTION_WINDOWS, "N", 0, "pair: of 128 background tokens (default 64)", 0},
    {"limit", OPTION_LIMIT, "N", 0, "pair: the first N items (default: all)", 0},
    {"shots", OPTION_SHOTS, "N", 0, "pair: examples before each item (default 0)", 0},
    {"bos", OPTION_BOS, 0, 0, "pair: prompts begin with the template's special tokens", 0},
    {"influence", OPTION_INFLUENCE, "NAME", 0, "pair: leave_one_out (default), log_odds or lexicon",
     0},
    {"lexicon", OPTION_LEXICON, "FILE", 0, "pair: words, one a line, a tab and a weight behind", 0},
    {"words", OPTION_WORDS, "N", 0, "pair: most influential words to keep (default 20)", 0},
    {"min-occurrences", OPTION_LEAST, "N", 0, "pair: of a word in the items (default 3)", 0},
    {"stop-words", OPTION_STOP_WORDS, 0, 0, "pair: function words may be chosen too", 0},
    {"candidates", OPTION_CANDIDATES, "N", 0, "pair: words that are left out (default 200)", 0},
    {"leave-out", OPTION_LEAVE_OUT, "N", 0, "pair: places of each that are tried (default 8)", 0},
    {"score", OPTION_SCORE, "NAME", 0, "pair: z (default), or sum as in the paper", 0},
    {"lens", OPTION_LENS, "N", 0, "pair: vocabulary words per unit (default 8)", 0},
    {"random", OPTION_RANDOM, "N", 0, "pair: random sets of the causal check (default 20)", 0},
    {"no-causal", OPTION_NO_CAUSAL, 0, 0, "pair: without the causal check", 0},
    {"no-patch", OPTION_NO_PATCH, 0, 0, "pair: without patching the pruned model", 0},
    {"precision", OPTION_PRECISION, "TYPE", 0, "pair: float32 (default) or bfloat16", 0},
    {"threads", OPTION_THREADS, "N", 0, "pair: threads (default: all cores)", 0},
    {"quiet", 'q', 0, 0, "pair: no progress", 0},
    {0}};

static const char attribute_doc[] =
    "Neuron semantic attribution: which words decide a data set's answers, which units of the "
    "dense "
    "model's MLPs answer to them, whether zeroing those changes the answers, how much of their "
    "activation each pruned model has lost, and whether that loss goes with the drop in accuracy - "
    "and says more than layer output error and perplexity do. From the results of an experiment "
    "with 'attribution:', or of one pair of checkpoints.\vExamples:\n  espalier attribute "
    "results/nsa.h5 --dataset sst2 --section words,losses\n  espalier attribute --model nano-llama "
    "--pruned pruned/ --dataset ag_news --limit 200\n";

static const struct section {
  const char *name;
  bool usual;
  status (*fill)(const struct attribute_view *v, struct sheet *s, struct error *err);
} sections[] = {
    {"words", true, attribute_words},   {"units", false, attribute_units},
    {"apart", false, attribute_apart},  {"causal", true, attribute_causal},
    {"losses", true, attribute_losses}, {"layers", false, attribute_layers},
    {"link", true, attribute_link},
};
enum { SECTIONS = sizeof sections / sizeof sections[0], NOT_GIVEN = -1 };

struct attribute_arguments {
  const char *file;
  const char *texts[TEXTS_END - OPTION_SECTION];
  int numbers[NUMBERS_END - TEXTS_END]; /* NOT_GIVEN */
  const char *of_file, *of_pair;        /* the last option that only one of both takes */
  bool draws;
  int format, influence, score;
  struct attribute_pair pair;
};

/* What an option is for, told by its help. */
static void note_use(struct attribute_arguments *a, int key) {
  for (const struct argp_option *o = attribute_options; o->name; o++) {
    if (o->key == key && strncmp(o->doc, "file:", 5) == 0) {
      a->of_file = o->name;
    } else if (o->key == key && strncmp(o->doc, "pair:", 5) == 0) {
      a->of_pair = o->name;
    }
  }
}

static const char *text_of(const struct attribute_arguments *a, int option) {
  return a->texts[option - OPTION_SECTION];
}

static error_t parse_number(struct cli_input *in, int key, const char *value) {
  static const struct {
    const char *name;
    int low, high;
  } numbers[] = {{"--neurons", 1, 10000},
                 {"--seed", 0, INT32_MAX},
                 {"--limit", 0, INT32_MAX},
                 {"--shots", 0, 1000},
                 {"--words", 1, 10000},
                 {"--min-occurrences", 1, INT32_MAX},
                 {"--candidates", 1, INT32_MAX},
                 {"--leave-out", 1, INT32_MAX},
                 {"--windows", 1, 1000000},
                 {"--random", 1, 10000},
                 {"--lens", 0, 100},
                 {"--threads", 1, 4096}};
  struct attribute_arguments *a = in->options;
  int i = key - TEXTS_END;
  return cli_int(in, numbers[i].name, value, numbers[i].low, numbers[i].high, &a->numbers[i]);
}

static error_t parse_end(const struct cli_input *in, const struct attribute_arguments *a) {
  if (a->file) {
    return a->of_pair ? cli_refuse(in, "--%s is for a pair of checkpoints, not for a results file",
                                   a->of_pair)
                      : 0;
  }
  const char *pruned = text_of(a, OPTION_PRUNED);
  if (!pruned) {
    return cli_refuse(in, "a results file, or --model, --pruned and --dataset, are missing (see "
                          "espalier attribute --help)");
  }
  if (a->of_file) {
    return cli_refuse(in, "--%s is for a results file, not for a pair of checkpoints", a->of_file);
  }
  if (!text_of(a, OPTION_MODEL) || !text_of(a, OPTION_DATASET)) {
    return cli_refuse(in, "--pruned needs %s",
                      text_of(a, OPTION_MODEL) ? "--dataset NAME" : "--model DIR");
  }
  if ((a->influence == INFLUENCE_LEXICON) != (text_of(a, OPTION_LEXICON) != NULL)) {
    return cli_refuse(in, a->influence == INFLUENCE_LEXICON
                              ? "--influence lexicon needs --lexicon FILE"
                              : "--lexicon needs --influence lexicon");
  }
  return 0;
}

static error_t parse_other(struct cli_input *in, int key, char *value) {
  struct attribute_arguments *a = in->options;
  switch (key) {
  case OPTION_DRAWS:
    a->draws = true;
    return 0;
  case OPTION_FORMAT:
    return cli_choice(in, "--format", value, sheet_format_names, SHEET_FORMATS, &a->format);
  case OPTION_BOS:
    a->pair.bos = true;
    return 0;
  case OPTION_STOP_WORDS:
    a->pair.options.stop_words = true;
    return 0;
  case OPTION_NO_CAUSAL:
    a->pair.options.causal = false;
    return 0;
  case OPTION_NO_PATCH:
    a->pair.options.patch = false;
    return 0;
  case OPTION_INFLUENCE:
    return cli_choice(in, "--influence", value, influence_names, INFLUENCES, &a->influence);
  case OPTION_SCORE:
    return cli_choice(in, "--score", value, match_score_names, MATCH_SCORES, &a->score);
  case OPTION_PRECISION:
    return cli_precision(in, value, &a->pair.precision);
  case 'q':
    a->pair.quiet = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse_argument(int key, char *value, struct argp_state *state) {
  struct cli_input *in = state->input;
  struct attribute_arguments *a = in->options;
  note_use(a, key);
  if (key >= OPTION_SECTION && key < TEXTS_END) {
    a->texts[key - OPTION_SECTION] = value;
    return 0;
  }
  if (key >= TEXTS_END && key < NUMBERS_END) {
    return parse_number(in, key, value);
  }
  if (key == ARGP_KEY_ARG) {
    if (a->file) {
      return cli_refuse(in, "unexpected argument '%s' (one results file is enough)", value);
    }
    a->file = value;
    return 0;
  }
  return key == ARGP_KEY_END ? parse_end(in, a) : parse_other(in, key, value);
}

static const struct argp attribute_argp = {
    attribute_options, parse_argument, "[FILE.h5]", attribute_doc, NULL, NULL, NULL};

/* A number's option, or what stands for it. */
static int number_of(const struct attribute_arguments *a, int option, int otherwise) {
  int value = a->numbers[option - TEXTS_END];
  return value == NOT_GIVEN ? otherwise : value;
}

/* wanted [SECTIONS] */
static status choose_sections(const struct attribute_arguments *a, bool *wanted, size_t *count,
                              struct error *err) {
  const char *text = text_of(a, OPTION_SECTION), *names[SECTIONS];
  struct word_list list = {0};
  for (size_t i = 0; i < SECTIONS; i++) {
    names[i] = sections[i].name;
    bool pair = !a->file && sections[i].fill == attribute_link; /* one point correlates with none */
    wanted[i] = !text && sections[i].usual && !pair;
  }
  status st = text ? word_list_add(&list, text, err) : STATUS_OK;
  for (size_t k = 0; st == STATUS_OK && k < list.count; k++) {
    size_t i = 0;
    while (i < SECTIONS && strcmp(names[i], list.at[k]) != 0) {
      i++;
    }
    if (i < SECTIONS) {
      wanted[i] = true;
      continue;
    }
    int near = str_nearest(list.at[k], names, SECTIONS);
    st = near >= 0 ? err_set(err, STATUS_INPUT, "--section: '%s' (did you mean %s?)", list.at[k],
                             names[near])
                   : err_set(err, STATUS_INPUT,
                             "--section: '%s' (expected words, units, apart, causal, losses, "
                             "layers or link)",
                             list.at[k]);
  }
  word_list_free(&list);
  *count = 0;
  for (size_t i = 0; i < SECTIONS; i++) {
    *count += wanted[i];
  }
  return st;
}

static status add_section(const struct section *section, const struct attribute_view *v, int format,
                          cJSON *root, struct str *to, struct error *err) {
  struct sheet s = {0};
  status st = section->fill(v, &s, err);
  if (st == STATUS_OK && format == SHEET_AS_JSON) {
    cJSON_AddItemToObject(root, s.name, sheet_json(&s));
  } else if (st == STATUS_OK && format == SHEET_AS_CSV) {
    st = sheet_print_csv(&s, to, err);
  } else if (st == STATUS_OK) {
    st = to->count ? str_addf(to, err, "\n") : STATUS_OK;
    st = st == STATUS_OK ? sheet_print_text(&s, to, err) : st;
  }
  sheet_free(&s);
  return st;
}

static status print_view(const struct attribute_arguments *a, struct attribute_view *v,
                         struct error *err) {
  bool wanted[SECTIONS];
  size_t count;
  TRY(choose_sections(a, wanted, &count, err));
  if (a->format == SHEET_AS_CSV && count != 1) {
    return err_set(err, STATUS_INPUT, "--format csv: one section at a time (--section words)");
  }
  enum { USUAL_NEURONS = 3 };
  int all = a->format == SHEET_AS_TEXT ? USUAL_NEURONS : INT32_MAX;
  v->neurons = (size_t)(a->file ? number_of(a, OPTION_NEURONS, all) : all);
  v->draws = a->draws;
  struct str text = {0};
  cJSON *root = a->format == SHEET_AS_JSON ? cJSON_CreateObject() : NULL;
  status st = STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < SECTIONS; i++) {
    st = wanted[i] ? add_section(&sections[i], v, a->format, root, &text, err) : STATUS_OK;
  }
  char *json = st == STATUS_OK && root ? cJSON_Print(root) : NULL;
  if (st == STATUS_OK && root) {
    st = json ? str_addf(&text, err, "%s\n", json) : err_set(err, STATUS_MEMORY, "out of memory");
  }
  if (st == STATUS_OK && text.count) {
    (void)fwrite(text.at, 1, text.count, stdout);
  }
  cJSON_free(json);
  cJSON_Delete(root);
  str_free(&text);
  return st;
}

static status fill_query(struct design_query *q, const struct attribute_arguments *a,
                         const struct results_file *f, struct error *err) {
  const struct {
    int option;
    const char *name;
    struct word_list *list;
  } lists[] = {
      {OPTION_METHOD, "--method", &q->methods},
      {OPTION_MODEL, "--model", &q->models},
      {OPTION_SPARSITY, "--sparsity", &q->sparsities},
      {OPTION_CALIBRATION, "--calibration", &q->calibrations},
      {OPTION_SAMPLES, "--samples", &q->samples},
      {OPTION_LENGTH, "--length", &q->lengths},
      {OPTION_PROPAGATE, "--propagate", &q->propagates},
  };
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    const char *text = text_of(a, lists[i].option);
    TRY_WITH(err, text ? word_list_add(lists[i].list, text, err) : STATUS_OK, "%s", lists[i].name);
  }
  q->seed = (unsigned)number_of(a, OPTION_SEED, 0);
  return filter_parse(&q->datasets, FILTER_DATASET, "--dataset", text_of(a, OPTION_DATASET), f,
                      a->file, err);
}

static void free_query(struct design_query *q) {
  struct word_list *lists[] = {&q->datasets,     &q->methods, &q->models,  &q->sparsities,
                               &q->calibrations, &q->samples, &q->lengths, &q->propagates};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    word_list_free(lists[i]);
  }
}

static status show_file(const struct attribute_arguments *a, struct error *err) {
  struct results_file f;
  struct attribution_file attributions;
  TRY(results_open(&f, a->file, err));
  status st = attribution_file_open(&attributions, a->file, err);
  if (st == STATUS_OK) {
    struct design_query q = {.seed = 0};
    struct attribute_view v = {0};
    st = fill_query(&q, a, &f, err);
    st = st == STATUS_OK ? attribute_view_make(&v, &f, &attributions, a->file, &q, err) : st;
    st = st == STATUS_OK ? print_view(a, &v, err) : st;
    attribute_view_free(&v);
    free_query(&q);
    attribution_file_close(&attributions);
  }
  results_close(&f);
  return st;
}

/* The options of a pair, from its arguments and the defaults. */
static void fill_pair(struct attribute_arguments *a) {
  struct attribute_pair *p = &a->pair;
  struct attribution_options *o = &p->options;
  p->model = text_of(a, OPTION_MODEL);
  p->pruned = text_of(a, OPTION_PRUNED);
  p->dataset = text_of(a, OPTION_DATASET);
  p->background = text_of(a, OPTION_BACKGROUND) ? text_of(a, OPTION_BACKGROUND) : "c4";
  p->limit = number_of(a, OPTION_LIMIT, 0);
  p->shots = number_of(a, OPTION_SHOTS, 0);
  o->influence = (enum influence)a->influence;
  o->lexicon = (char *)text_of(a, OPTION_LEXICON);
  o->score = (enum match_score)a->score;
  o->words = number_of(a, OPTION_WORDS, o->words);
  o->least_occurrences = number_of(a, OPTION_LEAST, o->least_occurrences);
  o->candidates = number_of(a, OPTION_CANDIDATES, o->candidates);
  o->occurrences = number_of(a, OPTION_LEAVE_OUT, o->occurrences);
  o->neurons = number_of(a, OPTION_NEURONS, o->neurons);
  o->background = number_of(a, OPTION_WINDOWS, o->background);
  o->random_sets = number_of(a, OPTION_RANDOM, o->random_sets);
  o->lens = number_of(a, OPTION_LENS, o->lens);
  o->seed = (uint64_t)number_of(a, OPTION_SEED, 0);
}

static status show_records(const struct attribute_arguments *a, const struct attribution_base *base,
                           const struct attribution_loss *loss, struct error *err) {
  struct results_variant pruned = {.model = (char *)a->pair.model,
                                   .method = (char *)"pruned",
                                   .sparsity = (char *)"",
                                   .calibration = (char *)"",
                                   .propagate = "",
                                   .draw = -1};
  struct attribute_base of = {base, a->pair.model};
  struct attribute_line line = {loss, base, &pruned, a->pair.pruned};
  struct attribute_view v = {
      .bases = &of, .base_count = 1, .lines = &line, .line_count = 1, .seed = 0};
  return print_view(a, &v, err);
}

static status show_pair(struct attribute_arguments *a, struct error *err) {
  struct session session;
  TRY(session_open(&session, false, number_of(a, OPTION_THREADS, 0), err));
  if (session.group.rank != 0) {
    return STATUS_OK;
  }
  struct cli_places places;
  TRY(places_open(&places, err));
  struct attribution_base base;
  struct attribution_loss loss;
  fill_pair(a);
  status st = attribute_pair(&a->pair, &places, &session, &base, &loss, err);
  st = st == STATUS_OK ? show_records(a, &base, &loss, err) : st;
  attribution_base_free(&base);
  attribution_loss_free(&loss);
  places_close(&places);
  return st;
}

status cmd_attribute(int argc, char **argv, struct error *err) {
  struct attribute_arguments a = {.pair.options = attribution_defaults()};
  for (size_t i = 0; i < sizeof a.numbers / sizeof a.numbers[0]; i++) {
    a.numbers[i] = NOT_GIVEN;
  }
  TRY(cli_parse(&attribute_argp, NULL, argc, argv, &a, err));
  return a.file ? show_file(&a, err) : show_pair(&a, err);
}
