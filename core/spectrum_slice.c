/* The Gram matrix as the sum of slices of the long side. */
#include <math.h>
#include <string.h>

#include "linalg.h"
#include "spectrum_run.h"

/* Slices of two panels, or of more where there would be too many. What is not
 * split costs a sum of n x n a slice: of one panel each, that was a part of
 * thirty, of two a part of a hundred. */
enum { SHORT_SIDE = 1024, PANELS = 2, WIDTH = SPECTRUM_PANEL_LEAST };

/* Elements of the long side that a slice has, but for the last. */
static int64_t slice_width(int64_t n, int64_t m) {
    int64_t panels = (m + WIDTH - 1) / WIDTH;
    int64_t each = (panels + SPECTRUM_SLICES_MAX - 1) / SPECTRUM_SLICES_MAX;
    if (n < SHORT_SIDE)
        return m;
    return (each > PANELS ? each : PANELS) * WIDTH;
}

int spectrum_slices(int64_t rows, int64_t cols) {
    int64_t n = rows < cols ? rows : cols, m = rows < cols ? cols : rows;
    int64_t width = slice_width(n, m);
    return width > 0 ? (int)((m + width - 1) / width) : 1;
}

/* float32 sums are not sliced. */
int spectrum_parts(const Tensor *matrix, const SpectrumWish *wish) {
    if (matrix->axes != 2 || wish->method != SPECTRUM_GRAM || wish->single)
        return 1;
    return spectrum_slices(matrix->shape[0], matrix->shape[1]);
}

/* A slice's Gram matrix while its panels are added. */
typedef struct Sum {
    double *g; /* (n, n) */
    SpectrumSlice *found;
} Sum;

/* PanelStep */
static Status add_panel(Run *run, const Panel *panel, void *state, Err *err) {
    const Sum *sum = state;
    (void)err;
    sum->found->largest =
        fmax(sum->found->largest, spectrum_largest(run, panel));
    linalg_gram(run->n, panel->k, panel->z, panel->ld, run->tall, 1, sum->g,
                run->n);
    return STATUS_OK;
}

static Status gram_of_slice(Run *run, int slice, double *g,
                            SpectrumSlice *found, Err *err) {
    size_t n = (size_t)run->n;
    int64_t width = slice_width(run->n, run->m), first = slice * width;
    int64_t last = first + width < run->m ? first + width : run->m;
    for (size_t j = 0; j < n; j++)
        memset(g + j * n + j, 0, (n - j) * sizeof *g);
    Sum sum = {g, found};
    return spectrum_pass(run, first, last, add_panel, &sum, &found->bad, err);
}

static void add_lower(size_t n, double *restrict g,
                      const double *restrict part) {
    for (size_t j = 0; j < n; j++)
        for (size_t i = j * n + j; i < j * n + n; i++)
            g[i] += part[i];
}

Status spectrum_gram(Run *run, double *g, Err *err) {
    size_t n = (size_t)run->n;
    int count = spectrum_slices(run->n, run->m);
    SpectrumSlice found = {.read = 0};
    Status status = gram_of_slice(run, 0, g, &found, err);
    double *part = NULL;
    if (status == STATUS_OK && count > 1)
        part = scratch_take(run->scratch, PART, n * n, sizeof *part, err);
    if (status == STATUS_OK && count > 1 && part == NULL)
        status = STATUS_NOMEM;
    for (int i = 1; status == STATUS_OK && i < count; i++) {
        status = gram_of_slice(run, i, part, &found, err);
        if (status == STATUS_OK)
            add_lower(n, g, part);
    }
    NonFinite bad = spectrum_place(run, &found.bad);
    return status == STATUS_OK ? spectrum_nonfinite(&bad, err) : status;
}

Status spectrum_slice(const Tensor *matrix, int slice, double *g,
                      SpectrumSlice *out, Scratch *scratch,
                      const volatile int *cancel, Err *err) {
    int64_t rows = matrix->shape[0], cols = matrix->shape[1];
    Status status = spectrum_check(matrix, rows < cols ? rows : cols,
                                   rows < cols ? cols : rows, err);
    Run run;
    if (status == STATUS_OK)
        status = spectrum_open(&run, matrix, scratch, cancel, err);
    if (status != STATUS_OK)
        return status;
    SpectrumSlice found = {.read = 0};
    status = gram_of_slice(&run, slice, g, &found, err);
    found.read = run.info.read;
    if (status == STATUS_OK)
        *out = found;
    spectrum_close(&run);
    return status;
}

/* Counts both, and keeps the place that comes first row by row. */
static void merge(NonFinite *bad, const NonFinite *next) {
    bool first =
        next->row < bad->row || (next->row == bad->row && next->col < bad->col);
    uint64_t count = bad->count + next->count;
    if (bad->count == 0 || (next->count > 0 && first))
        *bad = *next;
    bad->count = count;
}

bool spectrum_rescales(const SpectrumSlice *sum) {
    return sum->bad.count == 0 && spectrum_scale_of(sum->largest) != 1;
}

void spectrum_add(int64_t n, double *g, const double *part, SpectrumSlice *sum,
                  const SpectrumSlice *next) {
    add_lower((size_t)n, g, part);
    merge(&sum->bad, &next->bad);
    sum->largest = fmax(sum->largest, next->largest);
    sum->read += next->read;
}
