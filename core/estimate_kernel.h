/* Products of a block of rows with several vectors at once, by the vector
 * instructions that the processor has.
 *
 * One pass over the block serves all vectors. Elements are widened to float32
 * on the way; sums are float32. On one machine the bytes are always the same;
 * with and without fused multiply-add they differ in the last bits. */
#ifndef WEFT_ESTIMATE_KERNEL_H
#define WEFT_ESTIMATE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "estimate_held.h"

typedef enum KernelLevel {
    KERNEL_PLAIN,
    KERNEL_AVX2,
    KERNEL_AVX512
} KernelLevel;

/* The best that this processor can (AVX2 with F16C and FMA; AVX-512F). */
KernelLevel kernel_level(void);

/* What is widened and multiplied at a time. */
enum { KERNEL_PANEL = 256, KERNEL_WIDTH_MOST = 16 };

typedef struct KernelBlock {
    HeldKind kind;
    const void *a;  /* (rows, ld) row-major; */
    size_t rows;    /* a multiple of HELD_ROWS */
    size_t ld;      /* one of HELD_COLS */
    size_t width;   /* vectors: 8 or 16 */
    const float *x; /* (ld, width): vectors side by side */
    float *y;       /* (rows, width) */
    float *z;       /* (width, ldz): one vector after the other */
    size_t ldz;
} KernelBlock;

/* y = A x. */
void kernel_forward(KernelLevel level, const KernelBlock *block);
/* z += A^T y. */
void kernel_back(KernelLevel level, const KernelBlock *block);

/* n doubles to F16 or float32 (times `scale`, a power of two), rounded once.
 * The largest magnitude of n doubles. */
CHECKED Status kernel_pack_half(const double *x, size_t n, uint16_t *out,
                                Err *err);
void kernel_pack_float(const double *x, size_t n, double scale, float *out);
double kernel_largest(const double *x, size_t n);

#endif
