/* The prompt: reads, runs, prints.
 *
 * Off a terminal it is lua's own loop, to the letter: the prompt goes to
 * standard output, results through the global print. On a terminal lines are
 * edited and Ctrl-C is sticky. */
#ifndef WEFT_REPL_H
#define WEFT_REPL_H

#include "shell.h"

/* Until the end of input. */
void repl_run(Shell *shell);

#endif
