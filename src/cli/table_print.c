#include <string.h>

#include "base/mem.h"
#include "cli/table.h"

#include <stdlib.h>

const char *const table_format_names[TABLE_FORMATS] = {"text", "markdown", "latex", "csv"};

static const char *metric_of(const struct table *t, size_t column) {
  for (size_t i = 0; i < t->query.column_fields; i++) {
    if (t->query.columns[i] == FIELD_DATASET) {
      const char *metric = table_dataset_of(t, 0, column)->metric;
      return metric ? metric : "-";
    }
  }
  return "";
}

/* Terminal columns of UTF-8 text: its characters. */
static size_t width_of(const char *text) {
  size_t n = 0;
  for (; *text; text++) {
    n += ((unsigned char)*text & 0xc0) != 0x80;
  }
  return n;
}

static status pad(struct str *to, size_t n, struct error *err) {
  return str_addf(to, err, "%*s", (int)n, "");
}

/* Widths of the parts of a text table: labels, and means and rests of the values. */
struct widths {
  size_t labels[FIELD_COUNT];
  size_t *means, *rests; /* [column_count] */
};

static void widen(size_t *width, const char *text) {
  size_t n = width_of(text);
  *width = n > *width ? n : *width;
}

static status measure(const struct table *t, struct widths *w, struct error *err) {
  for (size_t i = 0; i < t->query.row_fields; i++) {
    widen(&w->labels[i], table_field_names[t->query.rows[i]]);
    for (size_t r = 0; r < t->row_count; r++) {
      widen(&w->labels[i], table_row_label(t, r, i));
    }
  }
  TRY(mem_alloc(&w->means, t->column_count, sizeof *w->means, err));
  TRY(mem_alloc(&w->rests, t->column_count, sizeof *w->rests, err));
  for (size_t c = 0; c < t->column_count; c++) {
    for (size_t r = 0; r < t->row_count; r++) {
      struct table_words words;
      table_words(t, r, c, &words);
      widen(&w->means[c], words.mean);
      widen(&w->rests[c], words.rest);
    }
    size_t head = width_of(metric_of(t, c));
    for (size_t i = 0; i < t->query.column_fields; i++) {
      widen(&head, table_column_label(t, c, i));
    }
    if (head > w->means[c] + w->rests[c]) {
      w->rests[c] = head - w->means[c];
    }
  }
  return STATUS_OK;
}

static status end_line(struct str *to, struct error *err) {
  while (to->count && to->at[to->count - 1] == ' ') {
    to->at[--to->count] = '\0';
  }
  return str_addf(to, err, "\n");
}

/* One header line: a field of the columns, or (i == column_fields) their metrics. */
static status text_head(const struct table *t, const struct widths *w, size_t i, struct str *to,
                        struct error *err) {
  for (size_t f = 0; f < t->query.row_fields; f++) {
    const char *name = i == 0 ? table_field_names[t->query.rows[f]] : "";
    TRY(str_addf(to, err, "%-*s  ", (int)w->labels[f], name));
  }
  for (size_t c = 0; c < t->column_count; c++) {
    const char *text = i < t->query.column_fields ? table_column_label(t, c, i) : metric_of(t, c);
    TRY(str_addf(to, err, "%s", text));
    TRY(pad(to, w->means[c] + w->rests[c] - width_of(text) + 2, err));
  }
  return end_line(to, err);
}

static status text_row(const struct table *t, const struct widths *w, size_t r, struct str *to,
                       struct error *err) {
  for (size_t f = 0; f < t->query.row_fields; f++) {
    const char *text = table_row_label(t, r, f);
    TRY(str_addf(to, err, "%s", text));
    TRY(pad(to, w->labels[f] - width_of(text) + 2, err));
  }
  for (size_t c = 0; c < t->column_count; c++) {
    struct table_words words;
    table_words(t, r, c, &words);
    TRY(pad(to, w->means[c] - width_of(words.mean), err));
    TRY(str_addf(to, err, "%s%s", words.mean, words.rest));
    TRY(pad(to, w->rests[c] - width_of(words.rest) + 2, err));
  }
  return end_line(to, err);
}

static status text_rule(const struct table *t, const struct widths *w, struct str *to,
                        struct error *err) {
  size_t n = 0;
  for (size_t f = 0; f < t->query.row_fields; f++) {
    n += w->labels[f] + 2;
  }
  for (size_t c = 0; c < t->column_count; c++) {
    n += w->means[c] + w->rests[c] + 2;
  }
  for (size_t i = 2; i < n; i++) {
    TRY(str_add(to, "-", 1, err));
  }
  return str_addf(to, err, "\n");
}

static status text_lines(const struct table *t, const struct widths *w, struct str *to,
                         struct error *err) {
  bool metrics = metric_of(t, 0)[0] != '\0';
  for (size_t i = 0; i < t->query.column_fields + metrics; i++) {
    TRY(text_head(t, w, i, to, err));
  }
  TRY(text_rule(t, w, to, err));
  for (size_t r = 0; r < t->row_count; r++) {
    TRY(text_row(t, w, r, to, err));
  }
  return str_addf(to, err, "\n");
}

status table_print_text(const struct table *t, struct str *to, struct error *err) {
  struct widths w = {0};
  status st = measure(t, &w, err);
  if (st == STATUS_OK) {
    st = text_lines(t, &w, to, err);
  }
  free(w.means);
  free(w.rests);
  return st;
}

/* How a marked-up format escapes text and joins cells. */
struct markup {
  const char *special; /* characters that need an escape */
  const char *start, *between, *end;
};
static const struct markup markdown = {"|", "| ", " | ", " |\n"};
static const struct markup latex = {"&%$#_{}~^\\", "", " & ", " \\\\\n"};

static status add_escaped(const struct markup *m, const char *text, struct str *to,
                          struct error *err) {
  for (const char *p = text; *p; p++) {
    if (m == &latex && strncmp(p, "±", strlen("±")) == 0) {
      TRY(str_addf(to, err, "$\\pm$"));
      p += strlen("±") - 1;
    } else if (m == &latex && strchr("~^", *p)) {
      TRY(str_addf(to, err, "\\%c{}", *p));
    } else if (m == &latex && *p == '\\') {
      TRY(str_addf(to, err, "\\textbackslash{}"));
    } else {
      TRY(str_addf(to, err, "%s%c", strchr(m->special, *p) ? "\\" : "", *p));
    }
  }
  return STATUS_OK;
}

static status add_cell(const struct markup *m, bool first, const char *text, struct str *to,
                       struct error *err) {
  TRY(str_addf(to, err, "%s", first ? m->start : m->between));
  return add_escaped(m, text, to, err);
}

/* A column's heading in one cell: "sst2 acc". */
static status column_head(const struct table *t, size_t c, struct str *out, struct error *err) {
  out->count = 0;
  for (size_t i = 0; i < t->query.column_fields; i++) {
    TRY(str_addf(out, err, "%s%s", i ? " " : "", table_column_label(t, c, i)));
  }
  const char *metric = metric_of(t, c);
  return str_addf(out, err, "%s%s", *metric ? " " : "", metric);
}

static status mark_head(const struct table *t, const struct markup *m, struct str *to,
                        struct error *err) {
  for (size_t f = 0; f < t->query.row_fields; f++) {
    TRY(add_cell(m, f == 0, table_field_names[t->query.rows[f]], to, err));
  }
  struct str head = {0};
  status st = STATUS_OK;
  for (size_t c = 0; st == STATUS_OK && c < t->column_count; c++) {
    st = column_head(t, c, &head, err);
    if (st == STATUS_OK) {
      st = add_cell(m, false, head.at, to, err);
    }
  }
  str_free(&head);
  TRY(st);
  return str_addf(to, err, "%s", m->end);
}

static status mark_rows(const struct table *t, const struct markup *m, struct str *to,
                        struct error *err) {
  for (size_t r = 0; r < t->row_count; r++) {
    for (size_t f = 0; f < t->query.row_fields; f++) {
      TRY(add_cell(m, f == 0, table_row_label(t, r, f), to, err));
    }
    for (size_t c = 0; c < t->column_count; c++) {
      struct table_words words;
      table_words(t, r, c, &words);
      TRY(add_cell(m, false, words.mean, to, err));
      TRY(add_escaped(m, words.rest, to, err));
    }
    TRY(str_addf(to, err, "%s", m->end));
  }
  return STATUS_OK;
}

static status print_markdown(const struct table *t, struct str *to, struct error *err) {
  TRY(mark_head(t, &markdown, to, err));
  for (size_t i = 0; i < t->query.row_fields + t->column_count; i++) {
    TRY(str_addf(to, err, "%s", i < t->query.row_fields ? "|:---" : "|---:"));
  }
  TRY(str_addf(to, err, "|\n"));
  TRY(mark_rows(t, &markdown, to, err));
  return str_addf(to, err, "\n");
}

static status print_latex(const struct table *t, struct str *to, struct error *err) {
  TRY(str_addf(to, err, "%% needs \\usepackage{booktabs}\n\\begin{tabular}{"));
  for (size_t i = 0; i < t->query.row_fields + t->column_count; i++) {
    TRY(str_addf(to, err, "%s", i < t->query.row_fields ? "l" : "r"));
  }
  TRY(str_addf(to, err, "}\n\\toprule\n"));
  TRY(mark_head(t, &latex, to, err));
  TRY(str_addf(to, err, "\\midrule\n"));
  TRY(mark_rows(t, &latex, to, err));
  return str_addf(to, err, "\\bottomrule\n\\end{tabular}\n");
}

/* The note's lines, each behind a mark that makes it a comment in LaTeX. */
static status add_note(const struct table *t, const char *mark, const char *path, struct str *to,
                       struct error *err) {
  struct str note = {0};
  status st = table_note(t, path, &note, err);
  char *rest = note.at;
  while (st == STATUS_OK && rest && *rest) {
    const char *line = strsep(&rest, "\n");
    st = str_addf(to, err, "%s%s\n", mark, line);
  }
  str_free(&note);
  return st;
}

status table_print(const struct table *t, enum table_format format, const char *path,
                   struct str *to, struct error *err) {
  switch (format) {
  case TABLE_MARKDOWN:
    TRY(print_markdown(t, to, err));
    return add_note(t, "", path, to, err);
  case TABLE_LATEX:
    TRY(print_latex(t, to, err));
    return add_note(t, "% ", path, to, err);
  case TABLE_CSV:
    return table_print_csv(t, to, err);
  default:
    TRY(table_print_text(t, to, err));
    return add_note(t, "", path, to, err);
  }
}
