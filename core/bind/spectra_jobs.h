/* The jobs of core.spectra as workers and other ranks run them, without Lua. */
#ifndef WEFT_SPECTRA_JOBS_H
#define WEFT_SPECTRA_JOBS_H

#include <stdatomic.h>

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
    bool own;            /* this rank alone can run it */
    bool back;           /* it ended, and is still to be run */
} Job;

/* All that the batches' jobs touch. The arrays after `order` run in its order,
 * so that a job's part of each is one block. */
typedef struct Spectra {
    atomic_int others; /* that hold it, beside one */
    SpectrumWish wish;
    bool eigen; /* eigenvalues of kernels too, */
    bool dense; /* those of the dense matrix */
    CacheUse cache;
    size_t items, jobs; /* jobs: that are still to be run, the first of */
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

/* PoolFree: of the last who holds it. */
void spectra_free(void *data);
/* Arrays for n items; what a failure leaves is spectra_free's. */
CHECKED Status spectra_arrays(Spectra *spectra, size_t n, Err *err);
/* Sets what the cache has of the item. */
void spectra_find(Spectra *spectra, Item *item);

/* Bring to the front, of the jobs still to be run: those that this rank alone
 * can run; those that were given back. How many they are. */
size_t spectra_own_first(Spectra *spectra);
size_t spectra_back_first(Spectra *spectra);

/* The jobs from `first` on as the data of one batch. Zero-initialise. */
typedef struct Round {
    Spectra *spectra; /* held */
    size_t first;
} Round;

void round_fill(Round *round, Spectra *spectra, size_t first);
/* PoolFree. */
void round_free(void *data);

/* PoolRun, PoolSlice and PoolAhead, and for other ranks; of a Round. */
void round_run(void *data, size_t i, Scratch *scratch,
               const volatile int *cancel);
void round_slice(void *data, size_t i, int slice, Scratch *scratch,
                 const volatile int *cancel);
void round_ahead(void *data, size_t i);
extern const RanksFace round_face;

#endif
