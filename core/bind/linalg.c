/* Linear algebra on matrices: each function is one job on the pool. */
#include <math.h>
#include <string.h>

#include "bind.h"
#include "dense.h"
#include "direct.h"
#include "ops.h"
#include "spectrum.h"

/* A job and what it owns. */
typedef struct Job {
    Tensor a, b;   /* arguments */
    Tensor out[3]; /* results, in the order they are returned */
    SpectrumWish wish;
    DenseNorm norm;
    double number; /* lstsq's cut; the norm or the trace */
    int64_t rank;
    Status status;
    Err err;
} Job;

static void job_free(void *data) {
    Job *job = data;
    tensor_release(&job->a);
    tensor_release(&job->b);
    for (int i = 0; i < 3; i++)
        tensor_release(&job->out[i]);
    mem_free(job);
}

/* ---- arguments and results ---- */

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

/* The right sides in argument 2, of the matrix's m rows. */
static const Tensor *check_sides(lua_State *L, int64_t m) {
    const Tensor *tensor = bind_tensor_check(L, 2);
    char shape[256];
    if ((tensor->axes != 1 && tensor->axes != 2) || tensor->shape[0] != m)
        luaL_argerror(
            L, 2,
            lua_pushfstring(L, "[%I] or [%I, n] expected, got %s",
                            (LUAI_UACINT)m, (LUAI_UACINT)m,
                            tensor_shape_text(shape, sizeof shape, tensor)));
    return tensor;
}

/* A number in argument 2 that is not negative, or `preset`. */
static double check_bound(lua_State *L, double preset) {
    double value = luaL_optnumber(L, 2, preset);
    luaL_argcheck(L, value >= 0, 2, "a number of 0 or more expected");
    return value;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Pushes the work of a new job on the matrix. */
static Job *job_new(lua_State *L, const Tensor *a, Work **work) {
    *work = bind_work_new(L);
    Job *job = bind_work_data(L, *work, sizeof *job, job_free);
    tensor_view(&job->a, a);
    return job;
}

/* Pushes result `i`, which the job fills: (rows), or (rows, cols). */
static void push_vector(lua_State *L, Job *job, int i, int64_t rows) {
    tensor_view(&job->out[i], bind_tensor_create(L, DTYPE_F64, 1, &rows));
}

static void push_matrix(lua_State *L, Job *job, int i, int64_t rows,
                        int64_t cols) {
    int64_t shape[2] = {rows, cols};
    tensor_view(&job->out[i], bind_tensor_create(L, DTYPE_F64, 2, shape));
}

/* What a job found besides its tensors. */
typedef struct Found {
    double number;
    int64_t rank;
} Found;

/* Runs the job to its end, and raises what it failed with. Its tensors stay on
 * top of the stack. */
static Found job_run(lua_State *L, Work *work, PoolRun *run, double cost) {
    const Job *job = work->data;
    bind_work_run(L, work, run, cost);
    Found found = {job->number, job->rank};
    Status status = job->status;
    Err err = job->err;
    bind_work_close(work);
    if (status != STATUS_OK)
        bind_raise(L, &err);
    return found;
}

static double job_cost(const Job *job) {
    return dense_cost(job->a.shape[0], job->a.shape[1]);
}

/* ---- values ---- */

static void run_svdvals(void *data, size_t i, Scratch *scratch,
                        const volatile int *cancel) {
    Job *job = data;
    SpectrumInfo info;
    (void)i;
    job->status = spectrum_values(&job->a, &job->wish, tensor_data(job->out),
                                  &info, scratch, cancel, &job->err);
}

/* core.svdvals(t [, {method = "direct" | "gram"}]) */
static int core_svdvals(lua_State *L) {
    static const char *const OPTIONS[] = {"method", NULL};
    static const char *const METHODS[] = {"gram", "direct", NULL};
    const Tensor *a = check_matrix(L, false);
    bind_options(L, 2, OPTIONS);
    int method = bind_option_word(L, 2, "method", METHODS, 1);
    Work *work;
    Job *job = job_new(L, a, &work);
    job->wish.method = method == 0 ? SPECTRUM_GRAM : SPECTRUM_DIRECT;
    job->wish.shown = true;
    push_vector(L, job, 0, least(a->shape[0], a->shape[1]));
    job_run(L, work, run_svdvals, spectrum_cost(a->shape[0], a->shape[1]));
    return 1;
}

static void run_eigvals(void *data, size_t i, Scratch *scratch,
                        const volatile int *cancel) {
    Job *job = data;
    (void)i;
    (void)cancel;
    job->status = direct_eigvals(&job->a, tensor_data(&job->out[0]),
                                 tensor_data(&job->out[1]), scratch, &job->err);
}

/* core.eigvals(t): real parts, imaginary parts */
static int core_eigvals(lua_State *L) {
    const Tensor *a = check_matrix(L, true);
    Work *work;
    Job *job = job_new(L, a, &work);
    push_vector(L, job, 0, a->shape[0]);
    push_vector(L, job, 1, a->shape[0]);
    job_run(L, work, run_eigvals, direct_eigvals_cost(a->shape[0]));
    return 2;
}

static void run_eigh(void *data, size_t i, Scratch *scratch,
                     const volatile int *cancel) {
    Job *job = data;
    bool vectors = job->out[1].storage != NULL;
    (void)i;
    (void)cancel;
    job->status = dense_eigh(&job->a, tensor_data(&job->out[0]),
                             vectors ? tensor_data(&job->out[1]) : NULL,
                             scratch, &job->err);
}

/* core.eigvalsh(t): w, rising */
static int core_eigvalsh(lua_State *L) {
    const Tensor *a = check_matrix(L, true);
    Work *work;
    Job *job = job_new(L, a, &work);
    push_vector(L, job, 0, a->shape[0]);
    job_run(L, work, run_eigh, job_cost(job));
    return 1;
}

/* ---- factors ---- */

/* core.eigh(t): w, V */
static int core_eigh(lua_State *L) {
    const Tensor *a = check_matrix(L, true);
    Work *work;
    Job *job = job_new(L, a, &work);
    push_vector(L, job, 0, a->shape[0]);
    push_matrix(L, job, 1, a->shape[0], a->shape[0]);
    job_run(L, work, run_eigh, job_cost(job));
    return 2;
}

static void run_svd(void *data, size_t i, Scratch *scratch,
                    const volatile int *cancel) {
    Job *job = data;
    (void)i;
    (void)cancel;
    job->status =
        dense_svd(&job->a, tensor_data(&job->out[0]), tensor_data(&job->out[1]),
                  tensor_data(&job->out[2]), scratch, &job->err);
}

/* core.svd(t): U, S, V */
static int core_svd(lua_State *L) {
    const Tensor *a = check_matrix(L, false);
    int64_t m = a->shape[0], n = a->shape[1], k = least(m, n);
    Work *work;
    Job *job = job_new(L, a, &work);
    push_matrix(L, job, 0, m, k);
    push_vector(L, job, 1, k);
    push_matrix(L, job, 2, n, k);
    job_run(L, work, run_svd, job_cost(job));
    return 3;
}

static void run_qr(void *data, size_t i, Scratch *scratch,
                   const volatile int *cancel) {
    Job *job = data;
    (void)i;
    (void)cancel;
    job->status = dense_qr(&job->a, tensor_data(&job->out[0]),
                           tensor_data(&job->out[1]), scratch, &job->err);
}

/* core.qr(t): Q, R */
static int core_qr(lua_State *L) {
    const Tensor *a = check_matrix(L, false);
    int64_t m = a->shape[0], n = a->shape[1], k = least(m, n);
    Work *work;
    Job *job = job_new(L, a, &work);
    push_matrix(L, job, 0, m, k);
    push_matrix(L, job, 1, k, n);
    job_run(L, work, run_qr, job_cost(job));
    return 2;
}

/* ---- systems ---- */

/* Pushes X of n rows, shaped as the right sides. */
static void push_solution(lua_State *L, Job *job, const Tensor *b, int64_t n) {
    tensor_view(&job->b, b);
    if (b->axes == 1)
        push_vector(L, job, 0, n);
    else
        push_matrix(L, job, 0, n, b->shape[1]);
}

static void run_solve(void *data, size_t i, Scratch *scratch,
                      const volatile int *cancel) {
    Job *job = data;
    (void)i;
    (void)cancel;
    job->status = dense_solve(&job->a, &job->b, tensor_data(&job->out[0]),
                              scratch, &job->err);
}

/* core.solve(A, b): x */
static int core_solve(lua_State *L) {
    const Tensor *a = check_matrix(L, true);
    const Tensor *b = check_sides(L, a->shape[0]);
    Work *work;
    Job *job = job_new(L, a, &work);
    push_solution(L, job, b, a->shape[1]);
    job_run(L, work, run_solve, job_cost(job));
    return 1;
}

static void run_lstsq(void *data, size_t i, Scratch *scratch,
                      const volatile int *cancel) {
    Job *job = data;
    (void)i;
    (void)cancel;
    job->status =
        dense_lstsq(&job->a, &job->b, job->number, tensor_data(&job->out[0]),
                    tensor_data(&job->out[1]), &job->rank, scratch, &job->err);
}

/* core.lstsq(A, b): x, rank, singular values */
static int core_lstsq(lua_State *L) {
    const Tensor *a = check_matrix(L, false);
    int64_t m = a->shape[0], n = a->shape[1];
    const Tensor *b = check_sides(L, m);
    Work *work;
    Job *job = job_new(L, a, &work);
    job->number = dense_cut(m, n);
    push_solution(L, job, b, n);
    push_vector(L, job, 1, least(m, n));
    lua_pushinteger(L, job_run(L, work, run_lstsq, job_cost(job)).rank);
    lua_insert(L, -2);
    return 3;
}

/* ---- numbers ---- */

/* Pushes the singular values of the matrix in argument 1. */
static const double *push_spectrum(lua_State *L, const Tensor *a) {
    Work *work;
    Job *job = job_new(L, a, &work);
    job->wish = (SpectrumWish){SPECTRUM_DIRECT, false, true};
    push_vector(L, job, 0, least(a->shape[0], a->shape[1]));
    job_run(L, work, run_svdvals, spectrum_cost(a->shape[0], a->shape[1]));
    return tensor_data(bind_tensor_check(L, -1));
}

/* core.matrix_rank(t [, tolerance]) */
static int core_matrix_rank(lua_State *L) {
    const Tensor *a = check_matrix(L, false);
    int64_t m = a->shape[0], n = a->shape[1], k = least(m, n);
    double tolerance = check_bound(L, 0);
    bool given = !lua_isnoneornil(L, 2);
    const double *s = push_spectrum(L, a);
    if (!given && k > 0)
        tolerance = dense_cut(m, n) * s[0];
    lua_pushinteger(L, dense_rank(s, k, tolerance));
    return 1;
}

/* core.cond(t): infinite for a singular matrix, as for one of zeros */
static int core_cond(lua_State *L) {
    const Tensor *a = check_matrix(L, false);
    int64_t k = least(a->shape[0], a->shape[1]);
    luaL_argcheck(L, k > 0, 1, "a matrix with elements expected");
    const double *s = push_spectrum(L, a);
    lua_pushnumber(L, s[k - 1] > 0 ? s[0] / s[k - 1] : HUGE_VAL);
    return 1;
}

static void run_trace(void *data, size_t i, Scratch *scratch,
                      const volatile int *cancel) {
    Job *job = data;
    (void)i;
    (void)cancel;
    job->status = dense_trace(&job->a, &job->number, scratch, &job->err);
}

/* core.trace(t) */
static int core_trace(lua_State *L) {
    const Tensor *a = check_matrix(L, false);
    Work *work;
    job_new(L, a, &work);
    lua_pushnumber(L, job_run(L, work, run_trace, 0).number);
    return 1;
}

static void run_norm(void *data, size_t i, Scratch *scratch,
                     const volatile int *cancel) {
    Job *job = data;
    (void)i;
    (void)cancel;
    job->status =
        dense_norm(&job->a, job->norm, &job->number, scratch, &job->err);
}

/* The norm of a matrix that argument 2 names. */
static DenseNorm check_norm(lua_State *L) {
    static const struct {
        double p;
        DenseNorm norm;
    } NUMBERS[] = {
        {1, DENSE_COLUMN},     {-1, DENSE_COLUMN_MIN},
        {2, DENSE_SPECTRAL},   {-2, DENSE_SPECTRAL_MIN},
        {HUGE_VAL, DENSE_ROW}, {-HUGE_VAL, DENSE_ROW_MIN},
    };
    if (lua_isnoneornil(L, 2))
        return DENSE_FROBENIUS;
    const char *word = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(word, "fro") == 0)
        return DENSE_FROBENIUS;
    if (strcmp(word, "nuc") == 0)
        return DENSE_NUCLEAR;
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        if (lua_type(L, 2) == LUA_TNUMBER && lua_tonumber(L, 2) == NUMBERS[i].p)
            return NUMBERS[i].norm;
    luaL_argerror(L, 2,
                  lua_pushfstring(L,
                                  "'fro', 'nuc', 1, 2 or math.huge, or one of "
                                  "these numbers negative, expected, got %s",
                                  luaL_tolstring(L, 2, NULL)));
    return DENSE_FROBENIUS;
}

/* The norm of a vector, as t:norm(p) has it. */
static int vector_norm(lua_State *L, const Tensor *tensor) {
    OpsWish wish = {.op = OPS_NORM_2, .axis = OPS_ALL};
    double p = luaL_optnumber(L, 2, 2);
    Tensor out;
    Err err;
    luaL_argcheck(L, p == 1 || p == 2 || p == HUGE_VAL, 2,
                  "1, 2 or math.huge expected for a vector");
    if (p != 2)
        wish.op = p == 1 ? OPS_NORM_1 : OPS_NORM_MAX;
    BIND_MUST(L, &err, ops_along(&out, &wish, tensor, &err));
    double norm = *(double *)tensor_data(&out);
    tensor_release(&out);
    lua_pushnumber(L, norm);
    return 1;
}

/* core.norm(t [, p]) */
static int core_norm(lua_State *L) {
    const Tensor *a = bind_tensor_check(L, 1);
    char shape[256];
    if (a->axes == 1)
        return vector_norm(L, a);
    if (a->axes != 2)
        luaL_argerror(
            L, 1,
            lua_pushfstring(L, "a vector or a matrix expected, got %s",
                            tensor_shape_text(shape, sizeof shape, a)));
    DenseNorm norm = check_norm(L);
    Work *work;
    Job *job = job_new(L, a, &work);
    job->norm = norm;
    lua_pushnumber(L, job_run(L, work, run_norm, job_cost(job)).number);
    return 1;
}

void bind_linalg(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {
        {"svd", core_svd},
        {"svdvals", core_svdvals},
        {"eigvals", core_eigvals},
        {"eigh", core_eigh},
        {"eigvalsh", core_eigvalsh},
        {"qr", core_qr},
        {"solve", core_solve},
        {"lstsq", core_lstsq},
        {"matrix_rank", core_matrix_rank},
        {"norm", core_norm},
        {"cond", core_cond},
        {"trace", core_trace},
        {NULL, NULL},
    };
    luaL_setfuncs(L, FUNCTIONS, 0);
}
