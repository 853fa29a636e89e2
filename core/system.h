/* What weft asks of the system: files that appear whole or not at all,
 * folders, programs run without a shell, and the terminal. Paths in messages
 * are escaped. */
#ifndef WEFT_SYSTEM_H
#define WEFT_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

/* Replaces the file at `path` by n bytes: written to a temporary beside it,
 * synced, renamed, and the folder synced. On failure the temporary is removed
 * and what was there before still is. Mode 0644 as umask cuts it. STATUS_IO
 * also where something other than a regular file has that name. */
CHECKED Status system_write(const char *path, const void *bytes, size_t n,
                            Err *err);
/* The same of `count` pieces, one after another. */
typedef struct SystemPiece {
    const void *bytes;
    size_t n;
} SystemPiece;
CHECKED Status system_write_pieces(const char *path, const SystemPiece *pieces,
                                   size_t count, Err *err);
/* system_write without waiting for the disk: whatever happens to the process
 * the file is whole or not there, but after a power cut it may be torn, which
 * its reader must be able to tell. */
CHECKED Status system_write_unsynced(const char *path, const void *bytes,
                                     size_t n, Err *err);

/* Makes the folder, and those above it that are missing. One that is there
 * already is no error. */
CHECKED Status system_mkdir(const char *path, Err *err);

/* Removes a file or an empty folder. */
CHECKED Status system_remove(const char *path, Err *err);

/* A program to run: `argv` (NULL-terminated), looked up along PATH, in the
 * folder `cwd` (NULL: this one), its standard input the `input_size` bytes of
 * `input` (NULL: /dev/null), standard output and error in one. */
typedef struct Program {
    char *const *argv;
    const char *cwd;
    const char *input;
    size_t input_size;
} Program;

/* Runs it to its end. The first `size` bytes it prints go to `output`, their
 * number to *used; what is beyond is read and dropped. *exit_status is its
 * own, or 128 + n where signal n killed it. STATUS_IO where it can't be
 * started; STATUS_CANCELLED once the cancel flag is set: it gets SIGTERM. */
CHECKED Status system_run(const Program *program, char *output, size_t size,
                          size_t *used, int *exit_status, Err *err);

/* Writes `text`, a question, to the terminal on standard output and reads what
 * it answers on standard input, up to `seconds` long: at most `size` bytes, to
 * the end of a control sequence (ESC [ … letter). False where nothing was
 * asked: no terminal on both, not in its foreground, or something typed waits
 * to be read. The terminal's settings are put back in any case; Ctrl-C
 * meanwhile ends the wait and is SIGINT after it. */
bool system_query(const char *text, double seconds, char *answer, size_t size,
                  size_t *used);

/* A terminal's window in rows and columns, and in pixels where the terminal
 * tells (else 0). */
typedef struct Window {
    int rows, columns, width, height;
} Window;

/* False where the descriptor is no terminal. */
bool system_window(int fd, Window *window);

#endif
