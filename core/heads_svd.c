/* Thin QRs of both factors, the SVD of the small matrix between them. */
#include "heads_svd.h"

#include <math.h>

#include "linalg.h"

/* Scratch slots of this file. */
enum {
    LEFT,  /* A^T (d, k), then Q_A (d, rank) */
    RIGHT, /* B^T (d, k), then Q_B (d, rank) */
    UPPER, /* R_A and R_B (rank, k) */
    SMALL, /* R_A R_B^T, its U and its V^T (rank, rank) */
    VALUES,
    LAPACK,
    FACTORS /* factor_read's own, FACTOR_SLOTS of them */
};

typedef struct Pair {
    int k, d, rank, exponent;        /* the factors hold M * 2^-exponent */
    double *left, *right;            /* column-major, as all that follow */
    double *upper_a, *upper_b;       /* (rank, k) */
    double *core, *core_u, *core_vt; /* (rank, rank) */
    double *s;
} Pair;

static Status check_pair(const Factor *left, const Factor *right, Err *err) {
    if (left->k != right->k || left->d != right->d)
        return err_set(err, STATUS_ARGUMENT,
                       "a kernel's factors are [%lld, %lld] and [%lld, %lld]: "
                       "two matrices of one shape are wanted",
                       (long long)left->k, (long long)left->d,
                       (long long)right->k, (long long)right->d);
    return linalg_check_size((uint64_t)left->k, (uint64_t)left->d, err);
}

/* A row-major factor (k, d) is its transpose (d, k) column-major. */
static Status load(const Factor *factor, double *x, int *exponent,
                   Scratch *scratch, Err *err) {
    int own = 0;
    Status status = factor_read(factor, x, &own, scratch, FACTORS, err);
    *exponent += own;
    return status;
}

static double *take(Scratch *scratch, int slot, size_t rows, size_t cols,
                    Err *err) {
    return scratch_take(scratch, slot, rows * cols, sizeof(double), err);
}

static Status open_pair(Pair *pair, const Factor *left, int64_t count,
                        Scratch *scratch, Err *err) {
    size_t k = (size_t)left->k, d = (size_t)left->d;
    size_t rank = k < d ? k : d;
    if (count < 0 || (size_t)count > rank)
        return err_set(err, STATUS_ARGUMENT,
                       "%lld singular triples: expected 0 to %zu",
                       (long long)count, rank);
    *pair = (Pair){.k = (int)k, .d = (int)d, .rank = (int)rank};
    pair->left = take(scratch, LEFT, d, k, err);
    pair->right = take(scratch, RIGHT, d, k, err);
    pair->upper_a = take(scratch, UPPER, 2 * rank, k, err);
    pair->core = take(scratch, SMALL, 3 * rank, rank, err);
    pair->s = take(scratch, VALUES, rank, 1, err);
    if (pair->left == NULL || pair->right == NULL || pair->upper_a == NULL ||
        pair->core == NULL || pair->s == NULL)
        return STATUS_NOMEM;
    pair->upper_b = pair->upper_a + rank * k;
    pair->core_u = pair->core + rank * rank;
    pair->core_vt = pair->core_u + rank * rank;
    return STATUS_OK;
}

/* Both QRs, and the SVD of R_A R_B^T. */
static Status factor(Pair *pair, Scratch *scratch, Err *err) {
    int k = pair->k, d = pair->d, rank = pair->rank;
    Status status =
        linalg_qr_thin(d, k, pair->left, pair->upper_a, scratch, LAPACK, err);
    if (status == STATUS_OK)
        status = linalg_qr_thin(d, k, pair->right, pair->upper_b, scratch,
                                LAPACK, err);
    if (status != STATUS_OK)
        return status;
    linalg_multiply(false, true, rank, rank, k, pair->upper_a, rank,
                    pair->upper_b, rank, 0, pair->core, rank);
    return linalg_svd(rank, rank, pair->core, pair->s, pair->core_u,
                      pair->core_vt, scratch, LAPACK, err);
}

static Status scale_back(Pair *pair, Err *err) {
    for (int i = 0; i < pair->rank; i++) {
        pair->s[i] = ldexp(pair->s[i], pair->exponent);
        if (!isfinite(pair->s[i]))
            return err_set(err, STATUS_NUMERIC,
                           "a value of the kernel is over float64's range");
    }
    return STATUS_OK;
}

/* u (d, count) and v, row-major: column-major they are the first rows of
 * core_u^T Q_A^T and of core_vt Q_B^T. */
static void turn_back(const Pair *pair, int count, double *u, double *v) {
    int rank = pair->rank, d = pair->d;
    linalg_multiply(true, true, count, d, rank, pair->core_u, rank, pair->left,
                    d, 0, u, count);
    linalg_multiply(false, true, count, d, rank, pair->core_vt, rank,
                    pair->right, d, 0, v, count);
}

Status kernel_svd(const Factor *left, const Factor *right, int64_t count,
                  double *u, double *s, double *v, Scratch *scratch, Err *err) {
    Pair pair = {0};
    Status status = check_pair(left, right, err);
    if (status == STATUS_OK)
        status = open_pair(&pair, left, count, scratch, err);
    if (status == STATUS_OK)
        status = load(left, pair.left, &pair.exponent, scratch, err);
    if (status == STATUS_OK)
        status = load(right, pair.right, &pair.exponent, scratch, err);
    if (status != STATUS_OK || pair.rank == 0)
        return status;
    status = factor(&pair, scratch, err);
    if (status == STATUS_OK)
        status = scale_back(&pair, err);
    if (status != STATUS_OK || count == 0)
        return status;
    turn_back(&pair, (int)count, u, v);
    for (int64_t i = 0; i < count; i++)
        s[i] = pair.s[i];
    return STATUS_OK;
}
