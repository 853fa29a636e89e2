/* numpy's arrays as checkpoints: one .npy, a folder of them, an .npz. */
#include "zip_bytes.h"

#include "values.h"

#include <sys/resource.h>

#include "cancel.h"
#include "npy.h"

#define GOLDEN "tests/golden/"

/* ---- .npz ---- */

static void check_npz(const char *name, size_t more) {
    JsonTree tree = parse(GOLDEN "npz/expected.json");
    Checkpoint *c = open_good(name);
    assert_string_equal(checkpoint_format(c), "npz");
    assert_int_equal(checkpoint_count(c), json_size(tree.root) + more);
    check_all(c, tree.root);
    assert_int_equal(checkpoint_note_count(c), 0);
    checkpoint_release(c);
    json_release(&tree);
}

static void test_stored(void **state) {
    (void)state;
    check_npz(GOLDEN "npz/stored.npz", 0);
}

/* One member is larger than the buffers it goes through. */
static void test_deflated(void **state) {
    (void)state;
    check_npz(GOLDEN "npz/deflated.npz", 1);
    Checkpoint *c = open_good(GOLDEN "npz/deflated.npz");
    const Entry *entry = checkpoint_find(c, "wide");
    Tensor tensor;
    double value = 0;
    assert_int_equal(checkpoint_tensor(entry, &tensor, NULL), STATUS_OK);
    for (int64_t i = 0; i < 300; i += 299)
        for (int64_t j = 0; j < 400; j += 57) {
            assert_int_equal(
                tensor_get(&tensor, (int64_t[]){i, j}, &value, NULL),
                STATUS_OK);
            assert_true(value == (double)j);
        }
    tensor_release(&tensor);
    checkpoint_release(c);
}

#define DESCRS                                                                 \
    "expected f2, f4, f8, i1 to i8, u1 to u8 with their byte order, or '|b1'"

/* What holds no numbers is named, and the rest is read. */
static void test_odd_members(void **state) {
    (void)state;
    static const char *const NOTES[] = {
        "member 'words.npy' is not read: descr '<U1', " DESCRS,
        "member 'object.npy' is not read: descr '|O', " DESCRS,
        "member 'readme.txt' is not read: it is no .npy",
    };
    Tensor tensor;
    Err err;
    Checkpoint *c = open_good(GOLDEN "npz/odd.npz");
    assert_int_equal(checkpoint_count(c), 2);
    assert_int_equal(checkpoint_note_count(c), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(checkpoint_note(c, i), NOTES[i]);
    assert_int_equal(
        checkpoint_tensor(checkpoint_find(c, "cube"), &tensor, &err),
        STATUS_UNSUPPORTED);
    assert_string_equal(err.message,
                        "tensor 'cube': Fortran order of more than 2 axes, "
                        "which is read of matrices only");
    checkpoint_release(c);
}

static void test_bad_members(void **state) {
    static const struct {
        const char *header, *message;
    } CASES[] = {
        {"{'descr':'<f4','fortran_order':False,'shape':(3,)}",
         "member 'a.npy': 8 bytes of data, [3] of f4 needs 12"},
        {"{'descr':'<f4','fortran_order':1,'shape':(2,)}",
         "member 'a.npy': the header has '1' at byte 41, expected True or "
         "False"},
        {"", "member 'a.npy': the header ends at byte 10, expected '{'"},
    };
    (void)state;
    for (int deflated = 0; deflated < 2; deflated++)
        for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
            uint8_t npy[256];
            size_t n = make_npy(npy, sizeof npy, CASES[i].header);
            Archive zip = {.count = 0};
            put_stored(&zip, "first.txt", "x", 1);
            if (deflated)
                put_deflated(&zip, "a.npy", npy, n);
            else
                put_stored(&zip, "a.npy", npy, n);
            put_directory(&zip);
            expect("member", write_bytes("bad.npz", &zip.bytes),
                   CASES[i].message);
        }
}

/* ---- .npy ---- */

/* What `numpy.load` gives of the files that test_npy.c reads into memory. */
static void test_files(void **state) {
    static const char *const NAMES[] = {
        "f2",    "f4",     "f8",       "f2-big",  "f4-big", "f8-big",
        "i1",    "i2",     "i4",       "i2-big",  "u1",     "u2",
        "u4",    "u4-big", "b1",       "scalar",  "vector", "f8-fortran",
        "empty", "i8-big", "version2", "version3"};
    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char path[100];
        snprintf(path, sizeof path, GOLDEN "npy/%s.npy", NAMES[i]);
        Checkpoint *c = open_good(path);
        Tensor file, held, memory;
        uint64_t extra;
        assert_string_equal(checkpoint_format(c), "npy");
        assert_int_equal(checkpoint_count(c), 1);
        assert_string_equal(checkpoint_entry(c, 0)->name, NAMES[i]);
        assert_int_equal(checkpoint_tensor(checkpoint_entry(c, 0), &file, NULL),
                         STATUS_OK);
        assert_int_equal(tensor_copy(&held, &file, DTYPE_F64, NULL), STATUS_OK);
        assert_int_equal(npy_read(&memory, path, &extra, NULL), STATUS_OK);
        Tensor same;
        assert_int_equal(tensor_copy(&same, &memory, DTYPE_F64, NULL),
                         STATUS_OK);
        assert_int_equal(held.axes, same.axes);
        assert_memory_equal(held.shape, same.shape, sizeof same.shape);
        assert_int_equal(tensor_count(&held), tensor_count(&same));
        assert_memory_equal(tensor_data(&held), tensor_data(&same),
                            (size_t)tensor_count(&same) * sizeof(double));
        tensor_release(&same);
        tensor_release(&memory);
        tensor_release(&held);
        tensor_release(&file);
        checkpoint_release(c);
    }
}

static void test_trailing(void **state) {
    (void)state;
    Bytes bytes = {.n = 0};
    bytes.n = make_npy(bytes.data, sizeof bytes.data, NPY_HEADER);
    put_text(&bytes, "more");
    Checkpoint *c = open_good(write_bytes("more.npy", &bytes));
    assert_int_equal(checkpoint_note_count(c), 1);
    assert_string_equal(checkpoint_note(c, 0),
                        "'more': 4 bytes after the data");
    checkpoint_release(c);
}

static void test_bad_file(void **state) {
    (void)state;
    Bytes bytes;
    const char *path;
    bytes.n = make_npy(bytes.data, sizeof bytes.data,
                       "{'descr':'|O','fortran_order':False,'shape':(2,)}");
    path = write_bytes("objects.npy", &bytes);
    expect_at("N5", path, STATUS_UNSUPPORTED, path, "descr '|O', " DESCRS);
    bytes.n = make_npy(bytes.data, sizeof bytes.data, NPY_HEADER);
    bytes.n--;
    expect("N7", write_bytes("short.npy", &bytes),
           "7 bytes of data, [2] of f4 needs 8");
    expect("N1", write_text("no.npy", "\x93NUMPZ"),
           "no .npy: its first bytes are not '\\x93NUMPY'");
}

/* ---- folders ---- */

static void test_array_folder(void **state) {
    (void)state;
    Bytes bytes;
    char message[700];
    assert_int_equal(mkdir(in_folder("arrays"), 0700), 0);
    bytes.n = make_npy(bytes.data, sizeof bytes.data, NPY_HEADER);
    write_bytes("arrays/z.npy", &bytes);
    write_bytes("arrays/a.b.weight.npy", &bytes);
    bytes.n = make_npy(bytes.data, sizeof bytes.data,
                       "{'descr':'<c8','fortran_order':False,'shape':(1,)}");
    const char *complex = write_bytes("arrays/complex.npy", &bytes);
    write_text("arrays/readme.txt", "hello");
    write_text("arrays/b.bin", "hello");
    Checkpoint *c = open_good(in_folder("arrays"));
    assert_string_equal(checkpoint_format(c), "npy");
    assert_int_equal(checkpoint_count(c), 2);
    assert_string_equal(checkpoint_entry(c, 0)->name, "a.b.weight");
    assert_string_equal(checkpoint_entry(c, 1)->name, "z");
    assert_int_equal(checkpoint_note_count(c), 1);
    snprintf(message, sizeof message, "not read: %s: descr '<c8', " DESCRS,
             complex);
    assert_string_equal(checkpoint_note(c, 0), message);
    checkpoint_release(c);
    const char *bad = write_text("arrays/bad.npy", "nothing");
    expect_at("bad", in_folder("arrays"), STATUS_FORMAT, bad,
              "no .npy: its first bytes are not '\\x93NUMPY'");
    unlink(bad);
    /* two zips leave a doubt, one does not */
    Archive zip = {.count = 0};
    put_directory(&zip);
    write_bytes("arrays/1.npz", &zip.bytes);
    c = open_good(in_folder("arrays"));
    assert_string_equal(checkpoint_format(c), "npz");
    checkpoint_release(c);
    write_bytes("arrays/2.npz", &zip.bytes);
    expect_at("two", in_folder("arrays"), STATUS_IO, in_folder("arrays"),
              "no model.safetensors, no pytorch_model.bin and no index of "
              "either in this folder, there is 1.npz, 2.npz, "
              "a.b.weight.npy, b.bin, complex.npy, z.npy");
}

/* More files than a process may have open at first. */
static void test_many_files(void **state) {
    (void)state;
    Bytes bytes;
    struct rlimit old, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = 32;
    assert_int_equal(mkdir(in_folder("many"), 0700), 0);
    bytes.n = make_npy(bytes.data, sizeof bytes.data, NPY_HEADER);
    for (int i = 0; i < 64; i++) {
        char name[40];
        snprintf(name, sizeof name, "many/%d.npy", i);
        write_bytes(name, &bytes);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    Checkpoint *c = open_good(in_folder("many"));
    assert_int_equal(checkpoint_count(c), 64);
    checkpoint_release(c);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/* Values in the other order are copied, and Ctrl-C ends that. */
static void test_cancel(void **state) {
    (void)state;
    Checkpoint *c = NULL;
    Err err;
    cancel_set();
    assert_int_equal(checkpoint_open(&c, GOLDEN "npy/f8-big.npy", &err),
                     STATUS_CANCELLED);
    assert_string_equal(err.message, "interrupted");
    cancel_clear();
    assert_null(c);
}

static void test_allocations(void **state) {
    (void)state;
    assert_true(fail_each_allocation(GOLDEN "npy/f8-big.npy") > 8);
    assert_true(fail_each_allocation(GOLDEN "npz/stored.npz") > 50);
    assert_true(fail_each_allocation(GOLDEN "npz/odd.npz") > 20);
    assert_true(fail_each_allocation(in_folder("many")) > 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored),      cmocka_unit_test(test_deflated),
        cmocka_unit_test(test_odd_members), cmocka_unit_test(test_bad_members),
        cmocka_unit_test(test_files),       cmocka_unit_test(test_trailing),
        cmocka_unit_test(test_bad_file),    cmocka_unit_test(test_array_folder),
        cmocka_unit_test(test_many_files),  cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
