/* The recipe: deflate, probe until the interval is narrow, sum up. */
#include "estimate.h"

#include <math.h>
#include <string.h>

#include "cancel.h"
#include "estimate_lanczos.h"
#include "estimate_vector.h"
#include "linalg.h"
#include "mem.h"

enum {
    DEFLATED = 16,
    SKETCH = 24,           /* Gaussian vectors that these come from */
    POWER = 2,             /* times A^T A is applied to them */
    PAIRED = 2 * DEFLATED, /* the deflated and what A^T A makes of them */
    PROBES_FIRST = 16,
    PROBES_MORE = 8,
    PROBES_MOST = 64,
    STEPS_FIRST = 16
};

static const double NARROW = 0.015;     /* half-width to stop at */
static const double STEP_GOOD = 0.0075; /* step term that stays */
static const double STEP_DIVISOR = 1.5; /* of the change by half the steps */
static const double ROUNDING = 1e-6;    /* of float32's sums, relative */
static const double UNIT = 0x1p-24;

/* Sums over the complement by one probe: of s, and of s ln s. */
typedef struct Sums {
    double s, s_log;
} Sums;

typedef struct Run {
    Product product;
    Team *team;
    uint64_t seed;
    const volatile int *cancel;
    Scratch scratch;
    float *sketch;        /* (PAIRED, ld); then its first rows are deflated */
    double top[DEFLATED]; /* their singular values, falling */
    Sums deflated;
    Lanczos lanczos; /* of the probes under way */
    int probes, steps;
    Sums whole[PROBES_MOST], half[PROBES_MOST];
    /* (PROBES_MOST, LANCZOS_STEPS_MOST) nodes and weights of all probes */
    double *node, *weight;
    uint64_t products;
} Run;

static const Held *held_of(const Run *run) {
    return run->product.held;
}

static Status check_cancel(const Run *run, Err *err) {
    if (cancel_seen(run->cancel))
        return err_set(err, STATUS_CANCELLED, "interrupted");
    return STATUS_OK;
}

/* ---- deflation ---- */

/* TeamTask: Gaussian vector v. */
static void sketch_task(void *data, size_t v, int member) {
    const Run *run = data;
    const Held *held = held_of(run);
    (void)member;
    lanczos_fill(run->sketch + v * held->ld, (size_t)held->n, held->ld,
                 run->seed + PROBES_MOST + v);
}

/* The sketch's first `count` rows become orthonormal. work is (count, n). */
static Status orthonormal(Run *run, size_t count, double *work, Err *err) {
    const Held *held = held_of(run);
    size_t n = (size_t)held->n;
    double r[PAIRED * PAIRED];
    for (size_t v = 0; v < count; v++)
        for (size_t j = 0; j < n; j++)
            work[v * n + j] = (double)run->sketch[v * held->ld + j];
    Status status =
        linalg_qr_thin((int)n, (int)count, work, r, &run->scratch, 0, err);
    for (size_t v = 0; v < count && status == STATUS_OK; v++)
        for (size_t j = 0; j < n; j++)
            run->sketch[v * held->ld + j] = (float)work[v * n + j];
    return status;
}

/* Turns the basis Q (SKETCH, n) to the directions of the largest singular
 * values of A Q, which are B's (m, SKETCH). */
static Status turn(Run *run, const double *q, const double *b, Err *err) {
    const Held *held = held_of(run);
    int n = (int)held->n;
    double g[SKETCH * SKETCH] = {0}, square[SKETCH];
    linalg_gram(SKETCH, (int)held->m, b, SKETCH, true, 0, g, SKETCH);
    Status status =
        linalg_symmetric(SKETCH, g, true, square, &run->scratch, 0, err);
    if (status != STATUS_OK)
        return status;
    double *turned = mem_array((size_t)n * SKETCH, sizeof *turned, err);
    if (turned == NULL)
        return STATUS_NOMEM;
    linalg_multiply(false, false, n, SKETCH, SKETCH, q, n, g, SKETCH, 0, turned,
                    n);
    for (int v = 0; v < DEFLATED; v++) {
        const double *from = turned + (size_t)(SKETCH - 1 - v) * (size_t)n;
        float *to = run->sketch + (size_t)v * held->ld;
        for (int j = 0; j < n; j++)
            to[j] = (float)from[j];
        double s = square[SKETCH - 1 - v];
        run->top[v] = s > 0 ? sqrt(s) : 0;
    }
    mem_free(turned);
    return STATUS_OK;
}

static double s_log(double s) {
    return s > 0 ? s * log(s) : 0;
}

/* The basis after the power steps, and A times it, in float64. */
static Status range(Run *run, double *q, double *b, Err *err) {
    float *vectors[SKETCH];
    for (size_t v = 0; v < SKETCH; v++)
        vectors[v] = run->sketch + v * held_of(run)->ld;
    team_run(run->team, SKETCH, sketch_task, run);
    Status status = STATUS_OK;
    for (int i = 0; i < POWER && status == STATUS_OK; i++) {
        product_gram(&run->product, vectors, vectors, SKETCH);
        run->products += SKETCH;
        status = orthonormal(run, SKETCH, q, err);
        if (status == STATUS_OK)
            status = check_cancel(run, err);
    }
    if (status == STATUS_OK)
        status = product_forward(&run->product, vectors, SKETCH, b, err);
    return status;
}

/* Sums over the roots of the eigenvalues of g (PAIRED, PAIRED), lower triangle,
 * destroyed. */
static Status pair_sums(Run *run, double *g, Sums *sums, Err *err) {
    double square[PAIRED];
    Status status =
        linalg_symmetric(PAIRED, g, false, square, &run->scratch, 0, err);
    *sums = (Sums){0, 0};
    for (int i = 0; i < PAIRED && status == STATUS_OK; i++) {
        double s = square[i] > 0 ? sqrt(square[i]) : 0;
        sums->s += s;
        sums->s_log += s_log(s);
    }
    return status;
}

/* A^T A in the basis of the deflated directions and, orthogonal to them, what
 * it makes of them, into g (PAIRED, PAIRED), lower triangle. */
static Status pair(Run *run, double *q, double *b, double *g, Err *err) {
    const Held *held = held_of(run);
    float *vectors[PAIRED];
    for (size_t v = 0; v < PAIRED; v++)
        vectors[v] = run->sketch + v * held->ld;
    product_gram(&run->product, vectors, vectors + DEFLATED, DEFLATED);
    run->products += DEFLATED;
    Status status = orthonormal(run, PAIRED, q, err);
    if (status == STATUS_OK)
        status = product_forward(&run->product, vectors, PAIRED, b, err);
    if (status == STATUS_OK)
        linalg_gram(PAIRED, (int)held->m, b, PAIRED, true, 0, g, PAIRED);
    return status;
}

/* Where values lie close together the directions are not quite singular
 * vectors: what A^T A has between them and their complement is in the sums of
 * neither. Most of it is what the two halves of the pairs' space sum to
 * together, less what they sum to apart. */
static Status couple(Run *run, double *q, double *b, Err *err) {
    double together[PAIRED * PAIRED] = {0}, apart[PAIRED * PAIRED];
    Sums whole, parts;
    Status status = pair(run, q, b, together, err);
    memcpy(apart, together, sizeof apart);
    for (int j = 0; j < DEFLATED; j++)
        memset(apart + j * PAIRED + DEFLATED, 0, DEFLATED * sizeof *apart);
    if (status == STATUS_OK)
        status = pair_sums(run, together, &whole, err);
    if (status == STATUS_OK)
        status = pair_sums(run, apart, &parts, err);
    if (status != STATUS_OK)
        return status;
    run->deflated.s += whole.s - parts.s;
    run->deflated.s_log += whole.s_log - parts.s_log;
    return STATUS_OK;
}

static Status deflate(Run *run, Err *err) {
    const Held *held = held_of(run);
    size_t n = (size_t)held->n, m = (size_t)held->m;
    double *q = mem_array(PAIRED * (m + n), sizeof *q, err);
    if (q == NULL)
        return STATUS_NOMEM;
    double *b = q + PAIRED * n;
    Status status = range(run, q, b, err);
    if (status == STATUS_OK)
        status = turn(run, q, b, err);
    if (status == STATUS_OK)
        status = couple(run, q, b, err);
    mem_free(q);
    for (int i = 0; i < DEFLATED && status == STATUS_OK; i++) {
        run->deflated.s += run->top[i];
        run->deflated.s_log += s_log(run->top[i]);
    }
    return status;
}

/* ---- probes ---- */

/* Sums of the quadrature of probe v of those under way, after `steps`. */
static Status probe_sums(Run *run, size_t v, int steps, double *node,
                         double *weight, Sums *sums, Err *err) {
    double rest = (double)held_of(run)->n - DEFLATED;
    Status status = lanczos_quadrature(&run->lanczos, v, steps, node, weight,
                                       &run->scratch, 0, err);
    *sums = (Sums){0, 0};
    for (int i = 0; i < steps && status == STATUS_OK; i++) {
        weight[i] *= rest;
        sums->s += weight[i] * node[i];
        sums->s_log += weight[i] * s_log(node[i]);
    }
    return status;
}

/* Goes on to `steps` with the probes under way, which are the latest. */
static Status go_on(Run *run, int steps, Err *err) {
    size_t count = run->lanczos.probes, first = (size_t)run->probes - count;
    int before = run->lanczos.steps;
    Status status = lanczos_extend(&run->lanczos, steps, run->cancel, err);
    run->products += (uint64_t)(steps - before) * count;
    for (size_t v = 0; v < count && status == STATUS_OK; v++) {
        size_t at = (first + v) * LANCZOS_STEPS_MOST;
        double *node = run->node + at, *weight = run->weight + at;
        status = probe_sums(run, v, steps / 2, node, weight,
                            &run->half[first + v], err);
        if (status == STATUS_OK)
            status = probe_sums(run, v, steps, node, weight,
                                &run->whole[first + v], err);
    }
    run->steps = steps;
    return status;
}

/* `count` more probes, taken `steps` far. */
static Status add_probes(Run *run, int count, int steps, Err *err) {
    lanczos_release(&run->lanczos);
    run->lanczos.product = &run->product;
    run->lanczos.deflated = run->sketch;
    run->lanczos.deflations = DEFLATED;
    run->lanczos.probes = (size_t)count;
    Status status =
        lanczos_start(&run->lanczos, run->seed + (uint64_t)run->probes, err);
    if (status != STATUS_OK)
        return status;
    run->probes += count;
    return go_on(run, steps, err);
}

/* ---- the interval ---- */

static Sums mean_sums(const Run *run, const Sums *sums) {
    Sums mean = {0, 0};
    for (int i = 0; i < run->probes; i++) {
        mean.s += sums[i].s;
        mean.s_log += sums[i].s_log;
    }
    mean.s = mean.s / run->probes + run->deflated.s;
    mean.s_log = mean.s_log / run->probes + run->deflated.s_log;
    return mean;
}

/* exp(H), H = ln S - (sum of s ln s) / S. */
static double rank_of(Sums sums) {
    return exp(log(sums.s) - sums.s_log / sums.s);
}

/* Standard error of H, to first order, which is relative of exp(H). */
static double standard_error(const Run *run, Sums mean) {
    double by_s = (1 + mean.s_log / mean.s) / mean.s, by_log = -1 / mean.s;
    double own_s = mean.s - run->deflated.s;
    double own_log = mean.s_log - run->deflated.s_log, square = 0;
    for (int i = 0; i < run->probes; i++) {
        double off = by_s * (run->whole[i].s - own_s) +
                     by_log * (run->whole[i].s_log - own_log);
        square += off * off;
    }
    return sqrt(square / (run->probes - 1) / run->probes);
}

/* Student's t at 97.5 % for 15, 23, … 63 degrees of freedom. */
static double student(int probes) {
    static const double T[] = {2.13145, 2.06866, 2.03951, 2.02269,
                               2.01174, 2.00404, 1.99834};
    return T[(probes - PROBES_FIRST) / PROBES_MORE];
}

/* What float32 makes of values that are zero: n times its unit of the largest,
 * spread evenly, in the effective rank. */
static double rounding(const Run *run, Sums mean) {
    double noise = UNIT * run->top[0];
    return ROUNDING +
           (double)held_of(run)->n * noise / mean.s * log(mean.s / noise);
}

static void judge(const Run *run, Estimate *out) {
    Sums mean = mean_sums(run, run->whole);
    out->effective_rank = rank_of(mean);
    out->error = standard_error(run, mean);
    out->step =
        fabs(rank_of(mean_sums(run, run->half)) / out->effective_rank - 1);
    out->half_width = student(run->probes) * out->error +
                      out->step / STEP_DIVISOR + rounding(run, mean);
    out->probes = run->probes;
    out->steps = run->steps;
}

/* Probes until the interval is narrow enough or there are enough of them. */
static Status probe(Run *run, Estimate *out, Err *err) {
    int most = (int)held_of(run)->n - DEFLATED - 1;
    most = most < LANCZOS_STEPS_MOST ? most : LANCZOS_STEPS_MOST;
    Status status = add_probes(run, PROBES_FIRST, STEPS_FIRST, err);
    if (status != STATUS_OK)
        return status;
    judge(run, out);
    while (out->step / STEP_DIVISOR > STEP_GOOD && run->steps < most) {
        int steps = run->steps * 2;
        status = go_on(run, steps < most ? steps : most, err);
        if (status != STATUS_OK)
            return status;
        judge(run, out);
    }
    while (!(out->half_width < NARROW) && run->probes < PROBES_MOST) {
        status = add_probes(run, PROBES_MORE, run->steps, err);
        if (status != STATUS_OK)
            return status;
        judge(run, out);
    }
    return STATUS_OK;
}

/* ---- the density ---- */

static void count_in(Estimate *out, double s, double weight) {
    double at = s / out->largest * ESTIMATE_BINS;
    int bin = at < ESTIMATE_BINS ? (int)at : ESTIMATE_BINS - 1;
    out->weight[bin] += weight;
}

/* Fills in the bins; values in units of the scaled matrix. */
static void fill_bins(const Run *run, Estimate *out) {
    out->largest = run->top[0];
    for (int v = 0; v < run->probes; v++)
        for (int i = 0; i < run->steps; i++) {
            double s = run->node[v * LANCZOS_STEPS_MOST + i];
            out->largest = s > out->largest ? s : out->largest;
        }
    for (int i = 0; i < DEFLATED; i++)
        count_in(out, run->top[i], 1);
    for (int v = 0; v < run->probes; v++)
        for (int i = 0; i < run->steps; i++)
            count_in(out, run->node[v * LANCZOS_STEPS_MOST + i],
                     run->weight[v * LANCZOS_STEPS_MOST + i] / run->probes);
    const Held *held = held_of(run);
    out->largest /= (double)held->scale * held->stored;
    out->products = run->products;
}

/* ---- the whole ---- */

static Status estimate_held(Run *run, Estimate *out, Err *err) {
    const Held *held = held_of(run);
    size_t places = (size_t)PROBES_MOST * LANCZOS_STEPS_MOST;
    Estimate result = {0};
    run->sketch = mem_array(PAIRED * held->ld, sizeof *run->sketch, err);
    run->node = mem_array(places * 2, sizeof *run->node, err);
    if (run->sketch == NULL || run->node == NULL)
        return STATUS_NOMEM;
    run->weight = run->node + places;
    Status status = deflate(run, err);
    if (status == STATUS_OK)
        status = probe(run, &result, err);
    if (status != STATUS_OK)
        return status;
    fill_bins(run, &result);
    *out = result;
    return STATUS_OK;
}

static Status estimate_run(const Held *held, Team *team,
                           const EstimateWish *wish, Estimate *out,
                           const volatile int *cancel, Err *err) {
    Run *run = mem_zeroed(1, sizeof *run, err);
    if (run == NULL)
        return STATUS_NOMEM;
    run->team = team;
    run->seed = wish->seed;
    run->cancel = cancel;
    Status status =
        product_create(&run->product, held, team, kernel_level(), err);
    if (status == STATUS_OK)
        status = estimate_held(run, out, err);
    lanczos_release(&run->lanczos);
    product_release(&run->product);
    scratch_release(&run->scratch);
    mem_free(run->sketch);
    mem_free(run->node);
    mem_free(run);
    return status;
}

static Status check_matrix(const Tensor *matrix, Err *err) {
    char shape[256];
    if (matrix->axes != 2)
        return err_set(err, STATUS_ARGUMENT,
                       "a tensor of shape %s has no singular values: expected "
                       "2 axes",
                       tensor_shape_text(shape, sizeof shape, matrix));
    for (int i = 0; i < 2; i++)
        if (matrix->shape[i] < ESTIMATE_LEAST)
            return err_set(err, STATUS_ARGUMENT,
                           "a matrix of shape %s is too small to estimate: "
                           "expected sides of at least %d",
                           tensor_shape_text(shape, sizeof shape, matrix),
                           ESTIMATE_LEAST);
    return linalg_check_size((uint64_t)matrix->shape[0],
                             (uint64_t)ESTIMATE_LEAST, err);
}

/* All zeros: no effective rank, and every singular value in the first bin. */
static void estimate_zeros(const Held *held, Estimate *out) {
    *out = (Estimate){.effective_rank = NAN, .half_width = NAN, .error = NAN};
    out->weight[0] = (double)held->n;
}

Status estimate_matrix(const Tensor *matrix, const EstimateWish *wish,
                       Estimate *out, const volatile int *cancel, Err *err) {
    Team *team = NULL;
    Held held = {0};
    Status status = check_matrix(matrix, err);
    if (status == STATUS_OK)
        status = team_create(&team, wish->threads, err);
    if (status == STATUS_OK)
        status = held_read(&held, matrix, team, cancel, err);
    if (status == STATUS_OK && held.zero)
        estimate_zeros(&held, out);
    else if (status == STATUS_OK)
        status = estimate_run(&held, team, wish, out, cancel, err);
    held_release(&held);
    team_release(team);
    return status;
}

double estimate_cost(int64_t rows, int64_t cols) {
    double vectors = SKETCH * (POWER + 0.5) + DEFLATED + PAIRED * 0.5 +
                     PROBES_FIRST * STEPS_FIRST;
    return 4 * vectors * (double)rows * (double)cols;
}
