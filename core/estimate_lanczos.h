/* Lanczos steps of A^T A from several probes at once, in the complement of
 * deflated directions, with full reorthogonalisation. */
#ifndef WEFT_ESTIMATE_LANCZOS_H
#define WEFT_ESTIMATE_LANCZOS_H

#include "estimate_product.h"

enum { LANCZOS_CHUNK = 32, LANCZOS_STEPS_MOST = 128, LANCZOS_PROBES_MOST = 16 };

typedef struct Lanczos {
    const Product *product;
    const float *deflated; /* (deflations, ld) orthonormal rows */
    size_t deflations;
    size_t probes; /* 8 or 16 */
    int steps;     /* made */
    float *next;   /* (probes, ld) what the next step begins with */
    /* (probes, LANCZOS_CHUNK, ld) each: the vectors of all steps */
    float *chunk[LANCZOS_STEPS_MOST / LANCZOS_CHUNK];
    double alpha[LANCZOS_PROBES_MOST][LANCZOS_STEPS_MOST];
    double beta[LANCZOS_PROBES_MOST][LANCZOS_STEPS_MOST]; /* after the step */
} Lanczos;

/* Fills in all but the fields up to `probes`, which the caller has set. Probe
 * v is the normal stream of seed + v, made orthogonal to the deflated
 * directions, of norm 1. Creates: lanczos_release. */
CHECKED Status lanczos_start(Lanczos *lanczos, uint64_t seed, Err *err);
/* Goes on until `steps` are made. STATUS_CANCELLED. */
CHECKED Status lanczos_extend(Lanczos *lanczos, int steps,
                              const volatile int *cancel, Err *err);
void lanczos_release(Lanczos *lanczos);

/* The Gauss quadrature of probe v after `steps` steps: singular values, the
 * roots of the tridiagonal matrix's eigenvalues, and weights that sum to 1, in
 * node and weight (steps). (dsyevd) */
CHECKED Status lanczos_quadrature(const Lanczos *lanczos, size_t v, int steps,
                                  double *node, double *weight,
                                  Scratch *scratch, int slot, Err *err);

/* Normal deviates of a stream into x (n), zeros up to ld. */
void lanczos_fill(float *x, size_t n, size_t ld, uint64_t seed);

#endif
