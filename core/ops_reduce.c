/* Lanes to single values, and running ones. */
#include <math.h>

#include "ops_lane.h"

enum { LEAF = 128 }; /* values added one after another, over eight sums */

/* The sum of a term of each value, over eight sums. */
#define LEAF_SUM(name, TERM)                                                   \
    static double name(const double *x, int64_t n, double constant) {          \
        double s[8] = {0};                                                     \
        int64_t i = 0;                                                         \
        (void)constant;                                                        \
        for (; i + 8 <= n; i += 8) {                                           \
            for (int k = 0; k < 8; k++)                                        \
                s[k] += TERM(x[i + k], constant);                              \
        }                                                                      \
        double sum =                                                           \
            ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])); \
        for (; i < n; i++)                                                     \
            sum += TERM(x[i], constant);                                       \
        return sum;                                                            \
    }

#define ITSELF(x, constant) (x)
#define MAGNITUDE(x, constant) fabs(x)
#define DISTANCE(x, mean) (((x) - (mean)) * ((x) - (mean)))
#define SCALED(x, scale) (((x) * (scale)) * ((x) * (scale)))

typedef double Leaf(const double *x, int64_t n, double constant);

LEAF_SUM(leaf_values, ITSELF)
LEAF_SUM(leaf_magnitudes, MAGNITUDE)
LEAF_SUM(leaf_distances, DISTANCE)
LEAF_SUM(leaf_squares, SCALED)

/* The sum by halves: a value is in no more than log n additions of them. */
static double sum_terms(const double *x, int64_t n, Leaf *leaf,
                        double constant) {
    if (n <= LEAF)
        return leaf(x, n, constant);
    int64_t half = n / 2 / 8 * 8;
    return sum_terms(x, half, leaf, constant) +
           sum_terms(x + half, n - half, leaf, constant);
}

Status lane_sum(const double *x, int64_t n, const OpsWish *wish, double *out,
                void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    *out = sum_terms(x, n, leaf_values, 0.0);
    return STATUS_OK;
}

static double mean_of(const double *x, int64_t n) {
    return n == 0 ? (double)NAN : sum_terms(x, n, leaf_values, 0.0) / (double)n;
}

Status lane_mean(const double *x, int64_t n, const OpsWish *wish, double *out,
                 void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    *out = mean_of(x, n);
    return STATUS_OK;
}

Status lane_var(const double *x, int64_t n, const OpsWish *wish, double *out,
                void *work, Err *err) {
    (void)work, (void)err;
    double free = fmax((double)n - wish->number, 0.0);
    *out = sum_terms(x, n, leaf_distances, mean_of(x, n)) / free;
    return STATUS_OK;
}

Status lane_std(const double *x, int64_t n, const OpsWish *wish, double *out,
                void *work, Err *err) {
    Status status = lane_var(x, n, wish, out, work, err);
    *out = sqrt(*out);
    return status;
}

/* The first least of the values, or of their negatives; a NaN ends it. */
static int64_t find_least(const double *x, int64_t n, bool largest) {
    int64_t found = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return i;
        if (largest ? x[i] > x[found] : x[i] < x[found])
            found = i;
    }
    return found;
}

Status lane_argmin(const double *x, int64_t n, const OpsWish *wish, double *out,
                   void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    *out = (double)find_least(x, n, false);
    return STATUS_OK;
}

Status lane_argmax(const double *x, int64_t n, const OpsWish *wish, double *out,
                   void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    *out = (double)find_least(x, n, true);
    return STATUS_OK;
}

Status lane_min(const double *x, int64_t n, const OpsWish *wish, double *out,
                void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    *out = x[find_least(x, n, false)];
    return STATUS_OK;
}

Status lane_max(const double *x, int64_t n, const OpsWish *wish, double *out,
                void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    *out = x[find_least(x, n, true)];
    return STATUS_OK;
}

Status lane_norm_1(const double *x, int64_t n, const OpsWish *wish, double *out,
                   void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    *out = sum_terms(x, n, leaf_magnitudes, 0.0);
    return STATUS_OK;
}

/* The largest magnitude, or a NaN. */
static double largest_magnitude(const double *x, int64_t n) {
    double most = 0.0;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return x[i];
        most = fmax(most, fabs(x[i]));
    }
    return most;
}

Status lane_norm_max(const double *x, int64_t n, const OpsWish *wish,
                     double *out, void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    *out = largest_magnitude(x, n);
    return STATUS_OK;
}

/* Scaled by a power of two that brings the largest near 1. */
Status lane_norm_2(const double *x, int64_t n, const OpsWish *wish, double *out,
                   void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    double most = largest_magnitude(x, n);
    if (most == 0.0 || !isfinite(most)) {
        *out = most;
        return STATUS_OK;
    }
    int exponent = ilogb(most);
    /* 2^1074 is no double: the least numbers go half way */
    if (exponent < -1000)
        exponent = -1000;
    double scale = ldexp(1.0, -exponent);
    *out = ldexp(sqrt(sum_terms(x, n, leaf_squares, scale)), exponent);
    return STATUS_OK;
}

Status lane_cumsum(const double *x, int64_t n, const OpsWish *wish, double *out,
                   void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        out[i] = sum += x[i];
    return STATUS_OK;
}

Status lane_diff(const double *x, int64_t n, const OpsWish *wish, double *out,
                 void *work, Err *err) {
    (void)wish, (void)work, (void)err;
    for (int64_t i = 1; i < n; i++)
        out[i - 1] = x[i] - x[i - 1];
    return STATUS_OK;
}
