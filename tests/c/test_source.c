/* Views of stored matrices against a brute-force model of their rows and
 * columns, over files that the test writes block by block. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "stored.h"

/* The model of a view: which stored row and column each of its own is. */
typedef struct Model {
    size_t nr, nc; /* of the view before transposing */
    uint64_t *row;
    uint64_t first_col, col_step;
    bool transposed;
} Model;

static uint64_t seed = 20240229;

/* A number below n. (xorshift64) */
static uint64_t below(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n == 0 ? 0 : seed % n;
}

static Model model_make(const Stored *s) {
    Model m = {s->rows, s->cols, malloc((s->rows + 1) * 8), 0, 1, false};
    assert_non_null(m.row);
    for (size_t i = 0; i < m.nr; i++)
        m.row[i] = i;
    return m;
}

static double model_value(const Stored *s, const Model *m, size_t i, size_t j) {
    uint64_t row = m->row[m->transposed ? j : i];
    uint64_t col = m->first_col + (m->transposed ? i : j) * m->col_step;
    return s->truth[row * s->cols + col];
}

/* first, first+step, … of an axis of n, at random. */
static void random_span(size_t n, uint64_t *first, uint64_t *count,
                        uint64_t *step) {
    *step = 1 + below(5);
    *first = below(n + 1);
    uint64_t most = *first < n ? (n - *first + *step - 1) / *step : 0;
    *count = below(4) == 0 ? below(most + 1) : most;
}

static void model_select(Model *m, uint64_t first, uint64_t count,
                         uint64_t step) {
    for (size_t i = 0; i < count; i++)
        m->row[i] = m->row[first + i * step];
    m->nr = count;
}

/* Rows or columns that are stored rows. */
static void random_rows(Source **out, const Source *source, Model *m) {
    uint64_t first, count, step;
    random_span(m->nr, &first, &count, &step);
    assert_int_equal((m->transposed ? source_cols : source_rows)(
                         out, source, first, count, step, NULL),
                     STATUS_OK);
    model_select(m, first, count, step);
}

static void random_cols(Source **out, const Source *source, Model *m) {
    uint64_t first, count, step;
    random_span(m->nc, &first, &count, &step);
    assert_int_equal((m->transposed ? source_rows : source_cols)(
                         out, source, first, count, step, NULL),
                     STATUS_OK);
    m->first_col += first * m->col_step;
    m->col_step *= step;
    m->nc = count;
}

static void random_runs(Source **out, const Source *source, Model *m) {
    enum { RUNS = 5, MOST = 400 };
    RowRun runs[RUNS];
    uint64_t row[MOST];
    size_t count = below(RUNS + 1), rows = 0;
    for (size_t k = 0; k < count; k++) {
        uint64_t first = below(m->nr), len = below(m->nr - first + 1) / 2;
        uint64_t step = below(3) == 0 ? len : below(2 * len + 3);
        uint64_t left = len > 0 ? m->nr - first - len : 0;
        uint64_t n = step == 0 ? below(3) : 1 + below(left / step + 1);
        if (rows + n * len > MOST)
            n = 0;
        runs[k] = (RowRun){first, len, step, n};
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < len; j++)
                row[rows++] = m->row[first + i * step + j];
    }
    assert_int_equal(source_runs(out, source, runs, count, NULL), STATUS_OK);
    m->row = realloc(m->row, (rows + 1) * 8);
    assert_non_null(m->row);
    memcpy(m->row, row, rows * 8);
    m->nr = rows;
}

/* One more step of a view; the model goes along. */
static Source *random_step(Source *source, Model *m) {
    Source *next = NULL;
    switch (below(m->transposed ? 5 : 8)) {
    case 0:
    case 1:
        random_cols(&next, source, m);
        break;
    case 2:
        assert_int_equal(source_transpose(&next, source, NULL), STATUS_OK);
        m->transposed = !m->transposed;
        break;
    case 3:
    case 4:
        random_rows(&next, source, m);
        break;
    default:
        random_runs(&next, source, m);
    }
    source_release(source);
    return next;
}

/* Reads a block and compares; what lies between the rows stays as it was. */
static void check_block(const Stored *s, const Source *source, const Model *m,
                        uint64_t r0, uint64_t nr, uint64_t c0, uint64_t nc) {
    uint64_t ld = nc + below(4);
    double *dst = malloc((nr * ld + 1) * sizeof *dst);
    NonFinite bad = {0, 0, 0};
    Scratch scratch = {0};
    assert_non_null(dst);
    for (size_t i = 0; i < nr * ld; i++)
        dst[i] = -1.25;
    assert_int_equal(
        source_read(source, r0, nr, c0, nc, dst, ld, &bad, &scratch, 3, NULL),
        STATUS_OK);
    assert_int_equal(bad.count, 0);
    for (size_t i = 0; i < nr; i++) {
        for (size_t j = 0; j < ld; j++) {
            double want = j < nc ? model_value(s, m, r0 + i, c0 + j) : -1.25;
            if (dst[i * ld + j] != want)
                fail_msg("%s: (%zu, %zu) is %g, expected %g",
                         dtype_row(s->dtype)->name, r0 + i, c0 + j,
                         dst[i * ld + j], want);
        }
    }
    scratch_release(&scratch);
    free(dst);
}

static void check_all(const Stored *s, const Source *source, const Model *m) {
    size_t nr = m->transposed ? m->nc : m->nr;
    size_t nc = m->transposed ? m->nr : m->nc;
    assert_int_equal(source_view_rows(source), nr);
    assert_int_equal(source_view_cols(source), nc);
    check_block(s, source, m, 0, nr, 0, nc);
    uint64_t r0 = below(nr + 1), c0 = below(nc + 1);
    check_block(s, source, m, r0, below(nr - r0 + 1), c0, below(nc - c0 + 1));
}

static void whole(const Stored *s) {
    Source *source = stored_source(s);
    Model m = model_make(s);
    source_advise(source, UINT64_MAX);
    check_all(s, source, &m);
    free(m.row);
    source_release(source);
}

static void compose(const Stored *s, int cases) {
    for (int n = 0; n < cases; n++) {
        Source *source = stored_source(s);
        Model m = model_make(s);
        for (uint64_t steps = below(6); steps > 0; steps--)
            source = random_step(source, &m);
        source_advise(source, below(1000));
        check_all(s, source, &m);
        free(m.row);
        source_release(source);
    }
}

static void test_compose(void **state) {
    static const struct {
        Dtype dtype;
        uint64_t rows, cols;
        int cases;
    } LIST[] = {
        {DTYPE_F64, 40, 37, 600},   {DTYPE_F32, 61, 24, 600},
        {DTYPE_F16, 33, 70, 600},   {DTYPE_BF16, 48, 48, 600},
        {DTYPE_Q8_0, 36, 96, 600},  {DTYPE_Q4_K, 30, 512, 400},
        {DTYPE_F64, 40, 1200, 100}, {DTYPE_F32, 1, 50, 50},
        {DTYPE_F32, 50, 1, 50},
    };
    (void)state;
    for (size_t i = 0; i < sizeof LIST / sizeof *LIST; i++) {
        Stored s;
        stored_make(&s, LIST[i].dtype, LIST[i].rows, LIST[i].cols);
        whole(&s);
        compose(&s, LIST[i].cases);
        stored_end(&s);
    }
}

/* More bytes than are read at once: many rows, long rows, one very long. */
static void test_large(void **state) {
    static const struct {
        Dtype dtype;
        uint64_t rows, cols;
    } LIST[] = {
        {DTYPE_F64, 300, 1024},   {DTYPE_F32, 5000, 3},
        {DTYPE_F32, 2, 600000},   {DTYPE_Q8_0, 1, 2000000},
        {DTYPE_Q4_K, 2, 2097152}, {DTYPE_F16, 3, 1 << 20},
    };
    (void)state;
    for (size_t i = 0; i < sizeof LIST / sizeof *LIST; i++) {
        Stored s;
        stored_make(&s, LIST[i].dtype, LIST[i].rows, LIST[i].cols);
        whole(&s);
        compose(&s, 6);
        stored_end(&s);
    }
}

static void expect_run(const Source *s, size_t k, uint64_t first, uint64_t len,
                       uint64_t step, uint64_t n) {
    assert_true(k < s->run_count);
    assert_int_equal(s->runs[k].first, first);
    assert_int_equal(s->runs[k].len, len);
    assert_int_equal(s->runs[k].step, step);
    assert_int_equal(s->runs[k].n, n);
}

/* Applies source_rows in place. */
static Source *narrow(Source *s, uint64_t first, uint64_t count,
                      uint64_t step) {
    Source *next = NULL;
    assert_int_equal(source_rows(&next, s, first, count, step, NULL),
                     STATUS_OK);
    source_release(s);
    return next;
}

/* Records stay as small as the rows are regular. */
static void test_runs_stay_few(void **state) {
    enum { HEADS = 4, DIM = 6, ROWS = 3 * HEADS * DIM };
    Stored s;
    (void)state;
    stored_make(&s, DTYPE_F32, ROWS, 4);
    Source *a = narrow(stored_source(&s), 0, ROWS, 1);
    assert_int_equal(a->run_count, 1);
    expect_run(a, 0, 0, ROWS, 0, 1);
    a = narrow(narrow(narrow(a, 2, 35, 2), 1, 17, 2), 0, 8, 2);
    assert_int_equal(a->run_count, 1);
    expect_run(a, 0, 4, 1, 8, 8);
    source_release(a);

    /* [head, 3, dim] fused, the second third, and a head of it */
    Source *base = stored_source(&s), *fused = NULL;
    RowRun third = {DIM, DIM, 3 * DIM, HEADS};
    assert_int_equal(source_runs(&fused, base, &third, 1, NULL), STATUS_OK);
    assert_int_equal(fused->run_count, 1);
    expect_run(fused, 0, DIM, DIM, 3 * DIM, HEADS);
    fused = narrow(fused, 2 * DIM, 2 * DIM, 1);
    expect_run(fused, 0, 7 * DIM, DIM, 3 * DIM, 2);
    fused = narrow(fused, DIM, DIM, 1);
    assert_int_equal(fused->run_count, 1);
    expect_run(fused, 0, 10 * DIM, DIM, 0, 1);
    source_release(fused);

    /* llama's query rows back in order: even rows of a head, then odd */
    RowRun halves[2 * HEADS];
    for (uint64_t k = 0; k < 2 * HEADS; k++)
        halves[k] = (RowRun){k / 2 * DIM + k % 2, 1, 2, DIM / 2};
    Source *query = NULL;
    assert_int_equal(source_runs(&query, base, halves, 2 * HEADS, NULL),
                     STATUS_OK);
    assert_int_equal(query->run_count, 2 * HEADS);
    query = narrow(query, DIM, DIM, 1);
    assert_int_equal(query->run_count, 2);
    expect_run(query, 0, DIM, 1, 2, DIM / 2);
    expect_run(query, 1, DIM + 1, 1, 2, DIM / 2);
    source_release(query);
    source_release(base);
    stored_end(&s);
}

/* Steps of steps are one step; of one column there is none. */
static void test_column_steps(void **state) {
    Stored s;
    (void)state;
    stored_make(&s, DTYPE_BF16, 4, 60);
    Source *a = stored_source(&s), *odd = NULL, *few = NULL, *one = NULL;
    assert_int_equal(source_cols(&odd, a, 1, 30, 2, NULL), STATUS_OK);
    assert_true(odd->first_col == 1 && odd->col_step == 2 && odd->cols == 30);
    assert_int_equal(source_cols(&few, odd, 2, 7, 4, NULL), STATUS_OK);
    assert_true(few->first_col == 5 && few->col_step == 8 && few->cols == 7);
    assert_int_equal(source_cols(&one, few, 6, 1, 1, NULL), STATUS_OK);
    assert_true(one->first_col == 53 && one->col_step == 1);
    source_release(few);
    assert_int_equal(source_cols(&few, a, 53, 1, 3, NULL), STATUS_OK);
    assert_true(source_same(few, one));
    assert_false(source_same(odd, one) || source_same(a, odd));
    source_release(few);
    assert_int_equal(source_cols(&few, a, 1, 30, 1, NULL), STATUS_OK);
    assert_false(source_same(few, odd));
    source_release(few);
    source_release(one);
    source_release(odd);
    source_release(a);
    stored_end(&s);
}

/* Steps wider than what is decoded, and read, at once. */
static void test_wide_steps(void **state) {
    static const uint64_t STEPS[] = {255, 4095, 4096, 5000, 262145, 299999};
    Stored s;
    (void)state;
    stored_make(&s, DTYPE_F32, 2, 600000);
    Source *a = stored_source(&s);
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        Model m = model_make(&s);
        Source *part = NULL;
        m.first_col = 1 + below(STEPS[i]);
        m.col_step = STEPS[i];
        m.nc = (s.cols - 1 - m.first_col) / STEPS[i] + 1;
        assert_int_equal(
            source_cols(&part, a, m.first_col, m.nc, STEPS[i], NULL),
            STATUS_OK);
        check_all(&s, part, &m);
        source_release(part);
        free(m.row);
    }
    source_release(a);
    stored_end(&s);
}

static void expect_error(Status got, Status status, const Err *err,
                         const char *message) {
    assert_int_equal(got, status);
    assert_int_equal(err->status, status);
    assert_string_equal(err->message, message);
}

static void test_bounds(void **state) {
    Stored s;
    Err err;
    Source *out = NULL;
    (void)state;
    stored_make(&s, DTYPE_F32, 8, 5);
    Source *a = stored_source(&s), *t = NULL;
    assert_int_equal(source_transpose(&t, a, NULL), STATUS_OK);
    expect_error(source_rows(&out, a, 4, 5, 1, &err), STATUS_ARGUMENT, &err,
                 "row 9 of 8: expected 1 to 8");
    expect_error(source_rows(&out, a, 1, 4, 3, &err), STATUS_ARGUMENT, &err,
                 "row 11 of 8: expected 1 to 8");
    expect_error(source_rows(&out, a, 9, 0, 1, &err), STATUS_ARGUMENT, &err,
                 "row 10 of 8: expected 1 to 8");
    expect_error(source_rows(&out, a, 1, UINT64_MAX, 2, &err), STATUS_ARGUMENT,
                 &err, "row 18446744073709551615 of 8: expected 1 to 8");
    expect_error(source_rows(&out, a, 0, 2, 0, &err), STATUS_ARGUMENT, &err,
                 "step 0 over rows: expected 1 or more");
    expect_error(source_rows(&out, t, 5, 1, 1, &err), STATUS_ARGUMENT, &err,
                 "row 6 of 5: expected 1 to 5");
    expect_error(source_cols(&out, t, 8, 1, 1, &err), STATUS_ARGUMENT, &err,
                 "column 9 of 8: expected 1 to 8");
    expect_error(source_cols(&out, a, 1, 3, 2, &err), STATUS_ARGUMENT, &err,
                 "column 6 of 5: expected 1 to 5");
    expect_error(source_rows(&out, t, 0, 2, 0, &err), STATUS_ARGUMENT, &err,
                 "step 0 over rows: expected 1 or more");
    RowRun run = {0, 1, 1, 1};
    expect_error(source_runs(&out, t, &run, 1, &err), STATUS_UNSUPPORTED, &err,
                 "row runs of a transposed view: expected them before it is "
                 "transposed");
    double x[4];
    Scratch scratch = {0};
    expect_error(source_read(a, 7, 2, 0, 1, x, 1, NULL, &scratch, 0, &err),
                 STATUS_ARGUMENT, &err, "row 9 of 8: expected 1 to 8");
    expect_error(source_read(a, 0, 1, 5, 1, x, 1, NULL, &scratch, 0, &err),
                 STATUS_ARGUMENT, &err, "column 6 of 5: expected 1 to 5");
    assert_null(out);
    source_release(t);
    source_release(a);
    stored_end(&s);
}

static void test_bad_runs(void **state) {
    static const struct {
        RowRun run;
        const char *message;
    } LIST[] = {
        {{0, 9, 0, 1}, "a run of 9 rows of 8"},
        {{6, 3, 0, 1}, "row 9 of 8: expected 1 to 8"},
        {{UINT64_MAX, 2, 0, 1}, "row 9 of 8: expected 1 to 8"},
        {{0, 2, 3, 4}, "row 11 of 8: expected 1 to 8"},
        {{0, 2, UINT64_MAX, 3},
         "row 18446744073709551615 of 8: expected 1 to 8"},
        {{0, 2, 0, UINT64_MAX / 2 + 1}, "runs of more than 2^63 rows in all"},
    };
    Stored s;
    Err err;
    Source *out = NULL;
    (void)state;
    stored_make(&s, DTYPE_F32, 8, 5);
    Source *a = stored_source(&s);
    for (size_t i = 0; i < sizeof LIST / sizeof *LIST; i++)
        expect_error(source_runs(&out, a, &LIST[i].run, 1, &err),
                     STATUS_ARGUMENT, &err, LIST[i].message);
    enum { MANY = (1 << 16) + 1 };
    RowRun *many = calloc(MANY, sizeof *many);
    assert_non_null(many);
    for (size_t i = 0; i < MANY; i++)
        many[i] = (RowRun){4, 1, 0, 1};
    expect_error(source_runs(&out, a, many, MANY, &err), STATUS_UNSUPPORTED,
                 &err,
                 "a view of more than 65536 runs of a file's rows: expected "
                 "fewer");
    free(many);
    assert_null(out);
    source_release(a);
    stored_end(&s);
}

static void test_create_checks(void **state) {
    Stored s;
    Err err;
    Source *out = NULL;
    (void)state;
    stored_make(&s, DTYPE_F32, 8, 5); /* 7 + 160 bytes */
    expect_error(source_create(&out, s.file, DTYPE_Q8_0, 0, 2, 33, &err),
                 STATUS_FORMAT, &err,
                 "rows of 33 elements are no whole number of Q8_0's blocks of "
                 "32");
    expect_error(source_create(&out, s.file, DTYPE_F32, 8, 8, 5, &err),
                 STATUS_FORMAT, &err,
                 "160 bytes at offset 8, but the file has 167");
    expect_error(source_create(&out, s.file, DTYPE_F32, UINT64_MAX, 1, 1, &err),
                 STATUS_FORMAT, &err,
                 "4 bytes at offset 18446744073709551615, but the file has "
                 "167");
    expect_error(source_create(&out, s.file, DTYPE_F32, 0, UINT64_C(1) << 32,
                               UINT64_C(1) << 32, &err),
                 STATUS_FORMAT, &err,
                 "4294967296 x 4294967296 elements: expected fewer than 2^63");
    assert_int_equal(source_create(&out, s.file, DTYPE_F64, 0,
                                   UINT64_C(1) << 31, UINT64_C(1) << 31, &err),
                     STATUS_FORMAT);
    assert_null(out);
    /* nothing is something that can be read, at the very end too */
    assert_int_equal(source_create(&out, s.file, DTYPE_F32, 167, 0, 5, &err),
                     STATUS_OK);
    Scratch scratch = {0};
    assert_int_equal(
        source_read(out, 0, 0, 0, 5, NULL, 5, NULL, &scratch, 0, &err),
        STATUS_OK);
    source_advise(out, UINT64_MAX);
    source_release(out);
    stored_end(&s);
}

static void test_unreadable(void **state) {
    Stored s;
    Err err;
    Source *out = NULL;
    double x[2];
    Scratch scratch = {0};
    (void)state;
    stored_make(&s, DTYPE_F32, 8, 5);
    assert_int_equal(source_create(&out, s.file, DTYPE_F4, 0, 4, 2, &err),
                     STATUS_OK);
    expect_error(source_read(out, 0, 1, 0, 2, x, 2, NULL, &scratch, 0, &err),
                 STATUS_UNSUPPORTED, &err, "values of dtype F4 cannot be read");
    source_release(out);
    stored_end(&s);
}

/* A closed file, and one that was cut short since. */
static void test_gone(void **state) {
    Stored s;
    Err err;
    double x[40];
    Scratch scratch = {0};
    NonFinite bad = {5, 6, 7};
    (void)state;
    stored_make(&s, DTYPE_F32, 8, 5);
    Source *a = stored_source(&s);
    assert_int_equal(truncate(s.path, HEAD + 100), 0);
    assert_int_equal(source_read(a, 0, 5, 0, 5, x, 5, &bad, &scratch, 0, &err),
                     STATUS_OK);
    assert_int_equal(source_read(a, 0, 8, 0, 5, x, 5, &bad, &scratch, 0, &err),
                     STATUS_IO);
    assert_non_null(strstr(err.message, s.path));
    assert_true(bad.count == 5 && bad.row == 6 && bad.col == 7);
    file_close(s.file);
    expect_error(source_read(a, 0, 1, 0, 1, x, 1, NULL, &scratch, 0, &err),
                 STATUS_CLOSED, &err, "tensor is closed");
    source_advise(a, UINT64_MAX);
    scratch_release(&scratch);
    source_release(a);
    stored_end(&s);
}

static void expect_bad(const Source *a, NonFinite want) {
    uint64_t nr = source_view_rows(a), nc = source_view_cols(a);
    double *x = malloc(nr * nc * sizeof *x);
    NonFinite bad = {0, 0, 0};
    Scratch scratch = {0};
    assert_non_null(x);
    assert_int_equal(
        source_read(a, 0, nr, 0, nc, x, nc, &bad, &scratch, 0, NULL),
        STATUS_OK);
    assert_int_equal(bad.count, want.count);
    assert_int_equal(bad.row, want.row);
    assert_int_equal(bad.col, want.col);
    /* column by column: the same, whatever the order of the blocks */
    bad = (NonFinite){0, 0, 0};
    for (uint64_t c = nc; c-- > 0;)
        assert_int_equal(
            source_read(a, 0, nr, c, 1, x, 1, &bad, &scratch, 0, NULL),
            STATUS_OK);
    assert_true(bad.count == want.count && bad.row == want.row &&
                bad.col == want.col);
    scratch_release(&scratch);
    free(x);
}

static void test_nonfinite(void **state) {
    static const struct {
        uint64_t row, col;
        double value;
    } PUT[] = {
        {9, 2, NAN}, {30, 1, -NAN}, {4, 61, INFINITY}, {9, 60, -INFINITY}};
    Stored s;
    (void)state;
    stored_make(&s, DTYPE_F64, 50, 70);
    for (size_t i = 0; i < 4; i++)
        memcpy(s.raw + (PUT[i].row * 70 + PUT[i].col) * 8, &PUT[i].value, 8);
    /* the largest finite number is none */
    memcpy(s.raw, &(double){1.7976931348623157e308}, 8);
    file_release(s.file);
    stored_open(&s);
    Source *a = stored_source(&s), *t = NULL, *part = NULL;
    expect_bad(a, (NonFinite){4, 4, 61});
    assert_int_equal(source_transpose(&t, a, NULL), STATUS_OK);
    expect_bad(t, (NonFinite){4, 1, 30});
    assert_int_equal(source_cols(&part, a, 2, 59, 1, NULL), STATUS_OK);
    expect_bad(part, (NonFinite){2, 9, 0});
    source_release(part);
    assert_int_equal(source_cols(&part, t, 0, 25, 2, NULL), STATUS_OK);
    expect_bad(part, (NonFinite){2, 1, 15});
    source_release(part);
    assert_int_equal(source_cols(&part, a, 1, 31, 2, NULL), STATUS_OK);
    expect_bad(part, (NonFinite){2, 4, 30});
    source_release(part);
    source_release(t);
    source_release(a);
    stored_end(&s);
}

/* An infinite scale makes its whole block so. */
static void test_nonfinite_block(void **state) {
    Stored s;
    (void)state;
    stored_make(&s, DTYPE_Q8_0, 3, 96);
    memcpy(s.raw + 34 * 4, (const uint8_t[]){0x00, 0x7C}, 2);
    memset(s.raw + 34 * 4 + 2, 1, 32);
    file_release(s.file);
    stored_open(&s);
    Source *a = stored_source(&s), *part = NULL;
    expect_bad(a, (NonFinite){32, 1, 32});
    assert_int_equal(source_cols(&part, a, 40, 50, 1, NULL), STATUS_OK);
    expect_bad(part, (NonFinite){24, 1, 0});
    source_release(part);
    source_release(a);
    stored_end(&s);
}

/* A view, made and read; every allocation of it may fail. */
static Status scenario(const Stored *s, Err *err) {
    static const RowRun RUNS[] = {
        {0, 1, 3, 4}, {1, 2, 5, 2}, {9, 1, 0, 1},
        {3, 1, 0, 1}, {7, 1, 0, 1}, {2, 1, 0, 1},
    };
    Source *step[4] = {NULL};
    double x[15 * 5];
    Scratch scratch = {0};
    Status status =
        source_create(&step[0], s->file, s->dtype, HEAD, s->rows, s->cols, err);
    if (status == STATUS_OK)
        status = source_runs(&step[1], step[0], RUNS, 6, err);
    if (status == STATUS_OK)
        status = source_transpose(&step[2], step[1], err);
    if (status == STATUS_OK)
        status = source_cols(&step[3], step[2], 1, 5, 2, err);
    if (status == STATUS_OK)
        status = source_read(step[3], 0, 5, 0, 5, x, 5, NULL, &scratch, 0, err);
    for (int i = 0; i < 4; i++)
        source_release(step[i]);
    scratch_release(&scratch);
    return status;
}

static void test_no_memory(void **state) {
    Stored s;
    Err err;
    (void)state;
    stored_make(&s, DTYPE_F32, 12, 5);
    for (long n = 1;; n++) {
        fail_alloc_at(n);
        Status status = scenario(&s, &err);
        bool hit = fail_alloc_hit();
        fail_alloc_at(0);
        if (!hit) {
            assert_int_equal(status, STATUS_OK);
            assert_true(n > 5);
            break;
        }
        assert_int_equal(status, STATUS_NOMEM);
        assert_memory_equal(err.message, "not enough memory", 17);
    }
    stored_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compose),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_runs_stay_few),
        cmocka_unit_test(test_column_steps),
        cmocka_unit_test(test_wide_steps),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_bad_runs),
        cmocka_unit_test(test_create_checks),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_nonfinite),
        cmocka_unit_test(test_nonfinite_block),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
