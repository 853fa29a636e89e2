/* A head's bilinear kernel A^T B, kept as its factors. */
#include <math.h>
#include <string.h>

#include "bind.h"
#include "dense.h"
#include "direct.h"
#include "heads.h"
#include "heads_svd.h"
#include "spectrum.h"

/* ---- boxes ---- */

static bool kernel_open(const Kernel *kernel) {
    return kernel->left != NULL;
}

static const Kernel *kernel_self(lua_State *L) {
    const Kernel *kernel = luaL_checkudata(L, 1, BIND_KERNEL);
    if (!kernel_open(kernel))
        luaL_error(L, "kernel is closed");
    return kernel;
}

bool bind_factor_same(const Factor *a, const Factor *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; i < a->count && same; i++) {
        const FactorBlock *x = &a->block[i], *y = &b->block[i];
        same = x->product == y->product &&
               bind_tensor_same(&x->matrix, &y->matrix) &&
               (!x->product || bind_tensor_same(&x->by, &y->by));
    }
    return a == b || same;
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    return (hash ^ word) * 0x9E3779B97F4A7C15U ^ hash >> 29;
}

/* Equal for tensors that bind_tensor_same holds to be one. */
static uint64_t tensor_hash(const Tensor *tensor) {
    const Source *source = tensor->source;
    uint64_t hash = mix(0, (uint64_t)(uintptr_t)tensor->storage);
    hash = mix(hash, (uint64_t)tensor->offset);
    if (source == NULL)
        return hash;
    hash = mix(hash, (uint64_t)(uintptr_t)source->file);
    hash = mix(hash, source->offset);
    hash = mix(hash, source->first_col);
    return source->run_count == 0 ? hash : mix(hash, source->runs[0].first);
}

uint64_t bind_factor_hash(const Factor *factor) {
    uint64_t hash = factor->count;
    for (size_t i = 0; i < factor->count; i++) {
        const FactorBlock *block = &factor->block[i];
        hash = mix(hash, tensor_hash(&block->matrix));
        if (block->product)
            hash = mix(hash, tensor_hash(&block->by));
    }
    return hash;
}

/* ---- making them ---- */

/* Adds what keeps the tensor's checkpoint from being collected to the list at
 * `keep`. */
static void keep_owner(lua_State *L, int tensor, int keep) {
    lua_getiuservalue(L, tensor, 1);
    if (lua_isnil(L, -1))
        lua_pop(L, 1);
    else
        lua_rawseti(L, keep, (lua_Integer)lua_rawlen(L, keep) + 1);
}

/* The tensor at index `at`, a block's or half a block. */
static const Tensor *block_tensor(lua_State *L, int arg, int at) {
    if (luaL_testudata(L, at, BIND_TENSOR) == NULL)
        luaL_argerror(L, arg,
                      lua_pushfstring(L,
                                      "a block is a tensor or two of them to "
                                      "multiply, got a %s",
                                      luaL_typename(L, at)));
    return bind_tensor_check(L, at);
}

/* Adds the block on top of the stack, a tensor or {X, Y}, and pops it. */
static void take_block(lua_State *L, int arg, Factor *factor, int keep) {
    int top = lua_gettop(L);
    bool pair = lua_istable(L, top);
    for (int i = 1; pair && i <= 2; i++)
        lua_rawgeti(L, top, i);
    int first = pair ? top + 1 : top, last = lua_gettop(L);
    const Tensor *matrix = block_tensor(L, arg, first);
    const Tensor *by = pair ? block_tensor(L, arg, last) : NULL;
    Err err;
    if (factor_add(factor, matrix, by, &err) != STATUS_OK)
        luaL_argerror(L, arg, lua_pushstring(L, err.message));
    for (int at = first; at <= last; at++)
        keep_owner(L, at, keep);
    lua_settop(L, top - 1);
}

/* The factor in argument `arg`, a tensor or a list of blocks, into *out, which
 * a box on the stack owns. */
static void take_factor(lua_State *L, int arg, Factor **out, int keep) {
    bool list = lua_istable(L, arg);
    size_t count = list ? (size_t)lua_rawlen(L, arg) : 1;
    Err err;
    if (count == 0)
        luaL_argerror(L, arg, "a list of blocks expected, got an empty table");
    if (!list)
        bind_tensor_check(L, arg);
    BIND_MUST(L, &err, factor_create(out, count, &err));
    for (size_t i = 0; i < count; i++) {
        if (list)
            lua_rawgeti(L, arg, (lua_Integer)i + 1);
        else
            lua_pushvalue(L, arg);
        take_block(L, arg, *out, keep);
    }
}

/* core.kernel(A, B), both (k, d): tensors or lists of blocks */
static int core_kernel(lua_State *L) {
    lua_settop(L, 2);
    luaL_checkany(L, 1);
    Kernel *kernel = lua_newuserdatauv(L, sizeof *kernel, 1);
    memset(kernel, 0, sizeof *kernel);
    luaL_setmetatable(L, BIND_KERNEL);
    lua_newtable(L);
    lua_pushvalue(L, 4);
    lua_setiuservalue(L, 3, 1);
    take_factor(L, 1, &kernel->left, 4);
    take_factor(L, 2, &kernel->right, 4);
    const Factor *a = kernel->left, *b = kernel->right;
    if (a->k != b->k || a->d != b->d)
        luaL_argerror(L, 2,
                      lua_pushfstring(L,
                                      "a matrix of shape [%I, %I] expected, as "
                                      "the first, got [%I, %I]",
                                      (LUAI_UACINT)a->k, (LUAI_UACINT)a->d,
                                      (LUAI_UACINT)b->k, (LUAI_UACINT)b->d));
    lua_settop(L, 3);
    return 1;
}

/* __gc, __close and :close(). */
static int kernel_close(lua_State *L) {
    Kernel *kernel = luaL_checkudata(L, 1, BIND_KERNEL);
    factor_release(kernel->left);
    factor_release(kernel->right);
    memset(kernel, 0, sizeof *kernel);
    lua_pushnil(L);
    lua_setiuservalue(L, 1, 1);
    return 0;
}

static int kernel_equal(lua_State *L) {
    const Kernel *a = luaL_testudata(L, 1, BIND_KERNEL);
    const Kernel *b = luaL_testudata(L, 2, BIND_KERNEL);
    lua_pushboolean(L, a != NULL && b != NULL && kernel_open(a) &&
                           kernel_open(b) &&
                           bind_factor_same(a->left, b->left) &&
                           bind_factor_same(a->right, b->right));
    return 1;
}

static int kernel_length(lua_State *L) {
    lua_pushinteger(L, kernel_self(L)->left->d);
    return 1;
}

static int kernel_text(lua_State *L) {
    const Kernel *kernel = luaL_checkudata(L, 1, BIND_KERNEL);
    if (!kernel_open(kernel)) {
        lua_pushliteral(L, "kernel (closed)");
        return 1;
    }
    LUAI_UACINT k = kernel->left->k, d = kernel->left->d;
    lua_pushfstring(L, "kernel [%I, %I] of %I rows", d, d, k);
    return 1;
}

static int kernel_index(lua_State *L) {
    luaL_checkudata(L, 1, BIND_KERNEL);
    if (bind_method(L))
        return 1;
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(key, "shape") == 0) {
        int64_t d = kernel_self(L)->left->d;
        lua_createtable(L, 2, 0);
        for (int i = 1; i <= 2; i++) {
            lua_pushinteger(L, d);
            lua_rawseti(L, -2, i);
        }
    } else if (strcmp(key, "rows") == 0) {
        lua_pushinteger(L, kernel_self(L)->left->k);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* ---- jobs ---- */

typedef struct KernelJob {
    Kernel kernel;
    Tensor first, second; /* s, or re and im, or the dense matrix */
    Tensor third;         /* with them: V of U, s, V */
    unsigned wish;
    KernelResult result;
    Status status;
    Err err;
} KernelJob;

static void job_free(void *data) {
    KernelJob *job = data;
    factor_release(job->kernel.left);
    factor_release(job->kernel.right);
    tensor_release(&job->first);
    tensor_release(&job->second);
    tensor_release(&job->third);
    mem_free(job);
}

static void run_factored(void *data, size_t i, Scratch *scratch,
                         const volatile int *cancel) {
    KernelJob *job = data;
    const Factor *left = job->kernel.left;
    Status status = STATUS_OK;
    Err err;
    (void)i;
    job->status =
        kernel_values(&left, 1, job->kernel.right, job->wish, &job->result,
                      &status, &err, scratch, cancel, &job->err);
    if (job->status == STATUS_OK && status != STATUS_OK) {
        job->status = status;
        job->err = err;
    }
}

static void run_dense(void *data, size_t i, Scratch *scratch,
                      const volatile int *cancel) {
    KernelJob *job = data;
    (void)i;
    (void)cancel;
    job->status = kernel_dense(job->kernel.left, job->kernel.right,
                               tensor_data(&job->first), scratch, &job->err);
}

static void run_dense_values(void *data, size_t i, Scratch *scratch,
                             const volatile int *cancel) {
    KernelJob *job = data;
    (void)i;
    (void)cancel;
    job->status =
        kernel_dense_values(job->kernel.left, job->kernel.right, job->wish,
                            &job->result, scratch, &job->err);
}

static void run_svd(void *data, size_t i, Scratch *scratch,
                    const volatile int *cancel) {
    KernelJob *job = data;
    (void)i;
    (void)cancel;
    job->status =
        kernel_svd(job->kernel.left, job->kernel.right, job->second.shape[0],
                   tensor_data(&job->first), tensor_data(&job->second),
                   tensor_data(&job->third), scratch, &job->err);
}

/* Pushes the work of a job on the kernel at 1. */
static KernelJob *job_new(lua_State *L, Work **work, unsigned wish) {
    const Kernel *kernel = kernel_self(L);
    lua_settop(L, 1);
    *work = bind_work_new(L);
    KernelJob *job = bind_work_data(L, *work, sizeof *job, job_free);
    job->wish = wish;
    job->kernel.left = factor_keep(kernel->left);
    job->kernel.right = factor_keep(kernel->right);
    return job;
}

/* Pushes a result of n values, which the job writes. */
static double *job_vector(lua_State *L, Tensor *out, int64_t n) {
    tensor_view(out, bind_tensor_create(L, DTYPE_F64, 1, &n));
    return tensor_data(out);
}

/* Runs the job to its end and copies its numbers out. */
static KernelResult job_run(lua_State *L, Work *work, PoolRun *run,
                            double cost) {
    KernelJob *job = work->data;
    bind_work_run(L, work, run, cost);
    KernelResult result = job->result;
    Status status = job->status;
    Err err = job->err;
    bind_work_close(work);
    if (status != STATUS_OK)
        bind_raise(L, &err);
    return result;
}

static double factored_cost(const KernelJob *job) {
    return kernel_cost(job->kernel.left, job->kernel.right, 1);
}

/* k:svdvals() */
static int kernel_svdvals(lua_State *L) {
    Work *work;
    KernelJob *job = job_new(L, &work, KERNEL_SINGULAR);
    job->result.s = job_vector(L, &job->first, job->kernel.left->k);
    job_run(L, work, run_factored, factored_cost(job));
    return 1;
}

/* Pushes the n singular values. */
static const double *push_values(lua_State *L, int64_t *n) {
    kernel_svdvals(L);
    const Tensor *s = bind_tensor_check(L, -1);
    *n = s->shape[0];
    return tensor_data(s);
}

/* k:rank(): singular values over d * 2^-52 * the largest */
static int kernel_rank(lua_State *L) {
    int64_t n, d = kernel_self(L)->left->d;
    const double *s = push_values(L, &n);
    double lowest = n > 0 ? dense_cut(d, d) * s[0] : 0;
    lua_pushinteger(L, dense_rank(s, n, lowest));
    return 1;
}

static int kernel_effective_rank(lua_State *L) {
    int64_t n;
    const double *s = push_values(L, &n);
    lua_pushnumber(L, spectrum_effective_rank(s, (size_t)n));
    return 1;
}

/* k:stable_rank(): squared Frobenius norm over squared spectral norm */
static int kernel_stable_rank(lua_State *L) {
    int64_t n;
    const double *s = push_values(L, &n);
    double sum = n > 0 && s[0] > 0 ? 0 : NAN;
    for (int64_t i = n; i-- > 0;)
        sum += s[i] / s[0] * (s[i] / s[0]);
    lua_pushnumber(L, sum);
    return 1;
}

/* k:svd([count]): U, s, V of the first triples */
static int kernel_triples(lua_State *L) {
    const Factor *left = kernel_self(L)->left;
    int64_t k = left->k, d = left->d, most = k < d ? k : d;
    int64_t count = lua_isnoneornil(L, 2) ? most : bind_integer(L, 2, 0, most);
    int64_t shape[2] = {d, count};
    Work *work;
    KernelJob *job = job_new(L, &work, 0);
    tensor_view(&job->first, bind_tensor_create(L, DTYPE_F64, 2, shape));
    job_vector(L, &job->second, count);
    tensor_view(&job->third, bind_tensor_create(L, DTYPE_F64, 2, shape));
    job_run(L, work, run_svd, factored_cost(job));
    return 3;
}

/* k:eigvals(): real parts, imaginary parts */
static int kernel_eigvals(lua_State *L) {
    Work *work;
    KernelJob *job = job_new(L, &work, KERNEL_EIGEN);
    job->result.re = job_vector(L, &job->first, job->kernel.left->k);
    job->result.im = job_vector(L, &job->second, job->kernel.left->k);
    job_run(L, work, run_factored, factored_cost(job));
    return 2;
}

static KernelResult shape_numbers(lua_State *L) {
    Work *work;
    KernelJob *job = job_new(L, &work, KERNEL_SHAPE);
    return job_run(L, work, run_factored, factored_cost(job));
}

static int kernel_norm(lua_State *L) {
    lua_pushnumber(L, shape_numbers(L).norm);
    return 1;
}

static int kernel_symmetry(lua_State *L) {
    lua_pushnumber(L, shape_numbers(L).symmetry);
    return 1;
}

static int kernel_asymmetry(lua_State *L) {
    lua_pushnumber(L, shape_numbers(L).asymmetry);
    return 1;
}

/* k:dense() */
static int kernel_matrix(lua_State *L) {
    Work *work;
    KernelJob *job = job_new(L, &work, 0);
    int64_t d = job->kernel.left->d, shape[2] = {d, d};
    tensor_view(&job->first, bind_tensor_create(L, DTYPE_F64, 2, shape));
    job_run(L, work, run_dense, factored_cost(job));
    return 1;
}

/* k:dense_eigvals(): all d of them, by the general solver */
static int kernel_dense_eigvals(lua_State *L) {
    Work *work;
    KernelJob *job = job_new(L, &work, KERNEL_EIGEN);
    int64_t d = job->kernel.left->d;
    job->result.re = job_vector(L, &job->first, d);
    job->result.im = job_vector(L, &job->second, d);
    job_run(L, work, run_dense_values, direct_eigvals_cost(d));
    return 2;
}

static const luaL_Reg META[] = {
    {"__gc", kernel_close},      {"__close", kernel_close},
    {"__eq", kernel_equal},      {"__len", kernel_length},
    {"__tostring", kernel_text}, {NULL, NULL},
};

static const luaL_Reg METHODS[] = {
    {"close", kernel_close},
    {"svdvals", kernel_svdvals},
    {"svd", kernel_triples},
    {"rank", kernel_rank},
    {"effective_rank", kernel_effective_rank},
    {"stable_rank", kernel_stable_rank},
    {"eigvals", kernel_eigvals},
    {"norm", kernel_norm},
    {"symmetry", kernel_symmetry},
    {"asymmetry", kernel_asymmetry},
    {"dense", kernel_matrix},
    {"dense_eigvals", kernel_dense_eigvals},
    {NULL, NULL},
};

void bind_kernel(lua_State *L) {
    bind_class(L, BIND_KERNEL, "kernel", META, METHODS, kernel_index);
    lua_pushcfunction(L, core_kernel);
    lua_setfield(L, -2, "kernel");
}
