/* What the readers' tests share: files built byte by byte in a folder of
 * their own, and the exact message that opening one gives. */
#ifndef WEFT_TEST_BYTES_H
#define WEFT_TEST_BYTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "fail_alloc.h"

/* A file under construction. */
typedef struct Bytes {
    uint8_t data[1 << 14];
    size_t n;
} Bytes;

static inline void put(Bytes *bytes, const void *data, size_t n) {
    assert_true(n <= sizeof bytes->data - bytes->n);
    memcpy(bytes->data + bytes->n, data, n);
    bytes->n += n;
}

static inline void put_text(Bytes *bytes, const char *text) {
    put(bytes, text, strlen(text));
}

/* The n low bytes of a number, least significant first. */
static inline void put_number(Bytes *bytes, uint64_t value, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        put(bytes, &byte, 1);
    }
}

static inline void put_zeros(Bytes *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        put_number(bytes, 0, 1);
}

/* Zeros up to a multiple of `align`. */
static inline void put_padding(Bytes *bytes, size_t align) {
    while (bytes->n % align != 0)
        put_number(bytes, 0, 1);
}

/* A whole safetensors file: length, header, n bytes of data 1, 2, 3, … */
static inline void put_safetensors(Bytes *bytes, const char *header, size_t n) {
    put_number(bytes, strlen(header), 8);
    put_text(bytes, header);
    for (size_t i = 0; i < n; i++)
        put_number(bytes, i + 1, 1);
}

/* The folder of this test program; made on first use. */
static char test_folder[64];

static inline const char *folder(void) {
    if (test_folder[0] == '\0') {
        snprintf(test_folder, sizeof test_folder, "%s/weft-test-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : P_tmpdir);
        assert_non_null(mkdtemp(test_folder));
    }
    return test_folder;
}

static inline int remove_one(const char *path, const struct stat *info,
                             int type, struct FTW *where) {
    (void)info, (void)type, (void)where;
    return remove(path);
}

static inline void remove_tree(const char *path) {
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* cmocka's group teardown. */
static inline int remove_folder(void **state) {
    (void)state;
    if (test_folder[0] != '\0')
        remove_tree(test_folder);
    return 0;
}

/* FOLDER/NAME in a buffer that the 64th call after this one uses again. */
static inline const char *in_folder(const char *name) {
    static char paths[64][512];
    static unsigned turn;
    char *path = paths[turn++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s", folder(), name);
    return path;
}

static inline const char *write_data(const char *name, const void *data,
                                     size_t n) {
    const char *path = in_folder(name);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(data, 1, n, stream), n);
    assert_int_equal(fclose(stream), 0);
    return path;
}

static inline const char *write_bytes(const char *name, const Bytes *bytes) {
    return write_data(name, bytes->data, bytes->n);
}

static inline const char *write_text(const char *name, const char *text) {
    return write_data(name, text, strlen(text));
}

/* Every entry lies inside its file, has a name of its own, and can be found
 * under it. */
static inline void check_entries(const Checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint_count(checkpoint); i++) {
        const Entry *entry = checkpoint_entry(checkpoint, i);
        uint64_t size = file_id(entry->file)->size;
        assert_true(entry->offset <= size);
        assert_true(entry->bytes <= size - entry->offset);
        assert_ptr_equal(checkpoint_find(checkpoint, entry->name), entry);
    }
}

static inline Checkpoint *open_good(const char *path) {
    Checkpoint *checkpoint = NULL;
    Err err = {0};
    Status status = checkpoint_open(&checkpoint, path, &err);
    if (status != STATUS_OK)
        print_error("%s\n", err.message);
    assert_int_equal(status, STATUS_OK);
    check_entries(checkpoint);
    return checkpoint;
}

/* Opening must fail with exactly "WHERE: MESSAGE", and leave nothing. `id` is
 * the case, so that a failure says which. */
static inline void expect_at(const char *id, const char *path, Status status,
                             const char *where, const char *message) {
    Checkpoint *checkpoint = NULL;
    Err err = {0};
    char expected[1200], found[1200];
    Status got = checkpoint_open(&checkpoint, path, &err);
    snprintf(expected, sizeof expected, "%s %d %s: %s", id, status, where,
             message);
    snprintf(found, sizeof found, "%s %d %s", id, got, err.message);
    assert_string_equal(found, expected);
    assert_null(checkpoint);
    assert_int_equal(err.status, status);
    assert_int_equal(checkpoint_open(&checkpoint, path, NULL), status);
}

/* The usual case: the file itself is at fault. */
static inline void expect(const char *id, const char *path,
                          const char *message) {
    expect_at(id, path, STATUS_FORMAT, path, message);
}

/* Makes each allocation fail in turn until opening succeeds; returns how many
 * there were. The sanitizer sees that none leaks. */
static inline long fail_each_allocation(const char *path) {
    for (long n = 1;; n++) {
        Checkpoint *checkpoint = NULL;
        Err err = {0};
        fail_alloc_at(n);
        Status status = checkpoint_open(&checkpoint, path, &err);
        bool hit = fail_alloc_hit() != 0;
        fail_alloc_at(0);
        if (status == STATUS_OK) {
            assert_false(hit);
            check_entries(checkpoint);
            checkpoint_release(checkpoint);
            return n - 1;
        }
        assert_true(hit);
        assert_null(checkpoint);
        assert_int_equal(status, STATUS_NOMEM);
        assert_non_null(strstr(err.message, "not enough memory for "));
    }
}

/* "[2, 3]" of an entry. */
static inline const char *entry_shape(const Entry *entry) {
    static char text[128];
    size_t n = (size_t)snprintf(text, sizeof text, "[");
    for (int i = 0; i < entry->axes; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld",
                              i > 0 ? ", " : "", (long long)entry->shape[i]);
    snprintf(text + n, sizeof text - n, "]");
    return text;
}

#endif
