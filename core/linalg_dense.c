/* LAPACK's drivers that give vectors, of matrices without gaps: the leading
 * dimension is the number of rows. */
#include <lapacke.h>
#include <limits.h>
#include <string.h>

#include "linalg.h"

enum {
    COL = LAPACK_COL_MAJOR,
    QUERY = -1, /* "how much work space?" in LAPACK's words */
    ROOM = 1024 /* columns of work space that blocking may ask for */
};

static int least(int a, int b) {
    return a < b ? a : b;
}

static int most(int a, int b) {
    return a > b ? a : b;
}

/* A positive info in words; a negative one is a fault of this file. */
static Status check_info(const char *routine, int info, const char *words,
                         Err *err) {
    if (info == 0)
        return STATUS_OK;
    if (info < 0)
        return err_set(err, STATUS_NUMERIC, "%s refused its argument %d",
                       routine, -info);
    return err_set(err, STATUS_NUMERIC, "%s: %s (info = %d)", routine, words,
                   info);
}

/* That A fits, and `words` of work space as well: LAPACK counts them in an
 * int, and does not look whether it overflows. */
static Status check_sizes(int m, int n, uint64_t words, Err *err) {
    Status status = linalg_check_size((uint64_t)m, (uint64_t)n, err);
    if (status != STATUS_OK || words <= INT_MAX)
        return status;
    return err_set(err, STATUS_ARGUMENT,
                   "a matrix of %d x %d is too large for this: LAPACK's work "
                   "space has at most %d elements",
                   m, n, INT_MAX);
}

/* Work space of both drivers, in doubles. */
static Status svd_work(int m, int n, double *a, double *s, double *u,
                       double *vt, int *lwork, Err *err) {
    double one = 0, other = 0;
    int k = least(m, n), nothing = 0;
    int info = LAPACKE_dgesdd_work(COL, 'S', m, n, a, m, s, u, m, vt, k, &one,
                                   QUERY, &nothing);
    if (info == 0)
        info = LAPACKE_dgesvd_work(COL, 'S', 'S', m, n, a, m, s, u, m, vt, k,
                                   &other, QUERY);
    *lwork = (int)(one > other ? one : other);
    return check_info("dgesdd", info, "failed", err);
}

Status linalg_svd(int m, int n, double *a, double *s, double *u, double *vt,
                  Scratch *scratch, int slot, Err *err) {
    if (m == 0 || n == 0)
        return STATUS_OK;
    int k = least(m, n), lwork = 0;
    uint64_t size = (uint64_t)k;
    Status status = check_sizes(m, n, (4 * size + ROOM) * size, err);
    if (status == STATUS_OK)
        status = svd_work(m, n, a, s, u, vt, &lwork, err);
    if (status != STATUS_OK)
        return status;
    size_t area = (size_t)m * (size_t)n, doubles = area + (size_t)lwork;
    double *copy =
        scratch_take(scratch, slot,
                     doubles * sizeof(double) + 8 * size * sizeof(int), 1, err);
    if (copy == NULL)
        return STATUS_NOMEM;
    double *work = copy + area;
    memcpy(copy, a, area * sizeof *a);
    int info = LAPACKE_dgesdd_work(COL, 'S', m, n, a, m, s, u, m, vt, k, work,
                                   lwork, (int *)(work + lwork));
    if (info > 0)
        info = LAPACKE_dgesvd_work(COL, 'S', 'S', m, n, copy, m, s, u, m, vt, k,
                                   work, lwork);
    return check_info("dgesvd", info, "the singular values did not converge",
                      err);
}

Status linalg_symmetric(int n, double *a, bool vectors, double *w,
                        Scratch *scratch, int slot, Err *err) {
    if (n == 0)
        return STATUS_OK;
    double need = 0;
    int need_ints = 0;
    char job = vectors ? 'V' : 'N';
    uint64_t size = (uint64_t)n;
    Status status =
        check_sizes(n, n, vectors ? (2 * size + ROOM) * size : 0, err);
    if (status != STATUS_OK)
        return status;
    int info = LAPACKE_dsyevd_work(COL, job, 'L', n, a, n, w, &need, QUERY,
                                   &need_ints, QUERY);
    if (info != 0)
        return check_info("dsyevd", info, "failed", err);
    int lwork = (int)need;
    double *work = scratch_take(scratch, slot,
                                (size_t)lwork * sizeof(double) +
                                    (size_t)need_ints * sizeof(int),
                                1, err);
    if (work == NULL)
        return STATUS_NOMEM;
    info = LAPACKE_dsyevd_work(COL, job, 'L', n, a, n, w, work, lwork,
                               (int *)(work + lwork), need_ints);
    return check_info("dsyevd", info, "some eigenvalues did not converge", err);
}

/* r (k, n) = the upper triangle of a (m, n). */
static void copy_upper(int m, int n, const double *a, double *r) {
    size_t k = (size_t)least(m, n);
    for (size_t j = 0; j < (size_t)n; j++) {
        size_t rows = j < k ? j + 1 : k;
        memcpy(r + j * k, a + j * (size_t)m, rows * sizeof *r);
        memset(r + j * k + rows, 0, (k - rows) * sizeof *r);
    }
}

Status linalg_qr_thin(int m, int n, double *a, double *r, Scratch *scratch,
                      int slot, Err *err) {
    int k = least(m, n);
    if (k == 0)
        return STATUS_OK;
    double need = 0, other = 0;
    Status status = check_sizes(m, n, 0, err);
    if (status != STATUS_OK)
        return status;
    int info = LAPACKE_dgeqrf_work(COL, m, n, a, m, &need, &need, QUERY);
    if (info == 0)
        info = LAPACKE_dorgqr_work(COL, m, k, k, a, m, &other, &other, QUERY);
    if (info != 0)
        return check_info("dgeqrf", info, "failed", err);
    int lwork = (int)(need > other ? need : other);
    double *tau = scratch_take(scratch, slot, (size_t)k + (size_t)lwork,
                               sizeof *tau, err);
    if (tau == NULL)
        return STATUS_NOMEM;
    info = LAPACKE_dgeqrf_work(COL, m, n, a, m, tau, tau + k, lwork);
    if (info != 0)
        return check_info("dgeqrf", info, "failed", err);
    copy_upper(m, n, a, r);
    info = LAPACKE_dorgqr_work(COL, m, k, k, a, m, tau, tau + k, lwork);
    return check_info("dorgqr", info, "failed", err);
}

Status linalg_solve(int n, int nrhs, double *a, double *b, Scratch *scratch,
                    int slot, Err *err) {
    if (n == 0)
        return STATUS_OK;
    Status status = check_sizes(n, n, 0, err);
    if (status == STATUS_OK)
        status = check_sizes(n, nrhs, 0, err);
    if (status != STATUS_OK)
        return status;
    int *pivots = scratch_take(scratch, slot, (size_t)n, sizeof *pivots, err);
    if (pivots == NULL)
        return STATUS_NOMEM;
    int info = LAPACKE_dgesv_work(COL, n, nrhs, a, n, pivots, b, n);
    if (info > 0)
        return err_set(err, STATUS_NUMERIC,
                       "the matrix is singular: pivot %d of %d is zero", info,
                       n);
    return check_info("dgesv", info, "failed", err);
}

Status linalg_least_squares(int m, int n, int nrhs, double *a, double *b,
                            double cut, double *s, int *rank, Scratch *scratch,
                            int slot, Err *err) {
    int k = least(m, n), ldb = most(m, n), need_ints = 0, found = 0;
    if (k == 0 || nrhs == 0)
        return err_set(err, STATUS_ARGUMENT, "least squares of nothing");
    uint64_t small = (uint64_t)k, sides = (uint64_t)nrhs;
    uint64_t words = small * (small + sides + ROOM) + ROOM * sides +
                     (uint64_t)m + (uint64_t)n;
    double need = 0;
    Status status = check_sizes(m, n, words, err);
    if (status == STATUS_OK)
        status = check_sizes(ldb, nrhs, 0, err);
    if (status != STATUS_OK)
        return status;
    int info = LAPACKE_dgelsd_work(COL, m, n, nrhs, a, m, b, ldb, s, cut,
                                   &found, &need, QUERY, &need_ints);
    if (info != 0)
        return check_info("dgelsd", info, "failed", err);
    int lwork = (int)need;
    double *work = scratch_take(scratch, slot,
                                (size_t)lwork * sizeof(double) +
                                    (size_t)need_ints * sizeof(int),
                                1, err);
    if (work == NULL)
        return STATUS_NOMEM;
    info = LAPACKE_dgelsd_work(COL, m, n, nrhs, a, m, b, ldb, s, cut, &found,
                               work, lwork, (int *)(work + lwork));
    if (info == 0)
        *rank = found;
    return check_info("dgelsd", info, "the singular values did not converge",
                      err);
}

double linalg_frobenius(int m, int n, const double *a) {
    return LAPACKE_dlange_work(COL, 'F', m, n, a, most(m, 1), NULL);
}
