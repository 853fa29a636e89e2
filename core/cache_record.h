/* How a record of the cache lies in its file, for the cache's own files:
 *
 *     head | key's words | path, padded to 8 bytes | arrays | checksum
 */
#ifndef WEFT_CACHE_RECORD_H
#define WEFT_CACHE_RECORD_H

#include <sys/stat.h>

#include "cache.h"

enum { CACHE_FORMAT = 1, CACHE_PATH_MOST = 4096 };

typedef struct RecordHead {
    uint64_t magic;
    uint32_t format, flags;
    uint64_t key_words, path_bytes;
    uint64_t count[CACHE_ARRAYS];
    double fact[CACHE_FACTS];
    FileId file; /* the key's first one */
} RecordHead;

_Static_assert(sizeof(RecordHead) == 120, "no padding, that is written too");

/* "weftrec" and a NUL. */
static const uint64_t CACHE_MAGIC = 0x0063657274666577U;

/* Whether n bytes are a whole record with its right checksum. */
bool cache_record_whole(const uint8_t *bytes, size_t n);

/* Reads n bytes; false, with errno, where they are not there. */
bool cache_read_all(int fd, uint8_t *to, size_t n);

#endif
