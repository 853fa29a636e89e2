/* The two stages, one after the other, in one scratch slot. */
#include "reduce.h"

#include <math.h>
#include <string.h>

#include "linalg.h"
#include "reduce_chase.h"

/* G (n, n) in one of the two precisions, the other one NULL. */
typedef struct Dense {
    int n, ld;
    double *wide;
    float *narrow;
} Dense;

bool reduce_has(ReducePath path) {
    return reduce_chase(path) != NULL;
}

/* G's column j, from the diagonal to the band's edge, to `to`. */
static void take_column(const Dense *g, int j, double *to) {
    int rows = g->n - j <= REDUCE_BAND ? g->n - j : REDUCE_BAND + 1;
    size_t from = (size_t)j * (size_t)g->ld + (size_t)j;
    if (g->wide != NULL)
        memcpy(to, g->wide + from, (size_t)rows * sizeof *to);
    for (int i = 0; i < rows && g->wide == NULL; i++)
        to[i] = (double)g->narrow[from + (size_t)i];
}

/* The band of G to where the second stage wants it. */
static void copy_band(const Dense *g, double *band) {
    memset(band, 0, chase_room(g->n) * sizeof *band);
    for (int j = 0; j < g->n; j++)
        take_column(g, j, band + (size_t)j * (CHASE_STRIDE + 1));
}

/* Brings the band's largest element near 1 by a power of two, the exponent of
 * which is returned: 0 where there is none, or where one is not finite. */
static int scale_band(int n, double *band) {
    size_t room = (size_t)n * (CHASE_STRIDE + 1);
    double largest = 0;
    int exponent = 0;
    for (size_t i = 0; i < room; i++)
        largest = fmax(largest, fabs(band[i]));
    if (largest > 0 && isfinite(largest))
        (void)frexp(largest, &exponent);
    for (size_t i = 0; i < room && exponent != 0; i++)
        if (band[i] != 0)
            band[i] = ldexp(band[i], -exponent);
    return exponent;
}

/* Doubles of the slot after e: either stage's, the other is over then. */
static size_t room_for(int n) {
    size_t first = reduce_band_room(n), second = chase_room(n);
    return first > second ? first : second;
}

static Status first_stage(const Dense *g, double *room, Err *err) {
    if (g->wide != NULL)
        return reduce_band(g->n, g->wide, g->ld, room, err);
    return reduce_band_float(g->n, g->narrow, g->ld, (float *)room, err);
}

static Status both_stages(const Dense *g, double *d, double **e,
                          ReducePath path, Scratch *scratch, int slot,
                          Err *err) {
    int n = g->n;
    Status status = linalg_check_size((uint64_t)n, (uint64_t)n, err);
    if (status != STATUS_OK)
        return status;
    size_t padded = ((size_t)n + 7) / 8 * 8; /* the rest stays aligned */
    double *block =
        scratch_take(scratch, slot, padded + room_for(n), sizeof *block, err);
    if (block == NULL)
        return STATUS_NOMEM;
    double *room = block + padded;
    status = first_stage(g, room, err);
    if (status != STATUS_OK)
        return status;
    copy_band(g, room);
    int exponent = scale_band(n, room);
    reduce_chase(path)(n, room);
    for (size_t j = 0; j < (size_t)n; j++) {
        d[j] = ldexp(room[j * (CHASE_STRIDE + 1)], exponent);
        block[j] = ldexp(room[j * (CHASE_STRIDE + 1) + 1], exponent);
    }
    *e = block;
    return STATUS_OK;
}

Status reduce_tridiagonal(int n, double *g, int ldg, double *d, double **e,
                          ReducePath path, Scratch *scratch, int slot,
                          Err *err) {
    Dense dense = {.n = n, .ld = ldg, .wide = g};
    return both_stages(&dense, d, e, path, scratch, slot, err);
}

Status reduce_tridiagonal_float(int n, float *g, int ldg, double *d, double **e,
                                ReducePath path, Scratch *scratch, int slot,
                                Err *err) {
    Dense dense = {.n = n, .ld = ldg, .narrow = g};
    return both_stages(&dense, d, e, path, scratch, slot, err);
}
