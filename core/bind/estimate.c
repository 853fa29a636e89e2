/* core.estimate: effective ranks and densities of large matrices, with
 * intervals. */
#include "estimate.h"
#include "bind.h"

/* Places on the stack. */
enum { LIST = 1, OPTIONS, EACH, RESULTS, WHY, PLACES = WHY };

static const uint64_t SEED = 1;

typedef struct Item {
    Tensor matrix;
    EstimateWish wish;
    Estimate out;
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

/* Pushes the result or false, and the reason or false. */
static void push_outcome(lua_State *L, const Item *item) {
    if (item->status == STATUS_OK) {
        push_estimate(L, &item->out);
        lua_pushboolean(L, 0);
    } else {
        lua_pushboolean(L, 0);
        lua_pushstring(L, item->err.message);
    }
}

/* An error in it goes on up. */
static void call_each(lua_State *L, lua_Integer i) {
    if (lua_isnil(L, EACH))
        return;
    lua_pushvalue(L, EACH);
    lua_pushinteger(L, i);
    lua_rawgeti(L, RESULTS, i);
    lua_rawgeti(L, WHY, i);
    lua_call(L, 3, 0);
}

/* Element i, from list to results. */
static void run_element(lua_State *L, lua_Integer i, const EstimateWish *wish) {
    Work *work = bind_work_new(L);
    Item *item = bind_work_data(L, work, sizeof *item, item_free);
    lua_rawgeti(L, LIST, i);
    tensor_view(&item->matrix, list_tensor(L, i));
    item->wish = *wish;
    bind_work_run(L, work, item_run, 0);
    push_outcome(L, item);
    lua_rawseti(L, WHY, i);
    lua_rawseti(L, RESULTS, i);
    bind_work_close(work);
    lua_settop(L, PLACES);
    call_each(L, i);
}

/* Reads the options; pushes EACH. */
static EstimateWish read_options(lua_State *L) {
    static const char *const NAMES[] = {"threads", "seed", "each", NULL};
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
    return wish;
}

/* core.estimate(list [, opts]) */
static int core_estimate(lua_State *L) {
    luaL_checktype(L, LIST, LUA_TTABLE);
    lua_settop(L, OPTIONS);
    EstimateWish wish = read_options(L);
    lua_newtable(L);
    lua_newtable(L);
    luaL_checkstack(L, 20, "estimate");
    lua_Integer count = (lua_Integer)lua_rawlen(L, LIST);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, LIST, i);
        (void)list_tensor(L, i);
        lua_pop(L, 1);
    }
    for (lua_Integer i = 1; i <= count; i++)
        run_element(L, i, &wish);
    return 2;
}

void bind_estimate(lua_State *L) {
    lua_pushcfunction(L, core_estimate);
    lua_setfield(L, -2, "estimate");
}
