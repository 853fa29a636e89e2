/* Records of files' tensors in messages. What arrives is checked against the
 * file as if it were a header: an index out of a message reads no byte that is
 * not there. */
#include <limits.h>
#include <string.h>

#include "recipe.h"
#include "wire_tensor.h"

enum { MAX_RUNS = 1 << 16 };

/* ---- writing ---- */

static void wire_file(Wire *wire, const File *file) {
    const FileId *id = file_id(file);
    if (!file_in_place(file)) {
        char shown[700];
        wire_fail(wire, STATUS_UNSUPPORTED, "%s: no file that others can read",
                  text_escape(shown, sizeof shown, file_path(file)));
        return;
    }
    wire_text(wire, file_path(file));
    wire_u64(wire, id->size);
    wire_u64(wire, (uint64_t)id->mtime_ns);
    wire_u64(wire, id->inode);
}

static void wire_companion(Wire *wire, const Source *source) {
    wire_u64(wire, source != NULL);
    if (source != NULL)
        wire_source(wire, source);
}

static void wire_recipe(Wire *wire, const Recipe *recipe) {
    wire_text(wire, recipe->name);
    wire_u64(wire, recipe->codes);
    wire_u64(wire, (uint64_t)recipe->bits);
    wire_block(wire, recipe->shift, sizeof recipe->shift);
    wire_block(wire, recipe->table, sizeof recipe->table);
    wire_u64(wire, (uint64_t)(int64_t)recipe->zero_add);
    wire_f64(wire, recipe->divisor);
    wire_u64(wire, recipe->rows_each);
    wire_u64(wire, recipe->scale_rows);
    wire_u64(wire, recipe->block_rows);
    wire_u64(wire, recipe->block_cols);
    wire_u64(wire, recipe->flat);
    wire_companion(wire, recipe->scale);
    wire_companion(wire, recipe->zero);
    wire_companion(wire, recipe->group);
}

void wire_source(Wire *wire, const Source *source) {
    wire_file(wire, source->file);
    wire_u64(wire, source->dtype);
    wire_u64(wire, source->offset);
    wire_u64(wire, source->stored_rows);
    wire_u64(wire, source->stored_cols);
    wire_u64(wire, source->rows);
    wire_u64(wire, source->first_col);
    wire_u64(wire, source->cols);
    wire_u64(wire, source->col_step);
    wire_u64(wire, source->transposed);
    wire_u64(wire, source->run_count);
    wire_block(wire, source->runs, source->run_count * sizeof *source->runs);
    wire_u64(wire, source->recipe != NULL);
    if (source->recipe != NULL)
        wire_recipe(wire, source->recipe);
}

bool wire_source_able(const Source *source) {
    if (source == NULL)
        return true;
    const Recipe *recipe = source->recipe;
    return file_in_place(source->file) &&
           (recipe == NULL || (wire_source_able(recipe->scale) &&
                               wire_source_able(recipe->zero) &&
                               wire_source_able(recipe->group)));
}

/* ---- files ---- */

void wire_files_release(WireFiles *files) {
    for (int i = 0; i < WIRE_FILES; i++)
        file_release(files->file[i]);
    *files = (WireFiles){0};
}

/* Devices are numbered by each host for itself. */
static bool id_same(const FileId *a, const FileId *b) {
    return a->size == b->size && a->mtime_ns == b->mtime_ns &&
           a->inode == b->inode;
}

/* Opens the path, and keeps the file in the place of the one used longest
 * ago. */
static Status open_new(WireFiles *files, const char *path, const FileId *id,
                       File **out, Err *err) {
    File *file = NULL;
    Status status = file_open(&file, path, err);
    if (status != STATUS_OK)
        return status;
    if (!id_same(file_id(file), id)) {
        char shown[700];
        status = err_set(err, STATUS_IO,
                         "%s: another file on this rank than on rank 0 (%llu "
                         "bytes, inode %llu; there %llu and %llu)",
                         text_escape(shown, sizeof shown, path),
                         (unsigned long long)file_id(file)->size,
                         (unsigned long long)file_id(file)->inode,
                         (unsigned long long)id->size,
                         (unsigned long long)id->inode);
        file_release(file);
        return status;
    }
    file_release(files->file[files->next]);
    files->file[files->next] = file;
    files->next = (files->next + 1) % WIRE_FILES;
    *out = file_keep(file);
    return STATUS_OK;
}

/* Creates: file_release. */
static Status take_file(WireReader *from, WireFiles *files, File **out,
                        Err *err) {
    char path[PATH_MAX];
    FileId id = {0};
    uint64_t time = 0;
    Status status = take_text(from, path, sizeof path, "path", err);
    if (status == STATUS_OK)
        status = take_u64(from, &id.size, "file size", err);
    if (status == STATUS_OK)
        status = take_u64(from, &time, "file time", err);
    if (status == STATUS_OK)
        status = take_u64(from, &id.inode, "inode", err);
    if (status != STATUS_OK)
        return status;
    id.mtime_ns = (int64_t)time;
    for (int i = 0; i < WIRE_FILES; i++) {
        File *file = files->file[i];
        if (file != NULL && strcmp(file_path(file), path) == 0 &&
            id_same(file_id(file), &id) &&
            file_unchanged(file, NULL) == STATUS_OK) {
            *out = file_keep(file);
            return STATUS_OK;
        }
    }
    return open_new(files, path, &id, out, err);
}

/* ---- recipes ---- */

static Status unfit(const char *what, Err *err) {
    return err_set(err, STATUS_FORMAT, "a message's %s do not fit each other",
                   what);
}

/* Whether all of a source is stored one way: no view, no recipe. */
static bool source_whole(const Source *source, uint64_t bytes) {
    const DtypeRow *row = dtype_row(source->dtype);
    return source->recipe == NULL && !source->transposed &&
           source->rows == source->stored_rows &&
           source->cols == source->stored_cols && row->block == 1 &&
           dtype_readable(source->dtype) && (bytes == 0 || row->bytes == bytes);
}

/* How many rows of scales the stored matrix takes, in *out. */
static bool scale_rows(const Source *source, const Recipe *recipe,
                       uint64_t *out) {
    uint64_t last = source->stored_rows - 1, each = recipe->rows_each - 1;
    uint64_t stacked;
    if (recipe->flat || recipe->group != NULL) {
        *out = 1;
        return true;
    }
    uint64_t within = (last < each ? last : each) / recipe->block_rows;
    return !__builtin_mul_overflow(last / recipe->rows_each, recipe->scale_rows,
                                   &stacked) &&
           !__builtin_add_overflow(stacked, within, out) &&
           !__builtin_add_overflow(*out, 1, out);
}

/* Whether reading by the recipe stays within its companions. */
static bool recipe_fits(const Source *source, const Recipe *recipe) {
    const Source *scale = recipe->scale, *zero = recipe->zero;
    uint64_t rows = source->stored_rows, cols = source->stored_cols;
    uint64_t need, values = cols;
    if (rows == 0 || cols == 0)
        return true;
    if (recipe->flat && __builtin_mul_overflow(rows, cols, &values))
        return false;
    if ((values - 1) / recipe->block_cols >= scale->stored_cols ||
        !scale_rows(source, recipe, &need) || need > scale->stored_rows)
        return false;
    if (recipe->group != NULL && recipe->group->stored_cols < rows)
        return false;
    return zero == NULL ||
           (recipe->block_cols == 1 && !recipe->flat &&
            zero->stored_rows == scale->stored_rows &&
            (cols - 1) / (32 / (uint64_t)recipe->bits) < zero->stored_cols);
}

/* Whether the recipe's own numbers are such as packed.c makes. */
static bool recipe_sound(const Source *source, const Recipe *recipe) {
    const DtypeRow *row = dtype_row(source->dtype);
    bool words = recipe->codes == CODES_DOWN || recipe->codes == CODES_ACROSS;
    bool bits = recipe->bits == 4 || recipe->bits == 8;
    for (int i = 0; i < RECIPE_LANES; i++)
        if (recipe->shift[i] > 31)
            return false;
    if (recipe->codes == CODES_VALUES ? !dtype_readable(source->dtype)
                                      : row->block != 1)
        return false;
    if ((words && row->bytes != 4) ||
        (recipe->codes == CODES_PAIRS && row->bytes != 1))
        return false;
    return (bits || (!words && recipe->zero == NULL)) &&
           recipe->rows_each > 0 && recipe->block_rows > 0 &&
           recipe->block_cols > 0 && recipe->scale != NULL &&
           source_whole(recipe->scale, 0) &&
           (recipe->zero == NULL || source_whole(recipe->zero, 4)) &&
           (recipe->group == NULL || source_whole(recipe->group, 4));
}

static Status take_source_at(WireReader *from, WireFiles *files, bool nested,
                             Source **out, Err *err);

static Status take_companion(WireReader *from, WireFiles *files, Source **out,
                             Err *err) {
    uint64_t there = 0;
    Status status = take_most(from, &there, 1, "companion", err);
    if (status == STATUS_OK && there)
        status = take_source_at(from, files, true, out, err);
    return status;
}

/* The recipe's numbers. */
static Status take_numbers(WireReader *from, Recipe *recipe, Err *err) {
    uint64_t codes = 0, bits = 0, add = 0, flat = 0;
    Status status =
        take_text(from, recipe->name, sizeof recipe->name, "recipe", err);
    if (status == STATUS_OK)
        status = take_most(from, &codes, CODES_ACROSS, "codes", err);
    if (status == STATUS_OK)
        status = take_most(from, &bits, 8, "bits", err);
    if (status == STATUS_OK)
        status = take_block(from, recipe->shift, sizeof recipe->shift, "shifts",
                            err);
    if (status == STATUS_OK)
        status =
            take_block(from, recipe->table, sizeof recipe->table, "table", err);
    if (status == STATUS_OK)
        status = take_u64(from, &add, "zero's offset", err);
    if (status == STATUS_OK)
        status = take_f64(from, &recipe->divisor, "divisor", err);
    uint64_t *const number[] = {&recipe->rows_each, &recipe->scale_rows,
                                &recipe->block_rows, &recipe->block_cols};
    for (int i = 0; i < 4 && status == STATUS_OK; i++)
        status = take_u64(from, number[i], "blocks", err);
    if (status == STATUS_OK)
        status = take_most(from, &flat, 1, "flat", err);
    recipe->codes = (Codes)codes;
    recipe->bits = (int)bits;
    recipe->zero_add = (int)(int64_t)add;
    recipe->flat = flat;
    return status;
}

static Status take_recipe(WireReader *from, WireFiles *files, Recipe **out,
                          Err *err) {
    Recipe *made = mem_zeroed(1, sizeof *made, err);
    if (made == NULL)
        return STATUS_NOMEM;
    made->refs = 1;
    Status status = take_numbers(from, made, err);
    if (status == STATUS_OK)
        status = take_companion(from, files, &made->scale, err);
    if (status == STATUS_OK)
        status = take_companion(from, files, &made->zero, err);
    if (status == STATUS_OK)
        status = take_companion(from, files, &made->group, err);
    if (status == STATUS_OK)
        *out = made;
    else
        recipe_release(made);
    return status;
}

/* ---- sources ---- */

/* Whether the stored matrix lies in the file. */
static bool within_file(const Source *source) {
    uint64_t size = file_id(source->file)->size, bytes, end;
    Unit unit = source_unit(source);
    return source->stored_cols % unit.block == 0 &&
           source->stored_rows % unit.down == 0 &&
           source->stored_rows <= INT64_MAX &&
           source->stored_cols <= INT64_MAX &&
           !__builtin_mul_overflow(source->stored_cols / unit.block, unit.bytes,
                                   &bytes) &&
           !__builtin_mul_overflow(bytes, source->stored_rows / unit.down,
                                   &bytes) &&
           !__builtin_add_overflow(bytes, source->offset, &end) && end <= size;
}

/* Whether the run lies in the stored rows; adds its rows. */
static bool run_fits(const Source *source, const RowRun *run, uint64_t *rows) {
    uint64_t last, all;
    return run->len > 0 && run->n > 0 &&
           !__builtin_mul_overflow(run->n - 1, run->step, &last) &&
           !__builtin_add_overflow(last, run->first, &last) &&
           !__builtin_add_overflow(last, run->len, &last) &&
           last <= source->stored_rows &&
           !__builtin_mul_overflow(run->len, run->n, &all) &&
           !__builtin_add_overflow(*rows, all, rows);
}

static bool view_fits(const Source *source, const RowRun *runs, size_t count) {
    uint64_t rows = 0, last;
    for (size_t i = 0; i < count; i++)
        if (!run_fits(source, &runs[i], &rows))
            return false;
    if (rows != source->rows || rows > INT64_MAX || source->col_step == 0)
        return false;
    if (source->cols == 0)
        return source->first_col <= source->stored_cols;
    return !__builtin_mul_overflow(source->cols - 1, source->col_step, &last) &&
           !__builtin_add_overflow(last, source->first_col, &last) &&
           last < source->stored_cols;
}

static Status take_places(WireReader *from, Source *source, Err *err) {
    uint64_t dtype = 0, transposed = 0;
    Status status = take_most(from, &dtype, DTYPE_COUNT - 1, "dtype", err);
    uint64_t *const number[] = {&source->offset,      &source->stored_rows,
                                &source->stored_cols, &source->rows,
                                &source->first_col,   &source->cols,
                                &source->col_step};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        if (status == STATUS_OK)
            status = take_u64(from, number[i], "rows and columns", err);
    if (status == STATUS_OK)
        status = take_most(from, &transposed, 1, "transposed", err);
    source->dtype = (Dtype)dtype;
    source->transposed = transposed;
    return status;
}

/* Creates: mem_free. */
static Status take_runs(WireReader *from, RowRun **out, size_t *count,
                        Err *err) {
    uint64_t n = 0;
    Status status = take_count(from, &n, sizeof(RowRun), "runs", err);
    if (status == STATUS_OK && n > MAX_RUNS)
        status = unfit("runs", err);
    if (status != STATUS_OK)
        return status;
    RowRun *runs = mem_array((size_t)n, sizeof *runs, err);
    if (runs == NULL)
        return STATUS_NOMEM;
    status = take_block(from, runs, (size_t)n * sizeof *runs, "runs", err);
    if (status != STATUS_OK) {
        mem_free(runs);
        return status;
    }
    *out = runs;
    *count = (size_t)n;
    return STATUS_OK;
}

static Status take_source_at(WireReader *from, WireFiles *files, bool nested,
                             Source **out, Err *err) {
    Source made = {0};
    RowRun *runs = NULL;
    size_t count = 0;
    uint64_t packed = 0;
    Status status = take_file(from, files, &made.file, err);
    if (status == STATUS_OK)
        status = take_places(from, &made, err);
    if (status == STATUS_OK)
        status = take_runs(from, &runs, &count, err);
    if (status == STATUS_OK)
        status = take_most(from, &packed, !nested, "recipe", err);
    if (status == STATUS_OK && packed)
        status = take_recipe(from, files, &made.recipe, err);
    if (status == STATUS_OK && made.recipe != NULL &&
        !recipe_sound(&made, made.recipe))
        status = unfit("packed tensors", err);
    if (status == STATUS_OK &&
        (!within_file(&made) || !view_fits(&made, runs, count)))
        status = unfit("rows and columns", err);
    if (status == STATUS_OK && made.recipe != NULL &&
        !recipe_fits(&made, made.recipe))
        status = unfit("packed tensors", err);
    if (status == STATUS_OK)
        status = source_like(out, &made, runs, count, err);
    mem_free(runs);
    recipe_release(made.recipe);
    file_release(made.file);
    return status;
}

Status take_source(WireReader *from, WireFiles *files, Source **out, Err *err) {
    return take_source_at(from, files, false, out, err);
}
