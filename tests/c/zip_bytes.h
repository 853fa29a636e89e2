/* Zip archives built member by member, for the readers' tests. */
#ifndef WEFT_TEST_ZIP_BYTES_H
#define WEFT_TEST_ZIP_BYTES_H

#include <zlib.h>

#include "bytes.h"

enum { ZIP_MEMBERS = 8 };

/* An archive under construction, and where its parts lie. */
typedef struct Archive {
    Bytes bytes;
    size_t count;
    struct {
        char name[64];
        size_t local, data, packed, size, record;
        uint32_t crc;
        bool deflated;
    } members[ZIP_MEMBERS];
    size_t directory, end;
} Archive;

static inline void put_fields(Archive *zip, size_t i) {
    Bytes *bytes = &zip->bytes;
    put_number(bytes, 0, 2); /* flags */
    put_number(bytes, zip->members[i].deflated ? 8 : 0, 2);
    put_number(bytes, 0, 4); /* time and date */
    put_number(bytes, zip->members[i].crc, 4);
    put_number(bytes, zip->members[i].packed, 4);
    put_number(bytes, zip->members[i].size, 4);
    put_number(bytes, strlen(zip->members[i].name), 2);
    put_number(bytes, 0, 2); /* extra */
}

/* One member whose local header says what its bytes are. */
static inline void put_packed(Archive *zip, const char *name, const void *data,
                              size_t packed, const void *plain, size_t size,
                              bool deflated) {
    size_t i = zip->count++;
    assert_true(i < ZIP_MEMBERS);
    snprintf(zip->members[i].name, sizeof zip->members[i].name, "%s", name);
    zip->members[i].local = zip->bytes.n;
    zip->members[i].packed = packed;
    zip->members[i].size = size;
    zip->members[i].crc = (uint32_t)crc32(0, plain, (uInt)size);
    zip->members[i].deflated = deflated;
    put_text(&zip->bytes, "PK\3\4");
    put_number(&zip->bytes, 20, 2);
    put_fields(zip, i);
    put_text(&zip->bytes, name);
    zip->members[i].data = zip->bytes.n;
    put(&zip->bytes, data, packed);
}

static inline void put_stored(Archive *zip, const char *name, const void *data,
                              size_t n) {
    put_packed(zip, name, data, n, data, n, false);
}

/* Bare deflate of the data in one block that is kept as it is: the same bytes
 * whatever zlib is like. */
static inline size_t deflate_bytes(uint8_t *out, size_t room, const void *data,
                                   size_t n) {
    Bytes bytes = {.n = 0};
    put_number(&bytes, 1, 1);
    put_number(&bytes, n, 2);
    put_number(&bytes, ~n, 2);
    put(&bytes, data, n);
    assert_true(bytes.n <= room);
    memcpy(out, bytes.data, bytes.n);
    return bytes.n;
}

static inline void put_deflated(Archive *zip, const char *name,
                                const void *data, size_t n) {
    uint8_t packed[4096];
    size_t m = deflate_bytes(packed, sizeof packed, data, n);
    put_packed(zip, name, packed, m, data, n, true);
}

/* The directory and the end record. */
static inline void put_directory(Archive *zip) {
    Bytes *bytes = &zip->bytes;
    zip->directory = bytes->n;
    for (size_t i = 0; i < zip->count; i++) {
        zip->members[i].record = bytes->n;
        put_text(bytes, "PK\1\2");
        put_number(bytes, 20, 2);
        put_number(bytes, 20, 2);
        put_fields(zip, i);
        put_zeros(bytes, 2 + 2 + 2 + 4); /* comment, disk, attributes */
        put_number(bytes, zip->members[i].local, 4);
        put_text(bytes, zip->members[i].name);
    }
    zip->end = bytes->n;
    put_text(bytes, "PK\5\6");
    put_number(bytes, 0, 4);
    put_number(bytes, zip->count, 2);
    put_number(bytes, zip->count, 2);
    put_number(bytes, zip->end - zip->directory, 4);
    put_number(bytes, zip->directory, 4);
    put_number(bytes, 0, 2);
}

/* Overwrites a field of n bytes. */
static inline void patch(Archive *zip, size_t at, size_t n, uint64_t value) {
    for (size_t i = 0; i < n; i++)
        zip->bytes.data[at + i] = (uint8_t)(value >> (8 * i));
}

/* A little .npy of two '<f4': its 1.0 and 2.0 are the last 8 bytes. */
static inline size_t make_npy(uint8_t *out, size_t room, const char *header) {
    Bytes bytes = {.n = 0};
    const float values[] = {1, 2};
    put(&bytes, "\x93NUMPY\1\0", 8);
    put_number(&bytes, strlen(header), 2);
    put_text(&bytes, header);
    put(&bytes, values, sizeof values);
    assert_true(bytes.n <= room);
    memcpy(out, bytes.data, bytes.n);
    return bytes.n;
}

#define NPY_HEADER "{'descr':'<f4','fortran_order':False,'shape':(2,)}"

#endif
