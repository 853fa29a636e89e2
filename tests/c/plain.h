/* Matrices and comparisons that the tests of linalg share. */
#ifndef WEFT_TESTS_PLAIN_H
#define WEFT_TESTS_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* n numbers by the seed, and room for one more; free them. */
double *numbers(size_t n, uint64_t seed);
/* Element (i, j) of op(a), column-major. */
double at(const double *a, int lda, bool transpose, int i, int j);
/* c (m, n) = op(a) op(b) + beta c, the plain way. */
void plain_multiply(bool ta, bool tb, int m, int n, int k, const double *a,
                    int lda, const double *b, int ldb, double beta, double *c,
                    int ldc);
void is_near(double got, double want, double tolerance);
void all_near(const double *got, const double *want, size_t n,
              double tolerance);
void is_ok(Status status, const Err *err);

#endif
