/* LAPACK's answers by the ratios of LAPACK's own tests (ddrvbd and its like):
 * a residual over norm, size and unit roundoff, to be below 35, on matrices
 * that are zero, the identity, evenly spaced, tiny, huge, graded, of rank one.
 */
#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dense.h"
#include "fail_alloc.h"
#include "linalg.h"
#include "oracle.h"
#include "ratios.h"
#include "spectra.h"
#include "stored.h"

/* This one stands before the library's own, and fails when it is told to. */
static int fail_gesdd;

int LAPACKE_dgesdd_work(int layout, char jobz, int m, int n, double *a, int lda,
                        double *s, double *u, int ldu, double *vt, int ldvt,
                        double *work, int lwork, int *iwork);

typedef int Gesdd(int, char, int, int, double *, int, double *, double *, int,
                  double *, int, double *, int, int *);

int LAPACKE_dgesdd_work(int layout, char jobz, int m, int n, double *a, int lda,
                        double *s, double *u, int ldu, double *vt, int ldvt,
                        double *work, int lwork, int *iwork) {
    Gesdd *next;
    void *found = dlsym(RTLD_NEXT, "LAPACKE_dgesdd_work");
    assert_non_null(found);
    memcpy(&next, &found, sizeof found);
    int info = next(layout, jobz, m, n, a, lda, s, u, ldu, vt, ldvt, work,
                    lwork, iwork);
    return lwork != -1 && fail_gesdd ? 1 : info;
}

static void is_ok(Status status, const Err *err) {
    if (status != STATUS_OK)
        fail_msg("status %d: %s", (int)status, err->message);
}

static void is_error(Status got, Status want, const Err *err,
                     const char *message) {
    assert_int_equal(got, want);
    assert_string_equal(err->message, message);
}

/* ---- matrices ---- */

typedef enum Kind {
    ZERO,
    IDENTITY,
    EVEN,     /* singular values evenly spaced from 1 to ulp */
    TINY,     /* the same times underflow / ulp */
    HUGE_ONE, /* the same times overflow * ulp */
    GRADED,   /* 1 to ulp in equal ratios */
    RANK_ONE,
    KINDS
} Kind;

static const int SIDES[] = {0, 1, 2, 3, 7, 10, 16, 30, 33, 40};
enum { SIDE_COUNT = sizeof SIDES / sizeof *SIDES };

static void singular_values(Kind kind, int k, double *s) {
    double scale = kind == TINY ? 0x1p-970 : kind == HUGE_ONE ? 0x1p970 : 1;
    if (kind == GRADED) {
        graded(s, k, ULP);
        return;
    }
    for (int i = 0; i < k; i++) {
        double even = k > 1 ? 1 - (1 - ULP) * i / (k - 1) : 1;
        s[i] = kind == ZERO ? 0 : kind == RANK_ONE ? i == 0 : even * scale;
    }
}

/* Allocated, row-major. */
static double *make_matrix(Kind kind, int m, int n, uint64_t seed) {
    int k = m < n ? m : n;
    double s[MOST + 1];
    if (kind != IDENTITY) {
        singular_values(kind, k, s);
        return planted(m, n, s, seed);
    }
    double *a = numbers((size_t)m * (size_t)n);
    for (int i = 0; i < k; i++)
        a[i * n + i] = 1;
    return a;
}

/* Calls check(kind, m, n, a) for all kinds and pairs of sides. */
static void all_matrices(void check(Kind, int, int, const double *)) {
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < SIDE_COUNT; i++)
            for (int j = 0; j < SIDE_COUNT; j++) {
                uint64_t seed = (uint64_t)(100 * i + j);
                double *a = make_matrix((Kind)kind, SIDES[i], SIDES[j], seed);
                check((Kind)kind, SIDES[i], SIDES[j], a);
                free(a);
            }
}

/* ---- factors ---- */

static void check_svd(Kind kind, int m, int n, const double *a) {
    int k = m < n ? m : n;
    double u[MOST * MOST], s[MOST], v[MOST * MOST], alone[MOST];
    Tensor tensor = matrix_of(m, n, a, DTYPE_F64);
    Scratch scratch = {0};
    Err err = {.message = ""};
    is_ok(dense_svd(&tensor, u, s, v, &scratch, &err), &err);
    check_product("U diag(S) V^T", kind, m, n, k, a, u, s, v, true);
    check_orthogonal("U", kind, m, k, u);
    check_orthogonal("V", kind, n, k, v);
    (void)values_of(&tensor, DIRECT, alone);
    for (int i = 0; i < k; i++) {
        assert_true(s[i] >= 0 && (i == 0 || s[i] <= s[i - 1]));
        check_ratio("S", kind, m, n, fabsl((long double)s[i] - alone[i]),
                    (long double)k * s[0]);
    }
    tensor_release(&tensor);
    scratch_release(&scratch);
}

static void test_svd(void **state) {
    (void)state;
    all_matrices(check_svd);
}

static void test_svd_falls_back(void **state) {
    (void)state;
    double *a = make_matrix(EVEN, 30, 16, 3);
    fail_gesdd = 1;
    check_svd(EVEN, 30, 16, a);
    fail_gesdd = 0;
    free(a);
}

static void check_qr(Kind kind, int m, int n, const double *a) {
    int k = m < n ? m : n;
    double q[MOST * MOST], r[MOST * MOST];
    Tensor tensor = matrix_of(m, n, a, DTYPE_F64);
    Scratch scratch = {0};
    Err err = {.message = ""};
    is_ok(dense_qr(&tensor, q, r, &scratch, &err), &err);
    check_product("Q R", kind, m, n, k, a, q, NULL, r, false);
    check_orthogonal("Q", kind, m, k, q);
    for (int i = 0; i < k; i++)
        for (int j = 0; j < i; j++)
            assert_true(r[i * n + j] == 0);
    tensor_release(&tensor);
    scratch_release(&scratch);
}

static void test_qr(void **state) {
    (void)state;
    all_matrices(check_qr);
}

/* What stands over the diagonal does not count: a is not symmetric. */
static void check_eigh(Kind kind, int m, int n, const double *a) {
    if (m != n)
        return;
    double w[MOST], alone[MOST], v[MOST * MOST];
    double *whole = numbers((size_t)(n * n));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            whole[i * n + j] = i >= j ? a[i * n + j] : a[j * n + i];
    Tensor tensor = matrix_of(n, n, a, DTYPE_F64);
    Scratch scratch = {0};
    Err err = {.message = ""};
    is_ok(dense_eigh(&tensor, w, v, &scratch, &err), &err);
    is_ok(dense_eigh(&tensor, alone, NULL, &scratch, &err), &err);
    check_product("V diag(w) V^T", kind, n, n, n, whole, v, w, v, true);
    check_orthogonal("V", kind, n, n, v);
    for (int i = 0; i < n; i++) {
        assert_true(i == 0 || w[i] >= w[i - 1]);
        check_ratio(
            "w", kind, n, n, fabsl((long double)w[i] - alone[i]),
            n * fmaxl(fabsl((long double)w[0]), fabsl((long double)w[n - 1])));
    }
    free(whole);
    tensor_release(&tensor);
    scratch_release(&scratch);
}

static void test_eigh(void **state) {
    (void)state;
    all_matrices(check_eigh);
}

/* ---- systems ---- */

enum { COUNT = 3 }; /* right sides */

static Tensor right_sides(int rows, double *values) {
    uint64_t seed = (uint64_t)rows + 77;
    oracle_fill(values, (size_t)(rows * COUNT), &seed);
    return matrix_of(rows, COUNT, values, DTYPE_F64);
}

static void check_solve(Kind kind, int m, int n, const double *a) {
    if (m != n || kind == ZERO || kind == RANK_ONE)
        return;
    double x[MOST * COUNT], sides[MOST * COUNT];
    long double gap[MOST * COUNT + 1];
    Tensor tensor = matrix_of(n, n, a, DTYPE_F64);
    Tensor b = right_sides(n, sides);
    Scratch scratch = {0};
    Err err = {.message = ""};
    is_ok(dense_solve(&tensor, &b, x, &scratch, &err), &err);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < COUNT; c++) {
            long double sum = sides[i * COUNT + c];
            for (int l = 0; l < n; l++)
                sum -= (long double)a[i * n + l] * x[l * COUNT + c];
            gap[i * COUNT + c] = sum;
        }
    check_ratio("B - A X", kind, n, n, norm_1(gap, n, COUNT),
                norm_of(a, n, n) * norm_of(x, n, COUNT) * n);
    tensor_release(&tensor);
    tensor_release(&b);
    scratch_release(&scratch);
}

static void test_solve(void **state) {
    (void)state;
    all_matrices(check_solve);
}

/* X is V diag(1 / s) U^T B of the singular values over the cut. */
static void check_lstsq(Kind kind, int m, int n, const double *a) {
    int k = m < n ? m : n;
    double x[MOST * COUNT], sides[MOST * COUNT], found[MOST];
    double u[MOST * MOST], s[MOST], v[MOST * MOST];
    int64_t rank = -1;
    Tensor tensor = matrix_of(m, n, a, DTYPE_F64);
    Tensor b = right_sides(m, sides);
    Scratch scratch = {0};
    Err err = {.message = ""};
    is_ok(dense_svd(&tensor, u, s, v, &scratch, &err), &err);
    double cut = kind == GRADED ? 1e-3 : dense_cut(m, n);
    is_ok(dense_lstsq(&tensor, &b, cut, x, found, &rank, &scratch, &err), &err);
    assert_int_equal(rank, dense_rank(s, k, k > 0 ? cut * s[0] : 0));
    for (int i = 0; i < n; i++)
        for (int c = 0; c < COUNT; c++) {
            long double sum = 0, size = 0;
            for (int l = 0; l < rank; l++)
                for (int j = 0; j < m; j++) {
                    long double part = (long double)v[i * k + l] / s[l] *
                                       u[j * k + l] * sides[j * COUNT + c];
                    sum += part;
                    size += 1 / (long double)s[l];
                }
            if (!(fabsl(x[i * COUNT + c] - sum) <= 1e-12L * size))
                fail_msg("X (%d, %d) of %d x %d, kind %d: %g, not %Lg", i, c, m,
                         n, (int)kind, x[i * COUNT + c], sum);
        }
    tensor_release(&tensor);
    tensor_release(&b);
    scratch_release(&scratch);
}

static void test_lstsq(void **state) {
    (void)state;
    all_matrices(check_lstsq);
}

/* One axis of right sides gives one axis of X; no right sides give no X. */
static void test_right_sides(void **state) {
    (void)state;
    static const double A[] = {2, 0, 1, 4}, B[] = {2, 9};
    double x[2] = {0}, s[2];
    int64_t two = 2, rank = -1;
    Tensor a = matrix_of(2, 2, A, DTYPE_F64), none, b;
    none = matrix_of(2, 0, A, DTYPE_F64);
    Scratch scratch = {0};
    Err err = {.message = ""};
    assert_int_equal(tensor_create(&b, DTYPE_F64, 1, &two, &err), STATUS_OK);
    memcpy(tensor_data(&b), B, sizeof B);
    is_ok(dense_solve(&a, &b, x, &scratch, &err), &err);
    is_near(x[0], 1, 0);
    is_near(x[1], 2, 0);
    is_ok(dense_lstsq(&a, &b, 0, x, s, &rank, &scratch, &err), &err);
    is_near(x[0], 1, 1e-14);
    is_near(x[1], 2, 1e-14);
    is_ok(dense_solve(&a, &none, x, &scratch, &err), &err);
    is_ok(dense_lstsq(&a, &none, 0, x, s, &rank, &scratch, &err), &err);
    assert_int_equal(rank, 2);
    tensor_release(&a);
    tensor_release(&b);
    tensor_release(&none);
    scratch_release(&scratch);
}

/* ---- norms ---- */

static double norm_by(const Tensor *tensor, DenseNorm kind) {
    Scratch scratch = {0};
    Err err = {.message = ""};
    double norm = -1;
    is_ok(dense_norm(tensor, kind, &norm, &scratch, &err), &err);
    scratch_release(&scratch);
    return norm;
}

static void check_norms(Kind kind, int m, int n, const double *a) {
    int k = m < n ? m : n;
    double s[MOST + 1], scale = 1;
    long double squares = 0, sum = 0;
    Tensor tensor = matrix_of(m, n, a, DTYPE_F64), turned;
    singular_values(kind == IDENTITY ? EVEN : kind, k, s);
    for (int i = 0; i < k; i++) {
        s[i] = kind == IDENTITY ? 1 : s[i];
        squares += (long double)s[i] * s[i];
        sum += s[i];
        scale = s[0] * (m + n);
    }
    is_ok(tensor_transpose(&turned, &tensor, NULL), NULL);
    is_near(norm_by(&tensor, DENSE_FROBENIUS), (double)sqrtl(squares),
            1e-14 * scale);
    is_near(norm_by(&tensor, DENSE_NUCLEAR), (double)sum, 1e-14 * scale);
    is_near(norm_by(&tensor, DENSE_SPECTRAL), k > 0 ? s[0] : 0, 1e-14 * scale);
    is_near(norm_by(&tensor, DENSE_COLUMN), (double)norm_of(a, m, n),
            1e-14 * scale);
    is_near(norm_by(&turned, DENSE_ROW), norm_by(&tensor, DENSE_COLUMN), 0);
    if (k > 0) {
        is_near(norm_by(&tensor, DENSE_SPECTRAL_MIN), s[k - 1], 1e-14 * scale);
        is_near(norm_by(&turned, DENSE_ROW_MIN),
                norm_by(&tensor, DENSE_COLUMN_MIN), 0);
        assert_true(norm_by(&tensor, DENSE_COLUMN_MIN) <=
                    norm_by(&tensor, DENSE_COLUMN));
    }
    tensor_release(&tensor);
    tensor_release(&turned);
}

static void test_norms(void **state) {
    (void)state;
    static const double A[] = {1, -2, 3, -4, 5, -6};
    Scratch scratch = {0};
    Err err = {.message = ""};
    double trace = 0;
    all_matrices(check_norms);
    Tensor a = matrix_of(2, 3, A, DTYPE_F64);
    is_near(norm_by(&a, DENSE_COLUMN), 9, 0);
    is_near(norm_by(&a, DENSE_COLUMN_MIN), 5, 0);
    is_near(norm_by(&a, DENSE_ROW), 15, 0);
    is_near(norm_by(&a, DENSE_ROW_MIN), 6, 0);
    is_ok(dense_trace(&a, &trace, &scratch, &err), &err);
    is_near(trace, 6, 0);
    tensor_release(&a);
    scratch_release(&scratch);
}

static void test_rank(void **state) {
    (void)state;
    static const double S[] = {4, 2, 1e-3, 0};
    assert_int_equal(dense_rank(S, 4, 0), 3);
    assert_int_equal(dense_rank(S, 4, 1e-3), 2);
    assert_int_equal(dense_rank(S, 4, 4), 0);
    assert_int_equal(dense_rank(S, 0, 0), 0);
    is_near(dense_cut(3, 8), 8 * ULP, 0);
}

/* ---- a file's matrix, and what is refused ---- */

static void test_file(void **state) {
    (void)state;
    static const Dtype DTYPES[] = {DTYPE_F32, DTYPE_BF16, DTYPE_Q8_0};
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++) {
        Stored stored;
        double u[32 * 32], s[32], v[32 * 32], trace = 0, want = 0;
        int64_t shape[2] = {9, 32};
        Tensor tensor;
        Scratch scratch = {0};
        Err err = {.message = ""};
        stored_make(&stored, DTYPES[i], 9, 32);
        Source *source = stored_source(&stored);
        is_ok(tensor_from_source(&tensor, source, 2, shape, &err), &err);
        source_release(source);
        is_ok(dense_svd(&tensor, u, s, v, &scratch, &err), &err);
        check_product("a file's", EVEN, 9, 32, 9, stored.truth, u, s, v, true);
        is_ok(dense_trace(&tensor, &trace, &scratch, &err), &err);
        for (int j = 0; j < 9; j++)
            want += stored.truth[j * 32 + j];
        is_near(trace, want, 0);
        tensor_release(&tensor);
        scratch_release(&scratch);
        stored_end(&stored);
    }
}

static void test_shapes(void **state) {
    (void)state;
    static const double A[24] = {0};
    double x[24], s[6];
    int64_t rank = -1, cube[3] = {2, 3, 4};
    Tensor wide = matrix_of(2, 3, A, DTYPE_F64), deep;
    Tensor square = matrix_of(2, 2, A, DTYPE_F64);
    Scratch scratch = {0};
    Err err;
    is_ok(tensor_create(&deep, DTYPE_F64, 3, cube, NULL), NULL);
    is_error(dense_svd(&deep, x, s, x, &scratch, &err), STATUS_ARGUMENT, &err,
             "[2, 3, 4]: expected a matrix of 2 axes");
    is_error(dense_eigh(&wide, s, NULL, &scratch, &err), STATUS_ARGUMENT, &err,
             "[2, 3]: expected a square matrix");
    is_error(dense_solve(&wide, &square, x, &scratch, &err), STATUS_ARGUMENT,
             &err, "the matrix: [2, 3]: expected a square matrix");
    is_error(dense_lstsq(&wide, &deep, 0, x, s, &rank, &scratch, &err),
             STATUS_ARGUMENT, &err,
             "right sides of [2, 3, 4]: expected 2 rows, as the matrix has");
    is_error(dense_solve(&square, &square, x, &scratch, &err), STATUS_NUMERIC,
             &err, "the matrix is singular: pivot 1 of 2 is zero");
    assert_int_equal(rank, -1);
    tensor_release(&wide);
    tensor_release(&deep);
    tensor_release(&square);
    scratch_release(&scratch);
}

static void test_too_large(void **state) {
    (void)state;
    /* a view that says 2^31 columns without having them: nothing is read */
    int64_t shape[2] = {0, INT64_C(1) << 31};
    Tensor tensor;
    Scratch scratch = {0};
    Err err;
    double x = 0, s = 0;
    is_ok(tensor_create(&tensor, DTYPE_F64, 2, shape, NULL), NULL);
    is_error(dense_svd(&tensor, &x, &s, &x, &scratch, &err), STATUS_ARGUMENT,
             &err,
             "a matrix of 0 x 2147483648 in memory is too large: LAPACK takes "
             "at most 2147483647 elements");
    tensor_release(&tensor);
    /* what fits, but not its work space: refused before a value is touched */
    is_error(linalg_svd(30000, 30000, &x, &s, &x, &x, &scratch, 0, &err),
             STATUS_ARGUMENT, &err,
             "a matrix of 30000 x 30000 is too large for this: LAPACK's work "
             "space has at most 2147483647 elements");
    assert_int_equal(linalg_symmetric(40000, &x, true, &s, &scratch, 0, &err),
                     STATUS_ARGUMENT);
    scratch_release(&scratch);
}

static void test_nonfinite(void **state) {
    (void)state;
    double a[12] = {1, 2, 3, 4, 5, NAN, 7, 8, -INFINITY, 10, 11, 12};
    double x[16], s[4], number = -7;
    int64_t rank;
    Tensor bad = matrix_of(3, 4, a, DTYPE_F64);
    Tensor square = matrix_of(3, 3, a, DTYPE_F64);
    Tensor good = matrix_of(3, 1, a, DTYPE_F64);
    Scratch scratch = {0};
    Err err;
    const char *words = "2 non-finite values, the first at row 2, column 2";
    const char *other = "2 non-finite values, the first at row 2, column 3";
    is_error(dense_svd(&bad, x, s, x, &scratch, &err), STATUS_NONFINITE, &err,
             words);
    is_error(dense_qr(&bad, x, x, &scratch, &err), STATUS_NONFINITE, &err,
             words);
    is_error(dense_norm(&bad, DENSE_ROW, &number, &scratch, &err),
             STATUS_NONFINITE, &err, words);
    is_error(dense_norm(&bad, DENSE_SPECTRAL, &number, &scratch, &err),
             STATUS_NONFINITE, &err, words);
    is_error(dense_eigh(&square, s, x, &scratch, &err), STATUS_NONFINITE, &err,
             other);
    is_error(dense_trace(&bad, &number, &scratch, &err), STATUS_NONFINITE, &err,
             "1 non-finite value, at row 2, column 2");
    char prefixed[128];
    snprintf(prefixed, sizeof prefixed, "the matrix: %s", words);
    is_error(dense_lstsq(&bad, &good, 0, x, s, &rank, &scratch, &err),
             STATUS_NONFINITE, &err, prefixed);
    snprintf(prefixed, sizeof prefixed, "the right side: %s", words);
    is_error(dense_lstsq(&good, &bad, 0, x, s, &rank, &scratch, &err),
             STATUS_NONFINITE, &err, prefixed);
    is_near(number, -7, 0);
    tensor_release(&bad);
    tensor_release(&square);
    tensor_release(&good);
    scratch_release(&scratch);
}

static void test_over_range(void **state) {
    (void)state;
    static const double A[] = {1.7e308, 1.7e308, -1.7e308, 1.7e308};
    static const double B[] = {1.7e308, 1.7e308, 1.7e308, 1.7e308};
    double x[4], s[2], number;
    Tensor a = matrix_of(2, 2, A, DTYPE_F64);
    Tensor b = matrix_of(2, 2, B, DTYPE_F64);
    Scratch scratch = {0};
    Err err;
    is_error(dense_svd(&a, x, s, x, &scratch, &err), STATUS_NUMERIC, &err,
             "a singular value is over float64's range");
    is_error(dense_eigh(&b, s, x, &scratch, &err), STATUS_NUMERIC, &err,
             "an eigenvalue is over float64's range");
    is_error(dense_norm(&a, DENSE_FROBENIUS, &number, &scratch, &err),
             STATUS_NUMERIC, &err, "the norm is over float64's range");
    is_error(dense_trace(&a, &number, &scratch, &err), STATUS_NUMERIC, &err,
             "the trace is over float64's range");
    tensor_release(&a);
    tensor_release(&b);
    scratch_release(&scratch);
}

/* ---- no memory ---- */

/* Calls everything; the first bad status. */
static Status every_routine(const Tensor *a, const Tensor *b, Scratch *scratch,
                            Err *err) {
    double x[64], y[64], s[8], number;
    int64_t rank;
    Status status = dense_svd(a, x, s, y, scratch, err);
    if (status == STATUS_OK)
        status = dense_eigh(a, s, x, scratch, err);
    if (status == STATUS_OK)
        status = dense_qr(a, x, y, scratch, err);
    if (status == STATUS_OK)
        status = dense_solve(a, b, x, scratch, err);
    if (status == STATUS_OK)
        status = dense_lstsq(a, b, 0, x, s, &rank, scratch, err);
    if (status == STATUS_OK)
        status = dense_norm(a, DENSE_NUCLEAR, &number, scratch, err);
    if (status == STATUS_OK)
        status = dense_norm(a, DENSE_ROW, &number, scratch, err);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    double *values = make_matrix(EVEN, 8, 8, 5);
    Tensor a = matrix_of(8, 8, values, DTYPE_F64);
    Tensor b = matrix_of(8, 2, values, DTYPE_F64);
    long n = 1;
    for (;; n++) {
        Scratch scratch = {0};
        Err err;
        fail_alloc_at(n);
        Status status = every_routine(&a, &b, &scratch, &err);
        int hit = fail_alloc_hit();
        fail_alloc_at(0);
        scratch_release(&scratch);
        if (status == STATUS_OK && !hit)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_non_null(strstr(err.message, "not enough memory"));
    }
    assert_true(n > 8);
    free(values);
    tensor_release(&a);
    tensor_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_svd),
        cmocka_unit_test(test_svd_falls_back),
        cmocka_unit_test(test_qr),
        cmocka_unit_test(test_eigh),
        cmocka_unit_test(test_solve),
        cmocka_unit_test(test_lstsq),
        cmocka_unit_test(test_right_sides),
        cmocka_unit_test(test_norms),
        cmocka_unit_test(test_rank),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_nonfinite),
        cmocka_unit_test(test_over_range),
        cmocka_unit_test(test_no_memory),
    };
    (void)linalg_single_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
