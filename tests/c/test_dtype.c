/* The table of dtypes, its decoders against other people's numbers, and the
 * encoders' rounding. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dtype.h"
#include "mem.h"

/* Every tensor of tests/golden/gguf is 16 x 512. `raw` is where its bytes lie
 * in types.gguf (ReaderTensor.data_offset of gguf-py 0.19), `values` where
 * types.json puts its floats in types.f32. */
enum { GOLDEN_ELEMENTS = 16 * 512 };
static const struct {
    Dtype dtype;
    long raw, values;
} GOLDEN[] = {
    {DTYPE_F32, 1792, 0},           {DTYPE_F16, 34560, 32768},
    {DTYPE_Q4_0, 50944, 65536},     {DTYPE_Q4_1, 55552, 98304},
    {DTYPE_Q5_0, 60672, 131072},    {DTYPE_Q5_1, 66304, 163840},
    {DTYPE_Q8_0, 72448, 196608},    {DTYPE_Q2_K, 81152, 229376},
    {DTYPE_Q3_K, 83840, 262144},    {DTYPE_Q4_K, 87360, 294912},
    {DTYPE_Q5_K, 91968, 327680},    {DTYPE_Q6_K, 97600, 360448},
    {DTYPE_IQ4_NL, 113536, 524288}, {DTYPE_IQ4_XS, 124288, 622592},
    {DTYPE_BF16, 130432, 688128},   {DTYPE_TQ1_0, 146816, 720896},
    {DTYPE_TQ2_0, 148544, 753664},  {DTYPE_MXFP4, 150656, 786432},
};
enum { GOLDEN_COUNT = sizeof GOLDEN / sizeof GOLDEN[0] };

static const char *const SAFETENSORS[] = {
    "F64",         "F32",         "F16",     "BF16", "F8_E4M3", "F8_E5M2",
    "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0", "F4",   "F6_E2M3", "F6_E3M2",
    "I64",         "U64",         "I32",     "U32",  "I16",     "U16",
    "I8",          "U8",          "BOOL",    "C64",
};

/* Number, elements and bytes a block: gguf-py's GGML_QUANT_SIZES, but for
 * Q8_1, where ggml's block_q8_1 is 36 bytes. */
static const struct {
    uint32_t number;
    const char *name;
    int block, bytes;
} GGML[] = {
    {0, "F32", 1, 4},         {1, "F16", 1, 2},
    {2, "Q4_0", 32, 18},      {3, "Q4_1", 32, 20},
    {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},
    {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 36},
    {10, "Q2_K", 256, 84},    {11, "Q3_K", 256, 110},
    {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},
    {16, "IQ2_XXS", 256, 66}, {17, "IQ2_XS", 256, 74},
    {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},
    {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},
    {22, "IQ2_S", 256, 82},   {23, "IQ4_XS", 256, 136},
    {24, "I8", 1, 1},         {25, "I16", 1, 2},
    {26, "I32", 1, 4},        {27, "I64", 1, 8},
    {28, "F64", 1, 8},        {29, "IQ1_M", 256, 56},
    {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},
    {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},
    {40, "NVFP4", 64, 36},    {41, "Q1_0", 128, 18},
};

static void *read_at(const char *path, long offset, size_t n) {
    FILE *file = fopen(path, "rb");
    void *bytes = mem_array(n, 1, NULL);
    assert_non_null(file);
    assert_non_null(bytes);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fread(bytes, 1, n, file), n);
    fclose(file);
    return bytes;
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void decode_one(Dtype dtype, const void *src, float *f, double *d) {
    Err err;
    assert_int_equal(dtype_decode_float(dtype, src, 1, f, &err), STATUS_OK);
    assert_int_equal(dtype_decode(dtype, src, 1, d, &err), STATUS_OK);
}

static void check_golden(size_t i, float *got, double *wide) {
    static uint8_t odd[GOLDEN_ELEMENTS * 4 + 1];
    const DtypeRow *row = dtype_row(GOLDEN[i].dtype);
    size_t bytes = (size_t)GOLDEN_ELEMENTS / row->block * row->bytes;
    uint8_t *raw =
        read_at("tests/golden/gguf/types.gguf", GOLDEN[i].raw, bytes);
    float *want = read_at("tests/golden/gguf/types.f32", GOLDEN[i].values,
                          GOLDEN_ELEMENTS * sizeof *want);
    memcpy(odd + 1, raw, bytes);
    assert_int_equal(dtype_decode_float(GOLDEN[i].dtype, odd + 1,
                                        GOLDEN_ELEMENTS, got, NULL),
                     STATUS_OK);
    assert_int_equal(
        dtype_decode(GOLDEN[i].dtype, raw, GOLDEN_ELEMENTS, wide, NULL),
        STATUS_OK);
    for (size_t j = 0; j < GOLDEN_ELEMENTS; j++)
        if (bits_of(got[j]) != bits_of(want[j]) || wide[j] != (double)want[j])
            fail_msg("%s, element %zu: %a and %a, expected %a", row->name, j,
                     (double)got[j], wide[j], (double)want[j]);
    mem_free(raw);
    mem_free(want);
}

static void test_golden(void **state) {
    static float got[GOLDEN_ELEMENTS];
    static double wide[GOLDEN_ELEMENTS];
    (void)state;
    for (size_t i = 0; i < GOLDEN_COUNT; i++)
        check_golden(i, got, wide);
}

/* The value of a code by arithmetic on its fields. */
typedef enum Kind { IEEE, FINITE, FNUZ } Kind;
static double field_value(unsigned code, int bits, int mantissa, int bias,
                          Kind kind) {
    unsigned sign = code >> (bits - 1), top = 1U << mantissa;
    unsigned magnitude = code & ((1U << (bits - 1)) - 1);
    int exponent = (int)(magnitude >> mantissa);
    unsigned fraction = magnitude & (top - 1);
    unsigned all = (1U << (bits - 1)) - 1;
    if (kind == FNUZ && code == 1U << (bits - 1))
        return (double)NAN;
    if (kind == FINITE && magnitude == all)
        return (double)NAN;
    if (kind == IEEE && exponent == (int)(all >> mantissa))
        return fraction != 0 ? (double)NAN
                             : (sign ? -(double)INFINITY : (double)INFINITY);
    double value = exponent == 0
                       ? ldexp(fraction, 1 - bias - mantissa)
                       : ldexp(top + fraction, exponent - bias - mantissa);
    return sign ? -value : value;
}

static void check_code(Dtype dtype, unsigned code, double want) {
    uint8_t src[2] = {(uint8_t)code, (uint8_t)(code >> 8)};
    float f;
    double d;
    decode_one(dtype, src, &f, &d);
    int same = isnan(want) ? isnan(f) && isnan(d)
                           : (double)f == want && d == want &&
                                 !signbit(f) == !signbit(want) &&
                                 !signbit(d) == !signbit(want);
    if (!same)
        fail_msg("%s 0x%x: %a and %a, expected %a", dtype_row(dtype)->name,
                 code, (double)f, d, want);
}

static void test_every_code(void **state) {
    (void)state;
    for (unsigned c = 0; c < 65536; c++) {
        check_code(DTYPE_F16, c, field_value(c, 16, 10, 15, IEEE));
        check_code(DTYPE_BF16, c, field_value(c, 16, 7, 127, IEEE));
    }
    for (unsigned c = 0; c < 256; c++) {
        check_code(DTYPE_F8_E4M3, c, field_value(c, 8, 3, 7, FINITE));
        check_code(DTYPE_F8_E5M2, c, field_value(c, 8, 2, 15, IEEE));
        check_code(DTYPE_F8_E4M3FNUZ, c, field_value(c, 8, 3, 8, FNUZ));
        check_code(DTYPE_F8_E5M2FNUZ, c, field_value(c, 8, 2, 16, FNUZ));
        check_code(DTYPE_F8_E8M0, c,
                   c == 255 ? (double)NAN : ldexp(1, (int)c - 127));
        check_code(DTYPE_U8, c, c);
        check_code(DTYPE_I8, c, c < 128 ? (double)c : (double)c - 256);
        check_code(DTYPE_BOOL, c, c != 0);
    }
}

/* Every scale of MXFP4, on its element 1/2 and on its largest, -6: the golden
 * block's scales are all of middling size. */
static void test_mxfp4_scales(void **state) {
    (void)state;
    for (int e = 0; e < 256; e++) {
        uint8_t block[17] = {(uint8_t)e, 0xF1};
        float f[32];
        assert_int_equal(dtype_decode_float(DTYPE_MXFP4, block, 32, f, NULL),
                         STATUS_OK);
        assert_true(f[0] == ldexpf(1, e - 128));
        assert_true(f[16] == ldexpf(-12, e - 128));
        assert_true(f[1] == 0);
    }
}

/* Vector loops and their tails give what one element at a time gives. */
static void test_lengths(void **state) {
    enum { MOST = 200 };
    static const Dtype TYPES[] = {DTYPE_F16, DTYPE_BF16, DTYPE_F8_E4M3,
                                  DTYPE_F8_E5M2FNUZ, DTYPE_I64};
    uint8_t src[MOST * 8];
    (void)state;
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)(i * 37 % 113);
    for (size_t t = 0; t < sizeof TYPES / sizeof TYPES[0]; t++)
        for (size_t n = 0; n <= MOST; n++) {
            float f[MOST + 1], one;
            double d[MOST + 1], wide;
            f[n] = 7;
            d[n] = 7;
            assert_int_equal(dtype_decode_float(TYPES[t], src, n, f, NULL), 0);
            assert_int_equal(dtype_decode(TYPES[t], src, n, d, NULL), 0);
            assert_true(f[n] == 7 && d[n] == 7);
            for (size_t i = 0; i < n; i++) {
                decode_one(TYPES[t], src + i * dtype_row(TYPES[t])->bytes, &one,
                           &wide);
                assert_true(f[i] == one && d[i] == wide);
            }
        }
}

/* Bytes as they lie in a file, and both values. */
static const struct {
    Dtype dtype;
    uint8_t src[8];
    float f;
    double d;
} WIDE[] = {
    {DTYPE_I16, {0x00, 0x80}, -32768, -32768},
    {DTYPE_U16, {0xFF, 0xFF}, 65535, 65535},
    {DTYPE_I32, {0x01, 0x00, 0x00, 0x01}, 16777216, 16777217},
    {DTYPE_I32, {0x00, 0x00, 0x00, 0x80}, -0x1p31F, -0x1p31},
    {DTYPE_U32, {0xFF, 0xFF, 0xFF, 0xFF}, 0x1p32F, 4294967295.0},
    {DTYPE_I64, {1, 0, 0, 0, 0, 0, 0x20, 0}, 0x1p53F, 0x1p53},
    {DTYPE_I64, {3, 0, 0, 0, 0, 0, 0x20, 0}, 0x1p53F, 0x1p53 + 4},
    {DTYPE_I64, {0, 0, 0, 0, 0, 0, 0, 0x80}, -0x1p63F, -0x1p63},
    /* 2^60 + 2^36 + 1: through a double it would be a tie */
    {DTYPE_I64, {1, 0, 0, 0, 0x10, 0, 0, 0x10}, 0x1.000002p60F, 0x1.000001p60},
    {DTYPE_U64, {255, 255, 255, 255, 255, 255, 255, 255}, 0x1p64F, 0x1p64},
    {DTYPE_F32, {0x01, 0, 0, 0}, 0x1p-149F, 0x1p-149},
    {DTYPE_F64, {1, 0, 0, 0, 0, 0, 0xF0, 0x3F}, 1, 1 + 0x1p-52},
    {DTYPE_F64, {0, 0, 0, 0, 0, 0, 0, 0x7E}, HUGE_VALF, 0x1p993},
};

static void test_wide(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof WIDE / sizeof WIDE[0]; i++) {
        float f;
        double d;
        decode_one(WIDE[i].dtype, WIDE[i].src, &f, &d);
        if (f != WIDE[i].f || d != WIDE[i].d)
            fail_msg("row %zu: %a and %a, expected %a and %a", i, (double)f, d,
                     (double)WIDE[i].f, WIDE[i].d);
    }
}

static unsigned encode_one(Dtype dtype, double value) {
    uint8_t dst[3] = {0, 0, 0xA5};
    assert_int_equal(dtype_encode(dtype, &value, 1, dst, NULL), STATUS_OK);
    assert_int_equal(dst[2], 0xA5);
    return dst[0] | (unsigned)dst[1] << 8;
}

/* Each code comes back; halfway to the next the even one is taken, and beyond
 * or short of halfway by the least a double can say, the nearer. */
static void check_rounding(Dtype dtype, int mantissa, int bias) {
    unsigned infinity = (2U * (unsigned)bias + 1) << mantissa;
    for (unsigned c = 0; c < infinity; c++) {
        double here = field_value(c, 16, mantissa, bias, IEEE);
        double next = field_value(c + 1, 16, mantissa, bias, IEEE);
        if (isinf(next))
            next = ldexp(1, bias + 1);
        double middle = here + (next - here) / 2;
        assert_int_equal(encode_one(dtype, here), c);
        assert_int_equal(encode_one(dtype, -here), c | 0x8000);
        assert_int_equal(encode_one(dtype, middle), c + (c & 1));
        assert_int_equal(encode_one(dtype, -middle), (c + (c & 1)) | 0x8000);
        assert_int_equal(encode_one(dtype, nextafter(middle, 0)), c);
        assert_int_equal(encode_one(dtype, nextafter(middle, INFINITY)), c + 1);
    }
    assert_int_equal(encode_one(dtype, (double)INFINITY), infinity);
    assert_int_equal(encode_one(dtype, -(double)INFINITY), infinity | 0x8000);
    assert_int_equal(encode_one(dtype, ldexp(1.5, bias + 1)), infinity);
    assert_int_equal(encode_one(dtype, 0x1.8p1023), infinity);
    assert_int_equal(encode_one(dtype, 0x1p-1074), 0);
    unsigned nan = encode_one(dtype, (double)NAN);
    assert_true((nan & 0x7FFF) > infinity);
}

static void test_encode_narrow(void **state) {
    (void)state;
    check_rounding(DTYPE_F16, 10, 15);
    check_rounding(DTYPE_BF16, 7, 127);
    /* just above a tie, where rounding to float first would make it one */
    assert_int_equal(encode_one(DTYPE_F16, 1 + 0x1p-11 + 0x1p-40), 0x3C01);
    assert_int_equal(encode_one(DTYPE_BF16, 1 + 0x1p-8 + 0x1p-40), 0x3F81);
    assert_int_equal(encode_one(DTYPE_F16, 65519.99), 0x7BFF);
    assert_int_equal(encode_one(DTYPE_F16, 65520), 0x7C00);
}

static void test_encode_wide(void **state) {
    const double src[5] = {1.1, 1 + 0x1p-24, 1e300, -0.0, (double)NAN};
    uint8_t bytes[5 * 8 + 1];
    float f[5];
    double d[5];
    (void)state;
    assert_int_equal(dtype_encode(DTYPE_F64, src, 5, bytes + 1, NULL), 0);
    assert_int_equal(dtype_decode(DTYPE_F64, bytes + 1, 5, d, NULL), 0);
    assert_memory_equal(d, src, sizeof src);
    assert_int_equal(dtype_encode(DTYPE_F32, src, 5, bytes + 1, NULL), 0);
    assert_int_equal(dtype_decode_float(DTYPE_F32, bytes + 1, 5, f, NULL), 0);
    assert_true(f[0] == 1.1F && f[1] == 1.0F && isinf(f[2]));
    assert_true(signbit(f[3]) && f[3] == 0 && isnan(f[4]));
    assert_int_equal(dtype_encode(DTYPE_F64, src, 0, NULL, NULL), 0);
}

static void test_bytes(void **state) {
    uint64_t bytes = 1;
    Err err;
    (void)state;
    assert_int_equal(dtype_bytes(DTYPE_Q4_K, 512, &bytes, &err), STATUS_OK);
    assert_int_equal(bytes, 288);
    assert_int_equal(dtype_bytes(DTYPE_F6_E2M3, 8, &bytes, &err), STATUS_OK);
    assert_int_equal(bytes, 6);
    assert_int_equal(dtype_bytes(DTYPE_C64, 0, &bytes, &err), STATUS_OK);
    assert_int_equal(bytes, 0);
    assert_int_equal(dtype_bytes(DTYPE_F64, UINT64_MAX / 8, &bytes, &err),
                     STATUS_OK);
    assert_true(bytes == UINT64_MAX - 7);

    assert_int_equal(dtype_bytes(DTYPE_Q4_0, 33, &bytes, &err), STATUS_FORMAT);
    assert_string_equal(err.message,
                        "33 elements of Q4_0, expected whole blocks of 32");
    assert_int_equal(dtype_bytes(DTYPE_F4, 7, &bytes, &err), STATUS_FORMAT);
    assert_string_equal(err.message,
                        "7 elements of F4, expected whole blocks of 2");
    uint64_t most = UINT64_MAX / 8 + 1;
    assert_int_equal(dtype_bytes(DTYPE_F64, most, &bytes, &err), STATUS_FORMAT);
    assert_string_equal(err.message, "2305843009213693952 elements of F64 take "
                                     "more bytes than 64 bits count");
    assert_int_equal(err.status, STATUS_FORMAT);
    assert_true(bytes == UINT64_MAX - 7);
}

static void test_names(void **state) {
    static const char *const WRONG[] = {"f32",  "F8",    "Q4_K", "",
                                        "F32 ", "FLOAT", "bool", "F6"};
    size_t known = 0, count = sizeof SAFETENSORS / sizeof SAFETENSORS[0];
    Dtype dtype = DTYPE_C64;
    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(dtype_from_safetensors(SAFETENSORS[i], &dtype));
        assert_string_equal(dtype_row(dtype)->name, SAFETENSORS[i]);
    }
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        assert_false(dtype_from_safetensors(WRONG[i], &dtype));
    assert_int_equal(dtype, DTYPE_C64);
    for (int i = 0; i < DTYPE_COUNT; i++)
        known += dtype_row((Dtype)i)->safetensors;
    assert_int_equal(known, count);
}

static void test_ggml(void **state) {
    static const uint32_t GONE[] = {4,  5,  31, 32, 33,        36,
                                    37, 38, 42, 99, UINT32_MAX};
    size_t known = 0, count = sizeof GGML / sizeof GGML[0];
    Dtype dtype = DTYPE_C64;
    (void)state;
    for (size_t i = 0; i < sizeof GONE / sizeof GONE[0]; i++)
        assert_false(dtype_from_ggml(GONE[i], &dtype));
    assert_int_equal(dtype, DTYPE_C64);
    for (size_t i = 0; i < count; i++) {
        assert_true(dtype_from_ggml(GGML[i].number, &dtype));
        const DtypeRow *row = dtype_row(dtype);
        assert_string_equal(row->name, GGML[i].name);
        assert_int_equal(row->block, GGML[i].block);
        assert_int_equal(row->bytes, GGML[i].bytes);
    }
    for (int i = 0; i < DTYPE_COUNT; i++)
        known += dtype_row((Dtype)i)->ggml >= 0;
    assert_int_equal(known, count);
}

static void test_refused(void **state) {
    static const Dtype LISTED[] = {
        DTYPE_F4,    DTYPE_F6_E2M3, DTYPE_F6_E3M2, DTYPE_C64,     DTYPE_Q8_1,
        DTYPE_Q8_K,  DTYPE_IQ1_S,   DTYPE_IQ1_M,   DTYPE_IQ2_XXS, DTYPE_IQ2_XS,
        DTYPE_IQ2_S, DTYPE_IQ3_XXS, DTYPE_IQ3_S,   DTYPE_NVFP4,   DTYPE_Q1_0};
    const uint8_t src[512] = {1};
    float f = 7;
    double d = 7;
    size_t listed = 0;
    Err err;
    (void)state;
    for (size_t i = 0; i < sizeof LISTED / sizeof LISTED[0]; i++) {
        assert_int_equal(dtype_decode_float(LISTED[i], src, 256, &f, &err),
                         STATUS_UNSUPPORTED);
        assert_int_equal(dtype_decode(LISTED[i], src, 256, &d, &err),
                         STATUS_UNSUPPORTED);
    }
    assert_string_equal(err.message, "values of dtype Q1_0 cannot be read");
    for (int i = 0; i < DTYPE_COUNT; i++)
        listed += !dtype_readable((Dtype)i);
    assert_int_equal(listed, sizeof LISTED / sizeof LISTED[0]);

    assert_int_equal(dtype_decode(DTYPE_Q6_K, src, 255, &d, &err),
                     STATUS_FORMAT);
    assert_string_equal(err.message,
                        "255 elements of Q6_K, expected whole blocks of 256");
    assert_int_equal(dtype_decode_float(DTYPE_MXFP4, src, 1, &f, &err),
                     STATUS_FORMAT);
    assert_true(f == 7 && d == 7);
    assert_int_equal(dtype_encode(DTYPE_I64, &d, 1, &f, &err),
                     STATUS_UNSUPPORTED);
    assert_string_equal(err.message, "dtype I64 cannot be written, expected "
                                     "F64, F32, F16 or BF16");
    assert_true(f == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_mxfp4_scales),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_encode_narrow),
        cmocka_unit_test(test_encode_wide),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ggml),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
