/* Every allocation of the core goes through here: counts are checked against
 * overflow, and "not enough memory" has one wording. */
#ifndef WEFT_MEM_H
#define WEFT_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* count * size bytes, uninitialised, aligned to 64 (what vector code wants).
 * Creates: release with mem_free. NULL with STATUS_NOMEM in err on failure;
 * a count of 0 gives a block that must still be released. */
void *mem_array(size_t count, size_t size, Err *err);

/* The same, zeroed. */
void *mem_zeroed(size_t count, size_t size, Err *err);

/* Resizes a block of mem_array's to `count` elements, keeping the first
 * `used`. On failure NULL, and the old block stays valid. */
void *mem_resize(void *old, size_t used, size_t count, size_t size, Err *err);

/* A NUL-terminated copy of n bytes. Creates. */
char *mem_text(const char *text, size_t n, Err *err);

void mem_free(void *block);

/* What the process has taken through here so far, over all threads: blocks,
 * bytes that are held now, and the most that were since mem_peak_restart. */
typedef struct MemCounts {
    uint64_t allocations, held, peak;
} MemCounts;
MemCounts mem_counts(void);
/* The peak is what is held now. */
void mem_peak_restart(void);

/* A worker's buffers: slots that grow and stay, because fresh pages cost a
 * fifth of a Gram matrix. Zero-initialise; scratch_release when done. */
enum { SCRATCH_SLOTS = 16 };
typedef struct Scratch {
    struct {
        void *block;
        size_t bytes;
    } slot[SCRATCH_SLOTS];
} Scratch;

/* The slot's buffer, at least count * size bytes; contents are undefined and
 * an earlier pointer to this slot is dead. Borrows from the scratch. */
void *scratch_take(Scratch *scratch, int slot, size_t count, size_t size,
                   Err *err);

/* Bytes held in all slots: what a worker costs. */
size_t scratch_bytes(const Scratch *scratch);

void scratch_release(Scratch *scratch);

#endif
