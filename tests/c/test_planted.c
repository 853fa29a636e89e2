/* Planted spectra: the singular values are those asked for, the bytes are the
 * same everywhere. */
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
#include "planted.h"

enum { ROWS = 90, COLS = 70 };

static void near(double got, double wanted, double tolerance) {
    if (!(fabs(got - wanted) <= tolerance * fabs(wanted)))
        fail_msg("%.17g, expected %.17g", got, wanted);
}

/* FNV-1a, 64 bits. */
static uint64_t checksum(const void *data, size_t n) {
    const unsigned char *bytes = data;
    uint64_t hash = 0xCBF29CE484222325U;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 0x100000001B3U;
    return hash;
}

static void falling(double *s, int n) {
    for (int k = 0; k < n; k++)
        s[k] = 2.0 / (1.0 + 40.0 * k / n);
}

/* G = A A^T by its definition, A (m, n). */
static void gram(int m, int n, const double *a, double *g) {
    for (int i = 0; i < m; i++)
        for (int j = 0; j < m; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += a[i * n + k] * a[j * n + k];
            g[i * m + j] = sum;
        }
}

/* tr (A A^T)^k = sum s^2k for k = 1 .. m: these sums determine m values. */
static void test_traces(void **state) {
    static const double S[] = {3.0, 1.5, -0.75, 0.5};
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        double a[4 * 7], g[7 * 7], power[7 * 7], next[7 * 7];
        int m = wide ? 4 : 7, n = wide ? 7 : 4;
        assert_int_equal(
            planted_matrix((uint64_t)m, (uint64_t)n, S, 5, a, NULL), STATUS_OK);
        gram(m, n, a, g);
        memcpy(power, g, sizeof g);
        for (int k = 1; k <= 4; k++) {
            double trace = 0, wanted = 0;
            for (int i = 0; i < m; i++)
                trace += power[i * m + i];
            for (int i = 0; i < 4; i++)
                wanted += pow(S[i], 2 * k);
            near(trace, wanted, 1e-14);
            for (int i = 0; i < m * m; i++) {
                next[i] = 0;
                for (int j = 0; j < m; j++)
                    next[i] += power[i / m * m + j] * g[j * m + i % m];
            }
            memcpy(power, next, sizeof next);
        }
    }
}

/* What LAPACK finds in it. */
static void test_singular_values(void **state) {
    (void)state;
    double wanted[COLS], s[COLS], *a = malloc(sizeof(double[ROWS * COLS]));
    assert_non_null(a);
    Scratch scratch = {0};
    falling(wanted, COLS);
    for (uint64_t seed = 0; seed < 3; seed++) {
        assert_int_equal(planted_matrix(ROWS, COLS, wanted, seed, a, NULL),
                         STATUS_OK);
        /* row-major (90, 70) is column-major (70, 90) */
        assert_int_equal(
            linalg_singular_values(COLS, ROWS, a, COLS, s, &scratch, 0, NULL),
            STATUS_OK);
        for (int k = 0; k < COLS; k++)
            near(s[k], wanted[k], 1e-13);
    }
    scratch_release(&scratch);
    free(a);
}

/* No third of the rows or columns holds all the weight, though 64 reflections
 * alone would leave it where the diagonal put it. */
static void test_weight_is_spread(void **state) {
    enum { N = 600 };
    (void)state;
    double *a = malloc(sizeof(double[N * N])), *s = calloc(N, sizeof *s);
    assert_true(a != NULL && s != NULL);
    for (int k = 0; k < N / 3; k++)
        s[k] = 1.0;
    assert_int_equal(planted_matrix(N, N, s, 11, a, NULL), STATUS_OK);
    double rows[3] = {0}, cols[3] = {0};
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double square = a[i * N + j] * a[i * N + j];
            rows[i / (N / 3)] += square;
            cols[j / (N / 3)] += square;
        }
    near(rows[0] + rows[1] + rows[2], N / 3, 1e-12);
    for (int third = 0; third < 3; third++) {
        assert_true(rows[third] > N / 9 * 0.8 && rows[third] < N / 9 * 1.2);
        assert_true(cols[third] > N / 9 * 0.8 && cols[third] < N / 9 * 1.2);
    }
    free(s);
    free(a);
}

/* The same on every machine and at every level of optimisation. */
static void test_bytes(void **state) {
    static const uint64_t TALL = 0x529798BBFC7F1566U;
    static const uint64_t WIDE = 0x449A8C4347C73E0FU;
    (void)state;
    double s[COLS], *a = malloc(sizeof(double[ROWS * COLS]));
    assert_non_null(a);
    falling(s, COLS);
    assert_int_equal(planted_matrix(ROWS, COLS, s, 1, a, NULL), STATUS_OK);
    assert_true(checksum(a, sizeof(double[ROWS * COLS])) == TALL);
    assert_int_equal(planted_matrix(COLS, ROWS, s, 1, a, NULL), STATUS_OK);
    assert_true(checksum(a, sizeof(double[ROWS * COLS])) == WIDE);
    assert_int_equal(planted_matrix(COLS, ROWS, s, 2, a, NULL), STATUS_OK);
    assert_false(checksum(a, sizeof(double[ROWS * COLS])) == WIDE);
    free(a);
}

static void test_small(void **state) {
    (void)state;
    double a[3] = {7, 7, 7}, s = 2.5;
    /* one reflection a side, I - 2: the sign goes twice */
    assert_int_equal(planted_matrix(1, 1, &s, 9, a, NULL), STATUS_OK);
    near(a[0], 2.5, 1e-15);
    assert_int_equal(planted_matrix(1, 3, &s, 9, a, NULL), STATUS_OK);
    near(sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]), 2.5, 1e-15);
    a[0] = 7;
    assert_int_equal(planted_matrix(0, 3, NULL, 9, a, NULL), STATUS_OK);
    assert_int_equal(planted_matrix(3, 0, NULL, 9, a, NULL), STATUS_OK);
    assert_true(a[0] == 7);
}

static void test_messages(void **state) {
    (void)state;
    double a[4] = {1, 2, 3, 4}, s[] = {1.0, strtod("inf", NULL)};
    Err err;
    assert_int_equal(planted_matrix(2, 2, s, 0, a, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message, "singular value 2 of 2 is inf, expected a "
                                     "finite number");
    assert_true(a[0] == 1 && a[3] == 4);
    assert_int_equal(planted_matrix(1ULL << 62, 4, s, 0, a, &err),
                     STATUS_ARGUMENT);
    assert_string_equal(err.message, "a matrix of 4611686018427387904 x 4 is "
                                     "more than memory can hold");
}

static void test_no_memory(void **state) {
    (void)state;
    double a[6] = {1, 2, 3, 4, 5, 6}, s[] = {2.0, 1.0};
    for (long n = 1; n <= 2; n++) {
        Err err;
        fail_alloc_at(n);
        assert_int_equal(planted_matrix(2, 3, s, 0, a, &err), STATUS_NOMEM);
        fail_alloc_at(0);
        assert_string_equal(err.message, "not enough memory for 5 x 8 bytes");
        assert_true(a[0] == 1 && a[5] == 6);
    }
    fail_alloc_at(3);
    assert_int_equal(planted_matrix(2, 3, s, 0, a, NULL), STATUS_OK);
    assert_false(fail_alloc_hit());
    fail_alloc_at(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traces),
        cmocka_unit_test(test_singular_values),
        cmocka_unit_test(test_weight_is_spread),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
