#include "data/filter.h"

#include <stdlib.h>
#include <string.h>

#include "data/text.h"

/* A filter that wants texts says so by returning through this. */
static status wants(const char **why, const char *what) {
  *why = what;
  return STATUS_INPUT;
}

static bool all_texts(const struct value *in, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (in[i].kind != VALUE_TEXT) {
      return false;
    }
  }
  return true;
}

#define FILTER(name)                                                                               \
  static status name(const struct value *in, size_t count, struct arena *arena, struct value *out, \
                     const char **why, struct error *err)
#define UNUSED (void)count, (void)arena, (void)err
#define WANT_TEXTS                                                                                 \
  do {                                                                                             \
    if (!all_texts(in, count)) {                                                                   \
      return wants(why, "texts");                                                                  \
    }                                                                                              \
  } while (0)

FILTER(lstrip) {
  UNUSED;
  WANT_TEXTS;
  size_t left = text_space_left(in->text, in->bytes);
  *out = value_text(in->text + left, in->bytes - left);
  return STATUS_OK;
}

FILTER(rstrip) {
  UNUSED;
  WANT_TEXTS;
  *out = value_text(in->text, in->bytes - text_space_right(in->text, in->bytes));
  return STATUS_OK;
}

FILTER(strip) {
  struct value right;
  TRY(rstrip(in, count, arena, &right, why, err));
  return lstrip(&right, 1, arena, out, why, err);
}

/* Maps the first `first` code points by one function and the rest by another (NULL: kept). */
static status map_case(const struct value *in, struct arena *arena, uint32_t (*head)(uint32_t),
                       uint32_t (*tail)(uint32_t), struct value *out, struct error *err) {
  char *text;
  TRY(arena_alloc(arena, &text, in->bytes * 4 + 1, err));
  size_t n = 0;
  for (size_t i = 0, bytes; i < in->bytes; i += bytes) {
    uint32_t point = text_decode(in->text + i, &bytes);
    uint32_t (*map)(uint32_t) = i == 0 ? head : tail;
    n += text_encode(map ? map(point) : point, text + n);
  }
  *out = value_text(text, n);
  return STATUS_OK;
}

FILTER(lower) {
  UNUSED;
  WANT_TEXTS;
  return map_case(in, arena, text_lower, text_lower, out, err);
}

FILTER(upper) {
  UNUSED;
  WANT_TEXTS;
  return map_case(in, arena, text_upper, text_upper, out, err);
}

FILTER(capitalize) {
  UNUSED;
  WANT_TEXTS;
  return map_case(in, arena, text_upper, text_lower, out, err);
}

FILTER(lower_first) {
  UNUSED;
  WANT_TEXTS;
  return map_case(in, arena, text_lower, NULL, out, err);
}

FILTER(length) {
  UNUSED;
  if (in->kind != VALUE_TEXT && in->kind != VALUE_LIST) {
    return wants(why, "a text or a list");
  }
  *out =
      value_number((double)(in->kind == VALUE_LIST ? in->count : text_points(in->text, in->bytes)));
  return STATUS_OK;
}

FILTER(replace) {
  UNUSED;
  WANT_TEXTS;
  const struct value *from = &in[1], *to = &in[2];
  if (from->bytes == 0) {
    return wants(why, "a text to look for that is not empty");
  }
  struct str text = {0};
  status st = str_add(&text, "", 0, err);
  const char *at = in->text, *end = in->text + in->bytes;
  while (st == STATUS_OK) {
    const char *hit = at < end ? memmem(at, (size_t)(end - at), from->text, from->bytes) : NULL;
    st = str_add(&text, at, (size_t)((hit ? hit : end) - at), err);
    if (!hit) {
      break;
    }
    if (st == STATUS_OK) {
      st = str_add(&text, to->text, to->bytes, err);
    }
    at = hit + from->bytes;
  }
  char *copy = NULL;
  if (st == STATUS_OK && (st = arena_dup(arena, &copy, text.at, text.count, err)) == STATUS_OK) {
    *out = value_text(copy, text.count);
  }
  str_free(&text);
  return st;
}

/* Every stretch from in[1] to the next in[2] loses the white space just inside. */
static status tighten_into(const struct value *in, struct str *text, struct error *err) {
  const struct value *open = &in[1], *close = &in[2];
  const char *at = in->text, *end = in->text + in->bytes;
  while (at < end) {
    const char *from = memmem(at, (size_t)(end - at), open->text, open->bytes);
    const char *inside = from ? from + open->bytes : end;
    const char *to =
        inside < end ? memmem(inside, (size_t)(end - inside), close->text, close->bytes) : NULL;
    if (!to) {
      break;
    }
    TRY(str_add(text, at, (size_t)(inside - at), err));
    size_t n = (size_t)(to - inside), left = text_space_left(inside, n);
    n -= left;
    n -= text_space_right(inside + left, n);
    TRY(str_add(text, inside + left, n, err));
    TRY(str_add(text, to, close->bytes, err));
    at = to + close->bytes;
  }
  return str_add(text, at, (size_t)(end - at), err);
}

FILTER(tighten) {
  UNUSED;
  WANT_TEXTS;
  if (in[1].bytes == 0 || in[2].bytes == 0) {
    return wants(why, "brackets that are not empty");
  }
  struct str text = {0};
  char *copy = NULL;
  status st = tighten_into(in, &text, err);
  if (st == STATUS_OK && (st = arena_dup(arena, &copy, text.at, text.count, err)) == STATUS_OK) {
    *out = value_text(copy, text.count);
  }
  str_free(&text);
  return st;
}

/* Start of the first occurrence of in[1] in in[0], or NULL. */
static const char *find(const struct value *in) {
  return in[0].bytes < in[1].bytes ? NULL
                                   : memmem(in[0].text, in[0].bytes, in[1].text, in[1].bytes);
}

FILTER(before) {
  UNUSED;
  WANT_TEXTS;
  const char *hit = find(in);
  if (!hit) {
    return wants(why, "one that contains the text given");
  }
  *out = value_text(in->text, (size_t)(hit - in->text));
  return STATUS_OK;
}

FILTER(after) {
  UNUSED;
  WANT_TEXTS;
  const char *hit = find(in);
  if (!hit) {
    return wants(why, "one that contains the text given");
  }
  hit += in[1].bytes;
  *out = value_text(hit, (size_t)(in->text + in->bytes - hit));
  return STATUS_OK;
}

FILTER(starts_with) {
  UNUSED;
  WANT_TEXTS;
  *out = value_bool(in->bytes >= in[1].bytes && memcmp(in->text, in[1].text, in[1].bytes) == 0);
  return STATUS_OK;
}

FILTER(ends_with) {
  UNUSED;
  WANT_TEXTS;
  *out = value_bool(in->bytes >= in[1].bytes &&
                    memcmp(in->text + in->bytes - in[1].bytes, in[1].text, in[1].bytes) == 0);
  return STATUS_OK;
}

FILTER(split) {
  UNUSED;
  WANT_TEXTS;
  const struct value *by = &in[1];
  if (by->bytes == 0) {
    return wants(why, "a separator that is not empty");
  }
  const char *end = in->text + in->bytes;
  size_t pieces = 1;
  for (const char *at = in->text; (at = memmem(at, (size_t)(end - at), by->text, by->bytes));) {
    pieces++;
    at += by->bytes;
  }
  struct value *items;
  TRY(arena_alloc(arena, &items, pieces * sizeof *items, err));
  const char *at = in->text;
  for (size_t i = 0; i < pieces; i++) {
    const char *hit = memmem(at, (size_t)(end - at), by->text, by->bytes);
    hit = hit ? hit : end;
    items[i] = value_text(at, (size_t)(hit - at));
    at = hit + by->bytes;
  }
  *out = (struct value){.kind = VALUE_LIST, .items = items, .count = pieces};
  return STATUS_OK;
}

FILTER(join) {
  UNUSED;
  if (in->kind != VALUE_LIST || !all_texts(in + 1, count - 1)) {
    return wants(why, "a list, and a text to put between");
  }
  struct str text = {0};
  status st = str_add(&text, "", 0, err);
  for (size_t i = 0; i < in->count && st == STATUS_OK; i++) {
    if (i && count > 1) {
      st = str_add(&text, in[1].text, in[1].bytes, err);
    }
    if (st == STATUS_OK && (st = value_append(&in->items[i], &text, err)) == STATUS_INPUT) {
      *why = "a list of texts";
    }
  }
  char *copy = NULL;
  if (st == STATUS_OK && (st = arena_dup(arena, &copy, text.at, text.count, err)) == STATUS_OK) {
    *out = value_text(copy, text.count);
  }
  str_free(&text);
  return st;
}

FILTER(first) {
  UNUSED;
  if (in->kind != VALUE_LIST || in->count == 0) {
    return wants(why, "a list with items");
  }
  *out = in->items[0];
  return STATUS_OK;
}

FILTER(last) {
  UNUSED;
  if (in->kind != VALUE_LIST || in->count == 0) {
    return wants(why, "a list with items");
  }
  *out = in->items[in->count - 1];
  return STATUS_OK;
}

FILTER(index_of) {
  UNUSED;
  if (in->kind != VALUE_LIST) {
    return wants(why, "a list");
  }
  for (size_t i = 0; i < in->count; i++) {
    if (value_equal(&in->items[i], &in[1])) {
      *out = value_number((double)i);
      return STATUS_OK;
    }
  }
  return wants(why, "one that contains the value given");
}

FILTER(letter) {
  UNUSED;
  WANT_TEXTS;
  char c = in->bytes == 1 ? in->text[0] : '\0';
  int i = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' : -1;
  if (i < 0) {
    return wants(why, "one letter, A to Z or a to z");
  }
  *out = value_number(i);
  return STATUS_OK;
}

FILTER(to_int) {
  UNUSED;
  if (in->kind == VALUE_NUMBER || in->kind == VALUE_BOOL) {
    *out = value_number(in->kind == VALUE_BOOL ? in->truth : (double)(int64_t)in->number);
    return STATUS_OK;
  }
  enum { DIGITS = 15 };
  char digits[DIGITS + 2];
  struct value text = *in;
  if (in->kind != VALUE_TEXT || strip(in, 1, arena, &text, why, err) != STATUS_OK ||
      text.bytes == 0 || text.bytes > DIGITS) {
    return wants(why, "a whole number");
  }
  memcpy(digits, text.text, text.bytes);
  digits[text.bytes] = '\0';
  char *end;
  long number = strtol(digits, &end, 10);
  if (*end) {
    return wants(why, "a whole number");
  }
  *out = value_number((double)number);
  return STATUS_OK;
}

static const struct filter filters[] = {
    {"strip", 0, 0, strip},
    {"trim", 0, 0, strip},
    {"lstrip", 0, 0, lstrip},
    {"rstrip", 0, 0, rstrip},
    {"lower", 0, 0, lower},
    {"upper", 0, 0, upper},
    {"capitalize", 0, 0, capitalize},
    {"lower_first", 0, 0, lower_first},
    {"length", 0, 0, length},
    {"replace", 2, 2, replace},
    {"tighten", 2, 2, tighten},
    {"before", 1, 1, before},
    {"after", 1, 1, after},
    {"starts_with", 1, 1, starts_with},
    {"ends_with", 1, 1, ends_with},
    {"split", 1, 1, split},
    {"join", 0, 1, join},
    {"first", 0, 0, first},
    {"last", 0, 0, last},
    {"index", 1, 1, index_of},
    {"letter", 0, 0, letter},
    {"int", 0, 0, to_int},
};

enum { FILTERS = sizeof filters / sizeof *filters };

const struct filter *filter_find(const char *name, size_t bytes, const char **nearest) {
  const char *names[FILTERS];
  for (size_t i = 0; i < FILTERS; i++) {
    names[i] = filters[i].name;
    if (strlen(names[i]) == bytes && memcmp(names[i], name, bytes) == 0) {
      return &filters[i];
    }
  }
  char word[32];
  size_t n = bytes < sizeof word - 1 ? bytes : sizeof word - 1;
  memcpy(word, name, n);
  word[n] = '\0';
  int i = str_nearest(word, names, FILTERS);
  *nearest = i < 0 ? NULL : names[i];
  return NULL;
}
