/* What is known of a plan so far: records replayed from the journal and those that arrive, and the
 * results file made of them. Rank 0 alone has one. */
#ifndef ESPALIER_SCHED_LEDGER_H
#define ESPALIER_SCHED_LEDGER_H

#include "grid/plan.h"
#include "store/results.h"

struct ledger;

/* Opens or makes the journal beside `results` (a path) and replays it. A
 * results file without its journal is refused, since a run would replace it. plan is the caller's,
 * at PLAN_FULL. *note (may come out NULL; the caller frees it) is a line for the user: what was
 * repaired. */
status ledger_open(struct ledger **out, struct plan *plan, const char *results, char **note,
                   struct error *err);
void ledger_close(struct ledger *l);

/* Whether a record without a failure is there. */
bool ledger_cell_done(const struct ledger *l, size_t variant, size_t dataset);
/* Also that its masks are there, where they are to be stored. */
bool ledger_variant_done(const struct ledger *l, size_t variant);

/* A record that became part of the ledger. */
struct ledger_entry {
  size_t variant, dataset; /* dataset: the plan's count for a variant's record */
  bool masks;              /* a part of the variant's masks */
  bool attribution;        /* the cell's attribution */
  bool failed;
  bool fresh;        /* false: a good record was there, and stays */
  const char *error; /* the ledger's */
};

/* Appends an encoded record to the journal and takes it in; refuses (STATUS_BUG) one that is not of
 * the plan. A variant's record is skipped when a good one is there. */
status ledger_add(struct ledger *l, const unsigned char *record, size_t size,
                  struct ledger_entry *out, struct error *err);

/* As ledger_add, of a cell that failed for `reason`. */
status ledger_fail(struct ledger *l, size_t variant, size_t dataset, const char *reason,
                   struct ledger_entry *out, struct error *err);

/* What the dense model says of a data set: of the variant's model; NULL where it is not there or
 * failed. */
const struct attribution_base *ledger_base(const struct ledger *l, size_t variant, size_t dataset);

/* The plan's distinct calibration draws. */
size_t ledger_draws(const struct ledger *l, const struct calibration_info **out);
/* A variant that uses the draw. */
size_t ledger_draw_variant(const struct ledger *l, size_t draw);

/* Everything of a distance but its value, into *out; sequences as in distance_record. */
status ledger_name_distance(const struct ledger *l, size_t draw, size_t dataset,
                            enum distance_kind kind, int sequences, struct distance_record *out,
                            struct error *err);
/* What the ledger has; NULL: nothing. */
const struct distance_record *ledger_distance(const struct ledger *l, size_t draw, size_t dataset,
                                              enum distance_kind kind);

/* Builds the results file. attributes [count]. */
status ledger_write(struct ledger *l, const struct attribute *attributes, size_t count,
                    struct error *err);

/* Cells of the plan with a record, and those among them that failed. */
size_t ledger_done(const struct ledger *l);
size_t ledger_failed(const struct ledger *l);

/* Visits failed cells in plan order until see returns false. */
void ledger_failures(const struct ledger *l, bool (*see)(void *user, const struct ledger_entry *e),
                     void *user);

#endif
