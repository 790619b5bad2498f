#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "calib/calib.h"
#include "calib/statistics.h"
#include "cli/checkpoint.h"
#include "cli/cli.h"
#include "cli/session.h"

enum {
  KEY_SAMPLES = 256,
  KEY_MOST,
  KEY_LENGTH,
  KEY_DRAW,
  KEY_DRAWS,
  KEY_SEED,
  KEY_NO_PERPLEXITY,
  KEY_PRECISION,
  KEY_THREADS
};

struct calibrate_arguments {
  const char *set, *model, *output;
  int samples, most, length, draw, draws, seed, threads;
  enum precision precision;
  bool no_perplexity;
};

/* One draw and what it was made of. */
struct drawn {
  struct calibration *set;
  struct sequences sequences;
  struct usage usage;
};

static const struct argp_option options[] = {
    {"model", 'm', "DIR", 0, "checkpoint folder", 0},
    {"samples", KEY_SAMPLES, "N", 0, "sequences (default 128)", 0},
    {"most", KEY_MOST, "N", 0,
     "largest sample count of the grid whose draw this is: the first --samples of it (default: "
     "--samples)",
     0},
    {"length", KEY_LENGTH, "L", 0,
     "tokens per sequence (default: the model's positions, at most 2048)", 0},
    {"draw", KEY_DRAW, "D", 0, "which draw, counted from 0 (default 0)", 0},
    {"draws", KEY_DRAWS, "N", 0, "how many disjoint draws there are to be (default: D + 1)", 0},
    {"seed", KEY_SEED, "S", 0, "seed of the draws (default 0)", 0},
    {"no-perplexity", KEY_NO_PERPLEXITY, 0, 0,
     "leave out the perplexity, which takes a pass of the dense model", 0},
    {"precision", KEY_PRECISION, "TYPE", 0,
     "arithmetic of passes through the model: float32 (default) or bfloat16", 0},
    {"threads", KEY_THREADS, "N", 0, "threads (default: all cores)", 0},
    {"output", 'o', "FILE", 0, "ids, {\"input_ids\": [...]} per line (default: standard output)",
     0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  struct calibrate_arguments *a = in->options;
  switch (key) {
  case 'm':
    a->model = arg;
    return 0;
  case 'o':
    a->output = arg;
    return 0;
  case KEY_SAMPLES:
    return cli_int(in, "--samples", arg, 1, INT_MAX, &a->samples);
  case KEY_MOST:
    return cli_int(in, "--most", arg, 1, INT_MAX, &a->most);
  case KEY_NO_PERPLEXITY:
    a->no_perplexity = true;
    return 0;
  case KEY_PRECISION:
    return cli_precision(in, arg, &a->precision);
  case KEY_THREADS:
    return cli_int(in, "--threads", arg, 1, 4096, &a->threads);
  case KEY_LENGTH:
    return cli_int(in, "--length", arg, 1, INT_MAX, &a->length);
  case KEY_DRAW:
    return cli_int(in, "--draw", arg, 0, 100000, &a->draw);
  case KEY_DRAWS:
    return cli_int(in, "--draws", arg, 1, 100000, &a->draws);
  case KEY_SEED:
    return cli_int(in, "--seed", arg, 0, INT_MAX, &a->seed);
  case ARGP_KEY_ARG:
    if (a->set) {
      return cli_refuse(in, "calibrate takes one set, '%s' is a second", arg);
    }
    a->set = arg;
    return 0;
  case ARGP_KEY_END:
    if (!a->set || !a->model) {
      return cli_refuse(in, "%s is missing (see espalier calibrate --help)",
                        a->set ? "--model" : "a calibration set");
    }
    if (a->draws && a->draw >= a->draws) {
      return cli_refuse(in, "--draw: %d (expected less than --draws %d)", a->draw, a->draws);
    }
    if (a->most && a->samples > a->most) {
      return cli_refuse(in, "--samples: %d (expected at most --most %d)", a->samples, a->most);
    }
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    "SET",
    "Makes one calibration draw and prints its statistics. SET is a name of configs/calibration, a "
    "path, or a data folder whose lines have a text. Ids go to --output and statistics to standard "
    "output; without --output, ids go to standard output and statistics to standard error.\v"
    "Example:\n  espalier calibrate c4 --model nano-llama --samples 32 --length 256 -o ids.jsonl",
    NULL,
    NULL,
    NULL};

static status format_ids(const struct sequences *s, struct str *out, struct error *err) {
  for (size_t i = 0; i < s->count; i++) {
    const int32_t *ids = sequences_at(s, i);
    TRY(str_addf(out, err, "{\"input_ids\": ["));
    for (size_t k = 0; k < sequences_length(s, i); k++) {
      TRY(str_addf(out, err, k ? ", %d" : "%d", ids[k]));
    }
    TRY(str_addf(out, err, "]}\n"));
  }
  return STATUS_OK;
}

static void print_documents(FILE *to, const struct usage *u) {
  if (u->documents == 0) {
    (void)fprintf(to, "documents   none, the model wrote them\n");
  } else if (u->joined) {
    (void)fprintf(to, "documents   %zu, joined before they were cut\n", u->documents);
  } else {
    (void)fprintf(to, "documents   %zu used of %zu\n", u->used, u->documents);
  }
}

static void print_perplexity(FILE *to, const struct draw_statistics *s) {
  if (s->has_perplexity) {
    (void)fprintf(to,
                  "perplexity  %.4g under the dense model (sequences: min %.4g, median %.4g, "
                  "max %.4g)\n",
                  s->perplexity, s->perplexities.low, s->perplexities.median, s->perplexities.high);
  } else {
    (void)fprintf(to, "perplexity  none, every sequence is one token\n");
  }
}

static status print_statistics(FILE *to, const struct calibrate_arguments *a, const struct drawn *d,
                               const struct model *m, struct error *err) {
  struct draw_statistics s;
  char digest[DIGEST_TEXT];
  TRY(draw_statistics(&s, m, &d->sequences, !a->no_perplexity, err));
  TRY(sequences_digest(&d->sequences, digest, err));
  (void)fprintf(to, "set         %s (%s)\n", calibration_name(d->set), calibration_data(d->set));
  print_documents(to, &d->usage);
  (void)fprintf(to,
                "sequences   %zu\ntokens      %zu\nlength      min %g, median %g, max %g\n"
                "vocabulary  %zu of %d ids (%.1f %%)\n",
                s.sequences, s.tokens, s.length.low, s.length.median, s.length.high, s.distinct,
                s.vocabulary, 100.0 * (double)s.distinct / s.vocabulary);
  if (!a->no_perplexity) {
    print_perplexity(to, &s);
  }
  (void)fprintf(to, "digest      %s\n", digest);
  return STATUS_OK;
}

/* The ids first: statistics can take longer than the draw. */
static status deliver(const struct calibrate_arguments *a, const struct drawn *d,
                      const struct model *m, struct error *err) {
  struct str text = {0};
  status st = format_ids(&d->sequences, &text, err);
  if (st == STATUS_OK && a->output) {
    st = file_write(a->output, text.at, text.count, err);
  } else if (st == STATUS_OK) {
    (void)fwrite(text.at, 1, text.count, stdout);
  }
  str_free(&text);
  TRY(st);
  return print_statistics(a->output ? stdout : stderr, a, d, m, err);
}

static status take(const struct draw *draw, const struct checkpoint *k, struct drawn *out,
                   struct error *err) {
  struct pool *pool;
  TRY(pool_open(&pool, out->set, k->tokenizer, k->model, err));
  status st = pool_draw(pool, draw, &out->sequences, err);
  pool_usage(pool, &out->usage);
  pool_close(pool);
  return st;
}

static status draw(const struct calibrate_arguments *a, const struct checkpoint *k,
                   const struct cli_places *places, struct error *err) {
  int positions = model_positions(k->model);
  struct draw d = {.seed = (uint64_t)a->seed,
                   .draw = a->draw,
                   .draws = a->draws ? a->draws : a->draw + 1,
                   .samples = a->samples,
                   .most = a->most ? a->most : a->samples,
                   .length = a->length          ? a->length
                             : positions < 2048 ? positions
                                                : 2048};
  if (d.length > positions) {
    return err_set(err, STATUS_INPUT, "--length: %d (expected at most the model's %d positions)",
                   d.length, positions);
  }
  struct drawn drawn = {0};
  TRY(calibration_open(&drawn.set, a->set, &places->places.search, err));
  status st = take(&d, k, &drawn, err);
  if (st == STATUS_OK) {
    st = deliver(a, &drawn, k->model, err);
  }
  sequences_free(&drawn.sequences);
  calibration_close(drawn.set);
  return st;
}

status cmd_calibrate(int argc, char **argv, struct error *err) {
  struct calibrate_arguments a = {.samples = 128};
  TRY(cli_parse(&argp, NULL, argc, argv, &a, err));
  struct session session;
  TRY(session_open(&session, false, a.threads, err));
  struct cli_places places;
  TRY(places_open(&places, err));
  struct checkpoint k;
  status st = checkpoint_open(&k, a.model, &places, err);
  if (st == STATUS_OK) {
    model_set_precision(k.model, a.precision);
    st = draw(&a, &k, &places, err);
  }
  checkpoint_close(&k);
  places_close(&places);
  return st;
}
