/* The module's folder, which holds init.lua, core.so, scripts/ and the rest.
 *
 * It is found from the program's own place: build/weft has it in
 * build/lua/weft, PREFIX/bin/weft in PREFIX/lib/lua/5.4/weft. */
#ifndef WEFT_WEFTDIR_H
#define WEFT_WEFTDIR_H

#include "shell.h"

/* Fills shell->weftdir; empty where the program's place can't be told. */
void weftdir_find(Shell *shell);

/* Appends to package.searchers one that finds weft and weft.* in the folder;
 * package.path and package.cpath stay as they are, and what they find comes
 * first. weft.core has a loader of its own in package.preload, which looks in
 * the same order and then tells the interrupt's handler of the core's flag. */
void weftdir_add_loaders(const Shell *shell);

/* Sets the global `weft` to a table that turns into the module when it is
 * first used: nothing is loaded before. */
void weftdir_add_global(lua_State *L);

/* The path of the stock script `name` into path (PATH_MAX bytes); false where
 * there is none. */
bool weftdir_command(const Shell *shell, const char *name, char *path);

#endif
