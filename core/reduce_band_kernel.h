/* Dense to band, once for each precision: each panel's part below the band is
 * factored, Q R, and Q is applied to what remains from both sides at once. The
 * file that includes it defines REAL (the type of an element) and NAMED(x),
 * the name of the function x for that type. */
#include <string.h>

#include "linalg.h"
#include "reduce.h"

enum { SQUARE = REDUCE_BAND * REDUCE_BAND };

/* Q = I - V T V^T of one panel, and what the update of A needs besides. */
typedef struct Panel {
    REAL *v; /* (rows, count), unit lower trapezoidal, ones and zeros kept */
    REAL *w; /* (rows, count) */
    REAL *t; /* (count, count), upper */
    REAL *s; /* (count, count) */
    int rows, count;
} Panel;

/* V out of the factored panel at `a`, whose R stays where it is. */
static void copy_reflectors(const Panel *panel, const REAL *a, int lda) {
    size_t rows = (size_t)panel->rows;
    for (size_t j = 0; j < (size_t)panel->count; j++) {
        REAL *column = panel->v + j * rows;
        memset(column, 0, j * sizeof *column);
        column[j] = 1;
        memcpy(column + j + 1, a + j * (size_t)lda + j + 1,
               (rows - j - 1) * sizeof *column);
    }
}

/* Q^T A Q = A - V W^T - W V^T for Y = A V T, W = Y - V (T^T V^T Y) / 2. */
static void turn_rest(const Panel *panel, REAL *a, int lda) {
    int m = panel->rows, k = panel->count;
    NAMED(linalg_symmetric_multiply)(m, k, a, lda, panel->v, m, panel->w, m);
    NAMED(linalg_triangular)(false, false, m, k, panel->t, k, panel->w, m);
    NAMED(linalg_multiply)
    (true, false, k, k, m, panel->v, m, panel->w, m, 0, panel->s, k);
    NAMED(linalg_triangular)(true, true, k, k, panel->t, k, panel->s, k);
    for (int i = 0; i < k * k; i++)
        panel->s[i] /= -2;
    NAMED(linalg_multiply)
    (false, false, m, k, k, panel->v, m, panel->s, k, 1, panel->w, m);
    NAMED(linalg_rank_two)(m, k, panel->v, m, panel->w, m, a, lda);
}

Status NAMED(reduce_band)(int n, REAL *g, int ldg, REAL *room, Err *err) {
    size_t area = (size_t)REDUCE_BAND * (size_t)n, ld = (size_t)ldg;
    REAL *work = room;
    Panel panel = {.t = work + SQUARE,
                   .s = work + 2 * (size_t)SQUARE,
                   .v = work + 3 * (size_t)SQUARE,
                   .w = work + 3 * (size_t)SQUARE + area};
    /* one row below the band's corner would be all inside the band */
    for (int j = 0; n - j - REDUCE_BAND > 1; j += REDUCE_BAND) {
        REAL *below = g + (size_t)j * ld + (size_t)(j + REDUCE_BAND);
        panel.rows = n - j - REDUCE_BAND;
        panel.count = panel.rows < REDUCE_BAND ? panel.rows : REDUCE_BAND;
        Status status = NAMED(linalg_qr_factors)(panel.rows, REDUCE_BAND, below,
                                                 ldg, panel.t, work, err);
        if (status != STATUS_OK)
            return status;
        copy_reflectors(&panel, below, ldg);
        turn_rest(&panel, below + (size_t)REDUCE_BAND * ld, ldg);
    }
    return STATUS_OK;
}
