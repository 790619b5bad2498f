/* Log-odds with a Dirichlet prior against numbers from NumPy, and lexicon files. */
#include "support.h"

#include <math.h>
#include <unistd.h>

#include "attribution/lexicon.h"
#include "attribution/log_odds.h"
#include "base/file.h"

static void assert_near(double got, double wanted) {
  if (!(fabs(got - wanted) <= 1e-12 * fmax(1, fabs(wanted)))) {
    fail_msg("%.17g, wanted %.17g", got, wanted);
  }
}

/* delta = log(12.5/(100+50-12.5)) - log(4.5/(200+50-4.5)); z = delta / sqrt(1/12.5 + 1/4.5) */
static void z_is_the_papers(void **state) {
  (void)state;
  assert_near(log_odds_z(10, 100, 2, 200, 2.5, 50), 2.9128363842607925);
  assert_near(log_odds_z(2, 200, 10, 100, 2.5, 50), -2.9128363842607925);
  assert_near(log_odds_z(3, 30, 3, 30, 1, 10), 0);
}

static void no_counts_are_no_evidence(void **state) {
  (void)state;
  assert_near(log_odds_z(0, 0, 0, 0, 0, 0), 0);
  assert_near(log_odds_z(5, 5, 0, 0, 1, 1), 0); /* no other word anywhere */
}

static char path[] = "/tmp/espalier-lexicon-XXXXXX";

static status read_text(struct lexicon *l, const char *text, size_t n, struct error *err) {
  *l = (struct lexicon){0};
  assert_int_equal(file_write(path, text, n, err), STATUS_OK);
  return lexicon_read(l, path, err);
}

static void refuses(const char *text, const char *part) {

  struct error err;
  struct lexicon l;
  assert_fails(read_text(&l, text, strlen(text), &err), STATUS_INPUT, part);
  assert_non_null(strstr(err.text, path));
  lexicon_free(&l);
}

static void a_lexicon_has_words_and_perhaps_weights(void **state) {
  (void)state;
  struct error err;
  struct lexicon l;
  static const char plain[] = "\xef\xbb\xbf# sentiment\n\n  Badly \r\nd\xc3\xa9j\xc3\xa0\nisn’t";
  assert_ok(read_text(&l, plain, strlen(plain), &err));
  assert_int_equal(l.count, 3);
  assert_string_equal(l.at[0].text, "badly");
  assert_string_equal(l.at[1].text, "d\xc3\xa9j\xc3\xa0");
  assert_string_equal(l.at[2].text, "isn't");
  assert_true(isnan(l.at[0].weight) && l.at[2].line == 5);
  lexicon_free(&l);
  static const char weighted[] = "good\t0.5\n# x\t1\nbad \t 2e0 \n";
  assert_ok(read_text(&l, weighted, strlen(weighted), &err));
  assert_true(l.count == 2 && l.at[0].weight == 0.5 && l.at[1].weight == 2);
  assert_string_equal(l.at[1].text, "bad");
  lexicon_free(&l);
}

static void a_lexicon_that_says_no_words_is_refused_by_line(void **state) {
  (void)state;
  refuses("", ": no words (expected one a line)");
  refuses("# nothing\n\n", ": no words (expected one a line)");
  refuses("good\nnot good\n", ":2: 'not good' (expected one word of letters");
  refuses("good\n!!\n", ":2: '!!' (expected one word");
  refuses("well-made\n", ":1: 'well-made' (expected one word");
  refuses("good\nbad\nGood\n", ":3: 'good' stands in line 1 already");
  refuses("good\t1\nbad\t0\n", ":2: weight '0' (expected a number above 0)");
  refuses("good\t1\nbad\tx\n", ":2: weight 'x'");
  refuses("good\t1\nbad\t-1\n", ":2: weight '-1'");
  refuses("good\tinf\n", ":1: weight 'inf'");
  refuses("good\t1\nbad\n", ":2: a word without weight (line 1 has one with: expected weights");
  refuses("good\nbad\t1\n", ":2: a word with weight (line 1 has one without");
  refuses("go\xff"
          "od\n",
          ":1: byte 3 is not text in UTF-8");
  char longest[80];
  memset(longest, 'a', sizeof longest);
  longest[70] = '\n';
  longest[71] = '\0';
  refuses(longest, ":1: a word of 70 bytes (expected at most 63)");
  struct error err;
  struct lexicon l;
  assert_fails(read_text(&l, "go\0od\n", 6, &err), STATUS_INPUT, ":1: byte 3 is not text in UTF-8");
  lexicon_free(&l);
  assert_fails(lexicon_read(&l, "/nowhere/words.txt", &err), STATUS_IO, "/nowhere/words.txt");
}

static int make(void **state) {
  (void)state;
  int fd = mkstemp(path);
  return fd < 0 ? -1 : close(fd);
}

static int unmake(void **state) {
  (void)state;
  return unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(z_is_the_papers),
      cmocka_unit_test(no_counts_are_no_evidence),
      cmocka_unit_test(a_lexicon_has_words_and_perhaps_weights),
      cmocka_unit_test(a_lexicon_that_says_no_words_is_refused_by_line),
  };
  return cmocka_run_group_tests(tests, make, unmake);
}
