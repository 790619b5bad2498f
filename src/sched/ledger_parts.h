/* Inside of the ledger: what its files share. */
#ifndef ESPALIER_SCHED_LEDGER_PARTS_H
#define ESPALIER_SCHED_LEDGER_PARTS_H

#include "sched/ledger.h"
#include "store/attribution.h"
#include "store/journal.h"

/* Which parts of a variant's masks the journal has; the masks themselves stay there. */
struct parts {
  bool *there; /* [of the model's mask_parts], NULL: none */
  int count;
};

/* A cell's attribution, and a digest of its record. */
struct cell_attribution {
  struct attribution_base *base; /* NULL: not there */
  struct attribution_loss *loss; /* NULL: not there */
  char base_digest[DIGEST_TEXT], loss_digest[DIGEST_TEXT];
};

struct ledger {
  struct plan *plan;
  char *results;
  struct journal *journal;
  struct variant_record **variants;      /* [variant_count], NULL: not there */
  struct cell_record **cells;            /* [variant_count][dataset_count] */
  struct parts *parts;                   /* [variant_count] */
  bool *masks;                           /* [variant_count]: all parts are there */
  struct cell_attribution *attributions; /* [variant_count][dataset_count] */
  size_t *by_id;                         /* [variant_count] variants in the order of their ids */
  size_t done, failed;
  struct variant_info *variant_infos;
  struct dataset_info *dataset_infos;
  struct calibration_info *calibration_infos;
  bool *wanted;            /* [variant_count][dataset_count] */
  const char **cell_ids;   /* [variant_count][dataset_count] */
  struct sequences *draws; /* [calibration_count] */
  size_t calibration_count;
  size_t *draw_variants;             /* [calibration_count]: a variant of each draw */
  char (*draw_digests)[DIGEST_TEXT]; /* [calibration_count] */
  struct distance_record *distances; /* [calibration_count][dataset_count][DISTANCE_KINDS], those
                                        without an id are not there */
};

/* Which variant of the plan has the id, whichever shard's it is. */
bool ledger_find_planned(const struct ledger *l, const char *id, size_t *out);
/* As ledger_find_planned; false for another shard's. */
bool ledger_find_variant(const struct ledger *l, const char *id, size_t *out);

/* What results say of the plan. */
status ledger_describe(struct ledger *l, struct error *err);

/* Take a record in; *known is false for one that is not of the plan. */
status ledger_take_masks(struct ledger *l, const unsigned char *bytes, size_t size,
                         struct ledger_entry *out, bool *known, struct error *err);
status ledger_take_distance(struct ledger *l, const unsigned char *bytes, size_t size,
                            struct ledger_entry *out, bool *known, struct error *err);

status ledger_take_attribution_base(struct ledger *l, const unsigned char *bytes, size_t size,
                                    struct ledger_entry *out, bool *known, struct error *err);
status ledger_take_attribution_loss(struct ledger *l, const unsigned char *bytes, size_t size,
                                    struct ledger_entry *out, bool *known, struct error *err);
void ledger_drop_attributions(struct ledger *l);

/* The attributions of wanted cells, as results_write takes them; the caller frees both lists. */
status ledger_list_attributions(const struct ledger *l, const struct attribution_base ***bases,
                                const struct attribution_loss ***losses, struct error *err);

/* The distances that are there, in plan order; the caller frees *out. */
status ledger_list_distances(const struct ledger *l, struct distance_record **out, size_t *count,
                             struct error *err);

#endif
