/* What a calibration file says. Keys: ../../configs/README.md. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "calib/layers.h"
#include "calib/set.h"
#include "data/search.h"
#include "data/task_parts.h"

/* The keys that say where sequences come from, in the order of enum source_kind. */
static const char *const what_keys[] = {"field", "template", "ids", "task", "mixture", "generate"};
enum { WHATS = sizeof what_keys / sizeof what_keys[0] };

static bool is_name(const char *text) {
  for (const char *p = text; *p; p++) {
    if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) {
      return false;
    }
  }
  return *text != '\0';
}

static status find_source(struct calibration *c, const struct yaml_file *file,
                          const struct yaml *node, const struct search *search, struct error *err) {
  const char *text;
  TRY(yaml_text(file, node, "source", &text, err));
  TRY(search_data(&c->data, search, text, file->path, err));
  if (!c->data) {
    return yaml_fail(
        file, node, err,
        "source: no file '%s' (looked in the data folders that ESPALIER_DATA names and "
        "beside this file)",
        text);
  }
  return STATUS_OK;
}

/* A field is an expression ("choices.text[0]"), a template a text with {{ expressions }}. */
status set_parse_text(struct calibration *c, const char *file, long line, struct error *err) {
  TRY(mem_dup(&c->file, file, strlen(file), err));
  TRY(arena_create(&c->arena, err));
  if (c->source == SOURCE_FIELD) {
    return template_parse_value(&c->parsed, c->arena, c->text, c->file, line, err);
  }
  if (c->source == SOURCE_TEMPLATE) {
    return template_parse(&c->parsed, c->arena, c->text, c->file, line, err);
  }
  return STATUS_OK;
}

/* Which of field, template, ... says where sequences come from: the topmost file's word counts. */
static status find_what(struct calibration *c, const struct layers *l,
                        const struct yaml_file **file, const struct yaml **found,
                        struct error *err) {
  *found = NULL;
  for (int i = 0; i < l->count && !*found; i++) {
    *file = &l->at[i];
    for (int k = 0; k < WHATS; k++) {
      const struct yaml *node = yaml_get(&l->at[i].root, what_keys[k]);
      if (node && *found) {
        return yaml_fail(*file, node, err, "'%s' beside '%s' (expected one of them)", what_keys[k],
                         what_keys[c->source]);
      }
      if (node) {
        *found = node;
        c->source = (enum source_kind)k;
      }
    }
  }
  return *found ? STATUS_OK
                : err_at(err, STATUS_INPUT, l->at[0].path, 0,
                         "nothing says what a document is (expected one of the keys field, "
                         "template, ids, task, mixture, generate)");
}

/* A mixture and generated texts are not cut by a sampler: keys about documents stand in no file
 * down to the one that says so. */
static status refuse_others(const struct layers *l, const struct yaml_file *last, const char *what,
                            struct error *err) {
  static const char *const allowed[] = {"calibration", "about", "include"};
  for (const struct yaml_file *file = l->at; file <= last; file++) {
    for (size_t i = 0; i < file->root.count; i++) {
      const char *key = file->root.keys[i].text;
      bool fine = strcmp(key, what) == 0 || yaml_is_null(&file->root.items[i]);
      for (size_t k = 0; k < sizeof allowed / sizeof allowed[0]; k++) {
        fine = fine || strcmp(key, allowed[k]) == 0;
      }
      if (!fine) {
        return yaml_fail(file, &file->root.keys[i], err, "%s means nothing beside %s", key, what);
      }
    }
  }
  return STATUS_OK;
}

/* Documents of a JSONL file. */
static status read_documents(struct calibration *c, const struct layers *l,
                             const struct yaml_file *file, const struct yaml *node,
                             const struct search *search, struct error *err) {
  const char *text;
  TRY(yaml_text(file, node, what_keys[c->source], &text, err));
  if (*text == '\0') {
    return yaml_fail(file, node, err, "%s is empty", what_keys[c->source]);
  }
  TRY(mem_dup(&c->text, text, strlen(text), err));
  TRY(set_parse_text(c, file->path, node->line, err));
  if (c->source == SOURCE_TASK) {
    TRY_WITH(err, task_open(&c->task, text, search, err), "%s:%ld", file->path, node->line);
  }
  const struct yaml_file *source_file;
  const struct yaml *source = layers_get(l, "source", &source_file);
  if (!source) {
    return err_at(err, STATUS_INPUT, l->at[0].path, 0,
                  "no source (expected 'source: FILE.jsonl', relative to this file or to a data "
                  "folder)");
  }
  return find_source(c, source_file, source, search, err);
}

static status read_prompts(struct calibration *c, const struct layers *l, struct error *err) {
  const struct yaml_file *file;
  const struct yaml *node = layers_get(l, "answers", &file);
  c->answers = true;
  if (node && c->source != SOURCE_TASK) {
    return yaml_fail(file, node, err, "answers without task");
  }
  TRY(node ? yaml_bool(file, node, "answers", &c->answers, err) : STATUS_OK);
  node = layers_get(l, "shots", &file);
  if (node && c->source != SOURCE_TASK) {
    return yaml_fail(file, node, err, "shots without task");
  }
  long shots = 0;
  TRY(node ? yaml_int(file, node, "shots", 0, 1000, &shots, err) : STATUS_OK);
  c->shots = (int)shots;
  if (c->shots > 0 && c->task->text) {
    return yaml_fail(file, node, err, "shots: task %s has texts, not prompts with answers",
                     task_name(c->task));
  }
  return STATUS_OK;
}

/* Parameters of the sampler at hand; those of others are refused. */
static status read_params(struct calibration *c, const struct layers *l, struct error *err) {
  const char *all[SAMPLERS_MOST * SAMPLER_PARAMS];
  size_t count = samplers_keys(all, sizeof all / sizeof all[0]);
  for (size_t i = 0; i < count; i++) {
    const struct yaml_file *file;
    const struct yaml *node = layers_get(l, all[i], &file);
    size_t k = 0;
    while (k < SAMPLER_PARAMS && c->sampler->params[k].key &&
           strcmp(c->sampler->params[k].key, all[i]) != 0) {
      k++;
    }
    const struct sampler_param *p = k < SAMPLER_PARAMS ? &c->sampler->params[k] : NULL;
    if ((!p || !p->key) && node) {
      return yaml_fail(file, node, err, "%s means nothing to the sampler %s", all[i],
                       c->sampler->name);
    }
    if (!p || !p->key) {
      continue;
    }
    c->params[k] = p->fallback;
    if (node && p->whole) {
      long value;
      TRY(yaml_int(file, node, p->key, (long)p->low, (long)p->high, &value, err));
      c->params[k] = (double)value;
    } else if (node) {
      TRY(yaml_double(file, node, p->key, p->low, p->high, &c->params[k], err));
    }
  }
  return STATUS_OK;
}

static status read_target(struct calibration *c, const struct layers *l,
                          const struct search *search, int depth, struct error *err) {
  const struct yaml_file *file;
  const struct yaml *node = layers_get(l, "target", &file);
  if (!c->sampler->targets) {
    return node ? yaml_fail(file, node, err, "target means nothing to the sampler %s",
                            c->sampler->name)
                : STATUS_OK;
  }
  if (!node) {
    return err_at(err, STATUS_INPUT, l->at[0].path, 0,
                  "no target (sampler %s expects 'target: SET', a calibration set or data folder)",
                  c->sampler->name);
  }
  TRY(set_named(&c->target, file, node, "target", search, depth, err));
  if (c->target->source == SOURCE_MIXTURE || c->target->source == SOURCE_GENERATE) {
    return yaml_fail(file, node, err, "target: %s has no documents (expected a set with a source)",
                     c->target->name);
  }
  return STATUS_OK;
}

static status read_join(struct calibration *c, const struct layers *l, struct error *err) {
  const struct yaml_file *file;
  const char *join = c->sampler->join ? c->sampler->join : "";
  const struct yaml *node = layers_get(l, "join", &file);
  if (node && !c->sampler->joins) {
    return yaml_fail(file, node, err,
                     "join means nothing to the sampler %s (expected sampler: "
                     "concatenate)",
                     c->sampler->name);
  }
  if (node) {
    TRY(yaml_text(file, node, "join", &join, err));
  }
  return mem_dup(&c->join, join, strlen(join), err);
}

static status read_sampler(struct calibration *c, const struct layers *l,
                           const struct search *search, int depth, struct error *err) {
  c->sampler = sampler_find(c->source == SOURCE_IDS ? "lines" : "packed");
  const struct yaml_file *file;
  const struct yaml *node = layers_get(l, "sampler", &file);
  if (node) {
    const char *names[SAMPLERS_MOST];
    size_t count = samplers_names(names, SAMPLERS_MOST);
    int choice;
    TRY(yaml_choice(file, node, "sampler", names, count, &choice, err));
    c->sampler = sampler_find(names[choice]);
    if (c->sampler->joins && c->source == SOURCE_IDS) {
      return yaml_fail(file, node, err, "sampler %s needs texts (the set gives ids)",
                       c->sampler->name);
    }
  }
  TRY(read_join(c, l, err));
  TRY(read_params(c, l, err));
  if (c->sampler->check) {
    TRY(c->sampler->check(c->params, l->at[0].path, err));
  }
  return read_target(c, l, search, depth, err);
}

static status read_name(struct calibration *c, const struct layers *l, struct error *err) {
  const struct yaml_file *file = &l->at[0];
  const struct yaml *node = yaml_get(&file->root, "calibration");
  if (!node) {
    const char *base = path_base(file->path);
    size_t n = strlen(base) - (str_ends(base, ".yaml") ? strlen(".yaml") : 0);
    return mem_dup(&c->name, base, n, err);
  }
  const char *text;
  TRY(yaml_text(file, node, "calibration", &text, err));
  if (!is_name(text)) {
    return yaml_fail(file, node, err, "calibration '%s' (expected letters, digits, - _ .)", text);
  }
  return mem_dup(&c->name, text, strlen(text), err);
}

status set_named(struct calibration **out, const struct yaml_file *file, const struct yaml *node,
                 const char *key, const struct search *search, int depth, struct error *err) {
  const char *text;
  TRY(yaml_text(file, node, key, &text, err));
  char *path = NULL;
  if (strchr(text, '/') || str_ends(text, ".yaml")) {
    TRY(layers_beside(&path, file, text, err));
  }
  status st = set_open(out, path ? path : text, search, depth + 1, err);
  free(path);
  return st == STATUS_OK ? st : err_prefix(err, "%s:%ld: %s", file->path, node->line, key);
}

status set_read(struct calibration *c, const struct layers *l, const struct search *search,
                int depth, struct error *err) {
  const struct yaml_file *file;
  const struct yaml *node;
  TRY(read_name(c, l, err));
  TRY(find_what(c, l, &file, &node, err));
  if (c->source == SOURCE_MIXTURE || c->source == SOURCE_GENERATE) {
    TRY(mem_dup(&c->data, file->path, strlen(file->path), err));
    TRY(refuse_others(l, file, what_keys[c->source], err));
    return c->source == SOURCE_MIXTURE ? mixture_read(c, file, node, search, depth, err)
                                       : generate_read(c, file, node, search, depth, err);
  }
  TRY(read_documents(c, l, file, node, search, err));
  TRY(read_prompts(c, l, err));
  return read_sampler(c, l, search, depth, err);
}
