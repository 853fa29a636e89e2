/* Nested progress bars on a terminal's standard error: one line a level, the
 * outer above the inner. Silent where the descriptor is no terminal. */
#ifndef WEFT_PROGRESS_H
#define WEFT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

enum { PROGRESS_LEVELS = 4, PROGRESS_COLUMNS_MAX = 512 };

typedef struct Progress {
    int fd;
    bool on;    /* a terminal, and wanted */
    int levels; /* bars open now; those beyond PROGRESS_LEVELS are not shown */
    int drawn;  /* lines on the screen; the cursor is at the end of the last */
    struct {
        char label[64];
        double done, total;
        double started; /* seconds of the monotonic clock */
    } bar[PROGRESS_LEVELS];
    double last_draw;
} Progress;

/* quiet switches it off; else it is on where fd is a terminal that can move
 * its cursor (TERM is not "dumb"). */
void progress_init(Progress *progress, int fd, bool quiet);
/* Opens a bar inside those that are open. `label` is copied. */
void progress_open(Progress *progress, const char *label, double total);
/* The innermost bar has done so much; draws at most ten times a second. */
void progress_set(Progress *progress, double done);
/* The same of any open bar, 0 the outermost; without effect on others. */
void progress_set_level(Progress *progress, int level, double done);
/* Closes the innermost bar and clears its line. */
void progress_close(Progress *progress);
/* Closes all and clears their lines (before an error message or the end). */
void progress_clear(Progress *progress);
/* One bar as text of at most `columns` columns: label, percentage, bar, done
 * of total, time gone and time left; what finds no room is left out from the
 * right, the bar last. Plain ASCII: other characters of the label are shown
 * as `?`. Returns out. */
char *progress_line(char *out, size_t size, const char *label, double done,
                    double total, double seconds, int columns);
/* The terminal's width: the system's word, else COLUMNS, else 80. */
int progress_columns(int fd);

#endif
