/* Attributions: records come back as they were, and a results file holds them for this program and
 * for h5py. */
#include "support.h"

#include <unistd.h>

#include "store/attribution_fixture.h"
#include "store/attribution_read.h"
#include "store/fixture.h"
#include "store/h5.h"
#include "store/merge.h"

static char folder[] = "/tmp/espalier_attribution_XXXXXX";
static char paths[3][64], journals[3][64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  for (int i = 0; i < 3; i++) {
    (void)snprintf(paths[i], sizeof paths[i], "%s/%d.h5", folder, i);
    (void)snprintf(journals[i], sizeof journals[i], "%s/%d.journal", folder, i);
  }
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    (void)unlink(paths[i]);
    (void)unlink(journals[i]);
  }
  return rmdir(folder);
}

struct bytes {
  unsigned char *at;
  size_t size;
};

static struct bytes base_bytes(const struct attribution_base *r) {
  struct error err = {0};
  struct bytes b;
  assert_ok(record_encode_attribution_base(r, &b.at, &b.size, &err));
  return b;
}

static struct bytes loss_bytes(const struct attribution_loss *r) {
  struct error err = {0};
  struct bytes b;
  assert_ok(record_encode_attribution_loss(r, &b.at, &b.size, &err));
  return b;
}

/* Encoding what was decoded gives the same bytes: nothing is lost, NaNs included. */
static void a_base_comes_back_bit_for_bit(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = base_bytes(&made_base);
  struct attribution_base r;
  assert_ok(record_decode_attribution_base(&r, b.at, b.size, &err));
  assert_string_equal(r.words[1].text, "größe");
  assert_true(r.words[0].occurrences == 7 && isnan(r.words[1].low));
  assert_string_equal(r.units[0].lens, "worse\nbad\nnot");
  assert_true(r.matches[2].word == 1 && r.matches[2].unit == 1 && r.matches[2].score == 3.5);
  assert_true(r.apart[0].kind == APART_MASSIVE && r.apart[1].mean == 4.5);
  assert_true(r.causal[0].gold_low == -2 && r.causal[2].set == 2);
  assert_string_equal(r.examples[0].text, made_passage);
  assert_memory_equal(r.examples[0].starts, made_starts, sizeof made_starts);
  assert_memory_equal(r.examples[0].activation, made_colours, sizeof made_colours);
  assert_memory_equal(r.dead, made_dead, sizeof made_dead);
  assert_true(r.blocks == 2 && r.units_per_block == 8 && r.background == 8192);
  struct bytes again = base_bytes(&r);
  assert_int_equal(again.size, b.size);
  assert_memory_equal(again.at, b.at, b.size);
  free(again.at);
  attribution_base_free(&r);
  free(b.at);
}

static void a_loss_comes_back_bit_for_bit(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = loss_bytes(&made_loss);
  struct attribution_loss r;
  assert_ok(record_decode_attribution_loss(&r, b.at, b.size, &err));
  assert_true(r.loss == 0.5625 && r.restored_low == 0.25 && r.layer_error == 0.0625);
  assert_memory_equal(r.word_loss, made_word_loss, sizeof made_word_loss);
  assert_memory_equal(r.activation, made_activation, sizeof made_activation);
  assert_true(isnan(r.block_loss[0]) && r.block_loss[1] == 0.5 && r.dead[0] == 2);
  assert_true(r.example_count == 2 && r.examples[0].tokens == 5 && r.examples[1].tokens == 1);
  assert_memory_equal(r.examples[0].activation, made_trace, sizeof made_trace);
  struct bytes again = loss_bytes(&r);
  assert_int_equal(again.size, b.size);
  assert_memory_equal(again.at, b.at, b.size);
  free(again.at);
  attribution_loss_free(&r);
  free(b.at);
}

static void failures_come_back_with_nothing_else(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = loss_bytes(&made_failure);
  struct attribution_loss r;
  assert_ok(record_decode_attribution_loss(&r, b.at, b.size, &err));
  assert_true(r.failed && r.word_count == 0 && r.example_count == 0 && isnan(r.loss));
  assert_string_equal(r.error, made_failure.error);
  attribution_loss_free(&r);
  free(b.at);
  struct attribution_base failed = {.failed = true, .error = "no word", .blocks = 30}, back;
  b = base_bytes(&failed);
  assert_ok(record_decode_attribution_base(&back, b.at, b.size, &err));
  assert_true(back.failed && back.blocks == 30 && back.dead == NULL);
  attribution_base_free(&back);
  free(b.at);
}

static void every_truncation_is_refused(void **state) {
  (void)state;
  struct bytes b = base_bytes(&made_base), l = loss_bytes(&made_loss);
  for (size_t n = 0; n < b.size; n++) {
    struct error err = {0};
    struct attribution_base r;
    unsigned char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, b.at, n);
    assert_int_equal(record_decode_attribution_base(&r, exact, n, &err), STATUS_INPUT);
    free(exact);
  }
  for (size_t n = 0; n < l.size; n++) {
    struct error err = {0};
    struct attribution_loss r;
    unsigned char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, l.at, n);
    assert_int_equal(record_decode_attribution_loss(&r, exact, n, &err), STATUS_INPUT);
    free(exact);
  }
  free(b.at);
  free(l.at);
}

/* Writes made_base with one thing wrong into a record: where the right bytes stand, wrong ones are
 * put, since encoding refuses them too. */
static void check_patched(const void *right, const void *wrong, size_t size, const char *part) {
  struct bytes b = base_bytes(&made_base);
  size_t found = 0;
  for (size_t i = 0; i + size <= b.size; i++) {
    if (memcmp(b.at + i, right, size) == 0) {
      memcpy(b.at + i, wrong, size);
      found++;
    }
  }
  assert_int_equal(found, 1);
  struct error err = {0};
  struct attribution_base r;
  assert_fails(record_decode_attribution_base(&r, b.at, b.size, &err), STATUS_INPUT, part);
  free(b.at);
}

static void indices_that_point_nowhere_are_refused(void **state) {
  (void)state;
  double score = 3.5; /* the third match: word, unit, score */
  unsigned char right[16] = {1, 0, 0, 0, 1, 0, 0, 0}, wrong[16];
  memcpy(right + 8, &score, 8);
  memcpy(wrong, right, sizeof right);
  wrong[0] = 3;
  check_patched(right, wrong, sizeof right, "a match of word 3 with unit 1");
  wrong[0] = 1;
  wrong[7] = 0x80;
  check_patched(right, wrong, sizeof right, "a match of word 1");
  static const int32_t text_behind[6] = {0, 2, 7, 13, 15, 999}, back[6] = {0, 2, 7, 5, 15, 27};
  check_patched(made_starts, text_behind, sizeof made_starts, "an example's tokens");
  check_patched(made_starts, back, sizeof made_starts, "an example's tokens");
  struct error err = {0};
  unsigned char *at;
  size_t size;
  struct attribution_base r = made_base;
  r.word_count = 2;
  assert_fails(record_encode_attribution_base(&r, &at, &size, &err), STATUS_BUG, "a match of word");
  r = made_base;
  r.units_per_block = 5;
  assert_fails(record_encode_attribution_base(&r, &at, &size, &err), STATUS_BUG,
               "unit 5 of block 1");
}

/* A results file of the store's fixture with these attributions; NULL: none. */
static void write_file(int file, const struct attribution_base *base,
                       const struct attribution_loss *loss, const struct attribution_loss *other) {
  struct error err = {0};
  const struct attribution_base *bases[FIXTURE_VARIANTS * FIXTURE_DATASETS] = {base};
  const struct attribution_loss *losses[FIXTURE_VARIANTS * FIXTURE_DATASETS] = {
      [2] = loss, [3] = other};
  struct results r = fixture_results();
  r.attribution_bases = bases;
  r.attribution_losses = losses;
  assert_ok(results_write(paths[file], &r, &err));
}

static void assert_same_base(const struct attribution_base *a, const struct attribution_base *b) {
  struct bytes x = base_bytes(a), y = base_bytes(b);
  assert_int_equal(x.size, y.size);
  assert_memory_equal(x.at, y.at, x.size);
  free(x.at);
  free(y.at);
}

static void assert_same_loss(const struct attribution_loss *a, const struct attribution_loss *b) {
  struct bytes x = loss_bytes(a), y = loss_bytes(b);
  assert_int_equal(x.size, y.size);
  assert_memory_equal(x.at, y.at, x.size);
  free(x.at);
  free(y.at);
}

static void a_results_file_gives_the_records_back(void **state) {
  (void)state;
  struct error err = {0};
  write_file(0, &made_base, &made_loss, &made_failure);
  struct attribution_file a;
  assert_ok(attribution_file_open(&a, paths[0], &err));
  assert_true(a.base_count == 1 && a.loss_count == 2);
  assert_string_equal(a.models[0], "nano");
  assert_same_base(&a.bases[0], &made_base);
  assert_same_loss(&a.losses[0], &made_loss);
  assert_same_loss(&a.losses[1], &made_failure);
  assert_ptr_equal(attribution_base_of(&a, &a.losses[0], "nano"), &a.bases[0]);
  assert_null(attribution_base_of(&a, &a.losses[0], "mini"));
  assert_null(attribution_base_of(&a, &a.losses[1], "nano"));
  a.losses[0].examples[1].tokens = 0;
  assert_null(attribution_base_of(&a, &a.losses[0], "nano"));
  attribution_file_close(&a);
}

static void losses_are_kept_without_their_base(void **state) {
  (void)state;
  struct error err = {0};
  write_file(0, NULL, &made_loss, NULL);
  struct attribution_file a;
  assert_ok(attribution_file_open(&a, paths[0], &err));
  assert_true(a.base_count == 0 && a.loss_count == 1);
  assert_same_loss(&a.losses[0], &made_loss);
  assert_null(attribution_base_of(&a, &a.losses[0], "nano"));
  attribution_file_close(&a);
}

static void a_file_without_attributions_has_none_and_no_group(void **state) {
  (void)state;
  struct error err = {0};
  write_file(0, NULL, NULL, NULL);
  struct attribution_file a;
  assert_ok(attribution_file_open(&a, paths[0], &err));
  assert_true(a.base_count == 0 && a.loss_count == 0);
  attribution_file_close(&a);
  struct h5 h;
  assert_ok(h5_open(&h, paths[0], &err));
  assert_true(H5Lexists(h.file, "/attribution", H5P_DEFAULT) == 0);
  h5_close(&h);
  FILE *f = fopen(paths[1], "w");
  assert_non_null(f);
  assert_int_equal(fclose(f), 0);
  assert_fails(attribution_file_open(&a, paths[1], &err), STATUS_INPUT, "not an HDF5 file");
}

/* Text of one file into memory; the caller frees it. */
static char *slurp(const char *path, size_t *size) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  assert_int_equal(fseek(f, 0, SEEK_END), 0);
  *size = (size_t)ftell(f);
  rewind(f);
  char *at = malloc(*size);
  assert_non_null(at);
  assert_int_equal(fread(at, 1, *size, f), *size);
  (void)fclose(f);
  return at;
}

static void equal_records_give_equal_bytes(void **state) {
  (void)state;
  size_t sizes[2];
  write_file(0, &made_base, &made_loss, &made_failure);
  write_file(1, &made_base, &made_loss, &made_failure);
  char *a = slurp(paths[0], &sizes[0]), *b = slurp(paths[1], &sizes[1]);
  assert_int_equal(sizes[0], sizes[1]);
  assert_memory_equal(a, b, sizes[0]);
  free(a);
  free(b);
}

static void python_reads_them_with_h5py_alone(void **state) {
  (void)state;
  write_file(0, &made_base, &made_loss, &made_failure);
  if (system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) {
    print_message("SKIPPED: h5py is not installed\n");
    skip();
  }
  char command[2048];
  (void)snprintf(
      command, sizeof command,
      "/usr/bin/python3 -c \"\n"
      "import h5py, math\n"
      "g = h5py.File('%s')['attribution']\n"
      "assert sorted(g) == sorted('bases words units matches apart causal examples'.split() + "
      "'example_tokens blocks losses word_losses activations traces trace_tokens'.split())\n"
      "assert [w['text'].decode() for w in g['words'][:]] == ['badly', 'größe', 'slow']\n"
      "m = g['matches'][2]\n"
      "assert (m['word'], m['unit'], m['score'], m['found']) == (1, 1, 3.5, 1)\n"
      "e = g['examples'][0]\n"
      "text, token = e['text'], g['example_tokens'][e['first'] + 2]\n"
      "assert text[token['start']:token['end']] == b' badly' and token['activation'] == 3.5\n"
      "t = g['traces'][0]\n"
      "assert g['trace_tokens'][t['first']:t['first'] + t['tokens']].tolist() == "
      "[0.125, -0.25, 0.5, 0, 0]\n"
      "l = g['losses']\n"
      "assert l['status'].tolist() == [b'done', b'failed'] and l['loss'][0] == 0.5625\n"
      "assert b'gold' in l['error'][1] and math.isnan(l['loss'][1])\n"
      "assert [a['kind'].decode() for a in g['apart'][:]] == ['massive', 'always_on']\n"
      "assert g['blocks']['dead'].tolist() == [1, 0, 2, 1]\n"
      "\"",
      paths[0]);
  assert_int_equal(system(command), 0);
}

static void append(struct journal *j, struct bytes b) {
  struct error err = {0};
  assert_ok(journal_append(j, b.at, b.size, &err));
  free(b.at);
}

/* A file and its journal, as a run leaves them. */
static void write_run(int file, const struct attribution_base *const *bases, int base_count,
                      const struct attribution_loss *const *losses, int loss_count) {
  struct error err = {0};
  struct journal *j;
  (void)unlink(journals[file]);
  assert_ok(journal_open(&j, journals[file], NULL, NULL, NULL, &err));
  for (int i = 0; i < base_count; i++) {
    append(j, base_bytes(bases[i]));
  }
  for (int i = 0; i < loss_count; i++) {
    append(j, loss_bytes(losses[i]));
  }
  journal_close(j);
  write_file(file, NULL, NULL, NULL);
}

static status merge(struct error *err) {
  struct merge_outcome out;
  (void)unlink(paths[2]);
  (void)unlink(journals[2]);
  return merge_results(paths[2], (const char *const[]){paths[0], paths[1]}, 2, "merge", &out, err);
}

static void merging_keeps_what_the_files_have_together(void **state) {
  (void)state;
  struct error err = {0};
  struct attribution_loss failed = made_failure, of_no_plan = made_loss, again = made_failure;
  (void)snprintf(failed.dataset, sizeof failed.dataset, "topic");
  (void)snprintf(again.error, sizeof again.error, "another reason");
  (void)snprintf(of_no_plan.variant, sizeof of_no_plan.variant, "9");
  const struct attribution_base *base = &made_base;
  write_run(0, &base, 1, (const struct attribution_loss *const[]){&failed, &made_failure}, 2);
  write_run(1, &base, 1, (const struct attribution_loss *const[]){&of_no_plan, &made_loss, &again},
            3);
  for (int round = 0; round < 2; round++) { /* the second time from the merged journal alone */
    struct attribution_file a;
    struct merge_outcome out;
    assert_ok(round == 0 ? merge(&err)
                         : merge_results(paths[2], (const char *const[]){paths[2]}, 1, "merge",
                                         &out, &err));
    assert_ok(attribution_file_open(&a, paths[2], &err));
    assert_true(a.base_count == 1 && a.loss_count == 2);
    assert_same_base(&a.bases[0], &made_base);
    assert_same_loss(&a.losses[0], &made_loss);
    assert_same_loss(&a.losses[1], &made_failure);
    attribution_file_close(&a);
  }
}

static void merging_refuses_attributions_that_differ(void **state) {
  (void)state;
  struct error err = {0};
  struct attribution_loss other = made_loss;
  other.loss = 0.5;
  const struct attribution_loss *a = &made_loss, *b = &other;
  write_run(0, NULL, 0, &a, 1);
  write_run(1, NULL, 0, &b, 1);
  assert_fails(merge(&err), STATUS_INPUT, "on topic: its attribution is not the same");
  struct attribution_base of_base = made_base;
  of_base.gold = -1.5;
  const struct attribution_base *c = &made_base, *d = &of_base;
  write_run(0, &c, 1, NULL, 0);
  write_run(1, &d, 1, NULL, 0);
  assert_fails(merge(&err), STATUS_INPUT, "dense 0 of nano on topic: its attribution");
  /* in one file a later one replaces the one before */
  const struct attribution_base *both[] = {&of_base, &made_base};
  write_run(0, both, 2, NULL, 0);
  write_run(1, NULL, 0, NULL, 0);
  assert_ok(merge(&err));
  struct attribution_file f;
  assert_ok(attribution_file_open(&f, paths[2], &err));
  assert_same_base(&f.bases[0], &made_base);
  attribution_file_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_base_comes_back_bit_for_bit),
      cmocka_unit_test(a_loss_comes_back_bit_for_bit),
      cmocka_unit_test(failures_come_back_with_nothing_else),
      cmocka_unit_test(every_truncation_is_refused),
      cmocka_unit_test(indices_that_point_nowhere_are_refused),
      cmocka_unit_test(a_results_file_gives_the_records_back),
      cmocka_unit_test(losses_are_kept_without_their_base),
      cmocka_unit_test(a_file_without_attributions_has_none_and_no_group),
      cmocka_unit_test(equal_records_give_equal_bytes),
      cmocka_unit_test(python_reads_them_with_h5py_alone),
      cmocka_unit_test(merging_keeps_what_the_files_have_together),
      cmocka_unit_test(merging_refuses_attributions_that_differ),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
