/* core.schedule_time and core.slices: what the pool would do, simulated. */
#include "schedule.h"
#include "bind.h"
#include "spectrum.h"

enum { COSTS = 1, FLUIDS, SLICES, WORKERS, HELD };
enum { SLICES_MOST = 1024 };

/* Element i of the list at `arg`. */
static double list_number(lua_State *L, int arg, lua_Integer i) {
    int is = 0;
    lua_rawgeti(L, arg, i);
    double value = lua_tonumberx(L, -1, &is);
    if (!is)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "element %I is %s, expected a number",
                                      (LUAI_UACINT)i, luaL_typename(L, -1)));
    lua_pop(L, 1);
    return value;
}

static int list_slices(lua_State *L, lua_Integer i) {
    double value = list_number(L, SLICES, i);
    if (!(value >= 0 && value <= SLICES_MOST))
        luaL_argerror(L, SLICES,
                      lua_pushfstring(L, "element %I is %f, expected 0 to %d",
                                      (LUAI_UACINT)i, value, SLICES_MOST));
    return (int)value;
}

/* An integer argument from `least` to `most`. */
static lua_Integer check_range(lua_State *L, int arg, lua_Integer least,
                               lua_Integer most) {
    lua_Integer value = luaL_checkinteger(L, arg);
    if (value < least || value > most)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "%I, expected %I to %I",
                                      (LUAI_UACINT)value, (LUAI_UACINT)least,
                                      (LUAI_UACINT)most));
    return value;
}

/* core.schedule_time(costs, fluids, slices, workers [, held]) */
static int core_schedule_time(lua_State *L) {
    for (int arg = COSTS; arg <= SLICES; arg++)
        luaL_checktype(L, arg, LUA_TTABLE);
    int workers = (int)check_range(L, WORKERS, 1, POOL_WORKERS_MAX * 1024);
    size_t count = (size_t)lua_rawlen(L, COSTS), held = SIZE_MAX;
    if (!lua_isnoneornil(L, HELD))
        held = (size_t)check_range(L, HELD, 0, LUA_MAXINTEGER);
    for (int arg = FLUIDS; arg <= SLICES; arg++)
        if (lua_rawlen(L, arg) != count)
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "%I elements, expected %I",
                                          (LUAI_UACINT)lua_rawlen(L, arg),
                                          (LUAI_UACINT)count));
    ScheduleJob *jobs = lua_newuserdatauv(L, (count + 1) * sizeof *jobs, 0);
    for (size_t i = 0; i < count; i++) {
        lua_Integer place = (lua_Integer)i + 1;
        jobs[i] = (ScheduleJob){.cost = list_number(L, COSTS, place),
                                .fluid = list_number(L, FLUIDS, place),
                                .slices = list_slices(L, place)};
    }
    double time = 0;
    Err err;
    BIND_MUST(L, &err, schedule_time(jobs, count, workers, held, &time, &err));
    lua_pushnumber(L, time);
    return 1;
}

/* core.slices(rows, cols) */
static int core_slices(lua_State *L) {
    lua_Integer rows = check_range(L, 1, 0, INT32_MAX);
    lua_Integer cols = check_range(L, 2, 0, INT32_MAX);
    lua_pushinteger(L, spectrum_slices(rows, cols));
    return 1;
}

void bind_schedule(lua_State *L) {
    lua_pushcfunction(L, core_schedule_time);
    lua_setfield(L, -2, "schedule_time");
    lua_pushcfunction(L, core_slices);
    lua_setfield(L, -2, "slices");
}
