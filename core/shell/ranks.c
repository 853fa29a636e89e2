/* Loading mpi.so, and what is done before and after the script. */
#include "ranks.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ranks.h"
#include "call.h"
#include "interrupt.h"
#include "weftdir.h"

typedef Status Open(Transport **out, int *argc, char ***argv, Err *err);

/* Never returns. */
static void give_up(const Shell *shell, const char *message) {
    call_message(shell, message);
    _exit(EXIT_FAILURE);
}

/* Runs before every exit: MPI wants to be left by whoever ends. Ctrl-C takes
 * the other ranks along; so does an end of weft's that is none of these. */
static void leave(int status, void *data) {
    Transport *transport = data;
    if (transport->rank == 0 && status != 0 && interrupt_happened()) {
        fflush(NULL);
        transport->abort(transport, status);
    }
    if (transport->ranks != NULL)
        transport->stop(transport->ranks);
    transport->finish(transport);
}

/* MPI's own plugins look its symbols up globally. */
static Open *load(const Shell *shell) {
    char path[PATH_MAX + 16], text[512];
    snprintf(path, sizeof path, "%s/mpi.so", shell->weftdir);
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    void *symbol = library != NULL ? dlsym(library, "weft_mpi_open") : NULL;
    if (symbol == NULL) {
        snprintf(text, sizeof text,
                 "several ranks, but no MPI: %.300s (make MPI=1)", dlerror());
        give_up(shell, text);
    }
    Open *open;
    memcpy(&open, &symbol, sizeof open);
    return open;
}

/* The core's door, which its module leaves in the registry. */
static int find_door(lua_State *L) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "weft.core");
    lua_call(L, 1, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, RANKS_DOOR_KEY);
    return 1;
}

/* A rank other than 0, to its end. */
static void serve(const Shell *shell, Transport *transport) {
    lua_State *L = shell->L;
    Err err;
    luaL_openlibs(L);
    weftdir_add_loaders(shell);
    lua_pushcfunction(L, find_door);
    if (lua_pcall(L, 0, 1, 0) != LUA_OK || lua_touserdata(L, -1) == NULL) {
        call_message(shell, luaL_tolstring(L, -1, NULL));
        transport->abort(transport, EXIT_FAILURE);
    }
    const RanksDoor *door = lua_touserdata(L, -1);
    if (door->serve(transport, &err) != STATUS_OK) {
        call_message(shell, err.message);
        transport->abort(transport, EXIT_FAILURE);
    }
    transport->finish(transport);
    _exit(EXIT_SUCCESS);
}

void shell_ranks_join(Shell *shell, int argc, char **argv) {
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");
    if (size == NULL || atoi(size) < 2)
        return;
    Transport *transport;
    Err err;
    if (load(shell)(&transport, &argc, &argv, &err) != STATUS_OK)
        give_up(shell, err.message);
    /* what this program starts is no rank */
    unsetenv("OMPI_COMM_WORLD_SIZE");
    if (transport->rank > 0)
        serve(shell, transport);
    lua_pushlightuserdata(shell->L, transport);
    lua_setfield(shell->L, LUA_REGISTRYINDEX, RANKS_KEY);
    on_exit(leave, transport);
}
