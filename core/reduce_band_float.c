/* Dense to band in float32. */
#define REAL float
#define NAMED(x) x##_float
#include "reduce_band_kernel.h"
