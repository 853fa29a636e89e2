/* core.spectra: many singular spectra as one batch of the pool. */
#include <string.h>

#include "bind.h"
#include "cancel.h"
#include "direct.h"
#include "heads.h"
#include "ranks.h"
#include "spectrum_share.h"

/* Places on the stack. */
enum { LIST = 1, OPTIONS, EACH, NOTE, WORK, RESULTS, WHY, INFO, PLACES = INFO };

/* The answer's numbers of a kernel; a matrix has its bound in the first. */
enum { NORM, SYMMETRY, ASYMMETRY };
enum { BOUND = NORM };

typedef struct Item {
    Tensor matrix;                  /* closed where it is a kernel */
    Factor *left, *right;           /* of a kernel, else NULL */
    Tensor out;                     /* the result, shared with Lua */
    Tensor re, im;                  /* the same, of a kernel's eigenvalues */
    CacheAnswer answer;             /* with the results' arrays */
    _Atomic(SpectrumShare *) share; /* of its slices; NULL: none was run */
    bool found;                     /* it was in the cache, and has no job */
    bool able;                      /* it can be kept there */
    bool shown;                     /* its small values are to be exact too */
    size_t job;
    int rank; /* which computed it */
} Item;

/* A matrix, or kernels that share their right factor. Its items stand in
 * `order` from `first` on. */
typedef struct Job {
    size_t first, count;
    const Factor *right; /* NULL: a matrix */
    uint64_t hash;       /* of right */
} Job;

/* All that the batch's jobs touch. The arrays after `order` run in its order,
 * so that a job's part of each is one block. */
typedef struct Spectra {
    SpectrumWish wish;
    bool eigen; /* eigenvalues of kernels too, */
    bool dense; /* those of the dense matrix */
    CacheUse cache;
    size_t items, jobs;
    Item *item;
    Job *job;
    double *cost, *fluid; /* of jobs; of that, what slices come to */
    int *slices;
    int64_t side; /* the largest short side that has some */
    size_t *order;
    const Factor **left;
    KernelResult *kernel;
    SpectrumInfo *info;
    Status *status;
    Err *err;
} Spectra;

static void spectra_free(void *data) {
    Spectra *spectra = data;
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

/* Arrays for n items; what a failure leaves is spectra_free's. */
static Status spectra_arrays(Spectra *spectra, size_t n, Err *err) {
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
static void find_item(Spectra *spectra, Item *item) {
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
        answer->fact[BOUND] = info->bound;
        answer->flags = (info->direct ? BIND_DIRECT : 0U) |
                        (info->low_end ? BIND_LOW_END : 0U) |
                        (info->single ? BIND_SINGLE : 0U);
    } else {
        answer->fact[NORM] = kernel->norm;
        answer->fact[SYMMETRY] = kernel->symmetry;
        answer->fact[ASYMMETRY] = kernel->asymmetry;
        answer->flags = BIND_DIRECT;
    }
    CacheQuestion question = question_of(spectra, item);
    if (item->able)
        bind_cache_keep(&spectra->cache, &question, answer);
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
static void run_slice(void *data, size_t i, int slice, Scratch *scratch,
                      const volatile int *cancel) {
    Spectra *spectra = data;
    Item *item = &spectra->item[spectra->order[spectra->job[i].first]];
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

static void spectra_run(void *data, size_t i, Scratch *scratch,
                        const volatile int *cancel) {
    Spectra *spectra = data;
    const Job *job = &spectra->job[i];
    if (job->right == NULL)
        run_matrix(spectra, job, scratch, cancel);
    else
        run_kernels(spectra, job, scratch, cancel);
}

/* The start of a file's matrix is on its way before it is taken; what follows
 * is asked for while it is read. */
static void spectra_ahead(void *data, size_t i) {
    static const uint64_t MOST = 16 << 20;
    Spectra *spectra = data;
    const Job *job = &spectra->job[i];
    const Tensor *matrix = &spectra->item[spectra->order[job->first]].matrix;
    if (job->right == NULL && matrix->source != NULL)
        source_advise(matrix->source, MOST);
}

/* ---- on other ranks ---- */

/* RanksFace: job i. What has no spectrum is refused here. */
static bool spectra_job(void *data, size_t i, RankJob *out) {
    Spectra *spectra = data;
    const Job *job = &spectra->job[i];
    size_t at = job->first;
    Item *item = &spectra->item[spectra->order[at]];
    *out = (RankJob){.wish = wish_of(spectra, item),
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
    return job->right != NULL || item->matrix.axes == 2;
}

static void spectra_took(void *data, size_t i, int rank) {
    Spectra *spectra = data;
    const Job *job = &spectra->job[i];
    for (size_t at = job->first; at < job->first + job->count; at++) {
        spectra->item[spectra->order[at]].rank = rank;
        keep_item(spectra, at);
    }
}

/* ---- the batch ---- */

/* The job of kernels with this right factor, latest first, since a group's
 * heads stand together; a new one where there is none. */
static size_t kernel_job(Spectra *spectra, const Factor *right) {
    uint64_t hash = bind_factor_hash(right);
    for (size_t j = spectra->jobs; j-- > 0;) {
        const Job *job = &spectra->job[j];
        if (job->right != NULL && job->hash == hash &&
            bind_factor_same(job->right, right))
            return j;
    }
    spectra->job[spectra->jobs] = (Job){.right = right, .hash = hash};
    return spectra->jobs++;
}

/* Takes list element i+1, which is on top of the stack. */
static void take_item(lua_State *L, Spectra *spectra, size_t i) {
    Item *item = &spectra->item[i];
    const Kernel *kernel = luaL_testudata(L, -1, BIND_KERNEL);
    const Tensor *tensor = luaL_testudata(L, -1, BIND_TENSOR);
    bool open = kernel != NULL ? kernel->left != NULL
                : tensor != NULL
                    ? tensor->storage != NULL || tensor->source != NULL
                    : false;
    const char *what = kernel != NULL   ? "a closed kernel"
                       : tensor != NULL ? "a closed tensor"
                                        : luaL_typename(L, -1);
    if (!open)
        luaL_argerror(L, LIST,
                      lua_pushfstring(L,
                                      "element %I is %s, expected a tensor "
                                      "or a kernel",
                                      (LUAI_UACINT)(i + 1), what));
    if (kernel == NULL && spectra->eigen)
        luaL_argerror(L, LIST,
                      lua_pushfstring(L,
                                      "element %I is a tensor, expected a "
                                      "kernel with option 'eigen'",
                                      (LUAI_UACINT)(i + 1)));
    if (kernel == NULL) {
        tensor_view(&item->matrix, tensor);
        return;
    }
    item->left = factor_keep(kernel->left);
    item->right = factor_keep(kernel->right);
}

/* Singular values of the item: none where it is no matrix. */
static int64_t item_values(const Item *item) {
    const int64_t *shape = item->matrix.shape;
    if (item->left != NULL)
        return item->left->k;
    return item->matrix.axes != 2 ? 0 : shape[shape[1] < shape[0] ? 1 : 0];
}

/* Pushes a new result of n values, which is the answer's array `part` too. */
static void push_values(lua_State *L, Item *item, int part, Tensor *out,
                        int64_t n) {
    tensor_view(out, bind_tensor_create(L, DTYPE_F64, 1, &n));
    item->answer.array[part] = tensor_data(out);
    item->answer.count[part] = (size_t)n;
}

/* The item's result tensors, the first of them in RESULTS. */
static void make_results(lua_State *L, Spectra *spectra, size_t i) {
    Item *item = &spectra->item[i];
    push_values(L, item, 0, &item->out, item_values(item));
    lua_rawseti(L, RESULTS, (lua_Integer)i + 1);
    if (!spectra->eigen)
        return;
    int64_t n = spectra->dense ? item->left->d : item->left->k;
    push_values(L, item, 1, &item->re, n);
    push_values(L, item, 2, &item->im, n);
    lua_pop(L, 2);
}

static double item_cost(const Spectra *spectra, const Item *item,
                        size_t heads) {
    const int64_t *shape = item->matrix.shape;
    if (item->right == NULL)
        return spectrum_work(shape[0], shape[1]);
    double dense = spectra->dense ? direct_eigvals_cost(item->left->d) : 0;
    return kernel_cost(item->left, item->right, (int64_t)heads) +
           dense * (double)heads;
}

static void set_slices(Spectra *spectra, const Item *item) {
    const int64_t *shape = item->matrix.shape;
    int slices = spectrum_parts(&item->matrix, &spectra->wish);
    spectra->slices[item->job] = slices;
    spectra->fluid[item->job] = spectrum_fluid(shape[0], shape[1]);
    if (slices > 1 && item_values(item) > spectra->side)
        spectra->side = item_values(item);
}

/* Puts the items in the order of their jobs and prices these. */
static void order_items(Spectra *spectra) {
    for (size_t i = 0; i < spectra->items; i++)
        if (!spectra->item[i].found)
            spectra->job[spectra->item[i].job].count++;
    for (size_t j = 1; j < spectra->jobs; j++)
        spectra->job[j].first =
            spectra->job[j - 1].first + spectra->job[j - 1].count;
    for (size_t j = 0; j < spectra->jobs; j++)
        spectra->job[j].count = 0;
    for (size_t i = 0; i < spectra->items; i++) {
        Item *item = &spectra->item[i];
        if (item->found)
            continue;
        Job *job = &spectra->job[item->job];
        size_t at = job->first + job->count++;
        KernelResult *kernel = &spectra->kernel[at];
        spectra->order[at] = i;
        spectra->left[at] = item->left;
        kernel->s = item->answer.array[0];
        kernel->re = item->answer.array[1];
        kernel->im = item->answer.array[2];
        spectra->cost[item->job] = item_cost(spectra, item, job->count);
        if (item->right == NULL)
            set_slices(spectra, item);
    }
}

/* Fills in the batch's data from the list, its result tensors in RESULTS, and
 * what the cache has of them. */
static void spectra_fill(lua_State *L, Spectra *spectra) {
    Err err;
    int shown = bind_option_marks(L, OPTIONS, "shown");
    BIND_MUST(L, &err,
              spectra_arrays(spectra, (size_t)lua_rawlen(L, LIST), &err));
    for (size_t i = 0; i < spectra->items; i++) {
        Item *item = &spectra->item[i];
        lua_rawgeti(L, LIST, (lua_Integer)i + 1);
        take_item(L, spectra, i);
        make_results(L, spectra, i);
        lua_pop(L, 1);
        item->shown = bind_marked(L, shown, (lua_Integer)i + 1);
        bind_poll(L);
        find_item(spectra, item);
        if (!item->found)
            item->job = item->right != NULL ? kernel_job(spectra, item->right)
                                            : spectra->jobs++;
    }
    lua_pop(L, 1);
    order_items(spectra);
}

/* ---- results ---- */

static void set_tensor(lua_State *L, const char *name, const Tensor *tensor) {
    tensor_view(bind_tensor_new(L, 0), tensor);
    lua_setfield(L, -2, name);
}

/* How the values were found. A kernel's come from no Gram matrix: they have
 * no bound, and are always direct. */
static void push_info(lua_State *L, const Item *item) {
    const CacheAnswer *answer = &item->answer;
    lua_createtable(L, 0, 5);
    if (item->right == NULL)
        bind_set_number(L, "bound", answer->fact[BOUND]);
    bind_set_flag(L, "direct", answer->flags & BIND_DIRECT);
    bind_set_flag(L, "low_end", answer->flags & BIND_LOW_END);
    bind_set_flag(L, "single", answer->flags & BIND_SINGLE);
    bind_set_flag(L, "cached", item->found);
    lua_pushinteger(L, item->rank);
    lua_setfield(L, -2, "rank");
    if (answer->array[1] == NULL)
        return;
    bind_set_number(L, "norm", answer->fact[NORM]);
    bind_set_number(L, "symmetry", answer->fact[SYMMETRY]);
    bind_set_number(L, "asymmetry", answer->fact[ASYMMETRY]);
    set_tensor(L, "re", &item->re);
    set_tensor(L, "im", &item->im);
}

/* Calls opts.each; an error in it ends the work and goes on up. */
static void call_each(lua_State *L, Work *work, lua_Integer i) {
    if (lua_isnil(L, EACH))
        return;
    lua_pushvalue(L, EACH);
    lua_pushinteger(L, i);
    lua_rawgeti(L, RESULTS, i);
    lua_rawgeti(L, WHY, i);
    lua_rawgeti(L, INFO, i);
    if (lua_pcall(L, 4, 0, 0) != LUA_OK) {
        bind_work_close(work);
        lua_error(L);
    }
}

/* Files the result of item i, and tells of it; `err` says why there is none. */
static void deliver(lua_State *L, Work *work, size_t i, const Err *err) {
    const Spectra *spectra = work->data;
    lua_Integer place = (lua_Integer)i + 1;
    if (err == NULL) {
        push_info(L, &spectra->item[i]);
        lua_pushboolean(L, 0);
    } else {
        lua_pushboolean(L, 0);
        lua_pushstring(L, err->message);
        lua_pushboolean(L, 0);
        lua_rawseti(L, RESULTS, place);
    }
    lua_rawseti(L, WHY, place);
    lua_rawseti(L, INFO, place);
    call_each(L, work, place);
}

/* What the cache has, and then what the workers find. */
static void deliver_all(lua_State *L, Work *work) {
    Spectra *spectra = work->data;
    for (size_t i = 0; i < spectra->items; i++)
        if (spectra->item[i].found)
            deliver(L, work, i, NULL);
    for (size_t j; spectra->jobs > 0 && bind_work_next(L, work, &j);) {
        const Job job = spectra->job[j];
        for (size_t at = job.first; at < job.first + job.count; at++)
            deliver(L, work, spectra->order[at],
                    spectra->status[at] == STATUS_OK ? NULL
                                                     : &spectra->err[at]);
    }
}

/* Reads the options; pushes EACH and NOTE. Returns the number of threads, or
 * 0. */
static int read_options(lua_State *L, SpectrumWish *wish) {
    static const char *const NAMES[] = {"threads", "precision", "method",
                                        "shown",   "each",      "cache",
                                        "note",    "eigen",     NULL};
    static const char *const PRECISIONS[] = {"double", "single", NULL};
    static const char *const METHODS[] = {"gram", "direct", NULL};
    bind_options(L, OPTIONS, NAMES);
    wish->single = bind_option_word(L, OPTIONS, "precision", PRECISIONS, 0);
    wish->method = bind_option_word(L, OPTIONS, "method", METHODS, 0) == 0
                       ? SPECTRUM_GRAM
                       : SPECTRUM_DIRECT;
    int threads = bind_option_threads(L, OPTIONS);
    lua_settop(L, OPTIONS);
    bind_option(L, OPTIONS, "each", LUA_TFUNCTION);
    bind_option(L, OPTIONS, "note", LUA_TFUNCTION);
    return threads;
}

/* The option `eigen`: true, false (absent) or "dense". */
static void read_eigen(lua_State *L, Spectra *spectra) {
    if (lua_isnil(L, OPTIONS))
        return;
    int type = lua_getfield(L, OPTIONS, "eigen");
    spectra->dense =
        type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "dense") == 0;
    if (type != LUA_TNIL && type != LUA_TBOOLEAN && !spectra->dense)
        luaL_argerror(L, OPTIONS,
                      lua_pushfstring(L,
                                      "option 'eigen': %s, expected true, "
                                      "false or \"dense\"",
                                      luaL_tolstring(L, -1, NULL)));
    spectra->eigen = lua_toboolean(L, -1);
    lua_pop(L, 1);
}

/* core.spectra(list [, opts]) */
static int core_spectra(lua_State *L) {
    luaL_checktype(L, LIST, LUA_TTABLE);
    lua_settop(L, OPTIONS);
    SpectrumWish wish = {0};
    int threads = read_options(L, &wish);
    Work *work = bind_work_new(L);
    for (int place = RESULTS; place <= INFO; place++)
        lua_newtable(L);
    luaL_checkstack(L, 20, "spectra");
    Spectra *spectra = bind_work_data(L, work, sizeof *spectra, spectra_free);
    spectra->wish = wish;
    read_eigen(L, spectra);
    bind_cache_begin(L, OPTIONS, &spectra->cache);
    spectra_fill(L, spectra);
    PoolSplit split = {.fluid = spectra->fluid,
                       .slices = spectra->slices,
                       .held = spectrum_share_room(spectra->side),
                       .slice = run_slice,
                       .rest = spectra_run};
    if (spectra->jobs > 0)
        bind_work_start_split(L, work, threads, spectra->jobs, spectra->cost,
                              spectra_run, spectra_ahead,
                              bind_ranks_there(L) ? NULL : &split);
    if (spectra->jobs > 0)
        bind_ranks_help(L, work, threads,
                        &(RanksFace){spectra_job, spectra_took, spectra_run});
    deliver_all(L, work);
    bind_ranks_tell(L);
    bind_cache_tell(L, &spectra->cache, INFO, NOTE);
    bind_work_close(work);
    lua_settop(L, PLACES);
    return 3;
}

void bind_spectra(lua_State *L) {
    lua_pushcfunction(L, core_spectra);
    lua_setfield(L, -2, "spectra");
}
