/* Zip archives: each rule broken, its exact message; what is read in spite of
 * how odd it looks. */
#include "zip_bytes.h"

#include "cancel.h"
#include "zip.h"

enum { LOCAL, RECORD, END }; /* what a patch counts from */

/* Members a.npy (stored) and b.npy (deflated). */
static void make_archive(Archive *zip) {
    uint8_t npy[256];
    size_t n = make_npy(npy, sizeof npy, NPY_HEADER);
    *zip = (Archive){.count = 0};
    put_stored(zip, "a.npy", npy, n);
    put_deflated(zip, "b.npy", npy, n);
    put_directory(zip);
}

static void expect_zip(const char *id, const Archive *zip, Status status,
                       const char *message) {
    const char *path = write_bytes("bad.npz", &zip->bytes);
    expect_at(id, path, status, path, message);
}

static double read_one(const Checkpoint *checkpoint, const char *name,
                       int64_t i) {
    Tensor tensor;
    double value = 0;
    const Entry *entry = checkpoint_find(checkpoint, name);
    assert_non_null(entry);
    assert_int_equal(checkpoint_tensor(entry, &tensor, NULL), STATUS_OK);
    assert_int_equal(tensor_get(&tensor, &i, &value, NULL), STATUS_OK);
    tensor_release(&tensor);
    return value;
}

static void test_good(void **state) {
    (void)state;
    Archive zip;
    make_archive(&zip);
    Checkpoint *c = open_good(write_bytes("good.npz", &zip.bytes));
    assert_string_equal(checkpoint_format(c), "npz");
    assert_int_equal(checkpoint_count(c), 2);
    assert_true(read_one(c, "a", 0) == 1 && read_one(c, "a", 1) == 2);
    assert_true(read_one(c, "b", 0) == 1 && read_one(c, "b", 1) == 2);
    /* in place, and in a file of its own that goes by the same name */
    assert_int_equal(checkpoint_find(c, "a")->offset,
                     zip.members[0].data + zip.members[0].size - 8);
    assert_string_equal(file_path(checkpoint_find(c, "b")->file),
                        in_folder("good.npz"));
    assert_ptr_not_equal(checkpoint_find(c, "a")->file,
                         checkpoint_find(c, "b")->file);
    checkpoint_release(c);
}

/* One field of a good archive gets another value. */
static const struct {
    const char *id;
    int from;
    size_t member, at, n;
    uint64_t value;
    Status status;
    const char *message;
} PATCHES[] = {
    {"sign", END, 0, 0, 1, 'Q', STATUS_FORMAT,
     "no zip archive, or one cut short: no end record"},
    {"comment", END, 0, 20, 2, 1, STATUS_FORMAT,
     "no zip archive, or one cut short: no end record"},
    {"disk", END, 0, 4, 2, 1, STATUS_UNSUPPORTED,
     "a zip archive over several disks"},
    {"counts", END, 0, 8, 2, 1, STATUS_UNSUPPORTED,
     "a zip archive over several disks"},
    {"size", END, 0, 12, 4, 101, STATUS_FORMAT,
     "a directory of 101 bytes at byte 211, the end record is at byte 313"},
    {"place", END, 0, 16, 4, 210, STATUS_FORMAT,
     "a directory of 102 bytes at byte 210, the end record is at byte 313"},
    {"few", END, 0, 8, 4, 0x10001, STATUS_FORMAT,
     "51 bytes of the directory after its last record, expected none"},
    {"many", END, 0, 8, 4, 0x30003, STATUS_FORMAT,
     "3 members, a directory of 102 bytes has at most 2"},
    {"record", RECORD, 1, 0, 4, 0, STATUS_FORMAT,
     "the record of member 1 at byte 262 does not begin with 'PK\\1\\2'"},
    {"no name", RECORD, 1, 28, 2, 0, STATUS_FORMAT,
     "the record of member 1 at byte 262 has no name"},
    {"long name", RECORD, 1, 28, 2, 6, STATUS_FORMAT,
     "the record of member 1 at byte 308 takes 6 bytes, 5 are left"},
    {"long extra", RECORD, 1, 30, 2, 1, STATUS_FORMAT,
     "member 'b.npy': an extra field at byte 313 takes 1 bytes, 0 are left"},
    {"long comment", RECORD, 1, 32, 2, 9, STATUS_FORMAT,
     "member 'b.npy': a comment at byte 313 takes 9 bytes, 0 are left"},
    {"NUL", RECORD, 0, 47, 1, 0, STATUS_FORMAT,
     "member 'a': the name has a NUL"},
    {"encrypted", RECORD, 0, 8, 2, 1, STATUS_UNSUPPORTED,
     "member 'a.npy': it is encrypted"},
    {"masked", RECORD, 0, 8, 2, 0x2000, STATUS_UNSUPPORTED,
     "member 'a.npy': it is encrypted"},
    {"method", RECORD, 0, 10, 2, 12, STATUS_UNSUPPORTED,
     "member 'a.npy': method 12, expected 0 (stored) or 8 (deflated)"},
    {"other disk", RECORD, 0, 34, 2, 1, STATUS_UNSUPPORTED,
     "member 'a.npy': it lies on another disk"},
    {"stored", RECORD, 0, 24, 4, 69, STATUS_FORMAT,
     "member 'a.npy': 69 bytes stored as 68"},
    {"bomb", RECORD, 1, 24, 4, 0x40000000, STATUS_FORMAT,
     "member 'b.npy': 1073741824 bytes deflated to 73, which deflate can't"},
    {"wide", RECORD, 0, 20, 4, UINT32_MAX, STATUS_FORMAT,
     "member 'a.npy': a size or place that its zip64 field lacks"},
    {"local place", RECORD, 0, 42, 4, 200, STATUS_FORMAT,
     "member 'a.npy': its local header at byte 200 does not end before the "
     "directory at byte 211"},
    {"local place behind", RECORD, 0, 42, 4, 212, STATUS_FORMAT,
     "member 'a.npy': its local header at byte 212 does not end before the "
     "directory at byte 211"},
    {"local sign", RECORD, 0, 42, 4, 1, STATUS_FORMAT,
     "member 'a.npy': no local header at byte 1"},
    {"local name", LOCAL, 0, 31, 1, 'x', STATUS_FORMAT,
     "member 'a.npy': the local header at byte 0 differs from the directory"},
    {"local name's length", LOCAL, 0, 26, 2, 4, STATUS_FORMAT,
     "member 'a.npy': the local header at byte 0 differs from the directory"},
    {"local method", LOCAL, 0, 8, 2, 8, STATUS_FORMAT,
     "member 'a.npy': the local header at byte 0 differs from the directory"},
    {"local flags", LOCAL, 0, 6, 2, 1, STATUS_FORMAT,
     "member 'a.npy': the local header at byte 0 differs from the directory"},
    {"all behind", LOCAL, 1, 28, 2, 300, STATUS_FORMAT,
     "member 'b.npy': bytes 438 to 511, but the directory begins at byte 211"},
    {"behind", LOCAL, 1, 28, 2, 1, STATUS_FORMAT,
     "member 'b.npy': bytes 139 to 212, but the directory begins at byte 211"},
    {"overlap", LOCAL, 0, 28, 2, 1, STATUS_FORMAT,
     "member 'b.npy': begins at byte 103 within 'a.npy', which ends at byte "
     "104"},
    {"CRC", RECORD, 1, 16, 4, 7, STATUS_FORMAT,
     "member 'b.npy': CRC-32 is 7e5e3fe4, the directory says 00000007"},
    {"less", RECORD, 1, 24, 4, 67, STATUS_FORMAT,
     "member 'b.npy': inflates to more than the 67 bytes that the directory "
     "says"},
    {"more", RECORD, 1, 24, 4, 69, STATUS_FORMAT,
     "member 'b.npy': inflates to 68 bytes, the directory says 69"},
    {"short", RECORD, 1, 20, 4, 60, STATUS_FORMAT,
     "member 'b.npy': the deflated data do not end within their 60 bytes"},
    {"broken", LOCAL, 1, 35, 1, 7, STATUS_FORMAT,
     "member 'b.npy': the deflated data are broken: invalid block type"},
};

static void test_patches(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof PATCHES / sizeof *PATCHES; i++) {
        Archive zip;
        make_archive(&zip);
        size_t base = PATCHES[i].from == END ? zip.end
                      : PATCHES[i].from == RECORD
                          ? zip.members[PATCHES[i].member].record
                          : zip.members[PATCHES[i].member].local;
        patch(&zip, base + PATCHES[i].at, PATCHES[i].n, PATCHES[i].value);
        expect_zip(PATCHES[i].id, &zip, PATCHES[i].status, PATCHES[i].message);
    }
}

/* Bytes behind the end of the deflated data, which the directory counts in. */
static void test_after_deflated(void **state) {
    (void)state;
    uint8_t npy[256], packed[512];
    size_t n = make_npy(npy, sizeof npy, NPY_HEADER);
    size_t m = deflate_bytes(packed, sizeof packed, npy, n);
    Archive zip = {.count = 0};
    memset(packed + m, 0, 3);
    put_packed(&zip, "a.npy", packed, m + 3, npy, n, true);
    put_directory(&zip);
    expect_zip("after", &zip, STATUS_FORMAT,
               "member 'a.npy': 3 bytes after the deflated data");
}

static void test_names(void **state) {
    (void)state;
    uint8_t npy[256];
    size_t n = make_npy(npy, sizeof npy, NPY_HEADER);
    Archive zip = {.count = 0};
    put_stored(&zip, "a.npy", npy, n);
    put_stored(&zip, "a.npy", npy, n);
    put_directory(&zip);
    expect_zip("twice", &zip, STATUS_FORMAT,
               "member 'a.npy': the name stands twice");
    /* names are labels: nothing is written by them */
    zip = (Archive){.count = 0};
    put_stored(&zip, "../../etc/x.npy", npy, n);
    put_stored(&zip, "folder/", "", 0);
    put_directory(&zip);
    Checkpoint *c = open_good(write_bytes("names.npz", &zip.bytes));
    assert_int_equal(checkpoint_count(c), 1);
    assert_string_equal(checkpoint_entry(c, 0)->name, "../../etc/x");
    assert_int_equal(checkpoint_note_count(c), 0);
    checkpoint_release(c);
}

/* ---- zip64 ---- */

/* A good archive with a zip64 end record and locator, of which the end record
 * keeps the narrow numbers or has all ones. */
static void make_wide(Archive *zip, bool ones) {
    uint8_t npy[256];
    size_t n = make_npy(npy, sizeof npy, NPY_HEADER);
    *zip = (Archive){.count = 0};
    put_stored(zip, "a.npy", npy, n);
    put_directory(zip);
    size_t place = zip->end, size = zip->end - zip->directory;
    zip->bytes.n = place;
    put_text(&zip->bytes, "PK\6\6");
    put_number(&zip->bytes, 44, 8);
    put_number(&zip->bytes, 45 | 45 << 16, 4);
    put_zeros(&zip->bytes, 8);
    put_number(&zip->bytes, 1, 8);
    put_number(&zip->bytes, 1, 8);
    put_number(&zip->bytes, size, 8);
    put_number(&zip->bytes, zip->directory, 8);
    put_text(&zip->bytes, "PK\6\7");
    put_zeros(&zip->bytes, 4);
    put_number(&zip->bytes, place, 8);
    put_number(&zip->bytes, 1, 4);
    put_text(&zip->bytes, "PK\5\6");
    put_zeros(&zip->bytes, 4);
    put_number(&zip->bytes, ones ? UINT64_MAX : 0x10001, 4);
    put_number(&zip->bytes, ones ? UINT64_MAX : size, 4);
    put_number(&zip->bytes, ones ? UINT64_MAX : zip->directory, 4);
    put_number(&zip->bytes, 0, 2);
}

static void test_wide_end(void **state) {
    (void)state;
    static const struct {
        const char *id;
        size_t at, n; /* behind the zip64 end record's first byte */
        uint64_t value;
        Status status;
        const char *message;
    } CASES[] = {
        {"disks", 72, 4, 2, STATUS_UNSUPPORTED,
         "a zip archive over several disks"},
        {"disk", 60, 4, 1, STATUS_UNSUPPORTED,
         "a zip archive over several disks"},
        {"place", 64, 8, 1000, STATUS_FORMAT,
         "the zip64 end record at byte 1000 does not end before its locator "
         "at byte 210"},
        {"near", 64, 8, 155, STATUS_FORMAT,
         "the zip64 end record at byte 155 does not end before its locator at "
         "byte 210"},
        {"sign", 0, 1, 0, STATUS_FORMAT,
         "no zip64 end record at byte 154, where its locator says"},
        {"length", 4, 8, 45, STATUS_FORMAT,
         "no zip64 end record at byte 154, where its locator says"},
        {"directory's disk", 20, 4, 1, STATUS_UNSUPPORTED,
         "a zip archive over several disks"},
        {"own disk", 16, 4, 1, STATUS_UNSUPPORTED,
         "a zip archive over several disks"},
        {"counts", 24, 8, 0, STATUS_UNSUPPORTED,
         "a zip archive over several disks"},
        {"size", 40, 8, 50, STATUS_FORMAT,
         "the directory's size is 50 in the zip64 end record, 51 in the end "
         "record"},
        {"directory", 48, 8, 1, STATUS_FORMAT,
         "the directory's place is 1 in the zip64 end record, 103 in the end "
         "record"},
        {"members", 84, 4, 0, STATUS_FORMAT,
         "the number of members is 1 in the zip64 end record, 0 in the end "
         "record"},
    };
    Archive zip;
    for (int ones = 0; ones < 2; ones++) {
        make_wide(&zip, ones);
        Checkpoint *c = open_good(write_bytes("wide.npz", &zip.bytes));
        assert_int_equal(checkpoint_count(c), 1);
        checkpoint_release(c);
    }
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        make_wide(&zip, false);
        patch(&zip, zip.end + CASES[i].at, CASES[i].n, CASES[i].value);
        expect_zip(CASES[i].id, &zip, CASES[i].status, CASES[i].message);
    }
    make_wide(&zip, true);
    patch(&zip, zip.end + 40, 8, UINT64_MAX);
    expect_zip("overflow", &zip, STATUS_FORMAT,
               "a directory of 18446744073709551615 bytes at byte 103, the end "
               "record is at byte 154");
}

/* A member whose sizes and place stand in its extra field, behind another
 * one. */
static void make_wide_member(Archive *zip, size_t cut) {
    uint8_t npy[256];
    size_t n = make_npy(npy, sizeof npy, NPY_HEADER);
    *zip = (Archive){.count = 0};
    put_stored(zip, "a.npy", npy, n);
    put_directory(zip);
    zip->bytes.n = zip->end;
    put_number(&zip->bytes, 0x5455, 2);
    put_number(&zip->bytes, 1, 2);
    put_number(&zip->bytes, 0, 1);
    put_number(&zip->bytes, 1, 2);
    put_number(&zip->bytes, 24, 2);
    put_number(&zip->bytes, n, 8);
    put_number(&zip->bytes, n, 8);
    put_number(&zip->bytes, 0, 8);
    zip->bytes.n -= cut;
    patch(zip, zip->directory + 20, 8, UINT64_MAX);
    patch(zip, zip->directory + 42, 4, UINT32_MAX);
    patch(zip, zip->directory + 30, 2, 33 - cut);
    put_text(&zip->bytes, "PK\5\6");
    put_zeros(&zip->bytes, 4);
    put_number(&zip->bytes, 0x10001, 4);
    put_number(&zip->bytes, zip->end - zip->directory + 33 - cut, 4);
    put_number(&zip->bytes, zip->directory, 4);
    put_number(&zip->bytes, 0, 2);
}

static void test_wide_member(void **state) {
    (void)state;
    Archive zip;
    make_wide_member(&zip, 0);
    Checkpoint *c = open_good(write_bytes("wide.npz", &zip.bytes));
    assert_true(read_one(c, "a", 1) == 2);
    checkpoint_release(c);
    for (size_t cut = 1; cut < 33; cut++) {
        make_wide_member(&zip, cut);
        expect_zip("cut", &zip, STATUS_FORMAT,
                   "member 'a.npy': a size or place that its zip64 field "
                   "lacks");
    }
}

/* ---- the rest ---- */

/* Every length of a good archive but its own is refused. */
static void test_cut(void **state) {
    (void)state;
    Archive zip;
    make_archive(&zip);
    for (size_t n = 0; n < zip.bytes.n; n++) {
        const char *path = write_data("cut.npz", zip.bytes.data, n);
        expect("cut", path, "no zip archive, or one cut short: no end record");
    }
}

static void test_comment(void **state) {
    (void)state;
    Archive zip;
    make_archive(&zip);
    put_text(&zip.bytes, "hello");
    patch(&zip, zip.end + 20, 2, 5);
    Checkpoint *c = open_good(write_bytes("comment.npz", &zip.bytes));
    assert_int_equal(checkpoint_count(c), 2);
    checkpoint_release(c);
}

static void test_load(void **state) {
    (void)state;
    Archive archive;
    Zip zip;
    File *file;
    Err err;
    uint8_t *bytes = NULL;
    make_archive(&archive);
    assert_int_equal(
        file_open(&file, write_bytes("load.zip", &archive.bytes), NULL),
        STATUS_OK);
    assert_int_equal(zip_read(&zip, file, NULL), STATUS_OK);
    assert_int_equal(zip.count, 2);
    assert_null(zip_find(&zip, "c.npy"));
    for (int i = 0; i < 2; i++) {
        const ZipMember *member = zip_find(&zip, i == 0 ? "a.npy" : "b.npy");
        assert_non_null(member);
        assert_int_equal(zip_load(member, file, 68, &bytes, NULL), STATUS_OK);
        assert_memory_equal(bytes, "\x93NUMPY", 6);
        mem_free(bytes);
        assert_int_equal(zip_load(member, file, 67, &bytes, &err),
                         STATUS_FORMAT);
        assert_string_equal(strchr(err.message, ':'),
                            ": 68 bytes, expected at most 67");
    }
    zip.members[0].crc ^= 1;
    assert_int_equal(zip_load(&zip.members[0], file, 68, &bytes, &err),
                     STATUS_FORMAT);
    assert_string_equal(err.message, "member 'a.npy': CRC-32 is 7e5e3fe4, the "
                                     "directory says 7e5e3fe5");
    zip_release(&zip);
    file_release(file);
}

static void test_interrupted(void **state) {
    (void)state;
    Archive zip;
    Checkpoint *c = NULL;
    Err err;
    make_archive(&zip);
    const char *path = write_bytes("interrupted.npz", &zip.bytes);
    cancel_set();
    Status status = checkpoint_open(&c, path, &err);
    cancel_clear();
    assert_int_equal(status, STATUS_CANCELLED);
    assert_string_equal(err.message, "interrupted");
    assert_null(c);
}

static void test_temporary(void **state) {
    (void)state;
    Archive zip;
    make_archive(&zip);
    const char *path = write_bytes("temporary.npz", &zip.bytes);
    assert_int_equal(setenv("TMPDIR", "/nowhere", 1), 0);
    expect_at("temporary", path, STATUS_IO, path,
              "cannot make a temporary file in /nowhere: No such file or "
              "directory");
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

static void test_allocations(void **state) {
    (void)state;
    Archive zip;
    make_archive(&zip);
    assert_true(fail_each_allocation(write_bytes("alloc.npz", &zip.bytes)) >
                20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_patches),
        cmocka_unit_test(test_after_deflated),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_wide_end),
        cmocka_unit_test(test_wide_member),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_comment),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_temporary),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
