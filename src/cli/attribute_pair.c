#include "cli/attribute_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/attribution.h"
#include "base/mem.h"
#include "calib/calib.h"
#include "cli/checkpoint.h"

#define BACKGROUND_SEED 1000003 /* as an experiment's */

/* What is open between the steps. */
struct pairing {
  const struct attribute_pair *a;
  size_t budget;
  struct checkpoint dense, pruned;
  struct task *task;
  struct evalset *set;
  struct sequences windows;
  struct background before, after;
  struct attribution *attribution;
};

static void close_pairing(struct pairing *p) {
  attribution_close(p->attribution);
  background_free(&p->before);
  background_free(&p->after);
  sequences_free(&p->windows);
  evalset_free(p->set);
  task_close(p->task);
  checkpoint_close(&p->dense);
  checkpoint_close(&p->pruned);
}

static status open_models(struct pairing *p, const struct cli_places *places, struct error *err) {
  TRY(checkpoint_open(&p->dense, p->a->model, places, err));
  TRY(checkpoint_open(&p->pruned, p->a->pruned, places, err));
  model_set_precision(p->dense.model, p->a->precision);
  model_set_precision(p->pruned.model, p->a->precision);
  TRY(units_match(p->dense.model, p->pruned.model, err));
  if (!p->dense.tokenizer) {
    return err_set(err, STATUS_INPUT, "%s has no tokenizer.json", p->dense.folder);
  }
  if (p->pruned.tokenizer &&
      strcmp(tokenizer_digest(p->dense.tokenizer), tokenizer_digest(p->pruned.tokenizer)) != 0) {
    return err_set(err, STATUS_INPUT, "%s and %s have different tokenizers", p->dense.folder,
                   p->pruned.folder);
  }
  return STATUS_OK;
}

static status draw_windows(struct pairing *p, const struct cli_places *places, struct error *err) {
  struct calibration *c;
  TRY(calibration_open(&c, p->a->background, &places->places.search, err));
  int samples = p->a->options.background, most = model_positions(p->dense.model);
  const struct draw draw = {.seed = p->a->options.seed + BACKGROUND_SEED,
                            .draws = 1,
                            .samples = samples,
                            .most = samples,
                            .length = most < BACKGROUND_LENGTH ? most : BACKGROUND_LENGTH};
  status st = calibration_draw(c, p->dense.tokenizer, p->dense.model, &draw, &p->windows, err);
  calibration_close(c);
  return st;
}

static status open_data(struct pairing *p, const struct cli_places *places, struct error *err) {
  const struct evalset_options options = {
      .limit = p->a->limit, .shots = p->a->shots, .bos = p->a->bos, .spans = true};
  TRY(task_open(&p->task, p->a->dataset, &places->places.search, err));
  TRY(evalset_create(&p->set, p->task, p->dense.tokenizer, p->dense.model, &options, err));
  return draw_windows(p, places, err);
}

static void say(const struct pairing *p, const char *what) {
  if (!p->a->quiet) {
    (void)fprintf(stderr, "%s\n", what);
  }
}

static status look_at_dense(struct pairing *p, struct runner *dense, struct error *err) {
  const struct watcher nobody = {NULL, NULL};
  const struct subject subject = {.task = p->task,
                                  .set = p->set,
                                  .model = p->dense.model,
                                  .tokenizer = p->dense.tokenizer,
                                  .background = &p->before,
                                  .limit = p->a->limit,
                                  .shots = p->a->shots,
                                  .bos = p->a->bos};
  say(p, "background of the dense model");
  TRY(background_observe(&p->before, p->dense.model, dense, &p->windows, NULL, NULL, err));
  say(p, "words and their units");
  TRY(attribution_open(&p->attribution, &subject, &p->a->options, dense, &nobody, err));
  if (p->a->options.causal) {
    say(p, "the causal check");
    TRY(attribution_check(p->attribution, dense, &nobody, err));
  }
  return STATUS_OK;
}

static status look_at_pruned(struct pairing *p, struct runner *pruned,
                             struct attribution_loss *loss, struct error *err) {
  const struct watcher nobody = {NULL, NULL};
  struct eval_result result = {0};
  say(p, "the pruned model");
  TRY(background_observe(&p->after, p->pruned.model, pruned, &p->windows, NULL, NULL, err));
  status st = attribution_measure(p->attribution, pruned, &p->after, &nobody, &result, loss, err);
  eval_result_free(&result);
  return st;
}

static status compare(struct pairing *p, struct attribution_loss *loss, struct error *err) {
  struct runner *runner;
  TRY(runner_open(&runner, p->dense.model, NULL, p->budget, err));
  status st = look_at_dense(p, runner, err);
  runner_close(runner);
  TRY(st);
  TRY(runner_open(&runner, p->pruned.model, NULL, p->budget, err));
  st = look_at_pruned(p, runner, loss, err);
  runner_close(runner);
  return st;
}

/* The attribution's record outlives it. */
static status take_base(struct pairing *p, struct attribution_base *out, struct error *err) {
  struct attribution_base *base = attribution_base(p->attribution);
  (void)snprintf(base->variant, sizeof base->variant, "dense");
  (void)snprintf(base->dataset, sizeof base->dataset, "%s", task_name(p->task));
  unsigned char *bytes;
  size_t size;
  TRY(record_encode_attribution_base(base, &bytes, &size, err));
  status st = record_decode_attribution_base(out, bytes, size, err);
  free(bytes);
  return st;
}

status attribute_pair(const struct attribute_pair *a, const struct cli_places *places,
                      const struct session *session, struct attribution_base *base,
                      struct attribution_loss *loss, struct error *err) {
  struct pairing p = {.a = a, .budget = session->memory / 2};
  *base = (struct attribution_base){0};
  *loss = (struct attribution_loss){0};
  status st;
  TRY_GOTO(st, done, open_models(&p, places, err));
  TRY_GOTO(st, done, open_data(&p, places, err));
  TRY_GOTO(st, done, compare(&p, loss, err));
  TRY_GOTO(st, done, take_base(&p, base, err));
  (void)snprintf(loss->variant, sizeof loss->variant, "pruned");
  (void)snprintf(loss->dataset, sizeof loss->dataset, "%s", task_name(p.task));
done:
  close_pairing(&p);
  return st;
}
