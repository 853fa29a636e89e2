/* Values in 8 bits and such as are computed of them: each as it is held for an
 * estimate, and the estimate. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "estimate.h"
#include "estimate_held.h"
#include "linalg.h"
#include "packed.h"
#include "raw.h"

enum { ROWS = 160, COLS = 192, CODES = ROWS * COLS, GROUPS = CODES / 32 };

/* Where the parts lie: a byte a code, the most floats a scale can have. */
enum { SCALES_AT = CODES, MAP_AT = SCALES_AT + 4 * GROUPS, MAP = 16 };

static Held hold(const Tensor *tensor) {
    Team *team = NULL;
    Held held;
    Err err = {.message = ""};
    assert_int_equal(team_create(&team, 2, NULL), STATUS_OK);
    if (held_read(&held, tensor, team, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    team_release(team);
    return held;
}

/* ---- the bytes themselves ---- */

/* Every finite code there is, held in 16 bits. */
static void check_codes(Dtype dtype) {
    enum { SIDE = 16 };
    uint8_t codes[SIDE * SIDE];
    float want[SIDE * SIDE], got;
    Raw raw;
    for (int i = 0; i < SIDE * SIDE; i++)
        codes[i] = (uint8_t)i;
    assert_int_equal(dtype_decode_float(dtype, codes, SIDE * SIDE, want, NULL),
                     STATUS_OK);
    for (int i = 0; i < SIDE * SIDE; i++)
        if (!isfinite(want[i]))
            want[i] = codes[i] = 0;
    raw_make(&raw, codes, sizeof codes);
    Tensor tensor = raw_tensor(&raw, dtype, 0, 2, (int64_t[]){SIDE, SIDE});
    Held held = hold(&tensor);
    assert_int_equal(held.kind, HELD_F16);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        const uint16_t *at = held.data;
        at += i / SIDE * held.ld + i % SIDE;
        assert_int_equal(dtype_decode_float(DTYPE_F16, at, 1, &got, NULL),
                         STATUS_OK);
        if (got != want[i])
            fail_msg("%s: code %d is %g, expected %g", dtype_row(dtype)->name,
                     (int)i, (double)got, (double)want[i]);
    }
    held_release(&held);
    tensor_release(&tensor);
    raw_end(&raw);
}

static void test_codes(void **state) {
    static const Dtype DTYPES[] = {DTYPE_I8,          DTYPE_U8,
                                   DTYPE_F8_E4M3,     DTYPE_F8_E5M2,
                                   DTYPE_F8_E4M3FNUZ, DTYPE_F8_E5M2FNUZ};
    (void)state;
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++)
        check_codes(DTYPES[i]);
}

/* ---- what is computed of them ---- */

typedef struct Case {
    const char *name;
    PackedKind kind;
    Dtype dtype, scale;
    double divisor;
} Case;

/* Codes of all kinds (of an 8-bit float finite ones), scales from far below
 * what F16 can hold to far above, and a table of values. */
static void fill_parts(uint8_t *data, const Case *c) {
    static const double NEAR[] = {1e-9, 3e-5, 0.7, 1e4, 3e6};
    uint64_t state = 9;
    for (size_t i = 0; i < CODES; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        uint8_t code = (uint8_t)(state >> 56);
        bool free = c->dtype == DTYPE_I8 || c->dtype == DTYPE_U8;
        data[i] =
            (uint8_t)(free ? code : (code & 0x80U) | (code & 0x7fU) % 0x78U);
    }
    for (size_t i = 0; i < GROUPS; i++) {
        float scale = (float)(NEAR[i % 5] * (1 + (double)i / GROUPS));
        if (c->scale == DTYPE_F32)
            memcpy(data + SCALES_AT + 4 * i, &scale, 4);
        else if (c->kind == PACKED_MXFP4)
            data[SCALES_AT + i] = (uint8_t)(100 + i % 50);
        else /* with the code beyond float32 */
            data[SCALES_AT + i] = (uint8_t)(254 - i % 50);
    }
    for (size_t i = 0; i < MAP; i++) {
        float value = (float)(((double)i - 7.3) / 8);
        memcpy(data + MAP_AT + 4 * i, &value, 4);
    }
}

static void pack_case(Tensor *out, const Raw *raw, const Case *c) {
    static const int64_t SCALED[] = {ROWS, COLS}, ONES[] = {ROWS, 1};
    static const int64_t BLOCKS[] = {ROWS, COLS / 32, 16},
                         EXPONENTS[] = {ROWS, COLS / 32};
    static const int64_t PAIRS[] = {CODES / 2, 1}, ABSMAX[] = {GROUPS},
                         SIXTEEN[] = {MAP};
    bool mxfp4 = c->kind == PACKED_MXFP4, table = c->kind == PACKED_TABLE;
    Tensor part[] = {
        raw_tensor(raw, c->dtype, 0, mxfp4 ? 3 : 2,
                   mxfp4   ? BLOCKS
                   : table ? PAIRS
                           : SCALED),
        raw_tensor(raw, c->scale, SCALES_AT, table ? 1 : 2,
                   mxfp4   ? EXPONENTS
                   : table ? ABSMAX
                           : ONES),
        raw_tensor(raw, DTYPE_F32, MAP_AT, 1, SIXTEEN),
    };
    PackedWish wish = {.kind = c->kind,
                       .part = {&part[0], &part[1], &part[2]},
                       .divisor = c->divisor,
                       .shape = {ROWS, COLS},
                       .block_size = 32,
                       .name = c->name};
    Err err = {.message = ""};
    if (packed_create(out, &wish, &err) != STATUS_OK)
        fail_msg("%s: %s", c->name, err.message);
    for (int i = 0; i < 3; i++)
        tensor_release(&part[i]);
}

/* float32 of every value, (ROWS, COLS) of them, and with that the long side
 * down. */
static void check_held(const char *name, const Held *held, const double *want) {
    const float *got = held->data;
    double largest = 0, least = INFINITY;
    assert_int_equal(held->kind, HELD_F32);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < COLS; j++) {
            double x = fabs(want[i * COLS + j]);
            float value = (float)(want[i * COLS + j] * held->stored);
            if (got[j * held->ld + i] != value)
                fail_msg("%s: [%d, %d] is %.9g, expected %.9g", name, (int)i,
                         (int)j, (double)got[j * held->ld + i], (double)value);
            largest = x > largest ? x : largest;
            least = x > 0 && x < least ? x : least;
        }
    /* out of F16's range at both ends */
    assert_true(largest > 65504);
    assert_true(largest / least > 65504 * 0x1p24);
}

static Estimate estimate_of(const Tensor *tensor) {
    EstimateWish wish = {.seed = 1, .threads = 2};
    Estimate out;
    Err err = {.message = ""};
    memset(&out, 0, sizeof out);
    if (estimate_matrix(tensor, &wish, &out, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return out;
}

static void check_case(const Case *c) {
    static uint8_t data[MAP_AT + 4 * MAP];
    Raw raw;
    Tensor packed, plain;
    fill_parts(data, c);
    raw_make(&raw, data, sizeof data);
    pack_case(&packed, &raw, c);
    assert_int_equal(tensor_copy(&plain, &packed, DTYPE_F64, NULL), STATUS_OK);
    Held held = hold(&packed);
    check_held(c->name, &held, tensor_data(&plain));
    assert_true((held.stored != 1) == (c->scale == DTYPE_F8_E8M0));
    held_release(&held);
    /* to the bit what the same values have in memory */
    Estimate got = estimate_of(&packed), want = estimate_of(&plain);
    assert_true(isfinite(got.effective_rank) && isfinite(got.half_width));
    assert_memory_equal(&got, &want, sizeof got);
    tensor_release(&packed);
    tensor_release(&plain);
    raw_end(&raw);
}

static void test_packed(void **state) {
    static const Case CASES[] = {
        {"F8_E4M3 x F32", PACKED_SCALED, DTYPE_F8_E4M3, DTYPE_F32, 1},
        {"F8_E5M2 x F32", PACKED_SCALED, DTYPE_F8_E5M2, DTYPE_F32, 1},
        {"F8_E4M3 x E8M0", PACKED_SCALED, DTYPE_F8_E4M3, DTYPE_F8_E8M0, 1},
        {"I8 x F32 / 127", PACKED_SCALED, DTYPE_I8, DTYPE_F32, 127},
        {"MXFP4", PACKED_MXFP4, DTYPE_U8, DTYPE_U8, 1},
        {"NF4", PACKED_TABLE, DTYPE_U8, DTYPE_F32, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        check_case(&CASES[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_packed),
    };
    linalg_single_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
