/* Long float32 vectors, a multiple of 16 elements: the same bits whatever
 * vector instructions there are. */
#ifndef WEFT_ESTIMATE_VECTOR_H
#define WEFT_ESTIMATE_VECTOR_H

#include <stddef.h>

/* Products in float32, pieces of 1,024 summed in float32, these in float64. */
double vector_dot(const float *x, const float *y, size_t n);
/* y -= a x. */
void vector_subtract(float *restrict y, float a, const float *restrict x,
                     size_t n);
/* x *= a. */
void vector_scale(float *x, float a, size_t n);
/* y -= q_i (q_i . y) for the `count` rows q_i of q (count, n), from the last to
 * the first. */
void vector_project(float *y, const float *q, size_t count, size_t n);

#endif
