/* Checked allocation and the workers' buffers. */
#include "mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ALIGNMENT = 64,
    PLAIN = 16,
    PAGE = 4096,
    SMALL = 16 << 20 /* bytes that every machine has */
};

/* What stands before a block: it fits the gap that aligning leaves at least. */
typedef struct Header {
    char *start; /* of what the system gave */
    size_t bytes;
} Header;
_Static_assert(sizeof(Header) <= PLAIN, "a block may lie PLAIN past its start");

static atomic_uint_fast64_t allocations, held, peak;

/* Takes a new block into the counts. */
static void count_block(size_t bytes) {
    uint_fast64_t now =
        atomic_fetch_add_explicit(&held, bytes, memory_order_relaxed) + bytes;
    uint_fast64_t most = atomic_load_explicit(&peak, memory_order_relaxed);
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
        continue;
}

MemCounts mem_counts(void) {
    return (MemCounts){atomic_load(&allocations), atomic_load(&held),
                       atomic_load(&peak)};
}

void mem_peak_restart(void) {
    atomic_store(&peak, atomic_load(&held));
}

static Status no_memory(size_t count, size_t size, Err *err) {
    return err_set(err, STATUS_NOMEM, "not enough memory for %zu x %zu bytes",
                   count, size);
}

/* What the machine has no memory for is refused: Linux would promise it, and
 * kill the process when it is used. Small blocks need no asking, which costs
 * more than they do. */
void *mem_array(size_t count, size_t size, Err *err) {
    size_t bytes, padded;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(bytes, (size_t)ALIGNMENT + PLAIN, &padded) ||
        (padded > SMALL && padded / PAGE > (size_t)sysconf(_SC_PHYS_PAGES))) {
        (void)no_memory(count, size, err);
        return NULL;
    }
    /* Plain blocks, aligned by hand: a block that glibc aligns leaves a hole
     * that one of its size does not fit, and the heap grows. */
    char *start = aligned_alloc(PLAIN, padded / PLAIN * PLAIN);
    if (start == NULL) {
        (void)no_memory(count, size, err);
        return NULL;
    }
    char *block = start + ALIGNMENT - (uintptr_t)start % ALIGNMENT;
    Header header = {start, count * size};
    memcpy(block - sizeof header, &header, sizeof header);
    count_block(header.bytes);
    return block;
}

void *mem_zeroed(size_t count, size_t size, Err *err) {
    void *block = mem_array(count, size, err);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

void *mem_resize(void *old, size_t used, size_t count, size_t size, Err *err) {
    void *block = mem_array(count, size, err);
    if (block == NULL)
        return NULL;
    if (old != NULL)
        memcpy(block, old, (used < count ? used : count) * size);
    mem_free(old);
    return block;
}

char *mem_text(const char *text, size_t n, Err *err) {
    char *copy = n == SIZE_MAX ? NULL : mem_array(n + 1, 1, err);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

void mem_free(void *block) {
    if (block == NULL)
        return;
    Header header;
    memcpy(&header, (char *)block - sizeof header, sizeof header);
    atomic_fetch_sub_explicit(&held, header.bytes, memory_order_relaxed);
    free(header.start);
}

void *scratch_take(Scratch *scratch, int slot, size_t count, size_t size,
                   Err *err) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        (void)no_memory(count, size, err);
        return NULL;
    }
    if (scratch->slot[slot].bytes < bytes) {
        mem_free(scratch->slot[slot].block);
        scratch->slot[slot].bytes = 0;
        scratch->slot[slot].block = mem_array(count, size, err);
        if (scratch->slot[slot].block == NULL)
            return NULL;
        scratch->slot[slot].bytes = bytes;
    } else if (scratch->slot[slot].block == NULL) {
        scratch->slot[slot].block = mem_array(0, 1, err);
    }
    return scratch->slot[slot].block;
}

size_t scratch_bytes(const Scratch *scratch) {
    size_t total = 0;
    for (int i = 0; i < SCRATCH_SLOTS; i++)
        total += scratch->slot[i].bytes;
    return total;
}

void scratch_release(Scratch *scratch) {
    for (int i = 0; i < SCRATCH_SLOTS; i++)
        mem_free(scratch->slot[i].block);
    memset(scratch, 0, sizeof *scratch);
}
