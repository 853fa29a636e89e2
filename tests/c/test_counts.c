/* What is counted: bytes read and told of ahead, blocks of memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spectra.h"

/* A file of random numbers in float32, one matrix. */
typedef struct Weights {
    char path[32];
    File *file;
    uint64_t bytes;
    Tensor tensor; /* of the file */
} Weights;

/* Creates. The short side falls by 2^-depth from its first row or column to its
 * last. */
static Weights weights_make(int64_t rows, int64_t cols, double depth) {
    Weights w = {.path = "/tmp/weft-counts-XXXXXX"};
    uint64_t count = (uint64_t)(rows * cols), state = 5;
    int64_t shape[2] = {rows, cols};
    int fd = mkstemp(w.path);
    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "wb");
    assert_non_null(out);
    for (uint64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        uint64_t row = i / (uint64_t)cols, col = i % (uint64_t)cols;
        double at = rows < cols ? (double)row / (double)rows
                                : (double)col / (double)cols;
        float x =
            (float)(exp2(-depth * at) * ((double)(state >> 40) / 0x1p24 - 0.5));
        assert_int_equal(fwrite(&x, sizeof x, 1, out), 1);
    }
    assert_int_equal(fclose(out), 0);
    w.bytes = count * sizeof(float);
    assert_int_equal(file_open(&w.file, w.path, NULL), STATUS_OK);
    Source *source;
    assert_int_equal(source_create(&source, w.file, DTYPE_F32, 0,
                                   (uint64_t)rows, (uint64_t)cols, NULL),
                     STATUS_OK);
    assert_int_equal(tensor_from_source(&w.tensor, source, 2, shape, NULL),
                     STATUS_OK);
    source_release(source);
    return w;
}

static void weights_drop(Weights *w) {
    tensor_release(&w->tensor);
    file_release(w->file);
    unlink(w->path);
}

/* One spectrum; its values are not looked at. */
static SpectrumInfo spectrum_in(Scratch *scratch, const Tensor *tensor,
                                SpectrumWish wish) {
    static double s[1024];
    SpectrumInfo info;
    assert_true(tensor->shape[0] <= 1024 || tensor->shape[1] <= 1024);
    assert_int_equal(
        spectrum_values(tensor, &wish, s, &info, scratch, NULL, NULL),
        STATUS_OK);
    return info;
}

static const int64_t SHAPES[][2] = {
    {3000, 300}, {300, 3000}, {700, 1500}, {1500, 700}, {40, 30}};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

/* Every byte once a pass, told of once before where the matrix is large. */
static void test_read_once(void **state) {
    (void)state;
    for (int i = 0; i < SHAPE_COUNT; i++) {
        Weights w = weights_make(SHAPES[i][0], SHAPES[i][1], 0);
        for (int way = 0; way < 4; way++) {
            Scratch scratch = {0};
            Tensor turned;
            assert_int_equal(tensor_transpose(&turned, &w.tensor, NULL),
                             STATUS_OK);
            FileCounts before = file_counts();
            SpectrumInfo info =
                spectrum_in(&scratch, way % 2 == 0 ? &w.tensor : &turned,
                            way < 2 ? GRAM : DIRECT);
            FileCounts after = file_counts();
            assert_int_equal(info.read * sizeof(float), w.bytes);
            assert_int_equal(after.read - before.read, w.bytes);
            assert_int_equal(after.advised - before.advised,
                             w.bytes > 1 << 20 ? w.bytes : 0);
            tensor_release(&turned);
            scratch_release(&scratch);
        }
        weights_drop(&w);
    }
}

/* Of a file longer than the window what is told of keeps its distance, and
 * comes to the whole in the end. */
static void test_window(void **state) {
    (void)state;
    enum { COLS = 256, ROWS = 20 << 10, PART = 1 << 10 };
    const uint64_t window = 16 << 20, step = 1 << 20;
    Weights w = weights_make(ROWS, COLS, 0);
    double *values = numbers((size_t)PART * COLS);
    Scratch scratch = {0};
    FileCounts before = file_counts();
    assert_true(w.bytes > window);
    for (int64_t row = 0; row < ROWS; row += PART) {
        assert_int_equal(tensor_read(&w.tensor, row, PART, 0, COLS, values,
                                     COLS, NULL, &scratch, 0, NULL),
                         STATUS_OK);
        uint64_t read = file_counts().read - before.read;
        uint64_t advised = file_counts().advised - before.advised;
        uint64_t least = read + window - step, most = read + window;
        assert_true(advised >= (least < w.bytes ? least : w.bytes));
        assert_true(advised <= (most < w.bytes ? most : w.bytes));
    }
    /* the next matrix's start is asked for, and no more than is wanted */
    before = file_counts();
    source_advise(w.tensor.source, 3 << 20);
    assert_int_equal(file_counts().advised - before.advised, 3 << 20);
    before = file_counts();
    source_advise(w.tensor.source, UINT64_MAX);
    assert_int_equal(file_counts().advised - before.advised, w.bytes);
    /* single values are no pass over the matrix */
    before = file_counts();
    int64_t at[2] = {0, 0};
    assert_int_equal(tensor_get(&w.tensor, at, values, NULL), STATUS_OK);
    assert_int_equal(file_counts().advised - before.advised, 0);
    assert_int_equal(file_counts().read - before.read, sizeof(float));
    scratch_release(&scratch);
    free(values);
    weights_drop(&w);
}

/* A worker's buffers serve every matrix of a size after the first. */
static void test_no_new_buffers(void **state) {
    (void)state;
    static const SpectrumWish *const WISHES[] = {&GRAM, &SINGLE, &DIRECT};
    for (int i = 0; i < SHAPE_COUNT; i++) {
        Weights w = weights_make(SHAPES[i][0], SHAPES[i][1], 0);
        for (size_t way = 0; way < 3; way++) {
            Scratch scratch = {0};
            MemCounts start = mem_counts();
            spectrum_in(&scratch, &w.tensor, *WISHES[way]);
            MemCounts first = mem_counts();
            spectrum_in(&scratch, &w.tensor, *WISHES[way]);
            MemCounts second = mem_counts();
            assert_true(first.allocations > start.allocations);
            assert_int_equal(second.allocations, first.allocations);
            assert_int_equal(second.held, first.held);
            assert_int_equal(first.held - start.held, scratch_bytes(&scratch));
            scratch_release(&scratch);
            assert_int_equal(mem_counts().held, start.held);
        }
        weights_drop(&w);
    }
}

/* A way to the values, and a matrix that takes it. */
typedef struct Way {
    SpectrumWish wish;
    double depth;
    bool low_end, direct;
} Way;

static const Way WAYS[] = {{{SPECTRUM_GRAM, false, false}, 0, false, false},
                           {{SPECTRUM_GRAM, true, false}, 0, false, false},
                           {{SPECTRUM_GRAM, false, true}, 24, true, false},
                           {{SPECTRUM_GRAM, false, true}, 100, false, true},
                           {{SPECTRUM_DIRECT, false, false}, 0, false, true}};

/* Bytes held at most while a matrix of short side n goes this way. */
static uint64_t peak_of(const Way *way, int64_t n, int64_t m, bool tall) {
    Weights w = weights_make(tall ? m : n, tall ? n : m, way->depth);
    Scratch scratch = {0};
    mem_peak_restart();
    uint64_t before = mem_counts().peak;
    SpectrumInfo info = spectrum_in(&scratch, &w.tensor, way->wish);
    uint64_t peak = mem_counts().peak - before;
    assert_int_equal(info.low_end, way->low_end);
    assert_int_equal(info.direct, way->direct);
    scratch_release(&scratch);
    weights_drop(&w);
    return peak;
}

/* At most 3 n^2 float64 and a panel, in single precision 2 n^2 and one and a
 * half, whichever way is taken; also where the panel is the larger part. */
static void test_peak(void **state) {
    static const struct {
        uint64_t n, width;
    } SIDES[] = {{256, 2048}, {600, 768}, {1024, 768}};
    const uint64_t raw = 5 << 18; /* bytes as they are stored */
    (void)state;
    for (size_t i = 0; i < sizeof SIDES / sizeof *SIDES; i++)
        for (size_t way = 0; way < 2 * sizeof WAYS / sizeof *WAYS; way++) {
            uint64_t n = SIDES[i].n;
            uint64_t panel = 8 * n * SIDES[i].width, square = 8 * n * n;
            uint64_t peak =
                peak_of(&WAYS[way / 2], (int64_t)n, 2048, way % 2 == 1);
            uint64_t most = WAYS[way / 2].wish.single
                                ? 2 * square + panel + panel / 2
                                : 3 * square + panel;
            if (peak > most + raw || peak < square / 2 + panel)
                fail_msg("n = %d, way %zu: %llu bytes, n^2 %llu, panel %llu",
                         (int)n, way, (unsigned long long)peak,
                         (unsigned long long)square, (unsigned long long)panel);
        }
}

/* Gram matrix and reduction: n^2 m and 4/3 n^3 a matrix. */
static void test_flops(void **state) {
    (void)state;
    double sum = 0, want = 0;
    for (int i = 0; i < SHAPE_COUNT; i++) {
        Weights w = weights_make(SHAPES[i][0], SHAPES[i][1], 0);
        Scratch scratch = {0};
        double rows = (double)SHAPES[i][0], cols = (double)SHAPES[i][1];
        double n = rows < cols ? rows : cols, m = rows < cols ? cols : rows;
        sum += spectrum_in(&scratch, &w.tensor, GRAM).flops;
        want += n * n * m + 4.0 / 3 * n * n * n;
        scratch_release(&scratch);
        weights_drop(&w);
    }
    is_near(sum, want, 1e-12 * want);
}

static void test_blocks(void **state) {
    (void)state;
    MemCounts start = mem_counts();
    mem_peak_restart();
    void *a = mem_array(1000, 3, NULL), *b = mem_zeroed(7, 11, NULL);
    MemCounts two = mem_counts();
    assert_int_equal(two.allocations - start.allocations, 2);
    assert_int_equal(two.held - start.held, 3077);
    mem_free(a);
    a = mem_resize(b, 77, 100, 1, NULL);
    mem_free(a);
    mem_free(NULL);
    MemCounts end = mem_counts();
    assert_int_equal(end.held, start.held);
    assert_int_equal(end.peak - start.held, 3077);
    assert_int_equal(end.allocations - start.allocations, 3);
    assert_null(mem_array(SIZE_MAX, 2, NULL));
    assert_int_equal(mem_counts().allocations, end.allocations);
    mem_peak_restart();
    assert_int_equal(mem_counts().peak, start.held);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_once),      cmocka_unit_test(test_window),
        cmocka_unit_test(test_no_new_buffers), cmocka_unit_test(test_peak),
        cmocka_unit_test(test_flops),          cmocka_unit_test(test_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
