/* Arithmetic and what goes along axes against their definitions, on views of
 * every kind. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "views.h"

/* ---- element by element ---- */

static double arithmetic(OpsBinary op, double a, double b) {
    return op == OPS_ADD        ? a + b
           : op == OPS_SUBTRACT ? a - b
           : op == OPS_MULTIPLY ? a * b
                                : a / b;
}

/* The element that `at` of the result stands for in a stretched operand. */
static double stretched(const Tensor *t, const Tensor *out, const int64_t *at) {
    int64_t own[TENSOR_AXES];
    for (int i = 0; i < t->axes; i++) {
        int64_t from = at[out->axes - t->axes + i];
        own[i] = t->shape[i] == 1 ? 0 : from;
    }
    return value_at(t, own);
}

static void test_binary(void **state) {
    (void)state;
    for (int round = 0; round < 400; round++) {
        int axes = (int)below(5), skip = axes == 0 ? 0 : (int)below(axes + 1);
        int64_t full[TENSOR_AXES], a_shape[TENSOR_AXES], b_shape[TENSOR_AXES];
        for (int i = 0; i < axes; i++) {
            full[i] = below(12) == 0 ? 0 : 1 + below(4);
            a_shape[i] = below(3) == 0 ? 1 : full[i];
            b_shape[i] = below(3) == 0 ? 1 : full[i];
        }
        Tensor a = view_of(axes, a_shape, false), out;
        Tensor b = view_of(axes - skip, b_shape + skip, false);
        OpsBinary op = (OpsBinary)below(4);
        Err err;
        const Tensor *left = round % 2 ? &a : &b;
        const Tensor *right = round % 2 ? &b : &a;
        must(ops_binary(&out, op, left, right, &err), &err);
        assert_int_equal(out.axes, axes);
        assert_true(tensor_contiguous(&out));
        for (int i = 0; i < axes; i++) {
            int64_t other = i < skip ? 1 : b_shape[i];
            assert_int_equal(out.shape[i],
                             a_shape[i] == 1 ? other : a_shape[i]);
        }
        for (int64_t i = 0; i < tensor_count(&out); i++) {
            int64_t at[TENSOR_AXES];
            subscripts(&out, i, at);
            same(value_at(&out, at),
                 arithmetic(op, stretched(left, &out, at),
                            stretched(right, &out, at)),
                 0.0);
        }
        tensor_release(&a);
        tensor_release(&b);
        tensor_release(&out);
    }
}

static void test_unary(void **state) {
    static double (*const FUNCTIONS[])(double) = {
        [OPS_ABS] = fabs, [OPS_LOG] = log, [OPS_EXP] = exp, [OPS_SQRT] = sqrt};
    (void)state;
    for (int op = OPS_NEGATE; op <= OPS_SQRT; op++) {
        int64_t shape[3] = {3, 4, 5};
        Tensor t = view_of(3, shape, true), out;
        Err err;
        must(ops_unary(&out, (OpsUnary)op, &t, &err), &err);
        for (int64_t i = 0; i < 60; i++) {
            double x = nth(&t, i);
            same(nth(&out, i), op == OPS_NEGATE ? -x : FUNCTIONS[op](x), 0.0);
        }
        tensor_release(&t);
        tensor_release(&out);
    }
}

static void test_shapes_that_do_not_fit(void **state) {
    (void)state;
    int64_t first[3] = {2, 3, 4}, second[2] = {2, 4};
    Tensor a = filled(DTYPE_F64, 3, first, false), out = {.axes = 77};
    Tensor b = filled(DTYPE_F64, 2, second, false);
    Err err;
    bool close = true;
    assert_int_equal(ops_binary(&out, OPS_ADD, &a, &b, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "shapes [2, 3, 4] and [2, 4] do not fit: 3 and 2 at "
                        "axis 2 from the right, expected the same or 1");
    assert_int_equal(ops_close(&close, &a, &b, 0, 0, &err), STATUS_ARGUMENT);
    assert_int_equal(out.axes, 77);
    tensor_release(&a);
    tensor_release(&b);
}

/* ---- along an axis ---- */

/* The lane of t that holds `at`, along `axis`, into x; its length. */
static int64_t lane(const Tensor *t, int axis, const int64_t *at, double *x) {
    int64_t own[TENSOR_AXES];
    memcpy(own, at, sizeof own);
    for (int64_t i = 0; i < t->shape[axis]; i++) {
        own[axis] = i;
        x[i] = value_at(t, own);
    }
    return t->shape[axis];
}

/* Rank of x[i] in a stable order with NaN last: how many come before it. */
static int64_t rank_of(const double *x, int64_t n, int64_t i, bool falling) {
    int64_t before = 0;
    for (int64_t k = 0; k < n; k++) {
        bool tied = x[k] == x[i] || (isnan(x[k]) && isnan(x[i]));
        bool first = falling ? x[k] > x[i] : x[k] < x[i];
        first = first || (isnan(x[i]) && !isnan(x[k]));
        before += first || (tied && k < i);
    }
    return before;
}

static double definition(OpsAlong op, const double *x, int64_t n,
                         double number) {
    double sum = 0, square = 0, mean, best = x[0], at = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) {
        bool least = op == OPS_MIN || op == OPS_ARGMIN;
        square +=
            op == OPS_NORM_2 ? x[i] * x[i] : (x[i] - mean) * (x[i] - mean);
        if (!isnan(best) &&
            (isnan(x[i]) || (least ? x[i] < best : x[i] > best))) {
            best = x[i];
            at = (double)i;
        }
    }
    switch (op) {
    case OPS_SUM:
        return sum;
    case OPS_MEAN:
        return mean;
    case OPS_VAR:
        return square / ((double)n - number);
    case OPS_STD:
        return sqrt(square / ((double)n - number));
    case OPS_NORM_2:
        return sqrt(square);
    case OPS_ARGMIN:
    case OPS_ARGMAX:
        return at;
    default:
        return best;
    }
}

/* One value of the result at `at` against the lane it comes from. */
static void check_lane(const OpsWish *wish, const Tensor *t, const Tensor *out,
                       const int64_t *at, int axis) {
    double x[64], wanted = 0;
    int64_t from[TENSOR_AXES] = {0}, to[TENSOR_AXES] = {0};
    bool one = out->axes < t->axes;
    for (int i = 0; i < t->axes; i++)
        from[i] = i == axis && one ? 0 : at[one && i > axis ? i - 1 : i];
    memcpy(to, at, sizeof to);
    int64_t n = lane(t, axis, from, x), i = one ? 0 : at[axis];
    double got = value_at(out, to);
    if (wish->op == OPS_SORT || wish->op == OPS_ARGSORT) {
        int64_t k = 0;
        while (rank_of(x, n, k, wish->falling) != i)
            k++;
        wanted = wish->op == OPS_SORT ? x[k] : (double)k;
    } else if (wish->op == OPS_CUMSUM) {
        for (int64_t k = 0; k <= i; k++)
            wanted += x[k];
    } else if (wish->op == OPS_DIFF) {
        wanted = x[i + 1] - x[i];
    } else {
        wanted = definition(wish->op, x, n, wish->number);
    }
    same(got, wanted, 1e-13);
}

static void test_along(void **state) {
    static const OpsAlong OPS[] = {
        OPS_SUM,    OPS_MEAN,   OPS_VAR,    OPS_STD,  OPS_MIN,
        OPS_MAX,    OPS_ARGMIN, OPS_ARGMAX, OPS_SORT, OPS_ARGSORT,
        OPS_CUMSUM, OPS_DIFF,   OPS_NORM_2};
    (void)state;
    for (int round = 0; round < 600; round++) {
        int axes = 1 + (int)below(4);
        int64_t shape[TENSOR_AXES], at[TENSOR_AXES];
        for (int i = 0; i < axes; i++)
            shape[i] = 1 + below(axes == 1 ? 60 : axes == 2 ? 40 : 6);
        OpsWish wish = {.op = OPS[round % 13], .axis = (int)below(axes)};
        wish.falling = below(2) == 0;
        wish.number = (double)(shape[wish.axis] > 1 ? below(2) : 0);
        Tensor t = view_of(axes, shape, below(3) == 0), out;
        Err err;
        must(ops_along(&out, &wish, &t, &err), &err);
        for (int64_t i = 0; i < tensor_count(&out); i++) {
            subscripts(&out, i, at);
            check_lane(&wish, &t, &out, at, wish.axis);
        }
        tensor_release(&t);
        tensor_release(&out);
    }
}

/* All elements at once are those of the flat copy along its one axis. */
static void test_all(void **state) {
    (void)state;
    for (int op = OPS_SUM; op <= OPS_DIFF; op++) {
        int64_t shape[3] = {3, 4, 3}, count = 36;
        OpsWish wish = {.op = (OpsAlong)op, .axis = OPS_ALL, .number = 40};
        Tensor t = view_of(3, shape, false), flat, out, twin;
        Err err;
        if (op == OPS_VAR || op == OPS_STD)
            wish.number = 1;
        must(tensor_reshape(&flat, &t, 1, &count, &err), &err);
        must(ops_along(&out, &wish, &t, &err), &err);
        wish.axis = 0;
        must(ops_along(&twin, &wish, &flat, &err), &err);
        assert_int_equal(out.axes, twin.axes);
        for (int64_t i = 0; i < tensor_count(&out); i++)
            same(nth(&out, i), nth(&twin, i), 0.0);
        tensor_release(&t);
        tensor_release(&flat);
        tensor_release(&out);
        tensor_release(&twin);
    }
}

static void test_wishes_refused(void **state) {
    static const struct {
        OpsWish wish;
        const char *message;
    } CASES[] = {
        {{.op = OPS_SUM, .axis = 2}, "sum along axis 3: expected 1 to 2"},
        {{.op = OPS_SORT, .axis = -2}, "sort along axis -1: expected 1 to 2"},
        {{.op = OPS_PERCENTILE, .number = -1},
         "percentile -1: expected 0 to "
         "100"},
        {{.op = OPS_MAX, .axis = 0},
         "max of no elements: expected at least one"},
        {{.op = OPS_ARGMIN, .axis = OPS_ALL},
         "argmin of no elements: expected at least one"},
    };
    (void)state;
    int64_t shape[2] = {0, 3};
    Tensor t = filled(DTYPE_F64, 2, shape, false), out = {.axes = 77};
    Err err;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(ops_along(&out, &CASES[i].wish, &t, &err),
                         STATUS_ARGUMENT);
        assert_string_equal(err.message, CASES[i].message);
        assert_int_equal(out.axes, 77);
    }
    OpsWish none = {.op = OPS_MIN, .axis = 1};
    must(ops_along(&out, &none, &t, &err), &err);
    assert_int_equal(out.shape[0], 0);
    tensor_release(&out);
    none = (OpsWish){.op = OPS_DIFF, .axis = 0};
    must(ops_along(&out, &none, &t, &err), &err);
    assert_int_equal(out.shape[0], 0);
    tensor_release(&out);
    tensor_release(&t);
}

/* Runs that the merging leaves in the spare buffer, and those it does not. */
static void test_sort_lengths(void **state) {
    (void)state;
    for (int64_t n = 0; n < 300; n = n < 40 ? n + 1 : n * 7 / 5) {
        Tensor t, order;
        Err err;
        must(ops_random(&t, OPS_UNIFORM, (uint64_t)n, 1, &n, &err), &err);
        double *x = tensor_data(&t);
        for (int64_t i = 0; i < n; i++)
            x[i] = floor(x[i] * 20);
        OpsWish wish = {.op = OPS_ARGSORT, .axis = 0, .falling = n % 2 == 0};
        must(ops_along(&order, &wish, &t, &err), &err);
        int64_t *at = tensor_data(&order);
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(rank_of(x, n, at[i], wish.falling), i);
        tensor_release(&t);
        tensor_release(&order);
    }
}

/* Every percentile that falls on an element is that element. */
static void test_percentile(void **state) {
    (void)state;
    int64_t n = 101;
    Tensor t, sorted, out;
    Err err;
    must(ops_random(&t, OPS_NORMAL, 4, 1, &n, &err), &err);
    OpsWish wish = {.op = OPS_SORT, .axis = 0};
    must(ops_along(&sorted, &wish, &t, &err), &err);
    const double *x = tensor_data(&sorted);
    wish.op = OPS_PERCENTILE;
    for (int64_t q = 0; q <= 100; q++) {
        wish.number = (double)q;
        must(ops_along(&out, &wish, &t, &err), &err);
        /* 7 / 100 * 100 is not 7: then the elements beside it are near */
        double place = 100.0 * ((double)q / 100.0);
        same(*(double *)tensor_data(&out), x[q],
             place == (double)q ? 0.0 : 1e-12);
        tensor_release(&out);
    }
    tensor_release(&t);
    tensor_release(&sorted);
}

static void test_histogram(void **state) {
    (void)state;
    int64_t n = 5000, sum = 0;
    Tensor t, counts, edges;
    Err err;
    must(ops_random(&t, OPS_UNIFORM, 4, 1, &n, &err), &err);
    double *x = tensor_data(&t), range[2] = {0.1, 0.7};
    for (int64_t i = 0; i < n; i++)
        x[i] = round(x[i] * 100) / 100; /* on the edges, often */
    must(ops_histogram(&counts, &edges, &t, 60, range, &err), &err);
    const double *e = tensor_data(&edges);
    const int64_t *c = tensor_data(&counts);
    assert_true(e[0] == 0.1 && e[60] == 0.7);
    for (int k = 0; k < 60; k++) {
        int64_t wanted = 0;
        for (int64_t i = 0; i < n; i++)
            wanted += x[i] >= e[k] &&
                      (x[i] < e[k + 1] || (k == 59 && x[i] == e[k + 1]));
        assert_int_equal(c[k], wanted);
        sum += c[k];
    }
    assert_true(sum < n && sum > 2000);
    assert_int_equal(ops_histogram(&counts, &edges, &t, 0, range, &err),
                     STATUS_ARGUMENT);
    assert_string_equal(err.message, "0 bins: expected 1 or more");
    tensor_release(&t);
    tensor_release(&counts);
    tensor_release(&edges);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_unary),
        cmocka_unit_test(test_shapes_that_do_not_fit),
        cmocka_unit_test(test_along),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_wishes_refused),
        cmocka_unit_test(test_sort_lengths),
        cmocka_unit_test(test_percentile),
        cmocka_unit_test(test_histogram),
    };
    stream = random_start(11);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
