/* A category outside a class becomes (?-i:[..]), because a class under (?i) would also take what
 * folds to its members; inside a class it becomes a nested class, which is not folded by itself. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tokenizer/pattern.h"
#include "tokenizer/unicode.h"

static const struct {
  const char *longer, *category;
} categories[] = {
    {"other", "C"},
    {"control", "Cc"},
    {"format", "Cf"},
    {"unassigned", "Cn"},
    {"privateuse", "Co"},
    {"surrogate", "Cs"},
    {"letter", "L"},
    {"casedletter", "LC"},
    {"lowercaseletter", "Ll"},
    {"modifierletter", "Lm"},
    {"otherletter", "Lo"},
    {"titlecaseletter", "Lt"},
    {"uppercaseletter", "Lu"},
    {"mark", "M"},
    {"combiningmark", "M"},
    {"spacingmark", "Mc"},
    {"enclosingmark", "Me"},
    {"nonspacingmark", "Mn"},
    {"number", "N"},
    {"decimalnumber", "Nd"},
    {"letternumber", "Nl"},
    {"othernumber", "No"},
    {"punctuation", "P"},
    {"punct", "P"},
    {"connectorpunctuation", "Pc"},
    {"dashpunctuation", "Pd"},
    {"closepunctuation", "Pe"},
    {"finalpunctuation", "Pf"},
    {"initialpunctuation", "Pi"},
    {"otherpunctuation", "Po"},
    {"openpunctuation", "Ps"},
    {"symbol", "S"},
    {"currencysymbol", "Sc"},
    {"modifiersymbol", "Sk"},
    {"mathsymbol", "Sm"},
    {"othersymbol", "So"},
    {"separator", "Z"},
    {"lineseparator", "Zl"},
    {"paragraphseparator", "Zp"},
    {"spaceseparator", "Zs"},
};

/* CJK extensions H (Unicode 15) and I (15.1). */
static const struct code_range newer_han[] = {{0x2EBF0, 0x2EE5D}, {0x31350, 0x323AF}};

/* A set that libonig may know in an older state: what it calls it and which of the newer code
 * points belong to it. */
struct set {
  const char *spelled; /* [length] as libonig reads it, not negated */
  size_t length;
  bool negated;
  const char *categories; /* of its newer members, separated by spaces; NULL: newer_han */
};

/* The general category of a property's name (case, spaces, - and _ do not count), or NULL. */
static const char *category_of(const char *name, size_t length) {
  char plain[32];
  size_t n = 0;
  for (size_t i = 0; i < length; i++) {
    if (name[i] == ' ' || name[i] == '_' || name[i] == '-') {
      continue;
    }
    if (n + 1 == sizeof plain) {
      return NULL;
    }
    plain[n++] = (char)tolower((unsigned char)name[i]);
  }
  plain[n] = '\0';
  for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
    if (strcmp(plain, categories[i].longer) == 0 ||
        strcasecmp(plain, categories[i].category) == 0) {
      return categories[i].category;
    }
  }
  return strcmp(plain, "han") == 0 ? "Han" : NULL;
}

/* Whether a category ("Lu") is one of a list's ("L Nd"): itself, its group, or cased among LC. */
static bool listed(const char *category, const char *list) {
  for (const char *p = list; *p; p += strcspn(p, " "), p += *p == ' ') {
    size_t n = strcspn(p, " ");
    bool cased = n == 2 && strncmp(p, "LC", 2) == 0;
    if (cased ? category[0] == 'L' && strchr("ult", category[1]) != NULL
              : strncmp(p, category, n) == 0) {
      return true;
    }
  }
  return false;
}

/* All newer code points, or those of a list of categories. */
static status add_newer(struct str *out, const char *list, struct error *err) {
  for (size_t i = 0; i < unicode_newer_count; i++) {
    if (!list || listed(unicode_newer[i].category, list)) {
      TRY(str_addf(out, err, "\\x{%X}-\\x{%X}", unicode_newer[i].first, unicode_newer[i].last));
    }
  }
  return STATUS_OK;
}

static status add_set(struct str *out, const struct set *set, bool in_class, struct error *err) {
  TRY(str_addf(out, err, "%s[%s", in_class ? "" : "(?-i:", set->negated ? "^" : ""));
  if (set->categories) {
    TRY(add_newer(out, set->categories, err));
    TRY(str_addf(out, err, "[%.*s&&[^", (int)set->length, set->spelled));
    TRY(add_newer(out, NULL, err));
    TRY(str_addf(out, err, "]]"));
  } else {
    for (size_t i = 0; i < sizeof newer_han / sizeof *newer_han; i++) {
      TRY(str_addf(out, err, "\\x{%X}-\\x{%X}", newer_han[i].first, newer_han[i].last));
    }
    TRY(str_addf(out, err, "%.*s", (int)set->length, set->spelled));
  }
  return str_addf(out, err, "]%s", in_class ? "" : ")");
}

enum { SPELLED = 16 }; /* bytes: the longest is "\p{Han}" */

/* The set that an escape at p ("\p{..}", "\w") names, with its length in *used; 0: not such one. */
static struct set escape_set(const char *p, char spelled[SPELLED], size_t *used) {
  static const char word[] = "L M Nd Nl Pc", digit[] = "Nd";
  struct set set = {.spelled = spelled};
  *used = 0;
  if (p[1] && strchr("wWdD", p[1])) {
    char lower = (char)tolower((unsigned char)p[1]);
    spelled[0] = '\\';
    spelled[1] = lower;
    set.length = *used = 2;
    set.negated = p[1] != lower;
    set.categories = lower == 'w' ? word : digit;
    return set;
  }
  size_t name = strcspn(p, "}");
  if ((p[1] != 'p' && p[1] != 'P') || p[2] != '{' || p[name] != '}') {
    return set;
  }
  bool caret = p[3] == '^';
  const char *from = p + 3 + caret;
  const char *category = category_of(from, (size_t)(p + name - from));
  if (!category) {
    return set;
  }
  set.negated = (p[1] == 'P') != caret;
  set.categories = strcmp(category, "Han") == 0 ? NULL : category;
  set.length = (size_t)snprintf(spelled, SPELLED, "\\p{%s}", category);
  *used = name + 1;
  return set;
}

static status widen(struct str *out, const char *p, struct error *err) {
  int depth = 0; /* of classes */
  bool opening = false;
  while (*p) {
    size_t used = 1;
    if (*p == '\\') {
      char spelled[SPELLED];
      struct set set = escape_set(p, spelled, &used);
      if (used) {
        TRY(add_set(out, &set, depth > 0, err));
        p += used;
        opening = false;
        continue;
      }
      used = p[1] ? 2 : 1;
      opening = false;
    } else if (*p == '[') {
      depth++;
      opening = true; /* a bracket that comes first is an ordinary member */
      used = p[1] == '^' ? 2 : 1;
    } else {
      depth -= *p == ']' && depth > 0 && !opening;
      opening = false;
    }
    TRY(str_add(out, p, used, err));
    p += used;
  }
  return STATUS_OK;
}

status pattern_widen(char **out, const char *source, struct error *err) {
  struct str s = {0};
  status st = str_add(&s, "", 0, err);
  if (st == STATUS_OK) {
    st = widen(&s, source, err);
  }
  if (st != STATUS_OK) {
    str_free(&s);
    return st;
  }
  *out = s.at;
  return STATUS_OK;
}
