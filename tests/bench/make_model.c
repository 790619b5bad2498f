/* Writes a LLaMA checkpoint of random weights.   make_model FOLDER SHAPE DTYPE
 * SHAPE as in espalier bench --shape; DTYPE float32 or bfloat16. */
#include <stdio.h>
#include <string.h>

#include "model/synthetic.h"

int main(int argc, char **argv) {
  struct error err = {0};
  struct synthetic_shape shape;
  if (argc != 4 || (strcmp(argv[3], "float32") != 0 && strcmp(argv[3], "bfloat16") != 0)) {
    (void)fprintf(stderr, "usage: make_model FOLDER SHAPE float32|bfloat16\n");
    return 2;
  }
  enum dtype dtype = strcmp(argv[3], "float32") == 0 ? DTYPE_F32 : DTYPE_BF16;
  status st = synthetic_shape_parse(&shape, argv[2], &err);
  st = st == STATUS_OK ? synthetic_write(argv[1], &shape, dtype, 0, &err) : st;
  if (st != STATUS_OK) {
    (void)fprintf(stderr, "make_model: %s\n", err.text);
  }
  return status_exit(st);
}
