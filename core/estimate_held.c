/* Reading a matrix into 16 or 32 bits an element. */
#include "estimate_held.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cancel.h"
#include "estimate_kernel.h"
#include "mem.h"
#include "spectrum.h"

enum {
    PANEL = 1 << 17,   /* float64 values read at a time: 1 MB */
    STRIP = 32,        /* stored rows read at a time as columns, */
    STRIP_LONG = 4096, /* and how much of them */
    LINE = 64,         /* bytes of a cache line */
    HUGE_PAGE = 1 << 21,
    EXPONENT_MOST = 120 /* of a scale that a float holds, with room */
};

enum { RAW, VALUES }; /* scratch slots */

size_t held_bytes(HeldKind kind) {
    return kind == HELD_F32 ? 4 : 2;
}

/* In 16 bits where these hold every value there can be: a recipe's are products
 * of what is stored. */
static HeldKind kind_of(const Tensor *matrix) {
    if (matrix->source != NULL && matrix->source->recipe != NULL)
        return HELD_F32;
    switch (matrix->dtype) {
    case DTYPE_BF16:
        return HELD_BF16;
    case DTYPE_F16:
    case DTYPE_F8_E4M3:
    case DTYPE_F8_E5M2:
    case DTYPE_F8_E4M3FNUZ:
    case DTYPE_F8_E5M2FNUZ:
    case DTYPE_I8:
    case DTYPE_U8:
        return HELD_F16;
    default:
        return HELD_F32;
    }
}

/* What one member of the team found, and its buffers. */
typedef struct Part {
    Scratch scratch;
    NonFinite bad;
    double largest;
    Status status;
    Err err;
} Part;

typedef struct Load {
    Held *held;
    Tensor tall;                  /* the matrix with its long side down */
    bool strips;                  /* its columns are what is stored in a row */
    size_t down, across, columns; /* of a block; blocks across */
    Part *part;
    const volatile int *cancel;
} Load;

/* ---- a block ---- */

/* n values to consecutive elements. */
static Status pack(const Held *held, const double *x, size_t n, size_t at,
                   Err *err) {
    unsigned char *to =
        (unsigned char *)held->data + at * held_bytes(held->kind);
    if (held->kind == HELD_F16)
        return kernel_pack_half(x, n, (uint16_t *)(void *)to, err);
    if (held->kind == HELD_BF16)
        return dtype_encode(DTYPE_BF16, x, n, to, err);
    kernel_pack_float(x, n, held->stored, (float *)(void *)to);
    return STATUS_OK;
}

static Status load_block(const Load *load, Part *part, int64_t r0, int64_t nr,
                         int64_t c0, int64_t nc) {
    size_t count = (size_t)nr * (size_t)nc;
    double *x =
        scratch_take(&part->scratch, VALUES, count, sizeof *x, &part->err);
    if (x == NULL)
        return STATUS_NOMEM;
    Status status = tensor_read(&load->tall, r0, nr, c0, nc, x, nc, &part->bad,
                                &part->scratch, RAW, &part->err);
    if (status != STATUS_OK || part->bad.count > 0)
        return status;
    double largest = kernel_largest(x, count);
    part->largest = largest > part->largest ? largest : part->largest;
    for (int64_t i = 0; i < nr && status == STATUS_OK; i++)
        status =
            pack(load->held, x + i * nc, (size_t)nc,
                 (size_t)(r0 + i) * load->held->ld + (size_t)c0, &part->err);
    return status;
}

/* TeamTask: block i. */
static void load_task(void *data, size_t i, int member) {
    const Load *load = data;
    Part *part = &load->part[member];
    if (part->status != STATUS_OK || part->bad.count > 0)
        return;
    if (cancel_seen(load->cancel)) {
        part->status = err_set(&part->err, STATUS_CANCELLED, "interrupted");
        return;
    }
    int64_t r0 = (int64_t)(i / load->columns * load->down);
    int64_t c0 = (int64_t)(i % load->columns * load->across);
    int64_t nr = load->held->m - r0, nc = load->held->n - c0;
    nr = nr < (int64_t)load->down ? nr : (int64_t)load->down;
    nc = nc < (int64_t)load->across ? nc : (int64_t)load->across;
    part->status = load_block(load, part, r0, nr, c0, nc);
}

/* ---- a pass over all blocks ---- */

/* Counts what is not finite, and finds the first of it, as it is stored. */
static Status name_bad(const Load *load, const Tensor *matrix, Err *err) {
    NonFinite bad = {0};
    Tensor rows;
    Status status = STATUS_OK;
    bool swapped = load->strips != (matrix->shape[0] < matrix->shape[1]);
    if (swapped)
        status = tensor_transpose(&rows, matrix, err);
    else
        tensor_view(&rows, matrix);
    if (status != STATUS_OK)
        return status;
    Scratch *scratch = &load->part[0].scratch;
    int64_t width = rows.shape[1], step = PANEL / width + 1;
    double *x =
        scratch_take(scratch, VALUES, (size_t)(width * step), sizeof *x, err);
    status = x == NULL ? STATUS_NOMEM : STATUS_OK;
    for (int64_t i = 0; i < rows.shape[0] && status == STATUS_OK; i += step) {
        int64_t left = rows.shape[0] - i;
        status = tensor_read(&rows, i, left < step ? left : step, 0, width, x,
                             width, &bad, scratch, RAW, err);
    }
    tensor_release(&rows);
    if (swapped) {
        uint64_t row = bad.row;
        bad.row = bad.col;
        bad.col = row;
    }
    return status == STATUS_OK ? spectrum_nonfinite(&bad, err) : status;
}

/* The pass's blocks; the largest magnitude into *largest. */
static Status load_pass(Load *load, const Tensor *matrix, Team *team,
                        double *largest, Err *err) {
    const Held *held = load->held;
    size_t m = (size_t)held->m, n = (size_t)held->n;
    load->down = load->strips ? STRIP_LONG : PANEL / n + 1;
    load->across = load->strips ? STRIP : n;
    load->columns = (n + load->across - 1) / load->across;
    size_t lines = (m + load->down - 1) / load->down;
    team_run(team, lines * load->columns, load_task, load);
    bool bad = false;
    for (int i = 0; i < team_members(team); i++) {
        const Part *part = &load->part[i];
        if (part->status != STATUS_OK) {
            if (err != NULL)
                *err = part->err;
            return part->status;
        }
        bad = bad || part->bad.count > 0;
        *largest = part->largest > *largest ? part->largest : *largest;
    }
    return bad ? name_bad(load, matrix, err) : STATUS_OK;
}

/* ---- the whole ---- */

/* Its rows begin at different cache sets: an odd number of lines apart. */
static size_t leading(int64_t n, HeldKind kind) {
    size_t line = LINE / held_bytes(kind);
    size_t lines = ((size_t)n + line - 1) / line;
    return (lines | 1) * line;
}

/* Rows of a large matrix are far apart: fewer pages, fewer lookups. */
static void ask_huge_pages(void *data, size_t bytes) {
    uintptr_t start = ((uintptr_t)data + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    uintptr_t end = ((uintptr_t)data + bytes) / HUGE_PAGE * HUGE_PAGE;
    if (end > start)
        (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
}

/* TeamTask: zeros beyond the matrix, in row i. */
static void zero_task(void *data, size_t i, int member) {
    const Held *held = data;
    size_t bytes = held_bytes(held->kind);
    size_t from = i < (size_t)held->m ? (size_t)held->n : 0;
    (void)member;
    memset((unsigned char *)held->data + (i * held->ld + from) * bytes, 0,
           (held->ld - from) * bytes);
}

static Status make_room(Held *held, Err *err) {
    held->rows = ((size_t)held->m + HELD_ROWS - 1) / HELD_ROWS * HELD_ROWS;
    held->ld = leading(held->n, held->kind);
    size_t bytes = held_bytes(held->kind) * held->ld;
    held->data = mem_array(held->rows, bytes, err);
    if (held->data == NULL)
        return STATUS_NOMEM;
    ask_huge_pages(held->data, held->rows * bytes);
    return STATUS_OK;
}

static int exponent_of(double x) {
    int exponent;
    (void)frexp(x, &exponent);
    return exponent;
}

/* What float32 is to hold the elements times: where the largest is far from 1
 * they may be out of its range. */
static double stored_for(HeldKind kind, double largest) {
    int exponent = largest > 0 ? exponent_of(largest) : 0;
    if (kind != HELD_F32 || abs(exponent) <= EXPONENT_MOST / 2)
        return 1;
    return ldexp(1.0, exponent < -1000 ? 1000 : -exponent);
}

static Status fill(Load *load, const Tensor *matrix, Team *team, Err *err) {
    Held *held = load->held;
    double largest = 0;
    Status status = make_room(held, err);
    if (status != STATUS_OK)
        return status;
    team_run(team, held->rows, zero_task, held);
    status = load_pass(load, matrix, team, &largest, err);
    held->stored = stored_for(held->kind, largest);
    if (status == STATUS_OK && held->stored != 1)
        status = load_pass(load, matrix, team, &largest, err);
    largest *= held->stored;
    held->zero = largest == 0;
    int exponent = held->zero ? 0 : exponent_of(largest);
    exponent = exponent > EXPONENT_MOST    ? EXPONENT_MOST
               : exponent < -EXPONENT_MOST ? -EXPONENT_MOST
                                           : exponent;
    held->scale = (float)ldexp(1.0, -exponent);
    return status;
}

Status held_read(Held *out, const Tensor *matrix, Team *team,
                 const volatile int *cancel, Err *err) {
    bool wide = matrix->shape[0] < matrix->shape[1];
    Held held = {.kind = kind_of(matrix),
                 .m = matrix->shape[wide ? 1 : 0],
                 .n = matrix->shape[wide ? 0 : 1],
                 .stored = 1};
    Load load = {.held = &held, .cancel = cancel};
    size_t members = (size_t)team_members(team);
    load.part = mem_zeroed(members, sizeof *load.part, err);
    if (load.part == NULL)
        return STATUS_NOMEM;
    Status status = STATUS_OK;
    if (wide)
        status = tensor_transpose(&load.tall, matrix, err);
    else
        tensor_view(&load.tall, matrix);
    if (status == STATUS_OK) {
        load.strips =
            tensor_in_memory(&load.tall)
                ? llabs(load.tall.stride[0]) < llabs(load.tall.stride[1])
                : load.tall.source->transposed;
        status = fill(&load, matrix, team, err);
        tensor_release(&load.tall);
    }
    for (size_t i = 0; i < members; i++)
        scratch_release(&load.part[i].scratch);
    mem_free(load.part);
    if (status == STATUS_OK)
        *out = held;
    else
        held_release(&held);
    return status;
}

void held_release(Held *held) {
    mem_free(held->data);
    held->data = NULL;
}
