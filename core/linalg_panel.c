/* The first stage's panels: factors of one, and what turns the rest of the
 * matrix by it, in both precisions. */
#include <cblas.h>
#include <lapacke.h>

#include "linalg.h"

enum { COL = LAPACK_COL_MAJOR };

static Status check_info(const char *routine, int info, Err *err) {
    if (info == 0)
        return STATUS_OK;
    return err_set(err, STATUS_NUMERIC, "%s refused its argument %d", routine,
                   -info);
}

void linalg_symmetric_multiply(int n, int k, const double *g, int ldg,
                               const double *b, int ldb, double *c, int ldc) {
    cblas_dsymm(CblasColMajor, CblasLeft, CblasLower, n, k, 1.0, g, ldg, b, ldb,
                0.0, c, ldc);
}

void linalg_rank_two(int n, int k, const double *v, int ldv, const double *w,
                     int ldw, double *g, int ldg) {
    cblas_dsyr2k(CblasColMajor, CblasLower, CblasNoTrans, n, k, -1.0, v, ldv, w,
                 ldw, 1.0, g, ldg);
}

Status linalg_qr_factors(int m, int n, double *a, int lda, double *t,
                         double *work, Err *err) {
    int k = m < n ? m : n;
    int info = LAPACKE_dgeqrt_work(COL, m, n, k, a, lda, t, k, work);
    return check_info("dgeqrt", info, err);
}

void linalg_symmetric_multiply_float(int n, int k, const float *g, int ldg,
                                     const float *b, int ldb, float *c,
                                     int ldc) {
    cblas_ssymm(CblasColMajor, CblasLeft, CblasLower, n, k, 1.0F, g, ldg, b,
                ldb, 0.0F, c, ldc);
}

void linalg_rank_two_float(int n, int k, const float *v, int ldv,
                           const float *w, int ldw, float *g, int ldg) {
    cblas_ssyr2k(CblasColMajor, CblasLower, CblasNoTrans, n, k, -1.0F, v, ldv,
                 w, ldw, 1.0F, g, ldg);
}

Status linalg_qr_factors_float(int m, int n, float *a, int lda, float *t,
                               float *work, Err *err) {
    int k = m < n ? m : n;
    int info = LAPACKE_sgeqrt_work(COL, m, n, k, a, lda, t, k, work);
    return check_info("sgeqrt", info, err);
}

void linalg_multiply_float(bool ta, bool tb, int m, int n, int k,
                           const float *a, int lda, const float *b, int ldb,
                           float beta, float *c, int ldc) {
    cblas_sgemm(CblasColMajor, ta ? CblasTrans : CblasNoTrans,
                tb ? CblasTrans : CblasNoTrans, m, n, k, 1.0F, a, lda, b, ldb,
                beta, c, ldc);
}

void linalg_triangular_float(bool left, bool transpose, int m, int n,
                             const float *r, int ldr, float *b, int ldb) {
    cblas_strmm(CblasColMajor, left ? CblasLeft : CblasRight, CblasUpper,
                transpose ? CblasTrans : CblasNoTrans, CblasNonUnit, m, n, 1.0F,
                r, ldr, b, ldb);
}
