#include "attribution/options.h"

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
