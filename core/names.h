/* From a name to an index: the table behind every "is it there already".
 *
 * The names of a file are foreign, so the hash is SipHash under a key drawn
 * for each table: no file can be written that makes it slow. */
#ifndef WEFT_NAMES_H
#define WEFT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

/* Zero-initialise; names_release when done. */
typedef struct Names {
    struct NameSlot *slots;
    size_t count, size; /* size: slots, a power of two, or 0 */
    uint64_t key[2];
} Names;

/* Whether `name` is in the table, and its index. */
bool names_find(const Names *names, const char *name, size_t *index);

/* Adds a name that is not there yet. Borrows the text for the table's life. */
CHECKED Status names_add(Names *names, const char *name, size_t index,
                         Err *err);

/* Forgets the names and keeps the memory. */
void names_clear(Names *names);
void names_release(Names *names);

#endif
