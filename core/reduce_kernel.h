/* The second stage, once for every vector code. The file that includes it
 * defines CHASE (the function's name), Vec (LANES doubles, may_alias), and
 *
 *     spread(x)         a Vec of x
 *     fused(a, b, c)    a * b + c
 *     sum_each(x, out)  out[i] = the sum of x[i]'s lanes, for 4 of them
 *
 * A sweep makes one column tridiagonal and chases the bulge that this raises,
 * one band's width a step, off the end. Each step has a reflector H = I -
 * tau v v^T of 64 rows, from row r on:
 *
 *            r-64     r              the block P, left of the diagonal, gets
 *     r-64  | D   .                  P H' of the step before, from its first
 *           | D D                    column comes H, and it becomes H P H';
 *     r     | P P P P D .            the square D becomes H D H. What is below
 *           |   P P P D D            the diagonal alone is stored.
 *
 * A reflector is taken along with zeros before and after it, so that all loads
 * are of whole and aligned vectors: 64 rows from any row on lie in `chunks`
 * of them. Rows outside the 64 come out as they were. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "reduce_chase.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    BAND = REDUCE_BAND,
    STRIDE = CHASE_STRIDE,
    ROWS = BAND + 8, /* in whole vectors, from any row on */
    GROUP = 4,       /* columns taken at a time */
    SWEEPS = 8       /* under way at a time; 4 to 16 are within 4 % of it */
};

typedef int64_t Bits __attribute__((vector_size(LANES * sizeof(double))));

typedef struct Reflector {
    _Alignas(64) double v[ROWS]; /* from the chunk's first row on */
    double tau;
} Reflector;

/* Of the steps of one sweep the last two. */
typedef struct Sweep {
    Reflector turn[2];
} Sweep;

/* A sum of squares in which underflow tells. The band's largest element is
 * about 1: what is smaller counts as zero. */
static const double NEGLIGIBLE = 0x1p-960;

INLINE Vec load(const double *x) {
    return *(const Vec *)x;
}

INLINE void store(double *x, Vec value) {
    *(Vec *)x = value;
}

/* All ones in lanes `from` and up, which may be -8 to 15. */
INLINE Bits lanes_from(int from) {
    static const int64_t STEP[32] = {0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                     0,  0,  0,  0,  0,  -1, -1, -1, -1, -1, -1,
                                     -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    Bits bits;
    memcpy(&bits, STEP + 16 - from, sizeof bits);
    return bits;
}

INLINE Vec keep(Vec x, Bits bits) {
    return (Vec)((Bits)x & bits);
}

INLINE double dot(const double *x, const double *y, int chunks) {
    Vec sum = {0};
    for (int k = 0; k < chunks; k++)
        sum = fused(load(x + k * LANES), load(y + k * LANES), sum);
    double total = 0;
    for (int i = 0; i < LANES; i++)
        total += sum[i];
    return total;
}

/* x += scale * y, which has `chunks` vectors. */
INLINE void add_scaled(double *x, double scale, const double *y, int chunks) {
    for (int k = 0; k < chunks; k++)
        store(x + k * LANES,
              fused(load(y + k * LANES), spread(scale), load(x + k * LANES)));
}

INLINE void clear_outside(double *x, int offset) {
    memset(x, 0, (size_t)offset * sizeof *x);
    memset(x + offset + BAND, 0, (size_t)(ROWS - BAND - offset) * sizeof *x);
}

/* H with H x = (beta, 0, 0, ...), which x becomes. */
INLINE void make_reflector(double *x, int offset, Reflector *h) {
    double *v = h->v;
    memcpy(v + offset, x, BAND * sizeof *x);
    clear_outside(v, offset);
    double alpha = v[offset];
    v[offset] = 0;
    double square = dot(v, v, ROWS / LANES);
    memset(x + 1, 0, (BAND - 1) * sizeof *x);
    h->tau = 0;
    if (square <= NEGLIGIBLE)
        return;
    double beta = -copysign(sqrt(alpha * alpha + square), alpha);
    Vec scale = spread(1 / (alpha - beta));
    for (int k = 0; k < ROWS; k += LANES)
        store(v + k, load(v + k) * scale);
    v[offset] = 1;
    x[0] = beta;
    h->tau = (beta - alpha) / beta;
}

/* y = tau P v. From the last column on: the first ones, which are wanted next,
 * are then those that the cache still has. */
INLINE void multiply_block(const double *p, int chunks, const double *v,
                           double tau, double *y) {
    memset(y, 0, ROWS * sizeof *y);
    for (int c = BAND - GROUP; c >= 0; c -= GROUP) {
        const double *x = p + c * STRIDE;
        Vec factor[GROUP];
#pragma GCC unroll 4
        for (int i = 0; i < GROUP; i++)
            factor[i] = spread(tau * v[c + i]);
        for (int k = 0; k < chunks * LANES; k += LANES) {
            Vec sum = load(y + k);
#pragma GCC unroll 4
            for (int i = 0; i < GROUP; i++)
                sum = fused(load(x + k + i * STRIDE), factor[i], sum);
            store(y + k, sum);
        }
    }
}

/* The products of four columns with v. */
INLINE void dot_columns(const double *p, int chunks, const double *v,
                        double *out) {
    Vec sum[GROUP] = {{0}, {0}, {0}, {0}};
    for (int k = 0; k < chunks * LANES; k += LANES) {
        Vec factor = load(v + k);
#pragma GCC unroll 4
        for (int i = 0; i < GROUP; i++)
            sum[i] = fused(load(p + k + i * STRIDE), factor, sum[i]);
    }
    sum_each(sum, out);
}

/* Four columns, from chunk `from` on, -= x a + y b of their a and b. */
INLINE void subtract_two(double *p, int from, int chunks, const double *x,
                         const double *a, const double *y, const double *b) {
    Vec left[GROUP], right[GROUP];
#pragma GCC unroll 4
    for (int i = 0; i < GROUP; i++) {
        left[i] = spread(-a[i]);
        right[i] = spread(-b[i]);
    }
    for (int k = from * LANES; k < chunks * LANES; k += LANES) {
        Vec xk = load(x + k), yk = load(y + k);
#pragma GCC unroll 4
        for (int i = 0; i < GROUP; i++) {
            double *to = p + k + i * STRIDE;
            store(to, fused(yk, right[i], fused(xk, left[i], load(to))));
        }
    }
}

/* P of the step, from its first chunk on: H P H'. */
static void turn_block(double *p, int offset, const Reflector *before,
                       Reflector *h) {
    _Alignas(64) double y[ROWS];
    double a[BAND];
    int chunks = (offset + BAND + LANES - 1) / LANES;
    const double *v = before->v + offset;
    multiply_block(p, chunks, v, before->tau, y);
    clear_outside(y, offset);
    add_scaled(p, -v[0], y, chunks);
    make_reflector(p + offset, offset, h);
    memcpy(a, v, sizeof a);
    a[0] = 0; /* the first column is done */
    double common = dot(y, h->v, chunks);
    for (int c = 0; c < BAND; c += GROUP) {
        double z[GROUP], *x = p + c * STRIDE;
        dot_columns(x, chunks, h->v, z);
        for (int i = 0; i < GROUP; i++)
            z[i] = h->tau * (z[i] - a[c + i] * common);
        if (c == 0)
            z[0] = 0;
        subtract_two(x, 0, chunks, y, a + c, h->v, z);
    }
}

/* The chunks in which the diagonal crosses four columns from column c on. */
typedef struct Edge {
    int first, end; /* chunks */
    int lane;       /* where column c's diagonal is, from chunk 0 on */
} Edge;

INLINE Edge find_edge(int c, int offset) {
    Edge edge = {.lane = offset + c,
                 .first = (offset + c) / LANES,
                 .end = (offset + c + GROUP - 1) / LANES + 1};
    return edge;
}

/* Four columns of D's lower triangle times v into w; and into `mirrored` what
 * the rows right of the diagonal, their mirror images, give. */
INLINE void multiply_columns(const double *d, Edge edge, int chunks,
                             const double *v, double *w, double *mirrored) {
    Vec sum[GROUP] = {{0}, {0}, {0}, {0}}, factor[GROUP];
#pragma GCC unroll 4
    for (int i = 0; i < GROUP; i++)
        factor[i] = spread(v[edge.lane + i]);
    for (int k = edge.first * LANES; k < edge.end * LANES; k += LANES) {
        Vec vk = load(v + k), wk = load(w + k);
#pragma GCC unroll 4
        for (int i = 0; i < GROUP; i++) {
            Vec x = load(d + k + i * STRIDE);
            wk = fused(x, factor[i], wk);
            sum[i] =
                fused(keep(x, lanes_from(edge.lane + i + 1 - k)), vk, sum[i]);
        }
        store(w + k, wk);
    }
    for (int k = edge.end * LANES; k < chunks * LANES; k += LANES) {
        Vec vk = load(v + k), wk = load(w + k);
#pragma GCC unroll 4
        for (int i = 0; i < GROUP; i++) {
            Vec x = load(d + k + i * STRIDE);
            wk = fused(x, factor[i], wk);
            sum[i] = fused(x, vk, sum[i]);
        }
        store(w + k, wk);
    }
    sum_each(sum, mirrored + edge.lane);
}

/* Four columns of D -= v w^T + w v^T; above the diagonal zeros stay zeros. */
INLINE void update_columns(double *d, Edge edge, int chunks, const double *v,
                           const double *w) {
    const double *a = w + edge.lane, *b = v + edge.lane;
    for (int k = edge.first * LANES; k < edge.end * LANES; k += LANES) {
        Vec vk = load(v + k), wk = load(w + k);
#pragma GCC unroll 4
        for (int i = 0; i < GROUP; i++) {
            double *to = d + k + i * STRIDE;
            Vec x = fused(vk, spread(-a[i]), load(to));
            x = fused(wk, spread(-b[i]), x);
            store(to, keep(x, lanes_from(edge.lane + i - k)));
        }
    }
    subtract_two(d, edge.end, chunks, v, a, w, b);
}

/* D of the step, from its first chunk on: H D H. */
static void turn_square(double *d, int offset, const Reflector *h) {
    _Alignas(64) double w[ROWS] = {0};
    _Alignas(64) double mirrored[ROWS] = {0};
    int chunks = (offset + BAND + LANES - 1) / LANES;
    if (h->tau == 0)
        return;
    for (int c = 0; c < BAND; c += GROUP)
        multiply_columns(d + c * STRIDE, find_edge(c, offset), chunks, h->v, w,
                         mirrored);
    for (int k = 0; k < chunks * LANES; k += LANES)
        store(w + k, (load(w + k) + load(mirrored + k)) * spread(h->tau));
    clear_outside(w, offset);
    add_scaled(w, -0.5 * h->tau * dot(w, h->v, chunks), h->v, chunks);
    for (int c = 0; c < BAND; c += GROUP)
        update_columns(d + c * STRIDE, find_edge(c, offset), chunks, h->v, w);
}

/* Step k of the sweep, whose rows are r and up. */
static void step(double *a, int r, int k, Sweep *sweep) {
    int offset = r % LANES;
    double *row = a + (r - offset);
    Reflector *h = &sweep->turn[k % 2], *before = &sweep->turn[(k + 1) % 2];
    if (k == 0)
        make_reflector(a + r + (ptrdiff_t)(r - 1) * STRIDE, offset, h);
    else
        turn_block(row + (ptrdiff_t)(r - BAND) * STRIDE, offset, before, h);
    turn_square(row + (ptrdiff_t)r * STRIDE, offset, h);
}

/* The sweeps of a round follow each other one step apart, which is as close as
 * they may: a step needs the last row that the next one of the sweep before
 * has turned. So a block is touched by all of them while the cache has it. */
void CHASE(int n, double *a) {
    Sweep sweep[SWEEPS] = {0};
    for (int first = 0; first < n - 2; first += SWEEPS) {
        int count = n - 2 - first < SWEEPS ? n - 2 - first : SWEEPS;
        int steps = (n - 2 - first) / BAND + 1; /* of the first, the longest */
        for (int t = 0; t < steps + count - 1; t++)
            for (int s = 0; s < count && s <= t; s++) {
                int r = first + s + 1 + (t - s) * BAND;
                if (r < n)
                    step(a, r, t - s, &sweep[s]);
            }
    }
}
