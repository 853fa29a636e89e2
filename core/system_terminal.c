/* The terminal asked what it can do: its answer comes as if it were typed. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "system.h"

enum { CTRL_C = 3, ESCAPE = 27 };

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

/* Whether there is something to read within so many seconds. */
static bool readable(double seconds) {
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&wait, 1, seconds > 0 ? (int)(seconds * 1e3) + 1 : 0) == 1 &&
           (wait.revents & POLLIN) != 0;
}

/* Whether a whole control sequence, ESC [ … letter, ends here. */
static bool sequence_ends(const char *answer, size_t used) {
    size_t start = 0;
    while (start + 1 < used &&
           (answer[start] != ESCAPE || answer[start + 1] != '['))
        start++;
    return start + 2 < used && answer[used - 1] >= 0x40 &&
           answer[used - 1] <= 0x7E;
}

/* Reads a byte at a time, so that what is typed after the answer stays. False:
 * Ctrl-C. */
static bool read_answer(double seconds, char *answer, size_t size,
                        size_t *used) {
    double until = now() + seconds;
    char byte = 0;
    while (*used < size && readable(until - now()) &&
           read(STDIN_FILENO, &byte, 1) == 1) {
        if (byte == CTRL_C)
            return false;
        answer[(*used)++] = byte;
        if (sequence_ends(answer, *used))
            return true;
    }
    return true;
}

/* A terminal of our own: one in the background would stop us. */
static bool ours(void) {
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
           tcgetpgrp(STDIN_FILENO) == getpgrp();
}

bool system_query(const char *text, double seconds, char *answer, size_t size,
                  size_t *used) {
    struct termios before, raw;
    sigset_t all, masked;
    size_t length = strlen(text), n = 0;
    if (!ours() || tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    raw = before;
    /* no signal from the keyboard may end us before the terminal is back */
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &masked);
    bool asked = false, go_on = true;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0) {
        /* what was typed ahead is somebody's next command */
        asked = !readable(0) &&
                write(STDOUT_FILENO, text, length) == (ssize_t)length;
        if (asked)
            go_on = read_answer(seconds, answer, size, &n);
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    }
    pthread_sigmask(SIG_SETMASK, &masked, NULL);
    if (!go_on)
        raise(SIGINT);
    if (asked)
        *used = n;
    return asked;
}

bool system_window(int fd, Window *window) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0)
        return false;
    *window =
        (Window){size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel};
    return true;
}
