/* Inside of calib/: a calibration file as read, its documents tokenised, and the samplers' table.
 */
#ifndef ESPALIER_CALIB_SET_H
#define ESPALIER_CALIB_SET_H

#include <cjson/cJSON.h>

#include "base/rng.h"
#include "calib/calib.h"
#include "data/template.h"

enum source_kind {
  SOURCE_FIELD,    /* one field of each line is the document's text */
  SOURCE_TEMPLATE, /* {{field}} template over each line */
  SOURCE_IDS,      /* one field of each line is a list of token ids */
  SOURCE_TASK,     /* a task's prompts */
  SOURCE_MIXTURE,  /* other sets by weight */
  SOURCE_GENERATE, /* the model's own texts */
};

/* A number that a sampler takes from the calibration file. */
struct sampler_param {
  const char *key;
  double low, high, fallback; /* low <= value <= high */
  bool whole;
};
enum { SAMPLER_PARAMS = 3, SAMPLERS_MOST = 16 };

struct candidates; /* select.h */

struct sampler {
  const char *name;
  bool joins;                                  /* takes the key `join` */
  const char *join;                            /* its default */
  bool targets;                                /* needs the key `target` */
  struct sampler_param params[SAMPLER_PARAMS]; /* those with a key */
  /* Refuses values [SAMPLER_PARAMS] that do not go together, naming the file; or NULL. */
  status (*check)(const double *params, const char *path, struct error *err);
  /* A sampler either draws, appending draw->samples sequences to *out, */
  status (*draw)(struct pool *pool, const struct draw *draw, struct sequences *out,
                 struct error *err);
  /* or ranks candidate windows: the best draw->most of them into order [draw->most], best first.
   * The order may depend on neither draw->samples nor anything outside of the draw. */
  status (*rank)(struct pool *pool, const struct draw *draw, const struct candidates *c,
                 size_t *order, struct error *err);
};

/* Names of the table into out [room]; returns how many. */
size_t samplers_names(const char *out[], size_t room);
const struct sampler *sampler_find(const char *name); /* NULL when there is none */

/* Keys of all samplers' parameters, each once, into out [room]; returns how many. */
size_t samplers_keys(const char *out[], size_t room);

struct mixture_part {
  struct calibration *set;
  double weight; /* above 0 */
};

/* How the model writes texts of its own; see generate.c. */
struct generate {
  double temperature, top_p;
  int top_k;                /* 0: all tokens */
  double low, high;         /* quantiles of perplexity that are kept */
  char *prompt;             /* NULL: BOS alone */
  struct calibration *from; /* or the first `tokens` tokens of this set's documents; NULL */
  int tokens;
};

struct calibration {
  char *name;
  char *data; /* the JSONL file, or the YAML file of a set without: what refusals name */
  enum source_kind source;
  char *text;              /* the field's name or the template */
  char *file;              /* that says so, for messages */
  struct arena *arena;     /* owns parsed */
  struct template *parsed; /* of a field or a template */
  struct task *task;       /* SOURCE_TASK */
  bool answers;            /* SOURCE_TASK: prompts with their gold answers */
  int shots;               /* SOURCE_TASK: examples in front of each prompt */
  const struct sampler *sampler;
  double params[SAMPLER_PARAMS]; /* in the sampler's order */
  struct calibration *target;    /* of a sampler that needs one */
  char *join;
  struct mixture_part *parts; /* [part_count], SOURCE_MIXTURE */
  size_t part_count;
  struct generate generate; /* SOURCE_GENERATE */
};

/* calibration_open at a depth of sets that name other sets; beyond SETS_DEEP it is refused. */
enum { SETS_DEEP = 4 };
struct layers;
status set_open(struct calibration **out, const char *name, const struct search *search, int depth,
                struct error *err);

/* Fills a set from its file; depth: that at which the sets that it names are opened. */
status set_read(struct calibration *c, const struct layers *l, const struct search *search,
                int depth, struct error *err);

/* Parses c->text, a field's name or a template that stands in the file. */
status set_parse_text(struct calibration *c, const char *file, long line, struct error *err);

/* The set that a key of a calibration file names: a name, or a path relative to the file. */
struct yaml_file;
struct yaml;
status set_named(struct calibration **out, const struct yaml_file *file, const struct yaml *node,
                 const char *key, const struct search *search, int depth, struct error *err);

/* The maps behind the keys mixture and generate. */
status mixture_read(struct calibration *c, const struct yaml_file *file, const struct yaml *node,
                    const struct search *search, int depth, struct error *err);
status generate_read(struct calibration *c, const struct yaml_file *file, const struct yaml *node,
                     const struct search *search, int depth, struct error *err);

/* One document; ids come when they are first asked for. */
struct document {
  char *text; /* NULL: given as ids */
  long line;  /* of the data file */
  struct ids ids;
  bool tokenised;
  bool used;    /* by a draw of this pool */
  size_t first; /* its first token in the pool's `all`, once that is packed */
};

struct pool {
  const struct calibration *set;
  const struct tokenizer *tokenizer;
  const struct model *model;
  int vocab, positions; /* of the model */
  struct document *documents;
  size_t count, cap;
  struct ids all; /* what a sampler joined, kept for its next draw */
  bool joined;
  struct pool **parts; /* [set->part_count] of a mixture */
  struct pool *other;  /* of the sampler's target, or of the set that prompts come from; or NULL */
};

/* Reads the set's documents; those of a task. */
status documents_read(struct pool *pool, struct error *err);
status prompts_read(struct pool *pool, struct error *err);

/* A new document at the end of the pool. */
status pool_add(struct pool *pool, long line, struct document **out, struct error *err);

/* The document's ids, tokenised with the template's special tokens. Ids beyond the vocabulary are
 * refused with file and line. */
status pool_document(struct pool *pool, size_t i, const struct ids **out, struct error *err);

/* Puts all documents end to end into pool->all, once; see packed.c. */
status pool_pack(struct pool *pool, struct error *err);

/* Marks the documents that a window of a packed pool holds tokens of. */
void pool_mark(struct pool *pool, size_t first, size_t length);

/* A shuffle of 0 .. count - 1 by the draw's seed, the same for all draws; the caller frees *out. */
status shuffled(size_t **out, size_t count, uint64_t seed, struct error *err);

/* Random numbers of one draw, or of one sequence of it, apart from those of every other. */
void draw_rng(struct rng *out, const struct draw *draw, uint64_t sequence);

/* Refuses ids outside of 0 .. vocab - 1. */
status ids_check(const struct ids *ids, int vocab, const char *path, long line, struct error *err);

/* Appends a JSON list of ids; `field` names it in refusals. */
status ids_from_json(const cJSON *list, const char *field, const char *path, long line,
                     struct ids *out, struct error *err);

/* "calibration set NAME needs ...; FILE has ..." */
status pool_too_small(const struct pool *pool, const struct draw *draw, size_t tokens,
                      size_t windows, struct error *err);

/* Sequences of sources that no sampler cuts. */
status mixture_open_parts(struct pool *pool, struct error *err);
status mixture_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                    struct error *err);
status generate_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                     struct error *err);

extern const struct sampler sampler_random_window, sampler_concatenate, sampler_packed,
    sampler_lines, sampler_dsir, sampler_kmeans, sampler_lexrank, sampler_ccs,
    sampler_perplexity_band;

#endif
