/* A head's bilinear kernel A^T B, kept as its factors. */
#include <string.h>

#include "bind.h"
#include "direct.h"
#include "heads.h"

/* ---- boxes ---- */

static bool kernel_open(const Kernel *kernel) {
    return kernel->left.storage != NULL || kernel->left.source != NULL;
}

static const Kernel *kernel_self(lua_State *L) {
    const Kernel *kernel = luaL_checkudata(L, 1, BIND_KERNEL);
    if (!kernel_open(kernel))
        luaL_error(L, "kernel is closed");
    return kernel;
}

/* core.kernel(A, B), both (k, d) */
static int core_kernel(lua_State *L) {
    const Tensor *left = bind_tensor_check(L, 1);
    const Tensor *right = bind_tensor_check(L, 2);
    char a[256], b[256];
    tensor_shape_text(a, sizeof a, left);
    tensor_shape_text(b, sizeof b, right);
    if (left->axes != 2)
        luaL_argerror(
            L, 1, lua_pushfstring(L, "a matrix of 2 axes expected, got %s", a));
    if (right->axes != 2 || left->shape[0] != right->shape[0] ||
        left->shape[1] != right->shape[1])
        luaL_argerror(L, 2,
                      lua_pushfstring(L,
                                      "a matrix of shape %s expected, as "
                                      "the first, got %s",
                                      a, b));
    Kernel *kernel = lua_newuserdatauv(L, sizeof *kernel, 2);
    memset(kernel, 0, sizeof *kernel);
    luaL_setmetatable(L, BIND_KERNEL);
    /* what keeps the factors' checkpoints from being collected */
    for (int i = 1; i <= 2; i++) {
        lua_getiuservalue(L, i, 1);
        lua_setiuservalue(L, -2, i);
    }
    tensor_view(&kernel->left, left);
    tensor_view(&kernel->right, right);
    return 1;
}

/* __gc, __close and :close(). */
static int kernel_close(lua_State *L) {
    Kernel *kernel = luaL_checkudata(L, 1, BIND_KERNEL);
    if (kernel_open(kernel)) {
        tensor_release(&kernel->left);
        tensor_release(&kernel->right);
    }
    memset(kernel, 0, sizeof *kernel);
    for (int i = 1; i <= 2; i++) {
        lua_pushnil(L);
        lua_setiuservalue(L, 1, i);
    }
    return 0;
}

static int kernel_equal(lua_State *L) {
    const Kernel *a = luaL_testudata(L, 1, BIND_KERNEL);
    const Kernel *b = luaL_testudata(L, 2, BIND_KERNEL);
    lua_pushboolean(L, a != NULL && b != NULL && kernel_open(a) &&
                           kernel_open(b) &&
                           bind_tensor_same(&a->left, &b->left) &&
                           bind_tensor_same(&a->right, &b->right));
    return 1;
}

static int kernel_length(lua_State *L) {
    lua_pushinteger(L, kernel_self(L)->left.shape[1]);
    return 1;
}

static int kernel_text(lua_State *L) {
    const Kernel *kernel = luaL_checkudata(L, 1, BIND_KERNEL);
    if (!kernel_open(kernel)) {
        lua_pushliteral(L, "kernel (closed)");
        return 1;
    }
    LUAI_UACINT k = kernel->left.shape[0], d = kernel->left.shape[1];
    lua_pushfstring(L, "kernel [%I, %I] of %I rows", d, d, k);
    return 1;
}

static int kernel_index(lua_State *L) {
    luaL_checkudata(L, 1, BIND_KERNEL);
    if (bind_method(L))
        return 1;
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(key, "shape") == 0) {
        int64_t d = kernel_self(L)->left.shape[1];
        lua_createtable(L, 2, 0);
        for (int i = 1; i <= 2; i++) {
            lua_pushinteger(L, d);
            lua_rawseti(L, -2, i);
        }
    } else if (strcmp(key, "rank") == 0) {
        lua_pushinteger(L, kernel_self(L)->left.shape[0]);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* ---- jobs ---- */

typedef struct KernelJob {
    Kernel kernel;
    Tensor first, second; /* s, or re and im, or the dense matrix */
    unsigned wish;
    KernelResult result;
    Status status;
    Err err;
} KernelJob;

static void job_free(void *data) {
    KernelJob *job = data;
    tensor_release(&job->kernel.left);
    tensor_release(&job->kernel.right);
    tensor_release(&job->first);
    tensor_release(&job->second);
    mem_free(job);
}

static void run_factored(void *data, size_t i, Scratch *scratch,
                         const volatile int *cancel) {
    KernelJob *job = data;
    const Tensor *left = &job->kernel.left;
    Status status = STATUS_OK;
    Err err;
    (void)i;
    job->status =
        kernel_values(&left, 1, &job->kernel.right, job->wish, &job->result,
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
    job->status = kernel_dense(&job->kernel.left, &job->kernel.right,
                               tensor_data(&job->first), scratch, &job->err);
}

static void run_dense_values(void *data, size_t i, Scratch *scratch,
                             const volatile int *cancel) {
    KernelJob *job = data;
    (void)i;
    (void)cancel;
    job->status =
        kernel_dense_values(&job->kernel.left, &job->kernel.right, job->wish,
                            &job->result, scratch, &job->err);
}

/* Pushes the work of a job on the kernel at 1. */
static KernelJob *job_new(lua_State *L, Work **work, unsigned wish) {
    const Kernel *kernel = kernel_self(L);
    lua_settop(L, 1);
    *work = bind_work_new(L);
    KernelJob *job = bind_work_data(L, *work, sizeof *job, job_free);
    job->wish = wish;
    tensor_view(&job->kernel.left, &kernel->left);
    tensor_view(&job->kernel.right, &kernel->right);
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
    const int64_t *shape = job->kernel.left.shape;
    return kernel_cost(shape[0], shape[1], 1);
}

/* k:svdvals() */
static int kernel_svdvals(lua_State *L) {
    Work *work;
    KernelJob *job = job_new(L, &work, KERNEL_SINGULAR);
    job->result.s = job_vector(L, &job->first, job->kernel.left.shape[0]);
    job_run(L, work, run_factored, factored_cost(job));
    return 1;
}

/* k:eigvals(): real parts, imaginary parts */
static int kernel_eigvals(lua_State *L) {
    Work *work;
    KernelJob *job = job_new(L, &work, KERNEL_EIGEN);
    job->result.re = job_vector(L, &job->first, job->kernel.left.shape[0]);
    job->result.im = job_vector(L, &job->second, job->kernel.left.shape[0]);
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
    int64_t d = job->kernel.left.shape[1], shape[2] = {d, d};
    tensor_view(&job->first, bind_tensor_create(L, DTYPE_F64, 2, shape));
    job_run(L, work, run_dense, factored_cost(job));
    return 1;
}

/* k:dense_eigvals(): all d of them, by the general solver */
static int kernel_dense_eigvals(lua_State *L) {
    Work *work;
    KernelJob *job = job_new(L, &work, KERNEL_EIGEN);
    int64_t d = job->kernel.left.shape[1];
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
