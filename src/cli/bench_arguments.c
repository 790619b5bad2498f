#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/bench.h"
#include "cli/cli.h"

enum {
  KEY_SHAPE = 256,
  KEY_BATCH,
  KEY_PRECISION,
  KEY_ORDER,
  KEY_LAYER,
  KEY_TASK,
  KEY_LIMIT,
  KEY_GRID,
  KEY_REPEATS,
  KEY_THREADS,
  KEY_JSON
};
enum { SIDE_MOST = 1 << 20, REPEATS_USUAL = 5, SEQUENCES_USUAL = 8, LIMIT_USUAL = 100 };
enum { GRAM_MOST = 32768, LAYER_LEAST = 16, LAYER_MOST = 65536 };

static const struct argp_option options[] = {
    {"model", 'm', "DIR", 0, "measure this checkpoint, or a name of configs/models", 0},
    {"shape", KEY_SHAPE, "SHAPE", 0,
     "measure random weights of a shape: llama-110m (default), llama-1.1b, or "
     "hidden=N,blocks=N,heads=N,ffn=N,vocab=N with kv_heads=N, positions=N, tied=1 if wanted",
     0},
    {"batch", KEY_BATCH, "SxT", 0, "sequences and their tokens in a forward pass (default 8x512)",
     0},
    {"precision", KEY_PRECISION, "TYPE", 0, "float32, bfloat16 or both (default)", 0},
    {"order", KEY_ORDER, "N", 0,
     "order of a Gram matrix (gram, factor); may be given several times (default 2048 and 8192)",
     0},
    {"layer", KEY_LAYER, "RxC", 0,
     "outputs and inputs of a linear to prune; may be given several times (default 768x3072, "
     "2048x2048 and 2048x8192)",
     0},
    {"task", KEY_TASK, "NAME", 0, "evaluate a multiple-choice task (default: random items)", 0},
    {"limit", KEY_LIMIT, "N", 0, "items of the task (default 100)", 0},
    {"grid", KEY_GRID, "FILE", 0, "run this experiment for the section grid", 0},
    {"repeats", KEY_REPEATS, "N", 0, "measure N times and report the median (default 5)", 0},
    {"threads", KEY_THREADS, "N", 0, "what `all threads` are (default: the cores)", 0},
    {"json", KEY_JSON, 0, 0, "one JSON document instead of tables", 0},
    {0}};

static const char doc[] =
    "Measures what the processor can do at most and how near Espalier comes, with medians of "
    "interleaved repeats: what is compared takes turns.\v"
    "Sections (default: all but factor and grid, which needs --grid):\n"
    "  ceiling  oneDNN's products with packed weights at the model's shapes\n"
    "  memory   bandwidth of the triad a = b + s c\n"
    "  forward  tokens per second with the head at every position\n"
    "  gram     Gram matrices, counting n (n + 1) operations a token\n"
    "  methods  every pruning method on single linears, half of the weights\n"
    "  eval     items per second of a multiple-choice task\n"
    "  factor   SparseGPT's factor of Gram matrices: one rank's own, LAPACK's, and under mpirun "
    "ScaLAPACK's over all ranks, with residuals, memory and the order from which that is faster\n"
    "  grid     an experiment from start to end against the sum of its parts\n\n"
    "Shares are of the ceiling measured in the same repeats with the same number of threads.\n\n"
    "Example:\n  espalier bench ceiling forward --shape llama-110m --batch 8x512 --repeats 7";

struct parsing {
  struct bench_arguments *a;
  const char *const *names; /* [count]: of the sections */
  size_t count;
};

static error_t parse_pair(const struct cli_input *in, const char *name, const char *text, int least,
                          int most, struct bench_layer *out) {
  int end = 0;
  if (sscanf(text, "%7dx%7d%n", &out->rows, &out->cols, &end) != 2 || text[end] ||
      out->rows < least || out->cols < least || out->rows > most || out->cols > most) {
    return cli_refuse(in, "%s: '%s' (expected two whole numbers from %d to %d, as in 8x512)", name,
                      text, least, most);
  }
  return 0;
}

static error_t parse_batch(const struct cli_input *in, const char *text,
                           struct bench_arguments *a) {
  struct bench_layer pair;
  error_t code = parse_pair(in, "--batch", text, 1, SIDE_MOST, &pair);
  if (code == 0 && (double)pair.rows * pair.cols > SIDE_MOST) {
    return cli_refuse(in, "--batch: '%s' (expected at most %d tokens)", text, SIDE_MOST);
  }
  a->sequences = pair.rows;
  a->length = pair.cols;
  return code;
}

static error_t parse_precision(const struct cli_input *in, const char *text,
                               struct bench_arguments *a) {
  static const char *const names[] = {"float32", "bfloat16", "both"};
  int choice = 0;
  error_t code = cli_choice(in, "--precision", text, names, 3, &choice);
  a->precisions[PRECISION_FLOAT32] = choice != 1;
  a->precisions[PRECISION_BFLOAT16] = choice != 0;
  return code;
}

static error_t parse_listed(const struct cli_input *in, int key, const char *text,
                            struct bench_arguments *a) {
  bool order = key == KEY_ORDER;
  if ((order ? a->order_count : a->layer_count) == BENCH_LIST) {
    return cli_refuse(in, "--%s: given more than %d times", order ? "order" : "layer", BENCH_LIST);
  }
  return order ? cli_int(in, "--order", text, 1, GRAM_MOST, &a->orders[a->order_count++])
               : parse_pair(in, "--layer", text, LAYER_LEAST, LAYER_MOST,
                            &a->layers[a->layer_count++]);
}

static error_t parse_section(const struct cli_input *in, const struct parsing *p,
                             const char *text) {
  int section = 0;
  error_t code = cli_choice(in, "section", text, p->names, p->count, &section);
  p->a->sections |= code == 0 ? 1U << section : 0;
  return code;
}

static error_t parse_end(const struct cli_input *in, const struct bench_arguments *a) {
  if (a->model && a->shape) {
    return cli_refuse(in, "--model and --shape are both given (expected one)");
  }
  if (a->task && !a->model) {
    return cli_refuse(in, "--task needs --model, whose tokenizer reads it");
  }
  return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  const struct parsing *p = in->options;
  struct bench_arguments *a = p->a;
  switch (key) {
  case 'm':
    a->model = arg;
    return 0;
  case KEY_SHAPE:
    a->shape = arg;
    return 0;
  case KEY_BATCH:
    return parse_batch(in, arg, a);
  case KEY_PRECISION:
    return parse_precision(in, arg, a);
  case KEY_ORDER:
  case KEY_LAYER:
    return parse_listed(in, key, arg, a);
  case KEY_TASK:
    a->task = arg;
    return 0;
  case KEY_LIMIT:
    return cli_int(in, "--limit", arg, 1, INT_MAX, &a->limit);
  case KEY_GRID:
    a->grid = arg;
    return 0;
  case KEY_REPEATS:
    return cli_int(in, "--repeats", arg, 1, 1000, &a->repeats);
  case KEY_THREADS:
    return cli_int(in, "--threads", arg, 1, 4096, &a->threads);
  case KEY_JSON:
    a->json = true;
    return 0;
  case ARGP_KEY_ARG:
    return parse_section(in, p, arg);
  case ARGP_KEY_END:
    return parse_end(in, a);
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {options, parse, "[SECTION...]", doc, NULL, NULL, NULL};

static void fill_lists(struct bench_arguments *a) {
  static const int orders[] = {2048, 8192};
  static const struct bench_layer layers[] = {{768, 3072}, {2048, 2048}, {2048, 8192}};
  for (size_t i = 0; a->order_count == 0 && i < sizeof orders / sizeof orders[0]; i++) {
    a->orders[i] = orders[i];
  }
  for (size_t i = 0; a->layer_count == 0 && i < sizeof layers / sizeof layers[0]; i++) {
    a->layers[i] = layers[i];
  }
  a->order_count = a->order_count ? a->order_count : (int)(sizeof orders / sizeof orders[0]);
  a->layer_count = a->layer_count ? a->layer_count : (int)(sizeof layers / sizeof layers[0]);
}

status bench_parse(int argc, char **argv, const char *const *names, size_t count,
                   struct bench_arguments *a, struct error *err) {
  static const char *const repeatable[] = {"order", "layer", NULL};
  struct parsing p = {a, names, count};
  *a = (struct bench_arguments){.sequences = SEQUENCES_USUAL,
                                .repeats = REPEATS_USUAL,
                                .limit = LIMIT_USUAL,
                                .precisions = {true, true}};
  TRY(cli_parse(&argp, repeatable, argc, argv, &p, err));
  fill_lists(a);
  return STATUS_OK;
}
