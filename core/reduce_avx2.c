/* Band to tridiagonal with AVX2 and FMA. */
#include "reduce_chase.h"

#ifdef __x86_64__
#pragma GCC target("avx2,fma")
#include <immintrin.h>

enum { LANES = 4 };
typedef __m256d Vec;

static inline __attribute__((always_inline)) Vec spread(double x) {
    return _mm256_set1_pd(x);
}

static inline __attribute__((always_inline)) Vec fused(Vec a, Vec b, Vec c) {
    return _mm256_fmadd_pd(a, b, c);
}

static inline __attribute__((always_inline)) void sum_each(const Vec *x,
                                                           double *out) {
    __m256d ab = _mm256_hadd_pd(x[0], x[1]), cd = _mm256_hadd_pd(x[2], x[3]);
    _mm256_storeu_pd(out, _mm256_permute2f128_pd(ab, cd, 0x20) +
                              _mm256_permute2f128_pd(ab, cd, 0x31));
}

#define CHASE reduce_chase_avx2
#include "reduce_kernel.h"
#endif
