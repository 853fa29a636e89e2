/* An open file that many tensors share: read-only, counted, closable.
 *
 * Reading is pread into the caller's memory, never a mapping: a file that is
 * cut short while it is read gives an error, not a signal. */
#ifndef WEFT_FILE_H
#define WEFT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

typedef struct File File;

/* What tells whether a path still holds the bytes it held. */
typedef struct FileId {
    uint64_t size;
    int64_t mtime_ns;
    uint64_t inode, device;
} FileId;

/* Opens a regular file O_RDONLY (symlinks are followed; a directory, FIFO or
 * device is STATUS_IO at once). Creates: file_release. The message begins
 * with the escaped path. */
CHECKED Status file_open(File **out, const char *path, Err *err);

/* A temporary file in TMPDIR (else /var/tmp, which is not of memory) that has
 * no name and goes away with its last keeper: for bytes that no file holds as
 * they are read. Messages call it `path`. Creates: file_release. */
CHECKED Status file_temporary(File **out, const char *path, Err *err);
/* Adds n bytes at the end of a temporary file. Nobody reads meanwhile. */
CHECKED Status file_append(File *file, const void *src, uint64_t n, Err *err);

File *file_keep(File *file);
void file_release(File *file);

/* Closes the descriptor now; tensors that still keep the file answer
 * STATUS_CLOSED "tensor is closed". Waits for a read under way. */
void file_close(File *file);

const char *file_path(const File *file);
const FileId *file_id(const File *file);

/* Exactly n bytes from `offset`. EINTR is retried; a short read or an error is
 * STATUS_IO with the path, the offset and both sizes. Thread-safe. */
CHECKED Status file_read(File *file, uint64_t offset, void *dst, uint64_t n,
                         Err *err);

/* Tells the system that these bytes will be wanted soon, in order (n = 0: all
 * from `offset` on). Does nothing where it can't be told. */
void file_advise(File *file, uint64_t offset, uint64_t n);

/* Bytes that file_read has read, and file_advise told of, since the process
 * began: of all files, by all threads. */
typedef struct FileCounts {
    uint64_t read, advised;
} FileCounts;
FileCounts file_counts(void);

/* STATUS_IO where size, mtime or inode are no longer those of file_open. */
CHECKED Status file_unchanged(File *file, Err *err);

/* Whether its path still leads to what was opened, unchanged: not so of
 * temporaries, which no other process can meet. */
bool file_in_place(const File *file);

#endif
