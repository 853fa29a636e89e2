/* One hash for all: SipHash-1-3, whose key makes it a table's own, or a fixed
 * name of some bytes. */
#ifndef WEFT_HASH_H
#define WEFT_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The n bytes' hash under the key: the same on every little-endian machine.
 * (Aumasson and Bernstein 2012) */
uint64_t hash_bytes(const uint64_t key[2], const void *bytes, size_t n);

#endif
