/* Protected calls with a traceback. */
#include "call.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "interrupt.h"

/* Every error value becomes a text; strings get a traceback. */
static int message_handler(lua_State *L) {
    const char *message = lua_tostring(L, 1);
    if (message == NULL) {
        if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
            return 1;
        message = lua_pushfstring(L, "(error object is a %s value)",
                                  luaL_typename(L, 1));
    }
    luaL_traceback(L, L, message, 1);
    return 1;
}

/* Whether the message on top is Ctrl-C's own: a script may have caught that
 * and failed of something else. */
static bool says_interrupted(lua_State *L) {
    const char *message = lua_tostring(L, -1);
    return message != NULL && strstr(message, "interrupted") != NULL;
}

int call_run(Shell *shell, int args, int results) {
    lua_State *L = shell->L;
    int base = lua_gettop(L) - args;
    lua_pushcfunction(L, message_handler);
    lua_insert(L, base);
    interrupt_begin(L);
    int status = lua_pcall(L, args, results, base);
    bool fired = interrupt_end(L);
    lua_remove(L, base);
    shell->interrupted = fired && status != LUA_OK &&
                         (interrupt_is_sticky() || says_interrupted(L));
    return status;
}

void call_message(const Shell *shell, const char *message) {
    if (shell->prompting)
        fprintf(stderr, "%s\n", message);
    else
        fprintf(stderr, "%s: %s\n", shell->name, message);
    fflush(stderr);
}

int call_report(Shell *shell, int status) {
    if (status == LUA_OK)
        return status;
    const char *message = lua_tostring(shell->L, -1);
    if (shell->interrupted && interrupt_is_sticky())
        fputs("interrupted\n", stderr);
    else
        call_message(shell, message != NULL ? message : "(no message)");
    lua_pop(shell->L, 1);
    return status;
}
