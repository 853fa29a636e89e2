/* weft: Lua's stand-alone interpreter, with a module and commands of its own.
 *
 * The order of work is lua's: options, libraries, the table `arg`, LUA_INIT,
 * -e and -l, the script, the prompt. */
#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "about.h"
#include "call.h"
#include "interrupt.h"
#include "options.h"
#include "ranks.h"
#include "repl.h"
#include "script.h"
#include "weftdir.h"

/* A full disk must not look like success. */
static bool close_output(void) {
    bool pending = __fpending(stdout) != 0;
    bool failed = ferror(stdout) != 0;
    errno = 0;
    if (fclose(stdout) != 0 && (pending || errno != EBADF))
        failed = true;
    if (failed)
        fprintf(stderr, "%s: standard output could not be written%s%s\n",
                program_invocation_name, errno != 0 ? ": " : "",
                errno != 0 ? strerror(errno) : "");
    return !failed;
}

/* Runs at every exit, os.exit too. Libraries must not be torn down while a
 * worker may still compute: where the state was not closed, or Ctrl-C left
 * work behind, this is the end. */
static void finish(int status, void *data) {
    const Shell *shell = data;
    if (!close_output())
        status = status == EXIT_SUCCESS ? EXIT_FAILURE : status;
    else if (shell->closed && !interrupt_happened())
        return;
    fflush(NULL);
    _exit(status);
}

/* The global `arg`: the script's word at 0, what precedes it below. */
static void set_arg_table(lua_State *L, int argc, char **argv, int script) {
    if (script == argc)
        script = 0;
    lua_createtable(L, argc - script, script + 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - script);
    }
    lua_setglobal(L, "arg");
}

/* Libraries, `arg`, the module's loaders and the global `weft`. */
static void open_state(Shell *shell, int argc, char **argv,
                       const Options *options) {
    lua_State *L = shell->L;
    luaL_checkversion(L);
    if (options->no_env) {
        lua_pushboolean(L, 1);
        lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    }
    luaL_openlibs(L);
    set_arg_table(L, argc, argv, options->script);
    weftdir_add_loaders(shell);
    weftdir_add_global(L);
    lua_gc(L, LUA_GCGEN, 0, 0);
}

/* What follows the options: script, prompt or standard input. */
static bool run_rest(Shell *shell, int argc, char **argv,
                     const Options *options) {
    bool script = options->script < argc;
    if (script && script_word(shell, argv, options->script) != LUA_OK)
        return false;
    if (options->interactive) {
        repl_run(shell);
    } else if (!script && !options->executes && !options->show_version) {
        if (isatty(STDIN_FILENO)) {
            repl_run(shell);
        } else { /* in lua no error of such a script shows in the status */
            (void)script_file(shell, NULL);
            return !shell->interrupted;
        }
    }
    return true;
}

/* All but making the state, in protected mode: true where all went well. */
static bool run(Shell *shell, int argc, char **argv) {
    Options options;
    options_parse(&options, argv);
    if (options.wrong != NULL) {
        options_complain(shell, options.wrong);
        return false;
    }
    if (options.help) {
        about_help(shell);
        return true;
    }
    shell->no_env = options.no_env;
    shell->greeted = (options.show_version ||
                      (options.interactive && !repl_on_terminal())) &&
                     !options.version;
    if (shell->greeted)
        about_banner();
    open_state(shell, argc, argv, &options);
    if (options.version)
        return about_version(shell);
    if (!options.no_env && script_init(shell) != LUA_OK)
        return false;
    return options_run(shell, argv, options.script) &&
           run_rest(shell, argc, argv, &options);
}

static int protected_run(lua_State *L) {
    Shell *shell = lua_touserdata(L, 1);
    char **argv = lua_touserdata(L, 2);
    int argc = (int)lua_tointeger(L, 3);
    lua_settop(L, 0);
    lua_pushboolean(L, run(shell, argc, argv));
    return 1;
}

int main(int argc, char **argv) {
    Shell shell = {.L = luaL_newstate(), .name = "weft"};
    if (argc > 0 && argv[0][0] != '\0')
        shell.name = argv[0];
    on_exit(finish, &shell);
    if (shell.L == NULL) {
        call_message(&shell, "cannot create state: not enough memory");
        exit(EXIT_FAILURE);
    }
    weftdir_find(&shell);
    shell_ranks_join(&shell, argc, argv);
    lua_pushcfunction(shell.L, protected_run);
    lua_pushlightuserdata(shell.L, &shell);
    lua_pushlightuserdata(shell.L, argv);
    lua_pushinteger(shell.L, argc);
    int status = lua_pcall(shell.L, 3, 1, 0);
    bool done = status == LUA_OK && lua_toboolean(shell.L, -1);
    (void)call_report(&shell, status);
    lua_close(shell.L);
    shell.closed = true;
    /* not return: finish needs this frame */
    exit(done                ? EXIT_SUCCESS
         : shell.interrupted ? EXIT_INTERRUPTED
                             : EXIT_FAILURE);
}
