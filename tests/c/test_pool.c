/* The pool: order, results, cancelling, abandoning, and its size. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup.h"
#include "fail_alloc.h"
#include "pool.h"

enum { JOBS = 40 };

/* What the jobs of a test share; the test's own unless `released` is waited
 * for. */
typedef struct Work {
    atomic_int runs;
    atomic_int at[JOBS]; /* 1-based: as which one the job was run */
    double result[JOBS];
    void *block[JOBS];
    sem_t entered, gate, released;
    atomic_int cancelled; /* jobs that saw their cancel word */
    atomic_int failed;    /* jobs that had no memory */
    sigset_t mask;
} Work;

static void work_init(Work *work) {
    memset(work, 0, sizeof *work);
    sem_init(&work->entered, 0, 0);
    sem_init(&work->gate, 0, 0);
    sem_init(&work->released, 0, 0);
}

static void work_released(void *data) {
    Work *work = data;
    sem_post(&work->released);
}

static bool seen(const volatile int *cancel) {
    return __atomic_load_n(cancel, __ATOMIC_RELAXED) != 0;
}

/* Notes its turn and a number that took some arithmetic in its scratch. */
static void run_note(void *data, size_t i, Scratch *scratch,
                     const volatile int *cancel) {
    Work *work = data;
    double *buffer = scratch_take(scratch, 0, 64, sizeof *buffer, NULL);
    atomic_store(&work->at[i], atomic_fetch_add(&work->runs, 1) + 1);
    work->block[i] = buffer;
    if (buffer == NULL || seen(cancel)) {
        atomic_fetch_add(&work->failed, 1);
        return;
    }
    double sum = 0;
    for (int k = 0; k < 64; k++) {
        buffer[k] = 1.0 / (double)(i + 1 + (size_t)k);
        sum += buffer[k];
    }
    work->result[i] = sum;
}

/* Says that it has begun, waits for the gate, looks at its cancel word. */
static void run_gate(void *data, size_t i, Scratch *scratch,
                     const volatile int *cancel) {
    Work *work = data;
    (void)scratch;
    sem_post(&work->entered);
    sem_wait(&work->gate);
    atomic_store(&work->at[i], atomic_fetch_add(&work->runs, 1) + 1);
    if (seen(cancel))
        atomic_fetch_add(&work->cancelled, 1);
}

/* Ends only when it is cancelled. */
static void run_until_cancelled(void *data, size_t i, Scratch *scratch,
                                const volatile int *cancel) {
    Work *work = data;
    (void)i;
    (void)scratch;
    sem_post(&work->entered);
    while (!seen(cancel))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    atomic_fetch_add(&work->cancelled, 1);
}

static void run_mask(void *data, size_t i, Scratch *scratch,
                     const volatile int *cancel) {
    Work *work = data;
    (void)i;
    (void)scratch;
    (void)cancel;
    pthread_sigmask(SIG_SETMASK, NULL, &work->mask);
}

static Pool *make_pool(int workers) {
    Pool *pool = NULL;
    assert_int_equal(pool_create(&pool, workers, NULL), STATUS_OK);
    return pool;
}

static Batch *start(Pool *pool, size_t count, const double *cost, PoolRun *run,
                    Work *work) {
    Batch *batch = NULL;
    assert_int_equal(
        batch_create(&batch, count, cost, run, work, work_released, NULL),
        STATUS_OK);
    assert_int_equal(pool_start(pool, batch, NULL), STATUS_OK);
    return batch;
}

/* Waits for all jobs; told[] gets them in the order they were told. */
static size_t drain(Batch *batch, size_t *told) {
    size_t n = 0, i = 0;
    bool all = false;
    while (!all)
        if (batch_next(batch, 10.0, &i, &all)) {
            if (told != NULL)
                told[n] = i;
            n++;
        }
    return n;
}

static void test_falling_cost(void **state) {
    static const double COST[] = {1, 5, 3, 5, 0.0 / 0.0, 9};
    static const size_t ORDER[] = {5, 1, 3, 2, 0, 4};
    (void)state;
    Work work;
    work_init(&work);
    Pool *pool = make_pool(1);
    Batch *batch = start(pool, 6, COST, run_note, &work);
    size_t told[JOBS];
    assert_int_equal(drain(batch, told), 6);
    for (int turn = 0; turn < 6; turn++) {
        assert_int_equal(told[turn], ORDER[turn]);
        assert_int_equal(work.at[ORDER[turn]], turn + 1);
    }
    batch_release(batch);
    pool_release(pool);
    assert_int_equal(sem_trywait(&work.released), 0);
    assert_int_equal(sem_trywait(&work.released), -1);
}

static void test_equal_costs_keep_order(void **state) {
    (void)state;
    Work work;
    work_init(&work);
    Pool *pool = make_pool(1);
    Batch *batch = start(pool, JOBS, NULL, run_note, &work);
    size_t told[JOBS];
    assert_int_equal(drain(batch, told), JOBS);
    for (size_t i = 0; i < JOBS; i++)
        assert_int_equal(told[i], i);
    batch_release(batch);
    pool_release(pool);
}

static void test_same_results_whatever_the_workers(void **state) {
    static const int WORKERS[] = {1, 2, 3, 8};
    (void)state;
    double first[JOBS] = {0};
    for (size_t w = 0; w < 4; w++) {
        Work work;
        work_init(&work);
        Pool *pool = make_pool(WORKERS[w]);
        assert_int_equal(pool_workers(pool), WORKERS[w]);
        Batch *batch = start(pool, JOBS, NULL, run_note, &work);
        size_t told[JOBS];
        bool once[JOBS] = {false};
        assert_int_equal(drain(batch, told), JOBS);
        for (size_t i = 0; i < JOBS; i++) {
            assert_false(once[told[i]]);
            once[told[i]] = true;
        }
        batch_release(batch);
        assert_int_equal(pool_workers(pool), WORKERS[w]);
        pool_release(pool);
        if (w == 0)
            memcpy(first, work.result, sizeof first);
        assert_memory_equal(first, work.result, sizeof first);
    }
    /* H(64), the sum of job 0 */
    assert_true(first[0] > 4.74389090 && first[0] < 4.74389091);
}

static void test_scratch_stays(void **state) {
    (void)state;
    Work work[2];
    Pool *pool = make_pool(1);
    for (int b = 0; b < 2; b++) {
        work_init(&work[b]);
        Batch *batch = start(pool, 2, NULL, run_note, &work[b]);
        assert_int_equal(drain(batch, NULL), 2);
        batch_release(batch);
    }
    pool_release(pool);
    assert_non_null(work[0].block[0]);
    assert_ptr_equal(work[0].block[0], work[0].block[1]);
    assert_ptr_equal(work[0].block[0], work[1].block[1]);
}

static void test_batches_queue(void **state) {
    (void)state;
    Work work;
    work_init(&work);
    Pool *pool = make_pool(1);
    /* three batches over one Work: jobs 0-1, then 0-3 anew, then none */
    Batch *a = start(pool, 2, NULL, run_gate, &work);
    Batch *b = start(pool, 4, NULL, run_note, &work);
    Batch *c = start(pool, 0, NULL, run_note, &work);
    size_t i;
    bool all;
    assert_false(batch_next(b, 0.01, &i, &all));
    assert_false(all);
    assert_false(batch_next(c, 0, &i, &all));
    assert_true(all);
    sem_post(&work.gate);
    sem_post(&work.gate);
    assert_int_equal(drain(b, NULL), 4);
    assert_int_equal(work.at[0], 3);
    assert_int_equal(work.at[3], 6);
    assert_int_equal(drain(a, NULL), 2);
    batch_release(b);
    batch_release(a);
    batch_release(c);
    pool_release(pool);
    for (int n = 0; n < 3; n++)
        assert_int_equal(sem_trywait(&work.released), 0);
}

static void test_cancel(void **state) {
    (void)state;
    Work work;
    work_init(&work);
    Pool *pool = make_pool(2);
    Batch *batch = start(pool, JOBS, NULL, run_gate, &work);
    sem_wait(&work.entered);
    sem_wait(&work.entered);
    size_t i = 0;
    bool all = true;
    assert_false(batch_next(batch, 0.005, &i, &all));
    assert_false(all);
    batch_cancel(batch);
    batch_cancel(batch);
    assert_false(batch_next(batch, 0.005, &i, &all));
    assert_false(all);
    sem_post(&work.gate);
    sem_post(&work.gate);
    assert_int_equal(drain(batch, NULL), 2);
    assert_int_equal(work.runs, 2);
    assert_int_equal(work.cancelled, 2);
    batch_release(batch);
    /* the pool goes on */
    Batch *next = start(pool, 3, NULL, run_note, &work);
    assert_int_equal(drain(next, NULL), 3);
    batch_release(next);
    pool_release(pool);
}

/* Notes in `block`, one after another, which jobs are said to be next. */
static void ahead_note(void *data, size_t i) {
    Work *work = data;
    work->block[atomic_fetch_add(&work->failed, 1)] = &work->result[i];
}

static void test_ahead_tells_the_next(void **state) {
    (void)state;
    static const double COST[] = {1, 3, 2};
    Work work;
    work_init(&work);
    Pool *pool = make_pool(1);
    Batch *batch = NULL;
    assert_int_equal(batch_create(&batch, 3, COST, run_mask, &work, NULL, NULL),
                     STATUS_OK);
    batch_ahead(batch, ahead_note);
    assert_int_equal(pool_start(pool, batch, NULL), STATUS_OK);
    assert_int_equal(drain(batch, NULL), 3);
    batch_release(batch);
    pool_release(pool);
    assert_int_equal(work.failed, 2);
    assert_ptr_equal(work.block[0], &work.result[2]);
    assert_ptr_equal(work.block[1], &work.result[0]);
}

static void test_cancel_before_start(void **state) {
    (void)state;
    Work work;
    work_init(&work);
    Pool *pool = make_pool(1);
    Batch *batch = NULL;
    assert_int_equal(batch_create(&batch, 3, NULL, run_note, &work, NULL, NULL),
                     STATUS_OK);
    batch_cancel(batch);
    assert_int_equal(pool_start(pool, batch, NULL), STATUS_OK);
    assert_int_equal(drain(batch, NULL), 0);
    batch_release(batch);
    pool_release(pool);
    assert_int_equal(work.runs, 0);
}

static void test_release_cancels_what_nobody_waits_for(void **state) {
    (void)state;
    Work work;
    work_init(&work);
    Pool *pool = make_pool(1);
    Batch *batch = start(pool, 5, NULL, run_until_cancelled, &work);
    sem_wait(&work.entered);
    batch_release(batch);
    sem_wait(&work.released);
    assert_int_equal(work.cancelled, 1);
    pool_release(pool);
}

static void test_pool_release_finishes(void **state) {
    (void)state;
    Work work;
    work_init(&work);
    Pool *pool = make_pool(2);
    Batch *batch = start(pool, JOBS, NULL, run_note, &work);
    pool_release(pool);
    assert_int_equal(work.runs, JOBS);
    assert_int_equal(drain(batch, NULL), JOBS);
    batch_release(batch);
    assert_int_equal(sem_trywait(&work.released), 0);
}

static void test_abandon(void **state) {
    (void)state;
    Work busy, waiting;
    work_init(&busy);
    work_init(&waiting);
    Pool *pool = make_pool(2);
    Batch *held = start(pool, 2, NULL, run_until_cancelled, &busy);
    Batch *queued = start(pool, 4, NULL, run_note, &waiting);
    sem_wait(&busy.entered);
    sem_wait(&busy.entered);
    pool_abandon(pool);
    batch_release(held);
    batch_release(queued);
    /* no thread to join: the last user of each batch says so */
    sem_wait(&busy.released);
    sem_wait(&waiting.released);
    assert_int_equal(busy.cancelled, 2);
    assert_int_equal(waiting.runs, 0);
}

/* A batch that has left the queue, since all its jobs are taken. */
static void test_abandon_reaches_the_last_job(void **state) {
    (void)state;
    Work busy, quick;
    work_init(&busy);
    work_init(&quick);
    Pool *pool = make_pool(2);
    Batch *held = start(pool, 1, NULL, run_until_cancelled, &busy);
    Batch *next = start(pool, 1, NULL, run_note, &quick);
    assert_int_equal(drain(next, NULL), 1);
    sem_wait(&busy.entered);
    pool_abandon(pool);
    assert_int_equal(drain(held, NULL), 1);
    assert_int_equal(busy.cancelled, 1);
    batch_release(held);
    batch_release(next);
    sem_wait(&busy.released);
    sem_wait(&quick.released);
}

static void test_abandon_while_a_job_sleeps(void **state) {
    (void)state;
    Work *work = malloc(sizeof *work);
    assert_non_null(work);
    work_init(work);
    Pool *pool = make_pool(1);
    Batch *batch = start(pool, 1, NULL, run_gate, work);
    sem_wait(&work->entered);
    batch_release(batch);
    pool_abandon(pool);
    assert_int_equal(sem_trywait(&work->released), -1);
    sem_post(&work->gate);
    sem_wait(&work->released);
    assert_int_equal(work->cancelled, 1);
    free(work);
}

static void test_ends_without_threads(void **state) {
    (void)state;
    pool_release(make_pool(3));
    pool_abandon(make_pool(3));
    pool_release(NULL);
    pool_abandon(NULL);
    batch_release(NULL);
}

static void test_messages(void **state) {
    (void)state;
    Err err;
    Pool *pool = NULL;
    assert_int_equal(pool_create(&pool, 0, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message, "a pool of 0 workers, expected 1 to 1024");
    assert_int_equal(pool_create(&pool, 1025, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "a pool of 1025 workers, expected 1 to 1024");
    assert_null(pool);
    Work work;
    work_init(&work);
    pool = make_pool(1);
    Batch *batch = start(pool, 3, NULL, run_note, &work);
    assert_int_equal(pool_start(pool, batch, &err), STATUS_ARGUMENT);
    assert_string_equal(err.message,
                        "a batch of 3 jobs was started before, expected once");
    assert_int_equal(drain(batch, NULL), 3);
    batch_release(batch);
    pool_release(pool);
}

static void test_signals_stay_with_the_caller(void **state) {
    (void)state;
    sigset_t before, after;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    Work work;
    work_init(&work);
    Pool *pool = make_pool(1);
    Batch *batch = start(pool, 1, NULL, run_mask, &work);
    assert_int_equal(drain(batch, NULL), 1);
    batch_release(batch);
    pool_release(pool);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&work.mask, SIGINT), 1);
    assert_int_equal(sigismember(&work.mask, SIGTERM), 1);
    assert_int_equal(sigismember(&work.mask, SIGWINCH), 1);
    assert_int_equal(sigismember(&work.mask, SIGSEGV), 0);
    for (int s = 1; s < NSIG; s++)
        assert_int_equal(sigismember(&before, s), sigismember(&after, s));
}

enum { MANY = 20000 };

static void run_count(void *data, size_t i, Scratch *scratch,
                      const volatile int *cancel) {
    unsigned char *count = data;
    (void)scratch;
    (void)cancel;
    count[i]++;
}

static void test_thousands_of_tiny_jobs(void **state) {
    (void)state;
    unsigned char *count = calloc(MANY, 1), *told = calloc(MANY, 1);
    assert_true(count != NULL && told != NULL);
    Pool *pool = make_pool(4);
    for (int round = 1; round <= 3; round++) {
        Batch *batch = NULL;
        assert_int_equal(
            batch_create(&batch, MANY, NULL, run_count, count, NULL, NULL),
            STATUS_OK);
        assert_int_equal(pool_start(pool, batch, NULL), STATUS_OK);
        size_t i = 0;
        for (bool all = false; !all;)
            if (batch_next(batch, 10.0, &i, &all))
                told[i]++;
        batch_release(batch);
        for (i = 0; i < MANY; i++) {
            assert_int_equal(count[i], round);
            assert_int_equal(told[i], round);
        }
    }
    pool_release(pool);
    free(count);
    free(told);
}

/* All of a pool's life; what it could not do is a status, or a failed job. */
static Status life(Work *work) {
    Pool *pool = NULL;
    Batch *batch = NULL;
    Err err = {STATUS_OK, ""};
    Status status = pool_create(&pool, 2, &err);
    if (status == STATUS_OK)
        status =
            batch_create(&batch, 8, NULL, run_note, work, work_released, &err);
    if (status == STATUS_OK)
        status = pool_start(pool, batch, &err);
    if (status == STATUS_OK)
        assert_int_equal(drain(batch, NULL), 8);
    else
        assert_int_equal(strncmp(err.message, "not enough memory for ", 22), 0);
    bool made = batch != NULL;
    batch_release(batch);
    pool_release(pool);
    assert_int_equal(sem_trywait(&work->released), made ? 0 : -1);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    int refused = 0;
    for (long n = 1;; n++) {
        Work work;
        work_init(&work);
        fail_alloc_at(n);
        Status status = life(&work);
        bool hit = fail_alloc_hit();
        fail_alloc_at(0);
        if (!hit) {
            assert_int_equal(status, STATUS_OK);
            assert_int_equal(work.failed, 0);
            break;
        }
        refused += status == STATUS_NOMEM;
        assert_true(status == STATUS_NOMEM || work.failed > 0);
    }
    assert_int_equal(refused, 4);
}

/* A folder that stands for / with what a kernel writes there. */
typedef struct Tree {
    char root[128];
} Tree;

static void tree_write(const Tree *tree, const char *path, const char *text) {
    char full[512];
    snprintf(full, sizeof full, "%s%s", tree->root, path);
    for (char *slash = full + strlen(tree->root);
         (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void tree_make(Tree *tree) {
    const char *folder = getenv("TMPDIR");
    snprintf(tree->root, sizeof tree->root, "%s/weft-pool-XXXXXX",
             folder != NULL ? folder : P_tmpdir);
    assert_non_null(mkdtemp(tree->root));
}

static void tree_remove(const Tree *tree) {
    char command[256];
    snprintf(command, sizeof command, "rm -r '%s'", tree->root);
    assert_int_equal(system(command), 0);
}

static void test_size_v2(void **state) {
    (void)state;
    Tree tree;
    tree_make(&tree);
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 8);
    tree_write(&tree, "/proc/self/cgroup", "0::/a/b\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 8);
    tree_write(&tree, "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 8);
    tree_write(&tree, "/sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 4);
    tree_write(&tree, "/sys/fs/cgroup/a/cpu.max", "250000 100000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 3);
    tree_write(&tree, "/sys/fs/cgroup/cpu.max", "200000 100000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 2);
    tree_write(&tree, "/sys/fs/cgroup/a/b/cpu.max", "1000 100000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 1);
    /* a container's root, where the group's own path does not exist */
    tree_write(&tree, "/proc/self/cgroup", "0::/elsewhere/x\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 2);
    tree_write(&tree, "/sys/fs/cgroup/cpu.max", "junk\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 8);
    tree_write(&tree, "/sys/fs/cgroup/unified/cpu.max", "100000 50000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 2);
    tree_remove(&tree);
}

static void test_size_v1(void **state) {
    (void)state;
    Tree tree;
    tree_make(&tree);
    tree_write(&tree, "/proc/self/cgroup",
               "5:cpuset:/no\n4:cpu,cpuacct:/x/y\n1:name=systemd:/no\n");
    tree_write(&tree, "/sys/fs/cgroup/cpu/no/cpu.cfs_quota_us", "1\n");
    tree_write(&tree, "/sys/fs/cgroup/cpu/no/cpu.cfs_period_us", "100000\n");
    tree_write(&tree, "/sys/fs/cgroup/cpu/x/y/cpu.cfs_quota_us", "-1\n");
    tree_write(&tree, "/sys/fs/cgroup/cpu/x/y/cpu.cfs_period_us", "100000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 8);
    tree_write(&tree, "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "500000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 8);
    tree_write(&tree, "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 5);
    tree_write(&tree, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "20000\n");
    tree_write(&tree, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us",
               "10000\n");
    assert_int_equal(pool_limit_workers(8, tree.root, NULL), 2);
    tree_remove(&tree);
}

static void test_memory(void **state) {
    (void)state;
    Tree tree;
    tree_make(&tree);
    assert_true(cgroup_memory(tree.root) == INFINITY);
    tree_write(&tree, "/proc/self/cgroup", "0::/a/b\n");
    tree_write(&tree, "/sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_true(cgroup_memory(tree.root) == INFINITY);
    tree_write(&tree, "/sys/fs/cgroup/a/memory.max", "4294967296\n");
    assert_true(cgroup_memory(tree.root) == 0x1p32);
    tree_write(&tree, "/sys/fs/cgroup/a/b/memory.max", "1048576\n");
    assert_true(cgroup_memory(tree.root) == 0x1p20);
    assert_true(cgroup_processors(tree.root) == INFINITY);
    tree_write(&tree, "/proc/self/cgroup", "3:memory:/x\n2:cpu:/y\n");
    assert_true(cgroup_memory(tree.root) == INFINITY);
    tree_write(&tree, "/sys/fs/cgroup/memory/x/memory.limit_in_bytes",
               "2097152\n");
    tree_write(&tree, "/sys/fs/cgroup/memory/y/memory.limit_in_bytes", "1\n");
    assert_true(cgroup_memory(tree.root) == 0x1p21);
    tree_remove(&tree);
}

static void test_size_threads(void **state) {
    (void)state;
    Tree tree;
    tree_make(&tree);
    assert_int_equal(pool_limit_workers(8, tree.root, "3"), 3);
    assert_int_equal(pool_limit_workers(2, tree.root, "3"), 2);
    assert_int_equal(pool_limit_workers(8, tree.root, "0"), 8);
    assert_int_equal(pool_limit_workers(8, tree.root, "-1"), 8);
    assert_int_equal(pool_limit_workers(8, tree.root, "all"), 8);
    assert_int_equal(pool_limit_workers(8, tree.root, ""), 8);
    assert_int_equal(pool_limit_workers(0, tree.root, NULL), 1);
    assert_int_equal(pool_limit_workers(9999, tree.root, NULL), 1024);
    assert_true(pool_default_workers() >= 1);
    assert_true(pool_default_workers() <= sysconf(_SC_NPROCESSORS_CONF));
    tree_remove(&tree);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_falling_cost),
        cmocka_unit_test(test_equal_costs_keep_order),
        cmocka_unit_test(test_ahead_tells_the_next),
        cmocka_unit_test(test_same_results_whatever_the_workers),
        cmocka_unit_test(test_scratch_stays),
        cmocka_unit_test(test_batches_queue),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_before_start),
        cmocka_unit_test(test_release_cancels_what_nobody_waits_for),
        cmocka_unit_test(test_pool_release_finishes),
        cmocka_unit_test(test_abandon),
        cmocka_unit_test(test_abandon_reaches_the_last_job),
        cmocka_unit_test(test_abandon_while_a_job_sleeps),
        cmocka_unit_test(test_ends_without_threads),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_signals_stay_with_the_caller),
        cmocka_unit_test(test_thousands_of_tiny_jobs),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_size_v2),
        cmocka_unit_test(test_size_v1),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_size_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
