#include "cli/duration.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool duration_parse(const char *text, double *seconds) {
  double days = 0, total = 0;
  const char *at = text;
  if (strchr(text, '-')) {
    char *end;
    days = strtod(text, &end);
    if (end == text || *end != '-' || !isdigit((unsigned char)text[0])) {
      return false;
    }
    at = end + 1;
  }
  for (int parts = 0;; parts++) {
    char *end;
    if (parts == 3 || !isdigit((unsigned char)*at)) {
      return false;
    }
    double value = strtod(at, &end);
    if (parts > 0 && value >= 60) {
      return false;
    }
    total = total * 60 + value;
    if (!*end) {
      break;
    }
    if (*end != ':') {
      return false;
    }
    at = end + 1;
  }
  *seconds = days * 86400 + total;
  return true;
}

void duration_print(double seconds, char *out, size_t size) {
  if (!(seconds >= 0 && seconds < 1e9)) {
    (void)snprintf(out, size, "unknown");
    return;
  }
  long s = (long)(seconds + 0.5);
  if (s < 60) {
    (void)snprintf(out, size, "%ld s", s);
  } else if (s < 3600) {
    (void)snprintf(out, size, "%ld:%02ld", s / 60, s % 60);
  } else {
    (void)snprintf(out, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  }
}

static double ask_squeue(const char *job) {
  for (const char *p = job; *p; p++) {
    if (!isdigit((unsigned char)*p) && *p != '_') {
      return 0;
    }
  }
  char command[128], answer[64] = "";
  (void)snprintf(command, sizeof command, "timeout 30 squeue -h -j %s -o %%L 2>/dev/null", job);
  FILE *f = popen(command, "r");
  if (!f) {
    return 0;
  }
  char *line = fgets(answer, sizeof answer, f);
  (void)pclose(f);
  double seconds;
  answer[strcspn(answer, "\n")] = '\0';
  return line && duration_parse(answer, &seconds) ? seconds : 0;
}

double duration_allocation_left(void) {
  const char *end = getenv("SLURM_JOB_END_TIME"), *job = getenv("SLURM_JOB_ID");
  const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID");
  if (end && *end) {
    double left = strtod(end, NULL) - (double)time(NULL);
    return left > 1 ? left : 1;
  }
  /* one task's own job id is the whole array's, for which squeue answers with all tasks */
  char name[64];
  if (array && *array && task && *task) {
    (void)snprintf(name, sizeof name, "%s_%s", array, task);
    job = name;
  }
  return job && *job ? ask_squeue(job) : 0;
}
