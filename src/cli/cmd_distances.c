#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/places.h"
#include "cli/session.h"
#include "cli/sheet.h"
#include "cli/signals.h"
#include "sched/distances.h"

enum { KEY_SEQUENCES = 256, KEY_KIND, KEY_DRAWS, KEY_FORMAT, KEY_THREADS, SEQUENCES = 64 };

struct distances_arguments {
  const char *file, *output;
  int sequences, threads, format;
  int kind; /* DISTANCE_KINDS: all */
  bool draws, quiet;
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE.h5", 0, "results file (default: results/<experiment>.h5)", 0},
    {"kind", KEY_KIND, "NAME", 0, "ngram or hidden (default: both)", 0},
    {"sequences", KEY_SEQUENCES, "N", 0,
     "hidden: at most so many sequences of a draw and of a data set (default 64)", 0},
    {"draws", KEY_DRAWS, 0, 0, "a line for each draw, not for each set", 0},
    {"format", KEY_FORMAT, "NAME", 0, "text (default), csv or json", 0},
    {"threads", KEY_THREADS, "N", 0, "threads (default: all cores)", 0},
    {"quiet", 'q', 0, 0, "no progress", 0},
    {0}};

static error_t parse_kind(const struct cli_input *in, const char *arg, int *out) {
  const char *names[DISTANCE_KINDS];
  for (int i = 0; i < DISTANCE_KINDS; i++) {
    names[i] = distance_kind_name((enum distance_kind)i);
  }
  return cli_choice(in, "--kind", arg, names, DISTANCE_KINDS, out);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  struct distances_arguments *a = in->options;
  switch (key) {
  case 'o':
    a->output = arg;
    return 0;
  case 'q':
    a->quiet = true;
    return 0;
  case KEY_DRAWS:
    a->draws = true;
    return 0;
  case KEY_KIND:
    return parse_kind(in, arg, &a->kind);
  case KEY_SEQUENCES:
    return cli_int(in, "--sequences", arg, 1, 1000000, &a->sequences);
  case KEY_FORMAT:
    return cli_choice(in, "--format", arg, sheet_format_names, SHEET_FORMATS, &a->format);
  case KEY_THREADS:
    return cli_int(in, "--threads", arg, 1, 4096, &a->threads);
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "distances takes one experiment, '%s' is a second", arg);
    }
    a->file = arg;
    return 0;
  case ARGP_KEY_END:
    return a->file
               ? 0
               : cli_refuse(in, "an experiment file is missing (see espalier distances --help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    "EXPERIMENT.yaml",
    "Measures how far each calibration draw of an experiment lies from each of its data sets, and "
    "keeps the numbers in the results file (/distances), where espalier sensitivity finds them. "
    "ngram: Jensen-Shannon distance of the distributions of tokens and neighbouring pairs, 0 "
    "(equal) to 1; hidden: 1 - cosine of the mean hidden states behind the dense model's last "
    "block. A data set is its contexts with their gold answers. A draw that serves several sample "
    "counts is measured at its largest. What is there already is not computed again.\v"
    "Example:\n  espalier distances experiments/demo.yaml -o results/demo.h5 --kind ngram",
    NULL,
    NULL,
    NULL};

enum {
  COLUMN_MODEL,
  COLUMN_CALIBRATION,
  COLUMN_LENGTH,
  COLUMN_SAMPLES,
  COLUMN_DRAW,
  COLUMN_DATASET,
  COLUMN_KIND,
  COLUMN_DRAWS,
  COLUMN_MEAN,
  COLUMN_LEAST,
  COLUMN_MOST,
  COLUMNS
};
static const struct sheet_column columns[COLUMNS] = {
    {"model", SHEET_TEXT, SHEET_VARIED},     {"calibration", SHEET_TEXT, SHEET_ALWAYS},
    {"length", SHEET_COUNT, SHEET_VARIED},   {"samples", SHEET_COUNT, SHEET_VARIED},
    {"draw", SHEET_COUNT, SHEET_FILLED},     {"dataset", SHEET_TEXT, SHEET_ALWAYS},
    {"kind", SHEET_TEXT, SHEET_ALWAYS},      {"draws", SHEET_COUNT, SHEET_VARIED},
    {"distance", SHEET_SCORE, SHEET_ALWAYS}, {"least", SHEET_SCORE, SHEET_FILLED},
    {"most", SHEET_SCORE, SHEET_FILLED},
};

/* Whether two rows differ at most in the draw. */
static bool same_set(const struct distance_record *a, const struct distance_record *b) {
  return strcmp(a->model, b->model) == 0 && strcmp(a->calibration, b->calibration) == 0 &&
         strcmp(a->dataset, b->dataset) == 0 && strcmp(a->kind, b->kind) == 0 &&
         a->length == b->length && a->samples == b->samples;
}

static status add_row(struct sheet *s, const struct distances *d, size_t first, bool alone,
                      struct error *err) {
  const struct distance_record *r = &d->at[first];
  struct sheet_cell *row;
  double sum = 0, least = INFINITY, most = -INFINITY, count = 0;
  for (size_t i = first; i < d->count; i++) {
    if (i == first || (!alone && same_set(r, &d->at[i]))) {
      sum += d->at[i].value;
      least = fmin(least, d->at[i].value);
      most = fmax(most, d->at[i].value);
      count++;
    }
  }
  TRY(sheet_add(s, &row, err));
  row[COLUMN_MODEL].text = r->model;
  row[COLUMN_CALIBRATION].text = r->calibration;
  row[COLUMN_LENGTH].number = r->length;
  row[COLUMN_SAMPLES].number = r->samples;
  row[COLUMN_DATASET].text = r->dataset;
  row[COLUMN_KIND].text = r->kind;
  row[COLUMN_MEAN].number = sum / count;
  if (alone) {
    row[COLUMN_DRAW].number = r->draw;
  } else {
    row[COLUMN_DRAWS].number = count;
    row[COLUMN_LEAST].number = count > 1 ? least : NAN;
    row[COLUMN_MOST].number = count > 1 ? most : NAN;
  }
  return STATUS_OK;
}

static bool is_first(const struct distances *d, size_t i) {
  for (size_t k = 0; k < i; k++) {
    if (same_set(&d->at[k], &d->at[i])) {
      return false;
    }
  }
  return true;
}

static status fill(struct sheet *s, const struct distances *d, bool draws, struct error *err) {
  for (size_t i = 0; i < d->count; i++) {
    if (draws || is_first(d, i)) {
      TRY(add_row(s, d, i, draws, err));
    }
  }
  return STATUS_OK;
}

static status print_json(const struct sheet *s, struct error *err) {
  cJSON *json = sheet_json(s);
  char *text = json ? cJSON_Print(json) : NULL;
  cJSON_Delete(json);
  if (!text) {
    return err_set(err, STATUS_MEMORY, "out of memory");
  }
  printf("%s\n", text);
  free(text);
  return STATUS_OK;
}

static status print(const struct distances_arguments *a, const struct distances *d,
                    struct error *err) {
  struct sheet s = {.name = "distances",
                    .title = "Distance of calibration draws from data sets",
                    .columns = columns,
                    .column_count = COLUMNS};
  struct str text = {0};
  status st = fill(&s, d, a->draws, err);
  if (st == STATUS_OK && a->format == SHEET_AS_JSON) {
    st = print_json(&s, err);
  } else if (st == STATUS_OK) {
    st = a->format == SHEET_AS_CSV ? sheet_print_csv(&s, &text, err)
                                   : sheet_print_text(&s, &text, err);
  }
  if (st == STATUS_OK && text.count) {
    (void)fwrite(text.at, 1, text.count, stdout);
  }
  str_free(&text);
  sheet_free(&s);
  return st;
}

static void see(void *user, const struct calibration_info *draw, size_t done, size_t total) {
  (void)user;
  (void)fprintf(stderr, "draw %zu of %zu: %s, draw %d\n", done + 1, total, draw->set,
                (int)draw->draw);
}

static status compute(const struct distances_arguments *a, const struct cli_places *places,
                      const atomic_bool *stop, struct error *err) {
  struct distances_options o = {.file = a->file,
                                .places = &places->places,
                                .output = a->output,
                                .command = "espalier distances",
                                .mpi = "none",
                                .sequences = a->sequences,
                                .see = a->quiet ? NULL : see,
                                .stop = stop};
  for (int i = 0; i < DISTANCE_KINDS; i++) {
    o.kinds[i] = a->kind == DISTANCE_KINDS || a->kind == i;
  }
  struct distances_outcome out;
  status st = distances_compute(&o, &out, err);
  if (st == STATUS_TIME) {
    st = err_set(err, st, "stopped with %zu distances computed (the same command carries on)",
                 out.computed);
  }
  if (st == STATUS_OK) {
    st = print(a, &out.rows, err);
  }
  if (st == STATUS_OK && !a->quiet) {
    (void)fprintf(stderr, "%s: %zu distances, %zu of them new\n", out.output, out.rows.count,
                  out.computed);
  }
  distances_free(&out.rows);
  return st;
}

static status distances(const struct distances_arguments *a, const atomic_bool *stop,
                        struct error *err) {
  struct session session;
  TRY(session_open(&session, false, a->threads, err));
  struct cli_places places;
  TRY(places_open(&places, err));
  status st = session.group.rank == 0 ? compute(a, &places, stop, err) : STATUS_OK;
  places_close(&places);
  return st;
}

status cmd_distances(int argc, char **argv, struct error *err) {
  struct distances_arguments a = {.sequences = SEQUENCES, .kind = DISTANCE_KINDS};
  TRY(cli_parse(&argp, NULL, argc, argv, &a, err));
  struct signals signals;
  TRY(signals_open(&signals, err));
  status st = distances(&a, &signals.stop, err);
  signals_close(&signals);
  return st;
}
