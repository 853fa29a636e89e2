/* Reading blocks of a source's view: few preads, decoding in the cache. */
#include "quant.h"
#include "recipe.h"

enum {
    RAW_BYTES = 1 << 20, /* read at once: stays in the second-level cache */
    GAP_BYTES = 512,     /* read over: less than a pread, and no panel's part */
    LOAD_ROWS = 1024,    /* rows read before they are decoded */
    SEGMENT = 4096,      /* values decoded before they are looked at */
    TILE_ROWS = 32,      /* stored rows and columns transposed at a time */
    TILE_COLS = 256,
    TILE_LD = TILE_COLS + 8, /* rows apart by no power of two: cache sets */
    ALIGN = 64,
    AHEAD_BYTES = 16 << 20, /* on their way beyond what is being read */
    AHEAD_STEP = 1 << 20,   /* as they are asked for */
    AHEAD_LEAST = 1 << 18,  /* a call that reads less asks for nothing */
    AHEAD_GAP = 4096        /* in a row that is asked for as a whole */
};

/* One more in the exponent carries into the sign where all its ones are set. */
static inline uint64_t exponent_carry(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits & UINT64_MAX >> 1) + (UINT64_C(1) << 52);
}

/* Whether one of n values is not finite. */
HOT static bool nonfinite_any(const double *x, uint64_t n) {
    uint64_t any = 0, done = 0;
    for (; n - done >= QUANT_CHUNK; done += QUANT_CHUNK)
        for (size_t i = 0; i < QUANT_CHUNK; i++)
            any |= exponent_carry(x[done + i]);
    for (; done < n; done++)
        any |= exponent_carry(x[done]);
    return any >> 63 != 0;
}

static void nonfinite_note(NonFinite *bad, uint64_t row, uint64_t col) {
    if (bad->count == 0 || row < bad->row ||
        (row == bad->row && col < bad->col)) {
        bad->row = row;
        bad->col = col;
    }
    bad->count++;
}

void nonfinite_scan(NonFinite *bad, const double *x, uint64_t n, uint64_t row,
                    uint64_t col, bool down) {
    if (!nonfinite_any(x, n))
        return;
    for (uint64_t i = 0; i < n; i++) {
        if (exponent_carry(x[i]) >> 63 != 0)
            nonfinite_note(bad, down ? row + i : row, down ? col : col + i);
    }
}

/* A walk over the view's stored rows. */
typedef struct Cursor {
    const RowRun *run;
    uint64_t i, j;
} Cursor;

static Cursor cursor_at(const Source *view, uint64_t row) {
    const RowRun *run = view->runs;
    for (; row >= run->len * run->n; run++)
        row -= run->len * run->n;
    return (Cursor){run, row / run->len, row % run->len};
}

static uint64_t cursor_row(const Cursor *at) {
    return at->run->first + at->i * at->run->step + at->j;
}

static void cursor_next(Cursor *at) {
    if (++at->j < at->run->len)
        return;
    at->j = 0;
    if (++at->i < at->run->n)
        return;
    at->i = 0;
    at->run++;
}

/* The stored column that the view's j-th is. */
static uint64_t stored_col(const Source *source, uint64_t j) {
    return source->first_col + j * source->col_step;
}

/* How many columns of a step each end before stored column `end`, from stored
 * column `at` on. */
static uint64_t cols_until(const Source *source, uint64_t at, uint64_t end) {
    return (end - at - 1) / source->col_step + 1;
}

/* Columns of the view, and the bytes of the units that cover them in a row. */
typedef struct Window {
    uint64_t col, cols;
    uint64_t byte, bytes;
} Window;

/* At least one column. */
static Window window_of(const Source *source, uint64_t col, uint64_t cols) {
    Unit unit = source_unit(source);
    uint64_t first = stored_col(source, col) / unit.block;
    uint64_t end = stored_col(source, col + cols - 1) / unit.block + 1;
    return (Window){col, cols, first * unit.bytes, (end - first) * unit.bytes};
}

/* One call of source_read, in rows and columns of the view as it lies in the
 * file. */
typedef struct Reader {
    const Source *source;
    Unit unit;
    uint64_t row_bytes;
    uint64_t row0, rows, col0, cols; /* of the block */
    double *dst;
    uint64_t ld;
    NonFinite *bad; /* NULL: nobody asks */
    double *edge;   /* a unit that the window cuts */
    double *wide;   /* (SEGMENT) stored columns, where a step picks some */
    double *tile;   /* (TILE_ROWS, TILE_LD), of a transposed view */
    uint8_t *raw;
    size_t raw_bytes;
    bool ahead;              /* what follows is asked for */
    Window part;             /* of the block's columns, what raw can hold */
    size_t loaded;           /* rows in raw, */
    size_t pos[LOAD_ROWS];   /* where each begins, */
    uint64_t row[LOAD_ROWS]; /* and which of the stored it is */
    RecipeReader recipe;     /* where the source has one */
} Reader;

/* Whether a call's reading is followed by reading on: it takes much, and whole
 * rows, or the first columns of the matrix, the others being wanted next. */
static bool reads_ahead(const Reader *r) {
    Window all = window_of(r->source, 0, r->source->cols);
    return r->col0 == 0 && r->row_bytes - all.bytes <= AHEAD_GAP &&
           r->rows > AHEAD_LEAST / r->part.bytes;
}

/* How far into the file the bytes are on their way when `at` is read. */
static uint64_t ahead_of(uint64_t at) {
    return at / AHEAD_STEP * AHEAD_STEP + AHEAD_BYTES;
}

/* The cursor's row is about to be read: asks for what lies AHEAD_BYTES on in
 * its run, and at the run's first row for all before that. Whole rows, since a
 * wide matrix is read by its columns: the first of these bring in, in the
 * file's order, what the others would look for all over it. */
static void read_ahead(const Reader *r, const Cursor *at) {
    const RowRun *run = at->run;
    bool first = at->i == 0 && at->j == 0;
    uint64_t start = r->source->offset, down = r->unit.down;
    uint64_t last = run->first + (run->n - 1) * run->step + run->len - 1;
    uint64_t limit = start + (last / down + 1) * r->row_bytes;
    uint64_t from = start + cursor_row(at) / down * r->row_bytes;
    uint64_t to = ahead_of(from + r->row_bytes);
    if (!first)
        from = ahead_of(from);
    to = to < limit ? to : limit;
    if (from < to && (!first || to - from > AHEAD_STEP))
        file_advise(r->source->file, from, to - from);
}

/* Fills raw with the part's bytes of up to `left` rows, from *at on. */
static Status load_rows(Reader *r, Cursor *at, uint64_t left, Err *err) {
    uint64_t start = 0, end = 0; /* of one pread, in the file */
    size_t base = 0;             /* and in raw */
    r->loaded = 0;
    while (r->loaded < LOAD_ROWS && r->loaded < left) {
        uint64_t row = cursor_row(at);
        uint64_t from = r->source->offset + row / r->unit.down * r->row_bytes +
                        r->part.byte;
        bool again = r->loaded > 0 && from + r->part.bytes == end;
        bool joins = r->loaded > 0 && from >= end && from - end <= GAP_BYTES;
        size_t pos = joins || again
                         ? base + (from - start)
                         : (base + (end - start) + ALIGN - 1) / ALIGN * ALIGN;
        if (pos + r->part.bytes > r->raw_bytes)
            break;
        if (r->ahead)
            read_ahead(r, at);
        if (!joins && !again) {
            Status status = STATUS_OK;
            if (r->loaded > 0)
                status = file_read(r->source->file, start, r->raw + base,
                                   end - start, err);
            if (status != STATUS_OK)
                return status;
            start = from;
            base = pos;
        }
        end = from + r->part.bytes;
        r->row[r->loaded] = row;
        r->pos[r->loaded++] = pos;
        cursor_next(at);
    }
    return file_read(r->source->file, start, r->raw + base, end - start, err);
}

/* Decodes whole units of stored row `row`. */
static Status decode_units(const Reader *r, uint64_t row, const uint8_t *src,
                           uint64_t n, double *dst, Err *err) {
    return r->source->recipe == NULL
               ? dtype_decode(r->source->dtype, src, n, dst, err)
               : recipe_codes(r->source, row, src, n, dst, err);
}

/* Decodes n <= SEGMENT values from stored column c on of the k-th row in raw.
 */
static Status decode_window(Reader *r, size_t k, uint64_t c, uint64_t n,
                            double *dst, Err *err) {
    uint64_t block = r->unit.block, cut = c % block, done = 0;
    const uint8_t *src =
        r->raw + r->pos[k] + (c / block * r->unit.bytes - r->part.byte);
    Status status = STATUS_OK;
    while (done < n && status == STATUS_OK) {
        uint64_t take = (n - done) / block * block;
        if (cut > 0 || take == 0) {
            take = block - cut < n - done ? block - cut : n - done;
            status = decode_units(r, r->row[k], src, block, r->edge, err);
            if (status == STATUS_OK)
                memcpy(dst + done, r->edge + cut, take * sizeof *dst);
        } else {
            status = decode_units(r, r->row[k], src, take, dst + done, err);
        }
        src += (cut + take) / block * r->unit.bytes;
        cut = 0;
        done += take;
    }
    if (status == STATUS_OK && r->source->recipe != NULL)
        status = recipe_apply(&r->recipe, r->row[k], c, n, dst, err);
    return status;
}

/* The same of n columns of the view from the j-th on. */
static Status decode_cols(Reader *r, size_t k, uint64_t j, uint64_t n,
                          double *dst, Err *err) {
    uint64_t c = stored_col(r->source, j), step = r->source->col_step;
    if (step == 1)
        return decode_window(r, k, c, n, dst, err);
    Status status = decode_window(r, k, c, (n - 1) * step + 1, r->wide, err);
    for (uint64_t i = 0; i < n && status == STATUS_OK; i++)
        dst[i] = r->wide[i * step];
    return status;
}

/* The end of the piece of columns from the j-th on that lie within one stretch
 * of `size` stored ones. */
static uint64_t piece_end(const Reader *r, uint64_t j, uint64_t size) {
    uint64_t c = stored_col(r->source, j), end = r->part.col + r->part.cols;
    uint64_t next = j + cols_until(r->source, c, (c / size + 1) * size);
    return next < end ? next : end;
}

/* Decodes the loaded rows, the first of which is the view's `row`, to dst. */
static Status emit_rows(Reader *r, uint64_t row, Err *err) {
    const Window *part = &r->part;
    for (size_t k = 0; k < r->loaded; k++) {
        double *line = r->dst + (row - r->row0 + k) * r->ld;
        uint64_t next;
        for (uint64_t j = part->col; j < part->col + part->cols; j = next) {
            next = piece_end(r, j, SEGMENT);
            double *dst = line + (j - r->col0);
            Status status = decode_cols(r, k, j, next - j, dst, err);
            if (status != STATUS_OK)
                return status;
            if (r->bad != NULL)
                nonfinite_scan(r->bad, dst, next - j, row + k, j, false);
        }
    }
    return STATUS_OK;
}

/* Decodes columns [j, end) of `rows` loaded rows from the k-th on. */
static Status fill_tile(Reader *r, uint64_t row, size_t k, size_t rows,
                        uint64_t j, uint64_t end, Err *err) {
    for (size_t i = 0; i < rows; i++) {
        double *line = r->tile + i * TILE_LD;
        Status status = decode_cols(r, k + i, j, end - j, line, err);
        if (status != STATUS_OK)
            return status;
        if (r->bad != NULL)
            nonfinite_scan(r->bad, line, end - j, j, row + k + i, true);
    }
    return STATUS_OK;
}

/* The loaded rows as columns of dst. */
static Status emit_tiles(Reader *r, uint64_t row, Err *err) {
    const Window *part = &r->part;
    for (size_t k = 0; k < r->loaded; k += TILE_ROWS) {
        size_t rows = r->loaded - k < TILE_ROWS ? r->loaded - k : TILE_ROWS;
        uint64_t next;
        for (uint64_t j = part->col; j < part->col + part->cols; j = next) {
            next = piece_end(r, j, TILE_COLS);
            Status status = fill_tile(r, row, k, rows, j, next, err);
            if (status != STATUS_OK)
                return status;
            double *dst = r->dst + (j - r->col0) * r->ld + (row - r->row0 + k);
            for (uint64_t c = 0; c < next - j; c++, dst += r->ld) {
                for (size_t i = 0; i < rows; i++)
                    dst[i] = r->tile[i * TILE_LD + c];
            }
        }
    }
    return STATUS_OK;
}

/* Reads the part's columns of all rows. */
static Status read_part(Reader *r, Err *err) {
    Cursor at = cursor_at(r->source, r->row0);
    uint64_t row = r->row0, end = r->row0 + r->rows;
    while (row < end) {
        Status status = load_rows(r, &at, end - row, err);
        if (status != STATUS_OK)
            return status;
        status = (r->source->transposed ? emit_tiles : emit_rows)(r, row, err);
        if (status != STATUS_OK)
            return status;
        row += r->loaded;
    }
    return STATUS_OK;
}

static size_t aligned(size_t n) {
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* Lays the reader's buffers out in one slot: an edge, a wide line, a tile,
 * what the recipe wants, raw bytes. */
static Status reader_room(Reader *r, Scratch *scratch, int slot, Err *err) {
    const Source *source = r->source;
    Window all = window_of(source, r->col0, r->cols);
    size_t raw = RAW_BYTES;
    if (all.bytes < RAW_BYTES && r->rows < RAW_BYTES / (all.bytes + GAP_BYTES))
        raw = r->rows * (all.bytes + GAP_BYTES);
    size_t edge = aligned(r->unit.block);
    size_t wide = source->col_step > 1 ? SEGMENT : 0;
    size_t tile = source->transposed ? TILE_ROWS * TILE_LD : 0;
    size_t recipe =
        source->recipe == NULL ? 0 : aligned(recipe_room(source, r->rows));
    size_t values = (edge + wide + tile) * sizeof(double);
    uint8_t *block = scratch_take(scratch, slot, values + recipe + raw, 1, err);
    if (block == NULL)
        return STATUS_NOMEM;
    r->edge = (double *)(void *)block;
    r->wide = r->edge + edge;
    r->tile = r->wide + wide;
    if (source->recipe != NULL)
        recipe_begin(&r->recipe, source, r->rows, block + values);
    r->raw = block + values + recipe;
    r->raw_bytes = raw;
    return STATUS_OK;
}

Status source_read(const Source *source, uint64_t r0, uint64_t nr, uint64_t c0,
                   uint64_t nc, double *dst, uint64_t ld, NonFinite *bad,
                   Scratch *scratch, int slot, Err *err) {
    Status status = span_check("row", source_view_rows(source), r0, nr, 1, err);
    if (status == STATUS_OK)
        status = span_check("column", source_view_cols(source), c0, nc, 1, err);
    /* decoding nothing words the refusal of a dtype */
    if (status == STATUS_OK && !dtype_readable(source->dtype))
        status = dtype_decode(source->dtype, dst, 0, dst, err);
    if (status != STATUS_OK || nr == 0 || nc == 0)
        return status;
    bool t = source->transposed;
    Unit unit = source_unit(source);
    NonFinite met = {0, 0, 0};
    if (bad != NULL)
        met = *bad;
    Reader r = {.source = source,
                .unit = unit,
                .row_bytes = source->stored_cols / unit.block * unit.bytes,
                .row0 = t ? c0 : r0,
                .rows = t ? nc : nr,
                .col0 = t ? r0 : c0,
                .cols = t ? nr : nc,
                .dst = dst,
                .ld = ld,
                .bad = bad == NULL ? NULL : &met};
    status = reader_room(&r, scratch, slot, err);
    uint64_t end = r.col0 + r.cols, next;
    for (uint64_t j = r.col0; j < end && status == STATUS_OK; j = next) {
        uint64_t c = stored_col(source, j);
        uint64_t stop = (c / unit.block + RAW_BYTES / unit.bytes) * unit.block;
        next = j + cols_until(source, c, stop);
        next = next < end ? next : end;
        r.part = window_of(source, j, next - j);
        r.ahead = j == r.col0 && reads_ahead(&r);
        status = read_part(&r, err);
    }
    if (status == STATUS_OK && bad != NULL)
        *bad = met;
    return status;
}

/* At most *left of the bytes; none would mean all of the file. */
static void advise(const Source *source, uint64_t start, uint64_t end,
                   uint64_t *left) {
    uint64_t bytes = end - start < *left ? end - start : *left;
    if (bytes > 0)
        file_advise(source->file, start, bytes);
    *left -= bytes;
}

void source_advise(const Source *source, uint64_t most) {
    Unit unit = source_unit(source);
    uint64_t row_bytes = source->stored_cols / unit.block * unit.bytes;
    if (source->cols == 0)
        return;
    Window window = window_of(source, 0, source->cols);
    bool dense = row_bytes - window.bytes <= AHEAD_GAP;
    uint64_t start = 0, end = 0, left = most;
    for (size_t k = 0; k < source->run_count && left > 0; k++) {
        const RowRun *run = &source->runs[k];
        uint64_t rows = dense ? run->len : 1;
        for (Cursor at = {run, 0, 0}; at.run == run; cursor_next(&at)) {
            uint64_t row = cursor_row(&at), last = row + rows - 1;
            uint64_t from = source->offset + row / unit.down * row_bytes;
            from += window.byte;
            if (end == 0 || from < end || from - end > AHEAD_GAP) {
                advise(source, start, end, &left);
                start = from;
            }
            end = source->offset + last / unit.down * row_bytes + window.byte +
                  window.bytes;
            at.j += rows - 1;
        }
    }
    advise(source, start, end, &left);
}
