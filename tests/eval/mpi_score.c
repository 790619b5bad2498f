/* Scores do not depend on how many ranks share the packs, nor on what stands beside a request. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eval/request.h"
#include "make_checkpoint.h"
#include "mpi_support.h"

static struct group group;
static int failures;

static void expect(bool good, const char *what) {
  if (!good) {
    (void)fprintf(stderr, "rank %d of %d: %s\n", group.rank, group.size, what);
    failures++;
  }
}

enum { DOCS = 120, CHOICES = 3, REQUESTS = DOCS * CHOICES };

/* Documents with contexts of 20 to 120 tokens and choices of 1 to 6. */
static bool fill(struct requests *r, const struct model *m, int first, int count) {
  int32_t ids[200];
  for (int i = first; i < first + count; i++) {
    int doc = i / CHOICES, choice = i % CHOICES;
    for (int j = 0; j < 200; j++) {
      ids[j] = (j * 31 + doc * 7) % 90;
    }
    if (requests_add_ids(r, m, ids, 20 + doc % 101, ids + 3 * choice, 1 + (doc + choice) % 6,
                         NULL) != STATUS_OK) {
      return false;
    }
  }
  return true;
}

static void ranks_give_the_bits_of_one_process(struct runner *runner, const struct model *m,
                                               const struct requests *r) {
  static struct score shared[REQUESTS], single[REQUESTS];
  struct group one = group_single();
  expect(requests_score(r, runner, m, &group, NULL, NULL, shared, NULL) == STATUS_OK, "shared");
  expect(requests_score(r, runner, m, &one, NULL, NULL, single, NULL) == STATUS_OK, "single");
  bool same = true;
  for (int i = 0; i < REQUESTS; i++) {
    same = same && shared[i].loglikelihood == single[i].loglikelihood &&
           shared[i].greedy == single[i].greedy && shared[i].tokens == single[i].tokens;
    same = same && single[i].loglikelihood < 0 && isfinite(single[i].loglikelihood);
  }
  expect(same, "scores differ from one process's");
}

static void a_request_scores_as_if_alone(struct runner *runner, const struct model *m,
                                         const struct requests *r) {
  static struct score all[REQUESTS];
  struct group one = group_single();
  expect(requests_score(r, runner, m, &one, NULL, NULL, all, NULL) == STATUS_OK, "all");
  for (int i = 0; i < REQUESTS; i += 37) {
    struct requests alone = {0};
    struct score score = {0};
    expect(fill(&alone, m, i, 1), "one request");
    expect(requests_score(&alone, runner, m, &one, NULL, NULL, &score, NULL) == STATUS_OK, "alone");
    expect(fabs(score.loglikelihood - all[i].loglikelihood) < 1e-4, "alone it scores otherwise");
    expect(score.greedy == all[i].greedy, "alone its greedy flag differs");
    requests_free(&alone);
  }
}

static status stop_on_last(void *user, double done, struct error *err) {
  (void)user;
  (void)done;
  return group.rank == group.size - 1 ? err_set(err, STATUS_TIME, "stopped") : STATUS_OK;
}

static void one_rank_s_stop_stops_all(struct runner *runner, const struct model *m,
                                      const struct requests *r) {
  static struct score scores[REQUESTS];
  struct error err;
  expect(requests_score(r, runner, m, &group, stop_on_last, NULL, scores, &err) == STATUS_TIME,
         "a stopped rank stops the others");
  expect(strstr(err.text, "stopped") != NULL, err.text);
}

static struct model *open_model(void) {
  struct checkpoint_shape shape = {.positions = 160, .vocab = 96, .kv_heads = 2};
  char folder[] = "/tmp/espalier-score-XXXXXX", path[64];
  struct model *m = NULL;
  if (!mkdtemp(folder) || !make_checkpoint(folder, &shape)) {
    return NULL;
  }
  struct error err;
  if (model_open(&m, folder, &err) != STATUS_OK) {
    (void)fprintf(stderr, "%s\n", err.text);
  }
  (void)snprintf(path, sizeof path, "%s/config.json", folder);
  (void)unlink(path);
  (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
  (void)unlink(path);
  (void)rmdir(folder);
  return m;
}

int main(int argc, char **argv) {
  mpi_start(&argc, &argv);
  struct model *m = open_model();
  struct runner *runner = NULL;
  struct requests r = {0};
  if (!m || group_from(&group, MPI_COMM_WORLD, NULL) != STATUS_OK ||
      runner_open(&runner, m, NULL, 0, NULL) != STATUS_OK || !fill(&r, m, 0, REQUESTS)) {
    MPI_Abort(MPI_COMM_WORLD, 1);
    return 1;
  }
  ranks_give_the_bits_of_one_process(runner, m, &r);
  a_request_scores_as_if_alone(runner, m, &r);
  one_rank_s_stop_stops_all(runner, m, &r);
  requests_free(&r);
  runner_close(runner);
  model_close(m);
  return mpi_finish(failures != 0);
}
