/* Opening what a grid names, and the checks that need it open. */
#include <string.h>

#include "attribution/attribution.h"
#include "base/mem.h"
#include "grid/plan_parts.h"

int plan_default_length(const struct model *m) {
  return model_positions(m) < LENGTH_MOST ? model_positions(m) : LENGTH_MOST;
}

/* Lengths and n:m patterns that a model cannot take. */
static status check_model(const struct plan *p, const struct plan_model *pm, struct error *err) {
  const struct grid *g = p->grid;
  int positions = model_positions(pm->model);
  for (size_t i = 0; i < g->length_count; i++) {
    if (g->lengths[i].value > positions) {
      return err_at(err, STATUS_INPUT, g->file.path, g->lengths[i].line,
                    "length %d is above the %d positions of model %s", g->lengths[i].value,
                    positions, pm->name);
    }
  }
  if (g->window > positions) {
    return err_at(err, STATUS_INPUT, g->file.path, g->window_line,
                  "window %d is above the %d positions of model %s", g->window, positions,
                  pm->name);
  }
  int count;
  const struct linear *linears = model_linears(pm->model, &count);
  for (size_t i = 0; i < g->sparsity_count; i++) {
    int m = g->sparsity[i].value.m;
    for (int k = 0; m && k < count; k++) {
      if (linears[k].cols % m != 0) {
        return err_at(err, STATUS_INPUT, g->file.path, g->sparsity[i].line,
                      "sparsity %s: the %d inputs of %s in model %s are no multiple of %d",
                      g->sparsity[i].text, linears[k].cols, linears[k].name, pm->name, m);
      }
    }
  }
  return STATUS_OK;
}

static status open_models(struct plan *p, struct error *err) {
  const struct grid *g = p->grid;
  TRY(mem_alloc(&p->models, g->model_count, sizeof *p->models, err));
  for (size_t i = 0; i < g->model_count; i++) {
    struct plan_model *pm = &p->models[p->model_count++];
    pm->name = g->models[i].name;
    pm->folder = g->models[i].folder;
    TRY(model_open(&pm->model, pm->folder, err));
    model_set_precision(pm->model, g->precision);
    TRY(tokenizer_open(&pm->tokenizer, pm->folder, err));
    TRY(check_model(p, pm, err));
  }
  return STATUS_OK;
}

/* A refusal that already names a file keeps it; the grid's line stands in front of any other. */
static status at_line(const struct grid *g, long line, struct error *err) {
  return err_prefix(err, "%s:%ld", g->file.path, line);
}

static status open_datasets(struct plan *p, struct error *err) {
  const struct grid *g = p->grid;
  TRY(mem_alloc(&p->datasets, g->dataset_count, sizeof *p->datasets, err));
  for (size_t i = 0; i < g->dataset_count; i++) {
    struct plan_dataset *d = &p->datasets[p->dataset_count];
    if (task_open(&d->task, g->datasets[i].path, &g->places->search, err) != STATUS_OK) {
      return at_line(g, g->datasets[i].line, err);
    }
    p->dataset_count++;
    d->name = task_name(d->task);
    d->kind = task_kind(d->task);
    for (size_t k = 0; k < i; k++) {
      if (strcmp(p->datasets[k].name, d->name) == 0) {
        return err_at(err, STATUS_INPUT, g->file.path, g->datasets[i].line,
                      "two data sets are called %s (%s and %s)", d->name, g->datasets[k].name,
                      g->datasets[i].name);
      }
    }
  }
  return STATUS_OK;
}

static status open_calibrations(struct plan *p, struct error *err) {
  const struct grid *g = p->grid;
  TRY(mem_alloc(&p->calibrations, g->set_count, sizeof *p->calibrations, err));
  for (size_t i = 0; i < g->set_count; i++) {
    struct plan_calibration *c = &p->calibrations[p->calibration_count];
    if (calibration_open(&c->calibration, g->sets[i].path, &g->places->search, err) != STATUS_OK) {
      return at_line(g, g->sets[i].line, err);
    }
    p->calibration_count++;
    c->name = calibration_name(c->calibration);
    for (size_t k = 0; k < i; k++) {
      if (strcmp(p->calibrations[k].name, c->name) == 0) {
        return err_at(err, STATUS_INPUT, g->file.path, g->sets[i].line,
                      "two calibration sets are called %s (%s and %s)", c->name, g->sets[k].name,
                      g->sets[i].name);
      }
    }
  }
  return STATUS_OK;
}

static status check_attributed(const struct plan *p, struct error *err) {
  const struct grid *g = p->grid;
  for (size_t i = 0; g->attributed && i < p->dataset_count; i++) {
    if (g->attributed[i] && attribution_accepts(p->datasets[i].task, err) != STATUS_OK) {
      return at_line(g, g->attributed[i], err);
    }
  }
  return STATUS_OK;
}

static status open_background(struct plan *p, struct error *err) {
  const struct grid *g = p->grid;
  struct plan_calibration *b = &p->background;
  if (calibration_open(&b->calibration, g->background.path, &g->places->search, err) != STATUS_OK) {
    return at_line(g, g->background.line, err);
  }
  b->name = calibration_name(b->calibration);
  return STATUS_OK;
}

status plan_open_parts(struct plan *p, struct error *err) {
  TRY(open_models(p, err));
  TRY(open_datasets(p, err));
  TRY(check_attributed(p, err));
  TRY(open_calibrations(p, err));
  return p->grid->attributed ? open_background(p, err) : STATUS_OK;
}
