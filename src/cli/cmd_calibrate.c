#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "calib/calib.h"
#include "cli/checkpoint.h"
#include "cli/cli.h"
#include "data/jsonl.h"

enum { KEY_SAMPLES = 256, KEY_LENGTH, KEY_DRAW, KEY_DRAWS, KEY_SEED };

struct calibrate_arguments {
  const char *set, *model, *output;
  int samples, length, draw, draws, seed;
};

static const struct argp_option options[] = {
    {"model", 'm', "DIR", 0, "checkpoint folder", 0},
    {"samples", KEY_SAMPLES, "N", 0, "sequences (default 128)", 0},
    {"length", KEY_LENGTH, "L", 0,
     "tokens per sequence (default: the model's positions, at most 2048)", 0},
    {"draw", KEY_DRAW, "D", 0, "which draw, counted from 0 (default 0)", 0},
    {"draws", KEY_DRAWS, "N", 0, "how many disjoint draws there are to be (default: D + 1)", 0},
    {"seed", KEY_SEED, "S", 0, "seed of the draws (default 0)", 0},
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
    "path, or a data folder whose lines have a text.\v"
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

static status count_distinct(const struct sequences *s, int vocab, size_t *out, struct error *err) {
  bool *seen;
  TRY(mem_alloc(&seen, (size_t)vocab, sizeof *seen, err));
  *out = 0;
  for (size_t i = 0; i < s->ids.count; i++) {
    bool *at = &seen[s->ids.at[i]];
    *out += !*at;
    *at = true;
  }
  free(seen);
  return STATUS_OK;
}

static status print_statistics(FILE *to, const struct calibration *c, const struct model *m,
                               const struct sequences *s, struct error *err) {
  size_t distinct;
  TRY(count_distinct(s, model_vocab(m), &distinct, err));
  struct jsonl documents;
  TRY(jsonl_open(&documents, calibration_data(c), 0, err));
  char digest[DIGEST_TEXT];
  status st = sequences_digest(s, digest, err);
  if (st == STATUS_OK) {
    (void)fprintf(to,
                  "set         %s (%s, %zu documents)\nsequences   %zu\ntokens      %zu\n"
                  "vocabulary  %zu of %d ids (%.1f %%)\ndigest      %s\n",
                  calibration_name(c), calibration_data(c), documents.count, s->count, s->ids.count,
                  distinct, model_vocab(m), 100.0 * (double)distinct / model_vocab(m), digest);
  }
  jsonl_close(&documents);
  return st;
}

static status deliver(const struct calibrate_arguments *a, const struct calibration *c,
                      const struct model *m, const struct sequences *s, struct error *err) {
  struct str text = {0};
  status st = format_ids(s, &text, err);
  if (st == STATUS_OK && a->output) {
    st = file_write(a->output, text.at, text.count, err);
  } else if (st == STATUS_OK) {
    (void)fwrite(text.at, 1, text.count, stdout);
  }
  str_free(&text);
  TRY(st);
  return print_statistics(a->output ? stdout : stderr, c, m, s, err);
}

static status draw(const struct calibrate_arguments *a, const struct checkpoint *k,
                   const struct cli_places *places, struct error *err) {
  if (!k->tokenizer) {
    return err_set(err, STATUS_INPUT, "%s: no tokenizer.json", k->folder);
  }
  struct calibration *c;
  TRY(calibration_open(&c, a->set, &places->places.search, err));
  int positions = model_positions(k->model);
  struct draw d = {.seed = (uint64_t)a->seed,
                   .draw = a->draw,
                   .draws = a->draws ? a->draws : a->draw + 1,
                   .samples = a->samples,
                   .most = a->samples,
                   .length = a->length          ? a->length
                             : positions < 2048 ? positions
                                                : 2048};
  struct sequences s = {0};
  status st =
      d.length > positions
          ? err_set(err, STATUS_INPUT, "--length: %d (expected at most the model's %d positions)",
                    d.length, positions)
          : calibration_draw(c, k->tokenizer, k->model, &d, &s, err);
  if (st == STATUS_OK) {
    st = deliver(a, c, k->model, &s, err);
  }
  sequences_free(&s);
  calibration_close(c);
  return st;
}

status cmd_calibrate(int argc, char **argv, struct error *err) {
  struct calibrate_arguments a = {.samples = 128};
  TRY(cli_parse(&argp, NULL, argc, argv, &a, err));
  struct cli_places places;
  TRY(places_open(&places, err));
  struct checkpoint k;
  status st = checkpoint_open(&k, a.model, &places, err);
  if (st == STATUS_OK) {
    st = draw(&a, &k, &places, err);
  }
  checkpoint_close(&k);
  places_close(&places);
  return st;
}
