/* Values of tensors: conversion, copies by panels, non-finite numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stored.h"
#include "tensor.h"

static Tensor zeros(Dtype dtype, int axes, const int64_t *shape) {
    Tensor t;
    assert_int_equal(tensor_create(&t, dtype, axes, shape, NULL), STATUS_OK);
    return t;
}

static Tensor stored_tensor(const Stored *s, int axes, const int64_t *shape) {
    Source *source = stored_source(s);
    Tensor t;
    assert_int_equal(tensor_from_source(&t, source, axes, shape, NULL),
                     STATUS_OK);
    source_release(source);
    return t;
}

static void expect_error(Status got, Status status, const Err *err,
                         const char *message) {
    assert_int_equal(got, status);
    assert_int_equal(err->status, status);
    assert_string_equal(err->message, message);
}

static void test_convert(void **state) {
    Err err;
    Tensor out, t = zeros(DTYPE_F64, 2, (int64_t[]){2, 3});
    double *x = tensor_data(&t);
    (void)state;
    memcpy(x, (double[]){-2.9, 0.1, 9007199254740993.0, -0x1p63, 2.9, 1e300},
           6 * sizeof *x);
    expect_error(tensor_copy(&out, &t, DTYPE_I64, &err), STATUS_ARGUMENT, &err,
                 "element [2, 3] is 1.0000000000000001e+300: expected a number "
                 "in the range of I64");
    x[4] = -NAN;
    expect_error(tensor_copy(&out, &t, DTYPE_I64, &err), STATUS_ARGUMENT, &err,
                 "element [2, 2] is nan: expected a number in the range of "
                 "I64");
    x[4] = 0x1p63;
    expect_error(tensor_copy(&out, &t, DTYPE_I64, &err), STATUS_ARGUMENT, &err,
                 "element [2, 2] is 9.2233720368547758e+18: expected a number "
                 "in the range of I64");
    x[4] = 2.9;
    assert_int_equal(tensor_copy(&out, &t, DTYPE_F32, &err), STATUS_OK);
    const float *f = tensor_data(&out);
    assert_true(f[1] == 0.1f && f[5] == INFINITY);
    tensor_release(&out);
    x[5] = -0.5;
    assert_int_equal(tensor_copy(&out, &t, DTYPE_I64, &err), STATUS_OK);
    const int64_t *n = tensor_data(&out);
    assert_true(n[0] == -2 && n[1] == 0 && n[2] == INT64_C(9007199254740992));
    assert_true(n[3] == INT64_MIN && n[4] == 2 && n[5] == 0);
    expect_error(tensor_set(&out, (int64_t[]){1, 0}, INFINITY, &err),
                 STATUS_ARGUMENT, &err,
                 "element [2, 1] is inf: expected a number in the range of "
                 "I64");
    tensor_release(&out);
    tensor_release(&t);
}

/* An i64 goes to i64 whole, and to f32 with one rounding. */
static void test_wide_integers(void **state) {
    const int64_t wide = (INT64_C(1) << 60) + (INT64_C(1) << 36) + 1;
    Tensor out, t = zeros(DTYPE_I64, 1, (int64_t[]){2});
    (void)state;
    ((int64_t *)tensor_data(&t))[1] = wide;
    assert_int_equal(tensor_copy(&out, &t, DTYPE_I64, NULL), STATUS_OK);
    assert_true(((int64_t *)tensor_data(&out))[1] == wide);
    tensor_release(&out);
    assert_int_equal(tensor_copy(&out, &t, DTYPE_F32, NULL), STATUS_OK);
    assert_true(((float *)tensor_data(&out))[1] == 0x1.000002p60f);
    tensor_release(&out);
    tensor_release(&t);
}

/* Panels of a file's matrix, both ways round, one row, and its refusal. */
static void test_copy_large(void **state) {
    static const struct {
        int64_t rows, cols;
    } LIST[] = {{500, 700}, {1, 400000}, {3, 200000}};
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        Stored s;
        int64_t rows = LIST[k].rows, cols = LIST[k].cols;
        stored_make(&s, DTYPE_F32, (uint64_t)rows, (uint64_t)cols);
        Tensor t = stored_tensor(&s, 2, (int64_t[]){rows, cols}), turned, a, b;
        assert_int_equal(tensor_transpose(&turned, &t, NULL), STATUS_OK);
        assert_int_equal(tensor_copy(&a, &t, DTYPE_I64, NULL), STATUS_OK);
        assert_int_equal(tensor_copy(&b, &turned, DTYPE_F32, NULL), STATUS_OK);
        const int64_t *x = tensor_data(&a);
        const float *y = tensor_data(&b);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < cols; j++)
                if ((double)x[i * cols + j] != s.truth[i * cols + j] ||
                    (double)y[j * rows + i] != s.truth[i * cols + j])
                    fail_msg("(%d, %d)", (int)i, (int)j);
        tensor_release(&a);
        tensor_release(&b);
        tensor_release(&turned);
        tensor_release(&t);
        stored_end(&s);
    }
}

static void test_refuse_in_file(void **state) {
    Err err;
    Stored s;
    Tensor out;
    (void)state;
    stored_make(&s, DTYPE_F32, 600, 400);
    memcpy(s.raw + (599 * 400 + 2) * 4, &(float){INFINITY}, 4);
    file_release(s.file);
    stored_open(&s);
    Tensor t = stored_tensor(&s, 3, (int64_t[]){2, 300, 400});
    expect_error(tensor_copy(&out, &t, DTYPE_I64, &err), STATUS_ARGUMENT, &err,
                 "element [2, 300, 3] is inf: expected a number in the range "
                 "of I64");
    tensor_release(&t);
    stored_end(&s);
}

static void test_nonfinite(void **state) {
    Tensor turned, t = zeros(DTYPE_F32, 2, (int64_t[]){70, 300});
    float *x = tensor_data(&t);
    double *y = calloc(70 * 300, sizeof *y);
    NonFinite bad = {0, 0, 0};
    (void)state;
    assert_non_null(y);
    x[40 * 300 + 3] = NAN;
    x[20 * 300 + 299] = -INFINITY;
    x[21 * 300 + 1] = INFINITY;
    assert_int_equal(
        tensor_read(&t, 10, 60, 1, 299, y, 299, &bad, NULL, 0, NULL),
        STATUS_OK);
    assert_true(bad.count == 3 && bad.row == 20 && bad.col == 299);
    assert_int_equal(tensor_transpose(&turned, &t, NULL), STATUS_OK);
    bad = (NonFinite){0, 0, 0};
    assert_int_equal(
        tensor_read(&turned, 2, 298, 0, 70, y, 70, &bad, NULL, 0, NULL),
        STATUS_OK);
    assert_true(bad.count == 2 && bad.row == 3 && bad.col == 40);
    tensor_release(&turned);
    tensor_release(&t);
    free(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convert),
        cmocka_unit_test(test_wide_integers),
        cmocka_unit_test(test_copy_large),
        cmocka_unit_test(test_refuse_in_file),
        cmocka_unit_test(test_nonfinite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
