/* The jobs of core.spectra as its batch's workers and other ranks run them: no
 * Lua in it. */
#ifndef WEFT_SPECTRA_JOBS_H
#define WEFT_SPECTRA_JOBS_H

#include "bind.h"
#include "heads.h"
#include "ranks.h"
#include "spectrum_share.h"

/* The answer's numbers of a kernel; a matrix has its bound in the first. */
enum { SPECTRA_NORM, SPECTRA_SYMMETRY, SPECTRA_ASYMMETRY };
enum { SPECTRA_BOUND = SPECTRA_NORM };

typedef struct Item {
    Tensor matrix;                  /* closed where it is a kernel */
    Factor *left, *right;           /* of a kernel, else NULL */
    Tensor out;                     /* the result, shared with Lua */
    Tensor re, im;                  /* the same, of a kernel's eigenvalues */
    CacheAnswer answer;             /* with the results' arrays */
    _Atomic(SpectrumShare *) share; /* of its slices; NULL: none was run */
    bool found;                     /* it was in the cache, and has no job */
    bool able;                      /* it can be kept there */
    bool shown;                     /* its small values are to be exact too */
    size_t job;
    int rank; /* which computed it */
} Item;

/* A matrix, or kernels that share their right factor. Its items stand in
 * `order` from `first` on. */
typedef struct Job {
    size_t first, count;
    const Factor *right; /* NULL: a matrix */
    uint64_t hash;       /* of right */
} Job;

/* All that the batch's jobs touch. The arrays after `order` run in its order,
 * so that a job's part of each is one block. */
typedef struct Spectra {
    SpectrumWish wish;
    bool eigen; /* eigenvalues of kernels too, */
    bool dense; /* those of the dense matrix */
    CacheUse cache;
    size_t items, jobs;
    Item *item;
    Job *job;
    double *cost, *fluid; /* of jobs; of that, what slices come to */
    int *slices;
    int64_t side; /* the largest short side that has some */
    size_t *order;
    const Factor **left;
    KernelResult *kernel;
    SpectrumInfo *info;
    Status *status;
    Err *err;
} Spectra;

/* PoolFree. */
void spectra_free(void *data);
/* Arrays for n items; what a failure leaves is spectra_free's. */
CHECKED Status spectra_arrays(Spectra *spectra, size_t n, Err *err);
/* Sets what the cache has of the item. */
void spectra_find(Spectra *spectra, Item *item);

/* PoolRun, PoolSlice and PoolAhead. */
void spectra_run(void *data, size_t i, Scratch *scratch,
                 const volatile int *cancel);
void spectra_slice(void *data, size_t i, int slice, Scratch *scratch,
                   const volatile int *cancel);
void spectra_ahead(void *data, size_t i);
extern const RanksFace spectra_face;

#endif
