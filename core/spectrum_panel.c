/* A matrix in panels of its long side, from where it is stored. */
#include <math.h>
#include <stdlib.h>

#include "cancel.h"
#include "linalg.h"
#include "spectrum_run.h"

Status spectrum_nonfinite(const NonFinite *bad, Err *err) {
    if (bad->count == 0)
        return STATUS_OK;
    return err_set(
        err, STATUS_NONFINITE,
        "%llu non-finite value%s at row %llu, column %llu",
        (unsigned long long)bad->count, bad->count == 1 ? "," : "s, the first",
        (unsigned long long)bad->row + 1, (unsigned long long)bad->col + 1);
}

Status spectrum_poll(const Run *run, Err *err) {
    if (cancel_seen(run->cancel))
        return err_set(err, STATUS_CANCELLED, "interrupted");
    return STATUS_OK;
}

/* Reads panel->k elements of the long side from `first` on, scaled. */
static Status read_panel(Run *run, int64_t first, Panel *panel, NonFinite *bad,
                         Err *err) {
    int64_t rows = run->tall ? panel->k : run->n;
    int64_t cols = run->tall ? run->n : panel->k;
    panel->ld = (int)cols;
    Status status = tensor_read(&run->stored, run->tall ? first : 0, rows,
                                run->tall ? 0 : first, cols, panel->z, cols,
                                bad, run->scratch, RAW, err);
    size_t count = (size_t)rows * (size_t)cols;
    if (status == STATUS_OK && run->scale != 1)
        for (size_t i = 0; i < count; i++)
            panel->z[i] *= run->scale;
    run->info.read += count;
    return status;
}

NonFinite spectrum_place(const Run *run, const NonFinite *bad) {
    NonFinite place = *bad;
    if (run->flipped) {
        place.row = bad->col;
        place.col = bad->row;
    }
    return place;
}

Status spectrum_pass(Run *run, int64_t first, int64_t last, PanelStep *step,
                     void *state, NonFinite *bad, Err *err) {
    Panel panel = {.z = scratch_take(run->scratch, PANEL,
                                     (size_t)run->n * (size_t)run->room,
                                     sizeof(double), err)};
    if (panel.z == NULL)
        return STATUS_NOMEM;
    panel.spare = panel.z + (size_t)run->n * (size_t)run->width;
    for (; first < last; first += panel.k) {
        int64_t left = last - first;
        panel.k = left < run->width ? (int)left : run->width;
        Status status = spectrum_poll(run, err);
        if (status == STATUS_OK)
            status = read_panel(run, first, &panel, bad, err);
        if (status == STATUS_OK && bad->count == 0)
            status = step(run, &panel, state, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

Status spectrum_each(Run *run, PanelStep *step, void *state, Err *err) {
    NonFinite bad = {0};
    Status status = spectrum_pass(run, 0, run->m, step, state, &bad, err);
    bad = spectrum_place(run, &bad);
    return status == STATUS_OK ? spectrum_nonfinite(&bad, err) : status;
}

double spectrum_largest(const Run *run, const Panel *panel) {
    double largest = 0;
    if (run->stored.dtype != DTYPE_F64)
        return 0;
    size_t count = (size_t)run->n * (size_t)panel->k;
    for (size_t i = 0; i < count; i++) {
        double size = fabs(panel->z[i]);
        largest = size > largest ? size : largest;
    }
    return largest;
}

double spectrum_scale_of(double largest) {
    int exponent;
    (void)frexp(largest, &exponent);
    if (largest == 0 || (exponent <= 300 && exponent >= -300))
        return 1;
    return ldexp(1.0, exponent < -1000 ? 1000 : -exponent);
}

/* PanelStep: *state = the largest magnitude so far. */
static Status find_largest(Run *run, const Panel *panel, void *state,
                           Err *err) {
    double *largest = state;
    (void)err;
    *largest = fmax(*largest, spectrum_largest(run, panel));
    return STATUS_OK;
}

Status spectrum_scale(Run *run, Err *err) {
    if (run->stored.dtype != DTYPE_F64)
        return STATUS_OK;
    double largest = 0;
    Status status = spectrum_each(run, find_largest, &largest, err);
    if (status == STATUS_OK)
        run->scale = spectrum_scale_of(largest);
    return status;
}

double *spectrum_upright(const Run *run, const Panel *panel) {
    enum { TILE = 16 };
    if (!run->tall)
        return panel->z;
    int n = run->n, k = panel->k;
    for (int i0 = 0; i0 < n; i0 += TILE)
        for (int j = 0; j < k; j++)
            for (int i = i0; i < n && i < i0 + TILE; i++)
                panel->spare[(size_t)i * (size_t)k + (size_t)j] =
                    panel->z[(size_t)j * (size_t)n + (size_t)i];
    return panel->spare;
}

/* Panels of about half a million elements, 768 to 8192 of the long side,
 * multiples of BLOCK so that no quantised block is split. */
enum { BLOCK = 256 };

static int panel_width(int64_t n, int64_t m) {
    int64_t width = ((int64_t)1 << 19) / n / BLOCK * BLOCK;
    width = width < SPECTRUM_PANEL_LEAST ? SPECTRUM_PANEL_LEAST
            : width > 8192               ? 8192
                                         : width;
    return (int)(width < m ? width : m);
}

/* Two narrow panels fit. */
static int panel_room(int width) {
    return width < 2 * BLOCK ? 2 * width : width;
}

int64_t spectrum_panel(int64_t rows, int64_t cols) {
    int64_t n = rows < cols ? rows : cols, m = rows < cols ? cols : rows;
    return n > 0 ? n * panel_room(panel_width(n, m)) : 0;
}

void spectrum_narrow(Run *run) {
    run->width = run->m < BLOCK ? (int)run->m : run->room / 2 / BLOCK * BLOCK;
}

static bool stored_by_columns(const Tensor *matrix) {
    if (!tensor_in_memory(matrix))
        return matrix->source->transposed;
    return llabs(matrix->stride[0]) < llabs(matrix->stride[1]);
}

Status spectrum_check(const Tensor *matrix, int64_t n, int64_t m, Err *err) {
    int64_t width = n > 0 ? panel_width(n, m) : 0;
    if (matrix->axes != 2)
        return err_set(err, STATUS_ARGUMENT,
                       "a tensor of %d axes has no spectrum: a matrix of 2 is "
                       "wanted",
                       matrix->axes);
    Status status = linalg_check_size((uint64_t)n, (uint64_t)n, err);
    if (status == STATUS_OK)
        status = linalg_check_size((uint64_t)n, (uint64_t)width, err);
    return status;
}

/* Fills in the run but for what spectrum_open did. */
static Status start_run(Run *run, Err *err) {
    int64_t rows = run->stored.shape[0], cols = run->stored.shape[1];
    run->tall = rows >= cols;
    run->n = (int)(run->tall ? cols : rows);
    run->m = run->tall ? rows : cols;
    run->width = panel_width(run->n, run->m);
    run->room = panel_room(run->width);
    run->scale = 1;
    size_t n = (size_t)run->n;
    double *block = scratch_take(run->scratch, VALUES, n,
                                 3 * sizeof(double) + sizeof(int), err);
    if (block == NULL)
        return STATUS_NOMEM;
    run->w = block;
    run->diag = block + n;
    run->s = block + 2 * n;
    run->column = (int *)(block + 3 * n);
    return STATUS_OK;
}

Status spectrum_open(Run *run, const Tensor *matrix, Scratch *scratch,
                     const volatile int *cancel, Err *err) {
    *run = (Run){.flipped = stored_by_columns(matrix),
                 .scratch = scratch,
                 .cancel = cancel};
    Status status = STATUS_OK;
    if (run->flipped)
        status = tensor_transpose(&run->stored, matrix, err);
    else
        tensor_view(&run->stored, matrix);
    if (status == STATUS_OK && (status = start_run(run, err)) != STATUS_OK)
        spectrum_close(run);
    return status;
}

void spectrum_close(Run *run) {
    tensor_release(&run->stored);
}
