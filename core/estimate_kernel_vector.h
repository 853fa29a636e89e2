/* The kernels' faces for one set of vector instructions each; empty where the
 * processor is of another kind. */
#ifndef WEFT_ESTIMATE_KERNEL_VECTOR_H
#define WEFT_ESTIMATE_KERNEL_VECTOR_H

#include "estimate_kernel.h"

#if defined(__x86_64__)
#define KERNEL_VECTOR 1

/* Vectors `first` to first+7 of the block. */
void kernel_forward_avx2(const KernelBlock *block, size_t first);
void kernel_back_avx2(const KernelBlock *block, size_t first);
/* All of a block of width 16. */
void kernel_forward_avx512(const KernelBlock *block);
void kernel_back_avx512(const KernelBlock *block);
/* n (a multiple of 8) doubles to F16. */
void kernel_pack_half_avx2(const double *x, size_t n, uint16_t *out);

#endif
#endif
