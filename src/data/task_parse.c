#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "data/task_parts.h"

static const char *const kinds[] = {
    [TASK_SENTIMENT] = "sentiment", [TASK_SIMILARITY] = "similarity",
    [TASK_INFERENCE] = "inference", [TASK_QUESTION_ANSWERING] = "question_answering",
    [TASK_TOPIC] = "topic",         [TASK_LANGUAGE_MODELING] = "language_modeling",
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *task_kind_name(enum task_kind kind) {
  return kinds[kind];
}

enum {
  CHOICE = 1 << TASK_MULTIPLE_CHOICE,
  PERPLEXITY = 1 << TASK_PERPLEXITY,
  WORD = 1 << TASK_LAST_WORD,
  ROLLING = 1 << TASK_ROLLING,
};

static const struct {
  const char *name;
  const char *metrics[TASK_METRICS]; /* the first is the default */
} types[] = {
    [TASK_MULTIPLE_CHOICE] = {"multiple_choice",
                              {"acc", "acc_norm", "acc_bytes", "acc_mutual_info", "f1", "f1_macro",
                               "mcc", "exact_match", "brier_score"}},
    [TASK_PERPLEXITY] = {"perplexity", {"perplexity"}},
    [TASK_LAST_WORD] = {"last_word", {"perplexity", "acc"}},
    [TASK_ROLLING] = {"rolling", {"word_perplexity", "byte_perplexity", "bits_per_byte"}},
};
enum { TYPES = sizeof types / sizeof *types };

/* Which types a key belongs to, and which of them need it; keys not listed belong to all. */
static const struct {
  const char *key;
  int allowed, needed;
} uses[] = {
    {"context", CHOICE | WORD, CHOICE | WORD},
    {"choices", CHOICE, CHOICE},
    {"label", CHOICE, CHOICE},
    {"target", WORD, WORD},
    {"text", PERPLEXITY | ROLLING, PERPLEXITY | ROLLING},
    {"counted", ROLLING, 0},
    {"pages", PERPLEXITY | ROLLING, 0},
    {"join", PERPLEXITY, 0},
    {"train", CHOICE | WORD, 0},
    {"order", CHOICE | WORD, 0},
    {"delimiter", CHOICE | WORD, 0},
    {"description", CHOICE | WORD, 0},
    {"fewshot", CHOICE | WORD, 0},
};

/* The value of a key that every task needs. */
static status need(const struct task *t, const char *key, struct entry *out, struct error *err) {
  *out = task_entry(t, key);
  if (!out->node) {
    return err_at(err, STATUS_INPUT, t->files[0].path, 0, "key '%s' is missing", key);
  }
  return STATUS_OK;
}

static status parse_type(struct task *t, struct error *err) {
  const char *names[TYPES];
  for (size_t i = 0; i < TYPES; i++) {
    names[i] = types[i].name;
  }
  struct entry entry;
  int found;
  TRY(need(t, "type", &entry, err));
  TRY(yaml_choice(entry.file, entry.node, "type", names, TYPES, &found, err));
  t->type = (enum task_type)found;
  TRY(need(t, "kind", &entry, err));
  TRY(yaml_choice(entry.file, entry.node, "kind", kinds, KINDS, &found, err));
  t->kind = (enum task_kind)found;
  TRY(need(t, "data", &entry, err));
  for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
    entry = task_entry(t, uses[i].key);
    if (entry.node && !(uses[i].allowed & 1 << t->type)) {
      return yaml_fail(entry.file, entry.node, err, "key '%s' does not belong in a %s task",
                       uses[i].key, names[t->type]);
    }
    if (!entry.node && (uses[i].needed & 1 << t->type)) {
      return err_at(err, STATUS_INPUT, t->files[0].path, 0,
                    "key '%s' is missing (a %s task needs it)", uses[i].key, names[t->type]);
    }
  }
  return STATUS_OK;
}

static status parse_metrics(struct task *t, struct error *err) {
  const char *const *known = types[t->type].metrics;
  size_t count = 0;
  while (count < sizeof types->metrics / sizeof *types->metrics && known[count]) {
    count++;
  }
  struct entry entry = task_entry(t, "metrics");
  if (!entry.node) {
    t->metrics[0] = known[0];
    return STATUS_OK;
  }
  if (entry.node->kind != YAML_LIST || entry.node->count == 0) {
    return yaml_fail(entry.file, entry.node, err, "metrics expects a list of names");
  }
  if (entry.node->count > TASK_METRICS) {
    return yaml_fail(entry.file, entry.node, err, "more than %d metrics", (int)TASK_METRICS);
  }
  for (size_t i = 0; i < entry.node->count; i++) {
    const struct yaml *item = &entry.node->items[i];
    int found;
    TRY(yaml_choice(entry.file, item, "a metric of this type of task", known, count, &found, err));
    for (size_t j = 0; j < i; j++) {
      if (t->metrics[j] == known[found]) {
        return yaml_fail(entry.file, item, err, "metric '%s' stands twice", known[found]);
      }
    }
    t->metrics[i] = known[found];
  }
  return STATUS_OK;
}

/* A template behind a node; value: a place for a value, where a bare name is an expression. */
static status parse_template(struct task *t, struct entry entry, const char *key, bool value,
                             struct template **out, struct error *err) {
  const char *text;
  TRY(yaml_text(entry.file, entry.node, key, &text, err));
  return (value ? template_parse_value : template_parse)(out, t->arena, text, entry.file->path,
                                                         entry.node->line, err);
}

/* As parse_template for a key that may be absent. */
static status parse_optional(struct task *t, const char *key, bool value, struct template **out,
                             struct error *err) {
  struct entry entry = task_entry(t, key);
  return entry.node ? parse_template(t, entry, key, value, out, err) : STATUS_OK;
}

static status parse_texts(struct task *t, const char *key, bool value, struct texts *out,
                          struct error *err) {
  struct entry entry = task_entry(t, key);
  if (!entry.node) {
    return STATUS_OK;
  }
  out->is_list = entry.node->kind == YAML_LIST;
  out->count = out->is_list ? entry.node->count : 1;
  if (out->count == 0) {
    return yaml_fail(entry.file, entry.node, err, "%s is an empty list", key);
  }
  TRY(arena_alloc(t->arena, &out->at, out->count * sizeof(struct template *), err));
  for (size_t i = 0; i < out->count; i++) {
    struct entry item = {entry.file, out->is_list ? &entry.node->items[i] : entry.node};
    TRY(parse_template(t, item, key, value && !out->is_list, &out->at[i], err));
  }
  return STATUS_OK;
}

static status parse_fields(struct task *t, struct error *err) {
  struct entry entry = task_entry(t, "fields");
  if (!entry.node) {
    return STATUS_OK;
  }
  if (entry.node->kind != YAML_MAP) {
    return yaml_fail(entry.file, entry.node, err, "fields expects names with their templates");
  }
  TRY(arena_alloc(t->arena, &t->fields, entry.node->count * sizeof *t->fields, err));
  t->field_count = entry.node->count;
  for (size_t i = 0; i < t->field_count; i++) {
    t->fields[i].name = entry.node->keys[i].text;
    struct entry item = {entry.file, &entry.node->items[i]};
    TRY(parse_template(t, item, "a field", false, &t->fields[i].template, err));
  }
  return STATUS_OK;
}

static status parse_string(const struct task *t, const char *key, const char *otherwise,
                           const char **out, struct error *err) {
  struct entry entry = task_entry(t, key);
  *out = otherwise;
  return entry.node ? yaml_text(entry.file, entry.node, key, out, err) : STATUS_OK;
}

static status parse_fewshot(struct task *t, struct error *err) {
  static const char *const names[] = {"exclude", "sampler", "delimiter", "shots"};
  static const char *const samplers[] = {"random", "first"};
  struct fewshot *f = &t->fewshot;
  *f = (struct fewshot){.exclude = true, .delimiter = "\n\n", .shots = -1};
  struct entry entry = task_entry(t, "fewshot");
  if (!entry.node) {
    return STATUS_OK;
  }
  TRY(yaml_check_keys(entry.file, entry.node, "fewshot", names, sizeof names / sizeof *names, err));
  const struct yaml *exclude = yaml_get(entry.node, "exclude"),
                    *sampler = yaml_get(entry.node, "sampler"),
                    *delimiter = yaml_get(entry.node, "delimiter"),
                    *shots = yaml_get(entry.node, "shots");
  if (exclude) {
    TRY(yaml_bool(entry.file, exclude, "exclude", &f->exclude, err));
  }
  if (sampler) {
    int found;
    TRY(yaml_choice(entry.file, sampler, "sampler", samplers, 2, &found, err));
    f->first = found == 1;
  }
  if (delimiter) {
    TRY(yaml_text(entry.file, delimiter, "delimiter", &f->delimiter, err));
  }
  if (shots) {
    long number;
    TRY(yaml_int(entry.file, shots, "shots", 0, 1000, &number, err));
    f->shots = (int)number;
  }
  return STATUS_OK;
}

static status parse_order(struct task *t, struct error *err) {
  static const char *const names[] = {"file", "shuffled"};
  struct entry entry = task_entry(t, "order");
  int found = 0;
  if (entry.node) {
    TRY(yaml_choice(entry.file, entry.node, "order", names, 2, &found, err));
  }
  t->shuffled = found == 1;
  return STATUS_OK;
}

static status parse_pages(struct task *t, struct error *err) {
  static const char *const names[] = {"line", "starts", "join"};
  struct entry entry = task_entry(t, "pages");
  if (!entry.node) {
    return STATUS_OK;
  }
  TRY(yaml_check_keys(entry.file, entry.node, "pages", names, sizeof names / sizeof *names, err));
  struct entry line = {entry.file, yaml_get(entry.node, "line")},
               starts = {entry.file, yaml_get(entry.node, "starts")},
               join = {entry.file, yaml_get(entry.node, "join")};
  if (!line.node || !starts.node) {
    return yaml_fail(entry.file, entry.node, err, "pages: key '%s' is missing",
                     line.node ? "starts" : "line");
  }
  t->pages.join = "\n";
  if (join.node) {
    TRY(yaml_text(join.file, join.node, "join", &t->pages.join, err));
  }
  TRY(parse_template(t, line, "line", false, &t->pages.line, err));
  return parse_template(t, starts, "starts", true, &t->pages.starts, err);
}

status task_parse(struct task *t, struct error *err) {
  TRY(parse_type(t, err));
  TRY(parse_metrics(t, err));
  TRY(parse_fields(t, err));
  TRY(parse_optional(t, "where", true, &t->where, err));
  TRY(parse_texts(t, "context", false, &t->context, err));
  TRY(parse_texts(t, "choices", true, &t->choices, err));
  TRY(parse_optional(t, "label", true, &t->label, err));
  TRY(parse_optional(t, "target", false, &t->target, err));
  TRY(parse_optional(t, "text", false, &t->text, err));
  TRY(parse_optional(t, "counted", false, &t->counted, err));
  TRY(parse_optional(t, "description", false, &t->description, err));
  TRY(parse_string(t, "delimiter", " ", &t->delimiter, err));
  TRY(parse_string(t, "join", "\n\n", &t->join, err));
  TRY(parse_string(t, "task", t->name, &t->name, err));
  TRY(parse_pages(t, err));
  TRY(parse_order(t, err));
  return parse_fewshot(t, err);
}
