/* The conductor: hands a batch's jobs to other ranks, takes the answers.
 *
 * What a rank fails at is given back, so that it costs time and no result: by a
 * rank that could not begin it, e.g. to open its file, to all others, else to
 * rank 0 alone, where the same failure counts. The rank gets no more jobs then,
 * since the next is likely to fail as fast.
 *
 * A RanksWork is a batch that still has jobs to take or out. Only the list of
 * works is shared with other threads, under the lock; slots and what is out
 * are the conductor's own. */
#include "ranks.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "cancel.h"
#include "thread.h"

/* A batch under way. */
typedef struct RanksWork RanksWork;
struct RanksWork {
    Batch *batch; /* joined */
    void *data;
    RanksFace face;
    int threads;
    uint64_t call; /* see ranks_begin */
    size_t out;    /* jobs on other ranks */
    RanksWork *next;
};

/* A job that another rank has. */
typedef struct Sent {
    uint64_t id;
    int rank;
    RanksWork *work;
    size_t job;
    bool cancelled; /* the rank was told */
} Sent;

/* Another rank. */
typedef struct Slot {
    int workers, busy; /* 0: it gets no jobs; jobs that it has */
    uint64_t failed;   /* the call in which it did last */
    bool noted;
    char host[HOST_NAME_MAX + 1];
} Slot;

struct Ranks {
    Transport *transport;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    /* under the lock: works, the call, notes not told and the first of them */
    RanksWork *first, **last;
    uint64_t call;
    size_t notes;
    char note[RANKS_NOTE];
    uint64_t ids;
    Sent *sent;
    size_t out, room;
    Slot slot[]; /* by rank */
};

void ranks_wait(long *wait) {
    enum { SHORTEST = 20000, LONGEST = 1000000 };
    *wait = *wait == 0 ? SHORTEST : *wait * 2;
    if (*wait > LONGEST)
        *wait = LONGEST;
    nanosleep(&(struct timespec){0, *wait}, NULL);
}

uint8_t *ranks_take(Transport *transport, int *from, size_t *n) {
    if (!transport->probe(transport, from, n))
        return NULL;
    uint8_t *bytes = mem_array(*n, 1, NULL);
    if (bytes == NULL ||
        transport->receive(transport, *from, bytes, *n, NULL) == STATUS_OK)
        return bytes;
    mem_free(bytes);
    return NULL;
}

/* ---- notes ---- */

/* Only the first is kept: a thousand ranks are likely to say the same. */
static void note_rank(Ranks *ranks, int rank, const char *text) {
    Slot *slot = &ranks->slot[rank];
    if (slot->noted)
        return;
    slot->noted = true;
    pthread_mutex_lock(&ranks->lock);
    if (ranks->notes++ == 0)
        snprintf(ranks->note, sizeof ranks->note, "rank %d%s%s%s", rank,
                 slot->host[0] == '\0' ? "" : " on ", slot->host, text);
    pthread_mutex_unlock(&ranks->lock);
}

static void note_failure(Ranks *ranks, int rank, const Err *err) {
    char text[RANKS_NOTE];
    snprintf(text, sizeof text, ": %s: its jobs go to others", err->message);
    note_rank(ranks, rank, text);
}

bool ranks_note(Ranks *ranks, char out[RANKS_NOTE]) {
    pthread_mutex_lock(&ranks->lock);
    size_t count = ranks->notes;
    ranks->notes = 0;
    int n = snprintf(out, RANKS_NOTE, "%s", ranks->note);
    pthread_mutex_unlock(&ranks->lock);
    if (count > 1)
        snprintf(out + n, (size_t)(RANKS_NOTE - n),
                 "; others that do not help: %zu", count - 1);
    return count > 0;
}

/* ---- messages ---- */

/* A rank's first message: by what it computes, and how many jobs it takes. One
 * whose last digits may differ gets none: they would go into the output, and
 * into the cache as rank 0's. */
static Status take_hello(Ranks *ranks, int rank, WireReader *from, Err *err) {
    char method[CACHE_METHOD_SIZE], own[CACHE_METHOD_SIZE], text[RANKS_NOTE];
    Slot *slot = &ranks->slot[rank];
    uint64_t workers = 0;
    Status status = take_most(from, &workers, POOL_WORKERS_MAX, "workers", err);
    if (status == STATUS_OK)
        status = take_text(from, method, sizeof method, "method", err);
    if (status == STATUS_OK)
        status = take_text(from, slot->host, sizeof slot->host, "host", err);
    if (status == STATUS_OK)
        status = take_end(from, err);
    if (status != STATUS_OK)
        return status;
    cache_method(own);
    if (strcmp(method, own) == 0) {
        slot->workers = (int)workers;
        return STATUS_OK;
    }
    snprintf(text, sizeof text,
             " computes by %s; rank 0 by %s: it gets no jobs", method, own);
    note_rank(ranks, rank, text);
    return STATUS_OK;
}

/* Ends a job that was out. */
static void end_sent(Ranks *ranks, size_t at) {
    Sent *sent = &ranks->sent[at];
    RanksWork *work = sent->work;
    ranks->slot[sent->rank].busy--;
    batch_end(work->batch, sent->job);
    work->out--;
    *sent = ranks->sent[--ranks->out];
}

/* What the rank says of the whole job, which it may not have begun, then the
 * answers. A failure is the rank's. */
static Status take_result(WireReader *from, const RankJob *job, bool *begun,
                          Err *err) {
    uint64_t found = 0;
    Err why;
    *begun = true;
    Status status = take_most(from, &found, STATUS_CLOSED, "status", err);
    if (status == STATUS_OK && found == STATUS_OK) {
        status = job_take_answers(from, job, err);
        return status == STATUS_OK ? job_fault(job, err) : status;
    }
    if (status == STATUS_OK)
        status =
            take_text(from, why.message, sizeof why.message, "message", err);
    if (status != STATUS_OK)
        return status;
    *begun = false;
    return err_set(err, (Status)found, "%s", why.message);
}

/* Of a batch that was cancelled nobody wants to know why. */
static void give_back(Ranks *ranks, const Sent *sent, bool own,
                      const Err *why) {
    RanksWork *work = sent->work;
    if (!cancel_seen(batch_word(work->batch))) {
        ranks->slot[sent->rank].failed = work->call;
        note_failure(ranks, sent->rank, why);
    }
    work->face.back(work->data, sent->job, own);
}

static void take_sent(Ranks *ranks, int rank, uint64_t id, WireReader *from) {
    size_t at = 0;
    while (at < ranks->out && ranks->sent[at].id != id)
        at++;
    if (at == ranks->out || ranks->sent[at].rank != rank)
        return; /* nobody asked */
    const Sent *sent = &ranks->sent[at];
    RanksWork *work = sent->work;
    RankJob job = {0};
    bool begun = false;
    Err err;
    work->face.job(work->data, sent->job, &job);
    if (take_result(from, &job, &begun, &err) == STATUS_OK)
        work->face.took(work->data, sent->job, rank);
    else
        give_back(ranks, sent, begun, &err);
    end_sent(ranks, at);
}

static Status read_message(Ranks *ranks, int rank, WireReader *from, Err *err) {
    uint64_t kind = 0, id = 0;
    Status status = take_most(from, &kind, RANKS_END, "kind", err);
    if (status == STATUS_OK)
        status = take_u64(from, &id, "number", err);
    if (status == STATUS_OK && kind == RANKS_HELLO)
        status = take_hello(ranks, rank, from, err);
    else if (status == STATUS_OK && kind == RANKS_ANSWER)
        take_sent(ranks, rank, id, from);
    return status;
}

/* One message, if there is any. Who can't be understood gets no jobs. */
static bool take_message(Ranks *ranks) {
    int rank;
    size_t n;
    uint8_t *bytes = ranks_take(ranks->transport, &rank, &n);
    if (bytes == NULL)
        return false;
    Err err;
    WireReader from = {bytes, 0, n};
    if (read_message(ranks, rank, &from, &err) != STATUS_OK) {
        ranks->slot[rank].workers = 0;
        note_failure(ranks, rank, &err);
    }
    mem_free(bytes);
    return true;
}

/* ---- handing out ---- */

/* The job as a message. Where the folder can't be told, relative paths are
 * the receiver's own. */
static void write_job(Wire *wire, uint64_t id, int threads,
                      const RankJob *job) {
    char folder[PATH_MAX];
    wire_u64(wire, RANKS_JOB);
    wire_u64(wire, id);
    wire_u64(wire, (uint64_t)threads);
    wire_text(wire, getcwd(folder, sizeof folder) != NULL ? folder : "");
    job_put(wire, job);
    if (wire->count > INT_MAX)
        wire_fail(wire, STATUS_UNSUPPORTED, "a message of over 2 GB");
}

/* Room for one more job that is out. */
static bool sent_room(Ranks *ranks) {
    if (ranks->out < ranks->room)
        return true;
    size_t room = ranks->room == 0 ? 64 : 2 * ranks->room;
    Sent *sent = mem_resize(ranks->sent, ranks->out, room, sizeof *sent, NULL);
    if (sent == NULL)
        return false;
    ranks->sent = sent;
    ranks->room = room;
    return true;
}

/* Sends job i to the rank; what can't be sent is given back, so that every job
 * that was taken ends. It is not run on this thread, for which the ranks wait,
 * and of which the pool does not know. */
static void hand_job(Ranks *ranks, int rank, RanksWork *work, size_t i) {
    Transport *transport = ranks->transport;
    uint64_t id = ++ranks->ids;
    RankJob job = {0};
    Wire wire = {0};
    work->face.job(work->data, i, &job);
    write_job(&wire, id, work->threads, &job);
    if (wire.status == STATUS_OK && sent_room(ranks) &&
        transport->send(transport, rank, wire.bytes, wire.count, NULL) ==
            STATUS_OK) {
        ranks->sent[ranks->out++] = (Sent){id, rank, work, i, false};
        ranks->slot[rank].busy++;
        work->out++;
        return;
    }
    wire_release(&wire);
    work->face.back(work->data, i, true);
    batch_end(work->batch, i);
}

/* The first work with a job to take. */
static RanksWork *work_left(Ranks *ranks) {
    pthread_mutex_lock(&ranks->lock);
    RanksWork *work = ranks->first;
    while (work != NULL && !batch_left(work->batch))
        work = work->next;
    pthread_mutex_unlock(&ranks->lock);
    return work;
}

/* Whether the rank can have one more job. */
static bool slot_free(const Slot *slot, const RanksWork *work) {
    if (slot->failed == work->call)
        return false;
    int most = slot->workers;
    if (most > 0 && work->threads > 0)
        most = work->threads;
    return slot->busy < most;
}

/* One job to each rank that has room, so that the large ones are spread. */
static bool hand_round(Ranks *ranks) {
    bool any = false;
    for (int rank = 1; rank < ranks->transport->size; rank++) {
        RanksWork *work = work_left(ranks);
        size_t i;
        if (work == NULL)
            break;
        if (!slot_free(&ranks->slot[rank], work) ||
            !batch_take(work->batch, &i))
            continue;
        hand_job(ranks, rank, work, i);
        any = true;
    }
    return any;
}

/* Tells ranks of jobs that nobody waits for. */
static void tell_cancelled(Ranks *ranks) {
    Transport *transport = ranks->transport;
    for (size_t i = 0; i < ranks->out; i++) {
        Sent *sent = &ranks->sent[i];
        if (sent->cancelled || !cancel_seen(batch_word(sent->work->batch)))
            continue;
        Wire wire = {0};
        wire_u64(&wire, RANKS_CANCEL);
        wire_u64(&wire, sent->id);
        sent->cancelled = wire.status == STATUS_OK &&
                          transport->send(transport, sent->rank, wire.bytes,
                                          wire.count, NULL) == STATUS_OK;
        if (!sent->cancelled)
            wire_release(&wire);
    }
}

/* Leaves the batches that have nothing to take and nothing out. */
static void drop_done(Ranks *ranks) {
    RanksWork *done = NULL;
    pthread_mutex_lock(&ranks->lock);
    for (RanksWork **at = &ranks->first; *at != NULL;) {
        RanksWork *work = *at;
        if (batch_left(work->batch) || work->out > 0) {
            at = &work->next;
            continue;
        }
        *at = work->next;
        work->next = done;
        done = work;
    }
    ranks->last = &ranks->first;
    while (*ranks->last != NULL)
        ranks->last = &(*ranks->last)->next;
    pthread_mutex_unlock(&ranks->lock);
    while (done != NULL) {
        RanksWork *next = done->next;
        batch_leave(done->batch);
        mem_free(done);
        done = next;
    }
}

void ranks_cancel(Ranks *ranks) {
    pthread_mutex_lock(&ranks->lock);
    for (RanksWork *work = ranks->first; work != NULL; work = work->next)
        batch_cancel(work->batch);
    pthread_mutex_unlock(&ranks->lock);
}

/* Waits for a work; false when the conductor is to end. */
static bool conductor_wait(Ranks *ranks) {
    pthread_mutex_lock(&ranks->lock);
    while (ranks->first == NULL && !ranks->stopping)
        pthread_cond_wait(&ranks->changed, &ranks->lock);
    bool more = ranks->first != NULL;
    pthread_mutex_unlock(&ranks->lock);
    return more;
}

static void *conduct(void *argument) {
    Ranks *ranks = argument;
    long wait = 0;
    while (conductor_wait(ranks)) {
        bool moved = take_message(ranks);
        moved = hand_round(ranks) || moved;
        tell_cancelled(ranks);
        drop_done(ranks);
        if (moved)
            wait = 0;
        else
            ranks_wait(&wait);
    }
    return NULL;
}

/* ---- the conductor as others see it ---- */

Status ranks_create(Ranks **out, Transport *transport, Err *err) {
    size_t bytes = sizeof(Ranks) + (size_t)transport->size * sizeof(Slot);
    Ranks *ranks = mem_zeroed(1, bytes, err);
    if (ranks == NULL)
        return STATUS_NOMEM;
    ranks->transport = transport;
    ranks->last = &ranks->first;
    ranks->call = 1;
    ranks->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    ranks->changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    int failed = thread_start(&ranks->thread, conduct, ranks);
    if (failed != 0) {
        mem_free(ranks);
        return err_set(err, STATUS_NOMEM,
                       "no thread for the other ranks could start: %s",
                       strerror(failed));
    }
    transport->ranks = ranks;
    transport->stop = ranks_stop;
    *out = ranks;
    return STATUS_OK;
}

void ranks_stop(Ranks *ranks) {
    pthread_mutex_lock(&ranks->lock);
    bool first = !ranks->stopping;
    ranks->stopping = true;
    pthread_cond_broadcast(&ranks->changed);
    pthread_mutex_unlock(&ranks->lock);
    ranks_cancel(ranks);
    if (first)
        pthread_join(ranks->thread, NULL);
}

void ranks_release(Ranks *ranks) {
    if (ranks == NULL)
        return;
    ranks_stop(ranks);
    ranks->transport->ranks = NULL;
    pthread_mutex_destroy(&ranks->lock);
    pthread_cond_destroy(&ranks->changed);
    mem_free(ranks->sent);
    mem_free(ranks);
}

void ranks_begin(Ranks *ranks) {
    pthread_mutex_lock(&ranks->lock);
    ranks->call++;
    pthread_mutex_unlock(&ranks->lock);
}

Status ranks_help(Ranks *ranks, Batch *batch, void *data, const RanksFace *face,
                  int threads, Err *err) {
    RanksWork *work = mem_zeroed(1, sizeof *work, err);
    if (work == NULL)
        return STATUS_NOMEM;
    *work = (RanksWork){.batch = batch_join(batch),
                        .data = data,
                        .face = *face,
                        .threads = threads};
    pthread_mutex_lock(&ranks->lock);
    work->call = ranks->call;
    *ranks->last = work;
    ranks->last = &work->next;
    pthread_cond_broadcast(&ranks->changed);
    pthread_mutex_unlock(&ranks->lock);
    return STATUS_OK;
}
