/* core.spectra: many singular spectra as one batch of the pool. */
#include <string.h>

#include "bind.h"
#include "heads.h"
#include "spectrum.h"

/* Places on the stack. */
enum { LIST = 1, OPTIONS, EACH, WORK, RESULTS, WHY, INFO, PLACES = INFO };

typedef struct Item {
    Tensor matrix;        /* closed where it is a kernel */
    Factor *left, *right; /* of a kernel, else NULL */
    Tensor out;           /* the result, shared with Lua */
    size_t job;
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
    size_t items, jobs;
    Item *item;
    Job *job;
    double *cost;
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
        tensor_release(&spectra->item[i].matrix);
        factor_release(spectra->item[i].left);
        factor_release(spectra->item[i].right);
        tensor_release(&spectra->item[i].out);
    }
    mem_free(spectra->item);
    mem_free(spectra->job);
    mem_free(spectra->cost);
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

/* ---- on the workers ---- */

static void run_matrix(Spectra *spectra, const Job *job, Scratch *scratch,
                       const volatile int *cancel) {
    size_t at = job->first;
    Item *item = &spectra->item[spectra->order[at]];
    char shape[256];
    if (item->matrix.axes != 2)
        spectra->status[at] = err_set(
            &spectra->err[at], STATUS_ARGUMENT,
            "a tensor of shape %s has no singular values: expected 2 axes",
            tensor_shape_text(shape, sizeof shape, &item->matrix));
    else
        spectra->status[at] = spectrum_values(
            &item->matrix, &spectra->wish, tensor_data(&item->out),
            &spectra->info[at], scratch, cancel, &spectra->err[at]);
}

static void run_kernels(Spectra *spectra, const Job *job, Scratch *scratch,
                        const volatile int *cancel) {
    size_t at = job->first;
    Err err;
    Status status = kernel_values(&spectra->left[at], job->count, job->right,
                                  KERNEL_SINGULAR, &spectra->kernel[at],
                                  &spectra->status[at], &spectra->err[at],
                                  scratch, cancel, &err);
    /* without the shared factor none of them has a result */
    for (size_t i = at; status != STATUS_OK && i < at + job->count; i++) {
        spectra->status[i] = status;
        spectra->err[i] = err;
    }
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

/* ---- the batch ---- */

static uint64_t mix(uint64_t hash, uint64_t word) {
    return (hash ^ word) * 0x9E3779B97F4A7C15U ^ hash >> 29;
}

/* Equal for tensors that bind_tensor_same holds to be one. */
static uint64_t tensor_hash(const Tensor *tensor) {
    const Source *source = tensor->source;
    uint64_t hash = mix(0, (uint64_t)(uintptr_t)tensor->storage);
    hash = mix(hash, (uint64_t)tensor->offset);
    if (source == NULL)
        return hash;
    hash = mix(hash, (uint64_t)(uintptr_t)source->file);
    hash = mix(hash, source->offset);
    hash = mix(hash, source->first_col);
    return source->run_count == 0 ? hash : mix(hash, source->runs[0].first);
}

/* Equal for factors that bind_factor_same holds to be one. */
static uint64_t factor_hash(const Factor *factor) {
    uint64_t hash = factor->count;
    for (size_t i = 0; i < factor->count; i++) {
        const FactorBlock *block = &factor->block[i];
        hash = mix(hash, tensor_hash(&block->matrix));
        if (block->product)
            hash = mix(hash, tensor_hash(&block->by));
    }
    return hash;
}

/* The job of kernels with this right factor, latest first, since a group's
 * heads stand together; a new one where there is none. */
static size_t kernel_job(Spectra *spectra, const Factor *right) {
    uint64_t hash = factor_hash(right);
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
    if (kernel == NULL) {
        tensor_view(&item->matrix, tensor);
        item->job = spectra->jobs++;
        return;
    }
    item->left = factor_keep(kernel->left);
    item->right = factor_keep(kernel->right);
    item->job = kernel_job(spectra, item->right);
}

/* Singular values of the item: none where it is no matrix. */
static int64_t item_values(const Item *item) {
    const int64_t *shape = item->matrix.shape;
    if (item->left != NULL)
        return item->left->k;
    return item->matrix.axes != 2 ? 0 : shape[shape[1] < shape[0] ? 1 : 0];
}

/* Puts the items in the order of their jobs and prices these. */
static void order_items(Spectra *spectra) {
    for (size_t i = 0; i < spectra->items; i++)
        spectra->job[spectra->item[i].job].count++;
    for (size_t j = 1; j < spectra->jobs; j++)
        spectra->job[j].first =
            spectra->job[j - 1].first + spectra->job[j - 1].count;
    for (size_t j = 0; j < spectra->jobs; j++)
        spectra->job[j].count = 0;
    for (size_t i = 0; i < spectra->items; i++) {
        Item *item = &spectra->item[i];
        Job *job = &spectra->job[item->job];
        size_t at = job->first + job->count++;
        const int64_t *shape = item->matrix.shape;
        spectra->order[at] = i;
        spectra->left[at] = item->left;
        spectra->kernel[at].s = tensor_data(&item->out);
        spectra->cost[item->job] =
            job->right != NULL
                ? kernel_cost(item->left, item->right, (int64_t)job->count)
                : spectrum_cost(shape[0], shape[1]);
    }
}

/* The batch's data from the list, and its result tensors in RESULTS. */
static Spectra *spectra_new(lua_State *L, Work *work) {
    size_t n = (size_t)lua_rawlen(L, LIST);
    Spectra *spectra = bind_work_data(L, work, sizeof *spectra, spectra_free);
    Err err;
    BIND_MUST(L, &err, spectra_arrays(spectra, n, &err));
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, LIST, (lua_Integer)i + 1);
        take_item(L, spectra, i);
        int64_t values = item_values(&spectra->item[i]);
        Tensor *out = bind_tensor_create(L, DTYPE_F64, 1, &values);
        tensor_view(&spectra->item[i].out, out);
        lua_rawseti(L, RESULTS, (lua_Integer)i + 1);
        lua_pop(L, 1);
    }
    order_items(spectra);
    return spectra;
}

/* ---- results ---- */

static void set_flag(lua_State *L, const char *name, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

/* How the values were found. A kernel's come from no Gram matrix: they have
 * no bound, and are always direct. */
static void push_info(lua_State *L, const SpectrumInfo *info, bool kernel) {
    lua_createtable(L, 0, 4);
    if (!kernel) {
        lua_pushnumber(L, info->bound);
        lua_setfield(L, -2, "bound");
    }
    set_flag(L, "direct", kernel || info->direct);
    set_flag(L, "low_end", info->low_end);
    set_flag(L, "single", info->single);
}

/* Calls opts.each; an error in it ends the work and goes on up. */
static void call_each(lua_State *L, Work *work, lua_Integer i) {
    if (lua_isnil(L, EACH))
        return;
    lua_pushvalue(L, EACH);
    lua_pushinteger(L, i);
    lua_rawgeti(L, RESULTS, i);
    lua_rawgeti(L, WHY, i);
    if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
        bind_work_close(work);
        lua_error(L);
    }
}

/* Files the result at place `at` of the order, and tells of it. */
static void deliver(lua_State *L, Work *work, size_t at) {
    const Spectra *spectra = work->data;
    lua_Integer i = (lua_Integer)spectra->order[at] + 1;
    bool kernel = spectra->item[i - 1].right != NULL;
    bool good = spectra->status[at] == STATUS_OK;
    if (good) {
        push_info(L, &spectra->info[at], kernel);
        lua_pushboolean(L, 0);
    } else {
        lua_pushboolean(L, 0);
        lua_pushstring(L, spectra->err[at].message);
        lua_pushboolean(L, 0);
        lua_rawseti(L, RESULTS, i);
    }
    lua_rawseti(L, WHY, i);
    lua_rawseti(L, INFO, i);
    call_each(L, work, i);
}

/* Reads the options; pushes EACH. Returns the number of threads, or 0. */
static int read_options(lua_State *L, SpectrumWish *wish) {
    static const char *const NAMES[] = {"threads", "precision", "method",
                                        "shown",   "each",      NULL};
    static const char *const PRECISIONS[] = {"double", "single", NULL};
    static const char *const METHODS[] = {"gram", "direct", NULL};
    bind_options(L, OPTIONS, NAMES);
    wish->single = bind_option_word(L, OPTIONS, "precision", PRECISIONS, 0);
    wish->method = bind_option_word(L, OPTIONS, "method", METHODS, 0) == 0
                       ? SPECTRUM_GRAM
                       : SPECTRUM_DIRECT;
    bind_option(L, OPTIONS, "shown", LUA_TBOOLEAN);
    wish->shown = lua_toboolean(L, -1);
    int whole = 1, got = bind_option(L, OPTIONS, "threads", LUA_TNUMBER);
    lua_Integer threads = lua_tointegerx(L, -1, &whole);
    if (got != LUA_TNIL &&
        (!whole || threads < 1 || threads > POOL_WORKERS_MAX))
        luaL_argerror(L, OPTIONS,
                      lua_pushfstring(L,
                                      "option 'threads': %s, expected 1 "
                                      "to %d",
                                      luaL_tolstring(L, -1, NULL),
                                      POOL_WORKERS_MAX));
    lua_settop(L, OPTIONS);
    bind_option(L, OPTIONS, "each", LUA_TFUNCTION);
    return got == LUA_TNIL ? 0 : (int)threads;
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
    Spectra *spectra = spectra_new(L, work);
    spectra->wish = wish;
    bind_work_start(L, work, threads, spectra->jobs, spectra->cost,
                    spectra_run);
    for (size_t j; bind_work_next(L, work, &j);) {
        const Job job = spectra->job[j];
        for (size_t at = job.first; at < job.first + job.count; at++)
            deliver(L, work, at);
    }
    bind_work_close(work);
    lua_settop(L, PLACES);
    return 3;
}

void bind_spectra(lua_State *L) {
    lua_pushcfunction(L, core_spectra);
    lua_setfield(L, -2, "spectra");
}
