/* Singular vectors of kernels against the SVD of the dense matrix. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dense.h"
#include "factors.h"
#include "fail_alloc.h"
#include "linalg.h"
#include "oracle.h"
#include "ratios.h"
#include "spectra.h"

static void is_ok(Status status, const Err *err) {
    if (status != STATUS_OK)
        fail_msg("status %d: %s", (int)status, err->message);
}

static void is_error(Status got, Status want, const Err *err,
                     const char *message) {
    assert_int_equal(got, want);
    assert_string_equal(err->message, message);
}

static void check_kernel(int k, int d, int count, double scale_a,
                         double scale_b) {
    double a[MOST * MOST], b[MOST * MOST], m[MOST * MOST];
    double u[MOST * MOST], s[MOST], v[MOST * MOST];
    double whole_u[MOST * MOST], want[MOST], whole_v[MOST * MOST];
    uint64_t seed = (uint64_t)(k * 41 + d);
    size_t n = (size_t)(k * d);
    oracle_fill(a, n, &seed);
    oracle_fill(b, n, &seed);
    for (size_t i = 0; i < n; i++) {
        a[i] *= scale_a;
        b[i] *= scale_b;
    }
    Tensor left = matrix_of(k, d, a, DTYPE_F64);
    Tensor right = matrix_of(k, d, b, DTYPE_F64), dense;
    Scratch scratch = {0};
    Err err = {.message = ""};
    is_ok(dense_kernel_of(&left, &right, m, &scratch, &err), &err);
    dense = matrix_of(d, d, m, DTYPE_F64);
    is_ok(dense_svd(&dense, whole_u, want, whole_v, &scratch, &err), &err);
    is_ok(svd_of(&left, &right, count, u, s, v, &scratch, &err), &err);
    for (int i = 0; i < count; i++)
        is_near(s[i], want[i], 1e-14 * want[0]);
    check_orthogonal("U", 0, d, count, u);
    check_orthogonal("V", 0, d, count, v);
    if (count == (k < d ? k : d))
        check_product("the kernel", 0, d, d, count, m, u, s, v, true);
    tensor_release(&left);
    tensor_release(&right);
    tensor_release(&dense);
    scratch_release(&scratch);
}

static void test_kernel(void **state) {
    (void)state;
    for (int k = 0; k <= 12; k += 3)
        for (int d = 0; d <= 16; d += 4) {
            int most = k < d ? k : d;
            check_kernel(k, d, most, 1, 1);
            check_kernel(k, d, most / 2, 1, 1);
        }
    check_kernel(30, 40, 5, 1, 1);
    check_kernel(40, 16, 16, 1, 1);
    check_kernel(8, 20, 8, 0x1p600, 0x1p-700);
    check_kernel(8, 20, 8, 0x1p-300, 0x1p-300);
    check_kernel(8, 20, 8, 0x1p-1040, 0x1p1000);
}

static void test_kernel_refused(void **state) {
    (void)state;
    double x[16] = {1, 2, 3, 4, 5, 6}, s[4];
    Tensor a = matrix_of(2, 3, x, DTYPE_F64), b = matrix_of(3, 2, x, DTYPE_F64);
    x[4] = INFINITY;
    Tensor bad = matrix_of(2, 3, x, DTYPE_F64);
    x[4] = 0x1p1000;
    Tensor huge = matrix_of(2, 3, x, DTYPE_F64);
    Scratch scratch = {0};
    Err err;
    is_error(svd_of(&a, &b, 2, x, s, x, &scratch, &err), STATUS_ARGUMENT, &err,
             "a kernel's factors are [2, 3] and [3, 2]: two matrices of one "
             "shape are wanted");
    is_error(svd_of(&a, &a, 3, x, s, x, &scratch, &err), STATUS_ARGUMENT, &err,
             "3 singular triples: expected 0 to 2");
    is_error(svd_of(&a, &bad, 2, x, s, x, &scratch, &err), STATUS_NONFINITE,
             &err, "1 non-finite value, at row 2, column 2");
    is_error(svd_of(&huge, &huge, 2, x, s, x, &scratch, &err), STATUS_NUMERIC,
             &err, "a value of the kernel is over float64's range");
    tensor_release(&a);
    tensor_release(&b);
    tensor_release(&bad);
    tensor_release(&huge);
    scratch_release(&scratch);
}

static void test_no_memory(void **state) {
    (void)state;
    double a[24], u[24], s[4], v[24];
    uint64_t seed = 3;
    long n = 1;
    oracle_fill(a, 24, &seed);
    Tensor factor = matrix_of(4, 6, a, DTYPE_F64);
    for (;; n++) {
        Scratch scratch = {0};
        Err err;
        fail_alloc_at(n);
        Status status = svd_of(&factor, &factor, 4, u, s, v, &scratch, &err);
        int hit = fail_alloc_hit();
        fail_alloc_at(0);
        scratch_release(&scratch);
        if (status == STATUS_OK && !hit)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_non_null(strstr(err.message, "not enough memory"));
    }
    assert_true(n > 5);
    tensor_release(&factor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel),
        cmocka_unit_test(test_kernel_refused),
        cmocka_unit_test(test_no_memory),
    };
    (void)linalg_single_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
