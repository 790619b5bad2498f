/* The truth of a run: an append-only log of checksummed records beside the results file, synced as
 * each cell ends. A damaged tail is cut off when it is opened again. */
#ifndef ESPALIER_STORE_JOURNAL_H
#define ESPALIER_STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct journal;

/* Calls see for every good record of an existing journal, in order, then truncates what follows the
 * last good one and positions for appending; makes the file when it is not there. *dropped is the
 * number of bytes cut off. One writer: a second open of the same file is refused while the first
 * lives. see may be NULL. */
status journal_open(struct journal **out, const char *path,
                    status (*see)(void *user, const unsigned char *record, size_t size,
                                  struct error *err),
                    void *user, size_t *dropped, struct error *err);

/* Appends one record; it is on disk when this returns. Refused when somebody else wrote to the file
 * or took it away (guard.h). */
status journal_append(struct journal *j, const unsigned char *record, size_t size,
                      struct error *err);

/* As journal_append, but on disk only after journal_flush: for many records at once. After a
 * failure the journal is of no use. */
status journal_stage(struct journal *j, const unsigned char *record, size_t size,
                     struct error *err);
status journal_flush(struct journal *j, struct error *err);

/* Refuses a journal that was deleted or replaced while it is open, as every append does; a deleted
 * one is put back first (guard.h). */
status journal_check(const struct journal *j, struct error *err);

/* Calls see for every record so far, in order, as journal_open did: for what is too large to keep.
 */
status journal_replay(const struct journal *j,
                      status (*see)(void *user, const unsigned char *record, size_t size,
                                    struct error *err),
                      void *user, struct error *err);
void journal_close(struct journal *j);

/* Where the journal of a results file lies: "x.h5" gives "x.journal". The caller frees *out. */
status journal_path(char **out, const char *results_path, struct error *err);

/* Who writes a journal, and how much of it is good. Times are seconds since 1970. */
struct journal_facts {
  bool held; /* a run has it open for writing now */
  long pid;  /* the last run that opened it; 0: none yet */
  char host[64];
  double opened; /* when that run opened it */
  double last;   /* when the last record was appended; 0: none */
  size_t records;
  size_t bytes; /* up to the end of the last good record */
  size_t tail;  /* bytes behind that */
};

/* Reads without locking or changing: for status and table. */
status journal_read(const char *path,
                    status (*see)(void *user, const unsigned char *record, size_t size,
                                  struct error *err),
                    void *user, struct error *err);

/* As journal_read; see also gets the time at which the record was appended. facts may be NULL. */
status journal_scan(const char *path,
                    status (*see)(void *user, const unsigned char *record, size_t size, double time,
                                  struct error *err),
                    void *user, struct journal_facts *facts, struct error *err);

#endif
