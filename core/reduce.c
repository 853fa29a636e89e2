/* The two stages, one after the other, in one scratch slot. */
#include "reduce.h"

#include <math.h>
#include <string.h>

#include "linalg.h"
#include "reduce_chase.h"

bool reduce_has(ReducePath path) {
    return reduce_chase(path) != NULL;
}

/* Exponent of the power of two that brings the band's largest element near 1;
 * 0 where there is none, or where one is not finite. */
static int find_scale(int n, const double *g, int ldg) {
    double largest = 0;
    int exponent = 0;
    for (int j = 0; j < n; j++) {
        int rows = n - j <= REDUCE_BAND ? n - j : REDUCE_BAND + 1;
        const double *column = g + (size_t)j * (size_t)ldg + (size_t)j;
        for (int i = 0; i < rows; i++)
            largest = fmax(largest, fabs(column[i]));
    }
    if (largest > 0 && isfinite(largest))
        (void)frexp(largest, &exponent);
    return -exponent;
}

/* The band of G, scaled, to where the second stage wants it. */
static void copy_band(int n, const double *g, int ldg, int exponent,
                      double *band) {
    memset(band, 0, chase_room(n) * sizeof *band);
    for (int j = 0; j < n; j++) {
        int rows = n - j <= REDUCE_BAND ? n - j : REDUCE_BAND + 1;
        const double *column = g + (size_t)j * (size_t)ldg + (size_t)j;
        double *to = band + (size_t)j * (CHASE_STRIDE + 1);
        for (int i = 0; i < rows; i++)
            to[i] = ldexp(column[i], exponent);
    }
}

/* Doubles of the slot after e: either stage's, the other is over then. */
static size_t room_for(int n) {
    size_t first = reduce_band_room(n), second = chase_room(n);
    return first > second ? first : second;
}

Status reduce_tridiagonal(int n, double *g, int ldg, double *d, double **e,
                          ReducePath path, Scratch *scratch, int slot,
                          Err *err) {
    Status status = linalg_check_size((uint64_t)n, (uint64_t)n, err);
    if (status != STATUS_OK)
        return status;
    size_t padded = ((size_t)n + 7) / 8 * 8; /* the rest stays aligned */
    double *block =
        scratch_take(scratch, slot, padded + room_for(n), sizeof *block, err);
    if (block == NULL)
        return STATUS_NOMEM;
    double *room = block + padded;
    status = reduce_band(n, g, ldg, room, err);
    if (status != STATUS_OK)
        return status;
    int exponent = find_scale(n, g, ldg);
    copy_band(n, g, ldg, exponent, room);
    reduce_chase(path)(n, room);
    for (size_t j = 0; j < (size_t)n; j++) {
        d[j] = ldexp(room[j * (CHASE_STRIDE + 1)], -exponent);
        block[j] = ldexp(room[j * (CHASE_STRIDE + 1) + 1], -exponent);
    }
    *e = block;
    return STATUS_OK;
}
