/* The pool where jobs are split: each slice once, then the rest, told once. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "pool.h"

enum { JOBS = 9, SLICES = 12, ROOM = 100 };

/* What the jobs of a test share. */
typedef struct Work {
    atomic_int slice[JOBS][SLICES], slices[JOBS], rest[JOBS], whole[JOBS];
    atomic_int early; /* rests that ran before all their slices */
    atomic_int cancelled, released;
    sem_t entered, gate, freed;
    bool gated; /* slices say that they have begun, and wait */
} Work;

static void work_init(Work *work) {
    memset(work, 0, sizeof *work);
    sem_init(&work->entered, 0, 0);
    sem_init(&work->gate, 0, 0);
    sem_init(&work->freed, 0, 0);
}

static void run_slice(void *data, size_t i, int slice, Scratch *scratch,
                      const volatile int *cancel) {
    Work *work = data;
    (void)scratch;
    if (work->gated) {
        sem_post(&work->entered);
        sem_wait(&work->gate);
    }
    atomic_fetch_add(&work->slice[i][slice], 1);
    atomic_fetch_add(&work->slices[i], 1);
    if (__atomic_load_n(cancel, __ATOMIC_RELAXED) != 0)
        atomic_fetch_add(&work->cancelled, 1);
}

static void run_rest(void *data, size_t i, Scratch *scratch,
                     const volatile int *cancel) {
    Work *work = data;
    (void)scratch;
    (void)cancel;
    if (atomic_load(&work->slices[i]) != SLICES)
        atomic_fetch_add(&work->early, 1);
    atomic_fetch_add(&work->rest[i], 1);
}

static void run_whole(void *data, size_t i, Scratch *scratch,
                      const volatile int *cancel) {
    Work *work = data;
    (void)scratch;
    (void)cancel;
    atomic_fetch_add(&work->whole[i], 1);
}

static void release(void *data) {
    Work *work = data;
    atomic_fetch_add(&work->released, 1);
    sem_post(&work->freed);
}

/* A batch of `count` equal jobs, with room for `held` of their parts. */
static Status make(Batch **out, size_t count, size_t held, Work *work,
                   Err *err) {
    double cost[JOBS], fluid[JOBS];
    int slices[JOBS];
    for (size_t i = 0; i < count; i++) {
        cost[i] = 1;
        fluid[i] = 0.7;
        slices[i] = SLICES;
    }
    Batch *batch = NULL;
    Status status =
        batch_create(&batch, count, cost, run_whole, work, release, err);
    PoolSplit split = {fluid, slices, held, run_slice, run_rest};
    if (status == STATUS_OK)
        status = batch_split(batch, &split, err);
    if (status == STATUS_OK)
        *out = batch;
    else
        batch_release(batch);
    return status;
}

static Batch *start(Pool *pool, size_t count, size_t held, Work *work) {
    Batch *batch = NULL;
    assert_int_equal(make(&batch, count, held, work, NULL), STATUS_OK);
    assert_int_equal(pool_start(pool, batch, NULL), STATUS_OK);
    return batch;
}

static Pool *make_pool(int workers) {
    Pool *pool = NULL;
    assert_int_equal(pool_create(&pool, workers, NULL), STATUS_OK);
    return pool;
}

/* Waits for all jobs; no job is told twice. How many were. */
static size_t drain(Batch *batch) {
    size_t n = 0, i = 0;
    bool all = false, told[JOBS] = {false};
    while (!all)
        if (batch_next(batch, 10.0, &i, &all)) {
            assert_false(told[i]);
            told[i] = true;
            n++;
        }
    return n;
}

/* How many of the jobs were split; each ran once, whole or in its parts. */
static size_t ran_once(Work *work, size_t count) {
    size_t split = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(work->rest[i] + work->whole[i], 1);
        for (int s = 0; s < SLICES; s++)
            assert_int_equal(work->slice[i][s], work->rest[i]);
        split += work->rest[i] == 1;
    }
    assert_int_equal(work->early, 0);
    return split;
}

static void test_each_once(void **state) {
    (void)state;
    for (int workers = 1; workers <= 7; workers++)
        for (size_t count = 0; count <= JOBS; count++) {
            Work work;
            work_init(&work);
            Pool *pool = make_pool(workers);
            Batch *batch = start(pool, count, ROOM, &work);
            assert_int_equal(drain(batch), count);
            size_t split = ran_once(&work, count);
            /* what comes out even is not split */
            if (count % (size_t)workers == 0)
                assert_int_equal(split, 0);
            else
                assert_true(split > 0);
            batch_release(batch);
            pool_release(pool);
            assert_int_equal(work.released, 1);
        }
}

static void test_held(void **state) {
    (void)state;
    for (size_t held = 0; held < 3; held++) {
        Work work;
        work_init(&work);
        Pool *pool = make_pool(4);
        Batch *batch = start(pool, JOBS, 8 + held, &work);
        assert_int_equal(drain(batch), JOBS);
        assert_true(ran_once(&work, JOBS) <= held);
        batch_release(batch);
        pool_release(pool);
    }
}

/* A batch that is split, one that is not, and one that is, on one pool. */
static void test_batches_queue(void **state) {
    (void)state;
    Work work[3];
    Batch *batch[3];
    Pool *pool = make_pool(2);
    for (int i = 0; i < 3; i++) {
        work_init(&work[i]);
        batch[i] = start(pool, 3, i == 1 ? 0 : ROOM, &work[i]);
    }
    for (int i = 2; i >= 0; i--)
        assert_int_equal(drain(batch[i]), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ran_once(&work[i], 3) > 0, i != 1);
        batch_release(batch[i]);
    }
    pool_release(pool);
}

/* While slices run: these end, nothing else begins, and no job is told. */
static void test_cancel(void **state) {
    (void)state;
    Work work;
    work_init(&work);
    work.gated = true;
    Pool *pool = make_pool(2);
    Batch *batch = start(pool, 3, ROOM, &work);
    sem_wait(&work.entered);
    size_t i = 0;
    bool all = true;
    batch_cancel(batch);
    for (int k = 0; k < JOBS; k++)
        sem_post(&work.gate);
    while (batch_next(batch, 10.0, &i, &all))
        assert_int_equal(work.whole[i], 1);
    assert_true(all);
    batch_release(batch);
    pool_release(pool);
    assert_int_equal(work.released, 1);
    assert_true(work.cancelled >= 1);
    for (i = 0; i < JOBS; i++) {
        assert_int_equal(work.rest[i], 0);
        assert_true(work.slices[i] <= 2);
    }
}

static void test_abandon(void **state) {
    (void)state;
    Work work;
    work_init(&work);
    work.gated = true;
    Pool *pool = make_pool(2);
    Batch *batch = start(pool, 3, ROOM, &work);
    sem_wait(&work.entered);
    pool_abandon(pool);
    for (int k = 0; k < JOBS; k++)
        sem_post(&work.gate);
    size_t i;
    bool all = false;
    while (!all)
        (void)batch_next(batch, 10.0, &i, &all);
    batch_release(batch);
    sem_wait(&work.freed);
    assert_true(work.slices[0] + work.slices[1] + work.slices[2] <= 2);
}

/* With every allocation failing once: STATUS_NOMEM, or all jobs run, none of
 * them split where it was the plan that had no memory. */
static void test_no_memory(void **state) {
    (void)state;
    long n = 1, unplanned = 0;
    for (bool hit = true; hit; n++) {
        Work work;
        work_init(&work);
        Pool *pool = NULL;
        Batch *batch = NULL;
        Err err = {STATUS_OK, ""};
        fail_alloc_at(n);
        Status status = pool_create(&pool, 2, &err);
        if (status == STATUS_OK)
            status = make(&batch, 3, ROOM, &work, &err);
        if (status == STATUS_OK)
            status = pool_start(pool, batch, &err);
        hit = fail_alloc_hit();
        fail_alloc_at(0);
        if (status != STATUS_OK) {
            assert_true(hit);
            assert_int_equal(status, STATUS_NOMEM);
            assert_memory_equal(err.message, "not enough memory", 17);
        } else {
            assert_int_equal(drain(batch), 3);
            assert_int_equal(ran_once(&work, 3) == 0, hit);
            unplanned += hit;
        }
        batch_release(batch);
        pool_release(pool);
    }
    /* the pool, the batch's three, its jobs; the plan's */
    assert_int_equal(n - 2 - unplanned, 5);
    assert_true(unplanned > 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_once),     cmocka_unit_test(test_held),
        cmocka_unit_test(test_batches_queue), cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_abandon),       cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
