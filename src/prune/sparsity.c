#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prune/method.h"
#include "prune/number.h"

enum { PATTERN_MOST = 4096 };

/* A whole number of digits alone, ended by `end`; -1 for anything else. */
static int pattern_number(const char **text, char end) {
  int value = 0;
  const char *p = *text;
  for (; *p >= '0' && *p <= '9'; p++) {
    value = value * 10 + (*p - '0');
    if (value > PATTERN_MOST) {
      return -1;
    }
  }
  if (p == *text || *p != end) {
    return -1;
  }
  *text = p + (end != '\0');
  return value;
}

static status parse_pattern(struct sparsity *out, const char *text, struct error *err) {
  const char *p = text;
  int n = pattern_number(&p, ':');
  int m = n < 0 ? -1 : pattern_number(&p, '\0');
  if (m < 0) {
    return err_set(err, STATUS_INPUT,
                   "sparsity '%s' is no pattern (expected n:m such as 2:4, m at most %d)", text,
                   PATTERN_MOST);
  }
  if (n == 0 || n >= m) {
    return err_set(err, STATUS_INPUT, "sparsity pattern %d:%d is impossible (expected 0 < n < m)",
                   n, m);
  }
  *out = (struct sparsity){.n = n, .m = m};
  return STATUS_OK;
}

status sparsity_parse(struct sparsity *out, const char *text, struct error *err) {
  if (strchr(text, ':')) {
    return parse_pattern(out, text, err);
  }
  double ratio;
  if (!number_parse(&ratio, text)) {
    return err_set(err, STATUS_INPUT,
                   "sparsity '%s' is no number (expected a share such as 0.5, or a pattern such as "
                   "2:4)",
                   text);
  }
  if (ratio < 0 || ratio >= 1) {
    return err_set(err, STATUS_INPUT, "sparsity %s is out of range (expected 0 <= share < 1)",
                   text);
  }
  *out = (struct sparsity){.ratio = ratio + 0.0}; /* −0 becomes 0 */
  return STATUS_OK;
}

void sparsity_print(const struct sparsity *s, char out[32]) {
  if (s->m) {
    (void)snprintf(out, 32, "%d:%d", s->n, s->m);
  } else {
    number_print(s->ratio, out);
  }
}

double sparsity_zeros(const struct sparsity *s) {
  return s->m ? (double)s->n / s->m : s->ratio;
}
