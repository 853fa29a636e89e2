/* Operands as float64, blocks of tensors. */
#include "ops.h"

#include <inttypes.h>
#include <string.h>

#include "cancel.h"
#include "ops_values.h"

Status ops_poll(Err *err) {
    if (cancel_requested())
        return err_set(err, STATUS_CANCELLED, "interrupted");
    return STATUS_OK;
}

Status ops_vector(Tensor *out, int64_t n, Err *err) {
    return tensor_create(out, DTYPE_F64, 1, &n, err);
}

static bool dense_rows(const Tensor *tensor) {
    int last = tensor->axes - 1;
    return last < 0 || tensor->shape[last] <= 1 || tensor->stride[last] == 1;
}

Status ops_values(Tensor *out, const Tensor *tensor, Err *err) {
    if (!tensor_in_memory(tensor) || tensor->dtype != DTYPE_F64 ||
        !dense_rows(tensor))
        return tensor_copy(out, tensor, DTYPE_F64, err);
    tensor_view(out, tensor);
    return STATUS_OK;
}

Status ops_flat(Tensor *out, const Tensor *tensor, Err *err) {
    Tensor values;
    int64_t count = tensor_count(tensor);
    Status status = tensor_in_memory(tensor) && tensor->dtype != DTYPE_F64
                        ? tensor_copy(&values, tensor, DTYPE_F64, err)
                        : tensor_reshape(&values, tensor, 1, &count, err);
    if (status != STATUS_OK)
        return status;
    /* a copy has its own shape yet */
    if (values.axes != 1)
        status = tensor_reshape(out, &values, 1, &count, err);
    else
        tensor_view(out, &values);
    tensor_release(&values);
    return status;
}

static Status check_place(const Tensor *out, int axis, int64_t at,
                          const Tensor *tensor, Err *err) {
    bool fits = tensor->axes == out->axes && axis >= 0 && axis < out->axes;
    for (int i = 0; fits && i < out->axes; i++)
        fits = i == axis || tensor->shape[i] == out->shape[i];
    if (fits && at >= 0 && tensor->shape[axis] <= out->shape[axis] - at)
        return STATUS_OK;
    char part[256], whole[256];
    return err_set(err, STATUS_ARGUMENT,
                   "%s does not go into %s at %" PRId64
                   " of axis %d: expected the same sizes along all others",
                   tensor_shape_text(part, sizeof part, tensor),
                   tensor_shape_text(whole, sizeof whole, out), at + 1,
                   axis + 1);
}

Status ops_place(Tensor *out, int axis, int64_t at, const Tensor *tensor,
                 Err *err) {
    Tensor block;
    Status status = check_place(out, axis, at, tensor, err);
    if (status != STATUS_OK)
        return status;
    if (tensor->dtype == out->dtype && tensor_contiguous(tensor))
        tensor_view(&block, tensor);
    else
        status = tensor_copy(&block, tensor, out->dtype, err);
    if (status != STATUS_OK)
        return status;
    size_t outer = 1, inner = dtype_row(out->dtype)->bytes;
    for (int i = 0; i < axis; i++)
        outer *= (size_t)out->shape[i];
    for (int i = axis + 1; i < out->axes; i++)
        inner *= (size_t)out->shape[i];
    size_t piece = inner * (size_t)tensor->shape[axis];
    unsigned char *to = tensor_data(out);
    const unsigned char *from = tensor_data(&block);
    for (size_t i = 0; i < outer && piece > 0; i++)
        memcpy(to + (i * (size_t)out->shape[axis] + (size_t)at) * inner,
               from + i * piece, piece);
    tensor_release(&block);
    return STATUS_OK;
}
