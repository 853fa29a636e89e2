/* Ctrl-C, in two modes.
 *
 * Once, for users' scripts, -e and standard input: as in lua, the first signal
 * raises "interrupted!" in the main state, where pcall may catch it, and a
 * second one ends the process. No hook is set before.
 * Sticky, for stock commands and the prompt: a flag that a count hook sees
 * in every coroutine and raises again until the top level clears it.
 * In both the core's cancel flag is set, so that a long spectrum stops. */
#ifndef WEFT_INTERRUPT_H
#define WEFT_INTERRUPT_H

#include <lua.h>
#include <stdbool.h>

/* Looks up the core's flag, whose address weft.core leaves in the registry:
 * call it when that module has been loaded. */
void interrupt_find_flag(lua_State *L);

/* From now on sticky, for good. Call before any coroutine is made. */
void interrupt_make_sticky(lua_State *L);
bool interrupt_is_sticky(void);

/* Around every call from the top level. interrupt_end lowers the flag and
 * tells whether Ctrl-C came since interrupt_begin (sticky: since the last
 * interrupt_end). */
void interrupt_begin(lua_State *L);
bool interrupt_end(lua_State *L);

/* Whether Ctrl-C ever came. */
bool interrupt_happened(void);

#endif
