/* Counted read-only files: pread under a lock that closing waits for. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

/* Linux moves at most 2 GiB a call; whole gibibytes keep it aligned. */
enum { READ_MOST = 1 << 30, SHOWN_PATH = 640 };

/* Linux cuts a WILLNEED to what a device takes at once, which may be as little
 * as this. */
enum { ADVISE_MOST = 1 << 17 };

/* Bytes of all files so far. */
static atomic_uint_fast64_t bytes_read, bytes_advised;

struct File {
    atomic_int refs;
    pthread_rwlock_t lock; /* readers share it; file_close takes it alone */
    int fd;                /* -1 once closed */
    FileId id;
    char *path;
};

/* "PATH: message" as STATUS_IO. */
static Status path_fail(const char *path, Err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static Status path_fail(const char *path, Err *err, const char *format, ...) {
    char shown[SHOWN_PATH], message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return err_set(err, STATUS_IO, "%s: %s",
                   text_escape(shown, sizeof shown, path), message);
}

static Status path_errno(const char *path, const char *what, Err *err) {
    char text[128];
    return path_fail(path, err, "%s: %s", what,
                     strerror_r(errno, text, sizeof text));
}

static FileId id_of(const struct stat *info) {
    return (FileId){
        .size = (uint64_t)info->st_size,
        .mtime_ns = (int64_t)info->st_mtim.tv_sec * 1000000000 +
                    (int64_t)info->st_mtim.tv_nsec,
        .inode = (uint64_t)info->st_ino,
        .device = (uint64_t)info->st_dev,
    };
}

static const char *kind_of(mode_t mode) {
    return S_ISDIR(mode)    ? "a folder"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

/* Whether more files may be open now: a folder of arrays can have more than
 * the thousand that a process begins with. */
static bool raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur == limit.rlim_max)
        return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* A descriptor of a regular file. Never waits: a pipe opens at once. */
static Status open_regular(const char *path, int *out, FileId *id, Err *err) {
    int fd;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd < 0 && (errno == EINTR || (errno == EMFILE && raise_limit())));
    if (fd < 0)
        return path_errno(path, "cannot open", err);
    struct stat info;
    Status status = STATUS_OK;
    if (fstat(fd, &info) != 0)
        status = path_errno(path, "cannot stat", err);
    else if (!S_ISREG(info.st_mode))
        status = path_fail(path, err, "%s, expected a regular file",
                           kind_of(info.st_mode));
    if (status != STATUS_OK) {
        close(fd);
        return status;
    }
    *out = fd;
    *id = id_of(&info);
    return STATUS_OK;
}

/* Makes the File of a descriptor, which is its own from now on. */
static Status wrap(File **out, const char *path, int fd, FileId id, Err *err) {
    Status status = STATUS_NOMEM;
    File *file = mem_zeroed(1, sizeof *file, err);
    char *copy = file == NULL ? NULL : mem_text(path, strlen(path), err);
    if (copy != NULL && pthread_rwlock_init(&file->lock, NULL) == 0) {
        atomic_init(&file->refs, 1);
        file->fd = fd;
        file->id = id;
        file->path = copy;
        *out = file;
        return STATUS_OK;
    }
    if (copy != NULL)
        status = path_fail(path, err, "cannot make a lock");
    close(fd);
    mem_free(copy);
    mem_free(file);
    return status;
}

Status file_open(File **out, const char *path, Err *err) {
    int fd = -1;
    FileId id;
    Status status = open_regular(path, &fd, &id, err);
    return status == STATUS_OK ? wrap(out, path, fd, id, err) : status;
}

static const char *temporary_folder(void) {
    const char *folder = getenv("TMPDIR");
    return folder == NULL || folder[0] == '\0' ? "/var/tmp" : folder;
}

/* "PATH: cannot WHAT a temporary file in FOLDER: why" */
static Status temporary_fail(const char *path, const char *what, Err *err) {
    char text[200], folder[128];
    snprintf(text, sizeof text, "cannot %s a temporary file in %s", what,
             text_escape(folder, sizeof folder, temporary_folder()));
    return path_errno(path, text, err);
}

Status file_temporary(File **out, const char *path, Err *err) {
    int fd = open(temporary_folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    struct stat info;
    if (fd < 0)
        return temporary_fail(path, "make", err);
    if (fstat(fd, &info) != 0) {
        Status status = temporary_fail(path, "look at", err);
        close(fd);
        return status;
    }
    return wrap(out, path, fd, id_of(&info), err);
}

Status file_append(File *file, const void *src, uint64_t n, Err *err) {
    const char *bytes = src;
    struct stat info;
    for (uint64_t done = 0; done < n;) {
        size_t want = n - done < READ_MOST ? (size_t)(n - done) : READ_MOST;
        ssize_t put =
            pwrite(file->fd, bytes + done, want, (off_t)(file->id.size + done));
        if (put < 0 && errno != EINTR)
            return temporary_fail(file->path, "write to", err);
        done += put < 0 ? 0 : (uint64_t)put;
    }
    if (fstat(file->fd, &info) != 0)
        return temporary_fail(file->path, "look at", err);
    file->id = id_of(&info);
    return STATUS_OK;
}

File *file_keep(File *file) {
    atomic_fetch_add(&file->refs, 1);
    return file;
}

void file_release(File *file) {
    if (file == NULL || atomic_fetch_sub(&file->refs, 1) > 1)
        return;
    file_close(file);
    pthread_rwlock_destroy(&file->lock);
    mem_free(file->path);
    mem_free(file);
}

void file_close(File *file) {
    pthread_rwlock_wrlock(&file->lock);
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    pthread_rwlock_unlock(&file->lock);
}

const char *file_path(const File *file) {
    return file->path;
}

const FileId *file_id(const File *file) {
    return &file->id;
}

static Status closed(Err *err) {
    return err_set(err, STATUS_CLOSED, "tensor is closed");
}

/* One pread, tried again when a signal came between. */
static ssize_t read_some(int fd, uint64_t offset, void *dst, uint64_t n) {
    size_t want = n < READ_MOST ? (size_t)n : READ_MOST;
    ssize_t got;
    do
        got = pread(fd, dst, want, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got;
}

/* file_read with the lock held and the range within off_t. */
static Status read_all(File *file, uint64_t offset, void *dst, uint64_t n,
                       Err *err) {
    uint64_t done = 0;
    while (done < n) {
        ssize_t got = read_some(file->fd, offset + done,
                                (unsigned char *)dst + done, n - done);
        if (got < 0) {
            char text[128];
            return path_fail(file->path, err,
                             "cannot read %llu bytes at byte %llu: %s",
                             (unsigned long long)(n - done),
                             (unsigned long long)(offset + done),
                             strerror_r(errno, text, sizeof text));
        }
        if (got == 0)
            return path_fail(file->path, err,
                             "%llu bytes wanted at byte %llu, the file ends "
                             "after %llu of them",
                             (unsigned long long)n, (unsigned long long)offset,
                             (unsigned long long)done);
        done += (uint64_t)got;
        atomic_fetch_add_explicit(&bytes_read, (uint64_t)got,
                                  memory_order_relaxed);
    }
    return STATUS_OK;
}

Status file_read(File *file, uint64_t offset, void *dst, uint64_t n, Err *err) {
    uint64_t end;
    if (__builtin_add_overflow(offset, n, &end) || end > INT64_MAX)
        return path_fail(file->path, err,
                         "%llu bytes wanted at byte %llu, no file is so long",
                         (unsigned long long)n, (unsigned long long)offset);
    pthread_rwlock_rdlock(&file->lock);
    Status status =
        file->fd < 0 ? closed(err) : read_all(file, offset, dst, n, err);
    pthread_rwlock_unlock(&file->lock);
    return status;
}

void file_advise(File *file, uint64_t offset, uint64_t n) {
    if (offset > INT64_MAX || n > INT64_MAX)
        return;
    uint64_t size = file->id.size, end = size;
    if (offset < size && n < size - offset && n > 0)
        end = offset + n;
    pthread_rwlock_rdlock(&file->lock);
    for (uint64_t at = offset; file->fd >= 0 && at < end; at += ADVISE_MOST) {
        uint64_t piece = end - at < ADVISE_MOST ? end - at : ADVISE_MOST;
        if (posix_fadvise(file->fd, (off_t)at, (off_t)piece,
                          POSIX_FADV_WILLNEED) != 0)
            break;
        atomic_fetch_add_explicit(&bytes_advised, piece, memory_order_relaxed);
    }
    pthread_rwlock_unlock(&file->lock);
}

FileCounts file_counts(void) {
    return (FileCounts){atomic_load(&bytes_read), atomic_load(&bytes_advised)};
}

/* file_unchanged with the lock held. */
static Status compare_id(const File *file, Err *err) {
    struct stat info;
    if (fstat(file->fd, &info) != 0)
        return path_errno(file->path, "cannot stat", err);
    FileId now = id_of(&info);
    if (now.size != file->id.size)
        return path_fail(
            file->path, err, "changed while it was open: %llu bytes, now %llu",
            (unsigned long long)file->id.size, (unsigned long long)now.size);
    if (now.mtime_ns != file->id.mtime_ns || now.inode != file->id.inode ||
        now.device != file->id.device)
        return path_fail(file->path, err,
                         "changed while it was open: written to again");
    return STATUS_OK;
}

Status file_unchanged(File *file, Err *err) {
    pthread_rwlock_rdlock(&file->lock);
    Status status = file->fd < 0 ? closed(err) : compare_id(file, err);
    pthread_rwlock_unlock(&file->lock);
    return status;
}

bool file_in_place(const File *file) {
    struct stat info;
    if (stat(file->path, &info) != 0)
        return false;
    FileId now = id_of(&info);
    return now.size == file->id.size && now.mtime_ns == file->id.mtime_ns &&
           now.inode == file->id.inode && now.device == file->id.device;
}
