/* Singular values of one matrix by its Gram matrix, its low end, or directly.
 *
 * The matrix is passed over in panels of its long side. Each pass hands the
 * panels to one function: add to the Gram matrix, to the R of a QR, ... */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linalg.h"
#include "spectrum_bound.h"
#include "spectrum_run.h"

static const double UNIT = 0x1p-53, UNIT_FLOAT = 0x1p-24;
static const double GOOD = 1e-9;        /* E up to which Gram's result stays */
static const double GOOD_FLOAT = 1e-4;  /* the same in float32 */
static const double SHOWN = 3e-6;       /* s_min / s_1 good enough to show */
static const double SHOWN_FLOAT = 0.07; /* as many digits, in float32 */
static const double DEEP = 1e-9;        /* s / s_1 that A V2 cannot tell */

static void sort_falling(double *s, int n) {
    for (int i = 1; i < n; i++) {
        double value = s[i];
        int j = i;
        for (; j > 0 && s[j - 1] < value; j--)
            s[j] = s[j - 1];
        s[j] = value;
    }
}

/* ---- directly: QR by panels, then LAPACK's SVD of R ---- */

/* PanelStep: R (n, n) of state takes the panel in. */
static Status append_panel(Run *run, const Panel *panel, void *state,
                           Err *err) {
    return linalg_qr_append(run->n, state, run->n, panel->k,
                            spectrum_upright(run, panel), panel->k,
                            run->scratch, LAPACK, err);
}

static bool zero_column(const double *column, int n) {
    for (int i = 0; i < n; i++)
        if (column[i] != 0)
            return false;
    return true;
}

/* The matrix's zero columns are R's: exact zeros, and not LAPACK's to find. */
static int drop_columns(double *r, int n) {
    int kept = 0;
    for (int j = 0; j < n; j++) {
        double *column = r + (size_t)j * (size_t)n;
        if (zero_column(column, n))
            continue;
        memmove(r + (size_t)kept * (size_t)n, column, (size_t)n * sizeof *r);
        kept++;
    }
    return kept;
}

static Status by_direct(Run *run, Err *err) {
    int n = run->n;
    size_t area = (size_t)n * (size_t)n;
    double *r = scratch_take(run->scratch, GRAM, area, sizeof *r, err);
    if (r == NULL)
        return STATUS_NOMEM;
    memset(r, 0, area * sizeof *r);
    spectrum_narrow(run);
    Status status = spectrum_each(run, append_panel, r, err);
    if (status == STATUS_OK)
        status = spectrum_poll(run, err);
    if (status != STATUS_OK)
        return status;
    int kept = drop_columns(r, n);
    memset(run->s, 0, (size_t)n * sizeof *run->s);
    status = linalg_singular_values(n, kept, r, n, run->s, run->scratch, LAPACK,
                                    err);
    Trust trust = {.delta = 0, .low = (size_t)kept, .floor = 8 * UNIT};
    run->info.direct = true;
    run->info.low_end = false;
    run->info.bound = spectrum_bound(run->s, (size_t)kept, &trust);
    return status;
}

/* ---- by the Gram matrix ---- */

/* Closes up G over its zero columns; the numbers of the others are kept. */
static void drop_zeros(Run *run, double *g) {
    size_t n = (size_t)run->n;
    run->kept = 0;
    for (int j = 0; j < run->n; j++)
        if (g[(size_t)j * n + (size_t)j] > 0)
            run->column[run->kept++] = j;
    if (run->kept == run->n)
        return;
    for (int j = 0; j < run->kept; j++)
        for (int i = j; i < run->kept; i++)
            g[(size_t)j * n + (size_t)i] =
                g[(size_t)run->column[j] * n + (size_t)run->column[i]];
}

/* Keeps G in its upper triangle and run->diag: the reduction that follows
 * destroys the lower one. */
static void keep_gram(Run *run, double *g) {
    size_t n = (size_t)run->n, kept = (size_t)run->kept;
    for (size_t j = 0; j < kept; j++) {
        run->diag[j] = g[j * n + j];
        for (size_t i = j + 1; i < kept; i++)
            g[i * n + j] = g[j * n + i];
    }
}

static void restore_gram(const Run *run, double *g) {
    size_t n = (size_t)run->n, kept = (size_t)run->kept;
    for (size_t j = 0; j < kept; j++) {
        g[j * n + j] = run->diag[j];
        for (size_t i = j + 1; i < kept; i++)
            g[j * n + i] = g[i * n + j];
    }
}

/* s = the roots of the `kept` eigenvalues w, falling, then zeros. */
static void take_roots(Run *run, int kept) {
    memset(run->s, 0, (size_t)run->n * sizeof *run->s);
    for (int i = 0; i < kept; i++) {
        double square = run->w[kept - 1 - i];
        run->s[i] = square > 0 ? sqrt(square) : 0;
    }
}

/* Eigenvalues of the whole G; what is kept of it stays in g. */
static Status gram_values(Run *run, double *g, Err *err) {
    Status status = spectrum_poll(run, err);
    if (status != STATUS_OK)
        return status;
    drop_zeros(run, g);
    keep_gram(run, g);
    status = linalg_symmetric_values(run->kept, g, run->n, run->w, run->scratch,
                                     LAPACK, err);
    if (status == STATUS_OK)
        take_roots(run, run->kept);
    return status;
}

/* ---- the low end again: singular values of A V2 ---- */

typedef struct LowEnd {
    int count;       /* of the values below the cut */
    const double *v; /* (n, count) their eigenvectors of G */
    double *r;       /* (count, count) R of A V2 */
} LowEnd;

/* PanelStep: R takes in the panel times V2. */
static Status append_low(Run *run, const Panel *panel, void *state, Err *err) {
    LowEnd *low = state;
    int n = run->n, k = panel->k;
    linalg_multiply(run->tall, false, k, low->count, n, panel->z, panel->ld,
                    low->v, n, 0, panel->spare, k);
    return linalg_qr_append(low->count, low->r, low->count, k, panel->spare, k,
                            run->scratch, LAPACK, err);
}

/* Rows of V2 back to where G's columns were before the zeros were dropped. */
static void spread_rows(const Run *run, double *v, int count) {
    for (int j = 0; j < count; j++) {
        double *column = v + (size_t)j * (size_t)run->n;
        int next = run->kept - 1;
        for (int i = run->n - 1; i >= 0; i--) {
            bool here = next >= 0 && run->column[next] == i;
            column[i] = here ? column[next--] : 0;
        }
    }
}

/* V2 from G as keep_gram left it, and R of A V2. */
static Status low_factors(Run *run, double *g, LowEnd *low, Err *err) {
    size_t n = (size_t)run->n, count = (size_t)low->count;
    double *v = scratch_take(run->scratch, VECTORS, n * count, sizeof *v, err);
    low->v = v;
    low->r = scratch_take(run->scratch, LOW_R, count * count, sizeof *v, err);
    if (v == NULL || low->r == NULL)
        return STATUS_NOMEM;
    restore_gram(run, g);
    Status status = linalg_symmetric_vectors(
        run->kept, g, run->n, low->count, v, run->n, run->scratch, LAPACK, err);
    if (status != STATUS_OK)
        return status;
    spread_rows(run, v, low->count);
    memset(low->r, 0, count * count * sizeof *low->r);
    spectrum_narrow(run);
    return spectrum_each(run, append_low, low, err);
}

static int count_below(const double *s, int n, double limit) {
    int count = 0;
    while (count < n && s[n - 1 - count] < limit)
        count++;
    return count;
}

static bool good_enough(const Run *run, double deepest) {
    const double *s = run->s;
    bool deep = run->kept > 0 && s[run->kept - 1] < deepest * s[0];
    return run->info.bound <= GOOD && !(run->shown && deep);
}

/* The Gram matrix's values as they are, none of them too low to show. */
bool spectrum_shows(const SpectrumInfo *info, const double *s, size_t n) {
    return !info->single && !info->direct && !info->low_end && s[n - 1] > 0 &&
           s[n - 1] >= SHOWN * s[0];
}

/* Replaces the values below the cut. Leaves them, and the direct way to the
 * caller, where there are none or too many of them. */
static Status redo_low_end(Run *run, double *g, Err *err) {
    double *s = run->s;
    int kept = run->kept;
    LowEnd low = {.count = count_below(s, kept, SPECTRUM_CUT * s[0])};
    if (low.count == 0 || low.count > kept / 2)
        return STATUS_OK;
    Status status = low_factors(run, g, &low, err);
    if (status == STATUS_OK)
        status = linalg_singular_values(low.count, low.count, low.r, low.count,
                                        s + kept - low.count, run->scratch,
                                        LAPACK, err);
    if (status != STATUS_OK)
        return status;
    sort_falling(s, kept);
    Trust trust = {
        .delta = UNIT, .low = (size_t)(kept - low.count), .floor = 8 * UNIT};
    run->info.low_end = true;
    run->info.bound = spectrum_bound(s, (size_t)kept, &trust);
    return STATUS_OK;
}

/* From the Gram matrix g (n, n), destroyed. */
static Status from_gram(Run *run, double *g, Err *err) {
    Status status = gram_values(run, g, err);
    if (status == STATUS_NUMERIC)
        return by_direct(run, err);
    if (status != STATUS_OK)
        return status;
    run->info.bound = spectrum_error(run->s, (size_t)run->kept, UNIT);
    if (good_enough(run, SHOWN))
        return STATUS_OK;
    status = redo_low_end(run, g, err);
    /* eigenvectors that do not converge are no reason to give up */
    if (status == STATUS_NUMERIC ||
        (status == STATUS_OK && !(run->info.low_end && good_enough(run, DEEP))))
        status = by_direct(run, err);
    return status;
}

static Status by_gram(Run *run, Err *err) {
    size_t n = (size_t)run->n;
    double *g = scratch_take(run->scratch, GRAM, n * n, sizeof *g, err);
    if (g == NULL)
        return STATUS_NOMEM;
    Status status = spectrum_gram(run, g, err);
    return status == STATUS_OK ? from_gram(run, g, err) : status;
}

/* ---- single precision ---- */

/* PanelStep: G (n, n) of state += the panel's part, in float32. */
static Status add_gram_float(Run *run, const Panel *panel, void *state,
                             Err *err) {
    size_t count = (size_t)run->n * (size_t)panel->k;
    float *z = scratch_take(run->scratch, FLOATS, count, sizeof *z, err);
    if (z == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < count; i++)
        z[i] = (float)panel->z[i];
    linalg_gram_float(run->n, panel->k, z, panel->ld, run->tall, 1, state,
                      run->n);
    return STATUS_OK;
}

/* Whether the squares of G (n, n) and their rounding stay in float32's range:
 * none is larger than those on the diagonal. */
static bool in_float_range(const float *g, int n) {
    float largest = 0;
    for (size_t i = 0; i < (size_t)n; i++) {
        float square = g[i * (size_t)n + i];
        if (!(square < 1e30F))
            return false;
        largest = square > largest ? square : largest;
    }
    return largest > 1e-25F;
}

static void judge_float(Run *run) {
    const double *s = run->s;
    bool deep = s[run->n - 1] < SHOWN_FLOAT * s[0];
    run->info.bound = spectrum_error(s, (size_t)run->n, UNIT_FLOAT);
    run->info.single = run->info.bound <= GOOD_FLOAT && !(run->shown && deep);
}

/* info.single tells whether the result may stay. */
static Status by_float(Run *run, Err *err) {
    size_t area = (size_t)run->n * (size_t)run->n;
    float *g = scratch_take(run->scratch, GRAM, area, sizeof *g, err);
    if (g == NULL)
        return STATUS_NOMEM;
    memset(g, 0, area * sizeof *g);
    Status status = spectrum_each(run, add_gram_float, g, err);
    if (status == STATUS_OK)
        status = spectrum_poll(run, err);
    if (status != STATUS_OK || !in_float_range(g, run->n))
        return status;
    status = linalg_symmetric_values_float(run->n, g, run->n, run->w,
                                           run->scratch, LAPACK, err);
    if (status == STATUS_NUMERIC)
        return STATUS_OK; /* not converged: double may */
    if (status != STATUS_OK)
        return status;
    take_roots(run, run->n);
    judge_float(run);
    return STATUS_OK;
}

/* ---- the whole ---- */

static Status compute(Run *run, const SpectrumWish *wish, Err *err) {
    Status status = spectrum_scale(run, err);
    if (status == STATUS_OK && wish->method == SPECTRUM_DIRECT)
        return by_direct(run, err);
    if (status == STATUS_OK && wish->single)
        status = by_float(run, err);
    if (status == STATUS_OK && !run->info.single)
        status = by_gram(run, err);
    return status;
}

/* Hands out the values as they were before the run's scale. */
static Status finish(Run *run, double *s, SpectrumInfo *info, Err *err) {
    if (run->s[0] / run->scale > DBL_MAX)
        return err_set(err, STATUS_NUMERIC,
                       "the largest singular value is over %g", DBL_MAX);
    for (int i = 0; i < run->n; i++)
        s[i] = run->s[i] / run->scale;
    *info = run->info;
    return STATUS_OK;
}

Status spectrum_values(const Tensor *matrix, const SpectrumWish *wish,
                       double *s, SpectrumInfo *info, Scratch *scratch,
                       const volatile int *cancel, Err *err) {
    int64_t rows = matrix->axes == 2 ? matrix->shape[0] : 0;
    int64_t cols = matrix->axes == 2 ? matrix->shape[1] : 0;
    int64_t n = rows < cols ? rows : cols, m = rows < cols ? cols : rows;
    Status status = spectrum_check(matrix, n, m, err);
    if (status != STATUS_OK)
        return status;
    if (n == 0) {
        memset(info, 0, sizeof *info);
        return STATUS_OK;
    }
    Run run;
    status = spectrum_open(&run, matrix, scratch, cancel, err);
    if (status != STATUS_OK)
        return status;
    run.shown = wish->shown;
    run.info.flops = spectrum_cost(rows, cols);
    status = compute(&run, wish, err);
    if (status == STATUS_OK)
        status = finish(&run, s, info, err);
    spectrum_close(&run);
    return status;
}

Status spectrum_from_slices(const Tensor *matrix, const SpectrumWish *wish,
                            double *g, const SpectrumSlice *sum, double *s,
                            SpectrumInfo *info, Scratch *scratch,
                            const volatile int *cancel, Err *err) {
    Run run;
    Status status = spectrum_open(&run, matrix, scratch, cancel, err);
    if (status != STATUS_OK)
        return status;
    run.shown = wish->shown;
    run.info.flops = spectrum_cost(matrix->shape[0], matrix->shape[1]);
    run.info.read = sum->read;
    NonFinite bad = spectrum_place(&run, &sum->bad);
    status = spectrum_nonfinite(&bad, err);
    if (status == STATUS_OK)
        status = from_gram(&run, g, err);
    if (status == STATUS_OK)
        status = finish(&run, s, info, err);
    spectrum_close(&run);
    return status;
}
