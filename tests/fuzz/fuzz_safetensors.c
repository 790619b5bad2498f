/* A safetensors file: what is accepted has tensors that lie within it and are found by name. */
#include "fuzz.h"

#include "model/safetensors.h"

enum { SAMPLE = 64 };

static void check_tensor(const struct safetensors *s, const struct tensor *t) {
  struct error err = {0};
  float values[SAMPLE];
  FUZZ_CHECK(safetensors_find(s, t->name) == t);
  FUZZ_CHECK(t->at >= s->map.at && t->end <= s->map.size && t->begin <= t->end);
  FUZZ_CHECK((size_t)(t->at - s->map.at) + (size_t)(t->end - t->begin) <= s->map.size);
  uint64_t n = t->elements < SAMPLE ? t->elements : SAMPLE;
  status st = tensor_read(t, t->elements - n, n, values, &err);
  FUZZ_CHECK(st == STATUS_OK || err.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct error err = {0};
  struct safetensors s;
  status st = safetensors_open(&s, fuzz_file(0, "model.safetensors", data, size), &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    for (size_t i = 0; i < s.count; i++) {
      check_tensor(&s, &s.tensors[i]);
    }
    safetensors_close(&s);
  }
  return 0;
}
