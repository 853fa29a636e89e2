/* Jobs in messages: what arrives reads and computes as what was sent, and a
 * message that is broken anywhere is an error. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "checkpoint.h"
#include "fail_alloc.h"
#include "packed.h"
#include "rank_job.h"
#include "recipe.h"
#include "stored.h"

enum { ROWS = 12, COLS = 64, MOST = 4096 };

static double *values_of(const Tensor *tensor) {
    static double buffer[2][MOST];
    static int turn;
    double *to = buffer[turn ^= 1];
    Scratch scratch = {0};
    int64_t cols = tensor->shape[1];
    assert_true(tensor_count(tensor) <= MOST);
    assert_int_equal(tensor_read(tensor, 0, tensor->shape[0], 0, cols, to, cols,
                                 NULL, &scratch, 0, NULL),
                     STATUS_OK);
    scratch_release(&scratch);
    return to;
}

/* Sends the tensor and takes what arrives; both must show the same. */
static void check_round(const Tensor *sent) {
    Wire wire = {0};
    WireFiles files = {0};
    Tensor got;
    Err err;
    wire_tensor(&wire, sent);
    assert_int_equal(wire.status, STATUS_OK);
    WireReader from = {wire.bytes, 0, wire.count};
    if (take_tensor(&from, &files, &got, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(take_end(&from, NULL), STATUS_OK);
    assert_int_equal(got.dtype, sent->dtype);
    assert_int_equal(got.axes, sent->axes);
    assert_memory_equal(got.shape, sent->shape, sizeof got.shape);
    if (sent->source != NULL)
        assert_int_equal(got.source->transposed, sent->source->transposed);
    else if (sent->axes == 2)
        assert_int_equal(llabs(got.stride[0]) < llabs(got.stride[1]),
                         llabs(sent->stride[0]) < llabs(sent->stride[1]));
    if (sent->axes == 2)
        assert_memory_equal(values_of(&got), values_of(sent),
                            (size_t)tensor_count(sent) * sizeof(double));
    tensor_release(&got);
    wire_files_release(&files);
    wire_release(&wire);
}

static void of_stored(Tensor *out, const Stored *stored) {
    Source *source = stored_source(stored);
    int64_t shape[] = {(int64_t)stored->rows, (int64_t)stored->cols};
    assert_int_equal(tensor_from_source(out, source, 2, shape, NULL),
                     STATUS_OK);
    source_release(source);
}

static void test_file_views(void **state) {
    (void)state;
    const Dtype dtypes[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0, DTYPE_F64};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        Stored stored;
        Tensor whole, view[4];
        const RowRun runs[] = {{8, 2, 0, 1}, {0, 1, 3, 3}};
        stored_make(&stored, dtypes[i], ROWS, COLS);
        of_stored(&whole, &stored);
        assert_int_equal(tensor_rows(&view[0], &whole, 1, 4, 2, NULL), 0);
        assert_int_equal(tensor_cols(&view[1], &view[0], 3, 20, 3, NULL), 0);
        assert_int_equal(tensor_transpose(&view[2], &view[1], NULL), 0);
        assert_int_equal(tensor_runs(&view[3], &whole, runs, 2, NULL), 0);
        check_round(&whole);
        for (int k = 0; k < 4; k++) {
            check_round(&view[k]);
            tensor_release(&view[k]);
        }
        tensor_release(&whole);
        stored_end(&stored);
    }
}

static void fill(Tensor *tensor) {
    double value = 1;
    int64_t at[2];
    for (at[0] = 0; at[0] < tensor->shape[0]; at[0]++)
        for (at[1] = 0; at[1] < tensor->shape[1]; at[1]++, value += 3)
            assert_int_equal(tensor_set(tensor, at, value, NULL), STATUS_OK);
}

static void make_filled(Tensor *out, Dtype dtype, int64_t rows, int64_t cols) {
    assert_int_equal(
        tensor_create(out, dtype, 2, (int64_t[]){rows, cols}, NULL), STATUS_OK);
    fill(out);
}

static void test_memory(void **state) {
    (void)state;
    const Dtype dtypes[] = {DTYPE_F64, DTYPE_F32, DTYPE_I64};
    const int64_t shapes[][2] = {{5, 7}, {1, 6}, {6, 1}, {0, 3}, {3, 0}};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 5; k++) {
            Tensor whole, turned, view;
            make_filled(&whole, dtypes[i], shapes[k][0], shapes[k][1]);
            assert_int_equal(tensor_transpose(&turned, &whole, NULL), 0);
            assert_int_equal(
                tensor_rows(&view, &whole, 0, (shapes[k][0] + 1) / 2, 2, NULL),
                0);
            check_round(&whole);
            check_round(&turned);
            check_round(&view);
            tensor_release(&whole);
            tensor_release(&turned);
            tensor_release(&view);
        }
}

/* ---- packed tensors ---- */

typedef struct Packed {
    const char *name;
    PackedWish wish;
    const char *part[PACKED_PARTS];
} Packed;

static const Packed PACKED[] = {
    {"block",
     {.kind = PACKED_SCALED, .divisor = 1, .block = {16, 32}},
     {".weight", ".weight_scale_inv"}},
    {"row",
     {.kind = PACKED_SCALED, .divisor = 1},
     {".weight", ".weight_scale"}},
    {"gptq4",
     {.kind = PACKED_GPTQ, .divisor = 1, .bits = 4, .zero_add = 1},
     {".qweight", ".qzeros", ".scales", ".g_idx"}},
    {"gptq8",
     {.kind = PACKED_GPTQ, .divisor = 1, .bits = 8, .zero_add = 1},
     {".qweight", ".qzeros", ".scales", ".g_idx"}},
    {"awq4",
     {.kind = PACKED_AWQ, .divisor = 1, .group = 16},
     {".qweight", ".qzeros", ".scales"}},
    {"nf4_flat",
     {.kind = PACKED_TABLE, .shape = {6, 20}, .block_size = 64, .name = "NF4"},
     {".weight", ".weight.absmax", ".weight.quant_map"}},
};

static void make_packed(Tensor *out, Checkpoint *ck, const Packed *packed) {
    PackedWish wish = packed->wish;
    Tensor part[PACKED_PARTS] = {0};
    for (int i = 0; i < PACKED_PARTS && packed->part[i] != NULL; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", packed->name, packed->part[i]);
        const Entry *entry = checkpoint_find(ck, name);
        assert_non_null(entry);
        assert_int_equal(checkpoint_tensor(entry, &part[i], NULL), STATUS_OK);
        wish.part[i] = &part[i];
    }
    assert_int_equal(packed_create(out, &wish, NULL), STATUS_OK);
    for (int i = 0; i < PACKED_PARTS; i++)
        tensor_release(&part[i]);
}

/* ---- jobs ---- */

/* A job of the test's own. */
typedef struct Asked {
    RankJob job;
    double s[2][64], re[2][64], im[2][64];
    KernelResult kernel[2];
    SpectrumInfo info;
    Status status[2];
    Err err[2];
} Asked;

static Asked *ask(const Tensor *matrix, const Factor *const *left, size_t count,
                  const Factor *right) {
    Asked *asked = calloc(1, sizeof *asked);
    assert_non_null(asked);
    asked->job = (RankJob){.wish = {SPECTRUM_GRAM, false, true},
                           .eigen = right != NULL,
                           .matrix = matrix,
                           .s = asked->s[0],
                           .info = &asked->info,
                           .count = count,
                           .left = left,
                           .right = right,
                           .kernel = asked->kernel,
                           .status = asked->status,
                           .err = asked->err};
    for (int i = 0; i < 2; i++)
        asked->kernel[i] =
            (KernelResult){asked->s[i], asked->re[i], asked->im[i], 0, 0, 0};
    return asked;
}

/* The job there and back. */
static Status exchange(const RankJob *job, WireFiles *files, Err *err) {
    Wire question = {0}, answers = {0};
    RankJob *there = NULL;
    Scratch scratch = {0};
    job_put(&question, job);
    Status status = question.status;
    WireReader from = {question.bytes, 0, question.count};
    if (status == STATUS_OK)
        status = job_take(&from, files, &there, err);
    if (status == STATUS_OK) {
        job_run(there, &scratch, NULL);
        job_put_answers(&answers, there);
        status = answers.status;
    }
    from = (WireReader){answers.bytes, 0, answers.count};
    if (status == STATUS_OK)
        status = job_take_answers(&from, job, err);
    scratch_release(&scratch);
    job_release(there);
    wire_release(&question);
    wire_release(&answers);
    return status;
}

/* What comes back is, to the bit, what is computed here. */
static void check_job(const Tensor *matrix, const Factor *const *left,
                      size_t count, const Factor *right, bool dense) {
    Asked *here = ask(matrix, left, count, right);
    Asked *there = ask(matrix, left, count, right);
    WireFiles files = {0};
    Scratch scratch = {0};
    Err err;
    here->job.dense = there->job.dense = dense;
    job_run(&here->job, &scratch, NULL);
    if (exchange(&there->job, &files, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(there->status[i], here->status[i]);
        if (here->status[i] != STATUS_OK)
            assert_string_equal(there->err[i].message, here->err[i].message);
        const KernelResult *a = &here->kernel[i], *b = &there->kernel[i];
        assert_memory_equal(&a->norm, &b->norm, 3 * sizeof(double));
    }
    assert_memory_equal(there->s, here->s, sizeof here->s);
    assert_memory_equal(there->re, here->re, sizeof here->re);
    assert_memory_equal(there->im, here->im, sizeof here->im);
    assert_true(there->info.bound == here->info.bound);
    assert_int_equal(there->info.direct, here->info.direct);
    assert_int_equal(there->info.read, here->info.read);
    scratch_release(&scratch);
    wire_files_release(&files);
    free(here);
    free(there);
}

/* A file of 64 rows, its first 16 columns as two heads and a key. */
typedef struct Heads {
    Stored stored;
    Tensor whole, part[3];
    Factor *factor[3];
} Heads;

static void heads_make(Heads *heads) {
    stored_make(&heads->stored, DTYPE_F32, ROWS, COLS);
    of_stored(&heads->whole, &heads->stored);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            tensor_rows(&heads->part[i], &heads->whole, 4 * i, 4, 1, NULL),
            STATUS_OK);
        assert_int_equal(factor_of(&heads->factor[i], &heads->part[i], NULL),
                         STATUS_OK);
    }
}

static void heads_end(Heads *heads) {
    for (int i = 0; i < 3; i++) {
        factor_release(heads->factor[i]);
        tensor_release(&heads->part[i]);
    }
    tensor_release(&heads->whole);
    stored_end(&heads->stored);
}

static void test_packed_tensors(void **state) {
    (void)state;
    Checkpoint *ck = NULL;
    assert_int_equal(
        checkpoint_open(&ck, "tests/golden/packed/packed.safetensors", NULL),
        STATUS_OK);
    for (size_t i = 0; i < sizeof PACKED / sizeof *PACKED; i++) {
        Tensor tensor, view;
        make_packed(&tensor, ck, &PACKED[i]);
        assert_int_equal(tensor_rows(&view, &tensor, 1, 4, 1, NULL), STATUS_OK);
        check_round(&tensor);
        check_round(&view);
        check_job(&view, NULL, 1, NULL, false);
        tensor_release(&view);
        tensor_release(&tensor);
    }
    checkpoint_release(ck);
}

static void test_jobs(void **state) {
    (void)state;
    Heads heads;
    Tensor memory, by;
    Factor *product = NULL, *other = NULL;
    heads_make(&heads);
    check_job(&heads.whole, NULL, 1, NULL, false);
    const Factor *left[] = {heads.factor[0], heads.factor[1]};
    check_job(NULL, left, 2, heads.factor[2], false);
    check_job(NULL, left, 2, heads.factor[2], true);
    make_filled(&memory, DTYPE_F64, 5, 9);
    make_filled(&by, DTYPE_F32, 4, COLS);
    check_job(&memory, NULL, 1, NULL, false);
    assert_int_equal(factor_create(&product, 1, NULL), STATUS_OK);
    Tensor four;
    make_filled(&four, DTYPE_F64, 4, 4);
    assert_int_equal(factor_add(product, &four, &by, NULL), STATUS_OK);
    check_job(NULL, left, 2, product, false);
    /* one of another size has its own error, the other its values */
    assert_int_equal(factor_of(&other, &memory, NULL), STATUS_OK);
    check_job(NULL, (const Factor *[]){left[0], other}, 2, product, false);
    factor_release(other);
    factor_release(product);
    tensor_release(&four);
    tensor_release(&memory);
    tensor_release(&by);
    heads_end(&heads);
}

static void test_failures_come_back(void **state) {
    (void)state;
    Tensor bad;
    make_filled(&bad, DTYPE_F64, 5, 9);
    assert_int_equal(tensor_set(&bad, (int64_t[]){1, 2}, 1.0 / 0.0, NULL),
                     STATUS_OK);
    check_job(&bad, NULL, 1, NULL, false);
    tensor_release(&bad);
}

static bool matrix_able(const Tensor *matrix) {
    return job_able(&(RankJob){.matrix = matrix, .count = 1});
}

/* What a look tells of jobs that can't be sent. */
static void test_able(void **state) {
    (void)state;
    Heads heads;
    Tensor memory, large;
    Factor *of_memory = NULL, *of_large = NULL;
    heads_make(&heads);
    make_filled(&memory, DTYPE_F64, 4, COLS);
    tensor_view(&large, &memory);
    large.shape[0] = WIRE_MOST / COLS; /* never looked into */
    assert_int_equal(factor_of(&of_memory, &memory, NULL), STATUS_OK);
    assert_int_equal(factor_of(&of_large, &large, NULL), STATUS_OK);
    const Factor *left[] = {of_memory, heads.factor[0]};
    RankJob kernels = {.count = 2, .left = left, .right = heads.factor[2]};
    assert_true(matrix_able(&heads.whole));
    assert_true(matrix_able(&memory));
    assert_true(job_able(&kernels));
    assert_false(matrix_able(&large));
    memory.axes = 3;
    assert_false(matrix_able(&memory));
    left[0] = of_large;
    assert_false(job_able(&kernels));
    left[0] = of_memory;
    assert_int_equal(unlink(heads.stored.path), 0);
    assert_false(matrix_able(&heads.whole));
    assert_false(job_able(&kernels));
    memory.axes = 2;
    factor_release(of_memory);
    factor_release(of_large);
    tensor_release(&large);
    tensor_release(&memory);
    heads_end(&heads);
}

/* A packed tensor can be sent where the files of all its parts can. */
static void test_packed_able(void **state) {
    (void)state;
    Checkpoint *ck = NULL;
    Heads gone;
    Tensor packed;
    assert_int_equal(
        checkpoint_open(&ck, "tests/golden/packed/packed.safetensors", NULL),
        STATUS_OK);
    make_packed(&packed, ck, &PACKED[0]);
    heads_make(&gone);
    assert_int_equal(unlink(gone.stored.path), 0);
    assert_true(matrix_able(&packed));
    Recipe recipe = *packed.source->recipe;
    Source source = *packed.source;
    recipe.scale = gone.whole.source;
    source.recipe = &recipe;
    assert_false(wire_source_able(&source));
    tensor_release(&packed);
    checkpoint_release(ck);
    heads_end(&gone);
}

/* ---- what can go wrong ---- */

static void test_another_file(void **state) {
    (void)state;
    Heads heads;
    WireFiles files = {0};
    Err err;
    heads_make(&heads);
    Wire wire = {0};
    wire_tensor(&wire, &heads.whole);
    assert_int_equal(wire.status, STATUS_OK);
    struct timespec times[2] = {{1000, 0}, {1000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, heads.stored.path, times, 0), 0);
    WireReader from = {wire.bytes, 0, wire.count};
    Tensor got;
    assert_int_equal(take_tensor(&from, &files, &got, &err), STATUS_IO);
    assert_non_null(strstr(err.message, heads.stored.path));
    assert_non_null(strstr(err.message, "another file on this rank"));
    /* and the sender's own is not where it was */
    Wire again = {0};
    wire_tensor(&again, &heads.whole);
    assert_int_equal(again.status, STATUS_UNSUPPORTED);
    assert_int_equal(unlink(heads.stored.path), 0);
    from = (WireReader){wire.bytes, 0, wire.count};
    assert_int_equal(take_tensor(&from, &files, &got, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "cannot open"));
    wire_release(&again);
    wire_release(&wire);
    wire_files_release(&files);
    heads_end(&heads);
}

/* Cut at every length. */
static void check_truncated(const RankJob *job) {
    Wire wire = {0};
    WireFiles files = {0};
    job_put(&wire, job);
    assert_int_equal(wire.status, STATUS_OK);
    for (size_t n = 0; n < wire.count; n++) {
        uint8_t *cut = malloc(n + 1);
        assert_non_null(cut);
        memcpy(cut, wire.bytes, n);
        WireReader from = {cut, 0, n};
        RankJob *made = NULL;
        assert_int_not_equal(job_take(&from, &files, &made, NULL), STATUS_OK);
        assert_null(made);
        free(cut);
    }
    wire_release(&wire);
    wire_files_release(&files);
}

/* Every byte changed to some others: an error, or a job that can be run. */
static void check_changed(const RankJob *job) {
    static const uint8_t MASKS[] = {0x01, 0x04, 0x20, 0x80, 0xFF};
    Wire wire = {0};
    WireFiles files = {0};
    Scratch scratch = {0};
    size_t refused = 0;
    job_put(&wire, job);
    assert_int_equal(wire.status, STATUS_OK);
    for (size_t at = 0; at < wire.count; at++)
        for (size_t k = 0; k < sizeof MASKS; k++) {
            wire.bytes[at] ^= MASKS[k];
            WireReader from = {wire.bytes, 0, wire.count};
            RankJob *made = NULL;
            if (job_take(&from, &files, &made, NULL) != STATUS_OK)
                refused++;
            else if (made->count < 100)
                job_run(made, &scratch, NULL);
            job_release(made);
            wire.bytes[at] ^= MASKS[k];
        }
    assert_true(refused > wire.count);
    scratch_release(&scratch);
    wire_release(&wire);
    wire_files_release(&files);
}

static void each_kind(void (*check)(const RankJob *job)) {
    Heads heads;
    Tensor packed, memory;
    Checkpoint *ck = NULL;
    heads_make(&heads);
    make_filled(&memory, DTYPE_F32, 3, 4);
    assert_int_equal(
        checkpoint_open(&ck, "tests/golden/packed/packed.safetensors", NULL),
        STATUS_OK);
    const Factor *left[] = {heads.factor[0], heads.factor[1]};
    Asked *asked[10];
    int count = 0;
    asked[count++] = ask(&heads.whole, NULL, 1, NULL);
    asked[count++] = ask(&memory, NULL, 1, NULL);
    asked[count++] = ask(NULL, left, 2, heads.factor[2]);
    for (int i = 0; i < count; i++)
        check(&asked[i]->job);
    for (size_t i = 0; i < sizeof PACKED / sizeof *PACKED; i++) {
        make_packed(&packed, ck, &PACKED[i]);
        asked[count] = ask(&packed, NULL, 1, NULL);
        check(&asked[count++]->job);
        tensor_release(&packed);
    }
    while (count > 0)
        free(asked[--count]);
    checkpoint_release(ck);
    tensor_release(&memory);
    heads_end(&heads);
}

static void test_truncated(void **state) {
    (void)state;
    each_kind(check_truncated);
}

static void test_changed(void **state) {
    (void)state;
    each_kind(check_changed);
}

static void test_answers_broken(void **state) {
    (void)state;
    Heads heads;
    Wire wire = {0};
    Scratch scratch = {0};
    Err err;
    heads_make(&heads);
    Asked *asked = ask(&heads.part[0], NULL, 1, NULL);
    job_run(&asked->job, &scratch, NULL);
    job_put_answers(&wire, &asked->job);
    for (size_t n = 0; n < wire.count; n++) {
        WireReader from = {wire.bytes, 0, n};
        assert_int_equal(job_take_answers(&from, &asked->job, NULL),
                         STATUS_FORMAT);
    }
    /* the answer to another question */
    asked->job.matrix = &heads.whole;
    WireReader from = {wire.bytes, 0, wire.count};
    assert_int_equal(job_take_answers(&from, &asked->job, &err), STATUS_FORMAT);
    assert_string_equal(err.message, "an answer of 4 values: expected 12");
    free(asked);
    scratch_release(&scratch);
    wire_release(&wire);
    heads_end(&heads);
}

/* What no worker took has no result, and none that looks like one. */
static void check_never_run(const RankJob *job) {
    Wire question = {0}, answers = {0};
    WireFiles files = {0};
    RankJob *there = NULL;
    job_put(&question, job);
    WireReader from = {question.bytes, 0, question.count};
    assert_int_equal(job_take(&from, &files, &there, NULL), STATUS_OK);
    job_put_answers(&answers, there);
    from = (WireReader){answers.bytes, 0, answers.count};
    assert_int_equal(job_take_answers(&from, job, NULL), STATUS_OK);
    for (size_t i = 0; i < job->count; i++) {
        assert_int_equal(job->status[i], STATUS_CANCELLED);
        assert_string_equal(job->err[i].message, "interrupted");
    }
    job_release(there);
    wire_release(&question);
    wire_release(&answers);
    wire_files_release(&files);
}

static void test_never_run(void **state) {
    (void)state;
    each_kind(check_never_run);
}

static void check_no_memory(const RankJob *job) {
    for (long n = 1;; n++) {
        WireFiles files = {0};
        fail_alloc_at(n);
        Status status = exchange(job, &files, NULL);
        bool hit = fail_alloc_hit();
        fail_alloc_at(0);
        wire_files_release(&files);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        if (hit)
            continue;
        assert_true(status == STATUS_OK && job->status[0] == STATUS_OK);
        return;
    }
}

static void test_no_memory(void **state) {
    (void)state;
    each_kind(check_no_memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_views),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_packed_tensors),
        cmocka_unit_test(test_jobs),
        cmocka_unit_test(test_failures_come_back),
        cmocka_unit_test(test_able),
        cmocka_unit_test(test_packed_able),
        cmocka_unit_test(test_another_file),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_answers_broken),
        cmocka_unit_test(test_never_run),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
