/* One factor (k, d) of a kernel: blocks stacked by rows, each a matrix or the
 * product of two, which is computed where the factor is read.
 *
 * A factor is counted and never changes once it is handed on: kernels, jobs
 * and threads share it. */
#ifndef WEFT_FACTOR_H
#define WEFT_FACTOR_H

#include "tensor.h"

/* The rows `matrix`, or `matrix` (k, r) times `by` (r, d). */
typedef struct FactorBlock {
    Tensor matrix, by;
    bool product;
} FactorBlock;

typedef struct Factor {
    int refs;     /* atomic */
    int64_t k, d; /* of the whole */
    size_t count, room;
    FactorBlock block[];
} Factor;

/* An empty factor with room for `room` blocks. Creates: factor_release. */
CHECKED Status factor_create(Factor **out, size_t room, Err *err);
/* Stacks a block below the others: `matrix`, or where `by` is not NULL its
 * product with that. Views both. STATUS_ARGUMENT where they are no matrices,
 * can't be multiplied, or have other columns than the blocks before. Only
 * before the factor is shared. */
CHECKED Status factor_add(Factor *factor, const Tensor *matrix,
                          const Tensor *by, Err *err);
/* The factor of one matrix. Creates. */
CHECKED Status factor_of(Factor **out, const Tensor *matrix, Err *err);
Factor *factor_keep(Factor *factor);
/* Takes NULL too. */
void factor_release(Factor *factor);

/* The values times 2^-*exponent to `to`, (k, d) row-major. Where squares of
 * squares would leave float64's range *exponent is not 0. STATUS_NONFINITE as
 * spectrum_nonfinite, of the first matrix that has such values;
 * STATUS_NUMERIC where a product overflows. Of a product's second matrix only
 * some rows are in memory. Uses the scratch's slots slot to slot + 2. */
enum { FACTOR_SLOTS = 3 };
CHECKED Status factor_read(const Factor *factor, double *to, int *exponent,
                           Scratch *scratch, int slot, Err *err);

/* Flops of the products: what factor_read costs beside reading. */
double factor_cost(const Factor *factor);
/* Of one: (rows, inner) times (inner, cols). */
double factor_product(int64_t rows, int64_t inner, int64_t cols);

#endif
