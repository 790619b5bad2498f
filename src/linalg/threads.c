#include <cblas.h>
#include <omp.h>

#include "linalg/matmul.h"

void linalg_set_threads(int threads) {
  int limit = omp_get_thread_limit();
  int n = threads < 1 ? 1 : threads > limit ? limit : threads;
  /* A smaller team than asked for would make oneDNN start threads of its own inside a tile. */
  omp_set_dynamic(0);
  omp_set_max_active_levels(1); /* a product inside a region stays on its thread */
  omp_set_num_threads(n);
  openblas_set_num_threads(n);
}

int linalg_threads(void) {
  return omp_get_max_threads();
}
