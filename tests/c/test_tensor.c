/* Tensors in memory and of files: views against a model that lists the
 * elements, bounds and their messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "stored.h"
#include "tensor.h"

enum { MOST = 4096 };

/* What a view shows: its shape, and which element of the base each is. */
typedef struct Model {
    int axes;
    int64_t shape[TENSOR_AXES];
    int64_t count, id[MOST];
} Model;

static uint64_t seed = 77700777;

/* A number below n. (xorshift64) */
static int64_t below(int64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n <= 0 ? 0 : (int64_t)(seed % (uint64_t)n);
}

static void model_make(Model *m, int axes, const int64_t *shape) {
    m->axes = axes;
    m->count = 1;
    for (int i = 0; i < axes; i++) {
        m->shape[i] = shape[i];
        m->count *= shape[i];
    }
    for (int64_t i = 0; i < m->count; i++)
        m->id[i] = i;
}

/* Keeps first, first+step, … of an axis. */
static void model_slice(Model *m, int axis, int64_t first, int64_t count,
                        int64_t step) {
    static Model old;
    int64_t inner = 1, outer = 1;
    old = *m;
    for (int i = axis + 1; i < m->axes; i++)
        inner *= m->shape[i];
    for (int i = 0; i < axis; i++)
        outer *= m->shape[i];
    m->shape[axis] = count;
    m->count = 0;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < count; i++)
            for (int64_t k = 0; k < inner; k++)
                m->id[m->count++] =
                    old.id[(o * old.shape[axis] + first + i * step) * inner +
                           k];
}

static void model_transpose(Model *m) {
    static Model old;
    old = *m;
    m->shape[0] = old.shape[1];
    m->shape[1] = old.shape[0];
    for (int64_t i = 0; i < m->shape[0]; i++)
        for (int64_t j = 0; j < m->shape[1]; j++)
            m->id[i * m->shape[1] + j] = old.id[j * old.shape[1] + i];
}

static void model_drop(Model *m) {
    m->axes--;
    for (int i = 0; i < m->axes; i++)
        m->shape[i] = m->shape[i + 1];
}

static Tensor zeros(Dtype dtype, int axes, const int64_t *shape) {
    Tensor t;
    assert_int_equal(tensor_create(&t, dtype, axes, shape, NULL), STATUS_OK);
    return t;
}

/* Subscripts of the i-th element in row-major order. */
static void subscripts(const int64_t *shape, int axes, int64_t i, int64_t *at) {
    for (int axis = axes - 1; axis >= 0; axis--) {
        at[axis] = i % shape[axis];
        i /= shape[axis];
    }
}

/* A tensor in memory whose i-th element is i. */
static Tensor counted(Dtype dtype, int axes, const int64_t *shape) {
    Tensor t = zeros(dtype, axes, shape);
    for (int64_t i = 0; i < tensor_count(&t); i++) {
        int64_t at[TENSOR_AXES];
        subscripts(shape, axes, i, at);
        assert_int_equal(tensor_set(&t, at, (double)i, NULL), STATUS_OK);
    }
    return t;
}

static Tensor stored_tensor(const Stored *s, int axes, const int64_t *shape) {
    Source *source = stored_source(s);
    Tensor t;
    assert_int_equal(tensor_from_source(&t, source, axes, shape, NULL),
                     STATUS_OK);
    source_release(source);
    return t;
}

static void check_read(const Tensor *t, const Model *m, const double *truth) {
    int64_t rows = m->axes == 2 ? m->shape[0] : 1;
    int64_t cols = m->shape[m->axes - 1];
    int64_t r0 = below(rows + 1), nr = below(rows - r0 + 1);
    int64_t c0 = below(cols + 1), nc = below(cols - c0 + 1), ld = nc + 2;
    double *x = calloc((size_t)(nr * ld + 1), sizeof *x);
    NonFinite bad = {0, 0, 0};
    Scratch scratch = {0};
    assert_non_null(x);
    assert_int_equal(
        tensor_read(t, r0, nr, c0, nc, x, ld, &bad, &scratch, 0, NULL),
        STATUS_OK);
    for (int64_t i = 0; i < nr; i++) {
        for (int64_t j = 0; j < nc; j++)
            assert_true(x[i * ld + j] ==
                        truth[m->id[(r0 + i) * cols + c0 + j]]);
        assert_true(x[i * ld + nc] == 0);
    }
    assert_int_equal(bad.count, 0);
    scratch_release(&scratch);
    free(x);
}

/* The copy, some elements one by one, and a block. */
static void check_view(const Tensor *t, const Model *m, const double *truth) {
    Tensor copy;
    assert_int_equal(t->axes, m->axes);
    for (int i = 0; i < m->axes; i++)
        assert_int_equal(t->shape[i], m->shape[i]);
    assert_int_equal(tensor_count(t), m->count);
    assert_int_equal(tensor_copy(&copy, t, DTYPE_F64, NULL), STATUS_OK);
    assert_true(tensor_contiguous(&copy));
    const double *x = tensor_data(&copy);
    for (int64_t i = 0; i < m->count; i++)
        assert_true(x[i] == truth[m->id[i]]);
    for (int n = 0; n < 3 && m->count > 0; n++) {
        int64_t i = below(m->count), at[TENSOR_AXES];
        double value;
        subscripts(m->shape, m->axes, i, at);
        assert_int_equal(tensor_get(t, at, &value, NULL), STATUS_OK);
        assert_true(value == truth[m->id[i]]);
    }
    if (m->axes == 1 || m->axes == 2)
        check_read(t, m, truth);
    tensor_release(&copy);
}

/* Slices the first or the last axis at random. */
static Status slice_step(Tensor *out, const Tensor *t, Model *m, bool last) {
    int axis = last ? m->axes - 1 : 0;
    int64_t size = m->shape[axis], step = 1 + below(3), first = below(size + 1);
    int64_t most = first < size ? (size - first + step - 1) / step : 0;
    int64_t count = below(3) == 0 ? below(most + 1) : most;
    Status (*slice)(Tensor *, const Tensor *, int64_t, int64_t, int64_t,
                    Err *) = last ? tensor_cols : tensor_rows;
    Status status = slice(out, t, first, count, step, NULL);
    model_slice(m, axis, first, count, step);
    return status;
}

static void random_step(Tensor *t, Model *m) {
    Tensor next;
    Status status = STATUS_OK;
    int64_t which = below(4), i = below(m->shape[0]);
    if (which == 0 && m->axes == 2) {
        status = tensor_transpose(&next, t, NULL);
        model_transpose(m);
    } else if (which == 1 && m->axes > 1 && m->shape[0] > 0) {
        status = tensor_pick(&next, t, i, NULL);
        model_slice(m, 0, i, 1, 1);
        model_drop(m);
    } else {
        status = slice_step(&next, t, m, which == 2);
    }
    assert_int_equal(status, STATUS_OK);
    tensor_release(t);
    *t = next;
}

static const struct {
    int axes;
    int64_t shape[TENSOR_AXES];
} SHAPES[] = {
    {1, {192}},
    {2, {24, 32}},
    {2, {40, 64}},
    {2, {1, 96}},
    {3, {5, 7, 32}},
    {4, {3, 4, 5, 32}},
    {8, {2, 1, 3, 2, 1, 2, 2, 32}},
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

static void walk(const Tensor *base, const Model *whole, const double *truth) {
    static Model m;
    for (int n = 0; n < 60; n++) {
        Tensor t;
        m = *whole;
        tensor_view(&t, base);
        for (int64_t steps = below(6); steps > 0; steps--)
            random_step(&t, &m);
        check_view(&t, &m, truth);
        tensor_release(&t);
    }
}

static void test_views_in_memory(void **state) {
    static const Dtype DTYPES[] = {DTYPE_F64, DTYPE_F32, DTYPE_I64};
    static Model m;
    double truth[MOST];
    (void)state;
    for (int i = 0; i < MOST; i++)
        truth[i] = i;
    for (size_t k = 0; k < SHAPE_COUNT; k++) {
        model_make(&m, SHAPES[k].axes, SHAPES[k].shape);
        for (int d = 0; d < 3; d++) {
            Tensor t = counted(DTYPES[d], m.axes, m.shape);
            walk(&t, &m, truth);
            tensor_release(&t);
        }
    }
}

static void test_views_of_files(void **state) {
    static const Dtype DTYPES[] = {DTYPE_F32, DTYPE_Q8_0, DTYPE_BF16};
    static Model m;
    (void)state;
    for (size_t k = 0; k < SHAPE_COUNT; k++) {
        model_make(&m, SHAPES[k].axes, SHAPES[k].shape);
        for (int d = 0; d < 3; d++) {
            Stored s;
            uint64_t cols = (uint64_t)m.shape[m.axes - 1];
            stored_make(&s, DTYPES[d], (uint64_t)m.count / cols, cols);
            Tensor t = stored_tensor(&s, m.axes, m.shape);
            walk(&t, &m, s.truth);
            tensor_release(&t);
            stored_end(&s);
        }
    }
}

static void expect_error(Status got, Status status, const Err *err,
                         const char *message) {
    assert_int_equal(got, status);
    assert_int_equal(err->status, status);
    assert_string_equal(err->message, message);
}

static void test_create_checks(void **state) {
    static const struct {
        Dtype dtype;
        int axes;
        int64_t shape[TENSOR_AXES];
        const char *message;
    } LIST[] = {
        {DTYPE_F16,
         1,
         {2},
         "a tensor in memory of dtype F16: expected F64, F32 or I64"},
        {DTYPE_F64, 9, {2}, "9 axes: expected 0 to 8"},
        {DTYPE_F64, -1, {2}, "-1 axes: expected 0 to 8"},
        {DTYPE_F64, 2, {3, -4}, "axis 2 has size -4: expected 0 or more"},
        {DTYPE_F64,
         3,
         {0, INT64_C(1) << 32, INT64_C(1) << 31},
         "a shape of 2^63 elements or more"},
        {DTYPE_F32,
         1,
         {INT64_MAX},
         "9223372036854775807 elements of F32: expected fewer than 2^63 "
         "bytes"},
    };
    Err err;
    Tensor t = {.axes = 99};
    (void)state;
    for (size_t i = 0; i < sizeof LIST / sizeof *LIST; i++)
        expect_error(
            tensor_create(&t, LIST[i].dtype, LIST[i].axes, LIST[i].shape, &err),
            STATUS_ARGUMENT, &err, LIST[i].message);
    assert_int_equal(t.axes, 99);
}

static void test_scalar_and_empty(void **state) {
    Err err;
    double x = 7;
    char text[64];
    Tensor t = zeros(DTYPE_F64, 0, NULL), out;
    (void)state;
    assert_int_equal(tensor_count(&t), 1);
    assert_string_equal(tensor_shape_text(text, sizeof text, &t), "[]");
    assert_int_equal(tensor_set(&t, NULL, 2.5, &err), STATUS_OK);
    assert_int_equal(tensor_copy(&out, &t, DTYPE_I64, &err), STATUS_OK);
    assert_int_equal(tensor_get(&out, NULL, &x, &err), STATUS_OK);
    assert_true(x == 2);
    tensor_release(&out);
    expect_error(tensor_rows(&out, &t, 0, 1, 1, &err), STATUS_ARGUMENT, &err,
                 "rows of a tensor of 0 axes: expected 1 or more");
    expect_error(tensor_read(&t, 0, 1, 0, 1, &x, 1, NULL, NULL, 0, &err),
                 STATUS_ARGUMENT, &err,
                 "reading a tensor of 0 axes as a matrix: expected 1 or 2");
    tensor_release(&t);

    t = zeros(DTYPE_F32, 3, (int64_t[]){2, 0, 3});
    assert_int_equal(tensor_count(&t), 0);
    assert_int_equal(tensor_bytes(&t), 0);
    assert_int_equal(tensor_copy(&out, &t, DTYPE_F64, &err), STATUS_OK);
    assert_string_equal(tensor_shape_text(text, sizeof text, &out),
                        "[2, 0, 3]");
    assert_string_equal(tensor_shape_text(text, 5, &out), "[2, ");
    tensor_release(&out);
    tensor_release(&t);
    tensor_release(&t); /* twice is once */
}

static void test_bounds(void **state) {
    static const struct {
        bool cols;
        int64_t first, count, step;
        const char *message;
    } LIST[] = {
        {false, 4, 5, 1, "row 9 of 8: expected 1 to 8"},
        {false, -1, 1, 1, "row 0 of 8: expected 1 to 8"},
        {false, 0, -1, 1, "-1 rows: expected 0 or more"},
        {false, 0, 1, 0, "step 0 over rows: expected 1 or more"},
        {true, 0, 1, -2, "step -2 over columns: expected 1 or more"},
        {true, 1, INT64_MAX, INT64_MAX,
         "column 18446744073709551615 of 5: expected 1 to 5"},
        {true, 5, 1, 1, "column 6 of 5: expected 1 to 5"},
    };
    Err err;
    Stored s;
    (void)state;
    stored_make(&s, DTYPE_F32, 8, 5);
    Tensor both[2] = {zeros(DTYPE_F64, 2, (int64_t[]){8, 5}),
                      stored_tensor(&s, 2, (int64_t[]){8, 5})};
    for (int k = 0; k < 2; k++) {
        Tensor out = {.axes = 99};
        for (size_t i = 0; i < sizeof LIST / sizeof *LIST; i++)
            expect_error((LIST[i].cols ? tensor_cols : tensor_rows)(
                             &out, &both[k], LIST[i].first, LIST[i].count,
                             LIST[i].step, &err),
                         STATUS_ARGUMENT, &err, LIST[i].message);
        expect_error(tensor_pick(&out, &both[k], 8, &err), STATUS_ARGUMENT,
                     &err, "row 9 of 8: expected 1 to 8");
        double x = 3;
        expect_error(tensor_get(&both[k], (int64_t[]){2, 5}, &x, &err),
                     STATUS_ARGUMENT, &err,
                     "subscript 2 is 6: expected 1 to 5");
        expect_error(tensor_get(&both[k], (int64_t[]){-1, 0}, &x, &err),
                     STATUS_ARGUMENT, &err,
                     "subscript 1 is 0: expected 1 to 8");
        expect_error(
            tensor_read(&both[k], 0, 9, 0, 1, &x, 1, NULL, NULL, 0, &err),
            STATUS_ARGUMENT, &err, "row 9 of 8: expected 1 to 8");
        expect_error(
            tensor_read(&both[k], -2, 1, 0, 1, &x, 1, NULL, NULL, 0, &err),
            STATUS_ARGUMENT, &err,
            "1 rows from row -1 on: expected none below 1");
        assert_true(x == 3);
        assert_int_equal(out.axes, 99);
        tensor_release(&both[k]);
    }
    stored_end(&s);
}

static void test_axes(void **state) {
    Err err;
    Tensor out, t = zeros(DTYPE_F64, 3, (int64_t[]){2, 3, 4});
    Tensor line = zeros(DTYPE_F64, 1, (int64_t[]){4});
    RowRun run = {0, 1, 0, 1};
    double x;
    (void)state;
    expect_error(tensor_transpose(&out, &t, &err), STATUS_ARGUMENT, &err,
                 "transposing a tensor of 3 axes: expected 2");
    expect_error(tensor_pick(&out, &line, 0, &err), STATUS_ARGUMENT, &err,
                 "a row of a tensor of 1 axes: expected 2 or more");
    expect_error(tensor_runs(&out, &t, &run, 1, &err), STATUS_ARGUMENT, &err,
                 "row runs of a tensor of 3 axes in memory: expected 2 axes in "
                 "a file");
    expect_error(tensor_read(&t, 0, 1, 0, 1, &x, 1, NULL, NULL, 0, &err),
                 STATUS_ARGUMENT, &err,
                 "reading a tensor of 3 axes as a matrix: expected 1 or 2");
    tensor_release(&line);
    tensor_release(&t);
}

static void test_files_are_read_only(void **state) {
    static const RowRun RUNS[] = {{4, 2, 0, 1}, {0, 1, 2, 3}};
    static const int64_t ROWS[] = {4, 5, 0, 2, 4};
    Err err;
    Stored s;
    double x;
    (void)state;
    stored_make(&s, DTYPE_Q8_0, 8, 64);
    Tensor t = stored_tensor(&s, 2, (int64_t[]){8, 64}), out;
    assert_true(tensor_data(&t) == NULL && !tensor_in_memory(&t));
    assert_false(tensor_contiguous(&t));
    assert_int_equal(tensor_bytes(&t), 8 * 2 * 34);
    expect_error(tensor_set(&t, (int64_t[]){0, 0}, 1, &err), STATUS_ARGUMENT,
                 &err,
                 "setting an element of a file's tensor: expected one in "
                 "memory");
    assert_int_equal(tensor_cols(&out, &t, 31, 2, 1, &err), STATUS_OK);
    assert_int_equal(tensor_bytes(&out), 8 * 2 * 34);
    tensor_release(&out);
    assert_int_equal(tensor_runs(&out, &t, RUNS, 2, &err), STATUS_OK);
    assert_true(out.shape[0] == 5 && out.shape[1] == 64);
    for (int64_t i = 0; i < 5; i++) {
        assert_int_equal(tensor_get(&out, (int64_t[]){i, 40}, &x, &err),
                         STATUS_OK);
        assert_true(x == s.truth[ROWS[i] * 64 + 40]);
    }
    tensor_release(&out);
    file_close(s.file);
    expect_error(tensor_get(&t, (int64_t[]){0, 0}, &x, &err), STATUS_CLOSED,
                 &err, "tensor is closed");
    expect_error(tensor_copy(&out, &t, DTYPE_I64, &err), STATUS_CLOSED, &err,
                 "tensor is closed");
    tensor_release(&t);
    stored_end(&s);
}

static void test_shape_of_source(void **state) {
    Err err;
    Stored s;
    Tensor t = {.axes = 99};
    (void)state;
    stored_make(&s, DTYPE_F32, 6, 5);
    Source *source = stored_source(&s);
    expect_error(tensor_from_source(&t, source, 3, (int64_t[]){2, 2, 5}, &err),
                 STATUS_ARGUMENT, &err,
                 "shape [2, 2, 5] over a file's 6 rows of 5");
    expect_error(tensor_from_source(&t, source, 1, (int64_t[]){5}, &err),
                 STATUS_ARGUMENT, &err, "shape [5] over a file's 6 rows of 5");
    expect_error(tensor_from_source(&t, source, 0, NULL, &err), STATUS_ARGUMENT,
                 &err, "shape [] over a file's 6 rows of 5");
    assert_int_equal(t.axes, 99);
    source_release(source);
    stored_end(&s);
    stored_make(&s, DTYPE_F32, 1, 1);
    double x;
    t = stored_tensor(&s, 0, NULL);
    assert_int_equal(tensor_get(&t, NULL, &x, &err), STATUS_OK);
    assert_true(x == s.truth[0]);
    tensor_release(&t);
    stored_end(&s);
}

/* A view outlives the tensor it was taken of, and shares its storage. */
static void test_views_share(void **state) {
    double x;
    Tensor t = counted(DTYPE_F64, 2, (int64_t[]){4, 6}), row, turned;
    (void)state;
    assert_int_equal(tensor_pick(&row, &t, 2, NULL), STATUS_OK);
    assert_int_equal(tensor_transpose(&turned, &t, NULL), STATUS_OK);
    assert_true(tensor_contiguous(&row) && !tensor_contiguous(&turned));
    assert_ptr_equal(tensor_data(&row), (double *)tensor_data(&t) + 12);
    tensor_release(&t);
    assert_int_equal(tensor_set(&row, (int64_t[]){5}, -1, NULL), STATUS_OK);
    assert_int_equal(tensor_get(&turned, (int64_t[]){5, 2}, &x, NULL),
                     STATUS_OK);
    assert_true(x == -1);
    tensor_release(&row);
    tensor_release(&turned);
}

static Status scenario(const Stored *s, Err *err) {
    Tensor t = {0}, view = {0}, turned = {0}, file = {0}, copy[2] = {{0}, {0}};
    Source *source = NULL;
    Status status = tensor_create(&t, DTYPE_I64, 2, (int64_t[]){3, 4}, err);
    if (status == STATUS_OK)
        status = tensor_copy(&copy[0], &t, DTYPE_F32, err);
    if (status == STATUS_OK)
        status = source_create(&source, s->file, s->dtype, HEAD, s->rows,
                               s->cols, err);
    if (status == STATUS_OK)
        status =
            tensor_from_source(&file, source, 3, (int64_t[]){2, 6, 64}, err);
    if (status == STATUS_OK)
        status = tensor_pick(&view, &file, 1, err);
    if (status == STATUS_OK)
        status = tensor_transpose(&turned, &view, err);
    if (status == STATUS_OK)
        status = tensor_copy(&copy[1], &turned, DTYPE_F32, err);
    Tensor *all[] = {&t, &view, &turned, &file, &copy[0], &copy[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tensor_release(all[i]);
    source_release(source);
    return status;
}

static void test_no_memory(void **state) {
    Stored s;
    Err err;
    (void)state;
    stored_make(&s, DTYPE_Q8_0, 12, 64);
    for (long n = 1;; n++) {
        fail_alloc_at(n);
        Status status = scenario(&s, &err);
        bool hit = fail_alloc_hit();
        fail_alloc_at(0);
        if (!hit) {
            assert_int_equal(status, STATUS_OK);
            assert_true(n > 7);
            break;
        }
        assert_int_equal(status, STATUS_NOMEM);
        assert_memory_equal(err.message, "not enough memory", 17);
    }
    stored_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views_in_memory),
        cmocka_unit_test(test_views_of_files),
        cmocka_unit_test(test_create_checks),
        cmocka_unit_test(test_scalar_and_empty),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_axes),
        cmocka_unit_test(test_files_are_read_only),
        cmocka_unit_test(test_shape_of_source),
        cmocka_unit_test(test_views_share),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
