/* Kernels that share a right factor, as one job of a batch. */
#include "cancel.h"
#include "heads.h"

/* The eigenvalues of the heads' dense matrices. */
static void dense_answers(const Factor *const *left, size_t count,
                          const Factor *right, KernelResult *results,
                          Status *statuses, Err *errs, Scratch *scratch,
                          const volatile int *cancel) {
    for (size_t i = 0; i < count; i++) {
        if (cancel_seen(cancel))
            statuses[i] = err_set(&errs[i], STATUS_CANCELLED, "interrupted");
        if (statuses[i] == STATUS_OK)
            statuses[i] = kernel_dense_values(left[i], right, KERNEL_EIGEN,
                                              &results[i], scratch, &errs[i]);
    }
}

void kernel_answers(const Factor *const *left, size_t count,
                    const Factor *right, bool eigen, bool dense,
                    KernelResult *results, Status *statuses, Err *errs,
                    Scratch *scratch, const volatile int *cancel) {
    unsigned wish = !eigen  ? KERNEL_SINGULAR
                    : dense ? KERNEL_SINGULAR | KERNEL_SHAPE
                            : KERNEL_SINGULAR | KERNEL_SHAPE | KERNEL_EIGEN;
    Err err;
    Status status = kernel_values(left, count, right, wish, results, statuses,
                                  errs, scratch, cancel, &err);
    /* without the shared factor none of them has a result */
    for (size_t i = 0; status != STATUS_OK && i < count; i++) {
        statuses[i] = status;
        errs[i] = err;
    }
    if (status == STATUS_OK && dense)
        dense_answers(left, count, right, results, statuses, errs, scratch,
                      cancel);
}
