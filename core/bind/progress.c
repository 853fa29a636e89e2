/* Progress bars on standard error. */
#include "progress.h"

#include <math.h>
#include <unistd.h>

#include "bind.h"

/* core.progress(quiet) */
static int core_progress(lua_State *L) {
    bool quiet = lua_toboolean(L, 1);
    Progress *progress = lua_newuserdatauv(L, sizeof *progress, 0);
    progress_init(progress, STDERR_FILENO, quiet);
    luaL_setmetatable(L, BIND_PROGRESS);
    return 1;
}

static Progress *progress_self(lua_State *L) {
    return luaL_checkudata(L, 1, BIND_PROGRESS);
}

/* A count of things: finite, not negative. */
static double check_amount(lua_State *L, int arg) {
    double amount = luaL_checknumber(L, arg);
    luaL_argcheck(L, isfinite(amount) && amount >= 0, arg,
                  "a finite number of at least 0 expected");
    return amount;
}

/* p:open(label, total) */
static int open_bar(lua_State *L) {
    Progress *progress = progress_self(L);
    const char *label = bind_text(L, 2);
    progress_open(progress, label, check_amount(L, 3));
    return 0;
}

/* p:set(done[, level]): level 1 is the outermost bar, none the innermost */
static int set_bar(lua_State *L) {
    Progress *progress = progress_self(L);
    double done = check_amount(L, 2);
    if (lua_isnoneornil(L, 3))
        progress_set(progress, done);
    else
        progress_set_level(
            progress, (int)bind_integer(L, 3, 1, PROGRESS_LEVELS) - 1, done);
    return 0;
}

/* p:close() */
static int close_bar(lua_State *L) {
    progress_close(progress_self(L));
    return 0;
}

/* __gc, __close and p:clear(): bars have nothing but what they draw. */
static int clear_bars(lua_State *L) {
    progress_clear(progress_self(L));
    return 0;
}

static int progress_length(lua_State *L) {
    lua_pushinteger(L, progress_self(L)->levels);
    return 1;
}

static int progress_text(lua_State *L) {
    lua_pushfstring(L, "progress, %d bars open", progress_self(L)->levels);
    return 1;
}

static int progress_index(lua_State *L) {
    if (!bind_method(L))
        lua_pushnil(L);
    return 1;
}

static const luaL_Reg META[] = {
    {"__gc", clear_bars},
    {"__close", clear_bars},
    {"__len", progress_length},
    {"__tostring", progress_text},
    {NULL, NULL},
};

static const luaL_Reg METHODS[] = {
    {"open", open_bar},    {"set", set_bar}, {"close", close_bar},
    {"clear", clear_bars}, {NULL, NULL},
};

void bind_progress(lua_State *L) {
    bind_class(L, BIND_PROGRESS, "progress", META, METHODS, progress_index);
    lua_pushcfunction(L, core_progress);
    lua_setfield(L, -2, "progress");
}
