/* A scratch folder with configs, data and models, for tests that open experiment files. */
#ifndef ESPALIER_TESTS_GRID_FILES_H
#define ESPALIER_TESTS_GRID_FILES_H

#include <unistd.h>

#include "support.h"

#include "base/file.h"
#include "grid/grid.h"

struct scratch {
  char root[256];
  char configs[300], data[300], models[300];
  const char *config_list[2], *data_list[2], *model_list[2];
  struct places places;
};

static inline void scratch_write(const struct scratch *s, const char *name, const char *text) {
  struct error err = {0};
  char *path, *dir;
  assert_ok(path_join(&path, s->root, name, &err));
  assert_ok(path_dir(&dir, path, &err));
  assert_ok(file_make_dirs(dir, &err));
  assert_ok(file_write(path, text, strlen(text), &err));
  free(dir);
  free(path);
}

static inline void scratch_open(struct scratch *s) {
  memset(s, 0, sizeof *s);
  const char *tmp = getenv("TMPDIR");
  (void)snprintf(s->root, sizeof s->root, "%s/espalier-grid-XXXXXX", tmp ? tmp : "/tmp");
  assert_non_null(mkdtemp(s->root));
  (void)snprintf(s->configs, sizeof s->configs, "%s/configs", s->root);
  (void)snprintf(s->data, sizeof s->data, "%s/data", s->root);
  (void)snprintf(s->models, sizeof s->models, "%s/models", s->root);
  s->config_list[0] = s->configs;
  s->data_list[0] = s->data;
  s->model_list[0] = s->models;
  s->places = (struct places){{s->config_list, s->data_list}, s->model_list};
}

static inline void scratch_close(const struct scratch *s) {
  char command[400];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", s->root);
  assert_int_equal(system(command), 0); /* NOLINT(bugprone-command-processor,cert-env33-c) */
}

#endif
