/* GGUF: good files of both versions, and bad starts, keys and values.
 *
 * G1 and G2 test_start, G3 test_counts, G4 G5 and G7 test_keys, G6
 * test_values, G8 test_arrays, G9 test_arrays and test_nested_arrays, G10
 * test_alignment, G22 and G23 test_hyper_parameters (and tests/lua, which asks
 * for the numbers). G11 to G21: test_gguf_tensors.c. */
#include "gguf_bytes.h"

/* A file that holds every kind of value and three tensors. */
static void put_model(Bytes *bytes, uint32_t version) {
    put_start(bytes, version, 3, 14);
    put_key(bytes, "general.architecture", STRING);
    put_string(bytes, "llama");
    put_key(bytes, "u8", U8);
    put_number(bytes, 200, 1);
    put_key(bytes, "i8", I8);
    put_number(bytes, (uint64_t)-2, 1);
    put_key(bytes, "u16", U16);
    put_number(bytes, 65535, 2);
    put_key(bytes, "i16", I16);
    put_number(bytes, (uint64_t)-300, 2);
    put_key(bytes, "u32", U32);
    put_number(bytes, 4294967295, 4);
    put_key(bytes, "i32", I32);
    put_number(bytes, (uint64_t)-70000, 4);
    put_key(bytes, "f32", F32);
    put_number(bytes, 0x3FC00000, 4);
    put_key(bytes, "bool", BOOL);
    put_number(bytes, 1, 1);
    put_key(bytes, "u64", U64);
    put_number(bytes, (uint64_t)1 << 63, 8);
    put_key(bytes, "i64", I64);
    put_number(bytes, (uint64_t)-5, 8);
    put_key(bytes, "f64", F64);
    put_number(bytes, 0xC004000000000000, 8);
    put_key(bytes, "tokens", ARRAY);
    put_number(bytes, STRING, 4);
    put_number(bytes, 3, 8);
    put_string(bytes, "a");
    put_string(bytes, "");
    put_string(bytes, "bc");
    put_key(bytes, "types", ARRAY);
    put_number(bytes, I32, 4);
    put_number(bytes, 2, 8);
    put_zeros(bytes, 8);
    put_info(bytes, "blk.0.attn_q.weight", 2, (uint64_t[]){32, 2}, T_Q4_0, 0);
    put_info(bytes, "norm", 1, (uint64_t[]){3}, T_F32, 64);
    put_info(bytes, "cube", 3, (uint64_t[]){4, 3, 2}, T_F16, 96);
    put_padding(bytes, 32);
    put_zeros(bytes, 160);
}

static const Meta *meta_of(const Checkpoint *checkpoint, const char *key,
                           MetaKind kind) {
    const Meta *meta = checkpoint_find_meta(checkpoint, key);
    assert_non_null(meta);
    assert_string_equal(meta->key, key);
    assert_int_equal(meta->kind, kind);
    return meta;
}

static void check_model(uint32_t version) {
    Bytes bytes;
    put_model(&bytes, version);
    Checkpoint *c = accept(&bytes);
    assert_string_equal(checkpoint_format(c), "gguf");
    assert_int_equal(checkpoint_meta_count(c), 14);
    assert_string_equal(meta_of(c, "general.architecture", META_TEXT)->text,
                        "llama");
    assert_int_equal(meta_of(c, "u8", META_INTEGER)->integer, 200);
    assert_int_equal(meta_of(c, "i8", META_INTEGER)->integer, -2);
    assert_int_equal(meta_of(c, "u16", META_INTEGER)->integer, 65535);
    assert_int_equal(meta_of(c, "i16", META_INTEGER)->integer, -300);
    assert_int_equal(meta_of(c, "u32", META_INTEGER)->integer, 4294967295);
    assert_int_equal(meta_of(c, "i32", META_INTEGER)->integer, -70000);
    assert_true(meta_of(c, "i32", META_INTEGER)->number == -70000.0);
    assert_true(meta_of(c, "f32", META_NUMBER)->number == 1.5);
    assert_int_equal(meta_of(c, "bool", META_BOOL)->integer, 1);
    assert_true(meta_of(c, "u64", META_NUMBER)->number == 0x1p63);
    assert_int_equal(meta_of(c, "i64", META_INTEGER)->integer, -5);
    assert_true(meta_of(c, "f64", META_NUMBER)->number == -2.5);
    assert_int_equal(meta_of(c, "tokens", META_ARRAY)->integer, 3);
    assert_string_equal(meta_of(c, "tokens", META_ARRAY)->text, "string");
    assert_int_equal(meta_of(c, "types", META_ARRAY)->integer, 2);
    assert_string_equal(meta_of(c, "types", META_ARRAY)->text, "i32");
    assert_int_equal(checkpoint_count(c), 3);
    const Entry *entry = checkpoint_entry(c, 0);
    assert_string_equal(entry->name, "blk.0.attn_q.weight");
    assert_string_equal(entry_shape(entry), "[2, 32]");
    assert_int_equal(entry->dtype, DTYPE_Q4_0);
    assert_int_equal(entry->offset, bytes.n - 160);
    assert_int_equal(entry->bytes, 36);
    entry = checkpoint_find(c, "cube");
    assert_string_equal(entry_shape(entry), "[2, 3, 4]");
    assert_int_equal(entry->offset, bytes.n - 64);
    assert_int_equal(checkpoint_note_count(c), 0);
    checkpoint_release(c);
}

static void test_contents(void **state) {
    (void)state;
    check_model(2);
    check_model(3);
}

/* The last tensor's own padding may be left out; more bytes get a note. */
static void test_end(void **state) {
    (void)state;
    Bytes bytes;
    put_model(&bytes, 3);
    bytes.n -= 16;
    Checkpoint *c = accept(&bytes);
    assert_int_equal(checkpoint_note_count(c), 0);
    checkpoint_release(c);
    bytes.n += 16;
    put_zeros(&bytes, 5);
    char note[200];
    snprintf(note, sizeof note,
             "5 bytes after the last tensor, which ends at byte %zu",
             bytes.n - 5);
    c = accept(&bytes);
    assert_int_equal(checkpoint_note_count(c), 1);
    assert_string_equal(checkpoint_note(c, 0), note);
    checkpoint_release(c);
}

static void test_start(void **state) {
    (void)state;
    Bytes bytes = {.n = 0};
    refuse("G1 empty", &bytes, "the magic at byte 0 takes 4 bytes, 0 are left");
    put_text(&bytes, "GGU");
    refuse("G1 three", &bytes, "the magic at byte 0 takes 4 bytes, 3 are left");
    put_start(&bytes, 3, 0, 0);
    memcpy(bytes.data, "FUGG", 4);
    refuse("G1 FUGG", &bytes, "begins with 'FUGG', expected 'GGUF'");
    put_start(&bytes, 0, 0, 0);
    refuse("G2", &bytes, "version 0, expected 2 or 3");
    put_start(&bytes, 1, 0, 0);
    refuse("G2", &bytes, "version 1, expected 2 or 3");
    put_start(&bytes, 4, 0, 0);
    refuse("G2", &bytes, "version 4, expected 2 or 3");
    put_start(&bytes, 0x03000000, 0, 0);
    refuse("G2", &bytes,
           "version 0x03000000 has the byte order of a big-endian machine");
    put_start(&bytes, 3, 0, 0);
    bytes.n = 6;
    refuse("cut", &bytes, "the version at byte 4 takes 4 bytes, 2 are left");
    put_start(&bytes, 3, 0, 0);
    Checkpoint *c = accept(&bytes);
    assert_int_equal(checkpoint_count(c), 0);
    checkpoint_release(c);
}

static void test_counts(void **state) {
    (void)state;
    static const struct {
        uint64_t n;
        const char *shown;
    } COUNTS[] = {{UINT64_MAX, "-1"},
                  {(uint64_t)1 << 60, "1152921504606846976"},
                  {(uint64_t)1 << 31, "2147483648"}};
    for (size_t i = 0; i < 3; i++) {
        Bytes bytes;
        char message[200];
        put_start(&bytes, 3, COUNTS[i].n, 0);
        snprintf(message, sizeof message,
                 "the number of tensors at byte 8 is %s, the 8 bytes left hold "
                 "at most 0",
                 COUNTS[i].shown);
        refuse("G3 tensors", &bytes, message);
        put_start(&bytes, 3, 0, COUNTS[i].n);
        put_zeros(&bytes, 30);
        snprintf(message, sizeof message,
                 "the number of keys at byte 16 is %s, the 30 bytes left hold "
                 "at most 2",
                 COUNTS[i].shown);
        refuse("G3 keys", &bytes, message);
    }
}

/* 20 MB of nothing that claims more than a million keys. */
static void test_too_many_keys(void **state) {
    (void)state;
    Bytes bytes;
    put_start(&bytes, 3, 0, 1048577);
    const char *path = write_bytes("keys.gguf", &bytes);
    assert_int_equal(truncate(path, 20000000), 0);
    expect("too many keys", path, "1048577 keys, expected at most 1048576");
}

/* One key, whose length field is n and which `have` bytes follow. */
static void refuse_key(const char *id, uint64_t n, size_t have,
                       const char *message) {
    Bytes *bytes = malloc(sizeof *bytes);
    put_start(bytes, 3, 0, 1);
    put_number(bytes, n, 8);
    for (size_t i = 0; i < have; i++)
        put_number(bytes, 'k', 1);
    refuse(id, bytes, message);
    free(bytes);
}

static void test_keys(void **state) {
    (void)state;
    refuse_key("G4 -1", UINT64_MAX, 20,
               "the name of key 0 at byte 24 has 18446744073709551615 bytes, "
               "expected at most 65535");
    refuse_key("G4 65536", 65536, 20,
               "the name of key 0 at byte 24 has 65536 bytes, expected at most "
               "65535");
    refuse_key("G4 left", 21, 20,
               "the name of key 0 at byte 32 takes 21 bytes, 20 are left");
    refuse_key("G5", 0, 20, "the name of key 0 at byte 24 is empty");
    Bytes bytes;
    put_start(&bytes, 3, 0, 1);
    put_number(&bytes, 3, 8);
    put(&bytes, "a\0b", 3);
    put_zeros(&bytes, 20);
    refuse("NUL", &bytes, "the name of key 0 at byte 24 has a NUL");
    put_start(&bytes, 3, 0, 2);
    for (int i = 0; i < 2; i++) {
        put_key(&bytes, "twice", U8);
        put_number(&bytes, 7, 1);
    }
    refuse("G7 key", &bytes, "key 'twice': the key stands twice");
}

static void test_values(void **state) {
    (void)state;
    Bytes bytes;
    put_start(&bytes, 3, 0, 1);
    put_key(&bytes, "k", 13);
    put_zeros(&bytes, 8);
    refuse("G6 13", &bytes,
           "key 'k': the type at byte 33 is 13, expected 0 to 12");
    put_start(&bytes, 3, 0, 1);
    put_key(&bytes, "k", UINT32_MAX);
    put_zeros(&bytes, 8);
    refuse("G6 -1", &bytes,
           "key 'k': the type at byte 33 is 4294967295, expected 0 to 12");
    put_start(&bytes, 3, 0, 1);
    put_key(&bytes, "k", BOOL);
    put_number(&bytes, 2, 1);
    refuse("G6 bool", &bytes,
           "key 'k': the bool at byte 37 is 2, expected 0 or 1");
    put_start(&bytes, 3, 0, 1);
    put_key(&bytes, "k", U64);
    put_zeros(&bytes, 7);
    refuse("cut", &bytes,
           "key 'k': the value at byte 37 takes 8 bytes, 7 are left");
    put_start(&bytes, 3, 0, 1);
    put_key(&bytes, "k", STRING);
    put_number(&bytes, (uint64_t)1 << 40, 8);
    refuse(
        "long string", &bytes,
        "key 'k': the string at byte 37 has 1099511627776 bytes, expected at "
        "most 67108864");
    put_start(&bytes, 3, 0, 1);
    put_key(&bytes, "k", STRING);
    put_number(&bytes, 9, 8);
    put_zeros(&bytes, 8);
    refuse("cut string", &bytes,
           "key 'k': the string at byte 45 takes 9 bytes, 8 are left");
    bytes.n = 37;
    put_number(&bytes, 8, 8);
    put_zeros(&bytes, 8);
    refuse("NUL", &bytes, "key 'k': the string at byte 37 has a NUL");
}

/* A key that is an array of `type` and `n` elements, `have` bytes of them. */
static void refuse_array(const char *id, uint32_t type, uint64_t n, size_t have,
                         const char *message) {
    Bytes bytes;
    put_start(&bytes, 3, 0, 1);
    put_key(&bytes, "k", ARRAY);
    put_number(&bytes, type, 4);
    put_number(&bytes, n, 8);
    for (size_t i = 0; i < have; i++)
        put_number(&bytes, 0xFF, 1);
    refuse(id, &bytes, message);
}

static void test_arrays(void **state) {
    (void)state;
    refuse_array("G8 u64", U64, (uint64_t)1 << 60, 20,
                 "key 'k': an array of 1152921504606846976 elements, expected "
                 "at most 1073741824");
    refuse_array(
        "G8 strings", STRING, (uint64_t)1 << 40, 20,
        "key 'k': an array of 1099511627776 elements, expected at most "
        "1073741824");
    refuse_array("G8 left", U16, 11, 20,
                 "key 'k': the array at byte 49 takes 22 bytes, 20 are left");
    refuse_array("G8 strings left", STRING, 3, 20,
                 "key 'k': the array at byte 49 takes 24 bytes, 20 are left");
    refuse_array("G8 a string", STRING, 2, 20,
                 "key 'k': an array's string at byte 49 has "
                 "18446744073709551615 bytes, expected at most 1073741824");
    refuse_array("G6 elements", 13, 1, 20,
                 "key 'k': the elements' type at byte 37 is 13, expected 0 to "
                 "12");
    refuse_array("G9", ARRAY, 1, 20, "key 'k': an array of arrays");
}

static void test_nested_arrays(void **state) {
    (void)state;
    enum { DEPTH = 1000000 };
    Bytes bytes;
    put_start(&bytes, 3, 0, 1);
    put_key(&bytes, "k", ARRAY);
    size_t n = bytes.n + 12 * (size_t)DEPTH;
    uint8_t *data = malloc(n);
    memcpy(data, bytes.data, bytes.n);
    for (size_t at = bytes.n; at < n; at += 12)
        memcpy(data + at, "\x09\0\0\0\x01\0\0\0\0\0\0\0", 12);
    expect("G9 deep", write_data("deep.gguf", data, n),
           "key 'k': an array of arrays");
    free(data);
}

static void put_alignment(Bytes *bytes, uint32_t type, uint64_t value,
                          uint64_t tensors) {
    put_start(bytes, 3, tensors, 1);
    put_key(bytes, "general.alignment", type);
    put_number(bytes, value, 4);
}

static void test_alignment(void **state) {
    (void)state;
    static const struct {
        uint32_t type;
        uint64_t value;
        const char *message;
    } ALIGNMENTS[] = {
        {U32, 0, "0, expected a power of two up to 1048576"},
        {U32, 13, "13, expected a power of two up to 1048576"},
        {U32, 2147483648, "2147483648, expected a power of two up to 1048576"},
        {I32, 32, "the type is i32, expected u32"},
    };
    Bytes bytes;
    for (size_t i = 0; i < sizeof ALIGNMENTS / sizeof *ALIGNMENTS; i++) {
        char message[200];
        put_alignment(&bytes, ALIGNMENTS[i].type, ALIGNMENTS[i].value, 0);
        snprintf(message, sizeof message, "key 'general.alignment': %s",
                 ALIGNMENTS[i].message);
        refuse("G10", &bytes, message);
    }
    put_alignment(&bytes, U32, 1, 2);
    put_info(&bytes, "a", 1, (uint64_t[]){3}, T_I8, 0);
    put_info(&bytes, "b", 1, (uint64_t[]){1}, T_I8, 3);
    put_zeros(&bytes, 4);
    Checkpoint *c = accept(&bytes);
    assert_int_equal(checkpoint_entry(c, 1)->offset, bytes.n - 1);
    checkpoint_release(c);
    put_alignment(&bytes, U32, 64, 2);
    put_info(&bytes, "a", 1, (uint64_t[]){3}, T_I8, 0);
    put_info(&bytes, "b", 1, (uint64_t[]){1}, T_I8, 64);
    put_padding(&bytes, 64);
    put_zeros(&bytes, 65);
    c = accept(&bytes);
    assert_int_equal(checkpoint_entry(c, 1)->offset, bytes.n - 1);
    checkpoint_release(c);
}

/* G22 and G23 are for those who ask for a number: here each kind is kept. */
static void test_hyper_parameters(void **state) {
    (void)state;
    Bytes bytes;
    put_start(&bytes, 3, 0, 4);
    put_key(&bytes, "llama.block_count", U64);
    put_number(&bytes, 4294967296, 8);
    put_key(&bytes, "llama.head_count", ARRAY);
    put_number(&bytes, U8, 4);
    put_number(&bytes, 2, 8);
    put_zeros(&bytes, 2);
    put_key(&bytes, "llama.length", STRING);
    put_string(&bytes, "12");
    put_key(&bytes, "split.count", U16);
    put_number(&bytes, 3, 2);
    Checkpoint *c = accept(&bytes);
    assert_true(meta_of(c, "llama.block_count", META_INTEGER)->integer ==
                4294967296);
    assert_string_equal(meta_of(c, "llama.head_count", META_ARRAY)->text, "u8");
    assert_string_equal(meta_of(c, "llama.length", META_TEXT)->text, "12");
    assert_int_equal(checkpoint_note_count(c), 1);
    assert_string_equal(checkpoint_note(c, 0),
                        "one of 3 parts of a model: the other parts' tensors "
                        "are not here");
    checkpoint_release(c);
}

/* A chat template may be longer than the cursor's buffer. */
static void test_long_string(void **state) {
    (void)state;
    enum { LONG = 200000 };
    Bytes bytes;
    put_start(&bytes, 3, 0, 2);
    put_key(&bytes, "long", STRING);
    put_number(&bytes, LONG, 8);
    char *data = malloc(bytes.n + LONG + 100);
    memcpy(data, bytes.data, bytes.n);
    memset(data + bytes.n, 'x', LONG);
    size_t n = bytes.n + LONG;
    bytes.n = 0;
    put_key(&bytes, "next", U8);
    put_number(&bytes, 7, 1);
    memcpy(data + n, bytes.data, bytes.n);
    Checkpoint *c = open_good(write_data("long.gguf", data, n + bytes.n));
    assert_int_equal(strlen(meta_of(c, "long", META_TEXT)->text), LONG);
    assert_int_equal(meta_of(c, "next", META_INTEGER)->integer, 7);
    checkpoint_release(c);
    free(data);
}

static void test_allocations_fail(void **state) {
    (void)state;
    Bytes bytes;
    put_model(&bytes, 3);
    assert_true(fail_each_allocation(write_bytes("alloc.gguf", &bytes)) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_too_many_keys),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_nested_arrays),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_hyper_parameters),
        cmocka_unit_test(test_long_string),
        cmocka_unit_test(test_allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
