#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/checkpoint.h"
#include "cli/cli.h"
#include "data/jsonl.h"

enum { KEY_JSONL = 256, KEY_SPECIAL };

struct tokenize_arguments {
  const char *model, *file;
  bool jsonl, special;
};

static const struct argp_option options[] = {
    {"model", 'm', "DIR", 0, "checkpoint folder; only its tokenizer.json is read", 0},
    {"jsonl", KEY_JSONL, 0, 0, "lines are {\"text\": ...}", 0},
    {"special", KEY_SPECIAL, 0, 0, "add the template's special tokens", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  struct tokenize_arguments *a = in->options;
  switch (key) {
  case 'm':
    a->model = arg;
    return 0;
  case KEY_JSONL:
    a->jsonl = true;
    return 0;
  case KEY_SPECIAL:
    a->special = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "tokenize takes one file, '%s' is a second", arg);
    }
    a->file = arg;
    return 0;
  case ARGP_KEY_END:
    return a->model ? 0 : cli_refuse(in, "--model is missing (see espalier tokenize --help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    "[FILE]",
    "Prints the token ids of every line of FILE (default: standard input), a line of ids per "
    "line of text.\vExample:\n  echo 'the light of the river' | espalier tokenize --model "
    "nano-llama",
    NULL,
    NULL,
    NULL};

static status print_ids(const struct tokenizer *t, const char *text, size_t bytes, bool special,
                        const char *path, long line, struct error *err) {
  struct ids ids = {0};
  if (tokenizer_encode(t, text, bytes, special, &ids, err) != STATUS_OK) {
    ids_free(&ids);
    return err_prefix(err, "%s:%ld", path, line);
  }
  for (size_t i = 0; i < ids.count; i++) {
    printf(i ? " %d" : "%d", ids.at[i]);
  }
  printf("\n");
  ids_free(&ids);
  return STATUS_OK;
}

static status tokenize_jsonl(const struct tokenizer *t, const char *path, bool special,
                             struct error *err) {
  struct jsonl lines;
  TRY(jsonl_open(&lines, path, 0, err));
  status st = STATUS_OK;
  for (size_t i = 0; i < lines.count && st == STATUS_OK; i++) {
    const struct jsonl_line *l = &lines.at[i];
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(l->json, "text");
    st = cJSON_IsString(text) ? print_ids(t, text->valuestring, strlen(text->valuestring), special,
                                          lines.path, l->line, err)
                              : err_at(err, STATUS_INPUT, lines.path, l->line,
                                       "no \"text\" (expected {\"text\": \"...\"})");
  }
  jsonl_close(&lines);
  return st;
}

static status tokenize_lines(const struct tokenizer *t, const char *path, bool special,
                             struct error *err) {
  const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
  char *bytes;
  size_t size;
  TRY(file_read(&bytes, &size, path, err));
  status st = STATUS_OK;
  long line = 0;
  for (size_t at = 0; at < size && st == STATUS_OK;) {
    const char *end = memchr(bytes + at, '\n', size - at);
    size_t n = end ? (size_t)(end - bytes) - at : size - at;
    st = print_ids(t, bytes + at, n, special, name, ++line, err);
    at += n + 1;
  }
  free(bytes);
  return st;
}

static status tokenize(const struct tokenize_arguments *a, struct checkpoint *c,
                       struct error *err) {
  struct cli_places places;
  TRY(places_open(&places, err));
  status st = checkpoint_open_tokenizer(c, a->model, &places, err);
  if (st == STATUS_OK) {
    const char *path = a->file ? a->file : "-";
    st = a->jsonl ? tokenize_jsonl(c->tokenizer, path, a->special, err)
                  : tokenize_lines(c->tokenizer, path, a->special, err);
  }
  places_close(&places);
  return st;
}

status cmd_tokenize(int argc, char **argv, struct error *err) {
  struct tokenize_arguments a = {0};
  TRY(cli_parse(&argp, NULL, argc, argv, &a, err));
  struct checkpoint c = {0};
  status st = tokenize(&a, &c, err);
  checkpoint_close(&c);
  return st;
}
