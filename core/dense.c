/* Tensors to LAPACK's column-major matrices, and the answers back. */
#include "dense.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "linalg.h"
#include "spectrum.h"

/* Scratch slots of this file. */
enum {
    RAW,    /* tensor_read's own */
    MATRIX, /* A (m, n) */
    SIDES,  /* B and X, or U, or R */
    OTHER,  /* V^T */
    VALUES, /* singular values or eigenvalues */
    LAPACK,
    SPECTRUM = 8 /* from here on none of spectrum_values' own */
};

enum { TILE = 32 }; /* of a transposed copy: what is written stays cached */

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

double dense_cut(int64_t m, int64_t n) {
    return (double)most(m, n) * 0x1p-52;
}

int64_t dense_rank(const double *s, int64_t k, double lowest) {
    int64_t rank = 0;
    while (rank < k && s[rank] > lowest)
        rank++;
    return rank;
}

double dense_cost(int64_t m, int64_t n) {
    double small = (double)least(m, n);
    return 4.0 * (double)m * (double)n * small + 20 * small * small * small;
}

static Status check_matrix(const Tensor *a, bool square, Err *err) {
    if (a->axes == 2 && (!square || a->shape[0] == a->shape[1]))
        return linalg_check_size((uint64_t)a->shape[0], (uint64_t)a->shape[1],
                                 err);
    char shape[256];
    return err_set(err, STATUS_ARGUMENT, "%s: expected a %s",
                   tensor_shape_text(shape, sizeof shape, a),
                   square ? "square matrix" : "matrix of 2 axes");
}

static int64_t sides_of(const Tensor *b) {
    return b->axes == 2 ? b->shape[1] : 1;
}

/* That b is (m) or (m, count) for an A of m rows. */
static Status check_sides(const Tensor *b, int64_t m, Err *err) {
    if ((b->axes == 1 || b->axes == 2) && b->shape[0] == m)
        return linalg_check_size((uint64_t)m, (uint64_t)sides_of(b), err);
    char shape[256];
    return err_set(err, STATUS_ARGUMENT,
                   "right sides of %s: expected %lld rows, as the matrix has",
                   tensor_shape_text(shape, sizeof shape, b), (long long)m);
}

static bool find_bad(const double *x, int64_t rows, int64_t cols, int64_t ld,
                     NonFinite *bad) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            if (!isfinite(x[j * ld + i])) {
                bad->row = (uint64_t)i;
                bad->col = (uint64_t)j;
                return true;
            }
    return false;
}

/* A tensor of 1 or 2 axes, column-major, `ld` elements between columns. It is
 * read as its transpose, so that the first bad element in its own order has to
 * be looked for. */
static Status load(const Tensor *tensor, double *x, int64_t ld,
                   Scratch *scratch, Err *err) {
    NonFinite bad = {0};
    if (tensor_count(tensor) == 0)
        return STATUS_OK;
    if (tensor->axes == 1) {
        Status status = tensor_read(tensor, 0, 1, 0, tensor->shape[0], x, ld,
                                    &bad, scratch, RAW, err);
        return status == STATUS_OK ? spectrum_nonfinite(&bad, err) : status;
    }
    Tensor turned;
    int64_t rows = tensor->shape[0], cols = tensor->shape[1];
    Status status = tensor_transpose(&turned, tensor, err);
    if (status != STATUS_OK)
        return status;
    status =
        tensor_read(&turned, 0, cols, 0, rows, x, ld, &bad, scratch, RAW, err);
    tensor_release(&turned);
    if (status != STATUS_OK || bad.count == 0)
        return status;
    (void)find_bad(x, rows, cols, ld, &bad);
    return spectrum_nonfinite(&bad, err);
}

static double *take(Scratch *scratch, int slot, int64_t rows, int64_t cols,
                    Err *err) {
    return scratch_take(scratch, slot, (size_t)rows * (size_t)cols,
                        sizeof(double), err);
}

/* A, checked and column-major, in its slot. */
static Status load_matrix(const Tensor *a, bool square, double **x,
                          Scratch *scratch, Err *err) {
    Status status = check_matrix(a, square, err);
    if (status != STATUS_OK)
        return status;
    *x = take(scratch, MATRIX, a->shape[0], a->shape[1], err);
    if (*x == NULL)
        return STATUS_NOMEM;
    return load(a, *x, a->shape[0], scratch, err);
}

/* to (rows, cols), row-major, = x, column-major with leading dimension ld. */
static void store(double *to, const double *x, int64_t rows, int64_t cols,
                  int64_t ld) {
    for (int64_t i0 = 0; i0 < rows; i0 += TILE)
        for (int64_t j0 = 0; j0 < cols; j0 += TILE)
            for (int64_t i = i0; i < least(rows, i0 + TILE); i++)
                for (int64_t j = j0; j < least(cols, j0 + TILE); j++)
                    to[i * cols + j] = x[j * ld + i];
}

static void copy(double *to, const double *x, int64_t n) {
    if (n > 0)
        memcpy(to, x, (size_t)n * sizeof *to);
}

/* LAPACK scales what is huge back at the end. */
static Status check_finite(const char *noun, const double *x, int64_t n,
                           Err *err) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return err_set(err, STATUS_NUMERIC, "%s is over float64's range",
                           noun);
    return STATUS_OK;
}

Status dense_svd(const Tensor *a, double *u, double *s, double *v,
                 Scratch *scratch, Err *err) {
    double *x = NULL;
    Status status = load_matrix(a, false, &x, scratch, err);
    if (status != STATUS_OK)
        return status;
    int64_t m = a->shape[0], n = a->shape[1], k = least(m, n);
    double *left = take(scratch, SIDES, m, k, err);
    double *right = left == NULL ? NULL : take(scratch, OTHER, k, n, err);
    double *values = right == NULL ? NULL : take(scratch, VALUES, k, 1, err);
    if (values == NULL)
        return STATUS_NOMEM;
    status = linalg_svd((int)m, (int)n, x, values, left, right, scratch, LAPACK,
                        err);
    if (status == STATUS_OK)
        status = check_finite("a singular value", values, k, err);
    if (status != STATUS_OK)
        return status;
    store(u, left, m, k, m);
    copy(s, values, k);
    copy(v, right, k * n); /* V^T by columns is V by rows */
    return STATUS_OK;
}

Status dense_eigh(const Tensor *a, double *w, double *v, Scratch *scratch,
                  Err *err) {
    double *x = NULL;
    Status status = load_matrix(a, true, &x, scratch, err);
    if (status != STATUS_OK)
        return status;
    int64_t n = a->shape[0];
    double *values = take(scratch, VALUES, n, 1, err);
    if (values == NULL)
        return STATUS_NOMEM;
    status =
        linalg_symmetric((int)n, x, v != NULL, values, scratch, LAPACK, err);
    if (status == STATUS_OK)
        status = check_finite("an eigenvalue", values, n, err);
    if (status != STATUS_OK)
        return status;
    copy(w, values, n);
    if (v != NULL)
        store(v, x, n, n, n);
    return STATUS_OK;
}

Status dense_qr(const Tensor *a, double *q, double *r, Scratch *scratch,
                Err *err) {
    double *x = NULL;
    Status status = load_matrix(a, false, &x, scratch, err);
    if (status != STATUS_OK)
        return status;
    int64_t m = a->shape[0], n = a->shape[1], k = least(m, n);
    double *upper = take(scratch, SIDES, k, n, err);
    if (upper == NULL)
        return STATUS_NOMEM;
    status = linalg_qr_thin((int)m, (int)n, x, upper, scratch, LAPACK, err);
    if (status != STATUS_OK)
        return status;
    store(q, x, m, k, m);
    store(r, upper, k, n, k);
    return STATUS_OK;
}

/* A and B of a system, whose messages say of which of the two they are. B gets
 * `ld` rows and at least one column. */
static Status load_system(const Tensor *a, const Tensor *b, bool square,
                          int64_t ld, double **x, double **y, Scratch *scratch,
                          Err *err) {
    Status status = load_matrix(a, square, x, scratch, err);
    if (status != STATUS_OK) {
        err_prefix(err, "the matrix");
        return status;
    }
    status = check_sides(b, a->shape[0], err);
    if (status == STATUS_OK)
        status = linalg_check_size((uint64_t)ld, (uint64_t)most(1, sides_of(b)),
                                   err);
    if (status != STATUS_OK)
        return status;
    *y = take(scratch, SIDES, ld, most(1, sides_of(b)), err);
    if (*y == NULL)
        return STATUS_NOMEM;
    status = load(b, *y, ld, scratch, err);
    if (status != STATUS_OK)
        err_prefix(err, "the right side");
    return status;
}

Status dense_solve(const Tensor *a, const Tensor *b, double *x,
                   Scratch *scratch, Err *err) {
    double *matrix = NULL, *sides = NULL;
    int64_t n = a->shape[0], count = sides_of(b);
    Status status = load_system(a, b, true, n, &matrix, &sides, scratch, err);
    if (status == STATUS_OK)
        status = linalg_solve((int)n, (int)count, matrix, sides, scratch,
                              LAPACK, err);
    if (status == STATUS_OK)
        store(x, sides, n, count, n);
    return status;
}

/* Of a matrix without elements: X is zero. */
static Status fit_nothing(double *x, int64_t count, int64_t *rank) {
    for (int64_t i = 0; i < count; i++)
        x[i] = 0;
    *rank = 0;
    return STATUS_OK;
}

Status dense_lstsq(const Tensor *a, const Tensor *b, double cut, double *x,
                   double *s, int64_t *rank, Scratch *scratch, Err *err) {
    double *matrix = NULL, *sides = NULL;
    Status status = check_matrix(a, false, err);
    if (status != STATUS_OK)
        return status;
    int64_t m = a->shape[0], n = a->shape[1], count = sides_of(b);
    int64_t k = least(m, n), columns = most(1, count), ld = most(m, n);
    status = load_system(a, b, false, ld, &matrix, &sides, scratch, err);
    if (status != STATUS_OK)
        return status;
    if (k == 0)
        return fit_nothing(x, n * count, rank);
    double *values = take(scratch, VALUES, k, 1, err);
    if (values == NULL)
        return STATUS_NOMEM;
    if (count == 0)
        memset(sides, 0, (size_t)ld * sizeof *sides);
    int found = 0;
    status = linalg_least_squares((int)m, (int)n, (int)columns, matrix, sides,
                                  cut, values, &found, scratch, LAPACK, err);
    if (status == STATUS_OK)
        status = check_finite("a singular value", values, k, err);
    if (status != STATUS_OK)
        return status;
    store(x, sides, n, count, ld);
    copy(s, values, k);
    *rank = found;
    return STATUS_OK;
}

/* ---- norms ---- */

/* The largest of n sums, or the smallest. */
static Status pick_sum(const double *sums, int64_t n, bool smallest,
                       double *norm, Err *err) {
    if (n == 0 && smallest)
        return err_set(err, STATUS_ARGUMENT,
                       "the least of no elements: expected at least one");
    double best = n == 0 ? 0 : sums[0];
    for (int64_t i = 1; i < n; i++)
        if (smallest ? sums[i] < best : sums[i] > best)
            best = sums[i];
    *norm = best;
    return STATUS_OK;
}

static Status spectral_norm(const Tensor *a, DenseNorm kind, double *norm,
                            Scratch *scratch, Err *err) {
    const SpectrumWish wish = {SPECTRUM_DIRECT, false, true};
    SpectrumInfo info;
    double sum = 0;
    int64_t k = least(a->shape[0], a->shape[1]);
    double *s = take(scratch, SPECTRUM, k, 1, err);
    if (s == NULL)
        return STATUS_NOMEM;
    Status status = spectrum_values(a, &wish, s, &info, scratch, NULL, err);
    if (status != STATUS_OK)
        return status;
    if (kind != DENSE_NUCLEAR)
        return pick_sum(s, k, kind == DENSE_SPECTRAL_MIN, norm, err);
    for (int64_t i = k; i-- > 0;)
        sum += s[i];
    *norm = sum;
    return STATUS_OK;
}

/* Sums of the magnitudes in x (m, n): one a column, or one a row. */
static void sum_magnitudes(const double *x, int64_t m, int64_t n, bool columns,
                           double *sums) {
    memset(sums, 0, (size_t)(columns ? n : m) * sizeof *sums);
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m; i++)
            sums[columns ? j : i] += fabs(x[j * m + i]);
}

static Status sum_norm(const Tensor *a, DenseNorm kind, double *norm,
                       Scratch *scratch, Err *err) {
    double *x = NULL;
    int64_t m = a->shape[0], n = a->shape[1];
    bool columns = kind == DENSE_COLUMN || kind == DENSE_COLUMN_MIN;
    Status status = load_matrix(a, false, &x, scratch, err);
    if (status != STATUS_OK)
        return status;
    if (kind == DENSE_FROBENIUS) {
        *norm = linalg_frobenius((int)m, (int)n, x);
        return STATUS_OK;
    }
    double *sums = take(scratch, VALUES, columns ? n : m, 1, err);
    if (sums == NULL)
        return STATUS_NOMEM;
    sum_magnitudes(x, m, n, columns, sums);
    return pick_sum(sums, columns ? n : m,
                    kind == DENSE_COLUMN_MIN || kind == DENSE_ROW_MIN, norm,
                    err);
}

Status dense_norm(const Tensor *a, DenseNorm kind, double *norm,
                  Scratch *scratch, Err *err) {
    double found = 0;
    Status status = check_matrix(a, false, err);
    if (status != STATUS_OK)
        return status;
    if (kind == DENSE_NUCLEAR || kind == DENSE_SPECTRAL ||
        kind == DENSE_SPECTRAL_MIN)
        status = spectral_norm(a, kind, &found, scratch, err);
    else
        status = sum_norm(a, kind, &found, scratch, err);
    if (status == STATUS_OK)
        status = check_finite("the norm", &found, 1, err);
    if (status == STATUS_OK)
        *norm = found;
    return status;
}

Status dense_trace(const Tensor *a, double *trace, Scratch *scratch, Err *err) {
    NonFinite bad = {0};
    double sum = 0, value = 0;
    Status status = check_matrix(a, false, err);
    int64_t k = status == STATUS_OK ? least(a->shape[0], a->shape[1]) : 0;
    for (int64_t i = 0; i < k && status == STATUS_OK; i++) {
        status = tensor_read(a, i, 1, i, 1, &value, 1, &bad, scratch, RAW, err);
        if (status == STATUS_OK)
            status = spectrum_nonfinite(&bad, err);
        sum += value;
    }
    if (status == STATUS_OK)
        status = check_finite("the trace", &sum, 1, err);
    if (status == STATUS_OK)
        *trace = sum;
    return status;
}
