/* Running code: texts, libraries, LUA_INIT, and the word on the command line
 * that names a script. Each reports its own failure and returns Lua's status.
 */
#ifndef WEFT_SCRIPT_H
#define WEFT_SCRIPT_H

#include "shell.h"

/* NULL is standard input. */
int script_file(Shell *shell, const char *path);
int script_text(Shell *shell, const char *text, const char *chunk);
/* "name" or "global=name": requires it into a global. */
int script_library(Shell *shell, const char *name);
/* LUA_INIT_5_4, else LUA_INIT: a text, or @ and a file's name. */
int script_init(Shell *shell);

/* The word at argv[at] with the arguments of the table `arg`: a path (it has
 * a slash or ends in .lua), else a stock command, else a file of that name;
 * "-" is standard input. Not LUA_OK where it failed or names nothing. */
int script_word(Shell *shell, char **argv, int at);

#endif
