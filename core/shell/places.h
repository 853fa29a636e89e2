/* The user's own folders, by the XDG base directory specification. A variable
 * that is empty or no absolute path counts as unset. */
#ifndef WEFT_PLACES_H
#define WEFT_PLACES_H

#include <stdbool.h>

/* XDG_CONFIG_HOME/weft/NAME or ~/.config/weft/NAME into path (PATH_MAX bytes);
 * false where no folder can be told. */
bool places_config(char *path, const char *name);

/* XDG_STATE_HOME/weft/NAME or ~/.local/state/weft/NAME; the folders are made
 * where they are missing. */
bool places_state(char *path, const char *name);

#endif
