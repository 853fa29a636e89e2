/* Tensors in memory by strides, and of a file by their source's row runs. */
#include "tensor.h"

#include <inttypes.h>
#include <stdio.h>

#include "recipe.h"

struct Storage {
    int refs; /* atomic */
    _Alignas(64) unsigned char bytes[];
};

static Status check_axes(int axes, Err *err) {
    if (axes < 0 || axes > TENSOR_AXES)
        return err_set(err, STATUS_ARGUMENT, "%d axes: expected 0 to %d", axes,
                       TENSOR_AXES);
    return STATUS_OK;
}

/* Elements of a shape; an axis of 0 does not hide an overflow of the rest. */
static Status shape_count(int axes, const int64_t *shape, int64_t *count,
                          Err *err) {
    int64_t product = 1;
    bool empty = false;
    for (int i = 0; i < axes; i++) {
        if (shape[i] < 0)
            return err_set(err, STATUS_ARGUMENT,
                           "axis %d has size %" PRId64 ": expected 0 or more",
                           i + 1, shape[i]);
        empty = empty || shape[i] == 0;
        if (shape[i] > 0 && __builtin_mul_overflow(product, shape[i], &product))
            return err_set(err, STATUS_ARGUMENT,
                           "a shape of 2^63 elements or more");
    }
    *count = empty ? 0 : product;
    return STATUS_OK;
}

static size_t element_size(Dtype dtype) {
    return dtype == DTYPE_F32 ? 4 : 8;
}

static Status check_memory_dtype(Dtype dtype, Err *err) {
    if (dtype == DTYPE_F64 || dtype == DTYPE_F32 || dtype == DTYPE_I64)
        return STATUS_OK;
    return err_set(err, STATUS_ARGUMENT,
                   "a tensor in memory of dtype %s: expected F64, F32 or I64",
                   dtype_row(dtype)->name);
}

static void set_shape(Tensor *tensor, int axes, const int64_t *shape) {
    tensor->axes = axes;
    for (int i = 0; i < axes; i++)
        tensor->shape[i] = shape[i];
}

/* Row-major. */
static void set_strides(Tensor *tensor) {
    int64_t stride = 1;
    for (int i = tensor->axes - 1; i >= 0; i--) {
        tensor->stride[i] = stride;
        stride *= tensor->shape[i] > 0 ? tensor->shape[i] : 1;
    }
}

Status tensor_create(Tensor *out, Dtype dtype, int axes, const int64_t *shape,
                     Err *err) {
    int64_t count;
    size_t bytes;
    Status status = check_memory_dtype(dtype, err);
    if (status == STATUS_OK)
        status = check_axes(axes, err);
    if (status == STATUS_OK)
        status = shape_count(axes, shape, &count, err);
    if (status != STATUS_OK)
        return status;
    if (__builtin_mul_overflow((size_t)count, element_size(dtype), &bytes) ||
        __builtin_add_overflow(bytes, sizeof(Storage), &bytes) ||
        bytes > INT64_MAX)
        return err_set(err, STATUS_ARGUMENT,
                       "%" PRId64 " elements of %s: expected fewer than 2^63 "
                       "bytes",
                       count, dtype_row(dtype)->name);
    Storage *storage = mem_zeroed(bytes, 1, err);
    if (storage == NULL)
        return STATUS_NOMEM;
    storage->refs = 1;
    *out = (Tensor){.dtype = dtype, .storage = storage};
    set_shape(out, axes, shape);
    set_strides(out);
    return STATUS_OK;
}

Status tensor_from_source(Tensor *out, Source *source, int axes,
                          const int64_t *shape, Err *err) {
    int64_t count, rows = 1;
    Status status = check_axes(axes, err);
    if (status == STATUS_OK)
        status = shape_count(axes, shape, &count, err);
    if (status == STATUS_OK && axes > 0)
        status = shape_count(axes - 1, shape, &rows, err);
    if (status != STATUS_OK)
        return status;
    Tensor made = {.dtype = source->dtype, .source = source};
    set_shape(&made, axes, shape);
    int64_t cols = axes > 0 ? shape[axes - 1] : 1;
    if ((uint64_t)rows != source_view_rows(source) ||
        (uint64_t)cols != source_view_cols(source)) {
        char text[256];
        return err_set(err, STATUS_ARGUMENT,
                       "shape %s over a file's %" PRIu64 " rows of %" PRIu64,
                       tensor_shape_text(text, sizeof text, &made),
                       source_view_rows(source), source_view_cols(source));
    }
    source_keep(source);
    *out = made;
    return STATUS_OK;
}

void tensor_view(Tensor *out, const Tensor *tensor) {
    *out = *tensor;
    if (out->source != NULL)
        source_keep(out->source);
    if (out->storage != NULL)
        __atomic_add_fetch(&out->storage->refs, 1, __ATOMIC_RELAXED);
}

void tensor_release(Tensor *tensor) {
    Storage *storage = tensor->storage;
    source_release(tensor->source);
    if (storage != NULL &&
        __atomic_sub_fetch(&storage->refs, 1, __ATOMIC_ACQ_REL) == 0)
        mem_free(storage);
    *tensor = (Tensor){.dtype = tensor->dtype};
}

int64_t tensor_count(const Tensor *tensor) {
    int64_t count = 1;
    for (int i = 0; i < tensor->axes; i++) {
        if (tensor->shape[i] == 0)
            return 0;
        count *= tensor->shape[i];
    }
    return count;
}

uint64_t tensor_bytes(const Tensor *tensor) {
    const Source *source = tensor->source;
    if (source == NULL)
        return (uint64_t)tensor_count(tensor) * element_size(tensor->dtype);
    if (source->cols == 0 || source->rows == 0)
        return 0;
    /* the units that a window cuts, or a step passes over, are whole */
    Unit unit = source_unit(source);
    uint64_t last = source->first_col + (source->cols - 1) * source->col_step;
    uint64_t units = last / unit.block - source->first_col / unit.block + 1;
    if (units > source->cols)
        units = source->cols;
    uint64_t rows = (source->rows - 1) / unit.down + 1, bytes;
    if (__builtin_mul_overflow(rows, units, &bytes) ||
        __builtin_mul_overflow(bytes, unit.bytes, &bytes))
        return UINT64_MAX;
    return bytes;
}

bool tensor_in_memory(const Tensor *tensor) {
    return tensor->storage != NULL;
}

void *tensor_data(const Tensor *tensor) {
    if (tensor->storage == NULL)
        return NULL;
    return tensor->storage->bytes +
           (size_t)tensor->offset * element_size(tensor->dtype);
}

bool tensor_contiguous(const Tensor *tensor) {
    if (tensor->storage == NULL)
        return false;
    if (tensor_count(tensor) == 0)
        return true;
    int64_t stride = 1;
    for (int i = tensor->axes - 1; i >= 0; i--) {
        if (tensor->shape[i] > 1 && tensor->stride[i] != stride)
            return false;
        stride *= tensor->shape[i];
    }
    return true;
}

char *tensor_shape_text(char *out, size_t size, const Tensor *tensor) {
    size_t used = 0;
    if (size == 0)
        return out;
    out[0] = '\0';
    for (int i = 0; i <= tensor->axes && used < size; i++) {
        int n = i < tensor->axes
                    ? snprintf(out + used, size - used, "%s%" PRId64,
                               i == 0 ? "[" : ", ", tensor->shape[i])
                    : snprintf(out + used, size - used, "%s",
                               tensor->axes == 0 ? "[]" : "]");
        used += (size_t)n;
    }
    return out;
}

/* Axis `axis` from `first` on: bounds, and that there is such an axis. */
static Status check_slice(const Tensor *tensor, const char *noun, int axis,
                          int64_t first, int64_t count, int64_t step,
                          Err *err) {
    if (tensor->axes == 0)
        return err_set(err, STATUS_ARGUMENT,
                       "%ss of a tensor of 0 axes: expected 1 or more", noun);
    int64_t size = tensor->shape[axis];
    if (count < 0)
        return err_set(err, STATUS_ARGUMENT,
                       "%" PRId64 " %ss: expected 0 or more", count, noun);
    if (step < 1)
        return err_set(err, STATUS_ARGUMENT,
                       "step %" PRId64 " over %ss: expected 1 or more", step,
                       noun);
    if (first < 0)
        return err_set(err, STATUS_ARGUMENT,
                       "%s %" PRId64 " of %" PRId64 ": expected 1 to %" PRId64,
                       noun, first + 1, size, size);
    return span_check(noun, (uint64_t)size, (uint64_t)first, (uint64_t)count,
                      (uint64_t)step, err);
}

/* A tensor of `source` (given away) with `tensor`'s axes. */
static void view_source(Tensor *out, const Tensor *tensor, Source *source) {
    *out = *tensor;
    out->source = source;
}

/* Rows of the folded matrix that one step along the first axis passes. */
static uint64_t rows_a_step(const Tensor *tensor) {
    uint64_t rows = 1;
    for (int i = 1; i < tensor->axes - 1; i++)
        rows *= (uint64_t)tensor->shape[i];
    return rows;
}

static void slice_memory(Tensor *out, const Tensor *tensor, int axis,
                         int64_t first, int64_t count, int64_t step) {
    tensor_view(out, tensor);
    if (count > 0)
        out->offset += first * tensor->stride[axis];
    out->shape[axis] = count;
    if (count > 1)
        out->stride[axis] *= step;
}

Status tensor_rows(Tensor *out, const Tensor *tensor, int64_t first,
                   int64_t count, int64_t step, Err *err) {
    Status status = check_slice(tensor, "row", 0, first, count, step, err);
    if (status != STATUS_OK)
        return status;
    if (tensor->source == NULL) {
        slice_memory(out, tensor, 0, first, count, step);
        return STATUS_OK;
    }
    uint64_t f = (uint64_t)first, n = (uint64_t)count, s = (uint64_t)step;
    Source *made = NULL;
    if (tensor->axes == 1) {
        status = source_cols(&made, tensor->source, f, n, s, err);
    } else if (tensor->axes == 2) {
        status = source_rows(&made, tensor->source, f, n, s, err);
    } else {
        uint64_t inner = rows_a_step(tensor);
        RowRun run = {f * inner, inner, n > 1 ? s * inner : 0, n};
        status = source_runs(&made, tensor->source, &run, 1, err);
    }
    if (status != STATUS_OK)
        return status;
    view_source(out, tensor, made);
    out->shape[0] = count;
    return STATUS_OK;
}

Status tensor_cols(Tensor *out, const Tensor *tensor, int64_t first,
                   int64_t count, int64_t step, Err *err) {
    int axis = tensor->axes - 1;
    Status status =
        check_slice(tensor, "column", axis, first, count, step, err);
    if (status != STATUS_OK)
        return status;
    if (tensor->source == NULL) {
        slice_memory(out, tensor, axis, first, count, step);
        return STATUS_OK;
    }
    Source *made = NULL;
    status = source_cols(&made, tensor->source, (uint64_t)first,
                         (uint64_t)count, (uint64_t)step, err);
    if (status != STATUS_OK)
        return status;
    view_source(out, tensor, made);
    out->shape[axis] = count;
    return STATUS_OK;
}

Status tensor_slice(Tensor *out, const Tensor *tensor, int axis, int64_t first,
                    int64_t count, int64_t step, Err *err) {
    if (axis < 0 || axis >= tensor->axes)
        return err_set(err, STATUS_ARGUMENT,
                       "axis %d of a tensor of %d: expected 1 to %d", axis + 1,
                       tensor->axes, tensor->axes);
    if (tensor->source != NULL && axis == 0)
        return tensor_rows(out, tensor, first, count, step, err);
    if (tensor->source != NULL && axis == tensor->axes - 1)
        return tensor_cols(out, tensor, first, count, step, err);
    char noun[32];
    snprintf(noun, sizeof noun, "axis %d's subscript", axis + 1);
    Status status = check_slice(tensor, noun, axis, first, count, step, err);
    if (status != STATUS_OK)
        return status;
    if (tensor->source != NULL)
        return err_set(err, STATUS_UNSUPPORTED,
                       "a slice of a file's tensor along axis %d of %d: "
                       "expected the first or the last",
                       axis + 1, tensor->axes);
    slice_memory(out, tensor, axis, first, count, step);
    return STATUS_OK;
}

Status tensor_transpose(Tensor *out, const Tensor *tensor, Err *err) {
    if (tensor->axes != 2)
        return err_set(err, STATUS_ARGUMENT,
                       "transposing a tensor of %d axes: expected 2",
                       tensor->axes);
    if (tensor->source == NULL) {
        tensor_view(out, tensor);
    } else {
        Source *made = NULL;
        Status status = source_transpose(&made, tensor->source, err);
        if (status != STATUS_OK)
            return status;
        view_source(out, tensor, made);
    }
    for (int i = 0; i < 2; i++) {
        out->shape[i] = tensor->shape[1 - i];
        out->stride[i] = tensor->stride[1 - i];
    }
    return STATUS_OK;
}

Status tensor_pick(Tensor *out, const Tensor *tensor, int64_t i, Err *err) {
    if (tensor->axes < 2)
        return err_set(err, STATUS_ARGUMENT,
                       "a row of a tensor of %d axes: expected 2 or more",
                       tensor->axes);
    Tensor row;
    Status status = tensor_rows(&row, tensor, i, 1, 1, err);
    if (status != STATUS_OK)
        return status;
    row.axes--;
    for (int axis = 0; axis < row.axes; axis++) {
        row.shape[axis] = row.shape[axis + 1];
        row.stride[axis] = row.stride[axis + 1];
    }
    *out = row;
    return STATUS_OK;
}

Status tensor_runs(Tensor *out, const Tensor *tensor, const RowRun *runs,
                   size_t count, Err *err) {
    if (tensor->source == NULL || tensor->axes != 2)
        return err_set(err, STATUS_ARGUMENT,
                       "row runs of a tensor of %d axes %s: expected 2 axes "
                       "in a file",
                       tensor->axes,
                       tensor->source == NULL ? "in memory" : "in a file");
    Source *made = NULL;
    int64_t elements;
    Status status = source_runs(&made, tensor->source, runs, count, err);
    if (status != STATUS_OK)
        return status;
    Tensor view;
    view_source(&view, tensor, made);
    view.shape[0] = (int64_t)made->rows;
    status = shape_count(2, view.shape, &elements, err);
    if (status != STATUS_OK) {
        source_release(made);
        return status;
    }
    *out = view;
    return STATUS_OK;
}

/* That the shape has as many elements as the tensor. */
static Status check_reshape(const Tensor *tensor, int axes,
                            const int64_t *shape, Err *err) {
    int64_t count, there = tensor_count(tensor);
    Status status = check_axes(axes, err);
    if (status == STATUS_OK)
        status = shape_count(axes, shape, &count, err);
    if (status != STATUS_OK || count == there)
        return status;
    Tensor wanted = {0};
    char from[256], to[256];
    set_shape(&wanted, axes, shape);
    return err_set(err, STATUS_ARGUMENT,
                   "%s has %" PRId64 " elements: expected %" PRId64 " of %s",
                   tensor_shape_text(to, sizeof to, &wanted), count, there,
                   tensor_shape_text(from, sizeof from, tensor));
}

Status tensor_reshape(Tensor *out, const Tensor *tensor, int axes,
                      const int64_t *shape, Err *err) {
    Tensor made;
    Status status = check_reshape(tensor, axes, shape, err);
    if (status != STATUS_OK)
        return status;
    if (tensor_contiguous(tensor))
        tensor_view(&made, tensor);
    else
        status = tensor_copy(&made, tensor,
                             tensor->source == NULL ? tensor->dtype : DTYPE_F64,
                             err);
    if (status != STATUS_OK)
        return status;
    set_shape(&made, axes, shape);
    set_strides(&made);
    *out = made;
    return STATUS_OK;
}
