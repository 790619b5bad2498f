/* How damping rises until a matrix is positive definite. Private to linalg. */
#ifndef ESPALIER_LINALG_DAMPING_H
#define ESPALIER_LINALG_DAMPING_H

enum { DAMPING_TRIES = 7 }; /* the asked damping, then up to 1e6 times as much */

/* A damping of zero is raised to 1e-4 first. */
static inline double damping_next(double now) {
  return now > 0 ? now * 10 : 1e-4;
}

#endif
