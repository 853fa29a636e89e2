/* Calls from the top level, and how their errors are told. */
#ifndef WEFT_CALL_H
#define WEFT_CALL_H

#include "shell.h"

/* lua_pcall with a traceback added to the message and Ctrl-C heard. Sets
 * shell->interrupted. Returns Lua's status. */
int call_run(Shell *shell, int args, int results);

/* `status` is a load's or call_run's: where it is not LUA_OK the message on
 * top of the stack goes to standard error and off the stack. Returns it. */
int call_report(Shell *shell, int status);

/* One line on standard error, after the program's name. */
void call_message(const Shell *shell, const char *message);

#endif
