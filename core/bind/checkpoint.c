/* Checkpoints in Lua: the directory of a model's named tensors. */
#include <string.h>

#include "bind.h"

/* A box: its user value is the path it was opened by. */
typedef struct Box {
    Checkpoint *checkpoint; /* NULL: closed, or not open yet */
} Box;

static Checkpoint *checkpoint_self(lua_State *L) {
    Box *box = luaL_checkudata(L, 1, BIND_CHECKPOINT);
    if (box->checkpoint == NULL)
        luaL_error(L, "checkpoint is closed");
    return box->checkpoint;
}

/* core.open(path) */
static int core_open(lua_State *L) {
    const char *path = bind_text(L, 1);
    lua_settop(L, 1);
    Box *box = lua_newuserdatauv(L, sizeof *box, 1);
    box->checkpoint = NULL;
    luaL_setmetatable(L, BIND_CHECKPOINT);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    Err err;
    Status status;
    BIND_TRY(L, status, checkpoint_open(&box->checkpoint, path, &err));
    if (status == STATUS_CANCELLED)
        return bind_raise(L, &err);
    return status == STATUS_OK ? 1 : bind_fail(L, &err);
}

/* __gc, __close and :close(). */
static int close_checkpoint(lua_State *L) {
    Box *box = luaL_checkudata(L, 1, BIND_CHECKPOINT);
    if (box->checkpoint != NULL) {
        checkpoint_close(box->checkpoint);
        checkpoint_release(box->checkpoint);
    }
    box->checkpoint = NULL;
    return 0;
}

static int checkpoint_length(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)checkpoint_count(checkpoint_self(L)));
    return 1;
}

static int checkpoint_text(lua_State *L) {
    Box *box = luaL_checkudata(L, 1, BIND_CHECKPOINT);
    if (box->checkpoint == NULL)
        lua_pushliteral(L, "checkpoint (closed)");
    else
        lua_pushfstring(L, "checkpoint %s, %I tensors",
                        checkpoint_format(box->checkpoint),
                        (LUAI_UACINT)checkpoint_count(box->checkpoint));
    return 1;
}

static int checkpoint_index(lua_State *L) {
    luaL_checkudata(L, 1, BIND_CHECKPOINT);
    if (bind_method(L))
        return 1;
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(key, "format") == 0)
        lua_pushstring(L, checkpoint_format(checkpoint_self(L)));
    else if (strcmp(key, "path") == 0 && checkpoint_self(L) != NULL)
        lua_getiuservalue(L, 1, 1);
    else
        lua_pushnil(L);
    return 1;
}

/* ---- entries ---- */

/* ck:names(): in file order. */
static int checkpoint_names(lua_State *L) {
    const Checkpoint *checkpoint = checkpoint_self(L);
    size_t n = checkpoint_count(checkpoint);
    lua_createtable(L, n < 1 << 20 ? (int)n : 1 << 20, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushstring(L, checkpoint_entry(checkpoint, i)->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* The entry that argument 2 names; else NULL, and the three results that say
 * so are pushed. */
static const Entry *find_entry(lua_State *L, const Checkpoint *checkpoint) {
    size_t n;
    const char *name = luaL_checklstring(L, 2, &n);
    /* a name with a NUL in it is nobody's: names end there in C */
    const Entry *entry =
        strlen(name) == n ? checkpoint_find(checkpoint, name) : NULL;
    if (entry != NULL)
        return entry;
    Err err;
    char shown[256], path[512];
    lua_getiuservalue(L, 1, 1);
    text_escape(path, sizeof path, lua_tostring(L, -1));
    (void)err_set(&err, STATUS_ARGUMENT, "%s: no tensor '%s'", path,
                  text_escape(shown, sizeof shown, name));
    bind_fail(L, &err);
    return NULL;
}

/* ck:entry(name) */
static int checkpoint_describe(lua_State *L) {
    const Entry *entry = find_entry(L, checkpoint_self(L));
    if (entry == NULL)
        return 3;
    lua_createtable(L, 0, 6);
    bind_set_text(L, "name", entry->name);
    bind_set_text(L, "dtype", dtype_row(entry->dtype)->name);
    bind_set_text(L, "file", file_path(entry->file));
    bind_set_integer(L, "offset", (lua_Integer)entry->offset);
    bind_set_integer(L, "bytes", (lua_Integer)entry->bytes);
    lua_createtable(L, entry->axes, 0);
    for (int i = 0; i < entry->axes; i++) {
        lua_pushinteger(L, entry->shape[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "shape");
    return 1;
}

/* ck:axes(name): without the table that ck:entry(name) makes. */
static int checkpoint_axes(lua_State *L) {
    const Entry *entry = find_entry(L, checkpoint_self(L));
    if (entry == NULL)
        return 3;
    lua_pushinteger(L, entry->axes);
    return 1;
}

/* ck:tensor(name) */
static int checkpoint_take(lua_State *L) {
    const Entry *entry = find_entry(L, checkpoint_self(L));
    if (entry == NULL)
        return 3;
    Tensor *tensor = bind_tensor_new(L, 1);
    Err err;
    Status status;
    BIND_TRY(L, status, checkpoint_tensor(entry, tensor, &err));
    return status == STATUS_OK ? 1 : bind_fail(L, &err);
}

/* ck:dtypes(): how many tensors there are of each, by its name. */
static int checkpoint_dtypes(lua_State *L) {
    const Checkpoint *checkpoint = checkpoint_self(L);
    uint64_t counts[DTYPE_COUNT] = {0};
    for (size_t i = 0; i < checkpoint_count(checkpoint); i++)
        counts[checkpoint_entry(checkpoint, i)->dtype]++;
    lua_newtable(L);
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++)
        if (counts[dtype] > 0)
            bind_set_integer(L, dtype_row((Dtype)dtype)->name,
                             (lua_Integer)counts[dtype]);
    return 1;
}

/* ---- what else the files say ---- */

static void push_meta(lua_State *L, const Meta *meta) {
    switch (meta->kind) {
    case META_NUMBER:
        lua_pushnumber(L, meta->number);
        break;
    case META_INTEGER:
        lua_pushinteger(L, meta->integer);
        break;
    case META_BOOL:
        lua_pushboolean(L, meta->integer != 0);
        break;
    case META_TEXT:
        lua_pushstring(L, meta->text);
        break;
    case META_ARRAY:
        lua_createtable(L, 0, 1);
        bind_set_integer(L, "length", (lua_Integer)meta->integer);
        break;
    }
}

/* ck:meta() */
static int checkpoint_metadata(lua_State *L) {
    const Checkpoint *checkpoint = checkpoint_self(L);
    lua_newtable(L);
    for (size_t i = 0; i < checkpoint_meta_count(checkpoint); i++) {
        const Meta *meta = checkpoint_meta(checkpoint, i);
        push_meta(L, meta);
        lua_setfield(L, -2, meta->key);
    }
    return 1;
}

/* ck:notes() */
static int checkpoint_notes(lua_State *L) {
    const Checkpoint *checkpoint = checkpoint_self(L);
    lua_newtable(L);
    for (size_t i = 0; i < checkpoint_note_count(checkpoint); i++) {
        lua_pushstring(L, checkpoint_note(checkpoint, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const luaL_Reg META[] = {
    {"__gc", close_checkpoint},
    {"__close", close_checkpoint},
    {"__len", checkpoint_length},
    {"__tostring", checkpoint_text},
    {NULL, NULL},
};

static const luaL_Reg METHODS[] = {
    {"close", close_checkpoint},
    {"names", checkpoint_names},
    {"entry", checkpoint_describe},
    {"axes", checkpoint_axes},
    {"tensor", checkpoint_take},
    {"dtypes", checkpoint_dtypes},
    {"meta", checkpoint_metadata},
    {"notes", checkpoint_notes},
    {NULL, NULL},
};

void bind_checkpoint(lua_State *L) {
    bind_class(L, BIND_CHECKPOINT, "checkpoint", META, METHODS,
               checkpoint_index);
    lua_pushcfunction(L, core_open);
    lua_setfield(L, -2, "open");
}
