/* A JSONL data set: what is accepted is objects in the order of their lines. */
#include "fuzz.h"

#include "data/jsonl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct error err = {0};
  struct jsonl j;
  status st = jsonl_open(&j, fuzz_file(0, "data.jsonl", data, size), 0, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    FUZZ_CHECK(j.count > 0);
    for (size_t i = 0; i < j.count; i++) {
      FUZZ_CHECK(cJSON_IsObject(j.at[i].json) && j.at[i].line > (i ? j.at[i - 1].line : 0));
    }
    jsonl_close(&j);
  }
  return 0;
}
