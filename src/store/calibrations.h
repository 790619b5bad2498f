/* /calibration read back: the token ids that calibration draws are made of. */
#ifndef ESPALIER_STORE_CALIBRATIONS_H
#define ESPALIER_STORE_CALIBRATIONS_H

#include "base/sequences.h"

struct calibration_draw {
  char *set, *model; /* model: "" in files that do not say */
  int draw, samples, length;
  struct sequences ids;
};

struct calibrations {
  struct calibration_draw *at; /* [count] */
  size_t count, cap;
};

/* STATUS_INPUT for a file that is damaged. Free with calibrations_free, also after a failure. */
status calibrations_read(struct calibrations *out, const char *path, struct error *err);
void calibrations_free(struct calibrations *c);

#endif
