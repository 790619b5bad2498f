#include "cli/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/table.h"

const char *const sheet_format_names[SHEET_FORMATS] = {"text", "csv", "json"};

status sheet_add(struct sheet *s, struct sheet_cell **row, struct error *err) {
  TRY(mem_reserve(&s->cells, &s->cap, (s->rows + 1) * s->column_count, sizeof *s->cells, err));
  *row = sheet_row(s, s->rows++);
  for (size_t c = 0; c < s->column_count; c++) {
    (*row)[c] = (struct sheet_cell){.number = NAN};
  }
  return STATUS_OK;
}

status sheet_word(struct sheet *s, const char *text, size_t n, const char **out,
                  struct error *err) {
  for (size_t i = 0; i < s->word_count; i++) {
    if (strncmp(s->words[i], text, n) == 0 && s->words[i][n] == '\0') {
      *out = s->words[i];
      return STATUS_OK;
    }
  }
  TRY(mem_reserve(&s->words, &s->word_cap, s->word_count + 1, sizeof(char *), err));
  TRY(mem_dup(&s->words[s->word_count], text, n, err));
  *out = s->words[s->word_count++];
  return STATUS_OK;
}

void sheet_free(struct sheet *s) {
  for (size_t i = 0; i < s->word_count; i++) {
    free(s->words[i]);
  }
  free((void *)s->words);
  free(s->cells);
  str_free(&s->notes);
  *s = (struct sheet){0};
}

static status csv_number(const struct sheet_cell *c, struct str *to, struct error *err) {
  return isnan(c->number) ? STATUS_OK : str_addf(to, err, "%.9g", c->number);
}

status sheet_print_csv(const struct sheet *s, struct str *to, struct error *err) {
  for (size_t c = 0; c < s->column_count; c++) {
    TRY(csv_field(to, c == 0, s->columns[c].name, err));
  }
  TRY(str_addf(to, err, "\n"));
  for (size_t r = 0; r < s->rows; r++) {
    const struct sheet_cell *row = sheet_row(s, r);
    for (size_t c = 0; c < s->column_count; c++) {
      if (s->columns[c].kind == SHEET_TEXT) {
        TRY(csv_field(to, c == 0, row[c].text ? row[c].text : "", err));
      } else {
        TRY(str_addf(to, err, "%s", c ? "," : ""));
        TRY(csv_number(&row[c], to, err));
      }
    }
    TRY(str_addf(to, err, "\n"));
  }
  return STATUS_OK;
}

static cJSON *json_cell(enum sheet_kind kind, const struct sheet_cell *c) {
  if (kind == SHEET_TEXT) {
    return c->text ? cJSON_CreateString(c->text) : cJSON_CreateNull();
  }
  if (!isfinite(c->number)) {
    return cJSON_CreateNull();
  }
  char text[32];
  (void)snprintf(text, sizeof text, "%.9g", c->number);
  return cJSON_CreateRaw(text);
}

static void json_notes(cJSON *to, const char *notes) {
  for (const char *end; notes && (end = strchr(notes, '\n')); notes = end + 1) {
    char line[1024];
    (void)snprintf(line, sizeof line, "%.*s", (int)(end - notes), notes);
    cJSON_AddItemToArray(to, cJSON_CreateString(line));
  }
}

cJSON *sheet_json(const struct sheet *s) {
  cJSON *root = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(root, "rows");
  for (size_t r = 0; r < s->rows; r++) {
    cJSON *row = cJSON_CreateObject();
    for (size_t c = 0; c < s->column_count; c++) {
      cJSON_AddItemToObject(row, s->columns[c].name,
                            json_cell(s->columns[c].kind, &sheet_row(s, r)[c]));
    }
    cJSON_AddItemToArray(rows, row);
  }
  json_notes(cJSON_AddArrayToObject(root, "notes"), s->notes.at);
  return root;
}
