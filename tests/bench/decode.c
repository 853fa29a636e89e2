/* decode: the names of the number formats. decode NAME: how fast that one is
 * decoded to float32 on one core, GB of output a second, the median of several
 * runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dtype.h"
#include "mem.h"

enum { ELEMENTS = 1 << 18, RUNS = 7, REPEATS = 40 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Decodes the block over and over; GB/s of each run, rising, into rates. */
static bool measure(Dtype dtype, const uint8_t *src, float *dst,
                    double *rates) {
    for (int run = -1; run < RUNS; run++) {
        double start = now();
        for (int i = 0; i < REPEATS; i++)
            if (dtype_decode_float(dtype, src, ELEMENTS, dst, NULL) !=
                STATUS_OK)
                return false;
        if (run >= 0)
            rates[run] = 4e-9 * ELEMENTS * REPEATS / (now() - start);
    }
    qsort(rates, RUNS, sizeof *rates, by_value);
    return true;
}

static void list_types(void) {
    for (int d = 0; d < DTYPE_COUNT; d++)
        if (dtype_readable((Dtype)d))
            puts(dtype_row((Dtype)d)->name);
}

/* The type of that name, or DTYPE_COUNT. */
static int find_type(const char *name) {
    int d = 0;
    while (d < DTYPE_COUNT && (!dtype_readable((Dtype)d) ||
                               strcmp(dtype_row((Dtype)d)->name, name) != 0))
        d++;
    return d;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        list_types();
        return 0;
    }
    int dtype = find_type(argv[1]);
    uint8_t *src = mem_array(ELEMENTS, 8, NULL);
    float *dst = mem_array(ELEMENTS, sizeof *dst, NULL);
    bool done = dtype < DTYPE_COUNT && src != NULL && dst != NULL;
    if (done) {
        for (size_t i = 0; i < (size_t)ELEMENTS * 8; i++)
            src[i] = (uint8_t)(i * 2654435761U >> 13);
        double rates[RUNS];
        done = measure((Dtype)dtype, src, dst, rates);
        if (done)
            printf("%.4f\n", rates[RUNS / 2]);
    }
    mem_free(src);
    mem_free(dst);
    return done ? 0 : 1;
}
