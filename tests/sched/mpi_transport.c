/* Messages over MPI: every pair of ranks, small and large, in order. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpi_support.h"
#include "sched/mpi_transport.h"

enum { MESSAGES = 40 };

/* The size of message i of a pair; every eighth is too large to be sent eagerly. */
static size_t size_of(int from, int i) {
  return i % 8 == 7 ? (size_t)1500000 + (size_t)i : (size_t)(from * 31 + i * 7);
}

static int fail(const char *what, int rank) {
  (void)fprintf(stderr, "rank %d: %s\n", rank, what);
  return 1;
}

static int send_all(const struct transport *t) {
  struct error err;
  unsigned char *bytes = malloc(2000000);
  int bad = 0;
  for (int i = 0; i < MESSAGES; i++) {
    for (int to = 0; to < t->size; to++) {
      memset(bytes, (t->rank * 16 + i) & 255, 2000000);
      if (to != t->rank && t->send(t->self, to, bytes, size_of(t->rank, i), &err) != STATUS_OK) {
        bad = fail(err.text, t->rank);
      }
    }
  }
  free(bytes);
  return bad;
}

static int receive_all(const struct transport *t) {
  struct error err;
  int *next = calloc((size_t)t->size, sizeof *next);
  int bad = 0;
  for (int missing = (t->size - 1) * MESSAGES; missing > 0 && !bad;) {
    int from;
    unsigned char *bytes;
    size_t size;
    if (t->poll(t->self, &from, &bytes, &size, &err) != STATUS_OK) {
      bad = fail(err.text, t->rank);
    } else if (bytes) {
      int i = next[from]++;
      if (size != size_of(from, i) ||
          (size && (bytes[0] != ((from * 16 + i) & 255) || bytes[size - 1] != bytes[0]))) {
        bad = fail("a message came out of order or changed", t->rank);
      }
      free(bytes);
      missing--;
    } else {
      transport_nap(1e-4);
    }
  }
  free(next);
  return bad;
}

int main(int argc, char **argv) {
  mpi_start(&argc, &argv);
  struct error err;
  struct mpi_transport *t;
  if (mpi_transport_open(&t, MPI_COMM_WORLD, &err) != STATUS_OK) {
    return fail(err.text, -1);
  }
  struct transport i = mpi_transport_interface(t);
  int bad = send_all(&i) || receive_all(&i);
  if (mpi_barrier(MPI_COMM_WORLD, &err) != STATUS_OK) {
    bad = fail(err.text, i.rank);
  }
  mpi_transport_close(t, true);
  return mpi_finish(bad);
}
