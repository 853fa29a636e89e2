/* A buffered, bounded reader of little-endian fields. */
#include "cursor.h"

#include <string.h>

#include "mem.h"

enum { BUFFER = 1 << 16 };

Status cursor_create(Cursor *out, File *file, Err *err) {
    uint8_t *buffer = mem_array(BUFFER, 1, err);
    if (buffer == NULL)
        return STATUS_NOMEM;
    *out = (Cursor){.file = file, .end = file_id(file)->size, .buffer = buffer};
    return STATUS_OK;
}

Status cursor_create_within(Cursor *out, File *file, uint64_t offset,
                            uint64_t n, Err *err) {
    Status status = cursor_create(out, file, err);
    if (status != STATUS_OK)
        return status;
    out->at = out->origin = offset;
    out->end = offset + n;
    return STATUS_OK;
}

void cursor_release(Cursor *cursor) {
    mem_free(cursor->buffer);
    cursor->buffer = NULL;
}

uint64_t cursor_left(const Cursor *cursor) {
    return cursor->end - cursor->at;
}

Status cursor_want(const Cursor *cursor, uint64_t n, const char *what,
                   Err *err) {
    if (n <= cursor_left(cursor))
        return STATUS_OK;
    return err_set(
        err, STATUS_FORMAT, "%s at byte %llu takes %llu bytes, %llu are left",
        what, (unsigned long long)(cursor->at - cursor->origin),
        (unsigned long long)n, (unsigned long long)cursor_left(cursor));
}

/* Fills the buffer from where the cursor stands. */
static Status refill(Cursor *cursor, Err *err) {
    uint64_t n = cursor_left(cursor) < BUFFER ? cursor_left(cursor) : BUFFER;
    Status status = file_read(cursor->file, cursor->at, cursor->buffer, n, err);
    if (status != STATUS_OK)
        return status;
    cursor->first = cursor->at;
    cursor->held = n;
    return STATUS_OK;
}

/* Bytes of the buffer from where the cursor stands. */
static uint64_t buffered(const Cursor *cursor) {
    uint64_t past = cursor->at - cursor->first;
    return past < cursor->held ? cursor->held - past : 0;
}

Status cursor_bytes(Cursor *cursor, void *dst, uint64_t n, const char *what,
                    Err *err) {
    Status status = cursor_want(cursor, n, what, err);
    if (status == STATUS_OK && n > BUFFER) {
        status = file_read(cursor->file, cursor->at, dst, n, err);
    } else if (status == STATUS_OK) {
        if (buffered(cursor) < n)
            status = refill(cursor, err);
        if (status == STATUS_OK)
            memcpy(dst, cursor->buffer + (cursor->at - cursor->first),
                   (size_t)n);
    }
    if (status == STATUS_OK)
        cursor->at += n;
    return status;
}

uint64_t little_endian(const uint8_t *bytes, size_t n) {
    uint64_t value = 0;
    while (n-- > 0)
        value = value << 8 | bytes[n];
    return value;
}

Status cursor_u32(Cursor *cursor, uint32_t *out, const char *what, Err *err) {
    uint8_t bytes[4];
    Status status = cursor_bytes(cursor, bytes, sizeof bytes, what, err);
    if (status == STATUS_OK)
        *out = (uint32_t)little_endian(bytes, sizeof bytes);
    return status;
}

Status cursor_u64(Cursor *cursor, uint64_t *out, const char *what, Err *err) {
    uint8_t bytes[8];
    Status status = cursor_bytes(cursor, bytes, sizeof bytes, what, err);
    if (status == STATUS_OK)
        *out = little_endian(bytes, sizeof bytes);
    return status;
}

Status cursor_skip(Cursor *cursor, uint64_t n, const char *what, Err *err) {
    Status status = cursor_want(cursor, n, what, err);
    if (status == STATUS_OK)
        cursor->at += n;
    return status;
}
