#include <string.h>

#include "model/parts.h"

static status feed_tensor(struct digest *d, const struct tensor *t, struct error *err) {
  TRY(digest_feed_text(d, t->name, err));
  TRY(digest_feed_text(d, dtype_name(t->dtype), err));
  TRY(digest_feed(d, t->shape, (size_t)t->rank * sizeof *t->shape, err));
  TRY(digest_feed(d, t->at, (size_t)(t->end - t->begin), err));
  tensor_release(t);
  return STATUS_OK;
}

/* Tensors are fed by name, so that the cut into shards is no part of a model's identity. */
static status feed(struct digest *d, const struct model *m, struct error *err) {
  TRY(digest_feed(d, m->config_text, m->config_size, err));
  for (size_t i = 0; i < m->shards.tensor_count; i++) {
    TRY(feed_tensor(d, m->shards.tensors[i], err));
  }
  return STATUS_OK;
}

status model_digest(const struct model *m, char out[DIGEST_TEXT], struct error *err) {
  /* The one field that changes after opening: what it caches does not, and the lock guards it. */
  struct model *cache = (struct model *)m;
  (void)pthread_mutex_lock(&cache->digest_lock);
  status st = STATUS_OK;
  if (!cache->digest[0]) {
    struct digest d = {0};
    st = feed(&d, m, err);
    char text[DIGEST_TEXT];
    digest_finish(&d, text);
    if (st == STATUS_OK) {
      memcpy(cache->digest, text, sizeof text);
    }
  }
  memcpy(out, cache->digest, DIGEST_TEXT);
  (void)pthread_mutex_unlock(&cache->digest_lock);
  return st;
}
