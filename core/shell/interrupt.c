/* The handler of SIGINT and the hooks that turn it into a Lua error. */
#include "interrupt.h"

#include <lauxlib.h>
#include <signal.h>

#include "cancel.h"

/* How many VM instructions run between two looks at the flag. */
enum { HOOK_PERIOD = 1000 };
enum {
    HOOK_ALWAYS = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT
};

static lua_State *main_state; /* for the handler, in the mode once */
static volatile sig_atomic_t sticky;
static volatile sig_atomic_t fired;
static volatile sig_atomic_t happened;
static volatile sig_atomic_t no_core; /* takes the core's place before it */
static volatile sig_atomic_t *volatile cancel = &no_core;

/* No SA_RESTART: a read that waits for a line has to come back. */
static void set_handler(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

/* Mode once: the hook is gone, and the error raised, unless the core, which
 * lowers its flag then, has done that already. */
static void stop_once(lua_State *L, lua_Debug *where) {
    (void)where;
    lua_sethook(L, NULL, 0, 0);
    if (*cancel) {
        *cancel = 0;
        luaL_error(L, "interrupted!");
    }
}

/* Mode sticky: raises at every step of this coroutine while the flag is up. */
static void stop_sticky(lua_State *L, lua_Debug *where) {
    (void)where;
    if (fired) {
        lua_sethook(L, stop_sticky, HOOK_ALWAYS, 1);
        luaL_error(L, "interrupted");
    } else if (lua_gethookmask(L) != LUA_MASKCOUNT) {
        lua_sethook(L, stop_sticky, LUA_MASKCOUNT, HOOK_PERIOD);
    }
}

/* lua_sethook is the one function that a handler may call on a state. */
static void on_signal(int number) {
    (void)number;
    fired = 1;
    happened = 1;
    *cancel = 1;
    if (!sticky) {
        set_handler(SIG_DFL);
        lua_sethook(main_state, stop_once, HOOK_ALWAYS, 1);
    }
}

void interrupt_find_flag(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, CANCEL_KEY);
    if (lua_islightuserdata(L, -1))
        cancel = lua_touserdata(L, -1);
    lua_pop(L, 1);
}

void interrupt_make_sticky(lua_State *L) {
    sticky = 1;
    lua_sethook(L, stop_sticky, LUA_MASKCOUNT, HOOK_PERIOD);
    set_handler(on_signal);
}

bool interrupt_is_sticky(void) {
    return sticky;
}

void interrupt_begin(lua_State *L) {
    if (!sticky) {
        main_state = L;
        set_handler(on_signal);
    }
}

bool interrupt_end(lua_State *L) {
    if (!sticky) {
        set_handler(SIG_DFL);
        if (lua_gethook(L) == stop_once)
            lua_sethook(L, NULL, 0, 0);
    } else if (lua_gethook(L) == stop_sticky) {
        lua_sethook(L, stop_sticky, LUA_MASKCOUNT, HOOK_PERIOD);
    }
    bool was = fired;
    fired = 0;
    *cancel = 0;
    return was;
}

bool interrupt_happened(void) {
    return happened;
}
