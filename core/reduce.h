/* A symmetric matrix to a tridiagonal one with the same eigenvalues, in two
 * stages: to a band by panels (nearly all of it matrix times matrix), then the
 * band's bulges are chased off its end by vector code of the processor's own.
 *
 * No vectors are kept. One thread; the same bytes in every run on one machine,
 * but not on two processors with different vector units. After Bischof, Lang
 * and Sun, "A framework for symmetric band reduction", 2000. */
#ifndef WEFT_REDUCE_H
#define WEFT_REDUCE_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

/* Subdiagonals of the band between the stages. */
enum { REDUCE_BAND = 64 };

/* The vector code of the second stage. */
typedef enum ReducePath {
    REDUCE_BEST, /* the widest that this processor has */
    REDUCE_PORTABLE,
    REDUCE_AVX2, /* with FMA */
    REDUCE_AVX512
} ReducePath;

/* Whether this processor, and this build, have it. */
bool reduce_has(ReducePath path);

/* d (n) and *e (n - 1) = the diagonals of the tridiagonal matrix that G (n, n)
 * is similar to; of G the lower triangle is read and destroyed, the strict
 * upper one is left as it is. *e borrows from the slot, which takes about
 * 1200 n bytes and 150 kB more: nothing of size (n, n). `path` must be one
 * that the processor has. Scales what is huge or tiny. STATUS_ARGUMENT where G
 * is too large, STATUS_NOMEM. */
CHECKED Status reduce_tridiagonal(int n, double *g, int ldg, double *d,
                                  double **e, ReducePath path, Scratch *scratch,
                                  int slot, Err *err);
/* The same of a float32 G. Its first stage is done in float32, the second one,
 * a small part of the whole, in float64. */
CHECKED Status reduce_tridiagonal_float(int n, float *g, int ldg, double *d,
                                        double **e, ReducePath path,
                                        Scratch *scratch, int slot, Err *err);

/* The first stage: G's first REDUCE_BAND subdiagonals become those of the
 * band; what lies below them is destroyed. `room` has reduce_band_room(n)
 * elements. */
CHECKED Status reduce_band(int n, double *g, int ldg, double *room, Err *err);
CHECKED Status reduce_band_float(int n, float *g, int ldg, float *room,
                                 Err *err);
size_t reduce_band_room(int n);

#endif
