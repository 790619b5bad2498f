#include "linalg/group.h"

#include <string.h>

/* Elements per call: counts are int in MPI, and Open MPI's reductions need a buffer of this size.
 */
static const size_t CHUNK = (size_t)1 << 26;

static status check(int code, const char *what, struct error *err) {
  if (code == MPI_SUCCESS) {
    return STATUS_OK;
  }
  char text[MPI_MAX_ERROR_STRING + 1];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) {
    length = 0;
  }
  text[length] = '\0';
  return err_set(err, STATUS_MPI, "%s: %s", what, text);
}

struct group group_single(void) {
  return (struct group){.comm = MPI_COMM_NULL, .rank = 0, .size = 1};
}

status group_from(struct group *out, MPI_Comm comm, struct error *err) {
  struct group g = {.comm = comm};
  TRY(check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler", err));
  TRY(check(MPI_Comm_rank(comm, &g.rank), "MPI_Comm_rank", err));
  TRY(check(MPI_Comm_size(comm, &g.size), "MPI_Comm_size", err));
  *out = g;
  return STATUS_OK;
}

static status sum(const struct group *g, void *values, size_t count, size_t size, MPI_Datatype type,
                  struct error *err) {
  if (g->size == 1) {
    return STATUS_OK;
  }
  for (size_t at = 0; at < count; at += CHUNK) {
    size_t n = count - at < CHUNK ? count - at : CHUNK;
    int code =
        MPI_Allreduce(MPI_IN_PLACE, (char *)values + at * size, (int)n, type, MPI_SUM, g->comm);
    TRY(check(code, "MPI_Allreduce", err));
  }
  return STATUS_OK;
}

status group_sum_float(const struct group *g, float *values, size_t count, struct error *err) {
  return sum(g, values, count, sizeof *values, MPI_FLOAT, err);
}

status group_sum_double(const struct group *g, double *values, size_t count, struct error *err) {
  return sum(g, values, count, sizeof *values, MPI_DOUBLE, err);
}

status group_sum_int64(const struct group *g, int64_t *values, size_t count, struct error *err) {
  return sum(g, values, count, sizeof *values, MPI_INT64_T, err);
}

status group_least_int64(const struct group *g, int64_t *value, struct error *err) {
  if (g->size == 1) {
    return STATUS_OK;
  }
  return check(MPI_Allreduce(MPI_IN_PLACE, value, 1, MPI_INT64_T, MPI_MIN, g->comm),
               "MPI_Allreduce", err);
}

status group_broadcast(const struct group *g, int root, void *bytes, size_t count,
                       struct error *err) {
  if (g->size == 1) {
    return STATUS_OK;
  }
  for (size_t at = 0; at < count; at += CHUNK) {
    size_t n = count - at < CHUNK ? count - at : CHUNK;
    int code = MPI_Bcast((char *)bytes + at, (int)n, MPI_BYTE, root, g->comm);
    TRY(check(code, "MPI_Bcast", err));
  }
  return STATUS_OK;
}

status group_gather(const struct group *g, const void *mine, size_t count, void *all,
                    struct error *err) {
  if (g->size == 1) {
    memcpy(all, mine, count);
    return STATUS_OK;
  }
  return check(MPI_Allgather(mine, (int)count, MPI_BYTE, all, (int)count, MPI_BYTE, g->comm),
               "MPI_Allgather", err);
}

status group_agree(const struct group *g, status mine, struct error *err) {
  if (g->size == 1) {
    return mine;
  }
  int first = mine == STATUS_OK ? g->size : g->rank;
  TRY(check(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, g->comm), "MPI_Allreduce",
            err));
  if (first == g->size) {
    return STATUS_OK;
  }
  struct error shared = {.code = mine};
  if (first == g->rank) {
    /* A caller may have passed no error, or a status that it decided itself. */
    const char *text = err && err->code == mine ? err->text : status_meaning(mine);
    size_t length = strnlen(text, sizeof shared.text - 1);
    memcpy(shared.text, text, length);
    shared.text[length] = '\0';
  }
  TRY(group_broadcast(g, first, &shared, sizeof shared, err));
  if (first != g->rank) {
    return err_set(err, shared.code, "%s", shared.text);
  }
  return mine;
}
