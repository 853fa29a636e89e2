/* The scheduler with simulated costs: how near the bound, what is taken once,
 * and what waits for what. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "heads.h"
#include "schedule.h"
#include "spectrum.h"

enum { ANY = 1 << 20, JOBS_MAX = 60000 };

/* All matrices of a model, and a group's kernels as one job. */
typedef struct Shape {
    int64_t rows, cols;
    int count;
} Shape;

typedef struct Model {
    const char *name;
    Shape shape[8];
    int groups, heads; /* of all layers; of a group */
    int64_t d, d_head;
    int64_t left, right; /* inner sizes of its factors, where products */
} Model;

static const Model MODELS[] = {
    {"3B",
     {{11008, 2048, 108}, {2048, 2048, 72}, {256, 2048, 72}},
     72,
     8,
     2048,
     128,
     0,
     0},
    {"8B",
     {{14336, 4096, 96}, {4096, 4096, 64}, {1024, 4096, 64}},
     256,
     4,
     4096,
     128,
     0,
     0},
    {"70B",
     {{28672, 8192, 240}, {8192, 8192, 160}, {1024, 8192, 160}},
     640,
     8,
     8192,
     128,
     0,
     0},
    {"405B",
     {{53248, 16384, 378}, {16384, 16384, 252}, {1024, 16384, 252}},
     1008,
     16,
     16384,
     128,
     0,
     0},
    {"671B",
     {{18432, 7168, 9},
      {7168, 2048, 44718},
      {1536, 7168, 61},
      {24576, 1536, 61},
      {576, 7168, 61},
      {32768, 512, 61},
      {7168, 16384, 61}},
     7808,
     1,
     7168,
     192,
     1536,
     512},
};

/* Jobs of a model where a reduction's or a kernel's flops take `slow` times as
 * long as those of a Gram matrix. */
static size_t fill(ScheduleJob *jobs, const Model *model, double slow) {
    size_t n = 0;
    for (const Shape *shape = model->shape; shape->count > 0; shape++) {
        double gram = spectrum_fluid(shape->rows, shape->cols);
        ScheduleJob job = {.fluid = gram,
                           .slices = spectrum_slices(shape->rows, shape->cols)};
        job.cost =
            gram + slow * (spectrum_cost(shape->rows, shape->cols) - gram);
        for (int i = 0; i < shape->count; i++)
            jobs[n++] = job;
    }
    int64_t k = model->d_head, d = model->d;
    ScheduleJob kernels = {
        .cost = slow * kernel_flops(k, d, model->heads,
                                    factor_product(k, model->left, d),
                                    factor_product(k, model->right, d))};
    for (int i = 0; i < model->groups; i++)
        jobs[n++] = kernels;
    return n;
}

static double time_of(const ScheduleJob *jobs, size_t count, int workers,
                      size_t held) {
    Schedule *schedule = NULL;
    assert_int_equal(
        schedule_create(&schedule, jobs, count, workers, held, NULL),
        STATUS_OK);
    double time = schedule_time(schedule);
    schedule_release(schedule);
    return time;
}

static ScheduleJob *many(size_t n) {
    ScheduleJob *jobs = calloc(n, sizeof *jobs);
    assert_non_null(jobs);
    return jobs;
}

static void test_real_shapes(void **state) {
    static const double SLOW[] = {1, 1.7, 2};
    (void)state;
    ScheduleJob *jobs = many(JOBS_MAX);
    for (size_t m = 0; m < sizeof MODELS / sizeof *MODELS; m++)
        for (size_t i = 0; i < sizeof SLOW / sizeof *SLOW; i++) {
            size_t n = fill(jobs, &MODELS[m], SLOW[i]);
            assert_true(n < JOBS_MAX);
            /* the mixture's tens of thousands come out even */
            int step = n > 10000 ? 60 : 3;
            for (int workers = 1; workers <= 256;
                 workers += workers < 16 && n <= 10000 ? 1 : step) {
                double time = time_of(jobs, n, workers, ANY);
                double ratio = time / schedule_bound(jobs, n, workers);
                double least = schedule_bound(jobs, n, 1) / workers;
                if (!(ratio <= 1.05 && time >= least * (1 - 1e-9)))
                    fail_msg("%s, %d workers: %.4f of the bound",
                             MODELS[m].name, workers, ratio);
            }
        }
    free(jobs);
}

/* A plan that packs whole jobs well splits none; one that can't, some. */
static void test_splits_where_it_must(void **state) {
    (void)state;
    ScheduleJob *jobs = many(JOBS_MAX);
    size_t n = fill(jobs, &MODELS[0], 1);
    for (int workers = 1; workers <= 256; workers += 5) {
        Schedule *schedule = NULL;
        assert_int_equal(
            schedule_create(&schedule, jobs, n, workers, ANY, NULL), STATUS_OK);
        double bound = schedule_bound(jobs, n, workers);
        double whole = time_of(jobs, n, workers, 0);
        if (whole <= 1.02 * schedule_bound(jobs, n, 1) / workers)
            assert_int_equal(schedule_splits(schedule), 0);
        if (whole > 1.05 * bound)
            assert_true(schedule_splits(schedule) > 0);
        schedule_release(schedule);
        assert_int_equal(schedule_create(&schedule, jobs, n, workers, 3, NULL),
                         STATUS_OK);
        assert_true(schedule_splits(schedule) <= 3);
        schedule_release(schedule);
    }
    free(jobs);
}

static void test_bound(void **state) {
    static const ScheduleJob JOBS[] = {
        {2, 1, 4}, {NAN, 0, 0}, {3, 0, 1}, {-1, 0, 1}, {1, 1, 2}};
    (void)state;
    assert_true(schedule_bound(JOBS, 5, 1) == 6);
    assert_true(schedule_bound(JOBS, 5, 2) == 3);
    assert_true(schedule_bound(JOBS, 5, 9) == 3);
    assert_true(schedule_bound(NULL, 0, 3) == 0);
    assert_true(time_of(JOBS, 0, 3, ANY) == 0);
    assert_true(time_of(JOBS, 5, 2, ANY) == 3);
}

/* Three equal jobs on two workers: by the half, or in slices. */
static void test_three_on_two(void **state) {
    (void)state;
    ScheduleJob jobs[3] = {{2, 1.5, 6}, {2, 1.5, 6}, {2, 1.5, 6}};
    assert_true(time_of(jobs, 3, 2, 0) == 4);
    assert_true(fabs(time_of(jobs, 3, 2, 1) - 3) < 1e-12);
    assert_true(time_of(jobs, 3, 1, ANY) == 6);
    assert_true(time_of(jobs, 3, 3, ANY) == 2);
    /* fewer jobs than workers: the rests are what is left on one worker each */
    assert_true(fabs(time_of(jobs, 1, 2, ANY) - 1.25) < 1e-12);
    assert_true(fabs(time_of(jobs, 1, 6, ANY) - 0.75) < 1e-12);
    assert_true(fabs(time_of(jobs, 1, 9, ANY) - 0.75) < 1e-12);
    assert_true(fabs(time_of(jobs, 2, 4, ANY) - 1.25) < 1e-12);
    /* one slice is none, and neither are slices of nothing */
    for (int i = 0; i < 3; i++)
        jobs[i].slices = 1;
    assert_true(time_of(jobs, 3, 2, ANY) == 4);
    for (int i = 0; i < 3; i++)
        jobs[i] = (ScheduleJob){2, NAN, 6};
    assert_true(time_of(jobs, 3, 2, ANY) == 4);
}

/* Takes all tasks in turn, `ahead` of them not done at a time. Every whole job
 * or every slice and then the rest comes once. */
static void take_all(const ScheduleJob *jobs, size_t n, int workers,
                     size_t held) {
    enum { AHEAD = 5 };
    Schedule *schedule = NULL;
    assert_int_equal(schedule_create(&schedule, jobs, n, workers, held, NULL),
                     STATUS_OK);
    int *slices = calloc(n, sizeof *slices), *ended = calloc(n, sizeof *ended);
    ScheduleTask running[AHEAD], task;
    size_t at = 0, turns = 0, splits = 0;
    assert_true(slices != NULL && ended != NULL);
    for (;; turns++) {
        ScheduleTurn turn =
            schedule_take(schedule, (int)(turns % (size_t)workers), &task);
        if (turn == SCHEDULE_NONE)
            break;
        if (turn == SCHEDULE_LATER || at == AHEAD) {
            assert_true(at > 0);
            ScheduleTask done = running[--at];
            slices[done.job] += done.kind == SCHEDULE_SLICE;
            assert_int_equal(schedule_done(schedule, &done),
                             done.kind == SCHEDULE_SLICE &&
                                 slices[done.job] == jobs[done.job].slices);
        }
        if (turn == SCHEDULE_LATER)
            continue;
        assert_int_equal(ended[task.job], 0);
        if (task.kind != SCHEDULE_SLICE)
            ended[task.job] = 1;
        if (task.kind == SCHEDULE_WHOLE)
            assert_int_equal(slices[task.job], 0);
        if (task.kind == SCHEDULE_REST)
            assert_int_equal(slices[task.job], jobs[task.job].slices);
        splits += task.kind == SCHEDULE_REST;
        running[at++] = task;
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ended[i], 1);
    assert_int_equal(splits, schedule_splits(schedule));
    schedule_release(schedule);
    free(slices);
    free(ended);
}

static void test_each_once(void **state) {
    (void)state;
    ScheduleJob *jobs = many(JOBS_MAX);
    size_t n = fill(jobs, &MODELS[0], 1);
    for (int workers = 1; workers <= 130; workers += 3) {
        take_all(jobs, n, workers, ANY);
        take_all(jobs, n, workers, 7);
    }
    take_all(jobs, 5, 3, ANY);
    take_all(jobs, 1, 2, ANY);
    take_all(jobs, 0, 2, ANY);
    free(jobs);
}

/* Without splits: falling cost, equal ones in index order, NaN last. */
static void test_order(void **state) {
    static const ScheduleJob JOBS[] = {{1, 0, 1}, {5, 0, 1},   {3, 0, 1},
                                       {5, 0, 1}, {NAN, 0, 1}, {9, 0, 1}};
    static const size_t ORDER[] = {5, 1, 3, 2, 0, 4};
    (void)state;
    for (int workers = 1; workers < 9; workers++) {
        Schedule *schedule = NULL;
        ScheduleTask task;
        assert_int_equal(
            schedule_create(&schedule, JOBS, 6, workers, ANY, NULL), STATUS_OK);
        for (int i = 0; i < 6; i++) {
            assert_int_equal(schedule_take(schedule, i % workers, &task),
                             SCHEDULE_TAKEN);
            assert_int_equal(task.job, ORDER[i]);
            assert_int_equal(task.kind, SCHEDULE_WHOLE);
            assert_false(schedule_done(schedule, &task));
        }
        assert_int_equal(schedule_take(schedule, 0, &task), SCHEDULE_NONE);
        schedule_release(schedule);
    }
}

/* Costs that nobody saw before, in any number. */
static void test_random_costs(void **state) {
    (void)state;
    ScheduleJob *jobs = many(300);
    uint64_t seed = 11;
    for (int round = 0; round < 300; round++) {
        size_t n = 1 + (size_t)round;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            double cost = 1 + (double)(seed >> 40) / 0x1p20;
            jobs[i] = (ScheduleJob){cost, cost * 0.8, 16};
        }
        int workers = 1 + (int)(seed >> 33) % 64;
        double time = time_of(jobs, n, workers, ANY);
        double whole = time_of(jobs, n, workers, 0);
        /* what is split may take less than its largest job */
        double total = schedule_bound(jobs, n, 1);
        assert_true(time <= whole && time >= total / workers * (1 - 1e-9));
        take_all(jobs, n, workers, ANY);
    }
    free(jobs);
}

static void test_no_memory(void **state) {
    (void)state;
    ScheduleJob jobs[3] = {{2, 1.5, 6}, {2, 1.5, 6}, {2, 1.5, 6}};
    long n = 1;
    for (bool hit = true; hit; n++) {
        Err err = {.message = ""};
        Schedule *schedule = NULL;
        fail_alloc_at(n);
        Status status = schedule_create(&schedule, jobs, 3, 2, 1, &err);
        hit = fail_alloc_hit();
        fail_alloc_at(0);
        assert_int_equal(status, hit ? STATUS_NOMEM : STATUS_OK);
        assert_true((schedule == NULL) == hit);
        schedule_release(schedule);
        if (hit)
            assert_memory_equal(err.message, "not enough memory", 17);
    }
    assert_true(n > 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_shapes),
        cmocka_unit_test(test_splits_where_it_must),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_three_on_two),
        cmocka_unit_test(test_each_once),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_random_costs),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
