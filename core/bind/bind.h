/* What the files of core/bind share: errors, argument checks and boxes.
 *
 * Every function is check, call, convert. A box is a userdata made empty with
 * its metatable before the core fills it, so that nothing leaks when Lua
 * raises. bind_raise and bind_fail are the only exits of a failed core call. */
#ifndef WEFT_BIND_H
#define WEFT_BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "cache.h"
#include "checkpoint.h"
#include "factor.h"
#include "pool.h"

#define BIND_TENSOR "weft.tensor"
#define BIND_CHECKPOINT "weft.checkpoint"
#define BIND_KERNEL "weft.kernel"
#define BIND_PROGRESS "weft.progress"

__attribute__((visibility("default"))) int luaopen_weft_core(lua_State *L);

/* Each adds one noun to the core table on top of the stack. */
void bind_cache(lua_State *L);
void bind_checkpoint(lua_State *L);
void bind_create(lua_State *L);
void bind_estimate(lua_State *L);
void bind_json(lua_State *L);
void bind_kernel(lua_State *L);
void bind_npy(lua_State *L);
void bind_ops(lua_State *L);
void bind_packed(lua_State *L);
void bind_linalg(lua_State *L);
void bind_progress(lua_State *L);
void bind_ranks(lua_State *L);
void bind_spectra(lua_State *L);
void bind_schedule(lua_State *L);
void bind_sys(lua_State *L);
void bind_tensor(lua_State *L);

/* ---- errors ---- */

/* Raises err's message; STATUS_CANCELLED as bind_interrupt. Never returns. */
int bind_raise(lua_State *L, const Err *err);
/* Pushes nil, message, code; returns 3. */
int bind_fail(lua_State *L, const Err *err);
/* Lowers the cancel flag and raises "interrupted!". Never returns. */
int bind_interrupt(lua_State *L);
/* The same, but only where the flag is set. */
void bind_poll(lua_State *L);
/* Collects all garbage where a call had no memory: true where it is worth
 * another try. */
bool bind_collected(lua_State *L, Status status);
/* Runs `call`, a Status expression that reports to `err`; on no memory
 * collects all garbage and runs it once more. */
#define BIND_TRY(L, status, call)                                              \
    do {                                                                       \
        (status) = (call);                                                     \
        if (bind_collected(L, status))                                         \
            (status) = (call);                                                 \
    } while (0)
/* The same, and raises what is left. */
#define BIND_MUST(L, err, call)                                                \
    do {                                                                       \
        Status status_;                                                        \
        BIND_TRY(L, status_, call);                                            \
        if (status_ != STATUS_OK)                                              \
            bind_raise(L, err);                                                \
    } while (0)

/* ---- arguments: each raises an error that names the argument ---- */

/* An integer from low to high. */
int64_t bind_integer(lua_State *L, int arg, int64_t low, int64_t high);
/* A 1-based subscript of an axis of `size`, given back 0-based. */
int64_t bind_subscript(lua_State *L, int arg, int64_t size);
/* A string without a NUL in it. Borrows. */
const char *bind_text(lua_State *L, int arg);
/* Raises unless `arg` is none, nil or a table whose keys are all among
 * `names` (NULL-terminated). */
void bind_options(lua_State *L, int arg, const char *const *names);
/* Pushes option `name` of the table at `arg` and returns its type, LUA_TNIL
 * where it is absent; raises unless it is of `type`. */
int bind_option(lua_State *L, int arg, const char *name, int type);
/* The option `threads`, 1 to POOL_WORKERS_MAX; 0 where it is absent. */
int bind_option_threads(lua_State *L, int arg);
/* Pushes an option that is true, false or a table with true at some places of
 * a list; its index. */
int bind_option_marks(lua_State *L, int arg, const char *name);
/* Whether the place of the list is marked by the option at that index. */
bool bind_marked(lua_State *L, int marks, lua_Integer place);
/* The option as an index into `words` (NULL-terminated), or `preset`. */
int bind_option_word(lua_State *L, int arg, const char *name,
                     const char *const *words, int preset);

/* ---- fields of the table on top of the stack ---- */

void bind_set_flag(lua_State *L, const char *name, bool value);
void bind_set_integer(lua_State *L, const char *name, lua_Integer value);
void bind_set_number(lua_State *L, const char *name, double value);
void bind_set_text(lua_State *L, const char *name, const char *value);

/* ---- classes and boxes ---- */

/* Makes the metatable `name`: its functions are `meta`, its __index is
 * `index` with the table of `methods` as first upvalue, and the core table on
 * top of the stack keeps the methods as core.methods[word], so that further
 * C files and Lua modules may add to them. */
void bind_class(lua_State *L, const char *name, const char *word,
                const luaL_Reg *meta, const luaL_Reg *methods,
                lua_CFunction index);
/* In an __index: pushes the method that the key at 2 names; else false. */
bool bind_method(lua_State *L);
/* Tells the collector of `bytes` that a userdata holds outside of Lua. */
void bind_account(lua_State *L, uint64_t bytes);

/* A tensor that is not closed. Borrows. */
const Tensor *bind_tensor_check(lua_State *L, int arg);
/* The tensor that a method is called on. Borrows. */
Tensor *bind_tensor_self(lua_State *L);
/* Pushes an empty box, which is a closed tensor until the core fills it.
 * `owner` is the index of the tensor or checkpoint that it shares data with
 * (which is kept from being collected, and so closed), or 0. */
Tensor *bind_tensor_new(lua_State *L, int owner);
/* Pushes a new tensor in memory, zeroed. Borrows. */
Tensor *bind_tensor_create(lua_State *L, Dtype dtype, int axes,
                           const int64_t *shape);
/* Pushes a contiguous copy in memory. Borrows. */
Tensor *bind_tensor_copy(lua_State *L, const Tensor *tensor, Dtype dtype);
/* The dtype of a tensor in memory that argument `arg` names; absent, F64. */
Dtype bind_dtype(lua_State *L, int arg);
/* The shape in argument `first`, a table of sizes, or in as many integers as
 * there are from `first` on; gives the axes, and in *next the argument after
 * it. A size of -1 is taken where `open` is set. */
int bind_shape(lua_State *L, int first, bool open, int64_t *shape, int *next);
/* "f64", "f32", "i64" in memory, the format's own name in a file. */
const char *bind_dtype_name(const Tensor *tensor);
/* Whether two tensors are one view of the same stored values. */
bool bind_tensor_same(const Tensor *a, const Tensor *b);

/* A kernel A^T B: both factors (k, d); NULL when it is closed. */
typedef struct Kernel {
    Factor *left, *right;
} Kernel;
/* Whether two factors are made of the same views. */
bool bind_factor_same(const Factor *a, const Factor *b);
/* Equal for factors that are one by it. */
uint64_t bind_factor_hash(const Factor *factor);

/* ---- the cache of spectra ---- */

/* The flags of a spectrum's answer. */
enum { BIND_DIRECT = 1, BIND_LOW_END = 2, BIND_SINGLE = 4 };

/* One batch's use of the cache. Zero-initialise. */
typedef struct CacheUse {
    char *folder;  /* NULL: there is none */
    bool fresh;    /* what is there is not looked at */
    int stopped;   /* atomic: a record could not be written, no more are */
    Err why;       /* of that */
    size_t broken; /* records that could not be used */
    Err first;     /* of them */
} CacheUse;

/* Reads the option `cache` of the table at `arg`: true, false (absent) or
 * "fresh". The settings are those of the environment; where they are wrong
 * there is no cache, and the notes say so. Where there is one, the state's end
 * trims it, however the batch ends. */
void bind_cache_begin(lua_State *L, int arg, CacheUse *use);
/* Whether the answer is there. *able: one that is computed can be kept. */
bool bind_cache_find(CacheUse *use, const CacheQuestion *question,
                     CacheAnswer *answer, bool *able);
/* Keeps an answer. On the workers' threads. */
void bind_cache_keep(CacheUse *use, const CacheQuestion *question,
                     const CacheAnswer *answer);
/* After the batch: puts what went wrong into the field `notes` of the table at
 * `info`, told to the function at `note` too, where there is one. */
void bind_cache_tell(lua_State *L, CacheUse *use, int info, int note);
void bind_cache_end(CacheUse *use);

/* ---- work on the pool ---- */

/* A batch under way and the data it owns: a userdata, cancelled and released
 * when it is collected. The data must hold all that its jobs touch. */
typedef struct Work {
    Batch *batch;
    void *data;
    PoolFree *release;
    size_t count, told;
} Work;

/* Pushes an empty work. */
Work *bind_work_new(lua_State *L);
/* Zeroed data of `size` bytes, which `release` frees whatever happens: on a
 * worker's thread, so that it may not touch Lua. */
void *bind_work_data(lua_State *L, Work *work, size_t size, PoolFree *release);
/* Hands `count` jobs to the state's pool: of `threads` workers, of as many as
 * there are processors (0), or as it stands (BIND_ANY_THREADS). */
enum { BIND_ANY_THREADS = -1 };
void bind_work_start(lua_State *L, Work *work, int threads, size_t count,
                     const double *cost, PoolRun *run);
/* The same; some of the jobs may be split. */
void bind_work_start_split(lua_State *L, Work *work, int threads, size_t count,
                           const double *cost, PoolRun *run, PoolAhead *ahead,
                           const PoolSplit *split);
/* Waits for the next job that ended: false when all have. On Ctrl-C abandons
 * the pool and raises "interrupted!". */
bool bind_work_next(lua_State *L, Work *work, size_t *i);
/* Cancels what has not ended, waits for nothing. */
void bind_work_close(Work *work);
typedef struct RanksFace RanksFace; /* of ranks.h */
/* Whether there are other ranks. */
bool bind_ranks_there(lua_State *L);
/* Those that failed before may help again. */
void bind_ranks_begin(lua_State *L);
/* Has the other ranks, if there are any, help with the work that was started:
 * before the first bind_work_next. */
void bind_ranks_help(lua_State *L, Work *work, int threads,
                     const RanksFace *face);
/* Ends what they have of any work. */
void bind_ranks_cancel(lua_State *L);
/* Prints what is to be known about them, once, to standard error. */
void bind_ranks_tell(lua_State *L);
/* A batch of one, from start to end. */
void bind_work_run(lua_State *L, Work *work, PoolRun *run, double cost);

#endif
