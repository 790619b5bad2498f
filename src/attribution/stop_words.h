/* English function words, which say little about what a text means. */
#ifndef ESPALIER_ATTRIBUTION_STOP_WORDS_H
#define ESPALIER_ATTRIBUTION_STOP_WORDS_H

#include <stdbool.h>

/* word: lower case, as word_lower makes it. */
bool stop_word(const char *word);

#endif
