/* core.sys: files, folders, programs, the terminal, numbers as text. */
#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "bind.h"
#include "number.h"
#include "progress.h"
#include "system.h"

#define FILE_BOX "weft.file"

enum { OUTPUT_MOST = 1 << 20, ARGUMENTS_MOST = 1 << 16, QUERY_MOST = 10 };

/* true, or what failed. */
static int push_done(lua_State *L, Status status, const Err *err) {
    if (status != STATUS_OK)
        return bind_fail(L, err);
    lua_pushboolean(L, 1);
    return 1;
}

/* ---- files ---- */

/* sys.write(path, text) */
static int sys_write(lua_State *L) {
    const char *path = bind_text(L, 1);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);
    Err err;
    Status status;
    BIND_TRY(L, status, system_write(path, text, n, &err));
    return push_done(L, status, &err);
}

/* sys.mkdir(path) */
static int sys_mkdir(lua_State *L) {
    const char *path = bind_text(L, 1);
    Err err;
    Status status;
    BIND_TRY(L, status, system_mkdir(path, &err));
    return push_done(L, status, &err);
}

/* sys.remove(path) */
static int sys_remove(lua_State *L) {
    Err err;
    Status status = system_remove(bind_text(L, 1), &err);
    return push_done(L, status, &err);
}

/* A file while it is read. */
typedef struct FileBox {
    File *file;
} FileBox;

static int file_collect(lua_State *L) {
    FileBox *box = luaL_checkudata(L, 1, FILE_BOX);
    if (box->file != NULL)
        file_release(box->file);
    box->file = NULL;
    return 0;
}

static FileBox *file_new(lua_State *L) {
    FileBox *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->file = NULL;
    if (luaL_newmetatable(L, FILE_BOX)) {
        lua_pushcfunction(L, file_collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return box;
}

/* sys.read(path): a regular file's bytes */
static int sys_read(lua_State *L) {
    const char *path = bind_text(L, 1);
    FileBox *box = file_new(L);
    Err err;
    Status status;
    BIND_TRY(L, status, file_open(&box->file, path, &err));
    if (status != STATUS_OK)
        return bind_fail(L, &err);
    uint64_t n = file_id(box->file)->size;
    luaL_Buffer buffer;
    char *bytes = luaL_buffinitsize(L, &buffer, n);
    status = file_read(box->file, 0, bytes, n, &err);
    file_release(box->file);
    box->file = NULL;
    luaL_pushresultsize(&buffer, status == STATUS_OK ? n : 0);
    return status == STATUS_OK ? 1 : bind_fail(L, &err);
}

/* ---- programs ---- */

/* Argument 1, an array of strings, as C takes it; pushed. Borrows from the
 * table's strings. */
static char *const *check_argv(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Unsigned n = lua_rawlen(L, 1);
    luaL_argcheck(L, n >= 1, 1, "a program's name expected");
    luaL_argcheck(L, n <= ARGUMENTS_MOST, 1, "too many arguments");
    const char **argv = lua_newuserdatauv(L, (n + 1) * sizeof *argv, 0);
    for (lua_Unsigned i = 0; i < n; i++) {
        int type = lua_rawgeti(L, 1, (lua_Integer)i + 1);
        size_t size = 0;
        argv[i] = type == LUA_TSTRING ? lua_tolstring(L, -1, &size) : NULL;
        if (argv[i] == NULL || strlen(argv[i]) != size)
            luaL_argerror(L, 1,
                          lua_pushfstring(L,
                                          "element %I is %s, expected a "
                                          "string without NUL",
                                          (LUAI_UACINT)(i + 1),
                                          type == LUA_TSTRING
                                              ? "a string with NUL"
                                              : luaL_typename(L, -1)));
        lua_pop(L, 1);
    }
    argv[n] = NULL;
    return (char *const *)(uintptr_t)argv;
}

/* sys.run(argv [, {cwd =, input =}]) */
static int sys_run(lua_State *L) {
    static const char *const OPTIONS[] = {"cwd", "input", NULL};
    lua_settop(L, 2);
    bind_options(L, 2, OPTIONS);
    Program program = {0};
    bind_option(L, 2, "input", LUA_TSTRING);
    program.input = lua_tolstring(L, -1, &program.input_size);
    if (bind_option(L, 2, "cwd", LUA_TSTRING) != LUA_TNIL)
        program.cwd = bind_text(L, lua_gettop(L));
    char *output = lua_newuserdatauv(L, OUTPUT_MOST, 0);
    program.argv = check_argv(L);
    size_t used = 0;
    int exit_status = 0;
    Err err;
    Status status =
        system_run(&program, output, OUTPUT_MOST, &used, &exit_status, &err);
    if (status == STATUS_CANCELLED)
        return bind_interrupt(L);
    if (status != STATUS_OK)
        return bind_fail(L, &err);
    lua_pushinteger(L, exit_status);
    lua_pushlstring(L, output, used);
    return 2;
}

/* ---- the terminal and the machine ---- */

/* sys.isatty(fd) */
static int sys_isatty(lua_State *L) {
    lua_pushboolean(L, isatty((int)bind_integer(L, 1, 0, INT_MAX)));
    return 1;
}

/* sys.columns(fd) */
static int sys_columns(lua_State *L) {
    lua_pushinteger(L, progress_columns((int)bind_integer(L, 1, 0, INT_MAX)));
    return 1;
}

/* nil alone: what was asked for is not there, which is no failure. */
static int push_nothing(lua_State *L) {
    lua_pushnil(L);
    return 1;
}

/* sys.window(fd): rows, columns, pixels across, pixels down; or nil */
static int sys_window(lua_State *L) {
    Window window;
    if (!system_window((int)bind_integer(L, 1, 0, INT_MAX), &window))
        return push_nothing(L);
    lua_pushinteger(L, window.rows);
    lua_pushinteger(L, window.columns);
    lua_pushinteger(L, window.width);
    lua_pushinteger(L, window.height);
    return 4;
}

/* sys.terminal_query(text, seconds): what the terminal answers (empty:
 * nothing), or nil where it can't be asked */
static int sys_terminal_query(lua_State *L) {
    const char *text = bind_text(L, 1);
    double seconds = luaL_checknumber(L, 2);
    luaL_argcheck(L, seconds >= 0 && seconds <= QUERY_MOST, 2,
                  "expected 0 to 10 seconds");
    char answer[256];
    size_t used = 0;
    if (!system_query(text, seconds, answer, sizeof answer, &used))
        return push_nothing(L);
    bind_poll(L);
    lua_pushlstring(L, answer, used);
    return 1;
}

/* sys.time(): seconds of a clock that nobody sets */
static int sys_time(lua_State *L) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    lua_pushnumber(L, (double)at.tv_sec + 1e-9 * (double)at.tv_nsec);
    return 1;
}

/* sys.cpus(): workers of a pool that nobody gave a number */
static int sys_cpus(lua_State *L) {
    lua_pushinteger(L, pool_default_workers());
    return 1;
}

/* sys.counts([restart]) */
static int sys_counts(lua_State *L) {
    MemCounts mem = mem_counts();
    FileCounts file = file_counts();
    struct {
        const char *name;
        uint64_t value;
    } const counts[] = {
        {"read", file.read},
        {"advised", file.advised},
        {"allocations", mem.allocations},
        {"held", mem.held},
        {"peak", mem.peak},
    };
    if (lua_toboolean(L, 1))
        mem_peak_restart();
    lua_newtable(L);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        lua_pushinteger(L, (lua_Integer)counts[i].value);
        lua_setfield(L, -2, counts[i].name);
    }
    return 1;
}

/* ---- text ---- */

/* sys.number(x) */
static int sys_number(lua_State *L) {
    luaL_checktype(L, 1, LUA_TNUMBER);
    if (lua_isinteger(L, 1)) {
        lua_pushfstring(L, "%I", (LUAI_UACINT)lua_tointeger(L, 1));
        return 1;
    }
    char text[NUMBER_TEXT];
    lua_pushstring(L, number_text(text, lua_tonumber(L, 1)));
    return 1;
}

/* sys.escape(text): NUL too, where a C string would end */
static int sys_escape(lua_State *L) {
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    luaL_argcheck(L, n < SIZE_MAX / 4, 1, "too long");
    luaL_Buffer buffer;
    size_t room = 4 * n + 1, used = 0;
    char *out = luaL_buffinitsize(L, &buffer, room);
    for (const char *end = text + n;; text++) {
        text_escape(out + used, room - used, text);
        used += strlen(out + used);
        text += strlen(text);
        if (text == end)
            break;
        memcpy(out + used, "\\x00", 4);
        used += 4;
    }
    luaL_pushresultsize(&buffer, used);
    return 1;
}

/* sys.crc32(text): the checksum of zip archives */
static int sys_crc32(lua_State *L) {
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    lua_pushinteger(L, (lua_Integer)crc32_z(0, (const Bytef *)text, n));
    return 1;
}

void bind_sys(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {
        {"write", sys_write},
        {"read", sys_read},
        {"mkdir", sys_mkdir},
        {"remove", sys_remove},
        {"run", sys_run},
        {"isatty", sys_isatty},
        {"columns", sys_columns},
        {"time", sys_time},
        {"cpus", sys_cpus},
        {"counts", sys_counts},
        {"number", sys_number},
        {"escape", sys_escape},
        {"crc32", sys_crc32},
        {"window", sys_window},
        {"terminal_query", sys_terminal_query},
        {NULL, NULL},
    };
    luaL_newlib(L, FUNCTIONS);
    lua_setfield(L, -2, "sys");
}
