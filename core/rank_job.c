/* Jobs and answers in messages. */
#include "rank_job.h"

#include <string.h>

/* A job that came in a message, and all that it points at. */
typedef struct Owned {
    RankJob job; /* first: job_release gets its address */
    Tensor matrix;
    SpectrumInfo info;
    Factor **left, *right;
    double *values; /* of all results, one after another */
} Owned;

/* ---- the question ---- */

enum { MATRIX, KERNELS };

void job_put(Wire *wire, const RankJob *job) {
    wire_u64(wire, job->matrix != NULL ? MATRIX : KERNELS);
    wire_u64(wire, job->wish.method);
    wire_u64(wire, job->wish.single);
    wire_u64(wire, job->wish.shown);
    wire_u64(wire, job->eigen);
    wire_u64(wire, job->dense);
    if (job->matrix != NULL) {
        wire_tensor(wire, job->matrix);
        return;
    }
    wire_u64(wire, job->count);
    wire_factor(wire, job->right);
    for (size_t i = 0; i < job->count; i++)
        wire_factor(wire, job->left[i]);
}

bool job_able(const RankJob *job) {
    if (job->matrix != NULL)
        return job->matrix->axes == 2 && wire_tensor_able(job->matrix);
    bool able = wire_factor_able(job->right);
    for (size_t i = 0; i < job->count && able; i++)
        able = wire_factor_able(job->left[i]);
    return able;
}

static Status take_wish(WireReader *from, RankJob *job, bool *kernels,
                        Err *err) {
    uint64_t word[6] = {0};
    for (int i = 0; i < 6; i++) {
        Status status = take_most(from, &word[i], 1, "wish", err);
        if (status != STATUS_OK)
            return status;
    }
    *kernels = word[0] == KERNELS;
    job->wish = (SpectrumWish){(SpectrumMethod)word[1], word[2], word[3]};
    job->eigen = word[4];
    job->dense = word[5];
    return STATUS_OK;
}

/* Eigenvalues of a kernel. */
static size_t eigen_count(const RankJob *job, size_t i) {
    const Factor *left = job->left[i];
    return !job->eigen ? 0 : (size_t)(job->dense ? left->d : left->k);
}

static size_t singular_count(const RankJob *job, size_t i) {
    if (job->matrix == NULL)
        return (size_t)job->left[i]->k;
    const int64_t *shape = job->matrix->shape;
    return (size_t)(shape[0] < shape[1] ? shape[0] : shape[1]);
}

/* Room for the results, all in one block. */
static Status make_results(Owned *owned, Err *err) {
    RankJob *job = &owned->job;
    size_t total = 0;
    bool large = false;
    for (size_t i = 0; i < job->count; i++) {
        size_t n[3] = {singular_count(job, i), 0, 0};
        if (job->matrix == NULL)
            n[1] = n[2] = eigen_count(job, i);
        for (int k = 0; k < 3; k++)
            large = __builtin_add_overflow(total, n[k], &total) || large;
    }
    if (large)
        return err_set(err, STATUS_FORMAT, "a job of 2^64 results or more");
    job->status = mem_zeroed(job->count, sizeof *job->status, err);
    job->err = mem_zeroed(job->count, sizeof *job->err, err);
    job->kernel = mem_zeroed(job->count, sizeof *job->kernel, err);
    owned->values = mem_zeroed(total, sizeof *owned->values, err);
    if (job->status == NULL || job->err == NULL || job->kernel == NULL ||
        owned->values == NULL)
        return STATUS_NOMEM;
    /* until it is run: a job may be cancelled before a worker takes it */
    for (size_t i = 0; i < job->count; i++)
        job->status[i] = err_set(&job->err[i], STATUS_CANCELLED, "interrupted");
    job->info = &owned->info;
    job->s = owned->values;
    double *at = owned->values;
    for (size_t i = 0; i < job->count && job->matrix == NULL; i++) {
        size_t n = eigen_count(job, i);
        job->kernel[i] = (KernelResult){.s = at};
        at += singular_count(job, i);
        job->kernel[i].re = at;
        job->kernel[i].im = at + n;
        at += 2 * n;
    }
    return STATUS_OK;
}

static Status take_kernels(WireReader *from, WireFiles *files, Owned *owned,
                           Err *err) {
    RankJob *job = &owned->job;
    uint64_t count = 0;
    Status status = take_count(from, &count, sizeof count, "kernels", err);
    if (status == STATUS_OK)
        status = take_factor(from, files, &owned->right, err);
    if (status != STATUS_OK)
        return status;
    owned->left = mem_zeroed((size_t)count, sizeof *owned->left, err);
    if (owned->left == NULL)
        return STATUS_NOMEM;
    job->count = (size_t)count;
    job->right = owned->right;
    job->left = (const Factor *const *)owned->left;
    for (size_t i = 0; i < job->count && status == STATUS_OK; i++)
        status = take_factor(from, files, &owned->left[i], err);
    return status;
}

static Status take_matrix(WireReader *from, WireFiles *files, Owned *owned,
                          Err *err) {
    Status status = take_tensor(from, files, &owned->matrix, err);
    if (status == STATUS_OK && owned->matrix.axes != 2)
        status = err_set(err, STATUS_FORMAT,
                         "a message's matrix has %d axes: expected 2",
                         owned->matrix.axes);
    owned->job.matrix = &owned->matrix;
    owned->job.count = 1;
    return status;
}

Status job_take(WireReader *from, WireFiles *files, RankJob **out, Err *err) {
    Owned *owned = mem_zeroed(1, sizeof *owned, err);
    if (owned == NULL)
        return STATUS_NOMEM;
    bool kernels = false;
    Status status = take_wish(from, &owned->job, &kernels, err);
    if (status == STATUS_OK)
        status = kernels ? take_kernels(from, files, owned, err)
                         : take_matrix(from, files, owned, err);
    if (status == STATUS_OK)
        status = take_end(from, err);
    if (status == STATUS_OK)
        status = make_results(owned, err);
    if (status == STATUS_OK)
        *out = &owned->job;
    else
        job_release(&owned->job);
    return status;
}

void job_release(RankJob *job) {
    if (job == NULL)
        return;
    Owned *owned = (Owned *)(void *)job;
    for (size_t i = 0; owned->left != NULL && i < job->count; i++)
        factor_release(owned->left[i]);
    factor_release(owned->right);
    tensor_release(&owned->matrix);
    mem_free(owned->left);
    mem_free(owned->values);
    mem_free(job->kernel);
    mem_free(job->status);
    mem_free(job->err);
    mem_free(owned);
}

void job_run(RankJob *job, Scratch *scratch, const volatile int *cancel) {
    if (job->matrix == NULL)
        kernel_answers(job->left, job->count, job->right, job->eigen,
                       job->dense, job->kernel, job->status, job->err, scratch,
                       cancel);
    else
        job->status[0] =
            spectrum_values(job->matrix, &job->wish, job->s, job->info, scratch,
                            cancel, &job->err[0]);
}

/* ---- the answers ---- */

static void put_info(Wire *wire, const SpectrumInfo *info) {
    wire_f64(wire, info->bound);
    wire_f64(wire, info->flops);
    wire_u64(wire, info->read);
    wire_u64(wire, info->single);
    wire_u64(wire, info->low_end);
    wire_u64(wire, info->direct);
}

static Status take_info(WireReader *from, SpectrumInfo *info, Err *err) {
    uint64_t single = 0, low_end = 0, direct = 0;
    Status status = take_f64(from, &info->bound, "bound", err);
    if (status == STATUS_OK)
        status = take_f64(from, &info->flops, "flops", err);
    if (status == STATUS_OK)
        status = take_u64(from, &info->read, "reads", err);
    if (status == STATUS_OK)
        status = take_most(from, &single, 1, "method", err);
    if (status == STATUS_OK)
        status = take_most(from, &low_end, 1, "method", err);
    if (status == STATUS_OK)
        status = take_most(from, &direct, 1, "method", err);
    info->single = single;
    info->low_end = low_end;
    info->direct = direct;
    return status;
}

static void put_values(Wire *wire, const double *values, size_t n) {
    wire_u64(wire, n);
    wire_block(wire, values, n * sizeof *values);
}

/* Exactly n values. */
static Status take_values(WireReader *from, double *values, size_t n,
                          Err *err) {
    uint64_t count = 0;
    Status status = take_u64(from, &count, "values", err);
    if (status == STATUS_OK && count != n)
        status = err_set(err, STATUS_FORMAT,
                         "an answer of %llu values: expected %zu",
                         (unsigned long long)count, n);
    return status == STATUS_OK
               ? take_block(from, values, n * sizeof *values, "values", err)
               : status;
}

static void put_answer(Wire *wire, const RankJob *job, size_t i) {
    wire_u64(wire, job->status[i]);
    if (job->status[i] != STATUS_OK) {
        wire_text(wire, job->err[i].message);
        return;
    }
    if (job->matrix != NULL) {
        put_info(wire, job->info);
        put_values(wire, job->s, singular_count(job, i));
        return;
    }
    const KernelResult *kernel = &job->kernel[i];
    wire_f64(wire, kernel->norm);
    wire_f64(wire, kernel->symmetry);
    wire_f64(wire, kernel->asymmetry);
    put_values(wire, kernel->s, singular_count(job, i));
    put_values(wire, kernel->re, eigen_count(job, i));
    put_values(wire, kernel->im, eigen_count(job, i));
}

void job_put_answers(Wire *wire, const RankJob *job) {
    for (size_t i = 0; i < job->count; i++)
        put_answer(wire, job, i);
}

static Status take_kernel(WireReader *from, const RankJob *job, size_t i,
                          Err *err) {
    KernelResult *kernel = &job->kernel[i];
    Status status = take_f64(from, &kernel->norm, "norm", err);
    if (status == STATUS_OK)
        status = take_f64(from, &kernel->symmetry, "symmetry", err);
    if (status == STATUS_OK)
        status = take_f64(from, &kernel->asymmetry, "asymmetry", err);
    if (status == STATUS_OK)
        status = take_values(from, kernel->s, singular_count(job, i), err);
    if (status == STATUS_OK)
        status = take_values(from, kernel->re, eigen_count(job, i), err);
    if (status == STATUS_OK)
        status = take_values(from, kernel->im, eigen_count(job, i), err);
    return status;
}

static Status take_answer(WireReader *from, const RankJob *job, size_t i,
                          Err *err) {
    uint64_t found = 0;
    Status status = take_most(from, &found, STATUS_CLOSED, "status", err);
    if (status != STATUS_OK)
        return status;
    job->status[i] = (Status)found;
    if (found != STATUS_OK) {
        Err *why = &job->err[i];
        why->status = (Status)found;
        return take_text(from, why->message, sizeof why->message, "message",
                         err);
    }
    if (job->matrix == NULL)
        return take_kernel(from, job, i, err);
    status = take_info(from, job->info, err);
    return status == STATUS_OK
               ? take_values(from, job->s, singular_count(job, i), err)
               : status;
}

Status job_fault(const RankJob *job, Err *err) {
    for (size_t i = 0; i < job->count; i++)
        switch (job->status[i]) {
        case STATUS_OK:
        case STATUS_ARGUMENT:
        case STATUS_NONFINITE:
        case STATUS_NUMERIC:
            break;
        default:
            return err_set(err, job->status[i], "%s", job->err[i].message);
        }
    return STATUS_OK;
}

Status job_take_answers(WireReader *from, const RankJob *job, Err *err) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < job->count && status == STATUS_OK; i++)
        status = take_answer(from, job, i, err);
    if (status == STATUS_OK)
        status = take_end(from, err);
    return status;
}
