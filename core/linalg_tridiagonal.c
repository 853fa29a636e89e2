/* Eigenvalues of a tridiagonal matrix: the QL iteration without square roots
 * of Pal, Walker and Kahan (Parlett, "The Symmetric Eigenvalue Problem", 8.15;
 * LAPACK's dsterf), with its two divisions a row side by side, where dsterf has
 * one wait for the other.
 *
 * A sweep does nothing but wait for its own last row. A team of them, each two
 * rows behind the one before, takes no longer than one: their shifts are the
 * eigenvalues of the first rows, as many as there are sweeps. */
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "linalg.h"
#include "quant.h"

enum {
    SWEEPS = 30, /* an eigenvalue, at most; on the average 1.9 are taken */
    LANES = 4,   /* sweeps of a team */
    LONG = 16,   /* rows from which on a team is the faster one */
    ALONE = 8    /* each so many turns one goes alone, whose shift converges
                  * from everywhere */
};

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

/* What a sweep carries from row to row. */
typedef struct Sweep {
    double shift, c, s, gamma, p;
} Sweep;

static inline Sweep sweep_begin(double shift, double d_last) {
    double gamma = d_last - shift;
    return (Sweep){shift, 1, 0, gamma, gamma * gamma};
}

/* What a row of so small a p comes to that r / p is no number. In a team p and
 * what is off the diagonal may both be nothing, where the sweep
 * before has just left that: such a row stands apart. */
static void take_small(Sweep *sweep, double d, double off, double before) {
    double r = sweep->p + off, c_before = sweep->c;
    sweep->c = r != 0 ? sweep->p / r : 1;
    sweep->s = r != 0 ? off / r : 0;
    sweep->gamma = sweep->c * (d - sweep->shift) - sweep->s * before;
    sweep->p =
        sweep->c != 0 ? sweep->gamma * sweep->gamma / sweep->c : c_before * off;
}

static inline void sweep_row(Sweep *sweep, double *d, double *b, int i,
                             int last) {
    double off = b[i], p = sweep->p, r = p + off, before = sweep->gamma;
    double inverse = r / p; /* 1 / c, not waiting for it */
    if (i < last - 1)
        b[i + 1] = sweep->s * r;
    if (p > INVERTIBLE) {
        sweep->c = p / r;
        sweep->s = off / r;
        double gamma = sweep->c * (d[i] - sweep->shift) - sweep->s * before;
        sweep->gamma = gamma;
        sweep->p = gamma * gamma * inverse;
    } else {
        take_small(sweep, d[i], off, before);
    }
    d[i + 1] = before + (d[i] - sweep->gamma);
}

static inline void sweep_end(const Sweep *sweep, double *d, double *b,
                             int first) {
    b[first] = sweep->s * sweep->p;
    d[first] = sweep->shift + sweep->gamma;
}

/* One sweep over the rows first to last, from the last one up. */
static void sweep_alone(double *d, double *b, int first, int last) {
    Sweep sweep = sweep_begin(find_shift(d + first, b[first]), d[last]);
    for (int i = last - 1; i >= first; i--)
        sweep_row(&sweep, d, b, i, last);
    sweep_end(&sweep, d, b, first);
}

/* ---- a team of sweeps: lane l is at row + 2 l ---- */

typedef double Lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t Bits __attribute__((vector_size(LANES * sizeof(double))));

typedef struct Team {
    Lanes shift, c, s, gamma, p;
} Team;

/* A row where not every lane is within first to last. */
static void team_edge(Team *team, double *d, double *b, int row, int first,
                      int last) {
    for (int l = 0; l < LANES; l++) {
        int i = row + 2 * l;
        if (i < first || i >= last)
            continue;
        Sweep sweep = {team->shift[l], team->c[l], team->s[l], team->gamma[l],
                       team->p[l]};
        if (i == last - 1)
            sweep = sweep_begin(team->shift[l], d[last]);
        sweep_row(&sweep, d, b, i, last);
        if (i == first)
            sweep_end(&sweep, d, b, first);
        team->c[l] = sweep.c;
        team->s[l] = sweep.s;
        team->gamma[l] = sweep.gamma;
        team->p[l] = sweep.p;
    }
}

/* The rows from `row` down to first + 1, all lanes at work. What one lane makes
 * is the next one's in the following row, in registers. */
HOT static void team_rows(Team *team, double *d, double *b, int row,
                          int first) {
    const Lanes shift = team->shift;
    Lanes c = team->c, s = team->s, gamma = team->gamma, p = team->p;
    Lanes off, di, b_new = {0}, d_new = {0};
    for (int l = 0; l < LANES; l++) {
        off[l] = b[row + 2 * l];
        di[l] = d[row + 2 * l];
    }
    for (; row > first; row--) {
        Lanes r = p + off, inverse = r / p, before = gamma, c_before = c;
        Lanes p_before = p;
        Bits fits = p > INVERTIBLE;
        b_new = s * r;
        c = p / r;
        s = off / r;
        gamma = c * (di - shift) - s * before;
        p = gamma * gamma * inverse;
        if (!(fits[0] & fits[1] & fits[2] & fits[3]))
            for (int l = 0; l < LANES; l++) {
                Sweep sweep = {shift[l], c_before[l], 0, 0, p_before[l]};
                if (fits[l])
                    continue;
                take_small(&sweep, di[l], off[l], before[l]);
                c[l] = sweep.c;
                s[l] = sweep.s;
                gamma[l] = sweep.gamma;
                p[l] = sweep.p;
            }
        d_new = before + (di - gamma);
        b[row + 2 * LANES - 1] = b_new[LANES - 1];
        d[row + 2 * LANES - 1] = d_new[LANES - 1];
        off = __builtin_shufflevector((Lanes){b[row - 1]}, b_new, 0, 4, 5, 6);
        di = __builtin_shufflevector((Lanes){d[row - 1]}, d_new, 0, 4, 5, 6);
    }
    for (int l = 0; l < LANES - 1; l++) {
        b[row + 2 + 2 * l] = b_new[l];
        d[row + 2 + 2 * l] = d_new[l];
    }
    *team = (Team){shift, c, s, gamma, p};
}

/* LANES sweeps over the rows first to last, LONG of them at least. */
static void sweep_team(double *d, double *b, int first, int last,
                       const double shift[LANES]) {
    Team team = {.c = {0}};
    memcpy(&team.shift, shift, sizeof team.shift);
    int row = last - 1;
    for (; row >= last - 2 * LANES; row--)
        team_edge(&team, d, b, row, first, last);
    team_rows(&team, d, b, row, first);
    for (row = first; row > first - 2 * LANES + 1; row--)
        team_edge(&team, d, b, row, first, last);
}

/* ---- all sweeps ---- */

/* The eigenvalues of the first LANES rows, if they are found. */
static bool find_shifts(const double *d, const double *b, double *shift);

/* The block's d become its eigenvalues; false where *left sweeps are not
 * enough. */
static bool solve_block(Block *block, int64_t *left) {
    double *d = block->d, *b = block->b, shift[LANES];
    if (fabs(d[block->n - 1]) < fabs(d[0]))
        turn_round(block);
    for (int i = 0, turn = 1; i < block->n; turn++) {
        int last = find_end(block, i);
        if (last < block->n - 1)
            b[last] = 0;
        if (last <= i + 1) {
            if (last == i + 1)
                solve_two(d + i, b[i]);
            i = last + 1;
            continue;
        }
        if (*left <= 0)
            return false;
        bool team = last - i >= LONG && turn % ALONE != 0 &&
                    find_shifts(d + i, b + i, shift);
        *left -= team ? LANES : 1;
        if (team)
            sweep_team(d, b, i, last, shift);
        else
            sweep_alone(d, b, i, last);
    }
    return true;
}

static bool find_shifts(const double *d, const double *b, double *shift) {
    double off[LANES - 1];
    int64_t left = (int64_t)LANES * SWEEPS;
    memcpy(shift, d, LANES * sizeof *shift);
    memcpy(off, b, sizeof off);
    Block block = {LANES, shift, off};
    return solve_block(&block, &left);
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

static bool all_finite(int n, const double *d) {
    bool finite = true;
    for (int i = 0; i < n; i++)
        finite = finite && isfinite(d[i]);
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
    return all_finite(n, d);
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
