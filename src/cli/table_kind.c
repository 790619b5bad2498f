#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/table.h"

/* The data sets of each column to come: those of a kind, or one. */
struct kinds {
  struct labels names;            /* [count]: of kinds, or of single data sets */
  int *of;                        /* [data sets]: index of its group */
  struct table_dataset *datasets; /* [count] */
  size_t *sizes;                  /* [count]: data sets */
};

static bool is_single(const struct table_dataset *d) {
  return !d->metric || !d->kind || table_open_ended(d->metric);
}

static status find_group(struct kinds *k, const struct table *t, size_t d, struct error *err) {
  const struct table_dataset *mine = &t->datasets[d];
  const char *name = is_single(mine) ? mine->name : mine->kind;
  for (size_t i = 0; i < d && !is_single(mine); i++) {
    if (!is_single(&t->datasets[i]) && strcmp(t->datasets[i].kind, name) == 0) {
      k->of[d] = k->of[i];
      return STATUS_OK;
    }
  }
  TRY(mem_reserve(&k->names.at, &k->names.cap, k->names.count + 1, sizeof(char *), err));
  TRY(mem_dup(&k->names.at[k->names.count], name, strlen(name), err));
  k->of[d] = (int)k->names.count++;
  return STATUS_OK;
}

/* A group's heading: the metric that all its data sets have, or "mean". */
static void join(struct table_dataset *group, const struct table_dataset *d, bool first) {
  if (first) {
    *group = *d;
  } else if (group->metric && strcmp(group->metric, d->metric) != 0) {
    group->metric = "mean";
  }
}

static status group_datasets(struct kinds *k, const struct table *t, struct error *err) {
  size_t count = t->labels[FIELD_DATASET].count;
  TRY(mem_alloc(&k->of, count, sizeof *k->of, err));
  TRY(mem_alloc(&k->datasets, count, sizeof *k->datasets, err));
  TRY(mem_alloc(&k->sizes, count, sizeof *k->sizes, err));
  for (size_t d = 0; d < count; d++) {
    TRY(find_group(k, t, d, err));
    size_t g = (size_t)k->of[d];
    join(&k->datasets[g], &t->datasets[d], k->sizes[g] == 0);
    k->datasets[g].name = k->names.at[g];
    k->sizes[g]++;
  }
  return STATUS_OK;
}

/* "sentiment 2: sst2 acc (872), mr acc (1066)" */
static status add_members(struct table *t, const struct kinds *k, size_t g, struct error *err) {
  struct str *to = &t->members;
  const char *comma = "";
  TRY(str_addf(to, err, "%s%s", to->count ? "; " : "", k->names.at[g]));
  TRY(k->sizes[g] > 1 ? str_addf(to, err, " %zu:", k->sizes[g]) : str_addf(to, err, ":"));
  for (size_t d = 0; d < t->labels[FIELD_DATASET].count; d++) {
    const struct table_dataset *s = &t->datasets[d];
    if (k->of[d] == (int)g) {
      TRY(str_addf(to, err, "%s %s %s (", comma, s->name, s->metric ? s->metric : "-"));
      TRY(s->least == s->most
              ? str_addf(to, err, "%lld)", (long long)s->most)
              : str_addf(to, err, "%lld-%lld)", (long long)s->least, (long long)s->most));
      comma = ",";
    }
  }
  return STATUS_OK;
}

/* Which field of a column is the data set's. */
static size_t dataset_field(const struct table *t) {
  size_t i = 0;
  while (t->query.columns[i] != FIELD_DATASET) {
    i++;
  }
  return i;
}

/* The new column of each old one, in order of first appearance; its line goes into lines. */
static void regroup(const struct table *t, const struct kinds *k, struct table_line *lines,
                    size_t *count, size_t *to) {
  size_t field = dataset_field(t);
  for (size_t c = 0; c < t->column_count; c++) {
    struct table_line line = t->columns[c];
    line.values[field] = k->of[line.values[field]];
    size_t at = 0;
    while (at < *count && memcmp(&lines[at], &line, sizeof line) != 0) {
      at++;
    }
    lines[at] = line;
    *count += at == *count;
    to[c] = at;
  }
}

/* Adds a data set's spread to the mean's sums. */
static void add_spread(struct table_spread *to, const struct table_spread *s) {
  to->dense |= s->dense;
  to->failed += s->good == 0 && s->failed;
  if (s->good) {
    double error = s->errors / (double)s->good;
    to->good++;
    to->sum += table_mean(s);
    to->squares += error * error;
  }
}

/* out: [row_count][count] */
static void average(const struct table *t, const struct kinds *k, size_t count, const size_t *to,
                    struct table_spread *out) {
  size_t field = dataset_field(t);
  for (size_t r = 0; r < t->row_count; r++) {
    for (size_t c = 0; c < t->column_count; c++) {
      const struct table_spread *s = table_spread_at(t, r, c);
      struct table_spread *sum = &out[r * count + to[c]];
      int dataset = t->columns[c].values[field];
      if (is_single(&t->datasets[dataset])) {
        *sum = *s;
        continue;
      }
      if (s->planned) {
        sum->planned = k->sizes[k->of[dataset]];
      }
      sum->averaged = true;
      add_spread(sum, s);
    }
    for (size_t c = 0; c < count; c++) {
      struct table_spread *s = &out[r * count + c];
      if (s->averaged && s->good) {
        s->mean = s->sum /= (double)s->good;
        s->squares /= (double)(s->good * s->good);
      }
    }
  }
}

static status collapse(struct table *t, struct kinds *k, struct error *err) {
  struct table_line *lines = NULL;
  struct table_spread *spreads = NULL;
  size_t *to = NULL, count = 0;
  status st;
  TRY_GOTO(st, end, mem_alloc(&lines, t->column_count, sizeof *lines, err));
  TRY_GOTO(st, end, mem_alloc(&to, t->column_count, sizeof *to, err));
  regroup(t, k, lines, &count, to);
  TRY_GOTO(st, end, mem_alloc(&spreads, t->row_count * count, sizeof *spreads, err));
  average(t, k, count, to, spreads);
  free(t->columns);
  free(t->spreads);
  t->columns = lines;
  t->spreads = spreads;
  t->column_count = count;
  lines = NULL;
  spreads = NULL;
end:
  free(lines);
  free(spreads);
  free(to);
  return st;
}

static void free_labels(struct labels *l) {
  for (size_t i = 0; i < l->count; i++) {
    free(l->at[i]);
  }
  free((void *)l->at);
}

status table_kinds(struct table *t, struct error *err) {
  struct kinds k = {.of = NULL};
  status st = group_datasets(&k, t, err);
  for (size_t g = 0; st == STATUS_OK && g < k.names.count; g++) {
    st = add_members(t, &k, g, err);
  }
  if (st == STATUS_OK) {
    st = collapse(t, &k, err);
  }
  if (st == STATUS_OK) {
    free_labels(&t->labels[FIELD_DATASET]);
    free(t->datasets);
    t->labels[FIELD_DATASET] = k.names;
    t->datasets = k.datasets;
    k.names = (struct labels){0};
    k.datasets = NULL;
  }
  free_labels(&k.names);
  free(k.datasets);
  free(k.of);
  free(k.sizes);
  return st;
}
