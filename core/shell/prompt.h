/* The prompt on a terminal.
 *
 * Expressions print themselves through weft.prompt and weft.print; a chunk
 * goes on over lines until it is complete, and what is pasted is one chunk.
 * Where those modules can't be loaded the global print does it, as in lua. */
#ifndef WEFT_PROMPT_H
#define WEFT_PROMPT_H

#include "shell.h"

/* Until the end of input. */
void prompt_run(Shell *shell);

/* Pushes the text of _PROMPT or _PROMPT2 and returns it. */
const char *prompt_push(lua_State *L, bool first);

/* Whether `status` and the message on top are of a chunk that ended too early.
 */
bool prompt_incomplete(lua_State *L, int status);

#endif
