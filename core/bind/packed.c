/* Tensors whose values are computed of several stored ones. */
#include "packed.h"

#include "bind.h"

enum { KIND = 1, LIST, OPTIONS };

/* Option `name`, an integer from 0 to high; absent, `preset`. */
static int64_t option_integer(lua_State *L, const char *name, int64_t high,
                              int64_t preset) {
    int whole, got = bind_option(L, OPTIONS, name, LUA_TNUMBER);
    lua_Integer value = lua_tointegerx(L, -1, &whole);
    if (got == LUA_TNIL) {
        value = preset;
    } else if (!whole || value < 0 || value > high) {
        luaL_argerror(L, OPTIONS,
                      lua_pushfstring(L,
                                      "option '%s': %s, expected an integer "
                                      "from 0 to %I",
                                      name, luaL_tolstring(L, -1, NULL),
                                      (LUAI_UACINT)high));
    }
    lua_pop(L, 1);
    return value;
}

/* Option `name`, a table of two positive integers; absent, zeros. */
static void option_pair(lua_State *L, const char *name, int64_t *pair) {
    int got = bind_option(L, OPTIONS, name, LUA_TTABLE);
    for (int i = 0; i < 2 && got != LUA_TNIL; i++) {
        int whole;
        lua_rawgeti(L, -1, i + 1);
        pair[i] = lua_tointegerx(L, -1, &whole);
        if (!whole || pair[i] < 1)
            luaL_argerror(L, OPTIONS,
                          lua_pushfstring(L,
                                          "option '%s': element %d is %s, "
                                          "expected a positive integer",
                                          name, i + 1,
                                          luaL_tolstring(L, -1, NULL)));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The tensors of the list; the new box keeps their checkpoints. */
static void take_parts(lua_State *L, PackedWish *wish) {
    luaL_checktype(L, LIST, LUA_TTABLE);
    lua_createtable(L, PACKED_PARTS, 0);
    for (int i = 0; i < PACKED_PARTS; i++) {
        if (lua_rawgeti(L, LIST, i + 1) != LUA_TNIL) {
            const Tensor *part = luaL_testudata(L, -1, BIND_TENSOR);
            if (part == NULL || (part->storage == NULL && part->source == NULL))
                luaL_argerror(
                    L, LIST,
                    lua_pushfstring(L, "element %d is %s, expected a tensor",
                                    i + 1,
                                    part != NULL ? "a closed tensor"
                                                 : luaL_typename(L, -1)));
            wish->part[i] = part;
            lua_getiuservalue(L, -1, 1);
            lua_rawseti(L, -3, i + 1);
        }
        lua_pop(L, 1);
    }
}

/* core.packed(kind, tensors [, options]) */
static int core_packed(lua_State *L) {
    static const char *const KINDS[] = {"scaled", "mxfp4", "gptq",
                                        "awq",    "table", NULL};
    static const char *const NAMES[] = {"block",      "divisor", "bits",
                                        "zero_add",   "group",   "shape",
                                        "block_size", "name",    NULL};
    PackedWish wish = {0};
    wish.kind = (PackedKind)luaL_checkoption(L, KIND, NULL, KINDS);
    lua_settop(L, OPTIONS);
    bind_options(L, OPTIONS, NAMES);
    option_pair(L, "block", wish.block);
    option_pair(L, "shape", wish.shape);
    wish.bits = (int)option_integer(L, "bits", 32, 4);
    wish.zero_add = (int)option_integer(L, "zero_add", 255, 0);
    wish.group = option_integer(L, "group", INT64_MAX, 0);
    wish.block_size = option_integer(L, "block_size", INT64_MAX, 0);
    wish.divisor = bind_option(L, OPTIONS, "divisor", LUA_TNUMBER) == LUA_TNIL
                       ? 1.0
                       : lua_tonumber(L, -1);
    wish.name = bind_option(L, OPTIONS, "name", LUA_TSTRING) == LUA_TNIL
                    ? "table"
                    : bind_text(L, lua_gettop(L));
    take_parts(L, &wish);
    Tensor *tensor = bind_tensor_new(L, 0);
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, 1);
    Err err;
    Status status;
    BIND_TRY(L, status, packed_create(tensor, &wish, &err));
    return status == STATUS_OK ? 1 : bind_fail(L, &err);
}

void bind_packed(lua_State *L) {
    lua_pushcfunction(L, core_packed);
    lua_setfield(L, -2, "packed");
}
