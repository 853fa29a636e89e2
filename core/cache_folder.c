/* All records of the cache: their list, and how they are kept from growing
 * without end. Nothing is touched but files that are named as records are. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cache_record.h"

enum { FOLDERS = 256, TAIL = 30, SHOWN = 700, RECORD_MOST = 1 << 28 };

/* Every SAMPLE-th folder is looked at first; of so many records there its
 * bytes are within a few percent of a SAMPLE-th of all. */
enum { SAMPLE = 16, SAMPLED = 500 };

/* Temporaries of this age have nobody any more who would rename them. */
static const time_t ABANDONED = 3600;

typedef enum FoundKind { FOUND_RECORD, FOUND_TEMPORARY } FoundKind;

typedef struct Found {
    FoundKind kind;
    int folder;       /* the descriptor of the one that it lies in */
    unsigned number;  /* of that folder */
    const char *name; /* in it */
    struct stat info;
} Found;

typedef Status Visit(void *data, const Found *found, Err *err);

static bool is_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Whether the name is a record's in its folder, or one of its temporaries. */
static bool name_kind(const char *name, FoundKind *kind) {
    for (int i = 0; i < TAIL; i++)
        if (!is_digit(name[i]))
            return false;
    *kind = name[TAIL] == '\0' ? FOUND_RECORD : FOUND_TEMPORARY;
    return name[TAIL] == '\0' || strncmp(name + TAIL, ".tmp-", 5) == 0;
}

static Status fail_folder(const char *path, const char *what, Err *err) {
    int why = errno;
    char shown[SHOWN];
    return err_set(err, STATUS_IO, "%s: %s: %s",
                   text_escape(shown, sizeof shown, path), what, strerror(why));
}

/* Visits what lies in one of the folders; takes the descriptor. */
static Status visit_folder(const char *path, int fd, unsigned number,
                           Visit *visit, void *data, Err *err) {
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        Status failed = fail_folder(path, "cannot list a folder in it", err);
        close(fd);
        return failed;
    }
    Status status = STATUS_OK;
    struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(dir)) != NULL) {
        Found found = {.folder = fd, .number = number, .name = entry->d_name};
        /* what is gone by now was another process's to remove */
        if (name_kind(entry->d_name, &found.kind) &&
            fstatat(fd, entry->d_name, &found.info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(found.info.st_mode))
            status = visit(data, &found, err);
    }
    closedir(dir);
    return status;
}

/* Visits the records and temporaries of every step-th folder from `first`. */
static Status visit_some(const char *path, unsigned first, unsigned step,
                         Visit *visit, void *data, Err *err) {
    int whole = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (whole < 0 && errno == ENOENT)
        return STATUS_OK;
    if (whole < 0)
        return fail_folder(path, "cannot open the folder", err);
    Status status = STATUS_OK;
    for (unsigned i = first; i < FOLDERS && status == STATUS_OK; i += step) {
        char name[8];
        snprintf(name, sizeof name, "%02x", i);
        int fd = openat(whole, name,
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0)
            status = visit_folder(path, fd, i, visit, data, err);
        else if (errno != ENOENT)
            status = fail_folder(path, "cannot open a folder in it", err);
    }
    close(whole);
    return status;
}

static Status visit_all(const char *path, Visit *visit, void *data, Err *err) {
    return visit_some(path, 0, 1, visit, data, err);
}

/* Removes the file; one that somebody else removed is removed. */
static Status remove_found(const char *path, int folder, const char *name,
                           Err *err) {
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return STATUS_OK;
    return fail_folder(path, "cannot remove a record", err);
}

static void tally_add(CacheTally *tally, const Found *found) {
    tally->records++;
    tally->bytes += (uint64_t)found->info.st_size;
}

/* ---- removing by age ---- */

typedef struct Clear {
    const char *path;
    time_t now;
    double seconds;
    CacheTally removed;
} Clear;

/* Visit */
static Status clear_visit(void *data, const Found *found, Err *err) {
    Clear *clear = data;
    double age = difftime(clear->now, found->info.st_mtim.tv_sec);
    bool old = found->kind == FOUND_RECORD
                   ? clear->seconds <= 0 || age >= clear->seconds
                   : age >= (double)ABANDONED;
    if (!old)
        return STATUS_OK;
    if (found->kind == FOUND_RECORD)
        tally_add(&clear->removed, found);
    return remove_found(clear->path, found->folder, found->name, err);
}

Status cache_clear(const char *folder, double seconds, CacheTally *removed,
                   Err *err) {
    Clear clear = {.path = folder, .now = time(NULL), .seconds = seconds};
    Status status = visit_all(folder, clear_visit, &clear, err);
    if (status == STATUS_OK)
        *removed = clear.removed;
    return status;
}

/* ---- removing down to a size ---- */

typedef struct Aged {
    int64_t used; /* nanoseconds */
    uint64_t bytes;
    uint8_t folder;
    char name[TAIL + 1];
} Aged;

typedef struct Trim {
    const char *path;
    time_t now;
    CacheTally all;
    Aged *aged; /* NULL in the first pass, which only counts */
    size_t count, room;
} Trim;

/* Visit: temporaries that nobody will rename go at once. */
static Status trim_visit(void *data, const Found *found, Err *err) {
    Trim *trim = data;
    if (found->kind == FOUND_TEMPORARY)
        return trim->now - found->info.st_mtim.tv_sec < ABANDONED
                   ? STATUS_OK
                   : remove_found(trim->path, found->folder, found->name, err);
    if (trim->aged == NULL) {
        tally_add(&trim->all, found);
    } else if (trim->count < trim->room) {
        Aged *aged = &trim->aged[trim->count++];
        const struct timespec *used = &found->info.st_mtim;
        aged->used = (int64_t)used->tv_sec * 1000000000 + used->tv_nsec;
        aged->bytes = (uint64_t)found->info.st_size;
        aged->folder = (uint8_t)found->number;
        memcpy(aged->name, found->name, sizeof aged->name);
    }
    return STATUS_OK;
}

typedef struct Age {
    int64_t used;
    uint64_t bytes;
} Age;

static int compare_ages(const void *a, const void *b) {
    int64_t x = ((const Age *)a)->used, y = ((const Age *)b)->used;
    return x < y ? -1 : x > y;
}

/* The time of the last record that must go for `goal` bytes to be left. Uses
 * `ages` (trim->count). */
static int64_t find_limit(const Trim *trim, Age *ages, uint64_t goal) {
    uint64_t left = trim->all.bytes;
    int64_t limit = INT64_MIN;
    for (size_t i = 0; i < trim->count; i++)
        ages[i] = (Age){trim->aged[i].used, trim->aged[i].bytes};
    qsort(ages, trim->count, sizeof *ages, compare_ages);
    for (size_t i = 0; i < trim->count && left > goal; i++) {
        limit = ages[i].used;
        left -= ages[i].bytes < left ? ages[i].bytes : left;
    }
    return limit;
}

/* Removes what was used last up to the limit until `goal` bytes are left. In
 * the folders' order: in that of the times the disk takes ten times as long. */
static Status trim_until(Trim *trim, int64_t limit, uint64_t goal, Err *err) {
    Status status = STATUS_OK;
    int whole = open(trim->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (whole < 0)
        return fail_folder(trim->path, "cannot open the folder", err);
    for (size_t i = 0;
         i < trim->count && trim->all.bytes > goal && status == STATUS_OK;
         i++) {
        const Aged *aged = &trim->aged[i];
        char name[CACHE_NAME];
        if (aged->used > limit)
            continue;
        snprintf(name, sizeof name, "%02x/%s", aged->folder, aged->name);
        status = remove_found(trim->path, whole, name, err);
        trim->all.records--;
        trim->all.bytes -= aged->bytes;
    }
    close(whole);
    return status;
}

/* trim->all counts the records; removes until `goal` bytes are left. */
static Status trim_to(Trim *trim, uint64_t goal, Err *err) {
    trim->room = (size_t)trim->all.records;
    trim->aged = mem_array(trim->room, sizeof *trim->aged, err);
    Age *ages =
        trim->aged == NULL ? NULL : mem_array(trim->room, sizeof *ages, err);
    Status status = ages == NULL ? STATUS_NOMEM
                                 : visit_all(trim->path, trim_visit, trim, err);
    if (status == STATUS_OK)
        status = trim_until(trim, find_limit(trim, ages, goal), goal, err);
    mem_free(ages);
    mem_free(trim->aged);
    return status;
}

Status cache_trim(const char *folder, uint64_t most, CacheTally *left,
                  Err *err) {
    Trim trim = {.path = folder, .now = time(NULL)};
    Status status = visit_all(folder, trim_visit, &trim, err);
    if (status == STATUS_OK && trim.all.bytes > most)
        status = trim_to(&trim, most / 10 * 9, err);
    if (status == STATUS_OK)
        *left = trim.all;
    return status;
}

Status cache_trim_full(const char *folder, uint64_t most, Err *err) {
    Trim trim = {.path = folder, .now = time(NULL)};
    CacheTally left;
    /* names are hashes, so that a part tells of the whole; another part each
     * time, whose abandoned temporaries go */
    Status status = visit_some(folder, (unsigned)getpid() % SAMPLE, SAMPLE,
                               trim_visit, &trim, err);
    if (status != STATUS_OK)
        return status;
    bool far =
        trim.all.records >= SAMPLED && trim.all.bytes < most / SAMPLE / 4 * 3;
    return far ? STATUS_OK : cache_trim(folder, most, &left, err);
}

/* ---- listing ---- */

typedef struct List {
    const char *path;
    CacheEach *each;
    void *data;
    bool done;
} List;

/* The bytes of a whole record into *out, or NULL where it is damaged; closes
 * the descriptor. Creates. */
static Status load(int fd, size_t n, uint8_t **out, Err *err) {
    uint8_t *bytes = n > RECORD_MOST ? NULL : mem_array(n, 1, err);
    bool whole = bytes != NULL && cache_read_all(fd, bytes, n) &&
                 cache_record_whole(bytes, n);
    close(fd);
    *out = whole ? bytes : NULL;
    if (!whole)
        mem_free(bytes);
    return bytes == NULL && n <= RECORD_MOST ? STATUS_NOMEM : STATUS_OK;
}

/* Visit */
static Status list_visit(void *data, const Found *found, Err *err) {
    List *list = data;
    if (list->done || found->kind != FOUND_RECORD)
        return STATUS_OK;
    CacheRecord record = {.bytes = (uint64_t)found->info.st_size,
                          .used = found->info.st_mtim.tv_sec};
    char path[CACHE_PATH_MOST + 1];
    int fd = openat(found->folder, found->name,
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return STATUS_OK; /* another process removed it */
    if (fd < 0)
        return fail_folder(list->path, "cannot open a record in it", err);
    uint8_t *bytes;
    Status status = load(fd, (size_t)found->info.st_size, &bytes, err);
    if (status != STATUS_OK)
        return status;
    snprintf(record.name, sizeof record.name, "%02x/%s", found->number,
             found->name);
    if (bytes != NULL) {
        RecordHead head;
        memcpy(&head, bytes, sizeof head);
        memcpy(path, bytes + sizeof head + head.key_words * sizeof(uint64_t),
               head.path_bytes);
        path[head.path_bytes] = '\0';
        record.path = path;
        record.file = head.file;
    }
    list->done = !list->each(list->data, &record);
    mem_free(bytes);
    return STATUS_OK;
}

Status cache_list(const char *folder, CacheEach *each, void *data, Err *err) {
    List list = {folder, each, data, false};
    return visit_all(folder, list_visit, &list, err);
}
