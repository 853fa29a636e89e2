/* Threads that run phase after phase. */
#include "estimate_team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "mem.h"
#include "thread.h"

/* Looks at a word before a thread sleeps on it: phases follow each other
 * faster than the system wakes one. */
enum { SPINS = 4000 };

typedef struct Member {
    Team *team;
    int number;
    pthread_t thread;
} Member;

struct Team {
    pthread_mutex_t lock;
    pthread_cond_t begun, ended;
    atomic_uint phase;  /* counts phases, written under the lock */
    atomic_int busy;    /* members that have not left the phase */
    atomic_size_t next; /* task to take */
    size_t count;       /* of the phase, as the two below */
    TeamTask *task;
    void *data;
    bool closing;
    int started; /* threads beside the caller */
    Member members[];
};

static inline void pause_thread(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void take_tasks(Team *team, int member) {
    size_t i;
    while ((i = atomic_fetch_add(&team->next, 1)) < team->count)
        team->task(team->data, i, member);
}

/* Waits for a phase after `seen`; false where there will be none. */
static bool await_phase(Team *team, unsigned seen) {
    for (int i = 0; i < SPINS && atomic_load(&team->phase) == seen; i++)
        pause_thread();
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->phase) == seen)
        pthread_cond_wait(&team->begun, &team->lock);
    bool go = !team->closing;
    pthread_mutex_unlock(&team->lock);
    return go;
}

static void *member_main(void *argument) {
    Member *member = argument;
    Team *team = member->team;
    for (unsigned seen = 0; await_phase(team, seen); seen++) {
        take_tasks(team, member->number);
        if (atomic_fetch_sub(&team->busy, 1) > 1)
            continue;
        pthread_mutex_lock(&team->lock);
        pthread_cond_signal(&team->ended);
        pthread_mutex_unlock(&team->lock);
    }
    return NULL;
}

static void start_members(Team *team, int wanted) {
    while (team->started < wanted) {
        Member *member = &team->members[team->started];
        *member = (Member){.team = team, .number = team->started + 1};
        if (thread_start(&member->thread, member_main, member) != 0)
            break;
        team->started++;
    }
}

Status team_create(Team **out, int members, Err *err) {
    int others = members > 1 ? members - 1 : 0;
    Team *team =
        mem_zeroed(1, sizeof *team + (size_t)others * sizeof(Member), err);
    if (team == NULL)
        return STATUS_NOMEM;
    team->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    team->begun = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    team->ended = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    start_members(team, others);
    *out = team;
    return STATUS_OK;
}

int team_members(const Team *team) {
    return team->started + 1;
}

/* Tells the other members of a phase, or of the end. */
static void begin_phase(Team *team) {
    pthread_mutex_lock(&team->lock);
    atomic_store(&team->busy, team->started);
    atomic_store(&team->next, 0);
    atomic_fetch_add(&team->phase, 1);
    pthread_cond_broadcast(&team->begun);
    pthread_mutex_unlock(&team->lock);
}

void team_run(Team *team, size_t count, TeamTask *task, void *data) {
    team->count = count;
    team->task = task;
    team->data = data;
    begin_phase(team);
    take_tasks(team, 0);
    for (int i = 0; i < SPINS && atomic_load(&team->busy) > 0; i++)
        pause_thread();
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->busy) > 0)
        pthread_cond_wait(&team->ended, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

void team_release(Team *team) {
    if (team == NULL)
        return;
    team->closing = true;
    begin_phase(team);
    for (int i = 0; i < team->started; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->begun);
    pthread_cond_destroy(&team->ended);
    mem_free(team);
}
