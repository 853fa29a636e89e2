/* What is done with one lane: the elements along an axis, side by side. */
#ifndef WEFT_OPS_LANE_H
#define WEFT_OPS_LANE_H

#include "ops.h"

/* From x (n) to the lane's results; `work` has as many bytes as its row of the
 * table asks for. Subscripts are doubles here, exact to 2^53.
 * STATUS_CANCELLED. */
typedef Status Lane(const double *x, int64_t n, const OpsWish *wish,
                    double *out, void *work, Err *err);

Lane lane_sum, lane_mean, lane_var, lane_std, lane_min, lane_max, lane_argmin,
    lane_argmax, lane_norm_1, lane_norm_2, lane_norm_max, lane_cumsum,
    lane_diff;
/* Work of one more lane. */
Lane lane_sort, lane_percentile;
/* Work of two lanes of Ranked. */
Lane lane_argsort;

/* A value and where it was. */
typedef struct Ranked {
    double value;
    int64_t at;
} Ranked;

#endif
