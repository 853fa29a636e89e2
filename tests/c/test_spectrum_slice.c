/* Matrices in slices: the same bytes whoever takes them, in whatever order. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup.h"
#include "fail_alloc.h"
#include "oracle.h"
#include "spectra.h"
#include "spectrum_share.h"

enum { N = 1024, M = 3500, SLICES = 3, WIDTH = 1536 };

/* How a matrix lies: (N, M), (M, N), or the view (M, N) of the former. */
typedef enum Lie { WIDE, TALL, TURNED, LIES } Lie;

/* Of uniform float32 numbers. */
static Tensor make(Lie lie) {
    double *a = numbers((size_t)N * M);
    uint64_t seed = 5;
    oracle_fill(a, (size_t)N * M, &seed);
    Tensor tensor = lie == TALL ? matrix_of(M, N, a, DTYPE_F32)
                                : matrix_of(N, M, a, DTYPE_F32);
    free(a);
    if (lie != TURNED)
        return tensor;
    Tensor turned;
    assert_int_equal(tensor_transpose(&turned, &tensor, NULL), STATUS_OK);
    tensor_release(&tensor);
    return turned;
}

/* Its values by a share, the slices taken in this order. */
static Status shared(const Tensor *tensor, const int *order, double *s,
                     SpectrumInfo *info, const volatile int *cancel, Err *err) {
    SpectrumShare *share = NULL;
    Scratch scratch = {0};
    Status status = spectrum_share_create(&share, tensor, err);
    for (int i = 0; status == STATUS_OK && i < SLICES; i++)
        spectrum_share_slice(share, tensor, order[i], &scratch, cancel);
    if (status == STATUS_OK)
        status = spectrum_share_values(share, tensor, &GRAM, s, info, &scratch,
                                       cancel, err);
    spectrum_share_release(share);
    scratch_release(&scratch);
    return status;
}

static const int ORDERS[][SLICES] = {
    {0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}};

static void test_counts(void **state) {
    static const struct {
        int64_t rows, cols;
        int slices;
    } CASES[] = {{0, 0, 1},
                 {0, 9000, 1},
                 {1023, 90000, 1},
                 {1024, 1536, 1},
                 {1537, 1024, 2},
                 {2048, 11008, 8},
                 {4096, 4096, 3},
                 {N, M, SLICES},
                 {1024, 32 * 768, 16},
                 {1024, 32 * 768 + 1, 11},
                 {8192, 28672, 13},
                 {16384, 53248, 14}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(spectrum_slices(CASES[i].rows, CASES[i].cols),
                         CASES[i].slices);
    Tensor tensor = make(WIDE), row;
    int64_t length = 9;
    assert_int_equal(spectrum_parts(&tensor, &GRAM), SLICES);
    assert_int_equal(spectrum_parts(&tensor, &SHOWN), SLICES);
    assert_int_equal(spectrum_parts(&tensor, &SINGLE), 1);
    assert_int_equal(spectrum_parts(&tensor, &DIRECT), 1);
    tensor_release(&tensor);
    assert_int_equal(tensor_create(&row, DTYPE_F32, 1, &length, NULL),
                     STATUS_OK);
    assert_int_equal(spectrum_parts(&row, &GRAM), 1);
    tensor_release(&row);
}

static void test_same_bytes(void **state) {
    (void)state;
    double want[N], s[N];
    for (Lie lie = WIDE; lie < LIES; lie++) {
        Tensor tensor = make(lie);
        SpectrumInfo whole = values_of(&tensor, GRAM, want), info;
        assert_int_equal(whole.read, (uint64_t)N * M);
        for (size_t i = 0; i < sizeof ORDERS / sizeof *ORDERS; i++) {
            assert_int_equal(shared(&tensor, ORDERS[i], s, &info, NULL, NULL),
                             STATUS_OK);
            assert_memory_equal(s, want, sizeof s);
            assert_true(info.bound == whole.bound);
            assert_int_equal(info.read, whole.read);
            assert_true(info.flops == whole.flops);
            assert_false(info.direct || info.single || info.low_end);
        }
        tensor_release(&tensor);
    }
}

/* Float64, in a double's range or with squares beyond it. */
static void test_float64(void **state) {
    static const double SCALES[] = {1, 0x1p600, 0x1p-600};
    (void)state;
    double want[N], s[N], *a = numbers((size_t)N * M);
    uint64_t seed = 5;
    oracle_fill(a, (size_t)N * M, &seed);
    for (size_t i = 0; i < sizeof SCALES / sizeof *SCALES; i++) {
        Tensor tensor = matrix_of(N, M, a, DTYPE_F64);
        double *scaled = tensor_data(&tensor);
        for (size_t j = 0; j < (size_t)N * M; j++)
            scaled[j] *= SCALES[i];
        assert_int_equal(spectrum_parts(&tensor, &GRAM), SLICES);
        (void)values_of(&tensor, GRAM, want);
        SpectrumInfo info;
        assert_int_equal(shared(&tensor, ORDERS[1], s, &info, NULL, NULL),
                         STATUS_OK);
        assert_memory_equal(s, want, sizeof s);
        assert_true(isfinite(s[0]) && s[0] > SCALES[i]);
        tensor_release(&tensor);
    }
    free(a);
}

/* After the last slice a share holds its sum alone. */
static void test_held(void **state) {
    (void)state;
    const uint64_t square = (uint64_t)N * N * sizeof(double);
    Tensor tensor = make(WIDE);
    for (size_t i = 0; i < sizeof ORDERS / sizeof *ORDERS; i++) {
        SpectrumShare *share = NULL;
        Scratch scratch = {0};
        uint64_t before = mem_counts().held;
        assert_int_equal(spectrum_share_create(&share, &tensor, NULL),
                         STATUS_OK);
        for (int k = 0; k < SLICES; k++)
            spectrum_share_slice(share, &tensor, ORDERS[i][k], &scratch, NULL);
        uint64_t held = mem_counts().held - before - scratch_bytes(&scratch);
        assert_true(held >= square && held < square + (1 << 16));
        spectrum_share_release(share);
        scratch_release(&scratch);
    }
    tensor_release(&tensor);
}

static void test_share_of_none(void **state) {
    (void)state;
    double want[N], s[N];
    Tensor tensor = make(WIDE);
    (void)values_of(&tensor, GRAM, want);
    _Atomic(SpectrumShare *) place = NULL;
    SpectrumInfo info;
    Scratch scratch = {0};
    Err err;
    assert_int_equal(spectrum_share_values(place, &tensor, &GRAM, s, &info,
                                           &scratch, NULL, &err),
                     STATUS_OK);
    assert_memory_equal(s, want, sizeof s);
    fail_alloc_at(1);
    assert_null(spectrum_share_at(&place, &tensor));
    fail_alloc_at(0);
    SpectrumShare *share = spectrum_share_at(&place, &tensor);
    assert_non_null(share);
    assert_ptr_equal(spectrum_share_at(&place, &tensor), share);
    /* the first slice never came */
    spectrum_share_slice(share, &tensor, 1, &scratch, NULL);
    assert_int_equal(spectrum_share_values(share, &tensor, &GRAM, s, &info,
                                           &scratch, NULL, &err),
                     STATUS_NOMEM);
    assert_string_equal(err.message,
                        "not enough memory for a matrix's 3 slices");
    spectrum_share_release(share);
    scratch_release(&scratch);
    tensor_release(&tensor);
    assert_int_equal(spectrum_share_room(0), 0);
    double memory =
        (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    memory = fmin(memory, cgroup_memory(""));
    assert_int_equal(spectrum_share_room(1 << 10), (size_t)(memory / 0x1p24));
}

/* Each thread's slice of a share. */
typedef struct Taker {
    SpectrumShare *share;
    const Tensor *tensor;
    int slice;
} Taker;

static void *take(void *argument) {
    Taker *taker = argument;
    Scratch scratch = {0};
    spectrum_share_slice(taker->share, taker->tensor, taker->slice, &scratch,
                         NULL);
    scratch_release(&scratch);
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    double want[N], s[N];
    Tensor tensor = make(WIDE);
    (void)values_of(&tensor, GRAM, want);
    for (int round = 0; round < 2; round++) {
        SpectrumShare *share = NULL;
        SpectrumInfo info;
        Scratch scratch = {0};
        assert_int_equal(spectrum_share_create(&share, &tensor, NULL),
                         STATUS_OK);
        pthread_t thread[SLICES];
        Taker taker[SLICES];
        for (int i = 0; i < SLICES; i++) {
            taker[i] = (Taker){share, &tensor, i};
            assert_int_equal(pthread_create(&thread[i], NULL, take, &taker[i]),
                             0);
        }
        for (int i = 0; i < SLICES; i++)
            pthread_join(thread[i], NULL);
        assert_int_equal(spectrum_share_values(share, &tensor, &GRAM, s, &info,
                                               &scratch, NULL, NULL),
                         STATUS_OK);
        assert_memory_equal(s, want, sizeof s);
        spectrum_share_release(share);
        scratch_release(&scratch);
    }
    tensor_release(&tensor);
}

/* The first one is the first as they are stored. */
static void test_nonfinite(void **state) {
    static const char *const FIRST[] = {
        [WIDE] = "3 non-finite values, the first at row 8, column 3082",
        [TALL] = "3 non-finite values, the first at row 1539, column 10",
        [TURNED] = "3 non-finite values, the first at row 3082, column 8"};
    (void)state;
    for (Lie lie = WIDE; lie < LIES; lie++) {
        Tensor tensor = make(lie);
        float *a = tensor_data(&tensor);
        size_t along = lie == TALL ? N : 1, across = lie == TALL ? 1 : M;
        /* in the last slice, and two of them in the middle one */
        a[7 * across + (2 * WIDTH + 9) * along] = NAN;
        a[9 * across + (WIDTH + 3) * along] = INFINITY;
        a[9 * across + (WIDTH + 2) * along] = -INFINITY;
        const char *want = FIRST[lie];
        double s[N] = {0};
        SpectrumInfo info;
        Scratch scratch = {0};
        Err err;
        assert_int_equal(
            spectrum_values(&tensor, &GRAM, s, &info, &scratch, NULL, &err),
            STATUS_NONFINITE);
        assert_string_equal(err.message, want);
        scratch_release(&scratch);
        for (size_t i = 0; i < sizeof ORDERS / sizeof *ORDERS; i++) {
            assert_int_equal(shared(&tensor, ORDERS[i], s, &info, NULL, &err),
                             STATUS_NONFINITE);
            assert_string_equal(err.message, want);
        }
        assert_true(s[0] == 0);
        tensor_release(&tensor);
    }
}

static void test_cancel(void **state) {
    (void)state;
    static const volatile int CANCEL = 1;
    Tensor tensor = make(WIDE);
    double s[N] = {0};
    SpectrumInfo info;
    Err err;
    assert_int_equal(shared(&tensor, ORDERS[0], s, &info, &CANCEL, &err),
                     STATUS_CANCELLED);
    assert_string_equal(err.message, "interrupted");
    assert_true(s[0] == 0);
    tensor_release(&tensor);
}

/* With every allocation failing once, the values or STATUS_NOMEM. */
static void test_no_memory(void **state) {
    (void)state;
    Tensor tensor = make(WIDE);
    double want[N], s[N];
    (void)values_of(&tensor, GRAM, want);
    long n = 1;
    for (bool hit = true; hit; n++) {
        SpectrumInfo info;
        Err err = {.message = ""};
        fail_alloc_at(n);
        Status status = shared(&tensor, ORDERS[1], s, &info, NULL, &err);
        hit = fail_alloc_hit();
        fail_alloc_at(0);
        if (hit) {
            assert_int_equal(status, STATUS_NOMEM);
            assert_memory_equal(err.message, "not enough memory", 17);
        } else {
            assert_int_equal(status, STATUS_OK);
            assert_memory_equal(s, want, sizeof s);
        }
    }
    /* the share, three slices, the panel, the values' block, LAPACK's work */
    assert_true(n >= 8);
    tensor_release(&tensor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_float64),       cmocka_unit_test(test_held),
        cmocka_unit_test(test_share_of_none), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_nonfinite),     cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
