/* splitmix64, xoshiro256++, and normal deviates by comparisons. */
#include "random.h"

#include <stdbool.h>

uint64_t random_split(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

Random random_start(uint64_t seed) {
    Random random;
    for (int i = 0; i < 4; i++)
        random.s[i] = random_split(&seed);
    return random;
}

static uint64_t rotate(uint64_t x, int k) {
    return x << k | x >> (64 - k);
}

uint64_t random_next(Random *random) {
    uint64_t *s = random->s;
    uint64_t result = rotate(s[0] + s[3], 23) + s[0];
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

double random_uniform(Random *random) {
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

/* True with probability exp(-1/2): a falling run of uniform deviates that
 * begins below 1/2 has an even length (von Neumann). */
static bool half_exponential(Random *random) {
    bool even = true;
    double least = 0.5;
    for (;;) {
        double u = random_uniform(random);
        if (u >= least)
            return even;
        least = u;
        even = !even;
    }
}

/* k >= 0 with probability proportional to exp(-k^2 / 2): k + 1 runs that end
 * well, then k (k - 1) more of them. */
static int normal_whole(Random *random) {
    for (;;) {
        int k = 0, i = 0;
        while (half_exponential(random))
            k++;
        while (i < k * (k - 1) && half_exponential(random))
            i++;
        if (i == k * (k - 1))
            return k;
    }
}

/* True with probability exp(-x (2 k + x) / (2 k + 2)). */
static bool fraction_kept(Random *random, int k, double x) {
    bool even = true;
    double least = x, odds = (2.0 * k + x) / (2.0 * k + 2.0);
    for (;;) {
        double u = random_uniform(random);
        if (u >= least || random_uniform(random) >= odds)
            return even;
        least = u;
        even = !even;
    }
}

double random_normal(Random *random) {
    for (;;) {
        int k = normal_whole(random), i = 0;
        double x = random_uniform(random);
        while (i <= k && fraction_kept(random, k, x))
            i++;
        if (i <= k)
            continue;
        double y = k + x;
        return random_next(random) >> 63 != 0 ? -y : y;
    }
}
