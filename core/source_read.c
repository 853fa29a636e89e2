/* Reading blocks of a source's view: few preads, decoding in the cache. */
#include "quant.h"
#include "source.h"

enum {
    RAW_BYTES = 1 << 20, /* read at once: stays in the second-level cache */
    GAP_BYTES = 4096,    /* reading over this much costs less than a pread */
    LOAD_ROWS = 1024,    /* rows read before they are decoded */
    SEGMENT = 4096,      /* values decoded before they are looked at */
    TILE_ROWS = 32,      /* stored rows and columns transposed at a time */
    TILE_COLS = 256,
    TILE_LD = TILE_COLS + 8, /* rows apart by no power of two: cache sets */
    ALIGN = 64
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

/* Stored columns, and the bytes of the blocks that cover them in a row. */
typedef struct Window {
    uint64_t col, cols;
    uint64_t byte, bytes;
} Window;

static Window window_of(const DtypeRow *format, uint64_t col, uint64_t cols) {
    uint64_t first = col / format->block;
    uint64_t end = (col + cols + format->block - 1) / format->block;
    return (Window){col, cols, first * format->bytes,
                    (end - first) * format->bytes};
}

/* One call of source_read, in stored rows and columns. */
typedef struct Reader {
    const Source *source;
    const DtypeRow *format;
    uint64_t row_bytes;
    uint64_t row0, rows, col0, cols; /* of the block; rows of the view */
    double *dst;
    uint64_t ld;
    NonFinite *bad; /* NULL: nobody asks */
    double *edge;   /* a block that the window cuts */
    double *tile;   /* (TILE_ROWS, TILE_LD), of a transposed view */
    uint8_t *raw;
    size_t raw_bytes;
    Window part;           /* of the block's columns, what raw can hold */
    size_t loaded;         /* rows in raw, */
    size_t pos[LOAD_ROWS]; /* and where each begins */
} Reader;

/* Fills raw with the part's bytes of up to `left` rows, from *at on. */
static Status load_rows(Reader *r, Cursor *at, uint64_t left, Err *err) {
    uint64_t start = 0, end = 0; /* of one pread, in the file */
    size_t base = 0;             /* and in raw */
    r->loaded = 0;
    while (r->loaded < LOAD_ROWS && r->loaded < left) {
        uint64_t from =
            r->source->offset + cursor_row(at) * r->row_bytes + r->part.byte;
        bool joins = r->loaded > 0 && from >= end && from - end <= GAP_BYTES;
        size_t pos = joins ? base + (from - start)
                           : (base + (end - start) + ALIGN - 1) / ALIGN * ALIGN;
        if (pos + r->part.bytes > r->raw_bytes)
            break;
        if (!joins) {
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
        r->pos[r->loaded++] = pos;
        cursor_next(at);
    }
    return file_read(r->source->file, start, r->raw + base, end - start, err);
}

/* Decodes n values from stored column c on of the k-th row in raw. */
static Status decode_window(const Reader *r, size_t k, uint64_t c, uint64_t n,
                            double *dst, Err *err) {
    Dtype dtype = r->source->dtype;
    uint64_t block = r->format->block, cut = c % block;
    const uint8_t *src =
        r->raw + r->pos[k] + (c / block * r->format->bytes - r->part.byte);
    Status status = STATUS_OK;
    while (n > 0 && status == STATUS_OK) {
        uint64_t take = n / block * block;
        if (cut > 0 || take == 0) {
            take = block - cut < n ? block - cut : n;
            status = dtype_decode(dtype, src, block, r->edge, err);
            if (status == STATUS_OK)
                memcpy(dst, r->edge + cut, take * sizeof *dst);
        } else {
            status = dtype_decode(dtype, src, take, dst, err);
        }
        src += (cut + take) / block * r->format->bytes;
        cut = 0;
        dst += take;
        n -= take;
    }
    return status;
}

/* The end of the piece, a multiple of `size`, that column c lies in. */
static uint64_t piece_end(const Window *window, uint64_t c, uint64_t size) {
    uint64_t end = window->col + window->cols, next = (c / size + 1) * size;
    return next < end ? next : end;
}

/* Decodes the loaded rows, the first of which is the view's `row`, to dst. */
static Status emit_rows(Reader *r, uint64_t row, Err *err) {
    const Window *part = &r->part;
    for (size_t k = 0; k < r->loaded; k++) {
        double *line = r->dst + (row - r->row0 + k) * r->ld;
        uint64_t next;
        for (uint64_t c = part->col; c < part->col + part->cols; c = next) {
            next = piece_end(part, c, SEGMENT);
            double *dst = line + (c - r->col0);
            Status status = decode_window(r, k, c, next - c, dst, err);
            if (status != STATUS_OK)
                return status;
            if (r->bad != NULL)
                nonfinite_scan(r->bad, dst, next - c, row + k,
                               c - r->source->first_col, false);
        }
    }
    return STATUS_OK;
}

/* Decodes columns [c, end) of `rows` loaded rows from the k-th on. */
static Status fill_tile(Reader *r, uint64_t row, size_t k, size_t rows,
                        uint64_t c, uint64_t end, Err *err) {
    for (size_t i = 0; i < rows; i++) {
        double *line = r->tile + i * TILE_LD;
        Status status = decode_window(r, k + i, c, end - c, line, err);
        if (status != STATUS_OK)
            return status;
        if (r->bad != NULL)
            nonfinite_scan(r->bad, line, end - c, c - r->source->first_col,
                           row + k + i, true);
    }
    return STATUS_OK;
}

/* The loaded rows as columns of dst. */
static Status emit_tiles(Reader *r, uint64_t row, Err *err) {
    const Window *part = &r->part;
    for (size_t k = 0; k < r->loaded; k += TILE_ROWS) {
        size_t rows = r->loaded - k < TILE_ROWS ? r->loaded - k : TILE_ROWS;
        uint64_t next;
        for (uint64_t c = part->col; c < part->col + part->cols; c = next) {
            next = piece_end(part, c, TILE_COLS);
            Status status = fill_tile(r, row, k, rows, c, next, err);
            if (status != STATUS_OK)
                return status;
            double *dst = r->dst + (c - r->col0) * r->ld + (row - r->row0 + k);
            for (uint64_t j = 0; j < next - c; j++, dst += r->ld) {
                for (size_t i = 0; i < rows; i++)
                    dst[i] = r->tile[i * TILE_LD + j];
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

/* Lays the reader's buffers out in one slot: an edge, a tile, raw bytes. */
static Status reader_room(Reader *r, Scratch *scratch, int slot, Err *err) {
    Window all = window_of(r->format, r->col0, r->cols);
    size_t raw = RAW_BYTES;
    if (all.bytes < RAW_BYTES && r->rows < RAW_BYTES / (all.bytes + GAP_BYTES))
        raw = r->rows * (all.bytes + GAP_BYTES);
    size_t edge = ((size_t)r->format->block + ALIGN - 1) / ALIGN * ALIGN;
    size_t tile = r->source->transposed ? TILE_ROWS * TILE_LD : 0;
    r->edge = scratch_take(scratch, slot, (edge + tile) * sizeof(double) + raw,
                           1, err);
    if (r->edge == NULL)
        return STATUS_NOMEM;
    r->tile = r->edge + edge;
    r->raw = (uint8_t *)(r->tile + tile);
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
    const DtypeRow *format = dtype_row(source->dtype);
    NonFinite met = {0, 0, 0};
    if (bad != NULL)
        met = *bad;
    Reader r = {.source = source,
                .format = format,
                .row_bytes =
                    source->stored_cols / format->block * format->bytes,
                .row0 = t ? c0 : r0,
                .rows = t ? nc : nr,
                .col0 = source->first_col + (t ? r0 : c0),
                .cols = t ? nr : nc,
                .dst = dst,
                .ld = ld,
                .bad = bad == NULL ? NULL : &met};
    status = reader_room(&r, scratch, slot, err);
    uint64_t end = r.col0 + r.cols, next;
    for (uint64_t c = r.col0; c < end && status == STATUS_OK; c = next) {
        next = (c / format->block + RAW_BYTES / format->bytes) * format->block;
        next = next < end ? next : end;
        r.part = window_of(format, c, next - c);
        status = read_part(&r, err);
    }
    if (status == STATUS_OK && bad != NULL)
        *bad = met;
    return status;
}

/* No bytes would mean all of the file. */
static void advise(const Source *source, uint64_t start, uint64_t end) {
    if (end > start)
        file_advise(source->file, start, end - start);
}

void source_advise(const Source *source) {
    const DtypeRow *format = dtype_row(source->dtype);
    uint64_t row_bytes = source->stored_cols / format->block * format->bytes;
    Window window = window_of(format, source->first_col, source->cols);
    bool dense = row_bytes - window.bytes <= GAP_BYTES;
    uint64_t start = 0, end = 0;
    for (size_t k = 0; window.bytes > 0 && k < source->run_count; k++) {
        const RowRun *run = &source->runs[k];
        uint64_t rows = dense ? run->len : 1;
        for (Cursor at = {run, 0, 0}; at.run == run; cursor_next(&at)) {
            uint64_t from =
                source->offset + cursor_row(&at) * row_bytes + window.byte;
            if (end == 0 || from < end || from - end > GAP_BYTES) {
                advise(source, start, end);
                start = from;
            }
            end = from + (rows - 1) * row_bytes + window.bytes;
            at.j += rows - 1;
        }
    }
    advise(source, start, end);
}
