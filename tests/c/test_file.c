/* Files: what is refused at once, short reads, signals, changes, closing. */
#include "bytes.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "file.h"

/* Take the place of the C library's, which do as they are told: `cut` is the
 * most bytes a read gives, or 0; `moved` makes a file another one. */
static struct {
    int interrupts, error;
    size_t cut;
    bool no_lock, no_stat;
    struct {
        bool inode, device;
    } moved;
} fault;

int fstat(int fd, struct stat *info) {
    int result = fstatat(fd, "", info, AT_EMPTY_PATH);
    info->st_ino += fault.moved.inode;
    info->st_dev += fault.moved.device;
    errno = fault.no_stat ? ESTALE : errno;
    return fault.no_stat ? -1 : result;
}

int pthread_rwlock_init(pthread_rwlock_t *lock,
                        const pthread_rwlockattr_t *attributes) {
    void *found = dlsym(RTLD_NEXT, "pthread_rwlock_init");
    int (*init)(pthread_rwlock_t *, const pthread_rwlockattr_t *);
    memcpy(&init, &found, sizeof init);
    return fault.no_lock ? EAGAIN : init(lock, attributes);
}

ssize_t pread(int fd, void *dst, size_t n, off_t offset) {
    if (fault.interrupts > 0) {
        fault.interrupts--;
        errno = EINTR;
        return -1;
    }
    if (fault.error != 0) {
        errno = fault.error;
        return -1;
    }
    if (fault.cut != 0 && n > fault.cut)
        n = fault.cut;
    return syscall(SYS_pread64, fd, dst, n, offset);
}

static File *open_text(const char *name, const char *text) {
    File *file = NULL;
    assert_int_equal(file_open(&file, write_text(name, text), NULL), STATUS_OK);
    return file;
}

/* Both sides as "STATUS PATH: MESSAGE". */
static void expect_err(Status status, const Err *err, Status expected,
                       const char *path, const char *message) {
    char text[1200];
    snprintf(text, sizeof text, "%s: %s", path, message);
    assert_string_equal(err->message, text);
    assert_int_equal(status, expected);
}

static void refuse(const char *path, const char *message) {
    File *file = NULL;
    Err err;
    Status status = file_open(&file, path, &err);
    expect_err(status, &err, STATUS_IO, path, message);
    assert_null(file);
}

static void test_refused(void **state) {
    (void)state;
    refuse(in_folder("absent"), "cannot open: No such file or directory");
    refuse("", "cannot open: No such file or directory");
    refuse(folder(), "a folder, expected a regular file");
    refuse("/dev/zero", "a device, expected a regular file");
    const char *pipe = in_folder("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    refuse(pipe, "a pipe, expected a regular file");
    if (geteuid() != 0) {
        const char *path = write_text("private", "x");
        assert_int_equal(chmod(path, 0), 0);
        refuse(path, "cannot open: Permission denied");
    }
}

static void test_path_is_escaped(void **state) {
    (void)state;
    File *file = NULL;
    Err err;
    Status status = file_open(&file, "/no\033]0;x\a/\xFF", &err);
    expect_err(status, &err, STATUS_IO, "/no\\x1B]0;x\\x07/\\xFF",
               "cannot open: No such file or directory");
}

static void test_reads(void **state) {
    (void)state;
    File *file = open_text("reads", "0123456789");
    char text[11] = "";
    assert_int_equal(file_id(file)->size, 10);
    assert_int_equal(file_read(file, 2, text, 3, NULL), STATUS_OK);
    assert_string_equal(text, "234");
    assert_int_equal(file_read(file, 10, text, 0, NULL), STATUS_OK);
    fault.interrupts = 3;
    fault.cut = 4;
    assert_int_equal(file_read(file, 0, text, 10, NULL), STATUS_OK);
    fault.cut = 0;
    assert_string_equal(text, "0123456789");
    file_advise(file, 0, 10);
    file_advise(file, UINT64_MAX, 10);
    file_release(file);
}

static void test_no_file(void **state) {
    (void)state;
    const char *path = write_text("whole", "0123456789");
    fault.no_lock = true;
    refuse(path, "cannot make a lock");
    fault.no_lock = false;
    fault.no_stat = true;
    refuse(path, "cannot stat: Stale file handle");
    fault.no_stat = false;
}

static void test_bad_reads(void **state) {
    (void)state;
    File *file = open_text("bad-reads", "0123456789");
    char text[16];
    Err err;
    Status status = file_read(file, 8, text, 8, &err);
    expect_err(status, &err, STATUS_IO, file_path(file),
               "8 bytes wanted at byte 8, the file ends after 2 of them");
    status = file_read(file, INT64_MAX - 7, text, 8, &err);
    expect_err(
        status, &err, STATUS_IO, file_path(file),
        "8 bytes wanted at byte 9223372036854775800, no file is so long");
    status = file_read(file, UINT64_MAX - 1, text, 8, &err);
    expect_err(
        status, &err, STATUS_IO, file_path(file),
        "8 bytes wanted at byte 18446744073709551614, no file is so long");
    fault.error = EIO;
    status = file_read(file, 1, text, 4, &err);
    fault.error = 0;
    expect_err(status, &err, STATUS_IO, file_path(file),
               "cannot read 4 bytes at byte 1: Input/output error");
    file_release(file);
}

static void test_cut_short(void **state) {
    (void)state;
    File *file = open_text("cut", "0123456789");
    char text[10];
    Err err;
    assert_int_equal(truncate(file_path(file), 4), 0);
    Status status = file_read(file, 0, text, 10, &err);
    expect_err(status, &err, STATUS_IO, file_path(file),
               "10 bytes wanted at byte 0, the file ends after 4 of them");
    status = file_unchanged(file, &err);
    expect_err(status, &err, STATUS_IO, file_path(file),
               "changed while it was open: 10 bytes, now 4");
    file_release(file);
}

static void test_overwritten(void **state) {
    (void)state;
    File *file = open_text("over", "0123456789");
    Err err;
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(file_unchanged(file, &err), STATUS_OK);
    fault.no_stat = true;
    Status status = file_unchanged(file, &err);
    fault.no_stat = false;
    expect_err(status, &err, STATUS_IO, file_path(file),
               "cannot stat: Stale file handle");
    fault.moved.inode = true;
    assert_int_equal(file_unchanged(file, NULL), STATUS_IO);
    fault.moved.inode = false;
    fault.moved.device = true;
    assert_int_equal(file_unchanged(file, NULL), STATUS_IO);
    fault.moved.device = false;
    assert_int_equal(utimensat(AT_FDCWD, file_path(file), times, 0), 0);
    status = file_unchanged(file, &err);
    expect_err(status, &err, STATUS_IO, file_path(file),
               "changed while it was open: written to again");
    file_release(file);
}

/* A new file moved over the path leaves the open one as it was. */
static void test_replaced(void **state) {
    (void)state;
    File *file = open_text("replaced", "old");
    char text[4] = "";
    const char *other = write_text("other", "new");
    assert_int_equal(rename(other, file_path(file)), 0);
    assert_int_equal(file_unchanged(file, NULL), STATUS_OK);
    assert_int_equal(file_read(file, 0, text, 3, NULL), STATUS_OK);
    assert_string_equal(text, "old");
    file_release(file);
}

static void test_closed(void **state) {
    (void)state;
    File *file = open_text("closed", "0123456789");
    char byte;
    Err err;
    File *kept = file_keep(file);
    file_close(file);
    file_close(file);
    file_release(file);
    assert_int_equal(file_read(kept, 0, &byte, 1, &err), STATUS_CLOSED);
    assert_string_equal(err.message, "tensor is closed");
    assert_int_equal(file_unchanged(kept, &err), STATUS_CLOSED);
    assert_string_equal(err.message, "tensor is closed");
    file_advise(kept, 0, 1);
    file_release(kept);
    file_release(NULL);
}

static void *read_until_closed(void *data) {
    Status status;
    uint64_t value = 0;
    do {
        status = file_read(data, 0, &value, sizeof value, NULL);
        if (status == STATUS_OK && memcmp(&value, "01234567", 8) != 0)
            return data;
    } while (status == STATUS_OK);
    return status == STATUS_CLOSED ? NULL : data;
}

/* Readers on other threads either get the bytes or hear that it is closed:
 * never those of a descriptor that was reused meanwhile. */
static void test_close_while_reading(void **state) {
    (void)state;
    File *file = open_text("threads", "0123456789");
    const char *other = write_text("reused", "xxxxxxxxxx");
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, read_until_closed, file);
    usleep(2000);
    file_close(file);
    int reused = open(other, O_RDONLY);
    for (int i = 0; i < 2; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    close(reused);
    file_release(file);
}

static void test_allocations_fail(void **state) {
    (void)state;
    const char *path = write_text("alloc", "x");
    for (long n = 1;; n++) {
        File *file = NULL;
        fail_alloc_at(n);
        Status status = file_open(&file, path, NULL);
        fail_alloc_at(0);
        if (status == STATUS_OK) {
            file_release(file);
            assert_int_equal(n, 3);
            return;
        }
        assert_int_equal(status, STATUS_NOMEM);
    }
}

/* A temporary file is read like any other, has no name, and says what went
 * wrong by the path that it stands for. */
static void test_temporary(void **state) {
    (void)state;
    File *file = NULL;
    Err err;
    char text[8] = "";
    assert_int_equal(file_temporary(&file, "x.npz", NULL), STATUS_OK);
    assert_string_equal(file_path(file), "x.npz");
    assert_int_equal(file_id(file)->size, 0);
    assert_int_equal(file_append(file, "abc", 3, NULL), STATUS_OK);
    assert_int_equal(file_append(file, "", 0, NULL), STATUS_OK);
    assert_int_equal(file_append(file, "de", 2, NULL), STATUS_OK);
    assert_int_equal(file_id(file)->size, 5);
    assert_int_equal(file_read(file, 1, text, 4, NULL), STATUS_OK);
    assert_string_equal(text, "bcde");
    assert_int_equal(file_unchanged(file, NULL), STATUS_OK);
    assert_int_equal(file_read(file, 1, text, 5, &err), STATUS_IO);
    assert_string_equal(err.message,
                        "x.npz: 5 bytes wanted at byte 1, the file ends after "
                        "4 of them");
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){6, old.rlim_max};
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    Status status = file_append(file, "fgh", 3, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, STATUS_IO);
    assert_string_equal(err.message,
                        "x.npz: cannot write to a temporary file in /var/tmp: "
                        "File too large");
    file_release(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_path_is_escaped),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_bad_reads),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_overwritten),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_closed),
        cmocka_unit_test(test_close_while_reading),
        cmocka_unit_test(test_allocations_fail),
        cmocka_unit_test(test_temporary),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
