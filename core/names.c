/* A hash table of names: open addressing, linear probing, SipHash-1-3. */
#include "names.h"

#include <string.h>
#include <sys/random.h>

enum { FIRST_SIZE = 16 };

typedef struct NameSlot {
    const char *name; /* NULL: free */
    size_t index;
} NameSlot;

static uint64_t rotate(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

/* SipHash's round (Aumasson and Bernstein, 2012). */
static void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* One round a word of eight bytes, three at the end. */
static uint64_t hash_name(const uint64_t key[2], const char *name) {
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU,
                     key[0] ^ 0x6c7967656e657261U,
                     key[1] ^ 0x7465646279746573U};
    size_t n = strlen(name), at = 0;
    uint64_t word;
    for (; n - at >= sizeof word; at += sizeof word) {
        memcpy(&word, name + at, sizeof word);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = 0;
    memcpy(&word, name + at, n - at);
    word |= (uint64_t)n << 56;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
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
