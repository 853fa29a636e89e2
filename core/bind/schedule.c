/* What jobs cost, and what the pool would do with them, simulated. */
#include "schedule.h"
#include "bind.h"
#include "heads.h"
#include "spectrum_share.h"

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

/* The jobs of the three lists, in a userdata that is pushed. */
static ScheduleJob *list_jobs(lua_State *L, size_t count) {
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
    return jobs;
}

/* core.schedule_time(costs, fluids, slices, workers [, held]): time, splits */
static int core_schedule_time(lua_State *L) {
    for (int arg = COSTS; arg <= SLICES; arg++)
        luaL_checktype(L, arg, LUA_TTABLE);
    int workers = (int)bind_integer(L, WORKERS, 1, POOL_WORKERS_MAX * 1024);
    size_t count = (size_t)lua_rawlen(L, COSTS), held = SIZE_MAX;
    if (!lua_isnoneornil(L, HELD))
        held = (size_t)bind_integer(L, HELD, 0, INT64_MAX);
    ScheduleJob *jobs = list_jobs(L, count);
    Schedule *schedule = NULL;
    Err err;
    BIND_MUST(L, &err,
              schedule_create(&schedule, jobs, count, workers, held, &err));
    lua_pushnumber(L, schedule_time(schedule));
    lua_pushinteger(L, (lua_Integer)schedule_splits(schedule));
    schedule_release(schedule);
    return 2;
}

/* The first `count` arguments: sizes of matrices. */
static void check_sizes(lua_State *L, int count, lua_Integer *size) {
    for (int i = 0; i < count; i++)
        size[i] = bind_integer(L, i + 1, 0, INT32_MAX);
}

/* core.slices(rows, cols) */
static int core_slices(lua_State *L) {
    lua_Integer size[2];
    check_sizes(L, 2, size);
    lua_pushinteger(L, spectrum_slices(size[0], size[1]));
    return 1;
}

/* core.split_room(side, workers) */
static int core_split_room(lua_State *L) {
    size_t room = spectrum_share_room(bind_integer(L, 1, 0, INT32_MAX));
    int workers = (int)bind_integer(L, 2, 1, POOL_WORKERS_MAX);
    lua_pushinteger(L, (lua_Integer)pool_splits_most(room, workers));
    return 1;
}

/* core.panel(rows, cols) */
static int core_panel(lua_State *L) {
    lua_Integer size[2];
    check_sizes(L, 2, size);
    lua_pushinteger(L, spectrum_panel(size[0], size[1]));
    return 1;
}

/* core.weight_flops(rows, cols) */
static int core_weight_flops(lua_State *L) {
    lua_Integer size[2];
    check_sizes(L, 2, size);
    double gram = spectrum_fluid(size[0], size[1]);
    lua_pushnumber(L, gram);
    lua_pushnumber(L, spectrum_cost(size[0], size[1]) - gram);
    return 2;
}

/* core.product_flops(rows, inner, cols) */
static int core_product_flops(lua_State *L) {
    lua_Integer size[3];
    check_sizes(L, 3, size);
    lua_pushnumber(L, factor_product(size[0], size[1], size[2]));
    return 1;
}

/* core.kernel_flops(k, d, count [, left [, right]]) */
static int core_kernel_flops(lua_State *L) {
    lua_Integer size[3];
    check_sizes(L, 3, size);
    lua_pushnumber(L, kernel_flops(size[0], size[1], size[2],
                                   luaL_optnumber(L, 4, 0),
                                   luaL_optnumber(L, 5, 0)));
    return 1;
}

void bind_schedule(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {
        {"schedule_time", core_schedule_time},
        {"slices", core_slices},
        {"split_room", core_split_room},
        {"panel", core_panel},
        {"weight_flops", core_weight_flops},
        {"product_flops", core_product_flops},
        {"kernel_flops", core_kernel_flops},
        {NULL, NULL},
    };
    luaL_setfuncs(L, FUNCTIONS, 0);
}
