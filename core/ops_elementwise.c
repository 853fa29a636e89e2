/* Element by element: walked by rows of the result. */
#include <inttypes.h>
#include <math.h>

#include "ops.h"
#include "ops_values.h"

enum { STRETCH = 1 << 16 }; /* elements between two looks at the cancel flag */

/* n results of two rows; a step is 0 where the operand is one value there. */
typedef void BinaryRow(double *out, const double *a, int64_t a_step,
                       const double *b, int64_t b_step, int64_t n);

#define BINARY_ROW(name, operator)                                             \
    static void name(double *out, const double *a, int64_t a_step,             \
                     const double *b, int64_t b_step, int64_t n) {             \
        for (int64_t i = 0; i < n; i++)                                        \
            out[i] = a[i * a_step] operator b[i * b_step];                     \
    }

BINARY_ROW(add_row, +)
BINARY_ROW(subtract_row, -)
BINARY_ROW(multiply_row, *)
BINARY_ROW(divide_row, /)

static BinaryRow *const BINARY[] = {
    [OPS_ADD] = add_row,
    [OPS_SUBTRACT] = subtract_row,
    [OPS_MULTIPLY] = multiply_row,
    [OPS_DIVIDE] = divide_row,
};

static double negate(double x) {
    return -x;
}

static double (*const UNARY[])(double) = {
    [OPS_NEGATE] = negate, [OPS_ABS] = fabs,  [OPS_LOG] = log,
    [OPS_EXP] = exp,       [OPS_SQRT] = sqrt,
};

/* Two operands stretched to one shape: steps of 0 along what is repeated. */
typedef struct Pair {
    int axes;
    int64_t shape[TENSOR_AXES];
    int64_t step[2][TENSOR_AXES];
    Tensor values[2]; /* as ops_values */
} Pair;

static Status refuse_shapes(const Tensor *a, const Tensor *b, int64_t left,
                            int64_t right, int from_right, Err *err) {
    char first[256], second[256];
    return err_set(err, STATUS_ARGUMENT,
                   "shapes %s and %s do not fit: %" PRId64 " and %" PRId64
                   " at axis %d from the right, expected the same or 1",
                   tensor_shape_text(first, sizeof first, a),
                   tensor_shape_text(second, sizeof second, b), left, right,
                   from_right);
}

static int64_t size_from_right(const Tensor *tensor, int i) {
    return i < tensor->axes ? tensor->shape[tensor->axes - 1 - i] : 1;
}

static Status pair_shape(Pair *pair, const Tensor *a, const Tensor *b,
                         Err *err) {
    pair->axes = a->axes > b->axes ? a->axes : b->axes;
    for (int i = 0; i < pair->axes; i++) {
        int64_t left = size_from_right(a, i), right = size_from_right(b, i);
        if (left != right && left != 1 && right != 1)
            return refuse_shapes(a, b, left, right, i + 1, err);
        pair->shape[pair->axes - 1 - i] = left == 1 ? right : left;
    }
    return STATUS_OK;
}

static void pair_steps(Pair *pair, int which) {
    const Tensor *values = &pair->values[which];
    int missing = pair->axes - values->axes;
    for (int i = 0; i < pair->axes; i++) {
        bool one = i < missing || values->shape[i - missing] == 1;
        pair->step[which][i] = one ? 0 : values->stride[i - missing];
    }
}

static void pair_release(Pair *pair) {
    tensor_release(&pair->values[0]);
    tensor_release(&pair->values[1]);
}

static Status pair_make(Pair *pair, const Tensor *a, const Tensor *b,
                        Err *err) {
    *pair = (Pair){0};
    Status status = pair_shape(pair, a, b, err);
    if (status == STATUS_OK)
        status = ops_values(&pair->values[0], a, err);
    if (status == STATUS_OK)
        status = ops_values(&pair->values[1], b, err);
    if (status != STATUS_OK) {
        pair_release(pair);
        return status;
    }
    pair_steps(pair, 0);
    pair_steps(pair, 1);
    return STATUS_OK;
}

/* Takes n elements of both operands, the first of them `at` in row-major
 * order. */
typedef void PairRow(void *context, int64_t at, const double *a, int64_t a_step,
                     const double *b, int64_t b_step, int64_t n);

/* Moves to the next row: over all axes but the last. */
static bool next_row(const Pair *pair, int64_t *index, const double **row) {
    for (int axis = pair->axes - 2; axis >= 0; axis--) {
        bool more = ++index[axis] < pair->shape[axis];
        int64_t moves = more ? 1 : 1 - pair->shape[axis];
        row[0] += moves * pair->step[0][axis];
        row[1] += moves * pair->step[1][axis];
        if (more)
            return true;
        index[axis] = 0;
    }
    return false;
}

/* One row of `width`, by stretches. */
static Status walk_row(const Pair *pair, PairRow *each, void *context,
                       int64_t at, int64_t width, const double *const *row,
                       Err *err) {
    int last = pair->axes - 1;
    int64_t a_step = last < 0 ? 0 : pair->step[0][last];
    int64_t b_step = last < 0 ? 0 : pair->step[1][last];
    Status status = STATUS_OK;
    for (int64_t i = 0; i < width && status == STATUS_OK; i += STRETCH) {
        int64_t n = width - i < STRETCH ? width - i : STRETCH;
        each(context, at + i, row[0] + i * a_step, a_step, row[1] + i * b_step,
             b_step, n);
        status = ops_poll(err);
    }
    return status;
}

static Status pair_walk(const Pair *pair, PairRow *each, void *context,
                        Err *err) {
    int64_t index[TENSOR_AXES] = {0}, at = 0;
    int64_t width = pair->axes == 0 ? 1 : pair->shape[pair->axes - 1];
    const double *row[2] = {tensor_data(&pair->values[0]),
                            tensor_data(&pair->values[1])};
    Status status = STATUS_OK;
    for (int i = 0; i < pair->axes; i++) {
        if (pair->shape[i] == 0)
            return STATUS_OK;
    }
    do {
        status = walk_row(pair, each, context, at, width, row, err);
        at += width;
    } while (status == STATUS_OK && next_row(pair, index, row));
    return status;
}

/* ---- arithmetic ---- */

typedef struct Arithmetic {
    BinaryRow *row;
    double *out;
} Arithmetic;

static void arithmetic_row(void *context, int64_t at, const double *a,
                           int64_t a_step, const double *b, int64_t b_step,
                           int64_t n) {
    const Arithmetic *work = context;
    work->row(work->out + at, a, a_step, b, b_step, n);
}

Status ops_binary(Tensor *out, OpsBinary op, const Tensor *a, const Tensor *b,
                  Err *err) {
    Pair pair;
    Tensor made = {0};
    Status status = pair_make(&pair, a, b, err);
    if (status != STATUS_OK)
        return status;
    status = tensor_create(&made, DTYPE_F64, pair.axes, pair.shape, err);
    if (status == STATUS_OK) {
        Arithmetic work = {BINARY[op], tensor_data(&made)};
        status = pair_walk(&pair, arithmetic_row, &work, err);
    }
    pair_release(&pair);
    if (status != STATUS_OK) {
        tensor_release(&made);
        return status;
    }
    *out = made;
    return STATUS_OK;
}

/* A copy as F64 changed in place: no operand is walked by its strides. */
Status ops_unary(Tensor *out, OpsUnary op, const Tensor *tensor, Err *err) {
    Tensor made;
    Status status = tensor_copy(&made, tensor, DTYPE_F64, err);
    if (status != STATUS_OK)
        return status;
    double *x = tensor_data(&made);
    int64_t count = tensor_count(&made);
    for (int64_t i = 0; i < count && status == STATUS_OK; i++) {
        x[i] = UNARY[op](x[i]);
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

/* ---- closeness ---- */

typedef struct Closeness {
    double rtol, atol;
    bool close;
} Closeness;

static bool value_close(const Closeness *work, double a, double b) {
    if (!isfinite(b) || !isfinite(a))
        return a == b;
    return fabs(a - b) <= work->atol + work->rtol * fabs(b);
}

static void close_row(void *context, int64_t at, const double *a,
                      int64_t a_step, const double *b, int64_t b_step,
                      int64_t n) {
    Closeness *work = context;
    (void)at;
    for (int64_t i = 0; i < n && work->close; i++)
        work->close = value_close(work, a[i * a_step], b[i * b_step]);
}

Status ops_close(bool *out, const Tensor *a, const Tensor *b, double rtol,
                 double atol, Err *err) {
    Pair pair;
    Closeness work = {rtol, atol, true};
    Status status = pair_make(&pair, a, b, err);
    if (status != STATUS_OK)
        return status;
    status = pair_walk(&pair, close_row, &work, err);
    pair_release(&pair);
    if (status == STATUS_OK)
        *out = work.close;
    return status;
}
