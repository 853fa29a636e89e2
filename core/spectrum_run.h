/* One matrix on its way through the panels of its long side; the own header of
 * spectrum.c, spectrum_panel.c and spectrum_slice.c. */
#ifndef WEFT_SPECTRUM_RUN_H
#define WEFT_SPECTRUM_RUN_H

#include "spectrum.h"

/* Scratch slots of a spectrum. */
enum {
    RAW,     /* tensor_read's own */
    PANEL,   /* one panel as it was read */
    FLOATS,  /* the panel in float32 */
    GRAM,    /* G (n, n), or the R of the matrix */
    VECTORS, /* V2 (n, count) */
    LOW_R,   /* R (count, count) of A V2 */
    VALUES,  /* eigenvalues, G's diagonal, singular values, column numbers */
    LAPACK,
    PART = LAPACK /* Gram matrix of one slice, before any LAPACK */
};

/* A panel has so many elements of the long side at least: a multiple of 256,
 * so that no quantised block is cut. */
enum { SPECTRUM_PANEL_LEAST = 768 };

/* One matrix on its way: n columns of the short side, m of the long one. */
typedef struct Run {
    Tensor stored; /* the matrix, or its transpose, as its rows are stored */
    bool flipped;  /* it is the transpose */
    bool tall;     /* its long side is its rows */
    int64_t m;
    int n;
    int width;    /* of a panel, along the long side */
    int room;     /* what a panel's buffer holds of it */
    double scale; /* power of two that every element is multiplied by */
    bool shown;
    SpectrumInfo info;
    Scratch *scratch;
    const volatile int *cancel;
    double *w;    /* (n) eigenvalues of G, rising */
    double *diag; /* (n) of G, kept */
    double *s;    /* (n) the result before it is scaled back */
    int *column;  /* (n) of G's columns that are not zero, their numbers */
    int kept;     /* how many these are */
} Run;

/* k elements of the long side, column-major: (n, k) where the run is tall,
 * else (k, n). */
typedef struct Panel {
    double *z;
    double *spare; /* in narrow panels as much again, for the step's use */
    int k, ld;
} Panel;

/* What a pass does with each panel; `state` is the pass's own. */
typedef Status PanelStep(Run *run, const Panel *panel, void *state, Err *err);

/* Whether the matrix has 2 axes and a size that LAPACK takes. */
CHECKED Status spectrum_check(const Tensor *matrix, int64_t n, int64_t m,
                              Err *err);
/* Begins a run of a matrix that was checked and has a value at least.
 * Creates: spectrum_close. */
CHECKED Status spectrum_open(Run *run, const Tensor *matrix, Scratch *scratch,
                             const volatile int *cancel, Err *err);
void spectrum_close(Run *run);
/* STATUS_CANCELLED where the run's cancel word is set. */
CHECKED Status spectrum_poll(const Run *run, Err *err);
/* Hands elements first to last - 1 of the long side to `step`, in panels. After
 * a value that is not finite panels are only counted, in *bad. */
CHECKED Status spectrum_pass(Run *run, int64_t first, int64_t last,
                             PanelStep *step, void *state, NonFinite *bad,
                             Err *err);
/* The same over all of it; STATUS_NONFINITE says what is not finite. */
CHECKED Status spectrum_each(Run *run, PanelStep *step, void *state, Err *err);
/* What a pass counted, in the matrix's own rows and columns. */
NonFinite spectrum_place(const Run *run, const NonFinite *bad);
/* The panel's largest magnitude where the matrix is F64, else 0: the squares of
 * narrower types fit a double's range. */
double spectrum_largest(const Run *run, const Panel *panel);
/* The power of two that brings the squares of such magnitudes into that range;
 * 1 where they are in it. */
double spectrum_scale_of(double largest);
/* The run's scale, by a pass of its own where the matrix is F64. */
CHECKED Status spectrum_scale(Run *run, Err *err);
/* Panels are narrow from here on: their buffer has room for two. */
void spectrum_narrow(Run *run);
/* The panel as (k, n), column-major; of a tall run that is in the spare of a
 * narrow one. */
double *spectrum_upright(const Run *run, const Panel *panel);

/* G (n, n), lower triangle, of the whole matrix: the sum of its slices'. */
CHECKED Status spectrum_gram(Run *run, double *g, Err *err);

#endif
