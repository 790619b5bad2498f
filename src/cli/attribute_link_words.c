/* What the link's numbers say, in sentences. */
#include <math.h>
#include <string.h>

#include "cli/attribute.h"

enum evidence { NOTHING, UNSURE, LESS, MORE };

/* Both the permutations and, where there is one, the interval must speak. */
static enum evidence evidence_of(const struct link_estimate *e) {
  if (isnan(e->rho)) {
    return NOTHING;
  }
  bool away = isnan(e->range.low) || e->range.low > 0 || e->range.high < 0;
  if (e->p >= 0.05 || !away) {
    return UNSURE;
  }
  return e->rho > 0 ? MORE : LESS;
}

static status add_numbers(const struct link_estimate *e, const char *name, struct str *to,
                          struct error *err) {
  TRY(str_addf(to, err, " (%s %.3f", name, e->rho));
  if (!isnan(e->range.low)) {
    TRY(str_addf(to, err, ", 95 %% %.3f to %.3f", e->range.low, e->range.high));
  }
  return str_addf(to, err, e->p < 0.0001 ? ", p %.1e)" : ", p %.4f)", e->p);
}

static status add_sentence(const char *scope, const struct link_estimate *e,
                           const char *const by[4], const char *name, struct str *to,
                           struct error *err) {
  enum evidence found = evidence_of(e);
  TRY(str_addf(to, err, "%s: %s", scope, by[found]));
  TRY(found == NOTHING ? STATUS_OK : add_numbers(e, name, to, err));
  return str_addf(to, err, "\n");
}

static const char *const plain_words[4] = {
    "nothing can be said: NSA's loss or the drop does not vary",
    "NSA's loss is not shown to go with the drop in accuracy",
    "where NSA's loss is larger, accuracy drops less",
    "where NSA's loss is larger, accuracy drops more",
};
static const char *const given_words[4] = {
    "whether NSA's loss says more than layer output error and perplexity cannot be told",
    "given layer output error and perplexity, NSA's loss is not shown to say more",
    "given layer output error and perplexity, a larger NSA loss goes with a smaller drop",
    "given layer output error and perplexity, NSA's loss still says something of the drop",
};

static status add_strongest(const char *scope, const struct link_estimate *plain, struct str *to,
                            struct error *err) {
  static const char *const names[LINK_PREDICTORS] = {"NSA's loss", "layer output error",
                                                     "the rise of perplexity"};
  int best = -1;
  for (int k = 0; k < LINK_PREDICTORS; k++) {
    if (!isnan(plain[k].rho) && (best < 0 || plain[k].rho > plain[best].rho)) {
      best = k;
    }
  }
  if (best < 0) {
    return STATUS_OK;
  }
  return plain[best].rho > 0
             ? str_addf(to, err, "%s: of the three, %s goes most with the drop (rho %.3f)\n", scope,
                        names[best], plain[best].rho)
             : str_addf(to, err, "%s: none of the three rises with the drop\n", scope);
}

static bool several_sparsities(const struct attribute_view *v) {
  for (size_t i = 1; i < v->line_count; i++) {
    if (strcmp(v->lines[i].variant->sparsity, v->lines[0].variant->sparsity) != 0) {
      return true;
    }
  }
  return false;
}

status attribute_link_words(const struct attribute_view *v, const struct link *l, struct str *to,
                            struct error *err) {
  static const char *const scopes[LINK_SCOPES] = {"over all points", "within data sets"};
  TRY(str_addf(to, err, "%zu points (pruned model and data set), %zu data sets, %zu draws",
               l->points, l->strata, l->draws));
  TRY(l->left_out
          ? str_addf(to, err, "; left out: %zu with something that is not a number", l->left_out)
          : STATUS_OK);
  TRY(str_addf(to, err, "\n"));
  for (int s = 0; s < LINK_SCOPES; s++) {
    TRY(add_sentence(scopes[s], &l->plain[s][LINK_NSA], plain_words, "rho", to, err));
    TRY(add_sentence(scopes[s], &l->partial[s][LINK_NSA], given_words, "partial", to, err));
    TRY(add_strongest(scopes[s], l->plain[s], to, err));
  }
  return several_sparsities(v)
             ? str_addf(to, err,
                        "several sparsities are looked at together, which every predictor "
                        "tells apart: --sparsity takes one\n")
             : STATUS_OK;
}
