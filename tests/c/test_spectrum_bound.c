/* Effective rank, and whether the bound on its error holds: in float64 and in
 * float32, with and without the low end done again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "oracle.h"
#include "spectra.h"

static void test_effective_rank(void **state) {
    (void)state;
    static const double EQUAL[] = {3, 3, 3, 3}, ZEROS[] = {5, 5, 0, 0, 0};
    static const double HUGE_ONES[] = {1e308, 1e308, 1e308};
    static const double TINY[] = {0x1p-1070, 0x1p-1070};
    static const double MIXED[] = {0.5, 0.25, 0.25};
    is_near(spectrum_effective_rank(EQUAL, 4), 4, 2e-15);
    is_near(spectrum_effective_rank(ZEROS, 5), 2, 1e-15);
    is_near(spectrum_effective_rank(HUGE_ONES, 3), 3, 2e-15);
    is_near(spectrum_effective_rank(TINY, 2), 2, 1e-15);
    is_near(spectrum_effective_rank(MIXED, 3), 2 * sqrt(2), 1e-15);
    assert_true(spectrum_effective_rank(EQUAL, 1) == 1);
    assert_true(isnan(spectrum_effective_rank(ZEROS + 2, 3)));
    assert_true(isnan(spectrum_effective_rank(NULL, 0)));
}

/* The formula of the header, by hand: two values 1 and r, unit u. */
static void test_error_formula(void **state) {
    (void)state;
    double s[] = {8, 4}, u = 1e-6, zeros[] = {0, 0};
    double p0 = 2.0 / 3, p1 = 1.0 / 3, h = -p0 * log(p0) - p1 * log(p1);
    double d0 = 1 - sqrt(1 - u), d1 = 0.5 - sqrt(0.25 - u);
    double want = 2 * (fabs(log(p0) + h) * d0 + fabs(log(p1) + h) * d1) / 1.5;
    is_near(spectrum_error(s, 2, u), want, 1e-12);
    assert_true(spectrum_error(zeros, 2, u) == 0);
    assert_true(spectrum_error(NULL, 0, u) == 0);
    s[0] = NAN;
    assert_true(isnan(spectrum_error(s, 2, u)));
    double lost[] = {1, 0}; /* a value of which nothing is known */
    is_near(spectrum_error(lost, 2, 1e-6), 2 * fabs(log(1e-3)) * 1e-3, 1e-5);
}

/* Random spectra of many shapes: the error is within the bound, whatever the
 * method came to be, and a bound above 1e-9 never leaves. */
static void test_bound_holds(void **state) {
    (void)state;
    uint64_t seed = 7;
    int low = 0, direct = 0, gram = 0;
    for (int i = 0; i < 400; i++) {
        int n = 2 + (int)(19 * (1 + oracle_uniform(&seed)));
        int m = n + (int)(20 * (1 + oracle_uniform(&seed)));
        double depth = 12 * (1 + oracle_uniform(&seed)), want[42], s[42];
        double bend = 1 + 4 * (1 + oracle_uniform(&seed));
        double *a = numbers((size_t)(m * n));
        oracle_fill(a, (size_t)(m * n), &seed);
        for (int j = 0; j < n; j++)
            for (int k = 0; k < m; k++)
                a[k * n + j] *= pow(10, -depth * pow((double)j / n, bend));
        SpectrumInfo info = spectrum_of(m, n, a, GRAM, s);
        oracle_singular_values((size_t)m, (size_t)n, a, want);
        double rank = oracle_effective_rank(want, (size_t)n);
        double off = fabs(spectrum_effective_rank(s, (size_t)n) - rank) / rank;
        if (!(off <= info.bound && info.bound <= 1e-9))
            fail_msg("%d x %d, depth %g: off by %g, bound %g", m, n, depth, off,
                     info.bound);
        low += info.low_end;
        direct += info.direct;
        gram += !info.low_end && !info.direct;
        free(a);
    }
    if (low < 10 || direct < 10 || gram < 10) /* each is to be tried */
        fail_msg("%d low, %d direct, %d gram", low, direct, gram);
}

static void test_single(void **state) {
    (void)state;
    uint64_t seed = 8;
    int kept = 0, again = 0;
    for (int i = 0; i < 200; i++) {
        enum { M = 50, N = 30 };
        double depth = 3 * (1 + oracle_uniform(&seed)), a[M * N], s[N], want[N];
        oracle_fill(a, M * N, &seed);
        for (int j = 0; j < M * N; j++)
            a[j] *= pow(10, -depth * (j % N) / N);
        SpectrumInfo info = spectrum_of(M, N, a, SINGLE, s);
        oracle_singular_values(M, N, a, want);
        double rank = oracle_effective_rank(want, N);
        double off = fabs(spectrum_effective_rank(s, N) - rank) / rank;
        if (!(off <= info.bound && info.bound <= (info.single ? 1e-4 : 1e-9)))
            fail_msg("depth %g: off by %g, bound %g", depth, off, info.bound);
        kept += info.single;
        again += !info.single;
    }
    assert_true(kept > 20 && again > 20);
}

/* Squares that float32 cannot hold, and digits that it cannot show. */
static void test_single_gives_way(void **state) {
    (void)state;
    enum { M = 40, N = 24 };
    static const double SCALES[] = {1e-25, 1e25};
    uint64_t seed = 9;
    double a[M * N], s[N], want[N];
    SpectrumWish shown = {SPECTRUM_GRAM, true, true};
    for (int i = 0; i < 2; i++) {
        oracle_fill(a, M * N, &seed);
        for (int j = 0; j < M * N; j++)
            a[j] = (double)(float)(a[j] * SCALES[i]);
        Tensor tensor = matrix_of(M, N, a, DTYPE_F32);
        SpectrumInfo info = values_of(&tensor, SINGLE, s);
        assert_false(info.single);
        oracle_singular_values(M, N, a, want);
        assert_true(oracle_distance(s, want, N) < 1e-13);
        tensor_release(&tensor);
    }
    graded(want, N, 1e-2);
    double *b = planted(M, N, want, 10);
    assert_true(spectrum_of(M, N, b, SINGLE, s).single);
    assert_false(spectrum_of(M, N, b, shown, s).single);
    assert_true(oracle_distance(s, want, N) < 1e-12);
    free(b);
}

static void test_cost(void **state) {
    (void)state;
    assert_true(spectrum_cost(10, 3) == 10 * 9 + 36);
    assert_true(spectrum_cost(3, 10) == spectrum_cost(10, 3));
    assert_true(spectrum_cost(0, 10) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_effective_rank),
        cmocka_unit_test(test_error_formula),
        cmocka_unit_test(test_bound_holds),
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_single_gives_way),
        cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
