#include "linalg/libraries.h"

#include <cblas.h>
#include <dnnl.h>

#include "base/str.h"

static const char *isa_name(void) {
  static const struct {
    dnnl_cpu_isa_t isa;
    const char *name;
  } names[] = {
      {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
      {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
      {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
      {dnnl_cpu_isa_avx512_core, "avx512_core"},
      {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
      {dnnl_cpu_isa_avx2, "avx2"},
      {dnnl_cpu_isa_avx, "avx"},
      {dnnl_cpu_isa_sse41, "sse41"},
  };
  dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if ((unsigned)isa == (unsigned)names[i].isa) {
      return names[i].name;
    }
  }
  return "other";
}

status libraries_onednn(char **out, struct error *err) {
  const dnnl_version_t *v = dnnl_version();
  return str_format(out, err, "%d.%d.%d, %s", v->major, v->minor, v->patch, isa_name());
}

status libraries_openblas(char **out, struct error *err) {
  return str_format(out, err, "%s", openblas_get_config());
}
