/* mpi.so: the Transport of ranks.h over MPI. It knows nothing of jobs; the
 * program loads it where mpirun started it. */
#include <limits.h>
#include <mpi.h>

#include "ranks.h"

enum { TAG = 1 };

/* A message under way, and its bytes. */
typedef struct Pending Pending;
struct Pending {
    MPI_Request request;
    uint8_t *bytes;
    Pending *next;
};

typedef struct MpiTransport {
    Transport transport; /* first: the callbacks get its address */
    Pending *first;
} MpiTransport;

__attribute__((visibility("default"))) Status
weft_mpi_open(Transport **out, int *argc, char ***argv, Err *err);

static Status mpi_error(int code, const char *what, Err *err) {
    char text[MPI_MAX_ERROR_STRING];
    int n = 0;
    MPI_Error_string(code, text, &n);
    return err_set(err, STATUS_IO, "cannot %s: %.*s", what, n, text);
}

/* Frees the bytes of messages that have left. */
static void reap(MpiTransport *mpi) {
    for (Pending **at = &mpi->first; *at != NULL;) {
        Pending *pending = *at;
        int done = 0;
        MPI_Test(&pending->request, &done, MPI_STATUS_IGNORE);
        if (!done) {
            at = &pending->next;
            continue;
        }
        *at = pending->next;
        mem_free(pending->bytes);
        mem_free(pending);
    }
}

static Status mpi_send(Transport *transport, int to, uint8_t *bytes, size_t n,
                       Err *err) {
    MpiTransport *mpi = (MpiTransport *)(void *)transport;
    if (n > INT_MAX)
        return err_set(err, STATUS_UNSUPPORTED, "a message of over 2 GB");
    Pending *pending = mem_zeroed(1, sizeof *pending, err);
    if (pending == NULL)
        return STATUS_NOMEM;
    int code = MPI_Isend(bytes, (int)n, MPI_BYTE, to, TAG, MPI_COMM_WORLD,
                         &pending->request);
    if (code != MPI_SUCCESS) {
        mem_free(pending);
        return mpi_error(code, "send", err);
    }
    pending->bytes = bytes;
    pending->next = mpi->first;
    mpi->first = pending;
    return STATUS_OK;
}

static bool mpi_probe(Transport *transport, int *from, size_t *n) {
    MPI_Status status;
    int there = 0, count = 0;
    reap((MpiTransport *)(void *)transport);
    if (MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &status) !=
            MPI_SUCCESS ||
        !there)
        return false;
    MPI_Get_count(&status, MPI_BYTE, &count);
    *from = status.MPI_SOURCE;
    *n = (size_t)count;
    return true;
}

static Status mpi_receive(Transport *transport, int from, uint8_t *bytes,
                          size_t n, Err *err) {
    (void)transport;
    int code = MPI_Recv(bytes, (int)n, MPI_BYTE, from, TAG, MPI_COMM_WORLD,
                        MPI_STATUS_IGNORE);
    return code == MPI_SUCCESS ? STATUS_OK : mpi_error(code, "receive", err);
}

static void mpi_finish(Transport *transport) {
    MpiTransport *mpi = (MpiTransport *)(void *)transport;
    const uint64_t end[] = {RANKS_END, 0};
    _Static_assert(sizeof end == RANKS_HEAD, "a message's head");
    for (int to = 1; transport->rank == 0 && to < transport->size; to++)
        MPI_Send(end, sizeof end, MPI_BYTE, to, TAG, MPI_COMM_WORLD);
    for (Pending *at = mpi->first; at != NULL; at = at->next)
        MPI_Wait(&at->request, MPI_STATUS_IGNORE);
    reap(mpi);
    MPI_Finalize();
}

static void mpi_abort(Transport *transport, int status) {
    (void)transport;
    MPI_Abort(MPI_COMM_WORLD, status);
}

/* Calls come of one thread at a time, but not always the same one. Errors of
 * MPI's own stay fatal: a rank that is gone ends the job. */
Status weft_mpi_open(Transport **out, int *argc, char ***argv, Err *err) {
    int level = MPI_THREAD_SINGLE;
    MpiTransport *mpi = mem_zeroed(1, sizeof *mpi, err);
    if (mpi == NULL)
        return STATUS_NOMEM;
    mpi->transport = (Transport){.send = mpi_send,
                                 .probe = mpi_probe,
                                 .receive = mpi_receive,
                                 .finish = mpi_finish,
                                 .abort = mpi_abort};
    int code = MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &level);
    if (code != MPI_SUCCESS || level < MPI_THREAD_SERIALIZED) {
        mem_free(mpi);
        return code != MPI_SUCCESS
                   ? mpi_error(code, "start MPI", err)
                   : err_set(err, STATUS_UNSUPPORTED,
                             "this MPI is built without threads");
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &mpi->transport.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &mpi->transport.size);
    *out = &mpi->transport;
    return STATUS_OK;
}
