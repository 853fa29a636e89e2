/* Eigenvalues of a general matrix, whole. */
#include "direct.h"

#include <math.h>
#include <stdlib.h>

#include "linalg.h"
#include "spectrum.h"

enum { SLOT_MATRIX, SLOT_RAW, SLOT_WORK };

typedef struct Eigen {
    double magnitude, re, im;
} Eigen;

/* -1 where a comes first, for falling order. */
static int falling(double a, double b) {
    return a > b ? -1 : a < b;
}

static int eigen_compare(const void *left, const void *right) {
    const Eigen *a = left, *b = right;
    int order = falling(a->magnitude, b->magnitude);
    if (order == 0)
        order = falling(a->re, b->re);
    return order == 0 ? falling(a->im, b->im) : order;
}

/* Into the order that the header gives. */
static Status eigen_sort(double *re, double *im, size_t n, Scratch *scratch,
                         int slot, Err *err) {
    Eigen *values = scratch_take(scratch, slot, n, sizeof *values, err);
    if (values == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++)
        values[i] = (Eigen){hypot(re[i], im[i]), re[i], im[i]};
    qsort(values, n, sizeof *values, eigen_compare);
    for (size_t i = 0; i < n; i++) {
        re[i] = values[i].re;
        im[i] = values[i].im;
    }
    return STATUS_OK;
}

static Status check_square(const Tensor *tensor, Err *err) {
    if (tensor->axes == 2 && tensor->shape[0] == tensor->shape[1])
        return linalg_check_size((uint64_t)tensor->shape[0],
                                 (uint64_t)tensor->shape[1], err);
    char shape[256];
    return err_set(err, STATUS_ARGUMENT,
                   "eigenvalues of %s: expected a square matrix",
                   tensor_shape_text(shape, sizeof shape, tensor));
}

Status direct_eigvals(const Tensor *square, double *re, double *im,
                      Scratch *scratch, Err *err) {
    Status status = check_square(square, err);
    if (status != STATUS_OK)
        return status;
    int64_t n = square->shape[0];
    double *a = scratch_take(scratch, SLOT_MATRIX, (size_t)n * (size_t)n,
                             sizeof *a, err);
    if (a == NULL)
        return STATUS_NOMEM;
    NonFinite bad = {0};
    /* row-major, which LAPACK takes for the transpose: same eigenvalues */
    status =
        tensor_read(square, 0, n, 0, n, a, n, &bad, scratch, SLOT_RAW, err);
    if (status == STATUS_OK)
        status = spectrum_nonfinite(&bad, err);
    if (status == STATUS_OK)
        status = linalg_general_values((int)n, a, n > 0 ? (int)n : 1, true, re,
                                       im, scratch, SLOT_WORK, err);
    if (status == STATUS_OK)
        status = eigen_sort(re, im, (size_t)n, scratch, SLOT_RAW, err);
    return status;
}

double direct_eigvals_cost(int64_t n) {
    double size = (double)n;
    return 10.0 * size * size * size;
}
