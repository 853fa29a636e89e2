/* A first look at a matrix that is too large to wait for: effective rank and
 * spectral density by stochastic Lanczos quadrature, in time linear in its
 * elements, with an interval.
 *
 * The sums of s and of s ln s over the singular values s are traces of
 * functions of A^T A. 16 directions of the largest are deflated and their
 * values summed, with what couples them to the complement; the rest of either
 * trace is n - 16 times the mean of a quadrature over probes of fixed norm in
 * it. (Ubaru, Chen, Saad 2017; Gambhir, Stathopoulos, Orginos 2017) */
#ifndef WEFT_ESTIMATE_H
#define WEFT_ESTIMATE_H

#include "tensor.h"

enum {
    ESTIMATE_METHOD = 1,  /* to be raised with every change of the numbers */
    ESTIMATE_LEAST = 128, /* the shortest side there can be an estimate for */
    ESTIMATE_BINS = 64
};

typedef struct EstimateWish {
    uint64_t seed;
    int threads; /* that share the matrix: 1 or more */
} EstimateWish;

typedef struct Estimate {
    double effective_rank;
    /* of the 95 % interval, relative: t se + step / 1.5, and what float32
     * may add */
    double half_width;
    double error; /* standard error over the probes, relative */
    double step;  /* change from half the steps to all, relative */
    int probes, steps;
    uint64_t products; /* vectors that A^T A was multiplied with */
    double largest;    /* singular value that was met */
    /* expected number of singular values in each of equal parts of
     * [0, largest]; they sum to the short side */
    double weight[ESTIMATE_BINS];
} Estimate;

/* The estimate of a matrix (2 axes). STATUS_ARGUMENT where it is no matrix, or
 * its short side is below ESTIMATE_LEAST; STATUS_NONFINITE as spectrum_values.
 * The effective rank of a matrix of zeros is NaN. *cancel (may be NULL) is
 * polled. Same bytes whatever the number of threads, but not of one matrix and
 * its transpose where it is square.
 * Memory: the matrix in 16 bits an element where that is all a value has, else
 * in 32 (GGUF's blocks and packed weights too); float32 vectors of the short
 * side, 16 a step and 16 for each of at most 64 slabs of rows; while it
 * deflates 32 float64 vectors of either side. */
CHECKED Status estimate_matrix(const Tensor *matrix, const EstimateWish *wish,
                               Estimate *out, const volatile int *cancel,
                               Err *err);

/* What it costs in flops where 16 probes and 16 steps are enough. */
double estimate_cost(int64_t rows, int64_t cols);

#endif
