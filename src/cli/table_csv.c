#include <math.h>
#include <string.h>

#include "cli/table.h"

status csv_field(struct str *to, bool first, const char *text, struct error *err) {
  TRY(str_addf(to, err, "%s", first ? "" : ","));
  if (!strpbrk(text, ",\"\r\n")) {
    return str_addf(to, err, "%s", text);
  }
  TRY(str_addf(to, err, "\""));
  for (const char *p = text; *p; p++) {
    TRY(str_addf(to, err, "%s%c", *p == '"' ? "\"" : "", *p));
  }
  return str_addf(to, err, "\"");
}

static status add_number(struct str *to, double value, struct error *err) {
  return isnan(value) ? str_addf(to, err, ",") : str_addf(to, err, ",%.9g", value);
}

/* Three fields per column: "sst2 acc", "sst2 acc sd", "sst2 acc n". */
static status add_heads(const struct table *t, size_t c, struct str *to, struct error *err) {
  const char *const parts[] = {t->query.drop ? " - dense" : "",
                               table_spread_at(t, 0, c)->averaged ? " se" : " sd", " n"};
  struct str head = {0};
  status st = STATUS_OK;
  for (size_t k = 0; st == STATUS_OK && k < 3; k++) {
    head.count = 0;
    for (size_t i = 0; st == STATUS_OK && i < t->query.column_fields; i++) {
      st = str_addf(&head, err, "%s%s", i ? " " : "", table_column_label(t, c, i));
      const struct table_dataset *d = table_dataset_of(t, 0, c);
      if (st == STATUS_OK && t->query.columns[i] == FIELD_DATASET && d->metric) {
        st = str_addf(&head, err, " %s", d->metric);
      }
    }
    if (st == STATUS_OK) {
      st = str_addf(&head, err, "%s", parts[k]);
    }
    if (st == STATUS_OK) {
      st = csv_field(to, false, head.at, err);
    }
  }
  str_free(&head);
  return st;
}

status table_print_csv(const struct table *t, struct str *to, struct error *err) {
  for (size_t f = 0; f < t->query.row_fields; f++) {
    TRY(csv_field(to, f == 0, table_field_names[t->query.rows[f]], err));
  }
  for (size_t c = 0; c < t->column_count; c++) {
    TRY(add_heads(t, c, to, err));
  }
  TRY(str_addf(to, err, "\n"));
  for (size_t r = 0; r < t->row_count; r++) {
    for (size_t f = 0; f < t->query.row_fields; f++) {
      TRY(csv_field(to, f == 0, table_row_label(t, r, f), err));
    }
    for (size_t c = 0; c < t->column_count; c++) {
      const struct table_spread *s = table_spread_at(t, r, c);
      bool zero = t->query.drop && s->dense;
      double mean = zero ? 0 : table_mean(s);
      TRY(add_number(to, s->good ? mean : NAN, err));
      TRY(add_number(to, zero ? NAN : table_deviation(s), err));
      TRY(str_addf(to, err, ",%zu", s->good));
    }
    TRY(str_addf(to, err, "\n"));
  }
  return STATUS_OK;
}
