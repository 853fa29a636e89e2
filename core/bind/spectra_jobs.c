/* Running the jobs of core.spectra. */
#include "spectra_jobs.h"

void spectra_free(void *data) {
    Spectra *spectra = data;
    if (atomic_fetch_sub(&spectra->others, 1) > 0)
        return;
    for (size_t i = 0; i < spectra->items; i++) {
        spectrum_share_release(spectra->item[i].share);
        tensor_release(&spectra->item[i].matrix);
        factor_release(spectra->item[i].left);
        factor_release(spectra->item[i].right);
        tensor_release(&spectra->item[i].out);
        tensor_release(&spectra->item[i].re);
        tensor_release(&spectra->item[i].im);
    }
    bind_cache_end(&spectra->cache);
    mem_free(spectra->item);
    mem_free(spectra->job);
    mem_free(spectra->cost);
    mem_free(spectra->fluid);
    mem_free(spectra->slices);
    mem_free(spectra->order);
    mem_free(spectra->left);
    mem_free(spectra->kernel);
    mem_free(spectra->info);
    mem_free(spectra->status);
    mem_free(spectra->err);
    mem_free(spectra);
}

Status spectra_arrays(Spectra *spectra, size_t n, Err *err) {
    struct {
        void **array;
        size_t size;
    } const wanted[] = {
        {(void **)&spectra->job, sizeof(Job)},
        {(void **)&spectra->cost, sizeof(double)},
        {(void **)&spectra->fluid, sizeof(double)},
        {(void **)&spectra->slices, sizeof(int)},
        {(void **)&spectra->order, sizeof(size_t)},
        {(void **)&spectra->left, sizeof(Factor *)},
        {(void **)&spectra->kernel, sizeof(KernelResult)},
        {(void **)&spectra->info, sizeof(SpectrumInfo)},
        {(void **)&spectra->status, sizeof(Status)},
        {(void **)&spectra->err, sizeof(Err)},
        {(void **)&spectra->item, sizeof(Item)},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (*wanted[i].array == NULL)
            *wanted[i].array = mem_zeroed(n, wanted[i].size, err);
        if (*wanted[i].array == NULL)
            return STATUS_NOMEM;
    }
    spectra->items = n;
    return STATUS_OK;
}

/* ---- the cache ---- */

static SpectrumWish wish_of(const Spectra *spectra, const Item *item) {
    SpectrumWish wish = spectra->wish;
    wish.shown = item->shown;
    return wish;
}

static CacheQuestion question_of(const Spectra *spectra, const Item *item) {
    unsigned kernel = spectra->eigen
                          ? KERNEL_SINGULAR | KERNEL_EIGEN | KERNEL_SHAPE
                          : KERNEL_SINGULAR;
    return (CacheQuestion){.matrix = item->right == NULL ? &item->matrix : NULL,
                           .wish = wish_of(spectra, item),
                           .left = item->left,
                           .right = item->right,
                           .kernel = kernel,
                           .dense = spectra->dense};
}

/* Nothing is asked of a matrix without values. */
void spectra_find(Spectra *spectra, Item *item) {
    CacheQuestion question = question_of(spectra, item);
    if (item->answer.count[0] > 0)
        item->found = bind_cache_find(&spectra->cache, &question, &item->answer,
                                      &item->able);
}

/* Completes the answer of a result and keeps it: at once, so that what a kill
 * costs is the matrices in hand. */
static void keep_item(Spectra *spectra, size_t at) {
    Item *item = &spectra->item[spectra->order[at]];
    CacheAnswer *answer = &item->answer;
    const SpectrumInfo *info = &spectra->info[at];
    const KernelResult *kernel = &spectra->kernel[at];
    if (spectra->status[at] != STATUS_OK)
        return;
    if (item->right == NULL) {
        answer->fact[SPECTRA_BOUND] = info->bound;
        answer->flags = (info->direct ? BIND_DIRECT : 0U) |
                        (info->low_end ? BIND_LOW_END : 0U) |
                        (info->single ? BIND_SINGLE : 0U);
    } else {
        answer->fact[SPECTRA_NORM] = kernel->norm;
        answer->fact[SPECTRA_SYMMETRY] = kernel->symmetry;
        answer->fact[SPECTRA_ASYMMETRY] = kernel->asymmetry;
        answer->flags = BIND_DIRECT;
    }
    CacheQuestion question = question_of(spectra, item);
    if (item->able)
        bind_cache_keep(&spectra->cache, &question, answer);
}

/* ---- rounds ---- */

void round_fill(Round *round, Spectra *spectra, size_t first) {
    atomic_fetch_add(&spectra->others, 1);
    *round = (Round){spectra, first};
}

void round_free(void *data) {
    Round *round = data;
    spectra_free(round->spectra);
    mem_free(round);
}

static Job *round_job(const Round *round, size_t i) {
    return &round->spectra->job[round->first + i];
}

/* ---- on the workers ---- */

static void run_matrix(Spectra *spectra, const Job *job, Scratch *scratch,
                       const volatile int *cancel) {
    size_t at = job->first;
    Item *item = &spectra->item[spectra->order[at]];
    SpectrumWish wish = wish_of(spectra, item);
    char shape[256];
    if (item->matrix.axes != 2)
        spectra->status[at] = err_set(
            &spectra->err[at], STATUS_ARGUMENT,
            "a tensor of shape %s has no singular values: expected 2 axes",
            tensor_shape_text(shape, sizeof shape, &item->matrix));
    else
        spectra->status[at] = spectrum_share_values(
            item->share, &item->matrix, &wish, tensor_data(&item->out),
            &spectra->info[at], scratch, cancel, &spectra->err[at]);
    keep_item(spectra, at);
}

/* What fails here is told by run_matrix, which comes after all slices. */
void round_slice(void *data, size_t i, int slice, Scratch *scratch,
                 const volatile int *cancel) {
    const Spectra *spectra = ((Round *)data)->spectra;
    Item *item = &spectra->item[spectra->order[round_job(data, i)->first]];
    SpectrumShare *share = spectrum_share_at(&item->share, &item->matrix);
    if (share != NULL)
        spectrum_share_slice(share, &item->matrix, slice, scratch, cancel);
}

static void run_kernels(Spectra *spectra, const Job *job, Scratch *scratch,
                        const volatile int *cancel) {
    size_t at = job->first;
    kernel_answers(&spectra->left[at], job->count, job->right, spectra->eigen,
                   spectra->dense, &spectra->kernel[at], &spectra->status[at],
                   &spectra->err[at], scratch, cancel);
    for (size_t i = at; i < at + job->count; i++)
        keep_item(spectra, i);
}

void round_run(void *data, size_t i, Scratch *scratch,
               const volatile int *cancel) {
    Spectra *spectra = ((Round *)data)->spectra;
    const Job *job = round_job(data, i);
    if (job->right == NULL)
        run_matrix(spectra, job, scratch, cancel);
    else
        run_kernels(spectra, job, scratch, cancel);
}

/* The start of a file's matrix is on its way before it is taken; what follows
 * is asked for while it is read. */
void round_ahead(void *data, size_t i) {
    static const uint64_t MOST = 16 << 20;
    const Spectra *spectra = ((Round *)data)->spectra;
    const Job *job = round_job(data, i);
    const Tensor *matrix = &spectra->item[spectra->order[job->first]].matrix;
    if (job->right == NULL && matrix->source != NULL)
        source_advise(matrix->source, MOST);
}

/* ---- on other ranks ---- */

static RankJob rank_job(const Spectra *spectra, const Job *job) {
    size_t at = job->first;
    const Item *item = &spectra->item[spectra->order[at]];
    return (RankJob){.wish = wish_of(spectra, item),
                     .eigen = spectra->eigen,
                     .dense = spectra->dense,
                     .matrix = job->right == NULL ? &item->matrix : NULL,
                     .s = item->answer.array[0],
                     .info = &spectra->info[at],
                     .count = job->count,
                     .left = &spectra->left[at],
                     .right = job->right,
                     .kernel = &spectra->kernel[at],
                     .status = &spectra->status[at],
                     .err = &spectra->err[at]};
}

static void round_put(void *data, size_t i, RankJob *out) {
    *out = rank_job(((Round *)data)->spectra, round_job(data, i));
}

static void round_took(void *data, size_t i, int rank) {
    Spectra *spectra = ((Round *)data)->spectra;
    const Job *job = round_job(data, i);
    for (size_t at = job->first; at < job->first + job->count; at++) {
        spectra->item[spectra->order[at]].rank = rank;
        keep_item(spectra, at);
    }
}

static void round_back(void *data, size_t i, bool own) {
    Job *job = round_job(data, i);
    job->back = true;
    job->own = own;
}

const RanksFace round_face = {round_put, round_took, round_back};

/* ---- which jobs are next ---- */

static void swap_jobs(Spectra *spectra, size_t a, size_t b) {
    Job job = spectra->job[a];
    double cost = spectra->cost[a], fluid = spectra->fluid[a];
    int slices = spectra->slices[a];
    spectra->job[a] = spectra->job[b];
    spectra->cost[a] = spectra->cost[b];
    spectra->fluid[a] = spectra->fluid[b];
    spectra->slices[a] = spectra->slices[b];
    spectra->job[b] = job;
    spectra->cost[b] = cost;
    spectra->fluid[b] = fluid;
    spectra->slices[b] = slices;
}

size_t spectra_own_first(Spectra *spectra) {
    size_t count = 0;
    for (size_t i = 0; i < spectra->jobs; i++) {
        RankJob sent = rank_job(spectra, &spectra->job[i]);
        if (spectra->job[i].own || !job_able(&sent))
            swap_jobs(spectra, i, count++);
    }
    return count;
}

size_t spectra_back_first(Spectra *spectra) {
    size_t count = 0;
    for (size_t i = 0; i < spectra->jobs; i++) {
        bool back = spectra->job[i].back;
        spectra->job[i].back = false;
        if (back)
            swap_jobs(spectra, i, count++);
    }
    return count;
}
