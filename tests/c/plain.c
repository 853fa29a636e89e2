#include "plain.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "oracle.h"

double *numbers(size_t n, uint64_t seed) {
    double *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    oracle_fill(x, n, &seed);
    return x;
}

double at(const double *a, int lda, bool transpose, int i, int j) {
    return transpose ? a[(size_t)i * (size_t)lda + (size_t)j]
                     : a[(size_t)j * (size_t)lda + (size_t)i];
}

void plain_multiply(bool ta, bool tb, int m, int n, int k, const double *a,
                    int lda, const double *b, int ldb, double beta, double *c,
                    int ldc) {
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double *x = c + (size_t)j * (size_t)ldc + (size_t)i, sum = 0;
            for (int l = 0; l < k; l++)
                sum += at(a, lda, ta, i, l) * at(b, ldb, tb, l, j);
            *x = sum + beta * *x;
        }
}

void is_near(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.17g is not %.17g, off by %g", got, want, got - want);
}

void all_near(const double *got, const double *want, size_t n,
              double tolerance) {
    for (size_t i = 0; i < n; i++)
        is_near(got[i], want[i], tolerance);
}

void is_ok(Status status, const Err *err) {
    if (status != STATUS_OK)
        fail_msg("status %d: %s", (int)status, err->message);
}
