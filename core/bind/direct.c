/* Singular values and eigenvalues of one tensor. */
#include "direct.h"

#include "bind.h"
#include "spectrum.h"

/* A job and what it owns. */
typedef struct Direct {
    Tensor matrix, first, second; /* s, or re and im */
    SpectrumWish wish;
    Status status;
    Err err;
} Direct;

static void direct_free(void *data) {
    Direct *job = data;
    tensor_release(&job->matrix);
    tensor_release(&job->first);
    tensor_release(&job->second);
    mem_free(job);
}

static void run_svdvals(void *data, size_t i, Scratch *scratch,
                        const volatile int *cancel) {
    Direct *job = data;
    SpectrumInfo info;
    (void)i;
    job->status =
        spectrum_values(&job->matrix, &job->wish, tensor_data(&job->first),
                        &info, scratch, cancel, &job->err);
}

static void run_eigvals(void *data, size_t i, Scratch *scratch,
                        const volatile int *cancel) {
    Direct *job = data;
    (void)i;
    (void)cancel;
    job->status = direct_eigvals(&job->matrix, tensor_data(&job->first),
                                 tensor_data(&job->second), scratch, &job->err);
}

/* Runs the job; its results stay on top of the stack. */
static int direct_run(lua_State *L, Work *work, PoolRun *run, double cost,
                      int results) {
    Direct *job = work->data;
    bind_work_run(L, work, run, cost);
    if (job->status != STATUS_OK) {
        Err err = job->err;
        bind_work_close(work);
        return bind_raise(L, &err);
    }
    bind_work_close(work);
    return results;
}

/* The matrix in argument 1: 2 axes, square where that is asked for. */
static const Tensor *check_matrix(lua_State *L, bool square) {
    const Tensor *tensor = bind_tensor_check(L, 1);
    char shape[256];
    if (tensor->axes != 2 || (square && tensor->shape[0] != tensor->shape[1]))
        luaL_argerror(
            L, 1,
            lua_pushfstring(L, "a %s expected, got %s",
                            square ? "square matrix" : "matrix of 2 axes",
                            tensor_shape_text(shape, sizeof shape, tensor)));
    return tensor;
}

/* core.svdvals(t [, {method = "direct" | "gram"}]) */
static int core_svdvals(lua_State *L) {
    static const char *const OPTIONS[] = {"method", NULL};
    static const char *const METHODS[] = {"gram", "direct", NULL};
    const Tensor *matrix = check_matrix(L, false);
    bind_options(L, 2, OPTIONS);
    int method = bind_option_word(L, 2, "method", METHODS, 1);
    Work *work = bind_work_new(L);
    Direct *job = bind_work_data(L, work, sizeof *job, direct_free);
    int64_t rows = matrix->shape[0], cols = matrix->shape[1];
    int64_t least = rows < cols ? rows : cols;
    job->wish.method = method == 0 ? SPECTRUM_GRAM : SPECTRUM_DIRECT;
    job->wish.shown = true;
    tensor_view(&job->matrix, matrix);
    tensor_view(&job->first, bind_tensor_create(L, DTYPE_F64, 1, &least));
    return direct_run(L, work, run_svdvals, spectrum_cost(rows, cols), 1);
}

/* core.eigvals(t): real parts, imaginary parts */
static int core_eigvals(lua_State *L) {
    const Tensor *matrix = check_matrix(L, true);
    Work *work = bind_work_new(L);
    Direct *job = bind_work_data(L, work, sizeof *job, direct_free);
    const int64_t *n = &matrix->shape[0];
    tensor_view(&job->matrix, matrix);
    tensor_view(&job->first, bind_tensor_create(L, DTYPE_F64, 1, n));
    tensor_view(&job->second, bind_tensor_create(L, DTYPE_F64, 1, n));
    return direct_run(L, work, run_eigvals, direct_eigvals_cost(*n), 2);
}

void bind_direct(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {
        {"svdvals", core_svdvals},
        {"eigvals", core_eigvals},
        {NULL, NULL},
    };
    luaL_setfuncs(L, FUNCTIONS, 0);
}
