/* Tensors: in memory (f64, f32, i64) or of a file (any dtype, read-only).
 *
 * A Tensor is a small value that keeps its storage or its source; copying the
 * struct is not copying the tensor (tensor_view is). Up to 8 axes; strides in
 * elements. A file's tensor has no strides of its own: its Source says where
 * the rows lie, and its last two axes are the source's. */
#ifndef WEFT_TENSOR_H
#define WEFT_TENSOR_H

#include "source.h"

enum { TENSOR_AXES = 8 };

typedef struct Storage Storage; /* counted block of memory */

typedef struct Tensor {
    Dtype dtype;
    int axes;
    int64_t shape[TENSOR_AXES];
    int64_t stride[TENSOR_AXES]; /* memory only */
    int64_t offset;              /* memory only: of the first element */
    Storage *storage;            /* NULL for a file's tensor */
    Source *source;              /* NULL for a tensor in memory */
} Tensor;

/* A new tensor in memory, row-major, zeroed. dtype is F64, F32 or I64.
 * STATUS_ARGUMENT for a negative size, too many axes or an overflow. Creates:
 * tensor_release. */
CHECKED Status tensor_create(Tensor *out, Dtype dtype, int axes,
                             const int64_t *shape, Err *err);
/* A file's tensor over `source` (kept). `shape` has the product of all but
 * the last axis = rows, the last = cols; with 0 or 1 axes the source is one
 * row. Creates. */
CHECKED Status tensor_from_source(Tensor *out, Source *source, int axes,
                                  const int64_t *shape, Err *err);
/* Another Tensor of the same data. Views. */
void tensor_view(Tensor *out, const Tensor *tensor);
void tensor_release(Tensor *tensor);

int64_t tensor_count(const Tensor *tensor); /* elements */
/* Of its elements as stored; by a recipe without the scales. */
uint64_t tensor_bytes(const Tensor *tensor);
bool tensor_in_memory(const Tensor *tensor);

/* Views: rows and columns are 0-based here, `count` of them from `first`,
 * every `step`-th. Rows are the first axis, columns the last. Bounds are
 * checked; the message names the axis, the index and the size, and counts from
 * one: "row 9 of 8: expected 1 to 8". */
CHECKED Status tensor_rows(Tensor *out, const Tensor *tensor, int64_t first,
                           int64_t count, int64_t step, Err *err);
CHECKED Status tensor_cols(Tensor *out, const Tensor *tensor, int64_t first,
                           int64_t count, int64_t step, Err *err);
/* The same along any axis, 0-based. Of a file's tensor only along the first
 * and the last: else STATUS_UNSUPPORTED, copy first. */
CHECKED Status tensor_slice(Tensor *out, const Tensor *tensor, int axis,
                            int64_t first, int64_t count, int64_t step,
                            Err *err);
CHECKED Status tensor_transpose(Tensor *out, const Tensor *tensor, Err *err);
/* tensor[i] along the first axis, which goes away. At least 2 axes. */
CHECKED Status tensor_pick(Tensor *out, const Tensor *tensor, int64_t i,
                           Err *err);
/* Rows in the order of runs (a file's 2-axis tensor). */
CHECKED Status tensor_runs(Tensor *out, const Tensor *tensor,
                           const RowRun *runs, size_t count, Err *err);

/* Reads the block (r0, c0) .. nr x nc of a tensor of 1 or 2 axes (1 axis is
 * one row) as float64, row-major, ld elements between rows. See source_read. */
CHECKED Status tensor_read(const Tensor *tensor, int64_t r0, int64_t nr,
                           int64_t c0, int64_t nc, double *dst, int64_t ld,
                           NonFinite *bad, Scratch *scratch, int slot,
                           Err *err);
/* One element of a tensor in memory or of a file, by its 0-based subscripts,
 * as float64 (int64 beyond 2^53 rounds). */
CHECKED Status tensor_get(const Tensor *tensor, const int64_t *at, double *out,
                          Err *err);
/* Sets one element, converted as tensor_copy converts; a file's tensor is
 * STATUS_ARGUMENT. */
CHECKED Status tensor_set(Tensor *tensor, const int64_t *at, double value,
                          Err *err);
/* A contiguous copy in memory as F64, F32 or I64. To I64 the fraction is cut
 * off; a value that is not finite or out of range is STATUS_ARGUMENT and names
 * the element. A file's values pass through float64. Creates. */
CHECKED Status tensor_copy(Tensor *out, const Tensor *tensor, Dtype dtype,
                           Err *err);
/* Another shape of the same elements in row-major order. Views a contiguous
 * tensor in memory, else creates a copy: of a file's as F64. STATUS_ARGUMENT
 * where the shape holds another number of elements. */
CHECKED Status tensor_reshape(Tensor *out, const Tensor *tensor, int axes,
                              const int64_t *shape, Err *err);
/* The address of a memory tensor's first element; NULL for a file's. */
void *tensor_data(const Tensor *tensor);
bool tensor_contiguous(const Tensor *tensor);
/* "[576, 1536]" into out. Returns out. */
char *tensor_shape_text(char *out, size_t size, const Tensor *tensor);

#endif
