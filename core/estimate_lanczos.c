/* Block steps over the matrix, and each probe's own work after them. */
#include "estimate_lanczos.h"

#include <math.h>
#include <string.h>

#include "cancel.h"
#include "estimate_vector.h"
#include "linalg.h"
#include "mem.h"
#include "random.h"

void lanczos_fill(float *x, size_t n, size_t ld, uint64_t seed) {
    Random random = random_start(seed);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)random_normal(&random);
    memset(x + n, 0, (ld - n) * sizeof *x);
}

static size_t length(const Lanczos *lanczos) {
    return lanczos->product->held->ld;
}

/* The vector of probe v at a step. */
static float *vector_at(const Lanczos *lanczos, size_t v, int step) {
    size_t at = v * LANCZOS_CHUNK + (size_t)(step % LANCZOS_CHUNK);
    return lanczos->chunk[step / LANCZOS_CHUNK] + at * length(lanczos);
}

/* Norm 1; a vector of zeros stays one. Returns what the norm was. */
static double normalise(float *x, size_t n) {
    double norm = sqrt(vector_dot(x, x, n));
    if (norm > 0)
        vector_scale(x, (float)(1 / norm), n);
    return norm;
}

typedef struct Start {
    Lanczos *lanczos;
    uint64_t seed;
} Start;

/* TeamTask: probe v. */
static void start_task(void *data, size_t v, int member) {
    const Start *start = data;
    const Lanczos *lanczos = start->lanczos;
    size_t ld = length(lanczos);
    float *x = lanczos->next + v * ld;
    (void)member;
    lanczos_fill(x, (size_t)lanczos->product->held->n, ld, start->seed + v);
    vector_project(x, lanczos->deflated, lanczos->deflations, ld);
    (void)normalise(x, ld);
}

Status lanczos_start(Lanczos *lanczos, uint64_t seed, Err *err) {
    lanczos->steps = 0;
    memset(lanczos->chunk, 0, sizeof lanczos->chunk);
    lanczos->next = mem_array(lanczos->probes * length(lanczos),
                              sizeof *lanczos->next, err);
    if (lanczos->next == NULL)
        return STATUS_NOMEM;
    Start start = {lanczos, seed};
    team_run(lanczos->product->team, lanczos->probes, start_task, &start);
    return STATUS_OK;
}

/* TeamTask: keeps the vector of probe v that the step begins with. */
static void keep_task(void *data, size_t v, int member) {
    const Lanczos *lanczos = data;
    size_t ld = length(lanczos);
    (void)member;
    memcpy(vector_at(lanczos, v, lanczos->steps), lanczos->next + v * ld,
           ld * sizeof(float));
}

/* TeamTask: what A^T A gave probe v, less all before it. */
static void step_task(void *data, size_t v, int member) {
    Lanczos *lanczos = data;
    size_t ld = length(lanczos);
    int step = lanczos->steps;
    float *w = lanczos->next + v * ld;
    (void)member;
    vector_project(w, lanczos->deflated, lanczos->deflations, ld);
    lanczos->alpha[v][step] = vector_dot(w, vector_at(lanczos, v, step), ld);
    /* the latest first: w has most of them, and what the earlier are not quite
     * orthogonal to them would come back with their share */
    for (int i = step / LANCZOS_CHUNK * LANCZOS_CHUNK; i >= 0;
         i -= LANCZOS_CHUNK) {
        int count = step + 1 - i;
        count = count < LANCZOS_CHUNK ? count : LANCZOS_CHUNK;
        vector_project(w, vector_at(lanczos, v, i), (size_t)count, ld);
    }
    lanczos->beta[v][step] = normalise(w, ld);
}

Status lanczos_extend(Lanczos *lanczos, int steps, const volatile int *cancel,
                      Err *err) {
    float *vectors[LANCZOS_PROBES_MOST];
    size_t ld = length(lanczos), area = lanczos->probes * LANCZOS_CHUNK * ld;
    Team *team = lanczos->product->team;
    for (size_t v = 0; v < lanczos->probes; v++)
        vectors[v] = lanczos->next + v * ld;
    for (; lanczos->steps < steps; lanczos->steps++) {
        float **chunk = &lanczos->chunk[lanczos->steps / LANCZOS_CHUNK];
        if (cancel_seen(cancel))
            return err_set(err, STATUS_CANCELLED, "interrupted");
        if (*chunk == NULL)
            *chunk = mem_array(area, sizeof **chunk, err);
        if (*chunk == NULL)
            return STATUS_NOMEM;
        team_run(team, lanczos->probes, keep_task, lanczos);
        product_gram(lanczos->product, vectors, vectors, lanczos->probes);
        team_run(team, lanczos->probes, step_task, lanczos);
    }
    return STATUS_OK;
}

void lanczos_release(Lanczos *lanczos) {
    mem_free(lanczos->next);
    lanczos->next = NULL;
    for (size_t i = 0; i < sizeof lanczos->chunk / sizeof *lanczos->chunk;
         i++) {
        mem_free(lanczos->chunk[i]);
        lanczos->chunk[i] = NULL;
    }
}

Status lanczos_quadrature(const Lanczos *lanczos, size_t v, int steps,
                          double *node, double *weight, Scratch *scratch,
                          int slot, Err *err) {
    size_t k = (size_t)steps;
    double *t = mem_zeroed(k * k, sizeof *t, err);
    if (t == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < k; i++) {
        t[i * k + i] = lanczos->alpha[v][i];
        if (i + 1 < k)
            t[i * k + i + 1] = lanczos->beta[v][i];
    }
    Status status = linalg_symmetric(steps, t, true, node, scratch, slot, err);
    for (size_t i = 0; i < k && status == STATUS_OK; i++) {
        node[i] = node[i] > 0 ? sqrt(node[i]) : 0;
        weight[i] = t[i * k] * t[i * k];
    }
    mem_free(t);
    return status;
}
