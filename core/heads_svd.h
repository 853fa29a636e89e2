/* Singular vectors of a head's kernel M = A^T B, A (k, d), B (k, d), which is
 * never formed: with thin QRs A^T = Q_A R_A and B^T = Q_B R_B it is
 * Q_A (R_A R_B^T) Q_B^T, and the matrix between is (k, k). */
#ifndef WEFT_HEADS_SVD_H
#define WEFT_HEADS_SVD_H

#include "factor.h"

/* The first `count` (0 to min(k, d)) singular triples, M = U diag(s) V^T:
 * u (d, count), s (count) falling, v (d, count), row-major. Where k > d the
 * matrix between has d rows. STATUS_ARGUMENT names factors of two shapes or
 * what is too large, STATUS_NONFINITE as spectrum_nonfinite, STATUS_NUMERIC
 * where a value is over float64's range. */
CHECKED Status kernel_svd(const Factor *left, const Factor *right,
                          int64_t count, double *u, double *s, double *v,
                          Scratch *scratch, Err *err);

#endif
