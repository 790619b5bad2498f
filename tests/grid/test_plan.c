/* Plans of small grids over the project's own checkpoint: which variants there are, in which order,
 * and what their identities depend on. */
#include <math.h>

#include "files.h"

#include "grid/plan.h"

static struct scratch scratch;
static const char *demo; /* the checkpoint's folder */

#define DATA "datasets: [mood, prose]\n"
#define CALIBRATION "calibration: {sets: [texts], samples: [2, 4], length: 16, draws: 2}\n"

static struct grid *open_text(const char *text) {
  struct error err = {0};
  struct grid *g = NULL;
  char path[300];
  (void)snprintf(path, sizeof path, "%s/grid.yaml", scratch.root);
  scratch_write(&scratch, "grid.yaml", text);
  assert_ok(grid_open(&g, path, &scratch.places, &err));
  return g;
}

struct made {
  struct grid *grid;
  struct plan *plan;
};

static struct made make(const char *text, enum plan_level level) {
  struct error err = {0};
  struct made m = {.grid = open_text(text)};
  assert_ok(plan_create(&m.plan, m.grid, level, &err));
  return m;
}

static void drop(struct made *m) {
  plan_free(m->plan);
  grid_close(m->grid);
}

/* "wanda 0.5 texts 2 16 1" */
static void describe(const struct plan *p, size_t i, char out[128]) {
  const struct variant *v = &p->variants[i];
  const char *set = v->calibration < 0 ? "-" : p->calibrations[v->calibration].name;
  (void)snprintf(out, 128, "%s %s %s %d %d %d", v->label, v->sparsity_text, set, v->samples,
                 v->length, v->draw);
}

static void assert_variants(const struct plan *p, const char *const *wanted, size_t count) {
  char text[128];
  assert_int_equal(p->variant_count, count);
  for (size_t i = 0; i < count; i++) {
    describe(p, i, text);
    assert_string_equal(text, wanted[i]);
  }
}

static void variants_come_in_order_with_dense_first(void **state) {
  (void)state;
  struct made m = make(
      "models: [nano]\nmethods: [wanda, magnitude]\nsparsity: [\"2:4\", 0.5]\n" CALIBRATION DATA,
      PLAN_LIGHT);
  static const char *const wanted[] = {
      "dense 0 - 0 0 -1",       "wanda 2:4 texts 2 16 0", "wanda 2:4 texts 2 16 1",
      "wanda 2:4 texts 4 16 0", "wanda 2:4 texts 4 16 1", "wanda 0.5 texts 2 16 0",
      "wanda 0.5 texts 2 16 1", "wanda 0.5 texts 4 16 0", "wanda 0.5 texts 4 16 1",
      "magnitude 2:4 - 0 0 -1", "magnitude 0.5 - 0 0 -1",
  };
  assert_variants(m.plan, wanted, sizeof wanted / sizeof wanted[0]);
  assert_int_equal(m.plan->dataset_count, 2);
  assert_string_equal(m.plan->variants[0].id, "");
  drop(&m);
}

static void dense_appears_once_whether_listed_or_not(void **state) {
  (void)state;
  static const char *const wanted[] = {"dense 0 - 0 0 -1", "magnitude 0.5 - 0 0 -1"};
  struct made m =
      make("models: [nano]\nmethods: [magnitude, dense]\nsparsity: 0.5\n" DATA, PLAN_LIGHT);
  assert_variants(m.plan, wanted, 2);
  drop(&m);
  m = make("models: [nano]\nmethods: dense\n" DATA, PLAN_LIGHT);
  assert_variants(m.plan, wanted, 1);
  drop(&m);
}

static void exclude_takes_out_variants_and_cells_but_not_the_baseline(void **state) {
  (void)state;
  struct made m = make("models: [nano]\nmethods:\n  - magnitude\n  - ria: {a: [0.5, 1.0]}\n"
                       "sparsity: [0.5, 0.8]\n"
                       "calibration: {sets: [texts], samples: 2, length: 16}\n" DATA
                       "exclude:\n  - {sparsity: 0.50, method: ria, a: 1.0}\n"
                       "  - {method: magnitude, sparsity: [0.8]}\n"
                       "  - {method: ria, sparsity: 0.8, dataset: prose}\n",
                       PLAN_LIGHT);
  static const char *const wanted[] = {
      "dense 0 - 0 0 -1",     "magnitude 0.5 - 0 0 -1", "ria 0.5 texts 2 16 0",
      "ria 0.8 texts 2 16 0", "ria 0.8 texts 2 16 0",
  };
  assert_variants(m.plan, wanted, 5);
  for (size_t v = 0; v < 5; v++) {
    assert_true(plan_cell(m.plan, v, 0)->wanted);
    assert_int_equal(plan_cell(m.plan, v, 1)->wanted, v < 3);
  }
  drop(&m);
}

static void presets_keep_their_name_and_have_their_methods_identity(void **state) {
  (void)state;
  struct made preset = make("models: [nano]\nmethods: [ria-row]\nsparsity: 0.5\n"
                            "calibration: {sets: [texts], samples: 2, length: 16}\n" DATA,
                            PLAN_FULL);
  struct made plain = make("models: [nano]\nmethods:\n  - ria: {scope: row}\nsparsity: 0.5\n"
                           "calibration: {sets: [texts], samples: 2, length: 16}\n" DATA,
                           PLAN_FULL);
  assert_string_equal(preset.plan->variants[1].label, "ria-row");
  assert_string_equal(preset.plan->variants[1].params_json, plain.plan->variants[1].params_json);
  assert_string_equal(preset.plan->variants[1].id, plain.plan->variants[1].id);
  drop(&preset);
  drop(&plain);
}

/* Ids of a grid's first calibrated variant and of its cell on the first data set. */
struct ids_of {
  char variant[DIGEST_TEXT], cell[DIGEST_TEXT], prose[DIGEST_TEXT];
};

static struct ids_of ids_of(const char *text) {
  struct made m = make(text, PLAN_FULL);
  struct ids_of ids;
  memcpy(ids.variant, m.plan->variants[1].id, DIGEST_TEXT);
  memcpy(ids.cell, plan_cell(m.plan, 1, 0)->id, DIGEST_TEXT);
  memcpy(ids.prose, plan_cell(m.plan, 1, 1)->id, DIGEST_TEXT);
  drop(&m);
  return ids;
}

#define BASE(methods, sparsity, calibration, rest)                                                 \
  "models: [nano]\nmethods:\n  - " methods "\nsparsity: " sparsity "\ncalibration: {" calibration  \
  "}\n" DATA rest
#define SETS "sets: [texts], samples: 2, length: 16"

static void ids_change_with_what_determines_a_result_and_with_nothing_else(void **state) {
  (void)state;
  struct ids_of base = ids_of(BASE("wanda", "0.5", SETS, ""));
  static const char *const same[] = {
      BASE("wanda", "0.5", SETS, ""),
      BASE("wanda", "[0.50, 0.7]", "sets: [texts], samples: [2, 3], length: 16", ""),
      BASE("wanda", "0.5", SETS, "experiment: other\nstore: {items: false}\n"),
      BASE("wanda", "0.5", SETS, "precision: float32\n"),
  };
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
    struct ids_of ids = ids_of(same[i]);
    assert_string_equal(ids.variant, base.variant);
    assert_string_equal(ids.cell, base.cell);
    assert_string_equal(ids.prose, base.prose);
  }
  static const char *const variants[] = {
      BASE("ria", "0.5", SETS, ""),
      BASE("sparsegpt", "0.5", SETS, ""),
      BASE("sparsegpt: {damp: 0.1}", "0.5", SETS, ""),
      BASE("wanda", "0.6", SETS, ""),
      BASE("wanda", "\"2:4\"", SETS, ""),
      BASE("wanda", "0.5", SETS, "seed: 1\n"),
      BASE("wanda", "0.5", SETS, "precision: bfloat16\n"),
      BASE("wanda", "0.5", "sets: [texts], samples: 3, length: 16", ""),
      BASE("wanda", "0.5", "sets: [texts], samples: 2, length: 17", ""),
  };
  enum { VARIANTS = sizeof variants / sizeof variants[0] };
  struct ids_of seen[VARIANTS];
  for (int i = 0; i < VARIANTS; i++) {
    seen[i] = ids_of(variants[i]);
    assert_string_not_equal(seen[i].variant, base.variant);
    assert_string_not_equal(seen[i].cell, base.cell);
    for (int k = 0; k < i; k++) {
      assert_string_not_equal(seen[i].variant, seen[k].variant);
    }
  }
  static const char *const cells[] = {BASE("wanda", "0.5", SETS, "limit: 1\n"),
                                      BASE("wanda", "0.5", SETS, "shots: 1\n"),
                                      BASE("wanda", "0.5", SETS, "bos: true\n")};
  for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
    struct ids_of ids = ids_of(cells[i]);
    assert_string_equal(ids.variant, base.variant);
    assert_string_not_equal(ids.cell, base.cell);
  }
  struct ids_of window = ids_of(BASE("wanda", "0.5", SETS, "window: 8\n"));
  assert_string_equal(window.cell, base.cell);
  assert_string_not_equal(window.prose, base.prose);
}

/* A light plan is what a worker computes with, a full one what rank 0 does. */
static void a_grids_precision_is_its_models_on_every_rank(void **state) {
  (void)state;
  static const enum plan_level levels[] = {PLAN_LIGHT, PLAN_FULL};
  for (int i = 0; i < 2; i++) {
    struct made m = make("models: [nano]\nmethods: dense\n" DATA, levels[i]);
    assert_int_equal(model_precision(m.plan->models[0].model), PRECISION_FLOAT32);
    drop(&m);
    m = make("models: [nano]\nmethods: dense\nprecision: bfloat16\n" DATA, levels[i]);
    assert_int_equal(model_precision(m.plan->models[0].model), PRECISION_BFLOAT16);
    drop(&m);
  }
}

static void cells_change_with_data_and_task(void **state) {
  (void)state;
  const char *text = BASE("wanda", "0.5", SETS, "");
  struct ids_of before = ids_of(text);
  scratch_write(&scratch, "data/mood.jsonl",
                "{\"s\": \"a fine film\", \"label\": 1}\n{\"s\": \"dull\", \"label\": 1}\n");
  struct ids_of data = ids_of(text);
  assert_string_equal(data.variant, before.variant);
  assert_string_not_equal(data.cell, before.cell);
  assert_string_equal(data.prose, before.prose);
}

static void draws_are_the_same_at_both_levels_and_prefixes_of_each_other(void **state) {
  (void)state;
  const char *text = "models: [nano]\nmethods: [wanda]\nsparsity: [0.5, 0.6]\n" CALIBRATION DATA;
  struct made full = make(text, PLAN_FULL), light = make(text, PLAN_LIGHT);
  struct error err = {0};
  struct sequences a, b;
  assert_int_equal(full.plan->variant_count, light.plan->variant_count);
  for (size_t i = full.plan->variant_count; i-- > 0;) {
    assert_ok(plan_draw(full.plan, i, &a, &err));
    assert_ok(plan_draw(light.plan, i, &b, &err));
    assert_int_equal(a.count, full.plan->variants[i].samples);
    assert_int_equal(a.ids.count, b.ids.count);
    if (a.ids.count) {
      assert_memory_equal(a.ids.at, b.ids.at, a.ids.count * sizeof *a.ids.at);
    }
    sequences_free(&a);
    sequences_free(&b);
  }
  assert_ok(plan_draw(full.plan, 1, &a, &err)); /* 2 samples of draw 0 */
  assert_ok(plan_draw(full.plan, 3, &b, &err)); /* 4 samples of draw 0 */
  assert_memory_equal(a.ids.at, b.ids.at, a.ids.count * sizeof *a.ids.at);
  sequences_free(&a);
  sequences_free(&b);
  size_t *distinct, count;
  assert_ok(plan_distinct_draws(full.plan, &distinct, &count, &err));
  assert_int_equal(count, 2);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(full.plan->variants[distinct[i]].samples, 4);
    assert_int_equal(full.plan->variants[distinct[i]].draw, i);
  }
  free(distinct);
  drop(&full);
  drop(&light);
}

static void costs_grow_with_work_and_the_longest_goes_first(void **state) {
  (void)state;
  struct made m = make("models: [nano]\nmethods: [magnitude, wanda, sparsegpt]\nsparsity: 0.5\n"
                       "calibration: {sets: [texts], samples: [2, 4], length: 16}\n" DATA,
                       PLAN_FULL);
  const struct plan *p = m.plan;
  double last = INFINITY;
  size_t seen = 0;
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *v = &p->variants[p->longest[i]];
    double flops = v->prune_flops + v->eval_flops;
    assert_true(flops <= last && flops > 0 && v->seconds > 0 && v->peak_bytes > 0);
    last = flops;
    seen |= (size_t)1 << p->longest[i];
  }
  assert_int_equal(seen, ((size_t)1 << p->variant_count) - 1);
  assert_true(p->variants[0].prune_flops == 0);
  assert_true(p->variants[3].prune_flops > p->variants[2].prune_flops);
  assert_true(p->variants[4].prune_flops > p->variants[2].prune_flops);
  assert_true(p->variants[0].eval_flops == p->variants[4].eval_flops);
  drop(&m);
}

static void what_shares_a_pass_is_of_one_model_set_length_and_draw(void **state) {
  (void)state;
  struct made m =
      make("models: [nano]\nmethods: [magnitude, wanda, sparsegpt: {damp: [0.01, 0.1]}]\n"
           "sparsity: [0, 0.5, 2:4]\n"
           "calibration: {sets: [texts], samples: [4, 2], length: [8, 16], draws: 2}\n"
           "exclude:\n  - {method: sparsegpt, draw: 1}\n" DATA,
           PLAN_LIGHT);
  const struct plan *p = m.plan;
  assert_int_equal(p->share_count, 4); /* 2 lengths, 2 draws */
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *v = &p->variants[i];
    bool shares = v->calibration >= 0 && strcmp(v->sparsity_text, "0") != 0;
    assert_int_equal(v->share >= 0, shares);
    if (!shares) {
      continue;
    }
    const struct plan_share *s = &p->shares[v->share];
    const struct variant *longest = &p->variants[s->longest];
    assert_true(longest->length == v->length && longest->draw == v->draw && longest->samples == 4);
    assert_int_equal(s->sample_count, 2);
    assert_true(s->samples[0] == 2 && s->samples[1] == 4);
    assert_int_equal(s->needs, v->draw ? STATS_SQUARES : STATS_SQUARES | STATS_GRAM);
    assert_int_equal(s->damp_count, v->draw ? 0 : 2);
    assert_int_equal(s->variants, (v->draw ? 1 : 3) * 2 * 2);
  }
  drop(&m);
}

/* Enough of a grid that a share is worth it. */
#define SHARED(propagate)                                                                          \
  "models: [nano]\nmethods: [magnitude, wanda, ria, sparsegpt]\nsparsity: [0.5, 2:4, 0.6]\n"       \
  "calibration: {sets: [texts], samples: [2, 4], length: 64" propagate "}\n" DATA

static void sharing_costs_less_and_dense_passes_least(void **state) {
  (void)state;
  struct made m = make(SHARED(""), PLAN_FULL),
              dense = make(SHARED(", propagate: dense"), PLAN_FULL);
  struct plan_saving s[PROPAGATE_COUNT];
  for (int i = 0; i < PROPAGATE_COUNT; i++) {
    s[i] = plan_saving(m.plan, (enum propagate)i);
    assert_int_equal(s[i].passes, 1);
    assert_int_equal(s[i].variants, 18);
    assert_true(s[i].shared_flops < s[i].alone_flops && s[i].shared_flops > 0);
  }
  assert_true(s[PROPAGATE_DENSE].alone_flops < s[PROPAGATE_PRUNED].alone_flops);
  assert_true(s[PROPAGATE_DENSE].shared_flops / s[PROPAGATE_DENSE].alone_flops <
              s[PROPAGATE_PRUNED].shared_flops / s[PROPAGATE_PRUNED].alone_flops);
  double sum = 0;
  for (size_t i = 0; i < m.plan->variant_count; i++) {
    const struct variant *v = &m.plan->variants[i];
    sum += v->calibration >= 0 ? v->prune_flops : 0;
    assert_true(v->calibration < 0 || dense.plan->variants[i].peak_bytes > v->peak_bytes);
  }
  assert_true(fabs(sum / s[PROPAGATE_PRUNED].shared_flops - 1) < 1e-9);
  drop(&m);
  drop(&dense);
}

/* And only that of variants which see calibration data. */
static void propagate_dense_is_part_of_an_identity(void **state) {
  (void)state;
  struct made unset = make(SHARED(""), PLAN_FULL);
  struct made pruned = make(SHARED(", propagate: pruned"), PLAN_FULL);
  struct made dense = make(SHARED(", propagate: dense"), PLAN_FULL);
  assert_int_equal(unset.plan->variant_count, dense.plan->variant_count);
  for (size_t i = 0; i < unset.plan->variant_count; i++) {
    const struct variant *v = &unset.plan->variants[i];
    assert_string_equal(v->id, pruned.plan->variants[i].id);
    assert_int_equal(strcmp(v->id, dense.plan->variants[i].id) == 0, v->calibration < 0);
  }
  drop(&unset);
  drop(&pruned);
  drop(&dense);
}

static void resident_weights_cost_half_the_memory_in_bfloat16(void **state) {
  (void)state;
  double bytes[2];
  for (int i = 0; i < 2; i++) {
    struct made m = make(i == 0 ? "models: [nano]\nmethods: dense\n" DATA
                                : "models: [nano]\nmethods: dense\nprecision: bfloat16\n" DATA,
                         PLAN_FULL);
    bytes[i] = m.plan->variants[0].peak_bytes;
    drop(&m);
  }
  assert_true(bytes[0] == 2 * bytes[1] && bytes[1] > 0);
}

struct bad {
  const char *text, *part;
};

static void what_only_the_open_files_show_is_refused_before_any_work(void **state) {
  (void)state;
  static const struct bad cases[] = {
      {"models: [nano]\nmethods: [wanda]\nsparsity: 0.5\ncalibration:\n  sets: [texts]\n  length: "
       "1025\n" DATA,
       "grid.yaml:6: length 1025 is above the 1024 positions of model nano"},
      {"models: [nano]\nmethods: [dense]\nwindow: 2000\n" DATA,
       "grid.yaml:3: window 2000 is above the 1024 positions of model nano"},
      {"models: [nano]\nmethods: [magnitude]\nsparsity:\n - \"2:4\"\n - \"1:7\"\n" DATA,
       "grid.yaml:5: sparsity 1:7: the 256 inputs of"},
      {"models: [nano]\nmethods: [dense]\ndatasets: [mood, broken]\n", "broken.jsonl:2: "},
      {"models: [nano]\nmethods: [dense]\ndatasets: [mood, gone]\n", "gone"},
      {"models: [nano]\nmethods: [dense]\ndatasets: [label]\n", "label.jsonl:2: "},
      {"models: [nano]\nmethods: [wanda]\nsparsity: 0.5\n"
       "calibration: {sets: [texts], samples: 100, draws: 10, length: 64}\n" DATA,
       "needs 10 draws × 100 samples × 64 tokens"},
      {"models: [nano]\nmethods: [wanda]\nsparsity: 0.5\n"
       "calibration: {sets: [broken], samples: 1, length: 8}\n" DATA,
       "broken.jsonl:2: "},
      {"models: [empty]\nmethods: [dense]\n" DATA, "models/empty"},
  };
  int failed = 0;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct error err = {0};
    struct grid *g = open_text(cases[i].text);
    struct plan *p = NULL;
    status st = plan_create(&p, g, PLAN_FULL, &err);
    if (st == STATUS_OK || !strstr(err.text, cases[i].part) || strchr(err.text, '\n')) {
      print_error("case %zu: status %d '%s' lacks '%s'\n", i, (int)st, err.text, cases[i].part);
      failed++;
    }
    plan_free(p);
    grid_close(g);
  }
  assert_int_equal(failed, 0);
}

static void write_task(const char *name, const char *data) {
  char path[128], text[512];
  (void)snprintf(path, sizeof path, "configs/tasks/%s.yaml", name);
  (void)snprintf(text, sizeof text,
                 "kind: sentiment\ntype: multiple_choice\ndata: %s\ntrain: %s\n"
                 "context: \"{{s}}\\nMood:\"\nchoices: [sad, happy]\nlabel: label\n"
                 "metrics: [acc]\n",
                 data, data);
  scratch_write(&scratch, path, text);
}

static int set_up(void **state) {
  (void)state;
  scratch_open(&scratch);
  char text[900];
  (void)snprintf(text, sizeof text, "path: %s\n", demo);
  scratch_write(&scratch, "configs/models/nano.yaml", text);
  scratch_write(&scratch, "models/empty/readme", "");
  scratch_write(&scratch, "configs/methods/ria-row.yaml", "method: ria\nscope: row\n");
  scratch_write(&scratch, "configs/calibration/texts.yaml", "source: texts.jsonl\nfield: text\n");
  scratch_write(&scratch, "configs/calibration/broken.yaml", "source: broken.jsonl\nfield: s\n");
  write_task("mood", "mood.jsonl");
  write_task("broken", "broken.jsonl");
  write_task("label", "label.jsonl");
  write_task("gone", "gone.jsonl");
  scratch_write(&scratch, "configs/tasks/prose.yaml",
                "kind: language_modeling\ntype: perplexity\ndata: texts.jsonl\n"
                "text: \"{{text}}\"\njoin: \"\\n\"\nmetrics: [perplexity]\n");
  scratch_write(&scratch, "data/mood.jsonl",
                "{\"s\": \"a fine film\", \"label\": 1}\n{\"s\": \"dull\", \"label\": 0}\n");
  scratch_write(&scratch, "data/broken.jsonl", "{\"s\": \"a\", \"label\": 1}\n{\"s\": \n");
  scratch_write(&scratch, "data/label.jsonl",
                "{\"s\": \"a\", \"label\": 1}\n{\"s\": \"b\", \"label\": \"x\"}\n");
  char *prose;
  struct error err = {0};
  assert_ok(mem_alloc(&prose, 1 << 16, 1, &err));
  size_t at = 0;
  for (int i = 0; i < 400; i++) {
    at += (size_t)snprintf(prose + at, (1 << 16) - at,
                           "{\"text\": \"Line %d of a text that is %d words long or so.\"}\n", i,
                           i * 7 % 31);
  }
  scratch_write(&scratch, "data/texts.jsonl", prose);
  free(prose);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  scratch_close(&scratch);
  return 0;
}

int main(void) {
  static char folder[600];
  const char *source = getenv("ESPALIER_SOURCE");
  (void)snprintf(folder, sizeof folder, "%s/experiments/demo/nano-llama", source ? source : ".");
  demo = folder;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(variants_come_in_order_with_dense_first),
      cmocka_unit_test(dense_appears_once_whether_listed_or_not),
      cmocka_unit_test(exclude_takes_out_variants_and_cells_but_not_the_baseline),
      cmocka_unit_test(presets_keep_their_name_and_have_their_methods_identity),
      cmocka_unit_test(ids_change_with_what_determines_a_result_and_with_nothing_else),
      cmocka_unit_test(a_grids_precision_is_its_models_on_every_rank),
      cmocka_unit_test(cells_change_with_data_and_task),
      cmocka_unit_test(draws_are_the_same_at_both_levels_and_prefixes_of_each_other),
      cmocka_unit_test(costs_grow_with_work_and_the_longest_goes_first),
      cmocka_unit_test(what_shares_a_pass_is_of_one_model_set_length_and_draw),
      cmocka_unit_test(sharing_costs_less_and_dense_passes_least),
      cmocka_unit_test(propagate_dense_is_part_of_an_identity),
      cmocka_unit_test(resident_weights_cost_half_the_memory_in_bfloat16),
      cmocka_unit_test(what_only_the_open_files_show_is_refused_before_any_work),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
