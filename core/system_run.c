/* Programs without a shell: their input a file in memory, so that neither a
 * full pipe nor a reader that ended early can stop us; their output a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cancel.h"
#include "system.h"

enum { SHOWN = 300, POLL_MS = 50 };

static Status fail_run(const Program *program, const char *what, int why,
                       Err *err) {
    char shown[SHOWN];
    return err_set(err, STATUS_IO, "%s: %s: %s",
                   text_escape(shown, sizeof shown, program->argv[0]), what,
                   strerror(why));
}

/* A descriptor that the program will read its input from, or -1. */
static int open_input(const Program *program) {
    if (program->input == NULL)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("input", MFD_CLOEXEC);
    size_t sent = 0;
    while (fd >= 0 && sent < program->input_size) {
        ssize_t n =
            write(fd, program->input + sent, program->input_size - sent);
        if (n < 0 && errno != EINTR) {
            int why = errno;
            close(fd);
            errno = why;
            return -1;
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

/* What is done between fork and exec; an errno value. */
static int spawn(const Program *program, int in, int out, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipes;
    sigemptyset(&none);
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    int why = posix_spawn_file_actions_init(&actions);
    if (why != 0)
        return why;
    why = posix_spawnattr_init(&attributes);
    if (why == 0) {
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &pipes);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF);
        why = posix_spawn_file_actions_adddup2(&actions, in, 0);
        if (why == 0)
            why = posix_spawn_file_actions_adddup2(&actions, out, 1);
        if (why == 0)
            why = posix_spawn_file_actions_adddup2(&actions, out, 2);
        if (why == 0 && program->cwd != NULL)
            why = posix_spawn_file_actions_addchdir_np(&actions, program->cwd);
        if (why == 0)
            why = posix_spawnp(pid, program->argv[0], &actions, &attributes,
                               program->argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return why;
}

/* Reads to the end, keeping the first `size` bytes. False: interrupted. */
static bool drain(int fd, char *output, size_t size, size_t *used) {
    char rest[4096];
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (cancel_requested())
            return false;
        if (poll(&wait, 1, POLL_MS) <= 0)
            continue;
        bool room = *used < size;
        ssize_t n = read(fd, room ? output + *used : rest,
                         room ? size - *used : sizeof rest);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return true;
        *used += room ? (size_t)n : 0;
    }
}

static int wait_for(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The program runs; reads what it prints and waits for it. */
static Status follow(pid_t pid, int fd, char *output, size_t size, size_t *used,
                     int *exit_status, Err *err) {
    size_t n = 0;
    bool done = drain(fd, output, size, &n);
    close(fd);
    if (!done)
        kill(pid, SIGTERM);
    int ended = wait_for(pid);
    if (!done)
        return err_set(err, STATUS_CANCELLED, "interrupted");
    *used = n;
    *exit_status = ended;
    return STATUS_OK;
}

Status system_run(const Program *program, char *output, size_t size,
                  size_t *used, int *exit_status, Err *err) {
    int ends[2];
    pid_t pid = 0;
    int in = open_input(program);
    if (in < 0)
        return fail_run(program, "no input for it", errno, err);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        int why = errno;
        close(in);
        return fail_run(program, "no pipe for it", why, err);
    }
    int why = spawn(program, in, ends[1], &pid);
    close(in);
    close(ends[1]);
    if (why != 0) {
        close(ends[0]);
        return fail_run(program, "cannot run it", why, err);
    }
    return follow(pid, ends[0], output, size, used, exit_status, err);
}
