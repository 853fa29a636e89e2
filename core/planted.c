/* Planted spectra from integers and + - * / alone.
 *
 * Neither BLAS nor a function of libm is called, and every sum has one fixed
 * order: IEEE arithmetic then leaves no choice in any bit of the result. */
#include "planted.h"

#include <math.h>
#include <string.h>

#include "mem.h"
#include "random.h"

enum { REFLECTIONS = 64 };

/* A double in [-1, 1): 53 bits, so that no step of it rounds. */
static double random_double(uint64_t *state) {
    return (double)(random_split(state) >> 11) * 0x1p-52 - 1.0;
}

/* A random order of 0 .. n-1 (Fisher and Yates). */
static void random_order(uint64_t *state, uint64_t n, uint64_t *order) {
    for (uint64_t i = 0; i < n; i++) {
        uint64_t j = random_split(state) % (i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

/* A random reflection I - beta v v^T: fills v (n), returns beta. */
static double random_reflection(uint64_t *state, uint64_t n, double *v) {
    double square = 0.0;
    for (uint64_t i = 0; i < n; i++) {
        v[i] = random_double(state);
        square += v[i] * v[i];
    }
    if (square == 0.0) /* the zero vector has no direction: take an axis */
        square = v[0] = 1.0;
    return 2.0 / square;
}

/* A = (I - beta v v^T) A; w (cols) is work space. */
static void reflect_rows(uint64_t rows, uint64_t cols, const double *v,
                         double beta, double *w, double *a) {
    memset(w, 0, cols * sizeof *w);
    for (uint64_t i = 0; i < rows; i++) {
        const double *row = a + i * cols;
        for (uint64_t j = 0; j < cols; j++)
            w[j] += v[i] * row[j];
    }
    for (uint64_t i = 0; i < rows; i++) {
        double *row = a + i * cols, factor = beta * v[i];
        for (uint64_t j = 0; j < cols; j++)
            row[j] -= factor * w[j];
    }
}

/* A = A (I - beta v v^T). */
static void reflect_columns(uint64_t rows, uint64_t cols, const double *v,
                            double beta, double *a) {
    for (uint64_t i = 0; i < rows; i++) {
        double *row = a + i * cols, sum = 0.0;
        for (uint64_t j = 0; j < cols; j++)
            sum += row[j] * v[j];
        sum *= beta;
        for (uint64_t j = 0; j < cols; j++)
            row[j] -= sum * v[j];
    }
}

/* The diagonal, permuted. A reflection moves only about 2/n of a row's weight
 * to the others, so 64 of them leave most of a large matrix where it began:
 * without the permutation the first rows (the first heads) would hold all the
 * large singular values and the last ones none. */
static void place_values(uint64_t rows, uint64_t cols, const double *s,
                         uint64_t *state, uint64_t *order, double *out) {
    uint64_t *across = order + rows, n = rows < cols ? rows : cols;
    random_order(state, rows, order);
    random_order(state, cols, across);
    memset(out, 0, rows * cols * sizeof *out);
    for (uint64_t k = 0; k < n; k++)
        out[order[k] * cols + across[k]] = s[k];
}

static Status check_arguments(uint64_t rows, uint64_t cols, const double *s,
                              Err *err) {
    uint64_t n = rows < cols ? rows : cols, sum;
    size_t bytes;
    if (__builtin_add_overflow(rows, cols, &sum) ||
        __builtin_mul_overflow(rows, cols, &bytes) ||
        __builtin_mul_overflow(bytes, sizeof *s, &bytes))
        return err_set(err, STATUS_ARGUMENT,
                       "a matrix of %llu x %llu is more than memory can hold",
                       (unsigned long long)rows, (unsigned long long)cols);
    for (uint64_t k = 0; k < n; k++)
        if (!isfinite(s[k]))
            return err_set(err, STATUS_ARGUMENT,
                           "singular value %llu of %llu is %g, expected a "
                           "finite number",
                           (unsigned long long)k + 1, (unsigned long long)n,
                           s[k]);
    return STATUS_OK;
}

/* U and V^T onto the permuted diagonal; v (rows + cols) is work space. */
static void reflect(uint64_t rows, uint64_t cols, uint64_t *state, double *v,
                    double *out) {
    for (uint64_t r = 0; r < rows && r < REFLECTIONS; r++) {
        double beta = random_reflection(state, rows, v);
        reflect_rows(rows, cols, v, beta, v + rows, out);
    }
    for (uint64_t r = 0; r < cols && r < REFLECTIONS; r++) {
        double beta = random_reflection(state, cols, v);
        reflect_columns(rows, cols, v, beta, out);
    }
}

Status planted_matrix(uint64_t rows, uint64_t cols, const double *s,
                      uint64_t seed, double *out, Err *err) {
    Status status = check_arguments(rows, cols, s, err);
    if (status != STATUS_OK || rows == 0 || cols == 0)
        return status;
    uint64_t *order = mem_array(rows + cols, sizeof *order, err);
    double *vector = NULL;
    if (order != NULL)
        vector = mem_array(rows + cols, sizeof *vector, err);
    if (vector != NULL) {
        uint64_t state = seed;
        place_values(rows, cols, s, &state, order, out);
        reflect(rows, cols, &state, vector, out);
    } else {
        status = STATUS_NOMEM;
    }
    mem_free(vector);
    mem_free(order);
    return status;
}
