/* Growing memory with one release. */
#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FIRST_BLOCK = 1 << 12, LAST_BLOCK = 1 << 20 };

typedef struct ArenaBlock {
    struct ArenaBlock *before;
    _Alignas(16) char bytes[];
} ArenaBlock;

/* A new block for at least n bytes; blocks double up to LAST_BLOCK. */
static bool arena_grow(Arena *arena, size_t n, Err *err) {
    size_t size = arena->size < FIRST_BLOCK ? FIRST_BLOCK : arena->size * 2;
    size = size > LAST_BLOCK ? LAST_BLOCK : size;
    size = size < n ? n : size;
    size_t bytes;
    if (__builtin_add_overflow(size, sizeof(ArenaBlock), &bytes))
        bytes = SIZE_MAX; /* mem_array words the refusal */
    ArenaBlock *block = mem_array(bytes, 1, err);
    if (block == NULL)
        return false;
    block->before = arena->block;
    *arena = (Arena){.block = block, .used = 0, .size = size};
    return true;
}

void *arena_take(Arena *arena, size_t n, size_t align, Err *err) {
    size_t at = (arena->used + align - 1) & ~(align - 1);
    if (arena->block == NULL || at > arena->size || n > arena->size - at) {
        if (!arena_grow(arena, n, err))
            return NULL;
        at = 0;
    }
    arena->used = at + n;
    return arena->block->bytes + at;
}

char *arena_text(Arena *arena, const char *text, size_t n, Err *err) {
    char *copy = n == SIZE_MAX ? NULL : arena_take(arena, n + 1, 1, err);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

void arena_release(Arena *arena) {
    while (arena->block != NULL) {
        ArenaBlock *before = arena->block->before;
        mem_free(arena->block);
        arena->block = before;
    }
    *arena = (Arena){0};
}
