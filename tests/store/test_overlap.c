/* Overlap of masks, against counting weight by weight, and against chance. */
#include "support.h"

#include <math.h>
#include <unistd.h>

#include "store/fixture.h"
#include "store/made_masks.h"
#include "store/overlap.h"

static struct overlap naive(const unsigned char *a, const unsigned char *b, int rows, int cols) {
  struct overlap o = {0};
  for (int r = 0; r < rows; r++) {
    for (int c = 0; c < cols; c++) {
      bool x = !masks_bit(a, cols, r, c), y = !masks_bit(b, cols, r, c);
      o.weights++;
      o.a += x;
      o.b += y;
      o.both += x && y;
    }
  }
  return o;
}

static void it_is_what_counting_weight_by_weight_gives(void **state) {
  (void)state;
  struct rng rng;
  rng_seed(&rng, 5);
  for (int cols = 1; cols < 300; cols += 1 + cols / 20) {
    int rows = 1 + (int)rng_below(&rng, 9);
    unsigned char *a = masks_bits(&rng, rows, cols, 0.6), *b = masks_bits(&rng, rows, cols, 0.3);
    for (int r = 0; cols % 8 && r < rows; r++) { /* what stands behind the last column */
      a[(size_t)(r + 1) * mask_row_bytes(cols) - 1] |= (unsigned char)(0xff << (cols % 8));
    }
    struct overlap got = overlap_of(a, b, rows, cols), want = naive(a, b, rows, cols);
    assert_true(got.weights == want.weights && got.both == want.both);
    assert_true(got.a == want.a && got.b == want.b);
    assert_true(got.chance_both == want.a * want.b / want.weights);
    free(a);
    free(b);
  }
}

static void equal_masks_overlap_wholly_and_opposite_ones_not_at_all(void **state) {
  (void)state;
  const unsigned char a[2] = {0x0f, 0x01}, b[2] = {0xf0, 0x06};
  struct overlap same = overlap_of(a, a, 1, 11), other = overlap_of(a, b, 1, 11);
  assert_true(overlap_iou(&same) == 1);
  assert_true(other.a == 6 && other.b == 5 && other.both == 0 && overlap_iou(&other) == 0);
  const unsigned char all[2] = {0xff, 0x07};
  struct overlap none = overlap_of(all, all, 1, 11);
  assert_true(isnan(overlap_iou(&none)) && isnan(overlap_chance(&none)));
}

static void random_masks_overlap_as_chance_says(void **state) {
  (void)state;
  enum { ROWS = 512, COLS = 1024 };
  static const double sparsities[] = {0.25, 0.5, 0.8};
  struct rng rng;
  rng_seed(&rng, 9);
  for (int i = 0; i < 3; i++) {
    double s = sparsities[i];
    unsigned char *a = masks_bits(&rng, ROWS, COLS, s), *b = masks_bits(&rng, ROWS, COLS, s);
    struct overlap o = overlap_of(a, b, ROWS, COLS);
    assert_true(fabs(overlap_chance(&o) - s / (2 - s)) < 0.005);
    assert_true(fabs(overlap_iou(&o) - overlap_chance(&o)) < 0.005);
    free(a);
    free(b);
  }
}

/* A results file whose two pruned variants have masks of two linears of different sparsity. */
static char folder[] = "/tmp/espalier_overlap_XXXXXX";
static char path[64], log_path[64];
enum { ROWS = 6, COLS = 19, LINEARS = 2 };
static unsigned char *bits[2][LINEARS];

static void append(struct journal *j, int v, int cols) {
  struct error err = {0};
  struct mask_bits t[LINEARS] = {{.name = "l.0.a"}, {.name = "l.1.a"}};
  struct mask_record r = {.parts = 1, .count = LINEARS, .tensors = t};
  (void)snprintf(r.variant, sizeof r.variant, "%s", fixture_variants[1 + v].id);
  for (int k = 0; k < LINEARS; k++) {
    t[k].rows = ROWS;
    t[k].cols = cols;
    t[k].size = mask_bytes(ROWS, cols);
    t[k].bytes = bits[v][k];
  }
  unsigned char *bytes;
  size_t size;
  assert_ok(record_encode_masks(&r, &bytes, &size, &err));
  assert_ok(journal_append(j, bytes, size, &err));
  free(bytes);
}

static void write_file(int second_cols) {
  struct error err = {0};
  (void)unlink(log_path);
  struct journal *j;
  assert_ok(journal_open(&j, log_path, NULL, NULL, NULL, &err));
  append(j, 0, COLS);
  append(j, 1, second_cols);
  struct variant_record second = fixture_pruned[2];
  second.failed = false;
  const struct variant_record *records[] = {&fixture_pruned[0], &fixture_pruned[1], &second};
  struct results r = fixture_results();
  r.variant_records = records;
  r.journal = j;
  r.masks = (bool[]){false, true, true};
  assert_ok(results_write(path, &r, &err));
  journal_close(j);
}

static int set_up(void **state) {
  (void)state;
  struct rng rng;
  rng_seed(&rng, 21);
  for (int v = 0; v < 2; v++) {
    bits[v][0] = masks_bits(&rng, ROWS, COLS, 0.5);
    bits[v][1] = masks_bits(&rng, ROWS, COLS, 0.8);
  }
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(path, sizeof path, "%s/x.h5", folder);
  (void)snprintf(log_path, sizeof log_path, "%s/x.journal", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (int v = 0; v < 2; v++) {
    free(bits[v][0]);
    free(bits[v][1]);
  }
  (void)unlink(path);
  (void)unlink(log_path);
  return rmdir(folder);
}

static status see(void *user, const struct mask_tensor *t, size_t i, size_t j,
                  const struct overlap *o, struct error *err) {
  (void)err;
  int *seen = user;
  int k = t->name[2] - '0';
  assert_true(i == 0 && j == 1 && k == *seen);
  struct overlap want = naive(bits[0][k], bits[1][k], ROWS, COLS);
  assert_true(o->a == want.a && o->b == want.b && o->both == want.both);
  ++*seen;
  return STATUS_OK;
}

static void pairs_of_a_file_are_summed_over_its_linears(void **state) {
  (void)state;
  struct error err = {0};
  write_file(COLS);
  struct masks *m;
  assert_ok(masks_open(&m, path, &err));
  const char *ids[2] = {fixture_variants[1].id, fixture_variants[2].id};
  struct overlap totals[4];
  int seen = 0;
  assert_ok(overlap_pairs(m, ids, 2, totals, see, &seen, &err));
  assert_int_equal(seen, LINEARS);
  struct overlap want = {0};
  for (int k = 0; k < LINEARS; k++) {
    struct overlap o = naive(bits[0][k], bits[1][k], ROWS, COLS);
    o.chance_both = o.a * o.b / o.weights;
    overlap_add(&want, &o);
  }
  assert_true(totals[1].weights == LINEARS * ROWS * COLS);
  assert_true(totals[1].a == want.a && totals[1].b == want.b && totals[1].both == want.both);
  assert_true(totals[2].a == want.b && totals[2].b == want.a && totals[2].both == want.both);
  assert_true(fabs(overlap_chance(&totals[1]) - overlap_chance(&want)) < 1e-12);
  assert_true(overlap_iou(&totals[0]) == 1 && overlap_iou(&totals[3]) == 1);
  masks_close(m);
}

static void variants_of_other_shapes_or_without_masks_are_refused(void **state) {
  (void)state;
  struct error err = {0};
  write_file(COLS + 2); /* as many bytes */
  struct masks *m;
  assert_ok(masks_open(&m, path, &err));
  const char *ids[2] = {fixture_variants[1].id, fixture_variants[2].id};
  assert_fails(overlap_pairs(m, ids, 2, NULL, NULL, NULL, &err), STATUS_INPUT, "tensors differ");
  ids[1] = fixture_variants[0].id;
  assert_fails(overlap_pairs(m, ids, 2, NULL, NULL, NULL, &err), STATUS_INPUT, "has no masks");
  masks_close(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_what_counting_weight_by_weight_gives),
      cmocka_unit_test(equal_masks_overlap_wholly_and_opposite_ones_not_at_all),
      cmocka_unit_test(random_masks_overlap_as_chance_says),
      cmocka_unit_test(pairs_of_a_file_are_summed_over_its_linears),
      cmocka_unit_test(variants_of_other_shapes_or_without_masks_are_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
