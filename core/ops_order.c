/* Lanes in order: a stable merge sort, percentiles, histograms. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "number.h"
#include "ops_lane.h"
#include "ops_values.h"

enum { RUN = 16, STRETCH = 1 << 16 };

static inline int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* A stable merge sort of x (n), without NaN, with `spare` (n), for items whose
 * VALUE is a double: runs by insertion, then passes of merging from one to the
 * other. */
#define MERGE_SORT(Item, prefix, VALUE)                                        \
    static void prefix##_insert(Item *x, int64_t n) {                          \
        for (int64_t i = 1; i < n; i++) {                                      \
            Item item = x[i];                                                  \
            int64_t k = i;                                                     \
            for (; k > 0 && VALUE(item) < VALUE(x[k - 1]); k--)                \
                x[k] = x[k - 1];                                               \
            x[k] = item;                                                       \
        }                                                                      \
    }                                                                          \
                                                                               \
    /* of the halves a (m) and b (n) */                                        \
    static void prefix##_merge(const Item *a, int64_t m, const Item *b,        \
                               int64_t n, Item *out) {                         \
        const Item *a_end = a + m, *b_end = b + n;                             \
        while (a < a_end && b < b_end) {                                       \
            bool right = VALUE(*b) < VALUE(*a);                                \
            *out++ = *(right ? b : a);                                         \
            b += right;                                                        \
            a += !right;                                                       \
        }                                                                      \
        memcpy(out, a, (size_t)(a_end - a) * sizeof *out);                     \
        memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *out);       \
    }                                                                          \
                                                                               \
    static Status prefix##_sort(Item *x, int64_t n, Item *spare, Err *err) {   \
        Item *from = x, *to = spare;                                           \
        for (int64_t i = 0; i < n; i += RUN)                                   \
            prefix##_insert(x + i, least(RUN, n - i));                         \
        for (int64_t half = RUN; half < n; half *= 2) {                        \
            for (int64_t i = 0; i < n; i += 2 * half) {                        \
                int64_t m = least(half, n - i);                                \
                prefix##_merge(from + i, m, from + i + m,                      \
                               least(half, n - i - m), to + i);                \
            }                                                                  \
            Status status = ops_poll(err);                                     \
            if (status != STATUS_OK)                                           \
                return status;                                                 \
            Item *old = from;                                                  \
            from = to;                                                         \
            to = old;                                                          \
        }                                                                      \
        if (from != x)                                                         \
            memcpy(x, from, (size_t)n * sizeof *x);                            \
        return STATUS_OK;                                                      \
    }

#define ITSELF(item) (item)
#define RANKED_VALUE(item) ((item).value)

MERGE_SORT(double, values, ITSELF)
MERGE_SORT(Ranked, ranked, RANKED_VALUE)

static int64_t count_numbers(const double *x, int64_t n) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += !isnan(x[i]);
    return count;
}

/* NaN goes last; falling is the rising order of the negatives. */
Status lane_sort(const double *x, int64_t n, const OpsWish *wish, double *out,
                 void *work, Err *err) {
    int64_t first = 0, count = count_numbers(x, n), last = count;
    double sign = wish->falling ? -1.0 : 1.0;
    for (int64_t i = 0; i < n; i++)
        out[isnan(x[i]) ? last++ : first++] = sign * x[i];
    Status status = values_sort(out, count, work, err);
    for (int64_t i = 0; i < count && wish->falling; i++)
        out[i] = -out[i];
    return status;
}

Status lane_argsort(const double *x, int64_t n, const OpsWish *wish,
                    double *out, void *work, Err *err) {
    Ranked *items = work;
    int64_t first = 0, count = count_numbers(x, n), last = count;
    double sign = wish->falling ? -1.0 : 1.0;
    for (int64_t i = 0; i < n; i++)
        items[isnan(x[i]) ? last++ : first++] = (Ranked){sign * x[i], i};
    Status status = ranked_sort(items, count, items + n, err);
    for (int64_t i = 0; i < n; i++)
        out[i] = (double)items[i].at;
    return status;
}

/* numpy's interpolation: from the nearer of the two, so that one that falls
 * on an element is that element. */
static double between(double low, double high, double fraction) {
    double difference = high - low;
    if (fraction == 0.0)
        return low; /* also beside an infinity */
    return fraction < 0.5 ? low + difference * fraction
                          : high - difference * (1.0 - fraction);
}

/* The k-th smallest of x (n) goes to x[k], those after it are not smaller
 * (Hoare's selection, the pivot a median of three). No NaN among them. */
static void select_value(double *x, int64_t n, int64_t k) {
    int64_t low = 0, high = n - 1;
    while (low < high) {
        double a = x[low], b = x[low + (high - low) / 2], c = x[high];
        double pivot = fmax(fmin(a, b), fmin(fmax(a, b), c));
        int64_t i = low, j = high;
        while (i <= j) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i <= j) {
                double held = x[i];
                x[i++] = x[j];
                x[j--] = held;
            }
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            return;
    }
}

Status lane_percentile(const double *x, int64_t n, const OpsWish *wish,
                       double *out, void *work, Err *err) {
    (void)err;
    double place = (double)(n - 1) * (wish->number / 100.0);
    int64_t at = least((int64_t)place, n - 1);
    double *values = work;
    if (count_numbers(x, n) < n) {
        *out = (double)NAN;
        return STATUS_OK;
    }
    memcpy(values, x, (size_t)n * sizeof *values);
    select_value(values, n, at);
    double low = values[at], high = low;
    if (at + 1 < n) {
        high = values[at + 1];
        for (int64_t i = at + 2; i < n; i++)
            high = fmin(high, values[i]);
    }
    *out = at + 1 < n ? between(low, high, place - (double)at) : low;
    return STATUS_OK;
}

/* ---- histograms ---- */

void ops_line(double *x, int64_t count, double start, double stop) {
    double parts = (double)(count - 1), delta = stop - start;
    double step = delta / parts;
    for (int64_t i = 0; i < count; i++) {
        /* a step that underflows: divide first */
        double way = step == 0.0 ? (double)i / parts * delta : (double)i * step;
        x[i] = count == 1 ? start : way + start;
    }
    if (count > 1)
        x[count - 1] = stop;
}

/* The least and the largest; 0 and 1 of nothing. */
static void range_of(const double *x, int64_t n, double *range) {
    range[0] = n == 0 ? 0.0 : x[0];
    range[1] = n == 0 ? 1.0 : x[0];
    for (int64_t i = 0; i < n; i++) {
        /* a NaN stays */
        range[0] = x[i] >= range[0] ? range[0] : x[i];
        range[1] = x[i] <= range[1] ? range[1] : x[i];
        if (isnan(x[i]))
            return;
    }
}

static Status check_range(double *range, const char *what, Err *err) {
    char low[NUMBER_TEXT], high[NUMBER_TEXT];
    if (!isfinite(range[1] - range[0]) || range[0] > range[1])
        return err_set(err, STATUS_ARGUMENT,
                       "%s %s to %s: expected finite numbers that rise", what,
                       number_text(low, range[0]), number_text(high, range[1]));
    if (range[0] == range[1]) {
        range[0] -= 0.5;
        range[1] += 0.5;
    }
    return STATUS_OK;
}

/* Where the range holds fewer doubles than bins some would be empty sets. */
static Status check_edges(const double *edges, int64_t bins, Err *err) {
    char low[NUMBER_TEXT], high[NUMBER_TEXT];
    for (int64_t i = 0; i < bins; i++) {
        if (!(edges[i] < edges[i + 1]))
            return err_set(err, STATUS_ARGUMENT,
                           "%" PRId64 " bins from %s to %s: expected a range "
                           "that so many divide",
                           bins, number_text(low, edges[0]),
                           number_text(high, edges[bins]));
    }
    return STATUS_OK;
}

/* The bin of a value in range: a guess, mended by the edges. */
static int64_t find_bin(double x, const double *edges, int64_t bins) {
    double width = edges[bins] - edges[0];
    int64_t bin = (int64_t)((x - edges[0]) / width * (double)bins);
    bin = bin < 0 ? 0 : least(bin, bins - 1);
    while (bin > 0 && x < edges[bin])
        bin--;
    while (bin < bins - 1 && x >= edges[bin + 1])
        bin++;
    return bin;
}

static Status count_values(const double *x, int64_t n, const double *edges,
                           int64_t bins, int64_t *counts, Err *err) {
    Status status = STATUS_OK;
    for (int64_t i = 0; i < n && status == STATUS_OK; i++) {
        if (x[i] >= edges[0] && x[i] <= edges[bins])
            counts[find_bin(x[i], edges, bins)]++;
        if (i % STRETCH == STRETCH - 1)
            status = ops_poll(err);
    }
    return status;
}

static Status histogram_of(Tensor *counts, Tensor *edges, const Tensor *values,
                           int64_t bins, const double *given, Err *err) {
    double range[2];
    const double *x = tensor_data(values);
    int64_t n = values->shape[0];
    if (given != NULL)
        memcpy(range, given, sizeof range);
    else
        range_of(x, n, range);
    Status status =
        check_range(range, given != NULL ? "a range of" : "elements from", err);
    if (status == STATUS_OK)
        status = tensor_create(counts, DTYPE_I64, 1, &bins, err);
    if (status == STATUS_OK)
        status = ops_vector(edges, bins + 1, err);
    if (status != STATUS_OK)
        return status;
    ops_line(tensor_data(edges), bins + 1, range[0], range[1]);
    status = check_edges(tensor_data(edges), bins, err);
    if (status != STATUS_OK)
        return status;
    return count_values(x, n, tensor_data(edges), bins, tensor_data(counts),
                        err);
}

Status ops_histogram(Tensor *counts, Tensor *edges, const Tensor *tensor,
                     int64_t bins, const double *range, Err *err) {
    Tensor values, made = {0}, line = {0};
    if (bins < 1 || bins == INT64_MAX)
        return err_set(err, STATUS_ARGUMENT,
                       "%" PRId64 " bins: expected 1 or more", bins);
    Status status = ops_flat(&values, tensor, err);
    if (status != STATUS_OK)
        return status;
    status = histogram_of(&made, &line, &values, bins, range, err);
    tensor_release(&values);
    if (status != STATUS_OK) {
        tensor_release(&made);
        tensor_release(&line);
        return status;
    }
    *counts = made;
    *edges = line;
    return STATUS_OK;
}
