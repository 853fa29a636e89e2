/* Checks of packed weights' shapes, and the recipes that read them. */
#include "packed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "recipe.h"

static const char *const PARTS[][PACKED_PARTS] = {
    [PACKED_SCALED] = {"weight", "scale"},
    [PACKED_MXFP4] = {"blocks", "scales"},
    [PACKED_GPTQ] = {"qweight", "qzeros", "scales", "g_idx"},
    [PACKED_AWQ] = {"qweight", "qzeros", "scales"},
    [PACKED_TABLE] = {"weight", "absmax", "quant_map"},
};

/* A tensor under way. */
typedef struct Packing {
    const PackedWish *wish;
    Recipe *recipe;
    int axes;
    int64_t shape[TENSOR_AXES]; /* as the values are stored */
    bool transposed;            /* the tensor is (out, in), stored (in, out) */
} Packing;

static const char *part_name(const Packing *p, int i) {
    return PARTS[p->wish->kind][i];
}

static int64_t ceil_div(int64_t a, int64_t b) {
    return a / b + (a % b != 0);
}

/* ---- checks ---- */

/* That part i is a whole tensor of a file, of one of the dtypes. */
static Status check_part(const Packing *p, int i, const Dtype *dtypes, int n,
                         const char *expected, Err *err) {
    const Tensor *part = p->wish->part[i];
    const char *name = part_name(p, i);
    if (part == NULL)
        return err_set(err, STATUS_ARGUMENT, "there is no %s", name);
    const Source *source = part->source;
    if (source == NULL || source->recipe != NULL || source->transposed ||
        source->rows != source->stored_rows ||
        source->cols != source->stored_cols || source->run_count > 1 ||
        (source->run_count == 1 && source->runs[0].n != 1))
        return err_set(err, STATUS_ARGUMENT,
                       "%s is not a whole tensor of a file", name);
    for (int k = 0; k < n; k++)
        if (part->dtype == dtypes[k])
            return STATUS_OK;
    return err_set(err, STATUS_ARGUMENT, "%s is %s: expected %s", name,
                   dtype_row(part->dtype)->name, expected);
}

static Status check_words(const Packing *p, int i, Err *err) {
    static const Dtype WORDS[] = {DTYPE_I32, DTYPE_U32};
    return check_part(p, i, WORDS, 2, "I32", err);
}

static Status check_bytes(const Packing *p, int i, Err *err) {
    static const Dtype BYTES[] = {DTYPE_U8};
    return check_part(p, i, BYTES, 1, "U8", err);
}

static Status check_floats(const Packing *p, int i, Err *err) {
    static const Dtype FLOATS[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16,
                                   DTYPE_F8_E8M0};
    return check_part(p, i, FLOATS, 4, "F32, F16, BF16 or F8_E8M0", err);
}

/* That part i's shape is the one given. */
static Status check_shape(const Packing *p, int i, int axes,
                          const int64_t *shape, Err *err) {
    const Tensor *part = p->wish->part[i];
    if (part->axes == axes &&
        memcmp(part->shape, shape, (size_t)axes * sizeof *shape) == 0)
        return STATUS_OK;
    Tensor wanted = {.axes = axes};
    char found[256], expected[256];
    memcpy(wanted.shape, shape, (size_t)axes * sizeof *shape);
    return err_set(err, STATUS_ARGUMENT, "%s is %s: expected %s",
                   part_name(p, i),
                   tensor_shape_text(found, sizeof found, part),
                   tensor_shape_text(expected, sizeof expected, &wanted));
}

/* That part i has `least` to `most` axes and no empty one. */
static Status check_axes(const Packing *p, int i, int least, int most,
                         Err *err) {
    const Tensor *part = p->wish->part[i];
    char shape[256];
    if (part->axes >= least && part->axes <= most && tensor_count(part) > 0)
        return STATUS_OK;
    tensor_shape_text(shape, sizeof shape, part);
    if (least == most)
        return err_set(err, STATUS_ARGUMENT,
                       "%s is %s: expected %d axes, none empty",
                       part_name(p, i), shape, least);
    return err_set(err, STATUS_ARGUMENT,
                   "%s is %s: expected %d to %d axes, none empty",
                   part_name(p, i), shape, least, most);
}

/* Part i as a matrix of another number of columns, of another dtype: the
 * recipe's companion. */
static Status companion(const Packing *p, int i, Dtype dtype, uint64_t cols,
                        Source **out, Err *err) {
    const Tensor *part = p->wish->part[i];
    uint64_t count = (uint64_t)tensor_count(part);
    return source_create(out, part->source->file, dtype, part->source->offset,
                         count / cols, cols, err);
}

/* ---- FP8 and int8 with scales ---- */

/* Rows and columns of the scales of one matrix of (R, C); a vector has one of
 * each row, or of each stacked matrix. */
static bool scale_sizes(const Tensor *weight, const Tensor *scale,
                        int64_t *size) {
    int lead = weight->axes - 2;
    int64_t rows = weight->shape[lead];
    size[0] = size[1] = 1;
    if (tensor_count(scale) == 1)
        return true;
    if (scale->axes == 1) {
        size[0] = lead == 0 ? rows : 1;
        return scale->shape[0] == (lead == 0 ? rows : weight->shape[0]);
    }
    if (scale->axes != weight->axes ||
        (lead == 1 && scale->shape[0] != weight->shape[0]))
        return false;
    size[0] = scale->shape[lead];
    size[1] = scale->shape[lead + 1];
    return size[0] > 0 && size[1] > 0;
}

/* The block that a scale is of: as wished for, else what divides the matrix
 * evenly. */
static bool scale_block(const PackedWish *wish, const int64_t *matrix,
                        const int64_t *size, uint64_t *block) {
    const int64_t *wanted = wish->block;
    bool asked = wanted[0] > 0 && wanted[1] > 0 &&
                 size[0] == ceil_div(matrix[0], wanted[0]) &&
                 size[1] == ceil_div(matrix[1], wanted[1]);
    for (int i = 0; i < 2; i++) {
        if (!asked && matrix[i] % size[i] != 0)
            return false;
        block[i] = (uint64_t)(asked ? wanted[i] : matrix[i] / size[i]);
    }
    return true;
}

static Status refuse_scale(const PackedWish *wish, Err *err) {
    char of[256], found[256], wanted[64] = "";
    if (wish->block[0] > 0)
        snprintf(wanted, sizeof wanted, "block of %" PRId64 " x %" PRId64 ", ",
                 wish->block[0], wish->block[1]);
    return err_set(err, STATUS_ARGUMENT,
                   "scale is %s beside a weight of %s: expected one for each "
                   "%srow or tensor",
                   tensor_shape_text(found, sizeof found, wish->part[1]),
                   tensor_shape_text(of, sizeof of, wish->part[0]), wanted);
}

static Status pack_scaled(Packing *p, Err *err) {
    static const Dtype VALUES[] = {DTYPE_F8_E4M3, DTYPE_F8_E5M2,
                                   DTYPE_F8_E4M3FNUZ, DTYPE_F8_E5M2FNUZ,
                                   DTYPE_I8};
    const PackedWish *wish = p->wish;
    const Tensor *weight = wish->part[0], *scale = wish->part[1];
    Recipe *recipe = p->recipe;
    Status status = check_part(p, 0, VALUES, 5, "an F8 dtype or I8", err);
    if (status == STATUS_OK)
        status = check_axes(p, 0, 2, 3, err);
    if (status == STATUS_OK)
        status = check_floats(p, 1, err);
    if (status != STATUS_OK)
        return status;
    int lead = weight->axes - 2;
    int64_t size[2];
    uint64_t block[2];
    if (!scale_sizes(weight, scale, size) ||
        !scale_block(wish, &weight->shape[lead], size, block))
        return refuse_scale(wish, err);
    bool one = tensor_count(scale) == 1;
    recipe->codes = CODES_VALUES;
    recipe->divisor = wish->divisor;
    recipe->rows_each = (uint64_t)weight->shape[lead];
    recipe->scale_rows = one ? 0 : (uint64_t)size[0];
    recipe->block_rows = block[0];
    recipe->block_cols = block[1];
    int used =
        snprintf(recipe->name, sizeof recipe->name, "%s x %s",
                 dtype_row(weight->dtype)->name, dtype_row(scale->dtype)->name);
    if (wish->divisor != 1.0)
        snprintf(recipe->name + used, sizeof recipe->name - (size_t)used,
                 " / %g", wish->divisor);
    p->axes = weight->axes;
    memcpy(p->shape, weight->shape, sizeof p->shape);
    return companion(p, 1, scale->dtype, (uint64_t)size[1], &recipe->scale,
                     err);
}

/* ---- four bits by a table ---- */

static void pair_order(Recipe *recipe, bool high_first) {
    recipe->codes = CODES_PAIRS;
    recipe->bits = 4;
    recipe->shift[0] = high_first ? 4 : 0;
    recipe->shift[1] = high_first ? 0 : 4;
}

static Status pack_mxfp4(Packing *p, Err *err) {
    static const double E2M1[8] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
    static const Dtype EXPONENTS[] = {DTYPE_U8, DTYPE_F8_E8M0};
    const Tensor *blocks = p->wish->part[0];
    Recipe *recipe = p->recipe;
    Status status = check_bytes(p, 0, err);
    if (status == STATUS_OK)
        status = check_axes(p, 0, 3, TENSOR_AXES, err);
    if (status == STATUS_OK)
        status = check_part(p, 1, EXPONENTS, 2, "U8", err);
    if (status == STATUS_OK && blocks->shape[blocks->axes - 1] != 16) {
        char found[256];
        status = err_set(err, STATUS_ARGUMENT,
                         "blocks is %s: expected 16 bytes along the last axis",
                         tensor_shape_text(found, sizeof found, blocks));
    }
    if (status == STATUS_OK)
        status = check_shape(p, 1, blocks->axes - 1, blocks->shape, err);
    if (status != STATUS_OK)
        return status;
    pair_order(recipe, false);
    for (int i = 0; i < 8; i++) {
        recipe->table[i] = E2M1[i];
        recipe->table[i + 8] = -E2M1[i];
    }
    recipe->block_cols = 32;
    strcpy(recipe->name, "MXFP4");
    p->axes = blocks->axes - 1;
    memcpy(p->shape, blocks->shape, sizeof p->shape);
    uint64_t groups = (uint64_t)p->shape[p->axes - 1];
    if (__builtin_mul_overflow(p->shape[p->axes - 1], 32,
                               &p->shape[p->axes - 1]))
        return err_set(err, STATUS_ARGUMENT, "rows of 2^63 values or more");
    return companion(p, 1, DTYPE_F8_E8M0, groups, &recipe->scale, err);
}

/* The table's values, which are read at once. */
static Status read_table(Packing *p, Err *err) {
    const Source *source = p->wish->part[2]->source;
    Scratch scratch = {0};
    Status status = source_read(source, 0, 1, 0, RECIPE_TABLE, p->recipe->table,
                                RECIPE_TABLE, NULL, &scratch, 0, err);
    scratch_release(&scratch);
    return status;
}

static Status pack_table(Packing *p, Err *err) {
    static const Dtype FLOAT[] = {DTYPE_F32};
    const PackedWish *wish = p->wish;
    Recipe *recipe = p->recipe;
    const int64_t sixteen = RECIPE_TABLE;
    int64_t count, blocks;
    Status status = check_bytes(p, 0, err);
    if (status == STATUS_OK)
        status = check_part(p, 1, FLOAT, 1, "F32", err);
    if (status == STATUS_OK)
        status = check_part(p, 2, FLOAT, 1, "F32", err);
    if (status == STATUS_OK)
        status = check_shape(p, 2, 1, &sixteen, err);
    if (status != STATUS_OK)
        return status;
    if (wish->shape[0] < 1 || wish->shape[1] < 1 || wish->shape[1] % 2 != 0 ||
        __builtin_mul_overflow(wish->shape[0], wish->shape[1], &count) ||
        tensor_count(wish->part[0]) != count / 2)
        return err_set(
            err, STATUS_ARGUMENT,
            "weight has %" PRId64 " bytes: expected those of [%" PRId64
            ", %" PRId64 "], two values each",
            tensor_count(wish->part[0]), wish->shape[0], wish->shape[1]);
    if (wish->block_size < 1)
        return err_set(err, STATUS_ARGUMENT,
                       "a block size of %" PRId64 ": expected 1 or more",
                       wish->block_size);
    blocks = ceil_div(count, wish->block_size);
    status = check_shape(p, 1, 1, &blocks, err);
    if (status == STATUS_OK)
        status = read_table(p, err);
    if (status != STATUS_OK)
        return status;
    pair_order(recipe, true);
    recipe->block_cols = (uint64_t)wish->block_size;
    snprintf(recipe->name, sizeof recipe->name, "%s", wish->name);
    p->axes = 2;
    memcpy(p->shape, wish->shape, sizeof wish->shape);
    recipe->flat = wish->shape[1] % wish->block_size != 0;
    return companion(
        p, 1, DTYPE_F32,
        (uint64_t)(recipe->flat ? blocks : wish->shape[1] / wish->block_size),
        &recipe->scale, err);
}

/* ---- integers in words ---- */

/* What GPTQ and AWQ share: scales and zeros by group of rows. The stored
 * matrix of values is (in, out). */
static Status pack_words(Packing *p, int64_t in, int64_t out, Err *err) {
    const PackedWish *wish = p->wish;
    const Tensor *scales = wish->part[2];
    Recipe *recipe = p->recipe;
    int64_t lanes = 32 / recipe->bits, groups = scales->shape[0];
    int64_t rows = wish->group > 0 ? wish->group : ceil_div(in, groups);
    Status status = check_shape(p, 2, 2, (int64_t[]){groups, out}, err);
    if (status == STATUS_OK)
        status = check_shape(p, 1, 2, (int64_t[]){groups, out / lanes}, err);
    if (status != STATUS_OK)
        return status;
    if (out % lanes != 0)
        return err_set(err, STATUS_ARGUMENT,
                       "%" PRId64 " columns: expected whole words of %" PRId64,
                       out, lanes);
    if (wish->part[3] == NULL && ceil_div(in, rows) != groups)
        return err_set(err, STATUS_ARGUMENT,
                       "%" PRId64 " groups of %" PRId64
                       " rows: expected %" PRId64 " of %" PRId64,
                       groups, in, ceil_div(in, rows), rows);
    recipe->block_rows = (uint64_t)rows;
    recipe->block_cols = 1;
    p->axes = 2;
    p->shape[0] = in;
    p->shape[1] = out;
    p->transposed = true;
    status = companion(p, 2, scales->dtype, (uint64_t)out, &recipe->scale, err);
    if (status == STATUS_OK)
        status = companion(p, 1, DTYPE_I32, (uint64_t)(out / lanes),
                           &recipe->zero, err);
    if (status == STATUS_OK && wish->part[3] != NULL)
        status = companion(p, 3, DTYPE_I32, (uint64_t)in, &recipe->group, err);
    return status;
}

/* Dtypes and axes of the three parts in any case. */
static Status check_three(const Packing *p, Err *err) {
    Status status = check_words(p, 0, err);
    if (status == STATUS_OK)
        status = check_axes(p, 0, 2, 2, err);
    if (status == STATUS_OK)
        status = check_words(p, 1, err);
    if (status == STATUS_OK)
        status = check_floats(p, 2, err);
    if (status == STATUS_OK)
        status = check_axes(p, 2, 2, 2, err);
    return status;
}

static Status pack_gptq(Packing *p, Err *err) {
    const PackedWish *wish = p->wish;
    Recipe *recipe = p->recipe;
    int64_t in;
    if (wish->bits != 4 && wish->bits != 8)
        return err_set(err, STATUS_UNSUPPORTED, "%d bits: expected 4 or 8",
                       wish->bits);
    Status status = check_three(p, err);
    if (status != STATUS_OK)
        return status;
    recipe->codes = CODES_DOWN;
    recipe->bits = wish->bits;
    recipe->zero_add = wish->zero_add;
    for (int i = 0; i < 32 / wish->bits; i++)
        recipe->shift[i] = (uint8_t)(i * wish->bits);
    snprintf(recipe->name, sizeof recipe->name, "GPTQ-%d", wish->bits);
    if (__builtin_mul_overflow(wish->part[0]->shape[0], 32 / wish->bits, &in))
        return err_set(err, STATUS_ARGUMENT, "2^63 rows or more");
    if (wish->part[3] != NULL) {
        status = check_words(p, 3, err);
        if (status == STATUS_OK)
            status = check_shape(p, 3, 1, &in, err);
        if (status != STATUS_OK)
            return status;
    }
    return pack_words(p, in, wish->part[0]->shape[1], err);
}

static Status pack_awq(Packing *p, Err *err) {
    static const uint8_t SHIFT[RECIPE_LANES] = {0, 16, 4, 20, 8, 24, 12, 28};
    Recipe *recipe = p->recipe;
    int64_t out;
    Status status = check_three(p, err);
    if (status != STATUS_OK)
        return status;
    recipe->codes = CODES_ACROSS;
    recipe->bits = 4;
    memcpy(recipe->shift, SHIFT, sizeof SHIFT);
    strcpy(recipe->name, "AWQ-4");
    if (__builtin_mul_overflow(p->wish->part[0]->shape[1], 8, &out))
        return err_set(err, STATUS_ARGUMENT, "2^63 columns or more");
    return pack_words(p, p->wish->part[0]->shape[0], out, err);
}

/* ---- the tensor ---- */

/* The source of the values: the main part's bytes in other rows and columns,
 * with the recipe. */
static Status make_source(const Packing *p, Source **out, Err *err) {
    const Source *stored = p->wish->part[0]->source;
    uint64_t rows = 1, cols = (uint64_t)p->shape[p->axes - 1];
    for (int i = 0; i + 1 < p->axes; i++)
        rows *= (uint64_t)p->shape[i];
    RowRun all = {0, rows, 0, 1};
    Source like = *stored;
    like.recipe = p->recipe;
    like.stored_rows = like.rows = rows;
    like.stored_cols = like.cols = cols;
    like.transposed = p->transposed;
    return source_like(out, &like, &all, 1, err);
}

static Status make_tensor(Tensor *out, const Packing *p, Err *err) {
    Source *source;
    Status status = make_source(p, &source, err);
    if (status != STATUS_OK)
        return status;
    int64_t turned[2] = {p->shape[1], p->shape[0]};
    status = tensor_from_source(out, source, p->axes,
                                p->transposed ? turned : p->shape, err);
    source_release(source);
    return status;
}

Status packed_create(Tensor *out, const PackedWish *wish, Err *err) {
    static Status (*const PACK[])(Packing *, Err *) = {
        [PACKED_SCALED] = pack_scaled, [PACKED_MXFP4] = pack_mxfp4,
        [PACKED_GPTQ] = pack_gptq,     [PACKED_AWQ] = pack_awq,
        [PACKED_TABLE] = pack_table,
    };
    Packing p = {.wish = wish, .recipe = mem_zeroed(1, sizeof(Recipe), err)};
    if (p.recipe == NULL)
        return STATUS_NOMEM;
    p.recipe->refs = 1;
    p.recipe->divisor = 1.0;
    p.recipe->block_rows = 1;
    p.recipe->rows_each = INT64_MAX; /* no stack: a scale's row is the row's */
    Status status = PACK[wish->kind](&p, err);
    if (status == STATUS_OK)
        status = make_tensor(out, &p, err);
    recipe_release(p.recipe);
    return status;
}
