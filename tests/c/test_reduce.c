/* The two-stage reduction against LAPACK's dsyevd, in each vector code. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "linalg.h"
#include "oracle.h"
#include "reduce.h"

enum { BAND = REDUCE_BAND, GAP = 3 };

/* Off the true eigenvalues by this many n * eps * |A| at most. */
static const double SLACK = 0.6;

static void is_ok(Status status, const Err *err) {
    if (status != STATUS_OK)
        fail_msg("status %d: %s", (int)status, err->message);
}

static double *numbers(size_t n, uint64_t seed) {
    double *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    oracle_fill(x, n, &seed);
    return x;
}

/* ---- matrices: element (i, j), i >= j, of a kind; x holds random numbers,
 * n^2 for the matrix and then n for a vector ---- */

typedef struct Made {
    int n;
    const double *x, *vector;
    double norm; /* |vector|^2 */
} Made;

typedef double Kind(const Made *made, int i, int j);

static double random_kind(const Made *made, int i, int j) {
    return made->x[(size_t)j * (size_t)made->n + (size_t)i];
}

static double graded(const Made *made, int i, int j) {
    return random_kind(made, i, j) * pow(10, -8.0 * (i + j) / made->n);
}

static double graded_rising(const Made *made, int i, int j) {
    return random_kind(made, i, j) * pow(10, -16 + 8.0 * (i + j) / made->n);
}

/* H diag(values) H of the reflection H along the vector. */
static double reflected(const Made *made, const double values[3], int i,
                        int j) {
    double middle = 0;
    for (int k = 0; k < made->n; k++)
        middle += values[k % 3] * made->vector[k] * made->vector[k];
    double product = made->vector[i] * made->vector[j] / made->norm;
    return (i == j ? values[i % 3] : 0) +
           product * (4 * middle / made->norm - 2 * values[i % 3] -
                      2 * values[j % 3]);
}

static double clustered(const Made *made, int i, int j) {
    static const double VALUES[] = {1, 1 + 1e-12, -2};
    return reflected(made, VALUES, i, j);
}

static double low_rank(const Made *made, int i, int j) {
    static const double VALUES[] = {0, 0, 3};
    return reflected(made, VALUES, i, j);
}

static double negative(const Made *made, int i, int j) {
    static const double VALUES[] = {-1, -1e-3, -7};
    return reflected(made, VALUES, i, j) +
           (i == j ? -fabs(random_kind(made, i, i)) : 0);
}

static double rank_one(const Made *made, int i, int j) {
    return made->vector[i] * made->vector[j];
}

static double zero(const Made *made, int i, int j) {
    (void)made;
    (void)i;
    (void)j;
    return 0;
}

static double identity(const Made *made, int i, int j) {
    (void)made;
    return i == j;
}

static double ones(const Made *made, int i, int j) {
    (void)made;
    (void)i;
    (void)j;
    return 1;
}

static double diagonal(const Made *made, int i, int j) {
    return i == j ? random_kind(made, i, i) : 0;
}

static double tridiagonal(const Made *made, int i, int j) {
    return i - j <= 1 ? random_kind(made, i, j) : 0;
}

static double narrow(const Made *made, int i, int j) {
    return i - j <= 5 ? random_kind(made, i, j) : 0;
}

static double band(const Made *made, int i, int j) {
    return i - j <= BAND ? random_kind(made, i, j) : 0;
}

static double blocks(const Made *made, int i, int j) {
    return i / 7 == j / 7 ? random_kind(made, i, j) : 0;
}

static double huge(const Made *made, int i, int j) {
    return random_kind(made, i, j) * 0x1p+900;
}

static double tiny(const Made *made, int i, int j) {
    return random_kind(made, i, j) * 0x1p-980;
}

/* The squares of what is off the diagonal are hardly numbers. */
static double faint(const Made *made, int i, int j) {
    return i == j ? i % 5 : 0x1p-537 * random_kind(made, i, j);
}

static const struct {
    const char *name;
    Kind *element;
} KINDS[] = {{"random", random_kind},
             {"graded", graded},
             {"graded, rising", graded_rising},
             {"clustered", clustered},
             {"low rank", low_rank},
             {"negative", negative},
             {"rank one", rank_one},
             {"zero", zero},
             {"identity", identity},
             {"ones", ones},
             {"diagonal", diagonal},
             {"tridiagonal", tridiagonal},
             {"narrow band", narrow},
             {"band", band},
             {"blocks", blocks},
             {"huge", huge},
             {"tiny", tiny},
             {"faint", faint}};
enum { RANDOM, GRADED, KIND_COUNT = sizeof KINDS / sizeof *KINDS };

/* The lower triangle of a matrix, (n, n), zeros above it. */
static double *make(int kind, int n, uint64_t seed) {
    size_t size = (size_t)n;
    double *x = numbers(size * size + size, seed);
    double *a = calloc(size * size + 1, sizeof *a);
    assert_non_null(a);
    Made made = {.n = n, .x = x, .vector = x + size * size};
    for (int i = 0; i < n; i++)
        made.norm += made.vector[i] * made.vector[i];
    for (int j = 0; j < n; j++)
        for (int i = j; i < n; i++)
            a[(size_t)j * size + (size_t)i] = KINDS[kind].element(&made, i, j);
    free(x);
    return a;
}

/* Eigenvalues, rising, by dsyevd. */
static double *expect(int n, const double *a) {
    size_t area = (size_t)n * (size_t)n;
    Scratch scratch = {0};
    Err err;
    double *copy = numbers(area, 0), *w = numbers((size_t)n, 0);
    memcpy(copy, a, area * sizeof *a);
    if (n > 0)
        is_ok(linalg_symmetric(n, copy, false, w, &scratch, 0, &err), &err);
    free(copy);
    scratch_release(&scratch);
    return w;
}

/* Eigenvalues of the tridiagonal matrix that has d and e, by dsyevd. */
static double *expect_tridiagonal(int n, const double *d, const double *e) {
    size_t size = (size_t)n;
    double *t = calloc(size * size + 1, sizeof *t);
    assert_non_null(t);
    for (size_t i = 0; i < size; i++) {
        t[i * size + i] = d[i];
        if (i + 1 < size)
            t[i * size + i + 1] = e[i];
    }
    double *w = expect(n, t);
    free(t);
    return w;
}

/* A in the lower triangle of a wider array; all else there is NaN. */
static double *spread(int n, const double *a) {
    size_t size = (size_t)n, ld = size + GAP;
    double *g = malloc((ld * size + 1) * sizeof *g);
    assert_non_null(g);
    for (size_t k = 0; k < ld * size; k++)
        g[k] = NAN;
    for (size_t j = 0; j < size; j++)
        memcpy(g + j * ld + j, a + j * size + j, (size - j) * sizeof *g);
    return g;
}

static void check_untouched(int n, const double *g) {
    size_t size = (size_t)n, ld = size + GAP;
    for (size_t j = 0; j < size; j++)
        for (size_t i = 0; i < ld; i++)
            if ((i < j || i >= size) && !isnan(g[j * ld + i]))
                fail_msg("n = %d: (%zu, %zu) was written", n, i, j);
}

/* The tridiagonal form of A: d (n), then e (n - 1), to be freed. */
static double *reduce(int n, const double *a, ReducePath path) {
    size_t size = (size_t)n;
    Scratch scratch = {0};
    Err err;
    double *g = spread(n, a), *d = numbers(2 * size, 0), *e = NULL;
    is_ok(reduce_tridiagonal(n, g, n + GAP, d, &e, path, &scratch, 2, &err),
          &err);
    if (n > 1)
        memcpy(d + n, e, (size - 1) * sizeof *e);
    check_untouched(n, g);
    free(g);
    scratch_release(&scratch);
    return d;
}

static void check_values(const char *what, int n, const double *got,
                         const double *want) {
    double off = oracle_distance(got, want, (size_t)n);
    if (!(off <= SLACK * (n > 16 ? n : 16) * DBL_EPSILON))
        fail_msg("%s, n = %d: off by %g eps", what, n, off / DBL_EPSILON);
}

static void check_path(int kind, int n, ReducePath path, const double *a,
                       const double *want) {
    char what[64];
    double *d = reduce(n, a, path), *got = expect_tridiagonal(n, d, d + n);
    (void)snprintf(what, sizeof what, "%s, path %d", KINDS[kind].name,
                   (int)path);
    check_values(what, n, got, want);
    free(d);
    free(got);
}

/* One matrix in all the vector codes that this processor has. */
static void check(int kind, int n) {
    double *a = make(kind, n, (uint64_t)n + 1), *want = expect(n, a);
    for (ReducePath path = REDUCE_BEST; path <= REDUCE_AVX512; path++)
        if (reduce_has(path))
            check_path(kind, n, path, a, want);
    free(a);
    free(want);
}

/* A in float32, NaN above the diagonal. */
static float *narrowed(int n, const double *a) {
    size_t size = (size_t)n;
    float *g = malloc((size * size + 1) * sizeof *g);
    assert_non_null(g);
    for (size_t j = 0; j < size; j++)
        for (size_t i = 0; i < size; i++)
            g[j * size + i] = i < j ? NAN : (float)a[j * size + i];
    return g;
}

/* In float32 what two stages are off, in units of 2^-24 |A|, is what ssytrd
 * is, which serves matrices of this size. Where many numbers are the same they
 * round the same way, and only the bound holds that has n in it. */
static void check_float(int kind, int n) {
    size_t size = (size_t)n;
    double *a = make(kind, n, (uint64_t)n + 1), *e = NULL;
    for (size_t i = 0; i < size * size; i++)
        a[i] = (double)(float)a[i];
    double *want = expect(n, a), *d = numbers(2 * size, 0);
    float *g = narrowed(n, a), *plain = narrowed(n, a);
    Scratch scratch = {0};
    Err err;
    is_ok(linalg_symmetric_values_float(n, plain, n, d, &scratch, 0, &err),
          &err);
    double theirs = oracle_distance(d, want, size) / 0x1p-24;
    is_ok(reduce_tridiagonal_float(n, g, n, d, &e, REDUCE_BEST, &scratch, 1,
                                   &err),
          &err);
    double *got = expect_tridiagonal(n, d, e);
    double ours = oracle_distance(got, want, size) / 0x1p-24;
    double most = kind <= GRADED ? 2 * theirs + 2 : SLACK * (n > 16 ? n : 16);
    if (!(ours <= most))
        fail_msg("%s, n = %d: off by %g units, ssytrd by %g", KINDS[kind].name,
                 n, ours, theirs);
    for (size_t j = 0; j < size; j++)
        for (size_t i = 0; i < j; i++)
            assert_true(isnan(g[j * size + i]));
    free(a);
    free(d);
    free(g);
    free(plain);
    free(want);
    free(got);
    scratch_release(&scratch);
}

static void test_float(void **state) {
    (void)state;
    static const int SIZES[] = {1, 2, BAND + 2, 3 * BAND + 9, 700};
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
            if (KINDS[kind].element != huge && KINDS[kind].element != tiny)
                check_float(kind, SIZES[i]);
}

static void test_paths(void **state) {
    (void)state;
    assert_true(reduce_has(REDUCE_BEST));
    assert_true(reduce_has(REDUCE_PORTABLE));
#ifdef __x86_64__
    assert_int_equal(reduce_has(REDUCE_AVX2),
                     __builtin_cpu_supports("avx2") &&
                         __builtin_cpu_supports("fma"));
    assert_int_equal(reduce_has(REDUCE_AVX512),
                     __builtin_cpu_supports("avx512f") != 0);
#else
    assert_false(reduce_has(REDUCE_AVX2));
    assert_false(reduce_has(REDUCE_AVX512));
#endif
}

static void test_every_size(void **state) {
    (void)state;
    for (int n = 0; n <= 200; n++)
        check(RANDOM, n);
}

static void test_kinds(void **state) {
    (void)state;
    static const int SIZES[] = {1, 2, 3, 30, BAND, BAND + 2, 3 * BAND + 9};
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
            check(kind, SIZES[i]);
}

/* Where the band ends, and where a panel does. */
static void test_around_the_band(void **state) {
    (void)state;
    for (int times = 1; times <= 5; times++)
        for (int more = -2; more <= 3; more++) {
            check(RANDOM, times * BAND + more);
            check(GRADED, times * BAND + more);
        }
}

static void test_large(void **state) {
    (void)state;
    static const int SIZES[] = {700, 1300, 1537};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        int n = SIZES[i];
        double *a = make(RANDOM, n, 5), *want = expect(n, a);
        check_path(RANDOM, n, REDUCE_BEST, a, want);
        free(a);
        free(want);
    }
}

/* What LAPACK does not tell: the spectrum that the matrix was made of. */
static void test_known(void **state) {
    (void)state;
    enum { N = 171 };
    double *a = make(4, N, 3), *d = reduce(N, a, REDUCE_BEST); /* low rank */
    double *got = expect_tridiagonal(N, d, d + N), want[N];
    for (int i = 0; i < N; i++)
        want[i] = i < N / 3 * 2 ? 0 : 3;
    check_values("low rank", N, got, want);
    free(a);
    free(d);
    free(got);
}

/* The trace and the sum of squares, in long double. */
static void test_identities(void **state) {
    (void)state;
    enum { N = 321 };
    double *a = make(RANDOM, N, 4), *d = reduce(N, a, REDUCE_BEST);
    long double trace = 0, squares = 0, trace_of = 0, squares_of = 0;
    for (int j = 0; j < N; j++) {
        trace += a[j * N + j];
        trace_of += d[j];
        squares_of += (long double)d[j] * d[j];
        squares_of += j < N - 1 ? 2 * (long double)d[N + j] * d[N + j] : 0;
        for (int i = j; i < N; i++)
            squares +=
                (i > j ? 2 : 1) * (long double)a[j * N + i] * a[j * N + i];
    }
    assert_true(fabsl(trace - trace_of) < 1e-12L);
    assert_true(fabsl(squares_of / squares - 1) < 1e-14L);
    free(a);
    free(d);
}

/* H A H of the reflection H along v, both triangles of A being there. */
static void reflect(int n, double *a, const double *v) {
    size_t size = (size_t)n;
    double norm = 0;
    for (size_t i = 0; i < size; i++)
        norm += v[i] * v[i];
    for (int side = 0; side < 2; side++)
        for (size_t j = 0; j < size; j++) {
            size_t step = side == 0 ? 1 : size, from = side == 0 ? j * size : j;
            double dot = 0;
            for (size_t i = 0; i < size; i++)
                dot += v[i] * a[from + i * step];
            for (size_t i = 0; i < size; i++)
                a[from + i * step] -= 2 * dot / norm * v[i];
        }
}

static void test_orthogonal_invariance(void **state) {
    (void)state;
    enum { N = 230 };
    double *a = make(RANDOM, N, 6), *want = expect(N, a);
    double *v = numbers(N * 3, 7);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < j; i++)
            a[j * N + i] = a[i * N + j];
    for (int k = 0; k < 3; k++)
        reflect(N, a, v + k * N);
    double *d = reduce(N, a, REDUCE_BEST),
           *got = expect_tridiagonal(N, d, d + N);
    check_values("reflected", N, got, want);
    free(a);
    free(want);
    free(v);
    free(d);
    free(got);
}

/* The same bytes whatever the slot held before, and wherever it lies. */
static void test_same_bytes(void **state) {
    (void)state;
    enum { N = 333 };
    double *a = make(RANDOM, N, 8);
    Scratch scratch = {0};
    Err err;
    for (ReducePath path = REDUCE_BEST; path <= REDUCE_AVX512; path++) {
        if (!reduce_has(path))
            continue;
        double *first = reduce(N, a, path), *g = spread(N, a), d[N], *e = NULL;
        size_t held = (size_t)N * N;
        double *dirty = scratch_take(&scratch, 0, held, sizeof *dirty, &err);
        assert_non_null(dirty);
        for (size_t i = 0; i < held; i++)
            dirty[i] = NAN;
        is_ok(reduce_tridiagonal(N, g, N + GAP, d, &e, path, &scratch, 0, &err),
              &err);
        assert_memory_equal(d, first, sizeof d);
        assert_memory_equal(e, first + N, (N - 1) * sizeof *e);
        free(first);
        free(g);
    }
    free(a);
    scratch_release(&scratch);
}

/* A NaN does not get lost; whoever looks at the result sees it. */
static void test_not_a_number(void **state) {
    (void)state;
    static const int SIZES[] = {2, 40, 150};
    for (size_t k = 0; k < sizeof SIZES / sizeof *SIZES; k++)
        for (ReducePath path = REDUCE_BEST; path <= REDUCE_AVX512; path++) {
            int n = SIZES[k];
            if (!reduce_has(path))
                continue;
            double *a = make(RANDOM, n, 9);
            a[n - 1] =
                k % 2 == 0 ? NAN : INFINITY; /* the first column's last */
            double *d = reduce(n, a, path);
            bool seen = false;
            for (int i = 0; i < 2 * n - 1; i++)
                seen = seen || !isfinite(d[i]);
            assert_true(seen);
            free(a);
            free(d);
        }
}

static void test_memory(void **state) {
    (void)state;
    enum { N = 2000 };
    Scratch scratch = {0};
    Err err;
    double *g = calloc((size_t)N * N, sizeof *g), d[N], *e = NULL;
    assert_non_null(g);
    fail_alloc_at(1);
    assert_int_equal(
        reduce_tridiagonal(N, g, N, d, &e, REDUCE_BEST, &scratch, 0, &err),
        STATUS_NOMEM);
    assert_true(fail_alloc_hit());
    assert_memory_equal(err.message, "not enough memory", 17);
    assert_null(e);
    fail_alloc_at(2); /* there is no second one */
    is_ok(reduce_tridiagonal(N, g, N, d, &e, REDUCE_BEST, &scratch, 0, &err),
          &err);
    assert_false(fail_alloc_hit());
    fail_alloc_at(0);
    assert_true(scratch_bytes(&scratch) <= 1200 * N + 200000);
    for (int i = 0; i < N; i++)
        assert_true(d[i] == 0 && (i == N - 1 || e[i] == 0));
    assert_int_equal(reduce_tridiagonal(50000, g, 50000, d, &e, REDUCE_BEST,
                                        &scratch, 0, &err),
                     STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "a matrix of 50000 x 50000 in memory is too large: "
                        "LAPACK takes at most 2147483647 elements");
    free(g);
    scratch_release(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_around_the_band),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_float),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_orthogonal_invariance),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_not_a_number),
        cmocka_unit_test(test_memory),
    };
    (void)linalg_single_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
