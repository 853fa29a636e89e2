/* Memory that is released all at once: names, notes, the nodes of a JSON
 * tree. Blocks never move, so what was taken keeps its address. */
#ifndef WEFT_ARENA_H
#define WEFT_ARENA_H

#include "mem.h"

/* Zero-initialise; arena_release when done. */
typedef struct Arena {
    struct ArenaBlock *block; /* the newest; each leads to the one before */
    size_t used, size;        /* of the newest block, bytes */
} Arena;

/* n uninitialised bytes aligned to `align` (a power of two, at most 16).
 * Views: dies with the arena. NULL with STATUS_NOMEM in err on failure. */
void *arena_take(Arena *arena, size_t n, size_t align, Err *err);

/* A NUL-terminated copy of n bytes. Views. */
char *arena_text(Arena *arena, const char *text, size_t n, Err *err);

void arena_release(Arena *arena);

#endif
