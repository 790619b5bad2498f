#include "cli/attribute_arguments.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/sheet.h"

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
  const char *pruned = attribute_text(a, OPTION_PRUNED);
  if (!pruned) {
    return cli_refuse(in, "a results file, or --model, --pruned and --dataset, are missing (see "
                          "espalier attribute --help)");
  }
  if (a->of_file) {
    return cli_refuse(in, "--%s is for a results file, not for a pair of checkpoints", a->of_file);
  }
  if (!attribute_text(a, OPTION_MODEL) || !attribute_text(a, OPTION_DATASET)) {
    return cli_refuse(in, "--pruned needs %s",
                      attribute_text(a, OPTION_MODEL) ? "--dataset NAME" : "--model DIR");
  }
  if ((a->influence == INFLUENCE_LEXICON) != (attribute_text(a, OPTION_LEXICON) != NULL)) {
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

/* The options of a pair, from its arguments and the defaults. */
static void fill_pair(struct attribute_arguments *a) {
  struct attribute_pair *p = &a->pair;
  struct attribution_options *o = &p->options;
  p->model = attribute_text(a, OPTION_MODEL);
  p->pruned = attribute_text(a, OPTION_PRUNED);
  p->dataset = attribute_text(a, OPTION_DATASET);
  p->background =
      attribute_text(a, OPTION_BACKGROUND) ? attribute_text(a, OPTION_BACKGROUND) : "c4";
  p->limit = attribute_number(a, OPTION_LIMIT, 0);
  p->shots = attribute_number(a, OPTION_SHOTS, 0);
  o->influence = (enum influence)a->influence;
  o->lexicon = (char *)attribute_text(a, OPTION_LEXICON);
  o->score = (enum match_score)a->score;
  o->words = attribute_number(a, OPTION_WORDS, o->words);
  o->least_occurrences = attribute_number(a, OPTION_LEAST, o->least_occurrences);
  o->candidates = attribute_number(a, OPTION_CANDIDATES, o->candidates);
  o->occurrences = attribute_number(a, OPTION_LEAVE_OUT, o->occurrences);
  o->neurons = attribute_number(a, OPTION_NEURONS, o->neurons);
  o->background = attribute_number(a, OPTION_WINDOWS, o->background);
  o->random_sets = attribute_number(a, OPTION_RANDOM, o->random_sets);
  o->lens = attribute_number(a, OPTION_LENS, o->lens);
  o->seed = (uint64_t)attribute_number(a, OPTION_SEED, 0);
}

status attribute_parse(struct attribute_arguments *out, int argc, char **argv, struct error *err) {
  struct attribute_arguments a = {.pair.options = attribution_defaults()};
  for (size_t i = 0; i < sizeof a.numbers / sizeof a.numbers[0]; i++) {
    a.numbers[i] = -1;
  }
  TRY(cli_parse(&attribute_argp, NULL, argc, argv, &a, err));
  if (!a.file) {
    fill_pair(&a);
  }
  *out = a;
  return STATUS_OK;
}
