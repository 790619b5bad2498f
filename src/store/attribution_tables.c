#include "store/attribution_tables.h"

const char *const attribution_apart_names[2] = {
    [APART_ALWAYS_ON] = "always_on", [APART_MASSIVE] = "massive"};

#define KEY                                                                                        \
  {"variant", COLUMN_TEXT}, {                                                                      \
    "dataset", COLUMN_TEXT                                                                         \
  }
static const struct column bases[] = {
    KEY,
    {"model", COLUMN_TEXT},
    {"status", COLUMN_TEXT},
    {"error", COLUMN_TEXT},
    {"id", COLUMN_TEXT},
    {"influence", COLUMN_TEXT},
    {"score", COLUMN_TEXT},
    {"background", COLUMN_INTEGER},
    {"blocks", COLUMN_INTEGER},
    {"units_per_block", COLUMN_INTEGER},
    {"accuracy", COLUMN_REAL},
    {"gold", COLUMN_REAL},
    {"perplexity", COLUMN_REAL},
};
static const struct column words[] = {
    KEY,
    {"word", COLUMN_INTEGER},
    {"text", COLUMN_TEXT},
    {"occurrences", COLUMN_INTEGER},
    {"influence", COLUMN_REAL},
    {"low", COLUMN_REAL},
    {"high", COLUMN_REAL},
};
static const struct column units[] = {
    KEY,
    {"index", COLUMN_INTEGER},
    {"block", COLUMN_INTEGER},
    {"unit", COLUMN_INTEGER},
    {"mean", COLUMN_REAL},
    {"spread", COLUMN_REAL},
    {"lens", COLUMN_TEXT},
};
static const struct column matches[] = {
    KEY,
    {"match", COLUMN_INTEGER},
    {"word", COLUMN_INTEGER},
    {"unit", COLUMN_INTEGER},
    {"score", COLUMN_REAL},
    {"p", COLUMN_REAL},
    {"found", COLUMN_INTEGER},
    {"activation", COLUMN_REAL},
};
static const struct column apart[] = {
    KEY,
    {"block", COLUMN_INTEGER},
    {"unit", COLUMN_INTEGER},
    {"kind", COLUMN_TEXT},
    {"mean", COLUMN_REAL},
    {"spread", COLUMN_REAL},
};
static const struct column causal[] = {
    KEY,
    {"set", COLUMN_INTEGER},
    {"units", COLUMN_INTEGER},
    {"accuracy", COLUMN_REAL},
    {"gold", COLUMN_REAL},
    {"accuracy_change", COLUMN_REAL},
    {"accuracy_low", COLUMN_REAL},
    {"accuracy_high", COLUMN_REAL},
    {"gold_change", COLUMN_REAL},
    {"gold_low", COLUMN_REAL},
    {"gold_high", COLUMN_REAL},
};
static const struct column examples[] = {
    KEY,
    {"example", COLUMN_INTEGER},
    {"match", COLUMN_INTEGER},
    {"item", COLUMN_INTEGER},
    {"text", COLUMN_TEXT},
    {"first", COLUMN_INTEGER},
    {"tokens", COLUMN_INTEGER},
};
static const struct column example_tokens[] = {
    {"start", COLUMN_INTEGER},
    {"end", COLUMN_INTEGER},
    {"activation", COLUMN_REAL},
};
static const struct column blocks[] = {
    KEY,
    {"block", COLUMN_INTEGER},
    {"dead", COLUMN_INTEGER},
    {"loss", COLUMN_REAL},
};
static const struct column losses[] = {
    KEY,
    {"status", COLUMN_TEXT},
    {"error", COLUMN_TEXT},
    {"id", COLUMN_TEXT},
    {"loss", COLUMN_REAL},
    {"accuracy", COLUMN_REAL},
    {"gold", COLUMN_REAL},
    {"patched_accuracy", COLUMN_REAL},
    {"patched_gold", COLUMN_REAL},
    {"restored", COLUMN_REAL},
    {"restored_low", COLUMN_REAL},
    {"restored_high", COLUMN_REAL},
    {"layer_error", COLUMN_REAL},
    {"perplexity", COLUMN_REAL},
};
static const struct column word_losses[] = {
    KEY,
    {"word", COLUMN_INTEGER},
    {"loss", COLUMN_REAL},
};
static const struct column activations[] = {
    KEY,
    {"match", COLUMN_INTEGER},
    {"activation", COLUMN_REAL},
};
static const struct column traces[] = {
    KEY,
    {"example", COLUMN_INTEGER},
    {"first", COLUMN_INTEGER},
    {"tokens", COLUMN_INTEGER},
};

#define LAYOUT(place, of)                                                                          \
  { (place), (of), sizeof(of) / sizeof((of)[0]) }
const struct attribution_layout attribution_layouts[ATTRIBUTION_TABLES] = {
    [TABLE_BASES] = LAYOUT(ATTRIBUTION_GROUP "/bases", bases),
    [TABLE_WORDS] = LAYOUT(ATTRIBUTION_GROUP "/words", words),
    [TABLE_UNITS] = LAYOUT(ATTRIBUTION_GROUP "/units", units),
    [TABLE_MATCHES] = LAYOUT(ATTRIBUTION_GROUP "/matches", matches),
    [TABLE_APART] = LAYOUT(ATTRIBUTION_GROUP "/apart", apart),
    [TABLE_CAUSAL] = LAYOUT(ATTRIBUTION_GROUP "/causal", causal),
    [TABLE_EXAMPLES] = LAYOUT(ATTRIBUTION_GROUP "/examples", examples),
    [TABLE_EXAMPLE_TOKENS] = LAYOUT(ATTRIBUTION_GROUP "/example_tokens", example_tokens),
    [TABLE_BLOCKS] = LAYOUT(ATTRIBUTION_GROUP "/blocks", blocks),
    [TABLE_LOSSES] = LAYOUT(ATTRIBUTION_GROUP "/losses", losses),
    [TABLE_WORD_LOSSES] = LAYOUT(ATTRIBUTION_GROUP "/word_losses", word_losses),
    [TABLE_ACTIVATIONS] = LAYOUT(ATTRIBUTION_GROUP "/activations", activations),
    [TABLE_TRACES] = LAYOUT(ATTRIBUTION_GROUP "/traces", traces),
};
