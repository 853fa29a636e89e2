/* core.json: a text as Lua values. */
#include <math.h>

#include "bind.h"
#include "json.h"

#define TREE "weft.json"

/* A tree while it is walked; no root: none is held. */
static int tree_collect(lua_State *L) {
    JsonTree *tree = luaL_checkudata(L, 1, TREE);
    if (tree->root != NULL)
        json_release(tree);
    tree->root = NULL;
    return 0;
}

static JsonTree *tree_new(lua_State *L) {
    JsonTree *tree = lua_newuserdatauv(L, sizeof *tree, 0);
    *tree = (JsonTree){0};
    if (luaL_newmetatable(L, TREE)) {
        lua_pushcfunction(L, tree_collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return tree;
}

/* Integers are Lua's where a double holds them for certain. */
static void push_number(lua_State *L, double x) {
    if (x == floor(x) && fabs(x) <= 0x1p53)
        lua_pushinteger(L, (lua_Integer)x);
    else
        lua_pushnumber(L, x);
}

static void push_value(lua_State *L, const Json *node);

/* Elements in order; a null keeps its place. */
static void push_array(lua_State *L, const Json *node) {
    lua_Integer i = 0;
    lua_newtable(L);
    for (const Json *at = json_child(node); at != NULL; at = json_next(at)) {
        push_value(L, at);
        lua_rawseti(L, -2, ++i);
    }
}

/* Members; one that is null is not there. */
static void push_object(lua_State *L, const Json *node) {
    lua_newtable(L);
    for (const Json *at = json_child(node); at != NULL; at = json_next(at)) {
        if (json_kind(at) == JSON_NULL)
            continue;
        lua_pushstring(L, json_key(at));
        push_value(L, at);
        lua_rawset(L, -3);
    }
}

/* The parser bounds the depth. */
static void push_value(lua_State *L, const Json *node) {
    luaL_checkstack(L, 4, "nested JSON");
    switch (json_kind(node)) {
    case JSON_NULL:
        lua_pushlightuserdata(L, NULL);
        break;
    case JSON_BOOL:
        lua_pushboolean(L, json_bool(node));
        break;
    case JSON_NUMBER:
        push_number(L, json_number(node));
        break;
    case JSON_TEXT:
        lua_pushstring(L, json_text(node));
        break;
    case JSON_ARRAY:
        push_array(L, node);
        break;
    case JSON_OBJECT:
        push_object(L, node);
        break;
    }
}

/* core.json(text) */
static int core_json(lua_State *L) {
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    lua_settop(L, 1);
    JsonTree *tree = tree_new(L);
    Err err;
    Status status;
    BIND_TRY(L, status, json_parse(text, n, JSON_TREE_MOST, tree, &err));
    if (status != STATUS_OK)
        return bind_fail(L, &err);
    push_value(L, tree->root);
    json_release(tree);
    tree->root = NULL;
    return 1;
}

void bind_json(lua_State *L) {
    lua_pushcfunction(L, core_json);
    lua_setfield(L, -2, "json");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}
