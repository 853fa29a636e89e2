/* A matrix held in memory in 16 or 32 bits an element, long side down, for
 * products with many vectors. */
#ifndef WEFT_ESTIMATE_HELD_H
#define WEFT_ESTIMATE_HELD_H

#include "estimate_team.h"
#include "tensor.h"

typedef enum HeldKind { HELD_F16, HELD_BF16, HELD_F32 } HeldKind;

/* What the rows and the columns held are multiples of. */
enum { HELD_ROWS = 8, HELD_COLS = 16 };

/* (rows, ld) row-major, of which (m, n) is the matrix or its transpose, m >= n,
 * and the rest is zeros. A row is an odd number of cache lines. */
typedef struct Held {
    HeldKind kind;
    int64_t m, n;
    size_t rows, ld;
    void *data;
    float scale;   /* power of two: the largest magnitude times it is in
                    * [0.5, 1), as far as a float can scale */
    double stored; /* power of two that the elements held were multiplied by;
                    * 1 but where they may be out of float32's range */
    bool zero;     /* all elements are */
} Held;

/* Reads a matrix (2 axes, both sides 1 or more) with the members of a team.
 * F16 and BF16 are held as they are, 8-bit floats and integers in F16, the
 * rest, and what a recipe computes of any, is rounded to float32; read twice
 * where its largest magnitude is beyond 2^60 or below 2^-60.
 * STATUS_NONFINITE as spectrum_values words it; *cancel (may be NULL) is
 * polled. Creates: held_release. */
CHECKED Status held_read(Held *out, const Tensor *matrix, Team *team,
                         const volatile int *cancel, Err *err);
void held_release(Held *held);

/* Bytes of an element. */
size_t held_bytes(HeldKind kind);

#endif
