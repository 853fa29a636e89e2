/* Tensors in Lua: construction, views, elements. */
#include <string.h>

#include "bind.h"
#include "planted.h"
#include "recipe.h"

/* ---- boxes ---- */

static bool tensor_open(const Tensor *tensor) {
    return tensor->storage != NULL || tensor->source != NULL;
}

const Tensor *bind_tensor_check(lua_State *L, int arg) {
    const Tensor *tensor = luaL_checkudata(L, arg, BIND_TENSOR);
    luaL_argcheck(L, tensor_open(tensor), arg, "tensor is closed");
    return tensor;
}

/* Closed, the sentence stands alone. */
Tensor *bind_tensor_self(lua_State *L) {
    Tensor *tensor = luaL_checkudata(L, 1, BIND_TENSOR);
    if (!tensor_open(tensor))
        luaL_error(L, "tensor is closed");
    return tensor;
}

Tensor *bind_tensor_new(lua_State *L, int owner) {
    Tensor *tensor = lua_newuserdatauv(L, sizeof *tensor, 1);
    memset(tensor, 0, sizeof *tensor);
    luaL_setmetatable(L, BIND_TENSOR);
    if (owner == 0)
        return tensor;
    /* a view keeps the checkpoint, never the views between */
    if (luaL_testudata(L, owner, BIND_TENSOR) != NULL)
        lua_getiuservalue(L, owner, 1);
    else
        lua_pushvalue(L, owner);
    lua_setiuservalue(L, -2, 1);
    return tensor;
}

Tensor *bind_tensor_create(lua_State *L, Dtype dtype, int axes,
                           const int64_t *shape) {
    Tensor *tensor = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(L, &err, tensor_create(tensor, dtype, axes, shape, &err));
    bind_account(L, tensor_bytes(tensor));
    return tensor;
}

Tensor *bind_tensor_copy(lua_State *L, const Tensor *tensor, Dtype dtype) {
    Tensor *copy = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(L, &err, tensor_copy(copy, tensor, dtype, &err));
    bind_account(L, tensor_bytes(copy));
    return copy;
}

/* __gc, __close and :close(). */
static int tensor_close(lua_State *L) {
    Tensor *tensor = luaL_checkudata(L, 1, BIND_TENSOR);
    if (tensor_open(tensor))
        tensor_release(tensor);
    memset(tensor, 0, sizeof *tensor);
    lua_pushnil(L);
    lua_setiuservalue(L, 1, 1);
    return 0;
}

/* ---- what a tensor is ---- */

static const char *const MEMORY_NAMES[] = {"f64", "f32", "i64", NULL};
static const Dtype MEMORY_DTYPES[] = {DTYPE_F64, DTYPE_F32, DTYPE_I64};

const char *bind_dtype_name(const Tensor *tensor) {
    if (!tensor_in_memory(tensor))
        return tensor->source != NULL && tensor->source->recipe != NULL
                   ? tensor->source->recipe->name
                   : dtype_row(tensor->dtype)->name;
    int i = 0;
    while (MEMORY_DTYPES[i] != tensor->dtype)
        i++;
    return MEMORY_NAMES[i];
}

Dtype bind_dtype(lua_State *L, int arg) {
    return MEMORY_DTYPES[luaL_checkoption(L, arg, "f64", MEMORY_NAMES)];
}

static bool same_shape(const Tensor *a, const Tensor *b) {
    return a->axes == b->axes &&
           memcmp(a->shape, b->shape, (size_t)a->axes * sizeof *a->shape) == 0;
}

bool bind_tensor_same(const Tensor *a, const Tensor *b) {
    if (!same_shape(a, b) || a->storage != b->storage)
        return false;
    if (a->source != NULL && b->source != NULL)
        return source_same(a->source, b->source);
    return a->source == b->source && a->offset == b->offset &&
           a->dtype == b->dtype &&
           memcmp(a->stride, b->stride, (size_t)a->axes * sizeof *a->stride) ==
               0;
}

static int tensor_equal(lua_State *L) {
    const Tensor *a = luaL_testudata(L, 1, BIND_TENSOR);
    const Tensor *b = luaL_testudata(L, 2, BIND_TENSOR);
    lua_pushboolean(L, a != NULL && b != NULL && tensor_open(a) &&
                           tensor_open(b) && bind_tensor_same(a, b));
    return 1;
}

static int tensor_length(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    lua_pushinteger(L, tensor->axes == 0 ? 0 : tensor->shape[0]);
    return 1;
}

static int tensor_text(lua_State *L) {
    const Tensor *tensor = luaL_checkudata(L, 1, BIND_TENSOR);
    char shape[TENSOR_AXES * 24];
    if (!tensor_open(tensor))
        lua_pushliteral(L, "tensor (closed)");
    else
        lua_pushfstring(L, "tensor %s %s",
                        tensor_shape_text(shape, sizeof shape, tensor),
                        bind_dtype_name(tensor));
    return 1;
}

static void push_shape(lua_State *L, const Tensor *tensor) {
    lua_createtable(L, tensor->axes, 0);
    for (int i = 0; i < tensor->axes; i++) {
        lua_pushinteger(L, tensor->shape[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* ---- elements ---- */

/* The address of an element of an i64 tensor in memory: doubles, the core's
 * way in and out, would round it. */
static int64_t *whole_element(const Tensor *tensor, const int64_t *at) {
    int64_t *element = tensor_data(tensor);
    for (int i = 0; i < tensor->axes; i++)
        element += at[i] * tensor->stride[i];
    return element;
}

static void push_element(lua_State *L, const Tensor *tensor,
                         const int64_t *at) {
    if (tensor_in_memory(tensor) && tensor->dtype == DTYPE_I64) {
        lua_pushinteger(L, *whole_element(tensor, at));
        return;
    }
    Err err;
    double value = 0.0;
    if (tensor_get(tensor, at, &value, &err) != STATUS_OK)
        bind_raise(L, &err);
    lua_pushnumber(L, value);
}

/* Sets an element to the argument `arg`. */
static void store_element(lua_State *L, Tensor *tensor, const int64_t *at,
                          int arg) {
    if (tensor_in_memory(tensor) && tensor->dtype == DTYPE_I64) {
        *whole_element(tensor, at) = luaL_checkinteger(L, arg);
        return;
    }
    Err err;
    if (tensor_set(tensor, at, luaL_checknumber(L, arg), &err) != STATUS_OK)
        bind_raise(L, &err);
}

/* t:get(i, j, …) and t:set(i, j, …, v): the subscripts from argument 2 on,
 * then `more` arguments. */
static void check_subscripts(lua_State *L, const Tensor *tensor, int64_t *at,
                             int more) {
    int given = lua_gettop(L) - 1 - more;
    if (given != tensor->axes)
        luaL_error(L, "%d subscripts, expected %d", given < 0 ? 0 : given,
                   tensor->axes);
    for (int i = 0; i < tensor->axes; i++)
        at[i] = bind_subscript(L, i + 2, tensor->shape[i]);
}

static int tensor_get_element(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    int64_t at[TENSOR_AXES];
    check_subscripts(L, tensor, at, 0);
    push_element(L, tensor, at);
    return 1;
}

static int tensor_set_element(lua_State *L) {
    Tensor *tensor = bind_tensor_self(L);
    int64_t at[TENSOR_AXES];
    check_subscripts(L, tensor, at, 1);
    store_element(L, tensor, at, tensor->axes + 2);
    return 0;
}

/* t[i]: a number of one axis, else the view without the first; nil right after
 * the last, where ipairs ends. */
static int tensor_subscript(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    if (tensor->axes == 0)
        return luaL_error(L, "a tensor without axes has no subscripts");
    if (lua_tointeger(L, 2) == tensor->shape[0] + 1) {
        lua_pushnil(L);
        return 1;
    }
    int64_t i = bind_subscript(L, 2, tensor->shape[0]);
    if (tensor->axes == 1) {
        push_element(L, tensor, &i);
        return 1;
    }
    Tensor *view = bind_tensor_new(L, 1);
    Err err;
    BIND_MUST(L, &err, tensor_pick(view, tensor, i, &err));
    return 1;
}

static int tensor_index(lua_State *L) {
    luaL_checkudata(L, 1, BIND_TENSOR);
    if (lua_type(L, 2) == LUA_TNUMBER)
        return tensor_subscript(L);
    if (bind_method(L))
        return 1;
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(key, "shape") == 0)
        push_shape(L, bind_tensor_self(L));
    else if (strcmp(key, "dtype") == 0)
        lua_pushstring(L, bind_dtype_name(bind_tensor_self(L)));
    else
        lua_pushnil(L);
    return 1;
}

/* t[i] = v */
static int tensor_newindex(lua_State *L) {
    Tensor *tensor = bind_tensor_self(L);
    if (lua_type(L, 2) != LUA_TNUMBER)
        return luaL_error(L, "a tensor's fields can't be set");
    if (tensor->axes != 1)
        return luaL_error(L,
                          "t[i] = v needs 1 axis, the tensor has %d: "
                          "use t:set(i, j, v)",
                          tensor->axes);
    int64_t i = bind_subscript(L, 2, tensor->shape[0]);
    store_element(L, tensor, &i, 3);
    return 0;
}

/* ---- views ---- */

typedef Status Slice(Tensor *out, const Tensor *tensor, int64_t first,
                     int64_t count, int64_t step, Err *err);

/* What the core can't view: the rows between are copied into memory first. */
static void push_copied_slice(lua_State *L, const Tensor *tensor, Slice *slice,
                              int64_t first, int64_t count, int64_t step) {
    Tensor *window = bind_tensor_new(L, 1);
    int64_t span = (count - 1) * step + 1;
    Err err;
    BIND_MUST(L, &err, slice(window, tensor, first, span, 1, &err));
    Tensor *copy = bind_tensor_copy(L, window, DTYPE_F64);
    Tensor *view = bind_tensor_new(L, 0);
    BIND_MUST(L, &err, slice(view, copy, 0, count, step, &err));
}

/* Arguments a, b and step over an axis of `size`, 1-based, inclusive. */
static int push_slice(lua_State *L, Slice *slice, int64_t size) {
    const Tensor *tensor = bind_tensor_self(L);
    int64_t a = bind_integer(L, 2, 1, size + 1);
    int64_t b = bind_integer(L, 3, a - 1, size);
    int64_t step = lua_isnoneornil(L, 4) ? 1 : bind_integer(L, 4, 1, INT64_MAX);
    int64_t count = b < a ? 0 : (b - a) / step + 1;
    Tensor *view = bind_tensor_new(L, 1);
    Err err;
    Status status;
    BIND_TRY(L, status, slice(view, tensor, a - 1, count, step, &err));
    if (status == STATUS_UNSUPPORTED && step > 1 && count > 1)
        push_copied_slice(L, tensor, slice, a - 1, count, step);
    else if (status != STATUS_OK)
        return bind_raise(L, &err);
    return 1;
}

static int tensor_slice_rows(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    if (tensor->axes == 0)
        return luaL_error(L, "a tensor without axes has no rows");
    return push_slice(L, tensor_rows, tensor->shape[0]);
}

static int tensor_slice_cols(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    if (tensor->axes == 0)
        return luaL_error(L, "a tensor without axes has no columns");
    return push_slice(L, tensor_cols, tensor->shape[tensor->axes - 1]);
}

static int tensor_turn(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    Tensor *view = bind_tensor_new(L, 1);
    Err err;
    BIND_MUST(L, &err, tensor_transpose(view, tensor, &err));
    return 1;
}

/* Number `i` of the run on top of the stack. */
static uint64_t run_number(lua_State *L, lua_Integer run, int i) {
    static const char *const NAMES[] = {"first", "len", "step", "n"};
    lua_rawgeti(L, -1, i + 1);
    int whole;
    lua_Integer value = lua_tointegerx(L, -1, &whole);
    if (lua_type(L, -1) != LUA_TNUMBER || !whole || value < 0)
        luaL_argerror(L, 2,
                      lua_pushfstring(L,
                                      "run %I: %s is %s, expected an "
                                      "integer that is not negative",
                                      (LUAI_UACINT)run, NAMES[i],
                                      luaL_tolstring(L, -1, NULL)));
    lua_pop(L, 1);
    return (uint64_t)value;
}

/* t:runs{{first, len, step, n}, …}, 0-based rows as they are stored. */
static int tensor_take_runs(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t count = (size_t)lua_rawlen(L, 2);
    Tensor *view = bind_tensor_new(L, 1);
    RowRun *runs = lua_newuserdatauv(L, count * sizeof *runs, 0);
    for (size_t i = 0; i < count; i++) {
        lua_Integer run = (lua_Integer)i + 1;
        if (lua_rawgeti(L, 2, run) != LUA_TTABLE)
            luaL_argerror(L, 2,
                          lua_pushfstring(L, "run %I: table expected, got %s",
                                          (LUAI_UACINT)run,
                                          luaL_typename(L, -1)));
        runs[i] = (RowRun){run_number(L, run, 0), run_number(L, run, 1),
                           run_number(L, run, 2), run_number(L, run, 3)};
        lua_pop(L, 1);
    }
    Err err;
    BIND_MUST(L, &err, tensor_runs(view, tensor, runs, count, &err));
    lua_pop(L, 1);
    return 1;
}

static int tensor_to(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    luaL_checkstring(L, 2);
    bind_tensor_copy(L, tensor, bind_dtype(L, 2));
    return 1;
}

/* ---- tables ---- */

/* Pushes the elements from the axis on, as nested tables. */
static void push_table(lua_State *L, const Tensor *tensor, int64_t *at,
                       int axis) {
    if (axis == tensor->axes) {
        push_element(L, tensor, at);
        return;
    }
    int64_t n = tensor->shape[axis];
    luaL_checkstack(L, 3, "nested tables");
    lua_createtable(L, n < 1 << 20 ? (int)n : 1 << 20, 0);
    for (at[axis] = 0; at[axis] < n; at[axis]++) {
        if (at[axis] % 4096 == 0)
            bind_poll(L);
        push_table(L, tensor, at, axis + 1);
        lua_rawseti(L, -2, at[axis] + 1);
    }
}

static int tensor_table(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    /* one read of the whole, not one of each element */
    if (!tensor_in_memory(tensor))
        tensor = bind_tensor_copy(L, tensor, DTYPE_F64);
    int64_t at[TENSOR_AXES] = {0};
    push_table(L, tensor, at, 0);
    return 1;
}

/* The shape of the nested tables in argument 1, told by first elements. */
static int table_shape(lua_State *L, int64_t *shape) {
    int axes = 0;
    lua_pushvalue(L, 1);
    while (lua_istable(L, -1)) {
        if (axes == TENSOR_AXES)
            luaL_argerror(
                L, 1,
                lua_pushfstring(L, "tables nest deeper than %d", TENSOR_AXES));
        shape[axes++] = (int64_t)lua_rawlen(L, -1);
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    }
    lua_pop(L, 1);
    return axes;
}

/* Stores the number on top of the stack. */
static void fill_element(lua_State *L, Tensor *tensor, const int64_t *at) {
    int good = lua_type(L, -1) == LUA_TNUMBER;
    if (good && tensor->dtype == DTYPE_I64)
        lua_tointegerx(L, -1, &good);
    if (!good)
        luaL_argerror(L, 1,
                      lua_pushfstring(L, "an element is %s, expected %s",
                                      luaL_tolstring(L, -1, NULL),
                                      tensor->dtype == DTYPE_I64 ? "an integer"
                                                                 : "a number"));
    store_element(L, tensor, at, lua_gettop(L));
}

/* Stores the table on top of the stack, and what is in it. */
static void fill_table(lua_State *L, Tensor *tensor, int64_t *at, int axis) {
    if (axis == tensor->axes) {
        fill_element(L, tensor, at);
        return;
    }
    int64_t n = tensor->shape[axis];
    luaL_checkstack(L, 4, "nested tables");
    if (!lua_istable(L, -1) || (int64_t)lua_rawlen(L, -1) != n)
        luaL_argerror(L, 1,
                      lua_pushfstring(L,
                                      "ragged tables: axis %d has %I "
                                      "elements here and not there",
                                      axis + 1, (LUAI_UACINT)n));
    for (at[axis] = 0; at[axis] < n; at[axis]++) {
        lua_rawgeti(L, -1, at[axis] + 1);
        fill_table(L, tensor, at, axis + 1);
        lua_pop(L, 1);
    }
}

/* core.tensor(nested [, dtype]) */
static int core_tensor(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    Dtype dtype = bind_dtype(L, 2);
    lua_settop(L, 1);
    int64_t shape[TENSOR_AXES], at[TENSOR_AXES] = {0};
    int axes = table_shape(L, shape);
    Tensor *tensor = bind_tensor_create(L, dtype, axes, shape);
    lua_pushvalue(L, 1);
    fill_table(L, tensor, at, 0);
    lua_pop(L, 1);
    return 1;
}

/* core.encode(t, dtype): bytes, little-endian, row-major. */
static int core_encode(lua_State *L) {
    static const char *const NAMES[] = {"F16", "BF16", "F32", "F64", NULL};
    static const Dtype DTYPES[] = {DTYPE_F16, DTYPE_BF16, DTYPE_F32, DTYPE_F64};
    const Tensor *tensor = bind_tensor_check(L, 1);
    Dtype dtype = DTYPES[luaL_checkoption(L, 2, NULL, NAMES)];
    if (!tensor_in_memory(tensor) || tensor->dtype != DTYPE_F64 ||
        !tensor_contiguous(tensor))
        tensor = bind_tensor_copy(L, tensor, DTYPE_F64);
    Err err;
    uint64_t bytes = 0, count = (uint64_t)tensor_count(tensor);
    if (dtype_bytes(dtype, count, &bytes, &err) != STATUS_OK)
        return bind_raise(L, &err);
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(L, &buffer, bytes);
    if (dtype_encode(dtype, tensor_data(tensor), count, out, &err) != STATUS_OK)
        return bind_raise(L, &err);
    luaL_pushresultsize(&buffer, bytes);
    return 1;
}

/* Argument `arg`, a table of numbers or a tensor of one axis, as a contiguous
 * f64 tensor that is pushed. */
static const Tensor *check_vector(lua_State *L, int arg) {
    if (lua_istable(L, arg)) {
        int64_t n = (int64_t)lua_rawlen(L, arg);
        Tensor *vector = bind_tensor_create(L, DTYPE_F64, 1, &n);
        for (int64_t i = 0; i < n; i++) {
            if (lua_rawgeti(L, arg, i + 1) != LUA_TNUMBER)
                luaL_argerror(L, arg,
                              lua_pushfstring(L,
                                              "element %I is %s, expected "
                                              "a number",
                                              (LUAI_UACINT)(i + 1),
                                              luaL_typename(L, -1)));
            store_element(L, vector, &i, lua_gettop(L));
            lua_pop(L, 1);
        }
        return vector;
    }
    const Tensor *tensor = bind_tensor_check(L, arg);
    luaL_argcheck(L, tensor->axes == 1, arg, "a tensor of 1 axis expected");
    return bind_tensor_copy(L, tensor, DTYPE_F64);
}

/* core.planted(rows, cols, s, seed) */
static int core_planted(lua_State *L) {
    int64_t shape[2];
    for (int i = 0; i < 2; i++)
        shape[i] = bind_integer(L, i + 1, 0, INT32_MAX);
    uint64_t seed = (uint64_t)luaL_checkinteger(L, 4);
    const Tensor *s = check_vector(L, 3);
    int64_t least = shape[0] < shape[1] ? shape[0] : shape[1];
    if (s->shape[0] != least)
        luaL_argerror(L, 3,
                      lua_pushfstring(L, "%I singular values, expected %I",
                                      (LUAI_UACINT)s->shape[0],
                                      (LUAI_UACINT)least));
    Tensor *out = bind_tensor_create(L, DTYPE_F64, 2, shape);
    Err err;
    BIND_MUST(L, &err,
              planted_matrix((uint64_t)shape[0], (uint64_t)shape[1],
                             tensor_data(s), seed, tensor_data(out), &err));
    return 1;
}

/* ---- the class ---- */

static const luaL_Reg META[] = {
    {"__gc", tensor_close},
    {"__close", tensor_close},
    {"__len", tensor_length},
    {"__eq", tensor_equal},
    {"__tostring", tensor_text},
    {"__newindex", tensor_newindex},
    {NULL, NULL},
};

static const luaL_Reg METHODS[] = {
    {"close", tensor_close},     {"get", tensor_get_element},
    {"set", tensor_set_element}, {"rows", tensor_slice_rows},
    {"cols", tensor_slice_cols}, {"runs", tensor_take_runs},
    {"t", tensor_turn},          {"to", tensor_to},
    {"totable", tensor_table},   {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {
    {"tensor", core_tensor},
    {"encode", core_encode},
    {"planted", core_planted},
    {NULL, NULL},
};

void bind_tensor(lua_State *L) {
    bind_class(L, BIND_TENSOR, "tensor", META, METHODS, tensor_index);
    luaL_setfuncs(L, FUNCTIONS, 0);
}
