#include <cjson/cJSON.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/places.h"

enum { KEY_SHOTS = 256, KEY_FIRST, KEY_LIMIT };

struct requests_arguments {
  const char *task;
  int shots, first, limit;
};

static const struct argp_option options[] = {
    {"shots", KEY_SHOTS, "K", 0, "examples before each document (default 0)", 0},
    {"first", KEY_FIRST, "I", 0, "start at document I, counted from 0", 0},
    {"limit", KEY_LIMIT, "N", 0, "stop after N documents (default: all)", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  struct requests_arguments *a = in->options;
  switch (key) {
  case KEY_SHOTS:
    return cli_int(in, "--shots", arg, 0, 1000, &a->shots);
  case KEY_FIRST:
    return cli_int(in, "--first", arg, 0, INT_MAX, &a->first);
  case KEY_LIMIT:
    return cli_int(in, "--limit", arg, 1, INT_MAX, &a->limit);
  case ARGP_KEY_ARG:
    if (a->task) {
      return cli_refuse(in, "requests takes one task, '%s' is a second", arg);
    }
    a->task = arg;
    return 0;
  case ARGP_KEY_END:
    return a->task ? 0 : cli_refuse(in, "a task is missing (see espalier requests --help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    "TASK",
    "Prints a task's rendered requests, a line of JSON each: {\"doc\", \"choice\", \"context\", "
    "\"continuation\"}, ready for espalier score. TASK is a name of configs/tasks or a path. "
    "Language modelling tasks give {\"doc\", \"text\"}.\vExample:\n  espalier requests sst2 "
    "--limit 2",
    NULL,
    NULL,
    NULL};

static status print_line(const cJSON *o, struct error *err) {
  char *text = cJSON_PrintUnformatted(o);
  if (!text) {
    return err_set(err, STATUS_MEMORY, "out of memory");
  }
  printf("%s\n", text);
  free(text);
  return STATUS_OK;
}

static status print_choice(const struct item *item, int choice, struct error *err) {
  cJSON *o = cJSON_CreateObject();
  (void)cJSON_AddNumberToObject(o, "doc", item->doc);
  if (item->choices == 0) {
    (void)cJSON_AddStringToObject(o, "text", item->text);
  } else {
    (void)cJSON_AddNumberToObject(o, "choice", choice);
    (void)cJSON_AddStringToObject(o, "context", item->contexts[choice]);
    (void)cJSON_AddStringToObject(o, "continuation", item->continuations[choice]);
  }
  status st = print_line(o, err);
  cJSON_Delete(o);
  return st;
}

static status print_items(const struct items *items, struct error *err) {
  for (size_t i = 0; i < items->count; i++) {
    const struct item *item = &items->at[i];
    for (int c = 0; c < item->choices || c == 0; c++) {
      TRY(print_choice(item, c, err));
    }
  }
  return STATUS_OK;
}

static status render(const struct requests_arguments *a, const struct cli_places *places,
                     struct error *err) {
  struct task *task;
  TRY(task_open(&task, a->task, &places->places.search, err));
  struct items items;
  status st = task_render(task, a->first, a->limit, a->shots, &items, err);
  if (st == STATUS_OK) {
    st = print_items(&items, err);
    items_free(&items);
  }
  task_close(task);
  return st;
}

status cmd_requests(int argc, char **argv, struct error *err) {
  struct requests_arguments a = {0};
  TRY(cli_parse(&argp, NULL, argc, argv, &a, err));
  struct cli_places places;
  TRY(places_open(&places, err));
  status st = render(&a, &places, err);
  places_close(&places);
  return st;
}
