/* The map `attribution:` of an experiment file. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/lexicon.h"
#include "base/mem.h"
#include "grid/parse.h"

static const char *const keys[] = {"datasets",
                                   "influence",
                                   "lexicon",
                                   "words",
                                   "min_occurrences",
                                   "stop_words",
                                   "candidates",
                                   "leave_out",
                                   "score",
                                   "neurons",
                                   "false_discovery_rate",
                                   "background",
                                   "windows",
                                   "causal",
                                   "random",
                                   "patch",
                                   "lens"};
enum { KEYS = sizeof keys / sizeof keys[0] };

static status mark_datasets(struct grid *g, const struct yaml *map, struct error *err) {
  const struct yaml *node = yaml_get(map, "datasets");
  if (!node) {
    return yaml_fail(&g->file, map, err,
                     "'attribution' without datasets (expected 'datasets: [NAME]')");
  }
  struct entries list;
  TRY(parse_entries(&g->file, node, "datasets", &list, err));
  TRY(mem_alloc(&g->attributed, g->dataset_count, sizeof *g->attributed, err));
  for (size_t i = 0; i < list.count; i++) {
    const char *text;
    size_t d = 0;
    TRY(yaml_text(&g->file, &list.at[i], "datasets", &text, err));
    while (d < g->dataset_count && strcmp(g->datasets[d].name, text) != 0) {
      d++;
    }
    if (d == g->dataset_count) {
      return yaml_fail(&g->file, &list.at[i], err,
                       "'attribution': %s is not among the experiment's datasets", text);
    }
    g->attributed[d] = list.at[i].line;
  }
  return STATUS_OK;
}

/* A whole number behind a key of the map; *out stays as it is when the key is absent. */
static status read_int(const struct grid *g, const struct yaml *map, const char *key, long low,
                       long high, int *out, struct error *err) {
  const struct yaml *node = yaml_get(map, key);
  long value = *out;
  if (node) {
    TRY(yaml_int(&g->file, node, key, low, high, &value, err));
  }
  *out = (int)value;
  return STATUS_OK;
}

static status read_bool(const struct grid *g, const struct yaml *map, const char *key, bool *out,
                        struct error *err) {
  const struct yaml *node = yaml_get(map, key);
  return node ? yaml_bool(&g->file, node, key, out, err) : STATUS_OK;
}

static status read_choice(const struct grid *g, const struct yaml *map, const char *key,
                          const char *const *names, size_t count, int *out, struct error *err) {
  const struct yaml *node = yaml_get(map, key);
  return node ? yaml_choice(&g->file, node, key, names, count, out, err) : STATUS_OK;
}

/* Read here for its mistakes alone: an attribution reads it again. */
static status check_lexicon(const char *path, struct error *err) {
  struct lexicon l = {0};
  status st = lexicon_read(&l, path, err);
  lexicon_free(&l);
  return st;
}

static status read_lexicon(struct grid *g, const struct yaml *node, struct error *err) {
  struct attribution_options *o = &g->attribution;
  const char *text;
  TRY(yaml_text(&g->file, node, "lexicon", &text, err));
  TRY(parse_beside(g, text, &o->lexicon, err));
  TRY(o->lexicon ? STATUS_OK : mem_dup(&o->lexicon, text, strlen(text), err));
  return check_lexicon(o->lexicon, err);
}

static status read_words(struct grid *g, const struct yaml *map, struct error *err) {
  struct attribution_options *o = &g->attribution;
  int influence = (int)o->influence;
  TRY(read_choice(g, map, "influence", influence_names, INFLUENCES, &influence, err));
  o->influence = (enum influence)influence;
  const struct yaml *node = yaml_get(map, "lexicon");
  if ((node != NULL) != (o->influence == INFLUENCE_LEXICON)) {
    return yaml_fail(&g->file, node ? node : yaml_get(map, "influence"), err,
                     node ? "'lexicon' needs 'influence: lexicon'"
                          : "'influence: lexicon' needs 'lexicon: FILE'");
  }
  TRY(node ? read_lexicon(g, node, err) : STATUS_OK);
  TRY(read_int(g, map, "words", 1, 10000, &o->words, err));
  TRY(read_int(g, map, "min_occurrences", 1, INT_MAX, &o->least_occurrences, err));
  TRY(read_bool(g, map, "stop_words", &o->stop_words, err));
  TRY(read_int(g, map, "candidates", 1, INT_MAX, &o->candidates, err));
  return read_int(g, map, "leave_out", 1, INT_MAX, &o->occurrences, err);
}

static status read_units(struct grid *g, const struct yaml *map, struct error *err) {
  struct attribution_options *o = &g->attribution;
  int score = (int)o->score;
  TRY(read_choice(g, map, "score", match_score_names, MATCH_SCORES, &score, err));
  o->score = (enum match_score)score;
  TRY(read_int(g, map, "neurons", 1, 10000, &o->neurons, err));
  const struct yaml *node = yaml_get(map, "false_discovery_rate");
  if (node) {
    TRY(yaml_double(&g->file, node, "false_discovery_rate", 0, 1, &o->discovery, err));
  }
  TRY(read_int(g, map, "windows", 1, 1000000, &o->background, err));
  TRY(read_bool(g, map, "causal", &o->causal, err));
  TRY(read_int(g, map, "random", 1, 10000, &o->random_sets, err));
  TRY(read_bool(g, map, "patch", &o->patch, err));
  return read_int(g, map, "lens", 0, 100, &o->lens, err);
}

/* The set that neutral text comes from: by default the first calibration set. */
static status read_background(struct grid *g, const struct yaml *map, struct error *err) {
  const struct yaml *node = yaml_get(map, "background");
  struct grid_name *b = &g->background;
  if (!node) {
    if (g->set_count == 0) {
      return yaml_fail(&g->file, map, err,
                       "'attribution' without calibration sets needs 'background: SET'");
    }
    b->name = g->sets[0].name;
    b->line = g->sets[0].line;
    return mem_dup(&b->path, g->sets[0].path, strlen(g->sets[0].path), err);
  }
  TRY(yaml_text(&g->file, node, "background", &b->name, err));
  b->line = node->line;
  return parse_set(g, b, err);
}

status parse_attribution(struct grid *g, const struct yaml *node, struct error *err) {
  TRY(yaml_check_keys(&g->file, node, "attribution", keys, KEYS, err));
  g->attribution = attribution_defaults();
  g->attribution.seed = g->seed;
  TRY(mark_datasets(g, node, err));
  TRY(read_words(g, node, err));
  TRY(read_units(g, node, err));
  return read_background(g, node, err);
}
