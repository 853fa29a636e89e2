/* Eigenvalues of a tridiagonal matrix: the QL iteration without square roots
 * of Pal, Walker and Kahan (Parlett, "The Symmetric Eigenvalue Problem", 8.15;
 * LAPACK's dsterf), with its two divisions a row side by side, where dsterf has
 * one wait for the other. */
#include <float.h>
#include <lapacke.h>
#include <math.h>

#include "linalg.h"

enum { SWEEPS = 30 }; /* an eigenvalue, at most; on the average 1.7 are taken */

static const double UNIT = DBL_EPSILON / 2;
/* Larger numbers than this have a 1 / x, with room for a factor. */
static const double INVERTIBLE = 0x1p-1000;

/* Rows that hang together. */
typedef struct Block {
    int n;
    double *d; /* (n) */
    double *b; /* (n - 1), squares of what is off the diagonal */
} Block;

/* The block from its other end, so that it is graded upwards. */
static void turn_round(Block *block) {
    double *d = block->d, *b = block->b;
    for (int i = 0, j = block->n - 1; i < j; i++, j--) {
        double kept = d[i];
        d[i] = d[j];
        d[j] = kept;
    }
    for (int i = 0, j = block->n - 2; i < j; i++, j--) {
        double kept = b[i];
        b[i] = b[j];
        b[j] = kept;
    }
}

/* The last row of what hangs together from `first` on. */
static int find_end(const Block *block, int first) {
    int i = first;
    while (i < block->n - 1 &&
           block->b[i] > UNIT * UNIT * fabs(block->d[i] * block->d[i + 1]))
        i++;
    return i;
}

/* Both eigenvalues of two rows. The one of larger magnitude comes first; the
 * other one is not made of a difference of the like. */
static void solve_two(double *d, double b) {
    double sum = d[0] + d[1], gap = d[0] - d[1];
    double root = sqrt(gap * gap + 4 * b);
    if (sum == 0) {
        d[0] = root / 2;
        d[1] = -root / 2;
        return;
    }
    double large = fabs(d[0]) > fabs(d[1]) ? d[0] : d[1];
    double small = fabs(d[0]) > fabs(d[1]) ? d[1] : d[0];
    double first = (sum + copysign(root, sum)) / 2;
    d[1] = large / first * small - b / first;
    d[0] = first;
}

/* The eigenvalue of the first two rows that is nearer to the first one. */
static double find_shift(const double *d, double b) {
    double root = sqrt(b), half = (d[1] - d[0]) / (2 * root);
    return d[0] - root / (half + copysign(hypot(half, 1), half));
}

/* One sweep over the rows first to last, from the last one up. */
static void sweep(double *d, double *b, int first, int last) {
    double shift = find_shift(d + first, b[first]);
    double c = 1, s = 0, gamma = d[last] - shift, p = gamma * gamma;
    for (int i = last - 1; i >= first; i--) {
        double r = p + b[i], before = gamma, c_before = c, off = b[i];
        double inverse = r / p; /* 1 / c, not waiting for it */
        if (i < last - 1)
            b[i + 1] = s * r;
        c = p / r;
        s = off / r;
        gamma = c * (d[i] - shift) - s * before;
        d[i + 1] = before + (d[i] - gamma);
        if (p > INVERTIBLE)
            p = gamma * gamma * inverse;
        else
            p = c != 0 ? gamma * gamma / c : c_before * off;
    }
    b[first] = s * p;
    d[first] = shift + gamma;
}

/* The block's d become its eigenvalues; false where *left sweeps are not
 * enough. */
static bool solve_block(Block *block, int64_t *left) {
    double *d = block->d, *b = block->b;
    if (fabs(d[block->n - 1]) < fabs(d[0]))
        turn_round(block);
    for (int i = 0; i < block->n;) {
        int last = find_end(block, i);
        if (last < block->n - 1)
            b[last] = 0;
        if (last <= i + 1) {
            if (last == i + 1)
                solve_two(d + i, b[i]);
            i = last + 1;
            continue;
        }
        if ((*left)-- == 0)
            return false;
        sweep(d, b, i, last);
    }
    return true;
}

/* Exponent of the power of two over the largest magnitude; false where one is
 * not finite. */
static bool find_exponent(int n, const double *d, const double *e,
                          int *exponent) {
    double largest = 0;
    bool finite = true;
    for (int i = 0; i < n; i++) {
        double size = fabs(d[i]);
        size = i + 1 < n && !(fabs(e[i]) <= size) ? fabs(e[i]) : size;
        finite = finite && isfinite(d[i]) && isfinite(size);
        largest = size > largest ? size : largest;
    }
    (void)frexp(largest, exponent);
    return finite;
}

/* All blocks, one after the other. */
static bool solve(int n, double *d, double *e) {
    int64_t left = (int64_t)n * SWEEPS;
    for (int first = 0; first < n;) {
        int last = first;
        for (; last < n - 1; last++) {
            double off = fabs(e[last]);
            if (off <= sqrt(fabs(d[last])) * sqrt(fabs(d[last + 1])) * UNIT)
                break;
            e[last] = off * off;
        }
        Block block = {.n = last - first + 1, .d = d + first, .b = e + first};
        if (!solve_block(&block, &left))
            return false;
        first = last + 1;
    }
    return true;
}

Status linalg_tridiagonal_values(int n, double *d, double *e, Err *err) {
    int exponent = 0;
    if (n == 0)
        return STATUS_OK;
    bool done = find_exponent(n, d, e, &exponent);
    if (done) {
        for (int i = 0; i < n; i++)
            d[i] = ldexp(d[i], -exponent);
        for (int i = 0; i + 1 < n; i++)
            e[i] = ldexp(e[i], -exponent);
        done = solve(n, d, e);
    }
    if (!done)
        return err_set(err, STATUS_NUMERIC,
                       "some eigenvalues of a tridiagonal matrix did not "
                       "converge");
    for (int i = 0; i < n; i++)
        d[i] = ldexp(d[i], exponent);
    (void)LAPACKE_dlasrt_work('I', n, d);
    return STATUS_OK;
}
