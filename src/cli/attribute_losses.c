/* What pruned models lost: per data set and model, averaged over draws, and per block. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/attribute.h"

enum {
  N = ATTRIBUTE_OWN,
  LOSS,
  LOSS_SD,
  ACCURACY,
  DROP,
  DROP_SD,
  GOLD,
  LAYER_ERROR,
  PERPLEXITY,
  RESTORED,
  RESTORED_LOW,
  RESTORED_HIGH,
  DEAD,
  DEAD_DENSE,
  COLUMNS
};
static const struct sheet_column columns[COLUMNS] = {
    ATTRIBUTE_COLUMNS,
    [N] = {"n", SHEET_COUNT, SHEET_ALWAYS},
    [LOSS] = {"NSA_loss", SHEET_SHARE, SHEET_ALWAYS},
    [LOSS_SD] = {"sd", SHEET_SHARE, SHEET_FILLED},
    [ACCURACY] = {"accuracy", SHEET_SCORE, SHEET_ALWAYS},
    [DROP] = {"drop", SHEET_SCORE, SHEET_ALWAYS},
    [DROP_SD] = {"drop_sd", SHEET_SCORE, SHEET_FILLED},
    [GOLD] = {"gold_change", SHEET_CHANGE, SHEET_ALWAYS},
    [LAYER_ERROR] = {"layer_error", SHEET_SHARE, SHEET_ALWAYS},
    [PERPLEXITY] = {"log_perplexity", SHEET_CHANGE, SHEET_ALWAYS},
    [RESTORED] = {"restored", SHEET_SHARE, SHEET_FILLED},
    [RESTORED_LOW] = {"low", SHEET_SHARE, SHEET_FILLED},
    [RESTORED_HIGH] = {"high", SHEET_SHARE, SHEET_FILLED},
    [DEAD] = {"dead", SHEET_COUNT, SHEET_ALWAYS},
    [DEAD_DENSE] = {"dead_dense", SHEET_COUNT, SHEET_ALWAYS},
};

enum { L_BLOCK = ATTRIBUTE_OWN, L_LOSS, L_DEAD, L_DEAD_DENSE, L_COLUMNS };
static const struct sheet_column layer_columns[L_COLUMNS] = {
    ATTRIBUTE_COLUMNS,
    [L_BLOCK] = {"block", SHEET_COUNT, SHEET_ALWAYS},
    [L_LOSS] = {"NSA_loss", SHEET_SHARE, SHEET_ALWAYS},
    [L_DEAD] = {"dead", SHEET_COUNT, SHEET_ALWAYS},
    [L_DEAD_DENSE] = {"dead_dense", SHEET_COUNT, SHEET_ALWAYS},
};

/* Lines that one row stands for. */
struct batch_of {
  const struct attribute_line **at; /* [count] */
  size_t count, planned;            /* planned: with failed ones */
};

/* Mean over what is a number; NaN where nothing is. */
struct mean {
  double sum, squares, first;
  size_t n;
};

static void mean_add(struct mean *m, double value) {
  if (isnan(value)) {
    return;
  }
  m->first = m->n ? m->first : value; /* far from 0, squares of differences keep their digits */
  m->sum += value - m->first;
  m->squares += (value - m->first) * (value - m->first);
  m->n++;
}

static double mean_of(const struct mean *m) {
  return m->n ? m->first + m->sum / (double)m->n : NAN;
}

static double mean_sd(const struct mean *m) {
  double spread = m->squares - m->sum * m->sum / (double)m->n;
  return m->n > 1 ? sqrt(fmax(spread, 0) / (double)(m->n - 1)) : NAN;
}

static double dead_of(const int32_t *dead, size_t blocks) {
  double sum = 0;
  for (size_t i = 0; i < blocks; i++) {
    sum += dead[i];
  }
  return sum;
}

static bool is_good(const struct attribute_line *l) {
  return l->base && !l->loss->failed;
}

/* Good lines like lines[first], which itself may have failed; those before it have had their turn.
 */
static bool gather(struct batch_of *g, const struct attribute_view *v, size_t first) {
  g->count = g->planned = 0;
  for (size_t i = 0; i < v->line_count; i++) {
    if (!attribute_same(&v->lines[i], &v->lines[first]) || (v->draws && i != first)) {
      continue;
    }
    if (i < first) {
      return false;
    }
    g->planned++;
    if (is_good(&v->lines[i])) {
      g->at[g->count++] = &v->lines[i];
    }
  }
  return g->count > 0;
}

static void fill_row(struct sheet_cell *row, const struct batch_of *g) {
  struct mean means[COLUMNS] = {{0}};
  for (size_t i = 0; i < g->count; i++) {
    const struct attribution_loss *l = g->at[i]->loss;
    const struct attribution_base *b = g->at[i]->base;
    mean_add(&means[LOSS], l->loss);
    mean_add(&means[ACCURACY], l->accuracy);
    mean_add(&means[DROP], b->accuracy - l->accuracy);
    mean_add(&means[GOLD], l->gold - b->gold);
    mean_add(&means[LAYER_ERROR], l->layer_error);
    mean_add(&means[PERPLEXITY], log(l->perplexity / b->perplexity));
    mean_add(&means[RESTORED], l->restored);
    mean_add(&means[DEAD], dead_of(l->dead, l->block_count));
    mean_add(&means[DEAD_DENSE], dead_of(b->dead, (size_t)b->blocks));
  }
  for (int c = LOSS; c < COLUMNS; c++) {
    row[c].number = mean_of(&means[c]);
  }
  row[LOSS_SD].number = mean_sd(&means[LOSS]);
  row[DROP_SD].number = mean_sd(&means[DROP]);
  row[N].number = (double)g->count;
  row[N].of = (double)g->planned;
  if (g->count == 1) {
    row[RESTORED_LOW].number = g->at[0]->loss->restored_low;
    row[RESTORED_HIGH].number = g->at[0]->loss->restored_high;
  }
}

static status note_failure(struct sheet *s, const struct attribute_line *l, struct error *err) {
  const struct results_variant *v = l->variant;
  TRY(str_addf(&s->notes, err, "%s: no attribution of %s", l->loss->dataset, l->label));
  if (v->calibration[0]) {
    TRY(str_addf(&s->notes, err, ", %s, draw %d", v->calibration, v->draw));
  }
  return str_addf(&s->notes, err, ": %s\n",
                  l->loss->failed ? l->loss->error : "the dense model has none to compare it with");
}

static status note_failures(const struct attribute_view *v, struct sheet *s, struct error *err) {
  for (size_t i = 0; i < v->line_count; i++) {
    TRY(is_good(&v->lines[i]) ? STATUS_OK : note_failure(s, &v->lines[i], err));
  }
  return STATUS_OK;
}

/* One row, or as many as there are blocks. */
typedef status add_rows(const struct attribute_view *v, struct sheet *s, const struct batch_of *g,
                        struct error *err);

static status add_loss(const struct attribute_view *v, struct sheet *s, const struct batch_of *g,
                       struct error *err) {
  struct sheet_cell *row;
  TRY(sheet_add(s, &row, err));
  attribute_head(row, g->at[0], v->draws);
  fill_row(row, g);
  return STATUS_OK;
}

static status add_blocks(const struct attribute_view *v, struct sheet *s, const struct batch_of *g,
                         struct error *err) {
  for (size_t k = 0; k < g->at[0]->loss->block_count; k++) {
    struct mean loss = {0}, dead = {0};
    struct sheet_cell *row;
    for (size_t i = 0; i < g->count; i++) {
      mean_add(&loss, g->at[i]->loss->block_loss[k]);
      mean_add(&dead, g->at[i]->loss->dead[k]);
    }
    TRY(sheet_add(s, &row, err));
    attribute_head(row, g->at[0], v->draws);
    row[L_BLOCK].number = (double)k;
    row[L_LOSS].number = mean_of(&loss);
    row[L_DEAD].number = mean_of(&dead);
    row[L_DEAD_DENSE].number = g->at[0]->base->dead[k];
  }
  return STATUS_OK;
}

static status fill(const struct attribute_view *v, struct sheet *s, add_rows *add,
                   struct error *err) {
  struct batch_of g = {.count = 0};
  TRY(mem_alloc(&g.at, v->line_count, sizeof(struct attribute_line *), err));
  status st = STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < v->line_count; i++) {
    st = gather(&g, v, i) ? add(v, s, &g, err) : STATUS_OK;
  }
  free((void *)g.at);
  return st == STATUS_OK ? note_failures(v, s, err) : st;
}

status attribute_losses(const struct attribute_view *v, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "losses",
                      .title = "What pruning took from the units of the words",
                      .columns = columns,
                      .column_count = COLUMNS};
  TRY(fill(v, s, add_loss, err));
  return str_addf(
      &s->notes, err,
      "NSA loss: share of the dense activation that the words' units lost at the words, words "
      "weighted by influence (0: nothing, 1: all); %sdrop: dense accuracy - accuracy; gold change: "
      "of the gold answers' mean log-likelihood; layer error: mean over blocks of |x' - x|^2 / "
      "|x|^2; log perplexity: its rise on the background\n"
      "restored: share of the gold change that the matched units' dense activations bring back%s; "
      "dead: units never active over the background, dead dense: before pruning\n",
      v->draws ? "" : "n: draws that are averaged; ",
      v->draws ? ", low, high: 95 % over items" : ", low, high: 95 % over items where n is 1");
}

status attribute_layers(const struct attribute_view *v, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "layers",
                      .title = "The same by block",
                      .columns = layer_columns,
                      .column_count = L_COLUMNS};
  TRY(fill(v, s, add_blocks, err));
  return str_addf(&s->notes, err,
                  "NSA loss: of the matched units in this block, - where it has none; dead: units "
                  "never active over the background%s\n",
                  v->draws ? "" : ", mean over draws");
}
