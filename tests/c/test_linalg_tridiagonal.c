/* Eigenvalues of tridiagonal matrices against known ones and dsyevd's. */
#include <float.h>
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

static void check_near(const char *what, int n, const double *got,
                       const double *want) {
    double off = oracle_distance(got, want, (size_t)n);
    if (!(off <= 2 * (n > 8 ? n : 8) * DBL_EPSILON))
        fail_msg("%s, n = %d: off by %g eps", what, n, off / DBL_EPSILON);
    for (int i = 1; i < n; i++)
        assert_true(got[i - 1] <= got[i]);
}

/* d and e, which are destroyed, against dsyevd. */
static void check(const char *what, int n, double *d, double *e) {
    size_t size = (size_t)n;
    double *full = calloc(size * size + 1, sizeof *full);
    double *want = numbers(size, 0);
    Scratch scratch = {0};
    Err err;
    assert_non_null(full);
    for (size_t i = 0; i < size; i++) {
        full[i * size + i] = d[i];
        if (i + 1 < size)
            full[i * size + i + 1] = e[i];
    }
    if (n > 0)
        is_ok(linalg_symmetric(n, full, false, want, &scratch, 0, &err), &err);
    is_ok(linalg_tridiagonal_values(n, d, e, &err), &err);
    check_near(what, n, d, want);
    free(full);
    free(want);
    scratch_release(&scratch);
}

typedef double Grade(int i, int n);

static double even(int i, int n) {
    (void)i;
    (void)n;
    return 1;
}

static double falling(int i, int n) {
    return pow(10, -16.0 * i / n);
}

static double rising(int i, int n) {
    return falling(n - i, n);
}

/* So steep that products of what is in a row are nothing. */
static double steep(int i, int n) {
    return pow(10, i - n);
}

/* Rows of which only the first half is not hardly anything. */
static double faint(int i, int n) {
    return i < n / 2 ? 1 : 0x1p-465;
}

static double huge(int i, int n) {
    (void)n;
    return i % 3 == 0 ? 0x1p+1000 : 0x1p+990;
}

static double tiny(int i, int n) {
    (void)n;
    return i % 3 == 0 ? 0x1p-1020 : 0x1p-1000;
}

/* Squares of what is off the diagonal are hardly numbers. */
static double apart(int i, int n) {
    (void)n;
    return i % 2 == 0 ? 1 : 0x1p-530;
}

static double in_parts(int i, int n) {
    (void)n;
    return i % 7 == 3 ? 0 : 1;
}

static void test_random(void **state) {
    (void)state;
    static const struct {
        const char *name;
        Grade *grade;
    } GRADES[] = {{"even", even},      {"falling", falling}, {"rising", rising},
                  {"huge", huge},      {"tiny", tiny},       {"apart", apart},
                  {"parts", in_parts}, {"steep", steep},     {"faint", faint}};
    for (size_t k = 0; k < sizeof GRADES / sizeof *GRADES; k++)
        for (int n = 0; n <= 600; n += n < 40 ? 1 : n < 120 ? 16 : 120) {
            double *d = numbers((size_t)n, 41), *e = numbers((size_t)n, 42);
            for (int i = 0; i < n; i++) {
                d[i] *= GRADES[k].grade(i, n);
                e[i] *= GRADES[k].grade(i, n);
            }
            check(GRADES[k].name, n, d, e);
            free(d);
            free(e);
        }
}

/* d constant, e one: 2 cos(k pi / (n + 1)) around it. */
static void test_known(void **state) {
    (void)state;
    enum { N = 700 };
    double d[N], e[N], want[N];
    Err err;
    for (int shift = -1; shift <= 1; shift++) {
        for (int i = 0; i < N; i++) {
            d[i] = 2 * shift;
            e[i] = 1;
            want[i] =
                2 * shift + 2 * cos((N - i) * 3.14159265358979324 / (N + 1));
        }
        is_ok(linalg_tridiagonal_values(N, d, e, &err), &err);
        check_near("second differences", N, d, want);
    }
}

/* Pairs so close that only their last bits differ. */
static void test_wilkinson(void **state) {
    (void)state;
    enum { N = 61 };
    double d[N], e[N];
    for (int i = 0; i < N; i++) {
        d[i] = abs(i - N / 2);
        e[i] = 1;
    }
    check("Wilkinson", N, d, e);
}

static void test_not_finite(void **state) {
    (void)state;
    static const double BAD[] = {NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 6; k++) {
        double d[] = {1, 2, 3, 4}, e[] = {1, 1, 1};
        Err err;
        (k < 3 ? d : e)[2] = BAD[k % 3];
        assert_int_equal(linalg_tridiagonal_values(4, d, e, &err),
                         STATUS_NUMERIC);
        assert_string_equal(err.message,
                            "some eigenvalues of a tridiagonal matrix did not "
                            "converge");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_wilkinson),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
