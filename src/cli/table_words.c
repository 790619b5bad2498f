#include <math.h>
#include <string.h>

#include "cli/table.h"

/* The running mean of an infinite value is no number; the sum is. */
double table_mean(const struct table_spread *s) {
  return isfinite(s->sum) ? s->mean : s->sum;
}

double table_deviation(const struct table_spread *s) {
  if (s->averaged) {
    return sqrt(s->squares);
  }
  return s->good < 2 ? NAN : sqrt(s->squares / (double)(s->good - 1));
}

bool table_open_ended(const char *metric) {
  static const char *const open_ended[] = {"perplexity", "word_perplexity", "byte_perplexity",
                                           "bits_per_byte"};
  for (size_t i = 0; i < sizeof open_ended / sizeof open_ended[0]; i++) {
    if (strcmp(metric, open_ended[i]) == 0) {
      return true;
    }
  }
  return false;
}

/* Shares are printed with 3 decimals; what has no upper end with 4 significant digits. */
static int decimals(const char *metric, double value) {
  if (!table_open_ended(metric)) {
    return 3;
  }
  int digits = fabs(value) >= 1 ? (int)floor(log10(fabs(value))) + 1 : 1;
  return digits >= 4 ? 0 : 4 - digits;
}

/* sign: "+" where positive numbers carry theirs. */
static void print_number(char *out, size_t size, double value, int places, bool sign) {
  if (!isfinite(value)) {
    (void)snprintf(out, size, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
  } else if (fabs(value) >= 1e7) {
    (void)snprintf(out, size, sign ? "%+.3e" : "%.3e", value);
  } else {
    (void)snprintf(out, size, sign ? "%+.*f" : "%.*f", places, value);
  }
}

void table_words(const struct table *t, size_t row, size_t column, struct table_words *out) {
  const struct table_spread *s = table_spread_at(t, row, column);
  const struct table_dataset *d = table_dataset_of(t, row, column);
  out->rest[0] = '\0';
  if (s->good == 0 || !d || !d->metric) {
    (void)snprintf(out->mean, sizeof out->mean, "%s", s->failed ? "failed" : "-");
    return;
  }
  double mean = table_mean(s);
  int places = isfinite(mean) ? decimals(d->metric, mean) : 0;
  print_number(out->mean, sizeof out->mean, mean, places, t->query.drop && !s->dense);
  double deviation = table_deviation(s);
  int n = 0;
  if (isfinite(deviation)) {
    char text[32];
    print_number(text, sizeof text, deviation, places, false);
    n = snprintf(out->rest, sizeof out->rest, " ± %s", text);
  }
  if (s->good < s->planned && n >= 0) {
    (void)snprintf(out->rest + n, sizeof out->rest - (size_t)n, " (%zu/%zu)", s->good, s->planned);
  }
}
