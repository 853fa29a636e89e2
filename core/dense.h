/* LAPACK's answers about one dense matrix: factors, systems, norms.
 *
 * A matrix is a tensor of two axes (m, n), in memory or of a file, widened to
 * float64; k = min(m, n). Sizes of 0 are allowed. Results go into the caller's
 * buffers: float64, row-major, without gaps. They are LAPACK's as they come:
 * signs of vectors are not normalised.
 *
 * STATUS_ARGUMENT names a shape that does not fit or is too large for LAPACK's
 * ints; STATUS_NONFINITE as spectrum_nonfinite, before LAPACK sees a value;
 * STATUS_NUMERIC where an iteration does not converge or a result is over
 * float64's range; STATUS_NOMEM. */
#ifndef WEFT_DENSE_H
#define WEFT_DENSE_H

#include "tensor.h"

/* A = U diag(s) V^T: u (m, k), s (k) falling, v (n, k). (dgesdd, dgesvd) */
CHECKED Status dense_svd(const Tensor *a, double *u, double *s, double *v,
                         Scratch *scratch, Err *err);
/* Of the symmetric A (n, n), of which only the lower triangle counts: the
 * eigenvalues w (n), rising, and the eigenvectors in the columns of v (n, n),
 * which may be NULL. (dsyevd) */
CHECKED Status dense_eigh(const Tensor *a, double *w, double *v,
                          Scratch *scratch, Err *err);
/* A = Q R: q (m, k), r (k, n) upper triangular, its diagonal of either sign.
 * (dgeqrf, dorgqr) */
CHECKED Status dense_qr(const Tensor *a, double *q, double *r, Scratch *scratch,
                        Err *err);
/* A X = B of the square A (n, n); b is (n) or (n, count), x likewise.
 * STATUS_NUMERIC where A is exactly singular. (dgesv) */
CHECKED Status dense_solve(const Tensor *a, const Tensor *b, double *x,
                           Scratch *scratch, Err *err);
/* The X of least norm among those that make |A X - B| least; b is (m) or
 * (m, count), x (n) or (n, count). Singular values of A into s (k), falling;
 * those over cut * s[0] are the *rank, the others count as zero. (dgelsd) */
CHECKED Status dense_lstsq(const Tensor *a, const Tensor *b, double cut,
                           double *x, double *s, int64_t *rank,
                           Scratch *scratch, Err *err);

typedef enum DenseNorm {
    DENSE_FROBENIUS, /* root of the sum of squares */
    DENSE_NUCLEAR,   /* sum of the singular values */
    DENSE_SPECTRAL,  /* largest singular value */
    DENSE_SPECTRAL_MIN,
    DENSE_COLUMN, /* largest sum of a column's magnitudes */
    DENSE_COLUMN_MIN,
    DENSE_ROW, /* largest sum of a row's magnitudes */
    DENSE_ROW_MIN
} DenseNorm;

/* A norm of A as numpy.linalg.norm has it: of a matrix without elements it is
 * 0, and a least of nothing is STATUS_ARGUMENT. */
CHECKED Status dense_norm(const Tensor *a, DenseNorm kind, double *norm,
                          Scratch *scratch, Err *err);
/* Sum of the k diagonal elements; reads no others. */
CHECKED Status dense_trace(const Tensor *a, double *trace, Scratch *scratch,
                           Err *err);

/* max(m, n) * 2^-52: what numpy cuts singular values at, times the largest. */
double dense_cut(int64_t m, int64_t n);
/* How many of the singular values s (k, falling) are over `lowest`. */
int64_t dense_rank(const double *s, int64_t k, double lowest);

/* What dense_svd of (m, n) costs in flops: the pool's order for them all. */
double dense_cost(int64_t m, int64_t n);

#endif
