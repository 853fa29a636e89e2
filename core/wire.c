/* Messages between ranks, word by word. */
#include "wire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "messages are little-endian, and so are their words here");

enum { FIRST_ROOM = 1024 };

void wire_fail(Wire *wire, Status status, const char *format, ...) {
    if (wire->status != STATUS_OK)
        return;
    va_list args;
    va_start(args, format);
    char message[sizeof wire->err.message];
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    wire->status = err_set(&wire->err, status, "%s", message);
}

void *wire_room(Wire *wire, size_t n) {
    size_t end;
    if (wire->status != STATUS_OK)
        return NULL;
    if (__builtin_add_overflow(wire->count, n, &end) || end > SIZE_MAX / 2) {
        wire_fail(wire, STATUS_UNSUPPORTED, "a message of 2^63 bytes or more");
        return NULL;
    }
    if (end > wire->room || wire->bytes == NULL) {
        size_t room = 2 * end > FIRST_ROOM ? 2 * end : FIRST_ROOM;
        uint8_t *bytes =
            mem_resize(wire->bytes, wire->count, room, 1, &wire->err);
        if (bytes == NULL) {
            wire->status = STATUS_NOMEM;
            return NULL;
        }
        wire->bytes = bytes;
        wire->room = room;
    }
    void *at = wire->bytes + wire->count;
    wire->count = end;
    return at;
}

void wire_block(Wire *wire, const void *bytes, size_t n) {
    void *at = wire_room(wire, n);
    if (at != NULL && n > 0)
        memcpy(at, bytes, n);
}

void wire_u64(Wire *wire, uint64_t value) {
    wire_block(wire, &value, sizeof value);
}

void wire_f64(Wire *wire, double value) {
    wire_block(wire, &value, sizeof value);
}

void wire_text(Wire *wire, const char *text) {
    wire_u64(wire, strlen(text));
    wire_block(wire, text, strlen(text));
}

void wire_release(Wire *wire) {
    mem_free(wire->bytes);
    *wire = (Wire){0};
}

/* ---- reading ---- */

Status take_block(WireReader *from, void *dst, size_t n, const char *what,
                  Err *err) {
    size_t left = from->count - from->at;
    if (n > left)
        return err_set(err, STATUS_FORMAT,
                       "a message's %s at byte %zu takes %zu bytes, %zu are "
                       "left",
                       what, from->at, n, left);
    if (n > 0)
        memcpy(dst, from->bytes + from->at, n);
    from->at += n;
    return STATUS_OK;
}

Status take_u64(WireReader *from, uint64_t *out, const char *what, Err *err) {
    return take_block(from, out, sizeof *out, what, err);
}

Status take_f64(WireReader *from, double *out, const char *what, Err *err) {
    return take_block(from, out, sizeof *out, what, err);
}

Status take_most(WireReader *from, uint64_t *out, uint64_t most,
                 const char *what, Err *err) {
    uint64_t value = 0;
    Status status = take_u64(from, &value, what, err);
    if (status != STATUS_OK)
        return status;
    if (value > most)
        return err_set(err, STATUS_FORMAT,
                       "a message's %s at byte %zu is %" PRIu64
                       ": expected at most %" PRIu64,
                       what, from->at - sizeof value, value, most);
    *out = value;
    return STATUS_OK;
}

Status take_count(WireReader *from, uint64_t *out, uint64_t each,
                  const char *what, Err *err) {
    size_t left = from->count - from->at;
    left -= left < sizeof *out ? left : sizeof *out;
    return take_most(from, out, left / each, what, err);
}

Status take_text(WireReader *from, char *dst, size_t size, const char *what,
                 Err *err) {
    uint64_t n = 0;
    Status status = take_most(from, &n, size - 1, what, err);
    if (status == STATUS_OK)
        status = take_block(from, dst, (size_t)n, what, err);
    if (status != STATUS_OK)
        return status;
    dst[n] = '\0';
    if (strlen(dst) != n)
        return err_set(err, STATUS_FORMAT, "a message's %s has a NUL in it",
                       what);
    return STATUS_OK;
}

Status take_end(const WireReader *from, Err *err) {
    if (from->at == from->count)
        return STATUS_OK;
    return err_set(err, STATUS_FORMAT, "a message has %zu bytes over",
                   from->count - from->at);
}
