/* Random numbers from a seed, the same bytes on every machine.
 *
 * Only integers, comparisons and single additions: no function of libm. */
#ifndef WEFT_RANDOM_H
#define WEFT_RANDOM_H

#include <stdint.h>

/* The next integer of a splitmix64 stream (Steele, Lea, Flood 2014): what
 * seeds a Random, and enough by itself where quality is no question. */
uint64_t random_split(uint64_t *state);

/* A xoshiro256++ stream (Blackman, Vigna 2019). */
typedef struct Random {
    uint64_t s[4];
} Random;

/* The stream of a seed: its state is splitmix64's first four integers. */
Random random_start(uint64_t seed);
uint64_t random_next(Random *random);
/* A double in [0, 1): the upper 53 bits of the next integer, over 2^53. */
double random_uniform(Random *random);
/* A standard normal deviate by algorithm N of Karney, "Sampling exactly from
 * the normal distribution" (ACM TOMS 42, 2016), its uniform deviates being
 * random_uniform's: comparisons decide, nothing is approximated but by the 53
 * bits of the fraction. Takes about 20 integers of the stream. */
double random_normal(Random *random);

#endif
