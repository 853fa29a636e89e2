/* BLAS and LAPACK, called where nothing can overflow and nothing allocates. */
#include "linalg.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "reduce.h"

/* Without a LAPACKE face. */
void dlahqr_(const int *want_t, const int *want_z, const int *n, const int *low,
             const int *high, double *h, const int *ldh, double *re, double *im,
             const int *low_z, const int *high_z, double *z, const int *ldz,
             int *info);

/* Condition of A up to which R may come from A^T A. Its values are then off by
 * 2^-54 times this much of the largest. */
static const double WELL_CONDITIONED = 1e3;

/* From this n on two stages beat dsytrd. Their time (with the values') over
 * its own on a Zen 4, one core or both at work: 1.07 at n = 1024, 1.06 at 1200,
 * 1.03 at 1300, 0.99 at 1400, 0.97 at 1500, 0.94 at 1600, 0.84 at 2048, 0.5 at
 * 4096. In float32: 1.05, 1.05 (at 1200), 1.01 (at 1400), 0.83, 0.58. */
enum { TWO_STAGES = 1400 };

enum {
    COL = LAPACK_COL_MAJOR,
    QR_BLOCK = 32,  /* measured: 2.7 ms for 2048 x 128, dgeqrf takes 6 */
    PLAIN_QR = 160, /* n to which dlahqr beats dhseqr: a fifth at 128 */
    QUERY = -1      /* "how much work space?" in LAPACK's words */
};

bool linalg_single_thread(void) {
    openblas_set_num_threads(1);
    return openblas_get_parallel() != OPENBLAS_SEQUENTIAL;
}

/* Written once, then constant. */
static char blas_version[96], lapack_version[32];
static pthread_once_t versions_once = PTHREAD_ONCE_INIT;

/* "OpenBLAS 0.3.21 NO_LAPACKE ... MAX_THREADS=64" to its first two words. */
static void find_versions(void) {
    char name[32] = "BLAS", number[32] = "";
    (void)sscanf(openblas_get_config(), "%31s %31s", name, number);
    (void)snprintf(blas_version, sizeof blas_version, "%s %s %s", name, number,
                   openblas_get_corename());
    lapack_int major = 0, minor = 0, patch = 0;
    LAPACK_ilaver(&major, &minor, &patch);
    (void)snprintf(lapack_version, sizeof lapack_version, "%d.%d.%d", major,
                   minor, patch);
}

const char *linalg_blas_version(void) {
    (void)pthread_once(&versions_once, find_versions);
    return blas_version;
}

const char *linalg_lapack_version(void) {
    (void)pthread_once(&versions_once, find_versions);
    return lapack_version;
}

Status linalg_check_size(uint64_t rows, uint64_t cols, Err *err) {
    uint64_t product;
    if (rows <= INT_MAX && cols <= INT_MAX &&
        !__builtin_mul_overflow(rows, cols, &product) && product <= INT_MAX)
        return STATUS_OK;
    return err_set(err, STATUS_ARGUMENT,
                   "a matrix of %llu x %llu in memory is too large: LAPACK "
                   "takes at most %d elements",
                   (unsigned long long)rows, (unsigned long long)cols, INT_MAX);
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

void linalg_gram(int n, int k, const double *z, int ldz, bool by_rows,
                 double beta, double *g, int ldg) {
    cblas_dsyrk(CblasColMajor, CblasLower, by_rows ? CblasNoTrans : CblasTrans,
                n, k, 1.0, z, ldz, beta, g, ldg);
}

void linalg_gram_float(int n, int k, const float *z, int ldz, bool by_rows,
                       float beta, float *g, int ldg) {
    cblas_ssyrk(CblasColMajor, CblasLower, by_rows ? CblasNoTrans : CblasTrans,
                n, k, 1.0F, z, ldz, beta, g, ldg);
}

void linalg_multiply(bool ta, bool tb, int m, int n, int k, const double *a,
                     int lda, const double *b, int ldb, double beta, double *c,
                     int ldc) {
    cblas_dgemm(CblasColMajor, ta ? CblasTrans : CblasNoTrans,
                tb ? CblasTrans : CblasNoTrans, m, n, k, 1.0, a, lda, b, ldb,
                beta, c, ldc);
}

void linalg_triangular(bool left, bool transpose, int m, int n, const double *r,
                       int ldr, double *b, int ldb) {
    cblas_dtrmm(CblasColMajor, left ? CblasLeft : CblasRight, CblasUpper,
                transpose ? CblasTrans : CblasNoTrans, CblasNonUnit, m, n, 1.0,
                r, ldr, b, ldb);
}

/* d, e = the diagonals of the tridiagonal matrix that G is similar to; work
 * space is taken after e's n elements of the slot. */
static Status tridiagonal(int n, double *g, int ldg, double *d, double **e,
                          Scratch *scratch, int slot, Err *err) {
    double need = 0;
    int info = LAPACKE_dsytrd_work(COL, 'L', n, g, ldg, d, d, d, &need, QUERY);
    if (info != 0)
        return check_info("dsytrd", info, "failed", err);
    int lwork = (int)need;
    size_t total = 2 * (size_t)n + (size_t)lwork;
    double *block = scratch_take(scratch, slot, total, sizeof *block, err);
    if (block == NULL)
        return STATUS_NOMEM;
    *e = block;
    info = LAPACKE_dsytrd_work(COL, 'L', n, g, ldg, d, block, block + n,
                               block + 2 * (size_t)n, lwork);
    return check_info("dsytrd", info, "failed", err);
}

Status linalg_symmetric_values(int n, double *g, int ldg, double *w,
                               Scratch *scratch, int slot, Err *err) {
    if (n == 0)
        return STATUS_OK;
    double *e = NULL;
    Status status = linalg_check_size((uint64_t)n, (uint64_t)n, err);
    if (status != STATUS_OK)
        return status;
    if (n < TWO_STAGES)
        status = tridiagonal(n, g, ldg, w, &e, scratch, slot, err);
    else
        status = reduce_tridiagonal(n, g, ldg, w, &e, REDUCE_BEST, scratch,
                                    slot, err);
    if (status != STATUS_OK)
        return status;
    return linalg_tridiagonal_values(n, w, e, err);
}

/* The same for a float32 G: LAPACK's way. */
static Status tridiagonal_float(int n, float *g, int ldg, double *d, double **e,
                                Scratch *scratch, int slot, Err *err) {
    float need = 0;
    int info = LAPACKE_ssytrd_work(COL, 'L', n, g, ldg, &need, &need, &need,
                                   &need, QUERY);
    if (info != 0)
        return check_info("ssytrd", info, "failed", err);
    int lwork = (int)need;
    size_t size = (size_t)n; /* e in doubles, then d, e, tau, work in floats */
    size_t bytes =
        size * sizeof(double) + (3 * size + (size_t)lwork) * sizeof(float);
    double *wide = scratch_take(scratch, slot, bytes, 1, err);
    if (wide == NULL)
        return STATUS_NOMEM;
    float *low = (float *)(wide + n), *off = low + n, *tau = off + n;
    info =
        LAPACKE_ssytrd_work(COL, 'L', n, g, ldg, low, off, tau, tau + n, lwork);
    for (int i = 0; i < n; i++)
        d[i] = (double)low[i];
    for (int i = 0; i + 1 < n; i++)
        wide[i] = (double)off[i];
    *e = wide;
    return check_info("ssytrd", info, "failed", err);
}

Status linalg_symmetric_values_float(int n, float *g, int ldg, double *w,
                                     Scratch *scratch, int slot, Err *err) {
    if (n == 0)
        return STATUS_OK;
    double *e = NULL;
    Status status = linalg_check_size((uint64_t)n, (uint64_t)n, err);
    if (status != STATUS_OK)
        return status;
    if (n < TWO_STAGES)
        status = tridiagonal_float(n, g, ldg, w, &e, scratch, slot, err);
    else
        status = reduce_tridiagonal_float(n, g, ldg, w, &e, REDUCE_BEST,
                                          scratch, slot, err);
    if (status != STATUS_OK)
        return status;
    return linalg_tridiagonal_values(n, w, e, err);
}

Status linalg_symmetric_vectors(int n, double *g, int ldg, int count, double *z,
                                int ldz, Scratch *scratch, int slot, Err *err) {
    if (n == 0 || count == 0)
        return STATUS_OK;
    double need = 0, *w = NULL;
    int need_ints = 0, found = 0;
    Status status = linalg_check_size((uint64_t)n, (uint64_t)n, err);
    if (status != STATUS_OK)
        return status;
    /* eigenvalues by number: those by value may not be as many as expected */
    int info = LAPACKE_dsyevr_work(COL, 'V', 'I', 'L', n, g, ldg, 0, 0, 1,
                                   count, 0.0, &found, &need, z, ldz,
                                   &need_ints, &need, QUERY, &need_ints, QUERY);
    if (info != 0)
        return check_info("dsyevr", info, "failed", err);
    int lwork = (int)need, liwork = need_ints;
    size_t doubles = (size_t)n + (size_t)lwork;
    size_t ints = 2 * (size_t)n + (size_t)liwork;
    w = scratch_take(scratch, slot,
                     doubles * sizeof(double) + ints * sizeof(int), 1, err);
    if (w == NULL)
        return STATUS_NOMEM;
    int *support = (int *)(w + doubles), *iwork = support + 2 * (size_t)n;
    info = LAPACKE_dsyevr_work(COL, 'V', 'I', 'L', n, g, ldg, 0, 0, 1, count,
                               0.0, &found, w, z, ldz, support, w + n, lwork,
                               iwork, liwork);
    if (info == 0 && found != count)
        info = count;
    return check_info("dsyevr", info, "some eigenvectors did not converge",
                      err);
}

Status linalg_qr(int m, int n, double *a, int lda, Scratch *scratch, int slot,
                 Err *err) {
    if (n == 0)
        return STATUS_OK;
    Status status = linalg_check_size((uint64_t)m, (uint64_t)n, err);
    if (status != STATUS_OK)
        return status;
    int block = n < QR_BLOCK ? n : QR_BLOCK;
    size_t part = (size_t)block * (size_t)n; /* of T, and of the work space */
    double *t = scratch_take(scratch, slot, 2 * part, sizeof *t, err);
    if (t == NULL)
        return STATUS_NOMEM;
    int info =
        LAPACKE_dgeqrt_work(COL, m, n, block, a, lda, t, block, t + part);
    return check_info("dgeqrt", info, "failed", err);
}

static void copy_matrix(int m, int n, const double *from, int ldf, double *to,
                        int ldt) {
    for (int j = 0; j < n; j++)
        memcpy(to + (size_t)j * (size_t)ldt, from + (size_t)j * (size_t)ldf,
               (size_t)m * sizeof *to);
}

/* R by Cholesky from A^T A, which squares A's condition: *done only where the
 * estimate of that is small. */
static Status cholesky_r(int m, int n, const double *a, int lda, double *r,
                         int ldr, bool *done, Scratch *scratch, int slot,
                         Err *err) {
    size_t doubles = 3 * (size_t)n;
    double *work = scratch_take(
        scratch, slot, doubles * sizeof(double) + (size_t)n * sizeof(int), 1,
        err);
    if (work == NULL)
        return STATUS_NOMEM;
    double reciprocal = 0;
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, n, m, 1.0, a, lda, 0.0,
                r, ldr);
    int info = LAPACKE_dpotrf_work(COL, 'U', n, r, ldr);
    if (info == 0)
        info = LAPACKE_dtrcon_work(COL, '1', 'U', 'N', n, r, ldr, &reciprocal,
                                   work, (int *)(work + doubles));
    *done = info == 0 && reciprocal * WELL_CONDITIONED >= 1;
    return STATUS_OK;
}

Status linalg_qr_upper(int m, int n, double *a, int lda, double *r, int ldr,
                       Scratch *scratch, int slot, Err *err) {
    if (n == 0)
        return STATUS_OK;
    bool done = false;
    Status status = linalg_check_size((uint64_t)m, (uint64_t)n, err);
    if (status == STATUS_OK)
        status = cholesky_r(m, n, a, lda, r, ldr, &done, scratch, slot, err);
    if (status == STATUS_OK && !done) {
        status = linalg_qr(m, n, a, lda, scratch, slot, err);
        if (status == STATUS_OK)
            copy_matrix(n, n, a, lda, r, ldr);
    }
    for (int j = 0; j < n && status == STATUS_OK; j++)
        memset(r + (size_t)j * (size_t)ldr + j + 1, 0,
               (size_t)(n - j - 1) * sizeof *r);
    return status;
}

Status linalg_qr_append(int n, double *r, int ldr, int m, double *b, int ldb,
                        Scratch *scratch, int slot, Err *err) {
    if (n == 0 || m == 0)
        return STATUS_OK;
    Status status = linalg_check_size((uint64_t)m, (uint64_t)n, err);
    if (status == STATUS_OK)
        status = linalg_check_size((uint64_t)n, (uint64_t)n, err);
    if (status != STATUS_OK)
        return status;
    int block = n < QR_BLOCK ? n : QR_BLOCK;
    size_t part = (size_t)block * (size_t)n;
    double *t = scratch_take(scratch, slot, 2 * part, sizeof *t, err);
    if (t == NULL)
        return STATUS_NOMEM;
    int info = LAPACKE_dtpqrt_work(COL, m, n, 0, block, r, ldr, b, ldb, t,
                                   block, t + part);
    return check_info("dtpqrt", info, "failed", err);
}

/* Work space, in doubles, that serves both drivers. */
static Status svd_work(int m, int n, double *a, int lda, int *lwork, Err *err) {
    double one = 0, other = 0, none = 0;
    int nothing = 0;
    int info = LAPACKE_dgesdd_work(COL, 'N', m, n, a, lda, &none, &none, 1,
                                   &none, 1, &one, QUERY, &nothing);
    if (info == 0)
        info = LAPACKE_dgesvd_work(COL, 'N', 'N', m, n, a, lda, &none, &none, 1,
                                   &none, 1, &other, QUERY);
    *lwork = (int)(one > other ? one : other);
    return check_info("dgesdd", info, "failed", err);
}

Status linalg_singular_values(int m, int n, double *a, int lda, double *s,
                              Scratch *scratch, int slot, Err *err) {
    if (m == 0 || n == 0)
        return STATUS_OK;
    int small = m < n ? m : n, lwork = 0;
    size_t area = (size_t)m * (size_t)n;
    Status status = linalg_check_size((uint64_t)m, (uint64_t)n, err);
    if (status == STATUS_OK)
        status = svd_work(m, n, a, lda, &lwork, err);
    if (status != STATUS_OK)
        return status;
    double none = 0;
    size_t doubles = area + (size_t)lwork, ints = 8 * (size_t)small;
    double *copy = scratch_take(
        scratch, slot, doubles * sizeof(double) + ints * sizeof(int), 1, err);
    if (copy == NULL)
        return STATUS_NOMEM;
    double *work = copy + area;
    copy_matrix(m, n, a, lda, copy, m);
    int info = LAPACKE_dgesdd_work(COL, 'N', m, n, a, lda, s, &none, 1, &none,
                                   1, work, lwork, (int *)(work + lwork));
    if (info > 0)
        info = LAPACKE_dgesvd_work(COL, 'N', 'N', m, n, copy, m, s, &none, 1,
                                   &none, 1, work, lwork);
    return check_info("dgesvd", info, "the singular values did not converge",
                      err);
}

/* Balanced: dgeev, which also scales a matrix that is huge or tiny. */
static Status balanced_values(int n, double *a, int lda, double *re, double *im,
                              Scratch *scratch, int slot, Err *err) {
    double need = 0, none = 0;
    int info = LAPACKE_dgeev_work(COL, 'N', 'N', n, a, lda, re, im, &none, 1,
                                  &none, 1, &need, QUERY);
    if (info != 0)
        return check_info("dgeev", info, "failed", err);
    int lwork = (int)need;
    double *work =
        scratch_take(scratch, slot, (size_t)lwork, sizeof *work, err);
    if (work == NULL)
        return STATUS_NOMEM;
    info = LAPACKE_dgeev_work(COL, 'N', 'N', n, a, lda, re, im, &none, 1, &none,
                              1, work, lwork);
    return check_info("dgeev", info, "some eigenvalues did not converge", err);
}

/* Eigenvalues of the Hessenberg A. The plain QR iteration is the faster one of
 * a small matrix; the other is there when it fails. `copy` is (n, n). */
static int iterate(int n, double *a, int lda, double *re, double *im,
                   double *copy, double *work, int lwork) {
    int no = 0, one = 1, info = 0;
    double none = 0;
    if (n <= PLAIN_QR) {
        copy_matrix(n, n, a, lda, copy, n);
        dlahqr_(&no, &no, &n, &one, &n, copy, &n, re, im, &one, &n, &none, &one,
                &info);
        if (info == 0)
            return 0;
    }
    return LAPACKE_dhseqr_work(COL, 'E', 'N', n, 1, n, a, lda, re, im, &none, 1,
                               work, lwork);
}

/* To Hessenberg form, then the shifted QR iteration, values only. */
static Status hessenberg_values(int n, double *a, int lda, double *re,
                                double *im, Scratch *scratch, int slot,
                                Err *err) {
    double need = 0, other = 0, none = 0;
    int info = LAPACKE_dgehrd_work(COL, n, 1, n, a, lda, &none, &need, QUERY);
    if (info == 0)
        info = LAPACKE_dhseqr_work(COL, 'E', 'N', n, 1, n, a, lda, re, im,
                                   &none, 1, &other, QUERY);
    if (info != 0)
        return check_info("dgehrd", info, "failed", err);
    int lwork = (int)(need > other ? need : other);
    size_t area = n <= PLAIN_QR ? (size_t)n * (size_t)n : 0;
    double *copy = scratch_take(scratch, slot, area + (size_t)n + (size_t)lwork,
                                sizeof *copy, err);
    if (copy == NULL)
        return STATUS_NOMEM;
    double *tau = copy + area, *work = tau + n;
    info = LAPACKE_dgehrd_work(COL, n, 1, n, a, lda, tau, work, lwork);
    if (info == 0)
        info = iterate(n, a, lda, re, im, copy, work, lwork);
    return check_info("dhseqr", info, "some eigenvalues did not converge", err);
}

Status linalg_general_values(int n, double *a, int lda, bool balance,
                             double *re, double *im, Scratch *scratch, int slot,
                             Err *err) {
    if (n == 0)
        return STATUS_OK;
    Status status = linalg_check_size((uint64_t)n, (uint64_t)n, err);
    if (status != STATUS_OK)
        return status;
    if (balance)
        return balanced_values(n, a, lda, re, im, scratch, slot, err);
    return hessenberg_values(n, a, lda, re, im, scratch, slot, err);
}
