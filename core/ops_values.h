/* What the files of ops share: operands as float64 in memory. */
#ifndef WEFT_OPS_VALUES_H
#define WEFT_OPS_VALUES_H

#include "ops.h"

/* An F64 tensor in memory whose last axis has stride 1: a view where the
 * tensor is one already, else a copy. Creates. */
CHECKED Status ops_values(Tensor *out, const Tensor *tensor, Err *err);
/* The same, of one axis that holds all elements. Creates. */
CHECKED Status ops_flat(Tensor *out, const Tensor *tensor, Err *err);

/* STATUS_CANCELLED where the cancel flag is set. */
CHECKED Status ops_poll(Err *err);

/* An F64 tensor of one axis. Creates. */
CHECKED Status ops_vector(Tensor *out, int64_t n, Err *err);
/* numpy.linspace's values into x (count). */
void ops_line(double *x, int64_t count, double start, double stop);

#endif
