/* Words, their places and their lower case. */
#include "support.h"

#include "attribution/stop_words.h"
#include "attribution/word_split.h"

/* words: what is found, with / between, in lower case. */
static void assert_words(const char *text, const char *words) {
  char found[512] = "", lower[256];
  struct text_word w;
  size_t n = strlen(text);
  for (size_t at = 0; word_next(text, n, &at, &w);) {
    assert_true(w.bytes > 0 && w.first + w.bytes <= n && at == w.first + w.bytes);
    size_t bytes = word_lower(text + w.first, w.bytes, lower);
    assert_int_equal(bytes, strlen(lower));
    size_t end = strlen(found);
    (void)snprintf(found + end, sizeof found - end, "%s%s", end ? "/" : "", lower);
  }
  assert_string_equal(found, words);
}

static void words_are_runs_of_letters_marks_and_digits(void **state) {
  (void)state;
  assert_words("", "");
  assert_words(" \t-- ...", "");
  assert_words("A bad film, 2nd-rate; badly_made", "a/bad/film/2nd/rate/badly/made");
  assert_words("naïve CAFÉ ΆΛΦΑ Привет e\xcc\x81t\xc3\xa9", "naïve/café/άλφα/привет/e\xcc\x81té");
  assert_words("日本語 テスト", "日本語/テスト");
}

static void apostrophes_stay_inside_words_only(void **state) {
  (void)state;
  assert_words("'Don't' say it’s rock 'n' roll, the dogs' day",
               "don't/say/it's/rock/n/roll/the/dogs/day");
  assert_words("a''b c' 'd", "a/b/c/d");
}

static void marks_without_a_letter_are_no_words(void **state) {
  (void)state;
  assert_words("\xe2\x9d\xa4\xef\xb8\x8f good", "good"); /* a heart and its variation selector */
}

static void places_are_bytes_of_the_text(void **state) {
  (void)state;
  static const char text[] = "Ça va bien";
  struct text_word w;
  size_t at = 0;
  assert_true(word_next(text, strlen(text), &at, &w));
  assert_true(w.first == 0 && w.bytes == 3);
  assert_true(word_next(text, strlen(text), &at, &w));
  assert_true(w.first == 4 && w.bytes == 2);
  assert_true(word_next(text, 6, &at, &w) == false); /* nothing else before byte 6 */
}

static void assert_removed(const char *text, size_t first, size_t bytes, const char *rest) {
  char out[64];
  assert_int_equal(word_remove(text, strlen(text), (struct text_word){first, bytes}, out),
                   strlen(rest));
  assert_string_equal(out, rest);
}

static void a_word_goes_with_one_space_beside_it(void **state) {
  (void)state;
  assert_removed("a bad film", 2, 3, "a film");
  assert_removed("bad film", 0, 3, "film");
  assert_removed("film bad", 5, 3, "film");
  assert_removed("(bad film)", 1, 3, "(film)");
  assert_removed("a\nbad\nfilm", 2, 3, "a\n\nfilm");
  assert_removed("so bad!", 3, 3, "so!");
  assert_removed("bad", 0, 3, "");
}

static void stop_words_are_found_and_others_not(void **state) {
  (void)state;
  static const char *const stops[] = {"a", "the", "i", "yourselves", "you've", "which", "they're"};
  static const char *const others[] = {"", "bad", "not", "never", "film", "zzz", "thee", "The"};
  for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
    assert_true(stop_word(stops[i]));
  }
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    assert_false(stop_word(others[i]));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_are_runs_of_letters_marks_and_digits),
      cmocka_unit_test(apostrophes_stay_inside_words_only),
      cmocka_unit_test(marks_without_a_letter_are_no_words),
      cmocka_unit_test(places_are_bytes_of_the_text),
      cmocka_unit_test(a_word_goes_with_one_space_beside_it),
      cmocka_unit_test(stop_words_are_found_and_others_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
