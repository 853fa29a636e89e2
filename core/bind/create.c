/* Tensors made of nothing. */
#include "bind.h"
#include "ops.h"

static void check_size(lua_State *L, int arg, int at, int i, bool open,
                       int64_t *size) {
    int whole;
    *size = lua_tointegerx(L, at, &whole);
    if (lua_type(L, at) == LUA_TNUMBER && whole &&
        (*size >= 0 || (open && *size == -1)))
        return;
    luaL_argerror(L, arg,
                  lua_pushfstring(L,
                                  "size %d is %s, expected an integer that is "
                                  "not negative",
                                  i, luaL_tolstring(L, at, NULL)));
}

static int table_sizes(lua_State *L, int arg, bool open, int64_t *shape) {
    lua_Unsigned axes = lua_rawlen(L, arg);
    if (axes > TENSOR_AXES)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "%I axes, expected at most %d",
                                      (LUAI_UACINT)axes, TENSOR_AXES));
    for (int i = 0; i < (int)axes; i++) {
        lua_rawgeti(L, arg, i + 1);
        check_size(L, arg, lua_gettop(L), i + 1, open, &shape[i]);
        lua_pop(L, 1);
    }
    return (int)axes;
}

int bind_shape(lua_State *L, int first, bool open, int64_t *shape, int *next) {
    int axes = 0;
    if (lua_istable(L, first)) {
        *next = first + 1;
        return table_sizes(L, first, open, shape);
    }
    if (lua_type(L, first) != LUA_TNUMBER)
        luaL_argerror(L, first,
                      lua_pushfstring(L,
                                      "a shape expected, got %s: sizes, or a "
                                      "table of them",
                                      luaL_typename(L, first)));
    for (; lua_type(L, first + axes) == LUA_TNUMBER; axes++) {
        luaL_argcheck(L, axes < TENSOR_AXES, first + axes,
                      "more than 8 axes, expected at most 8");
        check_size(L, first + axes, first + axes, axes + 1, open, &shape[axes]);
    }
    *next = first + axes;
    return axes;
}

static int push_full(lua_State *L, double value) {
    int64_t shape[TENSOR_AXES];
    int next, axes = bind_shape(L, 1, false, shape, &next);
    Dtype dtype = bind_dtype(L, next);
    Tensor *out = bind_tensor_new(L, 0);
    Err err;
    if (value == 0.0)
        BIND_MUST(L, &err, tensor_create(out, dtype, axes, shape, &err));
    else
        BIND_MUST(L, &err, ops_full(out, dtype, axes, shape, value, &err));
    bind_account(L, tensor_bytes(out));
    return 1;
}

/* core.zeros({m, n} [, dtype]), core.zeros(m, n [, dtype]) */
static int core_zeros(lua_State *L) {
    return push_full(L, 0.0);
}

static int core_ones(lua_State *L) {
    return push_full(L, 1.0);
}

/* core.eye(rows [, cols]) */
static int core_eye(lua_State *L) {
    int64_t rows = bind_integer(L, 1, 0, INT64_MAX);
    int64_t cols =
        lua_isnoneornil(L, 2) ? rows : bind_integer(L, 2, 0, INT64_MAX);
    Tensor *out = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(L, &err, ops_eye(out, rows, cols, &err));
    bind_account(L, tensor_bytes(out));
    return 1;
}

/* A number that is not a text of one. */
static double check_finite(lua_State *L, int arg) {
    luaL_checktype(L, arg, LUA_TNUMBER);
    double value = lua_tonumber(L, arg);
    /* the difference of an infinity or a NaN with itself is a NaN */
    luaL_argcheck(L, value - value == 0.0, arg, "a finite number expected");
    return value;
}

/* core.arange([start,] stop [, step]) */
static int core_arange(lua_State *L) {
    double first = check_finite(L, 1), start = 0.0, stop = first, step = 1.0;
    if (!lua_isnoneornil(L, 2)) {
        start = first;
        stop = check_finite(L, 2);
    }
    if (!lua_isnoneornil(L, 3))
        step = check_finite(L, 3);
    luaL_argcheck(L, step != 0.0, 3, "a step that is not 0 expected");
    Tensor *out = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(L, &err, ops_arange(out, start, stop, step, &err));
    bind_account(L, tensor_bytes(out));
    return 1;
}

/* core.linspace(start, stop [, count]) */
static int core_linspace(lua_State *L) {
    double start = check_finite(L, 1), stop = check_finite(L, 2);
    int64_t count =
        lua_isnoneornil(L, 3) ? 50 : bind_integer(L, 3, 0, INT64_MAX);
    Tensor *out = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(L, &err, ops_linspace(out, start, stop, count, &err));
    bind_account(L, tensor_bytes(out));
    return 1;
}

static int push_random(lua_State *L, OpsRandom kind) {
    int64_t shape[TENSOR_AXES];
    uint64_t seed = (uint64_t)luaL_checkinteger(L, 1);
    int next, axes = bind_shape(L, 2, false, shape, &next);
    luaL_argcheck(L, lua_isnoneornil(L, next), next, "a size expected");
    Tensor *out = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(L, &err, ops_random(out, kind, seed, axes, shape, &err));
    bind_account(L, tensor_bytes(out));
    return 1;
}

/* core.randn(seed, m, n, …) */
static int core_randn(lua_State *L) {
    return push_random(L, OPS_NORMAL);
}

static int core_uniform(lua_State *L) {
    return push_random(L, OPS_UNIFORM);
}

void bind_create(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {
        {"zeros", core_zeros},       {"ones", core_ones},
        {"eye", core_eye},           {"arange", core_arange},
        {"linspace", core_linspace}, {"randn", core_randn},
        {"uniform", core_uniform},   {NULL, NULL},
    };
    luaL_setfuncs(L, FUNCTIONS, 0);
}
