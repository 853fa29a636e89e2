/* The module weft.core. */
#include <string.h>

#include "bind.h"
#include "cancel.h"
#include "linalg.h"
#include "version.h"

/* core.interrupted(err): whether a caught error is a Ctrl-C on its way up.
 * The prompt's hook raises the word without the mark. */
static int core_interrupted(lua_State *L) {
    static const char WORD[] = "interrupted";
    size_t n = 0, word = sizeof WORD - 1;
    const char *text =
        lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &n) : NULL;
    n -= n > 0 && text[n - 1] == '!';
    lua_pushboolean(L, n >= word && memcmp(text + n - word, WORD, word) == 0);
    return 1;
}

static void bind_version(lua_State *L) {
    lua_createtable(L, 0, 4);
    bind_set_text(L, "weft", WEFT_VERSION);
    bind_set_text(L, "lua",
                  LUA_VERSION_MAJOR "." LUA_VERSION_MINOR
                                    "." LUA_VERSION_RELEASE);
    bind_set_text(L, "blas", linalg_blas_version());
    bind_set_text(L, "lapack", linalg_lapack_version());
    lua_setfield(L, -2, "version");
}

/* Where the program's handler finds the flag: see cancel.h. */
static void store_cancel_flag(lua_State *L) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)&cancel_flag);
    lua_setfield(L, LUA_REGISTRYINDEX, CANCEL_KEY);
}

int luaopen_weft_core(lua_State *L) {
    luaL_checkversion(L);
    lua_newtable(L);
    bind_tensor(L);
    bind_create(L);
    bind_ops(L);
    bind_npy(L);
    bind_checkpoint(L);
    bind_cache(L);
    bind_packed(L);
    bind_kernel(L);
    bind_linalg(L);
    bind_spectra(L);
    bind_schedule(L);
    bind_estimate(L);
    bind_json(L);
    bind_sys(L);
    bind_progress(L);
    bind_ranks(L);
    bind_version(L);
    lua_pushcfunction(L, core_interrupted);
    lua_setfield(L, -2, "interrupted");
    store_cancel_flag(L);
    return 1;
}
