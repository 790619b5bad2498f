#include "sched/provenance.h"

#include <cblas.h>
#include <dnnl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "linalg/matmul.h"
#include "sched/models.h"

#ifndef ESPALIER_REVISION
#define ESPALIER_REVISION "unknown"
#endif

enum { SCHEMA_VERSION = 1 };

static status add(struct provenance *p, const char *name, char *text, struct error *err) {
  if (p->count == PROVENANCE_MOST) {
    free(text);
    return err_set(err, STATUS_BUG, "more than %d attributes", PROVENANCE_MOST);
  }
  p->texts[p->count] = text;
  p->at[p->count++] = (struct attribute){name, text};
  return STATUS_OK;
}

#define ADD(name, ...)                                                                             \
  do {                                                                                             \
    char *text_;                                                                                   \
    TRY(str_format(&text_, err, __VA_ARGS__));                                                     \
    TRY(add(p, name, text_, err));                                                                 \
  } while (0)

/* The first start of an experiment that was resumed; the caller frees it. */
static char *earlier_start(const char *results) {
  char *text;
  if (!file_exists(results) || results_attribute(results, "started", &text, NULL) != STATUS_OK) {
    return NULL;
  }
  return text;
}

static status add_times(struct provenance *p, const char *results, struct error *err) {
  char now[32];
  time_t t = time(NULL);
  struct tm utc;
  (void)gmtime_r(&t, &utc);
  (void)strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &utc);
  char *first = earlier_start(results);
  if (first) {
    TRY(add(p, "started", first, err));
  } else {
    ADD("started", "%s", now);
  }
  ADD("resumed", "%s", now);
  return STATUS_OK;
}

static status collect(struct provenance *p, const struct run_options *options,
                      const struct plan *plan, const char *results, struct error *err) {
  const struct grid *g = plan->grid;
  char host[256] = "";
  (void)gethostname(host, sizeof host - 1);
  const dnnl_version_t *dnnl = dnnl_version();
  ADD("espalier_version", "%s", ESPALIER_VERSION);
  ADD("schema_version", "%d", SCHEMA_VERSION);
  ADD("experiment", "%.*s", (int)g->file.size, g->file.bytes);
  ADD("experiment_name", "%s", g->experiment);
  ADD("command", "%s", options->command);
  ADD("host", "%s", host);
  TRY(add_times(p, results, err));
  ADD("mpi", "%s", options->mpi);
  ADD("ranks", "%d", options->group.size);
  ADD("threads", "%d", linalg_threads());
  ADD("blas", "%s", openblas_get_config());
  ADD("onednn", "%d.%d.%d", dnnl->major, dnnl->minor, dnnl->patch);
  ADD("git_revision", "%s", ESPALIER_REVISION);
  ADD("seed", "%" PRIu64, g->seed);
  if (options->shards) {
    ADD("shard", "%d/%d", options->shard, options->shards);
  }
  char *models;
  TRY(models_describe(plan, &models, err));
  TRY(add(p, "models", models, err));
  ADD("precision", "%s", precision_name(g->precision));
  return STATUS_OK;
}

status provenance_collect(struct provenance *out, const struct run_options *options,
                          const struct plan *plan, const char *results, struct error *err) {
  *out = (struct provenance){0};
  status st = collect(out, options, plan, results, err);
  if (st != STATUS_OK) {
    provenance_free(out);
  }
  return st;
}

void provenance_keep(struct provenance *p, const char *results) {
  static const char *const kept[] = {
      "espalier_version", "command", "host",   "started",     "resumed", "mpi", "ranks",
      "threads",          "blas",    "onednn", "git_revision"};
  for (size_t i = 0; i < p->count; i++) {
    for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++) {
      char *text;
      if (strcmp(p->at[i].name, kept[k]) == 0 && file_exists(results) &&
          results_attribute(results, kept[k], &text, NULL) == STATUS_OK) {
        free(p->texts[i]);
        p->texts[i] = text;
        p->at[i].text = text;
      }
    }
  }
}

void provenance_free(struct provenance *p) {
  for (size_t i = 0; i < p->count; i++) {
    free(p->texts[i]);
  }
  *p = (struct provenance){0};
}
