/* SparseGPT with its factor from ScaLAPACK: the masks of the reference, on any number of ranks. */
#include "layers.h"
#include "mpi_support.h"

static int check(const struct layers *l, const cJSON *c, const char *name,
                 const struct layer_wish *wish, const struct group *group) {
  struct error err = {0};
  float *got;
  size_t other = 0;
  double apart = 0;
  status st = layers_prune(l, c, wish, FACTOR_SCALAPACK, group, &got, &err);
  bool good = st == STATUS_OK && layers_compare(l, c, name, got, &other, &apart);
  free(got);
  if (!good || other != 0 || apart > 1e-5) {
    (void)fprintf(stderr, "rank %d of %d, %s %s: %zu mask bits differ, weights by %g: %s\n",
                  group->rank, group->size, c->string, name, other, apart, err.text);
    return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  mpi_start(&argc, &argv);
  struct layers layers;
  struct group group;
  int failed = 0, checked = 0;
  if (!layers_open(&layers)) {
    return mpi_finish(support_skip("prune.sparsegpt", "no reference layers"));
  }
  failed += group_from(&group, MPI_COMM_WORLD, NULL) != STATUS_OK;
  const cJSON *c, *array;
  cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(layers.index, "cases")) {
    cJSON_ArrayForEach(array, cJSON_GetObjectItemCaseSensitive(c, "arrays")) {
      struct layer_wish wish;
      if (layers_understand(array->string, &wish) && wish.method->needs_factor) {
        failed += check(&layers, c, array->string, &wish, &group);
        checked++;
      }
    }
  }
  layers_close(&layers);
  return mpi_finish(failed != 0 || checked < 9);
}
