/* Lines of espalier score: what is accepted are requests within the vocabulary and the positions of
 * the model. */
#include "fuzz.h"

#include "cli/score_read.h"
#include "model/synthetic.h"

/* A model of 300 tokens and a byte-level tokenizer for it, in the scratch folder. */
static void make_checkpoint(struct checkpoint *c) {
  struct error err = {0};
  struct synthetic_shape shape;
  char path[320];
  (void)snprintf(path, sizeof path, "%s/tiny", fuzz_folder());
  FUZZ_CHECK(synthetic_shape_parse(&shape,
                                   "hidden=8,blocks=1,heads=2,ffn=16,vocab=300,positions=24",
                                   &err) == STATUS_OK);
  FUZZ_CHECK(synthetic_write(path, &shape, DTYPE_BF16, 0, &err) == STATUS_OK);
  static const char tokenizer[] =
      "{\"added_tokens\": [{\"id\": 1, \"content\": \"<s>\", \"special\": true}], \"model\": "
      "{\"type\": \"BPE\", \"unk_token\": \"?\", \"merges\": [[\"a\", \"b\"], [\" \", \"a\"]], "
      "\"vocab\": {\"?\": 0, \"a\": 2, \"b\": 3, \" \": 4, \"ab\": 5, \" a\": 6}}}";
  (void)fuzz_file(1, "tokenizer.json", tokenizer, sizeof tokenizer - 1);
  (void)fuzz_file(2, "tokenizer_config.json", "{\"bos_token\": \"<s>\"}", 20);
  *c = (struct checkpoint){.folder = path};
  FUZZ_CHECK(model_open(&c->model, path, &err) == STATUS_OK);
  c->folder = strdup(path);
  status st = tokenizer_open(&c->tokenizer, fuzz_folder(), &err);
  if (st != STATUS_OK) {
    (void)fprintf(stderr, "%s\n", err.text);
  }
  FUZZ_CHECK(st == STATUS_OK && c->folder);
}

static void check(const struct requests *r, const struct model *m) {
  for (size_t i = 0; i < r->count; i++) {
    const struct request *q = &r->at[i];
    FUZZ_CHECK(q->context_count > 0 && q->continuation_count > 0);
    FUZZ_CHECK(q->context_count + q->continuation_count - 1 <= model_positions(m));
    FUZZ_CHECK(q->context + (size_t)q->context_count <= r->pool.count);
    FUZZ_CHECK(q->continuation + (size_t)q->continuation_count <= r->pool.count);
  }
  for (size_t i = 0; i < r->pool.count; i++) {
    FUZZ_CHECK(r->pool.at[i] >= 0 && r->pool.at[i] < model_vocab(m));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct checkpoint c;
  if (!c.model) {
    make_checkpoint(&c);
  }
  const char *path = fuzz_file(0, "requests.jsonl", data, size);
  for (int bos = 0; bos < 2; bos++) {
    struct error err = {0};
    struct requests r = {0};
    status st = score_read(&r, path, &c, bos, &err);
    fuzz_refused(st, &err);
    if (st == STATUS_OK) {
      check(&r, c.model);
    }
    requests_free(&r);
  }
  return 0;
}
