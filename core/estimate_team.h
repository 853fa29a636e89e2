/* Threads that share the phases of one estimate, so that a large matrix is
 * held once whatever the number of processors.
 *
 * The caller is a member too. A phase is `count` tasks, taken by whoever is
 * free; what a task writes is its own, so that results do not depend on who
 * took it. */
#ifndef WEFT_ESTIMATE_TEAM_H
#define WEFT_ESTIMATE_TEAM_H

#include <stddef.h>

#include "status.h"

typedef struct Team Team;

/* Runs task i of the phase; `member` (0 is the caller) tells whose buffers it
 * may use. */
typedef void TeamTask(void *data, size_t i, int member);

/* `members` of them with the caller, 1 or more; fewer where the system
 * refuses threads. Creates: team_release. */
CHECKED Status team_create(Team **out, int members, Err *err);
int team_members(const Team *team);
/* Runs all tasks of a phase and waits for them. */
void team_run(Team *team, size_t count, TeamTask *task, void *data);
void team_release(Team *team);

#endif
