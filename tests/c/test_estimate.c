/* Estimates of effective rank and density against what was planted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "estimate.h"
#include "fail_alloc.h"
#include "linalg.h"
#include "spectra.h"

static void is_error(Status got, Status want, const Err *err,
                     const char *message) {
    assert_int_equal(got, want);
    assert_string_equal(err->message, message);
}

static Estimate estimate_of(const Tensor *tensor, uint64_t seed, int threads) {
    EstimateWish wish = {.seed = seed, .threads = threads};
    Estimate out;
    Err err = {.message = ""};
    memset(&out, 0, sizeof out);
    Status status = estimate_matrix(tensor, &wish, &out, NULL, &err);
    if (status != STATUS_OK)
        fail_msg("status %d: %s", (int)status, err.message);
    return out;
}

/* A matrix with the singular values s, its long side down where m > n. */
static Tensor planted_tensor(int rows, int cols, const double *s, Dtype dtype) {
    double *a = planted(rows, cols, s, 11);
    Tensor tensor = matrix_of(rows, cols, a, dtype);
    free(a);
    return tensor;
}

/* Where the interval of 95 % is `slack` times as wide it must hold what was
 * planted; the values add up to the short side. */
static void check_planted(const char *name, int rows, int cols, const double *s,
                          double slack) {
    int n = rows < cols ? rows : cols;
    double exact = spectrum_effective_rank(s, (size_t)n), total = 0, below = 0;
    Tensor tensor = planted_tensor(rows, cols, s, DTYPE_F32);
    Estimate got = estimate_of(&tensor, 5, 2);
    double off = fabs(got.effective_rank / exact - 1);
    if (!(off <= slack * got.half_width))
        fail_msg("%s: %g for %g, off by %.4f, half-width %.4f", name,
                 got.effective_rank, exact, off, got.half_width);
    for (int i = 0; i < ESTIMATE_BINS; i++)
        total += got.weight[i];
    is_near(total, n, 1e-6 * n);
    is_near(got.largest, s[0], 0.02 * s[0]);
    for (int i = 0; i < ESTIMATE_BINS / 2; i++)
        below += got.weight[i];
    int want = 0;
    for (int i = 0; i < n; i++)
        want += s[i] < got.largest / 2;
    is_near(below, want, 0.06 * n);
    tensor_release(&tensor);
}

static void test_planted(void **state) {
    (void)state;
    enum { N = 256, M = 400 };
    double s[N];
    graded(s, N, 1e-2);
    check_planted("graded, tall", M, N, s, 1.5);
    check_planted("graded, wide", N, M, s, 1.5);
    graded(s, N, 1e-4);
    check_planted("steep", N, N, s, 1.5);
    for (int i = 0; i < N; i++)
        s[i] = 1 / sqrt(i + 1);
    check_planted("power", N, N, s, 1.5);
    for (int i = 0; i < N; i++)
        s[i] = i == 0 ? 100 : 1.0 - 0.9 * i / N;
    check_planted("spike", M, N, s, 1.5);
    for (int i = 0; i < N; i++)
        s[i] = i < 12 ? 1.0 - i / 20.0 : 0;
    check_planted("of rank 12", M, N, s, 1.5);
}

/* The recipe's figures: 64 products and two passes of the deflation's, then
 * probes. */
static void test_recipe(void **state) {
    (void)state;
    enum { N = 512 };
    double s[N];
    for (int i = 0; i < N; i++)
        s[i] = 1.0 - 0.9 * i / N;
    Tensor tensor = planted_tensor(N, N, s, DTYPE_F32);
    Estimate got = estimate_of(&tensor, 1, 1);
    assert_int_equal(got.probes % 8, 0);
    assert_in_range(got.probes, 16, 64);
    assert_int_equal(got.steps, 16);
    assert_int_equal(got.products, 64 + got.probes * 16);
    assert_true(got.half_width < 0.015);
    assert_true(got.half_width > got.error * 1.99 + got.step / 1.5);
    assert_true(estimate_cost(N, N) ==
                4.0 * N * N * (24 * 2.5 + 16 * 2 + 16 * 16));
    tensor_release(&tensor);
}

/* The steps double to 128 where the step term stays large. */
static void test_doubling(void **state) {
    (void)state;
    enum { N = 160 };
    double s[N];
    for (int i = 0; i < N; i++)
        s[i] = exp(-9.0 * i / N);
    Tensor tensor = planted_tensor(N, N, s, DTYPE_F64);
    Estimate got = estimate_of(&tensor, 1, 1);
    assert_in_range(got.steps, 32, 128);
    assert_true(got.steps == 128 || got.step / 1.5 <= 0.0075);
    double exact = spectrum_effective_rank(s, N);
    is_near(got.effective_rank, exact, 1.5 * got.half_width * exact);
    tensor_release(&tensor);
}

static void test_same_bytes(void **state) {
    (void)state;
    enum { N = 300, M = 1100 };
    double s[N];
    graded(s, N, 1e-2);
    Tensor tensor = planted_tensor(M, N, s, DTYPE_F64), turned;
    assert_int_equal(tensor_transpose(&turned, &tensor, NULL), STATUS_OK);
    Estimate one = estimate_of(&tensor, 1, 1);
    for (int threads = 2; threads <= 5; threads++) {
        Estimate more = estimate_of(&tensor, 1, threads);
        assert_memory_equal(&one, &more, sizeof one);
    }
    Estimate other = estimate_of(&turned, 1, 2);
    assert_memory_equal(&one, &other, sizeof one);
    other = estimate_of(&tensor, 2, 2);
    assert_true(other.effective_rank != one.effective_rank);
    tensor_release(&turned);
    tensor_release(&tensor);
}

/* Powers of two change nothing but the largest value, even beyond float32. */
static void test_scale(void **state) {
    (void)state;
    enum { N = 130 };
    static const double POWERS[] = {0x1p-30, 0x1p60, 0x1p300, 0x1p-300};
    double s[N], *a;
    graded(s, N, 1e-2);
    Tensor tensor = planted_tensor(N, N, s, DTYPE_F64);
    Estimate one = estimate_of(&tensor, 1, 1);
    a = tensor_data(&tensor);
    for (size_t p = 0; p < sizeof POWERS / sizeof *POWERS; p++) {
        for (int i = 0; i < N * N; i++)
            a[i] *= POWERS[p];
        Estimate got = estimate_of(&tensor, 1, 1);
        for (int i = 0; i < N * N; i++)
            a[i] /= POWERS[p];
        assert_true(got.effective_rank == one.effective_rank);
        assert_true(got.largest == one.largest * POWERS[p]);
    }
    tensor_release(&tensor);
}

static void test_refused(void **state) {
    (void)state;
    enum { N = 200 };
    EstimateWish wish = {.seed = 1, .threads = 2};
    Estimate out = {.probes = 77};
    Err err;
    int64_t shape[3] = {N, 160, 2}, small[2] = {300, 127};
    Tensor tensor;
    assert_int_equal(tensor_create(&tensor, DTYPE_F64, 3, shape, NULL),
                     STATUS_OK);
    is_error(estimate_matrix(&tensor, &wish, &out, NULL, &err), STATUS_ARGUMENT,
             &err,
             "a tensor of shape [200, 160, 2] has no singular values: expected "
             "2 axes");
    tensor_release(&tensor);
    assert_int_equal(tensor_create(&tensor, DTYPE_F64, 2, small, NULL),
                     STATUS_OK);
    is_error(estimate_matrix(&tensor, &wish, &out, NULL, &err), STATUS_ARGUMENT,
             &err,
             "a matrix of shape [300, 127] is too small to estimate: expected "
             "sides of at least 128");
    tensor_release(&tensor);
    assert_int_equal(out.probes, 77);
}

static void test_nonfinite(void **state) {
    (void)state;
    EstimateWish wish = {.seed = 1, .threads = 2};
    Estimate out = {.probes = 77};
    Err err;
    int64_t shape[2] = {160, 1000};
    Tensor tensor, turned;
    assert_int_equal(tensor_create(&tensor, DTYPE_F32, 2, shape, NULL),
                     STATUS_OK);
    float *a = tensor_data(&tensor);
    a[3 * 1000 + 900] = INFINITY;
    a[100 * 1000 + 4] = NAN;
    is_error(estimate_matrix(&tensor, &wish, &out, NULL, &err),
             STATUS_NONFINITE, &err,
             "2 non-finite values, the first at row 4, column 901");
    assert_int_equal(tensor_transpose(&turned, &tensor, NULL), STATUS_OK);
    is_error(estimate_matrix(&turned, &wish, &out, NULL, &err),
             STATUS_NONFINITE, &err,
             "2 non-finite values, the first at row 901, column 4");
    tensor_release(&turned);
    tensor_release(&tensor);
    assert_int_equal(out.probes, 77);
}

static void test_zeros(void **state) {
    (void)state;
    int64_t shape[2] = {140, 150};
    Tensor tensor;
    assert_int_equal(tensor_create(&tensor, DTYPE_F64, 2, shape, NULL),
                     STATUS_OK);
    Estimate got = estimate_of(&tensor, 1, 1);
    assert_true(isnan(got.effective_rank) && isnan(got.half_width));
    assert_true(got.largest == 0 && got.weight[0] == 140);
    tensor_release(&tensor);
}

static void test_cancelled(void **state) {
    (void)state;
    EstimateWish wish = {.seed = 1, .threads = 1};
    Estimate out;
    Err err;
    int cancel = 1;
    int64_t shape[2] = {140, 150};
    Tensor tensor;
    assert_int_equal(tensor_create(&tensor, DTYPE_F32, 2, shape, NULL),
                     STATUS_OK);
    is_error(estimate_matrix(&tensor, &wish, &out, &cancel, &err),
             STATUS_CANCELLED, &err, "interrupted");
    tensor_release(&tensor);
}

static void test_no_memory(void **state) {
    (void)state;
    enum { N = 128, FEWEST = 12 };
    double s[N];
    graded(s, N, 1e-1);
    Tensor tensor = planted_tensor(N, N, s, DTYPE_F64);
    EstimateWish wish = {.seed = 1, .threads = 1};
    Estimate want = estimate_of(&tensor, 1, 1), got;
    int failures = 0;
    for (;; failures++) {
        Err err;
        fail_alloc_at(failures + 1);
        Status status = estimate_matrix(&tensor, &wish, &got, NULL, &err);
        bool hit = fail_alloc_hit();
        fail_alloc_at(0);
        if (!hit)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_memory_equal(err.message, "not enough memory", 17);
    }
    assert_memory_equal(&got, &want, sizeof got);
    assert_true(failures >= FEWEST);
    tensor_release(&tensor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted),   cmocka_unit_test(test_recipe),
        cmocka_unit_test(test_doubling),  cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_scale),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nonfinite), cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_cancelled), cmocka_unit_test(test_no_memory),
    };
    linalg_single_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
