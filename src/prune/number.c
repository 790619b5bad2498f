#include "prune/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool number_parse(double *out, const char *text) {
  if (*text == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0') {
    return false;
  }
  char *end;
  double value = strtod(text, &end);
  if (*end != '\0' || !isfinite(value)) {
    return false;
  }
  *out = value;
  return true;
}

void number_print(double value, char out[32]) {
  char text[32] = "";
  for (int digits = 1; digits <= 17; digits++) {
    (void)snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) {
      break;
    }
  }
  memcpy(out, text, sizeof text);
}
