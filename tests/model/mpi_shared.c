/* What the ranks of a group have in common, a block or pruned weights or all of a runner's blocks,
 * gives the bits of a process's own. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "make_checkpoint.h"
#include "model/runner.h"
#include "mpi_support.h"

static struct group group;
static int failures;

static void expect(bool good, const char *what) {
  if (!good) {
    (void)fprintf(stderr, "rank %d of %d: %s\n", group.rank, group.size, what);
    failures++;
  }
}

static void must(status st, const struct error *err) {
  if (st != STATUS_OK) {
    (void)fprintf(stderr, "rank %d of %d: %s\n", group.rank, group.size, err->text);
    MPI_Abort(MPI_COMM_WORLD, 1);
    exit(1);
  }
}

/* Linears of one tile, of one and a bit, and of more tiles than ranks. */
static struct model *open_model(void) {
  struct checkpoint_shape shape = {
      .hidden = 320, .ffn = 1500, .positions = 64, .kv_heads = 2, .blocks = 3, .dtype = "BF16"};
  char folder[] = "/tmp/espalier-shared-XXXXXX", path[64];
  struct model *m;
  struct error err = {0};
  if (!mkdtemp(folder) || !make_checkpoint(folder, &shape)) {
    MPI_Abort(MPI_COMM_WORLD, 1);
    exit(1);
  }
  must(model_open(&m, folder, &err), &err);
  static const char *const files[] = {"config.json", "model.safetensors"};
  for (int i = 0; i < 2; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
    (void)unlink(path);
  }
  (void)rmdir(folder);
  return m;
}

enum { TOKENS = 40 };

static struct batch some_tokens(void) {
  static int32_t ids[TOKENS];
  static struct span span = {.length = TOKENS};
  for (int i = 0; i < TOKENS; i++) {
    ids[i] = i * 31 % 90;
  }
  return (struct batch){ids, TOKENS, &span, 1};
}

/* x [tokens][hidden] behind the block. */
static void run(const struct model *m, const struct block *b, float *x) {
  struct error err = {0};
  struct workspace *w;
  struct batch batch = some_tokens();
  must(workspace_create(&w, m, &err), &err);
  must(forward_embed(m, w, &batch, x, &err), &err);
  must(forward_block(b, w, &batch, x, NULL, &err), &err);
  workspace_free(w);
}

/* Pruned weights of a linear, the same on all ranks: every third is zero. */
static float *prune(const struct model *m, int block, int linear) {
  struct error err = {0};
  int count;
  const struct linear *l = &model_linears(m, &count)[linear];
  size_t size = (size_t)l->rows * (size_t)l->cols;
  float *w = malloc(size * sizeof *w);
  must(model_linear_read(m, block, linear, w, &err), &err);
  for (size_t i = 0; i < size; i += 3) {
    w[i] = 0;
  }
  return w;
}

static void blocks_are_the_same(const struct model *m) {
  struct error err = {0};
  struct block *alone, *shared;
  int count;
  (void)model_linears(m, &count);
  size_t size = (size_t)TOKENS * (size_t)model_hidden(m), bytes = size * sizeof(float);
  float *x = malloc(bytes), *y = malloc(bytes);
  must(block_create(&alone, m, &err), &err);
  must(block_create_shared(&shared, m, &group, &err), &err);
  for (int b = 0; b < model_blocks(m); b++) {
    must(block_load(alone, b, NULL, &err), &err);
    must(block_load(shared, b, NULL, &err), &err);
    run(m, alone, x);
    run(m, shared, y);
    expect(memcmp(x, y, bytes) == 0, "a shared block");
    must(block_meet(shared, &err), &err);
    for (int l = 0; l < count; l += 2) {
      float *w = prune(m, b, l);
      block_set_linear(alone, l, w);
      block_set_linear(shared, l, w);
      free(w);
    }
    must(block_meet(shared, &err), &err);
    run(m, alone, x);
    run(m, shared, y);
    expect(memcmp(x, y, bytes) == 0, "a shared block with linears replaced");
  }
  block_free(shared);
  block_free(alone);
  free(x);
  free(y);
}

static bool same_answers(const struct answer *a, const struct answer *b, int count) {
  for (int i = 0; i < count; i++) {
    if (memcmp(&a[i].logprob, &b[i].logprob, sizeof a->logprob) != 0 ||
        a[i].greedy != b[i].greedy) {
      return false;
    }
  }
  return true;
}

static void answer(struct runner *r, struct answer *answers) {
  struct error err = {0};
  struct query queries[TOKENS];
  for (int i = 0; i < TOKENS; i++) {
    queries[i] = (struct query){i, i * 7 % 90};
  }
  struct work work = {some_tokens(), queries, TOKENS, answers, NULL};
  must(runner_answer(r, &work, 1, &err), &err);
  runner_close(r);
}

static size_t budget_of_a_block(const struct model *m) {
  int count;
  const struct linear *l = model_linears(m, &count);
  size_t numbers = 0;
  for (int i = 0; i < count; i++) {
    numbers += (size_t)l[i].rows * (size_t)l[i].cols;
  }
  return numbers * sizeof(float) + 1;
}

static void runners_answer_the_same(const struct model *m, const struct overlay *overlay) {
  struct error err = {0};
  struct answer alone[TOKENS], shared[TOKENS];
  const size_t budgets[] = {SIZE_MAX, budget_of_a_block(m), 0};
  struct runner *r;
  must(runner_open(&r, m, overlay, SIZE_MAX, &err), &err);
  answer(r, alone);
  for (int i = 0; i < 3; i++) {
    /* one rank of less memory than the others decides */
    size_t mine = group.rank == group.size - 1 ? budgets[i] : SIZE_MAX;
    must(runner_open_shared(&r, m, overlay, mine, &group, &err), &err);
    answer(r, shared);
    expect(same_answers(alone, shared, TOKENS), "answers of a shared runner");
  }
}

static void put_all(struct overlay *o, const struct model *m, int linears) {
  for (int b = 0; b < model_blocks(m); b++) {
    for (int l = 0; l < linears; l++) {
      float *w = prune(m, b, l);
      overlay_put(o, b, l, w);
      free(w);
    }
  }
}

static void expect_pruned(const struct overlay *o, const struct model *m, int linears) {
  const struct linear *list = model_linears(m, &linears);
  for (int b = 0; b < model_blocks(m); b++) {
    for (int l = 0; l < linears; l++) {
      float *w = prune(m, b, l);
      size_t bytes = (size_t)list[l].rows * (size_t)list[l].cols * sizeof *w;
      expect(overlay_has(o, b, l) && memcmp(overlay_weights(o, b, l), w, bytes) == 0, "weights");
      free(w);
    }
  }
}

static void pruned_weights_are_the_same(const struct model *m) {
  struct error err = {0};
  struct overlay *o;
  int linears;
  (void)model_linears(m, &linears);
  must(overlay_create_shared(&o, m, &group, &err), &err);
  for (int times = 0; times < 2; times++) {
    expect(!overlay_has(o, 0, 0), "nothing at first");
    put_all(o, m, linears);
    must(overlay_meet(o, STATUS_OK, &err), &err);
    expect_pruned(o, m, linears);
    runners_answer_the_same(m, o);
    must(overlay_meet(o, STATUS_OK, &err), &err);
    overlay_clear(o);
  }
  overlay_free(o);
}

/* In one rank's share: all ranks hear of it. */
static void bad_weights_fail_everywhere(const struct model *m) {
  struct error err = {0};
  struct overlay *o;
  struct runner *r;
  int linears;
  const struct linear *l = model_linears(m, &linears);
  must(overlay_create_shared(&o, m, &group, &err), &err);
  float *w = prune(m, 1, linears - 1);
  w[(size_t)l[linears - 1].rows * (size_t)l[linears - 1].cols - 1] = NAN;
  overlay_put(o, 1, linears - 1, w);
  must(overlay_meet(o, STATUS_OK, &err), &err);
  expect(runner_open_shared(&r, m, o, SIZE_MAX, &group, &err) == STATUS_NUMERIC, "status");
  expect(strstr(err.text, "layers.1.mlp.down_proj") != NULL, "text");
  free(w);
  overlay_free(o);
}

int main(int argc, char **argv) {
  mpi_start(&argc, &argv);
  if (group_from(&group, MPI_COMM_WORLD, NULL) != STATUS_OK) {
    MPI_Abort(MPI_COMM_WORLD, 1);
    return 1;
  }
  struct model *m = open_model();
  blocks_are_the_same(m);
  runners_answer_the_same(m, NULL);
  pruned_weights_are_the_same(m);
  bad_weights_fail_everywhere(m);
  model_close(m);
  int64_t all = failures;
  return mpi_finish(group_sum_int64(&group, &all, 1, NULL) != STATUS_OK || all > 0);
}
