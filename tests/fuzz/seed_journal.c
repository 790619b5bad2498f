/* Seeds of fuzz_journal from the records of the store's tests.   seed_journal FOLDER */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "store/attribution_fixture.h"
#include "store/distances.h"
#include "store/fixture.h"
#include "store/frame.h"
#include "store/mask_record.h"

struct seeds {
  const char *folder;
  struct str raw; /* a whole journal, behind the byte that chooses */
};

static status put(const struct seeds *s, const char *name, const struct str *from,
                  struct error *err) {
  char *path;
  TRY(path_join(&path, s->folder, name, err));
  status st = file_write(path, from->at, from->count, err);
  free(path);
  return st;
}

/* The record alone, for the framed half of the target, and one more frame of the whole journal. */
static status add(struct seeds *s, const char *name, unsigned char *record, size_t size,
                  struct error *err) {
  char head[3] = {1, (char)(size & 0xff), (char)(size >> 8)};
  struct str one = {0};
  status st = str_add(&one, head, sizeof head, err);
  st = st == STATUS_OK ? str_add(&one, (char *)record, size, err) : st;
  st = st == STATUS_OK ? put(s, name, &one, err) : st;
  st = st == STATUS_OK ? frame_add(&s->raw, FRAME_RECORD, 1e9, record, size, err) : st;
  str_free(&one);
  free(record);
  return st;
}

static status add_results(struct seeds *s, struct error *err) {
  unsigned char *record;
  size_t size;
  char name[32];
  for (int i = 0; i < FIXTURE_VARIANTS; i++) {
    TRY(record_encode_variant(&fixture_pruned[i], &record, &size, err));
    (void)snprintf(name, sizeof name, "variant%d", i);
    TRY(add(s, name, record, size, err));
  }
  for (int i = 0; i < 4; i++) {
    TRY(record_encode_cell(&fixture_cells[i], &record, &size, err));
    (void)snprintf(name, sizeof name, "cell%d", i);
    TRY(add(s, name, record, size, err));
  }
  return STATUS_OK;
}

static status add_others(struct seeds *s, struct error *err) {
  unsigned char *record;
  size_t size;
  unsigned char bits[8] = {0x55, 0xaa, 0xff};
  struct mask_bits tensors[2] = {{"model.layers.0.mlp.down_proj.weight", 2, 32, false, 8, bits},
                                 {"model.layers.0.mlp.up_proj.weight", 3, 8, false, 3, bits}};
  struct mask_record masks = {.variant = "1", .parts = 1, .count = 2, .tensors = tensors};
  TRY(record_encode_masks(&masks, &record, &size, err));
  TRY(add(s, "masks", record, size, err));
  struct distance_record distance = {.id = "7",
                                     .model = "nano",
                                     .calibration = "c4",
                                     .samples = 16,
                                     .length = 64,
                                     .dataset = "topic",
                                     .kind = "ngram",
                                     .value = 0.5};
  TRY(record_encode_distance(&distance, &record, &size, err));
  return add(s, "distance", record, size, err);
}

static status add_attributions(struct seeds *s, struct error *err) {
  unsigned char *record;
  size_t size;
  TRY(record_encode_attribution_base(&made_base, &record, &size, err));
  TRY(add(s, "attribution_base", record, size, err));
  TRY(record_encode_attribution_loss(&made_loss, &record, &size, err));
  TRY(add(s, "attribution_loss", record, size, err));
  TRY(record_encode_attribution_loss(&made_failure, &record, &size, err));
  return add(s, "attribution_failed", record, size, err);
}

static status make(struct seeds *s, struct error *err) {
  TRY(str_add(&s->raw, "\0", 1, err));
  TRY(frame_add_file_head(&s->raw, err));
  TRY(frame_add_opened(&s->raw, 1e9, 7, "host", err));
  TRY(add_results(s, err));
  TRY(add_others(s, err));
  TRY(add_attributions(s, err));
  TRY(put(s, "whole", &s->raw, err));
  s->raw.count -= 5;
  return put(s, "cut", &s->raw, err);
}

int main(int argc, char **argv) {
  struct error err = {0};
  struct seeds s = {.folder = argc == 2 ? argv[1] : ""};
  status st = make(&s, &err);
  str_free(&s.raw);
  if (st != STATUS_OK) {
    (void)fprintf(stderr, "seed_journal: %s\n", err.text);
  }
  return status_exit(st);
}
