/* The bilinear kernel of an attention head, M = A^T B, A (k, d), B (k, d):
 * never formed. Its non-zero eigenvalues are those of B A^T (k, k), its
 * singular values those of R_A R_B^T from thin QRs of A^T and B^T. */
#ifndef WEFT_HEADS_H
#define WEFT_HEADS_H

#include "factor.h"

/* What to compute: bits of a mask. */
enum {
    KERNEL_SINGULAR = 1, /* s: singular values (k, falling) */
    KERNEL_EIGEN = 2,    /* re, im: eigenvalues (k), by falling magnitude, then
                            larger real part, then positive imaginary */
    KERNEL_SHAPE = 4     /* norm, symmetry, asymmetry */
};

typedef struct KernelResult {
    double *s, *re, *im; /* the caller's, k each; untouched without the bit */
    double norm;         /* Frobenius norm of M */
    double symmetry;     /* tr(M M) / |M|^2, in [-1, 1]; NaN for a zero M */
    double asymmetry;    /* |M - M^T| / |M|, in [0, 2]; NaN for a zero M */
} KernelResult;

/* The kernels of `count` heads that share one key matrix: left[i] (k, d) and
 * right (k, d), which are products where theirs say so. `right` is read and
 * factored once. Where k > d M is formed, and
 * of the k values the last k - d are exact zeros. A status a head in
 * results' order: a head that fails (non-finite values) has statuses[i] and
 * errs[i] set and costs no other head anything; the return value is about
 * `right` and memory alone. */
CHECKED Status kernel_values(const Factor *const *left, size_t count,
                             const Factor *right, unsigned wish,
                             KernelResult *results, Status *statuses, Err *errs,
                             Scratch *scratch, const volatile int *cancel,
                             Err *err);

/* M itself, (d, d) row-major into m, for checking and for --kernel dense. */
CHECKED Status kernel_dense(const Factor *left, const Factor *right, double *m,
                            Scratch *scratch, Err *err);
/* The same wishes of the dense M by the general solvers: s, re, im hold d
 * values each. */
CHECKED Status kernel_dense_values(const Factor *left, const Factor *right,
                                   unsigned wish, KernelResult *result,
                                   Scratch *scratch, Err *err);

/* A batch's job: the singular values of kernels that share `right`, with
 * `eigen` their shape and eigenvalues too, these with `dense` of the dense M
 * (d values). Every status is set, each failure's err too. */
void kernel_answers(const Factor *const *left, size_t count,
                    const Factor *right, bool eigen, bool dense,
                    KernelResult *results, Status *statuses, Err *errs,
                    Scratch *scratch, const volatile int *cancel);

/* What kernel_values costs in flops: the pool's order. `left` stands for all
 * heads. */
double kernel_cost(const Factor *left, const Factor *right, int64_t heads);
/* The same of factors (k, d), by factor_cost of the right one and of each left
 * one. */
double kernel_flops(int64_t k, int64_t d, int64_t heads, double left,
                    double right);

#endif
