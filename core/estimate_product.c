/* Products of a held matrix, slab by slab. */
#include "estimate_product.h"

#include <string.h>

#include "mem.h"

enum {
    SLABS_MOST = 64, /* as many members of a team have work */
    SLAB_LEAST = 256,
    BLOCK = 64,   /* rows whose products stay in the cache */
    STRETCH = 512 /* elements of vectors packed or added up by one task */
};

/* One group of at most 16 vectors on its way. */
typedef struct Phase {
    const Product *product;
    float *const *in;
    float *const *out;
    size_t width;
    float *y; /* (rows, width): what A in is wanted of; else NULL */
} Phase;

static size_t stretches(const Held *held) {
    return (held->ld + STRETCH - 1) / STRETCH;
}

static size_t stretch_end(const Held *held, size_t i) {
    size_t end = (i + 1) * STRETCH;
    return end < held->ld ? end : held->ld;
}

/* TeamTask: a stretch of all vectors, side by side. */
static void pack_task(void *data, size_t i, int member) {
    const Phase *phase = data;
    const Held *held = phase->product->held;
    float *x = phase->product->x;
    size_t width = phase->width, end = stretch_end(held, i);
    (void)member;
    for (size_t j = i * STRETCH; j < end; j++)
        for (size_t v = 0; v < width; v++)
            x[j * width + v] = phase->in[v][j] * held->scale;
}

/* TeamTask: a slab's y = A x, and z = A^T y. */
static void slab_task(void *data, size_t i, int member) {
    const Phase *phase = data;
    const Product *product = phase->product;
    const Held *held = product->held;
    _Alignas(64) float own[BLOCK * KERNEL_WIDTH_MOST];
    size_t width = phase->width, area = width * held->ld;
    size_t end = (i + 1) * product->slab_rows;
    end = end < held->rows ? end : held->rows;
    KernelBlock block = {.kind = held->kind,
                         .ld = held->ld,
                         .width = width,
                         .x = product->x,
                         .z = product->part + i * area,
                         .ldz = held->ld};
    (void)member;
    if (phase->y == NULL)
        memset(block.z, 0, area * sizeof *block.z);
    for (size_t row = i * product->slab_rows; row < end; row += block.rows) {
        block.rows = end - row < BLOCK ? end - row : BLOCK;
        block.a = (const unsigned char *)held->data +
                  row * held->ld * held_bytes(held->kind);
        block.y = phase->y == NULL ? own : phase->y + row * width;
        kernel_forward(product->level, &block);
        if (phase->y != NULL)
            continue;
        for (size_t j = 0; j < block.rows * width; j++)
            own[j] *= held->scale;
        kernel_back(product->level, &block);
    }
}

/* TeamTask: a stretch of a vector, over the slabs in order. */
static void sum_task(void *data, size_t i, int member) {
    const Phase *phase = data;
    const Product *product = phase->product;
    const Held *held = product->held;
    size_t v = i / stretches(held), piece = i % stretches(held);
    size_t first = piece * STRETCH, end = stretch_end(held, piece);
    const float *part = product->part + v * held->ld;
    float *out = phase->out[v];
    (void)member;
    memcpy(out + first, part + first, (end - first) * sizeof *out);
    for (size_t slab = 1; slab < product->slabs; slab++) {
        part += phase->width * held->ld;
        for (size_t j = first; j < end; j += HELD_COLS)
            for (size_t k = j; k < j + HELD_COLS; k++)
                out[k] += part[k];
    }
}

static size_t group(size_t left) {
    return left < KERNEL_WIDTH_MOST ? 8 : KERNEL_WIDTH_MOST;
}

void product_gram(const Product *product, float *const *in, float *const *out,
                  size_t count) {
    Team *team = product->team;
    for (size_t v = 0; v < count; v += group(count - v)) {
        Phase phase = {.product = product,
                       .in = in + v,
                       .out = out + v,
                       .width = group(count - v)};
        team_run(team, stretches(product->held), pack_task, &phase);
        team_run(team, product->slabs, slab_task, &phase);
        team_run(team, phase.width * stretches(product->held), sum_task,
                 &phase);
    }
}

Status product_forward(const Product *product, float *const *in, size_t count,
                       double *b, Err *err) {
    const Held *held = product->held;
    float *y = mem_array(held->rows * KERNEL_WIDTH_MOST, sizeof *y, err);
    if (y == NULL)
        return STATUS_NOMEM;
    for (size_t v = 0; v < count; v += group(count - v)) {
        Phase phase = {.product = product,
                       .in = in + v,
                       .width = group(count - v),
                       .y = y};
        team_run(product->team, stretches(held), pack_task, &phase);
        team_run(product->team, product->slabs, slab_task, &phase);
        for (size_t i = 0; i < (size_t)held->m; i++)
            for (size_t k = 0; k < phase.width; k++)
                b[i * count + v + k] = (double)y[i * phase.width + k];
    }
    mem_free(y);
    return STATUS_OK;
}

Status product_create(Product *out, const Held *held, Team *team,
                      KernelLevel level, Err *err) {
    size_t rows = held->rows / SLABS_MOST;
    rows = rows > SLAB_LEAST ? rows : SLAB_LEAST;
    Product product = {.held = held,
                       .team = team,
                       .level = level,
                       .slab_rows = (rows + BLOCK - 1) / BLOCK * BLOCK};
    product.slabs = (held->rows + product.slab_rows - 1) / product.slab_rows;
    size_t area = held->ld * KERNEL_WIDTH_MOST;
    product.x = mem_array(area, sizeof *product.x, err);
    product.part = mem_array(area * product.slabs, sizeof *product.part, err);
    if (product.x == NULL || product.part == NULL) {
        product_release(&product);
        return STATUS_NOMEM;
    }
    *out = product;
    return STATUS_OK;
}

void product_release(Product *product) {
    mem_free(product->x);
    mem_free(product->part);
    product->x = product->part = NULL;
}
