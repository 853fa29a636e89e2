/* Block products in plain C, and the choice of what runs. */
#include "estimate_kernel.h"

#include <math.h>
#include <string.h>

#include "estimate_kernel_vector.h"
#include "quant.h"

KernelLevel kernel_level(void) {
#ifdef KERNEL_VECTOR
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("f16c"))
        return __builtin_cpu_supports("avx512f") ? KERNEL_AVX512 : KERNEL_AVX2;
#endif
    return KERNEL_PLAIN;
}

/* n elements of row `row` from column `col` on, widened. */
static void widen(const KernelBlock *block, size_t row, size_t col, size_t n,
                  float *out) {
    static const Dtype DTYPES[] = {DTYPE_F16, DTYPE_BF16, DTYPE_F32};
    const DtypeRow *format = dtype_row(DTYPES[block->kind]);
    const uint8_t *a = block->a;
    format->decode_float(a + (row * block->ld + col) * format->bytes, n, out);
}

static size_t panel_at(const KernelBlock *block, size_t col) {
    size_t left = block->ld - col;
    return left < KERNEL_PANEL ? left : KERNEL_PANEL;
}

/* y[v] += sum_j a[j] x[j][v], the vectors four at a time. */
HOT static void row_forward(const float *a, const float *x, size_t n,
                            size_t width, float *y) {
    for (size_t v = 0; v < width; v += 4) {
        float sum[4];
        memcpy(sum, y + v, sizeof sum);
        for (size_t j = 0; j < n; j++)
            for (size_t i = 0; i < 4; i++)
                sum[i] += a[j] * x[j * width + v + i];
        memcpy(y + v, sum, sizeof sum);
    }
}

/* z[v][j] += y[v] a[j], n a multiple of HELD_COLS. */
HOT static void row_back(const float *restrict a, const float *y, size_t n,
                         size_t width, float *restrict z, size_t ldz) {
    for (size_t v = 0; v < width; v++)
        for (size_t j = 0; j < n; j += HELD_COLS)
            for (size_t i = 0; i < HELD_COLS; i++)
                z[v * ldz + j + i] += y[v] * a[j + i];
}

static void forward_plain(const KernelBlock *block) {
    float wide[KERNEL_PANEL];
    size_t width = block->width, n;
    memset(block->y, 0, block->rows * width * sizeof *block->y);
    for (size_t col = 0; col < block->ld; col += n) {
        n = panel_at(block, col);
        for (size_t row = 0; row < block->rows; row++) {
            widen(block, row, col, n, wide);
            row_forward(wide, block->x + col * width, n, width,
                        block->y + row * width);
        }
    }
}

static void back_plain(const KernelBlock *block) {
    float wide[KERNEL_PANEL];
    size_t width = block->width, n;
    for (size_t col = 0; col < block->ld; col += n) {
        n = panel_at(block, col);
        for (size_t row = 0; row < block->rows; row++) {
            widen(block, row, col, n, wide);
            row_back(wide, block->y + row * width, n, width, block->z + col,
                     block->ldz);
        }
    }
}

void kernel_forward(KernelLevel level, const KernelBlock *block) {
#ifdef KERNEL_VECTOR
    if (level == KERNEL_AVX512 && block->width == 16) {
        kernel_forward_avx512(block);
        return;
    }
    if (level != KERNEL_PLAIN) {
        for (size_t v = 0; v < block->width; v += 8)
            kernel_forward_avx2(block, v);
        return;
    }
#endif
    (void)level;
    forward_plain(block);
}

void kernel_back(KernelLevel level, const KernelBlock *block) {
#ifdef KERNEL_VECTOR
    if (level == KERNEL_AVX512 && block->width == 16) {
        kernel_back_avx512(block);
        return;
    }
    if (level != KERNEL_PLAIN) {
        for (size_t v = 0; v < block->width; v += 8)
            kernel_back_avx2(block, v);
        return;
    }
#endif
    (void)level;
    back_plain(block);
}

Status kernel_pack_half(const double *x, size_t n, uint16_t *out, Err *err) {
    size_t done = 0;
#ifdef KERNEL_VECTOR
    if (kernel_level() != KERNEL_PLAIN) {
        done = n / 8 * 8;
        kernel_pack_half_avx2(x, done, out);
    }
#endif
    return dtype_encode(DTYPE_F16, x + done, n - done, out + done, err);
}

HOT void kernel_pack_float(const double *x, size_t n, double scale,
                           float *out) {
    size_t done = 0;
    for (; n - done >= QUANT_CHUNK; done += QUANT_CHUNK)
        for (size_t i = 0; i < QUANT_CHUNK; i++)
            out[done + i] = (float)(x[done + i] * scale);
    for (; done < n; done++)
        out[done] = (float)(x[done] * scale);
}

HOT double kernel_largest(const double *x, size_t n) {
    /* magnitudes are ordered as their bits are */
    uint64_t most[8] = {0}, bits[8];
    size_t done = 0;
    double largest;
    for (; n - done >= 8; done += 8) {
        memcpy(bits, x + done, sizeof bits);
        for (size_t i = 0; i < 8; i++) {
            bits[i] &= UINT64_MAX >> 1;
            most[i] = bits[i] > most[i] ? bits[i] : most[i];
        }
    }
    for (; done < n; done++) {
        memcpy(bits, x + done, sizeof *bits);
        bits[0] &= UINT64_MAX >> 1;
        most[0] = bits[0] > most[0] ? bits[0] : most[0];
    }
    for (size_t i = 1; i < 8; i++)
        most[0] = most[i] > most[0] ? most[i] : most[0];
    memcpy(&largest, most, sizeof largest);
    return largest;
}
