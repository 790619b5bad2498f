/* What the dense model says: words, the units that answer to them, and those left out. */
#include <math.h>
#include <string.h>

#include "cli/attribute.h"

enum {
  W_DATASET,
  W_MODEL,
  W_WORD,
  W_OCCURRENCES,
  W_INFLUENCE,
  W_LOW,
  W_HIGH,
  W_UNITS,
  W_FOUND,
  W_BEST,
  W_LENS,
  W_COLUMNS
};
static const struct sheet_column word_columns[W_COLUMNS] = {
    [W_DATASET] = {"dataset", SHEET_TEXT, SHEET_ALWAYS},
    [W_MODEL] = {"model", SHEET_TEXT, SHEET_VARIED},
    [W_WORD] = {"word", SHEET_TEXT, SHEET_ALWAYS},
    [W_OCCURRENCES] = {"occurrences", SHEET_COUNT, SHEET_ALWAYS},
    [W_INFLUENCE] = {"influence", SHEET_SCORE, SHEET_ALWAYS},
    [W_LOW] = {"low", SHEET_SCORE, SHEET_FILLED},
    [W_HIGH] = {"high", SHEET_SCORE, SHEET_FILLED},
    [W_UNITS] = {"units", SHEET_COUNT, SHEET_DATA},
    [W_FOUND] = {"found", SHEET_COUNT, SHEET_ALWAYS},
    [W_BEST] = {"best_units", SHEET_TEXT, SHEET_ALWAYS},
    [W_LENS] = {"first_writes", SHEET_TEXT, SHEET_FILLED},
};

enum {
  U_DATASET,
  U_MODEL,
  U_WORD,
  U_BLOCK,
  U_UNIT,
  U_SCORE,
  U_P,
  U_FOUND,
  U_ACTIVATION,
  U_MEAN,
  U_SPREAD,
  U_LENS,
  U_COLUMNS
};
static const struct sheet_column unit_columns[U_COLUMNS] = {
    [U_DATASET] = {"dataset", SHEET_TEXT, SHEET_ALWAYS},
    [U_MODEL] = {"model", SHEET_TEXT, SHEET_VARIED},
    [U_WORD] = {"word", SHEET_TEXT, SHEET_ALWAYS},
    [U_BLOCK] = {"block", SHEET_COUNT, SHEET_ALWAYS},
    [U_UNIT] = {"unit", SHEET_COUNT, SHEET_ALWAYS},
    [U_SCORE] = {"score", SHEET_SCORE, SHEET_ALWAYS},
    [U_P] = {"p", SHEET_P, SHEET_ALWAYS},
    [U_FOUND] = {"found", SHEET_TEXT, SHEET_ALWAYS},
    [U_ACTIVATION] = {"activation", SHEET_SCORE, SHEET_ALWAYS},
    [U_MEAN] = {"background", SHEET_SCORE, SHEET_ALWAYS},
    [U_SPREAD] = {"spread", SHEET_SCORE, SHEET_ALWAYS},
    [U_LENS] = {"writes", SHEET_TEXT, SHEET_FILLED},
};

enum { A_DATASET, A_MODEL, A_BLOCK, A_UNIT, A_KIND, A_MEAN, A_SPREAD, A_COLUMNS };
static const struct sheet_column apart_columns[A_COLUMNS] = {
    [A_DATASET] = {"dataset", SHEET_TEXT, SHEET_ALWAYS},
    [A_MODEL] = {"model", SHEET_TEXT, SHEET_VARIED},
    [A_BLOCK] = {"block", SHEET_COUNT, SHEET_ALWAYS},
    [A_UNIT] = {"unit", SHEET_COUNT, SHEET_ALWAYS},
    [A_KIND] = {"kind", SHEET_TEXT, SHEET_ALWAYS},
    [A_MEAN] = {"mean", SHEET_SCORE, SHEET_ALWAYS},
    [A_SPREAD] = {"spread", SHEET_SCORE, SHEET_ALWAYS},
};

/* A unit's vocabulary words with commas between them. */
static status lens_words(struct sheet *s, const char *lens, const char **out, struct error *err) {
  struct str text = {0};
  status st = STATUS_OK;
  *out = NULL;
  for (const char *at = lens; st == STATUS_OK && *at;) {
    size_t n = strcspn(at, "\n");
    st = str_addf(&text, err, "%s%.*s", at == lens ? "" : ", ", (int)n, at);
    at += n + (at[n] != '\0');
  }
  if (st == STATUS_OK && text.count) {
    st = sheet_word(s, text.at, text.count, out, err);
  }
  str_free(&text);
  return st;
}

/* "1:5 (9.5), 0:2 (4.5)": block, unit, score. */
static status best_units(struct sheet *s, const struct attribution_base *b, size_t word,
                         size_t most, struct sheet_cell *row, struct error *err) {
  struct str text = {0};
  size_t units = 0, found = 0;
  const struct attribution_match *best = NULL;
  status st = STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < b->match_count; i++) {
    const struct attribution_match *m = &b->matches[i];
    if ((size_t)m->word != word) {
      continue;
    }
    const struct attribution_unit *u = &b->units[m->unit];
    if (units < most) {
      st = str_addf(&text, err, "%s%d:%d (%.3g)", units ? ", " : "", (int)u->block, (int)u->unit,
                    m->score);
    }
    best = best ? best : m;
    units++;
    found += m->found;
  }
  row[W_UNITS].number = (double)units;
  row[W_FOUND].number = (double)found;
  row[W_FOUND].of = (double)units;
  if (st == STATUS_OK && text.count) {
    st = sheet_word(s, text.at, text.count, &row[W_BEST].text, err);
  }
  str_free(&text);
  return st == STATUS_OK && best ? lens_words(s, b->units[best->unit].lens, &row[W_LENS].text, err)
                                 : st;
}

static status add_words(const struct attribute_view *v, struct sheet *s,
                        const struct attribute_base *of, struct error *err) {
  for (size_t i = 0; i < of->base->word_count; i++) {
    const struct attribution_word *w = &of->base->words[i];
    struct sheet_cell *row;
    TRY(sheet_add(s, &row, err));
    row[W_DATASET].text = of->base->dataset;
    row[W_MODEL].text = of->model;
    row[W_WORD].text = w->text;
    row[W_OCCURRENCES].number = w->occurrences;
    row[W_INFLUENCE].number = w->influence;
    row[W_LOW].number = w->low;
    row[W_HIGH].number = w->high;
    TRY(best_units(s, of->base, i, v->neurons, row, err));
  }
  return STATUS_OK;
}

static const char *influence_words(const char *influence) {
  return strcmp(influence, "leave_one_out") == 0
             ? "by how much the gold answer's log-likelihood falls without the word, mean over the "
               "places tried"
         : strcmp(influence, "log_odds") == 0
             ? "largest |z| of the word's log-odds between one class and the rest (Monroe et al. "
               "2008)"
             : "the word list's weight, where it has one";
}

static status note_influences(const struct attribute_view *v, struct str *to, struct error *err) {
  for (size_t i = 0; i < v->base_count; i++) {
    const char *name = v->bases[i].base->influence;
    bool known = v->bases[i].base->failed;
    for (size_t k = 0; k < i && !known; k++) {
      known = !v->bases[k].base->failed && strcmp(v->bases[k].base->influence, name) == 0;
    }
    TRY(known ? STATUS_OK
              : str_addf(to, err, "influence (%s): %s; low, high: 95 %% over items\n", name,
                         influence_words(name)));
  }
  return STATUS_OK;
}

static status note_failures(const struct attribute_view *v, struct sheet *s, struct error *err) {
  for (size_t i = 0; i < v->base_count; i++) {
    const struct attribution_base *b = v->bases[i].base;
    TRY(b->failed ? str_addf(&s->notes, err, "%s: no attribution of the dense model: %s\n",
                             b->dataset, b->error)
                  : STATUS_OK);
  }
  return STATUS_OK;
}

status attribute_words(const struct attribute_view *v, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "words",
                      .title = "Which words decide the answers, and which units answer to them",
                      .columns = word_columns,
                      .column_count = W_COLUMNS};
  for (size_t i = 0; i < v->base_count; i++) {
    TRY(add_words(v, s, &v->bases[i], err));
  }
  TRY(note_failures(v, s, err));
  TRY(note_influences(v, &s->notes, err));
  return str_addf(&s->notes, err,
                  "best units: block:unit (score) of the dense model's MLPs; found: those that "
                  "pass the false discovery rate; first writes: vocabulary words nearest to "
                  "what the first of them adds to the residual stream\n");
}

static status add_unit(struct sheet *s, const struct attribute_base *of,
                       const struct attribution_match *m, struct error *err) {
  const struct attribution_unit *u = &of->base->units[m->unit];
  struct sheet_cell *row;
  TRY(sheet_add(s, &row, err));
  row[U_DATASET].text = of->base->dataset;
  row[U_MODEL].text = of->model;
  row[U_WORD].text = of->base->words[m->word].text;
  row[U_BLOCK].number = u->block;
  row[U_UNIT].number = u->unit;
  row[U_SCORE].number = m->score;
  row[U_P].number = m->p;
  row[U_FOUND].text = m->found ? "yes" : "no";
  row[U_ACTIVATION].number = m->activation;
  row[U_MEAN].number = u->mean;
  row[U_SPREAD].number = u->spread;
  return lens_words(s, u->lens, &row[U_LENS].text, err);
}

status attribute_units(const struct attribute_view *v, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "units",
                      .title = "Units that answer to each word",
                      .columns = unit_columns,
                      .column_count = U_COLUMNS};
  bool sums = false;
  for (size_t i = 0; i < v->base_count; i++) {
    const struct attribution_base *b = v->bases[i].base;
    size_t shown = 0;
    sums |= !b->failed && strcmp(b->score, "sum") == 0;
    for (size_t k = 0; k < b->match_count; k++) {
      shown = k > 0 && b->matches[k].word == b->matches[k - 1].word ? shown + 1 : 0;
      TRY(shown < v->neurons ? add_unit(s, &v->bases[i], &b->matches[k], err) : STATUS_OK);
    }
  }
  TRY(note_failures(v, s, err));
  return str_addf(&s->notes, err,
                  "score: %s; activation: mean |a| over the word's tokens; background, spread: of "
                  "|a| over neutral text; p: that the word's tokens are like the background's; "
                  "found: passes the false discovery rate over all units\n",
                  sums ? "sum of |a| over the word's tokens"
                       : "(activation - background) / spread");
}

status attribute_apart(const struct attribute_view *v, struct sheet *s, struct error *err) {
  *s = (struct sheet){.name = "apart",
                      .title = "Units left out of the matching, because they answer to everything",
                      .columns = apart_columns,
                      .column_count = A_COLUMNS};
  for (size_t i = 0; i < v->base_count; i++) {
    const struct attribution_base *b = v->bases[i].base;
    for (size_t k = 0; k < b->apart_count; k++) {
      const struct attribution_apart_unit *u = &b->apart[k];
      struct sheet_cell *row;
      TRY(sheet_add(s, &row, err));
      row[A_DATASET].text = b->dataset;
      row[A_MODEL].text = v->bases[i].model;
      row[A_BLOCK].number = u->block;
      row[A_UNIT].number = u->unit;
      row[A_KIND].text = u->kind == APART_MASSIVE ? "massive" : "always on";
      row[A_MEAN].number = u->mean;
      row[A_SPREAD].number = u->spread;
    }
  }
  TRY(note_failures(v, s, err));
  return s->rows ? STATUS_OK : str_addf(&s->notes, err, "none\n");
}
