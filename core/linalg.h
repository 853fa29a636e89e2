/* The only face of BLAS and LAPACK: column-major, int dimensions checked
 * before a call, work space from the worker's scratch, `info` in words.
 *
 * Every routine names the LAPACK routine behind it. Matrices are float64.
 * A routine with work space takes the number of one scratch slot, whose
 * buffer it carves up; the slot's earlier contents are lost. STATUS_NUMERIC
 * where an iteration does not converge, STATUS_ARGUMENT where a matrix is too
 * large, STATUS_NOMEM. */
#ifndef WEFT_LINALG_H
#define WEFT_LINALG_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

/* One BLAS thread a caller, for the whole process. Call before workers start.
 * Returns false where this OpenBLAS is not thread-safe (a serial build), so
 * that there may be one worker only. */
bool linalg_single_thread(void);
/* "OpenBLAS 0.3.21 SkylakeX" and "3.9.0", for --version. Static. */
const char *linalg_blas_version(void);
const char *linalg_lapack_version(void);

/* STATUS_ARGUMENT where a dimension or a product of two is over INT_MAX. */
CHECKED Status linalg_check_size(uint64_t rows, uint64_t cols, Err *err);

/* G (n, n) lower triangle = beta*G + op(Z) op(Z)^T. by_rows: Z is (n, k) with
 * ldz >= n; else Z is (k, n), ldz >= k. (dsyrk) */
void linalg_gram(int n, int k, const double *z, int ldz, bool by_rows,
                 double beta, double *g, int ldg);
/* The same in float32. (ssyrk) */
void linalg_gram_float(int n, int k, const float *z, int ldz, bool by_rows,
                       float beta, float *g, int ldg);
/* C (m, n) = op(A) op(B) + beta*C, inner size k. (dgemm) */
void linalg_multiply(bool ta, bool tb, int m, int n, int k, const double *a,
                     int lda, const double *b, int ldb, double beta, double *c,
                     int ldc);

/* C (n, k) = G B for the symmetric G (n, n), of which the lower triangle is
 * read, and B (n, k). (dsymm) */
void linalg_symmetric_multiply(int n, int k, const double *g, int ldg,
                               const double *b, int ldb, double *c, int ldc);
/* G (n, n) lower triangle -= V W^T + W V^T, V and W (n, k). (dsyr2k) */
void linalg_rank_two(int n, int k, const double *v, int ldv, const double *w,
                     int ldw, double *g, int ldg);

/* The same in float32, with linalg_multiply, linalg_triangular and
 * linalg_qr_factors. (ssymm, ssyr2k, sgemm, strmm, sgeqrt) */
void linalg_symmetric_multiply_float(int n, int k, const float *g, int ldg,
                                     const float *b, int ldb, float *c,
                                     int ldc);
void linalg_rank_two_float(int n, int k, const float *v, int ldv,
                           const float *w, int ldw, float *g, int ldg);
void linalg_multiply_float(bool ta, bool tb, int m, int n, int k,
                           const float *a, int lda, const float *b, int ldb,
                           float beta, float *c, int ldc);
void linalg_triangular_float(bool left, bool transpose, int m, int n,
                             const float *r, int ldr, float *b, int ldb);
CHECKED Status linalg_qr_factors_float(int m, int n, float *a, int lda,
                                       float *t, float *work, Err *err);

/* Eigenvalues, rising, of the symmetric tridiagonal matrix with the diagonals d
 * (n) and e (n - 1), which is destroyed, into d. Scales what is huge or tiny.
 * STATUS_NUMERIC also where one is not finite. (as dsterf) */
CHECKED Status linalg_tridiagonal_values(int n, double *d, double *e, Err *err);
/* Eigenvalues, rising, of the symmetric G (lower triangle, destroyed) into
 * w (n); the strict upper triangle is left as it is. (dsytrd, of a float32 G
 * ssytrd, where n is large reduce.h; then linalg_tridiagonal_values) */
CHECKED Status linalg_symmetric_values(int n, double *g, int ldg, double *w,
                                       Scratch *scratch, int slot, Err *err);
CHECKED Status linalg_symmetric_values_float(int n, float *g, int ldg,
                                             double *w, Scratch *scratch,
                                             int slot, Err *err);
/* Eigenvectors of the `count` smallest eigenvalues of G (lower triangle,
 * destroyed) into the columns of z (n, count), ldz >= n. (dsyevr) */
CHECKED Status linalg_symmetric_vectors(int n, double *g, int ldg, int count,
                                        double *z, int ldz, Scratch *scratch,
                                        int slot, Err *err);
/* R (n, n) upper of the thin QR of A (m, n), m >= n; A is destroyed and R is
 * its upper triangle. (dgeqrt, block 32) */
CHECKED Status linalg_qr(int m, int n, double *a, int lda, Scratch *scratch,
                         int slot, Err *err);
/* R (n, n) upper, with zeros below, of the thin QR of A (m, n), m >= n, which
 * is destroyed. The signs of R's rows are any, and what A's condition is small
 * enough for is Cholesky's R of A^T A: its singular values are then off by at
 * most 1e-13 of the largest. (dsyrk, dpotrf, dtrcon; else dgeqrt) */
CHECKED Status linalg_qr_upper(int m, int n, double *a, int lda, double *r,
                               int ldr, Scratch *scratch, int slot, Err *err);
/* A (m, n) = (I - V T V^T) R, k = min(m, n): R is on and above A's diagonal
 * after it, V below, but for the ones on its diagonal; t (k, k) is upper. work
 * has k * n doubles. (dgeqrt, one block) */
CHECKED Status linalg_qr_factors(int m, int n, double *a, int lda, double *t,
                                 double *work, Err *err);
/* R (n, n) upper becomes the R of [R; B], B (m, n) destroyed. (dtpqrt) */
CHECKED Status linalg_qr_append(int n, double *r, int ldr, int m, double *b,
                                int ldb, Scratch *scratch, int slot, Err *err);
/* Singular values, falling, of A (m, n), destroyed, into s (min(m, n)).
 * (dgesdd; where that does not converge dgesvd on a kept copy) */
CHECKED Status linalg_singular_values(int m, int n, double *a, int lda,
                                      double *s, Scratch *scratch, int slot,
                                      Err *err);
/* Thin SVD A = U diag(s) VT of A (m, n), destroyed: s (k) falling, u (m, k),
 * vt (k, n), k = min(m, n). (dgesdd; where that does not converge dgesvd on a
 * kept copy) */
CHECKED Status linalg_svd(int m, int n, double *a, double *s, double *u,
                          double *vt, Scratch *scratch, int slot, Err *err);
/* Eigenvalues, rising, of the symmetric A (n, n), of which the lower triangle
 * is read, into w (n). A becomes the eigenvectors, or is destroyed. Scales what
 * is huge or tiny, which linalg_symmetric_values does not. (dsyevd) */
CHECKED Status linalg_symmetric(int n, double *a, bool vectors, double *w,
                                Scratch *scratch, int slot, Err *err);
/* Thin QR of A (m, n), k = min(m, n): A's first k columns become Q (m, k), and
 * r (k, n) is upper triangular, with zeros below. (dgeqrf, dorgqr) */
CHECKED Status linalg_qr_thin(int m, int n, double *a, double *r,
                              Scratch *scratch, int slot, Err *err);
/* B (n, nrhs) becomes A^-1 B; A (n, n) is destroyed. STATUS_NUMERIC where a
 * pivot is exactly zero. (dgesv) */
CHECKED Status linalg_solve(int n, int nrhs, double *a, double *b,
                            Scratch *scratch, int slot, Err *err);
/* The X (n, nrhs) of least norm that makes |A X - B| least, in the first rows
 * of b (max(m, n), nrhs), which holds B (m, nrhs) before. A (m, n) is
 * destroyed. Singular values, falling, into s (min(m, n)); those up to
 * cut * s[0] count as zero, the others are the *rank. (dgelsd) */
CHECKED Status linalg_least_squares(int m, int n, int nrhs, double *a,
                                    double *b, double cut, double *s, int *rank,
                                    Scratch *scratch, int slot, Err *err);
/* Root of the sum of squares of A (m, n), scaled so that none overflows.
 * (dlange) */
double linalg_frobenius(int m, int n, const double *a);
/* Eigenvalues of the general A (n, n), destroyed, in no order, into re and im
 * (n). (dgehrd, dhseqr; balanced: dgeev) */
CHECKED Status linalg_general_values(int n, double *a, int lda, bool balance,
                                     double *re, double *im, Scratch *scratch,
                                     int slot, Err *err);
/* B (m, n) = op(R) B (left) or B op(R) for upper triangular R, in place, op(R)
 * being R^T where `transpose`. (dtrmm) */
void linalg_triangular(bool left, bool transpose, int m, int n, const double *r,
                       int ldr, double *b, int ldb);

#endif
