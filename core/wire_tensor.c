/* Tensors and factors in messages. */
#include "wire_tensor.h"

#include <stdlib.h>
#include <string.h>

enum { OF_MEMORY, OF_FILE };

/* As spectrum.c looks at it: the way a matrix lies decides the order of sums,
 * so that a copy has to lie the same way. */
static bool lies_by_columns(const Tensor *tensor) {
    return tensor->axes == 2 &&
           llabs(tensor->stride[0]) < llabs(tensor->stride[1]);
}

static void wire_shape(Wire *wire, const Tensor *tensor) {
    wire_u64(wire, (uint64_t)tensor->axes);
    for (int i = 0; i < tensor->axes; i++)
        wire_u64(wire, (uint64_t)tensor->shape[i]);
}

/* The values, row-major, of the tensor or of its transpose. */
static void wire_values(Wire *wire, const Tensor *tensor) {
    Tensor copy = {0}, turned = {0};
    bool flipped = lies_by_columns(tensor);
    Status status = STATUS_OK;
    if (tensor_bytes(tensor) > WIRE_MOST) {
        wire_fail(wire, STATUS_UNSUPPORTED,
                  "a tensor of memory too large for a message");
        return;
    }
    if (flipped)
        status = tensor_transpose(&turned, tensor, &wire->err);
    else
        tensor_view(&turned, tensor);
    if (status == STATUS_OK)
        status = tensor_copy(&copy, &turned, tensor->dtype, &wire->err);
    if (status == STATUS_OK) {
        wire_u64(wire, (uint64_t)tensor->dtype);
        wire_u64(wire, flipped);
        wire_shape(wire, &copy);
        wire_block(wire, tensor_data(&copy), (size_t)tensor_bytes(&copy));
    } else {
        wire->status = status;
    }
    tensor_release(&turned);
    tensor_release(&copy);
}

void wire_tensor(Wire *wire, const Tensor *tensor) {
    if (wire->status != STATUS_OK)
        return;
    wire_u64(wire, tensor_in_memory(tensor) ? OF_MEMORY : OF_FILE);
    if (tensor_in_memory(tensor)) {
        wire_values(wire, tensor);
        return;
    }
    wire_shape(wire, tensor);
    wire_source(wire, tensor->source);
}

bool wire_tensor_able(const Tensor *tensor) {
    return tensor_in_memory(tensor) ? tensor_bytes(tensor) <= WIRE_MOST
                                    : wire_source_able(tensor->source);
}

static Status take_shape(WireReader *from, int *axes, int64_t *shape,
                         Err *err) {
    uint64_t count = 0, size = 0;
    Status status = take_most(from, &count, TENSOR_AXES, "axes", err);
    *axes = (int)count;
    for (int i = 0; i < *axes && status == STATUS_OK; i++) {
        status = take_most(from, &size, INT64_MAX, "shape", err);
        shape[i] = (int64_t)size;
    }
    return status;
}

/* Whether there are at most `most` values. */
static bool shape_held(int axes, const int64_t *shape, uint64_t most) {
    uint64_t count = 1;
    for (int i = 0; i < axes; i++)
        if (shape[i] == 0)
            return true;
    for (int i = 0; i < axes; i++)
        if (__builtin_mul_overflow(count, (uint64_t)shape[i], &count) ||
            count > most)
            return false;
    return true;
}

/* Fills a new tensor with the message's values; of one that lay by columns
 * it gives the transpose, which does again. */
static Status take_values(WireReader *from, Tensor *out, Err *err) {
    uint64_t dtype = 0, flipped = 0;
    int axes = 0;
    int64_t shape[TENSOR_AXES] = {0};
    Status status = take_most(from, &dtype, DTYPE_COUNT - 1, "dtype", err);
    if (status == STATUS_OK)
        status = take_most(from, &flipped, 1, "transposed", err);
    if (status == STATUS_OK)
        status = take_shape(from, &axes, shape, err);
    if (status == STATUS_OK && !shape_held(axes, shape, from->count - from->at))
        status = err_set(err, STATUS_FORMAT,
                         "a message's tensor has more values than bytes");
    if (status != STATUS_OK)
        return status;
    Tensor made;
    status = tensor_create(&made, (Dtype)dtype, axes, shape, err);
    if (status != STATUS_OK)
        return status;
    status = take_block(from, tensor_data(&made), (size_t)tensor_bytes(&made),
                        "values", err);
    if (status == STATUS_OK && flipped) {
        status = tensor_transpose(out, &made, err);
        if (status == STATUS_OK && !lies_by_columns(out) && out->axes == 2)
            out->stride[0] = 0; /* of one row, where it says nothing else */
    } else if (status == STATUS_OK) {
        tensor_view(out, &made);
    }
    tensor_release(&made);
    return status;
}

Status take_tensor(WireReader *from, WireFiles *files, Tensor *out, Err *err) {
    uint64_t kind = 0;
    int axes = 0;
    int64_t shape[TENSOR_AXES] = {0};
    Source *source = NULL;
    Status status = take_most(from, &kind, OF_FILE, "tensor", err);
    if (status == STATUS_OK && kind == OF_MEMORY)
        return take_values(from, out, err);
    if (status == STATUS_OK)
        status = take_shape(from, &axes, shape, err);
    if (status == STATUS_OK)
        status = take_source(from, files, &source, err);
    if (status == STATUS_OK)
        status = tensor_from_source(out, source, axes, shape, err);
    source_release(source);
    return status;
}

/* ---- factors ---- */

void wire_factor(Wire *wire, const Factor *factor) {
    wire_u64(wire, factor->count);
    for (size_t i = 0; i < factor->count; i++) {
        const FactorBlock *block = &factor->block[i];
        wire_u64(wire, block->product);
        wire_tensor(wire, &block->matrix);
        if (block->product)
            wire_tensor(wire, &block->by);
    }
}

bool wire_factor_able(const Factor *factor) {
    bool able = true;
    for (size_t i = 0; i < factor->count && able; i++) {
        const FactorBlock *block = &factor->block[i];
        able = wire_tensor_able(&block->matrix) &&
               (!block->product || wire_tensor_able(&block->by));
    }
    return able;
}

static Status take_factor_block(WireReader *from, WireFiles *files,
                                Factor *factor, Err *err) {
    uint64_t product = 0;
    Tensor matrix = {0}, by = {0};
    Status status = take_most(from, &product, 1, "product", err);
    if (status == STATUS_OK)
        status = take_tensor(from, files, &matrix, err);
    if (status == STATUS_OK && product)
        status = take_tensor(from, files, &by, err);
    if (status == STATUS_OK)
        status = factor_add(factor, &matrix, product ? &by : NULL, err);
    tensor_release(&matrix);
    tensor_release(&by);
    return status;
}

Status take_factor(WireReader *from, WireFiles *files, Factor **out, Err *err) {
    enum { LEAST = 2 * 8 }; /* bytes a block */
    uint64_t count = 0;
    Factor *made = NULL;
    Status status = take_count(from, &count, LEAST, "blocks", err);
    if (status == STATUS_OK)
        status = factor_create(&made, (size_t)count, err);
    for (uint64_t i = 0; i < count && status == STATUS_OK; i++)
        status = take_factor_block(from, files, made, err);
    if (status == STATUS_OK)
        *out = made;
    else
        factor_release(made);
    return status;
}
