/* lua's options: which are there, and running those that run code. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "about.h"
#include "script.h"

/* One option that stands at argv[i]. False where it is wrong. */
static bool take_option(Options *options, char **argv, int *i) {
    const char *rest = argv[*i] + 2;
    switch (argv[*i][1]) {
    case 'E':
        options->no_env = true;
        break;
    case 'W':
        break;
    case 'i':
        options->interactive = true;
        break;
    case 'v':
        options->show_version = true;
        break;
    case 'e':
        options->executes = true;
        /* fall through */
    case 'l':
        if (*rest != '\0')
            return true;
        *i += 1;
        return argv[*i] != NULL && argv[*i][0] != '-';
    default:
        return false;
    }
    return *rest == '\0';
}

void options_parse(Options *options, char **argv) {
    *options = (Options){0};
    int i = argv[0] == NULL ? 0 : 1;
    for (; argv[i] != NULL; i++) {
        const char *word = argv[i];
        if (word[0] != '-' || word[1] == '\0')
            break;
        if (strcmp(word, "--") == 0) {
            i++;
            break;
        }
        if (strcmp(word, "--help") == 0)
            options->help = true;
        else if (strcmp(word, "--version") == 0)
            options->version = true;
        else if (!take_option(options, argv, &i)) {
            options->wrong = word;
            break;
        }
    }
    options->script = i;
}

bool options_run(Shell *shell, char **argv, int end) {
    for (int i = 1; i < end; i++) {
        int option = argv[i][1];
        if (option == 'W')
            lua_warning(shell->L, "@on", 0);
        if (option != 'e' && option != 'l')
            continue;
        const char *value = argv[i][2] != '\0' ? argv[i] + 2 : argv[++i];
        int status = option == 'e'
                         ? script_text(shell, value, "=(command line)")
                         : script_library(shell, value);
        if (status != LUA_OK)
            return false;
    }
    return true;
}

void options_complain(const Shell *shell, const char *wrong) {
    if (wrong[1] == 'e' || wrong[1] == 'l')
        fprintf(stderr, "%s: '%s' needs argument\n", shell->name, wrong);
    else
        fprintf(stderr, "%s: unrecognized option '%s'\n", shell->name, wrong);
    about_usage(shell, stderr);
}
