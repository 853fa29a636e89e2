/* A matrix's slices from many threads, added in order. */
#include "spectrum_share.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"

/* A slice that is done and was not added yet. */
typedef struct Part {
    double *g; /* (n, n); NULL: not done */
    SpectrumSlice found;
} Part;

struct SpectrumShare {
    pthread_mutex_t lock;
    int64_t n;
    /* under the lock */
    bool adding; /* a thread is, and takes what comes due meanwhile */
    int next;    /* the slice that is due */
    int started; /* slices */
    Status status;
    Err err;
    /* the adding thread's, then the caller's */
    double *g;
    SpectrumSlice sum;
    /* under the lock */
    int slices;
    int spares; /* buffers that were added, for the next slices: fresh pages
                 * would cost as much as a part of the slice */
    double *spare[SPECTRUM_SLICES_MAX];
    Part part[];
};

Status spectrum_share_create(SpectrumShare **out, const Tensor *matrix,
                             Err *err) {
    int64_t rows = matrix->shape[0], cols = matrix->shape[1];
    int slices = spectrum_slices(rows, cols);
    SpectrumShare *share = mem_zeroed(
        1, sizeof *share + (size_t)slices * sizeof *share->part, err);
    if (share == NULL)
        return STATUS_NOMEM;
    int failed = pthread_mutex_init(&share->lock, NULL);
    if (failed != 0) {
        mem_free(share);
        return err_set(err, STATUS_NOMEM, "no lock for a matrix's slices: %s",
                       strerror(failed));
    }
    share->n = rows < cols ? rows : cols;
    share->slices = slices;
    *out = share;
    return STATUS_OK;
}

SpectrumShare *spectrum_share_at(_Atomic(SpectrumShare *) *place,
                                 const Tensor *matrix) {
    SpectrumShare *share = atomic_load(place), *made = NULL;
    if (share != NULL ||
        spectrum_share_create(&made, matrix, NULL) != STATUS_OK)
        return share;
    if (atomic_compare_exchange_strong(place, &share, made))
        return made;
    spectrum_share_release(made);
    return share;
}

static void free_spares(SpectrumShare *share) {
    while (share->spares > 0)
        mem_free(share->spare[--share->spares]);
}

void spectrum_share_release(SpectrumShare *share) {
    if (share == NULL)
        return;
    for (int i = 0; i < share->slices; i++)
        mem_free(share->part[i].g);
    free_spares(share);
    mem_free(share->g);
    pthread_mutex_destroy(&share->lock);
    mem_free(share);
}

/* Begins a slice: a spare buffer for it, or NULL. False where another slice
 * has failed already. */
static bool begin(SpectrumShare *share, double **spare) {
    pthread_mutex_lock(&share->lock);
    bool going = share->status == STATUS_OK;
    share->started++;
    *spare = going && share->spares > 0 ? share->spare[--share->spares] : NULL;
    pthread_mutex_unlock(&share->lock);
    return going;
}

/* A buffer that was added: kept only where a slice is to begin yet, since a
 * matrix may wait long for its rest. */
static void give_back(SpectrumShare *share, double *buffer) {
    pthread_mutex_lock(&share->lock);
    bool kept = share->spares < share->slices - share->started;
    if (kept)
        share->spare[share->spares++] = buffer;
    pthread_mutex_unlock(&share->lock);
    if (!kept)
        mem_free(buffer);
}

/* The first failure is the one that is told. */
static void fail(SpectrumShare *share, Status status, const Err *err) {
    pthread_mutex_lock(&share->lock);
    if (share->status == STATUS_OK) {
        share->status = status;
        share->err = *err;
    }
    pthread_mutex_unlock(&share->lock);
}

/* The slice that is due, if it is there; else this thread adds no more. */
static bool take_due(SpectrumShare *share, Part *part) {
    pthread_mutex_lock(&share->lock);
    share->adding =
        share->next < share->slices && share->part[share->next].g != NULL;
    bool due = share->adding;
    if (due) {
        *part = share->part[share->next];
        share->part[share->next++].g = NULL;
    }
    pthread_mutex_unlock(&share->lock);
    return due;
}

static void add_due(SpectrumShare *share) {
    for (Part part; take_due(share, &part);) {
        if (share->g == NULL) {
            share->g = part.g;
            share->sum = part.found;
            continue;
        }
        spectrum_add(share->n, share->g, part.g, &share->sum, &part.found);
        give_back(share, part.g);
    }
}

static void hand_in(SpectrumShare *share, int slice, const Part *part) {
    pthread_mutex_lock(&share->lock);
    share->part[slice] = *part;
    bool add = !share->adding && share->next == slice;
    share->adding |= add;
    pthread_mutex_unlock(&share->lock);
    if (add)
        add_due(share);
}

void spectrum_share_slice(SpectrumShare *share, const Tensor *matrix, int slice,
                          Scratch *scratch, const volatile int *cancel) {
    Part part = {.g = NULL};
    if (!begin(share, &part.g))
        return;
    Err err = {STATUS_OK, ""};
    size_t n = (size_t)share->n;
    if (part.g == NULL)
        part.g = mem_array(n * n, sizeof *part.g, &err);
    Status status = part.g == NULL ? STATUS_NOMEM : STATUS_OK;
    if (status == STATUS_OK)
        status = spectrum_slice(matrix, slice, part.g, &part.found, scratch,
                                cancel, &err);
    if (status == STATUS_OK) {
        hand_in(share, slice, &part);
    } else {
        mem_free(part.g);
        fail(share, status, &err);
    }
}

static void free_sum(SpectrumShare *share) {
    mem_free(share->g);
    share->g = NULL;
}

Status spectrum_share_values(SpectrumShare *share, const Tensor *matrix,
                             const SpectrumWish *wish, double *s,
                             SpectrumInfo *info, Scratch *scratch,
                             const volatile int *cancel, Err *err) {
    if (share == NULL)
        return spectrum_values(matrix, wish, s, info, scratch, cancel, err);
    Status status = share->status;
    free_spares(share);
    if (status != STATUS_OK && err != NULL)
        *err = share->err;
    if (status == STATUS_OK && share->next < share->slices)
        status = err_set(err, STATUS_NOMEM,
                         "not enough memory for a matrix's %d slices",
                         share->slices);
    if (status == STATUS_OK && spectrum_rescales(&share->sum)) {
        free_sum(share); /* whose room the other way takes */
        return spectrum_values(matrix, wish, s, info, scratch, cancel, err);
    }
    if (status == STATUS_OK)
        status = spectrum_from_slices(matrix, wish, share->g, &share->sum, s,
                                      info, scratch, cancel, err);
    free_sum(share);
    return status;
}

size_t spectrum_share_room(int64_t n) {
    if (n <= 0)
        return 0;
    double bytes =
        (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    double half = fmin(bytes, cgroup_memory("")) / 2;
    return (size_t)(half / ((double)n * (double)n * sizeof(double)));
}
