/* The syntax tree that expr_parse makes and expr_eval walks. */
#ifndef ESPALIER_DATA_EXPR_TREE_H
#define ESPALIER_DATA_EXPR_TREE_H

#include "data/expr.h"
#include "data/filter.h"

enum expr_op {
  EXPR_CONSTANT,
  EXPR_NAME,   /* name */
  EXPR_MEMBER, /* args[0].name */
  EXPR_INDEX,  /* args[0][args[1]] */
  EXPR_SLICE,  /* args[0][args[1]:args[2]]; NULL: open */
  EXPR_LIST,   /* args */
  EXPR_FILTER, /* args[0] | filter(args[1..]) */
  EXPR_NEGATE,
  EXPR_ADD,
  EXPR_SUBTRACT,
  EXPR_JOIN, /* ~ */
  EXPR_EQUAL,
  EXPR_UNEQUAL,
  EXPR_LESS,
  EXPR_LESS_EQUAL,
  EXPR_MORE,
  EXPR_MORE_EQUAL,
  EXPR_IN,
  EXPR_NOT_IN,
  EXPR_NOT,
  EXPR_AND,
  EXPR_OR,
  EXPR_CHOOSE, /* args[0] if args[1] else args[2] */
};

struct expr {
  enum expr_op op;
  struct origin origin;
  struct value constant;
  const char *name;
  const struct filter *filter;
  size_t count;
  struct expr *args[]; /* [count] */
};

#endif
