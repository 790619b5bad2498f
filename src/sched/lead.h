/* Rank 0 of a run: serves the other ranks and computes itself, in one thread. Work of its own calls
 * back often, and each call serves whoever has written. */
#ifndef ESPALIER_SCHED_LEAD_H
#define ESPALIER_SCHED_LEAD_H

#include "sched/host.h"
#include "sched/provenance.h"
#include "sched/transport.h"

struct team;

struct lead_options {
  const struct run_options *run;
  struct plan *plan;
  struct ledger *ledger;
  const struct provenance *provenance;
  const struct transport *transport; /* NULL: one process */
  const struct peers *peers;
  const struct team *team; /* the one that rank 0 leads */
  double start, end;       /* on host_seconds; end 0: never */
};

/* Computes what the ledger lacks; fills the outcome's fields about ranks and signals. */
status lead(const struct lead_options *options, struct run_outcome *out, struct error *err);

#endif
