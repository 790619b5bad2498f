#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "calib/calib.h"
#include "cli/checkpoint.h"
#include "cli/cli.h"
#include "cli/duration.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "model/write.h"
#include "prune/prune.h"
#include "sched/host.h"
#include "sched/watch.h"

enum {
  KEY_METHOD = 256,
  KEY_PARAM,
  KEY_SPARSITY,
  KEY_CALIBRATION,
  KEY_SAMPLES,
  KEY_LENGTH,
  KEY_PROPAGATE,
  KEY_FACTOR,
  KEY_DTYPE,
  KEY_PRECISION,
  KEY_THREADS
};
enum { PARAMS_MOST = 16 };

struct prune_arguments {
  const char *model, *method, *sparsity, *calibration, *output;
  char *params[PARAMS_MOST]; /* "name=value" */
  int param_count, samples, length, propagate, factor, dtype, threads;
  enum precision precision;
  bool quiet;
};

static const struct argp_option options[] = {
    {"model", 'm', "DIR", 0, "checkpoint folder, or a name of configs/models", 0},
    {"method", KEY_METHOD, "NAME", 0, "magnitude, wanda, sparsegpt, ria, or a preset", 0},
    {"param", KEY_PARAM, "NAME=VALUE", 0, "a parameter of the method; may be given several times",
     0},
    {"sparsity", KEY_SPARSITY, "S", 0, "share of zeros (0.5) or pattern (2:4)", 0},
    {"calibration", KEY_CALIBRATION, "FILE", 0,
     "JSONL with {\"text\"} or {\"input_ids\"} per line, one sequence a line", 0},
    {"samples", KEY_SAMPLES, "N", 0, "take the first N lines (default: all)", 0},
    {"length", KEY_LENGTH, "L", 0, "cut sequences at L tokens (default: the model's positions)", 0},
    {"propagate", KEY_PROPAGATE, "WHAT", 0,
     "take a block's statistics behind pruned blocks (pruned, the default) or in the dense model "
     "(dense)",
     0},
    {"output", 'o', "DIR", 0, "checkpoint to write: absent or empty", 0},
    {"factor", KEY_FACTOR, "WHERE", 0, "where SparseGPT factors: auto (default), local, scalapack",
     0},
    {"dtype", KEY_DTYPE, "TYPE", 0, "source (default), float32, float16 or bfloat16", 0},
    {"precision", KEY_PRECISION, "TYPE", 0,
     "arithmetic of the forward pass: float32 (default) or bfloat16", 0},
    {"threads", KEY_THREADS, "N", 0, "threads of each rank (default: its share of the cores)", 0},
    {"quiet", 'q', 0, 0, "no progress", 0},
    {0}};

static error_t parse_end(const struct cli_input *in, const struct prune_arguments *a) {
  const char *missing = !a->model    ? "--model"
                        : !a->method ? "--method"
                        : !a->output ? "--output"
                                     : NULL;
  return missing ? cli_refuse(in, "%s is missing (see espalier prune --help)", missing) : 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  static const char *const factors[] = {"auto", "local", "scalapack"};
  static const char *const dtypes[] = {"source", "float32", "float16", "bfloat16"};
  static const char *const propagations[] = {"pruned", "dense"};
  const struct cli_input *in = state->input;
  struct prune_arguments *a = in->options;
  switch (key) {
  case 'm':
    a->model = arg;
    return 0;
  case KEY_METHOD:
    a->method = arg;
    return 0;
  case KEY_PARAM:
    if (a->param_count == PARAMS_MOST || !strchr(arg, '=')) {
      return cli_refuse(in, "--param: '%s' (expected NAME=VALUE, at most %d)", arg, PARAMS_MOST);
    }
    a->params[a->param_count++] = arg;
    return 0;
  case KEY_SPARSITY:
    a->sparsity = arg;
    return 0;
  case KEY_CALIBRATION:
    a->calibration = arg;
    return 0;
  case KEY_SAMPLES:
    return cli_int(in, "--samples", arg, 1, INT_MAX, &a->samples);
  case KEY_LENGTH:
    return cli_int(in, "--length", arg, 1, INT_MAX, &a->length);
  case 'o':
    a->output = arg;
    return 0;
  case KEY_PROPAGATE:
    return cli_choice(in, "--propagate", arg, propagations, PROPAGATE_COUNT, &a->propagate);
  case KEY_FACTOR:
    return cli_choice(in, "--factor", arg, factors, 3, &a->factor);
  case KEY_DTYPE:
    return cli_choice(in, "--dtype", arg, dtypes, 4, &a->dtype);
  case KEY_PRECISION:
    return cli_precision(in, arg, &a->precision);
  case KEY_THREADS:
    return cli_int(in, "--threads", arg, 1, 4096, &a->threads);
  case 'q':
    a->quiet = true;
    return 0;
  case ARGP_KEY_END:
    return parse_end(in, a);
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    NULL,
    "Prunes one model and writes it as an ordinary checkpoint. Under mpirun all ranks work as one "
    "group.\vExample:\n"
    "  espalier prune --model nano-llama --method wanda --sparsity 0.5 \\\n"
    "    --calibration c4.jsonl --samples 32 --length 256 -o pruned",
    NULL,
    NULL,
    NULL};

/* What a pruning holds; writer: rank 0 alone. */
struct job {
  const struct prune_arguments *a;
  const struct session *session;
  struct checkpoint checkpoint;
  struct prune_options options;
  struct sequences calibration;
  struct model_writer *writer;
  struct prune_layer *layers; /* [blocks][linears] */
  struct progress progress;
  double start;
};

static status choose_method(struct job *j, const struct cli_places *places, struct error *err) {
  const struct prune_arguments *a = j->a;
  struct prune_options *o = &j->options;
  TRY_WITH(err, grid_find_method(a->method, &places->places, &o->method, &o->params, err),
           "--method");
  for (int i = 0; i < a->param_count; i++) {
    size_t length = strcspn(a->params[i], "=");
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)length, a->params[i]);
    TRY_WITH(err, method_param_set(o->method, &o->params, name, a->params[i] + length + 1, err),
             "--param");
  }
  if (!a->sparsity && !o->method->dense) {
    return err_set(err, STATUS_INPUT, "--sparsity is missing (%s needs it)", o->method->name);
  }
  if (a->sparsity) {
    TRY_WITH(err, sparsity_parse(&o->sparsity, a->sparsity, err), "--sparsity");
  }
  return STATUS_OK;
}

static status read_calibration(struct job *j, struct error *err) {
  const struct prune_arguments *a = j->a;
  if (j->options.method->needs == STATS_NONE) {
    return STATUS_OK;
  }
  if (!a->calibration) {
    return err_set(err, STATUS_INPUT, "--calibration is missing (%s needs it)",
                   j->options.method->name);
  }
  TRY(calibration_read(a->calibration, j->checkpoint.tokenizer, j->checkpoint.model, a->samples,
                       a->length, &j->calibration, err));
  j->options.calibration = &j->calibration;
  return STATUS_OK;
}

/* Everything that can be refused before work starts. */
static status prepare(struct job *j, const struct cli_places *places, struct error *err) {
  TRY(choose_method(j, places, err));
  TRY(checkpoint_open(&j->checkpoint, j->a->model, places, err));
  model_set_precision(j->checkpoint.model, j->a->precision);
  TRY(read_calibration(j, err));
  int linears;
  (void)model_linears(j->checkpoint.model, &linears);
  size_t count = (size_t)linears * (size_t)model_blocks(j->checkpoint.model);
  TRY(mem_alloc(&j->layers, count, sizeof *j->layers, err));
  TRY(prune_check(j->checkpoint.model, &j->options, err));
  if (j->session->group.rank != 0) {
    return STATUS_OK;
  }
  return model_writer_open(&j->writer, j->checkpoint.model, j->a->output,
                           (enum model_dtype)j->a->dtype, err);
}

static status put(void *user, int block, int linear, const float *weights, struct error *err) {
  struct job *j = user;
  return j->writer ? model_writer_put(j->writer, block, linear, weights, err) : STATUS_OK;
}

static status progress(void *user, double done, struct error *err) {
  (void)err;
  struct job *j = user;
  int blocks = model_blocks(j->checkpoint.model);
  int block = (int)(done * blocks) + 1;
  char what[64];
  (void)snprintf(what, sizeof what, "prune: block %d/%d", block < blocks ? block : blocks, blocks);
  progress_share(&j->progress, what, done, host_seconds() - j->start);
  return STATUS_OK;
}

static void print_summary(const struct job *j) {
  int linears;
  const struct linear *list = model_linears(j->checkpoint.model, &linears);
  double zeros = 0, weights = 0;
  for (int i = 0; i < linears * model_blocks(j->checkpoint.model); i++) {
    const struct linear *l = &list[i % linears];
    double size = (double)l->rows * l->cols;
    zeros += j->layers[i].sparsity * size;
    weights += size;
  }
  char asked[32], time[32];
  sparsity_print(&j->options.sparsity, asked);
  duration_print(host_seconds() - j->start, time, sizeof time);
  printf("%s: %s %s, %.6f of %.0f weights are zero, %s\n", j->a->output, j->a->method, asked,
         weights > 0 ? zeros / weights : 0, weights, time);
}

static status prune(struct job *j, struct error *err) {
  const struct group *group = &j->session->group;
  struct prune_sink sink = {.user = j, .put = put};
  TRY(prune_model(j->checkpoint.model, &j->options, &sink, j->layers, err));
  status st = STATUS_OK;
  if (j->writer) {
    st = model_writer_finish(j->writer, err);
    j->writer = NULL;
  }
  return group_agree(group, st, err);
}

static status prune_all(struct job *j, const struct cli_places *places, struct error *err) {
  const struct group *group = &j->session->group;
  status st = progress_open(&j->progress, j->a->quiet || group->rank != 0, NULL, err);
  if (st == STATUS_OK) {
    st = prepare(j, places, err);
  }
  st = group_agree(group, st, err);
  if (st == STATUS_OK) {
    st = prune(j, err);
  }
  progress_close(&j->progress);
  if (st == STATUS_OK && group->rank == 0) {
    print_summary(j);
  }
  if (j->writer) {
    model_writer_abandon(j->writer);
  }
  free(j->layers);
  sequences_free(&j->calibration);
  checkpoint_close(&j->checkpoint);
  return st;
}

status cmd_prune(int argc, char **argv, struct error *err) {
  static const char *const repeatable[] = {"param", NULL};
  struct prune_arguments a = {0};
  TRY(cli_parse(&argp, repeatable, argc, argv, &a, err));
  struct session session;
  TRY(session_open(&session, a.factor == FACTOR_SCALAPACK, a.threads, err));
  struct cli_places places;
  TRY(places_open(&places, err));
  struct watch *watch;
  TRY(session_watch(&session, STATUS_MPI, "the others end too", &watch, err));
  struct job j = {.a = &a, .session = &session, .start = host_seconds()};
  j.options = (struct prune_options){.propagate = (enum propagate)a.propagate,
                                     .factor = (enum factor_where)a.factor,
                                     .gram_bytes = session.memory / 2,
                                     .group = &session.group,
                                     .progress = progress,
                                     .progress_user = &j};
  status st = prune_all(&j, &places, err);
  watch_close(watch);
  places_close(&places);
  return st;
}
