/* Residuals over norm, size and unit roundoff, as LAPACK's own tests take them,
 * of row-major matrices of up to MOST rows and columns. Include after
 * cmocka.h. */
#ifndef WEFT_TEST_RATIOS_H
#define WEFT_TEST_RATIOS_H

#include <math.h>

enum { MOST = 40 };

static const double ULP = 0x1p-52, THRESHOLD = 35;

static inline long double norm_1(const long double *x, int m, int n) {
    long double most = 0;
    for (int j = 0; j < n; j++) {
        long double sum = 0;
        for (int i = 0; i < m; i++)
            sum += fabsl(x[i * n + j]);
        most = sum > most ? sum : most;
    }
    return most;
}

static inline long double norm_of(const double *x, int m, int n) {
    long double wide[MOST * MOST + 1];
    for (int i = 0; i < m * n; i++)
        wide[i] = x[i];
    return norm_1(wide, m, n);
}

static inline void check_ratio(const char *what, int kind, int m, int n,
                               long double residual, long double size) {
    long double ratio = residual == 0 ? 0 : residual / (size * ULP);
    if (!(ratio < THRESHOLD))
        fail_msg("%s of %d x %d, kind %d: ratio %Lg", what, m, n, kind, ratio);
}

/* |A - X diag(d) Y| / (|A| max(m, n) ulp); Y is (k, n), or (n, k) where it is
 * to be transposed; d may be NULL. */
static inline void check_product(const char *what, int kind, int m, int n,
                                 int k, const double *a, const double *x,
                                 const double *d, const double *y,
                                 bool transpose) {
    long double gap[MOST * MOST + 1];
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            long double sum = 0;
            for (int l = 0; l < k; l++)
                sum += (long double)x[i * k + l] * (d == NULL ? 1 : d[l]) *
                       y[transpose ? j * k + l : l * n + j];
            gap[i * n + j] = a[i * n + j] - sum;
        }
    long double size = norm_of(a, m, n) * (m > n ? m : n);
    check_ratio(what, kind, m, n, norm_1(gap, m, n), size == 0 ? 1 : size);
}

/* |I - X^T X| / (m ulp) of X (m, k). */
static inline void check_orthogonal(const char *what, int kind, int m, int k,
                                    const double *x) {
    long double gap[MOST * MOST + 1];
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            long double sum = i == j;
            for (int l = 0; l < m; l++)
                sum -= (long double)x[l * k + i] * x[l * k + j];
            gap[i * k + j] = sum;
        }
    check_ratio(what, kind, m, k, norm_1(gap, k, k), m);
}

#endif
