/* core.spectra: many singular spectra as batches of the pool. */
#include <string.h>

#include "direct.h"
#include "spectra_jobs.h"

/* Places on the stack. WORK holds the data; the batches are in OWN, of jobs
 * that this rank alone can run, and in SHARED. */
enum { LIST = 1, OPTIONS, EACH, NOTE, WORK, OWN, SHARED, RESULTS, WHY, INFO };

/* ---- the jobs ---- */

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

/* Fills in the data from the list, its result tensors in RESULTS, and
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
        spectra_find(spectra, item);
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
        bind_set_number(L, "bound", answer->fact[SPECTRA_BOUND]);
    bind_set_flag(L, "direct", answer->flags & BIND_DIRECT);
    bind_set_flag(L, "low_end", answer->flags & BIND_LOW_END);
    bind_set_flag(L, "single", answer->flags & BIND_SINGLE);
    bind_set_flag(L, "cached", item->found);
    lua_pushinteger(L, item->rank);
    lua_setfield(L, -2, "rank");
    if (answer->array[1] == NULL)
        return;
    bind_set_number(L, "norm", answer->fact[SPECTRA_NORM]);
    bind_set_number(L, "symmetry", answer->fact[SPECTRA_SYMMETRY]);
    bind_set_number(L, "asymmetry", answer->fact[SPECTRA_ASYMMETRY]);
    set_tensor(L, "re", &item->re);
    set_tensor(L, "im", &item->im);
}

static void close_works(lua_State *L) {
    for (int place = WORK; place <= SHARED; place++)
        bind_work_close(lua_touserdata(L, place));
}

/* Calls opts.each; an error in it ends the work and goes on up. */
static void call_each(lua_State *L, lua_Integer i) {
    if (lua_isnil(L, EACH))
        return;
    lua_pushvalue(L, EACH);
    lua_pushinteger(L, i);
    lua_rawgeti(L, RESULTS, i);
    lua_rawgeti(L, WHY, i);
    lua_rawgeti(L, INFO, i);
    if (lua_pcall(L, 4, 0, 0) != LUA_OK) {
        close_works(L);
        lua_error(L);
    }
}

/* Files the result of item i, and tells of it; `err` says why there is none. */
static void deliver(lua_State *L, const Spectra *spectra, size_t i,
                    const Err *err) {
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
    call_each(L, place);
}

static void deliver_found(lua_State *L, const Spectra *spectra) {
    for (size_t i = 0; i < spectra->items; i++)
        if (spectra->item[i].found)
            deliver(L, spectra, i, NULL);
}

/* What the batch at `place` finds, if there is one. */
static void deliver_batch(lua_State *L, const Spectra *spectra, int place) {
    Work *work = lua_touserdata(L, place);
    for (size_t j; work->batch != NULL && bind_work_next(L, work, &j);) {
        const Job job = spectra->job[((Round *)work->data)->first + j];
        for (size_t at = job.first; at < job.first + job.count && !job.back;
             at++)
            deliver(L, spectra, spectra->order[at],
                    spectra->status[at] == STATUS_OK ? NULL
                                                     : &spectra->err[at]);
    }
    bind_work_close(work);
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

/* ---- batches ---- */

/* Starts `count` of the jobs at the stack's `place`. */
static void start_jobs(lua_State *L, int place, Spectra *spectra, size_t first,
                       size_t count, int threads, const PoolSplit *split) {
    Work *work = lua_touserdata(L, place);
    round_fill(bind_work_data(L, work, sizeof(Round), round_free), spectra,
               first);
    bind_work_start_split(L, work, threads, count, spectra->cost + first,
                          round_run, round_ahead, split);
}

/* Starts what is still to be run. This rank's own jobs come first: while its
 * workers are at them, the other ranks have all the rest. */
static void start_round(lua_State *L, Spectra *spectra, int threads) {
    if (spectra->jobs == 0)
        return;
    size_t own =
        bind_ranks_there(L) ? spectra_own_first(spectra) : spectra->jobs;
    size_t shared = spectra->jobs - own;
    PoolSplit split = {.fluid = spectra->fluid,
                       .slices = spectra->slices,
                       .held = spectrum_share_room(spectra->side),
                       .slice = round_slice,
                       .rest = round_run};
    if (own > 0)
        start_jobs(L, OWN, spectra, 0, own, threads, &split);
    if (shared == 0)
        return;
    start_jobs(L, SHARED, spectra, own, shared, threads, NULL);
    bind_ranks_help(L, lua_touserdata(L, SHARED), threads, &round_face);
}

/* core.spectra(list [, opts]) */
static int core_spectra(lua_State *L) {
    luaL_checktype(L, LIST, LUA_TTABLE);
    lua_settop(L, OPTIONS);
    SpectrumWish wish = {0};
    int threads = read_options(L, &wish);
    Work *work = bind_work_new(L);
    for (int place = OWN; place <= SHARED; place++)
        (void)bind_work_new(L);
    for (int place = RESULTS; place <= INFO; place++)
        lua_newtable(L);
    luaL_checkstack(L, 20, "spectra");
    Spectra *spectra = bind_work_data(L, work, sizeof *spectra, spectra_free);
    spectra->wish = wish;
    read_eigen(L, spectra);
    bind_cache_begin(L, OPTIONS, &spectra->cache);
    spectra_fill(L, spectra);
    bind_ranks_begin(L);
    start_round(L, spectra, threads);
    deliver_found(L, spectra);
    while (spectra->jobs > 0) {
        /* the others' results wait, computed and kept, till these are told */
        deliver_batch(L, spectra, OWN);
        deliver_batch(L, spectra, SHARED);
        spectra->jobs = spectra_back_first(spectra);
        start_round(L, spectra, threads);
    }
    bind_ranks_tell(L);
    bind_cache_tell(L, &spectra->cache, INFO, NOTE);
    close_works(L);
    lua_settop(L, INFO);
    return 3;
}

void bind_spectra(lua_State *L) {
    lua_pushcfunction(L, core_spectra);
    lua_setfield(L, -2, "spectra");
}
