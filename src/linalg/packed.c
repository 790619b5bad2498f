#include "linalg/packed.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/kernel.h"
#include "linalg/operand.h"
#include "linalg/tile.h"

enum { COPY_COLS = 16 }; /* columns that packing copies side by side */

/* Tiles of PRODUCT_TILE columns of wᵀ, one after the other, each [k][columns] without gaps: the
 * library reads this form as it is, where it would have to transpose [n][k] for every tile of rows.
 */
struct packed {
  enum precision precision;
  int n, k;
  void *w;
  bool lent; /* w is the caller's */
  struct kernel *kernel;
};

static int columns(const struct packed *p, int first) {
  return p->n - first < PRODUCT_TILE ? p->n - first : PRODUCT_TILE;
}

size_t packed_bytes(int n, int k, enum precision precision) {
  return (size_t)n * (size_t)k * operand_bytes(precision);
}

static status prepare(struct packed *p, struct error *err) {
  if (!p->lent) {
    TRY(mem_alloc_raw(&p->w, packed_bytes(p->n, p->k, p->precision), 1, err));
  }
  return kernel_create(&p->kernel, (struct kernel_form){.precision = p->precision}, err);
}

status packed_create(struct packed **out, int n, int k, enum precision precision,
                     struct error *err) {
  return packed_create_in(out, n, k, precision, NULL, err);
}

status packed_create_in(struct packed **out, int n, int k, enum precision precision, void *memory,
                        struct error *err) {
  if (n < 1 || k < 1) {
    return err_set(err, STATUS_BUG, "packed: %d x %d weights", n, k);
  }
  struct packed *p;
  TRY(mem_alloc(&p, 1, sizeof *p, err));
  *p = (struct packed){.precision = precision, .n = n, .k = k, .w = memory, .lent = memory};
  status st = prepare(p, err);
  if (st != STATUS_OK) {
    packed_free(p);
    return st;
  }
  *out = p;
  return STATUS_OK;
}

void packed_free(struct packed *p) {
  if (p) {
    kernel_free(p->kernel);
    if (!p->lent) {
      free(p->w);
    }
    free(p);
  }
}

/* w [count][k] into as many columns of a tile [k][width], from its element `to` on. */
static void copy_columns(const float *w, int k, int width, int count, enum precision precision,
                         void *to) {
  for (int i = 0; i < k; i++) {
    float across[COPY_COLS];
    for (int j = 0; j < count; j++) {
      across[j] = w[(size_t)j * (size_t)k + (size_t)i];
    }
    operand_narrow(precision, across, (size_t)count,
                   operand_at(precision, to, (size_t)i * (size_t)width));
  }
}

void packed_fill_rows(struct packed *p, int first, int rows, const float *w) {
  int pieces = (rows + COPY_COLS - 1) / COPY_COLS;
  static_assert(PRODUCT_TILE % COPY_COLS == 0, "a piece lies in one tile");
#pragma omp parallel for schedule(static)
  for (int i = 0; i < pieces; i++) {
    int at = first + i * COPY_COLS, tile = at / PRODUCT_TILE * PRODUCT_TILE;
    int left = first + rows - at;
    copy_columns(w + (size_t)(at - first) * (size_t)p->k, p->k, columns(p, tile),
                 left < COPY_COLS ? left : COPY_COLS, p->precision,
                 operand_at(p->precision, p->w, (size_t)tile * (size_t)p->k + (size_t)(at - tile)));
  }
}

void packed_fill(struct packed *p, const float *w) {
  packed_fill_rows(p, 0, p->n, w);
}

/* What the threads of one product share. */
struct job {
  const struct packed *p;
  const struct product *q;
  const void *tail; /* [tile_padded_rows()][k]: the rows behind `direct`, zeros below */
  int direct;       /* rows that are computed where they stand: see tile_direct_rows */
};

/* result [rows][cols] of one tile. */
static int multiply(const struct job *job, int row, int rows, int col, int cols, float *result) {
  const struct packed *p = job->p;
  struct kernel_call call = {
      .m = row + rows <= job->direct ? rows : job->direct - row,
      .n = cols,
      .k = p->k,
      .a = operand_from(p->precision, job->q->x, (size_t)row * (size_t)p->k),
      .lda = p->k,
      .b = operand_from(p->precision, p->w, (size_t)col * (size_t)p->k),
      .ldb = cols,
      .c = result,
      .ldc = cols,
  };
  int direct = call.m, st = direct > 0 ? kernel_run(p->kernel, &call) : 0;
  if (st == 0 && direct < rows) {
    float padded[TILE_ROWS * PRODUCT_TILE];
    call.m = tile_padded_rows();
    call.a = job->tail;
    call.c = padded;
    st = kernel_run(p->kernel, &call);
    memcpy(result + (size_t)direct * (size_t)cols, padded,
           sizeof *padded * (size_t)(rows - direct) * (size_t)cols);
  }
  return st;
}

static void add_bias(const float *bias, int rows, int cols, float *result) {
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < cols; j++) {
      result[(size_t)i * (size_t)cols + (size_t)j] += bias[j];
    }
  }
}

/* A tile's place in y. */
static void deliver(const struct packed *p, const struct product *q, int row, int rows, int col,
                    int cols, const float *result) {
  for (int i = 0; i < rows; i++) {
    size_t at = (size_t)(row + i) * (size_t)q->ldy + (size_t)col;
    const float *from = result + (size_t)i * (size_t)cols;
    if (q->output == PRODUCT_ADD) {
      float *to = (float *)q->y + at;
      for (int j = 0; j < cols; j++) {
        to[j] += from[j];
      }
    } else {
      enum precision type = q->output == PRODUCT_SET ? PRECISION_FLOAT32 : p->precision;
      operand_narrow(type, from, (size_t)cols, operand_at(type, q->y, at));
    }
  }
}

static int one_tile(const struct job *job, int row, int col) {
  const struct packed *p = job->p;
  const struct product *q = job->q;
  float result[PRODUCT_TILE * PRODUCT_TILE];
  int rows = q->m - row < PRODUCT_TILE ? q->m - row : PRODUCT_TILE, cols = columns(p, col);
  int st = multiply(job, row, rows, col, cols, result);
  if (st != 0) {
    return st;
  }
  if (q->bias) {
    add_bias(q->bias + col, rows, cols, result);
  }
  if (q->finish) {
    q->finish(q->user, row, rows, col, cols, result);
  }
  if (q->output != PRODUCT_NONE) {
    deliver(p, q, row, rows, col, cols, result);
  }
  return 0;
}

static status run(const struct job *job, struct error *err) {
  int across = (job->p->n + PRODUCT_TILE - 1) / PRODUCT_TILE;
  int down = (job->q->m + PRODUCT_TILE - 1) / PRODUCT_TILE, worst = 0;
  /* Rows in the inner loop: a tile of weights stays in the cache while they pass. */
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int t = 0; t < across * down; t++) {
    int st = one_tile(job, t % down * PRODUCT_TILE, t / down * PRODUCT_TILE);
    worst = st > worst ? st : worst;
  }
  return tile_check(worst, "packed", err);
}

status packed_multiply(const struct packed *p, const struct product *q, struct error *err) {
  if (q->m < 0 || (q->output != PRODUCT_NONE && q->ldy < p->n)) {
    return err_set(err, STATUS_BUG, "packed: %d rows of %d numbers, %d apart", q->m, p->n, q->ldy);
  }
  int whole = q->m / PRODUCT_TILE * PRODUCT_TILE;
  struct job job = {.p = p, .q = q, .direct = whole + tile_direct_rows(q->m - whole)};
  if (job.direct == q->m) {
    return run(&job, err);
  }
  size_t row = operand_bytes(p->precision) * (size_t)p->k, left = (size_t)(q->m - job.direct);
  char *tail;
  TRY(mem_alloc(&tail, (size_t)tile_padded_rows(), row, err));
  memcpy(tail, operand_from(p->precision, q->x, (size_t)job.direct * (size_t)p->k), row * left);
  job.tail = tail;
  status st = run(&job, err);
  free(tail);
  return st;
}
