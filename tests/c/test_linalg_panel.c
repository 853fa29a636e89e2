/* The routines that a reduction's panels are made of. */
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
#include "plain.h"

/* Both with NaN above G's diagonal, where nothing is to be read. */
static void test_symmetric_products(void **state) {
    (void)state;
    enum { N = 9, K = 4, LD = 11 };
    double *v = numbers(LD * K, 20), *w = numbers(LD * K, 21);
    double *g = numbers(LD * N, 22), full[LD * N], got[LD * K], want[LD * K];
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            full[j * LD + i] = i < j ? g[i * LD + j] : g[j * LD + i];
            if (i < j)
                g[j * LD + i] = NAN;
        }
    memcpy(got, w, sizeof got);
    memcpy(want, w, sizeof want);
    linalg_symmetric_multiply(N, K, g, LD, v, LD, got, LD);
    plain_multiply(false, false, N, K, N, full, LD, v, LD, 0, want, LD);
    all_near(got, want, LD * K, 1e-14);
    linalg_rank_two(N, K, v, LD, w, LD, g, LD);
    for (int k = 0; k < LD * K; k++)
        v[k] = -v[k];
    plain_multiply(false, true, N, N, K, v, LD, w, LD, 1, full, LD);
    plain_multiply(false, true, N, N, K, w, LD, v, LD, 1, full, LD);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            if (i < j)
                assert_true(isnan(g[j * LD + i]));
            else
                is_near(g[j * LD + i], full[j * LD + i], 1e-14);
        }
    free(v);
    free(w);
    free(g);
}

/* A = (I - V T V^T) R, put together again. */
static void check_factors(int m, int n) {
    int k = m < n ? m : n;
    size_t area = (size_t)m * (size_t)n, square = (size_t)k * (size_t)k;
    Err err;
    double *a = numbers(area, 23), *got = numbers(area, 0);
    double *v = calloc((size_t)m * (size_t)k, sizeof *v);
    double *t = numbers(square, 24), *vr = numbers((size_t)(k * n), 0);
    double *work = numbers((size_t)(k * n), 0), *want = numbers(area, 23);
    is_ok(linalg_qr_factors(m, n, a, m, t, work, &err), &err);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++) {
            got[j * m + i] = i <= j ? a[j * m + i] : 0;
            if (j < k && i >= j)
                v[j * m + i] = i == j ? 1 : a[j * m + i];
        }
    plain_multiply(true, false, k, n, m, v, m, got, m, 0, vr, k);
    linalg_triangular(true, false, k, n, t, k, vr, k);
    for (int i = 0; i < k * n; i++)
        vr[i] = -vr[i];
    plain_multiply(false, false, m, n, k, v, m, vr, k, 1, got, m);
    all_near(got, want, area, 1e-14 * m);
    free(a);
    free(got);
    free(v);
    free(t);
    free(vr);
    free(work);
    free(want);
}

static void test_qr_factors(void **state) {
    (void)state;
    check_factors(1, 1);
    check_factors(40, 12);
    check_factors(12, 12);
    check_factors(5, 12);
}

/* to = the n doubles. */
static void narrow(const double *from, size_t n, float *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i];
}

static void float_near(const float *got, const double *want, size_t n) {
    for (size_t i = 0; i < n; i++)
        is_near((double)got[i], want[i], 1e-6 * (10 + fabs(want[i])));
}

/* Each float32 routine against its float64 twin, of the same arguments. */
static void test_float(void **state) {
    (void)state;
    enum { M = 30, K = 12, LD = 33, AREA = LD * M };
    double *g = numbers(AREA, 1), *v = numbers(AREA, 2), *w = numbers(AREA, 3);
    double t[K * K] = {0}, work[K * K];
    float gf[AREA], vf[AREA], wf[AREA], tf[K * K] = {0}, workf[K * K];
    Err err;
    narrow(g, AREA, gf);
    narrow(v, AREA, vf);
    narrow(w, AREA, wf);
    linalg_symmetric_multiply(M, K, g, LD, v, LD, w, LD);
    linalg_symmetric_multiply_float(M, K, gf, LD, vf, LD, wf, LD);
    float_near(wf, w, AREA);
    linalg_rank_two(M, K, v, LD, w, LD, g, LD);
    linalg_rank_two_float(M, K, vf, LD, wf, LD, gf, LD);
    float_near(gf, g, AREA);
    is_ok(linalg_qr_factors(M, K, v, LD, t, work, &err), &err);
    is_ok(linalg_qr_factors_float(M, K, vf, LD, tf, workf, &err), &err);
    float_near(vf, v, AREA);
    for (int j = 0; j < K; j++)
        float_near(tf + j * K, t + j * K, (size_t)j + 1);
    for (int way = 0; way < 4; way++) {
        bool one = way % 2 != 0, two = way / 2 != 0;
        linalg_triangular(one, two, K, K, t, K, w, LD);
        linalg_triangular_float(one, two, K, K, tf, K, wf, LD);
        linalg_multiply(one, two, K, K, K, v, LD, w, LD, 0.5, g, LD);
        linalg_multiply_float(one, two, K, K, K, vf, LD, wf, LD, 0.5F, gf, LD);
    }
    float_near(wf, w, AREA);
    float_near(gf, g, AREA);
    free(g);
    free(v);
    free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symmetric_products),
        cmocka_unit_test(test_qr_factors),
        cmocka_unit_test(test_float),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
