/* What master and workers say to each other, as bytes that mean the same on every host. */
#ifndef ESPALIER_SCHED_MESSAGE_H
#define ESPALIER_SCHED_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

enum message_kind {
  MESSAGE_READY = 1, /* worker: wants work */
  MESSAGE_LEASE,     /* master: prune this variant, evaluate these cells */
  MESSAGE_BEAT,      /* worker: lives, and works on `cell` */
  MESSAGE_RESULT,    /* worker: a record, of `cell` or (MASTER_PREPARE) of the variant */
  MESSAGE_DONE,      /* worker: through with the lease */
  MESSAGE_STOP,      /* master: no more work; worker: got a signal to stop */
  MESSAGE_BYE,       /* worker: has stopped; `text` says why when nobody asked it to */
  MESSAGE_END,       /* master: everything is durable, leave with `outcome` */
  MESSAGE_PING,      /* master: lives */
};

enum { MESSAGE_TEXT = 512 };

/* One cell of a lease. */
struct lease_cell {
  int32_t cell;    /* the task's cell, as results name it */
  int32_t dataset; /* index into the plan */
  char id[DIGEST_TEXT];
  char data_digest[DIGEST_TEXT]; /* of the data file when the run began */
  unsigned char *base; /* [base_size]: what the dense model says of the data set, as a record of
                          store/attribution.h; size 0: nothing is known, or asked for */
  uint64_t base_size;
};

struct message {
  enum message_kind kind;
  int32_t task;     /* LEASE, BEAT, RESULT, DONE */
  int64_t instance; /* likewise */
  int32_t cell;     /* BEAT, RESULT */
  /* LEASE */
  int32_t variant; /* index into the plan */
  char variant_id[DIGEST_TEXT];
  bool prune_known; /* the variant's record is there: only its cells are wanted */
  uint32_t cell_count;
  struct lease_cell *cells; /* [cell_count] */
  /* RESULT: a record of store/record.h */
  unsigned char *record; /* [record_size] */
  uint64_t record_size;
  /* END */
  bool all_alive;  /* no rank was lost: MPI can be finalised */
  int32_t outcome; /* the run's status */
  /* BYE */
  char text[MESSAGE_TEXT];
};

/* Encodes into a buffer that the caller frees. */
status message_encode(const struct message *m, unsigned char **out, size_t *size,
                      struct error *err);

/* Decodes what message_encode made; STATUS_INPUT for anything else. Free with message_free. */
status message_decode(struct message *out, const unsigned char *from, size_t size,
                      struct error *err);
void message_free(struct message *m);

#endif
