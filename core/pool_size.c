/* How many workers a pool gets: the processors that this process may use. */
#include "pool.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "cgroup.h"

int pool_limit_workers(int processors, const char *root,
                       const char *blas_threads) {
    long wish = blas_threads == NULL ? 0 : strtol(blas_threads, NULL, 10);
    double least = fmin(processors, POOL_WORKERS_MAX);
    /* a part of a processor counts as one, so that none is left unused */
    least = fmin(least, ceil(cgroup_processors(root)));
    if (wish >= 1)
        least = fmin(least, (double)wish);
    return least < 1 ? 1 : (int)least;
}

int pool_default_workers(void) {
    /* 8192 processors; the system refuses a mask smaller than its own */
    cpu_set_t allowed[8];
    int n = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof allowed, allowed) == 0)
        n = CPU_COUNT_S(sizeof allowed, allowed);
    return pool_limit_workers(n, "", getenv("OPENBLAS_NUM_THREADS"));
}
