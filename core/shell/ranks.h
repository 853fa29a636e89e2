/* The program as one rank of several, where mpirun started it: rank 0 goes on
 * as ever, every other one serves it (core/ranks.h) and runs no script. */
#ifndef WEFT_SHELL_RANKS_H
#define WEFT_SHELL_RANKS_H

#include "shell.h"

/* Where this is one of several ranks, loads mpi.so and joins them; on exit
 * they are left. Does not return on ranks that serve, nor where there is no
 * mpi.so: that is a line on standard error and status 1. */
void shell_ranks_join(Shell *shell, int argc, char **argv);

#endif
