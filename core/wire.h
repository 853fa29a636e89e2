/* Messages between ranks: 64-bit words, doubles, texts and blocks, in order,
 * little-endian. Writing fails once and stays failed; every take checks what
 * is left first, and a failure says which field it was. */
#ifndef WEFT_WIRE_H
#define WEFT_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* A message as it is written. Zero-initialise; wire_release. */
typedef struct Wire {
    uint8_t *bytes;
    size_t count, room;
    Status status; /* the first failure, and why */
    Err err;
} Wire;

void wire_u64(Wire *wire, uint64_t value);
void wire_f64(Wire *wire, double value);
void wire_block(Wire *wire, const void *bytes, size_t n);
/* Its length, then its bytes. */
void wire_text(Wire *wire, const char *text);
/* Room for n more bytes, which the caller fills; NULL on failure. */
void *wire_room(Wire *wire, size_t n);
void wire_fail(Wire *wire, Status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void wire_release(Wire *wire);

/* A message as it is read; the bytes are the caller's. */
typedef struct WireReader {
    const uint8_t *bytes;
    size_t at, count;
} WireReader;

/* Each is STATUS_FORMAT where the message ends before. */
CHECKED Status take_u64(WireReader *from, uint64_t *out, const char *what,
                        Err *err);
/* At most `most`; else STATUS_FORMAT. */
CHECKED Status take_most(WireReader *from, uint64_t *out, uint64_t most,
                         const char *what, Err *err);
CHECKED Status take_f64(WireReader *from, double *out, const char *what,
                        Err *err);
CHECKED Status take_block(WireReader *from, void *dst, size_t n,
                          const char *what, Err *err);
/* Of at most size-1 bytes, none of them NUL; terminated. */
CHECKED Status take_text(WireReader *from, char *dst, size_t size,
                         const char *what, Err *err);
/* A number of things that take at least `each` bytes of what is left. */
CHECKED Status take_count(WireReader *from, uint64_t *out, uint64_t each,
                          const char *what, Err *err);
/* STATUS_FORMAT unless all was taken. */
CHECKED Status take_end(const WireReader *from, Err *err);

#endif
