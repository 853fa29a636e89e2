/* Spectra of matrices in memory, for tests. Include after cmocka.h. */
#ifndef WEFT_TEST_SPECTRA_H
#define WEFT_TEST_SPECTRA_H

#include <math.h>
#include <stdlib.h>

#include "planted.h"
#include "spectrum.h"

static const SpectrumWish GRAM = {SPECTRUM_GRAM, false, false};
static const SpectrumWish SHOWN = {SPECTRUM_GRAM, false, true};
static const SpectrumWish SINGLE = {SPECTRUM_GRAM, true, false};
static const SpectrumWish DIRECT = {SPECTRUM_DIRECT, false, false};

static inline void is_near(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.17g is not %.17g, off by %g, allowed %g", got, want,
                 got - want, tolerance);
}

static inline double *numbers(size_t n) {
    double *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

/* Creates: a tensor in memory of these values, row-major. */
static inline Tensor matrix_of(int64_t rows, int64_t cols, const double *values,
                               Dtype dtype) {
    Tensor tensor;
    int64_t shape[2] = {rows, cols};
    assert_int_equal(tensor_create(&tensor, dtype, 2, shape, NULL), STATUS_OK);
    double *f64 = tensor_data(&tensor);
    float *f32 = tensor_data(&tensor);
    for (int64_t i = 0; i < rows * cols; i++) {
        if (dtype == DTYPE_F64)
            f64[i] = values[i];
        else
            f32[i] = (float)values[i];
    }
    return tensor;
}

/* The singular values of a tensor, which must be computable. */
static inline SpectrumInfo values_of(const Tensor *tensor, SpectrumWish wish,
                                     double *s) {
    Scratch scratch = {0};
    SpectrumInfo info;
    Err err = {.message = ""};
    Status status =
        spectrum_values(tensor, &wish, s, &info, &scratch, NULL, &err);
    if (status != STATUS_OK)
        fail_msg("status %d: %s", (int)status, err.message);
    scratch_release(&scratch);
    return info;
}

static inline SpectrumInfo spectrum_of(int64_t rows, int64_t cols,
                                       const double *a, SpectrumWish wish,
                                       double *s) {
    Tensor tensor = matrix_of(rows, cols, a, DTYPE_F64);
    SpectrumInfo info = values_of(&tensor, wish, s);
    tensor_release(&tensor);
    return info;
}

/* Allocated: a matrix of these singular values. */
static inline double *planted(int rows, int cols, const double *s,
                              uint64_t seed) {
    double *a = numbers((size_t)rows * (size_t)cols);
    assert_int_equal(
        planted_matrix((uint64_t)rows, (uint64_t)cols, s, seed, a, NULL),
        STATUS_OK);
    return a;
}

/* s falling evenly in its logarithm from 1 to `last`. */
static inline void graded(double *s, int n, double last) {
    for (int i = 0; i < n; i++)
        s[i] = pow(last, n > 1 ? (double)i / (n - 1) : 0);
}

#endif
