/* Tensors made of nothing. */
#include <inttypes.h>
#include <math.h>

#include "ops.h"
#include "ops_values.h"
#include "random.h"

enum { STRETCH = 1 << 16 };

/* 2^53: beyond it counting in doubles skips numbers. */
static const double COUNT_MOST = 0x1p53;

Status ops_full(Tensor *out, Dtype dtype, int axes, const int64_t *shape,
                double value, Err *err) {
    Tensor made;
    Status status = tensor_create(&made, dtype, axes, shape, err);
    if (status != STATUS_OK)
        return status;
    int64_t count = tensor_count(&made), *i64 = tensor_data(&made);
    double *f64 = tensor_data(&made);
    float *f32 = tensor_data(&made);
    for (int64_t i = 0; i < count; i++) {
        if (dtype == DTYPE_F64)
            f64[i] = value;
        else if (dtype == DTYPE_F32)
            f32[i] = (float)value;
        else
            i64[i] = (int64_t)value;
    }
    *out = made;
    return STATUS_OK;
}

Status ops_eye(Tensor *out, int64_t rows, int64_t cols, Err *err) {
    int64_t shape[2] = {rows, cols};
    Status status = tensor_create(out, DTYPE_F64, 2, shape, err);
    if (status != STATUS_OK)
        return status;
    double *x = tensor_data(out);
    for (int64_t i = 0; i < rows && i < cols; i++)
        x[i * cols + i] = 1.0;
    return STATUS_OK;
}

Status ops_arange(Tensor *out, double start, double stop, double step,
                  Err *err) {
    double count = ceil((stop - start) / step);
    if (!isfinite(start) || !isfinite(stop) || !isfinite(step) || step == 0.0)
        return err_set(err, STATUS_ARGUMENT,
                       "%g to %g by steps of %g: expected finite numbers and a "
                       "step that is not 0",
                       start, stop, step);
    if (count > COUNT_MOST)
        return err_set(err, STATUS_ARGUMENT,
                       "%g to %g by steps of %g: expected fewer than 2^53 "
                       "values",
                       start, stop, step);
    int64_t n = count > 0.0 ? (int64_t)count : 0;
    Status status = ops_vector(out, n, err);
    if (status != STATUS_OK)
        return status;
    double *x = tensor_data(out), delta = (start + step) - start;
    for (int64_t i = 0; i < n; i++)
        x[i] = i == 1 ? start + step : start + (double)i * delta;
    return STATUS_OK;
}

Status ops_linspace(Tensor *out, double start, double stop, int64_t count,
                    Err *err) {
    if (!isfinite(start) || !isfinite(stop))
        return err_set(err, STATUS_ARGUMENT,
                       "%g to %g: expected finite numbers", start, stop);
    Status status = ops_vector(out, count, err);
    if (status == STATUS_OK)
        ops_line(tensor_data(out), count, start, stop);
    return status;
}

Status ops_random(Tensor *out, OpsRandom kind, uint64_t seed, int axes,
                  const int64_t *shape, Err *err) {
    Tensor made;
    Status status = tensor_create(&made, DTYPE_F64, axes, shape, err);
    if (status != STATUS_OK)
        return status;
    Random random = random_start(seed);
    double *x = tensor_data(&made);
    int64_t count = tensor_count(&made);
    for (int64_t i = 0; i < count && status == STATUS_OK; i++) {
        x[i] = kind == OPS_NORMAL ? random_normal(&random)
                                  : random_uniform(&random);
        if (i % STRETCH == STRETCH - 1)
            status = ops_poll(err);
    }
    if (status != STATUS_OK) {
        tensor_release(&made);
        return status;
    }
    *out = made;
    return STATUS_OK;
}
