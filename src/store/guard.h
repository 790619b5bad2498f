/* What becomes of a journal that others touch while a run writes it: locks do not reach every
 * client of a network file system, and folders are deleted by mistake or by a clean-up. */
#ifndef ESPALIER_STORE_GUARD_H
#define ESPALIER_STORE_GUARD_H

#include <sys/types.h>

#include "base/error.h"

/* Refuses (STATUS_IO) an open file that is not `end` bytes long: somebody else writes it too. */
status guard_length(int fd, const char *path, off_t end, struct error *err);

/* Refuses (STATUS_IO) an open file that is no longer what path names. One whose name is gone is
 * written again under it first, its folder too, so that nothing is lost. */
status guard_name(int fd, const char *path, struct error *err);

#endif
