#include "attribution/stop_words.h"

#include <stdlib.h>
#include <string.h>

/* Negations are not among them: they turn what a text says. In the order of their bytes. */
static const char *const stop_words[] = {
    "a",       "about",   "above",    "across",     "after",   "again",   "against",   "all",
    "along",   "already", "also",     "although",   "am",      "among",   "an",        "and",
    "any",     "are",     "around",   "as",         "at",      "be",      "because",   "been",
    "before",  "behind",  "being",    "below",      "beside",  "between", "beyond",    "both",
    "but",     "by",      "can",      "could",      "d",       "did",     "do",        "does",
    "doing",   "done",    "down",     "during",     "each",    "else",    "even",      "ever",
    "few",     "for",     "from",     "further",    "had",     "has",     "have",      "having",
    "he",      "he'd",    "he'll",    "he's",       "her",     "here",    "here's",    "hers",
    "herself", "him",     "himself",  "his",        "how",     "how's",   "i",         "i'd",
    "i'll",    "i'm",     "i've",     "if",         "in",      "into",    "is",        "it",
    "it'd",    "it'll",   "it's",     "its",        "itself",  "just",    "let's",     "ll",
    "m",       "many",    "may",      "me",         "might",   "mine",    "more",      "most",
    "much",    "must",    "my",       "myself",     "near",    "nor",     "now",       "o",
    "of",      "off",     "on",       "once",       "one",     "ones",    "oneself",   "only",
    "or",      "other",   "others",   "ought",      "our",     "ours",    "ourselves", "out",
    "over",    "own",     "per",      "re",         "s",       "same",    "shall",     "she",
    "she'd",   "she'll",  "she's",    "should",     "since",   "so",      "some",      "still",
    "such",    "t",       "than",     "that",       "that'd",  "that'll", "that's",    "the",
    "their",   "theirs",  "them",     "themselves", "then",    "there",   "there's",   "these",
    "they",    "they'd",  "they'll",  "they're",    "they've", "this",    "those",     "though",
    "through", "to",      "too",      "toward",     "towards", "under",   "unless",    "until",
    "up",      "upon",    "us",       "ve",         "very",    "via",     "was",       "we",
    "we'd",    "we'll",   "we're",    "we've",      "were",    "what",    "what's",    "whatever",
    "when",    "where",   "where's",  "whereas",    "whether", "which",   "while",     "who",
    "who's",   "whoever", "whom",     "whose",      "why",     "will",    "with",      "within",
    "without", "would",   "yet",      "you",        "you'd",   "you'll",  "you're",    "you've",
    "your",    "yours",   "yourself", "yourselves",
};

static int compare(const void *word, const void *entry) {
  return strcmp(word, *(const char *const *)entry);
}

bool stop_word(const char *word) {
  return bsearch(word, stop_words, sizeof stop_words / sizeof *stop_words, sizeof *stop_words,
                 compare) != NULL;
}
