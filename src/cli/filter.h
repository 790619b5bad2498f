/* Names that a user gives of what is in a results file. */
#ifndef ESPALIER_CLI_FILTER_H
#define ESPALIER_CLI_FILTER_H

#include "cli/table.h"

/* results_read, telling a file that is not there from one that is not yet built. */
status results_open(struct results_file *out, const char *path, struct error *err);

enum filter_of { FILTER_DATASET, FILTER_METHOD, FILTER_METRIC };

/* Splits text (NULL: nothing) into list and refuses what the file does not have. option and path
 * are for the messages. */
status filter_parse(struct word_list *list, enum filter_of of, const char *option, const char *text,
                    const struct results_file *f, const char *path, struct error *err);
/* The second half alone. */
status filter_check(const struct word_list *list, enum filter_of of, const char *option,
                    const struct results_file *f, const char *path, struct error *err);

#endif
