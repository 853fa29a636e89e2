/* Loading and running chunks. */
#include "script.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "interrupt.h"
#include "weftdir.h"

/* Runs the chunk that a load of this status left, and reports. */
static int run_chunk(Shell *shell, int status) {
    if (status == LUA_OK)
        status = call_run(shell, 0, 0);
    return call_report(shell, status);
}

int script_file(Shell *shell, const char *path) {
    return run_chunk(shell, luaL_loadfile(shell->L, path));
}

int script_text(Shell *shell, const char *text, const char *chunk) {
    return run_chunk(shell,
                     luaL_loadbuffer(shell->L, text, strlen(text), chunk));
}

int script_library(Shell *shell, const char *name) {
    lua_State *L = shell->L;
    const char *equals = strchr(name, '=');
    const char *module = equals != NULL ? equals + 1 : name;
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    lua_pushglobaltable(L);
    lua_pushlstring(L, name, length);
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    int status = call_run(shell, 1, 1);
    if (status == LUA_OK)
        lua_settable(L, -3);
    else
        (void)call_report(shell, status);
    lua_settop(L, 0);
    return status;
}

int script_init(Shell *shell) {
    const char *chunk = "=LUA_INIT_5_4";
    const char *text = getenv(chunk + 1);
    if (text == NULL) {
        chunk = "=LUA_INIT";
        text = getenv(chunk + 1);
    }
    if (text == NULL)
        return LUA_OK;
    if (text[0] == '@')
        return script_file(shell, text + 1);
    return script_text(shell, text, chunk);
}

/* Pushes arg[1] .. arg[#arg]; returns how many. Raises. */
static int push_args(lua_State *L) {
    if (lua_getglobal(L, "arg") != LUA_TTABLE)
        luaL_error(L, "'arg' is not a table");
    int table = lua_gettop(L);
    int count = (int)luaL_len(L, table);
    luaL_checkstack(L, count + 3, "too many arguments to script");
    for (int i = 1; i <= count; i++)
        lua_rawgeti(L, table, i);
    lua_remove(L, table);
    return count;
}

/* Whether the first word names a file whatever commands there are. */
static bool is_path(const char *word) {
    size_t length = strlen(word);
    return strchr(word, '/') != NULL ||
           (length >= 4 && strcmp(word + length - 4, ".lua") == 0);
}

int script_word(Shell *shell, char **argv, int at) {
    lua_State *L = shell->L;
    const char *word = argv[at], *path = word;
    if (strcmp(word, "-") == 0 && strcmp(argv[at - 1], "--") != 0) {
        path = NULL;
    } else if (!is_path(word)) {
        char stock[PATH_MAX];
        if (weftdir_command(shell, word, stock)) {
            path = lua_pushstring(L, stock);
            interrupt_make_sticky(L);
        } else if (access(word, F_OK) != 0) {
            lua_pushfstring(L,
                            "no command and no file is named '%s' "
                            "(%s --help lists the commands)",
                            word, shell->name);
            return call_report(shell, LUA_ERRFILE);
        }
    }
    int status = luaL_loadfile(L, path);
    if (status == LUA_OK) {
        int count = push_args(L);
        status = call_run(shell, count, LUA_MULTRET);
    }
    return call_report(shell, status);
}
