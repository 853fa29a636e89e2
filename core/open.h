/* What the ways of opening a checkpoint share. */
#ifndef WEFT_OPEN_H
#define WEFT_OPEN_H

#include "checkpoint.h"

/* Reads a file into the checkpoint; every message then begins with the path,
 * as file.c's do by themselves. */
CHECKED Status open_format(const Format *format, Checkpoint *checkpoint,
                           File *file, Err *err);

/* FOLDER/NAME. Creates: mem_free. */
char *open_join(const char *folder, const char *name, Err *err);

/* Whether something has that name, be it a link to nowhere: what is there and
 * cannot be read is for file_open to complain about. */
bool open_exists(const char *path);

/* How the files of a format are called in a folder. */
typedef struct Layout {
    const char *index, *whole;
    const Format *format;
} Layout;

/* A folder by its index, which lies at `path`. Creates. */
CHECKED Status open_index(Checkpoint **out, const Layout *layout,
                          const char *folder, const char *path, Err *err);

/* The number and the count in NAME-00002-of-00003.gguf, and the bytes in front
 * of "-00002"; false where a path does not end so. */
typedef struct SplitName {
    size_t stem;
    uint32_t number, count;
} SplitName;
bool open_split_name(const char *path, SplitName *out);

/* All parts of the split GGUF that `path` is one of; of an unsplit file whose
 * name only looks so, that file alone. Creates. */
CHECKED Status open_split(Checkpoint **out, const char *path, Err *err);

#endif
