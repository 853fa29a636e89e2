/* Views of stored matrices by editing row runs. */
#include "recipe.h"

#include <inttypes.h>
#include <string.h>

enum {
    MAX_RUNS = 1 << 16,  /* 2 MB a record; a view of heads has hundreds */
    MAX_PIECES = 1 << 24 /* and as many steps to make one: under a second */
};

Status span_check(const char *noun, uint64_t size, uint64_t first,
                  uint64_t count, uint64_t step, Err *err) {
    if (step == 0)
        return err_set(err, STATUS_ARGUMENT,
                       "step 0 over %ss: expected 1 or more", noun);
    uint64_t last = first, span;
    if (count > 0 && first < size &&
        (__builtin_mul_overflow(count - 1, step, &span) ||
         __builtin_add_overflow(first, span, &last)))
        last = UINT64_MAX;
    if (count > 0 ? last < size : first <= size)
        return STATUS_OK;
    last += last < UINT64_MAX; /* count from one */
    if (size == 0)
        return err_set(err, STATUS_ARGUMENT,
                       "%s %" PRIu64 " of 0: there are none", noun, last);
    return err_set(err, STATUS_ARGUMENT,
                   "%s %" PRIu64 " of %" PRIu64 ": expected 1 to %" PRIu64,
                   noun, last, size, size);
}

Status source_like(Source **out, const Source *like, const RowRun *runs,
                   size_t count, Err *err) {
    Source *made = mem_array(1, sizeof *made + count * sizeof *runs, err);
    if (made == NULL)
        return STATUS_NOMEM;
    *made = *like;
    made->refs = 1;
    made->run_count = count;
    if (count > 0)
        memcpy(made->runs, runs, count * sizeof *runs);
    file_keep(made->file);
    recipe_keep(made->recipe);
    *out = made;
    return STATUS_OK;
}

Status source_create(Source **out, File *file, Dtype dtype, uint64_t offset,
                     uint64_t rows, uint64_t cols, Err *err) {
    const DtypeRow *format = dtype_row(dtype);
    if (cols % format->block != 0)
        return err_set(err, STATUS_FORMAT,
                       "rows of %" PRIu64 " elements are no whole number of "
                       "%s's blocks of %d",
                       cols, format->name, format->block);
    uint64_t elements, bytes, end;
    if (__builtin_mul_overflow(rows, cols, &elements) || rows > INT64_MAX ||
        cols > INT64_MAX || elements > INT64_MAX)
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " x %" PRIu64
                       " elements: expected fewer than 2^63",
                       rows, cols);
    Status status = dtype_bytes(dtype, elements, &bytes, err);
    if (status != STATUS_OK)
        return status;
    uint64_t size = file_id(file)->size;
    if (__builtin_add_overflow(offset, bytes, &end) || end > size)
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " bytes at offset %" PRIu64
                       ", but the file has %" PRIu64,
                       bytes, offset, size);
    Source whole = {.file = file,
                    .dtype = dtype,
                    .offset = offset,
                    .stored_rows = rows,
                    .stored_cols = cols,
                    .rows = rows,
                    .cols = cols,
                    .col_step = 1};
    RowRun all = {0, rows, 0, 1};
    return source_like(out, &whole, &all, rows > 0, err);
}

Source *source_keep(Source *source) {
    __atomic_add_fetch(&source->refs, 1, __ATOMIC_RELAXED);
    return source;
}

void source_release(Source *source) {
    if (source == NULL ||
        __atomic_sub_fetch(&source->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    file_release(source->file);
    recipe_release(source->recipe);
    mem_free(source);
}

uint64_t source_view_rows(const Source *source) {
    return source->transposed ? source->cols : source->rows;
}

uint64_t source_view_cols(const Source *source) {
    return source->transposed ? source->rows : source->cols;
}

/* Runs as they are put together, the last one open to be merged with. */
typedef struct Builder {
    RowRun *runs;
    size_t count, room, pieces;
} Builder;

/* Writes a run that is one stretch of rows as one. */
static RowRun run_plain(RowRun run) {
    if (run.n > 1 && run.step == run.len) {
        run.len *= run.n;
        run.n = 1;
    }
    if (run.n == 1)
        run.step = 0;
    return run;
}

/* Appends b to a where the two are one run. */
static bool run_merge(RowRun *a, const RowRun *b) {
    if (a->n == 1 && b->n == 1 && a->first + a->len == b->first) {
        a->len += b->len;
        return true;
    }
    if (a->len != b->len || b->first <= a->first)
        return false;
    uint64_t step = a->n > 1   ? a->step
                    : b->n > 1 ? b->step
                               : b->first - a->first;
    if ((b->n > 1 && b->step != step) || b->first != a->first + a->n * step)
        return false;
    a->step = step;
    a->n += b->n;
    return true;
}

static Status builder_add(Builder *to, RowRun run, Err *err) {
    run = run_plain(run);
    bool merged = to->count > 0 && run_merge(&to->runs[to->count - 1], &run);
    if (++to->pieces > MAX_PIECES || (!merged && to->count == MAX_RUNS))
        return err_set(err, STATUS_UNSUPPORTED,
                       "a view of more than %d runs of a file's rows: expected "
                       "fewer",
                       MAX_RUNS);
    if (merged)
        return STATUS_OK;
    if (to->count == to->room) {
        size_t room = to->room == 0 ? 4 : 2 * to->room;
        RowRun *runs = mem_resize(to->runs, to->count, room, sizeof *runs, err);
        if (runs == NULL)
            return STATUS_NOMEM;
        to->runs = runs;
        to->room = room;
    }
    to->runs[to->count++] = run;
    return STATUS_OK;
}

/* A run of a view, and the view's rows before it. */
typedef struct Place {
    size_t k;
    uint64_t base;
} Place;

/* Moves to the run that holds the view's row (which there must be). */
static const RowRun *place_move(Place *at, const Source *view, uint64_t row) {
    if (row < at->base)
        *at = (Place){0, 0};
    for (;; at->k++) {
        const RowRun *run = &view->runs[at->k];
        if (row - at->base < run->len * run->n)
            return run;
        at->base += run->len * run->n;
    }
}

/* Adds the rows [x, y) of one run: a broken stretch, whole ones, another. */
static Status run_slice(Builder *to, const RowRun *run, uint64_t x, uint64_t y,
                        Err *err) {
    Status status = STATUS_OK;
    while (x < y && status == STATUS_OK) {
        uint64_t into = x % run->len, whole = (y - x) / run->len;
        RowRun piece = {run->first + x / run->len * run->step + into, run->len,
                        run->step, whole};
        if (into > 0 || whole == 0) {
            piece.n = 1;
            piece.len = run->len - into < y - x ? run->len - into : y - x;
        }
        status = builder_add(to, piece, err);
        x += piece.len * piece.n;
    }
    return status;
}

/* Whether `want`, from row x of `run`, is one run of stored rows too. */
static bool run_within(const RowRun *run, uint64_t x, const RowRun *want,
                       RowRun *out) {
    uint64_t last = (want->n - 1) * want->step + want->len;
    if (last > run->len * run->n - x)
        return false;
    *out = *want;
    if (run->n == 1) {
        out->first = run->first + x;
        return true;
    }
    if (want->step % run->len != 0 || x % run->len + want->len > run->len)
        return false;
    out->first = run->first + x / run->len * run->step + x % run->len;
    out->step = want->step / run->len * run->step;
    return true;
}

/* Adds the view's rows that `want` (in its bounds, not empty) names. */
static Status view_take(Builder *to, const Source *view, Place *at, RowRun want,
                        Err *err) {
    RowRun one;
    want = run_plain(want);
    const RowRun *run = place_move(at, view, want.first);
    if (run_within(run, want.first - at->base, &want, &one))
        return builder_add(to, one, err);
    for (uint64_t i = 0; i < want.n; i++) {
        uint64_t row = want.first + i * want.step, end = row + want.len;
        while (row < end) {
            run = place_move(at, view, row);
            uint64_t left = run->len * run->n - (row - at->base);
            uint64_t take = left < end - row ? left : end - row;
            Status status =
                run_slice(to, run, row - at->base, row - at->base + take, err);
            if (status != STATUS_OK)
                return status;
            row += take;
        }
    }
    return STATUS_OK;
}

/* Checks a run of rows against the view; its number of rows is added. */
static Status run_check(const Source *view, const RowRun *run, uint64_t *rows,
                        Err *err) {
    uint64_t size = view->rows, all;
    Status status = STATUS_OK;
    if (run->len > size)
        return err_set(err, STATUS_ARGUMENT,
                       "a run of %" PRIu64 " rows of %" PRIu64, run->len, size);
    /* each begins where its last row still fits; step 0 is one place */
    if (run->first > size - run->len)
        return span_check("row", size, size, 1, 1, err);
    if (run->step > 0)
        status = span_check("row", size, run->first + run->len - 1, run->n,
                            run->step, err);
    if (status != STATUS_OK)
        return status;
    if (__builtin_mul_overflow(run->len, run->n, &all) ||
        __builtin_add_overflow(*rows, all, rows) || *rows > INT64_MAX)
        return err_set(err, STATUS_ARGUMENT,
                       "runs of more than 2^63 rows in all");
    return STATUS_OK;
}

/* The view's stored rows in the order of runs, whether transposed or not. */
static Status source_select(Source **out, const Source *source,
                            const RowRun *runs, size_t count, Err *err) {
    Builder to = {NULL, 0, 0, 0};
    Place at = {0, 0};
    Source edited = *source;
    Status status = STATUS_OK;
    edited.rows = 0;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (runs[i].len == 0 || runs[i].n == 0)
            continue;
        status = run_check(source, &runs[i], &edited.rows, err);
        if (status == STATUS_OK)
            status = view_take(&to, source, &at, runs[i], err);
    }
    if (status == STATUS_OK)
        status = source_like(out, &edited, to.runs, to.count, err);
    mem_free(to.runs);
    return status;
}

/* first, first+step, … of the stored rows, under the name the view has. */
static Status select_rows(Source **out, const Source *source, const char *noun,
                          uint64_t first, uint64_t count, uint64_t step,
                          Err *err) {
    Status status = span_check(noun, source->rows, first, count, step, err);
    if (status != STATUS_OK)
        return status;
    RowRun run = {first, 1, step, count};
    return source_select(out, source, &run, 1, err);
}

/* The same of the stored columns. */
static Status select_cols(Source **out, const Source *source, const char *noun,
                          uint64_t first, uint64_t count, uint64_t step,
                          Err *err) {
    Status status = span_check(noun, source->cols, first, count, step, err);
    if (status != STATUS_OK)
        return status;
    Source edited = *source;
    /* of one column any step is 1, so that equal views are equal records */
    edited.first_col += first * source->col_step;
    edited.col_step = count > 1 ? step * source->col_step : 1;
    edited.cols = count;
    return source_like(out, &edited, source->runs, source->run_count, err);
}

Status source_rows(Source **out, const Source *source, uint64_t first,
                   uint64_t count, uint64_t step, Err *err) {
    return (source->transposed ? select_cols : select_rows)(
        out, source, "row", first, count, step, err);
}

Status source_cols(Source **out, const Source *source, uint64_t first,
                   uint64_t count, uint64_t step, Err *err) {
    return (source->transposed ? select_rows : select_cols)(
        out, source, "column", first, count, step, err);
}

Status source_runs(Source **out, const Source *source, const RowRun *runs,
                   size_t count, Err *err) {
    if (source->transposed)
        return err_set(err, STATUS_UNSUPPORTED,
                       "row runs of a transposed view: expected them before "
                       "it is transposed");
    return source_select(out, source, runs, count, err);
}

Status source_transpose(Source **out, const Source *source, Err *err) {
    Source edited = *source;
    edited.transposed = !edited.transposed;
    return source_like(out, &edited, source->runs, source->run_count, err);
}

bool source_same(const Source *a, const Source *b) {
    return a->file == b->file && a->dtype == b->dtype &&
           a->offset == b->offset && a->stored_rows == b->stored_rows &&
           a->stored_cols == b->stored_cols && a->rows == b->rows &&
           a->first_col == b->first_col && a->cols == b->cols &&
           a->col_step == b->col_step && a->transposed == b->transposed &&
           a->run_count == b->run_count &&
           memcmp(a->runs, b->runs, a->run_count * sizeof *a->runs) == 0 &&
           recipe_same(a->recipe, b->recipe);
}
