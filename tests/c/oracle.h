/* What the numeric tests measure against: a generator of numbers that is the
 * same everywhere, and singular values in long double. */
#ifndef WEFT_TEST_ORACLE_H
#define WEFT_TEST_ORACLE_H

#include <stddef.h>
#include <stdint.h>

/* The next number of the stream: uniform in [-1, 1). */
double oracle_uniform(uint64_t *state);
/* n of them into x. */
void oracle_fill(double *x, size_t n, uint64_t *state);

/* Singular values, falling, of a (rows, cols), row-major, into s (min(rows,
 * cols)): one-sided Jacobi rotations in long double, 1e-18 of each value where
 * only columns are graded, 1e-18 of the first one always. */
void oracle_singular_values(size_t rows, size_t cols, const double *a,
                            double *s);

/* exp(-sum p ln p) in long double. */
double oracle_effective_rank(const double *s, size_t n);

/* max |x_i - y_i| / max |y_i|; NaN counts as infinite. */
double oracle_distance(const double *x, const double *y, size_t n);

#endif
