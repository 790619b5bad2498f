#include "tokenizer/open.h"

#include <oniguruma.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tokenizer/json.h"

static status read_tree(cJSON **out, const char *path, char digest[DIGEST_TEXT],
                        struct error *err) {
  char *text;
  size_t bytes;
  TRY(file_read(&text, &bytes, path, err));
  if (digest) {
    digest_bytes(text, bytes, digest);
  }
  status st = json_parse(out, text, bytes, path, err);
  free(text);
  return st;
}

/* The id of the token that a key of tokenizer_config.json names, as a string or as an object with
 * its content, or -1. */
static int named_token(const struct tokenizer *t, const cJSON *config, const char *key) {
  const cJSON *name = json_get(config, key);
  name = cJSON_IsObject(name) ? json_get(name, "content") : name;
  if (!cJSON_IsString(name)) {
    return -1;
  }
  size_t n = strlen(name->valuestring);
  int id = vocab_id(&t->added.names, name->valuestring, n);
  return id >= 0 ? id : vocab_id(&t->bpe.vocab, name->valuestring, n);
}

static status read_config(struct tokenizer *t, const char *folder, struct error *err) {
  char *path;
  TRY(path_join(&path, folder, "tokenizer_config.json", err));
  status st = STATUS_OK;
  if (file_exists(path)) {
    cJSON *config = NULL;
    st = read_tree(&config, path, NULL, err);
    t->bos = named_token(t, config, "bos_token");
    t->eos = named_token(t, config, "eos_token");
    cJSON_Delete(config);
  }
  free(path);
  return st;
}

static int largest(const struct vocab *v) {
  return v->count ? v->tokens[v->count - 1].id : -1;
}

static status read_parts(struct tokenizer *t, const char *path, struct error *err) {
  const cJSON *root = t->tree;
  TRY(bpe_read(&t->bpe, json_get(root, "model"), path, err));
  TRY(normalizer_read(&t->normalizer, json_get(root, "normalizer"), path, err));
  TRY(pretokenizer_read(&t->pretokenizer, json_get(root, "pre_tokenizer"), path, err));
  TRY(added_read(&t->added, json_get(root, "added_tokens"), &t->normalizer, &t->bpe.vocab, path,
                 err));
  int model = largest(&t->bpe.vocab), added = largest(&t->added.names);
  t->size = (model > added ? model : added) + 1;
  return template_read(&t->template, json_get(root, "post_processor"), path, err);
}

status tokenizer_open(struct tokenizer **out, const char *folder, struct error *err) {
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  if (onig_initialize(encodings, 1) != ONIG_NORMAL) {
    return err_set(err, STATUS_MEMORY, "Oniguruma cannot start");
  }
  struct tokenizer *t = NULL;
  char *path;
  TRY(path_join(&path, folder, "tokenizer.json", err));
  status st = mem_alloc(&t, 1, sizeof *t, err);
  if (st == STATUS_OK) {
    t->bos = t->eos = -1;
    st = read_tree(&t->tree, path, t->digest, err);
  }
  if (st == STATUS_OK) {
    st = read_parts(t, path, err);
  }
  if (st == STATUS_OK) {
    st = read_config(t, folder, err);
  }
  free(path);
  if (st != STATUS_OK) {
    tokenizer_close(t);
    return st;
  }
  *out = t;
  return STATUS_OK;
}

void tokenizer_close(struct tokenizer *t) {
  if (t) {
    normalizer_free(&t->normalizer);
    pretokenizer_free(&t->pretokenizer);
    added_free(&t->added);
    bpe_free(&t->bpe);
    template_free(&t->template);
    cJSON_Delete(t->tree);
    free(t);
  }
}
