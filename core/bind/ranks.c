/* The other ranks of an MPI job, as batches use them. */
#include <stdio.h>

#include "bind.h"
#include "ranks.h"

#define RANKS "weft.ranks.box"

/* Closing the state stops the conductor. */
static int ranks_collect(lua_State *L) {
    Ranks **box = luaL_checkudata(L, 1, RANKS);
    ranks_release(*box);
    *box = NULL;
    return 0;
}

/* The program's transport; NULL where this is no rank of several. */
static Transport *find_transport(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, RANKS_KEY);
    Transport *transport = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return transport;
}

/* The state's conductor, made at the first call. */
static Ranks *ranks_get(lua_State *L, Transport *transport) {
    lua_getfield(L, LUA_REGISTRYINDEX, RANKS "-used");
    Ranks **box = luaL_testudata(L, -1, RANKS);
    lua_pop(L, 1);
    if (box != NULL)
        return *box;
    box = lua_newuserdatauv(L, sizeof(Ranks *), 0);
    *box = NULL;
    if (luaL_newmetatable(L, RANKS)) {
        lua_pushcfunction(L, ranks_collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    Err err;
    BIND_MUST(L, &err, ranks_create(box, transport, &err));
    lua_setfield(L, LUA_REGISTRYINDEX, RANKS "-used");
    return *box;
}

bool bind_ranks_there(lua_State *L) {
    return find_transport(L) != NULL;
}

void bind_ranks_begin(lua_State *L) {
    Transport *transport = find_transport(L);
    if (transport != NULL && transport->ranks != NULL)
        ranks_begin(transport->ranks);
}

void bind_ranks_help(lua_State *L, Work *work, int threads,
                     const RanksFace *face) {
    Transport *transport = find_transport(L);
    if (transport == NULL)
        return;
    Ranks *ranks = ranks_get(L, transport);
    Err err;
    BIND_MUST(L, &err,
              ranks_help(ranks, work->batch, work->data, face, threads, &err));
}

void bind_ranks_cancel(lua_State *L) {
    Transport *transport = find_transport(L);
    if (transport != NULL && transport->ranks != NULL)
        ranks_cancel(transport->ranks);
}

void bind_ranks_tell(lua_State *L) {
    Transport *transport = find_transport(L);
    char text[RANKS_NOTE];
    if (transport != NULL && transport->ranks != NULL &&
        ranks_note(transport->ranks, text))
        fprintf(stderr, "weft: %s\n", text);
}

void bind_ranks(lua_State *L) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)&ranks_door);
    lua_setfield(L, LUA_REGISTRYINDEX, RANKS_DOOR_KEY);
}
