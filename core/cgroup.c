/* Limits in the files of control groups. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 8192, PATH = 4608 };

/* What the group in this folder may use at most; INFINITY: no limit. */
typedef double Limit(const char *folder);

/* One controller, and where version 1 mounts it. */
typedef struct Controller {
    const char *name;
    const char *mounts[2]; /* the second may be NULL */
    Limit *limit, *limit_v1;
} Controller;

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

/* The numbers at the start of a group's file: how many there are, up to 2. */
static int read_numbers(const char *folder, const char *name,
                        long long number[2]) {
    char path[PATH + 32], text[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return read_text(path, text, sizeof text)
               ? sscanf(text, "%lld %lld", &number[0], &number[1])
               : 0;
}

static double ratio(long long quota, long long period) {
    return quota > 0 && period > 0 ? (double)quota / (double)period : INFINITY;
}

/* "150000 100000" or "max 100000", in microseconds. */
static double processors(const char *folder) {
    long long number[2];
    return read_numbers(folder, "cpu.max", number) == 2
               ? ratio(number[0], number[1])
               : INFINITY;
}

/* In two files; -1 is no quota. */
static double processors_v1(const char *folder) {
    long long quota[2], period[2];
    if (read_numbers(folder, "cpu.cfs_quota_us", quota) < 1 ||
        read_numbers(folder, "cpu.cfs_period_us", period) < 1)
        return INFINITY;
    return ratio(quota[0], period[0]);
}

/* A number of bytes, or "max". */
static double memory(const char *folder) {
    long long number[2];
    return read_numbers(folder, "memory.max", number) > 0 ? (double)number[0]
                                                          : INFINITY;
}

/* Where there is no limit a number larger than any memory. */
static double memory_v1(const char *folder) {
    long long number[2];
    return read_numbers(folder, "memory.limit_in_bytes", number) > 0
               ? (double)number[0]
               : INFINITY;
}

/* The least limit of the group and of all that it lies in, up to the mount
 * point (in a container the group's own path may not exist below it). */
static double least_above(const char *mount, const char *group, Limit *limit) {
    char folder[PATH];
    size_t root = strlen(mount);
    int n = snprintf(folder, sizeof folder, "%s%s", mount, group);
    if (n < 0 || (size_t)n >= sizeof folder)
        return INFINITY;
    double least = INFINITY;
    for (;;) {
        least = fmin(least, limit(folder));
        char *slash = strrchr(folder + root, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

/* Whether the comma-separated list names the controller. */
static bool lists(const char *list, const char *name) {
    size_t n, length = strlen(name);
    for (; *list != '\0'; list += n + (list[n] == ',')) {
        n = strcspn(list, ",");
        if (n == length && memcmp(list, name, n) == 0)
            return true;
    }
    return false;
}

/* One line of /proc/self/cgroup, NUMBER:CONTROLLERS:GROUP; no controllers
 * means version 2, which may be mounted beside version 1. */
static double line_limit(const char *root, char *line,
                         const Controller *controller) {
    static const char *const UNIFIED[] = {"", "/unified"};
    char *list = strchr(line, ':');
    char *group = list == NULL ? NULL : strchr(list + 1, ':');
    if (group == NULL)
        return INFINITY;
    *list++ = '\0';
    *group++ = '\0';
    bool unified = *list == '\0';
    if (!unified && !lists(list, controller->name))
        return INFINITY;
    const char *const *mounts = unified ? UNIFIED : controller->mounts;
    double least = INFINITY;
    for (size_t i = 0; i < 2 && mounts[i] != NULL; i++) {
        char mount[PATH / 2];
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, mounts[i]);
        least = fmin(least, least_above(mount, group,
                                        unified ? controller->limit
                                                : controller->limit_v1));
    }
    return least;
}

static double least_of_all(const char *root, const Controller *controller) {
    char path[PATH], text[TEXT];
    double least = INFINITY;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (!read_text(path, text, sizeof text))
        return INFINITY;
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL)
        least = fmin(least, line_limit(root, line, controller));
    return least;
}

double cgroup_processors(const char *root) {
    static const Controller CPU = {
        "cpu", {"/cpu", "/cpu,cpuacct"}, processors, processors_v1};
    return least_of_all(root, &CPU);
}

double cgroup_memory(const char *root) {
    static const Controller MEMORY = {
        "memory", {"/memory", NULL}, memory, memory_v1};
    return least_of_all(root, &MEMORY);
}
