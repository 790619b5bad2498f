#include "tokenizer/merges.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static uint64_t pair_of(int32_t left, int32_t right) {
  return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

/* Fibonacci hashing: the high bits of the product depend on all of the pair. */
static size_t slot_of(const struct merges *m, uint64_t pair) {
  size_t slot = (size_t)((pair * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & m->mask;
  while (m->slots[slot].pair != pair && m->slots[slot].pair != MERGE_FREE) {
    slot = (slot + 1) & m->mask;
  }
  return slot;
}

const struct merge *merges_find(const struct merges *m, int32_t left, int32_t right) {
  const struct merge *found = &m->slots[slot_of(m, pair_of(left, right))];
  return found->pair == MERGE_FREE ? NULL : found;
}

void merges_free(struct merges *m) {
  free(m->slots);
  *m = (struct merges){0};
}

struct sides {
  const char *left, *right;
  size_t left_bytes, right_bytes;
};

static bool read_sides(const cJSON *item, struct sides *out) {
  if (cJSON_IsString(item)) {
    const char *space = strchr(item->valuestring, ' ');
    if (!space || strchr(space + 1, ' ')) {
      return false;
    }
    *out = (struct sides){item->valuestring, space + 1, (size_t)(space - item->valuestring),
                          strlen(space + 1)};
    return true;
  }
  const cJSON *left = cJSON_GetArrayItem(item, 0), *right = cJSON_GetArrayItem(item, 1);
  if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 || !cJSON_IsString(left) ||
      !cJSON_IsString(right)) {
    return false;
  }
  *out = (struct sides){left->valuestring, right->valuestring, strlen(left->valuestring),
                        strlen(right->valuestring)};
  return true;
}

static status refuse_missing(const char *file, long number, const char *token, size_t bytes,
                             struct error *err) {
  return err_at(err, STATUS_INPUT, file, 0,
                "merge %ld needs the token '%.*s', which is not in the vocabulary", number,
                (int)bytes, token);
}

static status add_merge(struct merges *m, const struct sides *s, int32_t rank,
                        const struct vocab *vocab, size_t prefix_bytes, struct str *product,
                        const char *file, struct error *err) {
  long number = (long)rank + 1;
  size_t skip = prefix_bytes < s->right_bytes ? prefix_bytes : s->right_bytes;
  product->count = 0;
  TRY(str_add(product, s->left, s->left_bytes, err));
  TRY(str_add(product, s->right + skip, s->right_bytes - skip, err));
  int32_t left = vocab_id(vocab, s->left, s->left_bytes);
  int32_t right = vocab_id(vocab, s->right, s->right_bytes);
  int32_t id = vocab_id(vocab, product->at, product->count);
  if (left < 0) {
    return refuse_missing(file, number, s->left, s->left_bytes, err);
  }
  if (right < 0) {
    return refuse_missing(file, number, s->right, s->right_bytes, err);
  }
  if (id < 0) {
    return refuse_missing(file, number, product->at, product->count, err);
  }
  uint64_t pair = pair_of(left, right);
  m->slots[slot_of(m, pair)] = (struct merge){pair, rank, id};
  return STATUS_OK;
}

status merges_read(struct merges *m, const cJSON *list, const struct vocab *vocab,
                   size_t prefix_bytes, const char *file, struct error *err) {
  size_t count = 0, slots = 8;
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    count++;
  }
  while (slots < 2 * count) {
    slots *= 2;
  }
  TRY(mem_alloc_raw(&m->slots, slots, sizeof *m->slots, err));
  for (size_t i = 0; i < slots; i++) {
    m->slots[i].pair = MERGE_FREE;
  }
  m->mask = slots - 1;
  struct str product = {0};
  status st = STATUS_OK;
  int32_t rank = 0;
  cJSON_ArrayForEach(item, list) {
    struct sides sides;
    /* Lists copied from a merges.txt may keep its first line. */
    if (rank == 0 && cJSON_IsString(item) && str_starts(item->valuestring, "#version")) {
      continue;
    }
    if (!read_sides(item, &sides)) {
      st = err_at(err, STATUS_INPUT, file, 0,
                  "merge %ld is not a pair (expected \"left right\" or [\"left\", \"right\"])",
                  (long)rank + 1);
    } else {
      st = add_merge(m, &sides, rank, vocab, prefix_bytes, &product, file, err);
    }
    if (st != STATUS_OK) {
      break;
    }
    rank++;
  }
  str_free(&product);
  return st;
}
