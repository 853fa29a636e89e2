/* Reading by a recipe: codes out of bytes, and what makes values of them. */
#include <inttypes.h>

#include "quant.h"
#include "recipe.h"

enum {
    ALIGN = 64,
    COMPANION_BYTES = 1 << 18,      /* a companion's rows read at once */
    WINDOW_BYTES = RECIPE_LINE * 8, /* or a part of one that is longer */
    LINE_BYTES = (RECIPE_LINE * 8 + ALIGN - 1) / ALIGN * ALIGN
};

/* ---- codes ---- */

/*     | lo hi | lo hi | …    four bits each; or the high ones first */
static void codes_pairs(const Recipe *recipe, const uint8_t *src, uint64_t n,
                        double *restrict dst) {
    int first = recipe->shift[0], second = recipe->shift[1];
    for (uint64_t i = 0; i < n / 2; i++) {
        dst[2 * i] = recipe->table[src[i] >> first & 15];
        dst[2 * i + 1] = recipe->table[src[i] >> second & 15];
    }
}

static inline uint32_t word_at(const uint8_t *src, uint64_t i) {
    uint32_t word;
    memcpy(&word, src + i * sizeof word, sizeof word);
    return word;
}

/*     | word of column 0 | word of column 1 | …    a row has `bits` of each */
HOT static void codes_down(const uint8_t *restrict src, uint64_t n, int shift,
                           uint32_t mask, double *restrict dst) {
    uint64_t done = 0;
    for (; n - done >= QUANT_CHUNK; done += QUANT_CHUNK)
        for (size_t i = 0; i < QUANT_CHUNK; i++)
            dst[done + i] = (int32_t)(word_at(src, done + i) >> shift & mask);
    for (; done < n; done++)
        dst[done] = (int32_t)(word_at(src, done) >> shift & mask);
}

/* A word's columns, as many as there are shifts. */
static inline void codes_word(uint32_t word, const uint8_t *shift,
                              uint64_t lanes, uint32_t mask,
                              double *restrict dst) {
    for (uint64_t j = 0; j < lanes; j++)
        dst[j] = (int32_t)(word >> shift[j] & mask);
}

/*     | word of columns 0 to 7 | word of 8 to 15 | …   in the shifts' order;
 * of eight bits half as many columns */
HOT static void codes_across(const Recipe *recipe, const uint8_t *restrict src,
                             uint64_t n, double *restrict dst) {
    uint8_t shift[RECIPE_LANES];
    memcpy(shift, recipe->shift, sizeof shift);
    if (recipe->bits == 4)
        for (uint64_t i = 0; i < n / 8; i++)
            codes_word(word_at(src, i), shift, 8, 15, dst + 8 * i);
    else
        for (uint64_t i = 0; i < n / 4; i++)
            codes_word(word_at(src, i), shift, 4, 255, dst + 4 * i);
}

Status recipe_codes(const Source *source, uint64_t row, const uint8_t *src,
                    uint64_t n, double *dst, Err *err) {
    const Recipe *recipe = source->recipe;
    int bits;
    switch (recipe->codes) {
    case CODES_VALUES:
        return dtype_decode(source->dtype, src, n, dst, err);
    case CODES_PAIRS:
        codes_pairs(recipe, src, n, dst);
        break;
    case CODES_DOWN:
        bits = recipe->bits;
        codes_down(src, n, (int)(row % (32 / (uint64_t)bits)) * bits,
                   (1U << bits) - 1, dst);
        break;
    case CODES_ACROSS:
        codes_across(recipe, src, n, dst);
        break;
    }
    return STATUS_OK;
}

/* ---- companions ---- */

/* A reader's view of a companion, before it has room. */
static Companion companion_of(const Source *source, uint64_t rows) {
    Companion companion = {.source = source};
    if (source == NULL)
        return companion;
    companion.row_bytes =
        source->stored_cols * (uint64_t)dtype_row(source->dtype)->bytes;
    if (companion.row_bytes > 0)
        companion.fit = COMPANION_BYTES / companion.row_bytes;
    if (companion.fit > rows)
        companion.fit = rows;
    if (companion.fit > source->stored_rows)
        companion.fit = source->stored_rows;
    return companion;
}

static size_t companion_room(const Companion *companion) {
    uint64_t bytes = companion->source == NULL ? 0
                     : companion->fit == 0
                         ? WINDOW_BYTES
                         : companion->fit * companion->row_bytes;
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* `bytes` bytes of a companion's row from its `byte` on. */
static Status companion_take(Companion *at, uint64_t row, uint64_t byte,
                             uint64_t bytes, const uint8_t **out, Err *err) {
    const Source *source = at->source;
    Status status = STATUS_OK;
    *out = at->raw;
    if (at->fit == 0)
        return file_read(source->file,
                         source->offset + row * at->row_bytes + byte, at->raw,
                         bytes, err);
    if (row < at->first || row - at->first >= at->rows) {
        uint64_t first = row / at->fit * at->fit;
        uint64_t left = source->stored_rows - first;
        at->rows = 0;
        status = file_read(
            source->file, source->offset + first * at->row_bytes, at->raw,
            (left < at->fit ? left : at->fit) * at->row_bytes, err);
        if (status != STATUS_OK)
            return status;
        at->first = first;
        at->rows = left < at->fit ? left : at->fit;
    }
    *out = at->raw + (row - at->first) * at->row_bytes + byte;
    return status;
}

/* A reader with its companions, before it has room. */
static RecipeReader reader_of(const Source *source, uint64_t rows) {
    const Recipe *recipe = source->recipe;
    return (RecipeReader){.recipe = recipe,
                          .cols = source->stored_cols,
                          .scale = companion_of(recipe->scale, rows),
                          .zero = companion_of(recipe->zero, rows),
                          .group = companion_of(recipe->group, rows)};
}

size_t recipe_room(const Source *source, uint64_t rows) {
    RecipeReader reader = reader_of(source, rows);
    return 2 * LINE_BYTES + companion_room(&reader.scale) +
           companion_room(&reader.zero) + companion_room(&reader.group);
}

void recipe_begin(RecipeReader *reader, const Source *source, uint64_t rows,
                  uint8_t *block) {
    *reader = reader_of(source, rows);
    reader->scales = (double *)(void *)block;
    reader->zeros = (double *)(void *)(block + LINE_BYTES);
    reader->scale.raw = block + 2 * LINE_BYTES;
    reader->zero.raw = reader->scale.raw + companion_room(&reader->scale);
    reader->group.raw = reader->zero.raw + companion_room(&reader->zero);
}

/* ---- values ---- */

/* The row of the scales that a stored row has. */
static Status scale_row(RecipeReader *reader, uint64_t row, uint64_t *out,
                        Err *err) {
    const Recipe *recipe = reader->recipe;
    if (recipe->group == NULL) {
        *out = recipe->flat ? 0
                            : row / recipe->rows_each * recipe->scale_rows +
                                  row % recipe->rows_each / recipe->block_rows;
        return STATUS_OK;
    }
    const uint8_t *raw;
    int32_t group;
    Status status = companion_take(&reader->group, 0, row * sizeof group,
                                   sizeof group, &raw, err);
    if (status != STATUS_OK)
        return status;
    memcpy(&group, raw, sizeof group);
    if (group < 0 || (uint64_t)group >= recipe->scale->stored_rows)
        return err_set(err, STATUS_FORMAT,
                       "g_idx: element %" PRIu64 " is %" PRId32
                       ": expected 0 to %" PRIu64,
                       row + 1, group, recipe->scale->stored_rows - 1);
    *out = (uint64_t)group;
    return STATUS_OK;
}

/* Fetches n scales of a row from column `first` on. */
static Status take_scales(RecipeReader *reader, uint64_t row, uint64_t first,
                          uint64_t n, Err *err) {
    Dtype dtype = reader->scale.source->dtype;
    uint64_t bytes = dtype_row(dtype)->bytes;
    const uint8_t *raw;
    Status status = companion_take(&reader->scale, row, first * bytes,
                                   n * bytes, &raw, err);
    if (status == STATUS_OK)
        status = dtype_decode(dtype, raw, n, reader->scales, err);
    return status;
}

/* Fetches the zeros of the words that n columns from `first` on lie in. */
static Status take_zeros(RecipeReader *reader, uint64_t row, uint64_t first,
                         uint64_t n, Err *err) {
    const Recipe *recipe = reader->recipe;
    uint64_t lanes = 32 / (uint64_t)recipe->bits;
    uint64_t word = first / lanes, words = (first + n - 1) / lanes + 1 - word;
    const uint8_t *raw;
    Status status =
        companion_take(&reader->zero, row, word * 4, words * 4, &raw, err);
    if (status != STATUS_OK)
        return status;
    codes_across(recipe, raw, words * lanes, reader->zeros);
    for (uint64_t i = 0; i < words * lanes; i++)
        reader->zeros[i] += recipe->zero_add;
    return STATUS_OK;
}

/* Sees to it that the reader has what n columns from `first` on need, in
 * columns of the scales' own. */
static Status take_line(RecipeReader *reader, uint64_t row, uint64_t first,
                        uint64_t n, Err *err) {
    if (reader->n == n && reader->row == row && reader->first == first)
        return STATUS_OK;
    reader->n = 0;
    Status status = take_scales(reader, row, first, n, err);
    if (status == STATUS_OK && reader->recipe->zero != NULL)
        status = take_zeros(reader, row, first, n, err);
    if (status != STATUS_OK)
        return status;
    reader->row = row;
    reader->first = first;
    reader->n = n;
    return STATUS_OK;
}

/* Changes n values; whole chunks first, as in quant_plain.c. */
#define CHANGE(name, change, ...)                                              \
    HOT static void name(double *restrict dst, uint64_t n, __VA_ARGS__) {      \
        uint64_t done = 0;                                                     \
        for (; n - done >= QUANT_CHUNK; done += QUANT_CHUNK)                   \
            for (size_t i = done; i < done + QUANT_CHUNK; i++)                 \
                dst[i] = change;                                               \
        for (size_t i = done; i < n; i++)                                      \
            dst[i] = change;                                                   \
    }

CHANGE(scale_each, dst[i] * scales[i], const double *restrict scales)
CHANGE(scale_less, (dst[i] - zeros[i]) * scales[i],
       const double *restrict zeros, const double *restrict scales)
CHANGE(scale_all, dst[i] * scale, double scale)
CHANGE(divide_all, dst[i] / divisor, double divisor)

Status recipe_apply(RecipeReader *reader, uint64_t row, uint64_t col,
                    uint64_t n, double *dst, Err *err) {
    const Recipe *recipe = reader->recipe;
    uint64_t width = recipe->block_cols, line = 0;
    uint64_t at = recipe->flat ? row * reader->cols + col : col;
    uint64_t first = at / width, end = (at + n - 1) / width + 1;
    Status status = scale_row(reader, row, &line, err);
    if (status == STATUS_OK)
        status = take_line(reader, line, first, end - first, err);
    if (status != STATUS_OK)
        return status;
    if (recipe->zero != NULL) {
        uint64_t cut = col % (32 / (uint64_t)recipe->bits);
        scale_less(dst, n, reader->zeros + cut, reader->scales);
    } else if (width == 1) {
        scale_each(dst, n, reader->scales);
    } else {
        uint64_t done = 0;
        for (uint64_t k = 0; done < n; k++) {
            uint64_t stop = (first + k + 1) * width - at;
            stop = stop < n ? stop : n;
            scale_all(dst + done, stop - done, reader->scales[k]);
            done = stop;
        }
    }
    if (recipe->divisor != 1.0)
        divide_all(dst, n, recipe->divisor);
    return STATUS_OK;
}
