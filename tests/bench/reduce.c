/* reduce weft|lapack N: the seconds in which one core reduces a symmetric
 * matrix (N, N) to its eigenvalues, values only: by linalg_symmetric_values, or
 * by LAPACK's dsytrd and dsterf. */
#include <lapacke.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "linalg.h"

enum { COL = LAPACK_COL_MAJOR, LWORK_SIDES = 64, SIDE_MAX = 16384 };

/* A matrix, and what either way of reducing it needs beside. */
typedef struct Room {
    int n;
    double *g, *values, *off, *tau, *work;
    Scratch scratch;
} Room;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool open_room(Room *room, int n) {
    size_t side = (size_t)n;
    *room = (Room){.n = n};
    room->g = mem_array(side * side, sizeof(double), NULL);
    room->values = mem_array(side, sizeof(double), NULL);
    room->off = mem_array(side, sizeof(double), NULL);
    room->tau = mem_array(side, sizeof(double), NULL);
    room->work = mem_array(side * LWORK_SIDES, sizeof(double), NULL);
    return room->g != NULL && room->values != NULL && room->off != NULL &&
           room->tau != NULL && room->work != NULL;
}

static void close_room(Room *room) {
    mem_free(room->g);
    mem_free(room->values);
    mem_free(room->off);
    mem_free(room->tau);
    mem_free(room->work);
    scratch_release(&room->scratch);
}

/* The same numbers each time; of the lower triangle all that is read. */
static void fill(Room *room) {
    uint64_t seed = 20240607;
    size_t count = (size_t)room->n * (size_t)room->n;
    for (size_t i = 0; i < count; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        room->g[i] = (double)(seed >> 11) * 0x1p-53 - 0.5;
    }
}

static bool by_weft(Room *room) {
    return linalg_symmetric_values(room->n, room->g, room->n, room->values,
                                   &room->scratch, 0, NULL) == STATUS_OK;
}

static bool by_lapack(Room *room) {
    int n = room->n;
    return LAPACKE_dsytrd_work(COL, 'L', n, room->g, n, room->values, room->off,
                               room->tau, room->work, n * LWORK_SIDES) == 0 &&
           LAPACKE_dsterf_work(n, room->values, room->off) == 0;
}

/* The second of two runs: the first has its pages to fetch. */
static bool measure(Room *room, bool (*reduce)(Room *room), double *seconds) {
    bool done = true;
    for (int run = 0; run < 2 && done; run++) {
        fill(room);
        double start = now();
        done = reduce(room);
        *seconds = now() - start;
    }
    return done;
}

int main(int argc, char **argv) {
    long n = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    bool weft = argc == 3 && strcmp(argv[1], "weft") == 0;
    bool lapack = argc == 3 && strcmp(argv[1], "lapack") == 0;
    if ((!weft && !lapack) || n < 1 || n > SIDE_MAX) {
        fprintf(stderr, "usage: reduce weft|lapack N, N from 1 to %d\n",
                SIDE_MAX);
        return 1;
    }
    Room room;
    double seconds = 0;
    (void)linalg_single_thread();
    bool done = open_room(&room, (int)n) &&
                measure(&room, weft ? by_weft : by_lapack, &seconds);
    if (done)
        printf("%.6f\n", seconds);
    close_room(&room);
    return done ? 0 : 1;
}
