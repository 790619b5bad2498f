#include "prune/sparsegpt_strip.h"

/* Everything in the room is [width][STRIP_ROWS]. */
struct strip {
  float *w;    /* weights */
  float *gone; /* 1 where a weight goes, else 0 */
  float *errors;
};

static void load(const float *from, size_t ld, int rows, int width, float *to) {
  for (int i = 0; i < width; i++) {
    for (int r = 0; r < STRIP_ROWS; r++) { /* the last row again where there are fewer */
      to[(size_t)i * STRIP_ROWS + (size_t)r] =
          from[(size_t)(r < rows ? r : rows - 1) * ld + (size_t)i];
    }
  }
}

static void store(const float *from, int rows, int width, float *to, size_t ld) {
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < width; i++) {
      to[(size_t)r * ld + (size_t)i] = from[(size_t)i * STRIP_ROWS + (size_t)r];
    }
  }
}

static const float *diagonal(const struct strip_block *b, int i) {
  return b->factor + (size_t)i * (size_t)b->width + i;
}

static void mark_threshold(const struct strip_block *b, const struct strip *s) {
  for (int i = 0; i < b->width; i++) {
    float d = *diagonal(b, i);
    for (int r = 0; r < STRIP_ROWS; r++) {
      size_t at = (size_t)i * STRIP_ROWS + (size_t)r;
      s->gone[at] = strip_score(s->w[at], d) <= b->threshold ? 1 : 0;
    }
  }
}

/* Marks which of the m weights from column `first` on go, by what they have become by now: those
 * with fewer than n before them, of equal scores from the left. The errors' place holds scores. */
static void mark_group(const struct strip_block *b, const struct strip *s, int first) {
  float *scores = s->errors + (size_t)first * STRIP_ROWS;
  for (int i = 0; i < b->m; i++) {
    float d = *diagonal(b, first + i);
    for (int r = 0; r < STRIP_ROWS; r++) {
      scores[i * STRIP_ROWS + r] =
          strip_score(s->w[(size_t)(first + i) * STRIP_ROWS + (size_t)r], d);
    }
  }
  for (int i = 0; i < b->m; i++) {
    const float *mine = scores + (size_t)i * STRIP_ROWS;
    int before[STRIP_ROWS] = {0};
    for (int j = 0; j < b->m; j++) {
      const float *other = scores + (size_t)j * STRIP_ROWS;
      for (int r = 0; r < STRIP_ROWS; r++) {
        before[r] += (other[r] < mine[r]) | ((other[r] == mine[r]) & (j < i));
      }
    }
    for (int r = 0; r < STRIP_ROWS; r++) {
      s->gone[(size_t)(first + i) * STRIP_ROWS + (size_t)r] = before[r] < b->n ? 1 : 0;
    }
  }
}

/* Column i's errors, from all rows to all columns behind. */
static void prune_column(const struct strip_block *b, const struct strip *s, int i) {
  const float *u = diagonal(b, i), *gone = s->gone + (size_t)i * STRIP_ROWS;
  float *w = s->w + (size_t)i * STRIP_ROWS, e[STRIP_ROWS];
  for (int r = 0; r < STRIP_ROWS; r++) {
    e[r] = gone[r] != 0 ? w[r] / u[0] : 0;
    w[r] = gone[r] != 0 ? 0 : w[r];
    s->errors[(size_t)i * STRIP_ROWS + (size_t)r] = e[r];
  }
  for (int j = 1; j < b->width - i; j++) {
    float *behind = w + (size_t)j * STRIP_ROWS;
    for (int r = 0; r < STRIP_ROWS; r++) {
      behind[r] -= e[r] * u[j];
    }
  }
}

void strip_prune(const struct strip_block *b, int rows, float *weights, size_t ldw, float *errors,
                 size_t lde, float *room) {
  size_t count = (size_t)b->width * STRIP_ROWS;
  struct strip s = {.w = room, .gone = room + count, .errors = room + 2 * count};
  load(weights, ldw, rows, b->width, s.w);
  if (b->m == 0) {
    mark_threshold(b, &s);
  }
  for (int i = 0; i < b->width; i++) {
    if (b->m && i % b->m == 0) {
      mark_group(b, &s, i);
    }
    prune_column(b, &s, i);
  }
  store(s.w, rows, b->width, weights, ldw);
  store(s.errors, rows, b->width, errors, lde);
}
