#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/bench.h"

static status push(struct bench_report *r, struct bench_figure f, struct error *err,
                   const char *format, va_list args) {
  char name[128];
  (void)vsnprintf(name, sizeof name, format, args);
  TRY(mem_reserve(&r->at, &r->cap, r->count + 1, sizeof *r->at, err));
  TRY(mem_dup(&f.name, name, strlen(name), err));
  r->at[r->count++] = f;
  return STATUS_OK;
}

static status median_of(const double *values, int repeats, double *low, double *median,
                        double *high, struct error *err) {
  double *sorted;
  TRY(mem_alloc(&sorted, (size_t)repeats, sizeof *sorted, err));
  memcpy(sorted, values, (size_t)repeats * sizeof *sorted);
  *median = bench_median(sorted, repeats);
  *low = sorted[0];
  *high = sorted[repeats - 1];
  free(sorted);
  return STATUS_OK;
}

status bench_add(struct bench_report *r, const char *section, const char *unit, int threads,
                 const double *values, const double *shares, int repeats, struct error *err,
                 const char *name, ...) {
  struct bench_figure f = {.section = section, .unit = unit, .threads = threads, .share = NAN};
  double low, high;
  TRY(median_of(values, repeats, &f.low, &f.value, &f.high, err));
  if (shares) {
    TRY(median_of(shares, repeats, &low, &f.share, &high, err));
  }
  va_list args;
  va_start(args, name);
  status st = push(r, f, err, name, args);
  va_end(args);
  return st;
}

status bench_add_unsupported(struct bench_report *r, const char *section, const char *unit,
                             int threads, struct error *err, const char *name, ...) {
  struct bench_figure f = {.section = section,
                           .unit = unit,
                           .threads = threads,
                           .value = NAN,
                           .low = NAN,
                           .high = NAN,
                           .share = NAN};
  va_list args;
  va_start(args, name);
  status st = push(r, f, err, name, args);
  va_end(args);
  return st;
}

void bench_report_free(struct bench_report *r) {
  for (size_t i = 0; i < r->count; i++) {
    free(r->at[i].name);
  }
  free(r->at);
  *r = (struct bench_report){0};
}

/* Four significant digits without an exponent. */
static void print_value(double value, char out[32]) {
  int digits = 3;
  for (double v = fabs(value); v >= 10 && digits > 0; v /= 10) {
    digits--;
  }
  for (double v = fabs(value); v > 0 && v < 1 && digits < 7; v *= 10) {
    digits++;
  }
  (void)snprintf(out, 32, "%.*f", digits, value);
}

static void print_figure(const struct bench_figure *f, int width) {
  char value[32], share[16] = "";
  if (isnan(f->value)) {
    printf("  %-*s  %7d  not supported\n", width, f->name, f->threads);
    return;
  }
  print_value(f->value, value);
  if (!isnan(f->share)) {
    (void)snprintf(share, sizeof share, "%.1f %%", 100 * f->share);
  }
  printf("  %-*s  %7d  %10s  %-8s  %10s\n", width, f->name, f->threads, value, f->unit, share);
}

void bench_print(struct bench_report *r) {
  size_t width = 0;
  for (size_t i = r->printed; i < r->count; i++) {
    size_t length = strlen(r->at[i].name);
    width = length > width ? length : width;
  }
  for (; r->printed < r->count; r->printed++) {
    const struct bench_figure *f = &r->at[r->printed];
    if (r->printed == 0 || strcmp(f[-1].section, f->section) != 0) {
      printf("\n%-*s  threads  %10s  %-8s  %10s\n", (int)width + 2, f->section, "median", "unit",
             "of ceiling");
    }
    print_figure(f, (int)width);
  }
  (void)fflush(stdout);
}

/* NaN, which JSON has no word for, becomes null. */
static bool add_number(cJSON *o, const char *key, double value) {
  return isnan(value) ? cJSON_AddNullToObject(o, key) != NULL
                      : cJSON_AddNumberToObject(o, key, value) != NULL;
}

static bool add_figure(cJSON *list, const struct bench_figure *f) {
  cJSON *o = cJSON_CreateObject();
  if (!o || !cJSON_AddItemToArray(list, o)) {
    cJSON_Delete(o);
    return false;
  }
  return cJSON_AddStringToObject(o, "section", f->section) &&
         cJSON_AddStringToObject(o, "name", f->name) &&
         cJSON_AddNumberToObject(o, "threads", f->threads) && add_number(o, "value", f->value) &&
         add_number(o, "low", f->low) && add_number(o, "high", f->high) &&
         cJSON_AddStringToObject(o, "unit", f->unit) && add_number(o, "share", f->share);
}

static bool build(cJSON *root, const struct bench_report *r, const struct bench_host *h,
                  int repeats) {
  cJSON *host = cJSON_AddObjectToObject(root, "host");
  bool ok = host && cJSON_AddStringToObject(host, "cpu", h->cpu) &&
            cJSON_AddNumberToObject(host, "threads", h->threads) &&
            cJSON_AddNumberToObject(host, "ranks", h->ranks) &&
            cJSON_AddStringToObject(host, "onednn", h->onednn) &&
            cJSON_AddStringToObject(host, "openblas", h->openblas) &&
            cJSON_AddStringToObject(root, "version", ESPALIER_VERSION) &&
            cJSON_AddNumberToObject(root, "repeats", repeats);
  cJSON *figures = ok ? cJSON_AddArrayToObject(root, "figures") : NULL;
  ok = figures != NULL;
  for (size_t i = 0; i < r->count && ok; i++) {
    ok = add_figure(figures, &r->at[i]);
  }
  return ok;
}

status bench_print_json(const struct bench_report *r, const struct bench_host *h, int repeats,
                        struct error *err) {
  cJSON *root = cJSON_CreateObject();
  char *text = root && build(root, r, h, repeats) ? cJSON_Print(root) : NULL;
  cJSON_Delete(root);
  if (!text) {
    return err_set(err, STATUS_MEMORY, "out of memory");
  }
  printf("%s\n", text);
  cJSON_free(text);
  return STATUS_OK;
}
