#include "cli/status_gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/attribution.h"

/* Index of a cell, added where the plan is unknown; count when the plan does not have it (a record
 * of an older grid). */
static status find_cell(struct run_status *s, const char *variant, const char *dataset, size_t *out,
                        struct error *err) {
  for (size_t n = 0; n < s->count; n++, s->cursor++) {
    s->cursor = s->cursor < s->count ? s->cursor : 0;
    if (strcmp(s->cells[s->cursor].variant, variant) == 0 &&
        strcmp(s->cells[s->cursor].dataset, dataset) == 0) {
      *out = s->cursor;
      return STATUS_OK;
    }
  }
  *out = s->count;
  if (s->planned) {
    return STATUS_OK;
  }
  TRY(mem_reserve(&s->cells, &s->cap, s->count + 1, sizeof *s->cells, err));
  struct cell_status *c = &s->cells[s->count++];
  *c = (struct cell_status){0};
  (void)snprintf(c->variant, sizeof c->variant, "%s", variant);
  (void)snprintf(c->dataset, sizeof c->dataset, "%s", dataset);
  return STATUS_OK;
}

/* As a run takes records: what is done stays done, what failed may be tried again. */
static void set_state(struct cell_status *c, bool failed, const char *error) {
  if (c->state == CELL_DONE) {
    return;
  }
  c->state = failed ? CELL_FAILED : CELL_DONE;
  (void)snprintf(c->error, sizeof c->error, "%s", failed ? error : "");
}

static status see_cell(struct run_status *s, const struct cell_record *r, double time,
                       struct error *err) {
  size_t at;
  TRY(find_cell(s, r->variant, r->dataset, &at, err));
  if (at < s->count) {
    set_state(&s->cells[at], r->failed, r->error);
  }
  TRY(mem_reserve(&s->times, &s->time_cap, s->time_count + 1, sizeof *s->times, err));
  s->times[s->time_count++] = time;
  return STATUS_OK;
}

/* A variant that could not be pruned takes its cells with it. */
static void see_variant(struct run_status *s, const struct variant_record *r) {
  for (size_t i = 0; r->failed && i < s->count; i++) {
    if (strcmp(s->cells[i].variant, r->id) == 0) {
      set_state(&s->cells[i], true, r->error);
    }
  }
}

/* The last of equals counts. */
static status see_attribution(struct run_status *s, const struct attribution_base *r,
                              struct error *err) {
  size_t i = 0;
  while (i < s->attribution_count && (strcmp(s->attributions[i].variant, r->variant) != 0 ||
                                      strcmp(s->attributions[i].dataset, r->dataset) != 0)) {
    i++;
  }
  if (i == s->attribution_count) {
    TRY(mem_reserve(&s->attributions, &s->attribution_cap, i + 1, sizeof *s->attributions, err));
    s->attribution_count++;
  }
  struct attribution_failure *a = &s->attributions[i];
  *a = (struct attribution_failure){.failed = r->failed};
  (void)snprintf(a->variant, sizeof a->variant, "%s", r->variant);
  (void)snprintf(a->dataset, sizeof a->dataset, "%s", r->dataset);
  (void)snprintf(a->error, sizeof a->error, "%s", r->error);
  return STATUS_OK;
}

static status see(void *user, const unsigned char *record, size_t size, double time,
                  struct error *err) {
  struct run_status *s = user;
  status st = STATUS_OK;
  if (record_kind(record, size) == RECORD_CELL) {
    struct cell_record r = {0};
    TRY_WITH(err, record_decode_cell(&r, record, size, err), "%s", s->journal_path);
    st = see_cell(s, &r, time, err);
    cell_record_free(&r);
  } else if (record_kind(record, size) == RECORD_VARIANT) {
    struct variant_record r = {0};
    TRY_WITH(err, record_decode_variant(&r, record, size, err), "%s", s->journal_path);
    see_variant(s, &r);
    variant_record_free(&r);
  } else if (record_kind(record, size) == RECORD_ATTRIBUTION_BASE) {
    struct attribution_base r = {0};
    TRY_WITH(err, record_decode_attribution_base(&r, record, size, err), "%s", s->journal_path);
    st = see_attribution(s, &r, err);
    attribution_base_free(&r);
  }
  return st;
}

static status add_planned(struct run_status *s, struct error *err) {
  for (size_t i = 0; i < s->results.cell_count; i++) {
    const struct results_cell *c = &s->results.cells[i];
    TRY(mem_reserve(&s->cells, &s->cap, s->count + 1, sizeof *s->cells, err));
    struct cell_status *to = &s->cells[s->count++];
    *to = (struct cell_status){0};
    (void)snprintf(to->variant, sizeof to->variant, "%s", c->variant);
    (void)snprintf(to->dataset, sizeof to->dataset, "%s", c->dataset);
    if (strcmp(c->status, "pending") != 0) {
      set_state(to, strcmp(c->status, "failed") == 0, c->error);
    }
  }
  s->planned = true;
  return STATUS_OK;
}

/* A results file that cannot be read is no reason to be silent about a good journal. */
static status read_results(struct run_status *s, struct error *err) {
  struct error why = {0};
  status st = results_read(&s->results, s->results_path, &why);
  if (st == STATUS_OK) {
    return add_planned(s, err);
  }
  if (!s->has_journal) {
    return err_set(err, st, "%s", why.text);
  }
  if (file_exists(s->results_path)) {
    (void)snprintf(s->note, sizeof s->note, "%s", why.text);
  }
  return STATUS_OK;
}

static status find_paths(struct run_status *s, const char *path, struct error *err) {
  if (!str_ends(path, ".journal")) {
    TRY(str_format(&s->results_path, err, "%s", path));
    return journal_path(&s->journal_path, path, err);
  }
  size_t n = strlen(path) - strlen(".journal");
  TRY(str_format(&s->journal_path, err, "%s", path));
  return str_format(&s->results_path, err, "%.*s.h5", (int)n, path);
}

static void count_states(struct run_status *s) {
  for (size_t i = 0; i < s->count; i++) {
    s->done += s->cells[i].state == CELL_DONE;
    s->failed += s->cells[i].state == CELL_FAILED;
    s->pending += s->cells[i].state == CELL_PENDING;
  }
}

static status gather(struct run_status *s, const char *path, struct error *err) {
  TRY(find_paths(s, path, err));
  s->has_journal = file_exists(s->journal_path);
  TRY(read_results(s, err));
  if (s->has_journal) {
    TRY(journal_scan(s->journal_path, see, s, &s->facts, err));
  }
  count_states(s);
  return STATUS_OK;
}

status status_gather(struct run_status *out, const char *path, struct error *err) {
  *out = (struct run_status){0};
  status st = gather(out, path, err);
  if (st != STATUS_OK) {
    status_free(out);
  }
  return st;
}

void status_free(struct run_status *s) {
  results_close(&s->results);
  free(s->results_path);
  free(s->journal_path);
  free(s->cells);
  free(s->times);
  free(s->attributions);
  *s = (struct run_status){0};
}

double status_time_left(const struct run_status *s, double now) {
  size_t mine = 0;
  for (size_t i = 0; i < s->time_count; i++) {
    mine += s->times[i] >= s->facts.opened;
  }
  if (!s->facts.held || !s->planned || mine == 0 || now <= s->facts.opened) {
    return -1;
  }
  return (now - s->facts.opened) / (double)mine * (double)s->pending;
}
