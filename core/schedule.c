/* Packing jobs onto workers, largest first, and splitting some of them. */
#include "schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How near the bound a plan must come for no further one to be tried, and how
 * many tasks may be packed in all tries together. */
static const double GOOD = 1.02;
enum { TASKS_MAX = 4000000 };

/* One task while it is planned. */
typedef struct Item {
    double cost, start;
    ScheduleTask task;
    int lane;
} Item;

/* A worker: when it is free, and the slices it takes first. */
typedef struct Lane {
    double quota, taken; /* of slices' costs: planned, taken so far */
} Lane;

/* A whole job or a rest in the order they are taken. */
typedef struct Place {
    size_t job;
    bool taken;
} Place;

struct Schedule {
    size_t count, splits, slices;
    int workers;
    double time;       /* when the last of them ends */
    ScheduleJob *jobs; /* (count); slices > 1 only where it may be split */
    int *missing;      /* (count) slices that are not done */
    bool *is_split;    /* (count) */
    Place *order;      /* (count) */
    size_t first;      /* of the order, not taken */
    ScheduleTask *cut; /* (slices) in the order they are taken */
    size_t next;       /* of them */
    Lane *lane;        /* (workers) */
};

/* Workers by the time they are free, the earliest on top, then the lowest. */
typedef struct Heap {
    int count;
    struct Free {
        double time;
        int worker;
    } * at;
} Heap;

/* How a plan is made, but for how many jobs it splits. */
typedef struct Manner {
    bool smallest; /* the smallest fluids are split, and not the largest */
    bool eager;    /* no rest begins before all slices are taken */
} Manner;

/* In the order in which they are tried: by what is most often the better
 * filling. The last is for fewer jobs than workers. */
static const Manner MANNERS[] = {{false, false}, {true, false}, {false, true}};

typedef struct Plan {
    Schedule *schedule;
    Item *items;
    size_t *largest; /* jobs that may be split, the largest fluid first */
    size_t able;     /* how many these are */
    Manner manner;
    Heap heap;
    ScheduleTask *running; /* (workers), of the simulation */
    int *parked;           /* (workers) */
} Plan;

/* NaN has no place in an order. */
static double number(double cost) {
    return cost > 0 ? cost : 0.0;
}

/* ---- the heap ---- */

static bool earlier(const struct Free *a, const struct Free *b) {
    return a->time < b->time || (a->time == b->time && a->worker < b->worker);
}

static void heap_sink(Heap *heap, int at) {
    for (int child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count &&
            earlier(&heap->at[child + 1], &heap->at[child]))
            child++;
        if (!earlier(&heap->at[child], &heap->at[at]))
            return;
        struct Free moved = heap->at[at];
        heap->at[at] = heap->at[child];
        heap->at[child] = moved;
    }
}

static void heap_add(Heap *heap, double time, int worker) {
    int at = heap->count++;
    struct Free added = {time, worker};
    for (int up; at > 0 && earlier(&added, &heap->at[up = (at - 1) / 2]);
         at = up)
        heap->at[at] = heap->at[up];
    heap->at[at] = added;
}

static struct Free heap_pop(Heap *heap) {
    struct Free top = heap->at[0];
    heap->at[0] = heap->at[--heap->count];
    heap_sink(heap, 0);
    return top;
}

static void heap_fill(Heap *heap, int workers) {
    heap->count = workers;
    for (int i = 0; i < workers; i++)
        heap->at[i] = (struct Free){0, i};
}

/* ---- taking ---- */

static double slice_cost(const ScheduleJob *job) {
    return job->fluid / job->slices;
}

/* Whether a worker that is to take slices first has the next one to take. */
static bool in_quota(const Schedule *s, const Lane *lane) {
    if (s->next == s->slices)
        return false;
    double cost = slice_cost(&s->jobs[s->cut[s->next].job]);
    return lane->taken + cost / 2 < lane->quota;
}

static void take_slice(Schedule *s, Lane *lane, ScheduleTask *task) {
    *task = s->cut[s->next++];
    lane->taken += slice_cost(&s->jobs[task->job]);
}

/* The first place that can be taken; a rest that can't be yet is passed over
 * when no slice is left. */
ScheduleTurn schedule_take(Schedule *s, int worker, ScheduleTask *task) {
    Lane *lane = &s->lane[worker];
    if (in_quota(s, lane)) {
        take_slice(s, lane, task);
        return SCHEDULE_TAKEN;
    }
    while (s->first < s->count && s->order[s->first].taken)
        s->first++;
    for (size_t i = s->first; i < s->count; i++) {
        Place *place = &s->order[i];
        if (place->taken)
            continue;
        if (s->missing[place->job] == 0) {
            place->taken = true;
            *task = (ScheduleTask){s->is_split[place->job] ? SCHEDULE_REST
                                                           : SCHEDULE_WHOLE,
                                   place->job, 0};
            return SCHEDULE_TAKEN;
        }
        if (s->next < s->slices) {
            take_slice(s, lane, task);
            return SCHEDULE_TAKEN;
        }
    }
    return s->first < s->count ? SCHEDULE_LATER : SCHEDULE_NONE;
}

bool schedule_next(const Schedule *s, size_t *job) {
    if (s->next < s->slices) {
        *job = s->cut[s->next].job;
        return true;
    }
    for (size_t i = s->first; i < s->count; i++)
        if (!s->order[i].taken && !s->is_split[s->order[i].job]) {
            *job = s->order[i].job;
            return true;
        }
    return false;
}

bool schedule_done(Schedule *s, const ScheduleTask *task) {
    return task->kind == SCHEDULE_SLICE && --s->missing[task->job] == 0;
}

/* As it was before anything was taken. */
static void rewind_all(Schedule *s) {
    s->first = s->next = 0;
    for (size_t i = 0; i < s->count; i++) {
        s->order[i].taken = false;
        s->missing[i] = s->is_split[i] ? s->jobs[i].slices : 0;
    }
    for (int i = 0; i < s->workers; i++)
        s->lane[i].taken = 0;
}

/* ---- simulating ---- */

static double task_cost(const Schedule *s, const ScheduleTask *task) {
    const ScheduleJob *job = &s->jobs[task->job];
    return task->kind == SCHEDULE_WHOLE   ? job->cost
           : task->kind == SCHEDULE_SLICE ? slice_cost(job)
                                          : job->cost - job->fluid;
}

/* When the last worker ends. One that finds nothing waits for a rest. */
static double simulate(Plan *plan) {
    Schedule *s = plan->schedule;
    Heap *heap = &plan->heap;
    int parked = 0;
    double last = 0;
    ScheduleTask nothing = {SCHEDULE_WHOLE, 0, 0};
    for (int i = 0; i < s->workers; i++)
        plan->running[i] = nothing;
    heap_fill(heap, s->workers);
    while (heap->count > 0) {
        struct Free at = heap_pop(heap);
        ScheduleTask *task = &plan->running[at.worker];
        last = at.time;
        if (schedule_done(s, task))
            while (parked > 0)
                heap_add(heap, at.time, plan->parked[--parked]);
        ScheduleTurn turn = schedule_take(s, at.worker, task);
        if (turn == SCHEDULE_TAKEN) {
            heap_add(heap, at.time + task_cost(s, task), at.worker);
            continue;
        }
        *task = nothing;
        if (turn == SCHEDULE_LATER)
            plan->parked[parked++] = at.worker;
    }
    rewind_all(s);
    return last;
}

/* ---- planning ---- */

/* A total order, whatever sorts by it. */
static int by_task(const ScheduleTask *a, const ScheduleTask *b) {
    if (a->job != b->job)
        return a->job < b->job ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->slice < b->slice ? -1 : a->slice > b->slice;
}

static int falling(const void *left, const void *right) {
    const Item *a = left, *b = right;
    if (a->cost != b->cost)
        return a->cost > b->cost ? -1 : 1;
    return by_task(&a->task, &b->task);
}

static int by_start(const void *left, const void *right) {
    const Item *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return falling(left, right);
}

/* The tasks of a plan that has so many splits. */
static size_t list_items(Plan *plan, size_t splits) {
    Schedule *s = plan->schedule;
    size_t n = 0;
    memset(s->is_split, 0, s->count * sizeof *s->is_split);
    for (size_t i = 0; i < splits; i++)
        s->is_split[plan->largest[plan->manner.smallest ? plan->able - 1 - i
                                                        : i]] = true;
    for (size_t i = 0; i < s->count; i++) {
        ScheduleTask task = {s->is_split[i] ? SCHEDULE_REST : SCHEDULE_WHOLE, i,
                             0};
        plan->items[n++] = (Item){task_cost(s, &task), 0, task, 0};
        task.kind = SCHEDULE_SLICE;
        for (; s->is_split[i] && task.slice < s->jobs[i].slices; task.slice++)
            plan->items[n++] = (Item){task_cost(s, &task), 0, task, 0};
    }
    return n;
}

/* Each item to the worker that has least, the largest first; in its lane there
 * are first the slices, then whole jobs, then rests. */
static void pack(Plan *plan, size_t n) {
    Schedule *s = plan->schedule;
    Heap *heap = &plan->heap;
    heap_fill(heap, s->workers);
    for (int i = 0; i < s->workers; i++)
        s->lane[i] = (Lane){0, 0};
    for (size_t i = 0; i < n; i++) {
        Item *item = &plan->items[i];
        item->lane = heap->at[0].worker;
        heap->at[0].time += item->cost;
        heap_sink(heap, 0);
        if (item->task.kind == SCHEDULE_SLICE)
            s->lane[item->lane].quota += item->cost;
    }
    /* `taken` is each lane's clock meanwhile */
    for (int i = 0; i < s->workers; i++)
        s->lane[i].taken = s->lane[i].quota;
    for (int kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < n; i++) {
            Item *item = &plan->items[i];
            Lane *lane = &s->lane[item->lane];
            if (item->task.kind != (kind == 0 ? SCHEDULE_WHOLE : SCHEDULE_REST))
                continue;
            item->start = lane->taken;
            lane->taken += item->cost;
        }
    for (int i = 0; plan->manner.eager && i < s->workers; i++)
        s->lane[i].quota = INFINITY;
}

/* Whole jobs and rests by the time they are to start; slices by the time at
 * which their rests are. */
static void put_in_order(Plan *plan, size_t n) {
    Schedule *s = plan->schedule;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (plan->items[i].task.kind != SCHEDULE_SLICE)
            plan->items[kept++] = plan->items[i];
    qsort(plan->items, kept, sizeof *plan->items, by_start);
    s->slices = 0;
    for (size_t i = 0; i < kept; i++) {
        const ScheduleTask *task = &plan->items[i].task;
        s->order[i] = (Place){task->job, false};
        ScheduleTask slice = {SCHEDULE_SLICE, task->job, 0};
        if (task->kind == SCHEDULE_REST)
            for (; slice.slice < s->jobs[task->job].slices; slice.slice++)
                s->cut[s->slices++] = slice;
    }
}

/* Plans for so many splits; gives its time. */
static double try_splits(Plan *plan, size_t splits) {
    size_t n = list_items(plan, splits);
    qsort(plan->items, n, sizeof *plan->items, falling);
    pack(plan, n);
    put_in_order(plan, n);
    plan->schedule->splits = splits;
    rewind_all(plan->schedule);
    return simulate(plan);
}

/* The best plan so far. */
typedef struct Best {
    double time;
    size_t splits;
    Manner manner;
    size_t tasks; /* in all tries together */
} Best;

/* Tries more and more splits until it is good. */
static void try_more(Plan *plan, size_t held, double good, Best *best) {
    const Schedule *s = plan->schedule;
    size_t most = plan->able < held ? plan->able : held, now = 0;
    while (best->time > good && now < most && best->tasks < TASKS_MAX) {
        now += 1 + now / 16;
        now = now < most ? now : most;
        double time = try_splits(plan, now);
        best->tasks += s->count + s->slices;
        if (time < best->time) {
            best->time = time;
            best->splits = now;
            best->manner = plan->manner;
        }
    }
}

/* What a job takes on all workers: its rest waits for its last slice. */
static double split_time(const ScheduleJob *job, int workers) {
    int rounds = (job->slices + workers - 1) / workers;
    return job->cost - job->fluid + rounds * slice_cost(job);
}

/* No schedule takes less: neither its workers nor any one job can. */
static double least_time(const Schedule *s) {
    double total = 0, longest = 0;
    for (size_t i = 0; i < s->count; i++) {
        total += s->jobs[i].cost;
        longest = fmax(longest, split_time(&s->jobs[i], s->workers));
    }
    return fmax(total / s->workers, longest);
}

/* Leaves the best plan; gives its time. */
static double find_best(Plan *plan, size_t held) {
    const Schedule *s = plan->schedule;
    double good = GOOD * least_time(s);
    Best best = {.time = try_splits(plan, 0)};
    for (size_t i = 0; i < sizeof MANNERS / sizeof *MANNERS; i++) {
        plan->manner = MANNERS[i];
        try_more(plan, held, good, &best);
    }
    if (best.splits == 0 && s->splits == 0)
        return best.time;
    plan->manner = best.manner;
    return try_splits(plan, best.splits);
}

/* ---- making ---- */

static void copy_jobs(Schedule *s, const ScheduleJob *jobs) {
    for (size_t i = 0; i < s->count; i++) {
        double cost = number(jobs[i].cost);
        double fluid = fmin(number(jobs[i].fluid), cost);
        bool able = jobs[i].slices > 1 && fluid > 0 && isfinite(cost);
        s->jobs[i] =
            (ScheduleJob){cost, able ? fluid : 0, able ? jobs[i].slices : 1};
    }
}

static Status schedule_arrays(Schedule *s, const ScheduleJob *jobs, Err *err) {
    size_t n = s->count;
    s->jobs = mem_array(n, sizeof *s->jobs, err);
    if (s->jobs == NULL)
        return STATUS_NOMEM;
    copy_jobs(s, jobs);
    size_t slices = 0;
    for (size_t i = 0; i < n; i++)
        slices += s->jobs[i].slices > 1 ? (size_t)s->jobs[i].slices : 0;
    s->slices = slices;
    s->missing = mem_array(n, sizeof *s->missing, err);
    s->is_split = mem_array(n, sizeof *s->is_split, err);
    s->order = mem_array(n, sizeof *s->order, err);
    s->cut = mem_array(slices, sizeof *s->cut, err);
    s->lane = mem_array((size_t)s->workers, sizeof *s->lane, err);
    return s->missing == NULL || s->is_split == NULL || s->order == NULL ||
                   s->cut == NULL || s->lane == NULL
               ? STATUS_NOMEM
               : STATUS_OK;
}

static void plan_release(Plan *plan) {
    mem_free(plan->items);
    mem_free(plan->largest);
    mem_free(plan->heap.at);
    mem_free(plan->running);
    mem_free(plan->parked);
}

/* By fluid; a total order. */
static void sort_largest(Plan *plan) {
    const Schedule *s = plan->schedule;
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->jobs[i].slices > 1)
            plan->items[n++] = (Item){.cost = s->jobs[i].fluid,
                                      .task = {SCHEDULE_WHOLE, i, 0}};
    qsort(plan->items, n, sizeof *plan->items, falling);
    for (size_t i = 0; i < n; i++)
        plan->largest[i] = plan->items[i].task.job;
    plan->able = n;
}

static Status plan_arrays(Plan *plan, Err *err) {
    const Schedule *s = plan->schedule;
    size_t workers = (size_t)s->workers;
    plan->items = mem_array(s->count + s->slices, sizeof *plan->items, err);
    plan->largest = mem_array(s->count, sizeof *plan->largest, err);
    plan->heap.at = mem_array(workers, sizeof *plan->heap.at, err);
    plan->running = mem_array(workers, sizeof *plan->running, err);
    plan->parked = mem_array(workers, sizeof *plan->parked, err);
    return plan->items == NULL || plan->largest == NULL ||
                   plan->heap.at == NULL || plan->running == NULL ||
                   plan->parked == NULL
               ? STATUS_NOMEM
               : STATUS_OK;
}

Status schedule_create(Schedule **out, const ScheduleJob *jobs, size_t count,
                       int workers, size_t held, Err *err) {
    Schedule *s = mem_zeroed(1, sizeof *s, err);
    if (s == NULL)
        return STATUS_NOMEM;
    s->count = count;
    s->workers = workers;
    Plan plan = {.schedule = s};
    Status status = schedule_arrays(s, jobs, err);
    if (status == STATUS_OK)
        status = plan_arrays(&plan, err);
    if (status == STATUS_OK) {
        sort_largest(&plan);
        s->time = find_best(&plan, held);
        *out = s;
    } else {
        schedule_release(s);
    }
    plan_release(&plan);
    return status;
}

void schedule_release(Schedule *s) {
    if (s == NULL)
        return;
    mem_free(s->jobs);
    mem_free(s->missing);
    mem_free(s->is_split);
    mem_free(s->order);
    mem_free(s->cut);
    mem_free(s->lane);
    mem_free(s);
}

size_t schedule_splits(const Schedule *s) {
    return s->splits;
}

double schedule_time(const Schedule *s) {
    return s->time;
}

double schedule_bound(const ScheduleJob *jobs, size_t count, int workers) {
    double total = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        double cost = number(jobs[i].cost);
        total += cost;
        largest = cost > largest ? cost : largest;
    }
    return fmax(total / workers, largest);
}
