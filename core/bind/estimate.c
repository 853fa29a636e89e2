/* core.estimate: effective ranks and densities of large matrices, with
 * intervals. */
#include "estimate.h"
#include "bind.h"

/* Places on the stack. */
enum { LIST = 1, OPTIONS, EACH, NOTE, USE, RESULTS, WHY, INFO, PLACES = INFO };

/* What the cache keeps beside the density's weights: numbers, and two counts
 * in a word. */
enum { RANK, HALF_WIDTH, LARGEST };
enum { STEPS_SHIFT = 16, COUNT_MASK = 0xffff };

static const uint64_t SEED = 1;

typedef struct Item {
    Tensor matrix;
    EstimateWish wish;
    Estimate out;
    bool found; /* it was in the cache */
    Status status;
    Err err;
} Item;

static void item_free(void *data) {
    Item *item = data;
    tensor_release(&item->matrix);
    mem_free(item);
}

/* PoolRun: the one job. It has threads of its own, so that the matrix is held
 * once. */
static void item_run(void *data, size_t i, Scratch *scratch,
                     const volatile int *cancel) {
    Item *item = data;
    (void)i;
    (void)scratch;
    item->status = estimate_matrix(&item->matrix, &item->wish, &item->out,
                                   cancel, &item->err);
}

/* ---- the cache ---- */

static CacheQuestion question_of(const Item *item) {
    return (CacheQuestion){
        .matrix = &item->matrix, .estimate = true, .seed = item->wish.seed};
}

static CacheAnswer answer_of(Item *item) {
    Estimate *out = &item->out;
    uint32_t steps = (uint32_t)out->steps, probes = (uint32_t)out->probes;
    return (CacheAnswer){
        .array = {out->weight},
        .count = {ESTIMATE_BINS},
        .fact = {out->effective_rank, out->half_width, out->largest},
        .flags = steps << STEPS_SHIFT | probes};
}

/* *able: it can be kept when it is computed. */
static void find_item(CacheUse *use, Item *item, bool *able) {
    CacheQuestion question = question_of(item);
    CacheAnswer answer = answer_of(item);
    item->found = bind_cache_find(use, &question, &answer, able);
    if (!item->found)
        return;
    item->out.effective_rank = answer.fact[RANK];
    item->out.half_width = answer.fact[HALF_WIDTH];
    item->out.largest = answer.fact[LARGEST];
    item->out.probes = (int)(answer.flags & COUNT_MASK);
    item->out.steps = (int)(answer.flags >> STEPS_SHIFT);
}

static void keep_item(CacheUse *use, Item *item) {
    CacheQuestion question = question_of(item);
    CacheAnswer answer = answer_of(item);
    bind_cache_keep(use, &question, &answer);
}

/* ---- one matrix ---- */

/* The tensor at the top of the stack, which is list element i. */
static const Tensor *list_tensor(lua_State *L, lua_Integer i) {
    const Tensor *tensor = luaL_testudata(L, -1, BIND_TENSOR);
    if (tensor != NULL && (tensor->storage != NULL || tensor->source != NULL))
        return tensor;
    const char *what =
        tensor != NULL ? "a closed tensor" : luaL_typename(L, -1);
    luaL_argerror(L, LIST,
                  lua_pushfstring(L, "element %I is %s, expected a tensor",
                                  (LUAI_UACINT)i, what));
    return NULL;
}

/* The bins' edges, one more than there are weights. */
static void push_density(lua_State *L, const Estimate *estimate) {
    lua_createtable(L, 0, 2);
    lua_createtable(L, ESTIMATE_BINS + 1, 0);
    for (int i = 0; i <= ESTIMATE_BINS; i++) {
        lua_pushnumber(L, estimate->largest * i / ESTIMATE_BINS);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "edges");
    lua_createtable(L, ESTIMATE_BINS, 0);
    for (int i = 0; i < ESTIMATE_BINS; i++) {
        lua_pushnumber(L, estimate->weight[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "weights");
}

static void push_estimate(lua_State *L, const Estimate *estimate) {
    double rank = estimate->effective_rank;
    lua_createtable(L, 0, 8);
    bind_set_number(L, "effective_rank", rank);
    bind_set_number(L, "low", rank * (1 - estimate->half_width));
    bind_set_number(L, "high", rank * (1 + estimate->half_width));
    bind_set_number(L, "half_width", estimate->half_width);
    bind_set_integer(L, "probes", estimate->probes);
    bind_set_integer(L, "steps", estimate->steps);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "exact");
    push_density(L, estimate);
    lua_setfield(L, -2, "density");
}

/* Files the result, the reason and what there is to tell, each or false. */
static void file_outcome(lua_State *L, lua_Integer i, const Item *item) {
    if (item->status == STATUS_OK) {
        push_estimate(L, &item->out);
        lua_pushboolean(L, 0);
        lua_createtable(L, 0, 2);
        bind_set_number(L, "half_width", item->out.half_width);
        bind_set_flag(L, "cached", item->found);
    } else {
        lua_pushboolean(L, 0);
        lua_pushstring(L, item->err.message);
        lua_pushboolean(L, 0);
    }
    for (int place = INFO; place >= RESULTS; place--)
        lua_rawseti(L, place, i);
}

/* An error in it goes on up. */
static void call_each(lua_State *L, lua_Integer i) {
    if (lua_isnil(L, EACH))
        return;
    lua_pushvalue(L, EACH);
    lua_pushinteger(L, i);
    lua_rawgeti(L, RESULTS, i);
    lua_rawgeti(L, WHY, i);
    lua_rawgeti(L, INFO, i);
    lua_call(L, 4, 0);
}

/* Element i, from list to results; kept before anyone is told of it. */
static void run_element(lua_State *L, lua_Integer i, CacheUse *use,
                        const EstimateWish *wish) {
    bool able = false;
    bind_poll(L);
    Work *work = bind_work_new(L);
    Item *item = bind_work_data(L, work, sizeof *item, item_free);
    lua_rawgeti(L, LIST, i);
    tensor_view(&item->matrix, list_tensor(L, i));
    item->wish = *wish;
    if (item->matrix.axes == 2)
        find_item(use, item, &able);
    if (!item->found)
        bind_work_run(L, work, item_run, 0);
    if (able && !item->found && item->status == STATUS_OK)
        keep_item(use, item);
    file_outcome(L, i, item);
    bind_work_close(work);
    lua_settop(L, PLACES);
    call_each(L, i);
}

/* ---- the whole ---- */

/* Reads the options; pushes EACH and NOTE. */
static EstimateWish read_options(lua_State *L) {
    static const char *const NAMES[] = {"threads", "seed", "cache",
                                        "each",    "note", NULL};
    bind_options(L, OPTIONS, NAMES);
    EstimateWish wish = {.seed = SEED,
                         .threads = bind_option_threads(L, OPTIONS)};
    int whole = 1;
    if (wish.threads == 0)
        wish.threads = pool_default_workers();
    if (bind_option(L, OPTIONS, "seed", LUA_TNUMBER) != LUA_TNIL) {
        wish.seed = (uint64_t)lua_tointegerx(L, -1, &whole);
        if (!whole)
            luaL_argerror(L, OPTIONS,
                          lua_pushfstring(L,
                                          "option 'seed': %s, expected an "
                                          "integer",
                                          luaL_tolstring(L, -1, NULL)));
    }
    lua_settop(L, OPTIONS);
    bind_option(L, OPTIONS, "each", LUA_TFUNCTION);
    bind_option(L, OPTIONS, "note", LUA_TFUNCTION);
    return wish;
}

static void use_free(void *data) {
    bind_cache_end(data);
    mem_free(data);
}

/* core.estimate(list [, opts]) */
static int core_estimate(lua_State *L) {
    luaL_checktype(L, LIST, LUA_TTABLE);
    lua_settop(L, OPTIONS);
    EstimateWish wish = read_options(L);
    Work *box = bind_work_new(L);
    CacheUse *use = bind_work_data(L, box, sizeof *use, use_free);
    bind_cache_begin(L, OPTIONS, use);
    for (int place = RESULTS; place <= INFO; place++)
        lua_newtable(L);
    luaL_checkstack(L, 20, "estimate");
    lua_Integer count = (lua_Integer)lua_rawlen(L, LIST);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, LIST, i);
        (void)list_tensor(L, i);
        lua_pop(L, 1);
    }
    for (lua_Integer i = 1; i <= count; i++)
        run_element(L, i, use, &wish);
    bind_cache_tell(L, use, INFO, NOTE);
    bind_work_close(box);
    return 3;
}

void bind_estimate(lua_State *L) {
    lua_pushcfunction(L, core_estimate);
    lua_setfield(L, -2, "estimate");
}
