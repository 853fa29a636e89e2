/* How fast each number format is decoded to float32, on one core: GB of output
 * a second, the median of several runs and their spread. */
#include <stdio.h>
#include <stdlib.h>
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

int main(void) {
    uint8_t *src = mem_array(ELEMENTS, 8, NULL);
    float *dst = mem_array(ELEMENTS, sizeof *dst, NULL);
    if (src == NULL || dst == NULL)
        return 1;
    for (size_t i = 0; i < (size_t)ELEMENTS * 8; i++)
        src[i] = (uint8_t)(i * 2654435761U >> 13);
    printf("decoding to float32, GB/s of output on one core\n"
           "| type | median | least | most |\n|---|---|---|---|\n");
    for (int d = 0; d < DTYPE_COUNT; d++) {
        double rates[RUNS];
        if (dtype_readable((Dtype)d) && measure((Dtype)d, src, dst, rates))
            printf("| %s | %.1f | %.1f | %.1f |\n", dtype_row((Dtype)d)->name,
                   rates[RUNS / 2], rates[0], rates[RUNS - 1]);
    }
    mem_free(src);
    mem_free(dst);
    return 0;
}
