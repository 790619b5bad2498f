#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"

/* argp names the reason of a refusal only in text that it prints itself; so arguments are checked
 * here first, and argp then meets nothing it could complain about. */

enum { OPTIONS_MOST = 64 };

static const struct argp_option *find_long(const struct argp_option *options, const char *name,
                                           size_t length) {
  for (const struct argp_option *o = options; o && (o->name || o->key); o++) {
    if (o->name && strlen(o->name) == length && strncmp(o->name, name, length) == 0) {
      return o;
    }
  }
  return NULL;
}

static const struct argp_option *find_short(const struct argp_option *options, char key) {
  for (const struct argp_option *o = options; o && (o->name || o->key); o++) {
    if (o->key == key) {
      return o;
    }
  }
  return NULL;
}

static status unknown_long(const struct argp_option *options, const char *name, size_t length,
                           struct error *err) {
  const char *names[OPTIONS_MOST];
  size_t count = 0;
  names[count++] = "help";
  for (const struct argp_option *o = options; o && (o->name || o->key) && count < OPTIONS_MOST;
       o++) {
    if (o->name) {
      names[count++] = o->name;
    }
  }
  char word[128];
  (void)snprintf(word, sizeof word, "%.*s", (int)length, name);
  int near = str_nearest(word, names, count);
  if (near >= 0) {
    return err_set(err, STATUS_INPUT, "unknown option --%s (did you mean --%s?)", word,
                   names[near]);
  }
  return err_set(err, STATUS_INPUT, "unknown option --%s (see --help)", word);
}

struct scan {
  const struct argp_option *options;
  const char *const *repeatable;
  bool seen[OPTIONS_MOST];
};

static status note_seen(struct scan *s, const struct argp_option *o, struct error *err) {
  size_t at = (size_t)(o - s->options);
  if (at >= OPTIONS_MOST) {
    return err_set(err, STATUS_BUG, "a command has more than %d options", OPTIONS_MOST);
  }
  for (size_t i = 0; s->repeatable && s->repeatable[i]; i++) {
    if (o->name && strcmp(s->repeatable[i], o->name) == 0) {
      return STATUS_OK;
    }
  }
  if (s->seen[at]) {
    return o->name ? err_set(err, STATUS_INPUT, "option --%s is given twice", o->name)
                   : err_set(err, STATUS_INPUT, "option -%c is given twice", o->key);
  }
  s->seen[at] = true;
  return STATUS_OK;
}

/* One argument that starts with two dashes; *i moves past a value in the next argument. */
static status scan_long(struct scan *s, int argc, char **argv, int *i, bool *help,
                        struct error *err) {
  const char *name = argv[*i] + 2;
  size_t length = strcspn(name, "=");
  bool value = name[length] == '=';
  if (strcmp(name, "help") == 0) {
    *help = true;
    return STATUS_OK;
  }
  const struct argp_option *o = find_long(s->options, name, length);
  if (!o) {
    return unknown_long(s->options, name, length, err);
  }
  TRY(note_seen(s, o, err));
  if (o->arg && !value && ++*i >= argc) {
    return err_set(err, STATUS_INPUT, "option --%s needs a value (%s)", o->name, o->arg);
  }
  if (!o->arg && value) {
    return err_set(err, STATUS_INPUT, "option --%s takes no value", o->name);
  }
  return STATUS_OK;
}

static status scan_short(struct scan *s, int argc, char **argv, int *i, bool *help,
                         struct error *err) {
  for (const char *p = argv[*i] + 1; *p; p++) {
    const struct argp_option *o = find_short(s->options, *p);
    if (!o && (*p == 'h' || *p == '?')) {
      *help = true;
      continue;
    }
    if (!o) {
      return err_set(err, STATUS_INPUT, "unknown option -%c (see --help)", *p);
    }
    TRY(note_seen(s, o, err));
    if (o->arg) {
      if (!p[1] && ++*i >= argc) {
        return err_set(err, STATUS_INPUT, "option -%c needs a value (%s)", *p, o->arg);
      }
      return STATUS_OK;
    }
  }
  return STATUS_OK;
}

static status scan_all(struct scan *s, int argc, char **argv, bool *help, struct error *err) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--") == 0) {
      break;
    }
    if (strncmp(argv[i], "--", 2) == 0) {
      TRY(scan_long(s, argc, argv, &i, help, err));
    } else if (argv[i][0] == '-' && argv[i][1]) {
      TRY(scan_short(s, argc, argv, &i, help, err));
    }
    if (*help) {
      break;
    }
  }
  return STATUS_OK;
}

status cli_parse(const struct argp *argp, const char *const *repeatable, int argc, char **argv,
                 void *options, struct error *err) {
  struct scan scan = {.options = argp->options, .repeatable = repeatable};
  bool help = false;
  TRY(scan_all(&scan, argc, argv, &help, err));
  if (help) {
    char name[64];
    (void)snprintf(name, sizeof name, "espalier %s", argv[0]);
    (void)setenv("ARGP_HELP_FMT", "no-dup-args-note,rmargin=100", 0);
    argp_help(argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
    exit(fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  struct cli_input in = {options, err};
  err->text[0] = '\0';
  int end = 0;
  error_t code =
      argp_parse(argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT, &end, &in);
  if (code == 0 && end >= argc) {
    return STATUS_OK;
  }
  if (err->text[0]) {
    return err->code;
  }
  if (end < argc) {
    return err_set(err, STATUS_INPUT, "unexpected argument '%s' (see espalier %s --help)",
                   argv[end], argv[0]);
  }
  return err_set(err, STATUS_INPUT, "bad usage (see espalier %s --help)", argv[0]);
}

error_t cli_refuse(const struct cli_input *in, const char *format, ...) {
  char text[ERROR_TEXT];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  (void)err_set(in->err, STATUS_INPUT, "%s", text);
  return EINVAL;
}

error_t cli_int(const struct cli_input *in, const char *name, const char *text, long low, long high,
                int *out) {
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (end == text || *end || errno || value < low || value > high) {
    return cli_refuse(in, "%s: '%s' (expected a whole number from %ld to %ld)", name, text, low,
                      high);
  }
  *out = (int)value;
  return 0;
}

error_t cli_choice(const struct cli_input *in, const char *name, const char *text,
                   const char *const *names, size_t count, int *out) {
  char list[512] = "";
  for (size_t i = 0, at = 0; i < count; i++) {
    if (strcmp(text, names[i]) == 0) {
      *out = (int)i;
      return 0;
    }
    int n = snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", names[i]);
    at += n > 0 && at + (size_t)n < sizeof list ? (size_t)n : 0;
  }
  int near = str_nearest(text, names, count);
  if (near >= 0) {
    return cli_refuse(in, "%s: '%s' (did you mean %s? expected one of %s)", name, text, names[near],
                      list);
  }
  return cli_refuse(in, "%s: '%s' (expected one of %s)", name, text, list);
}

error_t cli_precision(const struct cli_input *in, const char *text, enum precision *out) {
  const char *names[PRECISION_COUNT];
  for (int i = 0; i < PRECISION_COUNT; i++) {
    names[i] = precision_name((enum precision)i);
  }
  int choice = 0;
  error_t code = cli_choice(in, "--precision", text, names, PRECISION_COUNT, &choice);
  if (code == 0) {
    *out = (enum precision)choice;
  }
  return code;
}
