#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "prune/method.h"
#include "prune/number.h"

static size_t spec_count(const struct method *m) {
  size_t n = 0;
  while (m->params && m->params[n].name) {
    n++;
  }
  return n;
}

struct params method_defaults(const struct method *m) {
  struct params p = {{0}};
  for (size_t i = 0; i < spec_count(m); i++) {
    p.value[i] = m->params[i].value;
  }
  return p;
}

int method_param_index(const struct method *m, const char *name) {
  for (size_t i = 0; i < spec_count(m); i++) {
    if (strcmp(m->params[i].name, name) == 0) {
      return (int)i;
    }
  }
  return -1;
}

static status unknown(const struct method *m, const char *name, struct error *err) {
  const char *names[METHOD_PARAMS];
  size_t count = spec_count(m);
  for (size_t i = 0; i < count; i++) {
    names[i] = m->params[i].name;
  }
  int near = str_nearest(name, names, count);
  if (near >= 0) {
    return err_set(err, STATUS_INPUT, "method %s has no parameter '%s' (did you mean '%s'?)",
                   m->name, name, names[near]);
  }
  return err_set(err, STATUS_INPUT, "method %s has no parameter '%s'", m->name, name);
}

static status set_choice(const struct param_spec *spec, double *value, const char *text,
                         struct error *err) {
  struct str expected = {0};
  for (int i = 0; spec->choices[i]; i++) {
    if (strcmp(spec->choices[i], text) == 0) {
      str_free(&expected);
      *value = i;
      return STATUS_OK;
    }
    status st = str_addf(&expected, err, "%s%s", i ? " or " : "", spec->choices[i]);
    if (st != STATUS_OK) {
      str_free(&expected);
      return st;
    }
  }
  status st = err_set(err, STATUS_INPUT, "parameter %s is '%s' (expected %s)", spec->name, text,
                      expected.at ? expected.at : "nothing");
  str_free(&expected);
  return st;
}

status method_param_set(const struct method *m, struct params *p, const char *name,
                        const char *text, struct error *err) {
  int i = method_param_index(m, name);
  if (i < 0) {
    return unknown(m, name, err);
  }
  const struct param_spec *spec = &m->params[i];
  if (spec->kind == PARAM_CHOICE) {
    return set_choice(spec, &p->value[i], text, err);
  }
  double value;
  bool whole = spec->kind == PARAM_INT;
  if (!number_parse(&value, text) || (whole && value != floor(value))) {
    return err_set(err, STATUS_INPUT, "parameter %s is '%s' (expected a %snumber)", name, text,
                   whole ? "whole " : "");
  }
  if (value < spec->low || value > spec->high) {
    return err_set(err, STATUS_INPUT, "parameter %s is %s (expected %g to %g)", name, text,
                   spec->low, spec->high);
  }
  p->value[i] = value + 0.0; /* −0 becomes 0 */
  return STATUS_OK;
}

static status add_value(struct str *s, const struct param_spec *spec, double value,
                        struct error *err) {
  if (spec->kind == PARAM_CHOICE) {
    return str_addf(s, err, "\"%s\"", spec->choices[(int)value]);
  }
  char text[32];
  number_print(value, text);
  return str_addf(s, err, "%s", text);
}

status method_params_json(const struct method *m, const struct params *p, char **out,
                          struct error *err) {
  struct str s = {0};
  status st;
  TRY_GOTO(st, done, str_addf(&s, err, "{"));
  for (size_t i = 0; i < spec_count(m); i++) {
    TRY_GOTO(st, done, str_addf(&s, err, "%s\"%s\":", i ? "," : "", m->params[i].name));
    TRY_GOTO(st, done, add_value(&s, &m->params[i], p->value[i], err));
  }
  TRY_GOTO(st, done, str_addf(&s, err, "}"));
  *out = s.at;
  return STATUS_OK;
done:
  str_free(&s);
  return st;
}
