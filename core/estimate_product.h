/* Z = A^T A X for several vectors at a time, shared by a team. */
#ifndef WEFT_ESTIMATE_PRODUCT_H
#define WEFT_ESTIMATE_PRODUCT_H

#include "estimate_held.h"
#include "estimate_kernel.h"

/* The matrix is cut into slabs of rows, by its shape alone. Each has its own
 * sum of A^T y; these are added up in order, so that the bytes do not depend
 * on the threads. A is taken times held->scale. */
typedef struct Product {
    const Held *held;
    Team *team;
    KernelLevel level;
    size_t slabs, slab_rows;
    float *x;    /* (ld, width) vectors side by side */
    float *part; /* (slabs, width, ld) */
} Product;

/* Creates: product_release. Borrows held and team. */
CHECKED Status product_create(Product *out, const Held *held, Team *team,
                              KernelLevel level, Err *err);
void product_release(Product *product);

/* out[v] = A^T A in[v] for `count` vectors (a multiple of 8) of ld elements,
 * of which those beyond n are zero. in and out may be the same. */
void product_gram(const Product *product, float *const *in, float *const *out,
                  size_t count);
/* b (held->m, count) row-major = A in. STATUS_NOMEM. */
CHECKED Status product_forward(const Product *product, float *const *in,
                               size_t count, double *b, Err *err);

#endif
