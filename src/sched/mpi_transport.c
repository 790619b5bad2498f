#include "sched/mpi_transport.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { TAG = 1 };

/* A send or receive that is under way. */
struct flight {
  MPI_Request request;
  unsigned char *bytes;
  size_t size;
  int rank;
  struct flight *next;
};

struct mpi_transport {
  MPI_Comm comm;
  int rank, size;
  struct flight *sends;
  struct flight *receives; /* oldest first */
};

static status check(int code, const char *what, struct error *err) {
  if (code == MPI_SUCCESS) {
    return STATUS_OK;
  }
  char text[MPI_MAX_ERROR_STRING + 1] = "";
  int length = 0;
  (void)MPI_Error_string(code, text, &length);
  return err_set(err, STATUS_MPI, "%s: %s", what, text);
}

status mpi_barrier(MPI_Comm comm, struct error *err) {
  MPI_Request request;
  TRY(check(MPI_Ibarrier(comm, &request), "MPI_Ibarrier", err));
  for (double nap = 1e-4;; nap = nap < 5e-3 ? nap * 2 : nap) {
    int over;
    TRY(check(MPI_Test(&request, &over, MPI_STATUS_IGNORE), "MPI_Test", err));
    if (over) {
      return STATUS_OK;
    }
    transport_nap(nap);
  }
}

status mpi_transport_open(struct mpi_transport **out, MPI_Comm comm, struct error *err) {
  struct mpi_transport *t;
  TRY(mem_alloc(&t, 1, sizeof *t, err));
  status st;
  TRY_GOTO(st, fail, check(MPI_Comm_dup(comm, &t->comm), "MPI_Comm_dup", err));
  TRY_GOTO(
      st, fail,
      check(MPI_Comm_set_errhandler(t->comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler", err));
  TRY_GOTO(st, fail, check(MPI_Comm_rank(t->comm, &t->rank), "MPI_Comm_rank", err));
  TRY_GOTO(st, fail, check(MPI_Comm_size(t->comm, &t->size), "MPI_Comm_size", err));
  *out = t;
  return STATUS_OK;
fail:
  free(t);
  return st;
}

static void complete(struct flight *list) {
  while (list) {
    struct flight *next = list->next;
    (void)MPI_Wait(&list->request, MPI_STATUS_IGNORE);
    free(list->bytes);
    free(list);
    list = next;
  }
}

void mpi_transport_close(struct mpi_transport *t, bool all_alive) {
  if (t && all_alive) {
    complete(t->sends);
    complete(t->receives);
    (void)MPI_Comm_free(&t->comm);
    free(t);
  }
}

/* Frees the sends that are over. An error is the receiver's death, which the master learns from its
 * silence. */
static void reap(struct mpi_transport *t) {
  for (struct flight **at = &t->sends; *at;) {
    struct flight *f = *at;
    int over = 0;
    if (MPI_Test(&f->request, &over, MPI_STATUS_IGNORE) != MPI_SUCCESS || over) {
      *at = f->next;
      free(f->bytes);
      free(f);
    } else {
      at = &f->next;
    }
  }
}

static status make_flight(struct flight **out, size_t size, int rank, struct error *err) {
  struct flight *f;
  TRY(mem_alloc(&f, 1, sizeof *f, err));
  f->size = size;
  f->rank = rank;
  status st = mem_alloc_raw(&f->bytes, size, 1, err);
  if (st != STATUS_OK) {
    free(f);
    return st;
  }
  *out = f;
  return STATUS_OK;
}

static status send_bytes(void *self, int to, const unsigned char *bytes, size_t size,
                         struct error *err) {
  struct mpi_transport *t = self;
  if (size > INT_MAX) {
    return err_set(err, STATUS_UNSUPPORTED, "a message of %zu bytes (at most %d)", size, INT_MAX);
  }
  reap(t);
  struct flight *f;
  TRY(make_flight(&f, size, to, err));
  memcpy(f->bytes, bytes, size);
  int code = MPI_Isend(f->bytes, (int)size, MPI_BYTE, to, TAG, t->comm, &f->request);
  if (code != MPI_SUCCESS) {
    free(f->bytes);
    free(f);
    return check(code, "MPI_Isend", err);
  }
  f->next = t->sends;
  t->sends = f;
  return STATUS_OK;
}

/* Starts to receive every message that has arrived. */
static status collect(struct mpi_transport *t, struct error *err) {
  struct flight **last = &t->receives;
  while (*last) {
    last = &(*last)->next;
  }
  for (;;) {
    int there = 0, count = 0;
    MPI_Message message;
    MPI_Status info;
    TRY(check(MPI_Improbe(MPI_ANY_SOURCE, TAG, t->comm, &there, &message, &info), "MPI_Improbe",
              err));
    if (!there) {
      return STATUS_OK;
    }
    TRY(check(MPI_Get_count(&info, MPI_BYTE, &count), "MPI_Get_count", err));
    struct flight *f;
    TRY(make_flight(&f, (size_t)count, info.MPI_SOURCE, err));
    int code = MPI_Imrecv(f->bytes, count, MPI_BYTE, &message, &f->request);
    if (code != MPI_SUCCESS) {
      free(f->bytes);
      free(f);
      return check(code, "MPI_Imrecv", err);
    }
    *last = f;
    last = &f->next;
  }
}

/* Whether an older message of the same rank is still on its way. */
static bool overtakes(const struct mpi_transport *t, const struct flight *f) {
  for (const struct flight *o = t->receives; o != f; o = o->next) {
    if (o->rank == f->rank) {
      return true;
    }
  }
  return false;
}

static status poll_bytes(void *self, int *from, unsigned char **bytes, size_t *size,
                         struct error *err) {
  struct mpi_transport *t = self;
  *bytes = NULL;
  reap(t);
  TRY(collect(t, err));
  for (struct flight **at = &t->receives; *at; at = &(*at)->next) {
    struct flight *f = *at;
    int over = 0;
    if (overtakes(t, f)) {
      continue;
    }
    TRY(check(MPI_Test(&f->request, &over, MPI_STATUS_IGNORE), "MPI_Test", err));
    if (over) {
      *from = f->rank;
      *bytes = f->bytes;
      *size = f->size;
      *at = f->next;
      free(f);
      return STATUS_OK;
    }
  }
  return STATUS_OK;
}

struct transport mpi_transport_interface(struct mpi_transport *t) {
  return (struct transport){
      .self = t, .rank = t->rank, .size = t->size, .send = send_bytes, .poll = poll_bytes};
}
