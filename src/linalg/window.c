#include "linalg/window.h"

#include <stdatomic.h>
#include <unistd.h>

/* The first rank of the machine shares, the others join; `node`: the machine's ranks. */
static status open_on(struct window *w, const struct group *node, size_t bytes, const char *what,
                      struct error *err) {
  struct mapping_ticket ticket = {.file = -1};
  status st = STATUS_OK;
  if (node->rank == 0) {
    st = mapping_share(&w->mapping, &ticket, bytes, what, err);
  }
  st = group_agree(node, st, err);
  if (st == STATUS_OK) {
    st = group_broadcast(node, 0, &ticket, sizeof ticket, err);
  }
  if (st == STATUS_OK && node->rank != 0) {
    st = mapping_join(&w->mapping, &ticket, what, err);
  }
  st = group_agree(node, st, err);
  if (node->rank == 0 && ticket.file >= 0) {
    (void)close(ticket.file);
  }
  if (st != STATUS_OK) {
    mapping_close(&w->mapping);
    return st;
  }
  w->rank = node->rank;
  w->size = node->size;
  return STATUS_OK;
}

static status open_alone(struct window *w, size_t bytes, const char *what, struct error *err) {
  w->rank = 0;
  w->size = 1;
  return mapping_open(&w->mapping, bytes, NULL, what, err);
}

static status split(const struct group *group, struct group *node, struct error *err) {
  MPI_Comm comm;
  if (MPI_Comm_split_type(group->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &comm) !=
      MPI_SUCCESS) {
    return err_set(err, STATUS_MPI, "MPI_Comm_split_type failed");
  }
  status st = group_from(node, comm, err);
  if (st != STATUS_OK) {
    (void)MPI_Comm_free(&comm);
  }
  return st;
}

status window_sharers(const struct group *group, int *count, struct error *err) {
  struct group node;
  *count = 1;
  if (group->size > 1) {
    TRY(split(group, &node, err));
    *count = node.size;
    (void)MPI_Comm_free(&node.comm);
  }
  return STATUS_OK;
}

static status open_somehow(struct window *w, size_t bytes, const char *what, struct error *err) {
  struct group node;
  TRY(split(&w->group, &node, err));
  status st = node.size > 1 ? open_on(w, &node, bytes, what, err) : STATUS_IO;
  if (st == STATUS_IO) { /* out of reach of each other, as where each has a /proc of its own */
    st = open_alone(w, bytes, what, err);
  }
  (void)MPI_Comm_free(&node.comm);
  return st;
}

status window_open(struct window *out, const struct group *group, size_t bytes, const char *what,
                   struct error *err) {
  struct window w = {.group = *group};
  status st =
      group->size == 1 ? open_alone(&w, bytes, what, err) : open_somehow(&w, bytes, what, err);
  st = group_agree(group, st, err);
  if (st != STATUS_OK) {
    window_close(&w);
    return st;
  }
  w.at = w.mapping.at;
  *out = w;
  return STATUS_OK;
}

void window_close(struct window *w) {
  mapping_close(&w->mapping);
  *w = (struct window){.group = w->group};
}

status window_meet(const struct window *w, status mine, struct error *err) {
  atomic_thread_fence(memory_order_seq_cst);
  status st = group_agree(&w->group, mine, err);
  atomic_thread_fence(memory_order_seq_cst);
  return st;
}

void window_share(const struct window *w, size_t count, size_t *first, size_t *end) {
  size_t rank = (size_t)w->rank, size = (size_t)w->size;
  *first = count * rank / size;
  *end = count * (rank + 1) / size;
}
