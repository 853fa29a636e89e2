/* How many workers a pool gets: the processors that this process may use.
 *
 * A container's share is no smaller machine: the affinity mask shows all
 * processors, and the quota stands in the files of the control group. */
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 8192, PATH = 4608 };

/* The file's first bytes as text; false where it cannot be read. */
static bool read_text(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t used = 0;
    ssize_t n = 1;
    while (n > 0 && used + 1 < size) {
        n = read(fd, out + used, size - 1 - used);
        if (n > 0)
            used += (size_t)n;
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    close(fd);
    out[used] = '\0';
    return n >= 0;
}

/* Processors that a quota of `quota` microseconds in `period` comes to; a
 * share of one counts as one, so that none of it is left unused. */
static int quota_workers(long long quota, long long period) {
    if (quota <= 0 || period <= 0)
        return POOL_WORKERS_MAX;
    long long n = (quota - 1) / period + 1;
    return n < POOL_WORKERS_MAX ? (int)n : POOL_WORKERS_MAX;
}

/* The limit of one group of version 2: "150000 100000" or "max 100000". */
static int group_limit(const char *folder) {
    char path[PATH + 32], text[128];
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    long long quota, period;
    if (!read_text(path, text, sizeof text) ||
        sscanf(text, "%lld %lld", &quota, &period) != 2)
        return POOL_WORKERS_MAX;
    return quota_workers(quota, period);
}

/* The limit of one group of version 1, in two files; -1 is no quota. */
static int group_limit_v1(const char *folder) {
    char path[PATH + 32], text[128];
    long long quota, period;
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!read_text(path, text, sizeof text) || sscanf(text, "%lld", &quota) < 1)
        return POOL_WORKERS_MAX;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (!read_text(path, text, sizeof text) ||
        sscanf(text, "%lld", &period) < 1)
        return POOL_WORKERS_MAX;
    return quota_workers(quota, period);
}

/* The least limit of the group and of all that it lies in, up to the mount
 * point (in a container the group's own path may not exist below it). */
static int groups_limit(const char *mount, const char *group,
                        int (*limit)(const char *)) {
    char folder[PATH];
    size_t root = strlen(mount);
    int n = snprintf(folder, sizeof folder, "%s%s", mount, group);
    if (n < 0 || (size_t)n >= sizeof folder)
        return POOL_WORKERS_MAX;
    int least = POOL_WORKERS_MAX;
    for (;;) {
        int here = limit(folder);
        least = here < least ? here : least;
        char *slash = strrchr(folder + root, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

/* Whether the comma-separated list names the processor controller. */
static bool has_cpu(const char *list) {
    size_t n;
    for (; *list != '\0'; list += n + (list[n] == ',')) {
        n = strcspn(list, ",");
        if (n == 3 && memcmp(list, "cpu", 3) == 0)
            return true;
    }
    return false;
}

/* One line of /proc/self/cgroup, NUMBER:CONTROLLERS:GROUP; no controllers
 * means version 2, which may be mounted beside version 1. */
static int line_limit(const char *root, char *line) {
    char *list = strchr(line, ':');
    char *group = list == NULL ? NULL : strchr(list + 1, ':');
    if (group == NULL)
        return POOL_WORKERS_MAX;
    *list++ = '\0';
    *group++ = '\0';
    if (*list != '\0' && !has_cpu(list))
        return POOL_WORKERS_MAX;
    const char *places[] = {*list == '\0' ? "" : "/cpu",
                            *list == '\0' ? "/unified" : "/cpu,cpuacct"};
    int least = POOL_WORKERS_MAX;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char mount[PATH / 2];
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, places[i]);
        int here = groups_limit(mount, group,
                                *list == '\0' ? group_limit : group_limit_v1);
        least = here < least ? here : least;
    }
    return least;
}

int pool_limit_workers(int processors, const char *root,
                       const char *blas_threads) {
    char path[PATH], text[TEXT];
    int least = processors < POOL_WORKERS_MAX ? processors : POOL_WORKERS_MAX;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (read_text(path, text, sizeof text)) {
        char *rest = text, *line;
        while ((line = strsep(&rest, "\n")) != NULL) {
            int here = line_limit(root, line);
            least = here < least ? here : least;
        }
    }
    long wish = blas_threads == NULL ? 0 : strtol(blas_threads, NULL, 10);
    if (wish >= 1 && wish < least)
        least = (int)wish;
    return least < 1 ? 1 : least;
}

int pool_default_workers(void) {
    /* 8192 processors; the system refuses a mask smaller than its own */
    cpu_set_t allowed[8];
    int n = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof allowed, allowed) == 0)
        n = CPU_COUNT_S(sizeof allowed, allowed);
    return pool_limit_workers(n, "", getenv("OPENBLAS_NUM_THREADS"));
}
