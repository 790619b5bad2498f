/* `espalier status`: how far a run has come, from its journal and its results file. */
#ifndef ESPALIER_CLI_STATUS_GATHER_H
#define ESPALIER_CLI_STATUS_GATHER_H

#include "store/journal.h"
#include "store/results.h"

enum cell_state { CELL_PENDING, CELL_DONE, CELL_FAILED };

struct cell_status {
  char variant[DIGEST_TEXT], dataset[64];
  enum cell_state state;
  char error[512]; /* of a failed one */
};

/* A data set of a dense model that could not be attributed. */
struct attribution_failure {
  char variant[DIGEST_TEXT], dataset[64];
  bool failed; /* no longer, when it was tried again */
  char error[512];
};

struct run_status {
  char *results_path, *journal_path;
  struct results_file results; /* empty when there is none or it is damaged */
  bool planned;                /* the results file was read, so that all planned cells are known */
  char note[ERROR_TEXT];       /* why the results file was not read though it is there; or "" */
  bool has_journal;
  struct journal_facts facts;
  struct cell_status *cells; /* [count], in plan order */
  size_t count, cap;
  size_t done, failed, pending;
  struct attribution_failure *attributions; /* [attribution_count] */
  size_t attribution_count, attribution_cap;
  size_t cursor; /* where the last lookup ended */
  double *times; /* [time_count]: when cells ended */
  size_t time_count, time_cap;
};

/* path: the results file or its journal. The journal, where there is one, is newer. */
status status_gather(struct run_status *out, const char *path, struct error *err);
void status_free(struct run_status *s);

/* Seconds until all cells are done at the pace of the run that holds the journal; negative when it
 * cannot be told. now: seconds since 1970. */
double status_time_left(const struct run_status *s, double now);

#endif
