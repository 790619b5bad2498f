#include "tokenizer/prestep.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/json.h"
#include "tokenizer/unicode.h"

enum component {
  COMPONENT_SEQUENCE,
  COMPONENT_BYTE_LEVEL,
  COMPONENT_SPLIT,
  COMPONENT_DIGITS,
  COMPONENT_METASPACE,
  COMPONENT_WHITESPACE,
  COMPONENT_WHITESPACE_SPLIT,
  COMPONENT_PUNCTUATION,
  COMPONENT_DELIMITER,
  COMPONENTS
};

static const char *const names[COMPONENTS] = {
    "Sequence",        "ByteLevel",   "Split",
    "Digits",          "Metaspace",   "Whitespace",
    "WhitespaceSplit", "Punctuation", "CharDelimiterSplit"};

static status add_step(struct pretokenizer *p, enum pre_kind kind, struct pre_step **out,
                       struct error *err) {
  TRY(mem_reserve(&p->steps, &p->cap, p->count + 1, sizeof *p->steps, err));
  *out = &p->steps[p->count++];
  **out = (struct pre_step){.kind = kind, .behavior = SPLIT_ISOLATED};
  return STATUS_OK;
}

static status add_regex(struct pretokenizer *p, const char *source, enum split_behavior behavior,
                        bool invert, const char *file, struct error *err) {
  struct pre_step *step;
  TRY(add_step(p, PRE_SPLIT, &step, err));
  step->behavior = behavior;
  step->invert = invert;
  return pattern_regex(&step->pattern, source, file, "pre_tokenizer", err);
}

static status read_behavior(const cJSON *node, const char *what, const char *file,
                            enum split_behavior *out, struct error *err) {
  const char *name;
  TRY(json_text(file, what, node, "behavior", &name, err));
  if (!name) {
    return STATUS_OK;
  }
  for (int i = 0; i < SPLIT_BEHAVIORS; i++) {
    if (strcmp(name, split_behavior_names[i]) == 0) {
      *out = (enum split_behavior)i;
      return STATUS_OK;
    }
  }
  return err_at(err, STATUS_UNSUPPORTED, file, 0,
                "%s with behavior '%s' (expected one of Removed, Isolated, MergedWithPrevious, "
                "MergedWithNext, Contiguous)",
                what, name);
}

static status read_byte_level(struct pretokenizer *p, const cJSON *node, const char *file,
                              struct error *err) {
  static const char gpt2[] =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  bool prefix = true, regex = true;
  struct pre_step *step;
  TRY(json_bool(file, "pre_tokenizer ByteLevel", node, "add_prefix_space", &prefix, err));
  TRY(json_bool(file, "pre_tokenizer ByteLevel", node, "use_regex", &regex, err));
  if (prefix) {
    TRY(add_step(p, PRE_SPACE, &step, err));
  }
  if (regex) {
    TRY(add_regex(p, gpt2, SPLIT_ISOLATED, false, file, err));
  }
  return add_step(p, PRE_BYTES, &step, err);
}

static status read_split(struct pretokenizer *p, const cJSON *node, const char *file,
                         struct error *err) {
  struct pre_step *step;
  TRY(add_step(p, PRE_SPLIT, &step, err));
  TRY(json_bool(file, "pre_tokenizer Split", node, "invert", &step->invert, err));
  TRY(read_behavior(node, "pre_tokenizer Split", file, &step->behavior, err));
  return pattern_read(&step->pattern, node, file, "pre_tokenizer Split", err);
}

/* Files older than prepend_scheme say add_prefix_space. */
static status read_scheme(const cJSON *node, const char *file, enum prepend_scheme *out,
                          struct error *err) {
  static const char what[] = "pre_tokenizer Metaspace";
  static const char *const schemes[PREPEND_SCHEMES] = {"always", "first", "never"};
  const char *name;
  bool prefix = true;
  TRY(json_text(file, what, node, "prepend_scheme", &name, err));
  TRY(json_bool(file, what, node, "add_prefix_space", &prefix, err));
  if (!name) {
    *out = prefix ? PREPEND_ALWAYS : PREPEND_NEVER;
    return STATUS_OK;
  }
  for (int i = 0; i < PREPEND_SCHEMES; i++) {
    if (strcmp(name, schemes[i]) == 0) {
      *out = (enum prepend_scheme)i;
      return STATUS_OK;
    }
  }
  return err_at(err, STATUS_UNSUPPORTED, file, 0,
                "%s with prepend_scheme '%s' (expected always, first or never)", what, name);
}

static status read_metaspace(struct pretokenizer *p, const cJSON *node, const char *file,
                             struct error *err) {
  static const char what[] = "pre_tokenizer Metaspace";
  const char *sign;
  size_t length = 0;
  bool split = true;
  TRY(json_need_text(file, what, node, "replacement", &sign, err));
  if (sign[0]) {
    (void)utf8_decode(sign, &length);
  }
  if (length == 0 || sign[length]) {
    return err_at(err, STATUS_INPUT, file, 0, "%s with replacement '%s' (expected one character)",
                  what, sign);
  }
  TRY(json_bool(file, what, node, "split", &split, err));
  struct pre_step *step;
  TRY(add_step(p, PRE_METASPACE, &step, err));
  memcpy(step->sign, sign, length);
  TRY(read_scheme(node, file, &step->scheme, err));
  if (!split) {
    return STATUS_OK;
  }
  TRY(add_step(p, PRE_SPLIT, &step, err));
  step->behavior = SPLIT_MERGED_WITH_NEXT;
  return pattern_plain(&step->pattern, sign, file, what, err);
}

static status read_punctuation(struct pretokenizer *p, const cJSON *node, const char *file,
                               struct error *err) {
  enum split_behavior behavior = SPLIT_ISOLATED;
  TRY(read_behavior(node, "pre_tokenizer Punctuation", file, &behavior, err));
  struct str source = {0};
  status st = str_add(&source, "[", 1, err);
  for (size_t i = 0; i < unicode_punctuation_count && st == STATUS_OK; i++) {
    st = str_addf(&source, err, "\\x{%X}-\\x{%X}", unicode_punctuation[i].first,
                  unicode_punctuation[i].last);
  }
  if (st == STATUS_OK) {
    st = str_add(&source, "]", 1, err);
  }
  if (st == STATUS_OK) {
    st = add_regex(p, source.at, behavior, false, file, err);
  }
  str_free(&source);
  return st;
}

static status read_delimiter(struct pretokenizer *p, const cJSON *node, const char *file,
                             struct error *err) {
  static const char what[] = "pre_tokenizer CharDelimiterSplit";
  const char *delimiter;
  struct pre_step *step;
  TRY(json_need_text(file, what, node, "delimiter", &delimiter, err));
  TRY(add_step(p, PRE_SPLIT, &step, err));
  step->behavior = SPLIT_REMOVED;
  return pattern_plain(&step->pattern, delimiter, file, what, err);
}

static status read_sequence(struct pretokenizer *p, const cJSON *node, const char *file,
                            struct error *err) {
  const cJSON *list, *one;
  TRY(json_need_array(file, "pre_tokenizer Sequence", node, "pretokenizers", &list, err));
  cJSON_ArrayForEach(one, list) {
    TRY(pretokenizer_read(p, one, file, err));
  }
  return STATUS_OK;
}

status pretokenizer_read(struct pretokenizer *p, const cJSON *node, const char *file,
                         struct error *err) {
  if (!node) {
    return STATUS_OK;
  }
  int kind;
  bool individual = false;
  TRY(json_type(file, "pre_tokenizer", node, names, COMPONENTS, &kind, err));
  switch ((enum component)kind) {
  case COMPONENT_SEQUENCE:
    return read_sequence(p, node, file, err);
  case COMPONENT_BYTE_LEVEL:
    return read_byte_level(p, node, file, err);
  case COMPONENT_SPLIT:
    return read_split(p, node, file, err);
  case COMPONENT_DIGITS:
    TRY(json_bool(file, "pre_tokenizer Digits", node, "individual_digits", &individual, err));
    return add_regex(p, "\\p{N}", individual ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS, false, file, err);
  case COMPONENT_METASPACE:
    return read_metaspace(p, node, file, err);
  case COMPONENT_WHITESPACE:
    return add_regex(p, "[\\w\\x{200C}\\x{200D}]+|[^\\w\\x{200C}\\x{200D}\\s]+", SPLIT_REMOVED,
                     true, file, err);
  case COMPONENT_WHITESPACE_SPLIT:
    return add_regex(p, "\\s", SPLIT_REMOVED, false, file, err);
  case COMPONENT_PUNCTUATION:
    return read_punctuation(p, node, file, err);
  case COMPONENT_DELIMITER:
    return read_delimiter(p, node, file, err);
  default:
    return err_at(err, STATUS_BUG, file, 0, "pre_tokenizer %d", kind);
  }
}

void pretokenizer_free(struct pretokenizer *p) {
  for (size_t i = 0; i < p->count; i++) {
    pattern_free(&p->steps[i].pattern);
  }
  free(p->steps);
  *p = (struct pretokenizer){0};
}
