/* Which worker takes what, so that all end at about the same time. There are
 * no threads in it: the pool asks it under its lock, and so does a simulation,
 * whose time is therefore that of what runs.
 *
 * Jobs are packed onto the workers, largest first. Where they don't come out
 * even, or are fewer than the workers, some jobs are split: their slices fill
 * what is uneven, before anything else, and what is left of them is a smaller
 * job among the others. */
#ifndef WEFT_SCHEDULE_H
#define WEFT_SCHEDULE_H

#include <stdbool.h>

#include "mem.h"

typedef struct ScheduleJob {
    double cost;  /* in any unit */
    double fluid; /* of it, what its slices come to, each as much */
    int slices;   /* 0 or 1: it can't be split */
} ScheduleJob;

typedef enum ScheduleKind {
    SCHEDULE_WHOLE,
    SCHEDULE_SLICE,
    SCHEDULE_REST /* after all slices of its job are done */
} ScheduleKind;

typedef struct ScheduleTask {
    ScheduleKind kind;
    size_t job;
    int slice; /* of SCHEDULE_SLICE, from 0 on */
} ScheduleTask;

typedef enum ScheduleTurn {
    SCHEDULE_TAKEN,
    SCHEDULE_LATER, /* nothing to take until schedule_done gives true */
    SCHEDULE_NONE   /* all is taken */
} ScheduleTurn;

typedef struct Schedule Schedule;

/* Plans `count` jobs (copied) for `workers`, at most `held` of them split.
 * Creates: schedule_release. */
CHECKED Status schedule_create(Schedule **out, const ScheduleJob *jobs,
                               size_t count, int workers, size_t held,
                               Err *err);
void schedule_release(Schedule *schedule);
/* How many jobs are split. Where none is, the jobs go in the order of falling
 * cost, equal ones in index order, NaN as 0. */
size_t schedule_splits(const Schedule *schedule);
/* When the last worker ends, all at work from 0 on. */
double schedule_time(const Schedule *schedule);
/* The next task of worker 0, 1, ...; tasks are taken in the planned order,
 * whichever worker comes, but for how many slices each takes first. */
ScheduleTurn schedule_take(Schedule *schedule, int worker, ScheduleTask *task);
/* The job of which a task will be taken next, as far as that is known; rests
 * read nothing and are passed over. False: there is none. */
bool schedule_next(const Schedule *schedule, size_t *job);
/* The task is done: whether a rest can be taken now that could not before. */
bool schedule_done(Schedule *schedule, const ScheduleTask *task);

/* No schedule that splits no job takes less: max(total / workers, largest). */
double schedule_bound(const ScheduleJob *jobs, size_t count, int workers);

#endif
