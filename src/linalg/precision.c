#include "linalg/precision.h"

#include <string.h>

static const char *const names[PRECISION_COUNT] = {"float32", "bfloat16"};

const char *precision_name(enum precision p) {
  return names[p];
}

int precision_parse(const char *text) {
  for (int i = 0; i < PRECISION_COUNT; i++) {
    if (strcmp(text, names[i]) == 0) {
      return i;
    }
  }
  return -1;
}
