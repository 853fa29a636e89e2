/* Folders from the environment. */
#include "places.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* An environment variable that holds an absolute path, or NULL. */
static const char *absolute(const char *variable) {
    const char *value = getenv(variable);
    return value != NULL && value[0] == '/' ? value : NULL;
}

static bool find(char *path, const char *variable, const char *fallback,
                 const char *name) {
    const char *folder = absolute(variable);
    const char *home = absolute("HOME");
    int length;
    if (folder != NULL)
        length = snprintf(path, PATH_MAX, "%s/weft/%s", folder, name);
    else if (home != NULL)
        length =
            snprintf(path, PATH_MAX, "%s/%s/weft/%s", home, fallback, name);
    else
        return false;
    return length > 0 && length < PATH_MAX;
}

/* Makes the folders that lead to the path, for their owner alone. */
static bool make_folders(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool there = mkdir(path, 0700) == 0 || errno == EEXIST;
        struct stat info;
        there = there || (stat(path, &info) == 0 && S_ISDIR(info.st_mode));
        *slash = '/';
        if (!there)
            return false;
    }
    return true;
}

bool places_config(char *path, const char *name) {
    return find(path, "XDG_CONFIG_HOME", ".config", name);
}

bool places_state(char *path, const char *name) {
    return find(path, "XDG_STATE_HOME", ".local/state", name) &&
           make_folders(path);
}
