/* How often the intervals of 95 % hold what was planted: over seeds and kinds
 * of spectra, and as they are told. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "estimate.h"
#include "linalg.h"
#include "spectra.h"

enum { ROWS = 192, COLS = 240, SEEDS = 50 };

/* Of all intervals, and of one kind's: those are few. */
static const double COVERED = 0.9, COVERED_EACH = 0.8;
static const double FIRST_LOOK = 0.02; /* an error that needs no excuse */

/* ---- kinds of spectra: s (ROWS), falling ---- */

typedef void Spectrum(double *s);

static double share(int i) {
    return (i + 0.5) / ROWS;
}

static void flat(double *s) {
    for (int i = 0; i < ROWS; i++)
        s[i] = 1 - 0.5 * share(i);
}

/* As of a square matrix of noise: down to nothing. */
static void noise(double *s) {
    for (int i = 0; i < ROWS; i++)
        s[i] = 2 * cos(acos(0) * share(i));
}

static void slow_power(double *s) {
    for (int i = 0; i < ROWS; i++)
        s[i] = 1 / sqrt(i + 1);
}

static void power(double *s) {
    for (int i = 0; i < ROWS; i++)
        s[i] = 1.0 / (i + 1);
}

/* Two orders of magnitude: more steps than the first 16. */
static void steep(double *s) {
    graded(s, ROWS, 1e-2);
}

static void outliers(double *s) {
    for (int i = 0; i < ROWS; i++)
        s[i] = i < 6 ? 40 - 5 * i : 1 - 0.8 * share(i);
}

/* Of a rank beyond what is deflated, over a floor. */
static void low_rank(double *s) {
    for (int i = 0; i < ROWS; i++)
        s[i] = i < 40 ? 1 - 0.01 * i : 0.03 - 0.02 * share(i);
}

/* ---- intervals ---- */

static Estimate estimate_of(const Tensor *tensor, uint64_t seed) {
    EstimateWish wish = {.seed = seed, .threads = 1};
    Estimate out;
    Err err = {.message = ""};
    if (estimate_matrix(tensor, &wish, &out, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return out;
}

/* How many intervals of one kind cover; no error is large that was not told of
 * as such. */
static int covered(const char *name, Spectrum *spectrum) {
    double s[ROWS];
    int count = 0;
    spectrum(s);
    double exact = spectrum_effective_rank(s, ROWS);
    double *a = planted(ROWS, COLS, s, 11);
    Tensor tensor = matrix_of(ROWS, COLS, a, DTYPE_F32);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        /* a probe has the stream of the seed and its number */
        Estimate got = estimate_of(&tensor, 1000 * seed);
        double off = fabs(got.effective_rank / exact - 1);
        count += off <= got.half_width;
        if (!(off <= fmax(FIRST_LOOK, got.half_width)))
            fail_msg("%s, seed %d: off by %.4f, half-width %.4f", name,
                     (int)seed, off, got.half_width);
    }
    tensor_release(&tensor);
    free(a);
    return count;
}

static void test_coverage(void **state) {
    static const struct {
        const char *name;
        Spectrum *spectrum;
    } KINDS[] = {{"flat", flat},        {"noise", noise},
                 {"slow", slow_power},  {"power", power},
                 {"steep", steep},      {"outliers", outliers},
                 {"low rank", low_rank}};
    enum { COUNT = sizeof KINDS / sizeof *KINDS };
    int total = 0;
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        int count = covered(KINDS[i].name, KINDS[i].spectrum);
        total += count;
        if (count < COVERED_EACH * SEEDS)
            fail_msg("%s: %d of %d intervals cover", KINDS[i].name, count,
                     SEEDS);
    }
    if (total < COVERED * COUNT * SEEDS)
        fail_msg("%d of %d intervals cover", total, COUNT * SEEDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coverage),
    };
    linalg_single_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
