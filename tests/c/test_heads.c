/* Kernels of heads: of real and made-up models against numpy, and identities.
 *
 * tests/golden/linalg/kernel-MODEL-LAYER-HEAD.bin holds A (k, d) and B (k, d)
 * as the model stores them (F16, F32), then in float64 |M|, symmetry and
 * asymmetry of M = A^T B, its k singular values, and the real and the imaginary
 * parts of its k eigenvalues, of the dense M by numpy in float64. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "factors.h"
#include "fail_alloc.h"
#include "oracle.h"

enum { ALL = KERNEL_SINGULAR | KERNEL_EIGEN | KERNEL_SHAPE, MOST = 128 };

/* A result with room for MOST values. */
typedef struct Room {
    double s[MOST], re[MOST], im[MOST];
    KernelResult result;
} Room;

static KernelResult *open_room(Room *room) {
    for (int i = 0; i < MOST; i++)
        room->s[i] = room->re[i] = room->im[i] = -7;
    room->result = (KernelResult){room->s, room->re, room->im, -7, -7, -7};
    return &room->result;
}

static void is_near(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.17g is not %.17g, off by %g, allowed %g", got, want,
                 got - want, tolerance);
}

static void all_near(const double *got, const double *want, size_t n,
                     double tolerance) {
    for (size_t i = 0; i < n; i++)
        is_near(got[i], want[i], tolerance);
}

static Tensor matrix_of(int64_t rows, int64_t cols, const double *values) {
    Tensor tensor;
    int64_t shape[2] = {rows, cols};
    assert_int_equal(tensor_create(&tensor, DTYPE_F64, 2, shape, NULL),
                     STATUS_OK);
    if (values != NULL)
        memcpy(tensor_data(&tensor), values,
               (size_t)(rows * cols) * sizeof *values);
    return tensor;
}

static Tensor random_matrix(int64_t rows, int64_t cols, uint64_t seed) {
    Tensor tensor = matrix_of(rows, cols, NULL);
    oracle_fill(tensor_data(&tensor), (size_t)(rows * cols), &seed);
    return tensor;
}

/* All of one kernel, which must be computable. */
static void kernel_of(const Tensor *left, const Tensor *right, Room *room) {
    Scratch scratch = {0};
    Status status = STATUS_NUMERIC;
    Err err = {.message = ""}, head = {.message = ""};
    Status all = kernel_values_of(&left, 1, right, ALL, open_room(room),
                                  &status, &head, &scratch, NULL, &err);
    if (all != STATUS_OK || status != STATUS_OK)
        fail_msg("%d %s, %d %s", (int)all, err.message, (int)status,
                 head.message);
    scratch_release(&scratch);
}

static void dense_of(const Tensor *left, const Tensor *right, Room *room) {
    Scratch scratch = {0};
    Err err = {.message = ""};
    if (dense_values_of(left, right, ALL, open_room(room), &scratch, &err) !=
        STATUS_OK)
        fail_msg("%s", err.message);
    scratch_release(&scratch);
}

/* ---- against numpy ---- */

static void check_golden(const char *name, Dtype dtype, int k, int d,
                         double tolerance) {
    char path[96];
    snprintf(path, sizeof path, "tests/golden/linalg/kernel-%s.bin", name);
    File *file = NULL;
    Source *source = NULL;
    Tensor both, left, right;
    uint64_t rows = 2 * (uint64_t)k, cols = (uint64_t)d, after;
    int64_t shape[2] = {2 * k, d};
    double want[3 + 3 * MOST];
    size_t n = (size_t)k;
    assert_int_equal(file_open(&file, path, NULL), STATUS_OK);
    assert_int_equal(source_create(&source, file, dtype, 0, rows, cols, NULL),
                     STATUS_OK);
    assert_int_equal(tensor_from_source(&both, source, 2, shape, NULL),
                     STATUS_OK);
    assert_int_equal(tensor_rows(&left, &both, 0, k, 1, NULL), STATUS_OK);
    assert_int_equal(tensor_rows(&right, &both, k, k, 1, NULL), STATUS_OK);
    assert_int_equal(dtype_bytes(dtype, rows * cols, &after, NULL), STATUS_OK);
    assert_int_equal(
        file_read(file, after, want, (3 + 3 * n) * sizeof *want, NULL),
        STATUS_OK);
    Room room;
    kernel_of(&left, &right, &room);
    double norm = want[0], *s = want + 3, *re = s + n, *im = re + n;
    is_near(room.result.norm, norm, 1e-14 * norm);
    is_near(room.result.symmetry, want[1], 1e-14);
    is_near(room.result.asymmetry, want[2], 1e-14);
    all_near(room.s, s, n, 3e-15 * s[0]);
    all_near(room.re, re, n, tolerance * s[0]);
    all_near(room.im, im, n, tolerance * s[0]);
    assert_true(room.s[k] == -7 && room.re[k] == -7 && room.im[k] == -7);
    Tensor *const made[] = {&both, &left, &right};
    for (size_t i = 0; i < 3; i++)
        tensor_release(made[i]);
    source_release(source);
    file_release(file);
}

static void test_golden(void **state) {
    (void)state;
    check_golden("tiny-3-0", DTYPE_F16, 16, 96, 1e-14);
    check_golden("tiny-6-5", DTYPE_F16, 16, 96, 1e-14);
    check_golden("smollm2-18-0", DTYPE_F32, 64, 576, 1e-13);
}

/* ---- against the dense M and identities ---- */

static bool in_order(const Room *room, int i) {
    double a = hypot(room->re[i], room->im[i]);
    double b = hypot(room->re[i + 1], room->im[i + 1]);
    if (a != b)
        return a > b;
    if (room->re[i] != room->re[i + 1])
        return room->re[i] > room->re[i + 1];
    return room->im[i] >= room->im[i + 1];
}

static void check_identities(const Room *room, int k) {
    double squares = 0, norm = room->result.norm, re = 0, im = 0;
    for (int i = 0; i < k; i++) {
        squares += room->s[i] * room->s[i];
        re += room->re[i] * room->re[i] - room->im[i] * room->im[i];
        im += room->im[i];
        assert_true(i + 1 == k || room->s[i] >= room->s[i + 1]);
        assert_true(i + 1 == k || in_order(room, i));
        if (room->im[i] > 0) { /* its conjugate is next, to the bit */
            assert_true(room->re[i + 1] == room->re[i]);
            assert_true(room->im[i + 1] == -room->im[i]);
        }
    }
    is_near(squares, norm * norm, 1e-13 * norm * norm);
    is_near(re / norm / norm, room->result.symmetry, 1e-13);
    is_near(im, 0, 0);
    is_near(room->result.asymmetry, sqrt(2 - 2 * room->result.symmetry), 1e-7);
}

static void check_pair(int k, int d, uint64_t seed) {
    Tensor left = random_matrix(k, d, seed),
           right = random_matrix(k, d, seed + 1);
    Room room, dense;
    kernel_of(&left, &right, &room);
    dense_of(&left, &right, &dense);
    size_t rank = (size_t)(k < d ? k : d);
    double size = dense.s[0];
    check_identities(&room, k);
    check_identities(&dense, d);
    all_near(room.s, dense.s, rank, 1e-14 * size);
    is_near(room.result.norm, dense.result.norm, 1e-14 * dense.result.norm);
    is_near(room.result.symmetry, dense.result.symmetry, 1e-14);
    is_near(room.result.asymmetry, dense.result.asymmetry, 1e-14);
    for (size_t i = 0; i < rank; i++) /* single eigenvalues of these are tame */
        is_near(hypot(room.re[i], room.im[i]), hypot(dense.re[i], dense.im[i]),
                1e-11 * size);
    for (size_t i = rank; i < (size_t)k; i++)
        assert_true(room.s[i] == 0 && room.re[i] == 0 && room.im[i] == 0);
    for (size_t i = rank; i < (size_t)d; i++)
        is_near(dense.s[i], 0, 1e-14 * size);
    tensor_release(&left);
    tensor_release(&right);
}

static void test_against_dense(void **state) {
    (void)state;
    static const int SHAPES[][2] = {{1, 1},   {1, 9},   {4, 4},    {5, 8},
                                    {16, 40}, {33, 70}, {64, 100}, {9, 4},
                                    {40, 1},  {50, 30}};
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++)
        check_pair(SHAPES[i][0], SHAPES[i][1], 100 + 2 * i);
}

static void test_dense_matrix(void **state) {
    (void)state;
    enum { K = 3, D = 5 };
    Tensor left = random_matrix(K, D, 1), right = random_matrix(K, D, 2);
    const double *a = tensor_data(&left), *b = tensor_data(&right);
    double m[D * D];
    Scratch scratch = {0};
    assert_int_equal(dense_kernel_of(&left, &right, m, &scratch, NULL),
                     STATUS_OK);
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) {
            double sum = 0;
            for (int l = 0; l < K; l++)
                sum += a[l * D + i] * b[l * D + j];
            is_near(m[i * D + j], sum, 1e-15);
        }
    tensor_release(&left);
    tensor_release(&right);
    scratch_release(&scratch);
}

/* M = e1 e2^T - e2 e1^T, times 3: eigenvalues 3i and -3i. */
static void test_antisymmetric(void **state) {
    (void)state;
    static const double A[] = {1, 0, 0, 0, 0, 1, 0, 0};
    static const double B[] = {0, 3, 0, 0, -3, 0, 0, 0};
    Tensor left = matrix_of(2, 4, A), right = matrix_of(2, 4, B);
    for (int way = 0; way < 2; way++) {
        Room room;
        if (way == 0)
            kernel_of(&left, &right, &room);
        else
            dense_of(&left, &right, &room);
        is_near(room.result.norm, sqrt(18), 1e-15);
        is_near(room.result.symmetry, -1, 0);
        is_near(room.result.asymmetry, 2, 0);
        is_near(room.s[0], 3, 1e-15);
        is_near(room.s[1], 3, 1e-15);
        is_near(room.re[0], 0, 1e-15);
        is_near(room.im[0], 3, 1e-15);
        assert_true(room.re[1] == room.re[0] && room.im[1] == -room.im[0]);
    }
    tensor_release(&left);
    tensor_release(&right);
}

/* |M - M^T| / |M| of the factors in long double. */
static double plain_asymmetry(const double *a, const double *b, int k, int d) {
    long double skew = 0, norm = 0;
    for (int i = 0; i < d; i++)
        for (int j = 0; j < d; j++) {
            long double m = 0, t = 0;
            for (int l = 0; l < k; l++) {
                m += (long double)a[l * d + i] * b[l * d + j];
                t += (long double)a[l * d + j] * b[l * d + i];
            }
            skew += (m - t) * (m - t);
            norm += m * m;
        }
    return (double)sqrtl(skew / norm);
}

/* B = A + noise: where sqrt(2 - 2 symmetry) has no digits left. */
static void test_nearly_symmetric(void **state) {
    (void)state;
    static const int SHAPES[][2] = {{6, 40}, {20, 30}, {12, 7}};
    static const double NOISE[] = {0, 1e-12, 1e-9, 1e-6, 1e-5};
    for (size_t i = 0; i < 15; i++) {
        int k = SHAPES[i / 5][0], d = SHAPES[i / 5][1];
        Tensor left = random_matrix(k, d, 7), right = random_matrix(k, d, 8);
        double *a = tensor_data(&left), *b = tensor_data(&right);
        for (int j = 0; j < k * d; j++)
            b[j] = a[j] + NOISE[i % 5] * b[j];
        double want = plain_asymmetry(a, b, k, d);
        Room room, dense;
        kernel_of(&left, &right, &room);
        dense_of(&left, &right, &dense);
        is_near(room.result.asymmetry, want, 1e-15 + 1e-10 * want);
        is_near(dense.result.asymmetry, want, 1e-15 + 1e-10 * want);
        is_near(room.result.symmetry, 1, 1e-9);
        if (NOISE[i % 5] == 0) /* symmetric and positive semidefinite */
            all_near(room.re, room.s, (size_t)(k < d ? k : d),
                     1e-13 * room.s[0]);
        tensor_release(&left);
        tensor_release(&right);
    }
}

static void test_zero(void **state) {
    (void)state;
    Tensor zero = matrix_of(3, 8, (double[24]){0});
    Tensor right = random_matrix(3, 8, 1);
    for (int way = 0; way < 3; way++) {
        Room room;
        if (way == 0)
            kernel_of(&zero, &right, &room);
        else if (way == 1)
            kernel_of(&right, &zero, &room);
        else
            dense_of(&zero, &right, &room);
        for (int i = 0; i < 3; i++)
            assert_true(room.s[i] == 0 && room.re[i] == 0 && room.im[i] == 0);
        assert_true(room.result.norm == 0 && isnan(room.result.symmetry) &&
                    isnan(room.result.asymmetry));
    }
    tensor_release(&zero);
    tensor_release(&right);
}

static void test_empty(void **state) {
    (void)state;
    static const int SHAPES[][2] = {{0, 5}, {5, 0}, {0, 0}};
    for (size_t i = 0; i < 3; i++) {
        int k = SHAPES[i][0], d = SHAPES[i][1];
        Tensor a = matrix_of(k, d, NULL), b = matrix_of(k, d, NULL);
        Room room;
        kernel_of(&a, &b, &room);
        for (int j = 0; j < k; j++)
            assert_true(room.s[j] == 0 && room.re[j] == 0 && room.im[j] == 0);
        assert_true(room.s[k] == -7 && room.result.norm == 0);
        dense_of(&a, &b, &room);
        assert_true(room.result.norm == 0 && isnan(room.result.asymmetry));
        tensor_release(&a);
        tensor_release(&b);
    }
}

/* Powers of two move nothing but the exponent. */
static void test_magnitudes(void **state) {
    (void)state;
    enum { K = 7, D = 30 };
    static const int EXPONENTS[][2] = {
        {600, 300}, {-600, -300}, {1000, -1000}, {-400, 0}, {900, 50}};
    Room want, room;
    Tensor left = random_matrix(K, D, 3), right = random_matrix(K, D, 4);
    kernel_of(&left, &right, &want);
    for (size_t i = 0; i < sizeof EXPONENTS / sizeof *EXPONENTS; i++) {
        Tensor a = random_matrix(K, D, 3), b = random_matrix(K, D, 4);
        double *x = tensor_data(&a), *y = tensor_data(&b);
        int e = EXPONENTS[i][0] + EXPONENTS[i][1];
        for (int j = 0; j < K * D; j++) {
            x[j] = ldexp(x[j], EXPONENTS[i][0]);
            y[j] = ldexp(y[j], EXPONENTS[i][1]);
        }
        kernel_of(&a, &b, &room);
        double size = want.s[0];
        is_near(ldexp(room.result.norm, -e), want.result.norm, 1e-15 * size);
        is_near(room.result.symmetry, want.result.symmetry, 1e-15);
        for (int j = 0; j < K; j++) {
            is_near(ldexp(room.s[j], -e), want.s[j], 1e-14 * size);
            is_near(ldexp(room.re[j], -e), want.re[j], 1e-13 * size);
            is_near(ldexp(room.im[j], -e), want.im[j], 1e-13 * size);
        }
        tensor_release(&a);
        tensor_release(&b);
    }
    tensor_release(&left);
    tensor_release(&right);
}

/* ---- groups and failures ---- */

/* Views of fused and of transposed tensors; heads of a group and alone. */
static void test_group(void **state) {
    (void)state;
    enum { K = 8, D = 24, HEADS = 3 };
    Tensor fused = random_matrix(K * (HEADS + 1), D, 5), right, heads[HEADS];
    Tensor turned = random_matrix(D, K * (HEADS + 1), 6), back;
    double *x = tensor_data(&fused), *y = tensor_data(&turned);
    for (int i = 0; i < K * (HEADS + 1); i++)
        for (int j = 0; j < D; j++)
            y[j * K * (HEADS + 1) + i] = x[i * D + j];
    assert_int_equal(tensor_transpose(&back, &turned, NULL), STATUS_OK);
    Room alone[HEADS], room[HEADS];
    KernelResult results[HEADS];
    Status statuses[HEADS];
    Err errs[HEADS];
    for (int way = 0; way < 2; way++) {
        const Tensor *whole = way == 0 ? &fused : &back, *left[HEADS];
        assert_int_equal(tensor_rows(&right, whole, 0, K, 1, NULL), STATUS_OK);
        for (int i = 0; i < HEADS; i++) {
            assert_int_equal(
                tensor_rows(&heads[i], whole, (i + 1) * K, K, 1, NULL),
                STATUS_OK);
            left[i] = &heads[i];
            if (way == 0)
                kernel_of(left[i], &right, &alone[i]);
            results[i] = *open_room(&room[i]);
        }
        Scratch scratch = {0};
        assert_int_equal(kernel_values_of(left, HEADS, &right, ALL, results,
                                          statuses, errs, &scratch, NULL, NULL),
                         STATUS_OK);
        for (int i = 0; i < HEADS; i++) {
            assert_int_equal(statuses[i], STATUS_OK);
            assert_memory_equal(room[i].s, alone[i].s, sizeof room[i].s);
            assert_memory_equal(room[i].re, alone[i].re, sizeof room[i].re);
            assert_memory_equal(room[i].im, alone[i].im, sizeof room[i].im);
            assert_true(results[i].asymmetry == alone[i].result.asymmetry);
            tensor_release(&heads[i]);
        }
        tensor_release(&right);
        scratch_release(&scratch);
    }
    tensor_release(&fused);
    tensor_release(&turned);
    tensor_release(&back);
}

/* What was not wished for is not written. */
static void test_wishes(void **state) {
    (void)state;
    enum { K = 4, D = 9 };
    Tensor a = random_matrix(K, D, 1), b = random_matrix(K, D, 2);
    const Tensor *left = &a;
    Room full, room;
    kernel_of(&a, &b, &full);
    for (unsigned wish = 0; wish < 8; wish++) {
        Scratch scratch = {0};
        Status status;
        Err err;
        KernelResult *got = open_room(&room);
        assert_int_equal(kernel_values_of(&left, 1, &b, wish, got, &status,
                                          &err, &scratch, NULL, NULL),
                         STATUS_OK);
        assert_int_equal(status, STATUS_OK);
        for (int i = 0; i < K; i++) {
            assert_true(room.s[i] == (wish & KERNEL_SINGULAR ? full.s[i] : -7));
            assert_true(room.re[i] == (wish & KERNEL_EIGEN ? full.re[i] : -7));
            assert_true(room.im[i] == (wish & KERNEL_EIGEN ? full.im[i] : -7));
        }
        bool shape = (wish & KERNEL_SHAPE) != 0;
        assert_true(got->norm == (shape ? full.result.norm : -7));
        assert_true(got->symmetry == (shape ? full.result.symmetry : -7));
        assert_true(got->asymmetry == (shape ? full.result.asymmetry : -7));
        scratch_release(&scratch);
    }
    tensor_release(&a);
    tensor_release(&b);
}

/* A bad head costs the others nothing; a bad key matrix costs all. */
static void test_failures(void **state) {
    (void)state;
    enum { K = 4, D = 9 };
    Tensor good = random_matrix(K, D, 1), right = random_matrix(K, D, 2);
    Tensor bad = random_matrix(K, D, 3), odd = random_matrix(K, D + 1, 4);
    ((double *)tensor_data(&bad))[2 * D + 7] = NAN;
    ((double *)tensor_data(&bad))[3 * D] = INFINITY;
    Tensor top = random_matrix(K, D, 5);
    for (int i = 0; i < K * D; i++)
        ((double *)tensor_data(&top))[i] = 1.5e308;
    const Tensor *left[] = {&bad, &good, &odd, &top, &good};
    Room room[5], want;
    KernelResult results[5];
    Status statuses[5];
    Err errs[5], err;
    Scratch scratch = {0};
    for (int i = 0; i < 5; i++)
        results[i] = *open_room(&room[i]);
    for (int i = 0; i < K * D; i++)
        ((double *)tensor_data(&right))[i] += 3;
    kernel_of(&good, &right, &want);
    assert_int_equal(kernel_values_of(left, 5, &right, ALL, results, statuses,
                                      errs, &scratch, NULL, &err),
                     STATUS_OK);
    assert_int_equal(statuses[0], STATUS_NONFINITE);
    assert_string_equal(errs[0].message, "2 non-finite values, the first at "
                                         "row 3, column 8");
    assert_int_equal(statuses[2], STATUS_ARGUMENT);
    assert_string_equal(errs[2].message,
                        "a kernel's factors are [4, 10] and [4, 9]: two "
                        "matrices of one shape are wanted");
    assert_int_equal(statuses[3], STATUS_NUMERIC);
    assert_string_equal(errs[3].message,
                        "a value of the kernel is over float64's range");
    for (int i = 0; i < 5; i++) {
        bool fine = i == 1 || i == 4;
        assert_true((statuses[i] == STATUS_OK) == fine);
        assert_true(room[i].s[0] == (fine ? want.s[0] : -7));
        assert_true(results[i].norm == (fine ? want.result.norm : -7));
    }
    assert_int_equal(kernel_values_of(left + 1, 1, &bad, ALL, results, statuses,
                                      errs, &scratch, NULL, &err),
                     STATUS_NONFINITE);
    volatile int cancel = 1;
    assert_int_equal(kernel_values_of(left + 1, 1, &right, ALL, results,
                                      statuses, errs, &scratch, &cancel, &err),
                     STATUS_CANCELLED);
    double m[D * D];
    assert_int_equal(dense_kernel_of(&bad, &right, m, &scratch, &err),
                     STATUS_NONFINITE);
    assert_int_equal(dense_kernel_of(&odd, &right, m, &scratch, &err),
                     STATUS_ARGUMENT);
    assert_int_equal(dense_kernel_of(&top, &right, m, &scratch, &err),
                     STATUS_NUMERIC);
    assert_int_equal(dense_values_of(&good, &bad, ALL, results, &scratch, &err),
                     STATUS_NONFINITE);
    Tensor *const made[] = {&good, &right, &bad, &odd, &top};
    for (size_t i = 0; i < 5; i++)
        tensor_release(made[i]);
    scratch_release(&scratch);
}

static void test_no_memory(void **state) {
    (void)state;
    enum { K = 6, D = 20 };
    Tensor a = random_matrix(K, D, 1), b = random_matrix(K, D, 1);
    const Tensor *left[] = {&a, &a};
    for (int way = 0; way < 2; way++)
        for (int n = 1;; n++) {
            Room room[2];
            KernelResult results[2] = {*open_room(&room[0]),
                                       *open_room(&room[1])};
            Status statuses[2], status;
            Err errs[2], err;
            Scratch scratch = {0};
            fail_alloc_at(n);
            if (way == 0) /* symmetric, so that the skew part is computed too */
                status = kernel_values_of(left, 2, &b, ALL, results, statuses,
                                          errs, &scratch, NULL, &err);
            else
                status = dense_values_of(&a, &b, ALL, results, &scratch, &err);
            fail_alloc_at(0);
            scratch_release(&scratch);
            if (status == STATUS_OK) {
                assert_true(n > 5);
                break;
            }
            assert_int_equal(status, STATUS_NOMEM);
            assert_memory_equal(err.message, "not enough memory", 17);
        }
    tensor_release(&a);
    tensor_release(&b);
}

static void test_cost(void **state) {
    (void)state;
    Tensor small = matrix_of(2, 10, NULL), large = matrix_of(64, 576, NULL);
    Factor *a, *b;
    assert_int_equal(factor_of(&a, &small, NULL), STATUS_OK);
    assert_int_equal(factor_of(&b, &large, NULL), STATUS_OK);
    assert_true(kernel_cost(a, a, 3) == 2 * 20 * 2 + 3 * (4 * 20 * 2 + 160));
    assert_true(kernel_cost(b, b, 9) > 2 * kernel_cost(b, b, 3));
    assert_true(kernel_flops(2, 10, 3, 0, 0) == kernel_cost(a, a, 3));
    assert_true(kernel_flops(2, 10, 3, 5, 7) ==
                kernel_cost(a, a, 3) + 3 * 5 + 7);
    /* where k > d the kernel itself is small */
    assert_true(kernel_flops(10, 2, 3, 0, 0) == kernel_cost(a, a, 3));
    factor_release(a);
    factor_release(b);
    tensor_release(&small);
    tensor_release(&large);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_against_dense),
        cmocka_unit_test(test_dense_matrix),
        cmocka_unit_test(test_antisymmetric),
        cmocka_unit_test(test_nearly_symmetric),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_magnitudes),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
