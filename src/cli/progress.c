#include "cli/progress.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/duration.h"
#include "sched/host.h"

enum { BAR = 24, LINE = 512 };
static const double REDRAW = 0.2;    /* seconds between two bars */
static const double LINE_EVERY = 10; /* seconds between two plain lines */

status progress_open(struct progress *p, bool quiet, const char *json, struct error *err) {
  *p = (struct progress){.quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1};
  p->drawn = -INFINITY;
  if (json) {
    p->json = fopen(json, "a");
    if (!p->json) {
      return err_errno(err, STATUS_IO, "%s", json);
    }
  }
  return STATUS_OK;
}

static void clear_bar(struct progress *p) {
  if (p->bar) {
    (void)fputs("\r\033[K", stderr);
    p->bar = false;
  }
}

void progress_close(struct progress *p) {
  clear_bar(p);
  if (p->json) {
    (void)fclose(p->json);
  }
  p->json = NULL;
}

static void line(struct progress *p, const char *text) {
  if (p->quiet) {
    return;
  }
  clear_bar(p);
  (void)fprintf(stderr, "%s\n", text);
}

/* Draws when it is time to: a bar, or a line after a longer while. */
static void draw(struct progress *p, double share, const char *text) {
  double now = host_seconds();
  if (p->quiet || now - p->drawn < (p->terminal ? REDRAW : LINE_EVERY)) {
    return;
  }
  if (!p->terminal && p->drawn < 0) { /* nothing to tell at the very start */
    p->drawn = now;
    return;
  }
  p->drawn = now;
  if (!p->terminal) {
    (void)fprintf(stderr, "%s\n", text);
    return;
  }
  char bar[BAR + 1];
  int full = (int)(share * BAR);
  for (int i = 0; i < BAR; i++) {
    bar[i] = i < full ? '#' : '.';
  }
  bar[BAR] = '\0';
  (void)fprintf(stderr, "\r\033[K[%s] %s", bar, text);
  (void)fflush(stderr);
  p->bar = true;
}

void progress_share(struct progress *p, const char *what, double done, double elapsed) {
  char left[32], text[LINE];
  duration_print(done > 0 ? elapsed / done - elapsed : NAN, left, sizeof left);
  (void)snprintf(text, sizeof text, "%s: %.0f %%, %s left", what, 100 * done, left);
  draw(p, done, text);
}

static void describe(const struct run_state *s, char *out, size_t size) {
  char left[32], rate[32] = "";
  duration_print(s->left, left, sizeof left);
  size_t fresh = s->done - s->reused;
  if (fresh && s->elapsed > 0) {
    (void)snprintf(rate, sizeof rate, ", %.3g cells/min", 60 * (double)fresh / s->elapsed);
  }
  (void)snprintf(out, size, "%zu/%zu cells, %zu failed%s, %s left", s->done, s->cells, s->failed,
                 rate, left);
}

/* "wanda 0.5 c4 draw 1": how a line names a variant. */
static void name_variant(const struct plan *plan, size_t variant, char *out, size_t size) {
  const struct variant *v = &plan->variants[variant];
  const char *model = plan->models[v->model].name;
  if (v->calibration >= 0) {
    (void)snprintf(out, size, "%s %s %s %s draw %d", model, v->label, v->sparsity_text,
                   plan->calibrations[v->calibration].name, v->draw);
  } else {
    (void)snprintf(out, size, "%s %s %s", model, v->label, v->sparsity_text);
  }
}

static const char *event_name(enum run_event_kind kind) {
  switch (kind) {
  case RUN_STARTED:
    return "started";
  case RUN_NOTE:
    return "note";
  case RUN_CELL:
    return "cell";
  case RUN_VARIANT:
    return "variant";
  case RUN_LOST:
    return "rank lost";
  case RUN_PROGRESS:
    return "progress";
  case RUN_FINISHED:
    return "finished";
  }
  return "";
}

static void log_entry(cJSON *o, const struct run_event *e) {
  const struct plan *plan = e->state->plan;
  char name[LINE];
  name_variant(plan, e->entry->variant, name, sizeof name);
  (void)cJSON_AddStringToObject(o, "variant", plan->variants[e->entry->variant].id);
  (void)cJSON_AddStringToObject(o, "name", name);
  if (e->kind == RUN_CELL) {
    (void)cJSON_AddStringToObject(o, "dataset", plan->datasets[e->entry->dataset].name);
  }
  (void)cJSON_AddBoolToObject(o, "failed", e->entry->failed);
  if (e->entry->failed) {
    (void)cJSON_AddStringToObject(o, "error", e->entry->error);
  }
}

static void log_event(struct progress *p, const struct run_event *e) {
  cJSON *o = cJSON_CreateObject();
  (void)cJSON_AddNumberToObject(o, "time", (double)time(NULL));
  (void)cJSON_AddStringToObject(o, "event", event_name(e->kind));
  (void)cJSON_AddNumberToObject(o, "elapsed", e->state->elapsed);
  (void)cJSON_AddNumberToObject(o, "done", (double)e->state->done);
  (void)cJSON_AddNumberToObject(o, "cells", (double)e->state->cells);
  (void)cJSON_AddNumberToObject(o, "cells_failed", (double)e->state->failed);
  if (e->entry) {
    log_entry(o, e);
  }
  if (e->kind == RUN_LOST) {
    (void)cJSON_AddNumberToObject(o, "rank", e->rank);
  }
  if (e->text) {
    (void)cJSON_AddStringToObject(o, "text", e->text);
  }
  char *text = cJSON_PrintUnformatted(o);
  if (text) {
    (void)fprintf(p->json, "%s\n", text);
    (void)fflush(p->json);
  }
  free(text);
  cJSON_Delete(o);
}

static void see_failure(struct progress *p, const struct run_event *e) {
  if (!e->entry->failed) {
    return;
  }
  const struct plan *plan = e->state->plan;
  char name[LINE], text[2 * LINE];
  name_variant(plan, e->entry->variant, name, sizeof name);
  (void)snprintf(text, sizeof text, "failed: %s on %s: %s", name,
                 plan->datasets[e->entry->dataset].name, e->entry->error);
  line(p, text);
}

void progress_see(void *user, const struct run_event *e) {
  struct progress *p = user;
  char text[LINE];
  if (p->json && e->kind != RUN_PROGRESS) {
    log_event(p, e);
  }
  describe(e->state, text, sizeof text);
  switch (e->kind) {
  case RUN_STARTED:
    (void)snprintf(text, sizeof text, "%zu cells of %zu variants on %d rank%s (%zu done before)",
                   e->state->cells, e->state->plan->variant_count, e->state->ranks,
                   e->state->ranks == 1 ? "" : "s", e->state->reused);
    line(p, text);
    break;
  case RUN_NOTE:
    line(p, e->text);
    break;
  case RUN_CELL:
    see_failure(p, e);
    draw(p, e->state->share, text);
    break;
  case RUN_VARIANT:
    break;
  case RUN_LOST:
    (void)snprintf(text, sizeof text, "rank %d is lost, its work goes to others", e->rank);
    line(p, text);
    break;
  case RUN_PROGRESS:
    draw(p, e->state->share, text);
    break;
  case RUN_FINISHED:
    clear_bar(p);
    break;
  }
}
