/* Arithmetic on tensors, along their axes, and tensors made of nothing.
 *
 * Everything is computed in float64: operands that are of a file, F32 or I64
 * are widened first, and results are F64 but for subscripts and counts (I64).
 * Operands may be views with any strides; results are row-major. NaN behaves
 * as in numpy. Axes and subscripts are 0-based here. Functions that go over
 * many elements poll the cancel flag: STATUS_CANCELLED. Every `out` is created:
 * tensor_release. STATUS_NOMEM, and those of tensor_copy for a file's tensor,
 * are possible everywhere. */
#ifndef WEFT_OPS_H
#define WEFT_OPS_H

#include "tensor.h"

/* ---- element by element ---- */

typedef enum OpsUnary {
    OPS_NEGATE,
    OPS_ABS,
    OPS_LOG,
    OPS_EXP,
    OPS_SQRT
} OpsUnary;

typedef enum OpsBinary {
    OPS_ADD,
    OPS_SUBTRACT,
    OPS_MULTIPLY,
    OPS_DIVIDE
} OpsBinary;

CHECKED Status ops_unary(Tensor *out, OpsUnary op, const Tensor *tensor,
                         Err *err);
/* Shapes are aligned at the right; an axis of 1, or one that is not there,
 * goes with any size (numpy's broadcasting). STATUS_ARGUMENT names two shapes
 * that do not fit. */
CHECKED Status ops_binary(Tensor *out, OpsBinary op, const Tensor *a,
                          const Tensor *b, Err *err);
/* Whether |a - b| <= atol + rtol |b| everywhere, an infinity being close to
 * itself alone and a NaN to nothing (numpy.allclose). Shapes as ops_binary. */
CHECKED Status ops_close(bool *out, const Tensor *a, const Tensor *b,
                         double rtol, double atol, Err *err);

/* ---- along an axis ---- */

typedef enum OpsAlong {
    /* to one value: the axis goes away */
    OPS_SUM,  /* by halves: the error grows as log n */
    OPS_MEAN, /* NaN of nothing */
    OPS_VAR,  /* mean square distance from the mean, over n - number */
    OPS_STD,
    OPS_MIN, /* a NaN among the values is the result; of nothing: an error */
    OPS_MAX,
    OPS_ARGMIN, /* subscript of the first least, or of the first NaN */
    OPS_ARGMAX,
    OPS_PERCENTILE, /* `number` from 0 to 100, between two elements linear */
    OPS_NORM_1,     /* sum of magnitudes */
    OPS_NORM_2,     /* root of the sum of squares, scaled: never overflows */
    OPS_NORM_MAX,   /* largest magnitude */
    /* to as many: the axis stays */
    OPS_SORT, /* rising or falling, NaN last, equal elements in their order */
    OPS_ARGSORT,
    OPS_CUMSUM,
    OPS_DIFF /* to one less */
} OpsAlong;

enum { OPS_ALL = -1 }; /* the elements in row-major order as one axis */

typedef struct OpsWish {
    OpsAlong op;
    int axis;      /* or OPS_ALL */
    double number; /* VAR, STD: ddof; PERCENTILE */
    bool falling;  /* SORT, ARGSORT */
} OpsWish;

/* STATUS_ARGUMENT names an axis that there is not, a percentile out of range,
 * and a least of no elements. With OPS_ALL what has one value has no axes. */
CHECKED Status ops_along(Tensor *out, const OpsWish *wish, const Tensor *tensor,
                         Err *err);

/* numpy.histogram of all elements: `counts` (bins), I64, and `edges`
 * (bins + 1). Bin i takes edges[i] <= x < edges[i + 1], the last also its
 * right edge; what lies outside is not counted. `range` is {low, high}, or
 * NULL: the least and the largest element. STATUS_ARGUMENT names a range that
 * is not finite or not rising. */
CHECKED Status ops_histogram(Tensor *counts, Tensor *edges,
                             const Tensor *tensor, int64_t bins,
                             const double *range, Err *err);

/* ---- products and blocks ---- */

/* The matrix product of (m, k) and (k, n); a tensor of one axis is a row on
 * the left and a column on the right, and its axis goes away: two of them give
 * no axes. STATUS_ARGUMENT names shapes that do not fit. Polls nothing: large
 * ones belong on a worker. (dgemm) */
CHECKED Status ops_matmul(Tensor *out, const Tensor *a, const Tensor *b,
                          Err *err);
/* What it costs in multiplications; 0 where the shapes do not fit. */
double ops_matmul_cost(const Tensor *a, const Tensor *b);

/* Copies `tensor` into `out`, in memory, contiguous, whose shape is the same
 * but along `axis`, where it is to begin at `at`. Values are converted as
 * tensor_copy does. STATUS_ARGUMENT names shapes that do not fit. */
CHECKED Status ops_place(Tensor *out, int axis, int64_t at,
                         const Tensor *tensor, Err *err);

/* ---- made of nothing ---- */

/* All elements are `value`; dtype as tensor_create. */
CHECKED Status ops_full(Tensor *out, Dtype dtype, int axes,
                        const int64_t *shape, double value, Err *err);
/* (rows, cols) with ones on the diagonal. */
CHECKED Status ops_eye(Tensor *out, int64_t rows, int64_t cols, Err *err);
/* start, start + step, … below stop (above it for a falling step): as many,
 * and the same values, as numpy.arange has. STATUS_ARGUMENT for a step of 0
 * and what is not finite. */
CHECKED Status ops_arange(Tensor *out, double start, double stop, double step,
                          Err *err);
/* `count` values from start to stop, both included (numpy.linspace). */
CHECKED Status ops_linspace(Tensor *out, double start, double stop,
                            int64_t count, Err *err);
typedef enum OpsRandom { OPS_NORMAL, OPS_UNIFORM } OpsRandom;
/* Standard normal deviates, or uniform ones in [0, 1), of the seed's stream
 * (random.h), in row-major order. */
CHECKED Status ops_random(Tensor *out, OpsRandom kind, uint64_t seed, int axes,
                          const int64_t *shape, Err *err);

#endif
