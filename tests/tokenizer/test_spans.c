/* Where tokens come from in the text: what holds for every text, offsets of Hugging Face's library
 * (spans.json, made by spans.py), and where they are other than the library's on purpose. */
#include <cjson/cJSON.h>
#include <dirent.h>

#include "base/file.h"
#include "inline.h"
#include "jsonl.h"
#include "tokenizer/bytelevel.h"
#include "tokenizer/unicode.h"

static char reference[1024]; /* empty: no folder of reference tokenizers */

/* A text with its ids and their spans. */
struct coded {
  const char *text;
  size_t bytes;
  struct ids ids;
  struct token_spans spans;
};

static void encode(struct coded *c, const struct tokenizer *t, const char *text, size_t bytes,
                   bool special) {
  struct error err;
  c->text = text;
  c->bytes = bytes;
  c->ids.count = c->spans.count = 0;
  assert_ok(tokenizer_encode_spans(t, text, bytes, special, &c->ids, &c->spans, &err));
  assert_int_equal(c->ids.count, c->spans.count);
}

static void coded_free(struct coded *c) {
  ids_free(&c->ids);
  token_spans_free(&c->spans);
}

static bool is_inside(const struct coded *c, size_t at) {
  return at < c->bytes && ((unsigned char)c->text[at] & 0xC0) == 0x80;
}

/* Spans rise, in whole characters, and together they are the text: for tokenizers that drop
 * nothing. */
static void check_cover(const struct coded *c) {
  struct token_span last = {0, 0};
  for (size_t i = 0; i < c->spans.count; i++) {
    struct token_span s = c->spans.at[i];
    assert_true(s.start <= s.end && s.end <= c->bytes);
    assert_false(is_inside(c, s.start) || is_inside(c, s.end));
    assert_true(s.start >= last.start && s.start <= last.end && s.end >= last.end);
    last = s;
  }
  assert_int_equal(last.end, c->bytes);
}

/* Bytes of a token of byte-level letters; false when it has others. */
static bool token_bytes(struct str *out, const char *token) {
  struct error err;
  out->count = 0;
  for (size_t at = 0, length; token[at]; at += length) {
    uint32_t letter = utf8_decode(token + at, &length);
    int byte = 0;
    while (byte < 256 && bytelevel_letter((unsigned char)byte) != letter) {
      byte++;
    }
    if (byte == 256) {
      return false;
    }
    char value = (char)byte;
    assert_ok(str_add(out, &value, 1, &err));
  }
  return true;
}

/* Without a normaliser the tokens' bytes are the text's, one behind the other; a span is the bytes,
 * widened to whole characters. */
static void check_bytes(const struct coded *c, const struct tokenizer *t, struct str *bytes) {
  size_t at = 0;
  for (size_t i = 0; i < c->ids.count; i++) {
    assert_true(token_bytes(bytes, tokenizer_token(t, c->ids.at[i])));
    assert_true(at + bytes->count <= c->bytes);
    assert_memory_equal(c->text + at, bytes->at, bytes->count);
    size_t start = at, end = at + bytes->count;
    at = end;
    while (is_inside(c, start)) {
      start--;
    }
    while (is_inside(c, end)) {
      end++;
    }
    assert_int_equal(c->spans.at[i].start, start);
    assert_int_equal(c->spans.at[i].end, end);
  }
  assert_int_equal(at, c->bytes);
}

/* The template's tokens are of no text and move no other. */
static void check_special(const struct coded *special, const struct coded *plain) {
  size_t at = 0;
  for (size_t i = 0; i < special->ids.count; i++) {
    struct token_span s = special->spans.at[i];
    if (at < plain->ids.count && special->ids.at[i] == plain->ids.at[at] &&
        s.start == plain->spans.at[at].start && s.end == plain->spans.at[at].end) {
      at++;
      continue;
    }
    assert_int_equal(s.start, 0);
    assert_int_equal(s.end, 0);
  }
  assert_int_equal(at, plain->ids.count);
}

static void check_tokenizer(const char *folder, bool byte_level) {
  struct tokenizer *t;
  struct error err;
  char path[1100], *strings, *line;
  size_t size;
  struct str text = {0}, bytes = {0};
  struct coded plain = {0}, special = {0};
  struct ids ids = {0};
  (void)snprintf(path, sizeof path, "%s/strings.jsonl", reference);
  assert_ok(file_read(&strings, &size, path, &err));
  assert_ok(tokenizer_open(&t, folder, &err));
  for (char *rest = strings; (line = jsonl_line(&rest));) {
    assert_true(jsonl_text(&text, line, "text"));
    encode(&plain, t, text.at, text.count, false);
    encode(&special, t, text.at, text.count, true);
    ids.count = 0;
    assert_ok(tokenizer_encode(t, text.at, text.count, false, &ids, &err));
    assert_int_equal(ids.count, plain.ids.count);
    assert_true(ids.count == 0 || memcmp(ids.at, plain.ids.at, ids.count * sizeof *ids.at) == 0);
    check_cover(&plain);
    check_special(&special, &plain);
    if (byte_level) {
      check_bytes(&plain, t, &bytes);
    }
  }
  tokenizer_close(t);
  coded_free(&plain);
  coded_free(&special);
  ids_free(&ids);
  str_free(&text);
  str_free(&bytes);
  free(strings);
}

static void test_spans_of_every_tokenizer_are_the_whole_text_in_order(void **state) {
  (void)state;
  static const char *const byte_level[] = {"gpt2", "llama3", "nano", "opt"};
  DIR *dir = reference[0] ? opendir(reference) : NULL;
  if (!dir) {
    printf("SKIPPED: tokenizer.spans: no tokenizers in the reference folder\n");
    skip();
  }
  int count = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    char folder[2048], json[2100];
    bool bytes = false;
    (void)snprintf(folder, sizeof folder, "%s/%s", reference, entry->d_name);
    (void)snprintf(json, sizeof json, "%s/tokenizer.json", folder);
    for (size_t i = 0; i < sizeof byte_level / sizeof *byte_level; i++) {
      bytes = bytes || strcmp(entry->d_name, byte_level[i]) == 0;
    }
    if (file_exists(json)) {
      check_tokenizer(folder, bytes);
      count++;
    }
  }
  (void)closedir(dir);
  assert_true(count > 0);
}

/* An inserted space alone is empty; the library gives it the character behind it. */
static bool same(const struct coded *c, size_t i, uint32_t start, uint32_t end) {
  struct token_span s = c->spans.at[i];
  if (s.start != s.end) {
    return s.start == start && s.end == end;
  }
  size_t length;
  (void)utf8_decode(c->text + start, &length);
  return s.start == start && end == start + length;
}

static void check_case(const cJSON *texts, const cJSON *one, const struct tokenizer *t,
                       const char *name) {
  struct coded c = {0};
  const cJSON *text, *row = cJSON_GetObjectItem(one, "offsets")->child;
  cJSON_ArrayForEach(text, texts) {
    encode(&c, t, text->valuestring, strlen(text->valuestring), false);
    const cJSON *number = row->child;
    for (size_t i = 0; i < c.ids.count; i++, number = number->next->next) {
      if (!number || !same(&c, i, (uint32_t)number->valueint, (uint32_t)number->next->valueint)) {
        fail_msg("%s: token %zu of '%s': bytes %u to %u, wanted %d to %d", name, i, c.text,
                 c.spans.at[i].start, c.spans.at[i].end, number ? number->valueint : -1,
                 number ? number->next->valueint : -1);
      }
    }
    assert_null(number);
    row = row->next;
  }
  assert_null(row);
  coded_free(&c);
}

static struct tokenizer *open_case(const cJSON *one, const char **name) {
  struct tokenizer *t = NULL;
  struct error err;
  const cJSON *folder = cJSON_GetObjectItem(one, "folder");
  if (folder) {
    char path[2048];
    *name = folder->valuestring;
    (void)snprintf(path, sizeof path, "%s/%s", reference, *name);
    if (file_is_dir(path)) {
      assert_ok(tokenizer_open(&t, path, &err));
    }
    return t;
  }
  *name = cJSON_GetObjectItem(one, "name")->valuestring;
  char *json = cJSON_PrintUnformatted(cJSON_GetObjectItem(one, "tokenizer"));
  assert_ok(inline_open(&t, json, NULL, &err));
  cJSON_free(json);
  return t;
}

static void test_spans_are_the_librarys_offsets(void **state) {
  (void)state;
  char path[1100], *text;
  const char *source = getenv("ESPALIER_SOURCE"), *name;
  size_t size;
  struct error err;
  (void)snprintf(path, sizeof path, "%s/tests/tokenizer/spans.json", source ? source : ".");
  assert_ok(file_read(&text, &size, path, &err));
  cJSON *root = cJSON_Parse(text);
  assert_non_null(root);
  free(text);
  const cJSON *one;
  int checked = 0;
  cJSON_ArrayForEach(one, cJSON_GetObjectItem(root, "cases")) {
    struct tokenizer *t = open_case(one, &name);
    if (t) {
      check_case(cJSON_GetObjectItem(root, "texts"), one, t, name);
      tokenizer_close(t);
      checked++;
    }
  }
  assert_true(checked >= 10);
  cJSON_Delete(root);
}

/* "0-3 3-4" */
#define assert_spans(json, text, special, wanted)                                                  \
  do {                                                                                             \
    struct tokenizer *t_;                                                                          \
    struct error err;                                                                              \
    struct coded c_ = {0};                                                                         \
    struct str s_ = {0};                                                                           \
    assert_ok(inline_open(&t_, (json), NULL, &err));                                               \
    encode(&c_, t_, (text), strlen(text), (special));                                              \
    for (size_t i_ = 0; i_ < c_.spans.count; i_++) {                                               \
      struct token_span at_ = c_.spans.at[i_];                                                     \
      assert_ok(str_addf(&s_, &err, "%s%u-%u", i_ ? " " : "", at_.start, at_.end));                \
    }                                                                                              \
    assert_string_equal(s_.at ? s_.at : "", (wanted));                                             \
    tokenizer_close(t_);                                                                           \
    coded_free(&c_);                                                                               \
    str_free(&s_);                                                                                 \
  } while (0)

#define MODEL                                                                                      \
  "`model`: {`type`: `BPE`, `vocab`: {`a`: 0, `b`: 1, `ab`: 2, `é`: 3, `e`: 4, `\u0323`: 5, "     \
  "`\u0307`: 6, ` `: 7, `_`: 8, `<s>`: 9, `가`: 10}, `merges`: [`a b`]}"

static void test_what_characters_become_together_comes_from_all_of_them(void **state) {
  (void)state;
#define NORMAL(kind) "{`normalizer`: " kind ", " MODEL "}"
  assert_spans(NORMAL("{`type`: `NFC`}"), "ae\u0301b", false, "0-1 1-4 4-5");
  assert_spans(NORMAL("{`type`: `NFC`}"), "a\u1100\u1161b", false, "0-1 1-7 7-8");
  assert_spans(NORMAL("{`type`: `NFC`}"), "ae\u0323a", false, "0-1 4-5"); /* ẹ: no token */
  assert_spans(NORMAL("{`type`: `NFD`}"), "ba\u0323\u0307", false, "0-1 1-2 2-4 4-6");
  assert_spans(NORMAL("{`type`: `NFD`}"), "ba\u0307\u0323", false, "0-1 1-6 1-6 1-6");
  assert_spans(NORMAL("{`type`: `Replace`, `pattern`: {`Regex`: `\\\\s+`}, `content`: `_`}"),
               "a \t b", false, "0-1 1-4 4-5");
#undef NORMAL
}

static void test_what_is_gone_is_in_no_span_and_moves_none(void **state) {
  (void)state;
  assert_spans("{" MODEL "}", "xbxaxxab", false, "1-2 3-4 6-8");
  assert_spans("{" MODEL "}", "axb", false, "0-3"); /* what merged across it covers it */
  assert_spans("{`normalizer`: {`type`: `Strip`}, " MODEL "}", "  ab \n", false, "2-4");
  assert_spans("{`pre_tokenizer`: {`type`: `WhitespaceSplit`}, " MODEL "}", " ab  ab ", false,
               "1-3 5-7");
}

static void test_unknown_characters_have_their_own_bytes(void **state) {
  (void)state;
#define UNKNOWN(rest)                                                                              \
  "{`model`: {`type`: `BPE`, `unk_token`: `?`, `vocab`: {`?`: 0, `a`: 1, `<0xC3>`: 2, `<0xA9>`: "  \
  "3}, `merges`: []" rest "}}"
  assert_spans(UNKNOWN(""), "xya\u00e9x", false, "0-1 1-2 2-3 3-5 5-6");
  assert_spans(UNKNOWN(", `fuse_unk`: true"), "xya\u00e9x", false, "0-2 2-3 3-6");
  assert_spans(UNKNOWN(", `byte_fallback`: true"), "ax\u00e9a", false, "0-1 2-4 2-4 1-2 4-5");
#undef UNKNOWN
}

static void test_what_is_put_in_front_alone_is_empty_where_it_was_put(void **state) {
  (void)state;
#define META                                                                                       \
  "`pre_tokenizer`: {`type`: `Metaspace`, `replacement`: `_`, `prepend_scheme`: `always`}, "
  assert_spans("{" META MODEL "}", "ab", false, "0-0 0-2");
  assert_spans("{`added_tokens`: [{`id`: 11, `content`: `<x>`, `rstrip`: true}], " META MODEL "}",
               "a<x> b", false, "0-0 0-1 1-5 5-5 5-6");
#undef META
}

static void test_template_tokens_are_empty_around_any_part(void **state) {
  (void)state;
#define TEMPLATE                                                                                   \
  "`post_processor`: {`type`: `TemplateProcessing`, `single`: [{`SpecialToken`: {`id`: `<s>`}}, "  \
  "{`Sequence`: {`id`: `A`}}, {`SpecialToken`: {`id`: `<s>`}}], `special_tokens`: {`<s>`: "        \
  "{`ids`: [9]}}}, "
  assert_spans("{" TEMPLATE MODEL "}", "aab", true, "0-0 0-1 1-3 0-0");
  assert_spans("{" TEMPLATE MODEL "}", "aab", false, "0-1 1-3");
  assert_spans("{" TEMPLATE MODEL "}", "", true, "0-0 0-0");
#undef TEMPLATE
}

static void test_spans_are_appended_and_a_refusal_appends_none(void **state) {
  (void)state;
  struct tokenizer *t;
  struct error err;
  struct ids ids = {0};
  struct token_spans spans = {0};
  assert_ok(inline_open(&t, "{" MODEL "}", NULL, &err));
  assert_ok(tokenizer_encode(t, "ab", 2, false, &ids, &err));
  assert_ok(tokenizer_encode_spans(t, "ba", 2, false, &ids, &spans, &err));
  assert_fails(tokenizer_encode_spans(t, "a\xff", 2, false, &ids, &spans, &err), STATUS_INPUT,
               "byte 1");
  assert_ok(tokenizer_encode_spans(t, "ab", 2, false, &ids, &spans, &err));
  assert_int_equal(ids.count, 4);
  assert_int_equal(spans.count, 3);
  assert_int_equal(spans.at[1].start, 1);
  assert_int_equal(spans.at[2].end, 2);
  tokenizer_close(t);
  ids_free(&ids);
  token_spans_free(&spans);
}

int main(void) {
  char folder[900];
  if (support_folder("reference", folder, sizeof folder)) {
    (void)snprintf(reference, sizeof reference, "%s/tokenizers", folder);
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_spans_of_every_tokenizer_are_the_whole_text_in_order),
      cmocka_unit_test(test_spans_are_the_librarys_offsets),
      cmocka_unit_test(test_what_characters_become_together_comes_from_all_of_them),
      cmocka_unit_test(test_what_is_gone_is_in_no_span_and_moves_none),
      cmocka_unit_test(test_unknown_characters_have_their_own_bytes),
      cmocka_unit_test(test_what_is_put_in_front_alone_is_empty_where_it_was_put),
      cmocka_unit_test(test_template_tokens_are_empty_around_any_part),
      cmocka_unit_test(test_spans_are_appended_and_a_refusal_appends_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
