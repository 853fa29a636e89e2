/* Makes the n-th allocation of the core fail: mem.c is the one place that
 * allocates, and the linker's --wrap=aligned_alloc brings its calls here. */
#ifndef WEFT_FAIL_ALLOC_H
#define WEFT_FAIL_ALLOC_H

#include <stddef.h>

/* From now on the n-th call (1-based) fails, once; 0 switches it off. */
void fail_alloc_at(long n);
/* Whether the call that was to fail has come. */
int fail_alloc_hit(void);

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

#endif
