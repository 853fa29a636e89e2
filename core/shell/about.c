/* Versions and help, on standard output. */
#include "about.h"

#include <dirent.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "version.h"
#include "weftdir.h"

void about_banner(void) {
    puts("weft " WEFT_VERSION);
    puts(LUA_COPYRIGHT);
    fflush(stdout);
}

void about_greeting(void) {
    puts("weft " WEFT_VERSION ", " LUA_RELEASE
         "; ?name or help() for help, TAB completes, Ctrl-D leaves");
    fflush(stdout);
}

/* Pushes the first line that gnuplot --version prints, or what to say where
 * it can't be run. The core's module is on top of the stack. */
static void push_gnuplot(lua_State *L) {
    lua_getfield(L, -1, "sys");
    lua_getfield(L, -1, "run");
    lua_newtable(L);
    lua_pushliteral(L, "gnuplot");
    lua_rawseti(L, -2, 1);
    lua_pushliteral(L, "--version");
    lua_rawseti(L, -2, 2);
    lua_call(L, 1, 2);
    if (lua_isinteger(L, -2) && lua_tointeger(L, -2) == 0) {
        const char *line = luaL_checkstring(L, -1);
        lua_pushlstring(L, line, strcspn(line, "\n"));
    } else {
        lua_pushliteral(L, "gnuplot: not found, so no figures");
    }
}

/* Prints the lines that need the core. */
static int print_core(lua_State *L) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "weft.core");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "version");
    lua_getfield(L, -1, "blas");
    lua_getfield(L, -2, "lapack");
    puts(luaL_checkstring(L, -2));
    printf("LAPACK %s\n", luaL_checkstring(L, -1));
    lua_pop(L, 3);
    push_gnuplot(L);
    puts(luaL_checkstring(L, -1));
    return 0;
}

bool about_version(Shell *shell) {
    puts("weft " WEFT_VERSION);
    puts(LUA_RELEASE);
    lua_pushcfunction(shell->L, print_core);
    return call_report(shell, call_run(shell, 0, 0)) == LUA_OK;
}

void about_usage(const Shell *shell, FILE *to) {
    fprintf(to,
            "usage: %s [options] [script [arguments]]\n"
            "       %s command [arguments]\n"
            "\n"
            "options, as in lua:\n"
            "  -e code    run code\n"
            "  -i         prompt after the script\n"
            "  -l name    require a library into the global name\n"
            "  -l g=name  require a library into the global g\n"
            "  -v         print versions\n"
            "  -E         ignore the environment's variables\n"
            "  -W         turn warnings on\n"
            "  --         end of the options\n"
            "  -          end of the options, run standard input\n"
            "and of weft:\n"
            "  --help     print this and the commands\n"
            "  --version  print the versions of all that weft stands on\n",
            shell->name, shell->name);
}

/* What a script's first line, "-- weft NAME: words, more", says of it: the
 * words. Cut out of `line` in place; empty where it is no such comment. */
static const char *summary(char *line) {
    char *colon = strstr(line, ": ");
    char *words = colon != NULL ? colon + 2 : line + 3;
    if (strncmp(line, "-- ", 3) != 0)
        return "";
    words[strcspn(words, ",;\n")] = '\0';
    return words;
}

/* Prints a command and its summary. */
static void print_command(const Shell *shell, const char *file) {
    char name[NAME_MAX + 1], path[PATH_MAX], line[160] = "";
    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - 4), file);
    FILE *script = weftdir_command(shell, name, path) ? fopen(path, "r") : NULL;
    if (script == NULL)
        return;
    const char *words =
        fgets(line, sizeof line, script) != NULL ? summary(line) : "";
    fclose(script);
    printf(*words != '\0' ? "  %-10s %s\n" : "  %s\n", name, words);
}

static int is_lua(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".lua") == 0;
}

void about_help(const Shell *shell) {
    char folder[PATH_MAX + 16];
    struct dirent **files;
    about_usage(shell, stdout);
    snprintf(folder, sizeof folder, "%s/scripts", shell->weftdir);
    int count = scandir(folder, &files, is_lua, alphasort);
    if (count < 0)
        return;
    if (count > 0)
        printf("\ncommands (%s command --help tells more):\n", shell->name);
    for (int i = 0; i < count; i++) {
        print_command(shell, files[i]->d_name);
        free(files[i]);
    }
    free(files);
}
