/* The truth of a run: an append-only log of checksummed records beside the results file, synced as
 * each cell ends. A damaged tail is cut off when it is opened again. */
#ifndef ESPALIER_STORE_JOURNAL_H
#define ESPALIER_STORE_JOURNAL_H

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

/* Appends one record; it is on disk when this returns. */
status journal_append(struct journal *j, const unsigned char *record, size_t size,
                      struct error *err);
void journal_close(struct journal *j);

/* Reads without locking or changing: for status and table. */
status journal_read(const char *path,
                    status (*see)(void *user, const unsigned char *record, size_t size,
                                  struct error *err),
                    void *user, struct error *err);

#endif
