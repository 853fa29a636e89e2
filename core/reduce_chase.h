/* Inside the reduction: how the band lies in memory, and the second stage in
 * each of its vector codes. */
#ifndef WEFT_REDUCE_CHASE_H
#define WEFT_REDUCE_CHASE_H

#include "reduce.h"

/* Element (i, j), i >= j, of the lower triangle is a[i + j * CHASE_STRIDE],
 * `a` aligned to 64 bytes. The stride is a multiple of the longest vector, so
 * that rows alone decide alignment; it leaves room for the bulges (to i - j =
 * 127), then for a few zeros that rows rounded to whole vectors take along;
 * and it is no power of two, for the cache's sake. Columns past n are zeros. */
enum { CHASE_STRIDE = 2 * REDUCE_BAND + 16 };

/* Doubles that the band of an (n, n) matrix takes. */
static inline size_t chase_room(int n) {
    return (size_t)(CHASE_STRIDE + 1) * (size_t)(n + 2 * REDUCE_BAND);
}

typedef void Chase(int n, double *a);

/* The band becomes tridiagonal. */
Chase reduce_chase_portable, reduce_chase_avx2, reduce_chase_avx512;

/* The code of a path, or NULL where the processor or the build has none. */
Chase *reduce_chase(ReducePath path);

#endif
