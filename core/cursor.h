/* Reads a file's header field by field, little-endian, through a buffer.
 *
 * Every take names its field: a failure says which one, at which byte, how
 * much it wanted and how much was left. Nothing is taken past the file's end,
 * whatever length the file claims. */
#ifndef WEFT_CURSOR_H
#define WEFT_CURSOR_H

#include <stddef.h>

#include "file.h"

typedef struct Cursor {
    File *file;           /* borrowed */
    uint64_t at, end;     /* the next byte; the file's size */
    uint64_t origin;      /* what messages count bytes from */
    uint64_t first, held; /* the buffer's first byte and its bytes */
    uint8_t *buffer;
} Cursor;

/* Starts at byte 0. Creates: cursor_release. */
CHECKED Status cursor_create(Cursor *out, File *file, Err *err);
/* The same over the n bytes at `offset`, which lie in the file; messages count
 * from there. */
CHECKED Status cursor_create_within(Cursor *out, File *file, uint64_t offset,
                                    uint64_t n, Err *err);
void cursor_release(Cursor *cursor);

uint64_t cursor_left(const Cursor *cursor);

/* STATUS_FORMAT unless n more bytes are left. */
CHECKED Status cursor_want(const Cursor *cursor, uint64_t n, const char *what,
                           Err *err);
CHECKED Status cursor_bytes(Cursor *cursor, void *dst, uint64_t n,
                            const char *what, Err *err);
CHECKED Status cursor_u32(Cursor *cursor, uint32_t *out, const char *what,
                          Err *err);
CHECKED Status cursor_u64(Cursor *cursor, uint64_t *out, const char *what,
                          Err *err);
CHECKED Status cursor_skip(Cursor *cursor, uint64_t n, const char *what,
                           Err *err);

/* An unsigned integer of n <= 8 bytes, least significant first. */
uint64_t little_endian(const uint8_t *bytes, size_t n);

#endif
