/* Worker threads that take jobs, largest first, and never see a lua_State.
 *
 * A Batch is a counted set of jobs; the caller waits for it, told of each job
 * that ends, in any order. Every batch has a cancel word that its jobs poll.
 * On Ctrl-C the caller abandons the pool: its workers finish what they hold,
 * free the batch and themselves, and the next command makes a new pool. */
#ifndef WEFT_POOL_H
#define WEFT_POOL_H

#include <stdbool.h>

#include "mem.h"

enum { POOL_WORKERS_MAX = 1024 };

typedef struct Pool Pool;
typedef struct Batch Batch;

/* Runs job i of the batch's data; writes its results into the data. `cancel`
 * turns non-zero when nobody waits any more: read it by cancel_seen. */
typedef void PoolRun(void *data, size_t i, Scratch *scratch,
                     const volatile int *cancel);
typedef void PoolFree(void *data);

/* Processors this process may use: the affinity mask, cut by the cgroup's
 * quota (v2 cpu.max, v1 cfs_quota) and by OPENBLAS_NUM_THREADS; from 1 to
 * POOL_WORKERS_MAX. */
int pool_default_workers(void);
/* The same from `processors` and `blas_threads` (the variable's text, may be
 * NULL), /proc and /sys read under the folder `root` ("" is the system's). */
int pool_limit_workers(int processors, const char *root,
                       const char *blas_threads);

/* Starts `workers` threads, 1 to POOL_WORKERS_MAX, with SIGINT and all other
 * signals but faults blocked (they are started at the first batch; where the
 * system refuses some, the pool has fewer). Creates: pool_abandon or
 * pool_release. */
CHECKED Status pool_create(Pool **out, int workers, Err *err);
int pool_workers(const Pool *pool);
/* Waits for its workers to end: they first finish every batch that was
 * started and is not cancelled. */
void pool_release(Pool *pool);
/* Does not wait: cancels every batch, and the last worker frees the pool. */
void pool_abandon(Pool *pool);

/* `count` jobs over `data`, taken in the order of falling cost[i] (cost is
 * copied; equal costs in index order; NULL: index order). When the last user
 * is done, release(data) is called (where release is not NULL), on whatever
 * thread that is. On failure data stays the caller's. Creates: batch_release,
 * which does not wait and cancels what has not ended. */
CHECKED Status batch_create(Batch **out, size_t count, const double *cost,
                            PoolRun *run, void *data, PoolFree *release,
                            Err *err);
void batch_release(Batch *batch);

/* Runs one slice of job i; the job's rest runs when all its slices ended, and
 * tells what failed. */
typedef void PoolSlice(void *data, size_t i, int slice, Scratch *scratch,
                       const volatile int *cancel);

typedef struct PoolSplit {
    const double *fluid; /* (count) of each cost, what its slices come to */
    const int *slices;   /* (count); 0 or 1: it can't be split */
    size_t held; /* results of slices that memory has room for: each worker
                  * may hold two, each split job one */
    PoolSlice *slice;
    PoolRun *rest;
} PoolSplit;

/* How many jobs may be split where `held` results of slices have room. */
size_t pool_splits_most(size_t held, int workers);

/* Before the start: some jobs may be split (schedule.h says which), where the
 * workers would not end together else. A job is told once, after its rest. The
 * arrays are copied. */
CHECKED Status batch_split(Batch *batch, const PoolSplit *split, Err *err);
/* Job i is the one that will be taken next: what it reads may be asked for.
 * Called on the workers; the job may be taken meanwhile. */
typedef void PoolAhead(void *data, size_t i);
/* Before the start: called at each start of a job while another is left. */
void batch_ahead(Batch *batch, PoolAhead *ahead);
/* Hands the batch to the pool's workers, after the batches started before.
 * Once a batch. */
CHECKED Status pool_start(Pool *pool, Batch *batch, Err *err);
/* Waits at most `seconds` for a job that has ended and has not been told yet:
 * its index into *i and true; false with *all set when every job was told
 * (after a cancel: every job that was taken), false with *all unset on
 * time-out. */
bool batch_next(Batch *batch, double seconds, size_t *i, bool *all);
/* For a runner that is none of the pool's workers: it keeps the batch and its
 * data until batch_leave, takes jobs in the same order (false: none is left),
 * and ends each that it took. */
Batch *batch_join(Batch *batch);
bool batch_take(Batch *batch, size_t *i);
bool batch_left(const Batch *batch);
void batch_end(Batch *batch, size_t i);
void batch_leave(Batch *batch);
/* Its cancel word. Borrows. */
const volatile int *batch_word(const Batch *batch);
/* Jobs not yet taken are never run; those running see their cancel word. */
void batch_cancel(Batch *batch);

#endif
