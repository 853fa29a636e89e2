/* What the tests of ops share: tensors of random small numbers, views of every
 * kind, and elements one by one. Include after cmocka.h. */
#ifndef WEFT_TEST_VIEWS_H
#define WEFT_TEST_VIEWS_H

#include <math.h>
#include <string.h>

#include "ops.h"
#include "random.h"

static Random stream;

static inline int64_t below(int64_t n) {
    return (int64_t)(random_next(&stream) % (uint64_t)n);
}

static inline void must(Status status, const Err *err) {
    if (status != STATUS_OK)
        print_error("%s\n", err->message);
    assert_int_equal(status, STATUS_OK);
}

/* Subscripts of the i-th element in row-major order. */
static inline void subscripts(const Tensor *t, int64_t i, int64_t *at) {
    for (int axis = t->axes - 1; axis >= 0; axis--) {
        at[axis] = i % t->shape[axis];
        i /= t->shape[axis];
    }
}

static inline double value_at(const Tensor *t, const int64_t *at) {
    double value;
    Err err;
    must(tensor_get(t, at, &value, &err), &err);
    return value;
}

static inline double nth(const Tensor *t, int64_t i) {
    int64_t at[TENSOR_AXES];
    subscripts(t, i, at);
    return value_at(t, at);
}

/* A tensor with small whole numbers, or with a NaN here and there. */
static inline Tensor filled(Dtype dtype, int axes, const int64_t *shape,
                            bool nan) {
    Tensor t;
    Err err;
    must(tensor_create(&t, dtype, axes, shape, &err), &err);
    for (int64_t i = 0; i < tensor_count(&t); i++) {
        int64_t at[TENSOR_AXES];
        subscripts(&t, i, at);
        double value =
            nan && below(6) == 0 ? (double)NAN : (double)(below(9) - 4);
        must(tensor_set(&t, at, value, &err), &err);
    }
    return t;
}

/* A view of `shape`: steps, an offset, a transpose of two axes. */
static inline Tensor view_of(int axes, const int64_t *shape, bool nan) {
    static const Dtype DTYPES[] = {DTYPE_F64, DTYPE_F64, DTYPE_F32, DTYPE_I64};
    Dtype dtype = DTYPES[nan ? 0 : below(4)];
    int64_t whole[TENSOR_AXES], step[TENSOR_AXES], first[TENSOR_AXES];
    bool turned = axes == 2 && below(2) == 0;
    Err err;
    for (int i = 0; i < axes; i++) {
        int64_t size = shape[turned ? 1 - i : i];
        step[i] = 1 + below(3);
        first[i] = below(3);
        whole[i] = first[i] + size * step[i];
    }
    Tensor t = filled(dtype, axes, whole, nan), next;
    for (int i = 0; i < axes; i++) {
        int64_t size = shape[turned ? 1 - i : i];
        must(tensor_slice(&next, &t, i, first[i], size, step[i], &err), &err);
        tensor_release(&t);
        t = next;
    }
    if (turned) {
        must(tensor_transpose(&next, &t, &err), &err);
        tensor_release(&t);
        t = next;
    }
    return t;
}

static inline void same(double a, double b, double tolerance) {
    if (isnan(a) && isnan(b))
        return;
    if (!(a == b || fabs(a - b) <= tolerance * fmax(1.0, fabs(b))))
        fail_msg("%.17g, expected %.17g", a, b);
}

#endif
