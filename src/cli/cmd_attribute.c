#include <stdlib.h>
#include <string.h>

#include "cli/attribute.h"
#include "cli/attribute_arguments.h"
#include "cli/cli.h"
#include "cli/filter.h"

static const struct section {
  const char *name;
  bool usual;
  status (*fill)(const struct attribute_view *v, struct sheet *s, struct error *err);
} sections[] = {
    {"words", true, attribute_words},   {"units", false, attribute_units},
    {"apart", false, attribute_apart},  {"causal", true, attribute_causal},
    {"losses", true, attribute_losses}, {"layers", false, attribute_layers},
    {"link", true, attribute_link},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

/* wanted [SECTIONS] */
static status choose_sections(const struct attribute_arguments *a, bool *wanted, size_t *count,
                              struct error *err) {
  const char *text = attribute_text(a, OPTION_SECTION), *names[SECTIONS];
  struct word_list list = {0};
  for (size_t i = 0; i < SECTIONS; i++) {
    names[i] = sections[i].name;
    bool pair = !a->file && sections[i].fill == attribute_link; /* one point correlates with none */
    wanted[i] = !text && sections[i].usual && !pair;
  }
  status st = text ? word_list_add(&list, text, err) : STATUS_OK;
  for (size_t k = 0; st == STATUS_OK && k < list.count; k++) {
    size_t i = 0;
    while (i < SECTIONS && strcmp(names[i], list.at[k]) != 0) {
      i++;
    }
    if (i < SECTIONS) {
      wanted[i] = true;
      continue;
    }
    int near = str_nearest(list.at[k], names, SECTIONS);
    st = near >= 0 ? err_set(err, STATUS_INPUT, "--section: '%s' (did you mean %s?)", list.at[k],
                             names[near])
                   : err_set(err, STATUS_INPUT,
                             "--section: '%s' (expected words, units, apart, causal, losses, "
                             "layers or link)",
                             list.at[k]);
  }
  word_list_free(&list);
  *count = 0;
  for (size_t i = 0; i < SECTIONS; i++) {
    *count += wanted[i];
  }
  return st;
}

static status add_section(const struct section *section, const struct attribute_view *v, int format,
                          cJSON *root, struct str *to, struct error *err) {
  struct sheet s = {0};
  status st = section->fill(v, &s, err);
  if (st == STATUS_OK && format == SHEET_AS_JSON) {
    cJSON_AddItemToObject(root, s.name, sheet_json(&s));
  } else if (st == STATUS_OK && format == SHEET_AS_CSV) {
    st = sheet_print_csv(&s, to, err);
  } else if (st == STATUS_OK) {
    st = to->count ? str_addf(to, err, "\n") : STATUS_OK;
    st = st == STATUS_OK ? sheet_print_text(&s, to, err) : st;
  }
  sheet_free(&s);
  return st;
}

static status print_view(const struct attribute_arguments *a, struct attribute_view *v,
                         struct error *err) {
  bool wanted[SECTIONS];
  size_t count;
  TRY(choose_sections(a, wanted, &count, err));
  if (a->format == SHEET_AS_CSV && count != 1) {
    return err_set(err, STATUS_INPUT, "--format csv: one section at a time (--section words)");
  }
  enum { USUAL_NEURONS = 3 };
  int all = a->format == SHEET_AS_TEXT ? USUAL_NEURONS : INT32_MAX;
  v->neurons = (size_t)(a->file ? attribute_number(a, OPTION_NEURONS, all) : all);
  v->draws = a->draws;
  struct str text = {0};
  cJSON *root = a->format == SHEET_AS_JSON ? cJSON_CreateObject() : NULL;
  status st = STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < SECTIONS; i++) {
    st = wanted[i] ? add_section(&sections[i], v, a->format, root, &text, err) : STATUS_OK;
  }
  char *json = st == STATUS_OK && root ? cJSON_Print(root) : NULL;
  if (st == STATUS_OK && root) {
    st = json ? str_addf(&text, err, "%s\n", json) : err_set(err, STATUS_MEMORY, "out of memory");
  }
  if (st == STATUS_OK && text.count) {
    (void)fwrite(text.at, 1, text.count, stdout);
  }
  cJSON_free(json);
  cJSON_Delete(root);
  str_free(&text);
  return st;
}

static status fill_query(struct design_query *q, const struct attribute_arguments *a,
                         const struct results_file *f, struct error *err) {
  const struct {
    int option;
    const char *name;
    struct word_list *list;
  } lists[] = {
      {OPTION_METHOD, "--method", &q->methods},
      {OPTION_MODEL, "--model", &q->models},
      {OPTION_SPARSITY, "--sparsity", &q->sparsities},
      {OPTION_CALIBRATION, "--calibration", &q->calibrations},
      {OPTION_SAMPLES, "--samples", &q->samples},
      {OPTION_LENGTH, "--length", &q->lengths},
      {OPTION_PROPAGATE, "--propagate", &q->propagates},
  };
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    const char *text = attribute_text(a, lists[i].option);
    TRY_WITH(err, text ? word_list_add(lists[i].list, text, err) : STATUS_OK, "%s", lists[i].name);
  }
  q->seed = (unsigned)attribute_number(a, OPTION_SEED, 0);
  return filter_parse(&q->datasets, FILTER_DATASET, "--dataset", attribute_text(a, OPTION_DATASET),
                      f, a->file, err);
}

static void free_query(struct design_query *q) {
  struct word_list *lists[] = {&q->datasets,     &q->methods, &q->models,  &q->sparsities,
                               &q->calibrations, &q->samples, &q->lengths, &q->propagates};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    word_list_free(lists[i]);
  }
}

static status show_file(const struct attribute_arguments *a, struct error *err) {
  struct results_file f;
  struct attribution_file attributions;
  TRY(results_open(&f, a->file, err));
  status st = attribution_file_open(&attributions, a->file, err);
  if (st == STATUS_OK) {
    struct design_query q = {.seed = 0};
    struct attribute_view v = {0};
    st = fill_query(&q, a, &f, err);
    st = st == STATUS_OK ? attribute_view_make(&v, &f, &attributions, a->file, &q, err) : st;
    st = st == STATUS_OK ? print_view(a, &v, err) : st;
    attribute_view_free(&v);
    free_query(&q);
    attribution_file_close(&attributions);
  }
  results_close(&f);
  return st;
}

static status show_records(const struct attribute_arguments *a, const struct attribution_base *base,
                           const struct attribution_loss *loss, struct error *err) {
  struct results_variant pruned = {.model = (char *)a->pair.model,
                                   .method = (char *)"pruned",
                                   .sparsity = (char *)"",
                                   .calibration = (char *)"",
                                   .propagate = "",
                                   .draw = -1};
  struct attribute_base of = {base, a->pair.model};
  struct attribute_line line = {loss, base, &pruned, a->pair.pruned};
  struct attribute_view v = {
      .bases = &of, .base_count = 1, .lines = &line, .line_count = 1, .seed = 0};
  return print_view(a, &v, err);
}

static status show_pair(const struct attribute_arguments *a, struct error *err) {
  struct session session;
  TRY(session_open(&session, false, attribute_number(a, OPTION_THREADS, 0), err));
  if (session.group.rank != 0) {
    return STATUS_OK;
  }
  struct cli_places places;
  TRY(places_open(&places, err));
  struct attribution_base base;
  struct attribution_loss loss;
  status st = attribute_pair(&a->pair, &places, &session, &base, &loss, err);
  st = st == STATUS_OK ? show_records(a, &base, &loss, err) : st;
  attribution_base_free(&base);
  attribution_loss_free(&loss);
  places_close(&places);
  return st;
}

status cmd_attribute(int argc, char **argv, struct error *err) {
  struct attribute_arguments a;
  TRY(attribute_parse(&a, argc, argv, err));
  return a.file ? show_file(&a, err) : show_pair(&a, err);
}
