/* One-sided Jacobi: slow, simple, and nothing of LAPACK's. */
#include "oracle.h"

#include <math.h>
#include <stdlib.h>

double oracle_uniform(uint64_t *state) {
    uint64_t x = *state += 0x9e3779b97f4a7c15U; /* splitmix64 */
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    x ^= x >> 31;
    return (double)(x >> 11) * 0x1p-52 - 1;
}

void oracle_fill(double *x, size_t n, uint64_t *state) {
    for (size_t i = 0; i < n; i++)
        x[i] = oracle_uniform(state);
}

static long double dot(const long double *x, const long double *y, size_t n) {
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Makes two columns orthogonal; whether they were not. */
static int rotate(long double *x, long double *y, size_t n) {
    long double xx = dot(x, x, n), yy = dot(y, y, n), xy = dot(x, y, n);
    if (xy == 0 || fabsl(xy) <= 1e-19L * sqrtl(xx) * sqrtl(yy))
        return 0;
    long double zeta = (yy - xx) / (2 * xy);
    long double t = copysignl(1, zeta) / (fabsl(zeta) + hypotl(1, zeta));
    long double c = 1 / hypotl(1, t), s = c * t;
    for (size_t i = 0; i < n; i++) {
        long double old = x[i];
        x[i] = c * old - s * y[i];
        y[i] = s * old + c * y[i];
    }
    return 1;
}

static int falling(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;
    return (a < b) - (a > b);
}

void oracle_singular_values(size_t rows, size_t cols, const double *a,
                            double *s) {
    size_t n = rows < cols ? rows : cols, m = rows < cols ? cols : rows;
    long double *z = malloc(n * m * sizeof *z + 1);
    if (z == NULL)
        abort();
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < m; i++)
            z[j * m + i] = rows < cols ? a[j * cols + i] : a[i * cols + j];
    int turned = 1;
    for (int sweep = 0; turned && sweep < 60; sweep++) {
        turned = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t j = i + 1; j < n; j++)
                turned |= rotate(z + i * m, z + j * m, m);
    }
    for (size_t j = 0; j < n; j++)
        s[j] = (double)sqrtl(dot(z + j * m, z + j * m, m));
    qsort(s, n, sizeof *s, falling);
    free(z);
}

double oracle_effective_rank(const double *s, size_t n) {
    long double sum = 0, h = 0;
    for (size_t i = 0; i < n; i++)
        sum += s[i];
    for (size_t i = 0; i < n; i++)
        if (s[i] > 0)
            h -= s[i] / sum * logl(s[i] / sum);
    return (double)expl(h);
}

double oracle_distance(const double *x, const double *y, size_t n) {
    double most = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        double gap = fabs(x[i] - y[i]);
        if (!(gap <= most))
            most = isnan(gap) ? INFINITY : gap;
        size = fmax(size, fabs(y[i]));
    }
    return most == 0 ? 0 : most / size;
}
