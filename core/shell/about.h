/* What the program tells of itself: -v, --version, --help, the usage. */
#ifndef WEFT_ABOUT_H
#define WEFT_ABOUT_H

#include <stdio.h>

#include "shell.h"

/* -v, and the greeting of a prompt off a terminal: weft's version, then Lua's
 * line. */
void about_banner(void);

/* The greeting on a terminal, one line: the versions and how to get help. */
void about_greeting(void);

/* --version: weft and what it stands on. False where the core can't be
 * loaded, which has been reported. */
bool about_version(Shell *shell);

/* The usage and lua's options. */
void about_usage(const Shell *shell, FILE *to);

/* --help: the usage, and the stock commands with a summary of each. */
void about_help(const Shell *shell);

#endif
