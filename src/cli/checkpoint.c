#include "cli/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

static status find_folder(struct checkpoint *c, const char *text, const struct cli_places *places,
                          struct error *err) {
  if (file_is_dir(text)) {
    return mem_dup(&c->folder, text, strlen(text), err);
  }
  if (strchr(text, '/')) { /* a path that is not there: its file names the problem best */
    return mem_dup(&c->folder, text, strlen(text), err);
  }
  TRY_WITH(err, grid_find_model(text, &places->places, &c->folder, NULL, err), "--model");
  return STATUS_OK;
}

static status open_tokenizer(struct checkpoint *c, bool needed, struct error *err) {
  char *path;
  TRY(path_join(&path, c->folder, "tokenizer.json", err));
  bool there = file_exists(path);
  free(path);
  return there || needed ? tokenizer_open(&c->tokenizer, c->folder, err) : STATUS_OK;
}

status checkpoint_open(struct checkpoint *out, const char *text, const struct cli_places *places,
                       struct error *err) {
  *out = (struct checkpoint){0};
  TRY(find_folder(out, text, places, err));
  TRY(model_open(&out->model, out->folder, err));
  return open_tokenizer(out, false, err);
}

status checkpoint_open_tokenizer(struct checkpoint *out, const char *text,
                                 const struct cli_places *places, struct error *err) {
  *out = (struct checkpoint){0};
  TRY(find_folder(out, text, places, err));
  return open_tokenizer(out, true, err);
}

void checkpoint_close(struct checkpoint *c) {
  tokenizer_close(c->tokenizer);
  if (c->model) {
    model_close(c->model);
  }
  free(c->folder);
  *c = (struct checkpoint){0};
}
