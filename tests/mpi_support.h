/* The two ends of an MPI test program. */
#ifndef ESPALIER_TESTS_MPI_SUPPORT_H
#define ESPALIER_TESTS_MPI_SUPPORT_H

#include <mpi.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

/* MPI_Init loads and unloads plugins that leave memory behind, which no suppression can name. */
static inline void mpi_start(int *argc, char ***argv) {
#ifdef __SANITIZE_ADDRESS__
  __lsan_disable();
#endif
  MPI_Init(argc, argv);
#ifdef __SANITIZE_ADDRESS__
  __lsan_enable();
#endif
}

/* Looks for leaks while MPI's plugins are still mapped, so that suppressions know them by name (at
 * exit they are gone), then finalises. Free everything first. Returns `code`. */
static inline int mpi_finish(int code) {
#ifdef __SANITIZE_ADDRESS__
  __lsan_do_leak_check();
#endif
  MPI_Finalize();
  return code;
}

#endif
