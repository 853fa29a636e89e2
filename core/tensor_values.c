/* Values of tensors: getting, setting, reading blocks, copying. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor.h"

enum {
    PANEL = 1 << 17, /* float64 values converted at a time: 1 MB */
    TILE_ROWS = 32,  /* of a strided copy: what is read stays in the cache */
    TILE_COLS = 256
};

/* The element `at` elements past a memory tensor's first. */
static void *element(const Tensor *tensor, int64_t at) {
    return (unsigned char *)tensor_data(tensor) +
           at * dtype_row(tensor->dtype)->bytes;
}

/* n values from src on, `stride` elements apart, as float64. */
static void load_values(double *dst, const void *src, Dtype dtype,
                        int64_t stride, size_t n) {
    const double *f64 = src;
    const float *f32 = src;
    const int64_t *i64 = src;
    if (dtype == DTYPE_F64 && stride == 1) {
        memcpy(dst, src, n * sizeof *dst);
    } else if (dtype == DTYPE_F64) {
        for (size_t i = 0; i < n; i++)
            dst[i] = f64[(int64_t)i * stride];
    } else if (dtype == DTYPE_F32) {
        for (size_t i = 0; i < n; i++)
            dst[i] = (double)f32[(int64_t)i * stride];
    } else {
        for (size_t i = 0; i < n; i++)
            dst[i] = (double)i64[(int64_t)i * stride];
    }
}

static bool fits_i64(double x) {
    return x >= -0x1p63 && x < 0x1p63;
}

/* Stores up to n values; how many before one that does not fit. */
static size_t store_values(void *dst, Dtype dtype, const double *src,
                           size_t n) {
    float *f32 = dst;
    int64_t *i64 = dst;
    if (dtype == DTYPE_F64) {
        memcpy(dst, src, n * sizeof *src);
        return n;
    }
    if (dtype == DTYPE_F32) {
        for (size_t i = 0; i < n; i++)
            f32[i] = (float)src[i];
        return n;
    }
    for (size_t i = 0; i < n; i++) {
        if (!fits_i64(src[i]))
            return i;
        i64[i] = (int64_t)src[i];
    }
    return n;
}

/* That the element at `index` in row-major order does not fit an i64. */
static Status refuse_value(const Tensor *tensor, int64_t index, double value,
                           Err *err) {
    Tensor at = {.axes = tensor->axes};
    char text[256], number[32];
    for (int i = tensor->axes - 1; i >= 0; i--) {
        at.shape[i] = index % tensor->shape[i] + 1;
        index /= tensor->shape[i];
    }
    snprintf(number, sizeof number, "%.17g", value);
    return err_set(err, STATUS_ARGUMENT,
                   "element %s is %s: expected a number in the range of I64",
                   tensor_shape_text(text, sizeof text, &at),
                   isnan(value) ? "nan" : number);
}

/* Where the subscripts point: in row-major order, and in memory. */
static Status locate(const Tensor *tensor, const int64_t *at, int64_t *linear,
                     int64_t *index, Err *err) {
    *linear = *index = 0;
    for (int i = 0; i < tensor->axes; i++) {
        int64_t size = tensor->shape[i];
        if (at[i] < 0 || at[i] >= size)
            return err_set(err, STATUS_ARGUMENT,
                           "subscript %d is %" PRId64
                           ": expected 1 to %" PRId64,
                           i + 1, at[i] + (at[i] < INT64_MAX), size);
        *index += at[i] * tensor->stride[i];
        *linear = *linear * size + at[i];
    }
    return STATUS_OK;
}

Status tensor_get(const Tensor *tensor, const int64_t *at, double *out,
                  Err *err) {
    int64_t linear, index;
    Status status = locate(tensor, at, &linear, &index, err);
    if (status != STATUS_OK)
        return status;
    if (tensor->source == NULL) {
        load_values(out, element(tensor, index), tensor->dtype, 1, 1);
        return STATUS_OK;
    }
    Scratch scratch = {0};
    uint64_t cols = source_view_cols(tensor->source);
    double value;
    status = source_read(tensor->source, (uint64_t)linear / cols, 1,
                         (uint64_t)linear % cols, 1, &value, 1, NULL, &scratch,
                         0, err);
    scratch_release(&scratch);
    if (status == STATUS_OK)
        *out = value;
    return status;
}

Status tensor_set(Tensor *tensor, const int64_t *at, double value, Err *err) {
    int64_t linear, index;
    if (tensor->source != NULL)
        return err_set(err, STATUS_ARGUMENT,
                       "setting an element of a file's tensor: expected one "
                       "in memory");
    Status status = locate(tensor, at, &linear, &index, err);
    if (status != STATUS_OK)
        return status;
    if (store_values(element(tensor, index), tensor->dtype, &value, 1) == 1)
        return STATUS_OK;
    return refuse_value(tensor, linear, value, err);
}

/* A matrix of a tensor in memory: one row of one axis, or the last two. */
typedef struct Plane {
    int64_t rows, cols, row_stride, col_stride;
} Plane;

static Plane plane_of(const Tensor *tensor) {
    Plane plane = {1, 1, 0, 0};
    int last = tensor->axes - 1;
    if (last >= 0) {
        plane.cols = tensor->shape[last];
        plane.col_stride = tensor->stride[last];
    }
    if (last >= 1) {
        plane.rows = tensor->shape[last - 1];
        plane.row_stride = tensor->stride[last - 1];
    }
    return plane;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void read_memory(const Tensor *tensor, const Plane *plane, int64_t r0,
                        int64_t nr, int64_t c0, int64_t nc, double *dst,
                        int64_t ld, NonFinite *bad) {
    for (int64_t i0 = 0; i0 < nr; i0 += TILE_ROWS) {
        for (int64_t j = 0; j < nc; j += TILE_COLS) {
            size_t n = (size_t)least(TILE_COLS, nc - j);
            for (int64_t i = i0; i < least(nr, i0 + TILE_ROWS); i++) {
                int64_t at =
                    (r0 + i) * plane->row_stride + (c0 + j) * plane->col_stride;
                double *line = dst + i * ld + j;
                load_values(line, element(tensor, at), tensor->dtype,
                            plane->col_stride, n);
                if (bad != NULL)
                    nonfinite_scan(bad, line, n, (uint64_t)(r0 + i),
                                   (uint64_t)(c0 + j), false);
            }
        }
    }
}

static Status check_range(const char *noun, int64_t size, int64_t first,
                          int64_t count, Err *err) {
    if (first < 0 || count < 0)
        return err_set(err, STATUS_ARGUMENT,
                       "%" PRId64 " %ss from %s %" PRId64
                       " on: expected none below 1",
                       count, noun, noun, first + 1);
    return span_check(noun, (uint64_t)size, (uint64_t)first, (uint64_t)count, 1,
                      err);
}

Status tensor_read(const Tensor *tensor, int64_t r0, int64_t nr, int64_t c0,
                   int64_t nc, double *dst, int64_t ld, NonFinite *bad,
                   Scratch *scratch, int slot, Err *err) {
    if (tensor->axes != 1 && tensor->axes != 2)
        return err_set(err, STATUS_ARGUMENT,
                       "reading a tensor of %d axes as a matrix: expected 1 "
                       "or 2",
                       tensor->axes);
    int64_t rows = tensor->axes == 2 ? tensor->shape[0] : 1;
    int64_t cols = tensor->shape[tensor->axes - 1];
    Status status = check_range("row", rows, r0, nr, err);
    if (status == STATUS_OK)
        status = check_range("column", cols, c0, nc, err);
    if (status != STATUS_OK)
        return status;
    if (tensor->source != NULL)
        return source_read(tensor->source, (uint64_t)r0, (uint64_t)nr,
                           (uint64_t)c0, (uint64_t)nc, dst, (uint64_t)ld, bad,
                           scratch, slot, err);
    Plane plane = plane_of(tensor);
    read_memory(tensor, &plane, r0, nr, c0, nc, dst, ld, bad);
    return STATUS_OK;
}

/* Converts n <= TILE_COLS values; how many before one that does not fit. */
static size_t convert_values(void *dst, Dtype to, const void *src, Dtype from,
                             int64_t stride, size_t n) {
    const int64_t *i64 = src;
    double wide[TILE_COLS];
    if (from == DTYPE_I64 && to == DTYPE_I64) {
        for (size_t i = 0; i < n; i++)
            ((int64_t *)dst)[i] = i64[(int64_t)i * stride];
        return n;
    }
    if (from == DTYPE_I64 && to == DTYPE_F32) {
        /* rounded once, not to float64 first */
        for (size_t i = 0; i < n; i++)
            ((float *)dst)[i] = (float)i64[(int64_t)i * stride];
        return n;
    }
    load_values(wide, src, from, stride, n);
    return store_values(dst, to, wide, n);
}

/* Copies the matrix at element `at`; it begins at `index` of out. */
static Status copy_plane(Tensor *out, const Tensor *tensor, const Plane *plane,
                         int64_t at, int64_t index, Err *err) {
    for (int64_t i0 = 0; i0 < plane->rows; i0 += TILE_ROWS) {
        for (int64_t j = 0; j < plane->cols; j += TILE_COLS) {
            size_t n = (size_t)least(TILE_COLS, plane->cols - j);
            for (int64_t i = i0; i < least(plane->rows, i0 + TILE_ROWS); i++) {
                int64_t from =
                    at + i * plane->row_stride + j * plane->col_stride;
                int64_t to = index + i * plane->cols + j;
                size_t done = convert_values(
                    element(out, to), out->dtype, element(tensor, from),
                    tensor->dtype, plane->col_stride, n);
                if (done == n)
                    continue;
                double value;
                from += (int64_t)done * plane->col_stride;
                load_values(&value, element(tensor, from), tensor->dtype, 1, 1);
                return refuse_value(tensor, to + (int64_t)done, value, err);
            }
        }
    }
    return STATUS_OK;
}

/* Copies matrix by matrix over all axes before the last two. */
static Status copy_memory(Tensor *out, const Tensor *tensor, Err *err) {
    Plane plane = plane_of(tensor);
    int64_t at[TENSOR_AXES] = {0}, from = 0, to = 0;
    int axis = 0;
    if (tensor_count(tensor) == 0)
        return STATUS_OK;
    while (axis >= 0) {
        Status status = copy_plane(out, tensor, &plane, from, to, err);
        if (status != STATUS_OK)
            return status;
        to += plane.rows * plane.cols;
        for (axis = tensor->axes - 3; axis >= 0; axis--) {
            from += tensor->stride[axis];
            if (++at[axis] < tensor->shape[axis])
                break;
            from -= at[axis] * tensor->stride[axis];
            at[axis] = 0;
        }
    }
    return STATUS_OK;
}

/* Reads a panel of a file's matrix and stores it converted. */
static Status copy_panel(Tensor *out, const Source *source, int64_t r0,
                         int64_t nr, int64_t c0, int64_t nc, Scratch *scratch,
                         Err *err) {
    int64_t cols = (int64_t)source_view_cols(source);
    double *panel =
        scratch_take(scratch, 1, (size_t)(nr * nc), sizeof *panel, err);
    if (panel == NULL)
        return STATUS_NOMEM;
    Status status =
        source_read(source, (uint64_t)r0, (uint64_t)nr, (uint64_t)c0,
                    (uint64_t)nc, panel, (uint64_t)nc, NULL, scratch, 0, err);
    for (int64_t i = 0; i < nr && status == STATUS_OK; i++) {
        int64_t to = (r0 + i) * cols + c0;
        const double *line = panel + i * nc;
        size_t done =
            store_values(element(out, to), out->dtype, line, (size_t)nc);
        if (done < (size_t)nc)
            status = refuse_value(out, to + (int64_t)done, line[done], err);
    }
    return status;
}

/* Reads a file's matrix: in one go as float64, else by panels that are whole
 * stored rows, so that no byte is read twice. */
static Status copy_file(Tensor *out, const Source *source, Scratch *scratch,
                        Err *err) {
    int64_t rows = (int64_t)source_view_rows(source);
    int64_t cols = (int64_t)source_view_cols(source);
    if (out->dtype == DTYPE_F64)
        return source_read(source, 0, (uint64_t)rows, 0, (uint64_t)cols,
                           tensor_data(out), (uint64_t)cols, NULL, scratch, 0,
                           err);
    if (rows == 0 || cols == 0)
        return STATUS_OK;
    int64_t nr = least(rows, PANEL), nc = least(cols, PANEL);
    if (source->transposed)
        nc = least(cols, PANEL / nr);
    else
        nr = least(rows, PANEL / nc);
    for (int64_t r = 0; r < rows; r += nr) {
        for (int64_t c = 0; c < cols; c += nc) {
            Status status = copy_panel(out, source, r, least(nr, rows - r), c,
                                       least(nc, cols - c), scratch, err);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

Status tensor_copy(Tensor *out, const Tensor *tensor, Dtype dtype, Err *err) {
    Tensor made;
    Scratch scratch = {0};
    Status status =
        tensor_create(&made, dtype, tensor->axes, tensor->shape, err);
    if (status != STATUS_OK)
        return status;
    status = tensor->source == NULL
                 ? copy_memory(&made, tensor, err)
                 : copy_file(&made, tensor->source, &scratch, err);
    scratch_release(&scratch);
    if (status != STATUS_OK) {
        tensor_release(&made);
        return status;
    }
    *out = made;
    return STATUS_OK;
}
