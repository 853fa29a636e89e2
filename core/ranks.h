/* Batches of spectra over the ranks of an MPI job.
 *
 * Rank 0 runs the script. Each other rank serves: it reads its own panels of
 * the shared files, and only spectra go back. On rank 0 one thread, the
 * conductor, takes jobs from the same list as the workers and hands them to
 * ranks that are free. What carries the messages is a Transport, so that
 * nothing here knows of MPI. */
#ifndef WEFT_RANKS_H
#define WEFT_RANKS_H

#include "pool.h"
#include "rank_job.h"

/* A message begins with its kind and the job's number. */
enum { RANKS_HELLO, RANKS_JOB, RANKS_ANSWER, RANKS_CANCEL, RANKS_END };
enum { RANKS_HEAD = 16 };

/* Where the program leaves rank 0's Transport for the core, in Lua's registry
 * as a light userdata, and where the core leaves its RanksDoor. */
#define RANKS_KEY "weft.ranks"
#define RANKS_DOOR_KEY "weft.ranks.door"

typedef struct Ranks Ranks;
typedef struct Transport Transport;

/* Messages between `size` ranks, of which this is `rank`. All of it is called
 * on one thread at a time. */
struct Transport {
    int rank, size;
    /* Sends n bytes of mem.h, which it takes over; does not wait for the
     * receiver. On failure the bytes stay the caller's. */
    Status (*send)(Transport *transport, int to, uint8_t *bytes, size_t n,
                   Err *err);
    /* Whether a message waits; whose, and its bytes. */
    bool (*probe)(Transport *transport, int *from, size_t *n);
    /* Takes the message that probe has told of. */
    Status (*receive)(Transport *transport, int from, uint8_t *bytes, size_t n,
                      Err *err);
    /* Rank 0 tells the others to end; all leave the job. */
    void (*finish)(Transport *transport);
    /* Ends all ranks at once. */
    void (*abort)(Transport *transport, int status);
    /* The conductor, while there is one, and what stops it. */
    Ranks *ranks;
    void (*stop)(Ranks *ranks);
};

/* What of core.so the program needs on the other ranks. */
typedef struct RanksDoor {
    Status (*serve)(Transport *transport, Err *err);
} RanksDoor;
extern const RanksDoor ranks_door;

/* How a batch's data is handed on; called on the conductor's thread. */
typedef struct RanksFace RanksFace;
struct RanksFace {
    /* Fills in job i. */
    void (*job)(void *data, size_t i, RankJob *out);
    /* Job i's answers have come. */
    void (*took)(void *data, size_t i, int rank);
    /* Job i, which ends, is still to be run: where `own`, by rank 0 itself. */
    void (*back)(void *data, size_t i, bool own);
};

/* Starts the conductor of rank 0. Creates: ranks_release. */
CHECKED Status ranks_create(Ranks **out, Transport *transport, Err *err);
/* Cancels every batch that they help with. */
void ranks_cancel(Ranks *ranks);
/* The same, waits for the ranks that hold some of it, and ends. */
void ranks_stop(Ranks *ranks);
void ranks_release(Ranks *ranks);
/* A rank that failed at a job gets no more of those that are handed out until
 * this is called. */
void ranks_begin(Ranks *ranks);
/* Has the other ranks help with a batch that was started, each with `threads`
 * workers (0: as many as it has processors). Keeps the batch. */
CHECKED Status ranks_help(Ranks *ranks, Batch *batch, void *data,
                          const RanksFace *face, int threads, Err *err);
/* Copies a sentence that was not told before, if there is one: why a rank does
 * not help, and how many others do not. Of each rank it is told once. */
enum { RANKS_NOTE = 1280 };
bool ranks_note(Ranks *ranks, char out[RANKS_NOTE]);

/* On the other ranks: answers jobs until rank 0 ends it. STATUS_NOMEM where
 * it could not begin. */
CHECKED Status ranks_serve(Transport *transport, Err *err);

/* The message that waits: whose, and its n bytes. Creates: mem_free. NULL where
 * there is none; what there is no memory for stays where it is. */
uint8_t *ranks_take(Transport *transport, int *from, size_t *n);

/* Waits a little longer each time: from 20 microseconds to one millisecond.
 * *wait is 0 where there was something to do. */
void ranks_wait(long *wait);

#endif
