/* Files written whole, folders. */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

enum { SHOWN = 700 }; /* of a path in a message */

/* "path: what: why", the why from errno. */
static Status fail_io(const char *path, const char *what, Err *err) {
    int why = errno;
    char shown[SHOWN];
    return err_set(err, STATUS_IO, "%s: %s: %s",
                   text_escape(shown, sizeof shown, path), what, strerror(why));
}

/* ---- writing ---- */

static bool write_all(int fd, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t sent = write(fd, bytes, n);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* Makes the temporary with all its bytes; removes it where that fails. */
static Status write_temporary(const char *temporary, const char *path,
                              const SystemPiece *pieces, size_t count,
                              bool synced, Err *err) {
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail_io(path, "cannot create", err);
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (!write_all(fd, pieces[i].bytes, pieces[i].n))
            status = fail_io(path, "cannot write", err);
    }
    if (status == STATUS_OK && synced && fsync(fd) != 0)
        status = fail_io(path, "cannot sync", err);
    /* after a sync that went well close has nothing left to lose */
    if (close(fd) != 0 && status == STATUS_OK)
        status = fail_io(path, "cannot close", err);
    if (status != STATUS_OK)
        unlink(temporary);
    return status;
}

/* A renamed file is safe only once its folder is on the disk too. */
static Status sync_folder(const char *folder, const char *path, Err *err) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_io(path, "cannot open its folder", err);
    Status status = STATUS_OK;
    /* some file systems know no sync of folders */
    if (fsync(fd) != 0 && errno != EINVAL)
        status = fail_io(path, "cannot sync its folder", err);
    close(fd);
    return status;
}

/* A rename would replace a device or a pipe for good. */
static Status check_target(const char *path, Err *err) {
    struct stat there;
    char shown[SHOWN];
    if (stat(path, &there) != 0 || S_ISREG(there.st_mode))
        return STATUS_OK;
    return err_set(err, STATUS_IO,
                   "%s: cannot write: it is %s, expected a regular file",
                   text_escape(shown, sizeof shown, path),
                   S_ISDIR(there.st_mode) ? "a folder" : "a special file");
}

/* "path.tmp-PID-random" and the path's folder, in one block. */
static char *temporary_names(const char *path, char **folder, Err *err) {
    size_t n = strlen(path), room = n + 64;
    char *block = mem_array(room + n + 2, 1, err);
    if (block == NULL)
        return NULL;
    uint64_t word = 0;
    /* O_EXCL guards what a failure here would make guessable */
    if (getrandom(&word, sizeof word, GRND_NONBLOCK) < 0)
        word = (uint64_t)(uintptr_t)block;
    snprintf(block, room, "%s.tmp-%ld-%016" PRIx64, path, (long)getpid(), word);
    *folder = block + room;
    memcpy(*folder, path, n + 1);
    char *slash = strrchr(*folder, '/');
    if (slash == NULL)
        memcpy(*folder, ".", 2);
    else
        slash[slash == *folder] = '\0'; /* "/x" lies in "/" */
    return block;
}

static Status replace_file(const char *path, const SystemPiece *pieces,
                           size_t count, bool synced, Err *err) {
    Status status = check_target(path, err);
    if (status != STATUS_OK)
        return status;
    char *folder = NULL;
    char *temporary = temporary_names(path, &folder, err);
    if (temporary == NULL)
        return STATUS_NOMEM;
    status = write_temporary(temporary, path, pieces, count, synced, err);
    if (status == STATUS_OK && rename(temporary, path) != 0) {
        status = fail_io(path, "cannot rename to it", err);
        unlink(temporary);
    }
    if (status == STATUS_OK && synced)
        status = sync_folder(folder, path, err);
    mem_free(temporary);
    return status;
}

Status system_write_pieces(const char *path, const SystemPiece *pieces,
                           size_t count, Err *err) {
    return replace_file(path, pieces, count, true, err);
}

Status system_write_unsynced(const char *path, const void *bytes, size_t n,
                             Err *err) {
    SystemPiece piece = {bytes, n};
    return replace_file(path, &piece, 1, false, err);
}

Status system_write(const char *path, const void *bytes, size_t n, Err *err) {
    SystemPiece piece = {bytes, n};
    return system_write_pieces(path, &piece, 1, err);
}

/* ---- folders ---- */

static bool is_folder(const char *path) {
    struct stat there;
    return stat(path, &there) == 0 && S_ISDIR(there.st_mode);
}

Status system_mkdir(const char *path, Err *err) {
    size_t n = strlen(path);
    char *part = mem_text(path, n, err);
    if (part == NULL)
        return STATUS_NOMEM;
    Status status = STATUS_OK;
    for (size_t i = 1; i <= n && status == STATUS_OK; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0777) != 0) {
            int why = errno;
            bool there = is_folder(part);
            errno = why;
            if (!there)
                status = fail_io(part, "cannot make the folder", err);
        }
        part[i] = path[i];
    }
    if (n == 0) {
        errno = ENOENT;
        status = fail_io(path, "cannot make the folder", err);
    }
    mem_free(part);
    return status;
}

Status system_remove(const char *path, Err *err) {
    if (remove(path) != 0)
        return fail_io(path, "cannot remove", err);
    return STATUS_OK;
}
