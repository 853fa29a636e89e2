/* How well a spectrum is known; spectrum.c's own. */
#ifndef WEFT_SPECTRUM_BOUND_H
#define WEFT_SPECTRUM_BOUND_H

#include "spectrum.h"

/* s / s_1 below which a value of the Gram matrix's belongs to the low end. */
#define SPECTRUM_CUT 1e-5

/* With s_1 = 1: every square may be off by `delta`; but values from number
 * `low` on are those of A V2, V2 the eigenvectors below the cut; and every
 * value may be off by `floor`. */
typedef struct Trust {
    double delta;
    size_t low;
    double floor;
} Trust;

/* 2 sum |ln p_i + H| ds_i / S of the falling s (n); 0 where all are zero. */
double spectrum_bound(const double *s, size_t n, const Trust *trust);

#endif
