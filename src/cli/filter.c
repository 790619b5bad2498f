#include "cli/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/journal.h"

/* The i-th name of the file, NULL behind the last. */
static const char *name_at(const struct results_file *f, enum filter_of of, size_t i) {
  switch (of) {
  case FILTER_DATASET:
    return i < f->cell_count ? f->cells[i].dataset : NULL;
  case FILTER_METHOD:
    return i < f->variant_count ? f->variants[i].method : NULL;
  default:
    return i < f->metric_count ? f->metrics[i].metric : NULL;
  }
}

static status unknown_name(const char *option, const char *word, const struct results_file *f,
                           enum filter_of of, const char *path, struct error *err) {
  size_t count = 0;
  while (name_at(f, of, count)) {
    count++;
  }
  const char **all;
  TRY(mem_alloc(&all, count, sizeof(char *), err));
  for (size_t i = 0; i < count; i++) {
    all[i] = name_at(f, of, i);
  }
  int near = str_nearest(word, all, count);
  status st = near >= 0 ? err_set(err, STATUS_INPUT, "%s: '%s' is not in %s (did you mean %s?)",
                                  option, word, path, all[near])
                        : err_set(err, STATUS_INPUT, "%s: '%s' is not in %s", option, word, path);
  free((void *)all);
  return st;
}

status filter_check(const struct word_list *list, enum filter_of of, const char *option,
                    const struct results_file *f, const char *path, struct error *err) {
  for (size_t i = 0; i < list->count; i++) {
    bool known = false;
    const char *name;
    for (size_t k = 0; !known && (name = name_at(f, of, k)); k++) {
      known = strcmp(name, list->at[i]) == 0;
    }
    if (!known) {
      return unknown_name(option, list->at[i], f, of, path, err);
    }
  }
  return STATUS_OK;
}

status filter_parse(struct word_list *list, enum filter_of of, const char *option, const char *text,
                    const struct results_file *f, const char *path, struct error *err) {
  if (!text) {
    return STATUS_OK;
  }
  TRY_WITH(err, word_list_add(list, text, err), "%s", option);
  return filter_check(list, of, option, f, path, err);
}

status results_open(struct results_file *out, const char *path, struct error *err) {
  char *journal;
  TRY(journal_path(&journal, path, err));
  status st;
  if (!file_exists(path) && file_exists(journal)) {
    st =
        err_at(err, STATUS_INPUT, path, 0,
               "not there, but its journal %s is: run the experiment again and it is built from it",
               journal);
  } else {
    st = results_read(out, path, err);
  }
  free(journal);
  return st;
}
