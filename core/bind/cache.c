/* The cache as a batch of spectra uses it, and core.cache: its records. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"

#define TRIMMER "weft.cache"

/* Bytes of records, where WEFT_CACHE_MAX does not say. */
static const uint64_t MOST = (uint64_t)1 << 30;

static const double DAY = 86400;

/* ---- settings ---- */

static Status read_most(uint64_t *most, Err *err) {
    const char *text = getenv("WEFT_CACHE_MAX");
    *most = MOST;
    if (text == NULL || *text == '\0')
        return STATUS_OK;
    char shown[128], *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end != '\0' || errno != 0 || strspn(text, "0123456789") == 0)
        return err_set(err, STATUS_ARGUMENT,
                       "WEFT_CACHE_MAX is '%s': expected a number of bytes",
                       text_escape(shown, sizeof shown, text));
    *most = value;
    return STATUS_OK;
}

/* The folder of records: XDG_CACHE_HOME's, which counts where it is an
 * absolute path, else ~/.cache's. Creates. */
static Status find_folder(char **folder, Err *err) {
    const char *base = getenv("XDG_CACHE_HOME"), *below = "/weft/spectra";
    if (base == NULL || base[0] != '/') {
        base = getenv("HOME");
        below = "/.cache/weft/spectra";
    }
    if (base == NULL || base[0] != '/')
        return err_set(err, STATUS_ARGUMENT,
                       "neither XDG_CACHE_HOME nor HOME is an absolute path");
    size_t n = strlen(base) + strlen(below) + 1;
    char *made = mem_array(n, 1, err);
    if (made == NULL)
        return STATUS_NOMEM;
    snprintf(made, n, "%s%s", base, below);
    *folder = made;
    return STATUS_OK;
}

/* Both; the folder is NULL where nothing may be kept. */
static Status read_settings(char **folder, uint64_t *most, Err *err) {
    Status status = read_most(most, err);
    *folder = NULL;
    return status == STATUS_OK && *most > 0 ? find_folder(folder, err) : status;
}

/* ---- trimming, once, where the state ends ---- */

static int trimmer_collect(lua_State *L) {
    char *folder;
    uint64_t most;
    (void)L;
    Status status = read_settings(&folder, &most, NULL);
    if (status == STATUS_OK && folder != NULL)
        status = cache_trim_full(folder, most, NULL);
    (void)status; /* the next run has another try */
    mem_free(folder);
    return 0;
}

/* Sees to it that the state's end trims the cache. */
static void trim_later(lua_State *L) {
    if (lua_getfield(L, LUA_REGISTRYINDEX, TRIMMER "-box") == LUA_TNIL) {
        lua_newuserdatauv(L, 1, 0);
        if (luaL_newmetatable(L, TRIMMER)) {
            lua_pushcfunction(L, trimmer_collect);
            lua_setfield(L, -2, "__gc");
        }
        lua_setmetatable(L, -2);
        lua_setfield(L, LUA_REGISTRYINDEX, TRIMMER "-box");
    }
    lua_pop(L, 1);
}

/* ---- a batch's use of it ---- */

void bind_cache_begin(lua_State *L, int arg, CacheUse *use) {
    if (lua_isnoneornil(L, arg))
        return;
    int type = lua_getfield(L, arg, "cache");
    use->fresh =
        type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "fresh") == 0;
    if (type != LUA_TNIL && type != LUA_TBOOLEAN && !use->fresh)
        luaL_argerror(L, arg,
                      lua_pushfstring(L,
                                      "option 'cache': %s, expected true, "
                                      "false or \"fresh\"",
                                      luaL_tolstring(L, -1, NULL)));
    bool wanted = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (!wanted)
        return;
    uint64_t most;
    if (read_settings(&use->folder, &most, &use->why) != STATUS_OK)
        use->stopped = 1;
    else if (use->folder != NULL)
        trim_later(L); /* whatever ends the batch */
}

static void note_broken(CacheUse *use, const Err *err) {
    if (use->broken++ == 0)
        use->first = *err;
}

/* One look for one key. */
static bool look_up(CacheUse *use, const CacheKey *key, CacheAnswer *answer) {
    Err err;
    bool hit = false;
    if (cache_find(use->folder, key, answer, &hit, &err) != STATUS_OK)
        note_broken(use, &err);
    return hit;
}

/* Values found with and without `shown` are often the same. */
static bool look_beside(CacheUse *use, const CacheQuestion *question,
                        CacheAnswer *answer) {
    CacheQuestion other = *question;
    const SpectrumWish *wish = &question->wish;
    size_t n = answer->count[0];
    if (question->matrix == NULL || question->estimate || wish->single ||
        n == 0 || wish->method != SPECTRUM_GRAM)
        return false;
    other.wish.shown = !wish->shown;
    CacheKey key;
    if (cache_key(&key, &other, NULL) != STATUS_OK || key.words == NULL)
        return false;
    bool hit = look_up(use, &key, answer);
    cache_key_release(&key);
    SpectrumInfo info = {.direct = answer->flags & BIND_DIRECT,
                         .low_end = answer->flags & BIND_LOW_END,
                         .single = answer->flags & BIND_SINGLE};
    return hit && spectrum_shows(&info, answer->array[0], n);
}

bool bind_cache_find(CacheUse *use, const CacheQuestion *question,
                     CacheAnswer *answer, bool *able) {
    CacheKey key;
    *able = false;
    if (use->folder == NULL || cache_key(&key, question, NULL) != STATUS_OK ||
        key.words == NULL)
        return false;
    *able = true;
    bool hit = !use->fresh && (look_up(use, &key, answer) ||
                               look_beside(use, question, answer));
    cache_key_release(&key);
    return hit;
}

void bind_cache_keep(CacheUse *use, const CacheQuestion *question,
                     const CacheAnswer *answer) {
    CacheKey key = {NULL, 0, NULL, ""};
    Err err;
    if (__atomic_load_n(&use->stopped, __ATOMIC_RELAXED))
        return;
    Status status = cache_key(&key, question, &err);
    if (status == STATUS_OK && key.words != NULL)
        status = cache_keep(use->folder, &key, answer, &err);
    cache_key_release(&key);
    if (status != STATUS_OK &&
        !__atomic_exchange_n(&use->stopped, 1, __ATOMIC_RELAXED))
        use->why = err;
}

/* Pushes what went wrong, at most one sentence each. How many these are. */
static int push_notes(lua_State *L, CacheUse *use) {
    int pushed = 0;
    if (use->broken > 0) {
        lua_pushfstring(L, "the cache's %s: computed again",
                        use->first.message);
        if (use->broken > 1)
            lua_pushfstring(L, ", as are %I more",
                            (LUAI_UACINT)(use->broken - 1));
        lua_concat(L, use->broken > 1 ? 2 : 1);
        pushed++;
    }
    if (use->stopped) {
        lua_pushfstring(L, "nothing is kept: %s", use->why.message);
        pushed++;
    }
    return pushed;
}

void bind_cache_tell(lua_State *L, CacheUse *use, int info, int note) {
    int base = lua_gettop(L), count = push_notes(L, use);
    if (count == 0)
        return;
    lua_createtable(L, count, 0);
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(L, base + i);
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, info, "notes");
    for (int i = 1; i <= count && !lua_isnil(L, note); i++) {
        lua_pushvalue(L, note);
        lua_pushvalue(L, base + i);
        lua_call(L, 1, 0);
    }
    lua_settop(L, base);
}

void bind_cache_end(CacheUse *use) {
    mem_free(use->folder);
    use->folder = NULL;
}

/* ---- core.cache ---- */

static int folder_collect(lua_State *L) {
    char **box = lua_touserdata(L, 1);
    mem_free(*box);
    *box = NULL;
    return 0;
}

/* The folder of records, which a box on top of the stack owns; NULL where the
 * environment tells none. */
static const char *take_folder(lua_State *L, Err *err) {
    char **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    if (luaL_newmetatable(L, TRIMMER ".folder")) {
        lua_pushcfunction(L, folder_collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return find_folder(box, err) == STATUS_OK ? *box : NULL;
}

/* cache.folder() */
static int cache_folder(lua_State *L) {
    Err err;
    const char *folder = take_folder(L, &err);
    if (folder == NULL)
        return bind_fail(L, &err);
    lua_pushstring(L, folder);
    return 1;
}

/* cache.most(): bytes that the records may take */
static int cache_most(lua_State *L) {
    Err err;
    uint64_t most;
    if (read_most(&most, &err) != STATUS_OK)
        return bind_fail(L, &err);
    lua_pushinteger(L,
                    most > LUA_MAXINTEGER ? LUA_MAXINTEGER : (lua_Integer)most);
    return 1;
}

static int64_t signed_of(uint64_t value) {
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* Adds a record to the list on top of the stack. Under lua_pcall: it may
 * raise. */
static int push_record(lua_State *L) {
    const CacheRecord *record = lua_touserdata(L, 2);
    lua_createtable(L, 0, 8);
    lua_pushstring(L, record->name);
    lua_setfield(L, -2, "name");
    bind_set_integer(L, "bytes", signed_of(record->bytes));
    bind_set_integer(L, "used", record->used);
    if (record->path == NULL) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "damaged");
    } else {
        lua_pushstring(L, record->path);
        lua_setfield(L, -2, "path");
        bind_set_integer(L, "size", signed_of(record->file.size));
        bind_set_integer(L, "mtime_ns", record->file.mtime_ns);
        bind_set_integer(L, "inode", (int64_t)record->file.inode);
    }
    lua_rawseti(L, 1, (lua_Integer)lua_rawlen(L, 1) + 1);
    return 0;
}

/* CacheEach: the list is on top of the stack; what raises ends it, and lies
 * above the list. */
static bool list_record(void *data, const CacheRecord *record) {
    lua_State *L = data;
    int list = lua_gettop(L);
    lua_pushcfunction(L, push_record);
    lua_pushvalue(L, list);
    lua_pushlightuserdata(L, (void *)(uintptr_t)record);
    return lua_pcall(L, 2, 0, 0) == LUA_OK;
}

/* cache.list() */
static int cache_records(lua_State *L) {
    Err err;
    const char *folder = take_folder(L, &err);
    if (folder == NULL)
        return bind_fail(L, &err);
    luaL_checkstack(L, 20, "cache");
    lua_newtable(L);
    int list = lua_gettop(L);
    Status status = cache_list(folder, list_record, L, &err);
    if (lua_gettop(L) > list)
        return lua_error(L);
    return status == STATUS_OK ? 1 : bind_fail(L, &err);
}

static int push_tally(lua_State *L, const CacheTally *tally) {
    lua_pushinteger(L, signed_of(tally->records));
    lua_pushinteger(L, signed_of(tally->bytes));
    return 2;
}

/* cache.clear([days]): how many were removed, and their bytes */
static int cache_remove(lua_State *L) {
    double days = luaL_optnumber(L, 1, 0);
    luaL_argcheck(L, days >= 0 && isfinite(days), 1,
                  "expected a number of days, 0 or more");
    Err err;
    CacheTally removed;
    const char *folder = take_folder(L, &err);
    if (folder == NULL ||
        cache_clear(folder, days * DAY, &removed, &err) != STATUS_OK)
        return bind_fail(L, &err);
    return push_tally(L, &removed);
}

/* cache.trim(bytes): what is left, and its bytes */
static int cache_shrink(lua_State *L) {
    int64_t most = bind_integer(L, 1, 0, INT64_MAX);
    Err err;
    CacheTally left;
    const char *folder = take_folder(L, &err);
    if (folder == NULL ||
        cache_trim(folder, (uint64_t)most, &left, &err) != STATUS_OK)
        return bind_fail(L, &err);
    return push_tally(L, &left);
}

void bind_cache(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {
        {"folder", cache_folder}, {"most", cache_most},
        {"list", cache_records},  {"clear", cache_remove},
        {"trim", cache_shrink},   {NULL, NULL},
    };
    luaL_newlib(L, FUNCTIONS);
    lua_setfield(L, -2, "cache");
}
