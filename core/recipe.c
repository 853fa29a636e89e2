/* Recipes as records: counting, comparing, units. */
#include "recipe.h"

#include <string.h>

Unit source_unit(const Source *source) {
    const DtypeRow *format = dtype_row(source->dtype);
    const Recipe *recipe = source->recipe;
    Unit unit = {format->block, format->bytes, 1};
    if (recipe == NULL)
        return unit;
    switch (recipe->codes) {
    case CODES_VALUES:
        break;
    case CODES_PAIRS:
        unit.block = 2;
        break;
    case CODES_DOWN:
        unit.down = 32 / (uint64_t)recipe->bits;
        break;
    case CODES_ACROSS:
        unit.block = 32 / (uint64_t)recipe->bits;
        break;
    }
    return unit;
}

Recipe *recipe_keep(Recipe *recipe) {
    if (recipe != NULL)
        __atomic_add_fetch(&recipe->refs, 1, __ATOMIC_RELAXED);
    return recipe;
}

void recipe_release(Recipe *recipe) {
    if (recipe == NULL ||
        __atomic_sub_fetch(&recipe->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    source_release(recipe->scale);
    source_release(recipe->zero);
    source_release(recipe->group);
    mem_free(recipe);
}

/* Whether both are absent, or one matrix of the same file. */
static bool companion_same(const Source *a, const Source *b) {
    return a == NULL || b == NULL ? a == b : source_same(a, b);
}

bool recipe_same(const Recipe *a, const Recipe *b) {
    if (a == b || a == NULL || b == NULL)
        return a == b;
    return strcmp(a->name, b->name) == 0 && a->codes == b->codes &&
           a->bits == b->bits &&
           memcmp(a->shift, b->shift, sizeof a->shift) == 0 &&
           memcmp(a->table, b->table, sizeof a->table) == 0 &&
           a->zero_add == b->zero_add && a->divisor == b->divisor &&
           a->rows_each == b->rows_each && a->scale_rows == b->scale_rows &&
           a->block_rows == b->block_rows && a->block_cols == b->block_cols &&
           a->flat == b->flat && companion_same(a->scale, b->scale) &&
           companion_same(a->zero, b->zero) &&
           companion_same(a->group, b->group);
}
