/* Progress bars: their text, and what reaches a terminal. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "progress.h"

static void line_is(const char *expected, const char *label, double done,
                    double total, double seconds, int columns) {
    char out[PROGRESS_COLUMNS_MAX + 1];
    assert_ptr_equal(
        progress_line(out, sizeof out, label, done, total, seconds, columns),
        out);
    assert_string_equal(out, expected);
    assert_true(strlen(out) <= (size_t)columns);
}

static void test_line(void **state) {
    (void)state;
    line_is("weights  50% [##########----------] 105/210  0:07 gone, 0:07 left",
            "weights", 105, 210, 7.9, 65);
    line_is("weights   0% [--------------------] 0/210  0:00 gone, -:-- left",
            "weights", 0, 210, 0, 63);
    line_is("weights 100% [####################] 210/210  1:15 gone, 0:00 left",
            "weights", 210, 210, 75, 65);
    line_is("w  25% [##########------------------------------] 1/4"
            "  0:20 gone, 1:00 left",
            "w", 1, 4, 20, 200);
    line_is("heads  29% [#####-------------] 29/100  1:02:03 gone,"
            " 2:31:54 left",
            "heads", 29, 100, 3723, 66);
}

static void test_line_gives_way(void **state) {
    (void)state;
    /* times first, then counts, then the bar, then the label's end */
    line_is("weights  50% [########--------] 105/210", "weights", 105, 210, 7,
            39);
    line_is("weights  50% [####----] 105/210", "weights", 105, 210, 7, 31);
    line_is("weights  50% [#######-------]", "weights", 105, 210, 7, 30 - 1);
    line_is("weights  50% [####----]", "weights", 105, 210, 7, 23);
    line_is("weights  50%", "weights", 105, 210, 7, 22);
    line_is("weights  50%", "weights", 105, 210, 7, 12);
    line_is("weight  50%", "weights", 105, 210, 7, 11);
    line_is("w  50%", "weights", 105, 210, 7, 6);
    line_is("  50%", "weights", 105, 210, 7, 5);
    line_is("weig", "weights", 105, 210, 7, 4);
    line_is("", "weights", 105, 210, 7, 0);
}

static void test_line_odd_numbers(void **state) {
    (void)state;
    double nan = strtod("nan", NULL), inf = strtod("inf", NULL);
    line_is("x 100% [########] 9/4  0:01 gone, 0:00 left", "x", 9, 4, 1, 43);
    line_is("x   0% [--------] -1/4  0:01 gone, -:-- left", "x", -1, 4, 1, 44);
    line_is("x   0% [--------] 0/0  -:-- gone, -:-- left", "x", 0, 0, -1, 43);
    line_is("x   0% [---------] nan/4", "x", nan, 4, 1, 24);
    line_is("x   0% [--------] 1/nan", "x", 1, nan, 1, 23);
    line_is("x   0% [--------] 1.0/infE", "x", 1e18, inf, 1, 26);
    line_is("x  50% [####----] 50.0/100.0k", "x", 5e4, 1e5, 1, 29);
    line_is("x  20% [#-------] 0.5/2.3T", "x", 4.6e11, 2.3e12, 1, 26);
    line_is("x   0% [--------] 0/9  0:01 gone, -:-- left", "x", 1e-9, 9, 1, 43);
}

static void test_line_is_plain(void **state) {
    (void)state;
    line_is("a?[2Jb?c?d   0%",
            "a\033[2Jb\xC3\xA9"
            "c\xE2\x86\x92"
            "d",
            0, 1, 0, 15);
}

/* No number is too large for its piece of the line. */
static void test_line_huge(void **state) {
    (void)state;
    char out[PROGRESS_COLUMNS_MAX + 1];
    progress_line(out, sizeof out, "x", 1e307, 1e308, 1e300, 200);
    assert_int_equal(strncmp(out, "x  10% [####----", 16), 0);
    assert_true(strlen(out) <= 200);
}

/* A buffer smaller than the line cuts it. */
static void test_line_small_buffer(void **state) {
    (void)state;
    char out[10];
    progress_line(out, sizeof out, "weights", 1, 2, 0, 80);
    assert_string_equal(out, "weights  ");
}

typedef struct Terminal {
    int master, slave;
} Terminal;

static void terminal_open(Terminal *terminal, unsigned short columns) {
    terminal->master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal->master >= 0);
    assert_int_equal(grantpt(terminal->master), 0);
    assert_int_equal(unlockpt(terminal->master), 0);
    const char *name = ptsname(terminal->master);
    assert_non_null(name);
    terminal->slave = open(name, O_RDWR | O_NOCTTY);
    assert_true(terminal->slave >= 0);
    struct winsize window = {.ws_row = 24, .ws_col = columns};
    assert_int_equal(ioctl(terminal->slave, TIOCSWINSZ, &window), 0);
}

/* What was written since the last call ("\n" arrives as "\r\n"). */
static const char *terminal_read(const Terminal *terminal, char *out,
                                 size_t size) {
    size_t used = 0;
    struct pollfd ready = {.fd = terminal->master, .events = POLLIN};
    while (used + 1 < size && poll(&ready, 1, 50) == 1) {
        ssize_t n = read(terminal->master, out + used, size - 1 - used);
        assert_true(n > 0);
        used += (size_t)n;
    }
    out[used] = '\0';
    return out;
}

static void terminal_close(const Terminal *terminal) {
    close(terminal->slave);
    close(terminal->master);
}

/* The clock as a test wants it: the last draw was long ago, or is yet to
 * come, however busy the machine is. */
static void let_draw(Progress *progress) {
    progress->last_draw = -1.0;
}

static void hold_draw(Progress *progress) {
    progress->last_draw = 1e12;
}

static void test_two_lines(void **state) {
    (void)state;
    Terminal terminal;
    char got[4096];
    terminal_open(&terminal, 32);
    Progress progress;
    progress_init(&progress, terminal.slave, false);
    assert_true(progress.on);
    progress_open(&progress, "layers", 4);
    assert_string_equal(terminal_read(&terminal, got, sizeof got),
                        "\rlayers   0% [-------------] 0/4\033[K");
    /* too soon: nothing is drawn */
    hold_draw(&progress);
    progress_open(&progress, "weights", 10);
    progress_set(&progress, 4);
    assert_string_equal(terminal_read(&terminal, got, sizeof got), "");
    let_draw(&progress);
    progress_set(&progress, 5);
    assert_string_equal(terminal_read(&terminal, got, sizeof got),
                        "\rlayers   0% [-------------] 0/4\033[K\r\n"
                        "\rweights  50% [#####------] 5/10\033[K");
    let_draw(&progress);
    progress_set(&progress, 10);
    assert_string_equal(terminal_read(&terminal, got, sizeof got),
                        "\033[A\rlayers   0% [-------------] 0/4\033[K\r\n"
                        "\rweights 100% [##########] 10/10\033[K");
    let_draw(&progress);
    progress_set_level(&progress, 2, 1);
    progress_set_level(&progress, -1, 1);
    assert_string_equal(terminal_read(&terminal, got, sizeof got), "");
    progress_set_level(&progress, 0, 2);
    assert_string_equal(terminal_read(&terminal, got, sizeof got),
                        "\033[A\rlayers  50% [######-------] 2/4\033[K\r\n"
                        "\rweights 100% [##########] 10/10\033[K");
    progress_close(&progress);
    assert_string_equal(terminal_read(&terminal, got, sizeof got),
                        "\r\033[K\033[A");
    let_draw(&progress);
    progress_set(&progress, 1);
    assert_string_equal(terminal_read(&terminal, got, sizeof got),
                        "\rlayers  25% [###----------] 1/4\033[K");
    progress_close(&progress);
    assert_string_equal(terminal_read(&terminal, got, sizeof got), "\r\033[K");
    progress_close(&progress);
    assert_string_equal(terminal_read(&terminal, got, sizeof got), "");
    terminal_close(&terminal);
}

static void test_clear(void **state) {
    (void)state;
    Terminal terminal;
    char got[8192];
    terminal_open(&terminal, 20);
    Progress progress;
    progress_init(&progress, terminal.slave, false);
    /* deeper than there are lines: counted, not shown */
    for (int i = 0; i < PROGRESS_LEVELS + 2; i++) {
        progress_open(&progress, "abc", 1);
        hold_draw(&progress);
    }
    assert_string_equal(terminal_read(&terminal, got, sizeof got),
                        "\rabc   0% [--------]\033[K");
    let_draw(&progress);
    progress_set(&progress, 1);
    progress_close(&progress);
    progress_close(&progress);
    assert_string_equal(terminal_read(&terminal, got, sizeof got), "");
    progress_set(&progress, 1);
    assert_string_equal(terminal_read(&terminal, got, sizeof got),
                        "\rabc   0% [--------]\033[K\r\n"
                        "\rabc   0% [--------]\033[K\r\n"
                        "\rabc   0% [--------]\033[K\r\n"
                        "\rabc 100% [########]\033[K");
    progress_clear(&progress);
    assert_string_equal(terminal_read(&terminal, got, sizeof got),
                        "\r\033[K\033[A\r\033[K\033[A\r\033[K\033[A\r\033[K");
    assert_int_equal(progress.levels, 0);
    progress_clear(&progress);
    assert_string_equal(terminal_read(&terminal, got, sizeof got), "");
    terminal_close(&terminal);
}

static void test_ten_draws_a_second(void **state) {
    (void)state;
    Terminal terminal;
    char got[16384];
    terminal_open(&terminal, 40);
    Progress progress;
    progress_init(&progress, terminal.slave, false);
    progress_open(&progress, "jobs", 1000);
    for (int i = 0; i < 350; i++) {
        progress_set(&progress, i);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    int draws = 0;
    terminal_read(&terminal, got, sizeof got);
    for (const char *s = got; (s = strstr(s, "\033[K")) != NULL; s++)
        draws++;
    assert_true(draws >= 3);
    assert_true(
        draws <=
        1 + (int)((progress.last_draw - progress.bar[0].started + 0.01) * 10));
    terminal_close(&terminal);
}

static void test_silent(void **state) {
    (void)state;
    Terminal terminal;
    char got[256];
    int ends[2];
    Progress progress;
    terminal_open(&terminal, 40);
    progress_init(&progress, terminal.slave, true);
    progress_open(&progress, "quiet", 3);
    progress_clear(&progress);
    setenv("TERM", "dumb", 1);
    progress_init(&progress, terminal.slave, false);
    assert_false(progress.on);
    setenv("TERM", "xterm", 1);
    assert_string_equal(terminal_read(&terminal, got, sizeof got), "");
    terminal_close(&terminal);
    assert_int_equal(pipe(ends), 0);
    progress_init(&progress, ends[1], false);
    assert_false(progress.on);
    progress_open(&progress, "pipe", 3);
    progress_set(&progress, 2);
    progress_close(&progress);
    close(ends[1]);
    assert_int_equal(read(ends[0], got, sizeof got), 0);
    close(ends[0]);
}

static void test_columns(void **state) {
    (void)state;
    Terminal terminal;
    terminal_open(&terminal, 133);
    assert_int_equal(progress_columns(terminal.slave), 133);
    terminal_close(&terminal);
    terminal_open(&terminal, 0);
    setenv("COLUMNS", "77", 1);
    assert_int_equal(progress_columns(terminal.slave), 77);
    setenv("COLUMNS", "-3", 1);
    assert_int_equal(progress_columns(terminal.slave), 80);
    unsetenv("COLUMNS");
    assert_int_equal(progress_columns(terminal.slave), 80);
    terminal_close(&terminal);
}

/* The widest terminal and the longest label fit every buffer. */
static void test_wide(void **state) {
    (void)state;
    Terminal terminal;
    char got[8192], label[200];
    memset(label, 'x', sizeof label);
    label[sizeof label - 1] = '\0';
    terminal_open(&terminal, 9999);
    Progress progress;
    progress_init(&progress, terminal.slave, false);
    for (int i = 0; i < PROGRESS_LEVELS; i++)
        progress_open(&progress, label, 1e300);
    let_draw(&progress);
    terminal_read(&terminal, got, sizeof got);
    progress_set(&progress, 1e300);
    assert_true(strlen(terminal_read(&terminal, got, sizeof got)) > 800);
    terminal_close(&terminal);
}

int main(void) {
    setenv("TERM", "xterm", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_line_gives_way),
        cmocka_unit_test(test_line_odd_numbers),
        cmocka_unit_test(test_line_is_plain),
        cmocka_unit_test(test_line_huge),
        cmocka_unit_test(test_line_small_buffer),
        cmocka_unit_test(test_two_lines),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_ten_draws_a_second),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
