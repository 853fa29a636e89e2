/* Matrices with known singular values, the same bytes on every machine. */
#ifndef WEFT_PLANTED_H
#define WEFT_PLANTED_H

#include <stdint.h>

#include "status.h"

/* out (rows, cols), row-major, = U diag(s) V^T with s (min(rows, cols)), in any
 * order, finite: its singular values are |s|. U and V are random permutations
 * followed by up to 64 Householder reflections, drawn from `seed`.
 * STATUS_ARGUMENT names the first s that is not finite. */
CHECKED Status planted_matrix(uint64_t rows, uint64_t cols, const double *s,
                              uint64_t seed, double *out, Err *err);

#endif
