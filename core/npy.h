/* .npy: one array a file, as numpy's format 1.0 to 3.0 describes it.
 *
 *     \x93NUMPY | major, minor | header's length (u16; from 2.0 on u32) |
 *     {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } | data
 *
 * Nothing of the header is evaluated, and objects are never read. */
#ifndef WEFT_NPY_H
#define WEFT_NPY_H

#include "cursor.h"
#include "tensor.h"

/* What a header says. The data are `bytes` bytes, `swapped` where they are
 * big-endian, `fortran` where the first axis is the fastest. */
typedef struct NpyHeader {
    Dtype dtype; /* as stored */
    bool swapped, fortran;
    int axes;
    int64_t shape[TENSOR_AXES];
    uint64_t bytes;
} NpyHeader;

/* The header at the cursor, which then stands at the data; the cursor's end is
 * the array's. Statuses as npy_read's; messages without a path. */
CHECKED Status npy_header(Cursor *cursor, NpyHeader *out, Err *err);

/* Turns the bytes of n elements of `width` bytes round. */
void npy_swap(uint8_t *bytes, size_t width, size_t n);

/* The array as a tensor in memory: f2 and f4 as F32, f8 as F64, integers of 1
 * to 8 bytes and b1 as I64, all exact, in either byte order; one in Fortran
 * order is a view with such strides. *extra is how many bytes follow the data.
 * Messages begin with the escaped path. STATUS_FORMAT where the file breaks
 * the format's rules, or has less data than it says; STATUS_UNSUPPORTED names
 * another descr, more than TENSOR_AXES axes, a u8 of 2^63 or more;
 * STATUS_CANCELLED. Creates. */
CHECKED Status npy_read(Tensor *out, const char *path, uint64_t *extra,
                        Err *err);

/* Writes '<f8', '<f4' or '<i8' in C order, version 1.0, the same bytes that
 * numpy.save writes, whole or not at all (system_write). A file's tensor is
 * read as F64. */
CHECKED Status npy_write(const char *path, const Tensor *tensor, Err *err);

#endif
