/* .npy files. */
#include "npy.h"

#include "bind.h"

/* core.load(path): the tensor, and a sentence where the file has more than
 * it. */
static int core_load(lua_State *L) {
    const char *path = bind_text(L, 1);
    Tensor *out = bind_tensor_new(L, 0);
    uint64_t extra = 0;
    Err err;
    Status status;
    BIND_TRY(L, status, npy_read(out, path, &extra, &err));
    if (status == STATUS_CANCELLED)
        return bind_raise(L, &err);
    if (status != STATUS_OK)
        return bind_fail(L, &err);
    bind_account(L, tensor_bytes(out));
    if (extra == 0)
        return 1;
    lua_pushfstring(L, "%I bytes follow the data and were not read",
                    (LUAI_UACINT)extra);
    return 2;
}

/* core.save(path, t) */
static int core_save(lua_State *L) {
    const char *path = bind_text(L, 1);
    const Tensor *tensor = bind_tensor_check(L, 2);
    Err err;
    Status status;
    BIND_TRY(L, status, npy_write(path, tensor, &err));
    if (status != STATUS_OK)
        return bind_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

void bind_npy(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {
        {"load", core_load},
        {"save", core_save},
        {NULL, NULL},
    };
    luaL_setfuncs(L, FUNCTIONS, 0);
}
