#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/bench.h"
#include "linalg/libraries.h"

/* Linux's name of the first processor; the caller frees *out. */
static status cpu_name(char **out, struct error *err) {
  char line[256], name[256] = "unknown";
  FILE *f = fopen("/proc/cpuinfo", "r");
  while (f && fgets(line, sizeof line, f)) {
    const char *colon = strchr(line, ':');
    if (str_starts(line, "model name") && colon) {
      const char *text = colon + 1 + strspn(colon + 1, " \t");
      (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "\n"), text);
      break;
    }
  }
  if (f) {
    (void)fclose(f);
  }
  return str_format(out, err, "%s", name);
}

status bench_host_collect(struct bench_host *out, const struct session *session,
                          struct error *err) {
  *out = (struct bench_host){.threads = session->threads, .ranks = session->group.size};
  TRY(cpu_name(&out->cpu, err));
  TRY(libraries_onednn(&out->onednn, err));
  return libraries_openblas(&out->openblas, err);
}

void bench_host_free(struct bench_host *h) {
  free(h->cpu);
  free(h->onednn);
  free(h->openblas);
  *h = (struct bench_host){0};
}

void bench_host_print(const struct bench_host *h, int repeats) {
  printf("%s, %d thread%s", h->cpu, h->threads, h->threads == 1 ? "" : "s");
  if (h->ranks > 1) {
    printf(" of each of %d ranks", h->ranks);
  }
  printf("\noneDNN %s; %s\nmedians of %d interleaved repeats\n", h->onednn, h->openblas, repeats);
  (void)fflush(stdout);
}
