/* .npy: bad headers each with its message, good ones in every spelling.
 *
 * N1 test_magic, N2 test_length, N3 test_dictionary, N4 test_shape, N5
 * test_descr, N6 test_spellings and test_order, N7 test_data. */
#include <math.h>

#include "bytes.h"
#include "cancel.h"
#include "npy.h"

/* Version, header and n bytes of data 1, 2, 3, …; the length is the header's
 * but where `length` says another. */
static const char *npy_file(const char *name, int major, const char *header,
                            size_t n, int64_t length) {
    Bytes bytes = {.n = 0};
    size_t said = length < 0 ? strlen(header) : (size_t)length;
    put(&bytes, "\x93NUMPY", 6);
    put_number(&bytes, (uint64_t)major, 2);
    put_number(&bytes, said, major == 1 ? 2 : 4);
    put_text(&bytes, header);
    for (size_t i = 0; i < n; i++)
        put_number(&bytes, i + 1, 1);
    return write_bytes(name, &bytes);
}

/* Reading fails with exactly "PATH: MESSAGE". */
static void refuse(const char *path, Status status, const char *message) {
    Tensor t = {.axes = 77};
    uint64_t extra = 77;
    Err err = {0};
    char expected[1200];
    Status got = npy_read(&t, path, &extra, &err);
    snprintf(expected, sizeof expected, "%s: %s", path, message);
    assert_string_equal(err.message, expected);
    assert_int_equal(got, status);
    assert_int_equal(t.axes, 77);
    assert_int_equal(extra, 77);
    assert_int_equal(npy_read(&t, path, &extra, NULL), status);
}

static void refuse_header(const char *header, Status status,
                          const char *message) {
    refuse(npy_file("bad.npy", 1, header, 96, -1), status, message);
}

static Tensor read_good(const char *path, uint64_t *extra) {
    Tensor t;
    Err err = {0};
    Status status = npy_read(&t, path, extra, &err);
    if (status != STATUS_OK)
        print_error("%s\n", err.message);
    assert_int_equal(status, STATUS_OK);
    return t;
}

/* ---- N1: magic and version ---- */

static void test_magic(void **state) {
    static const struct {
        const char *text;
        size_t n;
        const char *message;
    } CASES[] = {
        {"", 0, "magic at byte 0 takes 6 bytes, 0 are left"},
        {"\x93NUM", 4, "magic at byte 0 takes 6 bytes, 4 are left"},
        {"\x92NUMPY\1\0", 8, "no .npy: its first bytes are not '\\x93NUMPY'"},
        {"\x00NUMPY\1\0", 8, "no .npy: its first bytes are not '\\x93NUMPY'"},
        {"\x93numpy\1\0", 8, "no .npy: its first bytes are not '\\x93NUMPY'"},
        {"\x93MATLB\1\0", 8, "no .npy: its first bytes are not '\\x93NUMPY'"},
        {"PK\3\4\0\0\0\0", 8, "no .npy: its first bytes are not '\\x93NUMPY'"},
        {"\x93NUMPY", 6, "version at byte 6 takes 2 bytes, 0 are left"},
        {"\x93NUMPY\1", 7, "version at byte 6 takes 2 bytes, 1 are left"},
        {"\x93NUMPY\0\0", 8, "version 0.0, expected 1.0, 2.0 or 3.0"},
        {"\x93NUMPY\0\1", 8, "version 0.1, expected 1.0, 2.0 or 3.0"},
        {"\x93NUMPY\2\2", 8, "version 2.2, expected 1.0, 2.0 or 3.0"},
        {"\x93NUMPY\2\0", 8,
         "header length at byte 8 takes 4 bytes, 0 are left"},
        {"\x93NUMPY\1\1", 8, "version 1.1, expected 1.0, 2.0 or 3.0"},
        {"\x93NUMPY\2\1", 8, "version 2.1, expected 1.0, 2.0 or 3.0"},
        {"\x93NUMPY\4\0", 8, "version 4.0, expected 1.0, 2.0 or 3.0"},
        {"\x93NUMPY\xff\xff", 8, "version 255.255, expected 1.0, 2.0 or 3.0"},
        {"\x93NUMPY\1\0", 8,
         "header length at byte 8 takes 2 bytes, 0 are left"},
        {"\x93NUMPY\3\0\1\0\0", 11,
         "header length at byte 8 takes 4 bytes, 3 are left"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        refuse(write_data("magic.npy", CASES[i].text, CASES[i].n),
               STATUS_FORMAT, CASES[i].message);
}

/* ---- N2: the header's length ---- */

static void test_length(void **state) {
    (void)state;
    refuse(npy_file("long.npy", 1, "{}", 0, 10001), STATUS_FORMAT,
           "a header of 10001 bytes, expected at most 10000");
    refuse(npy_file("long.npy", 2, "{}", 0, 0xFFFFFFFF), STATUS_FORMAT,
           "a header of 4294967295 bytes, expected at most 10000");
    refuse(npy_file("long.npy", 1, "{}", 0, 10000), STATUS_FORMAT,
           "header at byte 10 takes 10000 bytes, 2 are left");
    refuse(npy_file("long.npy", 3, "", 0, 1), STATUS_FORMAT,
           "header at byte 12 takes 1 bytes, 0 are left");
}

/* ---- N3: what is no dictionary of the three keys ---- */

#define D "'descr': '<f8', "
#define O "'fortran_order': False, "
#define S "'shape': (3, 4), "

static void test_dictionary(void **state) {
    static const struct {
        const char *header, *message;
    } CASES[] = {
        {"", "the header ends at byte 10, expected '{'"},
        {"[]", "the header has '[' at byte 10, expected '{'"},
        {"__import__('os').system('true')",
         "the header has '_' at byte 10, expected '{'"},
        {"{", "the header ends at byte 11, expected a key or '}'"},
        {"{}", "the header lacks the key 'descr'"},
        {"{" D S "}", "the header lacks the key 'fortran_order'"},
        {"{" D O "}", "the header lacks the key 'shape'"},
        {"{" D O S D "}", "the header has the key 'descr' twice"},
        {"{" D O S "'x': 1}",
         "the header has the key 'x', expected descr, fortran_order and "
         "shape"},
        {"{" D O S "'\x1b': 1}",
         "the header has the key '\\x1B', expected descr, fortran_order and "
         "shape"},
        {"{" D O S "} x", "the header has 'x' at byte 70, expected nothing "
                          "behind '}'"},
        {"{" D O "'shape': (3, 4)",
         "the header ends at byte 66, expected ',' or '}'"},
        {"{'descr' '<f8'}", "the header has ''' at byte 19, expected ':'"},
        {"{descr: '<f8'}",
         "the header has 'd' at byte 11, expected a key or '}'"},
        {"{'descr: 1}", "the header ends at byte 21, expected the text's end"},
        {"{'de\\scr': 1}",
         "the header has '\\' at byte 14, expected the text's end"},
        {"{'descr': __import__('os')}",
         "the header has '_' at byte 20, expected descr's text"},
        {"{" D "'fortran_order': 1, " S "}",
         "the header has '1' at byte 44, expected True or False"},
        {"{" D "'fortran_order': None, " S "}",
         "the header has 'N' at byte 44, expected True or False"},
        {"{'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"
         ": 1}",
         "the header has a text of 66 bytes at byte 12, expected at most 63"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        refuse_header(CASES[i].header, STATUS_FORMAT, CASES[i].message);
}

/* ---- N4: shapes ---- */

static void test_shape(void **state) {
    static const struct {
        const char *shape, *message;
    } CASES[] = {
        {"[3, 4]", "the header has '[' at byte 60, expected shape's '('"},
        {"3", "the header has '3' at byte 60, expected shape's '('"},
        {"(3)", "the header has ')' at byte 62, expected the ',' of a tuple"},
        {"(3.0,)",
         "the header has '.' at byte 62, expected the ',' of a tuple"},
        {"(3, 4.5)", "the header has '.' at byte 65, expected ',' or ')'"},
        {"(3, True)", "the header has 'T' at byte 64, expected a size"},
        {"(-3,)", "the header has '-' at byte 61, expected a size"},
        {"('3',)", "the header has ''' at byte 61, expected a size"},
        {"(,)", "the header has ',' at byte 61, expected a size"},
        {"(3 4)", "the header has '4' at byte 63, expected the ',' of a tuple"},
        {"(03,)", "a size with a leading zero"},
        {"(9223372036854775808,)", "a size of 2^63 or more"},
        {"(9999999999999999999,)", "a size of 2^63 or more"},
        {"(4294967296, 4294967296)",
         "[4294967296, 4294967296] of f8 has more bytes than 64 bits count"},
        {"(2305843009213693952,)",
         "[2305843009213693952] of f8 has more bytes than 64 bits count"},
        {"(0, 4294967296, 4294967296)",
         "[0, 4294967296, 4294967296] of f8 has more bytes than 64 bits "
         "count"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char header[256];
        snprintf(header, sizeof header, "{" D O "'shape': %s}", CASES[i].shape);
        refuse_header(header, STATUS_FORMAT, CASES[i].message);
    }
    refuse_header("{" D O "'shape': (1,1,1,1,1,1,1,1,1)}", STATUS_UNSUPPORTED,
                  "shape has more than 8 axes");
#define ONES "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
    refuse_header("{" D O "'shape': (" ONES ONES ONES ONES "1)}",
                  STATUS_UNSUPPORTED, "shape has more than 8 axes");
}

/* ---- N5: other descrs ---- */

static void test_descr(void **state) {
    static const char *const CASES[] = {
        "|O", "|V2", "<c8", "<f16", "<U5",  "|S3", "<M8[ns]", "=f8",
        "f8", "|f8", "<",   "",     "<f8 ", ">V2", "<i3",     "<\xc3\xa9",
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char header[256], message[256];
        snprintf(header, sizeof header, "{'descr': '%s', " O S "}", CASES[i]);
        snprintf(message, sizeof message,
                 "descr '%s', expected f2, f4, f8, i1 to i8, u1 to u8 with "
                 "their byte order, or '|b1'",
                 CASES[i]);
        refuse_header(header, STATUS_UNSUPPORTED, message);
    }
    refuse_header("{'descr': [('a', '<f4'), ('b', '<i4')], " O S "}",
                  STATUS_UNSUPPORTED,
                  "descr is structured, expected one number format");
}

/* ---- N6: orders and spellings that are good ---- */

static void test_spellings(void **state) {
    static const struct {
        int major;
        const char *header;
        int axes;
        int64_t shape[2];
    } CASES[] = {
        {1, "{'descr':'<u1','fortran_order':False,'shape':(2,3)}", 2, {2, 3}},
        {2,
         "{ \"shape\" : (2, 3,), \"descr\" : \"|u1\", "
         "\"fortran_order\" : False , } \n",
         2,
         {2, 3}},
        {1,
         "{'shape': (2L, 3L), 'fortran_order': False, 'descr': '>u1', }",
         2,
         {2, 3}},
        {3,
         "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }\n",
         1,
         {6, 0}},
        {1,
         "\n{'descr': '|u1',\n 'fortran_order': False, 'shape': ()}",
         0,
         {0, 0}},
        {1,
         "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 3)}",
         2,
         {0, 3}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        uint64_t extra;
        Tensor t = read_good(
            npy_file("good.npy", CASES[i].major, CASES[i].header, 6, -1),
            &extra);
        assert_int_equal(t.axes, CASES[i].axes);
        for (int k = 0; k < t.axes; k++)
            assert_int_equal(t.shape[k], CASES[i].shape[k]);
        assert_int_equal(t.dtype, DTYPE_I64);
        assert_int_equal(extra, 6 - tensor_count(&t));
        for (int64_t k = 0; k < tensor_count(&t); k++)
            assert_int_equal(((int64_t *)tensor_data(&t))[k], k + 1);
        tensor_release(&t);
    }
}

static void test_order(void **state) {
    (void)state;
    uint64_t extra;
    Tensor t = read_good(
        npy_file("f.npy", 1,
                 "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3, 2)}",
                 24, -1),
        &extra);
    for (int64_t i = 0; i < 12; i++) {
        int64_t at[3] = {i % 2, i / 2 % 3, i / 6};
        double value;
        assert_int_equal(tensor_get(&t, at, &value, NULL), STATUS_OK);
        assert_true(value == (double)((2 * i + 1) << 8 | (2 * i + 2)));
    }
    assert_false(tensor_contiguous(&t));
    tensor_release(&t);
}

/* ---- N7: data ---- */

static void test_data(void **state) {
    (void)state;
    refuse(npy_file("short.npy", 1, "{" D O S "}", 95, -1), STATUS_FORMAT,
           "95 bytes of data, [3, 4] of f8 needs 96");
    refuse(npy_file("short.npy", 1, "{" D O "'shape': ()}", 0, -1),
           STATUS_FORMAT, "0 bytes of data, [] of f8 needs 8");
    refuse(npy_file("huge.npy", 1, "{" D O "'shape': (1000000000000,)}", 8, -1),
           STATUS_FORMAT,
           "8 bytes of data, [1000000000000] of f8 needs 8000000000000");
    static const char LARGE[] =
        "{'descr': '>u8', 'fortran_order': False, 'shape': (1,)}\xff\0\0\0\0\0"
        "\0\2";
    Bytes bytes = {.n = 0};
    put(&bytes, "\x93NUMPY\1\0", 8);
    put_number(&bytes, sizeof LARGE - 9, 2);
    put(&bytes, LARGE, sizeof LARGE - 1);
    refuse(write_bytes("u8.npy", &bytes), STATUS_UNSUPPORTED,
           "a u8 element is 18374686479671623682, expected less than 2^63");
    uint64_t extra;
    Tensor t =
        read_good(npy_file("more.npy", 1, "{" D O S "}", 99, -1), &extra);
    assert_int_equal(extra, 3);
    tensor_release(&t);
}

/* More than one chunk, swapped and not. */
static void test_large(void **state) {
    enum { N = 300001 };
    (void)state;
    uint8_t *data = malloc(N * 8 + 200);
    for (int big = 0; big < 2; big++) {
        int n = snprintf((char *)data + 10, 150,
                         "{'descr': '%ci8', 'fortran_order': False, 'shape': "
                         "(%d,)}",
                         big ? '>' : '<', N);
        memcpy(data, "\x93NUMPY\1\0", 8);
        data[8] = (uint8_t)n;
        data[9] = 0;
        for (int64_t i = 0; i < N; i++)
            for (int k = 0; k < 8; k++)
                data[10 + n + i * 8 + k] =
                    (uint8_t)((uint64_t)(i * 12345 - 7) >>
                              (big ? 56 - 8 * k : 8 * k));
        uint64_t extra;
        const char *path =
            write_data("large.npy", data, (size_t)(10 + n + N * 8));
        Tensor t = read_good(path, &extra);
        for (int64_t i = 0; i < N; i++)
            assert_int_equal(((int64_t *)tensor_data(&t))[i], i * 12345 - 7);
        tensor_release(&t);
        Err err = {0};
        cancel_set();
        assert_int_equal(npy_read(&t, path, &extra, &err), STATUS_CANCELLED);
        assert_string_equal(err.message, "interrupted");
        cancel_clear();
    }
    free(data);
}

/* ---- writing ---- */

static void test_write(void **state) {
    (void)state;
    int64_t shape[2] = {2, 3};
    Tensor t, back, turned;
    uint64_t extra;
    const char *path = in_folder("out.npy");
    static const char HEADER[] =
        "\x93NUMPY\1\0\x76\0{'descr': '<f8', 'fortran_order': False, "
        "'shape': (3, 2), }";
    assert_int_equal(tensor_create(&t, DTYPE_F64, 2, shape, NULL), STATUS_OK);
    for (int i = 0; i < 6; i++)
        ((double *)tensor_data(&t))[i] = i == 4 ? (double)NAN : i - 0.25;
    assert_int_equal(tensor_transpose(&turned, &t, NULL), STATUS_OK);
    assert_int_equal(npy_write(path, &turned, NULL), STATUS_OK);
    char head[129] = {0};
    FILE *stream = fopen(path, "rb");
    assert_int_equal(fread(head, 1, 128, stream), 128);
    fclose(stream);
    assert_memory_equal(head, HEADER, sizeof HEADER - 1);
    assert_int_equal(head[127], '\n');
    back = read_good(path, &extra);
    assert_int_equal(extra, 0);
    for (int64_t i = 0; i < 6; i++) {
        double got = ((double *)tensor_data(&back))[i];
        double wanted = ((double *)tensor_data(&t))[i % 2 * 3 + i / 2];
        assert_memory_equal(&got, &wanted, sizeof got);
    }
    Err err = {0};
    assert_int_equal(npy_write("/none/x.npy", &t, &err), STATUS_IO);
    assert_string_equal(err.message,
                        "/none/x.npy: cannot create: No such file or "
                        "directory");
    tensor_release(&t);
    tensor_release(&turned);
    tensor_release(&back);
}

/* Sizes of 19 digits fit the header. */
static void test_write_axes(void **state) {
    (void)state;
    int64_t shape[TENSOR_AXES];
    Tensor t;
    uint64_t extra;
    for (int i = 0; i < TENSOR_AXES; i++)
        shape[i] = i == 0 ? 0 : i == 1 ? INT64_MAX : 1;
    assert_int_equal(tensor_create(&t, DTYPE_I64, TENSOR_AXES, shape, NULL),
                     STATUS_OK);
    const char *path = in_folder("axes.npy");
    assert_int_equal(npy_write(path, &t, NULL), STATUS_OK);
    refuse(path, STATUS_FORMAT,
           "[0, 9223372036854775807, 1, 1, 1, 1, 1, 1] of i8 has more bytes "
           "than 64 bits count");
    t.shape[1] = 5;
    assert_int_equal(npy_write(path, &t, NULL), STATUS_OK);
    tensor_release(&t);
    t = read_good(path, &extra);
    assert_int_equal(t.axes, TENSOR_AXES);
    assert_int_equal(t.shape[1], 5);
    tensor_release(&t);
}

/* ---- allocation failures ---- */

static Status read_and_write(const char *path, const char *to, Err *err) {
    Tensor t, turned;
    uint64_t extra;
    Status status = npy_read(&t, path, &extra, err);
    if (status != STATUS_OK)
        return status;
    status = tensor_transpose(&turned, &t, err);
    if (status == STATUS_OK) {
        status = npy_write(to, &turned, err);
        tensor_release(&turned);
    }
    tensor_release(&t);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    const char *path = npy_file("good.npy", 1, "{" D O S "}", 96, -1);
    const char *to = in_folder("copy.npy");
    long n = 1;
    for (;; n++) {
        Err err = {0};
        fail_alloc_at(n);
        Status status = read_and_write(path, to, &err);
        fail_alloc_at(0);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_non_null(strstr(err.message, "not enough memory for "));
    }
    assert_true(n > 5);
}

/* Each byte of a good header changed: an answer, never a crash. */
static void test_mutations(void **state) {
    static const char BYTES[] = "{}[]()'\",:0L9-\\ \n\x80\xff<>|";
    (void)state;
    const char *good = "{" D O S "}";
    char header[128];
    for (size_t at = 0; at < strlen(good); at++) {
        for (size_t k = 0; k < sizeof BYTES; k++) {
            Tensor t;
            uint64_t extra;
            strcpy(header, good);
            header[at] = BYTES[k];
            const char *path =
                npy_file("mutant.npy", 1, header, 96, (int64_t)strlen(good));
            if (npy_read(&t, path, &extra, NULL) == STATUS_OK)
                tensor_release(&t);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_magic),      cmocka_unit_test(test_length),
        cmocka_unit_test(test_dictionary), cmocka_unit_test(test_shape),
        cmocka_unit_test(test_descr),      cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_order),      cmocka_unit_test(test_data),
        cmocka_unit_test(test_large),      cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_axes), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
