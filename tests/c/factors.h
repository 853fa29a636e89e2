/* The kernels' functions for factors that are a matrix each. */
#ifndef WEFT_TEST_FACTORS_H
#define WEFT_TEST_FACTORS_H

#include "heads.h"
#include "heads_svd.h"

enum { FACTORS_MOST = 16 };

/* The two factors of a kernel; both NULL on failure. */
static inline Status factor_pair(Factor **pair, const Tensor *left,
                                 const Tensor *right, Err *err) {
    pair[0] = pair[1] = NULL;
    Status status = factor_of(&pair[0], left, err);
    if (status == STATUS_OK)
        status = factor_of(&pair[1], right, err);
    if (status == STATUS_OK)
        return status;
    factor_release(pair[0]);
    pair[0] = NULL;
    return status;
}

static inline Status kernel_values_of(const Tensor *const *left, size_t count,
                                      const Tensor *right, unsigned wish,
                                      KernelResult *results, Status *statuses,
                                      Err *errs, Scratch *scratch,
                                      const volatile int *cancel, Err *err) {
    Factor *lefts[FACTORS_MOST] = {NULL}, *key = NULL;
    const Factor *list[FACTORS_MOST];
    Status status = factor_of(&key, right, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = factor_of(&lefts[i], left[i], err);
        list[i] = lefts[i];
    }
    if (status == STATUS_OK)
        status = kernel_values(list, count, key, wish, results, statuses, errs,
                               scratch, cancel, err);
    for (size_t i = 0; i < count; i++)
        factor_release(lefts[i]);
    factor_release(key);
    return status;
}

static inline Status dense_values_of(const Tensor *left, const Tensor *right,
                                     unsigned wish, KernelResult *result,
                                     Scratch *scratch, Err *err) {
    Factor *pair[2];
    Status status = factor_pair(pair, left, right, err);
    if (status == STATUS_OK)
        status =
            kernel_dense_values(pair[0], pair[1], wish, result, scratch, err);
    factor_release(pair[0]);
    factor_release(pair[1]);
    return status;
}

static inline Status dense_kernel_of(const Tensor *left, const Tensor *right,
                                     double *m, Scratch *scratch, Err *err) {
    Factor *pair[2];
    Status status = factor_pair(pair, left, right, err);
    if (status == STATUS_OK)
        status = kernel_dense(pair[0], pair[1], m, scratch, err);
    factor_release(pair[0]);
    factor_release(pair[1]);
    return status;
}

static inline Status svd_of(const Tensor *left, const Tensor *right,
                            int64_t count, double *u, double *s, double *v,
                            Scratch *scratch, Err *err) {
    Factor *pair[2];
    Status status = factor_pair(pair, left, right, err);
    if (status == STATUS_OK)
        status = kernel_svd(pair[0], pair[1], count, u, s, v, scratch, err);
    factor_release(pair[0]);
    factor_release(pair[1]);
    return status;
}

#endif
