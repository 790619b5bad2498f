#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/sheet.h"

enum { WORD = 256 };

/* Terminal columns of UTF-8 text: its characters. */
static size_t width_of(const char *text) {
  size_t n = 0;
  for (; *text; text++) {
    n += ((unsigned char)*text & 0xc0) != 0x80;
  }
  return n;
}

static void put_score(char *to, double value, bool open_ended, bool sign) {
  int digits = fabs(value) >= 1 ? (int)floor(log10(fabs(value))) + 1 : 1;
  int places = !open_ended ? 3 : digits >= 4 ? 0 : 4 - digits;
  if (fabs(value) >= 1e7) {
    (void)snprintf(to, WORD, sign ? "%+.3e" : "%.3e", value);
  } else {
    (void)snprintf(to, WORD, sign ? "%+.*f" : "%.*f", places, value);
  }
}

static void put_number(char *to, enum sheet_kind kind, const struct sheet_cell *c) {
  double value = c->number;
  if (!isfinite(value)) {
    (void)snprintf(to, WORD, "%s", isnan(value) ? "-" : value > 0 ? "inf" : "-inf");
    return;
  }
  switch (kind) {
  case SHEET_COUNT:
    (void)snprintf(to, WORD, c->of > value ? "%.0f/%.0f" : "%.0f", value, c->of);
    return;
  case SHEET_SCORE:
  case SHEET_CHANGE:
    put_score(to, value, c->open_ended, kind == SHEET_CHANGE);
    return;
  case SHEET_P:
    (void)snprintf(to, WORD, value < 0.0001 ? "%.1e" : "%.4f", value);
    return;
  default:
    (void)snprintf(to, WORD, "%.3f", value);
  }
}

static void put(char *to, enum sheet_kind kind, const struct sheet_cell *c) {
  if (kind == SHEET_TEXT) {
    (void)snprintf(to, WORD, "%.250s", c->text ? c->text : "");
    return;
  }
  put_number(to, kind, c);
  size_t end = strlen(to);
  if (c->mark && end + 1 < WORD) {
    to[end] = '*';
    to[end + 1] = '\0';
  }
}

static void put_head(char *to, const char *name) {
  size_t i = 0;
  for (; name[i] && i + 1 < WORD; i++) {
    to[i] = name[i] == '_' ? ' ' : name[i];
  }
  to[i] = '\0';
}

/* What is not there ("-") is no value that others differ from. */
static bool shown(const struct sheet *s, size_t c) {
  char first[WORD] = "", word[WORD];
  enum sheet_show show = s->columns[c].show;
  if (show == SHEET_ALWAYS || show == SHEET_DATA) {
    return show == SHEET_ALWAYS;
  }
  for (size_t r = 0; r < s->rows; r++) {
    put(word, s->columns[c].kind, sheet_row(s, r) + c);
    if (*word == '\0' || strcmp(word, "-") == 0) {
      continue;
    }
    if (show == SHEET_FILLED || (*first && strcmp(word, first) != 0)) {
      return true;
    }
    memcpy(first, word, sizeof first);
  }
  return false;
}

/* widths [column_count]: 0 is a column that is not shown. */
static void measure(const struct sheet *s, size_t *widths) {
  char word[WORD];
  for (size_t c = 0; c < s->column_count; c++) {
    widths[c] = 0;
    if (!shown(s, c)) {
      continue;
    }
    widths[c] = strlen(s->columns[c].name);
    for (size_t r = 0; r < s->rows; r++) {
      put(word, s->columns[c].kind, sheet_row(s, r) + c);
      size_t n = width_of(word);
      widths[c] = n > widths[c] ? n : widths[c];
    }
  }
}

/* One line; row NULL: the heads. */
static status add_line(const struct sheet *s, const size_t *widths, const struct sheet_cell *row,
                       struct str *to, struct error *err) {
  char word[WORD];
  bool first = true;
  for (size_t c = 0; c < s->column_count; c++) {
    if (widths[c] == 0) {
      continue;
    }
    if (row) {
      put(word, s->columns[c].kind, &row[c]);
    } else {
      put_head(word, s->columns[c].name);
    }
    int pad = (int)(widths[c] - width_of(word));
    TRY(str_addf(to, err, "%s", first ? "" : "  "));
    TRY(s->columns[c].kind == SHEET_TEXT ? str_addf(to, err, "%s%*s", word, pad, "")
                                         : str_addf(to, err, "%*s%s", pad, "", word));
    first = false;
  }
  while (to->count && to->at[to->count - 1] == ' ') {
    to->at[--to->count] = '\0';
  }
  return str_addf(to, err, "\n");
}

static status add_rule(const struct sheet *s, const size_t *widths, struct str *to,
                       struct error *err) {
  size_t n = 0;
  for (size_t c = 0; c < s->column_count; c++) {
    n += widths[c] ? widths[c] + 2 : 0;
  }
  for (size_t i = 2; i < n; i++) {
    TRY(str_add(to, "-", 1, err));
  }
  return str_add(to, "\n", 1, err);
}

status sheet_print_text(const struct sheet *s, struct str *to, struct error *err) {
  TRY(str_addf(to, err, "%s\n\n", s->title));
  if (s->rows) {
    size_t *widths;
    TRY(mem_alloc(&widths, s->column_count, sizeof *widths, err));
    measure(s, widths);
    status st = add_line(s, widths, NULL, to, err);
    if (st == STATUS_OK) {
      st = add_rule(s, widths, to, err);
    }
    for (size_t r = 0; st == STATUS_OK && r < s->rows; r++) {
      st = add_line(s, widths, sheet_row(s, r), to, err);
    }
    free(widths);
    TRY(st);
  }
  return s->notes.count ? str_addf(to, err, "%s%s", s->rows ? "\n" : "", s->notes.at) : STATUS_OK;
}
