/* Inside of merging: what its files share. */
#ifndef ESPALIER_STORE_MERGE_PARTS_H
#define ESPALIER_STORE_MERGE_PARTS_H

#include "store/attributes.h"
#include "store/calibrations.h"
#include "store/merge.h"
#include "store/results.h"

struct merge_input {
  const char *path;
  char *journal;
  bool has_file; /* false: only the journal is there, of an output that was not finished */
  struct results_file file;
  struct attributes attributes;
  struct calibrations draws;
  size_t group; /* inputs of one experiment text have one number */
};

/* A variant of the merged file; [dataset_count] arrays of its cells follow in struct merge. */
struct merge_variant {
  const struct results_variant *row; /* of the first input that has it */
  size_t input, group;
  struct variant_record *record; /* NULL: none */
  size_t record_input;
};

/* A part of a variant's masks that the merged journal will hold. */
struct merge_part {
  size_t variant, input;
  int part, parts;
  char digest[DIGEST_TEXT]; /* of the record */
};

/* Which input gave a record, and a digest of its bytes. */
struct merge_place {
  size_t input;
  char digest[DIGEST_TEXT];
};

struct merge {
  struct merge_input *inputs; /* [input_count] */
  size_t input_count;
  struct merge_variant *variants; /* [variant_count], in the order of rows */
  size_t variant_count;
  size_t *by_id;                 /* [variant_count]: variants by their ids */
  struct dataset_info *datasets; /* [dataset_count], names and kinds are the inputs' */
  size_t dataset_count, dataset_cap;
  /* [variant_count][dataset_count] */
  bool *wanted;
  const char **cell_ids; /* "": not known */
  struct cell_record **cells;
  size_t *cell_inputs;
  struct attribution_base **bases;
  struct attribution_loss **losses;
  struct merge_place *base_places, *loss_places;
  struct merge_part *parts; /* [part_count], by digest once merge_settle_masks was there */
  size_t part_count, part_cap;
  bool *masks;                       /* [variant_count], true: all parts of its masks are there */
  struct distance_record *distances; /* [distance_count] */
  size_t *distance_inputs;
  size_t distance_count, distance_cap, distance_input_cap;
  char (
      *others)[DIGEST_TEXT]; /* [other_count]: records of no planned variant, copied as they are */
  size_t other_count, other_cap;
  size_t twice;
};

static inline size_t merge_at(const struct merge *m, size_t variant, size_t dataset) {
  return variant * m->dataset_count + dataset;
}

/* Variants, data sets and wanted cells of all inputs, in their order. */
status merge_plan(struct merge *m, struct error *err);
/* false: no input has planned it. */
bool merge_find_variant(const struct merge *m, const char *id, size_t *out);
bool merge_find_dataset(const struct merge *m, const char *name, size_t *out);

/* "wanda 0.5 c4 draw 1 of nano" */
void merge_name_variant(const struct merge *m, size_t variant, char *out, size_t size);

/* Refuse, with both files and what differs, unless the two say the same. Times do not count. */
status merge_same_variant(const struct merge *m, size_t variant, const struct variant_record *r,
                          size_t input, struct error *err);
status merge_same_cell(const struct merge *m, size_t variant, size_t dataset,
                       const struct cell_record *r, size_t input, struct error *err);

/* Takes in the records of an input's journal, without its masks' bits. */
status merge_take_journal(struct merge *m, size_t input, struct error *err);

/* Take in an encoded attribution; *known is false for one of no planned cell. planned:
 * [variant_count][dataset_count], the cell's id as the input plans it, "" where that is not known,
 * NULL where no input plans it. */
status merge_take_base(struct merge *m, size_t input, const char *const *planned,
                       const unsigned char *bytes, size_t size, bool *known, struct error *err);
status merge_take_loss(struct merge *m, size_t input, const char *const *planned,
                       const unsigned char *bytes, size_t size, bool *known, struct error *err);
status merge_make_attributions(struct merge *m, struct error *err);
void merge_free_attributions(struct merge *m);

/* Once all journals are in: leaves one of equal records each, and refuses masks that differ. */
status merge_settle_masks(struct merge *m, struct error *err);
void merge_settle_others(struct merge *m);

/* Writes the merged journal's records, masks from the inputs' journals. */
status merge_write_journal(const struct merge *m, struct journal *to, struct error *err);

/* The merged file's attributes; the caller frees the texts and *out. */
status merge_attributes(const struct merge *m, const char *command, struct attribute **out,
                        size_t *count, struct error *err);

/* The inputs' draws in the order of the variants that use them, each once; ids and texts stay the
 * inputs'. The caller frees *out. */
status merge_draws(const struct merge *m, struct calibration_info **out, size_t *count,
                   struct error *err);

/* Sorts distances as a run of the whole would have them. */
void merge_sort_distances(struct merge *m, const struct calibration_info *draws, size_t count);

#endif
