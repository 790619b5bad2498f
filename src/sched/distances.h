/* Distances between an experiment's calibration draws and its data sets, kept in its journal and
 * results file beside what runs leave there. */
#ifndef ESPALIER_SCHED_DISTANCES_H
#define ESPALIER_SCHED_DISTANCES_H

#include <stdatomic.h>

#include "sched/run.h"

struct distances_options {
  const char *file; /* the experiment */
  const struct places *places;
  const char *output;         /* results file; NULL: results/<experiment>.h5 */
  const char *command, *mpi;  /* as in run_options, for a file that no run has written yet */
  int sequences;              /* hidden: at most so many of a draw and of a data set */
  bool kinds[DISTANCE_KINDS]; /* which to compute */
  /* Told before each draw; may be NULL. */
  void (*see)(void *user, const struct calibration_info *draw, size_t done, size_t total);
  void *user;
  const atomic_bool *stop; /* set at any time: what is done is kept */
};

struct distances_outcome {
  struct distances rows; /* of the file, in plan order: all kinds */
  size_t computed;       /* those that were not there before */
  char output[4096];     /* path of the results file */
};

/* Computes what is missing and writes the results file. The file must not be in use by a run.
 * STATUS_TIME, with no text, when it was stopped. Free out->rows with distances_free. */
status distances_compute(const struct distances_options *options, struct distances_outcome *out,
                         struct error *err);

#endif
