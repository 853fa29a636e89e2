/* What an estimate is made of: the team, the matrix held, block products,
 * Lanczos steps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "estimate_lanczos.h"
#include "estimate_vector.h"
#include "oracle.h"
#include "spectra.h"
#include "stored.h"

/* ---- the team ---- */

enum { TASKS = 1000 };

typedef struct Counts {
    atomic_int of[TASKS];
    atomic_int strangers;
    int members;
} Counts;

static void count_task(void *data, size_t i, int member) {
    Counts *counts = data;
    atomic_fetch_add(&counts->of[i], 1);
    if (member < 0 || member >= counts->members)
        atomic_fetch_add(&counts->strangers, 1);
}

static void test_team(void **state) {
    (void)state;
    for (int members = 1; members <= 5; members += 2) {
        static Counts counts;
        Team *team = NULL;
        assert_int_equal(team_create(&team, members, NULL), STATUS_OK);
        assert_int_equal(team_members(team), members);
        counts.members = members;
        memset(counts.of, 0, sizeof counts.of);
        for (int phase = 1; phase <= 200; phase++) {
            size_t tasks = phase % 2 ? TASKS : 3;
            team_run(team, tasks, count_task, &counts);
            assert_int_equal(atomic_load(&counts.of[0]), phase);
            assert_int_equal(atomic_load(&counts.of[tasks - 1]),
                             tasks == 3 ? phase : (phase + 1) / 2);
        }
        team_run(team, 0, count_task, &counts);
        assert_int_equal(atomic_load(&counts.strangers), 0);
        team_release(team);
    }
}

/* ---- block products ---- */

typedef struct Dense {
    size_t rows, ld, width;
    float *a, *x, *y, *z;
} Dense;

static float *floats(size_t n, uint64_t seed) {
    float *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)oracle_uniform(&seed);
    return x;
}

/* The block's elements as they are held, which become a's values too. */
static void *narrow(float *a, size_t n, HeldKind kind) {
    static const Dtype DTYPES[] = {DTYPE_F16, DTYPE_BF16, DTYPE_F32};
    double *wide = calloc(n + 1, sizeof *wide);
    void *held = calloc(n + 1, 4);
    assert_true(wide != NULL && held != NULL);
    for (size_t i = 0; i < n; i++)
        wide[i] = (double)a[i];
    wide[0] = 0x1p-24; /* F16's smallest */
    assert_int_equal(dtype_encode(DTYPES[kind], wide, n, held, NULL),
                     STATUS_OK);
    assert_int_equal(dtype_decode_float(DTYPES[kind], held, n, a, NULL),
                     STATUS_OK);
    free(wide);
    return held;
}

static void check_forward(const Dense *d) {
    for (size_t i = 0; i < d->rows; i++)
        for (size_t v = 0; v < d->width; v++) {
            double want = 0;
            for (size_t j = 0; j < d->ld; j++)
                want += (double)d->a[i * d->ld + j] *
                        (double)d->x[j * d->width + v];
            is_near((double)d->y[i * d->width + v], want, 1e-6 * (double)d->ld);
        }
}

/* z held `start` everywhere before. */
static void check_back(const Dense *d, double start) {
    for (size_t v = 0; v < d->width; v++)
        for (size_t j = 0; j < d->ld; j++) {
            double want = start;
            for (size_t i = 0; i < d->rows; i++)
                want += (double)d->a[i * d->ld + j] *
                        (double)d->y[i * d->width + v];
            is_near((double)d->z[v * d->ld + j], want, 1e-4);
        }
}

static void check_block(KernelLevel level, HeldKind kind, size_t rows,
                        size_t ld, size_t width) {
    Dense d = {.rows = rows, .ld = ld, .width = width};
    d.a = floats(rows * ld, 3);
    d.x = floats(ld * width, 5);
    d.y = floats(rows * width, 7);
    d.z = floats(width * ld, 9);
    for (size_t i = 0; i < width * ld; i++)
        d.z[i] = 0.5F;
    void *held = narrow(d.a, rows * ld, kind);
    KernelBlock block = {kind, held, rows, ld, width, d.x, d.y, d.z, ld};
    kernel_forward(level, &block);
    check_forward(&d);
    for (size_t i = 0; i < rows * width; i++)
        d.y[i] /= (float)ld;
    kernel_back(level, &block);
    check_back(&d, 0.5);
    free(d.a);
    free(d.x);
    free(d.y);
    free(d.z);
    free(held);
}

static void test_kernels(void **state) {
    (void)state;
    static const size_t ROWS[] = {8, 64, 24}, LD[] = {16, 256, 272, 560};
    for (KernelLevel level = KERNEL_PLAIN; level <= kernel_level(); level++)
        for (int kind = HELD_F16; kind <= HELD_F32; kind++)
            for (int r = 0; r < 3; r++)
                for (int c = 0; c < 4; c++) {
                    check_block(level, (HeldKind)kind, ROWS[r], LD[c], 8);
                    check_block(level, (HeldKind)kind, ROWS[r], LD[c], 16);
                }
}

/* ---- packing ---- */

static void test_packing(void **state) {
    (void)state;
    static const float HALVES[] = {
        0,     -0.F,     1,           -2.5F,
        65504, 0x1p-24F, 0x1p-14F,    0.333251953125F,
        -3,    7,        0x1.ffcp-15F};
    enum { N = sizeof HALVES / sizeof *HALVES };
    double x[N];
    uint16_t got[N], want[N];
    float single[N];
    for (int i = 0; i < N; i++)
        x[i] = (double)HALVES[i];
    assert_int_equal(dtype_encode(DTYPE_F16, x, N, want, NULL), STATUS_OK);
    assert_int_equal(kernel_pack_half(x, N, got, NULL), STATUS_OK);
    assert_memory_equal(got, want, sizeof got);
    kernel_pack_float(x, N, 0x1p-3, single);
    for (int i = 0; i < N; i++)
        assert_true(single[i] == HALVES[i] / 8);
    assert_true(kernel_largest(x, N) == 65504);
    assert_true(kernel_largest(x, 4) == 2.5);
    assert_true(kernel_largest(x, 0) == 0);
    x[9] = -1e6;
    assert_true(kernel_largest(x, N) == 1e6);
}

/* ---- the matrix held ---- */

static double held_at(const Held *held, size_t i, size_t j) {
    static const Dtype DTYPES[] = {DTYPE_F16, DTYPE_BF16, DTYPE_F32};
    float value;
    const unsigned char *at = (const unsigned char *)held->data +
                              (i * held->ld + j) * held_bytes(held->kind);
    assert_int_equal(
        dtype_decode_float(DTYPES[held->kind], at, 1, &value, NULL), STATUS_OK);
    return (double)value;
}

/* Every element where it belongs, and zeros around them. */
static void check_held(const Held *held, const Stored *s, bool transposed) {
    bool wide = s->rows < s->cols || (s->rows == s->cols && transposed);
    assert_int_equal(held->m, wide ? s->cols : s->rows);
    assert_int_equal(held->n, wide ? s->rows : s->cols);
    assert_int_equal(held->rows % HELD_ROWS, 0);
    assert_int_equal(held->ld % HELD_COLS, 0);
    assert_int_equal(held->ld * held_bytes(held->kind) / 64 % 2, 1);
    for (size_t i = 0; i < held->rows; i++)
        for (size_t j = 0; j < held->ld; j++) {
            bool inside = i < (size_t)held->m && j < (size_t)held->n;
            size_t at = wide ? j * s->cols + i : i * s->cols + j;
            is_near(held_at(held, i, j), inside ? s->truth[at] : 0, 0);
        }
}

static void check_read(Dtype dtype, uint64_t rows, uint64_t cols,
                       bool transposed, HeldKind kind) {
    Stored stored;
    Team *team = NULL;
    Tensor tensor, view;
    Held held;
    Err err = {.message = ""};
    stored_make(&stored, dtype, rows, cols);
    int64_t shape[2] = {(int64_t)rows, (int64_t)cols};
    assert_int_equal(team_create(&team, 2, NULL), STATUS_OK);
    Source *source = stored_source(&stored);
    assert_int_equal(tensor_from_source(&tensor, source, 2, shape, NULL),
                     STATUS_OK);
    source_release(source);
    if (transposed)
        assert_int_equal(tensor_transpose(&view, &tensor, NULL), STATUS_OK);
    else
        tensor_view(&view, &tensor);
    assert_int_equal(held_read(&held, &view, team, NULL, &err), STATUS_OK);
    assert_int_equal(held.kind, kind);
    check_held(&held, &stored, transposed);
    held_release(&held);
    tensor_release(&view);
    tensor_release(&tensor);
    team_release(team);
    stored_end(&stored);
}

static void test_held(void **state) {
    (void)state;
    static const struct {
        Dtype dtype;
        HeldKind kind;
    } ROWS[] = {{DTYPE_F16, HELD_F16},
                {DTYPE_BF16, HELD_BF16},
                {DTYPE_F32, HELD_F32},
                {DTYPE_F64, HELD_F32},
                {DTYPE_Q8_0, HELD_F32}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (int t = 0; t < 2; t++) {
            check_read(ROWS[i].dtype, 301, 96, t, ROWS[i].kind);
            check_read(ROWS[i].dtype, 45, 4224, t, ROWS[i].kind);
            check_read(ROWS[i].dtype, 64, 64, t, ROWS[i].kind);
        }
    check_read(DTYPE_Q4_K, 45, 256, false, HELD_F32);
    check_read(DTYPE_Q4_K, 301, 256, true, HELD_F32);
}

/* ---- Lanczos ---- */

/* A^T A of the diagonal matrix has its squares as eigenvalues: after as many
 * steps as there are values the quadrature is exact. */
static void test_lanczos(void **state) {
    (void)state;
    enum { N = 40, DISTINCT = 6, STEPS = 12 };
    double a[N * N] = {0}, node[STEPS], weight[STEPS], total = 0, first = 0;
    for (int i = 0; i < N; i++)
        a[i * N + i] = 1 + i % DISTINCT;
    Tensor tensor = matrix_of(N, N, a, DTYPE_F64);
    Team *team = NULL;
    Held held;
    Product product;
    Scratch scratch = {0};
    assert_int_equal(team_create(&team, 1, NULL), STATUS_OK);
    assert_int_equal(held_read(&held, &tensor, team, NULL, NULL), STATUS_OK);
    assert_int_equal(
        product_create(&product, &held, team, kernel_level(), NULL), STATUS_OK);
    assert_true(held.scale == 0.125F);
    Lanczos lanczos = {.product = &product, .probes = 8};
    assert_int_equal(lanczos_start(&lanczos, 3, NULL), STATUS_OK);
    assert_int_equal(lanczos_extend(&lanczos, STEPS, NULL, NULL), STATUS_OK);
    for (size_t v = 0; v < lanczos.probes; v++) {
        assert_int_equal(lanczos_quadrature(&lanczos, v, STEPS, node, weight,
                                            &scratch, 0, NULL),
                         STATUS_OK);
        total = first = 0;
        for (int i = 0; i < STEPS; i++) {
            total += weight[i];
            double nearest = round(node[i] * 8);
            if (weight[i] > 1e-4)
                is_near(node[i] * 8, nearest, 1e-4);
            first += weight[i] * node[i] * node[i];
        }
        is_near(total, 1, 1e-12);
        is_near(first, lanczos.alpha[v][0], 1e-6);
    }
    lanczos_release(&lanczos);
    product_release(&product);
    held_release(&held);
    team_release(team);
    tensor_release(&tensor);
    scratch_release(&scratch);
}

/* A flat spectrum far from zero: each step has most of the two before it, which
 * must not bring back what the earlier ones are rid of. */
static void test_orthogonal(void **state) {
    (void)state;
    enum { N = 160, STEPS = 64 };
    double s[N], *a;
    for (int i = 0; i < N; i++)
        s[i] = 1.1 - 0.2 * i / N;
    a = planted(N, N, s, 4);
    Tensor tensor = matrix_of(N, N, a, DTYPE_F64);
    Team *team = NULL;
    Held held;
    Product product;
    assert_int_equal(team_create(&team, 1, NULL), STATUS_OK);
    assert_int_equal(held_read(&held, &tensor, team, NULL, NULL), STATUS_OK);
    assert_int_equal(
        product_create(&product, &held, team, kernel_level(), NULL), STATUS_OK);
    Lanczos lanczos = {.product = &product, .probes = 8};
    assert_int_equal(lanczos_start(&lanczos, 3, NULL), STATUS_OK);
    assert_int_equal(lanczos_extend(&lanczos, 24, NULL, NULL), STATUS_OK);
    assert_int_equal(lanczos_extend(&lanczos, STEPS, NULL, NULL), STATUS_OK);
    for (int i = 0; i < STEPS; i++)
        for (int j = 0; j <= i; j++) {
            const float *x = lanczos.chunk[i / LANCZOS_CHUNK] +
                             (size_t)(i % LANCZOS_CHUNK) * held.ld;
            const float *y = lanczos.chunk[j / LANCZOS_CHUNK] +
                             (size_t)(j % LANCZOS_CHUNK) * held.ld;
            is_near(vector_dot(x, y, held.ld), i == j, 2e-5);
        }
    lanczos_release(&lanczos);
    product_release(&product);
    held_release(&held);
    team_release(team);
    tensor_release(&tensor);
    free(a);
}

/* ---- vectors ---- */

static void test_vectors(void **state) {
    (void)state;
    enum { N = 1600 };
    float *x = floats(N, 1), *q = floats(2 * N, 2);
    double want = 0;
    for (int i = 0; i < N; i++)
        want += (double)x[i] * (double)q[i];
    is_near(vector_dot(x, q, N), want, 1e-4);
    vector_scale(q, (float)(1 / sqrt(vector_dot(q, q, N))), N);
    vector_project(q + N, q, 1, N);
    vector_scale(q + N, (float)(1 / sqrt(vector_dot(q + N, q + N, N))), N);
    vector_project(x, q, 2, N);
    is_near(vector_dot(x, q, N), 0, 1e-5);
    is_near(vector_dot(x, q + N, N), 0, 1e-5);
    free(x);
    free(q);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_team),    cmocka_unit_test(test_kernels),
        cmocka_unit_test(test_packing), cmocka_unit_test(test_held),
        cmocka_unit_test(test_lanczos), cmocka_unit_test(test_orthogonal),
        cmocka_unit_test(test_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
