/* The tables of a results file, and what its parts share. */
#ifndef ESPALIER_STORE_RESULTS_PARTS_H
#define ESPALIER_STORE_RESULTS_PARTS_H

#include "store/results.h"
#include "store/rows.h"

#define RESULTS_SCHEMA "1"

/* Columns in the order in which rows are written and read. */
enum {
  VARIANT_COLUMNS = 16,
  METRIC_COLUMNS = 7,
  CELL_COLUMNS = 6,
  DATASET_COLUMNS = 2,
  LAYER_COLUMNS = 7
};
extern const struct column variant_columns[VARIANT_COLUMNS];
extern const struct column metric_columns[METRIC_COLUMNS];
extern const struct column cell_columns[CELL_COLUMNS];
extern const struct column dataset_columns[DATASET_COLUMNS];
extern const struct column layer_columns[LAYER_COLUMNS];

static inline bool results_wanted(const struct results *r, size_t variant, size_t dataset) {
  return !r->wanted || r->wanted[variant * r->dataset_count + dataset];
}

/* NULL when the cell is not done or not wanted. */
static inline const struct cell_record *results_cell_record(const struct results *r, size_t variant,
                                                            size_t dataset) {
  return results_wanted(r, variant, dataset) ? r->cell_records[variant * r->dataset_count + dataset]
                                             : NULL;
}

/* /items: per data set the labels and, for every variant with items, log-likelihoods and
 * correctness. */
status results_write_items(const struct results *r, const struct h5 *h, struct error *err);

/* /calibration: per set and draw the token ids. */
status results_write_calibrations(const struct results *r, const struct h5 *h, struct error *err);

/* /masks: the records of the journal, for the variants that are done. */
status results_write_masks(const struct results *r, const struct h5 *h, struct error *err);

/* /distances, where there are any. */
status results_write_distances(const struct results *r, const struct h5 *h, struct error *err);

/* /attribution, where there is any. */
status results_write_attribution(const struct results *r, const struct h5 *h, struct error *err);

/* Refuses a file that is no results file of this version. */
status results_check_schema(const struct h5 *h, struct error *err);

/* Every failure to read is the file's: STATUS_IO becomes STATUS_INPUT. */
status results_bad_input(status st, struct error *err);

#endif
