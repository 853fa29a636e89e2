/* The command line: lua's options, --help and --version. */
#ifndef WEFT_OPTIONS_H
#define WEFT_OPTIONS_H

#include "shell.h"

typedef struct Options {
    int script;        /* index of the script's word in argv; argc: none */
    const char *wrong; /* an option that is none, or lacks its argument */
    bool help, version;
    bool interactive;  /* -i */
    bool show_version; /* -v */
    bool executes;     /* -e */
    bool no_env;       /* -E */
} Options;

/* Looks through argv (NULL-terminated) up to the script's word. */
void options_parse(Options *options, char **argv);

/* Carries out -e, -l and -W in their order, up to argv[end]. False after a
 * failure, which has been reported. */
bool options_run(Shell *shell, char **argv, int end);

/* What is wrong with options->wrong, and the usage, on standard error. */
void options_complain(const Shell *shell, const char *wrong);

#endif
