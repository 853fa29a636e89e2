/* The prompt: reads, runs, prints.
 *
 * Off a terminal it is lua's own loop, to the letter: the prompt goes to
 * standard output, results through the global print. On a terminal lines are
 * edited, values are printed by weft.print and Ctrl-C is sticky: see prompt.h.
 */
#ifndef WEFT_REPL_H
#define WEFT_REPL_H

#include "shell.h"

/* Whether standard input and output are a terminal. */
bool repl_on_terminal(void);

/* Until the end of input. */
void repl_run(Shell *shell);

#endif
