#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/sensitivity.h"
#include "store/overlap.h"

enum {
  METHOD = COLUMN_METHOD,
  LINEAR,
  N,
  WITHIN_N,
  WITHIN,
  BETWEEN_N,
  BETWEEN,
  CHANCE,
  WHY,
  COLUMNS
};
static const struct sheet_column columns[COLUMNS] = {
    DESIGN_COLUMNS,
    [METHOD] = {"method", SHEET_TEXT, SHEET_ALWAYS},
    [LINEAR] = {"linear", SHEET_TEXT, SHEET_VARIED},
    [N] = {"n", SHEET_COUNT, SHEET_ALWAYS},
    [WITHIN_N] = {"pairs_within", SHEET_COUNT, SHEET_ALWAYS},
    [WITHIN] = {"iou_within", SHEET_SHARE, SHEET_ALWAYS},
    [BETWEEN_N] = {"pairs_between", SHEET_COUNT, SHEET_ALWAYS},
    [BETWEEN] = {"iou_between", SHEET_SHARE, SHEET_ALWAYS},
    [CHANCE] = {"chance", SHEET_SHARE, SHEET_ALWAYS},
    [WHY] = {"why", SHEET_TEXT, SHEET_FILLED},
};

/* Means of intersections over unions, of pairs in one calibration set and of pairs in two. */
struct means {
  double sums[2]; /* within, between */
  size_t counts[2];
  double chance; /* sum over both */
};

static void means_add(struct means *m, bool between, const struct overlap *o) {
  double iou = overlap_iou(o);
  if (!isnan(iou)) {
    m->sums[between] += iou;
    m->counts[between]++;
    m->chance += overlap_chance(o);
  }
}

/* One kind of linear, in all blocks; each block's masks count as one. */
struct linear {
  const char *name; /* "self_attn.q_proj"; the sheet's */
  struct means means;
};

/* The variants of a group that have masks. */
struct masked {
  struct sheet *sheet;
  const char **ids; /* [count] */
  int *sets;        /* [count] */
  size_t count;
  struct linear *linears; /* [linear_count] */
  size_t linear_count, cap;
};

static void masked_free(struct masked *m) {
  free((void *)m->ids);
  free(m->sets);
  free(m->linears);
}

/* "model.layers.3.self_attn.q_proj.weight" -> "self_attn.q_proj", *length long; the whole name
 * where no block's number stands in it. */
static const char *kind_of(const char *tensor, size_t *length) {
  const char *at = tensor;
  for (const char *dot = strchr(tensor, '.'); dot; dot = strchr(dot + 1, '.')) {
    size_t digits = strspn(dot + 1, "0123456789");
    if (digits && dot[1 + digits] == '.') {
      at = dot + 2 + digits;
      break;
    }
  }
  *length = strlen(at);
  if (str_ends(at, ".weight")) {
    *length -= strlen(".weight");
  }
  return at;
}

static status see(void *user, const struct mask_tensor *t, size_t i, size_t j,
                  const struct overlap *o, struct error *err) {
  struct masked *m = user;
  const char *name;
  size_t length, k = 0;
  const char *kind = kind_of(t->name, &length);
  TRY(sheet_word(m->sheet, kind, length, &name, err));
  while (k < m->linear_count && m->linears[k].name != name) {
    k++;
  }
  if (k == m->linear_count) {
    TRY(mem_reserve(&m->linears, &m->cap, k + 1, sizeof *m->linears, err));
    m->linears[m->linear_count++] = (struct linear){.name = name};
  }
  means_add(&m->linears[k].means, m->sets[i] != m->sets[j], o);
  return STATUS_OK;
}

static status add_row(const struct masked *m, const struct design_group *g, const char *linear,
                      const struct means *means, struct error *err) {
  struct sheet_cell *row;
  TRY(sheet_add(m->sheet, &row, err));
  design_label(row, NULL, g);
  row[LINEAR].text = linear;
  row[N].number = (double)m->count;
  row[N].of = (double)g->count;
  for (int k = 0; k < 2; k++) {
    row[k ? BETWEEN_N : WITHIN_N].number = (double)means->counts[k];
    if (means->counts[k]) {
      row[k ? BETWEEN : WITHIN].number = means->sums[k] / (double)means->counts[k];
    }
  }
  size_t pairs = means->counts[0] + means->counts[1];
  row[CHANCE].number = pairs ? means->chance / (double)pairs : NAN;
  row[WHY].text = m->count < 2            ? "fewer than two masks"
                  : means->counts[0] == 0 ? "one draw per set"
                  : means->counts[1] == 0 ? "one calibration set"
                                          : NULL;
  return STATUS_OK;
}

/* A row over all linears, then one for each kind. */
static status add_rows(struct masked *m, const struct masks *masks, const struct design_group *g,
                       struct error *err) {
  struct means all = {.chance = 0};
  struct overlap *totals;
  TRY(mem_alloc(&totals, m->count * m->count, sizeof *totals, err));
  status st =
      m->count > 1 ? overlap_pairs(masks, m->ids, m->count, totals, see, m, err) : STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < m->count; i++) {
    for (size_t j = i + 1; j < m->count; j++) {
      means_add(&all, m->sets[i] != m->sets[j], &totals[i * m->count + j]);
    }
  }
  free(totals);
  TRY(st);
  TRY(add_row(m, g, "all", &all, err));
  for (size_t i = 0; i < m->linear_count; i++) {
    TRY(add_row(m, g, m->linears[i].name, &m->linears[i].means, err));
  }
  return STATUS_OK;
}

static status add_group(const struct design *d, struct sheet *s, const struct masks *masks,
                        const struct design_group *g, struct error *err) {
  struct masked m = {.sheet = s};
  status st = mem_alloc(&m.ids, g->count, sizeof(char *), err);
  if (st == STATUS_OK) {
    st = mem_alloc(&m.sets, g->count, sizeof *m.sets, err);
  }
  for (size_t i = 0; st == STATUS_OK && i < g->count; i++) {
    const char *id = d->file->variants[g->at[i]].id;
    if (masks_has(masks, id)) {
      m.ids[m.count] = id;
      m.sets[m.count++] = d->set_of[g->at[i]];
    }
  }
  if (st == STATUS_OK) {
    st = add_rows(&m, masks, g, err);
  }
  masked_free(&m);
  return st;
}

static status add_groups(const struct design *d, struct sheet *s, const struct masks *masks,
                         struct error *err) {
  if (masks_variant_count(masks) == 0) {
    return str_addf(&s->notes, err,
                    "the file has no masks (a grid with `store: {masks: true}` keeps them)\n");
  }
  for (size_t g = 0; g < d->group_count; g++) {
    if (d->groups[g].calibrated) {
      TRY(add_group(d, s, masks, &d->groups[g], err));
    }
  }
  return str_addf(&s->notes, err,
                  "iou: removed weights that two masks share over those that either removes, mean "
                  "over pairs of draws of one set (within) and of two sets (between); all: of the "
                  "model's linears together; a linear: mean over its blocks and pairs, counted "
                  "together; chance: of random masks as sparse; n: draws with masks\n");
}

status sensitivity_overlap(const struct design *d, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "overlap",
                      .title = "Overlap of masks between draws and between calibration sets",
                      .columns = columns,
                      .column_count = COLUMNS};
  struct masks *masks;
  TRY(masks_open(&masks, d->path, err));
  status st = add_groups(d, s, masks, err);
  masks_close(masks);
  return st;
}
