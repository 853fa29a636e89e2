/* Products of matrices: BLAS, without a copy where the strides allow it. */
#include "linalg.h"
#include "ops.h"
#include "ops_values.h"

/* An operand as BLAS takes it: rows, or columns, side by side. */
typedef struct Factor {
    Tensor values;
    int64_t rows, cols;
    const double *data;
    int ld;
    bool by_rows;
} Factor;

/* (rows, cols) of the operand: one axis is a row on the left, else a column. */
static void factor_sizes(const Tensor *tensor, bool left, int64_t *rows,
                         int64_t *cols) {
    bool vector = tensor->axes == 1;
    *rows = vector && left ? 1 : tensor->shape[0];
    *cols = vector ? (left ? tensor->shape[0] : 1) : tensor->shape[1];
}

static Status check_factors(const Tensor *a, const Tensor *b, Err *err) {
    char first[256], second[256];
    int64_t m, n, inner[2];
    tensor_shape_text(first, sizeof first, a);
    tensor_shape_text(second, sizeof second, b);
    if (a->axes < 1 || a->axes > 2 || b->axes < 1 || b->axes > 2)
        return err_set(err, STATUS_ARGUMENT,
                       "the product of %s and %s: expected 1 or 2 axes", first,
                       second);
    factor_sizes(a, true, &m, &inner[0]);
    factor_sizes(b, false, &inner[1], &n);
    if (inner[0] != inner[1])
        return err_set(err, STATUS_ARGUMENT,
                       "the product of %s and %s: %lld columns meet %lld rows, "
                       "expected as many",
                       first, second, (long long)inner[0], (long long)inner[1]);
    Status status = linalg_check_size((uint64_t)m, (uint64_t)inner[0], err);
    if (status == STATUS_OK)
        status = linalg_check_size((uint64_t)inner[0], (uint64_t)n, err);
    if (status == STATUS_OK)
        status = linalg_check_size((uint64_t)m, (uint64_t)n, err);
    return status;
}

/* A tensor in memory whose columns, or rows, lie side by side and apart by no
 * more than BLAS can count. */
static bool factor_direct(Factor *factor, bool vector, bool left) {
    const Tensor *values = &factor->values;
    int64_t down = values->stride[0], across = values->stride[1];
    if (vector && left) {
        across = values->stride[0];
        down = factor->cols;
    } else if (vector) {
        across = 1;
    }
    factor->by_rows = across == 1 || factor->cols <= 1;
    int64_t ld = factor->by_rows ? down : across;
    int64_t side = factor->by_rows ? factor->cols : factor->rows;
    int64_t lines = factor->by_rows ? factor->rows : factor->cols;
    if (lines <= 1)
        ld = side;
    factor->ld = (int)(ld < 1 ? 1 : ld);
    factor->data = tensor_data(values);
    return (factor->by_rows || down == 1 || factor->rows <= 1) && ld >= side &&
           ld <= INT32_MAX;
}

static Status factor_make(Factor *factor, const Tensor *tensor, bool left,
                          Err *err) {
    bool vector = tensor->axes == 1;
    *factor = (Factor){0};
    factor_sizes(tensor, left, &factor->rows, &factor->cols);
    if (tensor_in_memory(tensor) && tensor->dtype == DTYPE_F64) {
        tensor_view(&factor->values, tensor);
        if (factor_direct(factor, vector, left))
            return STATUS_OK;
        tensor_release(&factor->values);
    }
    Status status = tensor_copy(&factor->values, tensor, DTYPE_F64, err);
    if (status == STATUS_OK)
        (void)factor_direct(factor, vector, left);
    return status;
}

/* (m, n) without the axes that a vector does not have. */
static Status product_create(Tensor *out, const Tensor *a, const Tensor *b,
                             int64_t m, int64_t n, Err *err) {
    int64_t shape[2];
    int axes = 0;
    if (a->axes == 2)
        shape[axes++] = m;
    if (b->axes == 2)
        shape[axes++] = n;
    return tensor_create(out, DTYPE_F64, axes, shape, err);
}

/* Row-major C = A B is column-major C^T = B^T A^T, and rows side by side are
 * the columns of a transpose. */
static void multiply(const Factor *a, const Factor *b, double *out) {
    if (a->rows > 0 && a->cols > 0 && b->cols > 0)
        linalg_multiply(!b->by_rows, !a->by_rows, (int)b->cols, (int)a->rows,
                        (int)a->cols, b->data, b->ld, a->data, a->ld, 0.0, out,
                        (int)b->cols);
}

Status ops_matmul(Tensor *out, const Tensor *a, const Tensor *b, Err *err) {
    Factor left = {0}, right = {0};
    Tensor made = {0};
    Status status = check_factors(a, b, err);
    if (status != STATUS_OK)
        return status;
    status = factor_make(&left, a, true, err);
    if (status == STATUS_OK)
        status = factor_make(&right, b, false, err);
    if (status == STATUS_OK)
        status = product_create(&made, a, b, left.rows, right.cols, err);
    if (status == STATUS_OK) {
        multiply(&left, &right, tensor_data(&made));
        *out = made;
    }
    tensor_release(&left.values);
    tensor_release(&right.values);
    return status;
}

double ops_matmul_cost(const Tensor *a, const Tensor *b) {
    int64_t m, k, n;
    if (check_factors(a, b, NULL) != STATUS_OK)
        return 0.0;
    factor_sizes(a, true, &m, &k);
    factor_sizes(b, false, &k, &n);
    return (double)m * (double)k * (double)n;
}
