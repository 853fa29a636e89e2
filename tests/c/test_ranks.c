/* The conductor and ranks that serve, as threads of one process: messages go
 * through queues in memory. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cache.h"
#include "fail_alloc.h"
#include "linalg.h"
#include "planted.h"
#include "ranks.h"

enum { RANKS_MOST = 4, JOBS = 24, SIZE = 40 };

/* ---- a transport ---- */

typedef struct Message Message;
struct Message {
    int from;
    size_t n;
    uint8_t *bytes;
    Message *next;
};

/* What all ranks of a test share. */
typedef struct Net {
    pthread_mutex_t lock;
    Message *queue[RANKS_MOST];
    size_t jobs[RANKS_MOST], cancels; /* sent */
    bool refuses;                     /* to take jobs */
} Net;

typedef struct Port {
    Transport transport;
    Net *net;
    pthread_t thread;
} Port;

static Net net;
static Port ports[RANKS_MOST];

static Status port_send(Transport *transport, int to, uint8_t *bytes, size_t n,
                        Err *err) {
    if (net.refuses && bytes[0] == RANKS_JOB)
        return err_set(err, STATUS_IO, "no way to rank %d", to);
    Message *message = calloc(1, sizeof *message);
    assert_non_null(message);
    *message = (Message){transport->rank, n, bytes, NULL};
    pthread_mutex_lock(&net.lock);
    Message **at = &net.queue[to];
    while (*at != NULL)
        at = &(*at)->next;
    *at = message;
    net.jobs[to] += bytes[0] == RANKS_JOB;
    net.cancels += bytes[0] == RANKS_CANCEL;
    pthread_mutex_unlock(&net.lock);
    return STATUS_OK;
}

static bool port_probe(Transport *transport, int *from, size_t *n) {
    pthread_mutex_lock(&net.lock);
    const Message *message = net.queue[transport->rank];
    if (message != NULL) {
        *from = message->from;
        *n = message->n;
    }
    pthread_mutex_unlock(&net.lock);
    return message != NULL;
}

static Status port_receive(Transport *transport, int from, uint8_t *bytes,
                           size_t n, Err *err) {
    (void)err;
    pthread_mutex_lock(&net.lock);
    Message *message = net.queue[transport->rank];
    net.queue[transport->rank] = message->next;
    pthread_mutex_unlock(&net.lock);
    bool right = message->from == from && message->n == n;
    memcpy(bytes, message->bytes, n);
    mem_free(message->bytes);
    free(message);
    return right ? STATUS_OK : STATUS_IO;
}

static void send_words(int from, int to, const uint64_t *words, size_t n) {
    uint8_t *bytes = mem_array(n, sizeof *words, NULL);
    assert_non_null(bytes);
    memcpy(bytes, words, n * sizeof *words);
    Transport *transport = &ports[from].transport;
    assert_int_equal(port_send(transport, to, bytes, n * sizeof *words, NULL),
                     STATUS_OK);
}

static void *serve(void *argument) {
    Port *port = argument;
    return ranks_serve(&port->transport, NULL) == STATUS_OK ? port : NULL;
}

/* Rank 0's transport, and threads for as many of the others. */
static Transport *net_open(int size, int serving) {
    memset(&net, 0, sizeof net);
    pthread_mutex_init(&net.lock, NULL);
    for (int i = 0; i < size; i++)
        ports[i].transport = (Transport){.rank = i,
                                         .size = size,
                                         .send = port_send,
                                         .probe = port_probe,
                                         .receive = port_receive};
    for (int i = 1; i <= serving; i++)
        assert_int_equal(
            pthread_create(&ports[i].thread, NULL, serve, &ports[i]), 0);
    return &ports[0].transport;
}

static void net_close(int serving) {
    const uint64_t end[] = {RANKS_END, 0};
    for (int i = 1; i <= serving; i++) {
        void *done = NULL;
        send_words(0, i, end, 2);
        assert_int_equal(pthread_join(ports[i].thread, &done), 0);
        assert_ptr_equal(done, &ports[i]);
    }
    for (int i = 0; i < RANKS_MOST; i++)
        while (net.queue[i] != NULL) {
            Message *message = net.queue[i];
            net.queue[i] = message->next;
            mem_free(message->bytes);
            free(message);
        }
    pthread_mutex_destroy(&net.lock);
}

/* ---- a batch ---- */

typedef struct Spectra {
    Tensor matrix[JOBS];
    double s[JOBS][SIZE];
    SpectrumInfo info[JOBS];
    Status status[JOBS];
    Err err[JOBS];
    int rank[JOBS];
    bool back[JOBS], own[JOBS]; /* given back; to rank 0 alone */
    atomic_bool released;
} Spectra;

static void face_job(void *data, size_t i, RankJob *out) {
    Spectra *spectra = data;
    *out = (RankJob){.matrix = &spectra->matrix[i],
                     .s = spectra->s[i],
                     .info = &spectra->info[i],
                     .count = 1,
                     .status = &spectra->status[i],
                     .err = &spectra->err[i]};
}

static void face_run(void *data, size_t i, Scratch *scratch,
                     const volatile int *cancel) {
    RankJob job;
    face_job(data, i, &job);
    job_run(&job, scratch, cancel);
}

static void face_took(void *data, size_t i, int rank) {
    Spectra *spectra = data;
    spectra->rank[i] = rank;
}

static void face_back(void *data, size_t i, bool own) {
    Spectra *spectra = data;
    spectra->back[i] = true;
    spectra->own[i] = own;
}

static const RanksFace FACE = {face_job, face_took, face_back};

static void released(void *data) {
    Spectra *spectra = data;
    atomic_store(&spectra->released, true);
}

static Spectra *spectra_make(void) {
    Spectra *spectra = calloc(1, sizeof *spectra);
    assert_non_null(spectra);
    for (int i = 0; i < JOBS; i++) {
        double s[SIZE];
        for (int k = 0; k < SIZE; k++)
            s[k] = 1.0 / (1 + k + i);
        const int64_t shape[] = {SIZE + i, SIZE};
        assert_int_equal(
            tensor_create(&spectra->matrix[i], DTYPE_F64, 2, shape, NULL),
            STATUS_OK);
        assert_int_equal(planted_matrix((uint64_t)shape[0], SIZE, s,
                                        (uint64_t)i,
                                        tensor_data(&spectra->matrix[i]), NULL),
                         STATUS_OK);
    }
    return spectra;
}

static void spectra_end(Spectra *spectra) {
    for (int i = 0; i < JOBS; i++)
        tensor_release(&spectra->matrix[i]);
    free(spectra);
}

static void pause_briefly(void) {
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

/* Waits for every job that was taken; how many were told. */
static size_t drain(Batch *batch) {
    size_t told = 0, i;
    for (bool all = false; !all;)
        told += batch_next(batch, 1.0, &i, &all);
    return told;
}

static Batch *make_batch(Spectra *spectra) {
    Batch *batch = NULL;
    assert_int_equal(
        batch_create(&batch, JOBS, NULL, face_run, spectra, released, NULL),
        STATUS_OK);
    return batch;
}

/* What one process finds. */
static void compute_here(Spectra *spectra) {
    Scratch scratch = {0};
    for (size_t i = 0; i < JOBS; i++)
        face_run(spectra, i, &scratch, NULL);
    scratch_release(&scratch);
}

/* Runs what was given back; how many there were. */
static size_t compute_back(Spectra *spectra) {
    Scratch scratch = {0};
    size_t count = 0;
    for (size_t i = 0; i < JOBS; i++) {
        if (!spectra->back[i])
            continue;
        face_run(spectra, i, &scratch, NULL);
        count++;
    }
    scratch_release(&scratch);
    return count;
}

static void check_same(const Spectra *a, const Spectra *b) {
    assert_memory_equal(a->s, b->s, sizeof a->s);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(a->status[i], b->status[i]);
        assert_true(a->info[i].bound == b->info[i].bound);
    }
}

/* No worker of rank 0: the others do all of it, and to the bit the same. */
static void test_others_do_it(void **state) {
    (void)state;
    Spectra *here = spectra_make(), *there = spectra_make();
    Ranks *ranks = NULL;
    char note[RANKS_NOTE];
    compute_here(here);
    Transport *transport = net_open(4, 3);
    assert_int_equal(ranks_create(&ranks, transport, NULL), STATUS_OK);
    assert_ptr_equal(transport->ranks, ranks);
    Batch *batch = make_batch(there);
    assert_int_equal(ranks_help(ranks, batch, there, &FACE, 2, NULL),
                     STATUS_OK);
    assert_int_equal(drain(batch), JOBS);
    check_same(here, there);
    size_t sent = 0;
    for (int i = 0; i < JOBS; i++)
        assert_in_range(there->rank[i], 1, 3);
    for (int i = 1; i < 4; i++)
        sent += net.jobs[i];
    assert_int_equal(sent, JOBS);
    assert_false(ranks_note(ranks, note));
    batch_release(batch);
    ranks_release(ranks);
    assert_null(transport->ranks);
    assert_true(atomic_load(&there->released));
    net_close(3);
    spectra_end(here);
    spectra_end(there);
}

/* Workers and ranks take from one list: each job once. */
static void test_shared_list(void **state) {
    (void)state;
    Spectra *here = spectra_make(), *there = spectra_make();
    Ranks *ranks = NULL;
    Pool *pool = NULL;
    compute_here(here);
    assert_int_equal(pool_create(&pool, 1, NULL), STATUS_OK);
    assert_int_equal(ranks_create(&ranks, net_open(2, 1), NULL), STATUS_OK);
    for (int round = 0; round < 5; round++) {
        Batch *batch = make_batch(there);
        assert_int_equal(pool_start(pool, batch, NULL), STATUS_OK);
        assert_int_equal(ranks_help(ranks, batch, there, &FACE, 0, NULL),
                         STATUS_OK);
        assert_int_equal(drain(batch), JOBS);
        check_same(here, there);
        batch_release(batch);
    }
    ranks_release(ranks);
    pool_release(pool);
    net_close(1);
    spectra_end(here);
    spectra_end(there);
}

/* A rank that takes so many jobs and is answered for by hand; of the method
 * that rank 0 has where that is NULL. */
static void hello(int rank, uint64_t workers, const char *method) {
    Wire wire = {0};
    char own[CACHE_METHOD_SIZE];
    cache_method(own);
    wire_u64(&wire, RANKS_HELLO);
    wire_u64(&wire, 0);
    wire_u64(&wire, workers);
    wire_text(&wire, method != NULL ? method : own);
    wire_text(&wire, "far");
    assert_int_equal(wire.status, STATUS_OK);
    Transport *transport = &ports[rank].transport;
    assert_int_equal(port_send(transport, 0, wire.bytes, wire.count, NULL),
                     STATUS_OK);
}

/* Jobs that can't be sent end, but are still to be run: not by the conductor,
 * which has other things to do. */
static void test_unsendable(void **state) {
    (void)state;
    Spectra *here = spectra_make(), *there = spectra_make();
    Ranks *ranks = NULL;
    compute_here(here);
    Transport *transport = net_open(2, 0);
    net.refuses = true;
    assert_int_equal(ranks_create(&ranks, transport, NULL), STATUS_OK);
    hello(1, 1, NULL);
    Batch *batch = make_batch(there);
    assert_int_equal(ranks_help(ranks, batch, there, &FACE, 0, NULL),
                     STATUS_OK);
    assert_int_equal(drain(batch), JOBS);
    for (int i = 0; i < JOBS; i++)
        assert_true(there->info[i].read == 0 && there->own[i]);
    assert_int_equal(compute_back(there), JOBS);
    check_same(here, there);
    assert_int_equal(net.jobs[1], 0);
    batch_release(batch);
    ranks_release(ranks);
    net_close(0);
    spectra_end(here);
    spectra_end(there);
}

/* An answer of rank 1's to a job: of the whole and, where that is STATUS_OK, of
 * its matrix, both no more than a reason. */
static void answer(uint64_t id, Status whole, Status each, const char *why) {
    Wire wire = {0};
    wire_u64(&wire, RANKS_ANSWER);
    wire_u64(&wire, id);
    wire_u64(&wire, whole);
    if (whole == STATUS_OK)
        wire_u64(&wire, each);
    wire_text(&wire, why);
    assert_int_equal(
        port_send(&ports[1].transport, 0, wire.bytes, wire.count, NULL),
        STATUS_OK);
}

static size_t count_of(const size_t *counter) {
    pthread_mutex_lock(&net.lock);
    size_t value = *counter;
    pthread_mutex_unlock(&net.lock);
    return value;
}

/* A batch that nobody waits for any more: the rank is told, and the data goes
 * with its answer. */
static void test_cancelled(void **state) {
    (void)state;
    Spectra *there = spectra_make();
    Ranks *ranks = NULL;
    char note[RANKS_NOTE];
    assert_int_equal(ranks_create(&ranks, net_open(2, 0), NULL), STATUS_OK);
    hello(1, 1, NULL);
    Batch *batch = make_batch(there);
    assert_int_equal(ranks_help(ranks, batch, there, &FACE, 0, NULL),
                     STATUS_OK);
    while (count_of(&net.jobs[1]) == 0)
        pause_briefly();
    batch_release(batch);
    while (count_of(&net.cancels) == 0)
        pause_briefly();
    assert_false(atomic_load(&there->released));
    answer(1, STATUS_OK, STATUS_CANCELLED, "interrupted");
    while (!atomic_load(&there->released))
        pause_briefly();
    assert_false(ranks_note(ranks, note));
    ranks_release(ranks);
    net_close(0);
    spectra_end(there);
}

/* A batch of which rank 1 takes the first `taken` jobs, and what waits for it
 * is the pool's once they are taken. */
typedef struct Shared {
    Spectra *there;
    Ranks *ranks;
    Pool *pool;
    Batch *batch;
} Shared;

static Batch *share_batch(const Shared *shared) {
    Batch *batch = make_batch(shared->there);
    assert_int_equal(
        ranks_help(shared->ranks, batch, shared->there, &FACE, 0, NULL),
        STATUS_OK);
    return batch;
}

static Shared share(uint64_t taken) {
    Shared shared = {.there = spectra_make()};
    assert_int_equal(pool_create(&shared.pool, 1, NULL), STATUS_OK);
    assert_int_equal(ranks_create(&shared.ranks, net_open(2, 0), NULL),
                     STATUS_OK);
    hello(1, taken, NULL);
    shared.batch = share_batch(&shared);
    while (count_of(&net.jobs[1]) < taken)
        pause_briefly();
    return shared;
}

/* After rank 1's answers: the pool does the rest, of what was given back there
 * are so many, and rank 1 had no more jobs; then all is as in one process. */
static void share_rest(Shared *shared, size_t given, bool own,
                       const char *note) {
    Spectra *here = spectra_make(), *there = shared->there;
    char found[RANKS_NOTE];
    size_t sent = count_of(&net.jobs[1]);
    while (!ranks_note(shared->ranks, found))
        pause_briefly();
    assert_string_equal(found, note);
    assert_int_equal(pool_start(shared->pool, shared->batch, NULL), STATUS_OK);
    assert_int_equal(drain(shared->batch), JOBS);
    assert_int_equal(count_of(&net.jobs[1]), sent);
    for (int i = 0; i < JOBS; i++)
        assert_true(!there->back[i] || there->own[i] == own);
    assert_int_equal(compute_back(there), given);
    compute_here(here);
    check_same(here, there);
    assert_false(ranks_note(shared->ranks, found));
    batch_release(shared->batch);
    spectra_end(here);
}

static void share_end(Shared *shared) {
    ranks_release(shared->ranks);
    pool_release(shared->pool);
    net_close(0);
    spectra_end(shared->there);
}

/* Answers that are none cost time, and nothing else. */
static void test_broken_answers(void **state) {
    (void)state;
    const uint64_t noise[] = {99, 1}, nobody[] = {RANKS_ANSWER, 1000, 0};
    Shared shared = share(3);
    for (uint64_t id = 1; id <= 3; id++) {
        const uint64_t broken[] = {RANKS_ANSWER, id, id % 2 ? 77 : 0, 5};
        send_words(1, 0, nobody, 3);
        send_words(1, 0, broken, 4);
    }
    send_words(1, 0, noise, 2);
    share_rest(&shared, 3, true,
               "rank 1 on far: a message's status at byte 16 is 77: expected "
               "at most 9: its jobs go to others");
    share_end(&shared);
}

/* A rank that can't begin: others may, it is left alone until the next call.
 */
static void test_not_begun(void **state) {
    (void)state;
    Shared shared = share(2);
    answer(1, STATUS_IO, STATUS_OK, "f: cannot open");
    answer(2, STATUS_IO, STATUS_OK, "f: cannot open");
    share_rest(&shared, 2, false,
               "rank 1 on far: f: cannot open: its jobs go to others");
    shared.batch = share_batch(&shared);
    assert_int_equal(pool_start(shared.pool, shared.batch, NULL), STATUS_OK);
    assert_int_equal(drain(shared.batch), JOBS);
    batch_release(shared.batch);
    assert_int_equal(count_of(&net.jobs[1]), 2);
    ranks_begin(shared.ranks);
    shared.batch = share_batch(&shared);
    while (count_of(&net.jobs[1]) < 4)
        pause_briefly();
    answer(3, STATUS_IO, STATUS_OK, "told before");
    answer(4, STATUS_NOMEM, STATUS_OK, "told before");
    assert_int_equal(pool_start(shared.pool, shared.batch, NULL), STATUS_OK);
    assert_int_equal(drain(shared.batch), JOBS);
    batch_release(shared.batch);
    share_end(&shared);
}

/* What may be the rank's own failure is rank 0's to find; what tells of the
 * matrix is an answer. */
static void test_failed_midway(void **state) {
    (void)state;
    Shared shared = share(2);
    answer(1, STATUS_OK, STATUS_NONFINITE, "as it is");
    while (count_of(&net.jobs[1]) < 3)
        pause_briefly();
    assert_int_equal(shared.there->status[0], STATUS_NONFINITE);
    assert_string_equal(shared.there->err[0].message, "as it is");
    assert_int_equal(shared.there->rank[0], 1);
    shared.there->back[0] = shared.there->own[0] = true; /* to compare */
    answer(2, STATUS_OK, STATUS_NOMEM, "not enough memory");
    answer(3, STATUS_OK, STATUS_IO, "cannot read");
    share_rest(&shared, 3, true,
               "rank 1 on far: not enough memory: its jobs go to others");
    share_end(&shared);
}

/* Many ranks are told of in one line. */
static void test_many_notes(void **state) {
    (void)state;
    Ranks *ranks = NULL;
    char note[RANKS_NOTE];
    const uint64_t broken[] = {RANKS_HELLO, 0, 9999};
    assert_int_equal(ranks_create(&ranks, net_open(4, 0), NULL), STATUS_OK);
    for (int rank = 1; rank < 4; rank++)
        send_words(rank, 0, broken, 3);
    Spectra *there = spectra_make();
    Batch *batch = make_batch(there);
    assert_int_equal(ranks_help(ranks, batch, there, &FACE, 0, NULL),
                     STATUS_OK);
    for (int from; port_probe(&ports[0].transport, &from, &(size_t){0});)
        pause_briefly();
    batch_release(batch);
    ranks_stop(ranks);
    assert_true(ranks_note(ranks, note));
    assert_string_equal(note,
                        "rank 1: a message's workers at byte 16 is 9999: "
                        "expected at most 1024: its jobs go to others; others "
                        "that do not help: 2");
    assert_false(ranks_note(ranks, note));
    ranks_release(ranks);
    net_close(0);
    spectra_end(there);
}

/* The last digits might not be rank 0's. */
static void test_other_method(void **state) {
    (void)state;
    Ranks *ranks = NULL;
    char note[RANKS_NOTE], own[CACHE_METHOD_SIZE], other[CACHE_METHOD_SIZE];
    char expected[RANKS_NOTE];
    cache_method(own);
    cache_method(other);
    other[strlen(other) - 1] = '?'; /* as of a processor with other vectors */
    snprintf(expected, sizeof expected,
             "rank 1 on far computes by %s; rank 0 by %s: it gets no jobs",
             other, own);
    Spectra *there = spectra_make();
    Pool *pool = NULL;
    assert_int_equal(pool_create(&pool, 1, NULL), STATUS_OK);
    assert_int_equal(ranks_create(&ranks, net_open(2, 0), NULL), STATUS_OK);
    hello(1, 1, other);
    Batch *batch = make_batch(there);
    assert_int_equal(ranks_help(ranks, batch, there, &FACE, 0, NULL),
                     STATUS_OK);
    while (!ranks_note(ranks, note))
        pause_briefly();
    assert_string_equal(note, expected);
    assert_false(ranks_note(ranks, note));
    assert_int_equal(pool_start(pool, batch, NULL), STATUS_OK);
    assert_int_equal(drain(batch), JOBS);
    assert_int_equal(net.jobs[1], 0);
    batch_release(batch);
    ranks_release(ranks);
    pool_release(pool);
    net_close(0);
    spectra_end(there);
}

/* Messages to a rank that serves: what is no job is passed over, a job that
 * can't be read is answered with the reason. */
static void test_broken_jobs(void **state) {
    (void)state;
    Transport *transport = net_open(2, 1);
    const uint64_t noise[] = {99, 1}, stray[] = {RANKS_CANCEL, 8};
    const uint64_t job[] = {RANKS_JOB, 7, 0, 0, 5};
    int from;
    size_t n;
    uint8_t bytes[512];
    send_words(0, 1, noise, 2);
    send_words(0, 1, noise, 1);
    send_words(0, 1, stray, 2);
    send_words(0, 1, job, 5);
    for (int messages = 0; messages < 2; messages++) {
        while (!port_probe(transport, &from, &n))
            pause_briefly();
        assert_true(n <= sizeof bytes);
        assert_int_equal(port_receive(transport, from, bytes, n, NULL),
                         STATUS_OK);
    }
    WireReader answer = {bytes, 0, n};
    uint64_t word[3];
    char message[200];
    assert_int_equal(take_block(&answer, word, sizeof word, "", NULL), 0);
    assert_int_equal(take_text(&answer, message, sizeof message, "", NULL), 0);
    assert_int_equal(word[0], RANKS_ANSWER);
    assert_int_equal(word[1], 7);
    assert_int_equal(word[2], STATUS_FORMAT);
    assert_string_equal(message, "a message's wish at byte 32 is 5: expected "
                                 "at most 1");
    net_close(1);
}

/* Waits for all; the pool does what a rank that failed is not given. */
static void drain_helped(Ranks *ranks, Batch *batch, Pool *pool) {
    char note[RANKS_NOTE];
    size_t told = 0, i;
    for (bool all = false; !all;) {
        told += batch_next(batch, 0.001, &i, &all);
        if (ranks_note(ranks, note))
            assert_int_equal(pool_start(pool, batch, NULL), STATUS_OK);
    }
    assert_int_equal(told, JOBS);
}

/* A thread may be refused memory for a job or for its answer; nothing hangs
 * and nothing is lost. */
static void test_no_memory(void **state) {
    (void)state;
    Spectra *here = spectra_make();
    compute_here(here);
    for (long at = 1; at < 120; at++) {
        Spectra *there = spectra_make();
        Ranks *ranks = NULL;
        Transport *transport = net_open(2, 1);
        Batch *batch = make_batch(there);
        Pool *pool = NULL;
        int from;
        assert_int_equal(pool_create(&pool, 1, NULL), STATUS_OK);
        size_t n;
        while (!port_probe(transport, &from, &n))
            pause_briefly(); /* until it has said hello */
        fail_alloc_at(at);
        Status status = ranks_create(&ranks, transport, NULL);
        if (status == STATUS_OK)
            status = ranks_help(ranks, batch, there, &FACE, 0, NULL);
        if (status == STATUS_OK)
            drain_helped(ranks, batch, pool);
        fail_alloc_at(0);
        (void)compute_back(there);
        if (status == STATUS_OK)
            check_same(here, there);
        batch_release(batch);
        ranks_release(ranks);
        pool_release(pool);
        net_close(1);
        spectra_end(there);
    }
    spectra_end(here);
}

/* As every process does before it computes in threads. */
static int one_thread(void **state) {
    (void)state;
    return linalg_single_thread() ? 0 : 1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_others_do_it),
        cmocka_unit_test(test_shared_list),
        cmocka_unit_test(test_unsendable),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_broken_answers),
        cmocka_unit_test(test_not_begun),
        cmocka_unit_test(test_failed_midway),
        cmocka_unit_test(test_many_notes),
        cmocka_unit_test(test_other_method),
        cmocka_unit_test(test_broken_jobs),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, one_thread, NULL);
}
