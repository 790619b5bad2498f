/* Documents made of several lines of a data file: WikiText's articles, one line per paragraph. */
#ifndef ESPALIER_DATA_PAGES_H
#define ESPALIER_DATA_PAGES_H

#include "data/render.h"

/* Documents {"text": ...}, each numbered like the line that it begins with. Lines before the first
 * beginning belong to none and are dropped. Refuses a file in which no document begins. The caller
 * closes *out with jsonl_close. */
status pages_make(struct jsonl *out, const struct pages *pages, const struct jsonl *lines,
                  struct error *err);

#endif
