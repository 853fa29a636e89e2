/* LAPACK's general solver on one whole matrix.
 *
 * Singular values without a Gram matrix are spectrum.h's SPECTRUM_DIRECT. */
#ifndef WEFT_DIRECT_H
#define WEFT_DIRECT_H

#include "tensor.h"

/* Eigenvalues of the square matrix (n, n), balanced first, into re and im
 * (n), by falling magnitude, at equal magnitude the larger real part first,
 * then the positive imaginary. STATUS_ARGUMENT names a shape that is not
 * square, STATUS_NONFINITE as spectrum_nonfinite. (dgeev) */
CHECKED Status direct_eigvals(const Tensor *square, double *re, double *im,
                              Scratch *scratch, Err *err);

/* What direct_eigvals of (n, n) costs in flops. */
double direct_eigvals_cost(int64_t n);

#endif
