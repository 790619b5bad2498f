#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/bench.h"
#include "model/synthetic.h"

enum { LENGTH_USUAL = 512 };
static const char SHAPE_USUAL[] = "llama-110m";

static status open_checkpoints(struct bench *b, const char *text, struct error *err) {
  for (int p = 0; p < PRECISION_COUNT; p++) {
    struct checkpoint *c = &b->model.checkpoints[p];
    if (b->a->precisions[p]) {
      status st = checkpoint_open(c, text, b->places, err);
      if (st != STATUS_OK) {
        checkpoint_close(c);
        return st;
      }
      model_set_precision(c->model, (enum precision)p);
      b->model.any = c;
    }
  }
  return STATUS_OK;
}

static void remove_folder(const char *folder) {
  static const char *const names[] = {"model.safetensors", "config.json"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char *path;
    if (str_format(&path, NULL, "%s/%s", folder, names[i]) == STATUS_OK) {
      (void)unlink(path);
      free(path);
    }
  }
  (void)rmdir(folder);
}

/* An open model keeps its files mapped, so their names can go at once. */
static status open_random_in(struct bench *b, const struct synthetic_shape *shape,
                             const char *folder, struct error *err) {
  status st = synthetic_write(folder, shape, DTYPE_BF16, 0, err);
  if (st == STATUS_OK) {
    st = open_checkpoints(b, folder, err);
  }
  remove_folder(folder);
  return st;
}

static status open_random(struct bench *b, struct error *err) {
  const char *base = getenv("TMPDIR");
  char *folder;
  struct synthetic_shape shape;
  TRY_WITH(err, synthetic_shape_parse(&shape, b->a->shape ? b->a->shape : SHAPE_USUAL, err),
           "--shape");
  TRY(str_format(&folder, err, "%s/espalier-bench-XXXXXX", base && *base ? base : "/tmp"));
  /* Signals wait until nothing is left on disk that they could leave there. */
  sigset_t ends, before;
  (void)sigemptyset(&ends);
  (void)sigaddset(&ends, SIGINT);
  (void)sigaddset(&ends, SIGTERM);
  (void)sigaddset(&ends, SIGHUP);
  (void)sigprocmask(SIG_BLOCK, &ends, &before);
  status st = mkdtemp(folder) ? open_random_in(b, &shape, folder, err)
                              : err_errno(err, STATUS_IO, "%s", folder);
  (void)sigprocmask(SIG_SETMASK, &before, NULL);
  free(folder);
  return st;
}

status bench_model_open(struct bench *b, struct error *err) {
  return b->a->model ? open_checkpoints(b, b->a->model, err) : open_random(b, err);
}

void bench_model_close(struct bench_model *m) {
  for (int p = 0; p < PRECISION_COUNT; p++) {
    checkpoint_close(&m->checkpoints[p]);
  }
  m->any = NULL;
}

status bench_length(const struct bench *b, int *out, struct error *err) {
  int positions = model_positions(b->model.any->model);
  if (b->a->length > positions) {
    return err_set(err, STATUS_INPUT, "--batch: %d tokens a sequence, the model has %d positions",
                   b->a->length, positions);
  }
  *out = b->a->length ? b->a->length : positions < LENGTH_USUAL ? positions : LENGTH_USUAL;
  return STATUS_OK;
}

size_t bench_budget(const struct bench *b) {
  size_t count = 0;
  for (int p = 0; p < PRECISION_COUNT; p++) {
    count += b->a->precisions[p];
  }
  return b->session->memory / 2 / count;
}
