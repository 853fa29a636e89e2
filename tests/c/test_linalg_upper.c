/* R alone of a thin QR, by Cholesky where that is good enough. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "linalg.h"
#include "oracle.h"

static double *numbers(size_t n, uint64_t seed) {
    double *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    oracle_fill(x, n, &seed);
    return x;
}

static void is_ok(Status status, const Err *err) {
    if (status != STATUS_OK)
        fail_msg("status %d: %s", (int)status, err->message);
}

/* R has the singular values of A, whose columns are one column in common, to
 * which `apart` times random numbers are added. */
static void check_qr_upper(int m, int n, double apart, double tolerance) {
    Scratch scratch = {0};
    Err err;
    size_t size = (size_t)n, rows = (size_t)m, ld = size + 2;
    double *a = numbers(rows * size, 31), *common = numbers(rows, 32);
    double *r = numbers(ld * size, 33), *packed = numbers(size * size, 0);
    double *got = numbers(size, 0), *want = numbers(size, 0);
    for (size_t i = 0; i < rows * size; i++)
        a[i] = apart * a[i] + (apart < 1 ? common[i % rows] : 0);
    oracle_singular_values(size, rows, a, want);
    is_ok(linalg_qr_upper(m, n, a, m, r, n + 2, &scratch, 1, &err), &err);
    for (size_t j = 0; j < size; j++)
        for (size_t i = 0; i < size; i++) {
            assert_true(i <= j || r[j * ld + i] == 0);
            packed[j * size + i] = r[j * ld + i];
        }
    oracle_singular_values(size, size, packed, got);
    if (!(oracle_distance(got, want, size) <= tolerance))
        fail_msg("%d x %d, %g apart: off by %g", m, n, apart,
                 oracle_distance(got, want, size));
    free(a);
    free(common);
    free(r);
    free(packed);
    free(got);
    free(want);
    scratch_release(&scratch);
}

static void test_qr_upper(void **state) {
    (void)state;
    check_qr_upper(1, 1, 1, 3e-15);
    check_qr_upper(60, 20, 1, 3e-15);
    check_qr_upper(60, 20, 0.1, 1e-13);
    check_qr_upper(60, 20, 1e-6, 3e-15); /* Cholesky would lose 6 digits */
    check_qr_upper(60, 20, 1e-9, 3e-15); /* and here have a pivot below zero */
    check_qr_upper(60, 20, 0, 3e-15);
}

/* What is no number stays none, and a zero matrix has a zero R. */
static void test_qr_upper_limits(void **state) {
    (void)state;
    enum { M = 12, N = 4 };
    Scratch scratch = {0};
    Err err;
    double a[M * N] = {0}, r[N * N];
    is_ok(linalg_qr_upper(M, N, a, M, r, N, &scratch, 0, &err), &err);
    for (int i = 0; i < N * N; i++)
        assert_true(r[i] == 0);
    a[3] = NAN;
    is_ok(linalg_qr_upper(M, N, a, M, r, N, &scratch, 0, &err), &err);
    assert_true(isnan(r[0]));
    is_ok(linalg_qr_upper(M, 0, a, M, r, N, &scratch, 0, &err), &err);
    scratch_release(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_qr_upper),
        cmocka_unit_test(test_qr_upper_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
