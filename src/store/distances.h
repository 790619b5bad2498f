/* How far calibration draws lie from evaluation data: rows of /distances. */
#ifndef ESPALIER_STORE_DISTANCES_H
#define ESPALIER_STORE_DISTANCES_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

enum distance_kind {
  DISTANCE_NGRAM,  /* between distributions of tokens and pairs of tokens */
  DISTANCE_HIDDEN, /* between mean hidden states of the dense model */
  DISTANCE_KINDS
};
/* "ngram", "hidden" */
const char *distance_kind_name(enum distance_kind kind);
/* DISTANCE_KINDS when there is none of that name. */
enum distance_kind distance_kind_named(const char *name);

/* One draw of a calibration set beside one data set; also a record of the journal. */
struct distance_record {
  char id[DIGEST_TEXT]; /* of everything that determines the value */
  char model[64];       /* whose tokens and hidden states these are */
  char calibration[64];
  int32_t draw, samples, length; /* samples: the most that a variant takes of this draw */
  char dataset[64];
  char kind[16];     /* distance_kind_name */
  int32_t sequences; /* at most so many of each side were looked at; 0: all */
  double value;
};

/* Names longer than the fields are cut. The caller frees *out. */
status record_encode_distance(const struct distance_record *r, unsigned char **out, size_t *size,
                              struct error *err);
status record_decode_distance(struct distance_record *out, const unsigned char *from, size_t size,
                              struct error *err);

/* A file's rows, in plan order. */
struct distances {
  struct distance_record *at; /* [count]; ids stay empty */
  size_t count;
};

/* A file without /distances has none. STATUS_INPUT for a file that is damaged or is no results
 * file. */
status distances_read(struct distances *out, const char *path, struct error *err);
void distances_free(struct distances *d);

#endif
