/* Dots and sums over sixteen lanes. */
#include "estimate_vector.h"

#include "quant.h"

enum { LANES = 16, PIECE = 1024 };

/* As many sums as there are lanes, and then one of them. */
HOT static double dot_piece(const float *restrict x, const float *restrict y,
                            size_t n) {
    float sum[LANES] = {0};
    for (size_t i = 0; i < n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            sum[k] += x[i + k] * y[i + k];
    double total = 0;
    for (size_t k = 0; k < LANES; k++)
        total += (double)sum[k];
    return total;
}

double vector_dot(const float *x, const float *y, size_t n) {
    double total = 0;
    for (size_t i = 0; i < n; i += PIECE)
        total += dot_piece(x + i, y + i, n - i < PIECE ? n - i : PIECE);
    return total;
}

HOT void vector_subtract(float *restrict y, float a, const float *restrict x,
                         size_t n) {
    for (size_t i = 0; i < n; i += LANES)
        for (size_t k = i; k < i + LANES; k++)
            y[k] -= a * x[k];
}

HOT void vector_scale(float *x, float a, size_t n) {
    for (size_t i = 0; i < n; i += LANES)
        for (size_t k = i; k < i + LANES; k++)
            x[k] *= a;
}

void vector_project(float *y, const float *q, size_t count, size_t n) {
    for (size_t i = count; i-- > 0;)
        vector_subtract(y, (float)vector_dot(q + i * n, y, n), q + i * n, n);
}
