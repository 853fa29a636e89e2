/* safetensors: a good file, and every rule broken once.
 *
 * S1-S3 test_lengths; S4-S24 the tables GOOD and BAD by id, and beside them S5
 * test_trailing_nul, S8 test_overlap, S22 test_not_read, S23 test_unaligned;
 * S25 test_many and test_junk; S26 test_nesting; S27 test_odd_paths, and in
 * test_checkpoint.c. What S14 and S15 are for the report: tests/lua. */
#include "bytes.h"

#include <sys/resource.h>
#include <sys/wait.h>

/* Time and memory are held to their limits in the build that users get. */
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
enum { MEASURED = 1 };
#else
enum { MEASURED = 0 };
#endif

#define F32(shape, begin, end)                                                 \
    "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #begin         \
    "," #end "]}"
#define ENTRY(dtype, shape, offsets)                                           \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

/* Headers that open: how many tensors there are then. */
static const struct {
    const char *id, *header;
    size_t data, count;
} GOOD[] = {
    {"S6 empty", "{}      ", 0, 0},
    {"S6 leading space", "\t\n{}", 0, 0},
    {"S6 trailing space", "{} \t\r\n", 0, 0},
    {"S14 empty tensor", "{\"a\":" F32("[2,0]", 0, 0) "}", 0, 1},
    {"S14 two at one place",
     "{\"a\":" F32("[0]", 4, 4) ",\"b\":" F32("[0,3]", 4,
                                              4) ",\"c\":" F32("[1]", 0, 4) "}",
     4, 3},
    {"S14 zero before large axes",
     "{\"a\":" F32("[0,281474976710656]", 0, 0) "}", 0, 1},
    {"S15 scalar", "{\"a\":" F32("[]", 0, 4) "}", 4, 1},
    {"S20 metadata null", "{\"__metadata__\":null}", 0, 0},
    {"S20 metadata empty", "{\"__metadata__\":{}}", 0, 0},
    {"S22 F4 even", "{\"a\":" ENTRY("F4", "[2,3]", "[0,3]") "}", 3, 1},
    {"S22 F6", "{\"a\":" ENTRY("F6_E2M3", "[4]", "[0,3]") "}", 3, 1},
    {"S22 C64", "{\"a\":" ENTRY("C64", "[2]", "[0,16]") "}", 16, 1},
    {"S23 odd header", "{\"a\":" F32("[1]", 0, 4) "} ", 4, 1},
    {"S23 odd header too", "{\"a\":" F32("[1]", 0, 4) "}  ", 4, 1},
    {"empty name", "{\"\":" F32("[1]", 0, 4) "}", 4, 1},
    {"unknown member",
     "{\"a\":{\"x\":[1.5,{}],\"shape\":[1],\"dtype\":\"F32\","
     "\"data_offsets\":[0,4]}}",
     4, 1},
    {"out of order", "{\"b\":" F32("[1]", 4, 8) ",\"a\":" F32("[1]", 0, 4) "}",
     8, 2},
    {"eight axes", "{\"a\":" F32("[1,1,1,1,1,1,1,1]", 0, 4) "}", 4, 1},
};

/* Headers that are refused, and the message after the path. */
static const struct {
    const char *id, *header;
    size_t data;
    const char *message;
} BAD[] = {
    {"S4 0xFF", "\xFF", 0, "header: byte 8: found \\xFF, expected '{'"},
    {"S4 in a name", "{\"a\xFF\":" F32("[1]", 0, 4) "}", 4,
     "header: byte 11: a string that is not valid UTF-8"},
    {"S5 no header", "", 0, "header: byte 8: the text ends, expected '{'"},
    {"S5 open", "{", 0,
     "header: byte 9: the text ends, expected a key in quotes"},
    {"S5 array", "[1]", 0, "header: byte 8: found '[', expected '{'"},
    {"S5 trailing", "{}x", 0,
     "header: byte 10: found 'x', expected the end of the text"},
    {"S7 BOM", "\xEF\xBB\xBF{}", 0,
     "header: byte 8: found \\xEF, expected '{'"},
    {"S9 hole between",
     "{\"a\":" F32("[1]", 0, 4) ",\"b\":" F32("[1]", 8, 12) "}", 12,
     "tensor 'b': begins at byte 8 of the data, the tensor before it ends at "
     "4"},
    {"S9 hole first", "{\"a\":" F32("[1]", 4, 8) "}", 8,
     "tensor 'a': begins at byte 4 of the data, expected 0"},
    {"S10 trailing bytes", "{\"a\":" F32("[1]", 0, 4) "}", 7,
     "3 bytes after the last tensor, which ends at byte 66, expected none"},
    {"S10 no tensor", "{}", 5,
     "5 bytes after the header, which ends at byte 10, expected none"},
    {"S11 two missing", "{\"a\":" F32("[2,2]", 0, 16) "}", 14,
     "tensor 'a': bytes 65 to 81, but the file ends at byte 79 (2 missing)"},
    {"S12 size", "{\"a\":" ENTRY("I32", "[2,2]", "[0,4]") "}", 4,
     "tensor 'a': 4 bytes in the file, [2, 2] of I32 needs 16"},
    {"S13 2^64-2", "{\"a\":" F32("[2,18446744073709551614]", 0, 16) "}", 16,
     "tensor 'a' (at byte 13): shape[1] is about 1.8446744073709552e+19, "
     "expected an integer from 0 to 281474976710656"},
    {"S13 2^63-1", "{\"a\":" F32("[2,9223372036854775807]", 0, 16) "}", 16,
     "tensor 'a' (at byte 13): shape[1] is about 9.2233720368547758e+18, "
     "expected an integer from 0 to 281474976710656"},
    {"S13 product", "{\"a\":" F32("[281474976710656,32768]", 0, 16) "}", 16,
     "tensor 'a': [281474976710656, 32768] has more than 2^63 elements"},
    {"S13 product beside a zero",
     "{\"a\":" F32("[281474976710656,32768,0]", 0, 0) "}", 0,
     "tensor 'a': [281474976710656, 32768, 0] has more than 2^63 elements"},
    {"S13 bytes",
     "{\"a\":" ENTRY("F64", "[281474976710656,16384]", "[0,16]") "}", 16,
     "tensor 'a': [281474976710656, 16384] of F64 has more than 2^64 bytes"},
    {"S16 end before begin", "{\"a\":" F32("[0]", 4, 0) "}", 4,
     "tensor 'a' (at byte 13): data_offsets end at 0 before they begin at 4"},
    {"S16 three offsets", "{\"a\":" ENTRY("F32", "[1]", "[0,4,4]") "}", 4,
     "tensor 'a' (at byte 13): data_offsets has 3 values, expected 2"},
    {"S16 negative", "{\"a\":" ENTRY("F32", "[-2]", "[0,4]") "}", 4,
     "tensor 'a' (at byte 13): shape[0] is -2, expected an integer from 0 to "
     "281474976710656"},
    {"S16 negative offset", "{\"a\":" ENTRY("F32", "[1]", "[-4,0]") "}", 4,
     "tensor 'a' (at byte 13): data_offsets[0] is -4, expected an integer from "
     "0 to 9007199254740992"},
    {"S16 shape no array", "{\"a\":" ENTRY("F32", "1", "[0,4]") "}", 4,
     "tensor 'a' (at byte 13): 'shape' is 1, expected an array"},
    {"S16 fraction", "{\"a\":" ENTRY("F32", "[2.0]", "[0,8]") "}", 8,
     "tensor 'a' (at byte 13): shape[0] is 2 written with a sign, point or "
     "exponent, expected an integer from 0 to 281474976710656"},
    {"S16 exponent", "{\"a\":" ENTRY("F32", "[1]", "[0,4e0]") "}", 4,
     "tensor 'a' (at byte 13): data_offsets[1] is 4 written with a sign, point "
     "or exponent, expected an integer from 0 to 9007199254740992"},
    {"S16 string", "{\"a\":" ENTRY("F32", "[\"2\"]", "[0,8]") "}", 8,
     "tensor 'a' (at byte 13): shape[0] is a string, expected an integer from "
     "0 to 281474976710656"},
    {"S16 leading zero", "{\"a\":" ENTRY("F32", "[04]", "[0,16]") "}", 16,
     "header: byte 38: a number with a leading zero"},
    {"S16 offsets no array", "{\"a\":" ENTRY("F32", "[1]", "{}") "}", 4,
     "tensor 'a' (at byte 13): 'data_offsets' is an object, expected an "
     "array"},
    {"S17 twice",
     "{\"a\":" F32("[2,2]", 0, 16) ",\"a\":" ENTRY("I32", "[4]", "[0,16]") "}",
     16, "tensor 'a': the name stands twice"},
    {"S17 twice, escaped",
     "{\"a\":" F32("[1]", 0, 4) ",\"\\u0061\":" F32("[1]", 4, 8) "}", 8,
     "tensor 'a': the name stands twice"},
    {"S18 Dtype",
     "{\"a\":{\"Dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "tensor 'a' (at byte 13): 'dtype' is missing"},
    {"S18 dtype twice",
     "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"I32\",\"shape\":[1],"
     "\"data_offsets\":[0,4]}}",
     4, "tensor 'a' (at byte 13): key 'dtype' stands twice in an object"},
    {"S18 no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4,
     "tensor 'a' (at byte 13): 'shape' is missing"},
    {"S18 no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4,
     "tensor 'a' (at byte 13): 'data_offsets' is missing"},
    {"S18 no object", "{\"a\":[0,0,0]}", 4,
     "tensor 'a' (at byte 13): an array, expected an object"},
    {"S19 NUL", "{\"a\\u0000b\":" F32("[1]", 0, 4) "}", 4,
     "header: byte 13: \\u0000, a NUL, in a string"},
    {"S19 NUL beside its twin",
     "{\"a\":" F32("[1]", 0, 4) ",\"a\\u0000b\":" F32("[1]", 4, 8) "}", 8,
     "header: byte 66: \\u0000, a NUL, in a string"},
    {"S20 number", "{\"__metadata__\":{\"x\":1}}", 0,
     "__metadata__ (at byte 24): 'x' is 1, expected a string"},
    {"S20 no object", "{\"__metadata__\":[]}", 0,
     "__metadata__ (at byte 24): an array, expected an object"},
    {"S20 twice", "{\"__metadata__\":{},\"__metadata__\":null}", 0,
     "__metadata__ (at byte 42): the key stands twice"},
    {"S20 key twice", "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0,
     "__metadata__ (at byte 24): key 'a' stands twice in an object"},
    {"S21 F8", "{\"a\":" ENTRY("F8", "[4]", "[0,4]") "}", 4,
     "tensor 'a' (at byte 13): dtype 'F8' is none that safetensors has"},
    {"S21 f32", "{\"a\":" ENTRY("f32", "[1]", "[0,4]") "}", 4,
     "tensor 'a' (at byte 13): dtype 'f32' is none that safetensors has"},
    {"S21 a quantised one", "{\"a\":" ENTRY("Q4_0", "[32]", "[0,18]") "}", 18,
     "tensor 'a' (at byte 13): dtype 'Q4_0' is none that safetensors has"},
    {"S21 number", "{\"a\":{\"dtype\":7,\"shape\":[],\"data_offsets\":[0,4]}}",
     4, "tensor 'a' (at byte 13): 'dtype' is 7, expected a string"},
    {"S22 F4 odd", "{\"a\":" ENTRY("F4", "[3]", "[0,2]") "}", 2,
     "tensor 'a': [3] of F4 does not fill whole blocks of 2"},
    {"S24 2^53+1",
     "{\"a\":" ENTRY("U8", "[0]", "[9007199254740993,9007199254740993]") "}", 0,
     "tensor 'a' (at byte 13): data_offsets[0] is about 9007199254740992, "
     "expected an integer from 0 to 9007199254740992"},
    {"S24 2^53",
     "{\"a\":" ENTRY("U8", "[0]", "[9007199254740992,9007199254740992]") "}", 0,
     "tensor 'a': bytes 9007199254741083 to 9007199254741083, but the file "
     "ends at byte 91 (9007199254740992 missing)"},
    {"nine axes", "{\"a\":" F32("[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4,
     "tensor 'a' (at byte 13): 9 axes, at most 8 are read"},
    {"hostile name", "{\"\\u001b]0;x\":" F32("[1]", 0, 8) "}", 8,
     "tensor '\\x1B]0;x': 8 bytes in the file, [1] of F32 needs 4"},
};

static void test_good_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        Bytes bytes = {.n = 0};
        put_safetensors(&bytes, GOOD[i].header, GOOD[i].data);
        Checkpoint *checkpoint =
            open_good(write_bytes("good.safetensors", &bytes));
        if (checkpoint_count(checkpoint) != GOOD[i].count)
            fail_msg("%s: %zu tensors", GOOD[i].id,
                     checkpoint_count(checkpoint));
        checkpoint_release(checkpoint);
    }
}

static void test_bad_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        Bytes bytes = {.n = 0};
        put_safetensors(&bytes, BAD[i].header, BAD[i].data);
        const char *path = write_bytes("bad.safetensors", &bytes);
        Status status = strstr(BAD[i].id, "axes") != NULL ? STATUS_UNSUPPORTED
                                                          : STATUS_FORMAT;
        expect_at(BAD[i].id, path, status, path, BAD[i].message);
    }
}

/* A file of n bytes that begins with this header length. */
static void refuse_length(const char *id, uint64_t length, size_t n,
                          const char *message) {
    Bytes bytes = {.n = 0};
    put_number(&bytes, length, 8);
    put_zeros(&bytes, 56);
    bytes.n = n;
    expect(id, write_bytes("length.safetensors", &bytes), message);
}

static void test_lengths(void **state) {
    (void)state;
    refuse_length("S1 empty", 0, 0,
                  "0 bytes, a safetensors file has at least 8");
    refuse_length("S1 seven", 0, 7,
                  "7 bytes, a safetensors file has at least 8");
    refuse_length("S2 too large", 100000001, 64,
                  "a header of 100000001 bytes, expected at most 100000000");
    refuse_length(
        "S2 2^63", (uint64_t)1 << 63, 64,
        "a header of 9223372036854775808 bytes, expected at most 100000000");
    refuse_length(
        "S2 2^64-8", UINT64_MAX - 7, 64,
        "a header of 18446744073709551608 bytes, expected at most 100000000");
    refuse_length("S3 none", 60, 8,
                  "a header of 60 bytes, 0 are left in the file");
    refuse_length("S3 small", 1000, 64,
                  "a header of 1000 bytes, 56 are left in the file");
    refuse_length("S5 zeros", 2, 10,
                  "header: byte 8: found \\x00, expected '{'");
}

/* S8: ten tensors that all claim the same bytes. */
static void test_overlap(void **state) {
    (void)state;
    char header[1000] = "{";
    size_t n = 1;
    for (int i = 0; i < 10; i++)
        n += (size_t)snprintf(header + n, sizeof header - n,
                              "%s\"t%d\":" F32("[2,2]", 0, 16),
                              i > 0 ? "," : "", i);
    snprintf(header + n, sizeof header - n, "}");
    Bytes bytes = {.n = 0};
    put_safetensors(&bytes, header, 16);
    expect("S8", write_bytes("overlap.safetensors", &bytes),
           "tensor 't1': begins at byte 0 of the data, the tensor before it "
           "ends at 16");
}

/* S22: what has no decoder is listed, and refused when it is read. */
static void test_not_read(void **state) {
    (void)state;
    static const char *const NAMES[] = {"F4", "F6_E2M3", "F6_E3M2", "C64"};
    for (size_t i = 0; i < 4; i++) {
        char header[200], message[100];
        const size_t sizes[] = {4, 6, 6, 64};
        Bytes bytes = {.n = 0};
        Tensor tensor;
        double value = 7;
        Err err = {0};
        snprintf(header, sizeof header,
                 "{\"a\":{\"dtype\":\"%s\",\"shape\":[8],\"data_offsets\":"
                 "[0,%zu]}}",
                 NAMES[i], sizes[i]);
        put_safetensors(&bytes, header, sizes[i]);
        Checkpoint *c = open_good(write_bytes("none.safetensors", &bytes));
        assert_int_equal(
            checkpoint_tensor(checkpoint_entry(c, 0), &tensor, NULL),
            STATUS_OK);
        assert_int_equal(tensor_get(&tensor, (int64_t[]){1}, &value, &err),
                         STATUS_UNSUPPORTED);
        snprintf(message, sizeof message, "values of dtype %s cannot be read",
                 NAMES[i]);
        assert_string_equal(err.message, message);
        assert_true(value == 7);
        tensor_release(&tensor);
        checkpoint_release(c);
    }
}

/* S23: data at an odd byte. */
static void test_unaligned(void **state) {
    (void)state;
    static const char HEADER[] = "{\"a\":" ENTRY("F64", "[2]", "[0,16]") "}  ";
    const double values[] = {1.5, -3};
    Bytes bytes = {.n = 0};
    put_safetensors(&bytes, HEADER, 0);
    assert_int_equal(bytes.n % 2, 1);
    put(&bytes, values, sizeof values);
    Checkpoint *c = open_good(write_bytes("odd.safetensors", &bytes));
    Tensor tensor;
    double value = 0;
    assert_int_equal(checkpoint_tensor(checkpoint_entry(c, 0), &tensor, NULL),
                     STATUS_OK);
    for (int64_t i = 0; i < 2; i++) {
        assert_int_equal(tensor_get(&tensor, &i, &value, NULL), STATUS_OK);
        assert_true(value == values[i]);
    }
    tensor_release(&tensor);
    checkpoint_release(c);
}

static void test_trailing_nul(void **state) {
    (void)state;
    Bytes bytes = {.n = 0};
    put_number(&bytes, 3, 8);
    put(&bytes, "{}\0", 3);
    expect("S5 NUL", write_bytes("nul.safetensors", &bytes),
           "header: byte 10: found \\x00, expected the end of the text");
}

static void test_nesting(void **state) {
    (void)state;
    const size_t depths[] = {1001, 100000};
    for (size_t i = 0; i < 2; i++) {
        size_t n = depths[i];
        char *header = malloc(8 + 5 + 2 * n + 1);
        uint64_t length = 5 + 2 * n + 1;
        for (int b = 0; b < 8; b++)
            header[b] = (char)(length >> (8 * b));
        memcpy(header + 8, "{\"a\":", 5);
        memset(header + 13, '[', n);
        memset(header + 13 + n, ']', n);
        header[13 + 2 * n] = '}';
        const char *path = write_data("deep.safetensors", header, 8 + length);
        expect("S26", path,
               "header: byte 141: arrays and objects nested deeper than 128");
        free(header);
    }
}

static const char MODEL[] =
    "{\"__metadata__\":{\"format\":\"pt\",\"caf\\u00e9\":\"\"},"
    "\"b\":" ENTRY("BF16", "[2,3]",
                   "[8,20]") ","
                             "\"a.weight\":" ENTRY(
                                 "F16", "[4]",
                                 "[0,8]") ","
                                          "\"\\u00e9\":" ENTRY("U8", "[]",
                                                               "[20,21]") "}";

static void test_contents(void **state) {
    (void)state;
    Bytes bytes = {.n = 0};
    put_safetensors(&bytes, MODEL, 21);
    const char *path = write_bytes("model", &bytes);
    Checkpoint *checkpoint = open_good(path);
    assert_string_equal(checkpoint_format(checkpoint), "safetensors");
    assert_int_equal(checkpoint_count(checkpoint), 3);
    const Entry *entry = checkpoint_entry(checkpoint, 0);
    assert_string_equal(entry->name, "a.weight");
    assert_string_equal(entry_shape(entry), "[4]");
    assert_int_equal(entry->dtype, DTYPE_F16);
    assert_int_equal(entry->bytes, 8);
    assert_int_equal(entry->offset, bytes.n - 21);
    assert_string_equal(file_path(entry->file), path);
    entry = checkpoint_find(checkpoint, "b");
    assert_string_equal(entry_shape(entry), "[2, 3]");
    assert_int_equal(entry->dtype, DTYPE_BF16);
    assert_int_equal(entry->offset, bytes.n - 13);
    assert_string_equal(entry_shape(checkpoint_find(checkpoint, "\xC3\xA9")),
                        "[]");
    assert_null(checkpoint_find(checkpoint, "A.weight"));
    assert_int_equal(checkpoint_meta_count(checkpoint), 2);
    assert_string_equal(checkpoint_meta(checkpoint, 1)->key, "caf\xC3\xA9");
    const Meta *meta = checkpoint_find_meta(checkpoint, "format");
    assert_int_equal(meta->kind, META_TEXT);
    assert_string_equal(meta->text, "pt");
    assert_null(checkpoint_find_meta(checkpoint, "Format"));
    assert_int_equal(checkpoint_note_count(checkpoint), 0);
    checkpoint_release(checkpoint);
}

/* All 22 dtypes of the format, with the bytes of 8 elements. */
static void test_dtypes(void **state) {
    (void)state;
    static const struct {
        const char *name;
        unsigned bytes;
    } DTYPES[] = {
        {"BOOL", 8},    {"F4", 4},    {"F6_E2M3", 6},     {"F6_E3M2", 6},
        {"U8", 8},      {"I8", 8},    {"F8_E5M2", 8},     {"F8_E4M3", 8},
        {"F8_E8M0", 8}, {"I16", 16},  {"F8_E4M3FNUZ", 8}, {"U16", 16},
        {"F16", 16},    {"BF16", 16}, {"F8_E5M2FNUZ", 8}, {"I32", 32},
        {"U32", 32},    {"F32", 32},  {"C64", 64},        {"F64", 64},
        {"I64", 64},    {"U64", 64},
    };
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++) {
        char header[200];
        Bytes bytes = {.n = 0};
        snprintf(header, sizeof header,
                 "{\"a\":{\"dtype\":\"%s\",\"shape\":[8],\"data_offsets\":"
                 "[0,%u]}}",
                 DTYPES[i].name, DTYPES[i].bytes);
        put_safetensors(&bytes, header, DTYPES[i].bytes);
        Checkpoint *checkpoint =
            open_good(write_bytes("dtype.safetensors", &bytes));
        assert_string_equal(
            dtype_row(checkpoint_entry(checkpoint, 0)->dtype)->name,
            DTYPES[i].name);
        checkpoint_release(checkpoint);
    }
}

static void test_allocations_fail(void **state) {
    (void)state;
    Bytes bytes = {.n = 0};
    put_safetensors(&bytes, MODEL, 21);
    const char *path = write_bytes("alloc.safetensors", &bytes);
    assert_true(fail_each_allocation(path) > 15);
}

/* Opens it in a process of its own, which must end with that status within so
 * many seconds of the processor and MB of memory. */
static void open_within(const char *path, Status status, double most_seconds,
                        long most_mb) {
    struct rusage used;
    int ended;
    pid_t child = fork();
    if (child == 0) {
        Checkpoint *checkpoint = NULL;
        Status got = checkpoint_open(&checkpoint, path, NULL);
        checkpoint_release(checkpoint);
        _exit((int)got);
    }
    assert_int_equal(wait4(child, &ended, 0, &used), child);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), status);
    if (!MEASURED)
        return;
    assert_true((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) <
                most_seconds);
    assert_true(used.ru_maxrss < most_mb * 1024);
}

/* S25: as many tensors as a real model may have, thrice over. */
static void test_many(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    char *text = malloc(COUNT * 100 + 16);
    size_t n = 8;
    for (unsigned i = COUNT; i-- > 0;)
        n += (size_t)sprintf(
            text + n,
            "%s\"model.layers.%u.mlp.weight\":" ENTRY("U8", "[1]", "[%u,%u]"),
            i == COUNT - 1 ? "{" : ",", i, i, i + 1);
    text[n++] = '}';
    uint64_t length = n - 8;
    memcpy(text, &length, 8);
    memset(text + n, 1, COUNT);
    const char *path = write_data("many.safetensors", text, n + COUNT);
    free(text);
    open_within(path, STATUS_OK, 2, 100);
    Checkpoint *checkpoint = open_good(path);
    assert_int_equal(checkpoint_count(checkpoint), COUNT);
    assert_string_equal(checkpoint_entry(checkpoint, 7)->name,
                        "model.layers.7.mlp.weight");
    checkpoint_release(checkpoint);
}

/* S25: the longest header there may be, of nothing but zeros. */
static void test_junk(void **state) {
    (void)state;
    size_t n = MEASURED ? 99999999 : 9999999;
    char *text = malloc(8 + n);
    uint64_t length = n;
    memcpy(text, &length, 8);
    memset(text + 8, '0', n);
    for (size_t i = 8 + 7; i < 8 + n; i += 2)
        text[i] = ',';
    memcpy(text + 8, "{\"a\":[", 6);
    memcpy(text + 8 + n - 2, "]}", 2);
    const char *path = write_data("junk.safetensors", text, 8 + n);
    free(text);
    open_within(path, STATUS_FORMAT, 5, 500);
    expect("S25 junk", path,
           "tensor 'a' (at byte 13): JSON that takes more than 16777216 bytes "
           "of memory as a tree");
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_headers),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_not_read),
        cmocka_unit_test(test_unaligned),
        cmocka_unit_test(test_trailing_nul),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_allocations_fail),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_junk),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
