/* Packed weights against the values that other readers make of them: whole,
 * in blocks of views of every kind, and the messages where parts do not fit
 * each other. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checkpoint.h"
#include "fail_alloc.h"
#include "packed.h"
#include "raw.h"
#include "recipe.h"

/* What tests/golden/packed/packed.safetensors holds, and how it is packed. */
typedef struct Case {
    const char *name; /* of the values */
    const char *dtype;
    PackedWish wish;
    const char *part[PACKED_PARTS]; /* endings of the parts' names */
    double ulps;                    /* of the reference's float32 arithmetic */
} Case;

#define SCALED(...)                                                            \
    { .kind = PACKED_SCALED, .divisor = 1, __VA_ARGS__ }
#define WORDS(which, ...)                                                      \
    { .kind = PACKED_##which, .divisor = 1, __VA_ARGS__ }
#define QWEIGHT ".qweight", ".qzeros", ".scales"
#define TABLE(name, rows, cols, size)                                          \
    { PACKED_TABLE, {NULL}, {0}, 1, 0, 0, 0, {rows, cols}, size, name }
#define ABSMAX ".weight", ".weight.absmax", ".weight.quant_map"

static const Case CASES[] = {
    {"block",
     "F8_E4M3 x F32",
     SCALED(.block = {16, 32}),
     {".weight", ".weight_scale_inv"},
     1},
    {"default",
     "F8_E4M3 x BF16",
     SCALED(.block = {128, 128}),
     {".weight", ".weight_scale_inv"},
     1},
    {"stack",
     "F8_E4M3 x F32",
     SCALED(.block = {16, 32}),
     {".weight", ".weight_scale_inv"},
     1},
    {"tensor",
     "F8_E4M3 x F32",
     SCALED(.block = {128, 128}),
     {".weight", ".weight_scale"},
     1},
    {"row",
     "F8_E5M2 x F16",
     SCALED(.block = {0}),
     {".weight", ".weight_scale"},
     1},
    {"exponent",
     "F8_E4M3 x F8_E8M0",
     SCALED(.block = {0}),
     {".weight", ".weight_scale_inv"},
     0},
    {"gate_up_proj",
     "MXFP4",
     {.kind = PACKED_MXFP4},
     {"_blocks", "_scales"},
     0},
    {"down_proj", "MXFP4", {.kind = PACKED_MXFP4}, {"_blocks", "_scales"}, 0},
    {"gptq4",
     "GPTQ-4",
     WORDS(GPTQ, .bits = 4, .zero_add = 1),
     {QWEIGHT, ".g_idx"},
     0},
    {"gptq4_plain",
     "GPTQ-4",
     WORDS(GPTQ, .bits = 4, .zero_add = 1, .group = 16),
     {QWEIGHT},
     0},
    {"gptq8",
     "GPTQ-8",
     WORDS(GPTQ, .bits = 8, .zero_add = 1),
     {QWEIGHT, ".g_idx"},
     0},
    {"gptq4_v2", "GPTQ-4", WORDS(GPTQ, .bits = 4), {QWEIGHT}, 0},
    {"awq4", "AWQ-4", WORDS(AWQ, .group = 16), {QWEIGHT}, 0},
    {"int8",
     "I8 x F32 / 127",
     {.kind = PACKED_SCALED, .divisor = 127},
     {".weight", ".SCB"},
     2},
    {"nf4", "NF4", TABLE("NF4", 10, 128, 64), {ABSMAX}, 1},
    {"nf4_flat", "NF4", TABLE("NF4", 6, 20, 64), {ABSMAX}, 1},
    {"fp4", "FP4", TABLE("FP4", 4, 64, 32), {ABSMAX}, 1},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

static Checkpoint *stored, *expected;

static int open_files(void **state) {
    (void)state;
    return checkpoint_open(&stored, "tests/golden/packed/packed.safetensors",
                           NULL) != STATUS_OK ||
           checkpoint_open(&expected,
                           "tests/golden/packed/expected.safetensors",
                           NULL) != STATUS_OK;
}

static int close_files(void **state) {
    (void)state;
    checkpoint_release(stored);
    checkpoint_release(expected);
    return 0;
}

static Tensor take(const Checkpoint *checkpoint, const char *name,
                   const char *ending) {
    char whole[128];
    Tensor tensor;
    snprintf(whole, sizeof whole, "%s%s", name, ending);
    const Entry *entry = checkpoint_find(checkpoint, whole);
    if (entry == NULL)
        fail_msg("no tensor '%s'", whole);
    assert_int_equal(checkpoint_tensor(entry, &tensor, NULL), STATUS_OK);
    return tensor;
}

static Status pack_parts(Tensor *out, const Case *c, Err *err) {
    Tensor part[PACKED_PARTS];
    PackedWish wish = c->wish;
    int n = 0;
    for (; n < PACKED_PARTS && c->part[n] != NULL; n++) {
        part[n] = take(stored, c->name, c->part[n]);
        wish.part[n] = &part[n];
    }
    Status status = packed_create(out, &wish, err);
    for (int i = 0; i < n; i++)
        tensor_release(&part[i]);
    return status;
}

static Tensor pack(const Case *c) {
    Tensor out;
    Err err;
    if (pack_parts(&out, c, &err) != STATUS_OK)
        fail_msg("%s: %s", c->name, err.message);
    return out;
}

static Tensor copy(const Tensor *tensor) {
    Tensor out;
    Err err;
    if (tensor_copy(&out, tensor, DTYPE_F64, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return out;
}

static void expect_shape(const Tensor *a, const Tensor *b, const char *what) {
    char one[256], other[256];
    tensor_shape_text(one, sizeof one, a);
    if (strcmp(one, tensor_shape_text(other, sizeof other, b)) != 0)
        fail_msg("%s is %s, expected %s", what, one, other);
}

/* Bit by bit the float64 arithmetic, and as near to float32's as that is. */
static void test_values(void **state) {
    (void)state;
    for (int k = 0; k < CASE_COUNT; k++) {
        const Case *c = &CASES[k];
        Tensor file = pack(c), exact = take(expected, c->name, ".f64");
        Tensor narrow = take(expected, c->name, ".f32");
        Tensor got = copy(&file), want = copy(&exact), rough = copy(&narrow);
        const double *x = tensor_data(&got), *y = tensor_data(&want);
        const double *z = tensor_data(&rough);
        assert_string_equal(file.source->recipe->name, c->dtype);
        expect_shape(&file, &exact, c->name);
        for (int64_t i = 0; i < tensor_count(&got); i++) {
            double ulp = fmax(fabs(z[i]) * (double)FLT_EPSILON, 0x1p-149);
            if (x[i] != y[i] || fabs(x[i] - z[i]) > c->ulps * ulp)
                fail_msg("%s: element %ld is %.17g, expected %.17g, %.9g",
                         c->name, (long)i, x[i], y[i], z[i]);
        }
        Tensor *all[] = {&file, &exact, &narrow, &got, &want, &rough};
        for (size_t i = 0; i < 6; i++)
            tensor_release(all[i]);
    }
}

static uint64_t seed = 4711;

/* A number below n. (xorshift64) */
static int64_t below(int64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n <= 0 ? 0 : (int64_t)(seed % (uint64_t)n);
}

/* The same random view of both. */
static void narrow(Tensor *a, Tensor *b) {
    Tensor next[2];
    int64_t axis = below(2), size = a->shape[axis], first = below(size);
    int64_t step = 1 + below(3),
            count = 1 + below((size - first - 1) / step + 1);
    bool turn = a->axes == 2 && below(3) == 0;
    Tensor *both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        Tensor *t = both[i];
        Status status;
        if (turn)
            status = tensor_transpose(&next[i], t, NULL);
        else if (t->axes > 2)
            status = tensor_pick(&next[i], t, first % t->shape[0], NULL);
        else
            status = (axis == 0 ? tensor_rows : tensor_cols)(&next[i], t, first,
                                                             count, step, NULL);
        assert_int_equal(status, STATUS_OK);
        tensor_release(t);
        *t = next[i];
    }
}

static void compare_block(const Tensor *a, const Tensor *b) {
    int64_t r0 = below(a->shape[0]), c0 = below(a->shape[1]);
    int64_t nr = 1 + below(a->shape[0] - r0), nc = 1 + below(a->shape[1] - c0);
    double *x = calloc((size_t)(2 * nr * nc), sizeof *x);
    Scratch scratch = {0};
    assert_non_null(x);
    for (int i = 0; i < 2; i++)
        assert_int_equal(tensor_read(i == 0 ? a : b, r0, nr, c0, nc,
                                     x + i * nr * nc, nc, NULL, &scratch, 0,
                                     NULL),
                         STATUS_OK);
    assert_memory_equal(x, x + nr * nc, (size_t)(nr * nc) * sizeof *x);
    scratch_release(&scratch);
    free(x);
}

/* Views of the packed tensor are views of the plain one. */
static void test_views(void **state) {
    (void)state;
    for (int n = 0; n < 60 * CASE_COUNT; n++) {
        const Case *c = &CASES[n % CASE_COUNT];
        Tensor a = pack(c), file = take(expected, c->name, ".f64");
        Tensor b = copy(&file);
        tensor_release(&file);
        for (int64_t steps = (a.axes > 2) + below(4); steps > 0; steps--)
            narrow(&a, &b);
        if (a.axes == 2)
            compare_block(&a, &b);
        Tensor whole = copy(&a), plain = copy(&b);
        assert_memory_equal(tensor_data(&whole), tensor_data(&plain),
                            (size_t)tensor_count(&whole) * sizeof(double));
        Tensor *all[] = {&a, &b, &whole, &plain};
        for (size_t i = 0; i < 4; i++)
            tensor_release(all[i]);
    }
}

static void test_identity(void **state) {
    (void)state;
    for (int k = 0; k < CASE_COUNT; k++) {
        Tensor a = pack(&CASES[k]), b = pack(&CASES[k]);
        Tensor other = pack(&CASES[(k + 1) % CASE_COUNT]);
        assert_true(source_same(a.source, b.source));
        assert_false(source_same(a.source, other.source));
        tensor_release(&other);
        other = take(stored, CASES[k].name, CASES[k].part[0]);
        assert_false(source_same(a.source, other.source));
        source_advise(a.source, UINT64_MAX);
        tensor_release(&other);
        tensor_release(&a);
        tensor_release(&b);
    }
    /* another zero point is another tensor */
    Case more = CASES[8];
    more.wish.zero_add = 0;
    Tensor a = pack(&CASES[8]), b = pack(&more);
    assert_false(source_same(a.source, b.source));
    /* 64 rows of 24 values, eight of a column in a word */
    assert_int_equal(tensor_bytes(&a), 64 * 24 / 2);
    tensor_release(&a);
    tensor_release(&b);
}

/* ---- what is refused ---- */

static void expect_refusal(const Case *c, Status status, const char *message) {
    Tensor out = {0};
    Err err;
    assert_int_equal(pack_parts(&out, c, &err), status);
    assert_string_equal(err.message, message);
    assert_null(out.source);
}

static void test_refusals(void **state) {
    static const struct {
        Case made;
        const char *message;
    } LIST[] = {
        {{"block",
          "",
          SCALED(.block = {32, 32}),
          {".weight", ".weight_scale_inv"},
          0},
         "scale is [3, 3] beside a weight of [40, 72]: expected one for each "
         "block of 32 x 32, row or tensor"},
        {{"block", "", SCALED(.block = {0}), {".weight"}, 0},
         "there is no scale"},
        {{"block", "", SCALED(.block = {0}), {".weight_scale_inv"}, 0},
         "weight is F32: expected an F8 dtype or I8"},
        {{"block", "", SCALED(.block = {0}), {".weight", ".weight"}, 0},
         "scale is F8_E4M3: expected F32, F16, BF16 or F8_E8M0"},
        {{"gate_up_proj",
          "",
          {.kind = PACKED_MXFP4},
          {"_scales", "_scales"},
          0},
         "blocks is [2, 12, 3]: expected 16 bytes along the last axis"},
        {{"gate_up_proj",
          "",
          {.kind = PACKED_MXFP4},
          {"_blocks", "_blocks"},
          0},
         "scales is [2, 12, 3, 16]: expected [2, 12, 3]"},
        {{"gptq4", "", WORDS(GPTQ, .bits = 3), {QWEIGHT}, 0},
         "3 bits: expected 4 or 8"},
        {{"gptq4", "", WORDS(GPTQ, .bits = 8, .zero_add = 1), {QWEIGHT}, 0},
         "qzeros is [4, 3]: expected [4, 6]"},
        {{"gptq4", "", WORDS(GPTQ, .bits = 4, .group = 32), {QWEIGHT}, 0},
         "4 groups of 64 rows: expected 2 of 32"},
        {{"gptq4", "", WORDS(GPTQ, .bits = 4), {QWEIGHT, ".qzeros"}, 0},
         "g_idx is [4, 3]: expected [64]"},
        {{"gptq4", "", WORDS(AWQ, .bits = 4), {QWEIGHT}, 0},
         "scales is [4, 24]: expected [4, 192]"},
        {{"gptq4", "", WORDS(AWQ, .bits = 4), {".qweight", ".scales"}, 0},
         "qzeros is F16: expected I32"},
        {{"nf4", "", TABLE("NF4", 10, 64, 64), {ABSMAX}, 0},
         "weight has 640 bytes: expected those of [10, 64], two values each"},
        {{"nf4", "", TABLE("NF4", 10, 128, 32), {ABSMAX}, 0},
         "absmax is [20]: expected [40]"},
        {{"nf4", "", TABLE("NF4", 10, 128, 0), {ABSMAX}, 0},
         "a block size of 0: expected 1 or more"},
        {{"nested", "", TABLE("NF4", 4, 64, 64), {ABSMAX}, 0},
         "absmax is U8: expected F32"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof LIST / sizeof *LIST; i++)
        expect_refusal(&LIST[i].made,
                       LIST[i].made.wish.bits == 3 ? STATUS_UNSUPPORTED
                                                   : STATUS_ARGUMENT,
                       LIST[i].message);
}

/* Parts that are views, of another file's tensors, or in memory. */
static void test_parts_are_whole(void **state) {
    Tensor weight = take(stored, "block", ".weight");
    Tensor scale = take(stored, "block", ".weight_scale_inv");
    Tensor view[4], out = {0};
    Err err;
    (void)state;
    PackedWish wish = SCALED(.block = {16, 32});
    assert_int_equal(tensor_rows(&view[0], &weight, 0, 32, 1, NULL), 0);
    assert_int_equal(tensor_cols(&view[1], &weight, 0, 36, 2, NULL), 0);
    assert_int_equal(tensor_transpose(&view[2], &weight, NULL), 0);
    view[3] = copy(&weight);
    wish.part[1] = &scale;
    for (int i = 0; i < 4; i++) {
        wish.part[0] = &view[i];
        assert_int_equal(packed_create(&out, &wish, &err), STATUS_ARGUMENT);
        assert_string_equal(err.message,
                            "weight is not a whole tensor of a file");
        tensor_release(&view[i]);
    }
    /* nor are they packed themselves */
    view[0] = pack(&CASES[0]);
    wish.part[0] = &view[0];
    assert_int_equal(packed_create(&out, &wish, &err), STATUS_ARGUMENT);
    tensor_release(&view[0]);
    tensor_release(&weight);
    tensor_release(&scale);
}

/* ---- files of the test's own ---- */

/* A scale a value: more rows, and longer ones, than are read at once. */
static void test_many_scales(void **state) {
    static const int64_t SHAPES[][2] = {{20000, 8}, {3, 70000}, {1, 300000}};
    (void)state;
    for (size_t k = 0; k < sizeof SHAPES / sizeof *SHAPES; k++) {
        int64_t rows = SHAPES[k][0], cols = SHAPES[k][1], n = rows * cols;
        uint8_t *data = malloc((size_t)n * 5);
        Raw raw;
        assert_non_null(data);
        for (int64_t i = 0; i < n; i++) {
            float scale = (float)(i % 9973) + 0.5F;
            data[i] = (uint8_t)(i % 101);
            memcpy(data + n + i * 4, &scale, 4);
        }
        raw_make(&raw, data, (size_t)n * 5);
        Tensor weight = raw_tensor(&raw, DTYPE_I8, 0, 2, SHAPES[k]);
        Tensor scale = raw_tensor(&raw, DTYPE_F32, (uint64_t)n, 2, SHAPES[k]);
        PackedWish wish = SCALED(.part = {&weight, &scale});
        Tensor out, turned, flat[2];
        assert_int_equal(packed_create(&out, &wish, NULL), STATUS_OK);
        assert_int_equal(tensor_transpose(&turned, &out, NULL), STATUS_OK);
        flat[0] = copy(&out);
        flat[1] = copy(&turned);
        const double *x = tensor_data(&flat[0]), *y = tensor_data(&flat[1]);
        for (int64_t i = 0; i < n; i++) {
            double want = (double)(i % 101) * ((double)(i % 9973) + 0.5);
            assert_true(x[i] == want && y[i % cols * rows + i / cols] == want);
        }
        Tensor *all[] = {&weight, &scale, &out, &turned, &flat[0], &flat[1]};
        for (size_t i = 0; i < 6; i++)
            tensor_release(all[i]);
        raw_end(&raw);
        free(data);
    }
}

static void expect_bad(const Tensor *tensor, uint64_t count, uint64_t row,
                       uint64_t col) {
    int64_t nr = tensor->shape[0], nc = tensor->shape[1];
    double *x = malloc((size_t)(nr * nc) * sizeof *x);
    NonFinite bad = {0, 0, 0};
    Scratch scratch = {0};
    assert_non_null(x);
    assert_int_equal(
        tensor_read(tensor, 0, nr, 0, nc, x, nc, &bad, &scratch, 0, NULL),
        STATUS_OK);
    assert_true(bad.count == count && bad.row == row && bad.col == col);
    scratch_release(&scratch);
    free(x);
}

/* A scale that is not finite makes its whole block so, zeros too. */
static void test_bad_scales(void **state) {
    float data[10] = {0}, scales[2] = {1, INFINITY};
    uint8_t pairs[34] = {0};
    Raw raw;
    Tensor part[2], out;
    (void)state;
    memcpy(data + 8, scales, sizeof scales); /* [4, 8] of I8, [2, 1] */
    raw_make(&raw, data, sizeof data);
    part[0] = raw_tensor(&raw, DTYPE_I8, 0, 2, (int64_t[]){4, 8});
    part[1] = raw_tensor(&raw, DTYPE_F32, 32, 2, (int64_t[]){2, 1});
    PackedWish wish = SCALED(.part = {&part[0], &part[1]});
    assert_int_equal(packed_create(&out, &wish, NULL), STATUS_OK);
    expect_bad(&out, 16, 2, 0);
    for (int i = 0; i < 2; i++)
        tensor_release(&part[i]);
    tensor_release(&out);
    raw_end(&raw);

    pairs[32] = 127; /* [2, 1, 16] and [2, 1]: 255 is no exponent */
    pairs[33] = 255;
    raw_make(&raw, pairs, sizeof pairs);
    part[0] = raw_tensor(&raw, DTYPE_U8, 0, 3, (int64_t[]){2, 1, 16});
    part[1] = raw_tensor(&raw, DTYPE_U8, 32, 2, (int64_t[]){2, 1});
    wish = (PackedWish){.kind = PACKED_MXFP4, .part = {&part[0], &part[1]}};
    assert_int_equal(packed_create(&out, &wish, NULL), STATUS_OK);
    expect_bad(&out, 32, 1, 0);
    for (int i = 0; i < 2; i++)
        tensor_release(&part[i]);
    tensor_release(&out);
    raw_end(&raw);
}

/* A row's group must be one of those that there are. */
static void test_bad_groups(void **state) {
    static const int32_t GROUPS[] = {-1, 1, INT32_MAX};
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        /* qweight [1, 8], qzeros [1, 1], scales [1, 8], g_idx [8] */
        int32_t data[8 + 1 + 8 + 8] = {0};
        Raw raw;
        Tensor part[4], out, whole;
        Err err;
        char message[128];
        data[17 + 5] = GROUPS[k];
        raw_make(&raw, data, sizeof data);
        part[0] = raw_tensor(&raw, DTYPE_I32, 0, 2, (int64_t[]){1, 8});
        part[1] = raw_tensor(&raw, DTYPE_I32, 32, 2, (int64_t[]){1, 1});
        part[2] = raw_tensor(&raw, DTYPE_F32, 36, 2, (int64_t[]){1, 8});
        part[3] = raw_tensor(&raw, DTYPE_I32, 68, 1, (int64_t[]){8});
        PackedWish wish = WORDS(
            GPTQ, .bits = 4, .part = {&part[0], &part[1], &part[2], &part[3]});
        assert_int_equal(packed_create(&out, &wish, NULL), STATUS_OK);
        assert_int_equal(tensor_copy(&whole, &out, DTYPE_F64, &err),
                         STATUS_FORMAT);
        snprintf(message, sizeof message,
                 "g_idx: element 6 is %d: expected 0 to 0", GROUPS[k]);
        assert_string_equal(err.message, message);
        for (int i = 0; i < 4; i++)
            tensor_release(&part[i]);
        tensor_release(&out);
        raw_end(&raw);
    }
}

/* Making and reading one of each kind; every allocation may fail. */
static void test_no_memory(void **state) {
    (void)state;
    for (int k = 0; k < CASE_COUNT; k++) {
        for (long n = 1;; n++) {
            Tensor out = {0}, whole = {0};
            Err err;
            Tensor part[PACKED_PARTS];
            PackedWish wish = CASES[k].wish;
            int parts = 0;
            for (; parts < PACKED_PARTS && CASES[k].part[parts]; parts++) {
                part[parts] = take(stored, CASES[k].name, CASES[k].part[parts]);
                wish.part[parts] = &part[parts];
            }
            fail_alloc_at(n);
            Status status = packed_create(&out, &wish, &err);
            if (status == STATUS_OK)
                status = tensor_copy(&whole, &out, DTYPE_F64, &err);
            bool hit = fail_alloc_hit();
            fail_alloc_at(0);
            tensor_release(&whole);
            tensor_release(&out);
            for (int i = 0; i < parts; i++)
                tensor_release(&part[i]);
            assert_int_equal(status, hit ? STATUS_NOMEM : STATUS_OK);
            if (!hit) {
                assert_true(n > 4);
                break;
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_parts_are_whole),
        cmocka_unit_test(test_many_scales),
        cmocka_unit_test(test_bad_scales),
        cmocka_unit_test(test_bad_groups),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, open_files, close_files);
}
