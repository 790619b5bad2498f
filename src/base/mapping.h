/* Large memory in one piece that is not malloc's: anonymous, or backed by an unlinked file, which
 * the kernel may write out when memory is short. */
#ifndef ESPALIER_BASE_MAPPING_H
#define ESPALIER_BASE_MAPPING_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct mapping {
  void *at; /* [bytes], zero at first, aligned to a page; NULL: none */
  size_t bytes;
};

/* bytes > 0. folder: where the backing file goes, or NULL for anonymous memory, whose pages are
 * taken as they are written. A file is allocated whole: STATUS_IO when the disk is too full;
 * STATUS_MEMORY without address space. `what` is what the memory is for, in messages. */
status mapping_open(struct mapping *out, size_t bytes, const char *folder, const char *what,
                    struct error *err);
void mapping_close(struct mapping *m);

/* Memory in common with other processes of this user and machine. It goes away with the last that
 * has it mapped, also when they are killed, and takes no room of /dev/shm. */
struct mapping_ticket {
  int64_t process;
  uint64_t device, inode; /* what `file` of that process is */
  uint64_t bytes;
  int32_t file; /* descriptor; the process that shares closes it once the others have joined */
};

/* Zero at first; pages are taken as they are written. STATUS_MEMORY without address space. */
status mapping_share(struct mapping *out, struct mapping_ticket *ticket, size_t bytes,
                     const char *what, struct error *err);
/* Another process's; STATUS_IO when it cannot be reached from here. */
status mapping_join(struct mapping *out, const struct mapping_ticket *ticket, const char *what,
                    struct error *err);

/* Gives anonymous pages back, to be zero again; a file's stay as they are. Of all, or of those that
 * lie whole behind the first `keep` bytes. */
void mapping_drop(const struct mapping *m);
void mapping_drop_behind(const struct mapping *m, size_t keep);

#endif
