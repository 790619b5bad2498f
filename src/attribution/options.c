#include "attribution/options.h"

#include <stdlib.h>

#include "base/file.h"

const char *const influence_names[INFLUENCES] = {"leave_one_out", "log_odds", "lexicon"};
const char *const match_score_names[MATCH_SCORES] = {"z", "sum"};

struct attribution_options attribution_defaults(void) {
  return (struct attribution_options){.influence = INFLUENCE_LEAVE_ONE_OUT,
                                      .words = 20,
                                      .least_occurrences = 3,
                                      .candidates = 200,
                                      .occurrences = 8,
                                      .score = SCORE_Z,
                                      .neurons = 10,
                                      .discovery = 0.05,
                                      .background = 64,
                                      .causal = true,
                                      .random_sets = 20,
                                      .patch = true,
                                      .lens = 8};
}

/* Raise it when an attribution's numbers change. */
#define ATTRIBUTION_VERSION 1

status attribution_digest(const struct attribution_options *o, struct digest *d,
                          struct error *err) {
  const int64_t numbers[] = {ATTRIBUTION_VERSION,
                             o->influence,
                             o->words,
                             o->least_occurrences,
                             o->stop_words,
                             o->candidates,
                             o->occurrences,
                             o->score,
                             o->neurons,
                             o->background,
                             o->causal,
                             o->causal ? o->random_sets : 0,
                             o->patch,
                             o->lens,
                             (int64_t)o->seed};
  TRY(digest_feed_text(d, "attribution", err));
  TRY(digest_feed(d, numbers, sizeof numbers, err));
  TRY(digest_feed(d, &o->discovery, sizeof o->discovery, err));
  if (!o->lexicon) {
    return STATUS_OK;
  }
  char *text;
  size_t size;
  TRY(file_read(&text, &size, o->lexicon, err));
  status st = digest_feed(d, text, size, err);
  free(text);
  return st;
}

int attribution_dense_passes(const struct attribution_options *o) {
  return 2 + (o->causal ? 1 + o->random_sets : 0);
}

int attribution_pruned_passes(const struct attribution_options *o) {
  return o->patch ? 1 : 0;
}
