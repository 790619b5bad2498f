/* Log-odds of words between one class and the rest, with an informative Dirichlet prior: Monroe,
 * Colaresi and Quinn, "Fightin' Words" (Political Analysis 16, 2008), equations 15, 16, 22. The
 * prior has the proportions of all classes together and is worth one count per distinct word. */
#ifndef ESPALIER_ATTRIBUTION_LOG_ODDS_H
#define ESPALIER_ATTRIBUTION_LOG_ODDS_H

#include "attribution/vocabulary.h"

/* z-score of a word that stands `here` times among the here_all words of a class and `rest` times
 * among the rest_all words of the others; prior and prior_all are its and all words' pseudo-counts.
 * 0 where it is not a number. */
double log_odds_z(double here, double here_all, double rest, double rest_all, double prior,
                  double prior_all);

/* Counts by class. Words of the template are not counted. */
struct log_odds {
  const struct vocabulary *v;
  const int32_t *class_of; /* [items]; -1: left out */
  int32_t classes;
  double *sizes;  /* [items]: its words */
  double *totals; /* [classes]: words under the weights at hand */
  double *counts; /* [classes]: of the word at hand */
  double all;     /* sum of totals */
  double distinct;
};

/* Free with log_odds_free, also after a failure. */
status log_odds_make(struct log_odds *l, const struct vocabulary *v, const int32_t *class_of,
                     int32_t classes, struct error *err);
void log_odds_free(struct log_odds *l);

/* Items count weights[item] times from now on; NULL: once. */
void log_odds_weigh(struct log_odds *l, const double *weights);
/* The z-score of one class, under the same weights. NaN where the word does not occur. */
double log_odds_of(struct log_odds *l, const struct term *t, const double *weights, int32_t class);
/* The class whose z-score is furthest from 0. */
int32_t log_odds_class(struct log_odds *l, const struct term *t);

#endif
