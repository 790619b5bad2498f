/* Which kernels the libraries chose for this processor: they go by its model number, and on virtual
 * machines may be wrong. */
#ifndef ESPALIER_LINALG_LIBRARIES_H
#define ESPALIER_LINALG_LIBRARIES_H

#include "base/error.h"

/* "2.6.3, avx512_core_amx"; the caller frees *out. */
status libraries_onednn(char **out, struct error *err);

/* OpenBLAS's own line: version, build, and the core it runs as; the caller frees *out. */
status libraries_openblas(char **out, struct error *err);

#endif
