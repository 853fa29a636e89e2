/* Spectra against 40-digit numbers, long double, identities and planted ones.
 *
 * tests/golden/linalg/spectra.bin holds, for each row of GOLDEN, the matrix
 * (float64, row-major), its singular values (mpmath's svd_r at 60 digits, those
 * below 1e-50 written as 0) and its effective rank. */
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
#include "oracle.h"
#include "spectra.h"

static const struct {
    const char *name;
    int rows, cols;
} GOLDEN[] = {
    {"normal, tall", 24, 17},
    {"normal, wide", 9, 31},
    {"square", 12, 12},
    {"graded columns", 20, 14},
    {"graded both ways", 11, 16},
    {"hilbert", 10, 10},
    {"ones", 7, 5},
    {"rank 2", 13, 8},
    {"zero columns", 18, 10},
    {"row", 1, 19},
    {"column", 23, 1},
    {"one", 1, 1},
};

static void is_falling(const double *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        assert_true(s[i] >= 0 && isfinite(s[i]));
        assert_true(i == 0 || s[i] <= s[i - 1]);
    }
}

static void test_golden(void **state) {
    (void)state;
    FILE *file = fopen("tests/golden/linalg/spectra.bin", "rb");
    assert_non_null(file);
    for (size_t i = 0; i < sizeof GOLDEN / sizeof *GOLDEN; i++) {
        int rows = GOLDEN[i].rows, cols = GOLDEN[i].cols;
        size_t area = (size_t)(rows * cols);
        size_t n = (size_t)(rows < cols ? rows : cols);
        double a[512], want[32], rank, s[32];
        assert_int_equal(fread(a, sizeof *a, area, file), area);
        assert_int_equal(fread(want, sizeof *want, n, file), n);
        assert_int_equal(fread(&rank, sizeof rank, 1, file), 1);
        for (int way = 0; way < 3; way++) {
            SpectrumWish wish = way == 0 ? GRAM : way == 1 ? SHOWN : DIRECT;
            SpectrumInfo info = spectrum_of(rows, cols, a, wish, s);
            is_falling(s, n);
            double off = oracle_distance(s, want, n);
            if (off > (way == 0 ? 1e-8 : 2e-15))
                fail_msg("%s, way %d: off by %g", GOLDEN[i].name, way, off);
            is_near(spectrum_effective_rank(s, n), rank, info.bound * rank);
        }
        if (strcmp(GOLDEN[i].name, "zero columns") == 0)
            assert_true(s[6] > 0 && s[7] == 0 && s[8] == 0 && s[9] == 0);
    }
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
}

/* All shapes up to 40: Gram against direct, and the sum of squares. */
static void test_shapes(void **state) {
    (void)state;
    uint64_t seed = 1;
    double a[1600], s[40], direct[40], want[40];
    for (int rows = 0; rows <= 40; rows++)
        for (int cols = 0; cols <= 40; cols++) {
            size_t n = (size_t)(rows < cols ? rows : cols);
            double squares = 0, frobenius = 0;
            oracle_fill(a, (size_t)(rows * cols), &seed);
            (void)spectrum_of(rows, cols, a, SHOWN, s);
            SpectrumInfo info = spectrum_of(rows, cols, a, DIRECT, direct);
            assert_true(info.direct == (n > 0));
            is_falling(s, n);
            is_falling(direct, n);
            if (oracle_distance(s, direct, n) > 1e-12)
                fail_msg("%d x %d: off by %g", rows, cols,
                         oracle_distance(s, direct, n));
            for (int i = 0; i < rows * cols; i++)
                frobenius += a[i] * a[i];
            for (size_t i = 0; i < n; i++)
                squares += s[i] * s[i];
            is_near(squares, frobenius, 1e-13 * frobenius);
            if (rows % 5 == 3 && cols % 4 == 1) {
                oracle_singular_values((size_t)rows, (size_t)cols, a, want);
                assert_true(oracle_distance(direct, want, n) < 3e-15);
            }
        }
}

/* A matrix, its transpose, a view of every third row and second column of a
 * larger one, and that one's transpose, have the same values. */
static void test_views(void **state) {
    (void)state;
    enum { ROWS = 700, COLS = 30 };
    uint64_t seed = 2;
    double *a = numbers(ROWS * COLS), s[COLS], want[COLS];
    double *spread = numbers(6 * ROWS * COLS);
    oracle_fill(a, ROWS * COLS, &seed);
    oracle_fill(spread, 6 * ROWS * COLS, &seed);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLS; j++)
            spread[3 * i * 2 * COLS + 2 * j] = a[i * COLS + j];
    SpectrumInfo info = spectrum_of(ROWS, COLS, a, GRAM, want);
    assert_int_equal(info.read, 2 * ROWS * COLS); /* the scale, the values */
    assert_true(info.flops == 700.0 * 900 + 4.0 / 3 * 27000);
    Tensor plain = matrix_of(ROWS, COLS, a, DTYPE_F64), turned, rows, view;
    Tensor larger = matrix_of(3 * ROWS, 2 * COLS, spread, DTYPE_F64), back;
    assert_int_equal(tensor_transpose(&turned, &plain, NULL), STATUS_OK);
    assert_int_equal(tensor_rows(&rows, &larger, 0, ROWS, 3, NULL), STATUS_OK);
    assert_int_equal(tensor_cols(&view, &rows, 0, COLS, 2, NULL), STATUS_OK);
    assert_int_equal(tensor_transpose(&back, &view, NULL), STATUS_OK);
    Tensor *const all[] = {&turned, &view, &back};
    for (size_t i = 0; i < 3; i++)
        for (int way = 0; way < 2; way++) {
            (void)values_of(all[i], way == 0 ? GRAM : DIRECT, s);
            assert_true(oracle_distance(s, want, COLS) < 1e-14);
            if (way == 0) /* read in the same order: the same bits */
                assert_memory_equal(s, want, sizeof s);
        }
    Tensor *const made[] = {&plain, &turned, &larger, &rows, &view, &back};
    for (size_t i = 0; i < 6; i++)
        tensor_release(made[i]);
    free(a);
    free(spread);
}

/* A wide matrix of several panels and its transposed copy. */
static void test_panels(void **state) {
    (void)state;
    enum { N = 12, LONG = 20011 };
    uint64_t seed = 3;
    double *wide = numbers(N * LONG), *tall = numbers(N * LONG);
    double s[N], t[N];
    oracle_fill(wide, N * LONG, &seed);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < LONG; j++)
            tall[j * N + i] = wide[i * LONG + j];
    for (int way = 0; way < 2; way++) {
        (void)spectrum_of(N, LONG, wide, way == 0 ? GRAM : DIRECT, s);
        (void)spectrum_of(LONG, N, tall, way == 0 ? GRAM : DIRECT, t);
        assert_true(oracle_distance(s, t, N) < 1e-14);
    }
    free(wide);
    free(tall);
}

/* Other orthogonal factors, the same values. */
static void test_orthogonal(void **state) {
    (void)state;
    enum { ROWS = 80, COLS = 50 };
    double want[COLS], s[COLS];
    graded(want, COLS, 1e-4);
    for (uint64_t seed = 1; seed <= 4; seed++) {
        double *a = planted(ROWS, COLS, want, seed);
        double rank = oracle_effective_rank(want, COLS);
        SpectrumInfo info = spectrum_of(ROWS, COLS, a, GRAM, s);
        assert_true(oracle_distance(s, want, COLS) < 1e-12);
        is_near(spectrum_effective_rank(s, COLS), rank, info.bound * rank);
        (void)spectrum_of(ROWS, COLS, a, DIRECT, s);
        assert_true(oracle_distance(s, want, COLS) < 3e-15);
        free(a);
    }
}

static void test_special(void **state) {
    (void)state;
    enum { M = 60, N = 45 };
    double *a = numbers(M * N), s[N];
    for (int way = 0; way < 3; way++) {
        SpectrumWish wish = way == 0 ? GRAM : way == 1 ? SINGLE : DIRECT;
        memset(a, 0, M * N * sizeof *a);
        SpectrumInfo info = spectrum_of(M, N, a, wish, s); /* zero */
        for (int i = 0; i < N; i++)
            assert_true(s[i] == 0);
        assert_true(info.bound == 0 && isnan(spectrum_effective_rank(s, N)));
        for (int i = 0; i < N; i++) /* identity over zeros */
            a[i * N + i] = 1;
        (void)spectrum_of(M, N, a, wish, s);
        for (int i = 0; i < N; i++)
            is_near(s[i], 1, 1e-15);
        for (int i = 0; i < M * N; i++) /* ones: rank 1 */
            a[i] = 1;
        (void)spectrum_of(M, N, a, wish, s);
        is_near(s[0], sqrt(M * N), 1e-12);
        assert_true(s[1] < 1e-13 && s[N - 1] >= 0);
        is_near(spectrum_effective_rank(s, N), 1, 1e-12);
    }
    free(a);
}

/* The same values at other magnitudes, as a power of two to the bit. */
static void test_magnitudes(void **state) {
    (void)state;
    enum { M = 33, N = 20 };
    static const int EXPONENTS[] = {-1040, -1000, -500, 400, 1000, 1020};
    uint64_t seed = 4;
    double a[M * N], big[M * N], s[N], want[N];
    oracle_fill(a, M * N, &seed);
    for (int way = 0; way < 2; way++) {
        (void)spectrum_of(M, N, a, way == 0 ? SHOWN : DIRECT, want);
        for (size_t i = 0; i < sizeof EXPONENTS / sizeof *EXPONENTS; i++) {
            int e = EXPONENTS[i];
            for (int j = 0; j < M * N; j++)
                big[j] = ldexp(a[j], e);
            (void)spectrum_of(M, N, big, way == 0 ? SHOWN : DIRECT, s);
            for (int j = 0; j < N; j++) /* subnormals have fewer digits */
                is_near(ldexp(s[j], -e), want[j], e < -1022 ? 1e-7 : 0);
        }
    }
    for (int way = 0; way < 2; way++)
        for (int sign = -1; sign <= 1; sign += 2) {
            double factor = pow(10, sign * 300);
            for (int j = 0; j < M * N; j++)
                big[j] = a[j] * factor;
            (void)spectrum_of(M, N, big, way == 0 ? GRAM : DIRECT, s);
            for (int j = 0; j < N; j++)
                is_near(s[j] / factor, want[j], 1e-13);
        }
}

static void test_overflow(void **state) {
    (void)state;
    double a[400], s[20];
    for (int i = 0; i < 400; i++)
        a[i] = 1e308;
    Tensor tensor = matrix_of(20, 20, a, DTYPE_F64);
    Scratch scratch = {0};
    SpectrumInfo info;
    Err err;
    assert_int_equal(
        spectrum_values(&tensor, &GRAM, s, &info, &scratch, NULL, &err),
        STATUS_NUMERIC);
    assert_string_equal(err.message, "the largest singular value is over "
                                     "1.79769e+308");
    tensor_release(&tensor);
    scratch_release(&scratch);
}

/* 1 .. 1e-12: direct to 1e-15 of s1 whatever the size of the value; by Gram
 * the effective rank to 1e-12, and what is shown to as much as direct. */
static void test_known_graded(void **state) {
    (void)state;
    enum { M = 100, N = 64 };
    double want[N], s[N];
    graded(want, N, 1e-12);
    double *a = planted(M, N, want, 5), rank = oracle_effective_rank(want, N);
    SpectrumInfo info = spectrum_of(M, N, a, DIRECT, s);
    assert_true(info.direct && info.bound < 1e-12);
    assert_true(oracle_distance(s, want, N) < 2e-15);
    info = spectrum_of(M, N, a, GRAM, s);
    is_near(spectrum_effective_rank(s, N), rank, 1e-12 * rank);
    assert_true(info.bound <= 1e-9);
    info = spectrum_of(M, N, a, SHOWN, s);
    assert_true(info.direct);
    assert_true(oracle_distance(s, want, N) < 2e-15);
    free(a);
}

/* A few small values among many: A V2 finds them. */
static void test_low_end(void **state) {
    (void)state;
    enum { M = 400, N = 120, LOW = 9 };
    double want[N], s[N];
    graded(want, N - LOW, 3e-3);
    graded(want + N - LOW, LOW, 1e-2);
    for (int i = N - LOW; i < N; i++)
        want[i] *= 7e-7; /* 7e-7 .. 7e-9 */
    for (int turn = 0; turn < 2; turn++) {
        double *a = planted(turn ? N : M, turn ? M : N, want, 6);
        SpectrumInfo info =
            spectrum_of(turn ? N : M, turn ? M : N, a, SHOWN, s);
        assert_true(info.low_end && !info.direct);
        assert_int_equal(info.read, 3 * M * N);
        is_falling(s, N);
        assert_true(oracle_distance(s, want, N - LOW) < 1e-12);
        for (int i = N - LOW; i < N; i++)
            is_near(s[i], want[i], 1e-15);
        assert_true(info.bound < 1e-11);
        free(a);
    }
    /* zero columns between the others do not shift the eigenvectors */
    enum { GAPS = 7 };
    double *a = planted(M, N, want, 7), *b = numbers(M * (N + GAPS));
    double wide[N + GAPS];
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            b[i * (N + GAPS) + j +
              (j < 20   ? 1
               : j < 70 ? 3
                        : GAPS)] = a[i * N + j];
    SpectrumInfo info = spectrum_of(M, N + GAPS, b, SHOWN, wide);
    assert_true(info.low_end && !info.direct);
    for (int i = 0; i < N + GAPS; i++)
        is_near(wide[i], i < N ? want[i] : 0, i < N ? 1e-12 : 0);
    for (int i = N - LOW; i < N; i++)
        is_near(wide[i], want[i], 1e-15);
    free(a);
    free(b);
}

/* Values that Gram cannot tell from the cut, 1e-5, and sees on both sides of
 * it: those done again are sorted in among those that were not. */
static void test_cluster_at_cut(void **state) {
    (void)state;
    enum { M = 90, N = 60, NEAR = 20 };
    double want[N], s[N];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        graded(want, N - NEAR, 1e-2);
        for (int i = N - NEAR; i < N; i++)
            want[i] = 1e-5 * (1 + 1e-8 * (double)seed);
        want[N - 1] = 1e-6;
        double *a = planted(M, N, want, seed);
        SpectrumInfo info = spectrum_of(M, N, a, SHOWN, s);
        assert_true(info.low_end && !info.direct);
        is_falling(s, N);
        assert_true(oracle_distance(s, want, N) < 2e-11);
        is_near(s[N - 1], want[N - 1], 1e-15);
        free(a);
    }
}

static void is_refused(const Tensor *tensor, const char *message) {
    for (int way = 0; way < 3; way++) {
        SpectrumWish wish = way == 0 ? GRAM : way == 1 ? SINGLE : DIRECT;
        Scratch scratch = {0};
        SpectrumInfo info = {.bound = -1};
        Err err;
        double s[64] = {-1};
        assert_int_equal(
            spectrum_values(tensor, &wish, s, &info, &scratch, NULL, &err),
            STATUS_NONFINITE);
        assert_string_equal(err.message, message);
        assert_true(s[0] == -1 && info.bound == -1);
        scratch_release(&scratch);
    }
}

static void test_nonfinite(void **state) {
    (void)state;
    enum { N = 12, LONG = 20011 };
    double *a = numbers(N * LONG);
    a[2 * N + 7] = NAN;
    a[5 * N] = INFINITY;
    a[19000 * N + 1] = -INFINITY;
    for (int i = 0; i < 2; i++) {
        Tensor tall = matrix_of(LONG, N, a, i ? DTYPE_F32 : DTYPE_F64), turned;
        is_refused(&tall, "3 non-finite values, the first at row 3, column 8");
        assert_int_equal(tensor_transpose(&turned, &tall, NULL), STATUS_OK);
        is_refused(&turned,
                   "3 non-finite values, the first at row 8, column 3");
        tensor_release(&tall);
        tensor_release(&turned);
    }
    memset(a, 0, N * LONG * sizeof *a);
    a[4 * LONG + 3] = NAN; /* the first panel's, but a later row */
    a[3 * LONG + 20000] = NAN;
    Tensor wide = matrix_of(N, LONG, a, DTYPE_F64);
    is_refused(&wide, "2 non-finite values, the first at row 4, column 20001");
    tensor_release(&wide);
    a[3 * LONG + 20000] = 0;
    wide = matrix_of(N, LONG, a, DTYPE_F64);
    is_refused(&wide, "1 non-finite value, at row 5, column 4");
    tensor_release(&wide);
    double all[6] = {NAN, NAN, NAN, NAN, NAN, NAN};
    wide = matrix_of(2, 3, all, DTYPE_F32);
    is_refused(&wide, "6 non-finite values, the first at row 1, column 1");
    tensor_release(&wide);
    free(a);
}

static void test_refusals(void **state) {
    (void)state;
    Scratch scratch = {0};
    SpectrumInfo info;
    Err err;
    double s[4], a[16] = {1};
    volatile int cancel = 1;
    Tensor tensor = matrix_of(4, 4, a, DTYPE_F64), row;
    assert_int_equal(
        spectrum_values(&tensor, &GRAM, s, &info, &scratch, &cancel, &err),
        STATUS_CANCELLED);
    assert_string_equal(err.message, "interrupted");
    assert_int_equal(tensor_pick(&row, &tensor, 0, NULL), STATUS_OK);
    assert_int_equal(
        spectrum_values(&row, &GRAM, s, &info, &scratch, NULL, &err),
        STATUS_ARGUMENT);
    assert_string_equal(err.message, "a tensor of 1 axes has no spectrum: a "
                                     "matrix of 2 is wanted");
    tensor.shape[0] = tensor.shape[1] = 50000; /* refused before it is read */
    assert_int_equal(
        spectrum_values(&tensor, &GRAM, s, &info, &scratch, NULL, &err),
        STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "a matrix of 50000 x 50000 in memory is too large: "
                        "LAPACK takes at most 2147483647 elements");
    tensor.shape[0] = tensor.shape[1] = 4;
    tensor_release(&tensor);
    tensor_release(&row);
    scratch_release(&scratch);
}

/* A buffer that other matrices have filled gives the same bits. */
static void test_reuse(void **state) {
    (void)state;
    enum { M = 90, N = 50 };
    Scratch scratch = {0};
    SpectrumInfo info;
    uint64_t seed = 11;
    double a[M * N], s[N], want[N], ignored[N];
    oracle_fill(a, M * N, &seed);
    Tensor tensor = matrix_of(M, N, a, DTYPE_F64), other;
    (void)values_of(&tensor, GRAM, want);
    assert_int_equal(tensor_rows(&other, &tensor, 3, 40, 2, NULL), STATUS_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            spectrum_values(&tensor, &GRAM, s, &info, &scratch, NULL, NULL),
            STATUS_OK);
        assert_memory_equal(s, want, sizeof s);
        assert_int_equal(spectrum_values(&other, i ? &DIRECT : &SINGLE, ignored,
                                         &info, &scratch, NULL, NULL),
                         STATUS_OK);
    }
    tensor_release(&tensor);
    tensor_release(&other);
    scratch_release(&scratch);
}

/* Every allocation of one call fails in turn; how many there are. */
static int each_failure(const Tensor *tensor, SpectrumWish wish) {
    for (int n = 1;; n++) {
        Scratch scratch = {0};
        SpectrumInfo info;
        Err err;
        double s[64];
        fail_alloc_at(n);
        Status status =
            spectrum_values(tensor, &wish, s, &info, &scratch, NULL, &err);
        fail_alloc_at(0);
        scratch_release(&scratch);
        if (status == STATUS_OK)
            return n - 1;
        assert_int_equal(status, STATUS_NOMEM);
        assert_memory_equal(err.message, "not enough memory", 17);
    }
}

static void test_no_memory(void **state) {
    (void)state;
    enum { M = 70, N = 40 };
    double want[N];
    graded(want, N, 1e-2);
    want[N - 1] = 1e-7;
    double *a = planted(M, N, want, 12);
    Tensor tall = matrix_of(M, N, a, DTYPE_F64), wide;
    assert_int_equal(tensor_transpose(&wide, &tall, NULL), STATUS_OK);
    assert_true(each_failure(&tall, SHOWN) >= 7); /* and its low end */
    assert_true(each_failure(&tall, SINGLE) >= 5);
    assert_true(each_failure(&wide, DIRECT) >= 5);
    tensor_release(&tall);
    tensor_release(&wide);
    free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),         cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_views),          cmocka_unit_test(test_panels),
        cmocka_unit_test(test_orthogonal),     cmocka_unit_test(test_special),
        cmocka_unit_test(test_magnitudes),     cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_known_graded),   cmocka_unit_test(test_low_end),
        cmocka_unit_test(test_cluster_at_cut), cmocka_unit_test(test_nonfinite),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
