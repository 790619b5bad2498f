/* --model of the commands that take one checkpoint. */
#ifndef ESPALIER_CLI_CHECKPOINT_H
#define ESPALIER_CLI_CHECKPOINT_H

#include "cli/places.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"

struct checkpoint {
  char *folder;
  struct model *model;
  struct tokenizer *tokenizer; /* NULL when the folder has no tokenizer.json */
};

/* text: a folder, or a name as in an experiment. Free with checkpoint_close, also after a failure.
 */
status checkpoint_open(struct checkpoint *out, const char *text, const struct cli_places *places,
                       struct error *err);
/* The tokenizer alone: the folder needs no weights. */
status checkpoint_open_tokenizer(struct checkpoint *out, const char *text,
                                 const struct cli_places *places, struct error *err);
void checkpoint_close(struct checkpoint *c);

#endif
