/* The group /attribution of a results file, as the records that it was written from. */
#ifndef ESPALIER_STORE_ATTRIBUTION_READ_H
#define ESPALIER_STORE_ATTRIBUTION_READ_H

#include "store/attribution.h"
#include "store/results.h"

struct attribution_file {
  struct attribution_base *bases; /* [base_count], in plan order, as the losses */
  char **models;                  /* [base_count]: of each base, as /variants names it */
  size_t base_count;
  struct attribution_loss *losses; /* [loss_count] */
  size_t loss_count;
};

/* A file without the group has none. STATUS_INPUT for a file that is damaged or is no results
 * file. */
status attribution_file_open(struct attribution_file *out, const char *path, struct error *err);
void attribution_file_close(struct attribution_file *a);

/* The base that a loss of a variant of `model` is measured from; NULL where there is none, it
 * failed, or words, matches and examples are not the same. */
const struct attribution_base *attribution_base_of(const struct attribution_file *a,
                                                   const struct attribution_loss *l,
                                                   const char *model);

#endif
