/* Other sets by weight: `mixture: [{set: c4, weight: 0.7}, {set: sst2, weight: 0.3}]`. Of the
 * grid's largest count each set gives its share, rounded by largest remainder; each draws its part
 * as it would alone. The parts are interleaved so that every smaller count, a prefix, holds each
 * set's share too, rounded down or up: Balinski and Young, "The Quota Method of Apportionment"
 * (American Mathematical Monthly 82, 1975). */
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "calib/set.h"

static status read_part(struct calibration *c, const struct yaml_file *file,
                        const struct yaml *node, const struct search *search, int depth,
                        struct error *err) {
  static const char *const keys[] = {"set", "weight"};
  TRY(yaml_check_keys(file, node, "a part of a mixture", keys, 2, err));
  const struct yaml *set = yaml_get(node, "set"), *weight = yaml_get(node, "weight");
  if (!set || !weight) {
    return yaml_fail(file, node, err, "no '%s' (expected {set: NAME, weight: NUMBER})",
                     set ? "weight" : "set");
  }
  struct mixture_part *part = &c->parts[c->part_count];
  TRY(yaml_double(file, weight, "weight", 0, 1e9, &part->weight, err));
  if (part->weight <= 0) {
    return yaml_fail(file, weight, err, "weight: %g (expected more than 0)", part->weight);
  }
  TRY(set_named(&part->set, file, set, "set", search, depth, err));
  c->part_count++;
  for (struct mixture_part *other = c->parts; other < part; other++) {
    if (strcmp(other->set->name, part->set->name) == 0) {
      return yaml_fail(file, set, err, "set: %s stands twice", part->set->name);
    }
  }
  return STATUS_OK;
}

status mixture_read(struct calibration *c, const struct yaml_file *file, const struct yaml *node,
                    const struct search *search, int depth, struct error *err) {
  if (node->kind != YAML_LIST || node->count < 2) {
    return yaml_fail(file, node, err,
                     "mixture: expected a list of at least two {set: NAME, weight: NUMBER}");
  }
  TRY(mem_alloc(&c->parts, node->count, sizeof *c->parts, err));
  for (size_t i = 0; i < node->count; i++) {
    TRY(read_part(c, file, &node->items[i], search, depth, err));
  }
  return STATUS_OK;
}

status mixture_open_parts(struct pool *pool, struct error *err) {
  const struct calibration *set = pool->set;
  TRY(mem_alloc(&pool->parts, set->part_count, sizeof(struct pool *), err));
  for (size_t i = 0; i < set->part_count; i++) {
    TRY(pool_open(&pool->parts[i], set->parts[i].set, pool->tokenizer, pool->model, err));
  }
  return STATUS_OK;
}

/* Shares of `most` by largest remainder, the first of equals, into seats [part_count]. */
static status share_out(const struct calibration *set, int most, int *seats, struct error *err) {
  double total = 0, *rest;
  TRY(mem_alloc(&rest, set->part_count, sizeof *rest, err));
  for (size_t i = 0; i < set->part_count; i++) {
    total += set->parts[i].weight;
  }
  int left = most;
  for (size_t i = 0; i < set->part_count; i++) {
    /* 0.7 / (0.7 + 0.3) · 10 is 7, whatever binary fractions make of it */
    double quota = set->parts[i].weight / total * most;
    seats[i] = (int)(quota + 1e-9);
    rest[i] = quota - seats[i];
    left -= seats[i];
  }
  for (; left > 0; left--) {
    size_t best = 0;
    for (size_t i = 1; i < set->part_count; i++) {
      best = rest[i] > rest[best] + 1e-9 ? i : best;
    }
    seats[best]++;
    rest[best] = -1;
  }
  free(rest);
  for (size_t i = 0; i < set->part_count; i++) {
    if (seats[i] == 0) {
      return err_at(err, STATUS_INPUT, set->data, 0,
                    "calibration set %s: %s's share of %d samples is %.2g of a sequence (expected "
                    "more samples or a larger weight)",
                    set->name, set->parts[i].set->name, most, set->parts[i].weight / total * most);
    }
  }
  return STATUS_OK;
}

/* The part that gives sequence `index`: among those whose share of index + 1 sequences is above
 * what they have given, the one with the largest share per sequence. */
static size_t next_part(const int *seats, const int *given, size_t parts, int index, int most) {
  size_t best = parts;
  for (size_t i = 0; i < parts; i++) {
    bool eligible = (int64_t)given[i] * most < (int64_t)(index + 1) * seats[i];
    if (eligible && (best == parts || (int64_t)seats[i] * (given[best] + 1) >
                                          (int64_t)seats[best] * (given[i] + 1))) {
      best = i;
    }
  }
  return best;
}

/* parts [samples]: which part gives each sequence; given [part_count] becomes their counts. */
static void interleave(const int *seats, size_t count, const struct draw *draw, size_t *parts,
                       int *given) {
  for (int i = 0; i < draw->samples; i++) {
    parts[i] = next_part(seats, given, count, i, draw->most);
    given[parts[i]]++;
  }
}

static status draw_parts(struct pool *pool, const struct draw *draw, const int *seats,
                         const int *given, struct sequences *drawn, struct error *err) {
  for (size_t i = 0; i < pool->set->part_count; i++) {
    struct draw own = *draw;
    own.samples = given[i];
    own.most = seats[i];
    if (given[i] > 0) {
      TRY_WITH(err, pool_draw(pool->parts[i], &own, &drawn[i], err), "%s: part %s (%d of %d)",
               pool->set->data, pool->parts[i]->set->name, seats[i], draw->most);
    }
  }
  return STATUS_OK;
}

static status merge(const struct sequences *drawn, const size_t *parts, int samples, int *given,
                    struct sequences *out, struct error *err) {
  for (int i = samples; i-- > 0;) {
    given[parts[i]]--;
  }
  for (int i = 0; i < samples; i++) {
    const struct sequences *from = &drawn[parts[i]];
    size_t at = (size_t)given[parts[i]]++;
    TRY(sequences_add(out, sequences_at(from, at), sequences_length(from, at), err));
  }
  return STATUS_OK;
}

status mixture_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                    struct error *err) {
  size_t count = pool->set->part_count, *parts = NULL;
  int *seats = NULL, *given = NULL;
  struct sequences *drawn = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&seats, count, sizeof *seats, err));
  TRY_GOTO(st, done, mem_alloc(&given, count, sizeof *given, err));
  TRY_GOTO(st, done, mem_alloc(&drawn, count, sizeof *drawn, err));
  TRY_GOTO(st, done, mem_alloc(&parts, (size_t)draw->samples, sizeof *parts, err));
  TRY_GOTO(st, done, share_out(pool->set, draw->most, seats, err));
  interleave(seats, count, draw, parts, given);
  TRY_GOTO(st, done, draw_parts(pool, draw, seats, given, drawn, err));
  TRY_GOTO(st, done, merge(drawn, parts, draw->samples, given, out, err));
done:
  for (size_t i = 0; drawn && i < count; i++) {
    sequences_free(&drawn[i]);
  }
  free(drawn);
  free(parts);
  free(seats);
  free(given);
  return st;
}
