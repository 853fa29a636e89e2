/* Runs a program on a pseudo-terminal and talks to it by a script:
 *
 *   pty [--timeout SECONDS] [--size ROWSxCOLS] SCRIPT -- PROGRAM [ARGUMENTS]
 *
 * SCRIPT is a file, or - for standard input. Its lines:
 *
 *   expect TEXT   waits until TEXT comes, after what was expected before
 *   send TEXT     types TEXT and Enter
 *   type TEXT     types TEXT
 *   key NAME      ctrl-c (any letter), tab, enter, escape, up, down, left,
 *                 right, home, end, backspace, delete
 *   wait SECONDS  reads meanwhile
 *   eof           waits for the program's end
 *   status N      the program has ended with this exit status
 *
 * In TEXT \e, \r, \n, \t, \\ and \xNN stand for bytes. Lines that are empty
 * or begin with # are skipped. What the terminal got goes to standard output.
 * Exit status 0: all came as expected; 1: something did not, and standard
 * error says which line; 2: wrong usage. */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FAILED = 1, USAGE = 2 };

typedef struct Session {
    int fd;
    pid_t child;
    double patience; /* seconds an expect or eof waits */
    char *screen;    /* all that came, NUL bytes left out */
    size_t length, seen;
    bool ended;
    int line; /* of the script */
} Session;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void print_screen(const Session *session) {
    fwrite(session->screen, 1, session->length, stdout);
    fflush(stdout);
}

/* Kills the program, shows the screen, tells what went wrong. */
__attribute__((format(printf, 2, 3), noreturn)) static void
give_up(const Session *session, const char *format, ...) {
    va_list args;
    kill(session->child, SIGKILL);
    print_screen(session);
    fprintf(stderr, "pty: line %d: ", session->line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n--- screen ---\n%.*s\n--- end ---\n",
            (int)session->length, session->screen);
    exit(FAILED);
}

/* Takes what comes within `seconds`; false once the program has ended. */
static bool take_output(Session *session, double seconds) {
    char block[4096];
    struct pollfd wait = {.fd = session->fd, .events = POLLIN};
    int ready = poll(&wait, 1, seconds > 0 ? (int)(seconds * 1000) + 1 : 0);
    if (ready <= 0 || session->ended)
        return !session->ended;
    ssize_t count = read(session->fd, block, sizeof block);
    if (count <= 0) { /* EIO: the other side is closed */
        session->ended = true;
        return false;
    }
    session->screen =
        realloc(session->screen, session->length + (size_t)count + 1);
    if (session->screen == NULL)
        exit(FAILED);
    for (ssize_t i = 0; i < count; i++)
        if (block[i] != '\0')
            session->screen[session->length++] = block[i];
    session->screen[session->length] = '\0';
    return true;
}

/* TEXT with its escapes replaced, in place. Returns the length. */
static size_t unescape(char *text) {
    static const char NAMES[] = "ernt\\", BYTES[] = "\033\r\n\t\\";
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        const char *name =
            from[0] == '\\' && from[1] != '\0' ? strchr(NAMES, from[1]) : NULL;
        unsigned code;
        if (name != NULL) {
            *to++ = BYTES[name - NAMES];
            from++;
        } else if (sscanf(from, "\\x%2x", &code) == 1) {
            *to++ = (char)code;
            from += 3;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}

static void expect(Session *session, char *text) {
    double until = now() + session->patience;
    size_t length = unescape(text);
    for (;;) {
        const char *found = strstr(session->screen + session->seen, text);
        if (found != NULL) {
            session->seen = (size_t)(found - session->screen) + length;
            return;
        }
        double left = until - now();
        if (left <= 0)
            give_up(session, "'%s' did not come", text);
        if (!take_output(session, left))
            give_up(session, "the program ended before '%s' came", text);
    }
}

static void wait_seconds(Session *session, double seconds) {
    double until = now() + seconds;
    while (now() < until && take_output(session, until - now()))
        ;
}

/* After a moment, as people do: a line editor shows its prompt a little before
 * it reads. */
static void type(Session *session, const char *bytes, size_t count) {
    wait_seconds(session, 0.05);
    while (count > 0) {
        ssize_t written = write(session->fd, bytes, count);
        if (written < 0 && errno != EINTR)
            give_up(session, "typing: %s", strerror(errno));
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        }
    }
}

static void press(Session *session, const char *name) {
    static const struct {
        const char *name, *bytes;
    } KEYS[] = {
        {"tab", "\t"},         {"enter", "\r"},       {"escape", "\033"},
        {"up", "\033[A"},      {"down", "\033[B"},    {"right", "\033[C"},
        {"left", "\033[D"},    {"home", "\033[H"},    {"end", "\033[F"},
        {"backspace", "\177"}, {"delete", "\033[3~"},
    };
    if (strncmp(name, "ctrl-", 5) == 0 && name[5] != '\0') {
        char byte = (char)(name[5] & 0x1F);
        type(session, &byte, 1);
        return;
    }
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (strcmp(KEYS[i].name, name) == 0) {
            type(session, KEYS[i].bytes, strlen(KEYS[i].bytes));
            return;
        }
    give_up(session, "no key is named '%s'", name);
}

static void wait_end(Session *session) {
    double until = now() + session->patience;
    while (take_output(session, until - now()))
        if (now() >= until)
            give_up(session, "the program did not end");
}

static void check_status(Session *session, int expected) {
    int status = 0;
    wait_end(session);
    waitpid(session->child, &status, 0);
    if (WIFSIGNALED(status))
        give_up(session, "ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != expected)
        give_up(session, "exit status %d, expected %d", WEXITSTATUS(status),
                expected);
}

/* One line of the script, without its newline. */
static void obey(Session *session, char *line) {
    if (*line == '\0' || *line == '#')
        return;
    char *text = line + strcspn(line, " ");
    if (*text != '\0')
        *text++ = '\0';
    if (strcmp(line, "expect") == 0) {
        expect(session, text);
    } else if (strcmp(line, "send") == 0) {
        type(session, text, unescape(text));
        type(session, "\r", 1);
    } else if (strcmp(line, "type") == 0) {
        type(session, text, unescape(text));
    } else if (strcmp(line, "key") == 0) {
        press(session, text);
    } else if (strcmp(line, "wait") == 0) {
        wait_seconds(session, strtod(text, NULL));
    } else if (strcmp(line, "eof") == 0) {
        wait_end(session);
    } else if (strcmp(line, "status") == 0) {
        check_status(session, (int)strtol(text, NULL, 10));
    } else {
        give_up(session, "no command is named '%s'", line);
    }
}

static int usage(void) {
    fputs("usage: pty [--timeout SECONDS] [--size ROWSxCOLS] SCRIPT -- "
          "PROGRAM [ARGUMENTS]\n",
          stderr);
    return USAGE;
}

/* Options into session and size; the index of SCRIPT, or 0 on wrong usage. */
static int parse(int argc, char **argv, Session *session,
                 struct winsize *size) {
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (strcmp(argv[i], "--timeout") == 0)
            session->patience = strtod(argv[i + 1], NULL);
        else if (strcmp(argv[i], "--size") != 0 ||
                 sscanf(argv[i + 1], "%hux%hu", &size->ws_row, &size->ws_col) !=
                     2)
            return 0;
    }
    bool whole = i + 2 < argc && strcmp(argv[i + 1], "--") == 0;
    return whole ? i : 0;
}

int main(int argc, char **argv) {
    Session session = {.patience = 10, .screen = calloc(1, 1)};
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    int at = parse(argc, argv, &session, &size);
    if (at == 0 || session.screen == NULL)
        return usage();
    FILE *script = strcmp(argv[at], "-") == 0 ? stdin : fopen(argv[at], "re");
    if (script == NULL) {
        perror(argv[at]);
        return USAGE;
    }
    session.child = forkpty(&session.fd, NULL, NULL, &size);
    if (session.child == 0) {
        execvp(argv[at + 2], argv + at + 2);
        perror(argv[at + 2]);
        _exit(127);
    }
    char *line = NULL;
    size_t room = 0;
    for (ssize_t n; (n = getline(&line, &room, script)) >= 0;) {
        session.line++;
        if (n > 0 && line[n - 1] == '\n')
            line[n - 1] = '\0';
        obey(&session, line);
    }
    kill(session.child, SIGKILL);
    print_screen(&session);
    free(line);
    free(session.screen);
    return 0;
}
