/* The history's file: read, appended to, written anew. */
#include "past.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "places.h"

enum { LONGEST_ENTRY = 1 << 16, LARGEST_FILE = 1 << 26 };

struct Past {
    char path[PATH_MAX]; /* empty: no file */
    char **entries;
    size_t count, room;
};

/* ---- entries ---- */

static void drop_entries(Past *past) {
    for (size_t i = 0; i < past->count; i++)
        free(past->entries[i]);
    past->count = 0;
}

/* Takes over the text, which is freed where there is no room for it. */
static bool push_entry(Past *past, char *text) {
    if (text != NULL && past->count == past->room) {
        size_t room = past->room == 0 ? 64 : 2 * past->room;
        char **entries = realloc(past->entries, room * sizeof *entries);
        if (entries == NULL) {
            free(text);
            return false;
        }
        past->entries = entries;
        past->room = room;
    }
    if (text != NULL)
        past->entries[past->count++] = text;
    return text != NULL;
}

static void remove_entry(Past *past, size_t i) {
    free(past->entries[i]);
    past->count--;
    memmove(past->entries + i, past->entries + i + 1,
            (past->count - i) * sizeof *past->entries);
}

typedef struct Place {
    const char *text;
    size_t at;
} Place;

/* By text; of equal ones the newest first. */
static int compare_places(const void *a, const void *b) {
    const Place *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : x->at < y->at ? 1 : -1;
}

/* Keeps the newest of equal entries, and as many as the bound says. False
 * where nothing went. */
static bool tidy(Past *past) {
    size_t count = past->count, kept = 0;
    Place *places = malloc((count + 1) * sizeof *places);
    if (places == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        places[i] = (Place){past->entries[i], i};
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = count; i-- > 1;)
        if (strcmp(places[i].text, places[i - 1].text) == 0) {
            free(past->entries[places[i].at]);
            past->entries[places[i].at] = NULL;
        }
    free(places);
    for (size_t i = 0; i < count; i++)
        if (past->entries[i] != NULL)
            past->entries[kept++] = past->entries[i];
    past->count = kept;
    if (kept > PAST_ENTRIES) {
        size_t over = kept - PAST_ENTRIES;
        for (size_t i = 0; i < over; i++)
            free(past->entries[i]);
        past->count = PAST_ENTRIES;
        memmove(past->entries, past->entries + over,
                PAST_ENTRIES * sizeof *past->entries);
    }
    return past->count != count;
}

/* ---- a line of the file ---- */

/* An entry as a line with its newline. Creates (free); NULL: no memory. */
static char *encode(const char *text) {
    char *line = malloc(2 * strlen(text) + 2), *to = line;
    if (line == NULL)
        return NULL;
    for (; *text != '\0'; text++) {
        if (*text == '\n' || *text == '\\')
            *to++ = '\\';
        *to++ = *text == '\n' ? 'n' : *text;
    }
    *to++ = '\n';
    *to = '\0';
    return line;
}

/* The entry of a line's `length` bytes. Creates (free); NULL: no memory. */
static char *decode(const char *line, size_t length) {
    char *text = malloc(length + 1), *to = text;
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        bool escape = line[i] == '\\' && i + 1 < length;
        if (escape)
            i++;
        if (line[i] != '\0')
            *to++ = escape && line[i] == 'n' ? '\n' : line[i];
    }
    *to = '\0';
    return text;
}

/* ---- the file ---- */

static bool is_current(int fd, const char *path) {
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 &&
           S_ISREG(ours.st_mode) && ours.st_size <= LARGEST_FILE &&
           ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* Opens and locks the file, which is made where it is missing; -1 where that
 * can't be done. Another prompt may have put a new file in its place while we
 * waited for the lock: then once more. */
static int open_locked(const char *path) {
    for (int attempt = 0; attempt < 8 && *path != '\0'; attempt++) {
        int fd = open(path,
                      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK |
                          O_NOCTTY,
                      0600);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX) == 0 && is_current(fd, path))
            return fd;
        close(fd);
    }
    return -1;
}

static bool write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        }
    }
    return true;
}

static bool write_entry(int fd, const char *text) {
    char *line = encode(text);
    bool done = line != NULL && write_all(fd, line, strlen(line));
    free(line);
    return done;
}

/* Adds what stands in the file to the entries. */
static bool read_entries(Past *past, int fd) {
    FILE *file = fdopen(dup(fd), "r");
    char *line = NULL;
    size_t room = 0;
    bool done = file != NULL;
    for (ssize_t n; done && (n = getline(&line, &room, file)) > 0;) {
        if (line[n - 1] == '\n')
            n--;
        if (n > 0 && n <= LONGEST_ENTRY)
            done = push_entry(past, decode(line, (size_t)n));
    }
    free(line);
    if (file != NULL)
        fclose(file);
    return done;
}

/* Puts a new file with all entries in the place of the old one, which is
 * locked: what an interrupted prompt left half written is written over. */
static void write_entries(const Past *past) {
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.new", past->path);
    int fd = open(path,
                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW |
                      O_NONBLOCK | O_NOCTTY,
                  0600);
    if (fd < 0)
        return;
    bool done = true;
    for (size_t i = 0; i < past->count && done; i++)
        done = write_entry(fd, past->entries[i]);
    done = done && fsync(fd) == 0;
    done = close(fd) == 0 && done;
    if (!done || rename(path, past->path) != 0)
        unlink(path);
}

/* Reads the file, and writes it anew where it has duplicates or too much. */
static void settle(Past *past) {
    int fd = open_locked(past->path);
    if (fd < 0) {
        past->path[0] = '\0';
        return;
    }
    (void)!fchmod(fd, 0600);
    drop_entries(past);
    if (read_entries(past, fd) && tidy(past))
        write_entries(past);
    close(fd);
}

/* ---- the interface ---- */

Past *past_open(void) {
    Past *past = calloc(1, sizeof *past);
    if (past == NULL)
        return NULL;
    if (!places_state(past->path, "history"))
        past->path[0] = '\0';
    settle(past);
    return past;
}

void past_close(Past *past) {
    if (past->path[0] != '\0')
        settle(past);
    drop_entries(past);
    free(past->entries);
    free(past);
}

bool past_add(Past *past, const char *text) {
    size_t length = strlen(text);
    if (text[strspn(text, " \t\n")] == '\0' || length > LONGEST_ENTRY / 2)
        return false;
    if (past->count > 0 && strcmp(past->entries[past->count - 1], text) == 0)
        return false;
    for (size_t i = past->count; i-- > 0;)
        if (strcmp(past->entries[i], text) == 0)
            remove_entry(past, i);
    if (past->count == PAST_ENTRIES)
        remove_entry(past, 0);
    if (!push_entry(past, strdup(text)))
        return false;
    int fd = open_locked(past->path);
    if (fd >= 0) {
        (void)write_entry(fd, text);
        close(fd);
    }
    return true;
}

size_t past_count(const Past *past) {
    return past->count;
}

const char *past_entry(const Past *past, size_t i) {
    return past->entries[i];
}
