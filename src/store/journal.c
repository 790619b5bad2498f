#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/frame.h"
#include "store/guard.h"

struct journal {
  int fd;
  char *path;
  off_t end; /* behind the last good frame */
  struct str buffer;
};

typedef status see_record(void *user, const unsigned char *record, size_t size, struct error *err);
typedef status see_timed(void *user, const unsigned char *record, size_t size, double time,
                         struct error *err);

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

status journal_path(char **out, const char *results_path, struct error *err) {
  size_t n = strlen(results_path);
  n -= str_ends(results_path, ".h5") ? 3 : 0;
  return str_format(out, err, "%.*s.journal", (int)n, results_path);
}

/* Every good frame of an open file; leaves r at the end of the last one. */
static status scan(struct frame_reader *r, see_timed *see, void *user, struct journal_facts *facts,
                   struct error *err) {
  for (;;) {
    struct frame f;
    bool got;
    TRY(frame_next(r, &f, &got, err));
    if (!got) {
      return STATUS_OK;
    }
    if (f.kind == FRAME_OPENED) {
      TRY_WITH(err, frame_read_opened(&f, &facts->pid, facts->host, sizeof facts->host, err), "%s",
               r->path);
      facts->opened = f.time;
      continue;
    }
    facts->records++;
    facts->last = f.time;
    if (see) {
      TRY(see(user, f.payload, f.size, f.time, err));
    }
  }
}

/* A shared lock that cannot be had means a writer. Held for no longer than the question. */
static bool is_held(int fd) {
  if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK;
  }
  (void)flock(fd, LOCK_UN);
  return false;
}

status journal_scan(const char *path, see_timed *see, void *user, struct journal_facts *facts,
                    struct error *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  struct journal_facts found = {.held = is_held(fd)};
  struct frame_reader r;
  status st = frame_start(&r, fd, path, err);
  if (st == STATUS_OK) {
    st = scan(&r, see, user, &found, err);
  }
  if (st == STATUS_OK && facts) {
    *facts = found;
    facts->bytes = (size_t)r.at;
    facts->tail = r.end > r.at ? (size_t)(r.end - r.at) : 0;
  }
  frame_finish(&r);
  (void)close(fd);
  return st;
}

struct untimed {
  see_record *see;
  void *user;
};

static status see_untimed(void *user, const unsigned char *record, size_t size, double time,
                          struct error *err) {
  (void)time;
  struct untimed *u = user;
  return u->see ? u->see(u->user, record, size, err) : STATUS_OK;
}

status journal_read(const char *path, see_record *see, void *user, struct error *err) {
  struct untimed u = {see, user};
  return journal_scan(path, see_untimed, &u, NULL, err);
}

static status refuse_held(const char *path, struct error *err) {
  struct journal_facts facts;
  struct error ignored;
  if (journal_scan(path, NULL, NULL, &facts, &ignored) != STATUS_OK || facts.pid == 0) {
    return err_at(err, STATUS_INPUT, path, 0, "is being written by another run");
  }
  return err_at(err, STATUS_INPUT, path, 0, "is being written by another run (pid %ld on host %s)",
                facts.pid, facts.host);
}

/* The lock goes with the process, so a dead run's does not stay. `status` takes the lock for a
 * moment to see whether somebody has it: hence several tries. A file system without locks (errno
 * ENOLCK, ENOSYS, EOPNOTSUPP) is written without. */
static status lock(int fd, const char *path, struct error *err) {
  for (int tries = 0; tries < 10; tries++) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno == ENOLCK || errno == ENOSYS ||
        errno == EOPNOTSUPP) {
      return STATUS_OK;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return err_errno(err, STATUS_IO, "%s", path);
    }
    struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    (void)nanosleep(&pause, NULL);
  }
  return refuse_held(path, err);
}

static status write_all(int fd, const char *from, size_t size, off_t at, const char *path,
                        struct error *err) {
  while (size > 0) {
    ssize_t n = pwrite(fd, from, size, at);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return err_errno(err, STATUS_IO, "%s", path);
    }
    from += n;
    at += n;
    size -= (size_t)n;
  }
  if (fdatasync(fd) != 0) {
    return err_errno(err, STATUS_IO, "%s", path);
  }
  return STATUS_OK;
}

/* Writes the buffer behind the last good frame. On failure the file gets its length back, so that
 * no torn frame stands before what a later append writes. */
static status commit(struct journal *j, struct error *err) {
  TRY(guard_length(j->fd, j->path, j->end, err));
  status st = write_all(j->fd, j->buffer.at, j->buffer.count, j->end, j->path, err);
  if (st == STATUS_OK) {
    j->end += (off_t)j->buffer.count;
    st = guard_name(j->fd, j->path, err);
  } else if (ftruncate(j->fd, j->end) != 0) {
    st = err_prefix(err, "%s: its torn end could not be cut off", j->path);
  }
  j->buffer.count = 0;
  return st;
}

/* The folder is synced too: a new file's name lives there. */
static status sync_folder(const char *path, struct error *err) {
  char *dir;
  TRY(path_dir(&dir, path, err));
  status st = STATUS_OK;
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) {
    st = err_errno(err, STATUS_IO, "%s", dir);
  }
  if (fd >= 0) {
    (void)close(fd);
  }
  free(dir);
  return st;
}

/* Cuts the file behind its last good frame and says who writes from here on. */
static status take_over(struct journal *j, struct error *err) {
  if (ftruncate(j->fd, j->end) != 0) {
    return err_errno(err, STATUS_IO, "%s", j->path);
  }
  bool fresh = j->end == 0;
  char host[sizeof((struct journal_facts *)0)->host];
  if (gethostname(host, sizeof host) != 0) {
    (void)strcpy(host, "unknown");
  }
  host[sizeof host - 1] = '\0';
  if (fresh) {
    TRY(frame_add_file_head(&j->buffer, err));
  }
  TRY(frame_add_opened(&j->buffer, now(), (long)getpid(), host, err));
  TRY(commit(j, err));
  return fresh ? sync_folder(j->path, err) : STATUS_OK;
}

static status open_replay(struct journal *j, see_record *see, void *user, size_t *dropped,
                          struct error *err) {
  struct untimed u = {see, user};
  struct journal_facts facts = {0};
  struct frame_reader r;
  status st = frame_start(&r, j->fd, j->path, err);
  if (st == STATUS_OK) {
    st = scan(&r, see_untimed, &u, &facts, err);
  }
  j->end = r.at;
  *dropped = (size_t)(r.end - r.at);
  frame_finish(&r);
  return st;
}

status journal_open(struct journal **out, const char *path, see_record *see, void *user,
                    size_t *dropped, struct error *err) {
  struct journal *j;
  TRY(mem_alloc(&j, 1, sizeof *j, err));
  size_t cut = 0;
  status st = STATUS_OK;
  j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (j->fd < 0) {
    st = err_errno(err, STATUS_IO, "%s", path);
    goto end;
  }
  TRY_GOTO(st, end, mem_dup(&j->path, path, strlen(path), err));
  TRY_GOTO(st, end, lock(j->fd, path, err));
  TRY_GOTO(st, end, open_replay(j, see, user, &cut, err));
  TRY_GOTO(st, end, take_over(j, err));
end:
  if (st != STATUS_OK) {
    journal_close(j);
    return st;
  }
  *out = j;
  if (dropped) {
    *dropped = cut;
  }
  return STATUS_OK;
}

status journal_append(struct journal *j, const unsigned char *record, size_t size,
                      struct error *err) {
  status st = frame_add(&j->buffer, FRAME_RECORD, now(), record, size, err);
  if (st != STATUS_OK) {
    j->buffer.count = 0;
    return st;
  }
  return commit(j, err);
}

status journal_stage(struct journal *j, const unsigned char *record, size_t size,
                     struct error *err) {
  enum { STAGED_MOST = 8 << 20 };
  TRY(frame_add(&j->buffer, FRAME_RECORD, now(), record, size, err));
  return j->buffer.count > STAGED_MOST ? commit(j, err) : STATUS_OK;
}

status journal_flush(struct journal *j, struct error *err) {
  return commit(j, err);
}

status journal_check(const struct journal *j, struct error *err) {
  return guard_name(j->fd, j->path, err);
}

status journal_replay(const struct journal *j, see_record *see, void *user, struct error *err) {
  struct untimed u = {see, user};
  struct journal_facts facts = {0};
  struct frame_reader r;
  status st = frame_start(&r, j->fd, j->path, err);
  if (st == STATUS_OK) {
    st = scan(&r, see_untimed, &u, &facts, err);
  }
  if (st == STATUS_OK && r.at < j->end) {
    st = err_at(err, STATUS_IO, j->path, 0, "was damaged while it was written (at byte %lld)",
                (long long)r.at);
  }
  frame_finish(&r);
  return st;
}

void journal_close(struct journal *j) {
  if (!j) {
    return;
  }
  if (j->fd >= 0) {
    (void)close(j->fd);
  }
  free(j->path);
  str_free(&j->buffer);
  free(j);
}
