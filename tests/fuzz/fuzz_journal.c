/* A journal. The first byte chooses: the input as the file's bytes, or (odd) as frames with good
 * checksums, so that what lies behind the checksums is reached: a length (two bytes), then so many
 * bytes of a record. What is read survives an append, and a second reading finds the same. */
#include "fuzz.h"

#include "base/str.h"
#include "store/attribution.h"
#include "store/distances.h"
#include "store/frame.h"
#include "store/journal.h"
#include "store/mask_record.h"
#include "store/record.h"

/* Decodes a record; what is accepted can be encoded, and means the same afterwards. */
static void check_variant(const unsigned char *record, size_t size) {
  struct error err = {0};
  struct variant_record r = {0}, again = {0};
  unsigned char *bytes;
  status st = record_decode_variant(&r, record, size, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    FUZZ_CHECK(record_encode_variant(&r, &bytes, &size, &err) == STATUS_OK);
    FUZZ_CHECK(record_decode_variant(&again, bytes, size, &err) == STATUS_OK);
    FUZZ_CHECK(again.layer_count == r.layer_count && strcmp(again.id, r.id) == 0);
    free(bytes);
    variant_record_free(&again);
    variant_record_free(&r);
  }
}

static void check_cell(const unsigned char *record, size_t size) {
  struct error err = {0};
  struct cell_record r = {0}, again = {0};
  unsigned char *bytes;
  status st = record_decode_cell(&r, record, size, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    FUZZ_CHECK(record_encode_cell(&r, &bytes, &size, &err) == STATUS_OK);
    FUZZ_CHECK(record_decode_cell(&again, bytes, size, &err) == STATUS_OK);
    FUZZ_CHECK(again.items == r.items && again.choices == r.choices);
    FUZZ_CHECK(again.metric_count == r.metric_count && strcmp(again.id, r.id) == 0);
    free(bytes);
    cell_record_free(&again);
    cell_record_free(&r);
  }
}

static void check_masks(const unsigned char *record, size_t size) {
  struct error err = {0};
  struct mask_record r = {0};
  status st = record_decode_masks(&r, record, size, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    FUZZ_CHECK(r.part >= 0 && r.part < r.parts);
    for (size_t i = 0; i < r.count; i++) {
      const struct mask_bits *b = &r.tensors[i];
      FUZZ_CHECK(b->bytes >= record && b->size <= (size_t)(record + size - b->bytes));
    }
    mask_record_free(&r);
  }
}

/* Every index of an accepted record points into it. */
static void check_base(const unsigned char *record, size_t size) {
  struct error err = {0};
  struct attribution_base r;
  unsigned char *bytes;
  status st = record_decode_attribution_base(&r, record, size, &err);
  fuzz_refused(st, &err);
  if (st != STATUS_OK) {
    return;
  }
  for (size_t i = 0; i < r.match_count; i++) {
    FUZZ_CHECK((size_t)r.matches[i].word < r.word_count);
    FUZZ_CHECK((size_t)r.matches[i].unit < r.unit_count);
  }
  for (size_t i = 0; i < r.example_count; i++) {
    const struct attribution_example *e = &r.examples[i];
    FUZZ_CHECK((size_t)e->match < r.match_count);
    FUZZ_CHECK((size_t)e->starts[e->tokens] <= strlen(e->text));
  }
  FUZZ_CHECK(record_encode_attribution_base(&r, &bytes, &size, &err) == STATUS_OK);
  free(bytes);
  attribution_base_free(&r);
}

static void check_loss(const unsigned char *record, size_t size) {
  struct error err = {0};
  struct attribution_loss r;
  unsigned char *bytes;
  status st = record_decode_attribution_loss(&r, record, size, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    size_t again;
    FUZZ_CHECK(record_encode_attribution_loss(&r, &bytes, &again, &err) == STATUS_OK);
    FUZZ_CHECK(again == size && memcmp(bytes, record, size) == 0);
    free(bytes);
    attribution_loss_free(&r);
  }
}

static status see(void *user, const unsigned char *record, size_t size, struct error *err) {
  (void)err;
  size_t *count = user;
  ++*count;
  /* a copy of its own, so that reading behind its end is seen */
  unsigned char *copy = malloc(size ? size : 1);
  FUZZ_CHECK(copy);
  memcpy(copy, record, size);
  struct error late = {0};
  struct distance_record distance;
  switch (record_kind(copy, size)) {
  case RECORD_VARIANT:
    check_variant(copy, size);
    break;
  case RECORD_CELL:
    check_cell(copy, size);
    break;
  case RECORD_MASKS:
    check_masks(copy, size);
    break;
  case RECORD_DISTANCE:
    fuzz_refused(record_decode_distance(&distance, copy, size, &late), &late);
    break;
  case RECORD_ATTRIBUTION_BASE:
    check_base(copy, size);
    break;
  case RECORD_ATTRIBUTION_LOSS:
    check_loss(copy, size);
    break;
  }
  free(copy);
  return STATUS_OK;
}

static void add_frames(struct str *to, const uint8_t *data, size_t size) {
  struct error err = {0};
  FUZZ_CHECK(frame_add_file_head(to, &err) == STATUS_OK);
  while (size >= 2) {
    size_t wanted = (size_t)data[0] | (size_t)data[1] << 8, n = wanted;
    n = n < size - 2 ? n : size - 2;
    FUZZ_CHECK(frame_add(to, FRAME_RECORD, 1, data + 2, n, &err) == STATUS_OK);
    data += 2 + n;
    size -= 2 + n;
  }
}

static void check_journal(const char *path, size_t bytes) {
  struct error err = {0};
  size_t read = 0, opened = 0, again = 0, dropped = 0;
  status st = journal_read(path, see, &read, &err);
  fuzz_refused(st, &err);
  struct journal *j;
  FUZZ_CHECK(journal_open(&j, path, see, &opened, &dropped, &err) == st);
  if (st != STATUS_OK) {
    return;
  }
  FUZZ_CHECK(read == opened && dropped <= bytes);
  FUZZ_CHECK(journal_append(j, (const unsigned char *)"new", 3, &err) == STATUS_OK);
  FUZZ_CHECK(journal_replay(j, see, &again, &err) == STATUS_OK && again == opened + 1);
  journal_close(j);
  again = 0;
  FUZZ_CHECK(journal_read(path, see, &again, &err) == STATUS_OK && again == opened + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) {
    return 0;
  }
  struct str s = {0};
  if (data[0] & 1) {
    add_frames(&s, data + 1, size - 1);
  }
  const char *from = data[0] & 1 ? s.at : (const char *)data + 1;
  size_t bytes = data[0] & 1 ? s.count : size - 1;
  check_journal(fuzz_file(0, "x.journal", from, bytes), bytes);
  str_free(&s);
  return 0;
}
