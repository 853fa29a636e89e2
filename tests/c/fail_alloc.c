/* The counter behind --wrap=aligned_alloc; atomic, since workers allocate. */
#include "fail_alloc.h"

#include <stdatomic.h>

static atomic_long countdown;

void fail_alloc_at(long n) {
    atomic_store(&countdown, n);
}

int fail_alloc_hit(void) {
    return atomic_load(&countdown) <= 0;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    if (atomic_load(&countdown) > 0 && atomic_fetch_sub(&countdown, 1) == 1)
        return NULL;
    return __real_aligned_alloc(alignment, size);
}
