/* The cache of spectra: what has a key and which, records that come back or
 * are known to be broken, writers at the same time, full disks, trimming. */
#include "bytes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "cache.h"
#include "cache_record.h"
#include "hash.h"
#include "heads.h"
#include "linalg.h"
#include "recipe.h"
#include "reduce.h"
#include "system.h"
#include "version.h"

enum { ROWS = 6, COLS = 8, VALUES = 5 };

/* A folder of records, new for each test. */
static char cache[128];

static int fresh_cache(void **state) {
    static int number;
    (void)state;
    snprintf(cache, sizeof cache, "%s/cache-%d/weft/spectra", folder(),
             ++number);
    return 0;
}

/* Sets a file's time to so many seconds ago, and a bit. */
static void age_file(const char *path, double seconds) {
    struct timespec now, times[2];
    clock_gettime(CLOCK_REALTIME, &now);
    times[0] = times[1] = (struct timespec){
        .tv_sec = now.tv_sec - (time_t)seconds, .tv_nsec = 123456789};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* A file of numbers, long unchanged, and its tensor (ROWS, COLS) of F32. */
static const char *numbers_file(const char *name, size_t extra) {
    char text[4 * ROWS * COLS + 64] = "";
    for (size_t i = 0; i < (size_t)ROWS * COLS; i++) {
        float value = (float)i;
        memcpy(text + 4 * i, &value, 4);
    }
    const char *path = in_folder(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 4 * ROWS * COLS + extra, 1, f), 1);
    assert_int_equal(fclose(f), 0);
    age_file(path, 100);
    return path;
}

static Tensor open_numbers(const char *path, Dtype dtype, uint64_t offset) {
    File *file = NULL;
    Source *source = NULL;
    Tensor tensor;
    int64_t shape[2] = {ROWS, COLS};
    assert_int_equal(file_open(&file, path, NULL), STATUS_OK);
    assert_int_equal(
        source_create(&source, file, dtype, offset, ROWS, COLS, NULL),
        STATUS_OK);
    assert_int_equal(tensor_from_source(&tensor, source, 2, shape, NULL),
                     STATUS_OK);
    source_release(source);
    file_release(file);
    return tensor;
}

static Tensor numbers(void) {
    return open_numbers(numbers_file("numbers", 0), DTYPE_F32, 0);
}

static CacheKey key_of(const CacheQuestion *question) {
    CacheKey key;
    Err err;
    assert_int_equal(cache_key(&key, question, &err), STATUS_OK);
    return key;
}

static CacheKey matrix_key(const Tensor *tensor) {
    CacheQuestion question = {.matrix = tensor};
    return key_of(&question);
}

/* The answer that tests keep: three arrays of different lengths. */
typedef struct Kept {
    double s[VALUES], re[VALUES - 1];
    CacheAnswer answer;
} Kept;

static void kept_empty(Kept *kept) {
    memset(kept, 0, sizeof *kept);
    kept->answer.array[0] = kept->s;
    kept->answer.count[0] = VALUES;
    kept->answer.array[1] = kept->re;
    kept->answer.count[1] = VALUES - 1;
}

static void kept_fill(Kept *kept, double base) {
    kept_empty(kept);
    for (int i = 0; i < VALUES; i++)
        kept->s[i] = base / (i + 3);
    for (int i = 0; i < VALUES - 1; i++)
        kept->re[i] = -base * i;
    kept->answer.fact[0] = base;
    kept->answer.fact[3] = (double)NAN;
    kept->answer.flags = 5;
}

static bool same_kept(const Kept *a, const Kept *b) {
    return memcmp(a->s, b->s, sizeof a->s) == 0 &&
           memcmp(a->re, b->re, sizeof a->re) == 0 &&
           memcmp(a->answer.fact, b->answer.fact, sizeof a->answer.fact) == 0 &&
           a->answer.flags == b->answer.flags;
}

static void keep(const CacheKey *key, double base) {
    Kept kept;
    Err err;
    kept_fill(&kept, base);
    if (cache_keep(cache, key, &kept.answer, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

/* Whether the record is there; if so it has the numbers of `base`. */
static bool found(const CacheKey *key, double base) {
    Kept kept, expected;
    bool hit;
    Err err;
    kept_empty(&kept);
    kept_fill(&expected, base);
    if (cache_find(cache, key, &kept.answer, &hit, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_true(!hit || same_kept(&kept, &expected));
    return hit;
}

static char *record_file(const CacheKey *key) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", cache, key->name);
    return path;
}

static uint8_t *read_record(const CacheKey *key, size_t *n) {
    static uint8_t bytes[4096];
    FILE *f = fopen(record_file(key), "rb");
    assert_non_null(f);
    *n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return bytes;
}

static void write_record(const CacheKey *key, const uint8_t *bytes, size_t n) {
    FILE *f = fopen(record_file(key), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* ---- keys ---- */

static void expect_other(const CacheKey *key, CacheKey other) {
    assert_non_null(other.words);
    assert_string_not_equal(key->name, other.name);
    cache_key_release(&other);
}

static void expect_none(const CacheQuestion *question) {
    CacheKey key = key_of(question);
    assert_null(key.words);
    cache_key_release(&key);
}

/* Key of a view that `edit` made. */
#define EXPECT_OTHER_VIEW(key, edit)                                           \
    do {                                                                       \
        Tensor view;                                                           \
        assert_int_equal(edit, STATUS_OK);                                     \
        expect_other(&(key), matrix_key(&view));                               \
        tensor_release(&view);                                                 \
    } while (0)

/* It stands in every key, and ranks are compared by it. */
static void test_method_tells_all(void **state) {
    (void)state;
    char method[CACHE_METHOD_SIZE];
    cache_method(method);
    assert_non_null(strstr(method, "weft " WEFT_VERSION ", method "));
    assert_non_null(strstr(method, linalg_blas_version()));
    assert_non_null(strstr(method, linalg_lapack_version()));
    const char *vectors = reduce_has(REDUCE_AVX512) ? ", AVX-512"
                          : reduce_has(REDUCE_AVX2) ? ", AVX2"
                                                    : ", no AVX2";
    assert_string_equal(strrchr(method, ','), vectors);
}

static void test_views_have_keys(void **state) {
    (void)state;
    Tensor tensor = numbers(), turned;
    CacheKey key = matrix_key(&tensor), same;
    assert_non_null(key.words);
    assert_int_equal(strlen(key.name), 33);
    EXPECT_OTHER_VIEW(key, tensor_rows(&view, &tensor, 0, 5, 1, NULL));
    EXPECT_OTHER_VIEW(key, tensor_rows(&view, &tensor, 1, 5, 1, NULL));
    EXPECT_OTHER_VIEW(key, tensor_rows(&view, &tensor, 0, 3, 2, NULL));
    EXPECT_OTHER_VIEW(key, tensor_cols(&view, &tensor, 0, 7, 1, NULL));
    EXPECT_OTHER_VIEW(key, tensor_cols(&view, &tensor, 1, 7, 1, NULL));
    EXPECT_OTHER_VIEW(key, tensor_cols(&view, &tensor, 0, 4, 2, NULL));
    assert_int_equal(tensor_transpose(&turned, &tensor, NULL), STATUS_OK);
    same = matrix_key(&turned);
    assert_string_equal(same.name, key.name);
    cache_key_release(&same);
    tensor_release(&turned);
    /* opened again it is what it was */
    tensor_release(&tensor);
    tensor = open_numbers(in_folder("numbers"), DTYPE_F32, 0);
    same = matrix_key(&tensor);
    assert_string_equal(same.name, key.name);
    assert_int_equal(same.count, key.count);
    assert_memory_equal(same.words, key.words, 8 * key.count);
    cache_key_release(&same);
    cache_key_release(&key);
    tensor_release(&tensor);
}

static void test_files_have_keys(void **state) {
    (void)state;
    Tensor tensor = numbers(), other;
    CacheKey key = matrix_key(&tensor);
    other = open_numbers(numbers_file("other", 0), DTYPE_F32, 0);
    expect_other(&key, matrix_key(&other));
    tensor_release(&other);
    other = open_numbers(in_folder("numbers"), DTYPE_BF16, 0);
    expect_other(&key, matrix_key(&other));
    tensor_release(&other);
    /* the same bytes of a longer file, and others of it */
    tensor_release(&tensor);
    tensor = open_numbers(numbers_file("longer", 8), DTYPE_F32, 0);
    other = open_numbers(in_folder("longer"), DTYPE_F32, 4);
    expect_other(&key, matrix_key(&tensor));
    cache_key_release(&key);
    key = matrix_key(&tensor);
    expect_other(&key, matrix_key(&other));
    tensor_release(&other);
    /* another time */
    age_file(in_folder("longer"), 200);
    other = open_numbers(in_folder("longer"), DTYPE_F32, 0);
    expect_other(&key, matrix_key(&other));
    tensor_release(&other);
    cache_key_release(&key);
    tensor_release(&tensor);
}

static void test_wishes_have_keys(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheQuestion question = {.matrix = &tensor};
    CacheKey key = key_of(&question), direct;
    question.wish.shown = true;
    expect_other(&key, key_of(&question));
    question.wish = (SpectrumWish){.single = true};
    expect_other(&key, key_of(&question));
    question.wish = (SpectrumWish){.method = SPECTRUM_DIRECT};
    direct = key_of(&question);
    assert_string_not_equal(direct.name, key.name);
    /* which shows everything, and is never single */
    question.wish.shown = question.wish.single = true;
    cache_key_release(&key);
    key = key_of(&question);
    assert_string_equal(direct.name, key.name);
    cache_key_release(&key);
    cache_key_release(&direct);
    tensor_release(&tensor);
}

/* One by seed; two of a square matrix, by the side that is summed over. */
static void test_estimates_have_keys(void **state) {
    (void)state;
    Tensor tensor = numbers(), turned, square;
    CacheQuestion question = {.matrix = &tensor, .estimate = true, .seed = 1};
    CacheKey spectrum = matrix_key(&tensor), key = key_of(&question), same;
    assert_string_not_equal(spectrum.name, key.name);
    question.seed = 2;
    expect_other(&key, key_of(&question));
    question.seed = 1;
    assert_int_equal(tensor_transpose(&turned, &tensor, NULL), STATUS_OK);
    question.matrix = &turned;
    same = key_of(&question);
    assert_string_equal(same.name, key.name);
    cache_key_release(&same);
    cache_key_release(&key);
    cache_key_release(&spectrum);
    tensor_release(&turned);
    assert_int_equal(tensor_cols(&square, &tensor, 0, ROWS, 1, NULL),
                     STATUS_OK);
    assert_int_equal(tensor_transpose(&turned, &square, NULL), STATUS_OK);
    question.matrix = &square;
    key = key_of(&question);
    question.matrix = &turned;
    expect_other(&key, key_of(&question));
    cache_key_release(&key);
    tensor_release(&turned);
    tensor_release(&square);
    tensor_release(&tensor);
}

static void test_kernels_have_keys(void **state) {
    (void)state;
    Tensor tensor = numbers(), right, turned;
    Factor *factor[3] = {NULL}, *product = NULL;
    assert_int_equal(tensor_rows(&right, &tensor, 0, 3, 1, NULL), STATUS_OK);
    assert_int_equal(tensor_transpose(&turned, &tensor, NULL), STATUS_OK);
    const Tensor *const of[] = {&tensor, &right, &turned};
    for (int i = 0; i < 3; i++)
        assert_int_equal(factor_of(&factor[i], of[i], NULL), STATUS_OK);
    assert_int_equal(factor_create(&product, 1, NULL), STATUS_OK);
    assert_int_equal(factor_add(product, &turned, &tensor, NULL), STATUS_OK);
    CacheQuestion question = {
        .left = factor[0], .right = factor[0], .kernel = KERNEL_SINGULAR};
    CacheKey key = key_of(&question);
    question.right = factor[1];
    expect_other(&key, key_of(&question));
    question.right = factor[2];
    expect_other(&key, key_of(&question));
    question.right = product;
    expect_other(&key, key_of(&question));
    question.right = factor[0];
    question.kernel = KERNEL_SINGULAR | KERNEL_EIGEN;
    expect_other(&key, key_of(&question));
    question.kernel = KERNEL_SINGULAR;
    question.dense = true;
    expect_other(&key, key_of(&question));
    cache_key_release(&key);
    for (int i = 0; i < 3; i++)
        factor_release(factor[i]);
    factor_release(product);
    tensor_release(&right);
    tensor_release(&turned);
    tensor_release(&tensor);
}

/* A recipe with a scale at `offset` of the file. */
static void set_recipe(Tensor *tensor, uint64_t offset, double divisor) {
    Recipe *recipe = mem_zeroed(1, sizeof *recipe, NULL);
    assert_non_null(recipe);
    recipe->refs = 1;
    recipe->divisor = divisor;
    recipe->block_rows = recipe->block_cols = recipe->rows_each = 1;
    assert_int_equal(source_create(&recipe->scale, tensor->source->file,
                                   DTYPE_F32, offset, 1, 2, NULL),
                     STATUS_OK);
    recipe_release(tensor->source->recipe);
    tensor->source->recipe = recipe;
}

static void test_recipes_have_keys(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheKey plain = matrix_key(&tensor), key;
    set_recipe(&tensor, 0, 1);
    key = matrix_key(&tensor);
    assert_string_not_equal(plain.name, key.name);
    set_recipe(&tensor, 4, 1);
    expect_other(&key, matrix_key(&tensor));
    set_recipe(&tensor, 0, 2);
    expect_other(&key, matrix_key(&tensor));
    cache_key_release(&plain);
    cache_key_release(&key);
    tensor_release(&tensor);
}

static void test_no_keys(void **state) {
    (void)state;
    int64_t shape[2] = {2, 2};
    Tensor memory, tensor = numbers();
    CacheQuestion question = {.matrix = &memory};
    assert_int_equal(tensor_create(&memory, DTYPE_F64, 2, shape, NULL),
                     STATUS_OK);
    expect_none(&question);
    tensor_release(&memory);
    question.matrix = &tensor;
    /* renamed over, written to, gone */
    assert_int_equal(rename(numbers_file("over", 0), in_folder("numbers")), 0);
    expect_none(&question);
    tensor_release(&tensor);
    tensor = open_numbers(in_folder("numbers"), DTYPE_F32, 0);
    age_file(in_folder("numbers"), 300);
    expect_none(&question);
    tensor_release(&tensor);
    tensor = open_numbers(in_folder("numbers"), DTYPE_F32, 0);
    unlink(in_folder("numbers"));
    expect_none(&question);
    tensor_release(&tensor);
    /* so new that the next change may have the same time */
    numbers_file("numbers", 0);
    assert_int_equal(utimensat(AT_FDCWD, in_folder("numbers"), NULL, 0), 0);
    tensor = open_numbers(in_folder("numbers"), DTYPE_F32, 0);
    expect_none(&question);
    tensor_release(&tensor);
    /* times in whole seconds: of two of them */
    struct timespec now, times[2];
    clock_gettime(CLOCK_REALTIME, &now);
    times[0] = times[1] = (struct timespec){.tv_sec = now.tv_sec - 1};
    assert_int_equal(utimensat(AT_FDCWD, in_folder("numbers"), times, 0), 0);
    tensor = open_numbers(in_folder("numbers"), DTYPE_F32, 0);
    expect_none(&question);
    tensor_release(&tensor);
    times[0] = times[1] = (struct timespec){.tv_sec = now.tv_sec - 9};
    assert_int_equal(utimensat(AT_FDCWD, in_folder("numbers"), times, 0), 0);
    tensor = open_numbers(in_folder("numbers"), DTYPE_F32, 0);
    CacheKey key = key_of(&question);
    assert_non_null(key.words);
    cache_key_release(&key);
    tensor_release(&tensor);
}

/* ---- records ---- */

static void test_round_trip(void **state) {
    (void)state;
    Tensor tensor = numbers(), half;
    assert_int_equal(tensor_rows(&half, &tensor, 0, 3, 1, NULL), STATUS_OK);
    CacheKey key = matrix_key(&tensor), other = matrix_key(&half);
    assert_false(found(&key, 1));
    keep(&key, 1.5);
    keep(&other, 2.5);
    assert_true(found(&key, 1.5));
    assert_true(found(&other, 2.5));
    keep(&key, 3.5); /* takes the other's place */
    assert_true(found(&key, 3.5));
    cache_key_release(&key);
    cache_key_release(&other);
    tensor_release(&half);
    tensor_release(&tensor);
}

/* What lies under another record's name, or has another format, is none. */
static void test_other_records(void **state) {
    (void)state;
    static const uint64_t SUM_KEY[2] = {0x73706563747261U, 3};
    Tensor tensor = numbers(), half;
    assert_int_equal(tensor_rows(&half, &tensor, 0, 3, 1, NULL), STATUS_OK);
    CacheKey key = matrix_key(&tensor), other = matrix_key(&half);
    size_t n;
    keep(&other, 1);
    keep(&key, 2);
    uint8_t *bytes = read_record(&key, &n);
    write_record(&other, bytes, n);
    assert_false(found(&other, 2));
    RecordHead head;
    memcpy(&head, bytes, sizeof head);
    head.format++;
    memcpy(bytes, &head, sizeof head);
    uint64_t sum = hash_bytes(SUM_KEY, bytes, n - 8);
    memcpy(bytes + n - 8, &sum, 8);
    write_record(&key, bytes, n);
    assert_false(found(&key, 2));
    /* as many values as were asked for, or none */
    keep(&key, 2);
    Kept kept;
    bool hit = true;
    kept_empty(&kept);
    kept.answer.count[0]--;
    kept.answer.count[1]++;
    assert_int_equal(cache_find(cache, &key, &kept.answer, &hit, NULL),
                     STATUS_OK);
    assert_false(hit);
    cache_key_release(&key);
    cache_key_release(&other);
    tensor_release(&half);
    tensor_release(&tensor);
}

/* The bytes in place of the record are told to be damaged. */
static void expect_damage(const CacheKey *key, const uint8_t *bytes, size_t n) {
    Kept kept;
    bool hit = true;
    Err err;
    char message[512];
    write_record(key, bytes, n);
    kept_empty(&kept);
    snprintf(message, sizeof message, "%s: a damaged record", record_file(key));
    assert_int_equal(cache_find(cache, key, &kept.answer, &hit, &err),
                     STATUS_FORMAT);
    assert_string_equal(err.message, message);
    assert_false(hit);
}

static void test_damage(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheKey key = matrix_key(&tensor);
    uint8_t broken[4096];
    size_t n;
    keep(&key, 1);
    const uint8_t *bytes = read_record(&key, &n);
    for (size_t i = 0; i < n; i++) {
        memcpy(broken, bytes, n);
        broken[i] = (uint8_t)(broken[i] ^ 1U << i % 8);
        expect_damage(&key, broken, n);
        broken[i] = (uint8_t)(bytes[i] == 0xFF ? 0 : 0xFF);
        expect_damage(&key, broken, n);
    }
    for (size_t i = 0; i < n; i++)
        expect_damage(&key, bytes, i);
    memset(broken, 0, sizeof broken);
    expect_damage(&key, broken, n);
    memcpy(broken, bytes, n);
    expect_damage(&key, broken, n + 1);
    keep(&key, 1);
    assert_true(found(&key, 1));
    cache_key_release(&key);
    tensor_release(&tensor);
}

static void test_no_memory(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheQuestion question = {.matrix = &tensor};
    Kept kept, expected;
    kept_fill(&expected, 7);
    bool done = false;
    for (long n = 1; !done; n++) {
        CacheKey key = {NULL, 0, NULL, ""};
        CacheTally left;
        bool hit = false;
        kept_empty(&kept);
        fail_alloc_at(n);
        Status status = cache_key(&key, &question, NULL);
        if (status == STATUS_OK)
            status = cache_keep(cache, &key, &expected.answer, NULL);
        if (status == STATUS_OK)
            status = cache_find(cache, &key, &kept.answer, &hit, NULL);
        if (status == STATUS_OK)
            status = cache_trim(cache, 0, &left, NULL);
        done = !fail_alloc_hit();
        fail_alloc_at(0);
        assert_int_equal(status, done ? STATUS_OK : STATUS_NOMEM);
        assert_true(!done || (hit && same_kept(&kept, &expected)));
        cache_key_release(&key);
    }
    tensor_release(&tensor);
}

/* ---- what the system refuses ---- */

static size_t files;

static int count_visit(const char *path, const struct stat *info, int kind,
                       struct FTW *at) {
    (void)path, (void)info, (void)at;
    files += kind == FTW_F;
    return 0;
}

static size_t count_files(const char *path) {
    files = 0;
    nftw(path, count_visit, 8, FTW_PHYS);
    return files;
}

/* In a process that may write `most` bytes a file: 0 where keeping fails as it
 * must. */
static int keep_limited(const CacheKey *key, rlim_t most) {
    struct rlimit limit = {most, most};
    Kept kept;
    Err err;
    kept_fill(&kept, 2);
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 2;
    return cache_keep(cache, key, &kept.answer, &err) == STATUS_IO &&
                   strstr(err.message, "File too large") != NULL
               ? 0
               : 1;
}

static int run_apart(int (*run)(const CacheKey *, rlim_t), const CacheKey *key,
                     rlim_t most) {
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(run(key, most));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void test_full_disk(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheKey key = matrix_key(&tensor);
    size_t n;
    keep(&key, 1);
    (void)read_record(&key, &n);
    for (size_t most = 0; most < n; most += 97)
        assert_int_equal(run_apart(keep_limited, &key, most), 0);
    assert_int_equal(count_files(cache), 1);
    assert_true(found(&key, 1));
    cache_key_release(&key);
    tensor_release(&tensor);
}

/* A folder that can't be made: nothing is found, nothing is kept. */
static void test_no_folder(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheKey key = matrix_key(&tensor);
    Kept kept;
    Err err;
    CacheTally tally;
    char expected[256];
    snprintf(cache, sizeof cache, "%s/below", in_folder("numbers"));
    kept_fill(&kept, 1);
    assert_false(found(&key, 1));
    assert_int_equal(cache_keep(cache, &key, &kept.answer, &err), STATUS_IO);
    snprintf(expected, sizeof expected,
             "%s: cannot make the folder: File exists", in_folder("numbers"));
    assert_string_equal(err.message, expected);
    assert_int_equal(cache_trim(cache, 0, &tally, &err), STATUS_IO);
    snprintf(expected, sizeof expected,
             "%s: cannot open the folder: Not a directory", cache);
    assert_string_equal(err.message, expected);
    cache_key_release(&key);
    tensor_release(&tensor);
}

/* ---- at the same time ---- */

enum { WRITERS = 4, TURNS = 300 };

/* 0 where every record that is found is whole. */
static int write_and_read(const CacheKey *key, rlim_t seed) {
    for (int i = 0; i < TURNS; i++) {
        Kept kept, expected;
        bool hit = false;
        double base = (double)(seed * TURNS) + i;
        kept_fill(&kept, base);
        if (cache_keep(cache, key, &kept.answer, NULL) != STATUS_OK)
            return 1;
        kept_empty(&kept);
        if (cache_find(cache, key, &kept.answer, &hit, NULL) != STATUS_OK ||
            !hit)
            return 2;
        kept_fill(&expected, kept.answer.fact[0]);
        if (!same_kept(&kept, &expected))
            return 3;
    }
    return 0;
}

static void test_writers(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheKey key = matrix_key(&tensor);
    pid_t pids[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(write_and_read(&key, (rlim_t)i));
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(count_files(cache), 1);
    cache_key_release(&key);
    tensor_release(&tensor);
}

/* ---- the folder as a whole ---- */

enum { RECORDS = 6 };

/* Records of the first 1, 2, … rows, the first one used longest ago. */
static void keep_some(CacheKey *keys, const Tensor *tensor) {
    for (int i = 0; i < RECORDS; i++) {
        Tensor part;
        assert_int_equal(tensor_rows(&part, tensor, 0, i + 1, 1, NULL),
                         STATUS_OK);
        keys[i] = matrix_key(&part);
        /* the file lives in the tensor that is kept */
        keep(&keys[i], i);
        age_file(record_file(&keys[i]), 1000 - 100 * i);
        tensor_release(&part);
    }
}

/* Which records there are, as bits. */
static unsigned present(const CacheKey *keys) {
    unsigned bits = 0;
    for (int i = 0; i < RECORDS; i++)
        bits |= access(record_file(&keys[i]), F_OK) == 0 ? 1U << i : 0;
    return bits;
}

static void release_keys(CacheKey *keys) {
    for (int i = 0; i < RECORDS; i++)
        cache_key_release(&keys[i]);
}

static char *beside(const CacheKey *key, const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%.2s/%s", cache, key->name, name);
    return path;
}

static void make_file(const char *path, double age) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fclose(f);
    age_file(path, age);
}

static void test_trim(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheKey keys[RECORDS];
    CacheTally left;
    size_t each;
    char old[64], young[64];
    keep_some(keys, &tensor);
    (void)read_record(&keys[0], &each);
    snprintf(old, sizeof old, "%.30s.tmp-1-0", keys[0].name + 3);
    snprintf(young, sizeof young, "%.30s.tmp-2-0", keys[0].name + 3);
    make_file(beside(&keys[0], old), 7200);
    make_file(beside(&keys[0], young), 60);
    make_file(beside(&keys[0], "notes.txt"), 1e6);
    /* small enough as it is, but for what a kill left behind */
    assert_int_equal(cache_trim(cache, RECORDS * each, &left, NULL), STATUS_OK);
    assert_int_equal(left.records, RECORDS);
    assert_int_equal(left.bytes, RECORDS * each);
    assert_int_not_equal(access(beside(&keys[0], old), F_OK), 0);
    assert_int_equal(access(beside(&keys[0], young), F_OK), 0);
    /* a use makes it young */
    assert_true(found(&keys[1], 1));
    assert_int_equal(cache_trim(cache, 4 * each, &left, NULL), STATUS_OK);
    assert_int_equal(left.records, 3);
    assert_int_equal(left.bytes, 3 * each);
    assert_int_equal(present(keys), 1U << 1 | 1U << 4 | 1U << 5);
    assert_int_equal(access(beside(&keys[0], "notes.txt"), F_OK), 0);
    release_keys(keys);
    tensor_release(&tensor);
}

enum { FOLDERS = 256, EACH = 40, SMALL = 10 };

static void fill_folder(unsigned number) {
    char path[256];
    snprintf(path, sizeof path, "%s/%02x", cache, number);
    assert_int_equal(system_mkdir(path, NULL), STATUS_OK);
    for (unsigned i = 0; i < EACH; i++) {
        snprintf(path, sizeof path, "%s/%02x/%030x", cache, number, i);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite("0123456789", SMALL, 1, f), 1);
        assert_int_equal(fclose(f), 0);
    }
}

/* Far from full, near to it, and full. */
static void test_trim_full(void **state) {
    (void)state;
    size_t whole = (size_t)FOLDERS * EACH;
    uint64_t bytes = whole * SMALL;
    for (unsigned i = 0; i < FOLDERS; i++)
        fill_folder(i);
    assert_int_equal(cache_trim_full(cache, 2 * bytes, NULL), STATUS_OK);
    assert_int_equal(cache_trim_full(cache, bytes, NULL), STATUS_OK);
    assert_int_equal(count_files(cache), whole);
    assert_int_equal(cache_trim_full(cache, bytes - 1, NULL), STATUS_OK);
    assert_int_equal(count_files(cache), (bytes - 1) / 10 * 9 / SMALL);
    assert_int_equal(cache_trim_full(cache, 0, NULL), STATUS_OK);
    assert_int_equal(count_files(cache), 0);
}

static void test_clear(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheKey keys[RECORDS];
    CacheTally removed;
    size_t each;
    assert_int_equal(cache_clear(cache, 0, &removed, NULL), STATUS_OK);
    assert_int_equal(removed.records, 0);
    keep_some(keys, &tensor);
    (void)read_record(&keys[0], &each);
    assert_int_equal(cache_clear(cache, 750, &removed, NULL), STATUS_OK);
    assert_int_equal(removed.records, 3);
    assert_int_equal(removed.bytes, 3 * each);
    assert_int_equal(present(keys), 1U << 3 | 1U << 4 | 1U << 5);
    make_file(beside(&keys[3], "notes.txt"), 1e6);
    assert_int_equal(cache_clear(cache, 0, &removed, NULL), STATUS_OK);
    assert_int_equal(removed.records, 3);
    assert_int_equal(present(keys), 0);
    assert_int_equal(count_files(cache), 1);
    release_keys(keys);
    tensor_release(&tensor);
}

typedef struct Listed {
    unsigned good, damaged, most;
    const CacheKey *keys;
    char path[512];
} Listed;

/* CacheEach */
static bool list_one(void *data, const CacheRecord *record) {
    Listed *listed = data;
    listed->damaged += record->path == NULL;
    listed->good += record->path != NULL;
    if (record->path != NULL) {
        assert_string_equal(record->path, listed->path);
        assert_int_equal(record->file.size, 4 * ROWS * COLS);
    }
    for (int i = 0; i < RECORDS; i++) {
        if (strcmp(record->name, listed->keys[i].name) == 0)
            assert_true(llabs((long long)time(NULL) - record->used -
                              (1000 - 100 * i)) < 60);
    }
    return listed->good + listed->damaged < listed->most;
}

static void test_list(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheKey keys[RECORDS];
    Listed listed = {.keys = keys, .most = RECORDS + 1};
    assert_non_null(realpath(in_folder("numbers"), listed.path));
    assert_int_equal(cache_list(cache, list_one, &listed, NULL), STATUS_OK);
    assert_int_equal(listed.good, 0);
    keep_some(keys, &tensor);
    write_record(&keys[2], (const uint8_t *)"damage", 6);
    age_file(record_file(&keys[2]), 800);
    assert_int_equal(cache_list(cache, list_one, &listed, NULL), STATUS_OK);
    assert_int_equal(listed.good, RECORDS - 1);
    assert_int_equal(listed.damaged, 1);
    listed = (Listed){.keys = keys, .most = 2};
    assert_non_null(realpath(in_folder("numbers"), listed.path));
    assert_int_equal(cache_list(cache, list_one, &listed, NULL), STATUS_OK);
    assert_int_equal(listed.good + listed.damaged, 2);
    release_keys(keys);
    tensor_release(&tensor);
}

/* A record that can't be opened is not one that is damaged. */
static void test_list_without_descriptors(void **state) {
    (void)state;
    Tensor tensor = numbers();
    CacheKey keys[RECORDS];
    Listed listed = {.keys = keys, .most = RECORDS + 1};
    Err err;
    struct rlimit before, few;
    keep_some(keys, &tensor);
    int next = open("/dev/null", O_RDONLY);
    assert_true(next >= 0 && close(next) == 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)next + 2; /* the folder and one in it */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    Status status = cache_list(cache, list_one, &listed, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(err.message, "cannot open a record in it: "));
    assert_int_equal(listed.good + listed.damaged, 0);
    release_keys(keys);
    tensor_release(&tensor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_method_tells_all),
        cmocka_unit_test(test_views_have_keys),
        cmocka_unit_test(test_files_have_keys),
        cmocka_unit_test(test_wishes_have_keys),
        cmocka_unit_test(test_estimates_have_keys),
        cmocka_unit_test(test_kernels_have_keys),
        cmocka_unit_test(test_recipes_have_keys),
        cmocka_unit_test(test_no_keys),
        cmocka_unit_test_setup(test_round_trip, fresh_cache),
        cmocka_unit_test_setup(test_other_records, fresh_cache),
        cmocka_unit_test_setup(test_damage, fresh_cache),
        cmocka_unit_test_setup(test_no_memory, fresh_cache),
        cmocka_unit_test_setup(test_full_disk, fresh_cache),
        cmocka_unit_test_setup(test_no_folder, fresh_cache),
        cmocka_unit_test_setup(test_writers, fresh_cache),
        cmocka_unit_test_setup(test_trim, fresh_cache),
        cmocka_unit_test_setup(test_trim_full, fresh_cache),
        cmocka_unit_test_setup(test_clear, fresh_cache),
        cmocka_unit_test_setup(test_list, fresh_cache),
        cmocka_unit_test_setup(test_list_without_descriptors, fresh_cache),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
