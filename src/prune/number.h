/* Numbers as people write them in configurations, and back in their shortest form. */
#ifndef ESPALIER_PRUNE_NUMBER_H
#define ESPALIER_PRUNE_NUMBER_H

#include <stdbool.h>

/* A finite decimal number and nothing else: no hexadecimal, no "inf", no spaces. */
bool number_parse(double *out, const char *text);

/* The shortest text that number_parse reads back to the same value. */
void number_print(double value, char out[32]);

#endif
