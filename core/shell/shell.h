/* What the parts of the program share: one Shell, made by main. */
#ifndef WEFT_SHELL_H
#define WEFT_SHELL_H

#include <limits.h>
#include <lua.h>
#include <stdbool.h>

enum { EXIT_INTERRUPTED = 130 };

typedef struct Shell {
    lua_State *L;
    const char *name;       /* argv[0] as typed: error lines begin with it */
    bool no_env;            /* -E */
    bool greeted;           /* the versions have been printed */
    bool prompting;         /* error lines of a prompt have no name */
    bool terminal;          /* the prompt is on one: short tracebacks */
    bool colours;           /* and standard error may have colours */
    bool interrupted;       /* Ctrl-C ended the last call_run */
    bool closed;            /* the state is gone */
    char weftdir[PATH_MAX]; /* the module's folder; see weftdir.h */
} Shell;

#endif
