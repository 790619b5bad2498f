#include <signal.h>

#include "cli/cli.h"

int main(int argc, char **argv) {
  /* a write behind the limit on file sizes fails like any other, with a line that says so */
  (void)signal(SIGXFSZ, SIG_IGN);
  return cli_main(argc, argv);
}
