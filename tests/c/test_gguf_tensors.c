/* GGUF: what may be wrong with tensor infos and the data behind them.
 *
 * G11 and G7 test_names; G12 to G15 and G18 test_shapes, of which G12's scalar
 * and G13's empty one test_empty_and_scalar; G16 test_sums, G17 test_types,
 * G19 test_offsets, G20 test_short, G21 test_large, G24 test_not_finite. G25:
 * test_golden of test_dtype.c. G26: tests/lua/bad_models_spec.lua. */
#include "gguf_bytes.h"

/* A file of one tensor, whose data is all there for F32 [4]. */
static void refuse_info(const char *id, const char *name, uint32_t axes,
                        const uint64_t *sizes, uint32_t type, uint64_t offset,
                        const char *message) {
    Bytes bytes;
    put_start(&bytes, 3, 1, 0);
    put_info(&bytes, name, axes, sizes, type, offset);
    put_padding(&bytes, 32);
    put_zeros(&bytes, 32);
    refuse(id, &bytes, message);
}

#define LONG_NAME                                                              \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_names(void **state) {
    (void)state;
    const uint64_t four[] = {4};
    refuse_info("G11 64", LONG_NAME, 1, four, T_F32, 0,
                "the name of tensor 0 at byte 24 has 64 bytes, expected at "
                "most 63");
    refuse_info("G11 newline", "a\nb", 1, four, T_F32, 0,
                "tensor 'a\\x0Ab': the name has a control character");
    refuse_info("G11 delete", "a\x7F", 1, four, T_F32, 0,
                "tensor 'a\\x7F': the name has a control character");
    refuse_info("G11 ..", "../x", 1, four, T_F32, 0,
                "tensor '../x': the name has '..' in it");
    Bytes bytes;
    put_start(&bytes, 3, 1, 0);
    put_number(&bytes, 3, 8);
    put(&bytes, "a\0b", 3);
    put_zeros(&bytes, 60);
    refuse("G11 NUL", &bytes, "the name of tensor 0 at byte 24 has a NUL");
    put_start(&bytes, 3, 2, 0);
    put_info(&bytes, "a", 1, four, T_F32, 0);
    put_info(&bytes, "a", 1, four, T_F32, 32);
    put_padding(&bytes, 32);
    put_zeros(&bytes, 64);
    refuse("G7 tensor", &bytes, "tensor 'a': the name stands twice");
}

static void test_shapes(void **state) {
    (void)state;
    const uint64_t ones[16] = {1, 1, 1, 1, 1, 1, 1, 1};
    refuse_info("G12 5", "a", 5, ones, T_F32, 0,
                "tensor 'a': 5 axes, expected at most 4");
    refuse_info("G12 9", "a", 9, ones, T_F32, 0,
                "tensor 'a': 9 axes, expected at most 4");
    refuse_info("G12 2^32-1", "a", UINT32_MAX, ones, T_F32, 0,
                "tensor 'a': 4294967295 axes, expected at most 4");
    refuse_info("G13 -1", "a", 2, (uint64_t[]){4, UINT64_MAX}, T_F32, 0,
                "tensor 'a': axis 1 at byte 45 is -1, expected 0 or more");
    refuse_info("G14 2^32", "a", 2, (uint64_t[]){4294967296, 4294967296}, T_F32,
                0,
                "tensor 'a': [4294967296, 4294967296] has more than 2^63 "
                "elements");
    refuse_info("G14 2^33-4", "a", 2, (uint64_t[]){8589934588, 8589934588},
                T_F32, 0,
                "tensor 'a': [8589934588, 8589934588] has more than 2^63 "
                "elements");
    refuse_info("G14 2^42+1", "a", 3,
                (uint64_t[]){4398046511105, 4194304, 4194304}, T_F32, 0,
                "tensor 'a': [4194304, 4194304, 4398046511105] has more than "
                "2^63 elements");
    refuse_info("G15 I64", "a", 1, (uint64_t[]){INT64_MAX}, T_I64, 0,
                "tensor 'a': [9223372036854775807] of I64 has more than 2^64 "
                "bytes");
    refuse_info(
        "G15 F32", "a", 1, (uint64_t[]){UINT64_MAX / 4}, T_F32, 0,
        "tensor 'a': 18446744073709551612 bytes at offset 0, which adds "
        "up to more than 2^64");
    refuse_info("G18 Q4_0", "a", 1, (uint64_t[]){33}, T_Q4_0, 0,
                "tensor 'a': rows of 33 elements, Q4_0 needs a multiple of 32");
    refuse_info("G18 of rows", "a", 2, (uint64_t[]){16, 2}, T_Q4_0, 0,
                "tensor 'a': rows of 16 elements, Q4_0 needs a multiple of 32");
    refuse_info("G18 Q4_K", "a", 1, (uint64_t[]){128}, T_Q4_K, 0,
                "tensor 'a': rows of 128 elements, Q4_K needs a multiple of "
                "256");
}

static void test_empty_and_scalar(void **state) {
    (void)state;
    Bytes bytes;
    put_start(&bytes, 3, 3, 0);
    put_info(&bytes, "empty", 2, (uint64_t[]){0, 4}, T_F32, 0);
    put_info(&bytes, "scalar", 0, NULL, T_F32, 0);
    put_info(&bytes, "", 1, (uint64_t[]){0}, T_Q4_0, 32);
    put_padding(&bytes, 32);
    put_zeros(&bytes, 32);
    Checkpoint *c = accept(&bytes);
    assert_string_equal(entry_shape(checkpoint_find(c, "empty")), "[4, 0]");
    assert_string_equal(entry_shape(checkpoint_find(c, "scalar")), "[]");
    assert_int_equal(checkpoint_find(c, "scalar")->bytes, 4);
    checkpoint_release(c);
}

static void test_sums(void **state) {
    (void)state;
    const uint64_t large[] = {0x7FFFFFFFFFFFFFC0};
    Bytes bytes;
    put_start(&bytes, 3, 2, 0);
    put_info(&bytes, "a", 1, large, T_I8, 0);
    put_info(&bytes, "b", 1, large, T_I8, large[0]);
    put_padding(&bytes, 32);
    refuse("G16 two", &bytes,
           "tensor 'a': bytes 96 to 9223372036854775840, but the file ends at "
           "byte 96 (9223372036854775744 missing)");
    put_start(&bytes, 3, 3, 0);
    put_info(&bytes, "a", 1, large, T_I8, 0);
    put_info(&bytes, "b", 1, large, T_I8, large[0]);
    put_info(&bytes, "c", 1, large, T_I8, 2 * large[0]);
    put_padding(&bytes, 32);
    refuse("G16 three", &bytes,
           "tensor 'c': 9223372036854775744 bytes at offset "
           "18446744073709551488, which adds up to more than 2^64");
    put_start(&bytes, 3, 3, 0);
    put_info(&bytes, "a", 1, large, T_I8, 0);
    put_info(&bytes, "b", 1, large, T_I8, large[0]);
    put_info(&bytes, "c", 1, (uint64_t[]){64}, T_I8, 2 * large[0]);
    put_padding(&bytes, 32);
    refuse("G16 and the header", &bytes,
           "tensors that add up to more than 2^64 bytes");
}

static void test_types(void **state) {
    (void)state;
    /* removed ones, the first that there is not, and -1 */
    static const uint32_t TYPES[] = {4,  5,  31, 32,  33,   36,
                                     37, 38, 42, 200, 4096, UINT32_MAX};
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        char message[100];
        snprintf(message, sizeof message,
                 "tensor 'a': type %u at byte 45 is none that ggml has",
                 TYPES[i]);
        refuse_info("G17", "a", 1, (uint64_t[]){256}, TYPES[i], 0, message);
    }
}

static void test_offsets(void **state) {
    (void)state;
    const uint64_t four[] = {4};
    refuse_info("G19 -1", "a", 1, four, T_F32, UINT64_MAX,
                "tensor 'a': offset 18446744073709551615 at byte 49, expected "
                "0");
    refuse_info("G19 first", "a", 1, four, T_F32, 32,
                "tensor 'a': offset 32 at byte 49, expected 0");
    static const uint64_t OFFSETS[] = {16, 0, 64, 31};
    for (size_t i = 0; i < 4; i++) {
        Bytes bytes;
        char message[100];
        put_start(&bytes, 3, 2, 0);
        put_info(&bytes, "a", 1, four, T_F32, 0);
        put_info(&bytes, "b", 1, four, T_F32, OFFSETS[i]);
        put_padding(&bytes, 32);
        put_zeros(&bytes, 96);
        snprintf(message, sizeof message,
                 "tensor 'b': offset %llu at byte 82, expected 32",
                 (unsigned long long)OFFSETS[i]);
        refuse("G19", &bytes, message);
    }
}

static void test_short(void **state) {
    (void)state;
    Bytes bytes;
    put_start(&bytes, 3, 1, 0);
    put_info(&bytes, "a", 1, (uint64_t[]){4}, T_F32, 0);
    put_padding(&bytes, 32);
    put_zeros(&bytes, 15);
    refuse(
        "G20 short", &bytes,
        "tensor 'a': bytes 64 to 80, but the file ends at byte 79 (1 missing)");
    bytes.n = 64;
    refuse("G20 beyond the end", &bytes,
           "tensor 'a': bytes 64 to 80, but the file ends at byte 64 (16 "
           "missing)");
    bytes.n = 57;
    refuse("G20 nothing", &bytes,
           "tensor 'a': bytes 64 to 80, but the file ends at byte 57 (23 "
           "missing)");
    for (bytes.n = 32; bytes.n < 57; bytes.n++) {
        Checkpoint *c = NULL;
        const char *path = write_bytes("cut.gguf", &bytes);
        assert_int_equal(checkpoint_open(&c, path, NULL), STATUS_FORMAT);
    }
}

/* More than 2^32 elements in one tensor of a file with a hole in it. */
static void test_large(void **state) {
    (void)state;
    Bytes bytes;
    uint64_t need = (uint64_t)4294967296 / 32 * 18 * 3;
    put_start(&bytes, 3, 1, 0);
    put_info(&bytes, "a", 2, (uint64_t[]){4294967296, 3}, T_Q4_0, 0);
    put_padding(&bytes, 32);
    const char *path = write_bytes("large.gguf", &bytes);
    assert_int_equal(truncate(path, (off_t)(bytes.n + need)), 0);
    Checkpoint *c = open_good(path);
    assert_true(checkpoint_entry(c, 0)->bytes == need);
    assert_string_equal(entry_shape(checkpoint_entry(c, 0)), "[3, 4294967296]");
    checkpoint_release(c);
    assert_int_equal(truncate(path, (off_t)(bytes.n + need - 1)), 0);
    expect("G21", path,
           "tensor 'a': bytes 96 to 7247757408, but the file ends at byte "
           "7247757407 (1 missing)");
    unlink(path);
}

/* G24: a block whose scale is no number makes values that are counted. */
static void test_not_finite(void **state) {
    (void)state;
    static const struct {
        uint16_t scale;
        uint64_t bad;
    } SCALES[] = {{0x7C00, 32}, {0xFC00, 32}, {0x7E01, 32}, {0x3C00, 0}};
    for (size_t i = 0; i < sizeof SCALES / sizeof *SCALES; i++) {
        Bytes bytes;
        put_start(&bytes, 3, 1, 0);
        put_info(&bytes, "a", 2, (uint64_t[]){32, 3}, T_Q4_0, 0);
        put_padding(&bytes, 32);
        put_zeros(&bytes, 18);
        put_number(&bytes, SCALES[i].scale, 2);
        put_zeros(&bytes, 16 + 18);
        Checkpoint *c = accept(&bytes);
        Tensor t;
        Scratch scratch = {0};
        NonFinite bad = {0};
        double values[96];
        assert_int_equal(checkpoint_tensor(checkpoint_entry(c, 0), &t, NULL),
                         STATUS_OK);
        assert_int_equal(
            tensor_read(&t, 0, 3, 0, 32, values, 32, &bad, &scratch, 0, NULL),
            STATUS_OK);
        assert_int_equal(bad.count, SCALES[i].bad);
        assert_int_equal(bad.count > 0 ? bad.row : 1, 1);
        assert_int_equal(bad.col, 0);
        scratch_release(&scratch);
        tensor_release(&t);
        checkpoint_release(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_empty_and_scalar),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
