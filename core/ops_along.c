/* Along an axis: one table of what is done, one walk over the lanes. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "ops_lane.h"
#include "ops_values.h"

enum {
    TOGETHER = 16,     /* lanes gathered at once: a cache line is used whole */
    GATHERED = 1 << 17 /* values of them, but for one lane at least */
};

/* How many values a lane of n becomes. */
typedef enum Gives { GIVES_ONE, GIVES_ALL, GIVES_ONE_LESS } Gives;

typedef struct AlongRow {
    const char *name;
    Lane *lane;
    Gives gives;
    bool subscripts; /* I64 */
    bool needs_one;  /* no value where there are no elements */
    size_t work;     /* bytes an element of the lane */
} AlongRow;

static const AlongRow ROWS[] = {
    [OPS_SUM] = {"sum", lane_sum, GIVES_ONE, false, false, 0},
    [OPS_MEAN] = {"mean", lane_mean, GIVES_ONE, false, false, 0},
    [OPS_VAR] = {"variance", lane_var, GIVES_ONE, false, false, 0},
    [OPS_STD] = {"std", lane_std, GIVES_ONE, false, false, 0},
    [OPS_MIN] = {"min", lane_min, GIVES_ONE, false, true, 0},
    [OPS_MAX] = {"max", lane_max, GIVES_ONE, false, true, 0},
    [OPS_ARGMIN] = {"argmin", lane_argmin, GIVES_ONE, true, true, 0},
    [OPS_ARGMAX] = {"argmax", lane_argmax, GIVES_ONE, true, true, 0},
    [OPS_PERCENTILE] = {"percentile", lane_percentile, GIVES_ONE, false, true,
                        sizeof(double)},
    [OPS_NORM_1] = {"norm", lane_norm_1, GIVES_ONE, false, false, 0},
    [OPS_NORM_2] = {"norm", lane_norm_2, GIVES_ONE, false, false, 0},
    [OPS_NORM_MAX] = {"norm", lane_norm_max, GIVES_ONE, false, false, 0},
    [OPS_SORT] = {"sort", lane_sort, GIVES_ALL, false, false, sizeof(double)},
    [OPS_ARGSORT] = {"argsort", lane_argsort, GIVES_ALL, true, false,
                     2 * sizeof(Ranked)},
    [OPS_CUMSUM] = {"cumsum", lane_cumsum, GIVES_ALL, false, false, 0},
    [OPS_DIFF] = {"diff", lane_diff, GIVES_ONE_LESS, false, false, 0},
};

/* Lanes of `n` values `stride` apart that become `made` values. */
typedef struct Walk {
    const AlongRow *row;
    const OpsWish *wish;
    const Tensor *values;
    Tensor *out;
    int axis;
    int64_t n, made, stride, made_stride;
    double *gathered, *results; /* TOGETHER lanes, or one where that is long */
    void *work;
    int64_t together;
} Walk;

static Status check_wish(const OpsWish *wish, const Tensor *tensor, Err *err) {
    const char *name = ROWS[wish->op].name;
    if (wish->axis != OPS_ALL && (wish->axis < 0 || wish->axis >= tensor->axes))
        return err_set(err, STATUS_ARGUMENT,
                       tensor->axes == 0
                           ? "%s along axis %d of a tensor without axes"
                           : "%s along axis %d: expected 1 to %d",
                       name, wish->axis + 1, tensor->axes);
    if (wish->op == OPS_PERCENTILE &&
        !(wish->number >= 0.0 && wish->number <= 100.0))
        return err_set(err, STATUS_ARGUMENT, "percentile %g: expected 0 to 100",
                       wish->number);
    return STATUS_OK;
}

static int64_t values_made(Gives gives, int64_t n) {
    if (gives == GIVES_ONE)
        return 1;
    return gives == GIVES_ALL || n == 0 ? n : n - 1;
}

/* The result, zeroed; where one value a lane is left its axis has size 1. */
static Status make_result(Walk *walk, Err *err) {
    int64_t shape[TENSOR_AXES];
    memcpy(shape, walk->values->shape, sizeof shape);
    shape[walk->axis] = walk->made;
    Status status =
        tensor_create(walk->out, walk->row->subscripts ? DTYPE_I64 : DTYPE_F64,
                      walk->values->axes, shape, err);
    if (status != STATUS_OK)
        return status;
    walk->made_stride = walk->out->stride[walk->axis];
    if (walk->n == 0 && walk->row->needs_one && tensor_count(walk->out) > 0)
        return err_set(err, STATUS_ARGUMENT,
                       "%s of no elements: expected at least one",
                       walk->row->name);
    return STATUS_OK;
}

static void drop_axis(Tensor *tensor, int axis) {
    tensor->axes--;
    for (int i = axis; i < tensor->axes; i++) {
        tensor->shape[i] = tensor->shape[i + 1];
        tensor->stride[i] = tensor->stride[i + 1];
    }
}

/* ---- lanes ---- */

/* `lanes` lanes `apart` elements from each other, each side by side. */
static void gather(const Walk *walk, const double *x, int64_t apart,
                   int64_t lanes) {
    for (int64_t i = 0; i < walk->n; i++) {
        for (int64_t k = 0; k < lanes; k++)
            walk->gathered[k * walk->n + i] = x[i * walk->stride + k * apart];
    }
}

static void scatter(const Walk *walk, int64_t at, int64_t apart,
                    int64_t lanes) {
    double *f64 = tensor_data(walk->out);
    int64_t *i64 = tensor_data(walk->out);
    for (int64_t i = 0; i < walk->made; i++) {
        for (int64_t k = 0; k < lanes; k++) {
            double value = walk->results[k * walk->made + i];
            int64_t to = at + i * walk->made_stride + k * apart;
            if (walk->row->subscripts)
                i64[to] = (int64_t)value;
            else
                f64[to] = value;
        }
    }
}

/* Lanes from x on, results from element `to` on. */
static Status do_lanes(const Walk *walk, const double *x, int64_t apart,
                       int64_t to, int64_t to_apart, int64_t lanes, Err *err) {
    bool dense = walk->stride == 1 || walk->n <= 1;
    Status status = STATUS_OK;
    if (!dense)
        gather(walk, x, apart, lanes);
    for (int64_t k = 0; k < lanes && status == STATUS_OK; k++)
        status = walk->row->lane(
            dense ? x + k * apart : walk->gathered + k * walk->n, walk->n,
            walk->wish, walk->results + k * walk->made, walk->work, err);
    if (status == STATUS_OK)
        scatter(walk, to, to_apart, lanes);
    return status;
}

/* All lanes along the innermost of the other axes, `inner` (-1: there is but
 * one lane). */
static Status do_line(const Walk *walk, int inner, const double *x, int64_t to,
                      Err *err) {
    int64_t count = inner < 0 ? 1 : walk->values->shape[inner];
    int64_t apart = inner < 0 ? 0 : walk->values->stride[inner];
    int64_t to_apart = inner < 0 ? 0 : walk->out->stride[inner];
    Status status = STATUS_OK;
    for (int64_t k = 0; k < count && status == STATUS_OK; k += walk->together) {
        int64_t lanes = count - k < walk->together ? count - k : walk->together;
        status = do_lanes(walk, x + k * apart, apart, to + k * to_apart,
                          to_apart, lanes, err);
        if (status == STATUS_OK)
            status = ops_poll(err);
    }
    return status;
}

static Status do_all(const Walk *walk, Err *err) {
    const Tensor *values = walk->values;
    int64_t index[TENSOR_AXES] = {0}, to = 0;
    int inner = values->axes - 1 - (walk->axis == values->axes - 1);
    const double *x = tensor_data(values);
    for (;;) {
        Status status = do_line(walk, inner, x, to, err);
        int axis = inner - 1;
        for (; axis >= 0; axis--) {
            if (axis == walk->axis)
                continue;
            bool more = ++index[axis] < values->shape[axis];
            int64_t moves = more ? 1 : 1 - values->shape[axis];
            x += moves * values->stride[axis];
            to += moves * walk->out->stride[axis];
            if (more)
                break;
            index[axis] = 0;
        }
        if (status != STATUS_OK || axis < 0)
            return status;
    }
}

static Status with_buffers(Walk *walk, Err *err) {
    size_t n = (size_t)walk->n, made = (size_t)walk->made;
    walk->together =
        walk->n * TOGETHER <= GATHERED || walk->n == 0 ? TOGETHER : 1;
    size_t lanes = (size_t)walk->together;
    bool dense = walk->stride == 1 || walk->n <= 1;
    Status status = STATUS_NOMEM;
    walk->gathered =
        mem_array(dense ? 0 : lanes * n, sizeof *walk->gathered, err);
    walk->results = mem_array(lanes * made, sizeof *walk->results, err);
    walk->work = mem_array(n, walk->row->work, err);
    if (walk->gathered != NULL && walk->results != NULL && walk->work != NULL)
        status = do_all(walk, err);
    mem_free(walk->gathered);
    mem_free(walk->results);
    mem_free(walk->work);
    return status;
}

static Status along_values(Tensor *out, const OpsWish *wish,
                           const Tensor *values, int axis, Err *err) {
    const AlongRow *row = &ROWS[wish->op];
    Tensor made = {0};
    Walk walk = {.row = row, .wish = wish, .values = values, .out = &made};
    walk.axis = axis;
    walk.n = values->shape[axis];
    walk.stride = values->stride[axis];
    walk.made = values_made(row->gives, walk.n);
    Status status = make_result(&walk, err);
    if (status == STATUS_OK && tensor_count(&made) > 0)
        status = with_buffers(&walk, err);
    if (status != STATUS_OK) {
        tensor_release(&made);
        return status;
    }
    if (row->gives == GIVES_ONE)
        drop_axis(&made, axis);
    *out = made;
    return STATUS_OK;
}

Status ops_along(Tensor *out, const OpsWish *wish, const Tensor *tensor,
                 Err *err) {
    Tensor values;
    Status status = check_wish(wish, tensor, err);
    if (status != STATUS_OK)
        return status;
    bool all = wish->axis == OPS_ALL;
    if (all)
        status = ops_flat(&values, tensor, err);
    else if (tensor_in_memory(tensor) && tensor->dtype == DTYPE_F64)
        tensor_view(&values, tensor);
    else
        status = tensor_copy(&values, tensor, DTYPE_F64, err);
    if (status != STATUS_OK)
        return status;
    status = along_values(out, wish, &values, all ? 0 : wish->axis, err);
    tensor_release(&values);
    return status;
}
