/* `espalier report`: a results file as one HTML page that needs nothing else.
 *
 * The page is made of files under src/cli/report/, which the build embeds (report_assets), and of
 * blocks of JSON, <script type="application/json" id="data-NAME">, one per source of data. The page
 * parses a block when a view that needs it is opened. A new view is a file there that calls
 * addView(), a line in CMakeLists.txt, and a block from a function like those below. In numbers,
 * null is a value that is missing and 1e999 one that is infinite. */
#ifndef ESPALIER_CLI_REPORT_H
#define ESPALIER_CLI_REPORT_H

#include <cjson/cJSON.h>

#include "base/str.h"
#include "store/results.h"

struct report {
  const char *path; /* of the results file */
  struct results_file file;
  char **methods; /* [file.variant_count]: labels, with the parameters that tell them apart */
};

/* Blocks. NULL in *out where the file has no such data: the page says so. The caller deletes. */
status report_main(const struct report *r, cJSON **out, struct error *err);
status report_layers(const struct report *r, cJSON **out, struct error *err);
status report_overlap(const struct report *r, cJSON **out, struct error *err);
status report_attribution(const struct report *r, cJSON **out, struct error *err);
status report_passages(const struct report *r, cJSON **out, struct error *err);

/* The whole page onto *to. */
status report_page(const struct report *r, struct str *to, struct error *err);

/* Index of a variant by id, looked for from *at on and around, where it then stands; false when
 * there is none. Tables of the file are in the variants' order, so the search ends at once. */
bool report_find(const struct results_file *f, const char *id, size_t *at);

/* A member of an object: a list to be filled, or an object. NULL without memory. */
cJSON *report_list(cJSON *object, const char *name);
/* Onto a list; digits: significant ones. Memory that runs out is seen by report_json. */
void report_number(cJSON *list, double value, int digits);
void report_integer(cJSON *list, int64_t value);
void report_text(cJSON *list, const char *text);

/* value as JSON without '<', so that no text of the file can end a script element. Deletes value.
 */
status report_json(cJSON *value, struct str *to, struct error *err);

/* The embedded files, NUL-terminated. */
extern const char report_html[], report_css[], report_js[];

#endif
