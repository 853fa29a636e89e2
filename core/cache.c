/* Keys and records of the spectra that are kept. */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cache_record.h"
#include "estimate.h"
#include "estimate_kernel.h"
#include "hash.h"
#include "linalg.h"
#include "recipe.h"
#include "reduce.h"
#include "system.h"
#include "version.h"

enum { SHOWN = 700 };

/* What is asked for: the first word of a question. */
enum { KERNEL, SPECTRUM, ESTIMATE };

/* The names' two halves and the checksum. */
static const uint64_t NAME_KEYS[2][2] = {{0x73706563747261U, 1},
                                         {0x73706563747261U, 2}};
static const uint64_t SUM_KEY[2] = {0x73706563747261U, 3};

/* ---- keys ---- */

/* A source or recipe with other fields has more to tell apart. */
_Static_assert(sizeof(void *) != 8 || sizeof(Source) == 104,
               "put the source's new fields into its words");
_Static_assert(sizeof(void *) != 8 || sizeof(Recipe) == 264,
               "put the recipe's new fields into its words");

typedef struct Builder {
    uint64_t *words;
    size_t count, room;
    const File *file; /* the first one */
    bool able;        /* so far every tensor can be told for good */
    Status status;
    Err *err;
} Builder;

static void put(Builder *to, uint64_t word) {
    if (to->status != STATUS_OK)
        return;
    if (to->count == to->room) {
        size_t room = to->room == 0 ? 64 : 2 * to->room;
        uint64_t *words =
            mem_resize(to->words, to->count, room, sizeof *words, to->err);
        if (words == NULL) {
            to->status = STATUS_NOMEM;
            return;
        }
        to->words = words;
        to->room = room;
    }
    to->words[to->count++] = word;
}

static void put_all(Builder *to, const uint64_t *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        put(to, words[i]);
}

static void put_text(Builder *to, const char *text) {
    size_t n = strlen(text);
    put(to, n);
    for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        size_t left = n - at;
        memcpy(&word, text + at, left < sizeof word ? left : sizeof word);
        put(to, word);
    }
}

static void put_double(Builder *to, double x) {
    uint64_t word;
    memcpy(&word, &x, sizeof word);
    put(to, word);
}

/* Two changes within one tick of the file system's clock have the same time:
 * ticks are of some milliseconds, or where times are whole seconds two. */
static bool changed_lately(int64_t mtime_ns) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - mtime_ns;
    int64_t tick = mtime_ns % 1000000000 == 0 ? 2000000000 : 50000000;
    return age < tick && age > -tick;
}

static void put_file(Builder *to, const File *file) {
    const FileId *id = file_id(file);
    if (to->file == NULL)
        to->file = file;
    to->able = to->able && file_in_place(file) && !changed_lately(id->mtime_ns);
    /* not the device: its number changes with a mount, and between hosts */
    put_all(to, (const uint64_t[]){id->size, (uint64_t)id->mtime_ns, id->inode},
            3);
}

static void put_source(Builder *to, const Source *source, bool transposed);

static void put_recipe(Builder *to, const Recipe *recipe) {
    const Source *const parts[] = {recipe->scale, recipe->zero, recipe->group};
    put_text(to, recipe->name);
    put_all(to,
            (const uint64_t[]){recipe->codes, (uint64_t)recipe->bits,
                               (uint64_t)recipe->zero_add, recipe->rows_each,
                               recipe->scale_rows, recipe->block_rows,
                               recipe->block_cols, recipe->flat},
            8);
    put_double(to, recipe->divisor);
    for (int i = 0; i < RECIPE_LANES; i++)
        put(to, recipe->shift[i]);
    for (int i = 0; i < RECIPE_TABLE; i++)
        put_double(to, recipe->table[i]);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        put(to, parts[i] != NULL);
        if (parts[i] != NULL)
            put_source(to, parts[i], parts[i]->transposed);
    }
}

static void put_source(Builder *to, const Source *source, bool transposed) {
    put_file(to, source->file);
    put_text(to, dtype_row(source->dtype)->name);
    put_all(to,
            (const uint64_t[]){
                source->offset, source->stored_rows, source->stored_cols,
                source->rows, source->first_col, source->cols, source->col_step,
                transposed, source->recipe != NULL, source->run_count},
            10);
    for (size_t i = 0; i < source->run_count; i++) {
        const RowRun *run = &source->runs[i];
        put_all(to, (const uint64_t[]){run->first, run->len, run->step, run->n},
                4);
    }
    if (source->recipe != NULL)
        put_recipe(to, source->recipe);
}

/* A tensor of a file as its source tells it. */
static void put_tensor(Builder *to, const Tensor *tensor, bool turned) {
    if (tensor->source == NULL)
        to->able = false;
    else
        put_source(to, tensor->source, turned && tensor->source->transposed);
}

static void put_factor(Builder *to, const Factor *factor) {
    put(to, factor->count);
    for (size_t i = 0; i < factor->count && to->able; i++) {
        const FactorBlock *block = &factor->block[i];
        put(to, block->product);
        put_tensor(to, &block->matrix, true);
        if (block->product)
            put_tensor(to, &block->by, true);
    }
}

void cache_method(char out[CACHE_METHOD_SIZE]) {
    const char *vectors = reduce_has(REDUCE_AVX512) ? "AVX-512"
                          : reduce_has(REDUCE_AVX2) ? "AVX2"
                                                    : "no AVX2";
    snprintf(out, CACHE_METHOD_SIZE,
             "weft " WEFT_VERSION ", method %d, %s, LAPACK %s, %s",
             CACHE_METHOD, linalg_blas_version(), linalg_lapack_version(),
             vectors);
}

static void put_method(Builder *to) {
    char method[CACHE_METHOD_SIZE];
    cache_method(method);
    put_text(to, method);
}

/* Fused sums have other bytes; and a square matrix has others than its
 * transpose, where else the long side is down in either. */
static void put_estimate(Builder *to, const CacheQuestion *question) {
    const Tensor *matrix = question->matrix;
    put_all(to,
            (const uint64_t[]){ESTIMATE, ESTIMATE_METHOD, question->seed,
                               kernel_level()},
            4);
    put_tensor(to, matrix, matrix->shape[0] == matrix->shape[1]);
}

static void put_question(Builder *to, const CacheQuestion *question) {
    const SpectrumWish *wish = &question->wish;
    bool direct = wish->method == SPECTRUM_DIRECT;
    if (question->estimate) {
        put_estimate(to, question);
        return;
    }
    put(to, question->matrix != NULL ? SPECTRUM : KERNEL);
    if (question->matrix != NULL) {
        /* taken directly all values are good to show */
        put_all(to,
                (const uint64_t[]){direct, wish->single && !direct,
                                   wish->shown && !direct},
                3);
        put_tensor(to, question->matrix, false);
        return;
    }
    put(to, question->kernel);
    put(to, question->dense);
    put_factor(to, question->left);
    put_factor(to, question->right);
}

Status cache_key(CacheKey *out, const CacheQuestion *question, Err *err) {
    Builder to = {.able = true, .err = err};
    put_method(&to);
    put_question(&to, question);
    CacheKey made = {to.words, to.count, to.file, ""};
    if (to.status != STATUS_OK || !to.able) {
        mem_free(to.words);
        made = (CacheKey){NULL, 0, NULL, ""};
    } else {
        size_t n = to.count * sizeof *to.words;
        char digits[33];
        snprintf(digits, sizeof digits, "%016" PRIx64 "%016" PRIx64,
                 hash_bytes(NAME_KEYS[0], to.words, n),
                 hash_bytes(NAME_KEYS[1], to.words, n));
        snprintf(made.name, sizeof made.name, "%.2s/%s", digits, digits + 2);
    }
    if (to.status == STATUS_OK)
        *out = made;
    return to.status;
}

void cache_key_release(CacheKey *key) {
    mem_free(key->words);
    *key = (CacheKey){NULL, 0, NULL, ""};
}

/* ---- records ---- */

/* FOLDER/NAME. Creates. */
static char *record_path(const char *folder, const char *name, Err *err) {
    size_t n = strlen(folder), more = strlen(name) + 2;
    char *path = mem_array(n + more, 1, err);
    if (path != NULL)
        snprintf(path, n + more, "%s/%s", folder, name);
    return path;
}

static Status fail_record(const char *path, Status status, const char *what,
                          Err *err) {
    char shown[SHOWN];
    return err_set(err, status, "%s: %s",
                   text_escape(shown, sizeof shown, path), what);
}

static size_t padded(size_t n) {
    return (n + 7) / 8 * 8;
}

static size_t record_size(const RecordHead *head) {
    size_t words = head->key_words + 1; /* the checksum */
    for (int i = 0; i < CACHE_ARRAYS; i++)
        words += head->count[i];
    return sizeof *head + padded(head->path_bytes) + words * sizeof(uint64_t);
}

/* The head that a record of this key must have, but for what only its writer
 * knows. */
static RecordHead head_of(const CacheKey *key, const CacheAnswer *answer) {
    RecordHead head = {.magic = CACHE_MAGIC,
                       .format = CACHE_FORMAT,
                       .key_words = key->count,
                       .file = *file_id(key->file)};
    for (int i = 0; i < CACHE_ARRAYS; i++)
        head.count[i] = answer->array[i] == NULL ? 0 : answer->count[i];
    return head;
}

bool cache_record_whole(const uint8_t *bytes, size_t n) {
    RecordHead head;
    uint64_t sum;
    if (n < sizeof head + sizeof sum)
        return false;
    memcpy(&sum, bytes + n - sizeof sum, sizeof sum);
    if (hash_bytes(SUM_KEY, bytes, n - sizeof sum) != sum)
        return false;
    memcpy(&head, bytes, sizeof head);
    bool fits = head.magic == CACHE_MAGIC &&
                head.path_bytes <= CACHE_PATH_MOST &&
                head.key_words <= n / sizeof(uint64_t);
    for (int i = 0; i < CACHE_ARRAYS; i++)
        fits = fits && head.count[i] <= n / sizeof(double);
    return fits && record_size(&head) == n;
}

/* Whether a whole record answers this key; its numbers go to the answer. */
static bool take_record(const uint8_t *bytes, const CacheKey *key,
                        CacheAnswer *answer) {
    RecordHead head, wanted = head_of(key, answer);
    memcpy(&head, bytes, sizeof head);
    const uint8_t *at = bytes + sizeof head;
    size_t key_bytes = key->count * sizeof *key->words;
    if (head.format != wanted.format || head.key_words != wanted.key_words ||
        memcmp(head.count, wanted.count, sizeof head.count) != 0 ||
        memcmp(at, key->words, key_bytes) != 0)
        return false;
    at += key_bytes + padded(head.path_bytes);
    for (int i = 0; i < CACHE_ARRAYS; i++) {
        size_t n = head.count[i] * sizeof(double);
        if (n > 0)
            memcpy(answer->array[i], at, n);
        at += n;
    }
    memcpy(answer->fact, head.fact, sizeof head.fact);
    answer->flags = head.flags;
    return true;
}

bool cache_read_all(int fd, uint8_t *to, size_t n) {
    while (n > 0) {
        ssize_t got = read(fd, to, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO;
        if (got <= 0)
            return false;
        to += got;
        n -= (size_t)got;
    }
    return true;
}

static Status read_record(int fd, const char *path, const CacheKey *key,
                          CacheAnswer *answer, bool *hit, Err *err) {
    RecordHead wanted = head_of(key, answer);
    size_t least = record_size(&wanted);
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail_record(path, STATUS_IO, strerror(errno), err);
    size_t n = (size_t)info.st_size;
    if (!S_ISREG(info.st_mode) || n < least || n > least + CACHE_PATH_MOST)
        return fail_record(path, STATUS_FORMAT, "a damaged record", err);
    uint8_t *bytes = mem_array(n, 1, err);
    if (bytes == NULL)
        return STATUS_NOMEM;
    Status status = STATUS_OK;
    if (!cache_read_all(fd, bytes, n))
        status = fail_record(path, STATUS_IO, strerror(errno), err);
    else if (!cache_record_whole(bytes, n))
        status = fail_record(path, STATUS_FORMAT, "a damaged record", err);
    else
        *hit = take_record(bytes, key, answer);
    mem_free(bytes);
    return status;
}

Status cache_find(const char *folder, const CacheKey *key, CacheAnswer *answer,
                  bool *hit, Err *err) {
    *hit = false;
    char *path = record_path(folder, key->name, err);
    if (path == NULL)
        return STATUS_NOMEM;
    Status status = STATUS_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        status = read_record(fd, path, key, answer, hit, err);
        /* its place among those used lately; a folder that can't be written
         * is no failure */
        if (*hit)
            (void)futimens(fd, NULL);
        close(fd);
    } else if (errno != ENOENT && errno != ENOTDIR) {
        status = fail_record(path, STATUS_IO, strerror(errno), err);
    }
    mem_free(path);
    return status;
}

/* The record's bytes. Creates. */
static uint8_t *make_record(const CacheKey *key, const CacheAnswer *answer,
                            size_t *size, Err *err) {
    char real[PATH_MAX];
    const char *path = realpath(file_path(key->file), real);
    RecordHead head = head_of(key, answer);
    head.flags = answer->flags;
    head.path_bytes = path == NULL ? 0 : strlen(path);
    memcpy(head.fact, answer->fact, sizeof head.fact);
    *size = record_size(&head);
    uint8_t *bytes = mem_zeroed(*size, 1, err), *at = bytes;
    if (bytes == NULL)
        return NULL;
    memcpy(at, &head, sizeof head);
    at += sizeof head;
    memcpy(at, key->words, key->count * sizeof *key->words);
    at += key->count * sizeof *key->words;
    if (path != NULL)
        memcpy(at, path, head.path_bytes);
    at += padded(head.path_bytes);
    for (int i = 0; i < CACHE_ARRAYS; i++) {
        size_t n = head.count[i] * sizeof(double);
        if (n > 0)
            memcpy(at, answer->array[i], n);
        at += n;
    }
    uint64_t sum = hash_bytes(SUM_KEY, bytes, (size_t)(at - bytes));
    memcpy(at, &sum, sizeof sum);
    return bytes;
}

Status cache_keep(const char *folder, const CacheKey *key,
                  const CacheAnswer *answer, Err *err) {
    size_t n;
    char *path = record_path(folder, key->name, err);
    uint8_t *bytes = path == NULL ? NULL : make_record(key, answer, &n, err);
    Status status = bytes == NULL ? STATUS_NOMEM
                                  : system_write_unsynced(path, bytes, n, err);
    if (status == STATUS_IO) {
        /* most often the first record of its folder */
        char *slash = strrchr(path, '/');
        *slash = '\0';
        status = system_mkdir(path, err);
        *slash = '/';
        if (status == STATUS_OK)
            status = system_write_unsynced(path, bytes, n, err);
    }
    mem_free(bytes);
    mem_free(path);
    return status;
}
