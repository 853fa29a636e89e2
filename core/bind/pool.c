/* The state's pool of workers, and the work that runs on it. */
#include <stdio.h>

#include "bind.h"
#include "cancel.h"
#include "linalg.h"

#define POOL "weft.pool"
#define WORK "weft.work"

static const double POLL_SECONDS = 0.05;

/* One a state, in its registry. */
typedef struct PoolBox {
    Pool *pool;   /* NULL before the first work and after an interrupt */
    int wanted;   /* workers it was made for */
    bool checked; /* BLAS was told to use one thread */
    bool serial;  /* this BLAS is not thread-safe */
} PoolBox;

/* Closing the state waits for the workers. */
static int pool_collect(lua_State *L) {
    PoolBox *box = luaL_checkudata(L, 1, POOL);
    pool_release(box->pool);
    box->pool = NULL;
    return 0;
}

/* The state's box, made at the first call. */
static PoolBox *pool_box(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, POOL "-box");
    PoolBox *box = luaL_testudata(L, -1, POOL);
    lua_pop(L, 1);
    if (box != NULL)
        return box;
    box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (PoolBox){0};
    if (luaL_newmetatable(L, POOL)) {
        lua_pushcfunction(L, pool_collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, POOL "-box");
    return box;
}

/* How many workers there may be. */
static int pool_size(PoolBox *box, int threads) {
    if (!box->checked) {
        box->checked = true;
        box->serial = !linalg_single_thread();
        if (box->serial)
            fputs("weft: this OpenBLAS is its serial build, which is not "
                  "thread-safe: one worker\n",
                  stderr);
    }
    if (box->serial)
        return 1;
    if (threads == BIND_ANY_THREADS && box->pool != NULL)
        return box->wanted;
    return threads > 0 ? threads : pool_default_workers();
}

/* The pool, of another size than before where that is asked for. */
static Pool *pool_get(lua_State *L, int threads) {
    PoolBox *box = pool_box(L);
    int wanted = pool_size(box, threads);
    if (box->pool != NULL && box->wanted != wanted) {
        pool_release(box->pool);
        box->pool = NULL;
    }
    Err err;
    if (box->pool == NULL)
        BIND_MUST(L, &err, pool_create(&box->pool, wanted, &err));
    box->wanted = wanted;
    return box->pool;
}

/* Nobody waits any more: the workers end what they hold and free it. */
static void pool_drop(lua_State *L) {
    PoolBox *box = pool_box(L);
    pool_abandon(box->pool);
    box->pool = NULL;
}

/* ---- work ---- */

void bind_work_close(Work *work) {
    if (work->batch != NULL)
        batch_release(work->batch);
    else if (work->data != NULL)
        work->release(work->data);
    *work = (Work){0};
}

static int work_collect(lua_State *L) {
    bind_work_close(luaL_checkudata(L, 1, WORK));
    return 0;
}

Work *bind_work_new(lua_State *L) {
    /* older than any work, so that a closing state collects it last */
    (void)pool_box(L);
    Work *work = lua_newuserdatauv(L, sizeof *work, 0);
    *work = (Work){0};
    if (luaL_newmetatable(L, WORK)) {
        lua_pushcfunction(L, work_collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return work;
}

void *bind_work_data(lua_State *L, Work *work, size_t size, PoolFree *release) {
    Err err;
    work->data = mem_zeroed(1, size, &err);
    if (work->data == NULL && bind_collected(L, STATUS_NOMEM))
        work->data = mem_zeroed(1, size, &err);
    if (work->data == NULL)
        bind_raise(L, &err);
    work->release = release;
    return work->data;
}

void bind_work_start_split(lua_State *L, Work *work, int threads, size_t count,
                           const double *cost, PoolRun *run, PoolAhead *ahead,
                           const PoolSplit *split) {
    bind_poll(L);
    Pool *pool = pool_get(L, threads);
    Err err;
    work->count = count;
    BIND_MUST(L, &err,
              batch_create(&work->batch, count, cost, run, work->data,
                           work->release, &err));
    batch_ahead(work->batch, ahead);
    if (split != NULL)
        BIND_MUST(L, &err, batch_split(work->batch, split, &err));
    BIND_MUST(L, &err, pool_start(pool, work->batch, &err));
}

void bind_work_start(lua_State *L, Work *work, int threads, size_t count,
                     const double *cost, PoolRun *run) {
    bind_work_start_split(L, work, threads, count, cost, run, NULL, NULL);
}

/* Ends the work and every other, and raises. */
static int work_interrupt(lua_State *L, Work *work) {
    pool_drop(L);
    bind_ranks_cancel(L);
    bind_work_close(work);
    return bind_interrupt(L);
}

bool bind_work_next(lua_State *L, Work *work, size_t *i) {
    bool all = false;
    while (!batch_next(work->batch, POLL_SECONDS, i, &all) && !all) {
        if (cancel_requested())
            work_interrupt(L, work);
    }
    if (cancel_requested())
        work_interrupt(L, work);
    /* jobs that were never told: the pool was abandoned in a callback */
    if (all && work->told < work->count)
        bind_interrupt(L);
    work->told += !all;
    return !all;
}

void bind_work_run(lua_State *L, Work *work, PoolRun *run, double cost) {
    size_t i;
    bind_work_start(L, work, BIND_ANY_THREADS, 1, &cost, run);
    while (bind_work_next(L, work, &i))
        ;
}
