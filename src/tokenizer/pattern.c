#include "tokenizer/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/json.h"
#include "tokenizer/unicode.h"

status pattern_regex(struct pattern *out, const char *source, const char *file, const char *what,
                     struct error *err) {
  char *wide;
  TRY(pattern_widen(&wide, source, err));
  const UChar *from = (const UChar *)wide;
  OnigErrorInfo info = {0};
  regex_t *regex = NULL;
  int code = onig_new(&regex, from, from + strlen(wide), ONIG_OPTION_NONE, ONIG_ENCODING_UTF8,
                      ONIG_SYNTAX_RUBY, &info);
  status st = STATUS_OK;
  if (code != ONIG_NORMAL) {
    UChar text[ONIG_MAX_ERROR_MESSAGE_LEN] = "";
    (void)onig_error_code_to_str(text, code, &info);
    st = err_at(err, STATUS_UNSUPPORTED, file, 0, "%s: regular expression '%.200s': %s", what,
                source, (const char *)text);
  } else {
    *out = (struct pattern){.regex = regex};
  }
  free(wide);
  return st;
}

status pattern_plain(struct pattern *out, const char *text, const char *file, const char *what,
                     struct error *err) {
  size_t bytes = strlen(text);
  if (bytes == 0) {
    return err_at(err, STATUS_UNSUPPORTED, file, 0, "%s: an empty pattern", what);
  }
  char *copy;
  TRY(mem_dup(&copy, text, bytes, err));
  *out = (struct pattern){.text = copy, .bytes = bytes};
  return STATUS_OK;
}

status pattern_read(struct pattern *out, const cJSON *component, const char *file, const char *what,
                    struct error *err) {
  const cJSON *pattern = json_get(component, "pattern");
  const cJSON *regex = json_get(pattern, "Regex"), *plain = json_get(pattern, "String");
  if (cJSON_IsString(regex)) {
    return pattern_regex(out, regex->valuestring, file, what, err);
  }
  if (cJSON_IsString(plain)) {
    return pattern_plain(out, plain->valuestring, file, what, err);
  }
  return err_at(err, STATUS_INPUT, file, 0, "%s without a pattern (expected a Regex or a String)",
                what);
}

void pattern_free(struct pattern *p) {
  if (p->regex) {
    onig_free(p->regex);
  }
  free(p->text);
  *p = (struct pattern){0};
}

void scan_start(struct scan *s, const struct pattern *pattern, const char *text, size_t bytes) {
  *s = (struct scan){
      .pattern = pattern, .text = text, .bytes = bytes, .last = SIZE_MAX, .region = s->region};
}

void scan_free(struct scan *s) {
  if (s->region) {
    onig_region_free(s->region, 1);
  }
  *s = (struct scan){0};
}

static status next_regex(struct scan *s, bool *found, size_t *start, size_t *end,
                         struct error *err) {
  if (!s->region && !(s->region = onig_region_new())) {
    return err_set(err, STATUS_MEMORY, "out of memory: a match");
  }
  const UChar *text = (const UChar *)s->text, *stop = text + s->bytes;
  while (s->at <= s->bytes) {
    int at =
        onig_search(s->pattern->regex, text, stop, text + s->at, stop, s->region, ONIG_OPTION_NONE);
    if (at == ONIG_MISMATCH) {
      break;
    }
    if (at < 0) {
      UChar why[ONIG_MAX_ERROR_MESSAGE_LEN] = "";
      (void)onig_error_code_to_str(why, at);
      return err_set(err, STATUS_UNSUPPORTED,
                     "the tokenizer's regular expression gave up at byte %zu: %s", s->at,
                     (const char *)why);
    }
    size_t from = (size_t)s->region->beg[0], to = (size_t)s->region->end[0];
    if (from == to && from == s->last) {
      size_t step = 1;
      if (s->at < s->bytes) {
        (void)utf8_decode(s->text + s->at, &step);
      }
      s->at += step;
      continue;
    }
    s->at = s->last = to;
    *found = true;
    *start = from;
    *end = to;
    return STATUS_OK;
  }
  *found = false;
  return STATUS_OK;
}

status scan_next(struct scan *s, bool *found, size_t *start, size_t *end, struct error *err) {
  if (s->pattern->regex) {
    return next_regex(s, found, start, end, err);
  }
  const char *hit = memmem(s->text + s->at, s->bytes - s->at, s->pattern->text, s->pattern->bytes);
  *found = hit != NULL;
  if (hit) {
    *start = (size_t)(hit - s->text);
    *end = s->at = *start + s->pattern->bytes;
  }
  return STATUS_OK;
}
