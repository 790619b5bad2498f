/* An experiment file, with the source tree's configs around it; expanded where it is small. */
#include "fuzz.h"

#include "grid/grid.h"
#include "grid/plan.h"
#include "model/synthetic.h"

static char configs[512];

/* A checkpoint of a few hundred weights: models: [tiny]. */
static void make_model(void) {
  struct error err = {0};
  struct synthetic_shape shape;
  char path[320];
  (void)snprintf(path, sizeof path, "%s/tiny", fuzz_folder());
  FUZZ_CHECK(synthetic_shape_parse(&shape, "hidden=8,blocks=1,heads=2,ffn=16,vocab=32,positions=32",
                                   &err) == STATUS_OK);
  FUZZ_CHECK(synthetic_write(path, &shape, DTYPE_BF16, 0, &err) == STATUS_OK);
  const char *source = getenv("ESPALIER_SOURCE");
  (void)snprintf(configs, sizeof configs, "%s/configs", source ? source : ".");
}

static void check(const struct grid *g) {
  FUZZ_CHECK(g->experiment && g->experiment[0] && g->model_count && g->method_count);
  FUZZ_CHECK(g->dataset_count && g->draws >= 1 && g->limit >= 0 && g->shots >= 0);
  for (size_t i = 0; i < g->method_count; i++) {
    FUZZ_CHECK(g->methods[i].method && g->methods[i].count > 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static bool ready;
  if (!ready) {
    make_model();
    ready = true;
  }
  struct error err = {0};
  const char *const folders[] = {fuzz_folder(), NULL}, *const places_configs[] = {configs, NULL};
  struct places places = {{places_configs, folders}, folders};
  struct grid *g;
  status st = grid_open(&g, fuzz_file(0, "grid.yaml", data, size), &places, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    check(g);
    grid_close(g);
  }
  return 0;
}
