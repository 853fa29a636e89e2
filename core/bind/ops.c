/* Arithmetic of tensors, and what goes along their axes. */
#include "ops.h"

#include <math.h>

#include "bind.h"

/* Multiplications from which on a product goes to a worker, where Ctrl-C can
 * leave it. BLAS runs smaller ones on the caller's thread. */
static const double POOLED = 1 << 18;

enum { BINS_MOST = 1 << 24 };

/* The tensor on top of the stack is done. */
static int push_done(lua_State *L, const Tensor *out) {
    bind_account(L, tensor_bytes(out));
    return 1;
}

/* ---- arithmetic ---- */

/* The operand at `arg`: a tensor, or a number as one without axes, which is
 * pushed. */
static const Tensor *check_operand(lua_State *L, int arg) {
    Err err;
    if (lua_type(L, arg) == LUA_TNUMBER) {
        Tensor *number = bind_tensor_new(L, 0);
        BIND_MUST(
            L, &err,
            ops_full(number, DTYPE_F64, 0, NULL, lua_tonumber(L, arg), &err));
        return number;
    }
    if (luaL_testudata(L, arg, BIND_TENSOR) == NULL)
        luaL_argerror(L, arg,
                      lua_pushfstring(L,
                                      "a tensor or a number expected, got %s",
                                      luaL_typename(L, arg)));
    return bind_tensor_check(L, arg);
}

static int push_binary(lua_State *L, OpsBinary op) {
    const Tensor *a = check_operand(L, 1), *b = check_operand(L, 2);
    Tensor *out = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(L, &err, ops_binary(out, op, a, b, &err));
    return push_done(L, out);
}

static int push_unary(lua_State *L, OpsUnary op) {
    const Tensor *tensor = bind_tensor_self(L);
    Tensor *out = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(L, &err, ops_unary(out, op, tensor, &err));
    return push_done(L, out);
}

#define BINARY(name, op)                                                       \
    static int name(lua_State *L) {                                            \
        return push_binary(L, op);                                             \
    }
#define UNARY(name, op)                                                        \
    static int name(lua_State *L) {                                            \
        return push_unary(L, op);                                              \
    }

BINARY(tensor_add, OPS_ADD)
BINARY(tensor_sub, OPS_SUBTRACT)
BINARY(tensor_mul, OPS_MULTIPLY)
BINARY(tensor_div, OPS_DIVIDE)
UNARY(tensor_unm, OPS_NEGATE)
UNARY(tensor_abs, OPS_ABS)
UNARY(tensor_log, OPS_LOG)
UNARY(tensor_exp, OPS_EXP)
UNARY(tensor_sqrt, OPS_SQRT)

/* A tolerance in argument `arg`. */
static double check_tolerance(lua_State *L, int arg, double preset) {
    double value = luaL_optnumber(L, arg, preset);
    luaL_argcheck(L, value >= 0.0, arg, "a number of 0 or more expected");
    return value;
}

/* t:allclose(u [, rtol [, atol]]) */
static int tensor_allclose(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    double rtol = check_tolerance(L, 3, 1e-5);
    double atol = check_tolerance(L, 4, 1e-8);
    const Tensor *other = check_operand(L, 2);
    bool close = false;
    Err err;
    BIND_MUST(L, &err, ops_close(&close, tensor, other, rtol, atol, &err));
    lua_pushboolean(L, close);
    return 1;
}

/* ---- along an axis ---- */

/* Axis `arg`, 1-based; absent, all elements are one axis. */
static int check_axis(lua_State *L, int arg, const Tensor *tensor) {
    char shape[256];
    if (lua_isnoneornil(L, arg))
        return OPS_ALL;
    lua_Integer axis = luaL_checkinteger(L, arg);
    if (axis < 1 || axis > tensor->axes)
        luaL_argerror(L, arg,
                      lua_pushfstring(
                          L,
                          tensor->axes == 0 ? "axis %I of a tensor without axes"
                                            : "axis %I of %s: expected 1 to %d",
                          (LUAI_UACINT)axis,
                          tensor_shape_text(shape, sizeof shape, tensor),
                          tensor->axes));
    return (int)axis - 1;
}

/* Subscripts count from 1. */
static void count_from_one(Tensor *tensor) {
    int64_t *at = tensor_data(tensor), n = tensor_count(tensor);
    for (int64_t i = 0; i < n; i++)
        at[i]++;
}

/* Does the wish; what has no axes is pushed as a number. */
static int push_along(lua_State *L, const Tensor *tensor, const OpsWish *wish) {
    Tensor *out = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(L, &err, ops_along(out, wish, tensor, &err));
    if (out->dtype == DTYPE_I64)
        count_from_one(out);
    if (out->axes > 0)
        return push_done(L, out);
    if (out->dtype == DTYPE_I64)
        lua_pushinteger(L, *(int64_t *)tensor_data(out));
    else
        lua_pushnumber(L, *(double *)tensor_data(out));
    return 1;
}

/* t:sum([axis]) and its like */
static int push_plain(lua_State *L, OpsAlong op) {
    const Tensor *tensor = bind_tensor_self(L);
    OpsWish wish = {.op = op, .axis = check_axis(L, 2, tensor)};
    return push_along(L, tensor, &wish);
}

/* t:std([axis [, ddof]]) */
static int push_spread(lua_State *L, OpsAlong op) {
    const Tensor *tensor = bind_tensor_self(L);
    OpsWish wish = {.op = op, .axis = check_axis(L, 2, tensor)};
    wish.number = check_tolerance(L, 3, 0.0);
    return push_along(L, tensor, &wish);
}

/* t:sort([axis] [, falling]) */
static int push_order(lua_State *L, OpsAlong op) {
    const Tensor *tensor = bind_tensor_self(L);
    OpsWish wish = {.op = op, .axis = OPS_ALL};
    int falling = lua_isboolean(L, 2) ? 2 : 3;
    if (falling == 3)
        wish.axis = check_axis(L, 2, tensor);
    if (!lua_isnoneornil(L, falling))
        luaL_checktype(L, falling, LUA_TBOOLEAN);
    wish.falling = lua_toboolean(L, falling);
    return push_along(L, tensor, &wish);
}

#define ALONG(name, push, op)                                                  \
    static int name(lua_State *L) {                                            \
        return push(L, op);                                                    \
    }

ALONG(tensor_sum, push_plain, OPS_SUM)
ALONG(tensor_mean, push_plain, OPS_MEAN)
ALONG(tensor_min, push_plain, OPS_MIN)
ALONG(tensor_max, push_plain, OPS_MAX)
ALONG(tensor_argmin, push_plain, OPS_ARGMIN)
ALONG(tensor_argmax, push_plain, OPS_ARGMAX)
ALONG(tensor_cumsum, push_plain, OPS_CUMSUM)
ALONG(tensor_diff, push_plain, OPS_DIFF)
ALONG(tensor_var, push_spread, OPS_VAR)
ALONG(tensor_std, push_spread, OPS_STD)
ALONG(tensor_sort, push_order, OPS_SORT)
ALONG(tensor_argsort, push_order, OPS_ARGSORT)

/* t:percentile(q [, axis]) */
static int tensor_percentile(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    OpsWish wish = {.op = OPS_PERCENTILE, .number = luaL_checknumber(L, 2)};
    luaL_argcheck(L, wish.number >= 0.0 && wish.number <= 100.0, 2,
                  "a percentile from 0 to 100 expected");
    wish.axis = check_axis(L, 3, tensor);
    return push_along(L, tensor, &wish);
}

/* t:norm([p]): p of 1, 2 or math.huge, of a tensor of one axis; without p the
 * root of the sum of all squares */
static int tensor_norm(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    OpsWish wish = {.op = OPS_NORM_2, .axis = OPS_ALL};
    if (lua_isnoneornil(L, 2))
        return push_along(L, tensor, &wish);
    double p = luaL_checknumber(L, 2);
    luaL_argcheck(L, p == 1.0 || p == 2.0 || p == (double)INFINITY, 2,
                  "1, 2 or math.huge expected");
    luaL_argcheck(L, tensor->axes <= 1, 2,
                  "norm p is that of a tensor of 1 axis; weft.norm has those "
                  "of matrices");
    wish.op = p == 1.0 ? OPS_NORM_1 : p == 2.0 ? OPS_NORM_2 : OPS_NORM_MAX;
    return push_along(L, tensor, &wish);
}

/* t:histogram([bins [, low, high]]): counts, edges */
static int tensor_histogram(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    int64_t bins =
        lua_isnoneornil(L, 2) ? 10 : bind_integer(L, 2, 1, BINS_MOST);
    double range[2] = {0.0, 0.0};
    bool given = !lua_isnoneornil(L, 3);
    for (int i = 0; given && i < 2; i++)
        range[i] = luaL_checknumber(L, i + 3);
    Tensor *counts = bind_tensor_new(L, 0), *edges = bind_tensor_new(L, 0);
    Err err;
    BIND_MUST(
        L, &err,
        ops_histogram(counts, edges, tensor, bins, given ? range : NULL, &err));
    bind_account(L, tensor_bytes(counts) + tensor_bytes(edges));
    return 2;
}

/* ---- products ---- */

typedef struct Product {
    Tensor a, b, out;
    Status status;
    Err err;
} Product;

static void product_free(void *data) {
    Product *job = data;
    tensor_release(&job->a);
    tensor_release(&job->b);
    tensor_release(&job->out);
    mem_free(job);
}

static void product_run(void *data, size_t i, Scratch *scratch,
                        const volatile int *cancel) {
    Product *job = data;
    (void)i, (void)scratch, (void)cancel;
    job->status = ops_matmul(&job->out, &job->a, &job->b, &job->err);
}

/* The product by a worker. */
static Status product_pooled(lua_State *L, Tensor *out, const Tensor *a,
                             const Tensor *b, double cost, Err *err) {
    Work *work = bind_work_new(L);
    Product *job = bind_work_data(L, work, sizeof *job, product_free);
    tensor_view(&job->a, a);
    tensor_view(&job->b, b);
    bind_work_run(L, work, product_run, cost);
    Status status = job->status;
    if (status == STATUS_OK)
        tensor_view(out, &job->out);
    else
        *err = job->err;
    bind_work_close(work);
    lua_pop(L, 1);
    return status;
}

/* t:matmul(u), and t:dot(u): of two vectors a number */
static int tensor_matmul(lua_State *L) {
    const Tensor *a = bind_tensor_self(L), *b = bind_tensor_check(L, 2);
    Tensor *out = bind_tensor_new(L, 0);
    double cost = ops_matmul_cost(a, b);
    Err err;
    if (cost < POOLED)
        BIND_MUST(L, &err, ops_matmul(out, a, b, &err));
    else
        BIND_MUST(L, &err, product_pooled(L, out, a, b, cost, &err));
    if (out->axes > 0)
        return push_done(L, out);
    lua_pushnumber(L, *(double *)tensor_data(out));
    return 1;
}

/* ---- shapes ---- */

/* t:slice(axis, a, b [, step]) */
static int tensor_slice_axis(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    luaL_checkinteger(L, 2);
    int axis = check_axis(L, 2, tensor);
    int64_t size = tensor->shape[axis];
    int64_t a = bind_integer(L, 3, 1, size + 1);
    int64_t b = bind_integer(L, 4, a - 1, size);
    int64_t step = lua_isnoneornil(L, 5) ? 1 : bind_integer(L, 5, 1, INT64_MAX);
    int64_t count = b < a ? 0 : (b - a) / step + 1;
    Tensor *view = bind_tensor_new(L, 1);
    Err err;
    Status status;
    BIND_TRY(L, status,
             tensor_slice(view, tensor, axis, a - 1, count, step, &err));
    if (status == STATUS_UNSUPPORTED) {
        /* what a file's view can't be is one of a copy */
        const Tensor *copy = bind_tensor_copy(L, tensor, DTYPE_F64);
        view = bind_tensor_new(L, 0);
        BIND_TRY(L, status,
                 tensor_slice(view, copy, axis, a - 1, count, step, &err));
    }
    return status == STATUS_OK ? 1 : bind_raise(L, &err);
}

/* The one size of -1 becomes what the other sizes leave. */
static void fill_open(lua_State *L, const Tensor *tensor, int axes,
                      int64_t *shape) {
    int open = -1;
    int64_t others = 1, count = tensor_count(tensor);
    for (int i = 0; i < axes; i++) {
        if (shape[i] >= 0) {
            if (__builtin_mul_overflow(others, shape[i], &others))
                luaL_argerror(L, 2, "a shape of 2^63 elements or more");
            continue;
        }
        luaL_argcheck(L, open < 0, 2, "two sizes of -1, expected at most one");
        open = i;
    }
    if (open < 0)
        return;
    if (others == 0 || count % others != 0)
        luaL_argerror(L, 2,
                      lua_pushfstring(L, "no size for -1: %I elements over %I",
                                      (LUAI_UACINT)count, (LUAI_UACINT)others));
    shape[open] = count / others;
}

/* t:reshape(m, n, …) or t:reshape{m, n, …} */
static int tensor_reshape_to(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    int64_t shape[TENSOR_AXES];
    int next, axes = bind_shape(L, 2, true, shape, &next);
    luaL_argcheck(L, lua_isnoneornil(L, next), next, "a size expected");
    fill_open(L, tensor, axes, shape);
    Tensor *out = bind_tensor_new(L, 1);
    Err err;
    BIND_MUST(L, &err, tensor_reshape(out, tensor, axes, shape, &err));
    return out->storage == tensor->storage ? 1 : push_done(L, out);
}

/* t:copy(): contiguous, in memory */
static int tensor_copy_all(lua_State *L) {
    const Tensor *tensor = bind_tensor_self(L);
    bind_tensor_copy(L, tensor,
                     tensor_in_memory(tensor) ? tensor->dtype : DTYPE_F64);
    return 1;
}

/* The i-th tensor of the table in argument 1, which stays on the stack. */
static const Tensor *list_tensor(lua_State *L, int64_t i) {
    lua_rawgeti(L, 1, i);
    const Tensor *tensor = luaL_testudata(L, -1, BIND_TENSOR);
    if (tensor == NULL || (tensor->storage == NULL && tensor->source == NULL))
        luaL_argerror(L, 1,
                      lua_pushfstring(L, "element %I is %s, expected a tensor",
                                      (LUAI_UACINT)i,
                                      tensor == NULL ? luaL_typename(L, -1)
                                                     : "a closed tensor"));
    return tensor;
}

/* Whether two tensors differ along `axis` at most. */
static bool joins(const Tensor *a, const Tensor *b, int axis) {
    bool same = a->axes == b->axes;
    for (int i = 0; same && i < a->axes; i++)
        same = i == axis || a->shape[i] == b->shape[i];
    return same;
}

static void refuse_join(lua_State *L, const Tensor *first, const Tensor *tensor,
                        int64_t i, int axis) {
    char shape[256], wanted[256];
    luaL_argerror(
        L, 1,
        lua_pushfstring(
            L,
            "element %I is %s, the first is %s: expected the same "
            "but along axis %d",
            (LUAI_UACINT)i, tensor_shape_text(shape, sizeof shape, tensor),
            tensor_shape_text(wanted, sizeof wanted, first), axis + 1));
}

/* The shape and the dtype of all tensors of the list in one. */
static Dtype joined_shape(lua_State *L, int64_t n, int axis, int64_t *shape) {
    const Tensor *first = list_tensor(L, 1);
    Dtype dtype = first->dtype;
    int64_t size = 0;
    for (int i = 0; i < first->axes; i++)
        shape[i] = first->shape[i];
    for (int64_t i = 1; i <= n; i++) {
        const Tensor *tensor = list_tensor(L, i);
        if (!tensor_in_memory(tensor) || tensor->dtype != dtype)
            dtype = DTYPE_F64;
        if (!joins(first, tensor, axis))
            refuse_join(L, first, tensor, i, axis);
        if (__builtin_add_overflow(size, tensor->shape[axis], &size))
            luaL_argerror(L, 1, "more than 2^63 elements in all");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    shape[axis] = size;
    return dtype;
}

/* core.concat({t, u, …} [, axis]) */
static int core_concat(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    int64_t shape[TENSOR_AXES], n = (int64_t)lua_rawlen(L, 1), at = 0;
    luaL_argcheck(L, n > 0, 1, "a list of tensors expected, got none");
    const Tensor *first = list_tensor(L, 1);
    int axis = check_axis(L, 2, first), axes = first->axes;
    luaL_argcheck(L, axes > 0, 1, "element 1 has no axes, expected 1 or more");
    axis = axis == OPS_ALL ? 0 : axis;
    Dtype dtype = joined_shape(L, n, axis, shape);
    Tensor *out = bind_tensor_create(L, dtype, axes, shape);
    for (int64_t i = 1; i <= n; i++) {
        const Tensor *tensor = list_tensor(L, i);
        Err err;
        BIND_MUST(L, &err, ops_place(out, axis, at, tensor, &err));
        at += tensor->shape[axis];
        lua_pop(L, 1);
        bind_poll(L);
    }
    return 1;
}

static const luaL_Reg META[] = {
    {"__add", tensor_add}, {"__sub", tensor_sub}, {"__mul", tensor_mul},
    {"__div", tensor_div}, {"__unm", tensor_unm}, {NULL, NULL},
};

static const luaL_Reg METHODS[] = {
    {"abs", tensor_abs},           {"log", tensor_log},
    {"exp", tensor_exp},           {"sqrt", tensor_sqrt},
    {"allclose", tensor_allclose}, {"sum", tensor_sum},
    {"mean", tensor_mean},         {"var", tensor_var},
    {"std", tensor_std},           {"min", tensor_min},
    {"max", tensor_max},           {"argmin", tensor_argmin},
    {"argmax", tensor_argmax},     {"percentile", tensor_percentile},
    {"norm", tensor_norm},         {"histogram", tensor_histogram},
    {"sort", tensor_sort},         {"argsort", tensor_argsort},
    {"cumsum", tensor_cumsum},     {"diff", tensor_diff},
    {"matmul", tensor_matmul},     {"dot", tensor_matmul},
    {"slice", tensor_slice_axis},  {"reshape", tensor_reshape_to},
    {"copy", tensor_copy_all},     {NULL, NULL},
};

void bind_ops(lua_State *L) {
    lua_pushcfunction(L, core_concat);
    lua_setfield(L, -2, "concat");
    luaL_getmetatable(L, BIND_TENSOR);
    luaL_setfuncs(L, META, 0);
    lua_getfield(L, -2, "methods");
    lua_getfield(L, -1, "tensor");
    luaL_setfuncs(L, METHODS, 0);
    lua_pop(L, 3);
}
