/* Kernels of attention heads from their two factors. */
#include "heads.h"

#include <math.h>
#include <string.h>

#include "cancel.h"
#include "linalg.h"
#include "spectrum.h"

/* Scratch slots of this file. */
enum {
    LEFT,   /* A^T (d, k) */
    RIGHT,  /* B^T (d, k) */
    FACTOR, /* R of B^T (k, k) */
    SMALL,  /* the two matrices that stand for M (rank, rank) */
    PAIR,   /* [A^T B^T] (d, 2k), or M (d, d) */
    VALUES, /* s, re, im, magnitudes (rank) */
    LAPACK,
    FACTORS /* factor_read's own, FACTOR_SLOTS of them */
};

/* Asymmetry below which the identity sqrt(2 - 2 symmetry) loses digits. */
static const double NEARLY_SYMMETRIC = 1e-4;

/* Heads that share a key matrix, and the head in hand. A row-major (k, d) is
 * A^T (d, k) column-major, so that is what the buffers hold. */
typedef struct Group {
    int k, d;             /* of the factors */
    bool whole;           /* M itself is computed on: k > d, or on request */
    int rank;             /* of the small matrices: d if whole, else k */
    double *left, *right; /* A^T, B^T (d, k), times 2^-exponent each */
    double *factor;       /* R of B^T (k, k); unless whole */
    int exponent_right;
    int exponent_left;
    double *product; /* (rank, rank) with M's non-zero eigenvalues */
    double *core;    /* (rank, rank) with M's singular values */
    double *s, *re, *im, *magnitude; /* (rank) */
    Scratch *scratch;
} Group;

double kernel_flops(int64_t k, int64_t d, int64_t heads, double left,
                    double right) {
    double small = (double)(k < d ? k : d), area = (double)k * (double)d;
    double head = 4 * area * small + 20 * small * small * small;
    return 2 * area * small + right + (head + left) * (double)heads;
}

double kernel_cost(const Factor *left, const Factor *right, int64_t heads) {
    return kernel_flops(right->k, right->d, heads, factor_cost(left),
                        factor_cost(right));
}

static Status check_pair(const Factor *left, const Factor *right, Err *err) {
    if (left->k == right->k && left->d == right->d)
        return STATUS_OK;
    return err_set(err, STATUS_ARGUMENT,
                   "a kernel's factors are [%lld, %lld] and [%lld, %lld]: two "
                   "matrices of one shape are wanted",
                   (long long)left->k, (long long)left->d, (long long)right->k,
                   (long long)right->d);
}

/* The (k, d) factor to `to`, times 2^-exponent, of finite values. */
static Status load(const Factor *factor, double *to, int *exponent,
                   Scratch *scratch, Err *err) {
    return factor_read(factor, to, exponent, scratch, FACTORS, err);
}

static double *take(Group *group, int slot, size_t rows, size_t cols,
                    Err *err) {
    return scratch_take(group->scratch, slot, rows * cols, sizeof(double), err);
}

static Status start_group(Group *group, const Factor *right, bool dense,
                          Scratch *scratch, Err *err) {
    uint64_t k = (uint64_t)right->k, d = (uint64_t)right->d;
    Status status = linalg_check_size(d, 2 * k, err);
    if (status == STATUS_OK && dense)
        status = linalg_check_size(d, d, err);
    if (status != STATUS_OK)
        return status;
    memset(group, 0, sizeof *group);
    group->k = (int)k;
    group->d = (int)d;
    group->whole = dense || k > d;
    group->rank = group->whole ? group->d : group->k;
    group->scratch = scratch;
    size_t rank = (size_t)group->rank;
    group->left = take(group, LEFT, d, k, err);
    group->right = take(group, RIGHT, d, k, err);
    group->product = take(group, SMALL, 2 * rank, rank, err);
    group->s = take(group, VALUES, 4, rank, err);
    if (group->left == NULL || group->right == NULL || group->product == NULL ||
        group->s == NULL)
        return STATUS_NOMEM;
    group->core = group->product + rank * rank;
    group->re = group->s + rank;
    group->im = group->re + rank;
    group->magnitude = group->im + rank;
    return load(right, group->right, &group->exponent_right, scratch, err);
}

/* R of B^T, once for all heads. */
static Status factor_right(Group *group, Err *err) {
    size_t k = (size_t)group->k, area = (size_t)group->d * k;
    if (group->whole || k == 0)
        return STATUS_OK;
    group->factor = take(group, FACTOR, k, k, err);
    if (group->factor == NULL)
        return STATUS_NOMEM;
    memcpy(group->left, group->right, area * sizeof(double));
    return linalg_qr_upper(group->d, group->k, group->left, group->d,
                           group->factor, group->k, group->scratch, LAPACK,
                           err);
}

/* M = A^T B (d, d), column-major. */
static void form_kernel(const Group *group, double *m) {
    int k = group->k, d = group->d;
    linalg_multiply(false, true, d, d, k, group->left, d, group->right, d, 0, m,
                    d);
}

/* B A^T and R_A R_B^T, which stand for M, or M twice; those that are wanted.
 * A^T is destroyed. */
static Status small_matrices(Group *group, unsigned wish, Err *err) {
    int k = group->k, d = group->d;
    if (group->rank == 0)
        return STATUS_OK;
    if (group->whole) {
        form_kernel(group, group->product);
        memcpy(group->core, group->product,
               (size_t)d * (size_t)d * sizeof(double));
        return STATUS_OK;
    }
    if (wish & (KERNEL_EIGEN | KERNEL_SHAPE))
        linalg_multiply(true, false, k, k, d, group->right, d, group->left, d,
                        0, group->product, k);
    if (!(wish & (KERNEL_SINGULAR | KERNEL_SHAPE)))
        return STATUS_OK;
    Status status = linalg_qr_upper(d, k, group->left, d, group->core, k,
                                    group->scratch, LAPACK, err);
    if (status == STATUS_OK)
        linalg_triangular(false, true, k, k, group->factor, k, group->core, k);
    return status;
}

static double frobenius(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* tr(X X) of X (n, n). */
static double trace_of_square(const double *x, size_t n) {
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
        sum += x[j * n + j] * x[j * n + j];
        for (size_t i = 0; i < j; i++)
            sum += 2 * x[j * n + i] * x[i * n + j];
    }
    return sum;
}

/* |X - X^T| of X (n, n). */
static double skew_norm(const double *x, size_t n) {
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < j; i++) {
            double skew = x[j * n + i] - x[i * n + j];
            sum += 2 * skew * skew;
        }
    return sqrt(sum);
}

/* *skew = |M - M^T|. [A^T B^T] = Q [R1 R2] (d, 2k), so that M - M^T is
 * Q (R1 R2^T - R2 R1^T) Q^T; where d < 2k the dense M is smaller. */
static Status exact_skew(Group *group, const Factor *left, double *skew,
                         Err *err) {
    if (group->whole) {
        *skew = skew_norm(group->product, (size_t)group->d);
        return STATUS_OK;
    }
    size_t d = (size_t)group->d, k = (size_t)group->k;
    int n = group->d < 2 * group->k ? group->d : 2 * group->k, exponent = 0;
    size_t side = (size_t)n, part = d * k;
    double *pair = take(group, PAIR, d * 2 * k + side * side, 1, err);
    double *small = pair == NULL ? NULL : pair + 2 * part;
    Status status =
        pair == NULL ? STATUS_NOMEM
                     : load(left, group->left, &exponent, group->scratch, err);
    if (status != STATUS_OK)
        return status;
    if (n == group->d) {
        form_kernel(group, small);
    } else {
        memcpy(pair, group->left, part * sizeof *pair);
        memcpy(pair + part, group->right, part * sizeof *pair);
        status =
            linalg_qr(group->d, n, pair, group->d, group->scratch, LAPACK, err);
        if (status != STATUS_OK)
            return status;
        for (size_t j = 0; j < side; j++)
            memset(pair + j * d + j + 1, 0, (d - j - 1) * sizeof *pair);
        linalg_multiply(false, true, n, n, group->k, pair, group->d,
                        pair + part, group->d, 0, small, n);
    }
    *skew = skew_norm(small, side);
    return STATUS_OK;
}

/* 2^exponent * x, or STATUS_NUMERIC where float64 ends. */
static Status scale_back(double *x, size_t n, int exponent, Err *err) {
    if (exponent == 0)
        return STATUS_OK;
    for (size_t i = 0; i < n; i++) {
        double value = ldexp(x[i], exponent);
        if (!isfinite(value))
            return err_set(err, STATUS_NUMERIC,
                           "a value of the kernel is over float64's range");
        x[i] = value;
    }
    return STATUS_OK;
}

static double clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

/* norm, symmetry and asymmetry from what small_matrices left. */
static Status find_shape(Group *group, const Factor *left, KernelResult *found,
                         Err *err) {
    size_t rank = (size_t)group->rank;
    double norm = frobenius(group->core, rank * rank), skew = 0;
    found->norm = norm;
    found->symmetry = found->asymmetry = NAN;
    if (norm == 0)
        return STATUS_OK;
    double trace = trace_of_square(group->product, rank);
    found->symmetry = clamp(trace / norm / norm, -1, 1);
    found->asymmetry = sqrt(2 - 2 * found->symmetry);
    if (found->asymmetry < NEARLY_SYMMETRIC) {
        Status status = exact_skew(group, left, &skew, err);
        if (status != STATUS_OK)
            return status;
        found->asymmetry = clamp(skew / norm, 0, 2);
    }
    return scale_back(&found->norm, 1,
                      group->exponent_left + group->exponent_right, err);
}

/* Whether eigenvalue i goes before j. */
static bool goes_before(const Group *group, int i, double magnitude, double re,
                        double im) {
    if (magnitude != group->magnitude[i])
        return magnitude > group->magnitude[i];
    if (re != group->re[i])
        return re > group->re[i];
    return im > group->im[i];
}

/* Falling magnitude, larger real part, positive imaginary part. The two of a
 * conjugate pair have the same magnitude to the bit. */
static void sort_eigenvalues(Group *group) {
    double *size = group->magnitude, *re = group->re, *im = group->im;
    for (int i = 0; i < group->rank; i++) {
        double magnitude = hypot(re[i], im[i]), real = re[i], imag = im[i];
        int j = i;
        for (; j > 0 && goes_before(group, j - 1, magnitude, real, imag); j--) {
            size[j] = size[j - 1];
            re[j] = re[j - 1];
            im[j] = im[j - 1];
        }
        size[j] = magnitude;
        re[j] = real;
        im[j] = imag;
    }
}

/* Singular values and eigenvalues; product and core are destroyed. */
static Status find_values(Group *group, unsigned wish, Err *err) {
    int rank = group->rank;
    size_t n = (size_t)rank;
    int exponent = group->exponent_left + group->exponent_right;
    Status status = STATUS_OK;
    if (wish & KERNEL_SINGULAR)
        status = linalg_singular_values(rank, rank, group->core, rank, group->s,
                                        group->scratch, LAPACK, err);
    if (status == STATUS_OK && (wish & KERNEL_SINGULAR))
        status = scale_back(group->s, n, exponent, err);
    if (status != STATUS_OK || !(wish & KERNEL_EIGEN))
        return status;
    status = linalg_general_values(rank, group->product, rank, group->whole,
                                   group->re, group->im, group->scratch, LAPACK,
                                   err);
    if (status == STATUS_OK)
        status = scale_back(group->re, 2 * n, exponent, err);
    if (status == STATUS_OK)
        sort_eigenvalues(group);
    return status;
}

/* n values, and zeros up to `count`. */
static void hand_out(double *to, size_t count, const double *from, size_t n) {
    memcpy(to, from, n * sizeof *to);
    memset(to + n, 0, (count - n) * sizeof *to);
}

/* The results, once nothing can fail any more: `count` values an array. */
static void publish(const Group *group, unsigned wish, size_t count,
                    const KernelResult *found, KernelResult *result) {
    size_t rank = (size_t)group->rank;
    if (wish & KERNEL_SINGULAR)
        hand_out(result->s, count, group->s, rank);
    if (wish & KERNEL_EIGEN) {
        hand_out(result->re, count, group->re, rank);
        hand_out(result->im, count, group->im, rank);
    }
    if (wish & KERNEL_SHAPE) {
        result->norm = found->norm;
        result->symmetry = found->symmetry;
        result->asymmetry = found->asymmetry;
    }
}

/* One head of the group, `count` values an array. */
static Status one_head(Group *group, const Factor *left, const Factor *right,
                       unsigned wish, int count, KernelResult *result,
                       Err *err) {
    KernelResult found = {0};
    Status status = check_pair(left, right, err);
    if (status == STATUS_OK)
        status =
            load(left, group->left, &group->exponent_left, group->scratch, err);
    if (status == STATUS_OK)
        status = small_matrices(group, wish, err);
    if (status == STATUS_OK && (wish & KERNEL_SHAPE))
        status = find_shape(group, left, &found, err);
    if (status == STATUS_OK)
        status = find_values(group, wish, err);
    if (status == STATUS_OK)
        publish(group, wish, (size_t)count, &found, result);
    return status;
}

Status kernel_values(const Factor *const *left, size_t count,
                     const Factor *right, unsigned wish, KernelResult *results,
                     Status *statuses, Err *errs, Scratch *scratch,
                     const volatile int *cancel, Err *err) {
    Group group;
    Status status = start_group(&group, right, false, scratch, err);
    if (status == STATUS_OK)
        status = factor_right(&group, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (cancel_seen(cancel))
            return err_set(err, STATUS_CANCELLED, "interrupted");
        statuses[i] = one_head(&group, left[i], right, wish, group.k,
                               &results[i], &errs[i]);
        if (statuses[i] == STATUS_NOMEM)
            status = err_set(err, STATUS_NOMEM, "%s", errs[i].message);
    }
    return status;
}

Status kernel_dense(const Factor *left, const Factor *right, double *m,
                    Scratch *scratch, Err *err) {
    Group group;
    Status status = check_pair(left, right, err);
    if (status == STATUS_OK)
        status = start_group(&group, right, true, scratch, err);
    if (status == STATUS_OK)
        status = load(left, group.left, &group.exponent_left, scratch, err);
    if (status != STATUS_OK || group.d == 0)
        return status;
    int k = group.k, d = group.d; /* row-major M is M^T = B^T A */
    linalg_multiply(false, true, d, d, k, group.right, d, group.left, d, 0, m,
                    d);
    return scale_back(m, (size_t)d * (size_t)d,
                      group.exponent_left + group.exponent_right, err);
}

Status kernel_dense_values(const Factor *left, const Factor *right,
                           unsigned wish, KernelResult *result,
                           Scratch *scratch, Err *err) {
    Group group;
    Status status = start_group(&group, right, true, scratch, err);
    if (status == STATUS_OK)
        status = one_head(&group, left, right, wish, group.d, result, err);
    return status;
}
