/* Worker threads over batches of jobs.
 *
 * Who holds what: a batch is counted, by its caller, by the pool's queue and
 * by every worker at its jobs; the pool is freed by pool_release, or after
 * pool_abandon by the worker that leaves last. A lock is never held while a
 * job runs or data is released. */
#include "pool.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schedule.h"
#include "thread.h"

/* Its own cache line, so that what one thread writes costs no other. */
#define OWN_LINE _Alignas(64)

/* A job's place in the order. */
typedef struct Turn {
    double cost;
    size_t job;
} Turn;

struct Batch {
    atomic_int refs;
    atomic_bool started;
    size_t count;
    Turn *turns;
    PoolRun *run;
    PoolFree *release;
    PoolAhead *ahead; /* may be NULL */
    void *data;
    /* where jobs may be split; turns are not used where some are */
    ScheduleJob *jobs;
    Schedule *schedule; /* NULL: none is; under the lock */
    PoolSlice *slice;
    PoolRun *rest;
    size_t held;
    Batch *after; /* in the pool's queue, under the pool's lock */
    OWN_LINE int cancel;
    OWN_LINE atomic_size_t next; /* the turn to take; count or more: none */
    OWN_LINE pthread_mutex_t lock;
    pthread_cond_t changed, ready; /* a job ended; a rest can be taken */
    /* under the lock: jobs in the order they ended, how many ended, how many
     * of these were told, how many will ever end; of a schedule, how many are
     * taken but for their slices */
    size_t *ended;
    size_t done, told, expected, taken;
};

typedef struct Worker {
    Pool *pool;
    pthread_t thread;
    Batch *batch; /* the one it works on, under the pool's lock */
} Worker;

struct Pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    Batch *first, *last; /* batches with jobs to take */
    bool closing, abandoned;
    int wanted, started, alive; /* threads */
    Worker workers[];
};

/* Falling cost, then rising index: a total order, whatever sorts by it. */
static int turn_compare(const void *left, const void *right) {
    const Turn *a = left, *b = right;
    if (a->cost != b->cost)
        return a->cost > b->cost ? -1 : 1;
    return a->job < b->job ? -1 : a->job > b->job;
}

static void batch_order(Batch *batch, const double *cost) {
    for (size_t i = 0; i < batch->count; i++) {
        /* NaN has no place in an order */
        double c = cost == NULL || isnan(cost[i]) ? 0.0 : cost[i];
        batch->turns[i] = (Turn){c, i};
    }
    qsort(batch->turns, batch->count, sizeof *batch->turns, turn_compare);
}

static Status batch_init(Batch *batch, Err *err) {
    pthread_condattr_t monotonic;
    int failed = pthread_condattr_init(&monotonic);
    if (failed == 0) {
        failed = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        if (failed == 0)
            failed = pthread_cond_init(&batch->changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
    }
    if (failed == 0 && (failed = pthread_mutex_init(&batch->lock, NULL)) != 0)
        pthread_cond_destroy(&batch->changed);
    batch->ready = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    if (failed != 0)
        return err_set(err, STATUS_NOMEM, "no lock for a batch of jobs: %s",
                       strerror(failed));
    return STATUS_OK;
}

Status batch_create(Batch **out, size_t count, const double *cost, PoolRun *run,
                    void *data, PoolFree *release, Err *err) {
    Batch *batch = mem_zeroed(1, sizeof *batch, err);
    if (batch == NULL)
        return STATUS_NOMEM;
    batch->count = batch->expected = count;
    batch->run = run;
    batch->release = release;
    batch->data = data;
    atomic_init(&batch->refs, 1);
    batch->turns = mem_array(count, sizeof *batch->turns, err);
    if (batch->turns == NULL)
        goto no_memory;
    batch->ended = mem_array(count, sizeof *batch->ended, err);
    if (batch->ended == NULL || batch_init(batch, err) != STATUS_OK)
        goto no_memory;
    batch_order(batch, cost);
    *out = batch;
    return STATUS_OK;
no_memory:
    mem_free(batch->ended);
    mem_free(batch->turns);
    mem_free(batch);
    return STATUS_NOMEM;
}

Status batch_split(Batch *batch, const PoolSplit *split, Err *err) {
    ScheduleJob *jobs = mem_array(batch->count, sizeof *jobs, err);
    if (jobs == NULL)
        return STATUS_NOMEM;
    for (size_t turn = 0; turn < batch->count; turn++) {
        size_t i = batch->turns[turn].job;
        jobs[i] = (ScheduleJob){batch->turns[turn].cost, split->fluid[i],
                                split->slices[i]};
    }
    mem_free(batch->jobs);
    batch->jobs = jobs;
    batch->slice = split->slice;
    batch->rest = split->rest;
    batch->held = split->held;
    return STATUS_OK;
}

size_t pool_splits_most(size_t held, int workers) {
    size_t own = 2 * (size_t)workers;
    return held > own ? held - own : 0;
}

/* Plans the batch for so many workers; turns do where none is to be split, or
 * where there is no memory for the plan. */
static void batch_plan(Batch *batch, int workers) {
    Schedule *schedule = NULL;
    if (batch->jobs == NULL || workers < 2)
        return;
    Status status =
        schedule_create(&schedule, batch->jobs, batch->count, workers,
                        pool_splits_most(batch->held, workers), NULL);
    if (status == STATUS_OK && schedule_splits(schedule) > 0)
        batch->schedule = schedule;
    else
        schedule_release(schedule);
}

void batch_ahead(Batch *batch, PoolAhead *ahead) {
    batch->ahead = ahead;
}

static void batch_drop(Batch *batch) {
    if (atomic_fetch_sub(&batch->refs, 1) > 1)
        return;
    if (batch->release != NULL)
        batch->release(batch->data);
    pthread_mutex_destroy(&batch->lock);
    pthread_cond_destroy(&batch->changed);
    pthread_cond_destroy(&batch->ready);
    schedule_release(batch->schedule);
    mem_free(batch->jobs);
    mem_free(batch->ended);
    mem_free(batch->turns);
    mem_free(batch);
}

void batch_cancel(Batch *batch) {
    pthread_mutex_lock(&batch->lock);
    __atomic_store_n(&batch->cancel, 1, __ATOMIC_RELAXED);
    /* whoever takes a turn from now on finds none left */
    size_t taken = atomic_exchange(&batch->next, batch->count);
    if (batch->schedule != NULL)
        taken = batch->taken;
    if (taken < batch->expected)
        batch->expected = taken;
    pthread_cond_broadcast(&batch->changed);
    pthread_cond_broadcast(&batch->ready);
    pthread_mutex_unlock(&batch->lock);
}

void batch_release(Batch *batch) {
    if (batch == NULL)
        return;
    batch_cancel(batch);
    batch_drop(batch);
}

/* The moment `seconds` from now, for a wait on the monotonic clock. */
static struct timespec deadline(double seconds) {
    static const double LONGEST = 1e9;
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    if (!(seconds > 0))
        return at;
    double whole = floor(seconds < LONGEST ? seconds : LONGEST);
    double rest = seconds < LONGEST ? seconds - whole : 0.0;
    at.tv_sec += (time_t)whole;
    at.tv_nsec += (long)(rest * 1e9);
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec += 1;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

bool batch_next(Batch *batch, double seconds, size_t *i, bool *all) {
    struct timespec until = deadline(seconds);
    bool late = false;
    pthread_mutex_lock(&batch->lock);
    while (batch->told == batch->done && batch->told < batch->expected && !late)
        late = pthread_cond_timedwait(&batch->changed, &batch->lock, &until);
    bool found = batch->told < batch->done;
    if (found)
        *i = batch->ended[batch->told++];
    *all = !found && batch->told == batch->expected;
    pthread_mutex_unlock(&batch->lock);
    return found;
}

bool batch_take(Batch *batch, size_t *i) {
    size_t turn = atomic_fetch_add(&batch->next, 1);
    if (turn < batch->count)
        *i = batch->turns[turn].job;
    return turn < batch->count;
}

bool batch_left(const Batch *batch) {
    return atomic_load(&batch->next) < batch->count;
}

void batch_end(Batch *batch, size_t i) {
    pthread_mutex_lock(&batch->lock);
    batch->ended[batch->done++] = i;
    pthread_cond_signal(&batch->changed);
    pthread_mutex_unlock(&batch->lock);
}

Batch *batch_join(Batch *batch) {
    atomic_fetch_add(&batch->refs, 1);
    return batch;
}

void batch_leave(Batch *batch) {
    batch_drop(batch);
}

const volatile int *batch_word(const Batch *batch) {
    return &batch->cancel;
}

static void look_ahead(Batch *batch) {
    size_t turn = atomic_load(&batch->next);
    if (batch->ahead != NULL && turn < batch->count)
        batch->ahead(batch->data, batch->turns[turn].job);
}

/* Takes turns until none is left. */
static void batch_work(Batch *batch, Scratch *scratch) {
    for (size_t job; batch_take(batch, &job);) {
        look_ahead(batch);
        batch->run(batch->data, job, scratch, &batch->cancel);
        batch_end(batch, job);
    }
}

static void run_task(Batch *batch, const ScheduleTask *task, Scratch *scratch) {
    if (task->kind == SCHEDULE_SLICE)
        batch->slice(batch->data, task->job, task->slice, scratch,
                     &batch->cancel);
    else if (task->kind == SCHEDULE_REST)
        batch->rest(batch->data, task->job, scratch, &batch->cancel);
    else
        batch->run(batch->data, task->job, scratch, &batch->cancel);
}

/* The next task, waited for; under the lock. False when none is left. */
static bool take_task(Batch *batch, int worker, ScheduleTask *task) {
    while (batch->cancel == 0) {
        ScheduleTurn turn = schedule_take(batch->schedule, worker, task);
        if (turn != SCHEDULE_LATER)
            return turn == SCHEDULE_TAKEN;
        pthread_cond_wait(&batch->ready, &batch->lock);
    }
    return false;
}

/* Takes tasks until none is left. Their lock is cheap: batches that are split
 * are of few and large jobs. */
static void batch_share(Batch *batch, int worker, Scratch *scratch) {
    ScheduleTask task;
    size_t next;
    pthread_mutex_lock(&batch->lock);
    while (take_task(batch, worker, &task)) {
        bool more = schedule_next(batch->schedule, &next);
        batch->taken += task.kind != SCHEDULE_SLICE;
        pthread_mutex_unlock(&batch->lock);
        if (more && next != task.job && batch->ahead != NULL)
            batch->ahead(batch->data, next);
        run_task(batch, &task, scratch);
        pthread_mutex_lock(&batch->lock);
        if (schedule_done(batch->schedule, &task))
            pthread_cond_broadcast(&batch->ready);
        if (task.kind != SCHEDULE_SLICE) {
            batch->ended[batch->done++] = task.job;
            pthread_cond_signal(&batch->changed);
        }
    }
    pthread_mutex_unlock(&batch->lock);
}

/* The queue's first batch, kept; NULL when the worker is to end. */
static Batch *worker_wait(Worker *worker) {
    Pool *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->closing)
        pthread_cond_wait(&pool->work, &pool->lock);
    Batch *batch = pool->first;
    worker->batch = batch;
    if (batch != NULL)
        atomic_fetch_add(&batch->refs, 1);
    pthread_mutex_unlock(&pool->lock);
    return batch;
}

/* The batch has no turn left: out of the queue, if no other worker was first
 * to see it. */
static void worker_leave(Worker *worker) {
    Pool *pool = worker->pool;
    Batch *batch = worker->batch;
    pthread_mutex_lock(&pool->lock);
    bool queued = pool->first == batch;
    if (queued)
        pool->first = batch->after;
    worker->batch = NULL;
    pthread_mutex_unlock(&pool->lock);
    if (queued)
        batch_drop(batch);
    batch_drop(batch);
}

static void pool_free(Pool *pool) {
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->work);
    mem_free(pool);
}

static void *worker_main(void *argument) {
    Worker *worker = argument;
    Pool *pool = worker->pool;
    Scratch scratch = {0};
    for (Batch *batch; (batch = worker_wait(worker)) != NULL;) {
        if (batch->schedule != NULL)
            batch_share(batch, (int)(worker - pool->workers), &scratch);
        else
            batch_work(batch, &scratch);
        worker_leave(worker);
    }
    scratch_release(&scratch);
    pthread_mutex_lock(&pool->lock);
    bool last = --pool->alive == 0 && pool->abandoned;
    pthread_mutex_unlock(&pool->lock);
    if (last)
        pool_free(pool);
    return NULL;
}

Status pool_create(Pool **out, int workers, Err *err) {
    if (workers < 1 || workers > POOL_WORKERS_MAX)
        return err_set(err, STATUS_ARGUMENT,
                       "a pool of %d workers, expected 1 to %d", workers,
                       POOL_WORKERS_MAX);
    size_t bytes = sizeof(Pool) + (size_t)workers * sizeof(Worker);
    Pool *pool = mem_zeroed(1, bytes, err);
    if (pool == NULL)
        return STATUS_NOMEM;
    pool->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    pool->work = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pool->wanted = workers;
    *out = pool;
    return STATUS_OK;
}

int pool_workers(const Pool *pool) {
    return pool->started > 0 ? pool->started : pool->wanted;
}

/* Starts the threads, under the lock. */
static Status pool_spawn(Pool *pool, Err *err) {
    int failed = 0;
    while (pool->started < pool->wanted && failed == 0) {
        Worker *worker = &pool->workers[pool->started];
        worker->pool = pool;
        failed = thread_start(&worker->thread, worker_main, worker);
        if (failed == 0) {
            pool->started += 1;
            pool->alive += 1;
        }
    }
    if (pool->started == 0)
        return err_set(err, STATUS_NOMEM, "no worker thread could start: %s",
                       strerror(failed));
    return STATUS_OK;
}

Status pool_start(Pool *pool, Batch *batch, Err *err) {
    if (atomic_exchange(&batch->started, true))
        return err_set(err, STATUS_ARGUMENT,
                       "a batch of %zu jobs was started before, expected once",
                       batch->count);
    Status status = STATUS_OK;
    pthread_mutex_lock(&pool->lock);
    if (pool->started == 0)
        status = pool_spawn(pool, err);
    pthread_mutex_unlock(&pool->lock);
    if (status == STATUS_OK)
        batch_plan(batch, pool->started);
    pthread_mutex_lock(&pool->lock);
    if (status == STATUS_OK) {
        atomic_fetch_add(&batch->refs, 1);
        if (pool->first == NULL)
            pool->first = batch;
        else
            pool->last->after = batch;
        pool->last = batch;
        pthread_cond_broadcast(&pool->work);
    } else {
        atomic_store(&batch->started, false);
    }
    pthread_mutex_unlock(&pool->lock);
    return status;
}

void pool_release(Pool *pool) {
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pool_free(pool);
}

void pool_abandon(Pool *pool) {
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = pool->abandoned = true;
    for (Batch *batch = pool->first; batch != NULL; batch = batch->after)
        batch_cancel(batch);
    for (int i = 0; i < pool->started; i++) {
        if (pool->workers[i].batch != NULL)
            batch_cancel(pool->workers[i].batch);
        pthread_detach(pool->workers[i].thread);
    }
    pthread_cond_broadcast(&pool->work);
    bool last = pool->alive == 0;
    pthread_mutex_unlock(&pool->lock);
    if (last)
        pool_free(pool);
}
