/* Band to tridiagonal with AVX-512. */
#include "reduce_chase.h"

#ifdef __x86_64__
#pragma GCC target("avx512f")
#include <immintrin.h>

enum { LANES = 8 };
typedef __m512d Vec;

static inline __attribute__((always_inline)) Vec spread(double x) {
    return _mm512_set1_pd(x);
}

static inline __attribute__((always_inline)) Vec fused(Vec a, Vec b, Vec c) {
    return _mm512_fmadd_pd(a, b, c);
}

static inline __attribute__((always_inline)) __m256d halve(Vec a) {
    return _mm512_castpd512_pd256(a) + _mm512_extractf64x4_pd(a, 1);
}

static inline __attribute__((always_inline)) void sum_each(const Vec *x,
                                                           double *out) {
    __m256d ab = _mm256_hadd_pd(halve(x[0]), halve(x[1]));
    __m256d cd = _mm256_hadd_pd(halve(x[2]), halve(x[3]));
    _mm256_storeu_pd(out, _mm256_permute2f128_pd(ab, cd, 0x20) +
                              _mm256_permute2f128_pd(ab, cd, 0x31));
}

#define CHASE reduce_chase_avx512
#include "reduce_kernel.h"
#endif
