/* How a tensor's values are computed of two or more stored tensors, while they
 * are read: codes out of the stored matrix, less a zero point, times a scale.
 *
 *     value = (code - (zero + zero_add)) * scale / divisor
 *
 * A zero has a column of its own, and so has the scale then (block_cols 1).
 * Plain data that views share; core/packed.h makes and checks it. */
#ifndef WEFT_RECIPE_H
#define WEFT_RECIPE_H

#include "source.h"

/* How the codes lie in the stored elements. */
typedef enum Codes {
    CODES_VALUES, /* an element is a value of its dtype */
    CODES_PAIRS,  /* two of a table's 16 in a byte */
    CODES_DOWN,   /* 32 / bits rows of one column in a word, lowest first */
    CODES_ACROSS  /* 32 / bits columns of one row in a word */
} Codes;

enum { RECIPE_TABLE = 16, RECIPE_LANES = 8 };

struct Recipe {
    int refs;      /* atomic */
    char name[32]; /* what the dtype reads: "MXFP4", "F8_E4M3 x F32" */
    Codes codes;
    int bits;                    /* of a code: 4 or 8, but of CODES_VALUES */
    uint8_t shift[RECIPE_LANES]; /* of a byte's or word's columns, in bits */
    double table[RECIPE_TABLE];  /* of CODES_PAIRS */
    Source *scale;               /* whole stored matrices, kept; zero and */
    Source *zero, *group;        /* group may be NULL */
    int zero_add;
    double divisor;
    /* A scale's row: group[row] where there is a group; 0 where `flat`; else
     * row / block_rows within each stacked matrix of rows_each rows, which
     * have scale_rows rows of scales. Its column: col / block_cols; where
     * `flat`, the element's number in row-major order / block_cols. */
    uint64_t rows_each, scale_rows;
    uint64_t block_rows, block_cols;
    bool flat;
};

/* Values lie in the file in units: `block` columns of `down` rows in `bytes`
 * bytes. */
typedef struct Unit {
    uint64_t block, bytes, down;
} Unit;

Unit source_unit(const Source *source);

Recipe *recipe_keep(Recipe *recipe);
void recipe_release(Recipe *recipe);
/* Whether two recipes compute the same of the same bytes. */
bool recipe_same(const Recipe *a, const Recipe *b);

/* A companion's rows as they were read last. */
typedef struct Companion {
    const Source *source; /* NULL: the recipe has none */
    uint64_t row_bytes;
    uint64_t fit;         /* rows that raw holds; 0: only parts of one */
    uint64_t first, rows; /* those in raw */
    uint8_t *raw;
} Companion;

enum {
    RECIPE_MOST = 4096, /* columns that recipe_apply takes at a time */
    RECIPE_LINE = RECIPE_MOST + 2 * RECIPE_LANES
};

/* What reading by a recipe keeps from row to row. */
typedef struct RecipeReader {
    const Recipe *recipe;
    uint64_t cols; /* of a stored row */
    Companion scale, zero, group;
    double *scales, *zeros; /* (RECIPE_LINE) of the columns used last: */
    uint64_t row, first, n; /* the scales' row, column, and how many */
} RecipeReader;

/* Bytes that a reader of `rows` rows of the source at a time needs. */
size_t recipe_room(const Source *source, uint64_t rows);
/* Lays it out in `block`, aligned to 64. Borrows both. */
void recipe_begin(RecipeReader *reader, const Source *source, uint64_t rows,
                  uint8_t *block);
/* Decodes whole units of stored row `row` into codes: n columns. */
CHECKED Status recipe_codes(const Source *source, uint64_t row,
                            const uint8_t *src, uint64_t n, double *dst,
                            Err *err);
/* Makes values of the n <= RECIPE_MOST codes at dst, which are stored columns
 * col, col+1, … of `row`. */
CHECKED Status recipe_apply(RecipeReader *reader, uint64_t row, uint64_t col,
                            uint64_t n, double *dst, Err *err);

#endif
