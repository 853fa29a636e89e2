/* Progress bars: pure text, and the few codes that redraw it in place. */
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR_MIN = 8, BAR_MAX = 40, PIECE = 64 };

static const double DRAW_INTERVAL = 0.1;

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

/* Labels are foreign text: one `?` for a control or a non-ASCII character. */
static void plain_label(char *out, size_t size, const char *label) {
    size_t used = 0;
    for (const char *s = label; *s != '\0' && used + 1 < size; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c & 0xC0) != 0x80) /* not the rest of a UTF-8 sequence */
            out[used++] = c >= 0x20 && c < 0x7F ? *s : '?';
    }
    out[used] = '\0';
}

/* "88/210"; large totals (flops) in one unit: "0.4/2.3T". */
static void counts_text(char *out, size_t size, double done, double total) {
    static const char UNITS[] = "kMGTPE";
    if (!(total >= 1e5)) {
        snprintf(out, size, " %.0f/%.0f", done, total);
        return;
    }
    size_t unit = 0;
    double scale = 1e3;
    while (total / scale >= 1e3 && UNITS[unit + 1] != '\0') {
        scale *= 1e3;
        unit++;
    }
    snprintf(out, size, " %.1f/%.1f%c", done / scale, total / scale,
             UNITS[unit]);
}

/* "0:07", "12:34", "1:02:03"; "-:--" for what is not known. */
static void time_text(char *out, size_t size, double seconds) {
    if (!(seconds >= 0 && seconds < 360000)) {
        snprintf(out, size, "-:--");
        return;
    }
    int s = (int)seconds;
    if (s < 3600)
        snprintf(out, size, "%d:%02d", s / 60, s % 60);
    else
        snprintf(out, size, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
}

static void times_text(char *out, size_t size, double seconds,
                       double fraction) {
    char gone[16], left[16];
    time_text(gone, sizeof gone, seconds);
    time_text(left, sizeof left,
              fraction > 0 ? seconds / fraction - seconds : NAN);
    snprintf(out, size, "  %s gone, %s left", gone, left);
}

/* " [####----]" over `width` columns, brackets and blank among them. */
static void bar_text(char *out, int width, double fraction) {
    int cells = width - 3, full = (int)(fraction * cells + 1e-9);
    out[0] = ' ';
    out[1] = '[';
    memset(out + 2, '#', (size_t)full);
    memset(out + 2 + full, '-', (size_t)(cells - full));
    out[2 + cells] = ']';
    out[3 + cells] = '\0';
}

char *progress_line(char *out, size_t size, const char *label, double done,
                    double total, double seconds, int columns) {
    char name[PIECE], percent[PIECE], counts[PIECE], times[PIECE];
    char bar[BAR_MAX + 4] = "";
    double fraction = total > 0 && done > 0 ? fmin(done / total, 1.0) : 0.0;
    plain_label(name, sizeof name, label);
    /* 29 of 100 is a little less than 0.29 */
    int hundredths = (int)(fraction * 100 + 1e-9);
    snprintf(percent, sizeof percent, " %3d%%", hundredths);
    counts_text(counts, sizeof counts, done, total);
    times_text(times, sizeof times, seconds, fraction);
    char *const optional[] = {times, counts};
    int head = (int)(strlen(name) + strlen(percent));
    int room = columns - head - (int)(strlen(counts) + strlen(times));
    for (size_t i = 0; i < 2 && room < BAR_MIN + 3; i++) {
        room += (int)strlen(optional[i]);
        optional[i][0] = '\0';
    }
    if (room >= BAR_MIN + 3)
        bar_text(bar, room < BAR_MAX + 3 ? room : BAR_MAX + 3, fraction);
    else if (head > columns && columns >= (int)strlen(percent))
        name[columns - (int)strlen(percent)] = '\0'; /* the number stays */
    snprintf(out, size, "%s%s%s%s%s", name, percent, bar, counts, times);
    if (columns >= 0 && (size_t)columns < size)
        out[columns] = '\0';
    return out;
}

int progress_columns(int fd) {
    struct winsize window;
    if (ioctl(fd, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        return window.ws_col;
    const char *text = getenv("COLUMNS");
    long columns = text == NULL ? 0 : strtol(text, NULL, 10);
    return columns >= 1 && columns <= 10000 ? (int)columns : 80;
}

void progress_init(Progress *progress, int fd, bool quiet) {
    const char *terminal = getenv("TERM");
    bool dumb = terminal != NULL && strcmp(terminal, "dumb") == 0;
    memset(progress, 0, sizeof *progress);
    progress->fd = fd;
    progress->on = !quiet && !dumb && isatty(fd);
    progress->last_draw = -1.0;
}

/* Text for one write: a bar in pieces would flicker. */
typedef struct Screen {
    char text[PROGRESS_LEVELS * (PROGRESS_COLUMNS_MAX + 16) + 64];
    size_t used;
} Screen;

static void screen_add(Screen *screen, const char *text) {
    size_t n = strlen(text), left = sizeof screen->text - screen->used;
    n = n < left ? n : left;
    memcpy(screen->text + screen->used, text, n);
    screen->used += n;
}

/* A bar that cannot be shown is no error: what write says is not asked. */
static void screen_show(const Screen *screen, int fd) {
    size_t sent = 0;
    while (sent < screen->used) {
        ssize_t n = write(fd, screen->text + sent, screen->used - sent);
        if (n <= 0)
            return;
        sent += (size_t)n;
    }
}

/* Takes lines off the screen from below until `keep` are left; the cursor is
 * then at the end of the last of them, or where the first one began. */
static void erase_lines(Progress *progress, Screen *screen, int keep) {
    while (progress->drawn > keep) {
        screen_add(screen, "\r\033[K");
        if (--progress->drawn > 0)
            screen_add(screen, "\033[A");
    }
}

static void draw(Progress *progress) {
    int lines =
        progress->levels < PROGRESS_LEVELS ? progress->levels : PROGRESS_LEVELS;
    double time = now();
    if (!progress->on || time - progress->last_draw < DRAW_INTERVAL)
        return;
    /* the last column stays free: a terminal wraps, or erases it with \033[K,
     * once it is written to */
    int columns = progress_columns(progress->fd) - 1;
    if (columns > PROGRESS_COLUMNS_MAX)
        columns = PROGRESS_COLUMNS_MAX;
    Screen screen = {.used = 0};
    for (int i = 1; i < progress->drawn; i++)
        screen_add(&screen, "\033[A");
    for (int i = 0; i < lines; i++) {
        char line[PROGRESS_COLUMNS_MAX + 1];
        progress_line(line, sizeof line, progress->bar[i].label,
                      progress->bar[i].done, progress->bar[i].total,
                      time - progress->bar[i].started, columns);
        screen_add(&screen, i == 0 ? "\r" : "\n\r");
        screen_add(&screen, line);
        screen_add(&screen, "\033[K");
    }
    progress->drawn = lines;
    progress->last_draw = time;
    screen_show(&screen, progress->fd);
}

void progress_open(Progress *progress, const char *label, double total) {
    int level = progress->levels++;
    if (level >= PROGRESS_LEVELS)
        return;
    snprintf(progress->bar[level].label, sizeof progress->bar[level].label,
             "%s", label);
    progress->bar[level].done = 0;
    progress->bar[level].total = total;
    progress->bar[level].started = now();
    draw(progress);
}

void progress_set_level(Progress *progress, int level, double done) {
    if (level < 0 || level >= progress->levels || level >= PROGRESS_LEVELS)
        return;
    progress->bar[level].done = done;
    draw(progress);
}

void progress_set(Progress *progress, double done) {
    progress_set_level(progress, progress->levels - 1, done);
}

void progress_close(Progress *progress) {
    if (progress->levels == 0)
        return;
    Screen screen = {.used = 0};
    progress->levels -= 1;
    erase_lines(progress, &screen, progress->levels);
    screen_show(&screen, progress->fd);
}

void progress_clear(Progress *progress) {
    Screen screen = {.used = 0};
    progress->levels = 0;
    erase_lines(progress, &screen, 0);
    screen_show(&screen, progress->fd);
}
