/* A job of a batch of spectra as ranks exchange it: one matrix, or kernels
 * that share their right factor, and the answers. */
#ifndef WEFT_RANK_JOB_H
#define WEFT_RANK_JOB_H

#include "heads.h"
#include "spectrum.h"
#include "wire_tensor.h"

typedef struct RankJob {
    SpectrumWish wish;
    bool eigen, dense;    /* of kernels: see kernel_answers */
    const Tensor *matrix; /* of 2 axes; NULL: kernels */
    double *s;            /* its singular values */
    SpectrumInfo *info;
    size_t count; /* of kernels; 1 of a matrix */
    const Factor *const *left;
    const Factor *right;
    KernelResult *kernel;
    Status *status; /* one a kernel, or the matrix's */
    Err *err;
} RankJob;

/* The question; what take_tensor tells of tensors holds. */
void job_put(Wire *wire, const RankJob *job);
/* Whether it can be put, as far as a look at it tells. */
bool job_able(const RankJob *job);
/* Reads it into a job of its own, results and all; until it is run its
 * statuses are STATUS_CANCELLED. Creates: job_release. */
CHECKED Status job_take(WireReader *from, WireFiles *files, RankJob **out,
                        Err *err);
void job_release(RankJob *job);
/* Computes it: every status is set. */
void job_run(RankJob *job, Scratch *scratch, const volatile int *cancel);

/* The answers of a job that was run. */
void job_put_answers(Wire *wire, const RankJob *job);
/* Reads them into the asker's job, half of them where it fails. */
CHECKED Status job_take_answers(WireReader *from, const RankJob *job, Err *err);
/* The first answer for which the rank that ran the job may be at fault: no
 * memory, or a file that it could not read. STATUS_OK where all tell of
 * matrices, so that any rank would give them. */
CHECKED Status job_fault(const RankJob *job, Err *err);

#endif
