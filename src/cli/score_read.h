/* The lines that espalier score reads, as requests. */
#ifndef ESPALIER_CLI_SCORE_READ_H
#define ESPALIER_CLI_SCORE_READ_H

#include "cli/checkpoint.h"
#include "eval/request.h"

/* Adds one request per line of a JSONL file ("-": standard input): texts, which need the
 * checkpoint's tokenizer, or token ids. Refusals are "FILE:LINE: ...". */
status score_read(struct requests *r, const char *path, const struct checkpoint *c, bool bos,
                  struct error *err);

#endif
