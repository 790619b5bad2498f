#include <string.h>

#include "cli/report.h"

/* One source of data in the page. */
struct block {
  const char *name;
  status (*make)(const struct report *r, cJSON **out, struct error *err);
};

static const struct block blocks[] = {{"main", report_main},
                                      {"layers", report_layers},
                                      {"overlap", report_overlap},
                                      {"attribution", report_attribution},
                                      {"passages", report_passages}};

static status add_data(const struct report *r, struct str *to, struct error *err) {
  for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
    cJSON *data;
    TRY(blocks[i].make(r, &data, err));
    if (data) {
      status st =
          str_addf(to, err, "<script type=\"application/json\" id=\"data-%s\">", blocks[i].name);
      if (st != STATUS_OK) {
        cJSON_Delete(data);
        return st;
      }
      TRY(report_json(data, to, err));
      TRY(str_addf(to, err, "</script>\n"));
    }
  }
  return STATUS_OK;
}

static status add_style(const struct report *r, struct str *to, struct error *err) {
  (void)r;
  return str_add(to, report_css, strlen(report_css), err);
}

static status add_program(const struct report *r, struct str *to, struct error *err) {
  (void)r;
  return str_add(to, report_js, strlen(report_js), err);
}

/* A mark in page.html and what stands there in a report. */
static const struct {
  const char *mark;
  status (*add)(const struct report *r, struct str *to, struct error *err);
} marks[] = {{"/*style*/", add_style}, {"<!--data-->\n", add_data}, {"/*program*/", add_program}};

status report_page(const struct report *r, struct str *to, struct error *err) {
  const char *from = report_html;
  for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    const char *mark = strstr(from, marks[i].mark);
    if (!mark) {
      return err_set(err, STATUS_BUG, "page.html lacks %s", marks[i].mark);
    }
    TRY(str_add(to, from, (size_t)(mark - from), err));
    TRY(marks[i].add(r, to, err));
    from = mark + strlen(marks[i].mark);
  }
  return str_add(to, from, strlen(from), err);
}
