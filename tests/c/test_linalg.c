/* Each routine against the plain sum, an identity or a known spectrum. */
#include <dlfcn.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "linalg.h"
#include "oracle.h"
#include "plain.h"

/* These stand before the library's own, and fail when they are told to. */
static int fail_gesdd, fail_gesvd, fail_lahqr, asked_gesvd;

int LAPACKE_dgesdd_work(int layout, char jobz, int m, int n, double *a, int lda,
                        double *s, double *u, int ldu, double *vt, int ldvt,
                        double *work, int lwork, int *iwork);
int LAPACKE_dgesvd_work(int layout, char jobu, char jobvt, int m, int n,
                        double *a, int lda, double *s, double *u, int ldu,
                        double *vt, int ldvt, double *work, int lwork);
void dlahqr_(const int *want_t, const int *want_z, const int *n, const int *low,
             const int *high, double *h, const int *ldh, double *re, double *im,
             const int *low_z, const int *high_z, double *z, const int *ldz,
             int *info);

typedef int Gesdd(int, char, int, int, double *, int, double *, double *, int,
                  double *, int, double *, int, int *);
typedef int Gesvd(int, char, char, int, int, double *, int, double *, double *,
                  int, double *, int, double *, int);
typedef void Lahqr(const int *, const int *, const int *, const int *,
                   const int *, double *, const int *, double *, double *,
                   const int *, const int *, double *, const int *, int *);

/* The library's function of that name; a cast from void * to a pointer to a
 * function is not ISO C, a copy of its bytes is. */
static void next_function(void *pointer, const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    assert_non_null(found);
    memcpy(pointer, &found, sizeof found);
}

int LAPACKE_dgesdd_work(int layout, char jobz, int m, int n, double *a, int lda,
                        double *s, double *u, int ldu, double *vt, int ldvt,
                        double *work, int lwork, int *iwork) {
    Gesdd *next;
    next_function(&next, "LAPACKE_dgesdd_work");
    int info = next(layout, jobz, m, n, a, lda, s, u, ldu, vt, ldvt, work,
                    lwork, iwork);
    return lwork != -1 && fail_gesdd ? 1 : info;
}

int LAPACKE_dgesvd_work(int layout, char jobu, char jobvt, int m, int n,
                        double *a, int lda, double *s, double *u, int ldu,
                        double *vt, int ldvt, double *work, int lwork) {
    Gesvd *next;
    next_function(&next, "LAPACKE_dgesvd_work");
    asked_gesvd += lwork != -1;
    int info = next(layout, jobu, jobvt, m, n, a, lda, s, u, ldu, vt, ldvt,
                    work, lwork);
    return lwork != -1 && fail_gesvd ? 2 : info;
}

void dlahqr_(const int *want_t, const int *want_z, const int *n, const int *low,
             const int *high, double *h, const int *ldh, double *re, double *im,
             const int *low_z, const int *high_z, double *z, const int *ldz,
             int *info) {
    Lahqr *next;
    next_function(&next, "dlahqr_");
    if (fail_lahqr > 0) {
        fail_lahqr--;
        h[0] = NAN; /* whoever goes on needs a copy */
        *info = 1;
        return;
    }
    next(want_t, want_z, n, low, high, h, ldh, re, im, low_z, high_z, z, ldz,
         info);
}

static void test_library(void **state) {
    (void)state;
    assert_true(linalg_single_thread());
    assert_memory_equal(linalg_blas_version(), "OpenBLAS 0.", 11);
    assert_memory_equal(linalg_lapack_version(), "3.", 2);
    assert_ptr_equal(linalg_blas_version(), linalg_blas_version());
}

static void test_sizes(void **state) {
    (void)state;
    Err err;
    assert_int_equal(linalg_check_size(46340, 46340, &err), STATUS_OK);
    assert_int_equal(linalg_check_size(INT_MAX, 1, &err), STATUS_OK);
    assert_int_equal(linalg_check_size(46341, 46341, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "a matrix of 46341 x 46341 in memory is too large: "
                        "LAPACK takes at most 2147483647 elements");
    assert_int_equal(linalg_check_size((uint64_t)INT_MAX + 1, 0, NULL),
                     STATUS_ARGUMENT);
    assert_int_equal(linalg_check_size(UINT64_MAX, UINT64_MAX, NULL),
                     STATUS_ARGUMENT);
}

static void test_gram(void **state) {
    (void)state;
    enum { N = 7, K = 5, LD = 9 };
    double *z = numbers(LD * LD, 1), *start = numbers(LD * LD, 2);
    for (int by_rows = 0; by_rows <= 1; by_rows++) {
        double g[LD * LD], want[LD * LD];
        float zf[LD * LD], gf[LD * LD];
        memcpy(g, start, sizeof g);
        memcpy(want, start, sizeof g);
        for (int i = 0; i < LD * LD; i++) {
            zf[i] = (float)z[i];
            gf[i] = (float)start[i];
        }
        linalg_gram(N, K, z, LD, by_rows != 0, 0.5, g, LD);
        linalg_gram_float(N, K, zf, LD, by_rows != 0, 0.5F, gf, LD);
        plain_multiply(by_rows == 0, by_rows == 1, N, N, K, z, LD, z, LD, 0.5,
                       want, LD);
        for (int j = 0; j < N; j++)
            for (int i = 0; i < N; i++) {
                int x = j * LD + i; /* above the diagonal nothing is touched */
                is_near(g[x], i < j ? start[x] : want[x], 1e-14);
                is_near((double)gf[x], i < j ? start[x] : want[x], 2e-6);
            }
    }
    free(z);
    free(start);
}

static void test_multiply(void **state) {
    (void)state;
    enum { M = 6, N = 4, K = 5, LD = 8 };
    double *a = numbers(LD * LD, 3), *b = numbers(LD * LD, 4);
    double *start = numbers(LD * LD, 5);
    for (int mask = 0; mask < 4; mask++) {
        double c[LD * LD], want[LD * LD];
        memcpy(c, start, sizeof c);
        memcpy(want, start, sizeof c);
        bool ta = (mask & 1) != 0, tb = (mask & 2) != 0;
        linalg_multiply(ta, tb, M, N, K, a, LD, b, LD, -2, c, LD);
        plain_multiply(ta, tb, M, N, K, a, LD, b, LD, -2, want, LD);
        all_near(c, want, LD * LD, 1e-14);
    }
    free(a);
    free(b);
    free(start);
}

static void test_triangular(void **state) {
    (void)state;
    enum { M = 6, N = 4, LD = 7 };
    double *r = numbers(LD * LD, 6), *b = numbers(LD * LD, 7);
    double upper[LD * LD];
    for (int j = 0; j < LD; j++)
        for (int i = 0; i < LD; i++)
            upper[j * LD + i] = i <= j ? r[j * LD + i] : 0;
    for (int mask = 0; mask < 4; mask++) {
        double got[LD * LD], want[LD * LD];
        memcpy(got, b, sizeof got);
        memcpy(want, b, sizeof want);
        bool left = (mask & 1) != 0, transpose = (mask & 2) != 0;
        linalg_triangular(left, transpose, M, N, r, LD, got, LD);
        if (left)
            plain_multiply(transpose, false, M, N, M, upper, LD, b, LD, 0, want,
                           LD);
        else
            plain_multiply(false, transpose, M, N, N, b, LD, upper, LD, 0, want,
                           LD);
        all_near(got, want, LD * LD, 1e-14);
    }
    free(r);
    free(b);
}

/* G = H diag(w) H of one Householder reflection H: its eigenvalues are w. */
static double *reflected(int n, const double *w, uint64_t seed) {
    size_t size = (size_t)n;
    double *g = numbers(size * size, 0), *v = numbers(size, seed);
    double norm = 0, middle = 0;
    for (int i = 0; i < n; i++)
        norm += v[i] * v[i];
    for (int i = 0; i < n; i++) {
        v[i] /= sqrt(norm);
        middle += w[i] * v[i] * v[i];
    }
    for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++)
            g[(size_t)j * size + (size_t)i] =
                (i == j ? w[i] : 0) +
                (4 * middle - 2 * w[i] - 2 * w[j]) * v[i] * v[j];
    free(v);
    return g;
}

/* Both reductions on a reflected diag(1/2, 3/2, ..., n - 1/2). */
static void check_symmetric(int n) {
    size_t size = (size_t)n;
    Scratch scratch = {0};
    Err err;
    double *w = malloc((size + 1) * sizeof *w), *got = numbers(size, 1);
    for (int i = 0; i < n; i++)
        w[i] = i + 0.5;
    double *g = reflected(n, w, 8), *before = numbers(size * size, 0);
    float *f = malloc((size * size + 1) * sizeof *f);
    memcpy(before, g, size * size * sizeof *g);
    for (size_t i = 0; i < size * size; i++)
        f[i] = (float)g[i];
    is_ok(linalg_symmetric_values(n, g, n, got, &scratch, 3, &err), &err);
    all_near(got, w, size, 1e-14 * n);
    for (size_t j = 0; j < size; j++)
        for (size_t i = 0; i < j; i++)
            if (g[j * size + i] != before[j * size + i])
                fail_msg("(%zu, %zu) above the diagonal was written", i, j);
    is_ok(linalg_symmetric_values_float(n, f, n, got, &scratch, 3, &err), &err);
    all_near(got, w, size, 2e-6 * n);
    free(w);
    free(got);
    free(g);
    free(before);
    free(f);
    scratch_release(&scratch);
}

static void test_symmetric(void **state) {
    (void)state;
    for (int n = 0; n <= 70; n++)
        check_symmetric(n);
    check_symmetric(300);
}

static void test_symmetric_two_stage(void **state) {
    (void)state;
    check_symmetric(1400);
}

static void test_symmetric_vectors(void **state) {
    (void)state;
    enum { N = 40, COUNT = 7 };
    Scratch scratch = {0};
    Err err;
    double w[N], z[N * COUNT], gram[COUNT * COUNT] = {0};
    for (int i = 0; i < N; i++)
        w[i] = i < 10 ? i * 1e-16 : 1 + i; /* in a cluster, too */
    double *g = reflected(N, w, 9), *copy = reflected(N, w, 9);
    is_ok(linalg_symmetric_vectors(N, g, N, COUNT, z, N, &scratch, 0, &err),
          &err);
    for (int j = 0; j < COUNT; j++)
        for (int i = 0; i < N; i++) {
            double sum = 0;
            for (int k = 0; k < N; k++)
                sum += copy[k * N + i] * z[j * N + k];
            is_near(sum, 0, 2e-13); /* of the smallest eigenvalues */
        }
    plain_multiply(true, false, COUNT, COUNT, N, z, N, z, N, 0, gram, COUNT);
    for (int j = 0; j < COUNT; j++)
        for (int i = 0; i < COUNT; i++)
            is_near(gram[j * COUNT + i], i == j, 1e-14);
    free(g);
    free(copy);
    scratch_release(&scratch);
}

/* R^T R = A^T A, for R by one QR and for R by panels of `width` rows. */
static void check_qr(int m, int n, int width) {
    size_t area = (size_t)n * (size_t)n;
    Scratch scratch = {0};
    Err err;
    double *a = numbers((size_t)m * (size_t)n, 10), *want = numbers(area, 0);
    double *r = calloc(area, sizeof *r), *got = numbers(area, 0);
    plain_multiply(true, false, n, n, m, a, m, a, m, 0, want, n);
    for (int first = 0; first < m; first += width) {
        int rows = m - first < width ? m - first : width;
        double *panel = numbers((size_t)rows * (size_t)n, 0);
        for (int j = 0; j < n; j++)
            memcpy(panel + j * rows, a + j * m + first,
                   (size_t)rows * sizeof *a);
        is_ok(linalg_qr_append(n, r, n, rows, panel, rows, &scratch, 0, &err),
              &err);
        free(panel);
    }
    plain_multiply(true, false, n, n, n, r, n, r, n, 0, got, n);
    all_near(got, want, area, 1e-14 * m);
    if (m >= n) {
        is_ok(linalg_qr(m, n, a, m, &scratch, 0, &err), &err);
        for (int j = 0; j < n; j++)
            for (int i = 0; i < n; i++)
                r[j * n + i] = i <= j ? a[j * m + i] : 0;
        plain_multiply(true, false, n, n, n, r, n, r, n, 0, got, n);
        all_near(got, want, area, 1e-14 * m);
    }
    free(a);
    free(want);
    free(r);
    free(got);
    scratch_release(&scratch);
}

static void test_qr(void **state) {
    (void)state;
    check_qr(1, 1, 1);
    check_qr(50, 7, 11);
    check_qr(90, 45, 20); /* panels shorter than R, blocks of 32 and 13 */
    check_qr(5, 12, 5);
}

static void check_svd(int m, int n) {
    Scratch scratch = {0};
    Err err;
    size_t area = (size_t)m * (size_t)n, small = (size_t)(m < n ? m : n);
    double *a = numbers(area, 11), *s = numbers(small, 0);
    double *want = numbers(small, 0);
    oracle_singular_values((size_t)n, (size_t)m, a, want);
    is_ok(linalg_singular_values(m, n, a, m, s, &scratch, 1, &err), &err);
    if (oracle_distance(s, want, small) > 3e-15)
        fail_msg("%d x %d: off by %g", m, n, oracle_distance(s, want, small));
    free(a);
    free(s);
    free(want);
    scratch_release(&scratch);
}

static void test_singular_values(void **state) {
    (void)state;
    static const int SIDES[] = {0, 1, 2, 3, 10, 33, 40};
    for (size_t i = 0; i < sizeof SIDES / sizeof *SIDES; i++)
        for (size_t j = 0; j < sizeof SIDES / sizeof *SIDES; j++)
            check_svd(SIDES[i], SIDES[j]);
}

/* With a leading dimension that is not m, so that the kept copy must be. */
static void test_svd_falls_back(void **state) {
    (void)state;
    enum { M = 9, N = 5, LD = 12 };
    Scratch scratch = {0};
    Err err;
    double *a = numbers(LD * N, 12), packed[M * N], s[N], want[N];
    double again[LD * N];
    memcpy(again, a, sizeof again);
    for (int j = 0; j < N; j++)
        memcpy(packed + j * M, a + j * LD, M * sizeof *a);
    oracle_singular_values(N, M, packed, want);
    fail_gesdd = 1;
    asked_gesvd = 0;
    is_ok(linalg_singular_values(M, N, a, LD, s, &scratch, 0, &err), &err);
    assert_int_equal(asked_gesvd, 1);
    assert_true(oracle_distance(s, want, N) < 1e-15);
    fail_gesvd = 1;
    assert_int_equal(
        linalg_singular_values(M, N, again, LD, s, &scratch, 0, &err),
        STATUS_NUMERIC);
    assert_string_equal(err.message, "dgesvd: the singular values did not "
                                     "converge (info = 2)");
    fail_gesdd = fail_gesvd = 0;
    free(a);
    scratch_release(&scratch);
}

/* Every wanted eigenvalue is found once. */
static void check_general(int n, const double *a, bool balance,
                          const double *re, const double *im,
                          double tolerance) {
    Scratch scratch = {0};
    Err err;
    size_t size = (size_t)n;
    double *copy = numbers(size * size, 0);
    double *x = numbers(size, 0), *y = numbers(size, 0);
    memcpy(copy, a, size * size * sizeof *a);
    is_ok(linalg_general_values(n, copy, n, balance, x, y, &scratch, 2, &err),
          &err);
    for (int i = 0; i < n; i++) {
        int best = 0;
        for (int j = 0; j < n; j++)
            if (hypot(x[j] - re[i], y[j] - im[i]) <
                hypot(x[best] - re[i], y[best] - im[i]))
                best = j;
        is_near(x[best], re[i], tolerance);
        is_near(y[best], im[i], tolerance);
        x[best] = y[best] = INFINITY;
    }
    free(copy);
    free(x);
    free(y);
    scratch_release(&scratch);
}

/* A block diagonal of 2 x 2 rotations and a 0.25, turned by a reflection:
 * eigenvalues r exp(+-i t). n is odd. */
static void check_rotations(int n) {
    size_t size = (size_t)n;
    double *a = calloc(size * size, sizeof *a), *v = numbers(size, 13);
    double *re = calloc(size, sizeof *re), *im = calloc(size, sizeof *im);
    for (int i = 0; i + 1 < n; i += 2) {
        double r = 1 + 0.5 * i / n, t = 0.1 + 2.9 * i / n;
        size_t p = (size_t)i;
        re[i] = re[i + 1] = a[p * size + p] = a[(p + 1) * size + p + 1] =
            r * cos(t);
        im[i] = a[p * size + p + 1] = r * sin(t);
        im[i + 1] = a[(p + 1) * size + p] = -im[i];
    }
    re[n - 1] = a[size * size - 1] = 0.25;
    double norm = 0;
    for (int i = 0; i < n; i++)
        norm += v[i] * v[i];
    for (int side = 0; side < 2; side++) { /* H a, then its transpose again */
        for (size_t j = 0; j < size; j++) {
            double dot = 0;
            for (size_t i = 0; i < size; i++)
                dot += v[i] * a[j * size + i];
            for (size_t i = 0; i < size; i++)
                a[j * size + i] -= 2 * dot / norm * v[i];
        }
        for (size_t j = 0; j < size; j++)
            for (size_t i = 0; i < j; i++) {
                double keep = a[j * size + i];
                a[j * size + i] = a[i * size + j];
                a[i * size + j] = keep;
            }
    }
    check_general(n, a, false, re, im, 1e-13);
    check_general(n, a, true, re, im, 1e-13);
    free(a);
    free(v);
    free(re);
    free(im);
}

static void test_general_values(void **state) {
    (void)state;
    /* companion matrix of (x-1)(x-2)(x^2+1) = x^4 - 3x^3 + 3x^2 - 3x + 2 */
    static const double COMPANION[16] = {0, 1, 0, 0, 0,  0, 1,  0,
                                         0, 0, 0, 1, -2, 3, -3, 3};
    static const double RE[] = {1, 2, 0, 0}, IM[] = {0, 0, 1, -1};
    check_general(4, COMPANION, false, RE, IM, 1e-14);
    check_general(4, COMPANION, true, RE, IM, 1e-14);
    check_general(0, COMPANION, false, RE, IM, 0);
    check_general(1, COMPANION + 1, false, RE, IM, 0);
    check_rotations(101);
    check_rotations(201); /* above the size that dlahqr is used for */
    fail_lahqr = 1;
    check_rotations(101);
    assert_int_equal(fail_lahqr, 0);
}

/* Calls every routine that takes work space; the first bad status. */
static Status every_routine(Scratch *scratch, Err *err) {
    enum { N = 40 };
    double a[N * N], b[N * N], w[N], x[N];
    float f[N * N];
    uint64_t seed = 14;
    oracle_fill(a, N * N, &seed);
    memcpy(b, a, sizeof b);
    for (int i = 0; i < N * N; i++)
        f[i] = (float)a[i];
    Status status = linalg_symmetric_values(N, a, N, w, scratch, 0, err);
    if (status == STATUS_OK)
        status = linalg_symmetric_values_float(N, f, N, w, scratch, 1, err);
    if (status == STATUS_OK)
        status = linalg_symmetric_vectors(N, a, N, 3, b, N, scratch, 2, err);
    if (status == STATUS_OK)
        status = linalg_qr(N, N, a, N, scratch, 3, err);
    if (status == STATUS_OK)
        status = linalg_qr_upper(N, N, a, N, b, N, scratch, 8, err);
    if (status == STATUS_OK)
        status = linalg_qr_append(N, a, N, N, b, N, scratch, 4, err);
    if (status == STATUS_OK)
        status = linalg_singular_values(N, N, a, N, w, scratch, 5, err);
    if (status == STATUS_OK)
        status = linalg_general_values(N, a, N, false, w, x, scratch, 6, err);
    if (status == STATUS_OK)
        status = linalg_general_values(N, a, N, true, w, x, scratch, 7, err);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    int failures = 0;
    for (long n = 1;; n++) {
        Scratch scratch = {0};
        Err err;
        fail_alloc_at(n);
        Status status = every_routine(&scratch, &err);
        fail_alloc_at(0);
        scratch_release(&scratch);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_memory_equal(err.message, "not enough memory", 17);
        failures++;
    }
    assert_int_equal(failures, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_library),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_gram),
        cmocka_unit_test(test_multiply),
        cmocka_unit_test(test_triangular),
        cmocka_unit_test(test_symmetric),
        cmocka_unit_test(test_symmetric_two_stage),
        cmocka_unit_test(test_symmetric_vectors),
        cmocka_unit_test(test_qr),
        cmocka_unit_test(test_singular_values),
        cmocka_unit_test(test_svd_falls_back),
        cmocka_unit_test(test_general_values),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
