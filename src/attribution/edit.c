#include "attribution/edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int compare(const void *a, const void *b) {
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  return (x > y) - (x < y);
}

status unit_set_make(struct unit_set *out, const struct units *u, const size_t *numbers,
                     size_t count, struct error *err) {
  struct unit_set s = {.units = *u};
  status st;
  TRY_GOTO(st, failed, mem_alloc(&s.at, count, sizeof *s.at, err));
  TRY_GOTO(st, failed, mem_alloc(&s.first, (size_t)u->blocks + 1, sizeof *s.first, err));
  for (size_t i = 0; i < count; i++) {
    s.at[i] = numbers[i];
  }
  qsort(s.at, count, sizeof *s.at, compare);
  for (size_t i = 0; i < count; i++) {
    if (s.count == 0 || s.at[s.count - 1] != s.at[i]) {
      s.at[s.count++] = s.at[i];
      s.first[s.at[i] / (size_t)u->width + 1]++;
    }
  }
  for (int b = 0; b < u->blocks; b++) {
    s.first[b + 1] += s.first[b];
  }
  *out = s;
  return STATUS_OK;
failed:
  unit_set_free(&s);
  return st;
}

void unit_set_free(struct unit_set *s) {
  free(s->at);
  free(s->first);
  *s = (struct unit_set){0};
}

/* The set's units of a block: numbers from [first] on, as columns when `base` is taken off. */
struct part {
  const size_t *at;
  size_t count, base;
};

static struct part part_of(const struct unit_set *s, int block) {
  return (struct part){s->at + s->first[block], s->first[block + 1] - s->first[block],
                       (size_t)block * (size_t)s->units.width};
}

static status zero(void *user, int block, int input, float *x, int rows, const struct work *work,
                   struct error *err) {
  const struct unit_set *s = user;
  (void)work;
  (void)err;
  if (input != s->units.input) {
    return STATUS_OK;
  }
  struct part p = part_of(s, block);
  for (int i = 0; i < rows; i++) {
    float *row = x + (size_t)i * (size_t)s->units.width;
    for (size_t k = 0; k < p.count; k++) {
      row[p.at[k] - p.base] = 0;
    }
  }
  return STATUS_OK;
}

struct probe edit_zero(const struct unit_set *s) {
  return (struct probe){(void *)s, zero};
}

/* FNV-1a over a call's block and tokens. */
static uint64_t name_call(int block, int rows, const struct work *work) {
  uint64_t h = 14695981039346656037U;
  h = (h ^ (uint64_t)block) * 1099511628211U;
  for (int i = 0; i < rows; i++) {
    h = (h ^ (uint32_t)work->batch.ids[i]) * 1099511628211U;
  }
  return h;
}

static status record(void *user, int block, int input, float *x, int rows, const struct work *work,
                     struct error *err) {
  struct tape *t = user;
  const struct unit_set *s = t->set;
  struct part p = part_of(s, block);
  if (input != s->units.input || p.count == 0) {
    return STATUS_OK;
  }
  TRY(mem_reserve(&t->calls, &t->call_cap, t->call_count + 1, sizeof *t->calls, err));
  t->calls[t->call_count++] = name_call(block, rows, work);
  TRY(mem_reserve(&t->values, &t->cap, t->count + (size_t)rows * p.count, sizeof *t->values, err));
  for (int i = 0; i < rows; i++) {
    const float *row = x + (size_t)i * (size_t)s->units.width;
    for (size_t k = 0; k < p.count; k++) {
      t->values[t->count++] = row[p.at[k] - p.base];
    }
  }
  return STATUS_OK;
}

static status play(void *user, int block, int input, float *x, int rows, const struct work *work,
                   struct error *err) {
  struct tape *t = user;
  const struct unit_set *s = t->set;
  struct part p = part_of(s, block);
  if (input != s->units.input || p.count == 0) {
    return STATUS_OK;
  }
  if (t->call == t->call_count || t->calls[t->call] != name_call(block, rows, work)) {
    return err_set(err, STATUS_BUG, "activations of another evaluation (call %zu of %zu)",
                   t->call + 1, t->call_count);
  }
  t->call++;
  for (int i = 0; i < rows; i++) {
    float *row = x + (size_t)i * (size_t)s->units.width;
    for (size_t k = 0; k < p.count; k++) {
      row[p.at[k] - p.base] = t->values[t->at++];
    }
  }
  return STATUS_OK;
}

struct probe tape_record(struct tape *t) {
  return (struct probe){t, record};
}

struct probe tape_play(struct tape *t) {
  t->at = 0;
  t->call = 0;
  return (struct probe){t, play};
}

void tape_free(struct tape *t) {
  free(t->values);
  free(t->calls);
  *t = (struct tape){0};
}
