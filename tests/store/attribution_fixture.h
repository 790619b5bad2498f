/* Attributions of the store's fixture: of the dense model on "topic" with three words, two units
 * and two passages, of the Wanda variant, and one that failed. */
#ifndef ESPALIER_TESTS_STORE_ATTRIBUTION_FIXTURE_H
#define ESPALIER_TESTS_STORE_ATTRIBUTION_FIXTURE_H

#include <math.h>

#include "store/attribution.h"

static struct attribution_word made_words[3] = {
    {"badly", 7, 0.75, 0.5, 1.0}, {"größe", 3, 0.5, NAN, NAN}, {"slow", 12, 0.25, 0.125, 0.5}};
static struct attribution_unit made_units[2] = {{1, 5, 0.125, 0.25, "worse\nbad\nnot"},
                                                {0, 2, 0.5, 0.0625, ""}};
static struct attribution_match made_matches[4] = {{0, 0, 9.5, 0.001, true, 2.5},
                                                   {0, 1, 4.5, 0.25, false, 0.75},
                                                   {1, 1, 3.5, 0.01, true, 0.71875},
                                                   {2, 0, 2.5, 0.03125, true, 0.75}};
static struct attribution_apart_unit made_apart[2] = {{0, 3, APART_MASSIVE, 900.5, 12},
                                                      {1, 7, APART_ALWAYS_ON, 4.5, 0.25}};
static struct attribution_causal made_causal[3] = {
    {0, 2, 0.5, -2.5, -0.25, -0.375, -0.125, -1.5, -2, -1},
    {1, 2, 0.75, -1, 0, -0.125, 0.125, 0, -0.25, 0.25},
    {2, 2, 0.6875, -1.25, -0.0625, -0.25, 0.125, -0.25, -0.5, 0}};
static char made_passage[] = "It went badly, <b>Größe</b>.", made_passage_2[] = "";
static int32_t made_starts[6] = {0, 2, 7, 13, 15, 27}, made_starts_2[2] = {0, 0};
static float made_colours[5] = {0.25F, -0.5F, 3.5F, 0.125F, 1e-6F}, made_colours_2[1] = {-0.25F};
static struct attribution_example made_examples[2] = {
    {0, 11, 5, made_passage, made_starts, made_colours},
    {3, 2, 1, made_passage_2, made_starts_2, made_colours_2}};
static int32_t made_dead[2] = {1, 0};

static const struct attribution_base made_base = {
    .variant = "00000000000000000000000000000000",
    .dataset = "topic",
    .influence = "leave_one_out",
    .score = "z",
    .background = 8192,
    .blocks = 2,
    .units_per_block = 8,
    .accuracy = 0.75,
    .gold = -1,
    .perplexity = 12.5,
    .word_count = 3,
    .unit_count = 2,
    .match_count = 4,
    .apart_count = 2,
    .causal_count = 3,
    .example_count = 2,
    .words = made_words,
    .units = made_units,
    .matches = made_matches,
    .apart = made_apart,
    .causal = made_causal,
    .examples = made_examples,
    .dead = made_dead,
};

static double made_word_loss[3] = {0.75, 0.5, 0.25}, made_activation[4] = {0.5, 0.25, 0.125, 0.625},
              made_block_loss[2] = {NAN, 0.5};
static int32_t made_dead_after[2] = {2, 1};
static float made_trace[5] = {0.125F, -0.25F, 0.5F, 0, 0}, made_trace_2[1] = {0.5F};
static struct attribution_trace made_traces[2] = {{5, made_trace}, {1, made_trace_2}};

static const struct attribution_loss made_loss = {
    .variant = "11111111111111111111111111111111",
    .dataset = "topic",
    .loss = 0.5625,
    .accuracy = 0.5,
    .gold = -2,
    .patched_accuracy = 0.625,
    .patched_gold = -1.5,
    .restored = 0.5,
    .restored_low = 0.25,
    .restored_high = 0.75,
    .layer_error = 0.0625,
    .perplexity = 20.25,
    .word_count = 3,
    .match_count = 4,
    .block_count = 2,
    .example_count = 2,
    .word_loss = made_word_loss,
    .activation = made_activation,
    .block_loss = made_block_loss,
    .dead = made_dead_after,
    .examples = made_traces,
};

static const struct attribution_loss made_failure = {
    .variant = "11111111111111111111111111111111",
    .dataset = "bible/kjv",
    .failed = true,
    .error = "bible/kjv: has no gold labels",
    .loss = NAN,
    .accuracy = NAN,
    .gold = NAN,
    .patched_accuracy = NAN,
    .patched_gold = NAN,
    .restored = NAN,
    .restored_low = NAN,
    .restored_high = NAN,
    .layer_error = NAN,
    .perplexity = NAN,
};

#endif
