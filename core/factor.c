/* Factors of kernels: what they are made of, and their values. */
#include "factor.h"

#include <math.h>

#include "linalg.h"
#include "spectrum.h"

/* Scratch slots, from the caller's first on. */
enum { RAW, LEFT, PANEL };

/* Rows of a product's second matrix that are read at a time: at a width of
 * 8,192, 4 MB. */
enum { PANEL_ROWS = 64 };

/* Magnitudes up to this power of two can be multiplied and summed. */
enum { SAFE = 200 };

Status factor_create(Factor **out, size_t room, Err *err) {
    Factor *made =
        mem_zeroed(1, sizeof *made + room * sizeof made->block[0], err);
    if (made == NULL)
        return STATUS_NOMEM;
    made->refs = 1;
    made->room = room;
    *out = made;
    return STATUS_OK;
}

Factor *factor_keep(Factor *factor) {
    __atomic_add_fetch(&factor->refs, 1, __ATOMIC_RELAXED);
    return factor;
}

void factor_release(Factor *factor) {
    if (factor == NULL ||
        __atomic_sub_fetch(&factor->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < factor->count; i++) {
        tensor_release(&factor->block[i].matrix);
        if (factor->block[i].product)
            tensor_release(&factor->block[i].by);
    }
    mem_free(factor);
}

/* Whether the block fits in itself and under those before. */
static Status check_block(const Factor *factor, const Tensor *matrix,
                          const Tensor *by, Err *err) {
    const Tensor *right = by != NULL ? by : matrix;
    char a[256], b[256];
    tensor_shape_text(a, sizeof a, matrix);
    tensor_shape_text(b, sizeof b, right);
    if (factor->count == factor->room)
        return err_set(err, STATUS_ARGUMENT,
                       "a factor has room for %zu blocks only", factor->room);
    if (matrix->axes != 2 || right->axes != 2)
        return err_set(err, STATUS_ARGUMENT,
                       "a matrix of 2 axes expected, got %s",
                       matrix->axes != 2 ? a : b);
    if (by != NULL && matrix->shape[1] != by->shape[0])
        return err_set(err, STATUS_ARGUMENT, "%s and %s can't be multiplied", a,
                       b);
    if (factor->count > 0 && right->shape[1] != factor->d)
        return err_set(err, STATUS_ARGUMENT,
                       "a block of %lld columns under one of %lld",
                       (long long)right->shape[1], (long long)factor->d);
    return STATUS_OK;
}

Status factor_add(Factor *factor, const Tensor *matrix, const Tensor *by,
                  Err *err) {
    Status status = check_block(factor, matrix, by, err);
    if (status != STATUS_OK)
        return status;
    FactorBlock *block = &factor->block[factor->count++];
    tensor_view(&block->matrix, matrix);
    block->product = by != NULL;
    if (by != NULL)
        tensor_view(&block->by, by);
    factor->k += matrix->shape[0];
    factor->d = (by != NULL ? by : matrix)->shape[1];
    return STATUS_OK;
}

Status factor_of(Factor **out, const Tensor *matrix, Err *err) {
    Factor *made;
    Status status = factor_create(&made, 1, err);
    if (status != STATUS_OK)
        return status;
    status = factor_add(made, matrix, NULL, err);
    if (status == STATUS_OK)
        *out = made;
    else
        factor_release(made);
    return status;
}

double factor_product(int64_t rows, int64_t inner, int64_t cols) {
    return 2 * (double)rows * (double)inner * (double)cols;
}

double factor_cost(const Factor *factor) {
    double flops = 0;
    for (size_t i = 0; i < factor->count; i++) {
        const FactorBlock *block = &factor->block[i];
        if (block->product)
            flops += factor_product(block->matrix.shape[0],
                                    block->matrix.shape[1], factor->d);
    }
    return flops;
}

/* Rows first, … (count of them) of a matrix to `to`, all of them finite. */
static Status read_rows(const Tensor *matrix, int64_t first, int64_t count,
                        double *to, Scratch *scratch, int slot, Err *err) {
    NonFinite bad = {0};
    int64_t cols = matrix->shape[1];
    Status status = tensor_read(matrix, first, count, 0, cols, to, cols, &bad,
                                scratch, slot, err);
    return status == STATUS_OK ? spectrum_nonfinite(&bad, err) : status;
}

/* to (k, d) = matrix by, by a panel of the second's rows at a time. */
static Status multiply(const FactorBlock *block, double *to, Scratch *scratch,
                       int slot, Err *err) {
    int64_t k = block->matrix.shape[0], r = block->matrix.shape[1];
    int64_t d = block->by.shape[1], rows = r < PANEL_ROWS ? r : PANEL_ROWS;
    double *left = scratch_take(scratch, slot + LEFT, (size_t)k * (size_t)r,
                                sizeof *left, err);
    double *panel = scratch_take(scratch, slot + PANEL,
                                 (size_t)rows * (size_t)d, sizeof *panel, err);
    if (left == NULL || panel == NULL)
        return STATUS_NOMEM;
    Status status = linalg_check_size((uint64_t)k, (uint64_t)r, err);
    if (status == STATUS_OK)
        status =
            read_rows(&block->matrix, 0, k, left, scratch, slot + RAW, err);
    for (int64_t i = 0; i < k * d && r == 0; i++)
        to[i] = 0;
    for (int64_t at = 0; at < r && status == STATUS_OK && k * d > 0;
         at += rows) {
        int64_t n = r - at < rows ? r - at : rows;
        status = read_rows(&block->by, at, n, panel, scratch, slot + RAW, err);
        if (status == STATUS_OK) /* row-major as column-major: to^T */
            linalg_multiply(false, false, (int)d, (int)k, (int)n, panel, (int)d,
                            left + at, (int)r, at > 0, to, (int)d);
    }
    return status;
}

/* Whether values of it, or of it as a product, may need scaling: all that is
 * narrower than float64 fits. */
static bool block_wide(const FactorBlock *block) {
    return block->product || block->matrix.dtype == DTYPE_F64;
}

/* Takes a power of two out of the n values where they need it. */
static Status scale(double *x, size_t n, int *exponent, Err *err) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            return err_set(err, STATUS_NUMERIC,
                           "a value of a factor is over float64's range");
        largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
    }
    (void)frexp(largest, exponent);
    if (*exponent >= -SAFE && *exponent <= SAFE)
        *exponent = 0;
    for (size_t i = 0; i < n && *exponent != 0; i++)
        x[i] = ldexp(x[i], -*exponent);
    return STATUS_OK;
}

Status factor_read(const Factor *factor, double *to, int *exponent,
                   Scratch *scratch, int slot, Err *err) {
    bool wide = false;
    double *at = to;
    for (size_t i = 0; i < factor->count; i++) {
        const FactorBlock *block = &factor->block[i];
        int64_t rows = block->matrix.shape[0];
        Status status = block->product ? multiply(block, at, scratch, slot, err)
                                       : read_rows(&block->matrix, 0, rows, at,
                                                   scratch, slot + RAW, err);
        if (status != STATUS_OK)
            return status;
        at += rows * factor->d;
        wide = wide || block_wide(block);
    }
    *exponent = 0;
    return wide ? scale(to, (size_t)(at - to), exponent, err) : STATUS_OK;
}
