/* Band to tridiagonal: the choice among the vector codes, and the one that
 * needs no processor of its own. */
#include "reduce_chase.h"

enum { LANES = 2 };
typedef double Vec __attribute__((vector_size(16), may_alias));

static inline __attribute__((always_inline)) Vec spread(double x) {
    return (Vec){x, x};
}

static inline __attribute__((always_inline)) Vec fused(Vec a, Vec b, Vec c) {
    return a * b + c;
}

static inline __attribute__((always_inline)) void sum_each(const Vec *x,
                                                           double *out) {
    for (int i = 0; i < 4; i++)
        out[i] = x[i][0] + x[i][1];
}

#define CHASE reduce_chase_portable
#include "reduce_kernel.h"

Chase *reduce_chase(ReducePath path) {
    Chase *avx2 = NULL, *avx512 = NULL;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        avx2 = reduce_chase_avx2;
    if (__builtin_cpu_supports("avx512f"))
        avx512 = reduce_chase_avx512;
#endif
    switch (path) {
    case REDUCE_PORTABLE:
        return reduce_chase_portable;
    case REDUCE_AVX2:
        return avx2;
    case REDUCE_AVX512:
        return avx512;
    case REDUCE_BEST:
        break;
    }
    return avx512 != NULL ? avx512
           : avx2 != NULL ? avx2
                          : reduce_chase_portable;
}
