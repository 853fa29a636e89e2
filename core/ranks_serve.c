/* A rank that serves: takes jobs, has its workers run them, sends answers.
 *
 * One thread does all the talking; what it shares with the workers is the
 * batches of one job each. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cache.h"
#include "linalg.h"
#include "ranks.h"

/* A job in hand, or one that could not be read. */
typedef struct Running Running;
struct Running {
    uint64_t id;
    RankJob *job;
    Batch *batch; /* NULL: why there is none is in err */
    bool ended;   /* and not answered yet */
    Err err;
    Running *next;
};

typedef struct Server {
    Transport *transport;
    Pool *pool;
    int workers; /* of the pool */
    int usual;   /* where rank 0 does not say how many */
    bool serial; /* this BLAS is not thread-safe: one */
    WireFiles files;
    Running *first;
    char folder[PATH_MAX]; /* where relative paths begin */
    bool ended;
} Server;

static void run(void *data, size_t i, Scratch *scratch,
                const volatile int *cancel) {
    (void)i;
    job_run(data, scratch, cancel);
}

static void release(void *data) {
    job_release(data);
}

/* ---- sending ---- */

static bool send_wire(Server *server, Wire *wire) {
    Transport *transport = server->transport;
    if (wire->status == STATUS_OK &&
        transport->send(transport, 0, wire->bytes, wire->count, NULL) ==
            STATUS_OK)
        return true;
    wire_release(wire);
    return false;
}

static bool say_hello(Server *server) {
    Wire wire = {0};
    char method[CACHE_METHOD_SIZE], host[HOST_NAME_MAX + 1] = "";
    cache_method(method);
    (void)gethostname(host, sizeof host); /* ours fits, and ends in NUL */
    wire_u64(&wire, RANKS_HELLO);
    wire_u64(&wire, 0);
    wire_u64(&wire, (uint64_t)server->usual);
    wire_text(&wire, method);
    wire_text(&wire, host);
    return send_wire(server, &wire);
}

/* False where there was no memory for it: it is tried again. */
static bool answer(Server *server, const Running *running) {
    Wire wire = {0};
    wire_u64(&wire, RANKS_ANSWER);
    wire_u64(&wire, running->id);
    if (running->batch == NULL) {
        wire_u64(&wire, running->err.status);
        wire_text(&wire, running->err.message);
    } else {
        wire_u64(&wire, STATUS_OK);
        job_put_answers(&wire, running->job);
    }
    return send_wire(server, &wire);
}

/* Answers the jobs that have ended. */
static bool answer_done(Server *server) {
    bool any = false;
    for (Running **at = &server->first; *at != NULL;) {
        Running *running = *at;
        size_t i;
        bool all = running->batch == NULL;
        if (!running->ended)
            running->ended =
                all || batch_next(running->batch, 0, &i, &all) || all;
        if (!running->ended || !answer(server, running)) {
            at = &running->next;
            continue;
        }
        *at = running->next;
        batch_release(running->batch);
        mem_free(running);
        any = true;
    }
    return any;
}

/* ---- receiving ---- */

static void enter_folder(Server *server, const char *folder) {
    if (folder[0] != '\0' && strcmp(folder, server->folder) != 0 &&
        chdir(folder) == 0)
        memcpy(server->folder, folder, strlen(folder) + 1);
}

/* A pool of the size that rank 0 asks for; changed only between jobs. */
static Status ready_pool(Server *server, int threads, Err *err) {
    int wanted = server->serial ? 1 : threads > 0 ? threads : server->usual;
    if (server->pool != NULL &&
        (server->workers == wanted || server->first != NULL))
        return STATUS_OK;
    pool_release(server->pool);
    server->pool = NULL;
    server->workers = wanted;
    return pool_create(&server->pool, wanted, err);
}

/* The message's job, started. */
static Status start_job(Server *server, WireReader *from, Running *running,
                        Err *err) {
    char folder[PATH_MAX];
    uint64_t threads = 0;
    Batch *batch = NULL;
    Status status = take_most(from, &threads, POOL_WORKERS_MAX, "threads", err);
    if (status == STATUS_OK)
        status = take_text(from, folder, sizeof folder, "folder", err);
    if (status != STATUS_OK)
        return status;
    enter_folder(server, folder);
    status = ready_pool(server, (int)threads, err);
    if (status == STATUS_OK)
        status = job_take(from, &server->files, &running->job, err);
    if (status != STATUS_OK)
        return status;
    status = batch_create(&batch, 1, NULL, run, running->job, release, err);
    if (status != STATUS_OK) {
        job_release(running->job);
        return status;
    }
    status = pool_start(server->pool, batch, err);
    if (status == STATUS_OK)
        running->batch = batch;
    else
        batch_release(batch);
    return status;
}

/* A job that can't be started is answered with the reason. False where there
 * is no memory to remember it by: the message is to be taken again. */
static bool take_job(Server *server, uint64_t id, WireReader *from) {
    Running *running = mem_zeroed(1, sizeof *running, NULL);
    if (running == NULL)
        return false;
    running->id = id;
    Status status = start_job(server, from, running, &running->err);
    (void)status; /* the answer's: batch is NULL */
    running->next = server->first;
    server->first = running;
    return true;
}

static void take_cancel(Server *server, uint64_t id) {
    for (Running *at = server->first; at != NULL; at = at->next)
        if (at->id == id && at->batch != NULL)
            batch_cancel(at->batch);
}

static void take_bytes(Server *server, const uint8_t *bytes, size_t n) {
    WireReader from = {bytes, 0, n};
    uint64_t kind = 0, id = 0;
    long wait = 0;
    if (take_most(&from, &kind, RANKS_END, "kind", NULL) != STATUS_OK ||
        take_u64(&from, &id, "number", NULL) != STATUS_OK)
        return;
    switch (kind) {
    case RANKS_JOB:
        while (!take_job(server, id, &from))
            ranks_wait(&wait);
        break;
    case RANKS_CANCEL:
        take_cancel(server, id);
        break;
    case RANKS_END:
        server->ended = true;
        break;
    default:
        break;
    }
}

/* One message, if there is any. */
static bool take_message(Server *server) {
    int rank;
    size_t n;
    uint8_t *bytes = ranks_take(server->transport, &rank, &n);
    if (bytes == NULL)
        return false;
    take_bytes(server, bytes, n);
    mem_free(bytes);
    return true;
}

static void server_release(Server *server) {
    while (server->first != NULL) {
        Running *running = server->first;
        server->first = running->next;
        batch_release(running->batch);
        mem_free(running);
    }
    pool_release(server->pool);
    wire_files_release(&server->files);
}

Status ranks_serve(Transport *transport, Err *err) {
    Server server = {.transport = transport, .serial = !linalg_single_thread()};
    long wait = 0;
    server.usual = server.serial ? 1 : pool_default_workers();
    if (!say_hello(&server))
        return err_set(err, STATUS_NOMEM, "rank %d can't reach rank 0",
                       transport->rank);
    while (!server.ended) {
        bool moved = take_message(&server);
        moved = answer_done(&server) || moved;
        if (moved)
            wait = 0;
        else
            ranks_wait(&wait);
    }
    server_release(&server);
    return STATUS_OK;
}

const RanksDoor ranks_door = {ranks_serve};
