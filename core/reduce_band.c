/* Dense to band in float64. */
#define REAL double
#define NAMED(x) x
#include "reduce_band_kernel.h"

size_t reduce_band_room(int n) {
    return 2 * (size_t)REDUCE_BAND * (size_t)n + 3 * (size_t)SQUARE;
}
