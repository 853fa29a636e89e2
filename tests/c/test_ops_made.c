/* Products, blocks, tensors of a file and made of nothing; random numbers
 * against their authors' own; what stops in between. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cancel.h"
#include "fail_alloc.h"
#include "stored.h"
#include "views.h"

/* ---- products and blocks ---- */

static void test_matmul(void **state) {
    (void)state;
    for (int round = 0; round < 200; round++) {
        int64_t m = below(5), k = below(5), n = below(5);
        int64_t left[2] = {m, k}, right[2] = {k, n};
        int row = round % 3 == 1, column = round % 5 == 1;
        Tensor a = view_of(2 - row, left + row, false), out;
        Tensor b = view_of(2 - column, right, false);
        Err err;
        must(ops_matmul(&out, &a, &b, &err), &err);
        assert_int_equal(out.axes, 2 - row - column);
        m = row ? 1 : m;
        n = column ? 1 : n;
        assert_int_equal(tensor_count(&out), m * n);
        same(ops_matmul_cost(&a, &b), (double)(m * n * k), 0.0);
        for (int64_t i = 0; i < m * n; i++) {
            double sum = 0;
            for (int64_t p = 0; p < k; p++)
                sum += nth(&a, i / n * k + p) * nth(&b, p * n + i % n);
            same(nth(&out, i), sum, 1e-13);
        }
        tensor_release(&a);
        tensor_release(&b);
        tensor_release(&out);
    }
}

static void test_place(void **state) {
    (void)state;
    int64_t whole[3] = {2, 5, 3}, part[3] = {2, 2, 3};
    Tensor out = filled(DTYPE_F64, 3, whole, false), before;
    Tensor block = view_of(3, part, false);
    Err err;
    must(tensor_copy(&before, &out, DTYPE_F64, &err), &err);
    must(ops_place(&out, 1, 3, &block, &err), &err);
    for (int64_t i = 0; i < 30; i++) {
        int64_t at[3], j;
        subscripts(&out, i, at);
        j = at[1] - 3;
        if (j < 0) {
            same(value_at(&out, at), value_at(&before, at), 0.0);
            continue;
        }
        int64_t from[3] = {at[0], j, at[2]};
        same(value_at(&out, at), value_at(&block, from), 0.0);
    }
    assert_int_equal(ops_place(&out, 1, 4, &block, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "[2, 2, 3] does not go into [2, 5, 3] at 5 of axis 2: "
                        "expected the same sizes along all others");
    assert_int_equal(ops_place(&out, 2, 0, &block, &err), STATUS_ARGUMENT);
    assert_int_equal(ops_place(&out, 3, 0, &block, &err), STATUS_ARGUMENT);
    tensor_release(&out);
    tensor_release(&before);
    tensor_release(&block);
}

static void test_slice_and_reshape(void **state) {
    (void)state;
    int64_t shape[3] = {2, 3, 4}, flat[2] = {4, 6}, wrong[2] = {5, 5};
    Tensor t = filled(DTYPE_I64, 3, shape, false), out = {.axes = 77};
    Err err;
    assert_int_equal(tensor_slice(&out, &t, 3, 0, 1, 1, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "axis 4 of a tensor of 3: expected 1 to 3");
    assert_int_equal(tensor_slice(&out, &t, 1, 2, 2, 1, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "axis 2's subscript 4 of 3: expected 1 to 3");
    assert_int_equal(tensor_reshape(&out, &t, 2, wrong, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "[5, 5] has 25 elements: expected 24 of [2, 3, 4]");
    assert_int_equal(tensor_reshape(&out, &t, 9, flat, &err), STATUS_ARGUMENT);
    assert_int_equal(out.axes, 77);
    must(tensor_reshape(&out, &t, 2, flat, &err), &err);
    assert_ptr_equal(tensor_data(&out), tensor_data(&t));
    assert_int_equal(out.dtype, DTYPE_I64);
    for (int64_t i = 0; i < 24; i++)
        same(nth(&out, i), nth(&t, i), 0.0);
    tensor_release(&out);
    tensor_release(&t);
}

/* Of a file: read first; only the outer axes slice without a copy. */
static void test_file(void **state) {
    (void)state;
    Stored stored;
    stored_make(&stored, DTYPE_F32, 6, 4);
    Source *source = stored_source(&stored);
    int64_t shape[3] = {2, 3, 4}, flat[2] = {8, 3};
    Tensor t, out, part;
    Err err;
    must(tensor_from_source(&t, source, 3, shape, &err), &err);
    source_release(source);
    assert_int_equal(tensor_slice(&part, &t, 1, 0, 1, 1, &err),
                     STATUS_UNSUPPORTED);
    assert_string_equal(err.message,
                        "a slice of a file's tensor along axis 2 of 3: "
                        "expected the first or the last");
    must(tensor_slice(&part, &t, 2, 1, 2, 1, &err), &err);
    must(ops_unary(&out, OPS_NEGATE, &part, &err), &err);
    for (int64_t i = 0; i < 12; i++)
        same(nth(&out, i), -stored.truth[i / 2 * 4 + i % 2 + 1], 0.0);
    tensor_release(&out);
    must(ops_binary(&out, OPS_MULTIPLY, &t, &t, &err), &err);
    for (int64_t i = 0; i < 24; i++)
        same(nth(&out, i), stored.truth[i] * stored.truth[i], 0.0);
    tensor_release(&out);
    must(tensor_reshape(&out, &t, 2, flat, &err), &err);
    assert_int_equal(out.dtype, DTYPE_F64);
    for (int64_t i = 0; i < 24; i++)
        same(nth(&out, i), stored.truth[i], 0.0);
    tensor_release(&out);
    OpsWish wish = {.op = OPS_SUM, .axis = OPS_ALL};
    double sum = 0;
    for (int64_t i = 0; i < 24; i++)
        sum += stored.truth[i];
    must(ops_along(&out, &wish, &t, &err), &err);
    same(*(double *)tensor_data(&out), sum, 1e-13);
    tensor_release(&out);
    tensor_release(&part);
    tensor_release(&t);
    stored_end(&stored);
}

/* ---- made of nothing ---- */

/* The numbers that the authors' own programs give. */
static void test_streams(void **state) {
    static const uint64_t SPLIT[] = {
        1985237415132408290U, 2979275885539914483U, 13511426838097143398U,
        8488337342461049707U, 15141737807933549159U};
    static const uint64_t NEXT[] = {41943041U,
                                    58720359U,
                                    3588806011781223U,
                                    3591011842654386U,
                                    9228616714210784205U,
                                    9973669472204895162U,
                                    14011001112246962877U};
    (void)state;
    uint64_t seed = 1477776061723855037U;
    for (int i = 0; i < 5; i++)
        assert_true(random_split(&seed) == SPLIT[i]);
    Random random = {{1, 2, 3, 4}};
    for (int i = 0; i < 7; i++)
        assert_true(random_next(&random) == NEXT[i]);
    random = random_start(0);
    assert_true(random.s[0] == 0xE220A8397B1DCDAFU);
}

/* FNV-1a, 64 bits. */
static uint64_t checksum(const void *data, size_t n) {
    const unsigned char *bytes = data;
    uint64_t hash = 0xCBF29CE484222325U;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 0x100000001B3U;
    return hash;
}

/* The same bytes everywhere, and normal: the share below x is what erfc says,
 * to five standard errors. */
static void test_normal(void **state) {
    enum { N = 1 << 20 };
    (void)state;
    int64_t n = N;
    Tensor t;
    Err err;
    must(ops_random(&t, OPS_NORMAL, 2024, 1, &n, &err), &err);
    const double *x = tensor_data(&t);
    assert_true(checksum(x, 1000 * sizeof *x) == 0x83EA710F952E4CAFU);
    for (double cut = -4.0; cut <= 4.0; cut += 0.125) {
        double share = 0, wanted = 0.5 * erfc(-cut / sqrt(2.0));
        for (int i = 0; i < N; i++)
            share += x[i] < cut;
        double error = sqrt(wanted * (1 - wanted) / N);
        assert_true(fabs(share / N - wanted) < 5 * error);
    }
    tensor_release(&t);
    must(ops_random(&t, OPS_UNIFORM, 2024, 1, &n, &err), &err);
    assert_true(checksum(tensor_data(&t), 8000) == 0x9745FD1137CC9768U);
    tensor_release(&t);
}

static void test_create(void **state) {
    (void)state;
    int64_t shape[2] = {2, 3}, bad[1] = {-1};
    Tensor t;
    Err err;
    static const Dtype DTYPES[] = {DTYPE_F64, DTYPE_F32, DTYPE_I64};
    for (int k = 0; k < 3; k++) {
        must(ops_full(&t, DTYPES[k], 2, shape, 7.0, &err), &err);
        for (int64_t i = 0; i < 6; i++)
            same(nth(&t, i), 7.0, 0.0);
        tensor_release(&t);
    }
    must(ops_eye(&t, 2, 3, &err), &err);
    for (int64_t i = 0; i < 6; i++)
        same(nth(&t, i), i % 4 == 0 ? 1.0 : 0.0, 0.0);
    tensor_release(&t);
    assert_int_equal(ops_arange(&t, 0, 1, 0, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "0 to 1 by steps of 0: expected finite numbers and a "
                        "step that is not 0");
    assert_int_equal(ops_arange(&t, 0, INFINITY, 1, &err), STATUS_ARGUMENT);
    assert_int_equal(ops_arange(&t, 0, 1e17, 1, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "0 to 1e+17 by steps of 1: expected fewer than 2^53 "
                        "values");
    assert_int_equal(ops_linspace(&t, (double)NAN, 1, 3, &err),
                     STATUS_ARGUMENT);
    assert_int_equal(ops_linspace(&t, 0, 1, -1, &err), STATUS_ARGUMENT);
    assert_int_equal(ops_random(&t, OPS_NORMAL, 1, 1, bad, &err),
                     STATUS_ARGUMENT);
    assert_int_equal(ops_full(&t, DTYPE_F16, 1, shape, 1.0, &err),
                     STATUS_ARGUMENT);
}

/* ---- what stops in between ---- */

/* One of everything, on `t` of two axes; the first failure ends it. */
static Status everything(const Tensor *t, Err *err) {
    Tensor out, more;
    bool close;
    int64_t shape[2] = {1 << 9, 1 << 9};
    Status status = ops_binary(&out, OPS_ADD, t, t, err);
    if (status == STATUS_OK)
        tensor_release(&out);
    if (status == STATUS_OK)
        status = ops_close(&close, t, t, 0, 0, err);
    if (status == STATUS_OK) {
        status = ops_unary(&out, OPS_EXP, t, err);
        if (status == STATUS_OK)
            tensor_release(&out);
    }
    for (int op = OPS_SUM; op <= OPS_DIFF && status == STATUS_OK; op++) {
        OpsWish wish = {.op = (OpsAlong)op, .axis = op % 3 - 1};
        status = ops_along(&out, &wish, t, err);
        if (status == STATUS_OK)
            tensor_release(&out);
    }
    if (status == STATUS_OK) {
        status = ops_histogram(&out, &more, t, 5, NULL, err);
        if (status == STATUS_OK) {
            tensor_release(&out);
            tensor_release(&more);
        }
    }
    if (status == STATUS_OK) {
        status = ops_matmul(&out, t, t, err);
        if (status == STATUS_OK)
            tensor_release(&out);
    }
    if (status == STATUS_OK) {
        status = ops_random(&out, OPS_UNIFORM, 1, 2, shape, err);
        if (status == STATUS_OK)
            tensor_release(&out);
    }
    return status;
}

static void test_no_memory(void **state) {
    static const Dtype DTYPES[] = {DTYPE_F64, DTYPE_I64};
    (void)state;
    int64_t shape[2] = {5, 5};
    for (int k = 0; k < 2; k++) {
        Tensor t = filled(DTYPES[k], 2, shape, false);
        long n = 1;
        for (;; n++) {
            Err err = {0};
            fail_alloc_at(n);
            Status status = everything(&t, &err);
            fail_alloc_at(0);
            if (status == STATUS_OK)
                break;
            assert_int_equal(status, STATUS_NOMEM);
            assert_non_null(strstr(err.message, "not enough memory for "));
        }
        assert_true(n > 60);
        tensor_release(&t);
    }
}

static void test_cancel(void **state) {
    (void)state;
    int64_t shape[2] = {400, 400};
    Tensor t, out;
    Err err = {0};
    must(ops_random(&t, OPS_UNIFORM, 1, 2, shape, &err), &err);
    cancel_set();
    assert_int_equal(ops_binary(&out, OPS_ADD, &t, &t, &err), STATUS_CANCELLED);
    assert_string_equal(err.message, "interrupted");
    assert_int_equal(ops_unary(&out, OPS_EXP, &t, NULL), STATUS_CANCELLED);
    for (int op = OPS_SUM; op <= OPS_DIFF; op++) {
        OpsWish wish = {.op = (OpsAlong)op, .axis = op % 3 - 1};
        assert_int_equal(ops_along(&out, &wish, &t, &err), STATUS_CANCELLED);
    }
    assert_int_equal(ops_histogram(&out, &out, &t, 5, NULL, &err),
                     STATUS_CANCELLED);
    assert_int_equal(ops_random(&out, OPS_NORMAL, 1, 2, shape, &err),
                     STATUS_CANCELLED);
    cancel_clear();
    tensor_release(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matmul),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_slice_and_reshape),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_cancel),
    };
    stream = random_start(11);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
