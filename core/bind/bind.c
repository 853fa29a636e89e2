/* Errors, argument checks and classes of the Lua face. */
#include "bind.h"

#include <limits.h>
#include <string.h>

#include "cancel.h"

int bind_raise(lua_State *L, const Err *err) {
    if (err->status == STATUS_CANCELLED)
        return bind_interrupt(L);
    return luaL_error(L, "%s", err->message);
}

int bind_fail(lua_State *L, const Err *err) {
    luaL_pushfail(L);
    lua_pushstring(L, err->message);
    lua_pushstring(L, status_word(err->status));
    return 3;
}

int bind_interrupt(lua_State *L) {
    cancel_clear();
    return luaL_error(L, "interrupted!");
}

void bind_poll(lua_State *L) {
    if (cancel_requested())
        bind_interrupt(L);
}

bool bind_collected(lua_State *L, Status status) {
    if (status != STATUS_NOMEM)
        return false;
    lua_gc(L, LUA_GCCOLLECT);
    return true;
}

int64_t bind_integer(lua_State *L, int arg, int64_t low, int64_t high) {
    lua_Integer value = luaL_checkinteger(L, arg);
    if (value < low || value > high) {
        const char *what =
            high == INT64_MAX
                ? lua_pushfstring(L, "%I, expected at least %I",
                                  (LUAI_UACINT)value, (LUAI_UACINT)low)
                : lua_pushfstring(L, "%I, expected %I to %I",
                                  (LUAI_UACINT)value, (LUAI_UACINT)low,
                                  (LUAI_UACINT)high);
        luaL_argerror(L, arg, what);
    }
    return value;
}

int64_t bind_subscript(lua_State *L, int arg, int64_t size) {
    lua_Integer value = luaL_checkinteger(L, arg);
    if (value < 1 || value > size)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "subscript %I is outside 1 to %I",
                                      (LUAI_UACINT)value, (LUAI_UACINT)size));
    return value - 1;
}

const char *bind_text(lua_State *L, int arg) {
    size_t n;
    const char *text = luaL_checklstring(L, arg, &n);
    luaL_argcheck(L, strlen(text) == n, arg, "a NUL byte in the text");
    return text;
}

static bool word_known(const char *word, const char *const *words) {
    while (*words != NULL && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

void bind_options(lua_State *L, int arg, const char *const *names) {
    if (lua_isnoneornil(L, arg))
        return;
    luaL_checktype(L, arg, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, arg) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_argerror(L, arg, "options have names");
        const char *name = lua_tostring(L, -2);
        if (!word_known(name, names))
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "unknown option '%s'", name));
    }
}

void bind_set_flag(lua_State *L, const char *name, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

void bind_set_integer(lua_State *L, const char *name, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

void bind_set_number(lua_State *L, const char *name, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

void bind_set_text(lua_State *L, const char *name, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

int bind_option(lua_State *L, int arg, const char *name, int type) {
    if (!lua_istable(L, arg)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    lua_pushstring(L, name);
    int got = lua_rawget(L, arg);
    if (got != LUA_TNIL && got != type)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "option '%s': %s expected, got %s",
                                      name, lua_typename(L, type),
                                      luaL_typename(L, -1)));
    return got;
}

int bind_option_threads(lua_State *L, int arg) {
    int whole = 1, type = bind_option(L, arg, "threads", LUA_TNUMBER);
    lua_Integer threads = lua_tointegerx(L, -1, &whole);
    if (type != LUA_TNIL &&
        (!whole || threads < 1 || threads > POOL_WORKERS_MAX))
        luaL_argerror(
            L, arg,
            lua_pushfstring(L, "option 'threads': %s, expected 1 to %d",
                            luaL_tolstring(L, -1, NULL), POOL_WORKERS_MAX));
    lua_pop(L, 1);
    return type == LUA_TNIL ? 0 : (int)threads;
}

int bind_option_marks(lua_State *L, int arg, const char *name) {
    int type = LUA_TNIL;
    if (lua_istable(L, arg))
        type = lua_getfield(L, arg, name);
    else
        lua_pushnil(L);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TTABLE)
        luaL_argerror(L, arg,
                      lua_pushfstring(L,
                                      "option '%s': %s, expected true, false "
                                      "or a table",
                                      name, luaL_tolstring(L, -1, NULL)));
    return lua_gettop(L);
}

bool bind_marked(lua_State *L, int marks, lua_Integer place) {
    if (!lua_istable(L, marks))
        return lua_toboolean(L, marks);
    lua_rawgeti(L, marks, place);
    bool found = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return found;
}

int bind_option_word(lua_State *L, int arg, const char *name,
                     const char *const *words, int preset) {
    if (bind_option(L, arg, name, LUA_TSTRING) == LUA_TNIL) {
        lua_pop(L, 1);
        return preset;
    }
    const char *word = lua_tostring(L, -1);
    int i = 0;
    while (words[i] != NULL && strcmp(words[i], word) != 0)
        i++;
    if (words[i] == NULL)
        luaL_argerror(
            L, arg,
            lua_pushfstring(L, "option '%s': '%s', expected '%s' or '%s'", name,
                            word, words[0], words[1]));
    lua_pop(L, 1);
    return i;
}

void bind_class(lua_State *L, const char *name, const char *word,
                const luaL_Reg *meta, const luaL_Reg *methods,
                lua_CFunction index) {
    int core = lua_gettop(L);
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, meta, 0);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    luaL_getsubtable(L, core, "methods");
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, word);
    lua_pop(L, 1);
    lua_pushcclosure(L, index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

bool bind_method(lua_State *L) {
    if (lua_type(L, 2) != LUA_TSTRING)
        return false;
    lua_pushvalue(L, 2);
    if (lua_gettable(L, lua_upvalueindex(1)) != LUA_TNIL)
        return true;
    lua_pop(L, 1);
    return false;
}

void bind_account(lua_State *L, uint64_t bytes) {
    uint64_t kilobytes = bytes >> 10;
    /* a step of 0 is a whole basic step, which small tensors do not owe */
    if (kilobytes == 0 || !lua_gc(L, LUA_GCISRUNNING))
        return;
    lua_gc(L, LUA_GCSTEP, kilobytes < INT_MAX ? (int)kilobytes : INT_MAX);
}
