/* What this process's control groups leave of the machine: a container's share
 * is no smaller machine, so that only their files tell. */
#ifndef WEFT_CGROUP_H
#define WEFT_CGROUP_H

/* Both: the least limit of the process's groups and of all that these lie in,
 * versions 2 and 1, /proc and /sys read under the folder `root` ("" is the
 * system's); INFINITY where there is none. */

/* Processors that the quota comes to, in parts of one too (v2 cpu.max, v1
 * cpu.cfs_quota_us). */
double cgroup_processors(const char *root);
/* Bytes of memory (v2 memory.max, v1 memory.limit_in_bytes). */
double cgroup_memory(const char *root);

#endif
