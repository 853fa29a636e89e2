/* Effective rank, and how far a spectrum's errors can move it. */
#include "spectrum_bound.h"

#include <math.h>

double spectrum_cost(int64_t rows, int64_t cols) {
    double n = (double)(rows < cols ? rows : cols);
    double m = (double)(rows < cols ? cols : rows);
    return m * n * n + 4.0 / 3.0 * n * n * n;
}

double spectrum_fluid(int64_t rows, int64_t cols) {
    double n = (double)(rows < cols ? rows : cols);
    double m = (double)(rows < cols ? cols : rows);
    return m * n * n;
}

/* The reduction's flops are slower than those of the Gram matrix: half of them
 * wait for memory. */
double spectrum_work(int64_t rows, int64_t cols) {
    static const double SLOW = 1.7;
    double fluid = spectrum_fluid(rows, cols);
    return fluid + SLOW * (spectrum_cost(rows, cols) - fluid);
}

/* Of s / unit. */
static double total(const double *s, size_t n, double unit) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += s[i] / unit;
    return sum;
}

/* H = -sum p ln p, p = s / unit / sum. */
static double entropy(const double *s, size_t n, double unit, double sum) {
    double h = 0;
    for (size_t i = 0; i < n; i++) {
        double p = s[i] / unit / sum;
        if (p > 0)
            h -= p * log(p);
    }
    return h;
}

double spectrum_effective_rank(const double *s, size_t n) {
    double unit = 1, sum = total(s, n, unit);
    if (isinf(sum)) { /* of finite values, near the end of float64 */
        unit = 0x1p64;
        sum = total(s, n, unit);
    }
    return sum > 0 ? exp(entropy(s, n, unit, sum)) : NAN;
}

/* Relative error of the sums and logarithms themselves. */
static const double ROUNDING = 0x1p-46;

/* How far s is from the root of a square that may be off by delta. */
static double root_slip(double s, double delta) {
    double square = s * s;
    double up = delta > 0 ? delta / (sqrt(square + delta) + s) : 0;
    double down = square > delta ? delta / (s + sqrt(square - delta)) : s;
    return delta > 0 ? fmax(up, down) : 0;
}

/* An eigenvalue of V2^T G V2 is off by what V2 mixes in from above the cut:
 * delta^2 / gap, but never by more than delta. */
static double value_slip(const Trust *trust, size_t i, double s) {
    double delta = trust->delta, gap = SPECTRUM_CUT * SPECTRUM_CUT - s * s;
    if (i >= trust->low && gap > delta)
        delta *= delta / gap;
    return root_slip(s, delta) + trust->floor;
}

double spectrum_bound(const double *s, size_t n, const Trust *trust) {
    double largest = n > 0 ? s[0] : 0;
    if (!(largest > 0))
        return isnan(largest) ? NAN : 0;
    double sum = total(s, n, largest), error = 0;
    double h = entropy(s, n, largest, sum);
    for (size_t i = 0; i < n; i++) {
        double value = s[i] / largest, slip = value_slip(trust, i, value);
        /* -x ln x is concave: at a zero its slope is that of the slip */
        double p = fmax(value, slip) / sum;
        if (slip > 0)
            error += fabs(log(p) + h) * slip;
    }
    return 2 * error / sum + ROUNDING;
}

double spectrum_error(const double *s, size_t n, double unit) {
    Trust trust = {.delta = unit, .low = n, .floor = 0};
    return spectrum_bound(s, n, &trust);
}
