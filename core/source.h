/* Where a matrix of a file lies: the record that a file's tensor, a pool job
 * and a cache key share. Plain data; editing a view makes a new record.
 *
 * The stored matrix is row-major, `stored_cols` elements a row (the tensor's
 * last axis; all earlier axes are rows). A view takes some of its rows, in the
 * order of its runs, every col_step-th of a window of its columns, and may be
 * read transposed. With a recipe the values are computed of several stored
 * tensors while they are read (recipe.h); rows and columns are the values'. */
#ifndef WEFT_SOURCE_H
#define WEFT_SOURCE_H

#include <stdbool.h>

#include "dtype.h"
#include "file.h"
#include "mem.h"

/* n runs of len consecutive stored rows; the i-th begins at first + i*step.
 * {0, R, 0, 1} is R rows in order; [head, 3, d_head] fused heads, taken for
 * the second third, are {d_head, d_head, 3*d_head, heads}. */
typedef struct RowRun {
    uint64_t first, len, step, n;
} RowRun;

typedef struct Recipe Recipe;

typedef struct Source {
    int refs; /* atomic */
    File *file;
    Dtype dtype;
    uint64_t offset; /* of the stored matrix's first byte */
    uint64_t stored_rows, stored_cols;
    uint64_t rows; /* of the view, before transposing */
    uint64_t first_col, cols, col_step;
    bool transposed;
    Recipe *recipe; /* kept; NULL: the values are the stored elements */
    size_t run_count;
    RowRun runs[];
} Source;

/* How many non-finite values were read, and where the first of them lies in
 * row-major order, whatever the order of the blocks. */
typedef struct NonFinite {
    uint64_t count;
    uint64_t row, col; /* 0-based, of the view as it was read */
} NonFinite;

/* Adds the n values at x: they lie at (row, col), (row, col+1), … or, with
 * `down`, at (row, col), (row+1, col), … */
void nonfinite_scan(NonFinite *bad, const double *x, uint64_t n, uint64_t row,
                    uint64_t col, bool down);

/* STATUS_ARGUMENT unless first, first+step, … (count of them) lie within
 * `size` and step is not 0. `noun` is "row" or "column"; the message counts
 * from one: "row 9 of 8: expected 1 to 8". */
CHECKED Status span_check(const char *noun, uint64_t size, uint64_t first,
                          uint64_t count, uint64_t step, Err *err);

/* The whole stored matrix at byte `offset` of `file`. STATUS_FORMAT where a row
 * is no whole number of the dtype's blocks, the size overflows, or the matrix
 * does not end within the file. Creates; keeps file. */
CHECKED Status source_create(Source **out, File *file, Dtype dtype,
                             uint64_t offset, uint64_t rows, uint64_t cols,
                             Err *err);
/* A record like `like`, but of these runs; keeps like's file and recipe. The
 * caller sees to it that they fit each other. Creates. */
CHECKED Status source_like(Source **out, const Source *like, const RowRun *runs,
                           size_t count, Err *err);
Source *source_keep(Source *source);
void source_release(Source *source);

/* Rows first, first+step, … (count of them) of the view as it stands; if the
 * view is transposed these are its columns in the file. Creates. */
CHECKED Status source_rows(Source **out, const Source *source, uint64_t first,
                           uint64_t count, uint64_t step, Err *err);
/* Columns likewise. */
CHECKED Status source_cols(Source **out, const Source *source, uint64_t first,
                           uint64_t count, uint64_t step, Err *err);
/* The view's rows in the order of `runs` (each within its rows; rows may come
 * again). A transposed view, or one of more than 65,536 runs, is
 * STATUS_UNSUPPORTED. Creates. */
CHECKED Status source_runs(Source **out, const Source *source,
                           const RowRun *runs, size_t count, Err *err);
CHECKED Status source_transpose(Source **out, const Source *source, Err *err);

/* Whether two records are one view of the same stored values. */
bool source_same(const Source *a, const Source *b);

/* Rows and columns as the view shows them (after transposing). */
uint64_t source_view_rows(const Source *source);
uint64_t source_view_cols(const Source *source);

/* Reads the block of nr x nc elements at (r0, c0) of the view, transposed or
 * not, to dst, row-major with `ld` elements between rows, widened to float64.
 * Stored rows that lie close together become one pread, so that blocks of whole
 * stored rows read fastest: of a transposed view those are blocks of columns.
 * Of columns with a step all that lie between are read too.
 * `bad` (may be NULL) is added to: zero it before the first block; it is
 * untouched on failure. Slot `slot` of the scratch grows to at most about
 * 1.1 MB, by a recipe 2 MB. */
CHECKED Status source_read(const Source *source, uint64_t r0, uint64_t nr,
                           uint64_t c0, uint64_t nc, double *dst, uint64_t ld,
                           NonFinite *bad, Scratch *scratch, int slot,
                           Err *err);

/* Asks the system to read the view's first `most` bytes ahead. */
void source_advise(const Source *source, uint64_t most);

#endif
