/* espalier bench: one file per section, each of which measures in interleaved repeats and adds
 * figures to one report. */
#ifndef ESPALIER_CLI_BENCH_H
#define ESPALIER_CLI_BENCH_H

#include <cjson/cJSON.h>
#include <stdatomic.h>

#include "cli/checkpoint.h"
#include "cli/session.h"
#include "linalg/ceiling.h"
#include "linalg/precision.h"

enum { BENCH_LIST = 16 /* entries of a repeated option */, BENCH_THREADS = 2 };

struct bench_layer {
  int rows, cols;
};

struct bench_arguments {
  unsigned sections; /* bits, in the order of the table in cmd_bench.c */
  const char *model, *shape, *task, *grid;
  int sequences, length; /* of a forward pass; length 0: 512, or the model's positions */
  bool precisions[PRECISION_COUNT];
  int repeats, threads, limit;
  int orders[BENCH_LIST], order_count;
  struct bench_layer layers[BENCH_LIST];
  int layer_count;
  bool json;
};

/* Fills *a; refuses in one line. names [count]: of the sections. */
status bench_parse(int argc, char **argv, const char *const *names, size_t count,
                   struct bench_arguments *a, struct error *err);

/* One line of the table. */
struct bench_figure {
  const char *section, *unit;
  char *name;
  int threads;
  double value, low, high; /* median, least and most of the repeats; NaN: not supported here */
  double share;            /* of the ceiling measured in the same repeats; NaN: none applies */
};

struct bench_report {
  struct bench_figure *at;
  size_t count, cap, printed;
};

/* Adds the median of values [repeats], and of shares [repeats] (or NULL). */
status bench_add(struct bench_report *r, const char *section, const char *unit, int threads,
                 const double *values, const double *shares, int repeats, struct error *err,
                 const char *name, ...) __attribute__((format(printf, 9, 10)));
/* A figure that this processor or library cannot give. */
status bench_add_unsupported(struct bench_report *r, const char *section, const char *unit,
                             int threads, struct error *err, const char *name, ...)
    __attribute__((format(printf, 6, 7)));
void bench_report_free(struct bench_report *r);

/* What was added since the last call, as an aligned table. */
void bench_print(struct bench_report *r);

struct bench_host {
  char *cpu, *onednn, *openblas;
  int threads, ranks;
};
status bench_host_collect(struct bench_host *out, const struct session *session, struct error *err);
void bench_host_free(struct bench_host *h);
void bench_host_print(const struct bench_host *h, int repeats);
status bench_print_json(const struct bench_report *r, const struct bench_host *h, int repeats,
                        struct error *err);

/* Something that is measured: `prepare` (or NULL) before every run, off the clock. */
struct bench_case {
  status (*prepare)(void *user, struct error *err);
  status (*run)(void *user, struct error *err);
  void *user;
  int threads;
  int loops;       /* runs of one measurement, so that it takes long enough for the clock */
  double *seconds; /* [repeats]: of one run */
};

/* Cases that alternate: every repeat measures each once. */
struct bench_series {
  struct bench_case *at;
  size_t count, cap;
  int repeats;
  bool cold; /* no round before the first repeat */
};

/* *index (may be NULL) is the case's place in series->at. */
status bench_series_add(struct bench_series *s, struct bench_case c, size_t *index,
                        struct error *err);
/* Leaves linalg with as many threads as it had. */
status bench_series_run(struct bench_series *s, struct error *err);
void bench_series_free(struct bench_series *s);

/* Sorts values [count]. */
double bench_median(double *values, int count);

/* The products of a pass through a model, in one precision and with one number of threads: each
 * distinct linear of a block, and the head at every row. */
struct bench_pass;
/* Adds its cases to the series, which must live as long. rows: tokens of a batch. A precision that
 * the library has no products for gives a pass without cases. */
status bench_pass_open(struct bench_pass **out, struct ceiling *ceiling, const struct model *m,
                       int rows, enum precision precision, int threads, struct bench_series *series,
                       struct error *err);
void bench_pass_close(struct bench_pass *p);
bool bench_pass_supported(const struct bench_pass *p);
int bench_pass_shapes(const struct bench_pass *p);
/* outputs and inputs of a shape */
struct bench_layer bench_pass_shape(const struct bench_pass *p, int shape);
/* Operations per second, from one repeat: of a shape, and of the whole pass (all its operations
 * over the sum of the times of its shapes, each in its fastest form). NaN when not supported. */
double bench_pass_shape_rate(const struct bench_pass *p, int shape, int repeat);
double bench_pass_rate(const struct bench_pass *p, int repeat);

/* The model that sections measure, once per precision. */
struct bench_model {
  struct checkpoint checkpoints[PRECISION_COUNT]; /* model NULL: the precision was not asked for */
  struct checkpoint *any;                         /* one that is open; NULL: none is */
};

struct bench {
  const struct bench_arguments *a;
  const struct session *session;
  const struct cli_places *places;
  int threads[BENCH_THREADS]; /* [thread_count]: one, and all where that is more */
  int thread_count;
  const atomic_bool *stop; /* a signal has come; NULL unless the section is grid */
  struct bench_model model;
  struct bench_report report;
};

/* To be called before there are threads: while random weights are on disk, signals wait. */
status bench_model_open(struct bench *b, struct error *err);
void bench_model_close(struct bench_model *m);
/* Tokens of one sequence of a forward pass; refuses more than the model has positions. */
status bench_length(const struct bench *b, int *out, struct error *err);
/* Bytes that each precision's runner may take for its blocks. */
size_t bench_budget(const struct bench *b);

/* The sections. */
status bench_ceiling(struct bench *b, struct error *err);
status bench_memory(struct bench *b, struct error *err);
status bench_forward(struct bench *b, struct error *err);
status bench_gram(struct bench *b, struct error *err);
status bench_methods(struct bench *b, struct error *err);
status bench_eval(struct bench *b, struct error *err);
status bench_factor(struct bench *b, struct error *err);
status bench_grid(struct bench *b, struct error *err);

#endif
