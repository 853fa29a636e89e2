/* Singular values of one matrix: by its Gram matrix, with an error bound that
 * decides whether the low end is done again or the matrix is taken whole.
 *
 * The Gram matrix of the short side is summed in float64 from panels, so that
 * memory is n x n and one panel whatever the long side. */
#ifndef WEFT_SPECTRUM_H
#define WEFT_SPECTRUM_H

#include "tensor.h"

typedef enum SpectrumMethod {
    SPECTRUM_GRAM,  /* Gram matrix; falls back by its own error bound */
    SPECTRUM_DIRECT /* QR by panels, then LAPACK's SVD */
} SpectrumMethod;

typedef struct SpectrumWish {
    SpectrumMethod method;
    bool single; /* Gram and reduction in float32; double where E > 1e-4 */
    bool shown;  /* single values will be shown: keep the low end accurate */
} SpectrumWish;

typedef struct SpectrumInfo {
    double bound;  /* on the effective rank's relative error */
    bool single;   /* the float32 result was good enough */
    bool low_end;  /* the low end was done again */
    bool direct;   /* the SVD was taken of the matrix itself */
    double flops;  /* of Gram and reduction, as they are counted */
    uint64_t read; /* elements decoded, over all passes */
} SpectrumInfo;

/* The singular values of a matrix (2 axes), falling, into s (min(rows, cols)).
 * Rows or columns of nothing but zeros give exact zeros at the end.
 * STATUS_NONFINITE says how many values are not finite and where the first
 * is as they are stored; STATUS_CANCELLED is polled between panels through
 * *cancel (may be NULL).
 * Memory: 3 n^2 and one panel of the short side n, in `scratch`, in single
 * precision 2 n^2 and the panel once more in float32; a transposed matrix is
 * read through a view of its own. */
CHECKED Status spectrum_values(const Tensor *matrix, const SpectrumWish *wish,
                               double *s, SpectrumInfo *info, Scratch *scratch,
                               const volatile int *cancel, Err *err);

enum { SPECTRUM_SLICES_MAX = 16 };

/* What the pass over one slice found; {0} before all. */
typedef struct SpectrumSlice {
    NonFinite bad;  /* of the matrix as it is stored */
    double largest; /* magnitude of F64; 0 of narrower types */
    uint64_t read;  /* elements decoded */
} SpectrumSlice;

/* The Gram matrix of a long matrix is the sum, in order, of those of so many
 * slices (at most SPECTRUM_SLICES_MAX) of its long side: by shape alone, so
 * that the values are the same to the bit whether one worker takes all slices
 * or many do. */
int spectrum_slices(int64_t rows, int64_t cols);
/* In how many slices spectrum_values' work may be done apart, by these three:
 * 1 where it can't, else spectrum_slices. */
int spectrum_parts(const Tensor *matrix, const SpectrumWish *wish);
/* G (n, n), lower triangle, of slice 0, 1, ... of a matrix of several parts.
 * Values that are not finite are counted in *out, and g is then undefined.
 * STATUS_CANCELLED as spectrum_values. */
CHECKED Status spectrum_slice(const Tensor *matrix, int slice, double *g,
                              SpectrumSlice *out, Scratch *scratch,
                              const volatile int *cancel, Err *err);
/* The lower triangle of G (n, n) += the next slice's, and *sum takes in what
 * that slice's pass found. */
void spectrum_add(int64_t n, double *g, const double *part, SpectrumSlice *sum,
                  const SpectrumSlice *next);
/* Whether the squares left a double's range, so that the sum is of no use and
 * spectrum_values is to be called. */
bool spectrum_rescales(const SpectrumSlice *sum);
/* spectrum_values from the sum of all slices' G (n, n), destroyed, and *sum,
 * what their passes found: to the bit. */
CHECKED Status spectrum_from_slices(const Tensor *matrix,
                                    const SpectrumWish *wish, double *g,
                                    const SpectrumSlice *sum, double *s,
                                    SpectrumInfo *info, Scratch *scratch,
                                    const volatile int *cancel, Err *err);

/* Whether n > 0 values, found with or without wish->shown in double precision,
 * are to the bit those that are found the other way. */
bool spectrum_shows(const SpectrumInfo *info, const double *s, size_t n);

/* STATUS_NONFINITE in the one wording: "3 non-finite values, the first at row
 * 2, column 7", counted from 1. STATUS_OK where bad->count is 0. */
CHECKED Status spectrum_nonfinite(const NonFinite *bad, Err *err);

/* Doubles of the panel that spectrum_values holds. */
int64_t spectrum_panel(int64_t rows, int64_t cols);

/* What spectrum_values costs in flops. */
double spectrum_cost(int64_t rows, int64_t cols);

/* What a worker's time goes by, in flops of a Gram matrix; and how much of it
 * is the Gram matrix, which slices share: the pool's order. */
double spectrum_work(int64_t rows, int64_t cols);
double spectrum_fluid(int64_t rows, int64_t cols);

/* exp(-sum p ln p), p = s / sum s, zeros dropped; NaN for an empty or an
 * all-zero spectrum. (Roy and Vetterli 2007) */
double spectrum_effective_rank(const double *s, size_t n);

/* Bound on its relative error where every eigenvalue s_i^2 of the Gram matrix
 * may be off by unit * s_1^2 (2^-53 for float64, 2^-24 for float32):
 * 2 sum |ln p_i + H| ds_i / S, s falling. 0 for an empty or an all-zero
 * spectrum. */
double spectrum_error(const double *s, size_t n, double unit);

#endif
