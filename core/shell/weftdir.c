/* Finding the module from /proc/self/exe, and handing it to require. */
#include "weftdir.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"

/* "folder" and "tail" joined into path (PATH_MAX bytes), if that fits. */
static bool join(char *path, const char *folder, const char *tail) {
    int length = snprintf(path, PATH_MAX, "%s/%s", folder, tail);
    return length > 0 && length < PATH_MAX;
}

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

void weftdir_find(Shell *shell) {
    char place[PATH_MAX];
    shell->weftdir[0] = '\0';
    ssize_t length = readlink("/proc/self/exe", place, sizeof place - 1);
    if (length <= 0)
        return;
    place[length] = '\0';
    *strrchr(place, '/') = '\0';
    if (join(shell->weftdir, place, "lua/weft") && is_folder(shell->weftdir))
        return;
    char *slash = strrchr(place, '/');
    if (slash != NULL)
        *slash = '\0';
    if (!join(shell->weftdir, place, "lib/lua/5.4/weft"))
        shell->weftdir[0] = '\0';
}

/* Pushes package.FIELD of the loaded library, whatever globals hold. */
static void push_package_field(lua_State *L, const char *field) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_LOADLIBNAME);
    lua_getfield(L, -1, field);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* The searcher of Lua files; its upvalue is the folder. */
static int search(lua_State *L) {
    const char *folder = lua_tostring(L, lua_upvalueindex(1));
    const char *name = luaL_checkstring(L, 1);
    const char *path;
    if (strcmp(name, "weft") == 0)
        path = lua_pushfstring(L, "%s/init.lua", folder);
    else if (strncmp(name, "weft.", 5) == 0)
        path = lua_pushfstring(L, "%s/%s.lua", folder,
                               luaL_gsub(L, name + 5, ".", "/"));
    else
        return 0;
    if (access(path, R_OK) != 0) {
        lua_pushfstring(L, "no file '%s'", path);
        return 1;
    }
    if (luaL_loadfile(L, path) != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s",
                          name, path, lua_tostring(L, -1));
    lua_pushstring(L, path);
    return 2;
}

/* Pushes the path of core.so: along package.cpath, else in the folder, which
 * is the upvalue. */
static void push_core_path(lua_State *L) {
    push_package_field(L, "searchpath");
    lua_pushliteral(L, "weft.core");
    push_package_field(L, "cpath");
    lua_call(L, 2, 1);
    if (lua_isnil(L, -1)) {
        lua_pushfstring(L, "%s/core.so", lua_tostring(L, lua_upvalueindex(1)));
        lua_replace(L, -2);
    }
}

/* The loader of weft.core: what luaopen_weft_core returns. */
static int load_core(lua_State *L) {
    push_package_field(L, "loadlib");
    push_core_path(L);
    lua_replace(L, 1);
    lua_pushvalue(L, 1);
    lua_pushliteral(L, "luaopen_weft_core");
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2))
        return luaL_error(L, "error loading module 'weft.core':\n\t%s",
                          lua_tostring(L, -1));
    lua_pop(L, 1);
    lua_pushliteral(L, "weft.core");
    lua_pushvalue(L, 1);
    lua_call(L, 2, 1);
    interrupt_find_flag(L);
    return 1;
}

void weftdir_add_loaders(const Shell *shell) {
    lua_State *L = shell->L;
    if (shell->weftdir[0] == '\0')
        return;
    push_package_field(L, "searchers");
    lua_pushstring(L, shell->weftdir);
    lua_pushcclosure(L, search, 1);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    push_package_field(L, "preload");
    lua_pushstring(L, shell->weftdir);
    lua_pushcclosure(L, load_core, 1);
    lua_setfield(L, -2, "weft.core");
    lua_pop(L, 2);
}

/* Pushes the module in the place of the stand-in at index 1; the upvalue is
 * require. The global follows, unless it holds something else by now. */
static void push_module(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushliteral(L, "weft");
    lua_call(L, 1, 1);
    lua_getglobal(L, "weft");
    if (lua_rawequal(L, -1, 1)) {
        lua_pushvalue(L, -2);
        lua_setglobal(L, "weft");
    }
    lua_pop(L, 1);
}

static int global_index(lua_State *L) {
    push_module(L);
    lua_pushvalue(L, 2);
    lua_gettable(L, -2);
    return 1;
}

static int global_newindex(lua_State *L) {
    push_module(L);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_settable(L, -3);
    return 0;
}

static int global_pairs(lua_State *L) {
    push_module(L);
    lua_getglobal(L, "next");
    lua_insert(L, -2);
    lua_pushnil(L);
    return 3;
}

void weftdir_add_global(lua_State *L) {
    static const luaL_Reg METHODS[] = {
        {"__index", global_index},
        {"__newindex", global_newindex},
        {"__pairs", global_pairs},
        {NULL, NULL},
    };
    lua_newtable(L);
    luaL_newlibtable(L, METHODS);
    lua_getglobal(L, "require");
    luaL_setfuncs(L, METHODS, 1);
    lua_setmetatable(L, -2);
    lua_setglobal(L, "weft");
}

bool weftdir_command(const Shell *shell, const char *name, char *path) {
    int length =
        snprintf(path, PATH_MAX, "%s/scripts/%s.lua", shell->weftdir, name);
    return shell->weftdir[0] != '\0' && name[0] != '\0' && length > 0 &&
           length < PATH_MAX && access(path, R_OK) == 0;
}
