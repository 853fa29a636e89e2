/* A hash table of names: open addressing, linear probing. */
#include "names.h"

#include <string.h>
#include <sys/random.h>

#include "hash.h"

enum { FIRST_SIZE = 16 };

typedef struct NameSlot {
    const char *name; /* NULL: free */
    size_t index;
} NameSlot;

static uint64_t hash_name(const uint64_t key[2], const char *name) {
    return hash_bytes(key, name, strlen(name));
}

/* The slot that holds the name, or the free one where it belongs. */
static NameSlot *slot_of(const Names *names, const char *name) {
    size_t at = (size_t)hash_name(names->key, name) & (names->size - 1);
    while (names->slots[at].name != NULL &&
           strcmp(names->slots[at].name, name) != 0)
        at = (at + 1) & (names->size - 1);
    return &names->slots[at];
}

bool names_find(const Names *names, const char *name, size_t *index) {
    if (names->size == 0)
        return false;
    const NameSlot *slot = slot_of(names, name);
    if (slot->name == NULL)
        return false;
    *index = slot->index;
    return true;
}

/* Doubles the table; the first one draws its key. */
static Status names_grow(Names *names, Err *err) {
    Names larger = *names;
    larger.size = names->size == 0 ? FIRST_SIZE : names->size * 2;
    larger.slots = mem_zeroed(larger.size, sizeof *larger.slots, err);
    if (larger.slots == NULL)
        return STATUS_NOMEM;
    if (names->size == 0 && getrandom(larger.key, sizeof larger.key,
                                      GRND_NONBLOCK) != sizeof larger.key)
        larger.key[0] = (uint64_t)(uintptr_t)larger.slots;
    for (size_t i = 0; i < names->size; i++)
        if (names->slots[i].name != NULL)
            *slot_of(&larger, names->slots[i].name) = names->slots[i];
    mem_free(names->slots);
    *names = larger;
    return STATUS_OK;
}

Status names_add(Names *names, const char *name, size_t index, Err *err) {
    if (names->count >= names->size / 4 * 3) {
        Status status = names_grow(names, err);
        if (status != STATUS_OK)
            return status;
    }
    *slot_of(names, name) = (NameSlot){name, index};
    names->count++;
    return STATUS_OK;
}

void names_clear(Names *names) {
    if (names->size != 0)
        memset(names->slots, 0, names->size * sizeof *names->slots);
    names->count = 0;
}

void names_release(Names *names) {
    mem_free(names->slots);
    *names = (Names){0};
}
