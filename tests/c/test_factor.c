/* Factors that are stacks and products: what is read is what the blocks say,
 * and kernels of them are kernels of the same values in one matrix. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "factors.h"
#include "fail_alloc.h"
#include "oracle.h"

/* A product over more rows than one panel holds, on a plain block. */
enum { K1 = 5, K2 = 3, R = 150, D = 21, K = K1 + K2 };

static Tensor random_matrix(int64_t rows, int64_t cols, uint64_t seed) {
    Tensor tensor;
    int64_t shape[2] = {rows, cols};
    assert_int_equal(tensor_create(&tensor, DTYPE_F64, 2, shape, NULL),
                     STATUS_OK);
    oracle_fill(tensor_data(&tensor), (size_t)(rows * cols), &seed);
    return tensor;
}

/* Two blocks and what they come to, row by row. */
typedef struct Stack {
    Tensor x, y, z, whole;
    Factor *factor;
} Stack;

static void open_stack(Stack *stack, uint64_t seed) {
    stack->x = random_matrix(K1, R, seed);
    stack->y = random_matrix(R, D, seed + 1);
    stack->z = random_matrix(K2, D, seed + 2);
    stack->whole = random_matrix(K, D, seed);
    double *x = tensor_data(&stack->x), *y = tensor_data(&stack->y);
    double *m = tensor_data(&stack->whole);
    for (int i = 0; i < K1; i++)
        for (int j = 0; j < D; j++) {
            double sum = 0;
            for (int l = 0; l < R; l++)
                sum += x[i * R + l] * y[l * D + j];
            m[i * D + j] = sum;
        }
    memcpy(m + K1 * D, tensor_data(&stack->z), K2 * D * sizeof *m);
    assert_int_equal(factor_create(&stack->factor, 2, NULL), STATUS_OK);
    assert_int_equal(factor_add(stack->factor, &stack->x, &stack->y, NULL),
                     STATUS_OK);
    assert_int_equal(factor_add(stack->factor, &stack->z, NULL, NULL),
                     STATUS_OK);
    assert_true(stack->factor->k == K && stack->factor->d == D);
}

static void close_stack(Stack *stack) {
    tensor_release(&stack->x);
    tensor_release(&stack->y);
    tensor_release(&stack->z);
    tensor_release(&stack->whole);
    factor_release(stack->factor);
}

static void test_read(void **state) {
    (void)state;
    Stack stack;
    Scratch scratch = {0};
    double got[K * D], *want;
    int exponent = 7;
    open_stack(&stack, 11);
    want = tensor_data(&stack.whole);
    assert_int_equal(
        factor_read(stack.factor, got, &exponent, &scratch, 3, NULL),
        STATUS_OK);
    assert_int_equal(exponent, 0);
    for (int i = 0; i < K * D; i++)
        assert_true(fabs(got[i] - want[i]) <= 1e-13 * R);
    assert_memory_equal(got + K1 * D, want + K1 * D, K2 * D * sizeof *got);
    assert_true(factor_cost(stack.factor) == 2.0 * K1 * R * D);
    assert_true(factor_product(K1, R, D) == 2.0 * K1 * R * D);
    scratch_release(&scratch);
    close_stack(&stack);
}

static void test_kernel(void **state) {
    (void)state;
    enum { ALL = KERNEL_SINGULAR | KERNEL_EIGEN | KERNEL_SHAPE };
    Stack a, b;
    Scratch scratch = {0};
    double s[2][K], re[2][K], im[2][K], u[D], v[D], first;
    KernelResult got[2] = {{.s = s[0], .re = re[0], .im = im[0]},
                           {.s = s[1], .re = re[1], .im = im[1]}};
    Status status[2];
    Err err[2];
    const Tensor *left = &a.whole;
    open_stack(&a, 21);
    open_stack(&b, 31);
    const Factor *both[2] = {a.factor, a.factor};
    assert_int_equal(kernel_values(both, 1, b.factor, ALL, &got[0], &status[0],
                                   &err[0], &scratch, NULL, NULL),
                     STATUS_OK);
    assert_int_equal(kernel_values_of(&left, 1, &b.whole, ALL, &got[1],
                                      &status[1], &err[1], &scratch, NULL,
                                      NULL),
                     STATUS_OK);
    for (int i = 0; i < K; i++) {
        assert_true(fabs(s[0][i] - s[1][i]) <= 1e-12 * s[1][0]);
        assert_true(fabs(re[0][i] - re[1][i]) <= 1e-11 * s[1][0]);
        assert_true(fabs(im[0][i] - im[1][i]) <= 1e-11 * s[1][0]);
    }
    assert_true(fabs(got[0].norm - got[1].norm) <= 1e-13 * got[1].norm);
    assert_true(fabs(got[0].asymmetry - got[1].asymmetry) <= 1e-13);
    assert_int_equal(
        kernel_svd(a.factor, b.factor, 1, u, &first, v, &scratch, NULL),
        STATUS_OK);
    assert_true(fabs(first - s[1][0]) <= 1e-12 * first);
    /* a kernel with itself is symmetric: the factor is read a second time */
    assert_int_equal(kernel_values(both, 2, a.factor, ALL, got, status, err,
                                   &scratch, NULL, NULL),
                     STATUS_OK);
    assert_true(got[0].asymmetry < 1e-14 && got[1].asymmetry < 1e-14);
    scratch_release(&scratch);
    close_stack(&a);
    close_stack(&b);
}

/* Far from 1 the values come with a power of two taken out. */
static void test_scale(void **state) {
    (void)state;
    Stack stack;
    Scratch scratch = {0};
    Err err;
    double got[K * D];
    int exponent = 0;
    open_stack(&stack, 41);
    double *x = tensor_data(&stack.x), *y = tensor_data(&stack.y);
    for (int i = 0; i < K1 * R; i++)
        x[i] = ldexp(x[i], 300);
    assert_int_equal(
        factor_read(stack.factor, got, &exponent, &scratch, 0, &err),
        STATUS_OK);
    assert_true(exponent > 290 && fabs(got[0]) <= 1);
    double want = ((double *)tensor_data(&stack.whole))[0];
    assert_true(fabs(ldexp(got[0], exponent - 300) - want) <= 1e-13 * R);
    for (int i = 0; i < R * D; i++)
        y[i] = ldexp(y[i], 900);
    assert_int_equal(
        factor_read(stack.factor, got, &exponent, &scratch, 0, &err),
        STATUS_NUMERIC);
    assert_string_equal(err.message,
                        "a value of a factor is over float64's range");
    y[100 * D + 4] = NAN;
    assert_int_equal(
        factor_read(stack.factor, got, &exponent, &scratch, 0, &err),
        STATUS_NONFINITE);
    assert_string_equal(err.message,
                        "1 non-finite value, at row 101, column 5");
    scratch_release(&scratch);
    close_stack(&stack);
}

static void test_shapes(void **state) {
    (void)state;
    Tensor a = random_matrix(2, 3, 1), b = random_matrix(3, 4, 2), cube;
    int64_t shape[3] = {1, 2, 3};
    Factor *factor = NULL, *none = NULL;
    Err err;
    assert_int_equal(tensor_create(&cube, DTYPE_F64, 3, shape, NULL),
                     STATUS_OK);
    assert_int_equal(factor_create(&factor, 2, NULL), STATUS_OK);
    assert_int_equal(factor_add(factor, &b, &a, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message, "[3, 4] and [2, 3] can't be multiplied");
    assert_int_equal(factor_add(factor, &a, &b, &err), STATUS_OK);
    assert_int_equal(factor_add(factor, &a, NULL, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message, "a block of 3 columns under one of 4");
    assert_int_equal(factor_add(factor, &b, NULL, &err), STATUS_OK);
    assert_int_equal(factor_add(factor, &b, NULL, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message, "a factor has room for 2 blocks only");
    assert_int_equal(factor_of(&none, &cube, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "a matrix of 2 axes expected, got [1, 2, 3]");
    assert_null(none);
    assert_true(factor->k == 5 && factor->d == 4);
    assert_ptr_equal(factor_keep(factor), factor);
    factor_release(factor);
    factor_release(factor);
    factor_release(NULL);
    tensor_release(&a);
    tensor_release(&b);
    tensor_release(&cube);
}

/* Nothing to multiply over: zeros. */
static void test_empty(void **state) {
    (void)state;
    Tensor x = random_matrix(2, 0, 1), y = random_matrix(0, 3, 2);
    Factor *factor = NULL;
    Scratch scratch = {0};
    double got[6] = {7, 7, 7, 7, 7, 7};
    int exponent;
    assert_int_equal(factor_create(&factor, 1, NULL), STATUS_OK);
    assert_int_equal(factor_add(factor, &x, &y, NULL), STATUS_OK);
    assert_int_equal(factor_read(factor, got, &exponent, &scratch, 0, NULL),
                     STATUS_OK);
    for (int i = 0; i < 6; i++)
        assert_true(got[i] == 0);
    scratch_release(&scratch);
    factor_release(factor);
    tensor_release(&x);
    tensor_release(&y);
}

static void test_no_memory(void **state) {
    (void)state;
    Stack stack;
    double got[K * D];
    int exponent, n = 1;
    open_stack(&stack, 51);
    for (;; n++) {
        Scratch scratch = {0};
        Factor *factor = NULL;
        Err err;
        fail_alloc_at(n);
        Status status =
            factor_read(stack.factor, got, &exponent, &scratch, 0, &err);
        if (status == STATUS_OK)
            status = factor_of(&factor, &stack.z, &err);
        fail_alloc_at(0);
        factor_release(factor);
        scratch_release(&scratch);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_memory_equal(err.message, "not enough memory", 17);
    }
    assert_true(n > 3);
    close_stack(&stack);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),  cmocka_unit_test(test_kernel),
        cmocka_unit_test(test_scale), cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_empty), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
